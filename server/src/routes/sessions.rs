//! `POST /api/v1/sessions`: a new anonymous owner, as a token for programs or a cookie for the page.

use std::{sync::Arc, time::Instant};

use http::{StatusCode, header};
use retake_chain::problem::ProblemKind;
use serde::Deserialize;
use warp::reply::Response;

use crate::{
    api::TokenMade,
    app::App,
    call::Call,
    http::{
        proxies::Way,
        respond::{self, Refusal},
    },
    session::{auth, cookie::SessionCookie, origin, token::Token},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// As an HttpOnly cookie; the token is then not in the body, where a script could read it.
    #[serde(default)]
    cookie: bool,
}

pub async fn create(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let (peer, way, headers) = (call.peer, call.way.clone(), call.headers.clone());
    let wanted: Wanted = call.json(app.config.json_bytes_max).await?;
    if wanted.cookie {
        origin::check(&app.place, &way, &headers)?;
        if let Some(token) = SessionCookie::of(&app, &way).find(&headers)
            && auth::owner_of(&app, &token).await?.is_some()
        {
            // Sent again: its time begins anew.
            return Ok(with_cookie(StatusCode::OK, &token, &app, &way));
        }
    }
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
    let token = Token::new();
    app.parts.store.add_session(token.sha256()).await?;
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

fn with_cookie(status: StatusCode, token: &Token, app: &App, way: &Way) -> Response {
    let mut response = respond::json(status, &TokenMade { token: None });
    let cookie = SessionCookie::of(app, way).set(token);
    let cookie = cookie
        .try_into()
        .expect("a token, a path and attributes, all ASCII");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
