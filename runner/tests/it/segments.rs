//! Chains whose length or steps are known only on the way: steps that shorten, and analysers whose
//! recommendation is followed.

use std::path::Path;

use retake_chain::{
    OnFailure,
    problem::ProblemKind,
    report::{Cut, StepReport},
};
use retake_runner::{chain::PreparedStep, external::Config};
use serde_json::{Value, json};

use crate::{
    chains::Bench,
    support::{RATE, external_step, mock, recording, warned, wav},
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
    let left = std::fs::read_dir(bench.path("scratch")).unwrap();
    let mut names: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["input.peaks", "output.peaks"], "left behind");
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
    assert!(warned(&report).is_empty(), "{:?}", warned(&report));
    told_to_the_end(&bench);
}

#[tokio::test]
async fn what_an_analyser_was_shown_is_not_written_down_for_the_steps_that_it_recommends() {
    let mut bench = Bench::new(whole_ramp()).with(&[GAIN, ADVISER]);
    // The correction, in 24 bits, fits; what one child would write for another, in 32, does not.
    bench.limits.scratch_bytes_max = u64::from(FRAMES) * 7;
    let report = bench
        .succeeds(&advised(&bench, "gain", OnFailure::Fail))
        .await;
    assert_eq!(names(&report.report.steps), ["adviser", "gain", "gain"]);
    let louder: Vec<f32> = (0..FRAMES)
        .map(|n| 1.995_262 * (n as f32 / FRAMES as f32 * 0.4))
        .collect();
    assert!(apart(&left_side(&bench.path("out")), &louder) < 1e-4);
    assert_eq!(report.report.steps[0].level_change_db, Some(0.0));
    told_to_the_end(&bench);
}

/// The ramp in 16 bits, which wait where they are.
fn whole_ramp() -> Vec<u8> {
    let floats = ramp();
    let mut bytes = floats[..44].to_vec();
    let data = FRAMES * 4;
    bytes[4..8].copy_from_slice(&(data + 36).to_le_bytes());
    bytes[20] = 1;
    bytes[28..32].copy_from_slice(&(RATE * 4).to_le_bytes());
    bytes[32] = 4;
    bytes[34] = 16;
    bytes[40..44].copy_from_slice(&data.to_le_bytes());
    for sample in floats[44..].as_chunks::<4>().0 {
        let sample = (f32::from_le_bytes(*sample) * 32_768.0) as i16;
        bytes.extend(sample.to_le_bytes());
    }
    bytes
}

fn apart(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, f32::max)
}

#[tokio::test]
async fn what_was_read_is_gone_on_with_whatever_is_recommended() {
    let recordings = [ramp(), whole_ramp()];
    for (advice, factor) in [("gain", 1.995_262), ("empty", 1.0)] {
        for (recording, gain_follows) in recordings.iter().flat_map(|r| [(r, true), (r, false)]) {
            let bench = Bench::new(recording.clone()).with(&[GAIN, ADVISER]);
            let mut steps = advised(&bench, advice, OnFailure::Fail);
            if !gain_follows {
                steps.pop();
            }
            bench.succeeds(&steps).await;
            let expected: Vec<f32> = (0..FRAMES)
                .map(|n| factor * (n as f32 / FRAMES as f32 * 0.4))
                .collect();
            let left = left_side(&bench.path("out"));
            assert!(apart(&left, &expected) < 1e-4, "{advice}");
            let left_over = std::fs::read_dir(bench.path("scratch")).unwrap();
            let left_over: Vec<_> = left_over.map(|entry| entry.unwrap().file_name()).collect();
            let samples = |name: &&std::ffi::OsString| name.to_string_lossy().contains("sent");
            assert!(
                !left_over.iter().any(|name| samples(&name)),
                "{left_over:?}"
            );
        }
    }
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
            warned(&report).len(),
            warnings,
            "{advice}: {:?}",
            warned(&report)
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
        warned(&report),
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
        assert_eq!(warned(&report).len(), 1, "{:?}", warned(&report));
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
    let warning = warned(&report).remove(0);
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

/// Twelve seconds of speech out of the fixtures, spoilt: hummed over, cut off flat, and quiet.
fn spoilt() -> Vec<u8> {
    let samples = spoilt_samples();
    wav(12 * RATE, |n| [samples[n as usize]; 2])
}

fn spoilt_samples() -> Vec<f32> {
    let speech = speech();
    let sample = |n: usize| {
        let turn = (n as f32 / RATE as f32 * 50.0).fract() * std::f32::consts::TAU;
        let hum = 0.02 * turn.sin() + 0.01 * (3.0 * turn).sin();
        0.2 * (2.0 * speech[n % speech.len()] + hum).clamp(-0.6, 0.6)
    };
    (0..12 * RATE as usize).map(sample).collect()
}

/// The power of the tone at 50 Hz, and of everything.
fn hum_and_whole(samples: &[f32]) -> (f64, f64) {
    let (mut re, mut im, mut whole) = (0.0, 0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let turn = std::f64::consts::TAU * 50.0 * n as f64 / f64::from(RATE);
        let sample = f64::from(*sample);
        re += sample * turn.cos();
        im += sample * turn.sin();
        whole += sample * sample;
    }
    let frames = samples.len() as f64;
    (
        2.0 * (re * re + im * im) / (frames * frames),
        whole / frames,
    )
}

fn speech() -> Vec<f32> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/recordings/speech-44k-stereo.wav"
    );
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(4).position(|id| id == b"data").unwrap() + 8;
    let frames = bytes[at..].chunks_exact(4);
    frames
        .map(|frame| f32::from(i16::from_le_bytes([frame[0], frame[1]])) / 32_768.0)
        .collect()
}

const RECOMMENDABLE: &[&str] = &[
    "diagnose",
    "declip",
    "declick",
    "hum",
    "highpass",
    "denoise",
    "denoise-best",
    "de-ess",
    "leveler",
    "loudness",
];
const AUTO: &str = r#"{"steps": [{"plugin": "diagnose", "follow": true}]}"#;

#[tokio::test]
async fn a_spoilt_recording_gets_the_steps_it_needs_and_comes_out_better() {
    let bench = Bench::new(spoilt()).with(RECOMMENDABLE);
    let steps = bench.chain(serde_json::from_str(AUTO).unwrap());
    let ran = bench.succeeds(&steps).await;
    let measurements = ran.report.steps[0].measurements["measurements"]
        .as_array()
        .unwrap()
        .clone();
    let told = |id: &str| {
        let found = measurements
            .iter()
            .find(|measurement| measurement["id"] == id);
        found.map(|measurement| measurement["value"].clone())
    };
    let chain: Value =
        serde_json::from_str(told("recommended-chain").unwrap().as_str().unwrap()).unwrap();
    let recommended: Vec<_> = chain["steps"].as_array().unwrap().iter().collect();
    let wanted = |plugin: &str| recommended.iter().any(|step| step["plugin"] == plugin);
    assert!(
        wanted("declip") && wanted("hum") && wanted("loudness"),
        "{chain}"
    );
    assert!(told("finding-hum").is_some() && told("finding-clipping").is_some());
    let loudness = ran.report.steps.last().unwrap();
    assert!(loudness.recommended && loudness.step == "loudness");
    assert!(warned(&ran).is_empty(), "{:?}", warned(&ran));
    assert!(ran.report.steps.iter().all(|step| !step.skipped));

    let tone = |samples: &[f32]| {
        let (tone, whole) = hum_and_whole(samples);
        10.0 * (tone / whole).log10()
    };
    let spoilt: Vec<f32> = spoilt_samples();
    let (hum_before, hum_after) = (tone(&spoilt), tone(&left_side(&bench.path("out"))));
    assert!(hum_after < hum_before - 10.0, "{hum_before} {hum_after}");
    let before = ran.report.input.integrated_lufs.unwrap();
    let after = ran.report.output.integrated_lufs.unwrap();
    assert!(
        before < -20.0 && (after + 16.0).abs() < 0.6,
        "{before} {after}"
    );
    assert_eq!(ran.report.input.frames, ran.report.output.frames);
}

#[tokio::test]
async fn a_clean_recording_is_left_as_it_is_but_for_its_loudness() {
    let speech = speech();
    let clean = wav(12 * RATE, |n| [speech[n as usize % speech.len()]; 2]);
    let bench = Bench::new(clean).with(RECOMMENDABLE);
    let steps = bench.chain(serde_json::from_str(AUTO).unwrap());
    let ran = bench.succeeds(&steps).await;
    assert!(
        ran.report.steps.len() <= 2,
        "{:?}",
        names(&ran.report.steps)
    );
    assert!(
        ran.report.steps[1..]
            .iter()
            .all(|step| step.step == "loudness")
    );
    assert!(warned(&ran).is_empty(), "{:?}", warned(&ran));
}

#[tokio::test]
async fn pauses_are_trimmed_and_the_cuts_account_for_all_that_is_missing() {
    let speech = speech();
    let recording = wav(10 * RATE, |n| match n / RATE {
        2..6 => [0.0; 2],
        _ => [speech[n as usize % speech.len()]; 2],
    });
    let bench = Bench::new(recording).with(&["trim-silence", "loudness"]);
    let chain = json!({"steps": [{"plugin": "trim-silence"}, {"plugin": "loudness"}]});
    let ran = bench.succeeds(&bench.chain(chain)).await;
    assert!(warned(&ran).is_empty(), "{:?}", warned(&ran));
    let report = ran.report;
    let cut: u64 = report.steps[0].cuts.iter().map(|cut| cut.frames).sum();
    assert!(
        cut > 3 * u64::from(RATE) && report.steps[0].cuts.len() == 1,
        "{:?}",
        report.steps[0].cuts
    );
    assert_eq!(report.input.frames - cut, report.output.frames);
}
