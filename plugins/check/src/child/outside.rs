//! The parent's side: starts the children, believes nothing that does not parse, and ends a child whose
//! check does not come back.

use std::{
    collections::HashSet,
    fs,
    io::{self, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use retake_child::{ChildProgram, conversation, ended};
use retake_plugin_host::{Cache, Installed};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::protocol::{LINE_BYTES_MAX, Line, Part, Request};
use crate::{
    bench::BenchReport,
    kit,
    report::{Check, CheckReport, Cost, Outcome},
};

/// So much of what a child wrote to standard error is shown where it crashed.
const STDERR_BYTES_KEPT: u64 = 2 << 10;

/// What a run of the kit is given.
#[derive(Debug, Clone)]
pub struct CheckTerms {
    /// For all checks together.
    pub deadline: Duration,
    /// For each check.
    pub check_deadline: Duration,
    /// What the child may write to of memory. A session has up to 256 MiB.
    pub memory_bytes_max: u64,
    /// Ids of the checks to run; empty means all. Those of the file itself run in any case.
    pub only: Vec<String>,
    /// Parameter values to check the plugin at, instead of its defaults.
    pub params: Map<String, Value>,
}

impl Default for CheckTerms {
    /// A plugin in C or Rust takes seconds; one that brings an interpreter is a hundred times slower.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(600),
            check_deadline: Duration::from_secs(180),
            memory_bytes_max: 3 << 30,
            only: Vec::new(),
            params: Map::new(),
        }
    }
}

/// Runs the kit over a plugin's file. Blocks until it is done, which is by the deadline at the latest;
/// the children end with the calling thread.
///
/// A plugin at fault is no error: the report says so. Errors are the caller's (unknown check, values
/// that are not the plugin's: [`io::ErrorKind::InvalidInput`]) or the machine's.
pub fn check_in_child(
    child: &ChildProgram,
    cache_dir: &Path,
    wasm: &Path,
    terms: &CheckTerms,
) -> io::Result<CheckReport> {
    if let Some(unknown) = terms.only.iter().find(|id| !kit::is_known(id)) {
        let known: Vec<_> = kit::checks().iter().map(|known| known.id).collect();
        return Err(invalid(format!(
            "there is no check \"{unknown}\"; the checks are: {}",
            known.join(", ")
        )));
    }
    let mut parts = Parts::new(child, cache_dir, wasm, terms)?;
    let installed = parts.install()?;
    let digest = parts.digest.clone();
    if installed.is_some() {
        parts.run(Part::Run {
            digest: digest.clone(),
        })?;
    }
    let mut checks = parts.checks;
    add_skipped(&mut checks, &terms.only);
    Ok(CheckReport {
        digest,
        manifest: installed.map(|installed| installed.manifest),
        checks,
        cost: parts.cost,
    })
}

/// Measures what a plugin costs, in a child. Blocks as [`check_in_child`] does.
///
/// A plugin that cannot be installed, or measured, is an error of kind
/// [`io::ErrorKind::InvalidData`].
pub fn bench_in_child(
    child: &ChildProgram,
    cache_dir: &Path,
    wasm: &Path,
    terms: &CheckTerms,
) -> io::Result<BenchReport> {
    let mut parts = Parts::new(child, cache_dir, wasm, terms)?;
    parts.install()?;
    let at_fault = |detail: &str| io::Error::new(io::ErrorKind::InvalidData, detail.to_owned());
    let failed = |check: &&Check| check.outcome == Outcome::Failed;
    if let Some(failed) = parts.checks.iter().find(failed) {
        return Err(at_fault(&failed.detail));
    }
    parts.run(Part::Bench {
        digest: parts.digest.clone(),
        install_ms: parts.install_ms,
    })?;
    match parts.benched {
        Some(Ok(report)) => Ok(report),
        Some(Err(detail)) => Err(at_fault(&detail)),
        None => Err(io::Error::other("the child measured nothing")),
    }
}

/// The children one after the other, and what they have said so far.
struct Parts<'a> {
    child: &'a ChildProgram,
    cache_dir: &'a Path,
    wasm: &'a Path,
    terms: &'a CheckTerms,
    until: Instant,
    digest: String,
    install_ms: f64,
    checks: Vec<Check>,
    cost: Option<Cost>,
    benched: Option<Result<BenchReport, String>>,
}

impl<'a> Parts<'a> {
    fn new(
        child: &'a ChildProgram,
        cache_dir: &'a Path,
        wasm: &'a Path,
        terms: &'a CheckTerms,
    ) -> io::Result<Self> {
        let bytes = Sha256::digest(fs::read(wasm)?);
        let started = Instant::now();
        Ok(Self {
            child,
            cache_dir,
            wasm,
            terms,
            until: started.checked_add(terms.deadline).unwrap_or(started),
            digest: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            install_ms: 0.0,
            checks: Vec::new(),
            cost: None,
            benched: None,
        })
    }

    /// None where the plugin is at fault; the checks say why.
    fn install(&mut self) -> io::Result<Option<Installed>> {
        self.run(Part::Install)?;
        if self
            .checks
            .iter()
            .any(|check| check.outcome == Outcome::Failed)
        {
            return Ok(None);
        }
        let cache = Cache::open(self.cache_dir).map_err(io::Error::other)?;
        // The file may have been exchanged between our reading and the child's.
        match cache.lookup(&self.digest) {
            Some(installed) => Ok(Some(installed)),
            None => Err(io::Error::other(
                "the plugin was compiled and then not found",
            )),
        }
    }

    fn run(&mut self, part: Part) -> io::Result<()> {
        let request = Request {
            parent_pid: rustix::process::getpid().as_raw_pid(),
            part,
            only: self.terms.only.clone(),
            params: self.terms.params.clone(),
            memory_bytes_max: self.terms.memory_bytes_max,
        };
        let mut child = Running::start(self.child, self.cache_dir, self.wasm, &request)?;
        let mut inside: Option<String> = None;
        loop {
            let patience = self
                .terms
                .check_deadline
                .min(self.until.saturating_duration_since(Instant::now()));
            match child.lines.recv_timeout(patience) {
                Ok(Ok(Line::Began(id))) => inside = Some(id),
                Ok(Ok(Line::Ended(check))) => {
                    inside = None;
                    self.checks.push(check);
                }
                Ok(Ok(Line::Installed { ms })) => self.install_ms = ms,
                Ok(Ok(Line::Benched(report))) => self.benched = Some(Ok(*report)),
                Ok(Ok(Line::NotBenched(detail))) => {
                    self.benched = Some(Err(detail));
                    return Ok(());
                }
                Ok(Ok(Line::Cost(cost))) => self.cost = Some(cost),
                Ok(Ok(Line::BadParams(detail))) => return Err(invalid(detail)),
                Ok(Ok(Line::Trouble(detail))) => return Err(io::Error::other(detail)),
                Ok(Ok(Line::Done)) => return Ok(()),
                Ok(Err(how)) => return self.ended_within(inside, &how),
                Err(RecvTimeoutError::Timeout) => {
                    let how = format!("it did not come back within {} s", patience.as_secs_f32());
                    return self.ended_within(inside, &how);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let how = child.how_it_ended()?;
                    return self.ended_within(inside, &how);
                }
            }
        }
    }

    /// The child is gone, or about to be killed, in the middle of a check.
    fn ended_within(&mut self, inside: Option<String>, how: &str) -> io::Result<()> {
        let Some(id) = inside else {
            return Err(io::Error::other(format!(
                "the process that checks plugins ended before its work did: {how}"
            )));
        };
        let known = kit::checks().into_iter().find(|known| known.id == id);
        let known = known.ok_or_else(|| io::Error::other(format!("an unknown check: {id}")))?;
        self.checks.push(Check {
            id: known.id.to_owned(),
            title: known.title.to_owned(),
            outcome: Outcome::Failed,
            detail: format!(
                "{how}. A plugin that loops without end, or eats the memory of its process, is ended \
                 with its job; {}",
                kit::see(known.id)
            ),
        });
        Ok(())
    }
}

/// Checks that were asked for and never began.
fn add_skipped(checks: &mut Vec<Check>, only: &[String]) {
    let ran: HashSet<String> = checks.iter().map(|check| check.id.clone()).collect();
    let Some(last) = checks.last().filter(|last| last.outcome == Outcome::Failed) else {
        return;
    };
    let detail = format!("not run, because of what the check \"{}\" found", last.id);
    for known in kit::checks() {
        let asked = only.is_empty() || only.iter().any(|id| id == known.id);
        if asked && !ran.contains(known.id) {
            checks.push(Check {
                id: known.id.to_owned(),
                title: known.title.to_owned(),
                outcome: Outcome::Skipped,
                detail: detail.clone(),
            });
        }
    }
}

/// A child, killed when this is dropped.
struct Running {
    child: Child,
    /// Held, not written to any more. (`Child::wait` would close it, were it still within.)
    _stdin: ChildStdin,
    /// An error is a line that no child of ours says.
    lines: Receiver<Result<Line, String>>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    fn start(
        program: &ChildProgram,
        cache_dir: &Path,
        wasm: &Path,
        request: &Request,
    ) -> io::Result<Self> {
        let mut child = program
            .command()
            .arg(cache_dir)
            .arg(wasm)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().expect("it was asked for");
        let stderr = child.stderr.take().expect("it was asked for");
        let mut request = serde_json::to_vec(request).expect("plain values");
        request.push(b'\n');
        // A child that died at once is seen by its exit, not here. The pipe stays open: its end tells
        // the child that we are gone.
        let mut stdin = child.stdin.take().expect("it was asked for");
        let _ = stdin.write_all(&request);
        let (tell, lines) = sync_channel(16);
        thread::spawn(move || listen(stdout, |line| tell.send(line).is_ok()));
        Ok(Self {
            child,
            _stdin: stdin,
            lines,
            stderr: Some(thread::spawn(move || keep(stderr))),
        })
    }

    /// After its last line: there is nothing to wait long for.
    fn how_it_ended(&mut self) -> io::Result<String> {
        let exit = self.child.wait()?;
        let said = self.stderr.take().and_then(|thread| thread.join().ok());
        Ok(format!(
            "its process {}{}",
            ended::in_words(exit),
            said.filter(|said| !said.is_empty())
                .map_or(String::new(), |said| format!(", having said: {said}"))
        ))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Harmless where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stdout: ChildStdout, mut tell: impl FnMut(Result<Line, String>) -> bool) {
    let mut stdout = BufReader::new(stdout);
    while let Some(line) = conversation::line_blocking(&mut stdout, LINE_BYTES_MAX) {
        let is_last = line.is_err();
        if !tell(line) || is_last {
            return;
        }
    }
}

fn keep(stderr: ChildStderr) -> String {
    let kept = conversation::words_blocking(stderr, STDERR_BYTES_KEPT);
    let said = String::from_utf8_lossy(&kept);
    said.trim().replace(retake_words::is_hidden, " ")
}

fn invalid(detail: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, detail)
}
