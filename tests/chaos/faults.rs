//! How each thing is struck. A fault returns when it is over: what was frozen goes on, what was full
//! has room, what was ended runs again.

use std::{
    fs,
    sync::{PoisonError, atomic::Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use retake_tests::{broker::Broker, process::Retake};
use rustix::{
    io::Errno,
    process::{Signal, kill_process},
};

use crate::{
    house::{House, Process},
    ledger::Ledger,
    plan::{Fault, Kind},
};

/// What is kept so that a full disk can be cleared. Where it was used a moment ago it is not there again.
const RESERVE_BYTES: u64 = 32 << 20;
/// After a sync that failed nothing is promised until the log was brought into the file, which waits for
/// whoever reads it.
const SYNCED_AGAIN_WITHIN: Duration = Duration::from_secs(10);
/// There is nearly always something to do.
const CLAIMED_WITHIN: Duration = Duration::from_secs(5);
/// A stop that takes longer is none.
const STOPPED_WITHIN: Duration = Duration::from_secs(60);

impl House {
    pub fn strike(&self, fault: Fault, ledger: &Ledger) -> Result<()> {
        let (server, worker) = (&self.servers[fault.target], &self.workers[fault.target]);
        let told = |what: String| ledger.happened(format!("[{:?}] {what}", fault.kind));
        match fault.kind {
            Kind::KillServer => self.kill(server, fault, ledger)?,
            Kind::KillWorker => self.kill(worker, fault, ledger)?,
            Kind::StopServer => self.stop(server, fault, ledger)?,
            Kind::StopWorker => self.stop(worker, fault, ledger)?,
            Kind::KillChild => kill_child(worker, &told),
            Kind::FreezeServer => freeze(server, false, fault.lasting, &told),
            Kind::FreezeWorker => freeze(worker, false, fault.lasting, &told),
            Kind::FreezeWorkerAndChildren => freeze(worker, true, fault.lasting, &told),
            Kind::FreezeAtClaim => self.freeze_at_claim(fault.lasting, ledger, &told),
            Kind::FailSyncs => {
                let error = match fault.target {
                    0 => Errno::IO,
                    _ => Errno::NOSPC,
                };
                told(format!("no sync gets to the disk: {error}"));
                self.may_fail_for(fault.lasting + SYNCED_AGAIN_WITHIN);
                self.syncs.fail(error)?;
                sleep(fault.lasting);
                self.syncs.work()?;
                told("the disk syncs again".to_owned());
            }
            Kind::FillDisk => {
                let kept = fs::metadata(self.data.path.join("retake.db-reserve"));
                let kept = kept.is_ok_and(|reserve| reserve.len() >= RESERVE_BYTES);
                self.room_was_kept.store(kept, Ordering::Relaxed);
                self.data.fill()?;
                told(format!(
                    "the data folder's disk is full; room for deletions: {kept}"
                ));
                sleep(fault.lasting);
                self.data.clear();
                told("the data folder's disk has room again".to_owned());
            }
            Kind::FillScratch => {
                let disk = &self.scratch[fault.target];
                told(format!("the scratch disk of {} is full", worker.name));
                disk.fill()?;
                sleep(fault.lasting);
                disk.clear();
                told(format!(
                    "the scratch disk of {} has room again",
                    worker.name
                ));
            }
            Kind::RemoveScratch => {
                told(format!("somebody tidies the scratch of {} up", worker.name));
                for entry in fs::read_dir(&self.scratch[fault.target].path)?.flatten() {
                    let _ = fs::remove_dir_all(entry.path());
                }
            }
            Kind::RemoveNeighbours => {
                told("somebody removes the sockets for news".to_owned());
                let _ = fs::remove_dir_all(self.data.path.join("retake.db-neighbours"));
            }
            Kind::SetClock => {
                told(format!("the clock is {:+} s from the truth", fault.seconds));
                self.set_clock(fault.seconds)?;
            }
            Kind::PurgeQueue | Kind::CloseConnections | Kind::BlockBroker | Kind::KillBroker => {
                let broker = self.broker.as_ref().context("a broker")?;
                let _alone = self.breaking.lock().unwrap_or_else(PoisonError::into_inner);
                strike_broker(broker, fault, &told);
            }
        }
        Ok(())
    }

    fn may_fail_for(&self, time: Duration) {
        let known = self.may_fail_until.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        *known = (*known).max(Some(Instant::now() + time));
    }

    /// Whoever was given the job cannot say so any more, and has hardly begun.
    fn freeze_at_claim(&self, lasting: Duration, ledger: &Ledger, told: &dyn Fn(String)) {
        let before = ledger.pages().begun;
        let asked = Instant::now();
        while ledger.pages().begun == before && asked.elapsed() < CLAIMED_WITHIN {
            sleep(Duration::from_millis(1));
        }
        let workers: Vec<_> = self.workers.iter().map(Process::running).collect();
        let workers: Vec<_> = workers
            .iter()
            .filter_map(|worker| worker.as_ref())
            .collect();
        workers.iter().for_each(|worker| worker.suspend());
        told(format!(
            "{} workers freeze, one with a new job",
            workers.len()
        ));
        sleep(lasting);
        workers.iter().for_each(|worker| worker.resume());
        told(format!("they go on after {lasting:?}"));
    }

    fn kill(&self, process: &Process, fault: Fault, ledger: &Ledger) -> Result<()> {
        let mut running = process.running();
        ledger.happened(format!("[{:?}] kill -9 {}", fault.kind, process.name));
        if let Some(retake) = running.as_mut() {
            retake.kill();
        }
        self.start_again(process, &mut running, fault, ledger)
    }

    fn stop(&self, process: &Process, fault: Fault, ledger: &Ledger) -> Result<()> {
        let mut running = process.running();
        ledger.happened(format!("[{:?}] SIGTERM to {}", fault.kind, process.name));
        if let Some(retake) = running.as_mut()
            && let Err(error) = retake.terminate(STOPPED_WITHIN)
        {
            ledger.complain(None, format!("{}: {error:#}", process.name));
        }
        self.start_again(process, &mut running, fault, ledger)
    }

    fn start_again(
        &self,
        process: &Process,
        running: &mut Option<Retake>,
        fault: Fault,
        ledger: &Ledger,
    ) -> Result<()> {
        *running = None;
        sleep(fault.lasting);
        self.start_process(process, running, ledger)?;
        ledger.happened(format!("{} runs again", process.name));
        Ok(())
    }
}

fn kill_child(worker: &Process, told: &dyn Fn(String)) {
    // There is one nearly always; a worker without work has none.
    for _ in 0..300 {
        let running = worker.running();
        let children = running.as_ref().map_or_else(Vec::new, Retake::children);
        if let Some(child) = children.first() {
            let _ = kill_process(*child, Signal::KILL);
            return told(format!(
                "kill -9 {}, a child of {}",
                child.as_raw_pid(),
                worker.name
            ));
        }
        drop(running);
        sleep(Duration::from_millis(10));
    }
    told(format!("{} had no child", worker.name));
}

fn freeze(process: &Process, and_children: bool, lasting: Duration, told: &dyn Fn(String)) {
    let running = process.running();
    let Some(retake) = running.as_ref() else {
        return;
    };
    let children = match and_children {
        true => retake.children(),
        false => Vec::new(),
    };
    told(format!(
        "{} and {} children freeze",
        process.name,
        children.len()
    ));
    retake.suspend();
    for child in &children {
        let _ = kill_process(*child, Signal::STOP);
    }
    sleep(lasting);
    for child in &children {
        let _ = kill_process(*child, Signal::CONT);
    }
    retake.resume();
    told(format!("{} goes on after {lasting:?}", process.name));
}

/// What cannot be done, because the broker is just down, is said and left.
fn strike_broker(broker: &Broker, fault: Fault, told: &dyn Fn(String)) {
    let ctl = |arguments: &[&str]| {
        if let Err(error) = broker.ctl(arguments) {
            let why = format!("{error:#}");
            told(format!(
                "{}: {}",
                arguments[0],
                why.lines().next().unwrap_or_default()
            ));
        }
    };
    match fault.kind {
        Kind::PurgeQueue => {
            ctl(&["purge_queue", "retake.jobs"]);
            told("the job queue was purged".to_owned());
        }
        Kind::CloseConnections => {
            ctl(&["close_all_connections", "chaos"]);
            told("all connections were closed".to_owned());
        }
        Kind::BlockBroker => {
            told("the broker is short of memory".to_owned());
            ctl(&["set_vm_memory_high_watermark", "absolute", "1"]);
            sleep(fault.lasting);
            ctl(&["set_vm_memory_high_watermark", "0.4"]);
            told("the broker has memory again".to_owned());
        }
        _ => {
            told("kill -9 the broker".to_owned());
            match broker.kill_and_restart() {
                Ok(()) => told("the broker runs again".to_owned()),
                Err(error) => told(format!("the broker does not start: {error:#}")),
            }
        }
    }
}
