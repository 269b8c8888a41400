//! The parent's side: starts a child, believes nothing it says that does not parse, and ends it at
//! the deadline or on cancel.

use std::{
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use retake_child::{ChildProgram, conversation, ended};
use tokio::{
    io::{AsyncWriteExt, BufReader},
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
    /// It wrote a larger file than it may.
    TooMuchScratch {
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
    let stderr = child.stderr.take().expect("it was asked for");
    let stderr = tokio::spawn(conversation::words(stderr, STDERR_BYTES_KEPT));

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

fn start(program: &ChildProgram, request: &Request) -> io::Result<Child> {
    let mut command = Command::from(program.command());
    command
        .envs(std::env::var_os("RETAKE_LOG").map(|filter| ("RETAKE_LOG", filter)))
        .current_dir(&request.scratch_dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command.spawn()
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
    loop {
        let Some(line) = conversation::line(&mut stdout, LINE_BYTES_MAX).await else {
            return Ok(None);
        };
        match line? {
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
        (Ok(_), Some(exit)) if ended::was_killed(exit) => return Err(Ended::Killed { inside }),
        (Ok(_), Some(exit)) if ended::wrote_too_much(exit) => {
            return Err(Ended::TooMuchScratch { inside });
        }
        (Ok(_), Some(exit)) if exit.code().is_some() => {
            format!("it {} and no result", ended::in_words(exit))
        }
        (Ok(_), Some(exit)) => format!("it {}", ended::in_words(exit)),
    };
    Err(Ended::Crashed { how, inside })
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
