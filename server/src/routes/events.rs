//! `GET /api/v1/events`: news about the owner's jobs as server-sent events, without gap or double.
//!
//! The event log is the truth and a wake only says "look": subscribe, read what comes after the
//! last one sent, send it, wait for a wake, again. So it does not matter how many wakes come, and
//! `Last-Event-ID` is only where the reading begins.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue, StatusCode, header};
use retake_chain::problem::ProblemKind;
use retake_jobs::id::EventId;
use tokio::sync::mpsc;
use warp::reply::Response;

use crate::{
    app::App,
    call::Call,
    http::{
        respond::{Refusal, empty},
        streamed::{Endless, streamed},
    },
    live::telling::Telling,
    session::auth,
};

/// Chunks that may wait for a client that reads slowly, beside the one on its way.
const CHUNKS_WAITING_MAX: usize = 1;

pub async fn stream(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let watcher = app
        .watchers
        .join(owner)
        .map_err(|crowded| Refusal::new(ProblemKind::TooManyRequests, crowded.to_string()))?;
    let newest = app.parts.store.newest_event().await?;
    let begins = match asked_place(&call) {
        None => Begins::Now,
        // From another log: restored from a backup, for example.
        Some(place) if place > newest => Begins::Reloading,
        // What lies between has been forgotten.
        Some(place) if place < app.parts.store.forgotten_up_to().await? => Begins::Reloading,
        Some(place) => Begins::After(place),
    };

    let telling = Telling {
        app: app.clone(),
        watcher,
        reload: matches!(begins, Begins::Reloading),
        after: match begins {
            Begins::After(place) => place,
            Begins::Now | Begins::Reloading => newest,
        },
    };
    let mut response = match call.direct {
        Some(direct) => {
            direct.put(telling);
            empty(StatusCode::OK)
        }
        None => {
            let (chunks, waiting) = mpsc::channel(CHUNKS_WAITING_MAX);
            app.unbroken.spawn(telling.run(chunks));
            let mut response = streamed(stream::unfold(waiting, |mut waiting| async {
                let chunk: Bytes = waiting.recv().await?;
                Some((Ok::<_, std::convert::Infallible>(chunk), waiting))
            }));
            response.extensions_mut().insert(Endless);
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    // Whoever compresses or buffers delays news.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-transform"),
    );
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// Where a stream begins.
enum Begins {
    After(EventId),
    /// At the newest: the client asked for no place.
    Now,
    /// At the newest, although the client has an earlier place: it is told to look at everything anew.
    Reloading,
}

/// The header wins: a browser that connects again sends it beside the address it began with. What
/// is no number is ignored, because a browser that gets an error never comes back.
fn asked_place(call: &Call) -> Option<EventId> {
    let header = call
        .headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok());
    let place = |text: &str| text.trim().parse().ok().filter(|id| *id >= 0).map(EventId);
    header
        .and_then(place)
        .or_else(|| call.query("after").as_deref().and_then(place))
}
