//! Counters for `/metrics`, in the Prometheus text format 0.0.4. Totals only: nothing here names a
//! person, a recording or a job.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use http::StatusCode;
use retake_jobs::{health::Health, job::Status, seams::SpaceUsed};

#[derive(Debug, Default)]
pub struct Metrics {
    answered: [AtomicU64; 5],
    upload_bytes: AtomicU64,
    events_sent: AtomicU64,
    streams_cut: AtomicU64,
    admin_keys_refused: AtomicU64,
    connections_refused: AtomicU64,
    submissions: AtomicU64,
    webhooks_delivered: AtomicU64,
    webhooks_failed: AtomicU64,
    queued: AtomicU64,
    completed: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
}

/// What is counted elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Gauges<'a> {
    pub streams_open: usize,
    pub uploads_open: usize,
    pub answer_bytes_waiting: usize,
    pub jobs_waiting: u64,
    /// Of the worker in this process.
    pub worker: Option<&'a Health>,
    pub space: Option<SpaceUsed>,
}

impl Metrics {
    pub fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.answered[class].fetch_add(1, Relaxed);
    }

    pub fn uploaded(&self, bytes: u64) {
        self.upload_bytes.fetch_add(bytes, Relaxed);
    }

    pub fn events_sent(&self, count: usize) {
        self.events_sent.fetch_add(count as u64, Relaxed);
    }

    /// A stream of HTTP/2 was reset because its client took nothing.
    pub fn stream_cut(&self) {
        self.streams_cut.fetch_add(1, Relaxed);
    }

    pub fn admin_key_refused(&self) {
        self.admin_keys_refused.fetch_add(1, Relaxed);
    }

    /// A connection found no place.
    pub fn connection_refused(&self) {
        self.connections_refused.fetch_add(1, Relaxed);
    }

    /// A plugin was taken in to be checked.
    pub fn submitted(&self) {
        self.submissions.fetch_add(1, Relaxed);
    }

    /// An attempt to deliver a message ended.
    pub fn webhook_tried(&self, delivered: bool) {
        let counter = match delivered {
            true => &self.webhooks_delivered,
            false => &self.webhooks_failed,
        };
        counter.fetch_add(1, Relaxed);
    }

    /// A job was accepted here, or its end was heard here.
    pub fn job(&self, status: Status) {
        let counter = match status {
            Status::Queued => &self.queued,
            Status::Completed => &self.completed,
            Status::Failed => &self.failed,
            Status::Cancelled => &self.cancelled,
            Status::Running => return,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub fn render(&self, gauges: Gauges<'_>) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, values: &[(&str, u64)]| {
            write_metric(&mut text, name, kind, help, values);
        };
        let answered: Vec<u64> = self
            .answered
            .iter()
            .map(|counter| counter.load(Relaxed))
            .collect();
        metric(
            "retake_http_requests_total",
            "counter",
            "Requests answered, by class of status.",
            &[
                ("{class=\"1xx\"}", answered[0]),
                ("{class=\"2xx\"}", answered[1]),
                ("{class=\"3xx\"}", answered[2]),
                ("{class=\"4xx\"}", answered[3]),
                ("{class=\"5xx\"}", answered[4]),
            ],
        );
        metric(
            "retake_jobs_total",
            "counter",
            "Jobs accepted by this server, and ends of jobs it heard of.",
            &[
                ("{status=\"queued\"}", self.queued.load(Relaxed)),
                ("{status=\"completed\"}", self.completed.load(Relaxed)),
                ("{status=\"failed\"}", self.failed.load(Relaxed)),
                ("{status=\"cancelled\"}", self.cancelled.load(Relaxed)),
            ],
        );
        let one = |value| [("", value)];
        metric(
            "retake_upload_bytes_total",
            "counter",
            "Bytes of recordings accepted.",
            &one(self.upload_bytes.load(Relaxed)),
        );
        metric(
            "retake_plugin_submissions_total",
            "counter",
            "Plugins taken in to be checked and published.",
            &one(self.submissions.load(Relaxed)),
        );
        metric(
            "retake_webhook_attempts_total",
            "counter",
            "Attempts to deliver a message to a webhook or a callback.",
            &[
                (
                    "{outcome=\"delivered\"}",
                    self.webhooks_delivered.load(Relaxed),
                ),
                ("{outcome=\"failed\"}", self.webhooks_failed.load(Relaxed)),
            ],
        );
        metric(
            "retake_events_sent_total",
            "counter",
            "Events written to event streams.",
            &one(self.events_sent.load(Relaxed)),
        );
        metric(
            "retake_http2_streams_cut_total",
            "counter",
            "Streams of HTTP/2 reset because their clients took no bytes.",
            &one(self.streams_cut.load(Relaxed)),
        );
        metric(
            "retake_connections_refused_total",
            "counter",
            "Connections that found no place and were closed.",
            &one(self.connections_refused.load(Relaxed)),
        );
        metric(
            "retake_admin_keys_refused_total",
            "counter",
            "Wrong admin keys.",
            &one(self.admin_keys_refused.load(Relaxed)),
        );
        metric(
            "retake_answer_bytes_waiting",
            "gauge",
            "Room taken by bytes of answers that wait for their clients.",
            &one(gauges.answer_bytes_waiting as u64),
        );
        metric(
            "retake_event_streams",
            "gauge",
            "Open event streams.",
            &one(gauges.streams_open as u64),
        );
        metric(
            "retake_uploads",
            "gauge",
            "Uploads being read.",
            &one(gauges.uploads_open as u64),
        );
        metric(
            "retake_jobs_waiting",
            "gauge",
            "Jobs waiting to be taken when last asked, each counted once.",
            &one(gauges.jobs_waiting),
        );
        if let Some(space) = gauges.space {
            metric(
                "retake_store_bytes",
                "gauge",
                "What the store takes of the disk: its file, what of that is free and on its way back \
                 to the disk, its log, and what is kept so that a full disk can be cleared.",
                &[
                    ("{part=\"file\"}", space.file_bytes),
                    ("{part=\"free\"}", space.free_bytes),
                    ("{part=\"log\"}", space.log_bytes),
                    ("{part=\"reserve\"}", space.reserve_bytes),
                ],
            );
        }
        if let Some(worker) = gauges.worker {
            text += &of_worker(worker);
        }
        text
    }
}

/// The worker in this process.
pub fn of_worker(health: &Health) -> String {
    let mut text = String::new();
    write_metric(
        &mut text,
        "retake_worker_well",
        "gauge",
        "1 while the worker in this process takes jobs, 0 while something that it needs is missing.",
        &[("", u64::from(health.ailment().is_none()))],
    );
    write_metric(
        &mut text,
        "retake_worker_spared_jobs_total",
        "counter",
        "Jobs that the worker in this process gave back through no fault of theirs.",
        &[("", health.spared_total())],
    );
    text
}

fn write_metric(text: &mut String, name: &str, kind: &str, help: &str, values: &[(&str, u64)]) {
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    for (labels, value) in values {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_what_is_rendered() {
        let metrics = Metrics::default();
        metrics.answered(StatusCode::ACCEPTED);
        metrics.answered(StatusCode::NOT_FOUND);
        metrics.answered(StatusCode::GONE);
        metrics.uploaded(77);
        metrics.submitted();
        metrics.job(Status::Failed);
        let text = metrics.render(Gauges {
            streams_open: 3,
            uploads_open: 0,
            answer_bytes_waiting: 5,
            jobs_waiting: 9,
            worker: Some(&Health::default()),
            space: Some(SpaceUsed {
                free_bytes: 4_096,
                ..SpaceUsed::default()
            }),
        });
        for line in [
            "retake_http_requests_total{class=\"2xx\"} 1",
            "retake_http_requests_total{class=\"4xx\"} 2",
            "retake_upload_bytes_total 77",
            "retake_plugin_submissions_total 1",
            "retake_jobs_total{status=\"failed\"} 1",
            "retake_answer_bytes_waiting 5",
            "retake_event_streams 3",
            "retake_jobs_waiting 9",
            "retake_worker_well 1",
            "retake_worker_spared_jobs_total 0",
            "retake_store_bytes{part=\"free\"} 4096",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in {text}");
        }
    }
}
