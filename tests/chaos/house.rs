//! What is struck: an installation of two servers and two workers, each started again whenever it has
//! ended, on disks of their own, with a clock that can be set, and a broker where there is one.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use retake_tests::{
    broker::Broker,
    client::PATIENCE,
    process::{Retake, Start},
    root,
    syncs::Syncs,
};

use crate::{
    disk::Disk,
    ledger::Ledger,
    plan::{LEASE, Means},
};

/// Room for the database, its reserve, compiled plugins, and what waits.
const DATA_BYTES: u64 = 512 << 20;
/// What is kept is not deleted while it goes on: a disk that fills by itself would be no fault of ours to strike.
const DATA_BYTES_PER_SECOND: u64 = 4 << 20;
/// Below 64 MiB of it no worker begins a job.
const SCRATCH_BYTES: u64 = 192 << 20;
const AGAIN: Duration = Duration::from_millis(300);
/// Where Debian has the library for programs of several threads.
const FAKETIME: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];

pub struct Process {
    pub name: String,
    role: &'static str,
    /// Of a worker.
    scratch: Option<PathBuf>,
    running: Mutex<Option<Retake>>,
    url: Mutex<String>,
}

pub struct House {
    pub servers: Vec<Process>,
    pub workers: Vec<Process>,
    pub broker: Option<Broker>,
    /// One fault of the broker at a time: it is slow to start.
    pub breaking: Mutex<()>,
    pub means: Means,
    pub data: Disk,
    pub scratch: Vec<Disk>,
    clock: PathBuf,
    faketime: Option<&'static str>,
    pub syncs: Syncs,
    /// Until then a disk that does not sync, or did not a moment ago, is a reason for a 500.
    pub may_fail_until: Mutex<Option<Instant>>,
    /// Whether there was room for deletions when the disk was last filled.
    pub room_was_kept: AtomicBool,
    /// Logs, and what must go last.
    pub folder: tempfile::TempDir,
}

impl House {
    /// Everything runs.
    pub fn start(with_broker: bool, length: Duration, ledger: &Ledger) -> Result<Self> {
        let data_bytes = DATA_BYTES + length.as_secs() * DATA_BYTES_PER_SECOND;
        let folder = tempfile::tempdir()?;
        let faketime = FAKETIME.into_iter().find(|path| Path::new(path).exists());
        let means = Means {
            broker: with_broker,
            disks: Disk::can_be_mounted(folder.path()),
            clocks: faketime.is_some(),
        };
        say_what_is_left_out(means);
        let at = |name: &str| folder.path().join(name);
        let data = Disk::new(at("data"), data_bytes, means.disks)?;
        let scratch: Vec<_> = (0..2)
            .map(|n| Disk::new(at(&format!("scratch-{n}")), SCRATCH_BYTES, means.disks))
            .collect::<Result<_>>()?;
        fs::create_dir(at("plugins"))?;
        let puppet = root().join("dist/test-plugins/puppet.wasm");
        fs::copy(puppet, at("plugins/puppet.wasm")).context("run make plugins")?;
        let house = Self {
            servers: (0..2).map(|n| Process::new("server", n, None)).collect(),
            workers: (0..2)
                .map(|n| Process::new("worker", n, Some(scratch[n].path.clone())))
                .collect(),
            broker: with_broker.then(Broker::start).transpose()?,
            breaking: Mutex::default(),
            means,
            data,
            scratch,
            clock: at("clock"),
            faketime,
            syncs: Syncs::new(folder.path())?,
            may_fail_until: Mutex::default(),
            room_was_kept: AtomicBool::new(true),
            folder,
        };
        house.set_clock(0)?;
        for process in house.processes() {
            let mut running = process.running();
            house.start_process(process, &mut running, ledger)?;
        }
        Ok(house)
    }

    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.servers.iter().chain(&self.workers)
    }

    pub fn log_of(&self, process: &Process) -> PathBuf {
        self.folder.path().join(format!("{}.log", process.name))
    }

    /// As whoever keeps services running does it: again and again until it says that it is ready. It
    /// may well not be while its disk is full.
    pub fn start_process(
        &self,
        process: &Process,
        running: &mut Option<Retake>,
        ledger: &Ledger,
    ) -> Result<()> {
        let begun = Instant::now();
        loop {
            match self.how_to_start(process).start() {
                Ok(retake) => {
                    process.url().clone_from(&retake.url);
                    *running = Some(retake);
                    return Ok(());
                }
                Err(error) if begun.elapsed() > PATIENCE => {
                    bail!("{} does not start: {error:#}", process.name)
                }
                Err(error) => {
                    let why = format!("{error:#}");
                    let last = why.lines().last().unwrap_or_default();
                    ledger.happened(format!("{} did not start: {last}", process.name));
                    std::thread::sleep(AGAIN);
                }
            }
        }
    }

    /// Attempts and everything else that decides what becomes of a job are the defaults. Leases are
    /// shorter, so that freezes can be; a job's time too, so that a plugin that loops ends in a minute.
    fn how_to_start<'a>(&'a self, process: &Process) -> Start<'a> {
        let mut start = Start::new(process.role, &self.data.path)
            .log(self.log_of(process))
            .set(format!(
                "plugins={}",
                self.folder.path().join("plugins").display()
            ))
            .set(format!("worker.lease_ms={}", LEASE.as_millis()))
            .set("worker.heartbeat_ms=500")
            .set("worker.retry_ms_max=5000")
            .set("worker.deadline_ms=20000")
            .set("server.keep_alive_ms=2000")
            .set("server.drain_ms=3000")
            .set("worker.grace_ms=1000")
            .env("RETAKE_LOG", "info,retake_worker=debug");
        if let Some(scratch) = &process.scratch {
            start = start
                .set(format!("worker.scratch_dir={}", scratch.display()))
                .set("worker.slots=2");
        }
        if let Some(broker) = &self.broker {
            start = start.env("RETAKE_QUEUE_URL", &broker.url);
        }
        for (name, value) in self.syncs.environment(self.faketime) {
            start = start.env(name, &value);
        }
        if self.faketime.is_some() {
            for (name, value) in [
                ("FAKETIME_CACHE_DURATION", "1"),
                // What is steady stays so, and files are as old as they are.
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
                ("NO_FAKE_STAT", "1"),
                ("FAKETIME_DISABLE_SHM", "1"),
            ] {
                start = start.env(name, value);
            }
            let clock = self.clock.display().to_string();
            start = start.env("FAKETIME_TIMESTAMP_FILE", &clock);
        }
        start
    }

    /// Whether a server may just now say that something broke within.
    pub fn may_fail(&self) -> bool {
        let until = self.may_fail_until.lock();
        let until = until.unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Whether the disk did not sync at some time.
    pub fn syncs_failed(&self) -> bool {
        let until = self.may_fail_until.lock();
        until.unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// For all processes, so many seconds away from the truth.
    pub fn set_clock(&self, seconds: i64) -> Result<()> {
        let new = self.clock.with_extension("new");
        fs::write(&new, format!("{seconds:+}"))?;
        Ok(fs::rename(new, &self.clock)?)
    }

    /// Starts again whoever ended without having been told to, which is a complaint.
    pub fn look_for_the_dead(&self, ledger: &Ledger) -> Result<()> {
        for process in self.processes() {
            // Whoever is being struck is looked at later.
            let Ok(mut running) = process.running.try_lock() else {
                continue;
            };
            if let Some(exit) = running.as_mut().and_then(Retake::ended) {
                ledger.complain(None, format!("{} ended by itself: {exit}", process.name));
                self.start_process(process, &mut running, ledger)?;
            }
        }
        Ok(())
    }
}

impl Process {
    fn new(role: &'static str, n: usize, scratch: Option<PathBuf>) -> Self {
        Self {
            name: format!("{role}-{n}"),
            role,
            scratch,
            running: Mutex::default(),
            url: Mutex::default(),
        }
    }

    /// Whoever holds this may end and start it.
    pub fn running(&self) -> MutexGuard<'_, Option<Retake>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of a server: where it was last.
    pub fn url(&self) -> MutexGuard<'_, String> {
        self.url.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Loudly: who reads "passed" must know what was not tried.
fn say_what_is_left_out(means: Means) {
    if !means.disks {
        println!("chaos: NOT TRIED here: full disks (mounting is not permitted)");
    }
    if !means.clocks {
        println!(
            "chaos: NOT TRIED here: clocks that jump (libfaketime is not installed: make test-setup)"
        );
    }
}
