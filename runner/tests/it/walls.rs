//! The child process: whatever it does, its parent goes on and says what happened.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use retake_chain::{
    OnFailure, Vocabulary,
    format::Format,
    problem::{Problem, ProblemKind},
};
use retake_child::ChildProgram;
use retake_runner::{
    DeadlineTerms, Limits,
    chain::{ChainContext, ChainFailure, ChainReport, PreparedStep, Retry, Trouble, run_chain},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::support::{
    READ, done, eventually, false_child, plugin_step, real_child, recording, runs, warned,
};

struct Run {
    child: ChildProgram,
    limits: Limits,
    deadline: DeadlineTerms,
    steps: Vec<PreparedStep>,
    cancel: CancellationToken,
    dir: TempDir,
}

impl Run {
    fn with(child: ChildProgram) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("in"), recording(48_000)).unwrap();
        Self {
            child,
            limits: Limits::default(),
            deadline: DeadlineTerms {
                base_ms: 60_000,
                per_audio_s_ms: 1_000,
            },
            steps: vec![plugin_step(0, "first"), plugin_step(1, "second")],
            cancel: CancellationToken::new(),
            dir,
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    async fn run(&self) -> Result<ChainReport, ChainFailure> {
        let context = ChainContext {
            child: &self.child,
            plugin_cache: &self.path().join("plugins"),
            scratch_dir: self.path(),
            limits: &self.limits,
            deadline: self.deadline,
            vocabulary: &Vocabulary::default(),
            seed: 0,
        };
        let (input, output) = (self.path().join("in"), self.path().join("out"));
        let steps = &self.steps;
        run_chain(
            &input,
            &output,
            steps,
            Format::Flac,
            &context,
            &|_| {},
            &self.cancel,
        )
        .await
    }

    async fn fails(&self) -> (Problem, Retry) {
        match self.run().await {
            Err(ChainFailure::Failed { problem, retry, .. }) => (*problem, retry),
            Err(ChainFailure::Cancelled) => panic!("it was cancelled"),
            Ok(report) => panic!("it went well: {report:?}"),
        }
    }
}

/// Says that the second step's code is running.
const IN_SECOND: &str = r#"echo '{"progress":{"fraction":0.5,"step":1,"inside":[1]}}'; "#;

#[tokio::test]
async fn a_child_that_dies_by_a_signal_is_a_crash_of_the_step_it_was_in() {
    let run = Run::with(false_child(&format!("{READ} {IN_SECOND} kill -SEGV $$")));
    let (problem, retry) = run.fails().await;
    assert_eq!(problem.kind(), Some(ProblemKind::StepCrashed));
    assert_eq!(
        problem.detail,
        "the audio work crashed, in step 1 (second): \
         it was ended by signal 11 (segmentation fault)"
    );
    assert_eq!(retry, Retry::Never);
}

#[tokio::test]
async fn a_child_that_dies_while_it_decodes_is_a_crash_of_reading() {
    let run = Run::with(false_child("kill -ABRT $$"));
    let (problem, _) = run.fails().await;
    assert!(
        problem.detail.contains("reading the recording"),
        "{}",
        problem.detail
    );
    assert!(problem.detail.contains("signal 6"), "{}", problem.detail);
}

#[tokio::test]
async fn a_child_killed_by_the_system_is_no_fault_of_the_jobs() {
    let run = Run::with(false_child(&format!("{READ} {IN_SECOND} kill -KILL $$")));
    let (problem, retry) = run.fails().await;
    assert!(
        problem
            .detail
            .contains("killed from outside, in step 1 (second)")
    );
    assert_eq!(retry, Retry::Ours(Trouble::Killed));
}

#[tokio::test]
async fn a_child_that_needs_too_large_a_file_says_so_and_blames_no_step() {
    let run = Run::with(false_child("kill -XFSZ $$"));
    let (problem, retry) = run.fails().await;
    assert_eq!(problem.kind(), Some(ProblemKind::TooMuchScratch));
    assert!(
        problem.detail.contains("reading the recording"),
        "{}",
        problem.detail
    );
    assert_eq!(retry, Retry::Never);
}

#[tokio::test]
async fn a_child_that_ends_without_a_result_is_a_crash() {
    for script in ["exit 0", "exit 3", "echo; exit 0"] {
        let (problem, _) = Run::with(false_child(script)).fails().await;
        assert_eq!(problem.kind(), Some(ProblemKind::StepCrashed), "{script}");
    }
}

#[tokio::test]
async fn a_child_that_writes_garbage_is_killed_and_is_a_crash() {
    for script in [
        "echo 'this is no json'; exec sleep 1000",
        r#"echo '{"done":{"everything":"fine"}}'; exec sleep 1000"#,
        r#"echo '{"progress":{"fraction":"much"}}'; exec sleep 1000"#,
        "exec head -c 9000000 /dev/zero",
        "exec cat /dev/zero",
    ] {
        let started = Instant::now();
        let (problem, retry) = Run::with(false_child(script)).fails().await;
        assert_eq!(problem.kind(), Some(ProblemKind::StepCrashed), "{script}");
        assert_eq!(retry, Retry::Never);
        assert!(problem.detail.len() < 1_000, "{}", problem.detail.len());
        assert!(started.elapsed() < Duration::from_secs(30), "{script}");
    }
}

#[tokio::test]
async fn a_child_that_names_steps_that_are_not_there_blames_nobody() {
    let absurd = r#"echo '{"progress":{"fraction":1e30,"step":77,"inside":[99,100]}}'; exit 9"#;
    let (problem, _) = Run::with(false_child(&format!("{READ} {absurd}")))
        .fails()
        .await;
    assert!(
        problem.detail.contains("between steps"),
        "{}",
        problem.detail
    );
    let failed = r#"echo '{"failed":{"refused":{"index":88,"detail":"no","param":"a/b"}}}'"#;
    let (problem, _) = Run::with(false_child(failed)).fails().await;
    assert_eq!(problem.errors[0].pointer, "/chain/steps/88/params/a~1b");
}

#[tokio::test]
async fn what_a_step_says_is_cut_to_one_short_line() {
    let script = r#"printf '{"failed":{"crashed":{"index":0,"detail":"'; head -c 5000 /dev/zero | tr '\0' x; printf '"}}}\n'"#;
    let (problem, _) = Run::with(false_child(script)).fails().await;
    assert!(
        problem.detail.starts_with("step 0 (first): xxx"),
        "{}",
        problem.detail
    );
    assert!(
        problem.detail.chars().count() < 600,
        "{}",
        problem.detail.len()
    );
    assert_eq!(problem.errors[0].pointer, "/chain/steps/0");
}

#[tokio::test]
async fn at_the_deadline_the_child_is_killed_and_the_step_named() {
    let mut run = Run::with(false_child(""));
    let pid = run.path().join("pid");
    let script = format!(
        "echo $$ > {}; {READ} {IN_SECOND} exec sleep 1000",
        pid.display()
    );
    run.child = false_child(&script);
    run.deadline = DeadlineTerms {
        base_ms: 300,
        per_audio_s_ms: 100,
    };
    let (problem, retry) = run.fails().await;
    assert_eq!(problem.kind(), Some(ProblemKind::DeadlineExceeded));
    assert_eq!(
        problem.detail,
        "the job took longer than the 0.4 s it may take, in step 1 (second)"
    );
    assert_eq!(retry, Retry::Never);
    assert!(!runs(&std::fs::read_to_string(pid).unwrap()));
}

#[tokio::test]
async fn on_cancel_the_child_is_killed() {
    let mut run = Run::with(false_child(""));
    let pid = run.path().join("pid");
    run.child = false_child(&format!(
        "echo $$ > {}; {READ} exec sleep 1000",
        pid.display()
    ));
    let (ended, ()) = tokio::join!(run.run(), async {
        let started = async || std::fs::read_to_string(&pid).is_ok_and(|pid| !pid.is_empty());
        eventually("the child has started", started).await;
        run.cancel.cancel();
    });
    assert!(matches!(ended, Err(ChainFailure::Cancelled)));
    assert!(!runs(&std::fs::read_to_string(pid).unwrap()));
}

#[tokio::test]
async fn a_chain_that_is_dropped_takes_its_child_along() {
    let mut run = Run::with(false_child(""));
    let pid = run.path().join("pid");
    run.child = false_child(&format!("echo $$ > {}; exec sleep 1000", pid.display()));
    let started = async || std::fs::read_to_string(&pid).is_ok_and(|pid| !pid.is_empty());
    tokio::select! {
        _ = run.run() => panic!("it ended"),
        () = eventually("the child has started", started) => {}
    }
    let pid = std::fs::read_to_string(pid).unwrap();
    eventually("the child is gone", async || !runs(&pid)).await;
}

#[tokio::test]
async fn a_crashing_step_that_may_be_skipped_is_left_out() {
    // Crashes in the second step as long as it is asked for it.
    let done = done(r#"[{"index":0,"latency_frames":7,"cpu_ms":1,"report":null,"log":[]}]"#);
    let script = format!(
        "read request; {READ} case $request in *second*) {IN_SECOND} kill -SEGV $$;; esac; \
         echo '{done}'"
    );
    let mut run = Run::with(false_child(&script));
    run.steps[1].on_failure = OnFailure::Skip;
    let report = run
        .run()
        .await
        .unwrap_or_else(|failure| panic!("{failure:?}"));
    let skipped: Vec<bool> = report
        .report
        .steps
        .iter()
        .map(|step| step.skipped)
        .collect();
    assert_eq!(skipped, [false, true]);
    assert_eq!(report.report.steps[0].latency_frames, 7);
    assert_eq!(warned(&report).len(), 1);
    assert!(
        warned(&report)[0].starts_with("second was left out: "),
        "{:?}",
        warned(&report)
    );
}

#[tokio::test]
async fn a_child_that_cannot_be_started_is_no_fault_of_the_jobs() {
    let program = ChildProgram {
        program: "/nowhere/at/all".into(),
        arguments: vec![],
    };
    let (problem, retry) = Run::with(program).fails().await;
    assert_eq!(
        (problem.kind(), retry),
        (Some(ProblemKind::Unavailable), Retry::Ours(Trouble::Other))
    );
}

#[tokio::test]
async fn a_child_knows_nothing_of_its_parents_environment() {
    let dir = tempfile::tempdir().unwrap();
    let seen = dir.path().join("env");
    Run::with(false_child(&format!("env > {}", seen.display())))
        .fails()
        .await;
    let seen = std::fs::read_to_string(seen).unwrap();
    let names: Vec<&str> = seen
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    assert!(
        std::env::vars().count() > 3,
        "this test has an environment itself"
    );
    for name in names {
        // What the shell sets by itself.
        assert!(
            ["PWD", "OLDPWD", "SHLVL", "_", "PATH", "RETAKE_LOG"].contains(&name),
            "{seen}"
        );
    }
}

#[tokio::test]
async fn the_real_child_stuck_in_a_read_is_killed_at_the_deadline() {
    let mut run = Run::with(real_child());
    run.steps.clear();
    run.deadline = DeadlineTerms {
        base_ms: 500,
        per_audio_s_ms: 0,
    };
    // Opening a pipe that nobody writes to takes for ever.
    let input = run.path().join("in");
    std::fs::remove_file(&input).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(&input)
        .status()
        .unwrap();
    assert!(made.success());
    let (problem, _) = run.fails().await;
    assert_eq!(problem.kind(), Some(ProblemKind::DeadlineExceeded));
}

#[tokio::test]
async fn the_real_child_ends_when_its_parent_is_gone() {
    use std::process::{Command, Stdio};
    let run = Run::with(real_child());
    let fifo = run.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let mut child = Command::new(&run.child.program)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let limits = serde_json::to_value(Limits::default()).unwrap();
    let request = serde_json::json!({
        "parent_pid": std::process::id(), "input": fifo, "output": run.path().join("out"),
        "scratch_dir": run.path(), "plugin_cache": run.path(), "steps": [],
        "output_as": "handover", "expect": null,
        "deltas_as": {"rendition": "wav", "origin": "input"}, "limits": limits, "seed": 0,
    });
    let mut stdin = child.stdin.take().unwrap();
    use std::io::Write;
    writeln!(stdin, "{request}").unwrap();
    let pid = child.id().to_string();
    let waits = async || {
        // It has read its request and waits for the pipe.
        std::fs::read_to_string(format!("/proc/{pid}/wchan")).is_ok_and(|_| runs(&pid))
    };
    eventually("the child runs", waits).await;
    drop(stdin);
    eventually("the child is gone", async || !runs(&pid)).await;
    child.wait().unwrap();
}

#[tokio::test]
async fn the_real_child_is_held_to_its_memory_and_file_sizes() {
    let mut run = Run::with(real_child());
    run.steps.clear();
    run.limits.memory_bytes_max = 1 << 20;
    let (problem, _) = run.fails().await;
    assert_eq!(
        problem.kind(),
        Some(ProblemKind::StepCrashed),
        "{}",
        problem.detail
    );

    // Without steps nothing is spilled: it is the correction that is larger.
    run.limits = Limits {
        scratch_bytes_max: 10_000,
        ..Limits::default()
    };
    let (problem, _) = run.fails().await;
    assert_eq!(problem.kind(), Some(ProblemKind::TooMuchScratch));
    assert!(
        problem
            .detail
            .contains("a larger file than a job may write"),
        "{}",
        problem.detail
    );
}
