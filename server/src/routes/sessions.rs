//! Sessions: a new anonymous owner, as a token for programs or a cookie for the page; another device of
//! the same owner's by a code; which there are, and the end of one. And who asks.

use std::{sync::Arc, time::Instant};

use http::{HeaderValue, StatusCode, header};
use jiff::SignedDuration;
use retake_chain::problem::ProblemKind;
use retake_jobs::{credential::Session, id::SessionId};
use serde::Deserialize;
use warp::reply::Response;

use crate::{
    api::{ApiKeyView, MeView, Page, SessionCodeView, SessionView, TokenMade},
    app::App,
    call::Call,
    http::{
        proxies::Way,
        request_id::Peer,
        respond::{self, Refusal},
    },
    session::{
        auth::{self, Credential},
        code::Code,
        cookie::SessionCookie,
        origin,
        token::Token,
    },
};

/// Long enough to walk to the other device.
const CODE_LASTS: SignedDuration = SignedDuration::from_mins(10);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// As an HttpOnly cookie; the token is then not in the body, where a script could read it.
    #[serde(default)]
    cookie: bool,
    /// From `POST /api/v1/session-codes` of another session: this one opens what that one opens.
    code: Option<String>,
}

pub async fn create(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let (peer, way, headers) = (call.peer, call.way.clone(), call.headers.clone());
    let wanted: Wanted = call.json(app.config.json_bytes_max).await?;
    if wanted.cookie {
        origin::check(&app.place, &way, &headers)?;
        if wanted.code.is_none()
            && let Some(token) = SessionCookie::of(&app, &way).find(&headers)
            && auth::session_of(&app, &token).await?.is_some()
        {
            // Sent again: its time begins anew.
            return Ok(with_cookie(StatusCode::OK, &token, &app, &way));
        }
    }
    check_rate(&app, peer)?;
    let token = Token::new();
    match &wanted.code {
        None => {
            app.parts.store.add_session(token.sha256()).await?;
        }
        Some(code) => add_by_code(&app, &token, code).await?,
    }
    Ok(if wanted.cookie {
        with_cookie(StatusCode::CREATED, &token, &app, &way)
    } else {
        respond::json(
            StatusCode::CREATED,
            &TokenMade {
                token: Some(token.reveal()),
            },
        )
    })
}

/// Nobody guesses a code at this rate, in its time.
fn check_rate(app: &App, peer: Option<Peer>) -> Result<(), Refusal> {
    if let Some(peer) = peer
        && !app.session_rate.take(peer.0.ip(), Instant::now())
    {
        let limit = app.session_rate.limit();
        return Err(Refusal::new(
            ProblemKind::TooManyRequests,
            format!("at most {limit} sessions a minute can be opened from one network address"),
        )
        .with_header(header::RETRY_AFTER, "60"));
    }
    Ok(())
}

async fn add_by_code(app: &App, token: &Token, code: &str) -> Result<(), Refusal> {
    let added = match Code::parse(code) {
        Some(code) => {
            let adding = app
                .parts
                .store
                .add_session_by_code(token.sha256(), code.sha256());
            adding.await?
        }
        None => None,
    };
    added.map(drop).ok_or_else(|| {
        let detail =
            "code is none that is good: it was mistyped, used before, or is older than 10 minutes";
        Refusal::field(ProblemKind::InvalidField, "/code", detail)
    })
}

fn with_cookie(status: StatusCode, token: &Token, app: &App, way: &Way) -> Response {
    let cookie = SessionCookie::of(app, way).set(token);
    setting(respond::json(status, &TokenMade { token: None }), cookie)
}

fn setting(mut response: Response, cookie: String) -> Response {
    let cookie: HeaderValue = cookie
        .try_into()
        .expect("a token, a path and attributes, all ASCII");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

async fn asking(app: &App, call: &Call) -> Result<Session, Refusal> {
    match auth::credential(app, call).await? {
        Credential::Session(session) => Ok(session),
        Credential::ApiKey(_) => Err(Refusal::new(
            ProblemKind::InsufficientScope,
            "an API key has no sessions; keys are at /api/v1/keys",
        )),
    }
}

pub async fn me(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let view = match auth::credential(&app, &call).await? {
        Credential::Session(session) => MeView {
            session: Some(SessionView::new(&session, session.id)),
            api_key: None,
        },
        Credential::ApiKey(key) => MeView {
            session: None,
            api_key: Some(ApiKeyView::new(&key)),
        },
    };
    Ok(respond::json(StatusCode::OK, &view))
}

pub async fn list(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let asking = asking(&app, &call).await?;
    let sessions = app.parts.store.sessions(asking.owner).await?;
    let view = |session| SessionView::new(session, asking.id);
    let items = sessions.iter().map(view).collect();
    let page = Page {
        items,
        next_page_token: None,
    };
    Ok(respond::json(StatusCode::OK, &page))
}

/// `current` is the one that asks: logging out.
pub async fn remove(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let asking = asking(&app, &call).await?;
    let id: SessionId = match call.segment(0) {
        "current" => asking.id,
        _ => call.id()?,
    };
    if !app.parts.store.remove_session(asking.owner, id).await? {
        return Err(Refusal::not_found());
    }
    let response = respond::empty(StatusCode::NO_CONTENT);
    if id != asking.id {
        return Ok(response);
    }
    Ok(setting(
        response,
        SessionCookie::of(&app, &call.way).forget(),
    ))
}

pub async fn create_code(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let asking = asking(&app, &call).await?;
    let most = app.config.sessions_per_owner_max;
    if app.parts.store.sessions(asking.owner).await?.len() >= most {
        return Err(Refusal::new(
            ProblemKind::TooManyKeys,
            format!("there are {most} sessions, which is the limit; end one that is not used"),
        ));
    }
    let code = Code::new();
    let expires_at = app.parts.clock.now() + CODE_LASTS;
    let adding = app
        .parts
        .store
        .add_code(asking.owner, code.sha256(), expires_at);
    adding.await?;
    let view = SessionCodeView {
        code: code.reveal(),
        expires_at,
    };
    Ok(respond::json(StatusCode::CREATED, &view))
}
