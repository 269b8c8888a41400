//! Fewer channels than came, for formats that have one or two, and for whoever wants mono.
//!
//! By ITU-R BS.775-4: centre and surrounds at -3 dB, no low frequency effects. Gains are scaled so that no
//! sum goes beyond full scale where its parts do not.

use crate::{Block, ChannelMask, Spec};

/// For each channel that is written, what it takes of each that comes. `to` is 1 or 2, and less than
/// `from` has.
pub(crate) fn gains(from: Spec, to: u32) -> Vec<Vec<f32>> {
    let count = from.channels as usize;
    let (mut left, mut right) = (vec![0.0; count], vec![0.0; count]);
    if from.channels == 2 {
        // Whatever they are said to be for.
        (left[0], right[1]) = (1.0, 1.0);
    } else {
        let positions = from.mask.positions(from.channels).enumerate();
        for (channel, position) in positions {
            (left[channel], right[channel]) = sides(position);
        }
    }
    if to == 1 {
        let both = left.iter().zip(&right).map(|(l, r)| l + r).collect();
        return vec![within_full_scale(both)];
    }
    vec![within_full_scale(left), within_full_scale(right)]
}

/// How much of a loudspeaker goes to the left and to the right. One without a place is in the middle.
fn sides(position: Option<u32>) -> (f32, f32) {
    const HALF_POWER: f32 = std::f32::consts::FRAC_1_SQRT_2;
    match position {
        Some(ChannelMask::FRONT_LEFT | ChannelMask::FRONT_LEFT_OF_CENTER) => (1.0, 0.0),
        Some(ChannelMask::FRONT_RIGHT | ChannelMask::FRONT_RIGHT_OF_CENTER) => (0.0, 1.0),
        Some(ChannelMask::LOW_FREQUENCY) => (0.0, 0.0),
        Some(ChannelMask::BACK_LEFT | ChannelMask::SIDE_LEFT) => (HALF_POWER, 0.0),
        Some(ChannelMask::BACK_RIGHT | ChannelMask::SIDE_RIGHT) => (0.0, HALF_POWER),
        Some(ChannelMask::BACK_CENTER) => (0.5, 0.5),
        _ => (HALF_POWER, HALF_POWER),
    }
}

fn within_full_scale(mut gains: Vec<f32>) -> Vec<f32> {
    let sum: f32 = gains.iter().sum();
    if sum > 0.0 {
        gains.iter_mut().for_each(|gain| *gain /= sum);
    }
    gains
}

/// In place of what was in `to`.
pub(crate) fn mix(gains: &[Vec<f32>], from: &Block, to: &mut Block) {
    to.reset(gains.len());
    to.resize(from.frames());
    for (gains, sums) in gains.iter().zip(to.planes_mut()) {
        for (gain, plane) in gains.iter().zip(from.planes()) {
            if *gain != 0.0 {
                for (sum, x) in sums.iter_mut().zip(plane) {
                    *sum += gain * x;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(channels: u32) -> Spec {
        Spec {
            mask: ChannelMask::usual(channels),
            ..Spec::new(48_000, channels)
        }
    }

    #[test]
    fn no_mix_of_full_scale_goes_beyond_and_equal_channels_stay_as_they_are() {
        for channels in 2..=8 {
            for to in 1..=2.min(channels - 1) {
                for spec in [spec(channels), Spec::new(48_000, channels)] {
                    let from = Block::from_fn(channels as usize, 3, |_, _| 1.0);
                    let mut mixed = Block::default();
                    mix(&gains(spec, to), &from, &mut mixed);
                    assert_eq!(mixed.channels(), to as usize);
                    let is_one = |x: &f32| (x - 1.0).abs() < 1e-6;
                    assert!(mixed.samples().all(is_one), "{channels} to {to}");
                }
            }
        }
    }

    #[test]
    fn sides_stay_where_they_are_and_low_frequency_effects_go() {
        let gains = gains(spec(6), 2);
        let [left, right] = [&gains[0], &gains[1]];
        assert_eq!((left[1], left[3], left[5]), (0.0, 0.0, 0.0));
        assert_eq!((right[0], right[3], right[4]), (0.0, 0.0, 0.0));
        assert!((left[2] / left[0] - std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-3);
        assert_eq!(left[2], right[2]);
    }
}
