//! Recordings, jobs and corrections for the claims to handle.

use jiff::Timestamp;
use retake_chain::{
    Chain, OnFailure, Step, StepKind,
    format::Format,
    problem::{Problem, ProblemKind},
    report::{LoudnessCurve, Measurement, Report, Target, TargetKind},
};
use retake_findings::{Code, Finding};
use retake_jobs::{
    correction::Correction,
    id::{OwnerId, RecordingId},
    job::{Job, Outcome},
    lease::LeaseTerms,
    recording::Recording,
    trace::TraceContext,
};
use retake_plugin_manifest::{ChannelUse, Manifest, Passes};

pub const TERMS: LeaseTerms = LeaseTerms {
    lease_ms: 10_000,
    attempts_max: 3,
    give_up_ms: 60_000,
};

pub fn recording(owner: OwnerId, now: Timestamp) -> Recording {
    Recording {
        id: RecordingId::new(now),
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
            spare: Default::default(),
        }],
    };
    let mut job = Job::queued(recording.id, recording.owner, chain, Format::Opus, now);
    job.preset = Some("speech".to_owned());
    job.track = Some(2);
    job.request_id = Some("r-1".to_owned());
    job.traceparent = Some(TraceContext::begin());
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
        channel_mask: Some(3),
        momentary_max_lufs: Some(-12.5),
        short_term_max_lufs: Some(-14.0),
        noise_floor_dbfs: Some(-62.0),
        voice_above_noise_db: Some(40.5),
        hum_hz: Some(50),
        hum_dbfs: Some(-58.0),
        bandwidth_hz: None,
        loudness_curve: Some(LoudnessCurve {
            interval_ms: 100,
            lowest_lufs: -60.0,
            step_lu: 0.25,
            values: "AAEC".to_owned(),
        }),
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
            tracks: Vec::new(),
            steps: Vec::new(),
            targets: vec![Target {
                what: TargetKind::Loudness,
                unit: "LUFS".to_owned(),
                target: -16.0,
                reached: Some(-18.0),
                met: false,
                why_not: Some("max-gain: it would have needed more gain".to_owned()),
            }],
            findings: vec![finding()],
            elapsed_ms: 12,
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

pub fn completed(attempt: u32) -> Outcome {
    Outcome::Completed {
        correction: Box::new(correction(attempt)),
        byproducts: Vec::new(),
        warnings: vec![finding()],
    }
}

pub fn finding() -> Finding {
    Finding::of_step(
        Code::StepSkipped,
        0,
        "denoise",
        [("why", "it crashed".into())],
    )
}

pub fn problem() -> Problem {
    Problem::new(ProblemKind::Unavailable, "the worker is shutting down")
}
