//! One number for how far a chain has got, over children, services and second tries: it never falls.

use std::sync::{Mutex, PoisonError};

#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// 0.0..=1.0.
    pub fraction: f32,
    /// As the chain names it.
    pub step: Option<String>,
}

/// Counts legs of different weight.
pub(super) struct Meter<'a> {
    tell: &'a (dyn Fn(Progress) + Send + Sync),
    state: Mutex<State>,
}

struct State {
    /// The fraction that the legs behind make up.
    passed: f32,
    /// The fraction that one unit of weight makes up.
    unit: f32,
    highest: f32,
}

impl<'a> Meter<'a> {
    pub fn new(total: f32, tell: &'a (dyn Fn(Progress) + Send + Sync)) -> Self {
        Self {
            tell,
            state: Mutex::new(State {
                passed: 0.0,
                unit: 1.0 / total,
                highest: 0.0,
            }),
        }
    }

    /// What lies ahead turned out to weigh `left`: it shares what is left of the way.
    pub fn replan(&self, left: f32) {
        let mut state = self.state();
        state.unit = (1.0 - state.passed) / left;
    }

    /// Within the leg under way, which weighs `weight`.
    pub fn at(&self, weight: f32, fraction: f32, step: Option<&str>) {
        let mut state = self.state();
        let now = state.passed + state.unit * weight * fraction.clamp(0.0, 1.0);
        state.highest = state.highest.max(now).min(1.0);
        let fraction = state.highest;
        drop(state);
        (self.tell)(Progress {
            fraction,
            step: step.map(str::to_owned),
        });
    }

    pub fn passed(&self, weight: f32) {
        let mut state = self.state();
        state.passed += state.unit * weight;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_never_falls_and_ends_at_one() {
        let told = Mutex::new(Vec::new());
        let tell = |progress: Progress| told.lock().unwrap().push(progress.fraction);
        let meter = Meter::new(4.0, &tell);
        meter.at(3.0, 0.5, Some("a"));
        meter.at(3.0, 0.1, None);
        meter.at(3.0, 1.0, None);
        meter.passed(3.0);
        meter.at(1.0, 2.0, None);
        assert_eq!(*told.lock().unwrap(), [0.375, 0.375, 0.75, 1.0]);
    }

    #[test]
    fn what_turns_up_on_the_way_shares_what_is_left_of_it() {
        let told = Mutex::new(Vec::new());
        let tell = |progress: Progress| told.lock().unwrap().push(progress.fraction);
        let meter = Meter::new(4.0, &tell);
        meter.passed(2.0);
        meter.replan(8.0);
        meter.at(4.0, 1.0, None);
        meter.passed(4.0);
        meter.at(4.0, 1.0, None);
        assert_eq!(*told.lock().unwrap(), [0.75, 1.0]);
    }
}
