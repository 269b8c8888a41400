//! The front door: recordings and orders in, corrections and news out, over HTTP.
//!
//! Never decodes audio and never runs a plugin. Knows the store, the blobs, the queue and the events
//! only by their traits; whoever wires the program chooses what stands behind them.
//!
//! A request's way: `listen` (places) → `connection`, `http2` (protocols, deadlines) → `front`
//! (request id, problems, headers; with `target`, `place` and `proxies`: what is asked for, where,
//! and by whom) → `routes` (one list of addresses) → a handler, which asks `auth` whose request it is.

mod address_rate;
mod admin_tries;
mod app;
mod auth;
mod body;
mod budget;
mod completions;
mod conditions;
mod config;
mod connection;
mod cookie;
mod direct;
mod download;
mod ebb;
mod front;
mod http2;
mod idle;
mod listen;
mod metrics;
mod multipart;
mod origin;
mod parameters;
mod place;
mod proxies;
mod range;
mod respond;
mod routes;
mod stream_places;
mod target;
#[cfg(test)]
mod tests;
mod upload_places;
mod views;
mod watchers;
mod web_app;
mod wire;
mod worker_health;

pub use config::{Config, WebApp};
pub use worker_health::serve_worker_health;

use std::{io, sync::Arc, time::Duration};

use retake_jobs::{
    clock::Clock,
    health::Health,
    seams::{ServerStore, SharedBlobs, SharedEvents, SharedQueue},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{app::App, config::ms, front::Front, place::Place, web_app::WebAssets};

/// For uploads that were cut off to take their bytes away.
const CLEAN_UP: Duration = Duration::from_secs(2);

/// What the server stands on.
pub struct Parts {
    /// One that tells what was written.
    pub store: Arc<dyn ServerStore>,
    pub blobs: SharedBlobs,
    pub queue: SharedQueue,
    pub events: SharedEvents,
    pub clock: Arc<dyn Clock>,
    /// Of the worker in this process, if there is one.
    pub worker: Option<Health>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Nothing was served: the configuration has to change. Every problem, as sentences.
    #[error("the server's configuration cannot work: {}", .0.join("; "))]
    Config(Vec<String>),
    #[error("the web app cannot be read: {0}")]
    WebApp(#[source] io::Error),
}

/// A server that has everything it needs, and serves nobody yet.
pub struct Opened {
    parts: Parts,
    config: Config,
    web: WebAssets,
}

/// Makes sure of everything that a server needs: whoever says that it is ready may rely on it.
pub fn open(parts: Parts, config: Config) -> Result<Opened, ServeError> {
    let problems = config.problems();
    if !problems.is_empty() {
        return Err(ServeError::Config(problems));
    }
    let place = Place::parse(&config.public_url).unwrap_or_default();
    let web = WebAssets::load(&config.web, place.base()).map_err(ServeError::WebApp)?;
    Ok(Opened { parts, config, web })
}

impl Opened {
    /// Serves until told to stop, then until open requests have ended or `drain_ms` is over. Leaves
    /// nothing running. The listener is the caller's, so a test knows the port.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        tracing::info!(
            address = listener.local_addr().ok().map(tracing::field::display),
            web_files = self.web.len(),
            "listening"
        );
        let app = App::new(self.parts, self.config, self.web, shutdown.clone());
        let app = Arc::new(app);

        let front = Front::new(app.clone());
        tokio::select! {
            () = listen::listen(listener, front, shutdown) => {}
            () = background(&app) => unreachable!("watching ends only with the process"),
        }
        // Whoever was cut off mid-upload is cleaning up.
        app.unbroken.close();
        if tokio::time::timeout(CLEAN_UP, app.unbroken.wait())
            .await
            .is_err()
        {
            tracing::warn!("some uploads were not cleaned up in time; the sweeper finds them");
        }
    }
}

/// What goes on beside requests; ends only with the process.
async fn background(app: &App) {
    tokio::join!(
        app.watchers.hear(
            app.parts.events.as_ref(),
            app.parts.store.as_ref(),
            ms(app.config.event_poll_ms),
        ),
        app.watch_queue_depth(),
        completions::consume(app),
    );
}
