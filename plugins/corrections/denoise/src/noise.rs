//! How much noise there is in each bin, followed while somebody speaks: improved minima controlled
//! recursive averaging.
//!
//! I. Cohen, "Noise spectrum estimation in adverse environments: improved minima controlled recursive
//! averaging", IEEE Transactions on Speech and Audio Processing 11(5), 2003. The equations' numbers
//! below are of that paper. Time constants are for frames 10 ms apart.

use crate::approximate::at_most;
use crate::rnnoise::BINS;

/// Smoothing of a bin's power over time, eq. 15.
const SMOOTHING: f32 = 0.9;
/// How much of the old estimate is kept where there is nothing but noise, eq. 10.
const MEMORY: f32 = 0.85;
/// The estimate is biased low, since louder moments are taken for a voice, eq. 12.
const BIAS: f32 = 1.47;
/// By how much a minimum of smoothed power is below its mean, eq. 18.
const MINIMUM_BIAS: f32 = 1.66;
/// Above these a bin holds a voice: its power now, and its smoothed power, over the noise of the
/// minimum, eq. 18 and 21.
const NOW_MAX: f32 = 4.6;
const SMOOTH_MAX: f32 = 1.67;
/// The same for the second round; between 1 and this, absence of a voice grows less likely, eq. 29.
const SURELY_VOICE: f32 = 3.0;
/// The minimum is over eight stretches of 15 frames, 1.2 s: longer than a sentence goes without a gap
/// in a bin, and as long as a rise of the noise takes to be believed.
const STRETCHES: usize = 8;
const STRETCH_FRAMES: usize = 15;
/// Power that counts as none: rounding of the input, far below a bit of 16.
pub const SILENCE: f32 = 1e-9;

/// A positive power per bin.
type Powers = [f32; BINS];

pub struct NoiseTracker {
    /// Of the paper's two rounds the first takes every frame, the second only what the first took for
    /// noise.
    all: Minimum,
    quiet: Minimum,
    /// Eq. 11, still biased.
    average: Powers,
    started: bool,
}

impl NoiseTracker {
    pub fn new() -> Self {
        Self {
            all: Minimum::new(),
            quiet: Minimum::new(),
            average: [0.0; BINS],
            started: false,
        }
    }

    /// Noise power in a bin.
    #[inline(always)]
    pub fn noise(&self, bin: usize) -> f32 {
        BIAS * self.average[bin] + SILENCE
    }

    /// Looks at a frame's power: how likely it is beforehand that each bin holds noise alone.
    pub fn absence(&mut self, power: &Powers, absence: &mut Powers) {
        let frame = smoothed_over_bins(power);
        if !self.started {
            self.started = true;
            self.average = power.map(|power| power / BIAS);
            self.all.start(&frame);
            self.quiet.start(&frame);
        }
        self.all.follow(&frame);

        let mut noise_only = [0.0; BINS];
        for bin in 0..BINS {
            let floor = MINIMUM_BIAS * self.all.minimum[bin] + SILENCE;
            let is_noise =
                (power[bin] < NOW_MAX * floor) & (self.all.smooth[bin] < SMOOTH_MAX * floor);
            noise_only[bin] = if is_noise { 1.0 } else { 0.0 };
        }
        // Eq. 26: averages over those neighbours that are noise; where none is, the last value stays.
        let noise_power = std::array::from_fn(|bin| power[bin] * noise_only[bin]);
        let (sums, weights) = (
            smoothed_over_bins(&noise_power),
            smoothed_over_bins(&noise_only),
        );
        let frame = std::array::from_fn(|bin| {
            if weights[bin] > 0.0 {
                sums[bin] / weights[bin]
            } else {
                self.quiet.smooth[bin]
            }
        });
        self.quiet.follow(&frame);

        for bin in 0..BINS {
            let floor = MINIMUM_BIAS * self.quiet.minimum[bin] + SILENCE;
            let over = power[bin] / floor;
            let likely = (SURELY_VOICE - over) * (1.0 / (SURELY_VOICE - 1.0));
            let likely = at_most(likely, 1.0);
            let possible = (over < SURELY_VOICE) & (self.quiet.smooth[bin] < SMOOTH_MAX * floor);
            absence[bin] = if possible { likely } else { 0.0 };
        }
    }

    /// Takes the frame into the estimate, the less the more likely each bin holds a voice.
    pub fn learn(&mut self, power: &Powers, presence: &Powers) {
        for bin in 0..BINS {
            let keep = MEMORY + (1.0 - MEMORY) * presence[bin];
            let average = &mut self.average[bin];
            *average = power[bin] + keep * (*average - power[bin]);
        }
    }
}

/// Power smoothed over time, and its minimum over the last 1.2 s.
struct Minimum {
    smooth: Powers,
    minimum: Powers,
    /// Of each finished stretch, and of the one that runs.
    finished: [Powers; STRETCHES],
    running: Powers,
    running_frames: usize,
    oldest: usize,
}

impl Minimum {
    fn new() -> Self {
        Self {
            smooth: [0.0; BINS],
            minimum: [0.0; BINS],
            finished: [[0.0; BINS]; STRETCHES],
            running: [0.0; BINS],
            running_frames: 0,
            oldest: 0,
        }
    }

    fn start(&mut self, frame: &Powers) {
        self.smooth = *frame;
        self.minimum = *frame;
        self.running = *frame;
        self.finished = [*frame; STRETCHES];
    }

    fn follow(&mut self, frame: &Powers) {
        for (bin, &power) in frame.iter().enumerate() {
            let smooth = power + SMOOTHING * (self.smooth[bin] - power);
            self.smooth[bin] = smooth;
            self.running[bin] = at_most(self.running[bin], smooth);
            self.minimum[bin] = at_most(self.minimum[bin], smooth);
        }
        self.running_frames += 1;
        if self.running_frames == STRETCH_FRAMES {
            self.finish_stretch();
        }
    }

    fn finish_stretch(&mut self) {
        self.finished[self.oldest] = self.running;
        self.oldest = (self.oldest + 1) % STRETCHES;
        self.minimum = self.running;
        for stretch in &self.finished {
            for (minimum, stretch) in self.minimum.iter_mut().zip(stretch) {
                *minimum = at_most(*minimum, *stretch);
            }
        }
        self.running = self.smooth;
        self.running_frames = 0;
    }
}

/// A bin and half of each neighbour, eq. 14 with a window of three.
fn smoothed_over_bins(power: &Powers) -> Powers {
    let mut smoothed = *power;
    for (smoothed, near) in smoothed[1..].iter_mut().zip(power.windows(3)) {
        *smoothed = 0.25 * (near[0] + near[2]) + 0.5 * near[1];
    }
    smoothed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Power of white noise in every bin, with the mean `level`: exponentially distributed, as that of
    /// a Fourier transform of Gaussian noise is.
    struct WhiteNoise(u32);

    impl WhiteNoise {
        fn frame(&mut self, level: f32) -> Powers {
            std::array::from_fn(|_| {
                self.0 ^= self.0 << 13;
                self.0 ^= self.0 >> 17;
                self.0 ^= self.0 << 5;
                -level * ((self.0 >> 8) as f32 / 16_777_216.0).max(1e-7).ln()
            })
        }
    }

    /// A frame as the estimator treats it that takes a-priori absence for the truth.
    fn follow(tracker: &mut NoiseTracker, power: &Powers) {
        let mut absence = [0.0; BINS];
        tracker.absence(power, &mut absence);
        let presence = absence.map(|absence| 1.0 - absence);
        tracker.learn(power, &presence);
    }

    /// Mean of the estimate over all bins, relative to `level`.
    fn error_db(tracker: &NoiseTracker, level: f32) -> f32 {
        let mean = (0..BINS).map(|bin| tracker.noise(bin)).sum::<f32>() / BINS as f32;
        10.0 * (mean / level).log10()
    }

    #[test]
    fn steady_noise_is_estimated_at_its_level() {
        for level in [1e-6, 1.0, 1e6] {
            let (mut tracker, mut noise) = (NoiseTracker::new(), WhiteNoise(7));
            (0..500).for_each(|_| follow(&mut tracker, &noise.frame(level)));
            let error = error_db(&tracker, level);
            assert!(error.abs() < 2.0, "{level}: {error:.1} dB");
        }
    }

    #[test]
    fn a_rise_of_the_noise_is_followed_within_three_seconds_and_a_fall_within_one() {
        let (mut tracker, mut noise) = (NoiseTracker::new(), WhiteNoise(9));
        (0..300).for_each(|_| follow(&mut tracker, &noise.frame(1.0)));
        (0..50).for_each(|_| follow(&mut tracker, &noise.frame(100.0)));
        let early = error_db(&tracker, 100.0);
        assert!(
            early < -10.0,
            "half a second might be a voice: {early:.1} dB"
        );
        (0..250).for_each(|_| follow(&mut tracker, &noise.frame(100.0)));
        let risen = error_db(&tracker, 100.0);
        assert!(risen.abs() < 2.5, "{risen:.1} dB");
        (0..100).for_each(|_| follow(&mut tracker, &noise.frame(1.0)));
        let fallen = error_db(&tracker, 1.0);
        assert!(fallen.abs() < 2.5, "{fallen:.1} dB");
    }

    #[test]
    fn syllables_do_not_pass_for_noise() {
        let (mut tracker, mut noise) = (NoiseTracker::new(), WhiteNoise(11));
        // 150 ms of voice 20 dB above the noise, 150 ms of none.
        for n in 0..1000 {
            let voice = if n / 15 % 2 == 0 { 100.0 } else { 0.0 };
            follow(&mut tracker, &noise.frame(1.0 + voice));
        }
        // On average the frames are 17 dB above the noise.
        let error = error_db(&tracker, 1.0);
        assert!((-2.0..6.0).contains(&error), "{error:.1} dB");
    }
}
