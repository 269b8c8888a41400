//! Do no harm: what steps do to the level, what they took away, and what is told when one fails.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use retake_chain::{
    Chain, InstalledPlugin, Vocabulary,
    format::Format,
    preset,
    problem::{Problem, ProblemKind},
    report::Target,
};
use retake_plugin_host::Cache;
use retake_runner::{
    DeadlineTerms, Limits,
    chain::{ChainContext, ChainFailure, ChainReport, prepare_now, run_chain},
    external::{Config, External},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::support::{installed, mock, real_child, recording, warned, wav};

const PLUGINS: [&str; 6] = [
    "gain", "highpass", "denoise", "loudness", "segment", "puppet",
];

struct Bench {
    dir: TempDir,
    plugins: Vec<InstalledPlugin>,
    cache: PathBuf,
    externals: Vec<External>,
    limits: Limits,
    deadline_ms: u64,
}

impl Bench {
    /// All tests share compiled plugins.
    fn new(input: impl AsRef<[u8]>) -> Self {
        static COMPILED: OnceLock<Vec<InstalledPlugin>> = OnceLock::new();
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("harm-plugin-cache");
        let plugins = COMPILED.get_or_init(|| installed(&cache, &PLUGINS));
        Self::with_plugins(input, &cache, plugins.clone())
    }

    fn with_cache(input: impl AsRef<[u8]>, cache: &Path) -> Self {
        Self::with_plugins(input, cache, installed(cache, &PLUGINS))
    }

    fn with_plugins(input: impl AsRef<[u8]>, cache: &Path, plugins: Vec<InstalledPlugin>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("in"), input).unwrap();
        std::fs::create_dir(dir.path().join("scratch")).unwrap();
        Self {
            dir,
            plugins,
            cache: cache.to_owned(),
            externals: Vec::new(),
            limits: Limits::default(),
            deadline_ms: 120_000,
        }
    }

    fn scratch(&self) -> PathBuf {
        self.dir.path().join("scratch")
    }

    async fn run(&self, chain: Value) -> Result<ChainReport, ChainFailure> {
        let chain: Chain = serde_json::from_value(chain).unwrap();
        let cache = Cache::open(&self.cache).unwrap();
        let vocabulary = Vocabulary::new(self.plugins.clone(), Vec::new(), 8);
        let steps = prepare_now(&chain, &vocabulary, &cache, &self.externals)?;
        let context = ChainContext {
            child: &real_child(),
            plugin_cache: &self.cache,
            scratch_dir: &self.scratch(),
            limits: &self.limits,
            vocabulary: &vocabulary,
            deadline: DeadlineTerms {
                base_ms: self.deadline_ms,
                per_audio_s_ms: 1,
            },
            seed: 7,
        };
        let (input, output) = (self.dir.path().join("in"), self.dir.path().join("out"));
        let cancel = CancellationToken::new();
        run_chain(
            &input,
            &output,
            &steps,
            Format::Wav,
            &context,
            &|_| {},
            &cancel,
        )
        .await
    }

    async fn succeeds(&self, chain: Value) -> ChainReport {
        let ran = self.run(chain).await;
        ran.unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    async fn fails(&self, chain: Value) -> (Problem, Vec<String>) {
        match self.run(chain).await {
            Err(ChainFailure::Failed {
                problem, warnings, ..
            }) => {
                let warnings = warnings.iter().map(ToString::to_string);
                (*problem, warnings.collect())
            }
            other => panic!("{other:?}"),
        }
    }
}

fn puppet(deed: &str) -> Value {
    json!({"steps": [{"plugin": "puppet", "params": {"deed": deed}}]})
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/recordings");
    std::fs::read(folder.join(name)).unwrap()
}

/// A voice of sorts, at any rate: nothing but tones that come and go.
fn voice(frames: u32) -> Vec<u8> {
    wav(frames, |n| {
        let time = n as f32 / 48_000.0;
        let sample = 0.3 * (time * 9.0).sin().max(0.0) * (time * 1_300.0).sin();
        [sample, 0.5 * sample]
    })
}

#[tokio::test]
async fn what_is_no_correction_fails_its_step() {
    for (deed, words) in [
        (
            "empty",
            "it returned silence; its input has a level of -37.0 dBFS",
        ),
        ("deafen", "its output peaks at +41"),
    ] {
        let bench = Bench::new(recording(48_000));
        let (problem, _) = bench.fails(puppet(deed)).await;
        assert_eq!(problem.kind(), Some(ProblemKind::StepHarmful), "{deed}");
        assert!(problem.detail.contains(words), "{}", problem.detail);
        assert_eq!(problem.errors[0].pointer, "/chain/steps/0");
    }
    // Where there is nothing, nothing can be lost.
    let silence = Bench::new(wav(48_000, |_| [0.0, 0.0]));
    let report = silence.succeeds(puppet("empty")).await;
    assert_eq!(warned(&report), [] as [&str; 0]);
    assert_eq!(report.report.steps[0].level_change_db, None);
}

#[tokio::test]
async fn a_plugin_is_held_to_its_promise() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::with_cache(recording(48_000), folder.path());
    // The puppet promises nothing; here it does.
    let puppet_at = bench.plugins.len() - 1;
    let promising = &mut bench.plugins[puppet_at];
    let extra = ("level-change-db".to_owned(), "-6..6".to_owned());
    std::sync::Arc::make_mut(&mut promising.manifest)
        .extras
        .push(extra);
    let file = walk(folder.path(), &format!("{}.json", promising.digest));
    std::fs::write(file, serde_json::to_vec(&*promising.manifest).unwrap()).unwrap();

    let (problem, _) = bench.fails(puppet("fade")).await;
    assert_eq!(problem.kind(), Some(ProblemKind::StepHarmful));
    let words = "it changed the level by -20.0 dB; its manifest promises -6..6 dB";
    assert!(problem.detail.ends_with(words), "{}", problem.detail);

    let mut chain = puppet("fade");
    chain["steps"][0]["mix"] = json!(0.3);
    let report = bench.succeeds(chain).await;
    let level_db = report.report.steps[0].level_change_db.unwrap();
    assert!(
        (level_db - 20.0 * 0.73f64.log10()).abs() < 0.02,
        "{level_db}"
    );
    assert_eq!(warned(&report), [] as [&str; 0], "it is within the promise");
}

fn walk(folder: &Path, name: &str) -> PathBuf {
    let engines = std::fs::read_dir(folder).unwrap();
    let mut paths = engines.map(|engine| engine.unwrap().path().join(name));
    paths.find(|path| path.exists()).unwrap()
}

#[tokio::test]
async fn odd_changes_become_warnings_with_numbers() {
    for (deed, words) in [
        ("fade", "puppet made what can be heard 20.0 dB quieter"),
        ("lose-half", "puppet emptied "),
        ("offset", "puppet moved the signal off its middle by 10.0 %"),
    ] {
        let bench = Bench::new(wav(144_000, |n| {
            let sample = 0.02 * (n as f32 * std::f32::consts::TAU / 48.0).sin();
            [sample, sample]
        }));
        let report = bench.succeeds(puppet(deed)).await;
        assert_eq!(warned(&report).len(), 1, "{deed}: {:?}", warned(&report));
        assert!(warned(&report)[0].contains(words), "{:?}", warned(&report));
    }
    let bench = Bench::new(voice(48_000));
    let loud = json!({"steps": [{"plugin": "gain", "params": {"gain-db": 18.0}}]});
    let report = bench.succeeds(loud).await;
    assert_eq!(warned(&report).len(), 1, "{:?}", warned(&report));
    assert!(warned(&report)[0].contains("over full scale and was clipped"));
    let quiet = json!({"steps": [{"plugin": "gain", "params": {"gain-db": -60.0}}]});
    let report = bench.succeeds(quiet).await;
    assert_eq!(warned(&report), [] as [&str; 0], "it is what was asked for");
    let level_db = report.report.steps[0].level_change_db.unwrap();
    assert!((level_db + 60.0).abs() < 0.02, "{level_db}");
}

#[tokio::test]
async fn our_own_chains_raise_no_false_alarm() {
    for file in [
        "speech.flac",
        "speech-44k-stereo.wav",
        "chromium-recording.webm",
    ] {
        let bench = Bench::new(fixture(file));
        for name in ["speech", "music", "loudness-only"] {
            let chain = preset::find(name).unwrap().chain.clone();
            let report = bench.succeeds(chain).await;
            // A voice does not get as loud as music without being squashed, which is no false alarm.
            let is_missed = |target: &&Target| name == "music" && !target.met;
            let missed = report.report.targets.iter().filter(is_missed).count();
            assert_eq!(warned(&report).len(), missed, "{name} on {file}");
        }
    }
}

#[tokio::test]
async fn a_step_that_is_left_out_says_why_with_its_log() {
    let bench = Bench::new(recording(48_000));
    let mut chain = puppet("panic");
    chain["steps"][0]["on_failure"] = json!("skip");
    chain["steps"][0]["delta"] = json!(true);
    let report = bench.succeeds(chain).await;
    let step = &report.report.steps[0];
    assert!(step.skipped && !step.delta);
    let error = step.error.as_ref().unwrap();
    assert_eq!(error.kind(), Some(ProblemKind::StepCrashed));
    assert!(error.detail.contains("index out of bounds"), "{error:?}");
    let panic = step.log.last().unwrap();
    assert!(panic.contains("panicked at"), "{:?}", step.log);
    assert_eq!(report.deltas, []);
}

#[tokio::test]
async fn what_was_found_before_a_failure_is_told_with_it() {
    // Cut off in the middle: the decoder warns.
    let bench = Bench::new(&recording(96_000)[..400_000]);
    let mut chain = puppet("fail");
    let mut skipped = chain["steps"][0].clone();
    skipped["on_failure"] = json!("skip");
    skipped["params"]["deed"] = json!("panic-open");
    chain["steps"].as_array_mut().unwrap().insert(0, skipped);
    let (problem, warnings) = bench.fails(chain).await;
    assert_eq!(problem.kind(), Some(ProblemKind::StepFailed));
    let has = |words: &str| warnings.iter().filter(|w| w.contains(words)).count();
    assert_eq!(has("puppet was left out"), 1, "{warnings:?}");
    assert_eq!(has("the file ends in the middle"), 1, "{warnings:?}");
    assert_eq!(has("DC offset"), 1, "{warnings:?}");
    assert_eq!(warnings.len(), 3, "{warnings:?}");
}

/// Where the puppet never comes back, and what it is told to do there.
const LOOPS: [(&str, &str); 6] = [
    ("open", "loop-open"),
    ("latency", "loop-latency"),
    ("analyze", "loop-analyze"),
    ("process", "loop"),
    ("drain", "loop-drain"),
    ("report", "loop-report"),
];

#[tokio::test]
async fn a_step_far_over_its_budget_is_stopped_long_before_the_deadline_wherever_it_loops() {
    let benches = LOOPS.map(|(place, deed)| (place, deed, Bench::new(recording(48_000))));
    let runs = benches.map(async |(place, deed, mut bench)| {
        bench.deadline_ms = 3_600_000;
        bench.limits.step_cpu_ms = 200;
        bench.limits.step_cpu_unchecked_per_audio_s_ms = 100;
        let (problem, _) = bench.fails(puppet(deed)).await;
        assert_eq!(problem.kind(), Some(ProblemKind::StepOverBudget), "{place}");
        let detail = &problem.detail;
        assert!(detail.starts_with("step 0 (puppet): it has taken "), "{detail}");
        // A second of two channels.
        let may = "it may take 0.4 s of CPU time (100 ms per second and channel at 48 kHz; it was never checked)";
        assert!(detail.ends_with(may), "{detail}");
        assert_eq!(problem.errors[0].pointer, "/chain/steps/0");
        assert_eq!(problem.plugins.len(), 1);
        assert_eq!(problem.log, [format!("info: looping in {place}")]);
        bench
    });
    let benches = futures_util::future::join_all(runs).await;

    let mut chain = puppet("loop");
    chain["steps"][0]["on_failure"] = json!("skip");
    let gain = json!({"plugin": "gain", "params": {"gain-db": -6.0}});
    chain["steps"].as_array_mut().unwrap().push(gain);
    let report = benches[0].succeeds(chain).await.report;
    let error = report.steps[0].error.as_ref().unwrap();
    assert_eq!(error.kind(), Some(ProblemKind::StepOverBudget));
    assert!(!report.steps[1].skipped, "only that step failed");
}

#[tokio::test]
async fn an_endless_loop_in_any_call_is_ended_and_its_last_words_are_kept() {
    // Nothing else may keep this thread from listening while they run.
    let benches = LOOPS.map(|(place, deed)| (place, deed, Bench::new(recording(48_000))));
    let runs = benches.map(async |(place, deed, mut bench)| {
        bench.deadline_ms = 20_000;
        bench.limits.step_cpu_ms = 3_600_000;
        let (problem, _) = bench.fails(puppet(deed)).await;
        assert_eq!(
            problem.kind(),
            Some(ProblemKind::DeadlineExceeded),
            "{place}"
        );
        assert!(
            problem.detail.ends_with("in step 0 (puppet)"),
            "{}",
            problem.detail
        );
        assert_eq!(problem.log, [format!("info: looping in {place}")]);
    });
    futures_util::future::join_all(runs).await;
}

/// Samples of a WAV of 24 bits, full scale 1.
fn samples(path: &Path) -> Vec<f64> {
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(4).position(|id| id == b"data").unwrap() + 8;
    // What stands beside the samples follows them.
    let size = u32::from_le_bytes(bytes[at - 4..at].try_into().unwrap()) as usize;
    bytes[at..at + size]
        .chunks_exact(3)
        .map(|s| f64::from(i32::from_le_bytes([0, s[0], s[1], s[2]])) / 2f64.powi(31))
        .collect()
}

/// What the chain's last step took away and what it left make up what it was given.
async fn check_delta(bench: &Bench, before: Value, step: Value, different: bool) {
    let mut with = before.clone();
    with["steps"].as_array_mut().unwrap().push(step);
    let given = {
        bench.succeeds(before.clone()).await;
        samples(&bench.dir.path().join("out"))
    };
    let report = bench.succeeds(with.clone()).await;
    let place = report.report.steps.len() - 1;
    assert!(report.report.steps[place].delta);
    assert_eq!(report.deltas.len(), 1);
    assert_eq!(report.deltas[0].step as usize, place);
    let left = samples(&bench.dir.path().join("out"));
    let taken = samples(&report.deltas[0].path);
    assert_eq!(
        (left.len(), taken.len()),
        (given.len(), given.len()),
        "{with}"
    );
    // Three roundings to 24 bits, each with its dither.
    let tolerance = 6.0 / 2f64.powi(23);
    for (n, given) in given.iter().enumerate() {
        let sum = left[n] + taken[n];
        assert!(
            (sum - given).abs() < tolerance,
            "{with}: {n}: {sum} {given}"
        );
    }
    let loudest = taken
        .iter()
        .fold(0.0, |max: f64, sample| max.max(sample.abs()));
    assert_eq!(loudest > 0.001, different, "{with}: {loudest}");
}

#[tokio::test]
async fn output_and_delta_make_up_the_input() {
    let none = || json!({"steps": []});
    let denoise = |mix: f64| json!({"plugin": "denoise", "mix": mix, "delta": true});
    for file in ["speech.flac", "speech-44k-stereo.wav"] {
        let bench = Bench::new(fixture(file));
        check_delta(&bench, none(), denoise(1.0), true).await;
        check_delta(&bench, none(), denoise(0.4), true).await;
        check_delta(&bench, none(), denoise(0.0), false).await;
    }
    let bench = Bench::new(voice(60_001));
    let loudness = json!({"plugin": "loudness", "params": {"target-lufs": -30}, "delta": true});
    check_delta(&bench, none(), loudness, true).await;
    let lag = json!({"plugin": "puppet", "params": {"deed": "lag"}, "delta": true});
    check_delta(&bench, none(), lag, false).await;
    let hoard = json!({"plugin": "puppet", "params": {"deed": "hoard"}, "delta": true});
    let after_gain = json!({"steps": [{"plugin": "gain", "params": {"gain-db": -6.0}}]});
    check_delta(&bench, after_gain, hoard, false).await;
}

#[tokio::test]
async fn an_external_step_has_a_delta_and_a_guard_too() {
    let mock = mock(json!([])).await;
    let mut bench = Bench::new(voice(60_001));
    bench.externals.push(mock.external(Config::default()));
    for mix in [1.0, 0.25] {
        let external = json!({"external": "default", "mix": mix, "delta": true});
        check_delta(&bench, json!({"steps": []}), external, true).await;
    }
}
