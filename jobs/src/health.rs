//! Whether a worker is well, for whoever asks: its own slots, and the server in the same process.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use jiff::Timestamp;
use tokio::sync::watch;

/// One worker's. It is well until it says otherwise.
#[derive(Debug, Clone)]
pub struct Health(Arc<State>);

#[derive(Debug)]
struct State {
    ailment: watch::Sender<Option<Ailment>>,
    spared: AtomicU64,
}

/// What keeps a worker from working: nothing that is a job's fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ailment {
    pub kind: AilmentKind,
    /// For the log; it may name files.
    pub detail: String,
    pub since: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AilmentKind {
    /// Its scratch folder cannot be written to, or is full.
    Scratch,
    /// Its own program cannot be started.
    Program,
    /// The machine is short of memory.
    Memory,
}

impl AilmentKind {
    pub fn name(self) -> &'static str {
        match self {
            AilmentKind::Scratch => "scratch",
            AilmentKind::Program => "program",
            AilmentKind::Memory => "memory",
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(State {
            ailment: watch::Sender::new(None),
            spared: AtomicU64::new(0),
        }))
    }
}

impl Health {
    pub fn ailment(&self) -> Option<Ailment> {
        self.0.ailment.borrow().clone()
    }

    /// `None`: it is well again.
    pub fn set(&self, ailment: Option<Ailment>) {
        self.0.ailment.send_replace(ailment);
    }

    /// Returns once it is well.
    pub async fn well(&self) {
        self.until(|ailment| ailment.is_none()).await;
    }

    /// Returns once it is not.
    pub async fn unwell(&self) {
        self.until(|ailment| ailment.is_some()).await;
    }

    async fn until(&self, is: impl Fn(&Option<Ailment>) -> bool) {
        // The sender is ours, so the wait ends with what was waited for.
        let _ = self.0.ailment.subscribe().wait_for(is).await;
    }

    /// A job was given back through no fault of its own.
    pub fn spared(&self) {
        self.0.spared.fetch_add(1, Relaxed);
    }

    pub fn spared_total(&self) -> u64 {
        self.0.spared.load(Relaxed)
    }
}
