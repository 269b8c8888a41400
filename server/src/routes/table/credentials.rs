//! Who asks.

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use crate::{
    api::{
        ApiKeyView, MeView, Page, SessionCodeView, SessionView, TokenMade,
        operation::{Tag, delete, get, path, post, query},
        requests::{NewApiKey, NewSession},
    },
    routes::{Routes, keys, sessions},
};

pub fn fill(routes: &mut Routes) {
    sessions(routes);
    keys(routes);
}

fn sessions(routes: &mut Routes) {
    routes.on(
        post(
            "/api/v1/sessions",
            "createSession",
            Tag::Sessions,
            "Open a session: a new anonymous owner, or by a code another device of one",
        )
        .about(
            "Without a body, or with `cookie: false`, the answer holds the token. With \
             `cookie: true` it comes as an HttpOnly cookie instead, and 200 says that the cookie \
             sent along is still good.",
        )
        .json::<NewSession>(false, json!({"cookie": false}))
        .answers::<TokenMade>(201, "The new session.")
        .answers::<TokenMade>(200, "The cookie's session is still good.")
        .refuses(&[No::ForeignOrigin, No::TooManyRequests]),
        sessions::create,
    );
    routes.on(
        get(
            "/api/v1/sessions",
            "listSessions",
            Tag::Sessions,
            "My sessions: which devices open what is mine",
        )
        .owner()
        .answers::<Page<SessionView>>(200, "All of them, the oldest first."),
        sessions::list,
    );
    routes.on(
        delete(
            "/api/v1/sessions/{session}",
            "deleteSession",
            Tag::Sessions,
            "End a session; `current` logs out",
        )
        .owner()
        .takes(path(
            "session",
            "A session's id, or `current` for the one that asks.",
            json!({"type": "string"}),
        ))
        .answers_nothing(204, "It opens nothing any more. Recordings stay.")
        .refuses(&[No::NotFound]),
        sessions::remove,
    );
    routes.on(
        post(
            "/api/v1/session-codes",
            "createSessionCode",
            Tag::Sessions,
            "A code that opens one more session of mine, once, within ten minutes",
        )
        .owner()
        .answers::<SessionCodeView>(201, "The code. One that was made before is good no more.")
        .refuses(&[No::TooManyKeys]),
        sessions::create_code,
    );
    routes.on(
        get("/api/v1/me", "getMe", Tag::Sessions, "Who asks")
            .owner()
            .answers::<MeView>(200, "The session, or the API key."),
        sessions::me,
    );
}

fn keys(routes: &mut Routes) {
    let key = || {
        path(
            "key",
            "The key's id.",
            json!({"type": "string", "format": "uuid"}),
        )
    };
    routes.on(
        post("/api/v1/keys", "createApiKey", Tag::Keys, "Make an API key")
            .about("Each key has an owner of its own, unless it takes the place of another.")
            .admin()
            .json::<NewApiKey>(
                true,
                json!({"name": "nightly build", "scopes": ["recordings"]}),
            )
            .answers::<ApiKeyView>(201, "The key, with its secret this once.")
            .refuses(&[No::TooManyKeys]),
        keys::create,
    );
    routes.on(
        get(
            "/api/v1/keys",
            "listApiKeys",
            Tag::Keys,
            "All API keys, the newest first",
        )
        .admin()
        .takes(query(
            "page_token",
            "`next_page_token` of the page before.",
            json!({"type": "string"}),
        ))
        .answers::<Page<ApiKeyView>>(200, "At most 100, revoked and expired ones too.")
        .refuses(&[No::InvalidField]),
        keys::list,
    );
    routes.on(
        get("/api/v1/keys/{key}", "getApiKey", Tag::Keys, "An API key")
            .admin()
            .takes(key())
            .answers::<ApiKeyView>(200, "The key.")
            .refuses(&[No::NotFound]),
        keys::get,
    );
    routes.on(
        delete(
            "/api/v1/keys/{key}",
            "revokeApiKey",
            Tag::Keys,
            "Revoke an API key",
        )
        .about("It opens nothing any more. Its recordings stay its owner's.")
        .admin()
        .takes(key())
        .answers::<ApiKeyView>(200, "The key. Revoking it again is no mistake.")
        .refuses(&[No::NotFound]),
        keys::revoke,
    );
}
