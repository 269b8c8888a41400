//! Growing pauses between tries, so that many do not come back at once: everybody's who waits for a
//! store, a queue or a broker.

use std::time::Duration;

use rand::Rng;

const OUTAGE_FIRST: Duration = Duration::from_millis(200);
const OUTAGE_LONGEST: Duration = Duration::from_secs(5);

pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failures: 0,
        }
    }

    /// While a store or queue is out of reach.
    pub fn outage() -> Self {
        Self::new(OUTAGE_FIRST, OUTAGE_LONGEST)
    }

    /// How often it failed since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Between half and all of a pause that doubles from time to time.
    #[allow(clippy::should_implement_trait)] // it never ends, and nobody iterates
    pub fn next(&mut self) -> Duration {
        let pause = nth(self.first, self.longest, self.failures);
        self.failures = self.failures.saturating_add(1);
        pause
    }
}

/// The pause after `failures` earlier ones.
pub fn nth(first: Duration, longest: Duration, failures: u32) -> Duration {
    let pause = first.saturating_mul(1 << failures.min(16)).min(longest);
    pause.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_again_after_a_success() {
        let (first, longest) = (Duration::from_millis(100), Duration::from_millis(350));
        let mut backoff = Backoff::new(first, longest);
        for ms in [100, 200, 350, 350] {
            let pause = backoff.next();
            assert!(pause <= Duration::from_millis(ms), "{pause:?}");
            assert!(pause >= Duration::from_millis(ms / 2), "{pause:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= first);
    }
}
