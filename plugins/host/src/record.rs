//! What is remembered of a stage's run, readable while it runs and after it failed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::{bindings as wit, cpu::Running, limits::LOG_BYTES_MAX};

/// One line a plugin wrote to the host's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// "debug", "info", "warn" or "error".
    pub level: &'static str,
    pub message: String,
}

/// Hears lines as they are kept.
type Listener = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// The log of one session: the first 64 KiB.
#[derive(Default)]
pub struct Log {
    listener: Option<Listener>,
    lines: Vec<LogLine>,
    bytes: usize,
    dropped: usize,
    /// The last panic, kept even where the log is full.
    panic: Option<String>,
}

impl Log {
    pub fn push(&mut self, line: LogLine) {
        if line.level == "error" && line.message.contains("panicked at") {
            let mut panic = line.message.clone();
            truncate(&mut panic, 4096);
            self.panic = Some(panic);
        }
        self.bytes += line.message.len();
        if self.bytes <= LOG_BYTES_MAX {
            if let Some(listener) = &self.listener {
                listener(&line);
            }
            self.lines.push(line);
        } else {
            self.dropped += 1;
        }
    }

    pub fn panic(&self) -> Option<&str> {
        self.panic.as_deref()
    }
}

/// A run of frames that is in a stage's input and not in its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// Frames of the input, at the stream's rate.
    pub start: u64,
    pub frames: u64,
}

/// Handle to what a stage did. Clones are the same record.
#[derive(Clone, Default)]
pub struct StageRecord(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    latency_frames: u32,
    cpu: Duration,
    running: Vec<Running>,
    listener: Option<Listener>,
    logs: Vec<Arc<Mutex<Log>>>,
    measurements: Vec<serde_json::Value>,
    curves: Vec<serde_json::Value>,
    cuts: Vec<Cut>,
    has_reported: bool,
}

impl StageRecord {
    /// The latency the plugin stated, at the rate it worked at. The stage's output has none of it.
    pub fn latency_frames(&self) -> u32 {
        self.inner().latency_frames
    }

    /// CPU time of all threads that ran the plugin, resampling for it included.
    pub fn cpu(&self) -> Duration {
        self.inner().cpu
    }

    /// The same up to now, with calls that have not come back. What it took to open the plugin is in
    /// it only while it is being opened.
    pub fn cpu_so_far(&self) -> Duration {
        let inner = self.inner();
        let running = inner.running.iter().map(Running::spent);
        inner.cpu + running.sum::<Duration>()
    }

    /// What the plugin measured: `{"measurements": [...], "curves": [...]}`, fields as in the
    /// contract, frames at the stream's rate. Numbers that are not finite are left out. Both lists are empty before the end.
    pub fn report(&self) -> serde_json::Value {
        let inner = self.inner();
        serde_json::json!({ "measurements": inner.measurements, "curves": inner.curves })
    }

    /// Whether the report is there, empty or not.
    pub fn has_reported(&self) -> bool {
        self.inner().has_reported
    }

    /// What a plugin that may shorten cut out: in order, and together as long as what is missing.
    pub fn cuts(&self) -> Vec<Cut> {
        self.inner().cuts.clone()
    }

    /// What the plugin logged: 64 KiB per session, session by session.
    pub fn log(&self) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for log in &self.inner().logs {
            let log = log.lock().unwrap_or_else(PoisonError::into_inner);
            lines.extend(log.lines.iter().cloned());
            if log.dropped > 0 {
                let message = format!("{} more lines were dropped", log.dropped);
                lines.push(LogLine {
                    level: "warn",
                    message,
                });
            }
        }
        lines
    }

    /// `hear` is called with every line that is kept, on the plugin's thread and before its call
    /// returns: what a plugin says is heard also when it never comes back. Set it before the stage
    /// is opened.
    pub fn on_log(&self, hear: impl Fn(&LogLine) + Send + Sync + 'static) {
        self.inner().listener = Some(Arc::new(hear));
    }

    /// The log of one more session.
    pub(crate) fn new_log(&self) -> Arc<Mutex<Log>> {
        let mut inner = self.inner();
        let log = Log {
            listener: inner.listener.clone(),
            ..Log::default()
        };
        let log = Arc::new(Mutex::new(log));
        inner.logs.push(Arc::clone(&log));
        log
    }

    pub(crate) fn set_latency(&self, frames: u32) {
        self.inner().latency_frames = frames;
    }

    pub(crate) fn set_cuts(&self, cuts: Vec<Cut>) {
        self.inner().cuts = cuts;
    }

    pub(crate) fn call_begins(&self, running: Running) {
        self.inner().running.push(running);
    }

    /// `cpu` is added to what is told of the stage.
    pub(crate) fn call_ends(&self, running: Running, cpu: Duration) {
        let mut inner = self.inner();
        inner.running.retain(|other| *other != running);
        inner.cpu += cpu;
    }

    /// Frames are those of the stream. `channel` is set where a session saw only one of several.
    pub(crate) fn add_report(&self, report: wit::Report, channel: Option<u32>) {
        let mut inner = self.inner();
        inner.has_reported = true;
        for m in report.measurements {
            let value = match m.value {
                wit::Value::Float(value) if !value.is_finite() => continue,
                wit::Value::Float(value) => serde_json::json!(value),
                wit::Value::Int(value) => serde_json::json!(value),
                wit::Value::Toggle(value) => serde_json::json!(value),
                wit::Value::Text(value) => serde_json::json!(value),
            };
            let mut json = serde_json::json!({
                "id": m.id, "label": m.label, "unit": m.unit, "value": value,
            });
            if let Some(channel) = channel.or(m.channel) {
                json["channel"] = channel.into();
            }
            if let Some(span) = m.span {
                json["span"] = serde_json::json!({ "start": span.start, "frames": span.frames });
            }
            inner.measurements.push(json);
        }
        for c in report.curves {
            if !c.frames_per_point.is_finite() || c.points.iter().any(|p| !p.is_finite()) {
                continue;
            }
            let mut json = serde_json::json!({
                "id": c.id, "label": c.label, "unit": c.unit,
                "frames_per_point": c.frames_per_point, "points": c.points,
            });
            if let Some(channel) = channel.or(c.channel) {
                json["channel"] = channel.into();
            }
            inner.curves.push(json);
        }
    }

    /// A panic elsewhere leaves the record as it was, which is still worth reading.
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts at a character's boundary.
fn truncate(text: &mut String, bytes_max: usize) {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}
