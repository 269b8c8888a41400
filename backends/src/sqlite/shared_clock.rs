//! The time of everybody who shares the file.
//!
//! Leases, retries and messages that are due later are times that one process writes and another
//! reads. Were they the wall clock's, then setting it back by an hour would make jobs wait for an
//! hour. So all processes of a machine take its steady clock, which nobody sets, plus an offset that
//! stands in the file. The offset follows the wall clock slowly, a tenth of a second in a second, so
//! that what people read is right in the end and no lease gets much longer or shorter meanwhile. A
//! machine that was started anew begins no earlier than what was seen before.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;
use retake_jobs::{clock::Clock, seams::StoreError};
use rusqlite::{Connection, OptionalExtension};
use rustix::time::{ClockId, clock_gettime};

use super::{
    Database,
    connection::{SqliteError, nanos, time},
};

const SECOND: i64 = 1_000_000_000;
/// Less is the ordinary unrest of clocks.
const UNREST: i64 = SECOND / 20;
/// The offset follows by one part in so many.
const SLOWNESS: i64 = 10;
/// However long nobody looked.
const LOOK_MAX: i64 = 10 * SECOND;
/// A wall clock that goes so far ahead had not been set before: the time jumps with it.
const UNSET: i64 = 24 * 3600 * SECOND;
/// Worth a line in the log.
const WORTH_SAYING: i64 = 2 * SECOND;
/// How far a restarted machine may have forgotten.
const SEEN_EVERY: i64 = 60 * SECOND;

/// The clocks of a machine, in nanoseconds.
pub(super) trait Machine: Send + Sync {
    /// The same for all processes that read the same steady clock, and for no others.
    fn id(&self) -> &str;
    /// Only ever goes on, in everybody's seconds.
    fn steady(&self) -> i64;
    /// Since 1970, as far as anybody knows.
    fn wall(&self) -> i64;
}

pub(super) struct ThisMachine;

impl Machine for ThisMachine {
    /// The boot, and the namespace that a container may have for its clocks.
    fn id(&self) -> &str {
        static ID: OnceLock<String> = OnceLock::new();
        ID.get_or_init(|| {
            let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
            let space = std::fs::read_link("/proc/self/ns/time");
            match (boot, space) {
                (Ok(boot), Ok(space)) => format!("{} {}", boot.trim(), space.display()),
                (Ok(boot), Err(_)) => boot.trim().to_owned(),
                // Alone with its clock.
                (Err(_), _) => format!("process {:016x}", rand::random::<u64>()),
            }
        })
    }

    fn steady(&self) -> i64 {
        let now = clock_gettime(ClockId::Boottime);
        now.tv_sec
            .saturating_mul(SECOND)
            .saturating_add(now.tv_nsec)
    }

    fn wall(&self) -> i64 {
        nanos(Timestamp::now())
    }
}

pub(super) struct SharedClock {
    machine: Arc<dyn Machine>,
    offset: AtomicI64,
    /// How far it was behind the wall clock when that was last said.
    said: AtomicI64,
    /// The highest time told: not even a smaller offset makes it go back.
    told: AtomicI64,
}

/// The file's row for a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    offset: i64,
    adjusted_at: i64,
    seen: i64,
}

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        time(self.nanos())
    }
}

impl SharedClock {
    pub fn begin(connection: &Connection, machine: Arc<dyn Machine>) -> Result<Self, SqliteError> {
        let row = match read(connection, machine.id())? {
            Some(row) => row,
            None => {
                let row = first(connection, &*machine)?;
                // On a full disk the time goes on all the same, for this process.
                match write(connection, machine.id(), row) {
                    Err(error) if !error.is_full() => return Err(error),
                    _ => {}
                }
                // Where two begin at once, one of them has written.
                read(connection, machine.id())?.unwrap_or(row)
            }
        };
        Ok(Self {
            machine,
            offset: AtomicI64::new(row.offset),
            said: AtomicI64::new(0),
            told: AtomicI64::new(i64::MIN),
        })
    }

    /// That a clock was set: when it is, and when half of the way is made. It may take hours.
    fn say(&self, row: Row) {
        let now = self.machine.steady().saturating_add(row.offset);
        let behind = self.machine.wall().saturating_sub(now);
        if !is_news(behind, self.said.load(Ordering::Relaxed)) {
            return;
        }
        self.said.store(behind, Ordering::Relaxed);
        if behind.abs() >= WORTH_SAYING {
            tracing::warn!(
                behind_ms = behind / 1_000_000,
                "the machine's clock was set; leases and retries go by a time that follows slowly"
            );
        }
    }

    fn nanos(&self) -> i64 {
        let offset = self.offset.load(Ordering::Relaxed);
        let now = self.machine.steady().saturating_add(offset);
        self.told.fetch_max(now, Ordering::Relaxed).max(now)
    }

    /// Takes over what others have adjusted, and adjusts where it is time.
    pub async fn follow(self: &Arc<Self>, database: &Database) -> Result<(), StoreError> {
        let clock = Arc::clone(self);
        let row = database
            .read(move |connection| read(connection, clock.machine.id()))
            .await?;
        let Some(row) = row else { return Ok(()) };
        self.offset.store(row.offset, Ordering::Relaxed);
        self.say(row);
        if row.adjusted(self.machine.steady(), self.machine.wall()) == row {
            return Ok(());
        }
        let clock = Arc::clone(self);
        let row = database
            .write_lightly(move |connection| {
                let id = clock.machine.id();
                let Some(row) = read(connection, id)? else {
                    return Ok(row);
                };
                let row = row.adjusted(clock.machine.steady(), clock.machine.wall());
                write(connection, id, row)?;
                Ok(row)
            })
            .await?;
        self.offset.store(row.offset, Ordering::Relaxed);
        Ok(())
    }
}

/// More than half as much more or less than what was said.
fn is_news(behind: i64, said: i64) -> bool {
    let change = behind.saturating_sub(said).unsigned_abs();
    change >= (said.unsigned_abs() / 2).max(WORTH_SAYING.unsigned_abs())
}

impl Row {
    /// As it should stand now.
    fn adjusted(self, steady: i64, wall: i64) -> Self {
        let now = steady.saturating_add(self.offset);
        let behind = wall.saturating_sub(now);
        let looked = steady.saturating_sub(self.adjusted_at).clamp(0, LOOK_MAX);
        let step = if behind >= UNSET {
            behind
        } else if behind.abs() < UNREST {
            0
        } else {
            behind.clamp(-looked / SLOWNESS, looked / SLOWNESS)
        };
        if step == 0 && now.saturating_sub(self.seen) < SEEN_EVERY {
            return self;
        }
        Self {
            offset: self.offset.saturating_add(step),
            adjusted_at: steady,
            seen: self.seen.max(now.saturating_add(step)),
        }
    }
}

/// Of a machine that the file has not met, or that was started anew.
fn first(connection: &Connection, machine: &dyn Machine) -> Result<Row, SqliteError> {
    let seen: Option<i64> = connection
        .prepare_cached("SELECT max(seen) FROM clocks")?
        .query_row([], |row| row.get(0))?;
    let now = machine.wall().max(seen.unwrap_or(i64::MIN));
    let steady = machine.steady();
    Ok(Row {
        offset: now.saturating_sub(steady),
        adjusted_at: steady,
        seen: now,
    })
}

fn read(connection: &Connection, machine: &str) -> Result<Option<Row>, SqliteError> {
    let row = connection
        .prepare_cached("SELECT offset_ns, adjusted_at, seen FROM clocks WHERE machine = ?1")?
        .query_row([machine], |row| {
            Ok(Row {
                offset: row.get(0)?,
                adjusted_at: row.get(1)?,
                seen: row.get(2)?,
            })
        })
        .optional()?;
    Ok(row)
}

/// A row that is there already is kept where it was adjusted later. Machines that were not heard of
/// for a month go.
fn write(connection: &Connection, machine: &str, row: Row) -> Result<(), SqliteError> {
    const MONTH: i64 = 30 * 24 * 3600 * SECOND;
    connection
        .prepare_cached(
            "INSERT INTO clocks (machine, offset_ns, adjusted_at, seen) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (machine) DO UPDATE SET offset_ns = excluded.offset_ns,
                 adjusted_at = excluded.adjusted_at, seen = excluded.seen
             WHERE excluded.adjusted_at > adjusted_at",
        )?
        .execute((machine, row.offset, row.adjusted_at, row.seen))?;
    connection
        .prepare_cached("DELETE FROM clocks WHERE seen < ?1")?
        .execute([row.seen.saturating_sub(MONTH)])?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Clocks that stand still until they are moved.
    pub struct Moved {
        pub id: &'static str,
        pub steady: AtomicI64,
        pub wall: AtomicI64,
    }

    impl Moved {
        pub fn new(id: &'static str, steady_s: i64, wall_s: i64) -> Arc<Self> {
            Arc::new(Self {
                id,
                steady: AtomicI64::new(steady_s * SECOND),
                wall: AtomicI64::new(wall_s * SECOND),
            })
        }

        pub fn passes(&self, seconds: i64) {
            self.steady.fetch_add(seconds * SECOND, Ordering::Relaxed);
            self.wall.fetch_add(seconds * SECOND, Ordering::Relaxed);
        }

        pub fn is_set(&self, by_s: i64) {
            self.wall.fetch_add(by_s * SECOND, Ordering::Relaxed);
        }
    }

    impl Machine for Moved {
        fn id(&self) -> &str {
            self.id
        }

        fn steady(&self) -> i64 {
            self.steady.load(Ordering::Relaxed)
        }

        fn wall(&self) -> i64 {
            self.wall.load(Ordering::Relaxed)
        }
    }

    const HOUR: i64 = 3600;
    const WALL: i64 = 1_800_000_000;

    fn row() -> Row {
        Row {
            offset: WALL * SECOND,
            adjusted_at: 0,
            seen: WALL * SECOND,
        }
    }

    #[test]
    fn a_clock_that_takes_hours_to_follow_is_told_of_a_few_times() {
        let (mut said, mut lines) = (0, 0);
        for behind_s in (0..=HOUR).rev() {
            let behind = -behind_s * SECOND;
            if is_news(behind, said) {
                (said, lines) = (behind, lines + 1);
            }
        }
        assert!((5..20).contains(&lines), "{lines}");
        assert!(!is_news(SECOND, 0) && is_news(2 * SECOND, 0));
        assert!(is_news(HOUR * SECOND, -HOUR * SECOND));
    }

    #[test]
    fn a_clock_that_was_set_is_followed_by_a_tenth() {
        // (seconds that passed, the wall clock set by, the offset's step in milliseconds)
        for (passed, set, step_ms) in [
            (2, 0, 0),
            (2, HOUR, 200),
            (2, -HOUR, -200),
            (HOUR, -HOUR, -1_000),
            (2, 48 * HOUR, 48 * HOUR * 1_000),
            (2, -48 * HOUR, -200),
        ] {
            let adjusted = row().adjusted(passed * SECOND, (WALL + passed + set) * SECOND);
            assert_eq!(
                (adjusted.offset - row().offset) / 1_000_000,
                step_ms,
                "{passed} {set}"
            );
        }
    }

    #[test]
    fn what_was_set_back_is_reached_in_the_end_and_the_time_never_goes_back() {
        let (mut row, mut last, mut steady) = (row(), 0, 0);
        let wall = |steady: i64| (WALL - HOUR) * SECOND + steady;
        for _ in 0..6 * HOUR * SLOWNESS {
            steady += 2 * SECOND;
            row = row.adjusted(steady, wall(steady));
            let now = steady + row.offset;
            assert!(now > last);
            last = now;
        }
        assert!(
            (last - wall(steady)).abs() < SECOND,
            "{}",
            last - wall(steady)
        );
    }

    #[test]
    fn two_processes_of_a_machine_agree_whatever_the_wall_clock_says() {
        let connection = file();
        let machine = Moved::new("a", 50, WALL);
        let first = SharedClock::begin(&connection, machine.clone()).unwrap();
        machine.is_set(-HOUR);
        let second = SharedClock::begin(&connection, machine.clone()).unwrap();
        machine.passes(3);
        assert_eq!(first.nanos(), (WALL + 3) * SECOND);
        assert_eq!(second.nanos(), first.nanos());
    }

    #[test]
    fn a_machine_that_starts_anew_begins_where_the_file_has_been() {
        let connection = file();
        SharedClock::begin(&connection, Moved::new("boot 1", 5_000, WALL)).unwrap();
        let after = SharedClock::begin(&connection, Moved::new("boot 2", 3, WALL - HOUR)).unwrap();
        assert_eq!(after.nanos(), WALL * SECOND);
        let later = SharedClock::begin(&connection, Moved::new("boot 3", 3, WALL + HOUR)).unwrap();
        assert_eq!(later.nanos(), (WALL + HOUR) * SECOND);
    }

    fn file() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(include_str!("migrations/0001_start.sql"))
            .unwrap();
        connection
            .execute_batch(include_str!("migrations/0007_time_and_space.sql"))
            .unwrap();
        connection
    }
}
