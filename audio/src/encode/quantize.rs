//! From `f32` to whole numbers: clamped to full scale, dithered where that helps.
//!
//! 24 bits are finer than anything audible and than what `f32` holds near full scale: rounding is
//! enough. 16 bits get triangular dither of two steps peak to peak, which turns the error into a
//! constant faint hiss instead of distortion. A block in which every sample already is a 16-bit
//! value (silence, or 16-bit material that nothing changed) passes as it is, so that an untouched
//! recording stays bit-exact and digital silence stays silent.
//!
//! The dither is a hash of channel and frame number: the same input gives the same bytes.

use crate::Block;

pub(super) struct Quantizer {
    bits: u32,
    /// Frames quantized so far.
    frame: u64,
    /// The last block, one list per channel.
    pub values: Vec<Vec<i32>>,
}

impl Quantizer {
    pub(super) fn new(bits: u32, channels: usize) -> Self {
        Self {
            bits,
            frame: 0,
            values: vec![Vec::new(); channels],
        }
    }

    pub(super) fn quantize(&mut self, block: &Block) {
        for values in &mut self.values {
            values.resize(block.frames(), 0);
        }
        let scale = (1u32 << (self.bits - 1)) as f32;
        let planes = || block.planes().zip(0u32..);
        let mut all = self.values.iter_mut().zip(planes());
        if self.bits != 16 {
            all.for_each(|(values, (samples, _))| round(samples, values, scale));
        } else if !all.all(|(values, (samples, _))| take_whole(samples, values, scale)) {
            for (values, (samples, channel)) in self.values.iter_mut().zip(planes()) {
                let seed = (self.frame as u32).wrapping_add(channel.wrapping_mul(0x632b_e59b));
                round_dithered(samples, values, scale, seed);
            }
        }
        self.frame += block.frames() as u64;
    }
}

/// Adding 1.5 * 2^23 to an `f32` moves its whole part, rounded half to even, into the lowest bits.
const ROUNDER: f32 = 12_582_912.0;
/// The same for `f64`, 1.5 * 2^52: exact for every 24-bit value, where `f32`'s range is too small.
const ROUNDER_F64: f64 = 6_755_399_441_055_744.0;

fn round(samples: &[f32], values: &mut [i32], scale: f32) {
    let scale = f64::from(scale);
    for (value, sample) in values.iter_mut().zip(samples) {
        let x = (f64::from(*sample) * scale).clamp(-scale, scale - 1.0);
        *value = (x + ROUNDER_F64).to_bits() as i32;
    }
}

fn round_dithered(samples: &[f32], values: &mut [i32], scale: f32, seed: u32) {
    for (offset, (value, sample)) in values.iter_mut().zip(samples).enumerate() {
        let noise = hash(seed.wrapping_add(offset as u32));
        let triangle = ((noise & 0xffff) as i32 - (noise >> 16) as i32) as f32 * (1.0 / 65_536.0);
        let x = (sample * scale + triangle).clamp(-scale, scale - 1.0);
        *value = (x + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits()) as i32;
    }
}

/// Whether every sample is a whole number of steps within full scale; what the values are if not is
/// worth nothing.
fn take_whole(samples: &[f32], values: &mut [i32], scale: f32) -> bool {
    const RUN: usize = 64;
    let mut runs = samples.chunks(RUN).zip(values.chunks_mut(RUN));
    runs.all(|(samples, values)| {
        let mut is_whole = true;
        for (value, sample) in values.iter_mut().zip(samples) {
            let x = sample * scale;
            let moved = x + ROUNDER;
            *value = moved.to_bits().wrapping_sub(ROUNDER.to_bits()) as i32;
            is_whole &= (moved - ROUNDER == x) & (x >= -scale) & (x <= scale - 1.0);
        }
        is_whole
    })
}

/// A 32-bit finalizer with good avalanche (constants by C. Wellons's search), cheap enough for
/// every sample.
fn hash(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantized(bits: u32, samples: &[f32]) -> Vec<i32> {
        let mut quantizer = Quantizer::new(bits, 1);
        quantizer.quantize(&Block::mono(samples.to_vec()));
        quantizer.values.remove(0)
    }

    #[test]
    fn sixteen_bit_material_and_silence_pass_bit_exact() {
        let values: Vec<i32> = (-32_768..32_768).step_by(7).collect();
        let samples: Vec<f32> = values.iter().map(|&v| v as f32 / 32_768.0).collect();
        assert_eq!(quantized(16, &samples), values);
        assert_eq!(quantized(16, &[0.0; 500]), vec![0; 500]);
    }

    #[test]
    fn beyond_full_scale_is_clamped() {
        for (bits, low, high) in [(16, -32_768, 32_767), (24, -8_388_608, 8_388_607)] {
            assert_eq!(quantized(bits, &[-3.0, 3.0, 1.0]), [low, high, high]);
            // Whole numbers of steps, though beyond.
            assert_eq!(quantized(bits, &[-1.5]), [low]);
            assert_eq!(quantized(bits, &[1.0]), [high]);
        }
    }

    #[test]
    fn dither_keeps_a_level_below_one_step_audible_on_average() {
        let level = 0.3 / 32_768.0;
        let values = quantized(16, &[level; 100_000]);
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        assert!((mean - 0.3).abs() < 0.02, "{mean}");
        // Triangular dither makes the error's power constant: 1/4 step squared for any level.
        let power = values
            .iter()
            .map(|&v| (f64::from(v) - 0.3).powi(2))
            .sum::<f64>()
            / 1e5;
        assert!((power - 0.25).abs() < 0.01, "{power}");
    }

    #[test]
    fn twenty_four_bits_round_to_the_nearest_step() {
        let samples: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin()).collect();
        for (value, sample) in quantized(24, &samples).into_iter().zip(&samples) {
            let error = f64::from(value) - f64::from(*sample) * 8_388_608.0;
            assert!(error.abs() <= 0.5, "{error}");
        }
    }
}
