//! Which speaker a channel is for, and how much it counts for loudness.
//!
//! Positions are the bits of WAVE's `dwChannelMask`; channels stand in the order of their bits, as in
//! WAVE and FLAC. A mask of 0 says that the channels are no speakers: a recorder's tracks, say.

use serde::{Deserialize, Serialize};

/// Most channels that are taken anywhere.
pub const CHANNELS_MAX: u32 = 16;

/// WAVE's `dwChannelMask`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelMask(u32);

impl ChannelMask {
    pub const FRONT_LEFT: u32 = 0x1;
    pub const FRONT_RIGHT: u32 = 0x2;
    pub const FRONT_CENTER: u32 = 0x4;
    pub const LOW_FREQUENCY: u32 = 0x8;
    pub const BACK_LEFT: u32 = 0x10;
    pub const BACK_RIGHT: u32 = 0x20;
    pub const FRONT_LEFT_OF_CENTER: u32 = 0x40;
    pub const FRONT_RIGHT_OF_CENTER: u32 = 0x80;
    pub const BACK_CENTER: u32 = 0x100;
    pub const SIDE_LEFT: u32 = 0x200;
    pub const SIDE_RIGHT: u32 = 0x400;
    /// All positions that the standard names.
    const KNOWN: u32 = 0x3_ffff;

    /// No positions: the channels are not meant for speakers.
    pub const NONE: Self = Self(0);

    /// The mask as a file states it, for so many channels. Bits beyond the channels are dropped, from
    /// the highest down, as the standard says; a mask with fewer positions than channels leaves the
    /// last channels without one.
    pub fn stated(bits: u32, channels: u32) -> Self {
        let mut kept = 0;
        for bit in (0..32).map(|n| 1 << n).filter(|bit| bits & bit != 0) {
            if u32::count_ones(kept) < channels {
                kept |= bit;
            }
        }
        Self(kept & Self::KNOWN)
    }

    /// The arrangement that codecs and containers mean by a number of channels where they define one:
    /// mono, stereo, 3.0, quad, 5.0, 5.1, 6.1 and 7.1 (RFC 9639 section 9.1.3). Beyond that there is
    /// none.
    pub const fn usual(channels: u32) -> Self {
        Self(match channels {
            1 => 0x4,
            2 => 0x3,
            3 => 0x7,
            4 => 0x33,
            5 => 0x37,
            6 => 0x3f,
            7 => 0x70f,
            8 => 0x63f,
            _ => 0,
        })
    }

    /// What a file means that states a number of channels and no arrangement: one or two are mono and
    /// stereo; more are a recorder's tracks.
    pub const fn unstated(channels: u32) -> Self {
        if channels <= 2 {
            Self::usual(channels)
        } else {
            Self::NONE
        }
    }

    pub fn bits(self) -> u32 {
        self.0
    }

    /// The position bit of each channel, in order; `None` for a channel without one.
    pub fn positions(self, channels: u32) -> impl Iterator<Item = Option<u32>> {
        let mut bits = (0..32)
            .map(|n| 1u32 << n)
            .filter(move |bit| self.0 & bit != 0);
        (0..channels).map(move |_| bits.next())
    }

    /// The weight of each channel by ITU-R BS.1770-5 table 4: 1.41 between 60 and 120 degrees to the
    /// side, nothing for low frequency effects, 1 for all others. The back pair is at 110 degrees
    /// where there is no side pair (5.1), and at 135 where there is one (7.1).
    pub fn loudness_weights(self, channels: u32) -> Vec<f64> {
        const SIDE: f64 = 1.41;
        let has_sides = self.0 & (Self::SIDE_LEFT | Self::SIDE_RIGHT) != 0;
        self.positions(channels)
            .map(|position| match position {
                Some(Self::LOW_FREQUENCY) => 0.0,
                Some(Self::SIDE_LEFT | Self::SIDE_RIGHT) => SIDE,
                Some(Self::BACK_LEFT | Self::BACK_RIGHT) if !has_sides => SIDE,
                _ => 1.0,
            })
            .collect()
    }
}

/// `order[i]` is where, among WAVE's channels, the i-th of Vorbis's is found. RFC 7845 section
/// 5.1.1.2 and RFC 9639 section 9.1.3.
pub(crate) fn vorbis_from_wave(channels: usize) -> &'static [usize] {
    match channels {
        1 => &[0],
        2 => &[0, 1],
        3 => &[0, 2, 1],
        4 => &[0, 1, 2, 3],
        5 => &[0, 2, 1, 3, 4],
        6 => &[0, 2, 1, 4, 5, 3],
        7 => &[0, 2, 1, 5, 6, 4, 3],
        8 => &[0, 2, 1, 6, 7, 4, 5, 3],
        _ => unreachable!("Vorbis orders one to eight channels"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_exactly_one_place() {
        for channels in 1..=8 {
            let mut places = vorbis_from_wave(channels).to_vec();
            places.sort_unstable();
            assert_eq!(places, (0..channels).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_usual_mask_has_a_position_for_each_channel() {
        for channels in 1..=8 {
            let mask = ChannelMask::usual(channels);
            assert_eq!(mask.bits().count_ones(), channels);
            assert!(mask.positions(channels).all(|position| position.is_some()));
        }
        assert_eq!(ChannelMask::usual(9), ChannelMask::NONE);
    }

    #[test]
    fn a_mask_with_too_many_positions_keeps_the_lowest() {
        assert_eq!(ChannelMask::stated(0x3f, 2).bits(), 0x3);
        assert_eq!(ChannelMask::stated(0x60f, 6).bits(), 0x60f);
        assert_eq!(ChannelMask::stated(0xffff_ffff, 1).bits(), 0x1);
        assert_eq!(ChannelMask::stated(0x8000_0000, 2).bits(), 0);
    }

    #[test]
    fn loudness_weighs_by_position() {
        let check = |bits, channels, expected: &[f64]| {
            assert_eq!(
                ChannelMask(bits).loudness_weights(channels),
                expected,
                "{bits:#x}"
            );
        };
        check(0x4, 1, &[1.0]);
        check(0x3, 2, &[1.0, 1.0]);
        check(0x3f, 6, &[1.0, 1.0, 1.0, 0.0, 1.41, 1.41]);
        check(0x60f, 6, &[1.0, 1.0, 1.0, 0.0, 1.41, 1.41]);
        check(0x63f, 8, &[1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.41, 1.41]);
        check(0x0, 4, &[1.0; 4]);
        check(0x3, 4, &[1.0; 4]);
    }
}
