//! Signs of life of one try: what was sent and received, and when last. Both directions write it,
//! and [`Pulse::silence`] watches it.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use super::Config;

/// How often the pulse is felt; also how often progress is told.
const INTERVAL: Duration = Duration::from_millis(100);

pub(super) struct Pulse {
    started: Instant,
    /// Bytes to send, and, as answers are as long, to receive.
    pub size_bytes: u64,
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
    all_sent: AtomicBool,
    /// Milliseconds from `started` to the last byte in either direction.
    last_ms: AtomicU64,
}

impl Pulse {
    pub fn new(size_bytes: u64) -> Self {
        Self {
            started: Instant::now(),
            size_bytes,
            sent_bytes: AtomicU64::new(0),
            received_bytes: AtomicU64::new(0),
            all_sent: AtomicBool::new(false),
            last_ms: AtomicU64::new(0),
        }
    }

    pub fn sent(&self, bytes: usize) {
        let before = self.sent_bytes.fetch_add(bytes as u64, Relaxed);
        if before + bytes as u64 >= self.size_bytes {
            self.all_sent.store(true, Relaxed);
        }
        self.beat();
    }

    /// For a transport that does not send the file's own header, and so fewer bytes.
    pub fn all_sent(&self) {
        self.all_sent.store(true, Relaxed);
        self.beat();
    }

    pub fn received(&self, bytes: usize) {
        self.received_bytes.fetch_add(bytes as u64, Relaxed);
        self.beat();
    }

    fn beat(&self) {
        self.last_ms
            .store(self.started.elapsed().as_millis() as u64, Relaxed);
    }

    /// Returns, saying so, once nothing has moved for too long. Tells progress meanwhile: half of it
    /// is sending, half receiving.
    pub async fn silence(&self, config: &Config, progress: &(dyn Fn(f32) + Send + Sync)) -> String {
        loop {
            let sent = self.sent_bytes.load(Relaxed);
            let received = self.received_bytes.load(Relaxed);
            let both = (sent + received) as f64 / (2 * self.size_bytes).max(1) as f64;
            progress(both.min(1.0) as f32);

            let last = Duration::from_millis(self.last_ms.load(Relaxed));
            let silent = self.started.elapsed().saturating_sub(last);
            let thinking = self.all_sent.load(Relaxed) && received == 0;
            let patience = if thinking {
                config.answer()
            } else {
                config.idle()
            };
            if silent > patience {
                let patience_ms = patience.as_millis();
                return if thinking {
                    format!("it had everything and did not answer within {patience_ms} ms")
                } else {
                    format!("nothing moved for {patience_ms} ms")
                };
            }
            tokio::time::sleep(INTERVAL.min(patience - silent + Duration::from_millis(1))).await;
        }
    }
}
