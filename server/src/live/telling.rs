//! One client's stream of events, however the client is reached.

use std::{
    fmt::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use retake_jobs::{event::Event, id::EventId, seams::StoreError};
use tokio::{sync::mpsc, time::Instant};

use crate::{api::News, app::App, config::ms, live::watchers::Watcher};

pub const ADDRESS: &str = "/api/v1/events";

/// Events read from the log at once, and sent as one chunk.
const EVENTS_PER_READ: usize = 64;

/// For the last word to a client, when we stop.
const GOODBYE: Duration = Duration::from_millis(500);

/// While the log cannot be read.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// One client's stream, before it is known how the client is reached.
pub struct Telling {
    pub app: Arc<App>,
    pub watcher: Watcher,
    pub after: EventId,
    /// The client has missed something that the log does not hold.
    pub reload: bool,
}

/// A client who is told.
pub trait Listener: Send {
    /// Waits until the chunk is taken; an error if the client is gone.
    fn hear(&mut self, chunk: Bytes) -> impl Future<Output = Result<(), Gone>> + Send;
    /// Returns when the client is gone.
    fn gone(&mut self) -> impl Future<Output = ()> + Send;
}

pub struct Gone;

impl Listener for mpsc::Sender<Bytes> {
    async fn hear(&mut self, chunk: Bytes) -> Result<(), Gone> {
        self.send(chunk).await.map_err(|_| Gone)
    }

    async fn gone(&mut self) {
        self.closed().await;
    }
}

/// Where a request leaves its stream that is answered without hyper.
#[derive(Clone, Default)]
pub struct Direct(Arc<Mutex<Option<Telling>>>);

impl Direct {
    pub fn put(&self, telling: Telling) {
        *self.0.lock().expect("no panic while held") = Some(telling);
    }

    /// What the handler left; nothing if it refused.
    pub fn take(&self) -> Option<Telling> {
        self.0.lock().expect("no panic while held").take()
    }
}

/// Why a stream ends.
enum Ended {
    /// The client is gone, or reads too slowly; it may come again with its place.
    ByClient,
    /// The server stops.
    ByUs,
}

impl Telling {
    /// Tells until the client is gone or we stop.
    pub async fn run(mut self, mut listener: impl Listener) {
        // Says where it begins: a client that loses the line before its first event loses nothing.
        let retry_ms = self.app.config.event_retry_ms;
        let mut hello = format!("retry: {retry_ms}\nid: {}\n\n", self.after.0);
        if self.reload {
            hello.push_str("event: reload\ndata: {}\n\n");
        }
        let ended = match self.send(&mut listener, hello).await {
            Ok(()) => self.tell(&mut listener).await,
            Err(ended) => ended,
        };
        if matches!(ended, Ended::ByUs) {
            let bye = listener.hear(Bytes::from_static(b"event: bye\ndata: {}\n\n"));
            let _ = tokio::time::timeout(GOODBYE, bye).await;
        }
    }

    async fn tell(&mut self, listener: &mut impl Listener) -> Ended {
        let keep_alive = ms(self.app.config.keep_alive_ms);
        let mut silent_until = Instant::now() + keep_alive;
        loop {
            let owner = self.watcher.owner();
            let mut again = None;
            match self
                .app
                .parts
                .store
                .events(owner, self.after, EVENTS_PER_READ)
                .await
            {
                Ok(events) => {
                    if let Some(last) = events.last() {
                        self.after = last.id;
                        let chunk = render(self.app.place.base(), &events);
                        if let Err(ended) = self.send(listener, chunk).await {
                            return ended;
                        }
                        self.app.metrics.events_sent(events.len());
                        silent_until = Instant::now() + keep_alive;
                    }
                    if events.len() == EVENTS_PER_READ {
                        continue;
                    }
                }
                Err(error) => {
                    if !matches!(error, StoreError::Busy(_)) {
                        tracing::error!("events cannot be read: {error}");
                    }
                    again = Some(Instant::now() + READ_AGAIN);
                }
            }
            tokio::select! {
                () = self.watcher.woken() => {}
                () = self.app.stopping.cancelled() => return Ended::ByUs,
                () = listener.gone() => return Ended::ByClient,
                () = tokio::time::sleep_until(again.unwrap_or(silent_until)) => {
                    if again.is_none() {
                        if let Err(ended) = self.send(listener, ":\n\n".to_owned()).await {
                            return ended;
                        }
                        silent_until = Instant::now() + keep_alive;
                    }
                }
            }
        }
    }

    async fn send(&self, listener: &mut impl Listener, chunk: String) -> Result<(), Ended> {
        let limit = ms(self.app.config.event_send_ms);
        tokio::select! {
            sent = tokio::time::timeout(limit, listener.hear(chunk.into())) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(Gone)) | Err(_) => Err(Ended::ByClient),
            },
            () = self.app.stopping.cancelled() => Err(Ended::ByUs),
        }
    }
}

fn render(base: &str, events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        // JSON has no line breaks of its own, so `data` is one line.
        let news = serde_json::to_string(&News::new(base, event)).expect("plain data");
        let _ = write!(
            text,
            "id: {}\nevent: {}\ndata: {news}\n\n",
            event.id.0,
            event.kind.name()
        );
    }
    text
}
