//! CPU time of the threads that run a plugin, also while its call has not come back.

use std::{fs, path::PathBuf, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use crate::record::StageRecord;

/// What times in `/proc` are counted in, on every machine that we run on.
const TICKS_PER_S: u64 = 100;

thread_local! {
    static THREAD: u32 = thread_id().unwrap_or(0);
}

/// A call that has not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Running {
    /// As the system numbers it; 0 where it does not say.
    thread: u32,
    /// What the thread had taken when it began.
    start: Duration,
}

impl Running {
    fn here() -> Self {
        Self {
            thread: THREAD.with(|thread| *thread),
            start: thread_cpu(),
        }
    }

    /// As another thread sees it, to a hundredth of a second. Nothing where the system does not say.
    pub fn spent(&self) -> Duration {
        let path = format!("/proc/self/task/{}/stat", self.thread);
        let stat = fs::read_to_string(path).unwrap_or_default();
        let taken = ticks(&stat).map_or(Duration::ZERO, |ticks| {
            Duration::from_millis(ticks.saturating_mul(1_000) / TICKS_PER_S)
        });
        taken.saturating_sub(self.start)
    }
}

/// `PID/task/TID`.
fn thread_id() -> Option<u32> {
    let task: PathBuf = fs::read_link("/proc/thread-self").ok()?;
    task.file_name()?.to_str()?.parse().ok()
}

/// User and system time of a line of `/proc/PID/stat`. The name in it may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

/// A call of this thread, from its start to its drop.
pub(crate) struct Call {
    record: StageRecord,
    running: Running,
    counts: bool,
}

impl Call {
    /// Its time is what the stage costs.
    pub fn start(record: &StageRecord) -> Self {
        Self::begin(record, true)
    }

    /// Opening costs once, whatever the audio's length: it is watched and not counted.
    pub fn opening(record: &StageRecord) -> Self {
        Self::begin(record, false)
    }

    fn begin(record: &StageRecord, counts: bool) -> Self {
        let running = Running::here();
        record.call_begins(running);
        Self {
            record: record.clone(),
            running,
            counts,
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let cpu = match self.counts {
            true => thread_cpu().saturating_sub(self.running.start),
            false => Duration::ZERO,
        };
        self.record.call_ends(self.running, cpu);
    }
}

fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering::Relaxed},
        thread,
        time::Instant,
    };

    use super::*;

    #[test]
    fn a_call_that_does_not_come_back_is_counted_as_it_goes_on_and_once_when_it_ends() {
        let (record, done) = (StageRecord::default(), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _call = Call::start(&record);
                while !done.load(Relaxed) {
                    std::hint::spin_loop();
                }
            });
            let patience = Instant::now();
            while record.cpu_so_far() < Duration::from_millis(100) {
                assert!(patience.elapsed() < Duration::from_secs(60), "not seen");
                thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(record.cpu(), Duration::ZERO, "it has not come back");
            done.store(true, Relaxed);
        });
        assert!(
            record.cpu() >= Duration::from_millis(90),
            "{:?}",
            record.cpu()
        );
        assert_eq!(record.cpu_so_far(), record.cpu());
    }

    #[test]
    fn opening_is_watched_and_does_not_count() {
        let record = StageRecord::default();
        let call = Call::opening(&record);
        let patience = Instant::now();
        while record.cpu_so_far() < Duration::from_millis(50) {
            assert!(patience.elapsed() < Duration::from_secs(60), "not seen");
        }
        drop(call);
        assert_eq!(record.cpu_so_far(), Duration::ZERO);
    }

    #[test]
    fn a_threads_times_are_found_behind_any_name() {
        let stat = |name: &str| format!("12 ({name}) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20 0 1 0");
        for name in ["a", "a b", "a) S 1 (", ""] {
            assert_eq!(ticks(&stat(name)), Some(42), "{name:?}");
        }
        for damaged in [
            "",
            "12 (a) S 1 2",
            "12 a S 1 2 3 4 5 6 7 8 9 10 30 12",
            "(a) S 1 2 3 4 5 6 7 8 9 10 x 12",
        ] {
            assert_eq!(ticks(damaged), None, "{damaged:?}");
        }
    }
}
