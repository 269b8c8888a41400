//! `copying-worker DATA [QUEUE_URL]`: a worker that takes jobs from the same queue and store as the real
//! one, by the same calls in the same order, and gives each its recording's bytes for a correction.
//!
//! For `benches/run express`: what is measured with it is the way of a job and no work on audio.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, stream};
use retake_backends::{
    rabbitmq::{RabbitOptions, RabbitQueue},
    sqlite::{DirectQueue, SqliteBlobs, SqliteEvents, SqliteOptions, SqliteQueue, SqliteStore},
};
use retake_chain::report::{Measurement, Report};
use retake_jobs::{
    announcing::Announcing,
    correction::Correction,
    job::{Job, Outcome},
    lease::{Attempt, LeaseTerms},
    message::JobMessage,
    recording::Recording,
    relay::Relay,
    seams::{
        BlobInfo, BlobKey, Claim, Delivery, JobLeases, Leases, QueueLimits, SharedBlobs,
        SharedEvents, SharedQueue, SharedStore, Store, Tag, Topic,
    },
};
use tokio::{signal::unix, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// As many as the peer's worker has in hand.
const SLOTS: usize = 16;
const TERMS: LeaseTerms = LeaseTerms {
    lease_ms: 10_000,
    attempts_max: 3,
    give_up_ms: 60_000,
};
const PIECE_BYTES: usize = 256 * 1024;
const COPY_BYTES_MAX: u64 = 1 << 30;

struct Parts {
    store: Announcing<dyn Store>,
    blobs: SharedBlobs,
    queue: SharedQueue,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let data: PathBuf = arguments.next().context("DATA is missing")?.into();
    let queue_url = arguments.next();
    let opened = SqliteStore::open_shared(data.join("retake.db"), SqliteOptions::default())?;
    let queue: SharedQueue = match queue_url.map(|url| url.into_string()) {
        None => {
            let embedded = SqliteQueue::new(&opened, QueueLimits::default());
            Arc::new(DirectQueue::embedded(&opened, embedded, SLOTS as u32))
        }
        Some(Err(_)) => bail!("QUEUE_URL is no text"),
        Some(Ok(url)) => {
            let options = RabbitOptions {
                prefetch: SLOTS as u16,
                ..RabbitOptions::default()
            };
            let broker = RabbitQueue::connect(url.parse()?, options);
            Arc::new(DirectQueue::over(&opened, Arc::new(broker), SLOTS as u32))
        }
    };
    let events: SharedEvents = Arc::new(SqliteEvents::new(&opened));
    let relay = Relay::new(opened.clock());
    let (store, told): (SharedStore, _) = (Arc::new(opened.clone()), relay.handle());
    let parts = Arc::new(Parts {
        store: Announcing::new(store.clone(), events.clone(), move || told.kick()),
        blobs: Arc::new(SqliteBlobs::new(&opened)),
        queue: queue.clone(),
    });
    let stop = CancellationToken::new();
    let relaying = tokio::spawn(relay.run(store, queue, events, TERMS, stop.clone()));
    let mut slots = JoinSet::new();
    for _ in 0..SLOTS {
        slots.spawn(Arc::clone(&parts).slot());
    }
    say();
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        Some(ended) = slots.join_next() => ended?,
    };
    slots.shutdown().await;
    stop.cancel();
    relaying.await?;
    opened.close().await;
    ended
}

#[allow(clippy::print_stdout)] // the bench waits for this line
fn say() {
    println!("ready: copying worker");
}

impl Parts {
    async fn slot(self: Arc<Self>) -> Result<()> {
        loop {
            let delivery = self.queue.claim(Topic::Jobs).await?;
            let hint = match &delivery.tag {
                Tag::Waiting => None,
                _ => Some(serde_json::from_slice::<JobMessage>(&delivery.body)?.job_id),
            };
            match self
                .store
                .claim_next(hint, "copying-worker", TERMS, SLOTS as u32)
                .await?
            {
                Claim::Won {
                    attempt, recording, ..
                } => self.attempt(attempt, &recording).await?,
                Claim::Refused(_) | Claim::Gone => {}
            }
            self.done(delivery).await;
        }
    }

    async fn attempt(&self, attempt: Attempt<Job>, recording: &Recording) -> Result<()> {
        let stored = self.copy(attempt, recording).await?;
        let outcome = Outcome::Completed {
            correction: Box::new(correction(attempt, recording, stored)),
            byproducts: Vec::new(),
            warnings: Vec::new(),
        };
        // Whoever lost the lease has nothing to say.
        let _ = self.store.settle(attempt, outcome).await?;
        Ok(())
    }

    async fn copy(&self, attempt: Attempt<Job>, recording: &Recording) -> Result<BlobInfo> {
        let (from, blobs) = (BlobKey::Recording(recording.id), &self.blobs);
        let body = stream::try_unfold(0, |offset| async move {
            if offset >= recording.size_bytes {
                return Ok(None);
            }
            let piece = blobs.read(from, offset, PIECE_BYTES).await;
            let piece = piece.map_err(std::io::Error::other)?;
            let next = offset + piece.len() as u64;
            Ok((!piece.is_empty()).then_some((piece, next)))
        });
        let to = BlobKey::Correction {
            job: attempt.id,
            attempt: attempt.attempt,
        };
        Ok(blobs.put_draft(to, body.boxed(), COPY_BYTES_MAX).await?)
    }

    /// A message that comes again does no harm.
    async fn done(&self, delivery: Delivery) {
        if self.queue.ack(delivery).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// With a report as long as that of a short recording, and about nothing.
fn correction(attempt: Attempt<Job>, recording: &Recording, stored: BlobInfo) -> Correction {
    let measurement = Measurement {
        sample_rate: 48_000,
        channels: 2,
        frames: recording.size_bytes / 4,
        duration_ms: recording.size_bytes / 192,
        integrated_lufs: None,
        loudness_range_lu: None,
        true_peak_dbtp: None,
        sample_peak_dbfs: None,
        channel_mask: None,
        momentary_max_lufs: None,
        short_term_max_lufs: None,
        noise_floor_dbfs: None,
        voice_above_noise_db: None,
        hum_hz: None,
        hum_dbfs: None,
        bandwidth_hz: None,
        loudness_curve: None,
    };
    Correction {
        attempt: attempt.attempt,
        content_type: recording.content_type.clone(),
        size_bytes: stored.size_bytes,
        sha256: stored.sha256,
        report: Report {
            source: "WAV, PCM".to_owned(),
            input: measurement.clone(),
            output: measurement,
            tracks: Vec::new(),
            steps: Vec::new(),
            targets: Vec::new(),
            findings: Vec::new(),
            elapsed_ms: 0,
        },
    }
}
