//! Whose request this is: a session's token, as `Authorization: Bearer` or as the page's cookie; and
//! the admin key, which is no session and opens nothing but what publishes plugins.
//!
//! Both are 256 random bits; only their SHA-256 is stored, so the store's contents open nothing.
//! Looking a hash up tells an attacker's clock nothing about the token, so no constant-time compare
//! is needed. Neither is ever logged.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Uri, header};
use rand::{TryRngCore, rngs::OsRng};
use retake_chain::problem::ProblemKind;
use retake_jobs::id::OwnerId;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::{app::App, respond::Refusal, routes::Call};

pub const COOKIE: &str = "retake_session";

/// Browsers keep a cookie for 400 days at most.
const COOKIE_MAX_AGE_S: u32 = 400 * 24 * 3600;

const PREFIX: &str = "rt_";
const ADMIN_PREFIX: &str = "rtadm_";
const SECRET_BYTES: usize = 32;

/// A session's token. `Debug` does not show it.
pub struct Token(String);

impl Token {
    pub fn new() -> Self {
        let mut secret = [0; SECRET_BYTES];
        OsRng
            .try_fill_bytes(&mut secret)
            .expect("the system has randomness");
        Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(secret)))
    }

    pub fn parse(text: &str) -> Option<Self> {
        secret(text, PREFIX).map(|text| Self(text.to_owned()))
    }

    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn set_cookie(&self, secure: bool) -> String {
        let secure = if secure { "; Secure" } else { "" };
        format!(
            "{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_MAX_AGE_S}{secure}",
            self.0
        )
    }
}

/// Refuses whoever does not send an admin key of this installation. Never taken from a cookie: no
/// other site's page can make a browser send it. Wrong ones are counted, slowed and logged.
pub async fn check_admin(app: &App, call: &Call) -> Result<(), Refusal> {
    let bearer = call
        .headers
        .get(header::AUTHORIZATION)
        .and_then(bearer_text);
    // A session's token is no guess.
    let Some(key) = bearer.filter(|text| text.starts_with(ADMIN_PREFIX)) else {
        return Err(Refusal::new(
            ProblemKind::AdminKeyNeeded,
            "send the admin key as \"Authorization: Bearer rtadm_…\"",
        ));
    };
    app.admin_tries.admit(call.peer).await?;
    let digest = secret(key, ADMIN_PREFIX).map(|key| hex(&Sha256::digest(key)));
    // All of them, each to its end: how long it takes says nothing about how near a key came.
    let known = digest.is_some_and(|digest| {
        let known = app.config.admin_key_sha256.iter();
        let same = known.map(|known| known.as_bytes().ct_eq(digest.as_bytes()));
        bool::from(same.fold(Choice::from(0), |any, same| any | same))
    });
    if known {
        return Ok(());
    }
    app.metrics.admin_key_refused();
    app.admin_tries.wrong(call.peer, &call.request_id).await;
    Err(Refusal::new(
        ProblemKind::AdminKeyNeeded,
        "that is not an admin key of this installation",
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The whole text, if it is a well-formed secret behind its prefix.
fn secret<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let secret = BASE64_URL_SAFE_NO_PAD
        .decode(text.strip_prefix(prefix)?)
        .ok()?;
    (secret.len() == SECRET_BYTES).then_some(text)
}

/// The owner who asks. A bearer token that is there decides alone; the cookie is looked at without
/// one, and then an unsafe method must come from our own page.
pub async fn owner(app: &App, call: &Call) -> Result<OwnerId, Refusal> {
    let token = match bearer(&call.headers)? {
        Some(token) => token,
        None => {
            let token = cookie(&call.headers).ok_or_else(|| {
                Refusal::new(
                    ProblemKind::Unauthenticated,
                    "send the token from POST /api/v1/sessions as \"Authorization: Bearer rt_…\"",
                )
            })?;
            if !call.method.is_safe() {
                check_origin(&call.headers)?;
            }
            token
        }
    };
    owner_of(app, &token).await?.ok_or_else(unknown)
}

pub async fn owner_of(app: &App, token: &Token) -> Result<Option<OwnerId>, Refusal> {
    Ok(app.parts.store.owner_of(token.sha256()).await?)
}

fn unknown() -> Refusal {
    Refusal::new(
        ProblemKind::Unauthenticated,
        "the session's token is not one of ours",
    )
}

fn bearer(headers: &HeaderMap) -> Result<Option<Token>, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let token = bearer_text(value).and_then(Token::parse);
    token.map(Some).ok_or_else(unknown)
}

fn bearer_text(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The session cookie, if there is a well-formed one.
pub fn cookie(headers: &HeaderMap) -> Option<Token> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then(|| Token::parse(value))?)
}

/// A browser says where a request comes from; another site's page must not act with our cookie.
/// What says nothing is not a browser's page.
pub fn check_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let foreign = |what: String| Err(Refusal::new(ProblemKind::ForeignOrigin, what));
    if let Some(site) = text("sec-fetch-site") {
        return match site {
            "same-origin" | "none" => Ok(()),
            other => foreign(format!(
                "the request comes from a {other} page, not from ours"
            )),
        };
    }
    let Some(origin) = text("origin") else {
        return Ok(());
    };
    let from = origin
        .parse::<Uri>()
        .ok()
        .and_then(|uri| Some(uri.authority()?.as_str().to_owned()));
    if from.is_some() && from.as_deref() == text("host") {
        return Ok(());
    }
    foreign(format!(
        "the request comes from {origin}, not from our own page"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens_differ_parse_back_and_nothing_else_parses() {
        let (a, b) = (Token::new(), Token::new());
        assert_ne!(a.reveal(), b.reveal());
        assert_eq!(Token::parse(a.reveal()).unwrap().sha256(), a.sha256());
        assert_eq!(a.reveal().len(), PREFIX.len() + 43);
        for bad in [
            "",
            "rt_",
            "rt_short",
            &a.reveal()[3..],
            &format!("{}A", a.reveal()),
        ] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
        assert!(!format!("{a:?}").contains(a.reveal()));
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_cookie_is_found_among_others_and_only_by_its_whole_name() {
        let token = Token::new();
        let ours = format!("{COOKIE}={}", token.reveal());
        let find = |line: &str| cookie(&headers(&[("cookie", line)])).is_some();
        assert!(find(&ours));
        assert!(find(&format!("a=b; {ours}; c=d")));
        assert!(!find(&format!("x{ours}")));
        assert!(!find(&format!("{COOKIE}=rt_junk")));
    }

    #[test]
    fn only_our_own_page_may_act_with_the_cookie() {
        let allowed = |pairs: &[(&'static str, &str)]| check_origin(&headers(pairs)).is_ok();
        assert!(allowed(&[]));
        assert!(allowed(&[
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://else.example")
        ]));
        assert!(!allowed(&[("sec-fetch-site", "cross-site")]));
        assert!(!allowed(&[("sec-fetch-site", "same-site")]));
        assert!(allowed(&[
            ("origin", "http://a.example:8080"),
            ("host", "a.example:8080")
        ]));
        assert!(!allowed(&[
            ("origin", "http://a.example"),
            ("host", "a.example:8080")
        ]));
        assert!(!allowed(&[
            ("origin", "http://evil.example"),
            ("host", "a.example")
        ]));
        assert!(!allowed(&[("origin", "null"), ("host", "a.example")]));
        assert!(!allowed(&[("origin", "http://a.example")]));
    }
}
