//! How loud each band was, as far as that is remembered: a histogram of levels, each frame with a weight of its
//! own.

use retake_dfn3::BANDS;

/// Of the lowest step, and how far steps are apart, dB.
const LOWEST_DB: f32 = -140.0;
const STEP_DB: f32 = 2.0;
const STEPS: usize = 70;

pub struct Levels(Box<[[f32; STEPS]; BANDS]>);

impl Levels {
    pub fn new() -> Self {
        Self(Box::new([[0.0; STEPS]; BANDS]))
    }

    /// Takes a frame's powers; `memory` is the share that stays of all before.
    pub fn add(&mut self, powers: &[f32; BANDS], weight: f32, memory: f32) {
        for (steps, power) in self.0.iter_mut().zip(powers) {
            steps.iter_mut().for_each(|step| *step *= memory);
            let level_db = 10.0 * (power + 1e-14).log10();
            let step = ((level_db - LOWEST_DB) / STEP_DB) as usize;
            steps[step.min(STEPS - 1)] += weight;
        }
    }

    /// The power that each band does not exceed in this share of what is remembered.
    pub fn share(&self, share: f32) -> [f32; BANDS] {
        std::array::from_fn(|band| {
            let steps = &self.0[band];
            let wanted = share * steps.iter().sum::<f32>();
            let mut sum = 0.0;
            let below = |step: &&f32| {
                sum += **step;
                sum < wanted
            };
            let step = steps.iter().take_while(below).count();
            10f32.powf(0.1 * (LOWEST_DB + STEP_DB * (step as f32 + 0.5)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn db(power: f32) -> f32 {
        10.0 * power.log10()
    }

    #[test]
    fn the_share_is_found_to_a_step() {
        let mut levels = Levels::new();
        for n in 0..100 {
            let power = if n < 70 { 1e-6 } else { 1e-3 };
            levels.add(&[power; BANDS], 1.0, 1.0);
        }
        assert!((db(levels.share(0.6)[5]) + 60.0).abs() <= 1.0 + 1e-3);
        assert!((db(levels.share(0.75)[31]) + 30.0).abs() <= 1.0 + 1e-3);
    }

    #[test]
    fn what_is_long_ago_no_longer_counts() {
        let mut levels = Levels::new();
        (0..500).for_each(|_| levels.add(&[1e-2; BANDS], 1.0, 0.99));
        (0..500).for_each(|_| levels.add(&[1e-8; BANDS], 1.0, 0.99));
        assert!(db(levels.share(0.9)[0]) < -78.0);
    }

    #[test]
    fn silence_and_any_loudness_have_a_step() {
        let mut levels = Levels::new();
        for power in [0.0, 1e-30, 1e30, f32::MAX] {
            levels.add(&[power; BANDS], 1.0, 1.0);
        }
        assert!(levels.share(0.1)[0] < 1e-13);
        assert!(levels.share(1.0)[0] > 0.5);
    }
}
