//! Sends what the outbox holds, and sweeps up what went missing. Every process that writes to the
//! store runs one; several of them do no harm, because a message sent twice is harmless.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    clock::{Clock, SystemClock},
    lease::LeaseTerms,
    seams::{
        BlobKey, OutboxRow, QueueError, RelayStore, SharedBlobs, SharedEvents, SharedQueue,
        StoreError, Topic,
    },
};

/// How often to look for what nobody was told of: messages whose writer died before sending them.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Younger ones are their writer's to send, so that several processes rarely send the same.
const LEFT_TO_THEIR_WRITER: SignedDuration = SignedDuration::from_secs(3);
const SWEEP_EVERY: Duration = Duration::from_secs(2);
/// A message that was due so long ago and whose job still waits is in the queue, or was lost.
const ARRIVED_AFTER: SignedDuration = SignedDuration::from_secs(2);
const ROWS_MAX: usize = 256;
/// Publishes under way at once: waiting for the confirms one by one would take a round trip each.
const PUBLISHES_MAX: usize = 32;
const LAST_SEND: Duration = Duration::from_secs(1);

pub struct Relay {
    clock: Arc<dyn Clock>,
    kicked: Arc<Notify>,
    events_lifetime: Option<SignedDuration>,
    answered_lifetime: Option<SignedDuration>,
    derivatives: Option<(SharedBlobs, u64)>,
    trash: Option<SharedBlobs>,
}

/// Tells this process's relay that something was written.
#[derive(Clone)]
pub struct RelayHandle(Arc<Notify>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl RelayHandle {
    /// After a write that may have left a message; [`crate::announcing`] does it. Never waits.
    pub fn kick(&self) {
        self.0.notify_one();
    }
}

impl Default for Relay {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl Relay {
    /// The clock is the store's.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            kicked: Arc::default(),
            events_lifetime: None,
            answered_lifetime: None,
            derivatives: None,
            trash: None,
        }
    }

    /// Sweeps events away that are older.
    #[must_use]
    pub fn keeping_events_for(mut self, lifetime: SignedDuration) -> Self {
        self.events_lifetime = Some(lifetime);
        self
    }

    /// Forgets after so long what requests with an idempotency key were answered.
    #[must_use]
    pub fn keeping_answered_for(mut self, lifetime: SignedDuration) -> Self {
        self.answered_lifetime = Some(lifetime);
        self
    }

    /// Keeps what is made of jobs on demand within so many bytes.
    #[must_use]
    pub fn keeping_derivatives_within(mut self, bytes_max: u64, blobs: SharedBlobs) -> Self {
        self.derivatives = Some((blobs, bytes_max));
        self
    }

    /// Removes what was deleted and can no longer be restored.
    #[must_use]
    pub fn emptying_trash(mut self, blobs: SharedBlobs) -> Self {
        self.trash = Some(blobs);
        self
    }

    pub fn handle(&self) -> RelayHandle {
        RelayHandle(Arc::clone(&self.kicked))
    }

    /// Runs until `shutdown`, and then sends what is left, if that does not take long.
    pub async fn run(
        self,
        store: Arc<dyn RelayStore>,
        queue: SharedQueue,
        events: SharedEvents,
        terms: LeaseTerms,
        shutdown: CancellationToken,
    ) {
        let store = store.as_ref();
        let sending = async {
            self.keep_sending(store, &queue, &events, &shutdown).await;
            let rest = self.send(store, &queue, &events, Timestamp::MAX);
            // What cannot be sent now, another process or the next start sends.
            let _ = tokio::time::timeout(LAST_SEND, rest).await;
        };
        let sweeping = self.keep_sweeping(store, &queue, terms, &shutdown);
        tokio::join!(sending, sweeping);
    }

    /// Sends every message that is due and was written before `written_before`. A message counts as
    /// sent only when the queue has said so. Returns how many were sent.
    pub async fn send(
        &self,
        store: &dyn RelayStore,
        queue: &SharedQueue,
        events: &SharedEvents,
        written_before: Timestamp,
    ) -> Result<usize, RelayError> {
        let mut count = 0;
        loop {
            let rows = store.unsent(written_before, ROWS_MAX).await?;
            let more = rows.len() == ROWS_MAX;
            let (sent, failure) = publish_all(queue, rows).await;
            let ids: Vec<_> = sent.iter().map(|row| row.id).collect();
            if !ids.is_empty() {
                store.sent(&ids).await?;
            }
            count += sent.len();
            for row in sent.iter().filter(|row| row.topic == Topic::Completions) {
                events.announce(row.owner).await;
            }
            if let Some(error) = failure {
                return Err(error.into());
            }
            if !more {
                return Ok(count);
            }
        }
    }

    async fn keep_sending(
        &self,
        store: &dyn RelayStore,
        queue: &SharedQueue,
        events: &SharedEvents,
        shutdown: &CancellationToken,
    ) {
        let mut outage = Outage::new("messages wait in the outbox");
        loop {
            let kicked = tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.kicked.notified() => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
            };
            let before = if kicked {
                Timestamp::MAX
            } else {
                self.clock.now() - LEFT_TO_THEIR_WRITER
            };
            match self.send(store, queue, events, before).await {
                Ok(_) => outage.ended(),
                Err(error) => {
                    let pause = outage.failed(&error);
                    tokio::select! {
                        () = shutdown.cancelled() => return,
                        () = tokio::time::sleep(pause) => self.kicked.notify_one(),
                    }
                }
            }
        }
    }

    /// Finds what went missing: jobs whose worker is gone, and messages that the queue has lost.
    /// Returns how many jobs it moved.
    pub async fn sweep(
        &self,
        store: &dyn RelayStore,
        queue: &SharedQueue,
        terms: LeaseTerms,
    ) -> Result<usize, StoreError> {
        let moved = store.sweep(terms).await?;
        let lost = self.send_lost_again(store, queue).await?;
        if let Some(lifetime) = self.events_lifetime {
            let forgotten = store.forget_events(lifetime).await?;
            if forgotten > 0 {
                tracing::info!(events = forgotten, "old events were forgotten");
            }
        }
        if let Some(lifetime) = self.answered_lifetime {
            store.forget_answered(lifetime).await?;
        }
        if let Some((blobs, bytes_max)) = &self.derivatives {
            let forgotten = store.forget_derivatives(*bytes_max).await?;
            if !forgotten.is_empty() {
                tracing::info!(
                    blobs = forgotten.len(),
                    "old derivatives made room for new ones"
                );
            }
            delete_all(blobs, forgotten).await;
        }
        if let Some(blobs) = &self.trash {
            delete_all(blobs, store.empty_trash().await?).await;
        }
        Ok(moved + lost)
    }

    /// A queue that holds fewer messages than jobs wait for has lost some, to a purge for example.
    /// One message too many is harmless; it is acknowledged by whoever finds its job taken.
    async fn send_lost_again(
        &self,
        store: &dyn RelayStore,
        queue: &SharedQueue,
    ) -> Result<usize, StoreError> {
        // First the queue: a job that is claimed between the two is then missed by neither.
        let Ok(there) = queue.waiting(Topic::Jobs).await else {
            // Nothing can be said of it, and nothing sent to it. Whoever sends says so.
            return Ok(0);
        };
        let due_before = self.clock.now() - ARRIVED_AFTER;
        let lost = store
            .sent_and_waiting(due_before)
            .await?
            .saturating_sub(there);
        if lost == 0 {
            return Ok(0);
        }
        store.send_again(lost, due_before).await
    }

    async fn keep_sweeping(
        &self,
        store: &dyn RelayStore,
        queue: &SharedQueue,
        terms: LeaseTerms,
        shutdown: &CancellationToken,
    ) {
        let mut outage = Outage::new("nobody looks for jobs that went missing");
        loop {
            let pause = match self.sweep(store, queue, terms).await {
                Ok(moved) => {
                    outage.ended();
                    if moved > 0 {
                        tracing::warn!(jobs = moved, "jobs went missing and were queued or ended");
                        self.kicked.notify_one();
                    }
                    SWEEP_EVERY
                }
                Err(error) => SWEEP_EVERY + outage.failed(&error.into()),
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// Bytes whose rows are gone: nobody can reach them any more.
async fn delete_all(blobs: &SharedBlobs, keys: Vec<BlobKey>) {
    for key in keys {
        if let Err(error) = blobs.delete(key).await {
            tracing::error!("bytes that nobody has any more remain, {key}: {error}");
        }
    }
}

/// The rows that were sent, and what stopped the others.
async fn publish_all(
    queue: &SharedQueue,
    rows: Vec<OutboxRow>,
) -> (Vec<OutboxRow>, Option<QueueError>) {
    let publish = |row: OutboxRow| async {
        let result = queue.publish(row.topic, &row.body).await;
        (row, result)
    };
    let mut publishing = stream::iter(rows)
        .map(publish)
        .buffer_unordered(PUBLISHES_MAX);
    let (mut sent, mut failure) = (Vec::new(), None);
    while let Some((row, result)) = publishing.next().await {
        match result {
            Ok(()) => sent.push(row),
            // The other topic's messages may still fit.
            Err(QueueError::Full) => failure = Some(QueueError::Full),
            Err(error) => {
                failure = Some(error);
                // What is under way may have been stored; it is sent again.
                break;
            }
        }
    }
    (sent, failure)
}

/// Says once that something fails and once that it works again, and how long to wait in between.
struct Outage {
    consequence: &'static str,
    backoff: Backoff,
}

impl Outage {
    fn new(consequence: &'static str) -> Self {
        Self {
            consequence,
            backoff: Backoff::outage(),
        }
    }

    fn failed(&mut self, error: &RelayError) -> Duration {
        if self.backoff.failures() == 0 {
            tracing::warn!(%error, "{} until this is over", self.consequence);
        }
        self.backoff.next()
    }

    fn ended(&mut self) {
        let failures = self.backoff.failures();
        if failures > 0 {
            tracing::info!(failures, "over: {}", self.consequence);
            self.backoff.reset();
        }
    }
}
