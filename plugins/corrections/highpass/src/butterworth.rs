//! A fourth-order Butterworth high-pass as two biquads.
//!
//! Coefficients by the bilinear transform with the cut-off kept in place (R. Bristow-Johnson,
//! "Cookbook formulae for audio EQ biquad filter coefficients", HPF). State and arithmetic are f64:
//! at 20 Hz and 192 kHz the poles lie so close to 1 that f32 would be audible as noise.

use std::f64::consts::{FRAC_PI_8, PI};

/// The cut-off never exceeds this part of the sample rate. No rate the host admits (8 kHz and up)
/// comes near with a cut-off of 500 Hz; it keeps the filter stable whatever else is asked for.
const CUTOFF_MAX_PER_RATE: f64 = 0.45;

/// Below this (-600 dB) the state is silence. Without it the decay ends in subnormal numbers,
/// which are slow to compute with.
const SILENCE: f64 = 1e-30;

/// Filters one channel.
pub struct Highpass4 {
    first: Section,
    second: Section,
}

impl Highpass4 {
    pub fn new(rate_hz: f64, cutoff_hz: f64) -> Self {
        let angle = 2.0 * PI * cutoff_hz.min(CUTOFF_MAX_PER_RATE * rate_hz) / rate_hz;
        // The Qs that put the four poles evenly onto the Butterworth circle.
        let section = |pole_angle: f64| Section::new(angle, 1.0 / (2.0 * pole_angle.cos()));
        Self {
            first: section(FRAC_PI_8),
            second: section(3.0 * FRAC_PI_8),
        }
    }

    pub fn run(&mut self, channel: &mut [f32]) {
        // Copies let the compiler hold the whole state in registers.
        let (mut first, mut second) = (self.first, self.second);
        for sample in channel {
            *sample = second.step(first.step(f64::from(*sample))) as f32;
        }
        self.first = first.settled();
        self.second = second.settled();
    }
}

/// One biquad in direct form 1: of the usual forms it has the shortest dependency from one output
/// to the next.
#[derive(Clone, Copy)]
struct Section {
    gain: f64,
    feedback_1: f64,
    feedback_2: f64,
    input_1: f64,
    input_2: f64,
    output_1: f64,
    output_2: f64,
}

impl Section {
    fn new(angle: f64, q: f64) -> Self {
        let alpha = angle.sin() / (2.0 * q);
        let scale = 1.0 / (1.0 + alpha);
        Self {
            gain: (1.0 + angle.cos()) / 2.0 * scale,
            feedback_1: -2.0 * angle.cos() * scale,
            feedback_2: (1.0 - alpha) * scale,
            input_1: 0.0,
            input_2: 0.0,
            output_1: 0.0,
            output_2: 0.0,
        }
    }

    #[inline(always)]
    fn step(&mut self, input: f64) -> f64 {
        // The numerator is gain * (1 - 2z + z^2). As a difference of differences it is exactly 0
        // for a constant input: DC is not attenuated but gone.
        let bent = (input - self.input_1) - (self.input_1 - self.input_2);
        let output =
            (self.gain * bent - self.feedback_2 * self.output_2) - self.feedback_1 * self.output_1;
        self.input_2 = self.input_1;
        self.input_1 = input;
        self.output_2 = self.output_1;
        self.output_1 = output;
        output
    }

    fn settled(mut self) -> Self {
        for state in [
            &mut self.input_1,
            &mut self.input_2,
            &mut self.output_1,
            &mut self.output_2,
        ] {
            if state.abs() < SILENCE {
                *state = 0.0;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Level change in dB of a steady sine.
    fn gain_db(rate_hz: f64, cutoff_hz: f64, tone_hz: f64) -> f64 {
        let mut filter = Highpass4::new(rate_hz, cutoff_hz);
        let settle = (rate_hz * 8.0 / cutoff_hz) as usize;
        let measured = (rate_hz / tone_hz * 40.0).round() as usize;
        let mut channel: Vec<f32> = (0..settle + measured)
            .map(|n| (2.0 * PI * tone_hz * n as f64 / rate_hz).sin() as f32)
            .collect();
        filter.run(&mut channel);
        let power = channel[settle..]
            .iter()
            .map(|&s| f64::from(s).powi(2))
            .sum::<f64>();
        10.0 * (2.0 * power / measured as f64).log10()
    }

    /// The analogue prototype seen through the bilinear transform.
    fn expected_db(rate_hz: f64, cutoff_hz: f64, tone_hz: f64) -> f64 {
        let warped = |hz: f64| (PI * hz / rate_hz).tan();
        -10.0 * (1.0 + (warped(cutoff_hz) / warped(tone_hz)).powi(8)).log10()
    }

    #[test]
    fn the_response_is_butterworths_at_every_rate() {
        for rate_hz in [8_000.0, 16_000.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            for cutoff_hz in [20.0, 80.0, 500.0] {
                for ratio in [0.25, 0.5, 1.0, 2.0, 4.0] {
                    let (measured, expected) = (
                        gain_db(rate_hz, cutoff_hz, cutoff_hz * ratio),
                        expected_db(rate_hz, cutoff_hz, cutoff_hz * ratio),
                    );
                    assert!(
                        (measured - expected).abs() < 0.1,
                        "{rate_hz} Hz, cut-off {cutoff_hz} Hz, ratio {ratio}: {measured:.2} dB, \
                         expected {expected:.2} dB"
                    );
                }
            }
        }
    }

    #[test]
    fn a_constant_offset_leaves_nothing_behind() {
        let mut filter = Highpass4::new(48_000.0, 20.0);
        let mut channel = vec![0.25f32; 48_000 * 4];
        filter.run(&mut channel);
        assert!(channel[48_000 * 3..].iter().all(|s| s.abs() < 1e-9));
    }

    #[test]
    fn output_does_not_depend_on_block_size() {
        let input: Vec<f32> = (0..10_000u32)
            .map(|n| ((n * 7919) % 2001) as f32 / 1000.0 - 1.0)
            .collect();
        let mut whole = input.clone();
        Highpass4::new(44_100.0, 80.0).run(&mut whole);
        for frames in [1, 480, 4096] {
            let mut pieces = input.clone();
            let mut filter = Highpass4::new(44_100.0, 80.0);
            pieces
                .chunks_mut(frames)
                .for_each(|piece| filter.run(piece));
            assert_eq!(pieces, whole, "{frames} frames");
        }
    }

    #[test]
    fn silence_stays_silence_and_the_tail_reaches_zero() {
        let mut filter = Highpass4::new(48_000.0, 500.0);
        let mut silence = vec![0.0f32; 4800];
        filter.run(&mut silence);
        assert!(silence.iter().all(|&s| s == 0.0));

        filter.run(&mut [1.0]);
        for _ in 0..40 {
            let mut tail = vec![0.0f32; 4800];
            filter.run(&mut tail);
            if tail.iter().all(|&s| s == 0.0) {
                return;
            }
        }
        panic!("four seconds after an impulse the filter still rings");
    }

    #[test]
    fn full_scale_noise_for_a_minute_at_the_hardest_setting_stays_bounded() {
        let mut filter = Highpass4::new(192_000.0, 20.0);
        let mut state = 1u32;
        let mut peak = 0f32;
        for _ in 0..600 {
            let mut block: Vec<f32> = (0..19_200)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) as f32 / 8_388_608.0 - 1.0
                })
                .collect();
            filter.run(&mut block);
            peak = block.iter().fold(peak, |peak, s| peak.max(s.abs()));
        }
        assert!(peak < 1.5, "{peak}");
    }
}
