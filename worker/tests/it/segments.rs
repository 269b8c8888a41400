//! Chains whose length or steps are known only on the way: steps that shorten, and analysers whose
//! recommendation is followed.

use std::path::Path;

use retake_jobs::{
    chain::OnFailure,
    problem::ProblemKind,
    report::{Cut, StepReport},
};
use retake_worker::{chain::PreparedStep, external::Config};
use serde_json::{Value, json};

use crate::{
    chains::Bench,
    support::{external_step, mock, recording, wav},
};

const FRAMES: u32 = 48_000;
const GAIN: &str = "gain";
const CUTTER: &str = "../test-plugins/cutter";
const ADVISER: &str = "../test-plugins/adviser";
const PUPPET: &str = "../test-plugins/puppet";

/// Of a 24-bit stereo WAV: the left channel.
fn left_side(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(4).position(|id| id == b"data").unwrap() + 8;
    let sample = |f: &[u8]| i32::from_le_bytes([0, f[0], f[1], f[2]]) as f32 / 2f32.powi(31);
    bytes[at..].chunks_exact(6).map(sample).collect()
}

/// Rises slowly, so that every frame can be told by its value.
fn ramp() -> Vec<u8> {
    wav(FRAMES, |n| [n as f32 / FRAMES as f32 * 0.4; 2])
}

/// What the cutter leaves of the ramp: every second stretch of 1000 frames.
fn cut_ramp(factor: f32) -> Vec<f32> {
    let kept = (0..FRAMES).filter(|n| n / 1_000 % 2 == 0);
    kept.map(|n| factor * (n as f32 / FRAMES as f32 * 0.4))
        .collect()
}

fn is_close(found: &[f32], expected: &[f32]) -> bool {
    let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
    found.len() == expected.len() && found.iter().zip(expected).all(close)
}

fn names(steps: &[StepReport]) -> Vec<&str> {
    steps.iter().map(|step| step.step.as_str()).collect()
}

fn told_to_the_end(bench: &Bench) {
    let told = bench.told.lock().unwrap();
    assert!(
        told.is_sorted_by(|a, b| a.fraction <= b.fraction),
        "{told:?}"
    );
    assert!(
        (told.last().unwrap().fraction - 1.0).abs() < 1e-5,
        "{told:?}"
    );
}

#[tokio::test]
async fn steps_after_one_that_shortens_work_on_what_it_left() {
    let bench = Bench::new(ramp()).with(&[GAIN, CUTTER]);
    let chain = json!({"steps": [
        {"plugin": "gain"}, {"plugin": "cutter"}, {"plugin": "gain", "params": {"gain-db": 6.0}},
    ]});
    let report = bench.succeeds(&bench.chain(chain)).await.report;
    assert!(is_close(
        &left_side(&bench.path("out")),
        &cut_ramp(1.995_262)
    ));
    assert_eq!(report.input.frames, u64::from(FRAMES));
    assert_eq!(report.output.frames, u64::from(FRAMES / 2));
    let expected = (0..24).map(|n| Cut {
        start: 1_000 + 2_000 * n,
        frames: 1_000,
    });
    assert_eq!(report.steps[1].cuts, expected.collect::<Vec<_>>());
    assert!(report.steps[0].cuts.is_empty() && report.steps[2].cuts.is_empty());
    let ids: Vec<_> = report.steps[1].measurements["measurements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|measurement| measurement["id"].clone())
        .collect();
    assert_eq!(ids, ["frames"], "cuts stand in one place");
    // What the chain left out is there with its default.
    assert_eq!(json!(report.steps[0].params), json!({"gain-db": 0.0}));
    assert_eq!(json!(report.steps[1].params), json!({"deed": "honest"}));
    told_to_the_end(&bench);
    let left = std::fs::read_dir(bench.path("scratch")).unwrap().count();
    assert_eq!(left, 0, "left behind");
}

#[tokio::test]
async fn a_step_that_shortens_may_be_the_last() {
    let bench = Bench::new(ramp()).with(&[CUTTER]);
    let chain = json!({"steps": [{"plugin": "cutter", "params": {"deed": "late"}}]});
    let report = bench.succeeds(&bench.chain(chain)).await.report;
    assert!(is_close(&left_side(&bench.path("out")), &cut_ramp(1.0)));
    assert_eq!(report.output.frames, u64::from(FRAMES / 2));
    told_to_the_end(&bench);
}

#[tokio::test]
async fn a_service_is_sent_what_was_left() {
    let mock = mock(json!([])).await;
    let bench = Bench::new(recording(FRAMES)).with(&[CUTTER]);
    let mut steps = bench.chain(json!({"steps": [{"plugin": "cutter"}]}));
    let mut external = external_step(1, mock.external(Config::default()));
    external.mix = 0.5;
    steps.push(external);
    let report = bench.succeeds(&steps).await.report;
    assert_eq!(report.output.frames, u64::from(FRAMES / 2));
    assert_eq!(mock.count().await, 1);
}

#[tokio::test]
async fn a_plugin_that_lies_about_its_cuts_has_crashed() {
    let bench = Bench::new(ramp()).with(&[CUTTER]);
    for (deed, words) in [
        (
            "silent",
            "24000 frames fewer than it was given and reports cuts of 0",
        ),
        (
            "boast",
            "0 frames fewer than it was given and reports cuts of 10",
        ),
        ("everything", "left nothing of the 48000 frames"),
    ] {
        let step = json!({"plugin": "cutter", "params": {"deed": deed}});
        let problem = bench.fails(&bench.chain(json!({"steps": [step]}))).await;
        assert_eq!(problem.kind(), Some(ProblemKind::StepCrashed), "{deed}");
        assert!(problem.detail.contains(words), "{deed}: {}", problem.detail);
    }
    let step = json!({"plugin": "cutter", "params": {"deed": "silent"}, "on_failure": "skip"});
    let report = bench.succeeds(&bench.chain(json!({"steps": [step]}))).await;
    assert_eq!(report.report.output.frames, u64::from(FRAMES));
    assert!(report.report.steps[0].skipped);
}

/// An adviser to be followed, and a gain of nothing after it.
fn advised(bench: &Bench, advice: &str, on_failure: OnFailure) -> Vec<PreparedStep> {
    bench.chain(json!({"steps": [
        {
            "plugin": "adviser", "params": {"advice": advice}, "follow": true,
            "on_failure": on_failure,
        },
        {"plugin": "gain"},
    ]}))
}

#[tokio::test]
async fn what_an_analyser_recommends_is_run_in_its_place() {
    let bench = Bench::new(ramp()).with(&[GAIN, CUTTER, ADVISER]);
    let report = bench
        .succeeds(&advised(&bench, "cut", OnFailure::Fail))
        .await;
    assert!(is_close(
        &left_side(&bench.path("out")),
        &cut_ramp(1.995_262)
    ));
    let steps = &report.report.steps;
    assert_eq!(names(steps), ["adviser", "cutter", "gain", "gain"]);
    let recommended: Vec<_> = steps.iter().map(|step| step.recommended).collect();
    assert_eq!(recommended, [false, true, true, false]);
    assert_eq!(json!(steps[2].params), json!({"gain-db": 6.0}));
    assert_eq!(json!(steps[3].params), json!({"gain-db": 0.0}));
    assert_eq!(report.report.input.frames, u64::from(FRAMES));
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    told_to_the_end(&bench);
}

#[tokio::test]
async fn an_analyser_that_is_not_followed_changes_nothing() {
    let bench = Bench::new(ramp()).with(&[GAIN, ADVISER]);
    let mut steps = advised(&bench, "gain", OnFailure::Fail);
    steps[0].follow = false;
    let report = bench.succeeds(&steps).await;
    assert_eq!(names(&report.report.steps), ["adviser", "gain"]);
    let whole: Vec<f32> = (0..FRAMES)
        .map(|n| n as f32 / FRAMES as f32 * 0.4)
        .collect();
    assert!(is_close(&left_side(&bench.path("out")), &whole));
}

#[tokio::test]
async fn nothing_recommended_is_nothing_done() {
    let bench = Bench::new(ramp()).with(&[GAIN, ADVISER]);
    for (advice, warnings) in [("empty", 0), ("none", 1)] {
        let report = bench
            .succeeds(&advised(&bench, advice, OnFailure::Fail))
            .await;
        assert_eq!(names(&report.report.steps), ["adviser", "gain"], "{advice}");
        assert_eq!(
            report.warnings.len(),
            warnings,
            "{advice}: {:?}",
            report.warnings
        );
    }
}

#[tokio::test]
async fn a_recommended_plugin_that_is_not_installed_is_left_out_with_a_warning() {
    let bench = Bench::new(ramp()).with(&[GAIN, ADVISER]);
    let report = bench
        .succeeds(&advised(&bench, "missing", OnFailure::Fail))
        .await;
    assert_eq!(names(&report.report.steps), ["adviser", "gain", "gain"]);
    assert_eq!(
        report.warnings,
        ["adviser recommends reverb, which is not installed: it was left out"]
    );
}

#[tokio::test]
async fn a_lying_analyser_is_refused_and_may_be_skipped() {
    let bench = Bench::new(ramp()).with(&[GAIN, ADVISER]);
    for (advice, words) in [
        (
            "itself",
            "/steps/0/plugin a plugin may not recommend itself",
        ),
        (
            "endless",
            "/steps/0/follow a recommended step is not followed",
        ),
        (
            "crowd",
            "/steps there are 1000 steps; in this chain there is room for 6 more",
        ),
        (
            "external",
            "/steps/0/external only plugins may be recommended",
        ),
        (
            "loud",
            "/steps/0/params/gain-db gain-db is 600; it must be a number from -60 to 24 dB",
        ),
        ("words", "it is not JSON"),
    ] {
        let problem = bench.fails(&advised(&bench, advice, OnFailure::Fail)).await;
        assert_eq!(problem.kind(), Some(ProblemKind::StepFailed), "{advice}");
        let says = "step 0 (adviser): its recommendation cannot be followed: ";
        assert!(problem.detail.starts_with(says), "{}", problem.detail);
        assert!(
            problem.detail.contains(words),
            "{advice}: {}",
            problem.detail
        );
        assert_eq!(problem.errors[0].pointer, "/chain/steps/0");

        let report = bench
            .succeeds(&advised(&bench, advice, OnFailure::Skip))
            .await;
        assert_eq!(names(&report.report.steps), ["adviser", "gain"]);
        assert!(report.report.steps[0].skipped);
        assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
    }
}

#[tokio::test]
async fn a_recommended_step_that_fails_is_named_as_one() {
    let bench = Bench::new(ramp()).with(&[GAIN, ADVISER, PUPPET]);
    let report = bench
        .succeeds(&advised(&bench, "panic", OnFailure::Fail))
        .await;
    let steps = &report.report.steps;
    assert_eq!(names(steps), ["adviser", "puppet", "gain"]);
    assert_eq!(steps[1].skipped, steps[1].recommended);
    assert!(steps[1].skipped);
    let warning = &report.warnings[0];
    assert!(
        warning.starts_with("puppet was left out: step 0 (puppet, as recommended): "),
        "{warning}"
    );
}

#[tokio::test]
async fn the_same_recording_is_advised_and_corrected_the_same_way() {
    let mut outputs: Vec<(Vec<u8>, Value)> = Vec::new();
    for _ in 0..2 {
        let bench = Bench::new(ramp()).with(&[GAIN, CUTTER, ADVISER]);
        let report = bench
            .succeeds(&advised(&bench, "cut", OnFailure::Fail))
            .await;
        let bytes = std::fs::read(bench.path("out")).unwrap();
        outputs.push((bytes, json!(names(&report.report.steps))));
    }
    assert!(outputs[0] == outputs[1]);
}
