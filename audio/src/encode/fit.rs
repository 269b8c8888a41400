//! What stands between a recording and a format that cannot have all of it: fewer channels, another
//! rate, and no sample that is no number.

use super::mix;
use crate::{AudioError, Block, Resampler, Spec};

/// Brings blocks to what the writer takes.
pub(super) struct Fit {
    rates: (u32, u32),
    resampler: Option<Resampler>,
    /// What each channel that is written takes of each that comes; empty: they stay as they are.
    gains: Vec<Vec<f32>>,
    frames_in: u64,
    // Used again for each block.
    finite: Block,
    mixed: Block,
    resampled: Block,
}

impl Fit {
    pub(super) fn new(from: Spec, to: Spec) -> Result<Self, AudioError> {
        let channels = to.channels as usize;
        let rates = (from.sample_rate, to.sample_rate);
        let resampler = match rates.0 == rates.1 {
            true => None,
            false => Some(Resampler::new(rates.0, rates.1, channels)?),
        };
        Ok(Self {
            rates,
            resampler,
            gains: match from.channels == to.channels {
                true => Vec::new(),
                false => mix::gains(from, to.channels),
            },
            frames_in: 0,
            finite: Block::default(),
            mixed: Block::new(channels),
            resampled: Block::new(channels),
        })
    }

    /// How many frames become of so many.
    pub(super) fn frames(&self, frames: u64) -> u64 {
        written_frames(frames, self.rates)
    }

    /// What the writer is to be given now; it may be nothing.
    pub(super) fn push<'a>(&'a mut self, block: &'a Block) -> &'a Block {
        self.frames_in += block.frames() as u64;
        let mut block = block;
        if !block.is_finite() {
            self.finite.clone_from(block);
            self.finite.samples_mut().for_each(|x| *x = finite(*x));
            block = &self.finite;
        }
        if !self.gains.is_empty() {
            mix::mix(&self.gains, block, &mut self.mixed);
            block = &self.mixed;
        }
        if let Some(resampler) = &mut self.resampler {
            self.resampled.clear();
            resampler.push(block, &mut self.resampled);
            block = &self.resampled;
        }
        block
    }

    /// The rest.
    pub(super) fn finish(self) -> Block {
        let mut rest = self.resampled;
        rest.clear();
        if let Some(resampler) = self.resampler {
            resampler.finish(written_frames(self.frames_in, self.rates), &mut rest);
        }
        rest
    }
}

/// Of a recording that there is something is left, however short it is.
pub(super) fn written_frames(frames: u64, (from_hz, to_hz): (u32, u32)) -> u64 {
    rescale(frames, from_hz, to_hz).max(frames.min(1))
}

/// Impossible samples are silence, and those beyond all measure full scale.
fn finite(sample: f32) -> f32 {
    match sample {
        x if x.is_finite() => x,
        x if x.is_nan() => 0.0,
        x => 1f32.copysign(x),
    }
}

/// In place of what was in `to`: of every channel, within full scale.
pub(super) fn clamped_into(block: &Block, to: &mut [Vec<f32>]) {
    for (to, plane) in to.iter_mut().zip(block.planes()) {
        to.extend(plane.iter().map(|x| x.clamp(-1.0, 1.0)));
    }
}

/// The same time at another rate, to the nearest frame.
pub(crate) fn rescale(frames: u64, from_hz: u32, to_hz: u32) -> u64 {
    let scaled = u128::from(frames) * u128::from(to_hz) + u128::from(from_hz / 2);
    u64::try_from(scaled / u128::from(from_hz)).unwrap_or(u64::MAX)
}

/// Of the rates that a format has, in ascending order: the recording's own, else one that it is a
/// multiple of, so that nothing needs to be made up, else the next one up.
pub(super) fn nearest_rate(rates: &[u32], rate: u32) -> u32 {
    /// Below it speech loses what can be heard.
    const WHOLE_SPEECH_HZ: u32 = 32_000;
    let highest = rates.last().copied().unwrap_or(rate);
    if rates.contains(&rate) {
        return rate;
    }
    let mut parts = rates.iter().rev().copied();
    parts
        .find(|own| *own >= WHOLE_SPEECH_HZ && rate.is_multiple_of(*own))
        .or_else(|| rates.iter().copied().find(|own| *own >= rate))
        .unwrap_or(highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_a_format_has_not_becomes_a_part_of_it_or_the_next_one() {
        let rates = [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
        for (rate, expected) in [
            (48_000, 48_000),
            (96_000, 48_000),
            (192_000, 48_000),
            (88_200, 44_100),
            (176_400, 44_100),
            (64_000, 32_000),
            (37_123, 44_100),
            (11_025, 16_000),
            (50_000, 48_000),
        ] {
            assert_eq!(nearest_rate(&rates, rate), expected, "{rate} Hz");
        }
    }

    #[test]
    fn of_one_frame_one_is_left_at_any_rate() {
        assert_eq!(written_frames(1, (48_000, 8_000)), 1);
        assert_eq!(written_frames(0, (48_000, 8_000)), 0);
        assert_eq!(written_frames(48_001, (48_000, 8_000)), 8_000);
    }

    #[test]
    fn what_is_no_number_is_silence_and_what_is_beyond_all_measure_full_scale() {
        let spec = Spec::new(48_000, 1);
        let mut fit = Fit::new(spec, spec).expect("the same");
        let block = Block::mono(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.5]);
        assert_eq!(fit.push(&block).plane(0), [0.0, 1.0, -1.0, 1.5]);
        assert_eq!(fit.finish().frames(), 0);
    }
}
