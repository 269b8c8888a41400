//! A gain that comes down before what it is for, and goes back up after it.
//!
//! The signal is cut into short steps. For each a reduction is demanded, in dB. It is held, let go
//! exponentially in dB (the release of D. Giannoulis, M. Massberg, J. Reiss, "Digital dynamic range
//! compressor design: a tutorial and analysis", JAES 60(6), 2012), and averaged over the look-ahead,
//! so that the attack is a ramp that has arrived when its step comes. Between the ends of a step the
//! factor is a line: what was demanded for a step is met in all of it.

use std::collections::VecDeque;

/// Less than this is let go of at once: the signal is then left alone to the last bit.
const NOTHING_DB: f32 = 1e-3;

pub struct Reducer {
    ahead: usize,
    now: u64,
    /// Falling demands and when they came: all that can still become the largest.
    held: VecDeque<(u64, f32)>,
    released: f32,
    release: f32,
    recent: VecDeque<f32>,
    ramp: Ramp,
}

/// The factor at the beginning and at the end of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    pub from: f32,
    pub to: f32,
}

impl Ramp {
    /// Whether it leaves the signal as it is.
    pub fn is_one(&self) -> bool {
        self.from == 1.0 && self.to == 1.0
    }

    /// The factor at a frame of a step of `frames` frames.
    #[inline(always)]
    pub fn at(&self, frame: usize, frames: usize) -> f32 {
        self.from + (self.to - self.from) * (frame as f32 / frames as f32)
    }
}

impl Reducer {
    /// Looks `ahead` steps ahead (at least one), and lets go with a time constant of
    /// `release_steps` steps.
    pub fn new(ahead: usize, release_steps: f64) -> Self {
        let ahead = ahead.max(1);
        Self {
            ahead,
            now: 0,
            held: VecDeque::with_capacity(ahead + 2),
            released: 0.0,
            release: (-1.0 / release_steps).exp() as f32,
            recent: VecDeque::from(vec![0.0; ahead]),
            ramp: Ramp { from: 1.0, to: 1.0 },
        }
    }

    /// Steps by which a step lags behind its demand.
    pub fn latency_steps(&self) -> usize {
        self.ahead + 1
    }

    /// The gain over the step that is [`latency_steps`](Self::latency_steps) before the next
    /// demand's.
    pub fn ramp(&self) -> Ramp {
        self.ramp
    }

    /// Takes the next step's demand: 0 or more.
    pub fn demand(&mut self, demand_db: f32) {
        self.now += 1;
        while self.held.back().is_some_and(|&(_, held)| held <= demand_db) {
            self.held.pop_back();
        }
        self.held.push_back((self.now, demand_db));
        // As long as the average, and one more: both ends of a step then see its demand in full.
        let hold = self.ahead as u64 + 1;
        while self
            .held
            .front()
            .is_some_and(|&(came, _)| came + hold <= self.now)
        {
            self.held.pop_front();
        }
        let held = self.held.front().map_or(0.0, |&(_, held)| held);
        self.released = held.max(self.released * self.release);
        if self.released < NOTHING_DB {
            self.released = 0.0;
        }
        self.recent.pop_front();
        self.recent.push_back(self.released);
        let smooth = self.recent.iter().sum::<f32>() / self.ahead as f32;
        self.ramp = Ramp {
            from: self.ramp.to,
            to: (-smooth * std::f32::consts::LN_10 / 20.0).exp(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reductions in dB at the two ends of each step, aligned with the demands.
    fn run(demands: &[f32], ahead: usize) -> Vec<(f32, f32)> {
        let mut reducer = Reducer::new(ahead, 8.0);
        let mut ramps = Vec::new();
        let lag = reducer.latency_steps();
        for &demand in demands.iter().chain(&vec![0.0; lag]) {
            ramps.push(reducer.ramp());
            reducer.demand(demand);
        }
        let db = |factor: f32| -20.0 * factor.log10();
        ramps.drain(..lag);
        ramps
            .iter()
            .map(|ramp| (db(ramp.from), db(ramp.to)))
            .collect()
    }

    #[test]
    fn every_demand_is_met_over_its_whole_step() {
        let mut state = 7u32;
        let demands: Vec<f32> = (0..2000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if state >> 28 == 0 {
                    (state >> 8 & 0xff) as f32 / 16.0
                } else {
                    0.0
                }
            })
            .collect();
        for ahead in [1, 2, 10] {
            for (step, ((from, to), demand)) in
                run(&demands, ahead).iter().zip(&demands).enumerate()
            {
                assert!(
                    from.min(*to) >= demand - 1e-3,
                    "ahead {ahead}, step {step}: {from} and {to} dB, demanded {demand} dB"
                );
            }
        }
    }

    #[test]
    fn the_gain_begins_to_fall_no_sooner_than_the_look_ahead_and_returns_to_exactly_one() {
        let mut demands = vec![0.0; 400];
        demands[100] = 12.0;
        let reductions = run(&demands, 10);
        assert!(
            reductions[..89]
                .iter()
                .all(|&(from, to)| from == 0.0 && to == 0.0)
        );
        assert!(
            reductions[95].1 > 1.0 && reductions[95].1 < 11.0,
            "{:?}",
            reductions[95]
        );
        assert_eq!(reductions[399], (0.0, 0.0));
    }
}
