//! The parent's side: starts a child, believes nothing it says that does not parse, and ends it at
//! the deadline or on cancel.

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::Signal;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    protocol::{Done, Failed, LINE_BYTES_MAX, Length, Line, Progress, Request},
    said::{Said, all_bounded},
};
use crate::{deadline::Deadline, words::plain};

/// A child that has said its last word and does not end is killed after this.
const LAST_WORD: Duration = Duration::from_secs(5);
/// So much of what it wrote to standard error is kept for the log.
const STDERR_BYTES_KEPT: u64 = 16 * 1024;

/// How to start the child.
#[derive(Debug, Clone)]
pub struct ChildProgram {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
}

impl ChildProgram {
    /// This very program, in its role `child`.
    pub fn this() -> io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            arguments: vec!["child".into()],
        })
    }
}

/// Where a child was when it was last heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inside {
    /// Decoding its input.
    Reading,
    /// Running steps; those whose code was running, by their place in the chain.
    Steps(Vec<usize>),
}

/// A child that did not finish.
#[derive(Debug)]
pub(crate) struct Unfinished {
    pub ended: Ended,
    pub said: Said,
}

/// How a child ended that did not finish.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It said why itself.
    Failed(Failed),
    /// It died, or said what no child of ours says.
    Crashed {
        how: String,
        inside: Inside,
    },
    /// Killed by the system or a person, for no reason of the child's.
    Killed {
        inside: Inside,
    },
    /// Killed by us.
    Deadline {
        inside: Inside,
    },
    Cancelled,
    /// It never began.
    NotStarted(io::Error),
}

/// Runs one request. `on_progress` hears the fraction and the step that sets the pace. Dropping the
/// future kills the child.
///
/// Call it from a thread that lives as long as the runtime (any worker thread does; a thread of
/// `spawn_blocking` does not): the kernel ends the child when the thread that started it ends.
pub(crate) async fn run_child(
    program: &ChildProgram,
    request: &Request,
    deadline: &Deadline,
    on_progress: &(dyn Fn(f32, Option<usize>) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Done, Unfinished> {
    let mut child = start(program, request).map_err(|error| Unfinished {
        ended: Ended::NotStarted(error),
        said: Said::default(),
    })?;
    let stdin = child.stdin.take().expect("it was asked for");
    let stdout = child.stdout.take().expect("it was asked for");
    let stderr = tokio::spawn(keep(child.stderr.take().expect("it was asked for")));

    let mut heard = Heard {
        reading: true,
        said: Said::of(request),
        ..Heard::default()
    };
    let stopped = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Stopped::Cancelled),
        () = deadline.passed() => Err(Stopped::Deadline),
        ended = converse(&mut child, stdin, stdout, request, &mut heard, deadline, on_progress) => {
            Ok(ended)
        }
    };
    // Harmless where it has ended.
    let _ = child.kill().await;
    let said = std::mem::take(&mut heard.said);
    let inside = heard.inside();
    let ended = match stopped {
        Err(Stopped::Cancelled) => Err(Ended::Cancelled),
        Err(Stopped::Deadline) => Err(Ended::Deadline { inside }),
        Ok((told, exit)) => verdict(told, exit, inside),
    };
    if let Err(Ended::Crashed { .. } | Ended::Killed { .. } | Ended::Deadline { .. }) = &ended {
        let written = timeout(LAST_WORD, stderr)
            .await
            .ok()
            .and_then(Result::ok)
            .unwrap_or_default();
        let written = plain(
            &String::from_utf8_lossy(&written),
            STDERR_BYTES_KEPT as usize,
        );
        tracing::warn!(ended = ?ended.as_ref().err(), said = written, "a child did not end well");
    }
    ended.map_err(|ended| Unfinished { ended, said })
}

enum Stopped {
    Cancelled,
    Deadline,
}

/// Nothing of the parent's environment goes in: it holds secrets, and foreign code runs there.
fn start(program: &ChildProgram, request: &Request) -> io::Result<Child> {
    let mut command = Command::new(&program.program);
    command
        .args(&program.arguments)
        .env_clear()
        .envs(std::env::var_os("RETAKE_LOG").map(|filter| ("RETAKE_LOG", filter)))
        .current_dir(&request.scratch_dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command.spawn()
}

async fn keep(stderr: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut stderr = stderr.take(STDERR_BYTES_KEPT);
    let _ = stderr.read_to_end(&mut kept).await;
    // A child that writes more must not be held up.
    let _ = tokio::io::copy(&mut stderr.into_inner(), &mut tokio::io::sink()).await;
    kept
}

/// The last word, and how the child ended after it; `None` if it did not.
type Conversation = (Result<Option<Last>, String>, Option<ExitStatus>);

enum Last {
    Done(Box<Done>),
    Failed(Failed),
}

async fn converse(
    child: &mut Child,
    mut stdin: ChildStdin,
    stdout: ChildStdout,
    request: &Request,
    heard: &mut Heard,
    deadline: &Deadline,
    on_progress: &(dyn Fn(f32, Option<usize>) + Send + Sync),
) -> Conversation {
    let mut line = serde_json::to_vec(request).expect("plain values");
    line.push(b'\n');
    // A child that died at once is seen by its exit, not here. The pipe stays open: its end tells
    // the child that we are gone.
    let _ = stdin.write_all(&line).await;
    let told = listen(stdout, heard, deadline, on_progress).await;
    if told.is_err() {
        return (told, None);
    }
    let exit = timeout(LAST_WORD, child.wait())
        .await
        .ok()
        .and_then(Result::ok);
    (told, exit)
}

/// Reads lines up to the last word or the end of the stream.
async fn listen(
    stdout: ChildStdout,
    heard: &mut Heard,
    deadline: &Deadline,
    on_progress: &(dyn Fn(f32, Option<usize>) + Send + Sync),
) -> Result<Option<Last>, String> {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut stdout)
            .take(LINE_BYTES_MAX as u64 + 1)
            .read_until(b'\n', &mut line)
            .await;
        if !line.ends_with(b"\n") {
            return match read {
                Ok(_) if line.len() > LINE_BYTES_MAX => Err(format!(
                    "it wrote a line of more than {LINE_BYTES_MAX} bytes"
                )),
                // What is left of a line that a dying child began means nothing.
                Ok(_) | Err(_) => Ok(None),
            };
        }
        let parsed = serde_json::from_slice(&line)
            .map_err(|error| format!("it wrote a line that cannot be read: {error}"))?;
        match parsed {
            Line::Read(length) => {
                heard.reading = false;
                deadline.set_audio(length.duration());
            }
            Line::Progress(progress) => {
                let fraction = progress.fraction.clamp(0.0, 1.0);
                on_progress(
                    if fraction.is_nan() { 0.0 } else { fraction },
                    progress.step,
                );
                heard.progress = progress;
            }
            Line::Log { step, line } => heard.said.log(step, &line),
            Line::Found(finding) => heard.said.found(finding),
            Line::Done(mut done) => {
                done.findings = all_bounded(done.findings);
                return Ok(Some(Last::Done(done)));
            }
            Line::Failed(failed) => return Ok(Some(Last::Failed(failed))),
        }
    }
}

fn verdict(
    told: Result<Option<Last>, String>,
    exit: Option<ExitStatus>,
    inside: Inside,
) -> Result<Done, Ended> {
    let how = match (told, exit) {
        (Ok(Some(Last::Failed(failed))), _) => return Err(Ended::Failed(failed)),
        (Ok(Some(Last::Done(done))), Some(exit)) if exit.success() => return Ok(*done),
        (Err(how), _) => how,
        (Ok(_), None) => "it did not end".to_owned(),
        (Ok(_), Some(exit)) => match (exit.signal(), exit.code()) {
            (Some(SIGKILL), _) => return Err(Ended::Killed { inside }),
            (Some(signal), _) => format!("it was ended by signal {signal}{}", signal_name(signal)),
            (None, code) => format!("it ended with code {} and no result", code.unwrap_or(-1)),
        },
    };
    Err(Ended::Crashed { how, inside })
}

/// The same number on every Unix.
const SIGKILL: i32 = 9;

fn signal_name(signal: i32) -> &'static str {
    let names = [
        (Signal::ABORT, " (abort; memory ran out, perhaps)"),
        (Signal::SEGV, " (segmentation fault)"),
        (Signal::BUS, " (bus error)"),
        (Signal::ILL, " (illegal instruction)"),
        (Signal::XFSZ, " (it wrote a larger file than it may)"),
        (Signal::TERM, " (terminated)"),
    ];
    names
        .into_iter()
        .find(|(known, _)| known.as_raw() == signal)
        .map_or("", |(_, name)| name)
}

#[derive(Default)]
struct Heard {
    reading: bool,
    progress: Progress,
    said: Said,
}

impl Heard {
    fn inside(self) -> Inside {
        if self.reading {
            return Inside::Reading;
        }
        match (self.progress.inside, self.progress.step) {
            (inside, Some(step)) if inside.is_empty() => Inside::Steps(vec![step]),
            (inside, _) => Inside::Steps(inside),
        }
    }
}

impl Length {
    fn duration(self) -> Duration {
        let seconds = self.frames as f64 / f64::from(self.sample_rate.max(1));
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}
