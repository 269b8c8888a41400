//! The front door: recordings and orders in, corrections and news out, over HTTP.
//!
//! Never decodes audio and never runs a plugin. Knows the store, the blobs, the queue and the events
//! only by their traits; whoever wires the program chooses what stands behind them.
//!
//! A request's way: `connections` (places, protocols, deadlines) → `front` (request id, problems,
//! headers; with `http`: what is asked for, where, and by whom) → `routes` (one list of addresses) →
//! a handler, which is given the [`app::App`] and a [`call::Call`] and asks `session` whose it is.

mod api;
mod app;
mod call;
mod config;
mod connections;
mod front;
mod http;
mod limits;
mod live;
mod metrics;
mod page;
mod partials;
mod parts;
mod routes;
mod session;
#[cfg(test)]
mod tests;
mod webhooks;

pub use config::{Config, ExternalService, WebApp};
pub use connections::worker_health::serve_worker_health;
pub use parts::Parts;

use std::{io, sync::Arc, time::Duration};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{app::App, config::ms, front::Front, http::place::Place, page::assets::WebAssets};

/// For uploads that were cut off to take their bytes away.
const CLEAN_UP: Duration = Duration::from_secs(2);

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
            () = connections::listen::listen(listener, front, shutdown) => {}
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
async fn background(app: &Arc<App>) {
    tokio::join!(
        app.watchers.hear(
            app.parts.events.as_ref(),
            app.parts.store.as_ref(),
            ms(app.config.event_poll_ms),
        ),
        app.watch_queue_depth(),
        app.sweep_partials(),
        live::completions::consume(app),
        webhooks::deliver(app),
    );
}
