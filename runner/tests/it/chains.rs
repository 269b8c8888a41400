//! Chains through real children, real plugins and the simulated service.

use std::{path::Path, sync::Mutex};

use retake_chain::{
    Chain, InstalledPlugin, OnFailure, Vocabulary,
    format::Format,
    problem::{Problem, ProblemKind},
};
use retake_plugin_host::Cache;
use retake_runner::{
    DeadlineTerms, Limits,
    chain::{
        ChainContext, ChainFailure, ChainReport, Looked, PreparedStep, Progress, Retry, Trouble,
        Wish, look, prepare_now, run_chain,
    },
    child::Look,
    external::{Config, External, Transport},
};
use serde_json::json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::support::{external_step, installed, mock, real_child, recording, warned, wav};

const FRAMES: u32 = 48_000;

pub struct Bench {
    dir: TempDir,
    pub limits: Limits,
    pub told: Mutex<Vec<Progress>>,
    /// The catalogue, for what analysers recommend.
    plugins: Vec<InstalledPlugin>,
}

impl Bench {
    pub fn new(input: impl AsRef<[u8]>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("in"), input).unwrap();
        std::fs::create_dir(dir.path().join("scratch")).unwrap();
        Self {
            dir,
            limits: Limits::default(),
            told: Mutex::default(),
            plugins: Vec::new(),
        }
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn vocabulary(&self) -> Vocabulary {
        Vocabulary::new(self.plugins.clone(), Vec::new(), 8)
    }

    async fn run(&self, steps: &[PreparedStep]) -> Result<ChainReport, ChainFailure> {
        self.run_as(steps, Format::Wav.into()).await
    }

    pub async fn run_as(
        &self,
        steps: &[PreparedStep],
        wish: Wish,
    ) -> Result<ChainReport, ChainFailure> {
        let context = ChainContext {
            child: &real_child(),
            plugin_cache: &self.path("plugins"),
            scratch_dir: &self.path("scratch"),
            limits: &self.limits,
            deadline: DeadlineTerms {
                base_ms: 60_000,
                per_audio_s_ms: 1_000,
            },
            seed: 7,
            vocabulary: &self.vocabulary(),
        };
        let (input, output) = (self.path("in"), self.path("out"));
        let tell = |progress| self.told.lock().unwrap().push(progress);
        let cancel = CancellationToken::new();
        run_chain(&input, &output, steps, wish, &context, &tell, &cancel).await
    }

    /// Into `to`.
    pub async fn looks(&self, wanted: Look, to: &str) -> Result<Looked, ChainFailure> {
        let context = ChainContext {
            child: &real_child(),
            plugin_cache: &self.path("plugins"),
            scratch_dir: &self.path("scratch"),
            limits: &self.limits,
            deadline: DeadlineTerms {
                base_ms: 60_000,
                per_audio_s_ms: 1_000,
            },
            seed: 7,
            vocabulary: &self.vocabulary(),
        };
        let cancel = CancellationToken::new();
        let (input, to) = (self.path("in"), self.path(to));
        look(&input, &to, wanted, None, &context, &|_| (), &cancel).await
    }

    pub async fn succeeds(&self, steps: &[PreparedStep]) -> ChainReport {
        self.run(steps)
            .await
            .unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    pub async fn fails(&self, steps: &[PreparedStep]) -> Problem {
        match self.run(steps).await {
            Err(ChainFailure::Failed { problem, .. }) => *problem,
            other => panic!("{other:?}"),
        }
    }

    /// With these plugins in the catalogue; tests' own as `../test-plugins/name`.
    pub fn with(mut self, names: &[&str]) -> Self {
        self.plugins = installed(&self.path("plugins"), names);
        self
    }

    /// A chain of plugins out of the catalogue.
    pub fn chain(&self, chain: serde_json::Value) -> Vec<PreparedStep> {
        let chain: Chain = serde_json::from_value(chain).unwrap();
        let cache = Cache::open(&self.path("plugins")).unwrap();
        prepare_now(&chain, &self.vocabulary(), &cache, &[]).unwrap()
    }

    fn prepared(&self, chain: serde_json::Value, externals: &[External]) -> Vec<PreparedStep> {
        let plugins = installed(&self.path("plugins"), &["gain", "highpass"]);
        let chain: Chain = serde_json::from_value(chain).unwrap();
        let cache = Cache::open(&self.path("plugins")).unwrap();
        let externals_known = externals.iter().map(|known| known.name().to_owned());
        let vocabulary = Vocabulary::new(plugins, externals_known.collect(), 8);
        prepare_now(&chain, &vocabulary, &cache, externals).unwrap()
    }
}

/// Of a 24-bit stereo WAV: mean and level of the right channel.
fn right_side(path: &Path) -> (f64, f64) {
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(4).position(|id| id == b"data").unwrap() + 8;
    let right: Vec<f64> = bytes[at..]
        .chunks_exact(6)
        .map(|f| f64::from(i32::from_le_bytes([0, f[3], f[4], f[5]])) / 2f64.powi(31))
        .collect();
    assert_eq!(right.len(), FRAMES as usize);
    let mean = right.iter().sum::<f64>() / right.len() as f64;
    let power = right.iter().map(|s| s * s).sum::<f64>() / right.len() as f64;
    (mean, 10.0 * power.log10())
}

#[tokio::test]
async fn a_chain_without_steps_measures_and_encodes() {
    let bench = Bench::new(recording(FRAMES));
    let report = bench.succeeds(&[]).await;
    assert_eq!(report.report.source, "WAV, PCM (float)");
    assert_eq!(report.report.input.frames, u64::from(FRAMES));
    assert_eq!(report.report.output.frames, u64::from(FRAMES));
    assert_eq!(report.report.output.duration_ms, 1_000);
    let (mean, _) = right_side(&bench.path("out"));
    assert!((mean - 0.1).abs() < 1e-4, "{mean}");
}

#[tokio::test]
async fn services_and_plugins_follow_each_other_in_any_order() {
    for transport in [Transport::Rest, Transport::Websocket] {
        let mock = mock(json!([])).await;
        let external = mock.external(Config {
            transport,
            ..Config::default()
        });
        let bench = Bench::new(recording(FRAMES));
        let gain = json!({"plugin": "gain", "params": {"gain-db": -6.0206}});
        let service = json!({"external": "default"});
        let chain = json!({"steps": [service, gain, service, service, gain]});
        let steps = bench.prepared(chain, &[external]);
        let report = bench.succeeds(&steps).await;
        let (mean, level_db) = right_side(&bench.path("out"));
        assert!(mean.abs() < 1e-4, "the offset is still there: {mean}");
        assert!((level_db + 26.02).abs() < 0.1, "the level is {level_db}");
        assert_eq!(mock.count().await, 3);
        let names: Vec<&str> = report
            .report
            .steps
            .iter()
            .map(|s| s.step.as_str())
            .collect();
        assert_eq!(names, ["default", "gain", "default", "default", "gain"]);
        assert_eq!(
            report.report.steps[1].plugin.as_ref().unwrap().id,
            "org.retake.gain"
        );
        assert_eq!(report.report.output.frames, u64::from(FRAMES));
        let left = std::fs::read_dir(bench.path("scratch")).unwrap();
        let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        // Those that the report names.
        assert_eq!(names, ["input.peaks", "output.peaks"], "left behind");

        let told = bench.told.lock().unwrap();
        assert!(
            told.is_sorted_by(|a, b| a.fraction <= b.fraction),
            "{told:?}"
        );
        assert!(
            (told.last().unwrap().fraction - 1.0).abs() < 1e-6,
            "{told:?}"
        );
        assert!(
            told.iter().any(|at| at.step.as_deref() == Some("default")),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn an_external_steps_mix_keeps_that_part_of_what_was_sent() {
    let mock = mock(json!([])).await;
    let bench = Bench::new(recording(FRAMES));
    let mut step = external_step(0, mock.external(Config::default()));
    step.mix = 0.25;
    bench.succeeds(&[step]).await;
    let (mean, _) = right_side(&bench.path("out"));
    // The service removes the whole offset of 0.1.
    assert!((mean - 0.075).abs() < 1e-4, "{mean}");
}

#[tokio::test]
async fn the_same_recording_and_chain_give_the_same_bytes() {
    let mut outputs = Vec::new();
    for _ in 0..2 {
        let bench = Bench::new(recording(FRAMES));
        let steps = bench.prepared(json!({"steps": [{"plugin": "highpass"}]}), &[]);
        bench.succeeds(&steps).await;
        outputs.push(std::fs::read(bench.path("out")).unwrap());
    }
    assert!(outputs[0] == outputs[1]);
}

#[tokio::test]
async fn an_answer_of_another_length_is_invalid_naming_both() {
    let mock = mock(json!([{"kind": "wrong_length", "frames": -10}])).await;
    let bench = Bench::new(recording(FRAMES));
    let problem = bench
        .fails(&[external_step(0, mock.external(Config::default()))])
        .await;
    assert_eq!(problem.kind(), Some(ProblemKind::ExternalInvalid));
    assert_eq!(
        problem.detail,
        "external service default: it answered with 47990 frames of 2 channels at 48000 Hz; \
         it was sent 48000 frames of 2 channels at 48000 Hz"
    );
}

#[tokio::test]
async fn an_answer_that_is_no_audio_is_invalid() {
    let mock = mock(json!([{"kind": "garbage"}])).await;
    let bench = Bench::new(recording(FRAMES));
    let problem = bench
        .fails(&[external_step(0, mock.external(Config::default()))])
        .await;
    assert_eq!(
        problem.kind(),
        Some(ProblemKind::ExternalInvalid),
        "{}",
        problem.detail
    );
}

#[tokio::test]
async fn a_service_that_fails_and_may_be_skipped_leaves_the_audio_as_it_was() {
    for fault in [
        json!({"kind": "garbage"}),
        json!({"kind": "wrong_length", "frames": 1}),
        json!({"kind": "status", "status": 422}),
        json!({"kind": "status", "status": 503}),
    ] {
        let mock = mock(json!([fault])).await;
        let bench = Bench::new(recording(FRAMES));
        let config = Config {
            attempts_max: 1,
            ..Config::default()
        };
        let mut step = external_step(0, mock.external(config));
        step.on_failure = OnFailure::Skip;
        let report = bench.succeeds(&[step]).await;
        let (mean, _) = right_side(&bench.path("out"));
        assert!((mean - 0.1).abs() < 1e-4, "{fault}: {mean}");
        assert!(report.report.steps[0].skipped, "{fault}");
        assert_eq!(warned(&report).len(), 1, "{fault}: {:?}", warned(&report));
        assert!(
            warned(&report)[0].starts_with("default was left out: "),
            "{:?}",
            warned(&report)
        );
    }
}

#[tokio::test]
async fn a_service_that_is_down_is_worth_another_try_and_one_that_refuses_is_not() {
    let bench = Bench::new(recording(FRAMES));
    for (status, kind, worth) in [
        (503, ProblemKind::ExternalUnavailable, true),
        (422, ProblemKind::ExternalRefused, false),
    ] {
        let mock = mock(json!([{"kind": "status", "status": status}])).await;
        let config = Config {
            attempts_max: 1,
            ..Config::default()
        };
        let step = external_step(0, mock.external(config));
        let Err(ChainFailure::Failed { problem, retry, .. }) = bench.run(&[step]).await else {
            panic!("{status} was taken");
        };
        assert_eq!(problem.kind(), Some(kind), "{}", problem.detail);
        assert_eq!(retry != Retry::Never, worth);
    }
}

#[tokio::test]
async fn recordings_that_cannot_be_corrected_say_why() {
    let silent_header = &recording(0);
    let long = Limits {
        duration_ms_max: 900,
        ..Limits::default()
    };
    let narrow = Limits {
        channels_max: 1,
        ..Limits::default()
    };
    let cases: [(&str, &[u8], Limits, ProblemKind, &str); 5] = [
        (
            "text",
            b"just words, and no audio",
            Limits::default(),
            ProblemKind::NotAudio,
            "",
        ),
        (
            "nothing",
            b"",
            Limits::default(),
            ProblemKind::EmptyAudio,
            "",
        ),
        (
            "a header only",
            silent_header,
            Limits::default(),
            ProblemKind::EmptyAudio,
            "",
        ),
        (
            "too long",
            &recording(FRAMES),
            long,
            ProblemKind::TooLong,
            "900 ms",
        ),
        (
            "two channels",
            &recording(FRAMES),
            narrow,
            ProblemKind::UnsupportedStream,
            "channel count is 2",
        ),
    ];
    for (name, input, limits, kind, words) in cases {
        let mut bench = Bench::new(input);
        bench.limits = limits;
        let problem = bench.fails(&[]).await;
        assert_eq!(problem.kind(), Some(kind), "{name}: {}", problem.detail);
        assert!(problem.detail.contains(words), "{name}: {}", problem.detail);
    }
}

#[tokio::test]
async fn a_recording_that_holds_no_numbers_does_not_crash_anything() {
    let bench = Bench::new(wav(FRAMES, |n| {
        if n % 100 == 0 {
            [f32::NAN, f32::INFINITY]
        } else {
            [0.1; 2]
        }
    }));
    match bench.run(&[]).await {
        Ok(report) => assert_eq!(report.report.output.frames, u64::from(FRAMES)),
        Err(ChainFailure::Failed { problem, .. }) => {
            assert_eq!(
                problem.kind(),
                Some(ProblemKind::DamagedAudio),
                "{}",
                problem.detail
            );
        }
        Err(ChainFailure::Cancelled) => panic!("nobody cancelled"),
    }
}

#[test]
fn what_a_chain_names_is_found_or_named() {
    let dir = tempfile::tempdir().unwrap();
    let plugins = installed(&dir.path().join("a"), &["gain"]);
    let cache = Cache::open(&dir.path().join("a")).unwrap();
    let empty = Cache::open(&dir.path().join("b")).unwrap();
    let refused = |chain: serde_json::Value, cache: &Cache| {
        let chain: Chain = serde_json::from_value(chain).unwrap();
        let vocabulary = Vocabulary::new(plugins.clone(), vec!["other".to_owned()], 8);
        match prepare_now(&chain, &vocabulary, cache, &[]) {
            Err(ChainFailure::Failed { problem, retry, .. }) => (*problem, retry),
            _ => panic!("{chain:?} was taken"),
        }
    };
    let gain = json!({"steps": [{"plugin": "gain"}]});
    let (problem, retry) = refused(gain, &empty);
    assert!(problem.detail.contains("gain"), "{}", problem.detail);
    assert!(
        problem.detail.contains("not in this worker's cache"),
        "{}",
        problem.detail
    );
    assert_eq!(
        (problem.kind(), retry),
        (
            Some(ProblemKind::Unavailable),
            Retry::Ours(Trouble::Lacking)
        )
    );

    let (problem, retry) = refused(json!({"steps": [{"plugin": "reverb"}]}), &cache);
    assert_eq!(
        problem.detail,
        "there is no plugin \"reverb\"; there are: gain"
    );
    assert_eq!(retry, Retry::Never);

    let (problem, _) = refused(json!({"steps": [{"external": "other"}]}), &cache);
    assert!(
        problem.detail.contains("external service other"),
        "{}",
        problem.detail
    );

    let loud = json!({"steps": [{"plugin": "gain", "params": {"gain-db": 1e9}}]});
    let (problem, retry) = refused(loud, &cache);
    assert_eq!(
        (problem.kind(), retry),
        (Some(ProblemKind::InvalidChain), Retry::Never)
    );
    assert_eq!(problem.errors[0].pointer, "/chain/steps/0/params/gain-db");
}
