//! What is struck when. A pure function of the seed: the order can be repeated, what exactly each
//! process is doing at that instant cannot.

use std::time::Duration;

use crate::random::Random;

/// Of the leases in this test; whoever freezes does so for longer.
pub const LEASE: Duration = Duration::from_secs(3);
/// Between two faults, on average. Many last longer, so that they meet.
const EVERY: Duration = Duration::from_millis(1_100);
/// In a long run, in which more work should get done between them.
const EVERY_IN_LONG: Duration = Duration::from_millis(2_000);
const LONG: Duration = Duration::from_secs(60);
/// What clocks are set to, in seconds away from the truth. A jump ahead by more than a day would be
/// believed (see `shared_clock.rs`), and end the patience with jobs that wait.
const CLOCKS_S: [i64; 6] = [-7_200, -3_600, -90, 90, 3_600, 18_000];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    KillServer,
    KillWorker,
    KillChild,
    StopServer,
    StopWorker,
    FreezeServer,
    FreezeWorker,
    FreezeWorkerAndChildren,
    /// All workers, just when one of them was given a job.
    FreezeAtClaim,
    FillDisk,
    /// Nothing gets to the disk, and whoever waits for that is told.
    FailSyncs,
    FillScratch,
    RemoveScratch,
    /// That over which processes tell each other of news.
    RemoveNeighbours,
    SetClock,
    PurgeQueue,
    CloseConnections,
    BlockBroker,
    KillBroker,
}

use Kind::*;

/// Each as often as it stands here.
const ALL: [Kind; 22] = [
    KillServer,
    KillWorker,
    KillWorker,
    KillChild,
    KillChild,
    KillChild,
    StopServer,
    StopWorker,
    FreezeServer,
    FreezeWorker,
    FreezeWorkerAndChildren,
    FreezeAtClaim,
    FillDisk,
    FailSyncs,
    FillScratch,
    RemoveScratch,
    RemoveNeighbours,
    SetClock,
    PurgeQueue,
    CloseConnections,
    BlockBroker,
    KillBroker,
];

/// What this machine and this queue allow.
#[derive(Debug, Clone, Copy)]
pub struct Means {
    pub broker: bool,
    /// Small disks can be mounted, and filled.
    pub disks: bool,
    /// A library that tells processes another time of day.
    pub clocks: bool,
}

impl Means {
    pub fn allow(self, kind: Kind) -> bool {
        match kind {
            FillDisk | FillScratch => self.disks,
            SetClock => self.clocks,
            PurgeQueue | CloseConnections | BlockBroker | KillBroker => self.broker,
            _ => true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    /// Which of the servers or workers.
    pub target: usize,
    /// For those that last, or until what was ended is started again.
    pub lasting: Duration,
    /// For clocks.
    pub seconds: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    pub at: Duration,
    pub fault: Fault,
}

/// Rounds in which everything that can be done is done once, each in another order.
pub fn plan(seed: u64, length: Duration, means: Means) -> Vec<Strike> {
    let mut random = Random::stream(seed, 1);
    let every = if length < LONG { EVERY } else { EVERY_IN_LONG };
    let mut strikes = Vec::new();
    let mut at = Duration::from_millis(500);
    loop {
        let mut round: Vec<_> = ALL.into_iter().filter(|kind| means.allow(*kind)).collect();
        random.shuffle(&mut round);
        for kind in round {
            at += random.ms(0, 2 * every.as_millis() as u64);
            if at >= length && strikes.len() >= ALL.len() {
                return strikes;
            }
            let fault = fault(&mut random, kind);
            strikes.push(Strike { at, fault });
        }
    }
}

fn fault(random: &mut Random, kind: Kind) -> Fault {
    let lease_ms = LEASE.as_millis() as u64;
    let lasting = match kind {
        FreezeWorker | FreezeWorkerAndChildren | FreezeAtClaim => {
            random.ms(lease_ms + 500, 2 * lease_ms)
        }
        // Also longer than anybody waits for the store's lock, once in a while.
        FreezeServer if random.one_in(8) => random.ms(10_500, 13_000),
        FreezeServer => random.ms(500, 4_000),
        FillDisk | FailSyncs | FillScratch | BlockBroker => random.ms(1_500, 4_000),
        _ => random.ms(0, 1_500),
    };
    Fault {
        kind,
        target: random.below(2),
        lasting,
        seconds: random.of(&CLOCKS_S),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYTHING: Means = Means {
        broker: true,
        disks: true,
        clocks: true,
    };

    #[test]
    fn a_seed_gives_the_same_plan_and_another_another() {
        let of = |seed| plan(seed, Duration::from_secs(60), EVERYTHING);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn however_short_every_kind_that_is_possible_is_in_it_and_no_other() {
        for seed in 0..20 {
            let short = plan(seed, Duration::from_secs(1), EVERYTHING);
            for kind in ALL {
                assert!(short.iter().any(|strike| strike.fault.kind == kind));
            }
            let means = Means {
                broker: false,
                ..EVERYTHING
            };
            let without = plan(seed, Duration::from_secs(1), means);
            assert!(without.iter().all(|strike| means.allow(strike.fault.kind)));
            assert!(without.iter().any(|strike| strike.fault.kind == FillDisk));
        }
    }
}
