//! Real `retake` processes. Dropping one kills it, by pid, with everything it started.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// The program, as `cargo build` left it beside the tests, or the one that `RETAKE_TEST_PROGRAM` names.
pub fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("RETAKE_TEST_PROGRAM") {
        return program.into();
    }
    let test = std::env::current_exe().expect("the test knows its own path");
    // target/<profile>/deps/it-… -> target/<profile>/retake
    let folder = test
        .ancestors()
        .nth(2)
        .expect("tests run from target/<profile>/deps");
    let program = folder.join("retake");
    assert!(
        program.exists(),
        "{} is missing: run make test",
        program.display()
    );
    program
}

pub struct Retake {
    child: Child,
    /// Where it listens, for roles that do: `http://127.0.0.1:port`.
    pub url: String,
}

/// What to start: a role with its settings.
pub struct Start<'a> {
    role: &'a str,
    data: &'a Path,
    settings: Vec<String>,
    environment: Vec<(String, String)>,
    descriptors: Option<u32>,
    file_bytes_max: Option<u64>,
    log: PathBuf,
}

impl<'a> Start<'a> {
    /// `up`, `server` or `worker`, with its data in `data`.
    pub fn new(role: &'a str, data: &'a Path) -> Self {
        Self {
            role,
            data,
            settings: Vec::new(),
            environment: Vec::new(),
            descriptors: None,
            file_bytes_max: None,
            log: data.join(format!("{role}.log")),
        }
    }

    pub fn set(mut self, setting: impl Into<String>) -> Self {
        self.settings.push(setting.into());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where its log goes instead of `ROLE.log` in the data folder.
    pub fn log(mut self, file: impl Into<PathBuf>) -> Self {
        self.log = file.into();
        self
    }

    /// As started by a shell that allows so many file descriptors, softly.
    pub fn descriptors(mut self, soft_limit: u32) -> Self {
        self.descriptors = Some(soft_limit);
        self
    }

    /// No file of it may grow beyond this: what a full disk is to root too.
    pub fn file_bytes_max(mut self, bytes: u64) -> Self {
        self.file_bytes_max = Some(bytes);
        self
    }

    /// Starts it and waits until it says that it is ready.
    pub fn start(self) -> Result<Retake> {
        let mut limits = String::new();
        if let Some(limit) = self.descriptors {
            limits.push_str(&format!("ulimit -Sn {limit} && "));
        }
        if let Some(bytes) = self.file_bytes_max {
            // The write fails instead of the process: the signal is ignored, which is inherited.
            limits.push_str(&format!("trap '' XFSZ && ulimit -f {} && ", bytes / 1024));
        }
        let mut command = match limits.as_str() {
            "" => Command::new(program()),
            limits => {
                let mut shell = Command::new("bash");
                shell.arg("-c").arg(format!("{limits}exec \"$0\" \"$@\""));
                shell.arg(program());
                shell
            }
        };
        command.arg(self.role).arg("--data").arg(self.data);
        if self.role != "worker" {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        command
            .env_remove("RETAKE_QUEUE_URL")
            .envs(self.environment);
        command.stdout(Stdio::piped()).stdin(Stdio::null());
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&self.log)?;
        command.stderr(log);
        let mut child = command
            .spawn()
            .with_context(|| format!("starting {}", self.role))?;

        let stdout = child.stdout.take().expect("piped");
        let (ready, told) = mpsc::channel();
        // The thread ends with the process's standard output.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(rest) = line.strip_prefix("ready") {
                    let _ = ready.send(rest.trim_start_matches(':').trim().to_owned());
                }
            }
        });
        match told.recv_timeout(Duration::from_secs(120)) {
            Ok(url) => Ok(Retake { child, url }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                let log = std::fs::read_to_string(&self.log);
                bail!(
                    "{} did not become ready:\n{}",
                    self.role,
                    log.unwrap_or_default()
                )
            }
        }
    }
}

impl Retake {
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// `kill -9`: nothing in the process gets to say goodbye.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    pub fn suspend(&self) {
        let _ = kill_process(self.pid(), Signal::STOP);
    }

    pub fn resume(&self) {
        let _ = kill_process(self.pid(), Signal::CONT);
    }

    /// SIGTERM, and how long the process took to end.
    pub fn terminate(&mut self, within: Duration) -> Result<Duration> {
        let begun = std::time::Instant::now();
        kill_process(self.pid(), Signal::TERM)?;
        while begun.elapsed() < within {
            if self.child.try_wait()?.is_some() {
                return Ok(begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("still running {within:?} after SIGTERM")
    }

    /// What it has open: files by their paths, and the kernel's names for the rest.
    pub fn descriptors(&self) -> Vec<String> {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        let links = open.into_iter().flatten().flatten();
        links
            .filter_map(|link| std::fs::read_link(link.path()).ok())
            .map(|path| path.display().to_string())
            .collect()
    }

    /// The processes this one has started and that still live.
    pub fn children(&self) -> Vec<Pid> {
        let pid = self.child.id();
        let threads = std::fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten();
        threads
            .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
            .flat_map(|pids| {
                pids.split_whitespace()
                    .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

impl Drop for Retake {
    fn drop(&mut self) {
        // Audio work runs in children that die with their parent.
        self.kill();
    }
}
