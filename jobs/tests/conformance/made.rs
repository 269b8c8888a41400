//! Recordings, jobs and corrections for the claims to handle.

use jiff::Timestamp;
use retake_chain::{
    Chain, OnFailure, Step, StepKind,
    format::Format,
    problem::{Problem, ProblemKind},
    report::{Measurement, Peaks, Report},
};
use retake_jobs::{
    id::{OwnerId, RecordingId},
    job::{Job, LeaseTerms, Outcome},
    recording::Recording,
    store::Correction,
};
use retake_plugin_manifest::{ChannelUse, Manifest, Passes};

pub const TERMS: LeaseTerms = LeaseTerms {
    lease_ms: 10_000,
    attempts_max: 3,
};

pub fn recording(owner: OwnerId, now: Timestamp) -> Recording {
    Recording {
        id: RecordingId::new(),
        owner,
        user_email: "ann@example.org".parse().unwrap(),
        file_name: Some("take 1.wav".to_owned()),
        content_type: "audio/wav".to_owned(),
        size_bytes: 5,
        sha256: "ab".repeat(32),
        created_at: now,
    }
}

pub fn job(recording: &Recording, now: Timestamp) -> Job {
    let kind = StepKind::External {
        external: "default".to_owned(),
    };
    let chain = Chain {
        steps: vec![Step {
            kind,
            mix: 0.5,
            on_failure: OnFailure::Skip,
            delta: false,
            follow: false,
        }],
    };
    let mut job = Job::queued(recording.id, recording.owner, chain, Format::Opus, now);
    job.preset = Some("speech".to_owned());
    job.request_id = Some("r-1".to_owned());
    job
}

pub fn correction(attempt: u32) -> Correction {
    let measurement = Measurement {
        sample_rate: 48_000,
        channels: 2,
        frames: 96_000,
        duration_ms: 2_000,
        integrated_lufs: Some(-16.1),
        loudness_range_lu: None,
        true_peak_dbtp: Some(-1.5),
        sample_peak_dbfs: Some(-1.75),
    };
    Correction {
        attempt,
        content_type: "audio/flac".to_owned(),
        size_bytes: 7,
        sha256: "cd".repeat(32),
        report: Report {
            source: "WAV, PCM".to_owned(),
            input: measurement.clone(),
            output: measurement,
            steps: Vec::new(),
            elapsed_ms: 12,
        },
        peaks: Peaks {
            frames_per_point: 480,
            min: vec![-0.5, -0.25],
            max: vec![0.5, 0.25],
        },
        input_peaks: Peaks {
            frames_per_point: 480,
            min: vec![-1.0],
            max: vec![1.0],
        },
    }
}

pub fn manifest(id: &str, version: &str) -> Manifest {
    Manifest {
        id: id.to_owned(),
        name: "Gain".to_owned(),
        version: version.to_owned(),
        vendor: String::new(),
        summary: String::new(),
        license: String::new(),
        params: Vec::new(),
        passes: Passes {
            analyze: false,
            process: true,
        },
        channels: ChannelUse::Linked,
        max_channels: 0,
        sample_rates: Vec::new(),
        block_quantum: 1,
        extras: Vec::new(),
    }
}

pub fn completed() -> Outcome {
    Outcome::Completed {
        warnings: vec!["the step was skipped".to_owned()],
    }
}

pub fn problem() -> Problem {
    Problem::new(ProblemKind::Unavailable, "the worker is shutting down")
}
