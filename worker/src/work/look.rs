//! Whether trouble is the worker's own: it looks at what it needs for any job. While that is missing
//! it takes no jobs, and looks again until it is there.

use std::{fs, io, io::Write, process::Stdio, sync::Arc};

use jiff::Timestamp;
use retake_child::ChildProgram;
use retake_jobs::{
    backoff::Backoff,
    health::{Ailment, AilmentKind},
};

use super::{Worker, scratch::Scratch};

/// Below so much room on the scratch disk no job is begun.
const ROOM_BYTES_MIN: u64 = 64 << 20;
/// So much is written to see whether it can be.
const WRITTEN_BYTES: usize = 1 << 20;
/// Below so much memory for the whole machine no job is begun.
const MEMORY_BYTES_MIN: u64 = 128 << 20;

impl Worker {
    /// Looks, and tells whoever asks. Gives what is missing.
    pub(super) async fn look(&self) -> Option<AilmentKind> {
        let (scratch, program) = (Arc::clone(&self.scratch), self.parts.child.clone());
        let looked = tokio::task::spawn_blocking(move || look(&scratch, &program)).await;
        let found = looked.ok().and_then(Result::err);
        let was = self.parts.health.ailment();
        match (&was, found) {
            (None, None) => None,
            (Some(was), None) => {
                let kind = was.kind.name();
                tracing::info!(worker.name = self.name, kind, "the worker is well again");
                self.parts.health.set(None);
                None
            }
            (was, Some((kind, error))) => {
                let since = was.as_ref().map_or_else(Timestamp::now, |was| was.since);
                if was.is_none() {
                    let (name, kind) = (&self.name, kind.name());
                    tracing::error!(worker.name = name, kind, %error, "the worker takes no more jobs until this is over");
                }
                let detail = error.to_string();
                self.parts.health.set(Some(Ailment {
                    kind,
                    detail,
                    since,
                }));
                Some(kind)
            }
        }
    }

    /// Looks again and again while the worker is not well. Ends with the worker.
    pub(super) async fn look_until_well(&self) {
        let watch = async {
            loop {
                self.parts.health.unwell().await;
                let mut backoff = Backoff::outage();
                while self.parts.health.ailment().is_some() {
                    tokio::time::sleep(backoff.next()).await;
                    self.look().await;
                }
            }
        };
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = watch => {}
        }
    }
}

fn look(scratch: &Scratch, program: &ChildProgram) -> Result<(), (AilmentKind, io::Error)> {
    of_scratch(scratch).map_err(|error| (AilmentKind::Scratch, error))?;
    of_memory().map_err(|error| (AilmentKind::Memory, error))?;
    of_program(program).map_err(|error| (AilmentKind::Program, error))
}

fn of_scratch(scratch: &Scratch) -> io::Result<()> {
    scratch.make_sure()?;
    let scratch = scratch.path();
    let mut file = tempfile::tempfile_in(scratch)?;
    file.write_all(&vec![1; WRITTEN_BYTES])?;
    file.sync_data()?;
    let disk = rustix::fs::statvfs(scratch)?;
    let room = disk.f_bavail.saturating_mul(disk.f_frsize);
    if room < ROOM_BYTES_MIN {
        let told = format!("{room} bytes are left; at least {ROOM_BYTES_MIN} are needed");
        return Err(io::Error::new(io::ErrorKind::StorageFull, told));
    }
    Ok(())
}

fn of_memory() -> io::Result<()> {
    // What cannot be asked is not missing.
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match available(&text) {
        Some(bytes) if bytes < MEMORY_BYTES_MIN => {
            let told =
                format!("{bytes} bytes are available; at least {MEMORY_BYTES_MIN} are needed");
            Err(io::Error::new(io::ErrorKind::OutOfMemory, told))
        }
        _ => Ok(()),
    }
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib.saturating_mul(1024))
}

/// That it starts; it is told nothing and ends.
fn of_program(program: &ChildProgram) -> io::Result<()> {
    let mut child = program.command().stderr(Stdio::null()).spawn()?;
    let _ = child.kill();
    child.wait().map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_a_worker_needs_is_there_or_named() {
        let dir = tempfile::tempdir().unwrap();
        let program = |path: &str| ChildProgram {
            program: path.into(),
            arguments: Vec::new(),
        };
        let scratch = Scratch::open(dir.path().to_str().unwrap()).unwrap();
        look(&scratch, &program("/bin/true")).unwrap();
        let (kind, _) = look(&scratch, &program("/nowhere/at/all")).unwrap_err();
        assert_eq!(kind, AilmentKind::Program);
        // Nothing can be made where a file stands.
        fs::remove_dir_all(scratch.path()).unwrap();
        fs::write(scratch.path(), "").unwrap();
        let (kind, _) = look(&scratch, &program("/bin/true")).unwrap_err();
        assert_eq!(kind, AilmentKind::Scratch);
        fs::remove_file(scratch.path()).unwrap();
        look(&scratch, &program("/bin/true")).unwrap();
    }

    #[test]
    fn available_memory_is_read_from_the_systems_table() {
        let table = "MemTotal:       16 kB\nMemFree: 1 kB\nMemAvailable:    7 kB\n";
        assert_eq!(available(table), Some(7 * 1024));
        assert_eq!(available("nothing of the kind"), None);
    }
}
