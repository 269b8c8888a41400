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
    total: f32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Of the legs that are behind.
    passed: f32,
    highest: f32,
}

impl<'a> Meter<'a> {
    pub fn new(total: f32, tell: &'a (dyn Fn(Progress) + Send + Sync)) -> Self {
        Self {
            tell,
            total,
            state: Mutex::default(),
        }
    }

    /// Within the leg under way, which weighs `weight`.
    pub fn at(&self, weight: f32, fraction: f32, step: Option<&str>) {
        let mut state = self.state();
        let now = (state.passed + weight * fraction.clamp(0.0, 1.0)) / self.total;
        state.highest = state.highest.max(now).min(1.0);
        let fraction = state.highest;
        drop(state);
        (self.tell)(Progress {
            fraction,
            step: step.map(str::to_owned),
        });
    }

    pub fn passed(&self, weight: f32) {
        self.state().passed += weight;
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
}
