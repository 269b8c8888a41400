//! Leaves a service alone that fails for everybody: after so many failed tries in a row nobody asks
//! for a while, and then one try finds out whether it is well again.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

pub(super) struct Breaker {
    failures_max: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// Nobody asks before this.
    until: Option<Instant>,
}

impl Breaker {
    pub fn new(failures_max: u32, pause: Duration) -> Self {
        Self {
            failures_max,
            pause,
            state: Mutex::default(),
        }
    }

    /// Whether a try may be made; if not, how long to wait. Once the pause is over, the first to
    /// ask goes, and the others wait for what it finds, at most another pause.
    pub fn ask(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state();
        match state.until {
            Some(until) if now < until => Err(until - now),
            Some(_) => {
                state.until = Some(now + self.pause);
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub fn succeeded(&self) {
        *self.state() = State::default();
    }

    pub fn failed(&self, now: Instant) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= self.failures_max {
            state.until = Some(now + self.pause);
        }
    }

    /// The try ended for a reason of our own: whoever asks next goes.
    pub fn unknown(&self) {
        self.state().until = None;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it is held")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    #[test]
    fn after_failures_in_a_row_one_try_per_pause_finds_out() {
        let breaker = Breaker::new(2, PAUSE);
        let start = Instant::now();
        breaker.failed(start);
        assert_eq!(breaker.ask(start), Ok(()));
        breaker.failed(start);
        assert_eq!(breaker.ask(start), Err(PAUSE));
        assert_eq!(breaker.ask(start + PAUSE), Ok(()), "the one that finds out");
        assert_eq!(
            breaker.ask(start + PAUSE),
            Err(PAUSE),
            "the others wait for it"
        );
        breaker.failed(start + PAUSE);
        assert_eq!(breaker.ask(start + PAUSE + PAUSE / 2), Err(PAUSE / 2));
        assert_eq!(breaker.ask(start + PAUSE * 2), Ok(()));
        breaker.succeeded();
        assert_eq!(breaker.ask(start + PAUSE * 2), Ok(()));
    }

    #[test]
    fn a_success_between_failures_keeps_it_closed() {
        let breaker = Breaker::new(2, PAUSE);
        let now = Instant::now();
        for _ in 0..10 {
            breaker.failed(now);
            breaker.succeeded();
        }
        assert_eq!(breaker.ask(now), Ok(()));
    }
}
