//! Plugins that misbehave while they run: each ends its stage with an error that says what
//! happened, and leaves the host as it was.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use retake_audio::{Block, StageError};
use serde_json::json;

use crate::rig::{Run, built, cache, load, noise, noise_pair};

/// Two channels of three seconds, in blocks that fit no quantum.
fn run(deed: &str) -> Result<Block, StageError> {
    let puppet = load("test-plugins/puppet");
    let input = noise_pair(144_000, 1);
    Run {
        blocks: &[4800, 1, 333],
        ..Run::new(&puppet, 48_000).params(json!({ "deed": deed }))
    }
    .of(&input)
}

/// The stage ends with a crash whose message holds `words`, and the next stage works.
fn check_crash(deed: &str, words: &str) {
    match run(deed) {
        Err(StageError::Crashed { message }) => {
            assert!(
                message.contains(words),
                "{deed}: \"{message}\" does not say \"{words}\""
            );
        }
        other => panic!("{deed}: {:?}", other.map(|block| block.frames())),
    }
    assert!(run("nothing").is_ok(), "after {deed}");
}

#[test]
fn a_panic_is_reported_in_its_own_words() {
    check_crash("panic", "index out of bounds");
    check_crash("panic", "panicked at");
    check_crash("panic-open", "no stream is good enough");
    check_crash("panic-analyze", "nothing to see");
    check_crash("panic-report", "nothing to report");
}

#[test]
fn a_memory_bomb_is_told_its_limit() {
    check_crash("bomb", "needs more than 256 MiB of memory");
}

#[test]
fn endless_recursion_is_caught() {
    check_crash("recurse", "recursion");
}

#[test]
fn a_wild_pointer_is_caught() {
    check_crash("wild", "memory that is not its own");
}

#[test]
fn what_is_no_number_is_refused() {
    check_crash("nan", "no number (NaN)");
    check_crash("infinity", "no number (-inf)");
}

#[test]
fn wrong_shapes_are_refused() {
    check_crash("more-channels", "returned 3 channels; the stream has 2");
    check_crash("fewer-channels", "returned 1 channels; the stream has 2");
    check_crash("unequal", "unequal length");
    check_crash("short", "of 144000");
    check_crash("flood-drain", "asked for at most");
    check_crash("endless-latency", "states a latency of 4294967295 frames");
}

#[test]
fn a_return_of_64_mib_is_refused_before_it_is_copied() {
    check_crash("huge", "hostcalls has been exhausted");
}

#[test]
fn a_plugin_that_says_no_is_quoted() {
    let refused = |message: &str, param: Option<&str>| {
        Err(StageError::Refused {
            message: message.into(),
            param: param.map(Into::into),
        })
    };
    assert_eq!(
        run("refuse"),
        refused("this deed is never done", Some("deed"))
    );
    // Control characters could forge lines in a log.
    assert_eq!(run("fail"), refused("this sounds wrongto me", None));
}

#[test]
fn a_log_is_kept_to_64_kib_and_is_there_after_a_crash() {
    let puppet = load("test-plugins/puppet");
    let input = Block::mono(noise(4_800, 1));
    let record = |deed: &str| {
        let run = Run::new(&puppet, 48_000).params(json!({ "deed": deed }));
        run.recorded(&input).1.unwrap()
    };
    let log = record("flood-log").log();
    let bytes: usize = log.iter().map(|line| line.message.len()).sum();
    assert!((60_000..66_000).contains(&bytes), "{bytes} bytes");
    assert!(
        log.last()
            .unwrap()
            .message
            .contains("more lines were dropped")
    );

    let log = record("panic").log();
    assert!(
        log.iter()
            .any(|line| line.level == "error" && line.message.contains("panicked at"))
    );
}

#[test]
fn a_report_holds_numbers_only() {
    let puppet = load("test-plugins/puppet");
    let run = Run::new(&puppet, 48_000).params(json!({ "deed": "odd-report" }));
    let report = run
        .recorded(&Block::mono(noise(9_600, 1)))
        .1
        .unwrap()
        .report();
    assert_eq!(report["curves"], json!([]));
    let ids: Vec<_> = report["measurements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["id"])
        .collect();
    assert_eq!(ids, ["words", "blocks"]);
}

#[test]
fn more_channels_than_a_plugin_takes_are_refused_before_it_runs() {
    let puppet = load("test-plugins/puppet");
    let error = Run::new(&puppet, 48_000)
        .of(&Block::silence(3, 100))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("has 3 channels; plugin puppet takes at most 2"),
        "{error}"
    );
}

/// A test that runs again in a child, by itself, with this variable set.
const IN_CHILD: &str = "RETAKE_TEST_IN_CHILD";

pub fn child_of_this_test(name: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(IN_CHILD, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

pub fn is_child() -> bool {
    env::var_os(IN_CHILD).is_some()
}

#[test]
fn an_endless_loop_ends_with_its_process() {
    if is_child() {
        eprintln!("the loop is about to begin");
        let _ = run("loop");
        return;
    }
    // Compiled beforehand, so that the child's CPU time is the loop's.
    cache().install(&built("test-plugins/puppet")).unwrap();
    let mut child = child_of_this_test("hostile_plugins::an_endless_loop_ends_with_its_process");
    let deadline = Instant::now() + Duration::from_secs(60);
    while cpu_ticks(&child) < 100 {
        assert!(
            child.try_wait().unwrap().is_none(),
            "the loop ended by itself"
        );
        assert!(Instant::now() < deadline, "the loop does not run");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert!(run("nothing").is_ok());
}

/// CPU time in hundredths of a second.
pub fn cpu_ticks(child: &Child) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn a_plugin_is_compiled_and_described_under_the_limits_of_a_child() {
    if is_child() {
        retake_plugin_host::limit_compile().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cache = retake_plugin_host::Cache::open(folder.path()).unwrap();
        let installed = cache.install(&built("plugins/denoise")).unwrap();
        println!("\ninstalled {}", installed.manifest.id);
        return;
    }
    let name = "hostile_plugins::a_plugin_is_compiled_and_described_under_the_limits_of_a_child";
    let mut child = child_of_this_test(name);
    let said: Vec<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .collect();
    assert!(child.wait().unwrap().success());
    assert!(
        said.contains(&"installed org.retake.denoise".to_owned()),
        "{said:?}"
    );
}
