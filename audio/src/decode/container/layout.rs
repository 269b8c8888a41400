//! Which speaker each channel of plain samples is for: Core Audio's layout (`chan` of MP4 and CAF, `CHAN`
//! of AIFF) and `chnl` (ISO 14496-12). Both allow any order, and WAVE has one: channels may have to change places.

use crate::channels::{CHANNELS_MAX, ChannelMask};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub mask: ChannelMask,
    /// `order[i]` is which of the file's channels is WAVE's i-th. `None`: they are in its order.
    pub order: Option<Vec<u8>>,
}

impl Layout {
    const NONE: Self = Self {
        mask: ChannelMask::NONE,
        order: None,
    };

    /// From the position of each channel in the order of the file, one bit each.
    fn of(positions: &[u32]) -> Option<Self> {
        let bits = positions.iter().fold(0, |bits, position| bits | position);
        let channels = positions.len() as u32;
        let are_speakers = positions.iter().all(|position| position.count_ones() == 1)
            && bits.count_ones() == channels;
        if !are_speakers || channels > CHANNELS_MAX {
            return None;
        }
        let mut order: Vec<u8> = (0..positions.len() as u8).collect();
        order.sort_by_key(|channel| positions[usize::from(*channel)]);
        Some(Self {
            mask: ChannelMask::stated(bits, channels),
            order: (!order.is_sorted()).then_some(order),
        })
    }
}

const L: u32 = ChannelMask::FRONT_LEFT;
const R: u32 = ChannelMask::FRONT_RIGHT;
const C: u32 = ChannelMask::FRONT_CENTER;
const LFE: u32 = ChannelMask::LOW_FREQUENCY;
/// Left and right surround: of a pair behind or at the sides. See [`sides`].
const LS: u32 = ChannelMask::BACK_LEFT;
const RS: u32 = ChannelMask::BACK_RIGHT;
const LC: u32 = ChannelMask::FRONT_LEFT_OF_CENTER;
const RC: u32 = ChannelMask::FRONT_RIGHT_OF_CENTER;
const CS: u32 = ChannelMask::BACK_CENTER;
const SL: u32 = ChannelMask::SIDE_LEFT;
const SR: u32 = ChannelMask::SIDE_RIGHT;
/// Stands in a list until [`sides`] has moved the surround pair.
const REAR_L: u32 = 1 << 30;
const REAR_R: u32 = 1 << 31;

/// Core Audio's layout, for so many channels.
pub(super) fn core_audio(body: &[u8], channels: u32) -> Option<Layout> {
    let tag = u32_at(body, 0)?;
    let positions = match tag {
        // Described channel by channel.
        0 => {
            let count = u32_at(body, 8)?;
            let labels = body.get(12..)?.chunks_exact(20).take(count as usize);
            let labels: Vec<u32> = labels.filter_map(|label| u32_at(label, 0)).collect();
            if labels.len() != channels as usize {
                return None;
            }
            if labels.iter().all(|label| *label == 400 || label >> 16 == 1) {
                return Some(Layout::NONE);
            }
            labels
                .into_iter()
                .map(label_position)
                .collect::<Option<Vec<_>>>()?
        }
        // A bitmap, whose bits are those of WAVE, in their order.
        0x1_0000 => {
            let bits = u32_at(body, 4)?;
            if bits.count_ones() != channels {
                return None;
            }
            (0..32)
                .map(|n| 1 << n)
                .filter(|bit| bits & bit != 0)
                .collect()
        }
        _ if tag & 0xffff != channels => return None,
        // Ambisonics, discrete channels in order, unknown.
        _ if matches!(tag >> 16, 107 | 147 | 190 | 0xffff) => return Some(Layout::NONE),
        _ => tagged(tag >> 16)?.to_vec(),
    };
    if positions.len() != channels as usize {
        return None;
    }
    Layout::of(&sides(positions))
}

/// Where there are rear surrounds, the other pair is at the sides.
fn sides(mut positions: Vec<u32>) -> Vec<u32> {
    let has_rear = positions.contains(&REAR_L) || positions.contains(&REAR_R);
    for position in &mut positions {
        *position = match *position {
            LS if has_rear => SL,
            RS if has_rear => SR,
            REAR_L => LS,
            REAR_R => RS,
            other => other,
        };
    }
    positions
}

/// Core Audio's layouts by their number, in the order of their channels.
fn tagged(tag: u32) -> Option<&'static [u32]> {
    Some(match tag {
        100 => &[C],
        // Stereo, headphones, matrix, XY, binaural.
        101..=103 | 105 | 106 => &[L, R],
        108 => &[L, R, LS, RS],
        109 => &[L, R, LS, RS, C],
        110 => &[L, R, LS, RS, C, CS],
        113 => &[L, R, C],
        114 => &[C, L, R],
        115 => &[L, R, C, CS],
        116 => &[C, L, R, CS],
        117 => &[L, R, C, LS, RS],
        118 => &[L, R, LS, RS, C],
        119 => &[L, C, R, LS, RS],
        120 => &[C, L, R, LS, RS],
        121 => &[L, R, C, LFE, LS, RS],
        122 => &[L, R, LS, RS, C, LFE],
        123 => &[L, C, R, LS, RS, LFE],
        124 => &[C, L, R, LS, RS, LFE],
        125 => &[L, R, C, LFE, LS, RS, CS],
        126 => &[L, R, C, LFE, LS, RS, LC, RC],
        127 => &[C, LC, RC, L, R, LS, RS, LFE],
        128 => &[L, R, C, LFE, LS, RS, REAR_L, REAR_R],
        131 => &[L, R, CS],
        132 => &[L, R, LS, RS],
        133 => &[L, R, LFE],
        134 => &[L, R, LFE, CS],
        135 => &[L, R, LFE, LS, RS],
        136 => &[L, R, C, LFE],
        137 => &[L, R, C, LFE, CS],
        138 => &[L, R, LS, RS, LFE],
        _ => return None,
    })
}

/// A position by Core Audio's label.
fn label_position(label: u32) -> Option<u32> {
    Some(match label {
        // These are numbered as WAVE's bits are.
        1..=18 => 1 << (label - 1),
        33 => REAR_L,
        34 => REAR_R,
        // Mono; left and right in total, and of headphones.
        42 => C,
        38 | 301 => L,
        39 | 302 => R,
        _ => return None,
    })
}

/// The body of `chnl`, version and flags included.
pub(super) fn chnl(body: &[u8], channels: u32) -> Option<Layout> {
    const IS_CHANNELS: u8 = 1;
    let (structure, layout, rest) = match body.first()? {
        0 => (*body.get(4)?, *body.get(5)?, body.get(6..)?),
        // The second version has the number of channels in between.
        _ => (*body.get(4)? >> 4, *body.get(6)?, body.get(7..)?),
    };
    if structure & IS_CHANNELS == 0 {
        return Some(Layout::NONE);
    }
    let positions = if layout == 0 {
        let mut rest = rest;
        let mut positions = Vec::new();
        for _ in 0..channels.min(CHANNELS_MAX) {
            let position = *rest.first()?;
            // An explicit one follows with its angles, and is none of the named.
            rest = rest.get(if position == 126 { 4 } else { 1 }..)?;
            positions.push(iso_position(position)?);
        }
        positions
    } else {
        if body.first() == Some(&0) && rest.get(..8).is_some_and(|omitted| *omitted != [0; 8]) {
            return None;
        }
        iso_layout(layout)?.to_vec()
    };
    if positions.len() != channels as usize {
        return None;
    }
    Layout::of(&sides(positions))
}

/// ISO 23091-3's channel configurations.
fn iso_layout(configuration: u8) -> Option<&'static [u32]> {
    Some(match configuration {
        1 => &[C],
        2 => &[L, R],
        3 => &[C, L, R],
        4 => &[C, L, R, CS],
        5 => &[C, L, R, LS, RS],
        6 => &[C, L, R, LS, RS, LFE],
        7 => &[C, LC, RC, L, R, LS, RS, LFE],
        9 => &[L, R, CS],
        10 => &[L, R, LS, RS],
        11 => &[C, L, R, LS, RS, CS, LFE],
        12 => &[C, L, R, LS, RS, REAR_L, REAR_R, LFE],
        _ => return None,
    })
}

/// ISO 23091-3's loudspeaker positions.
fn iso_position(position: u8) -> Option<u32> {
    const ORDER: [u32; 15] = [
        L, R, C, LFE, LS, RS, LC, RC, REAR_L, REAR_R, CS, SL, SR, SL, SR,
    ];
    ORDER.get(usize::from(position)).copied()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Puts the channels of plain samples in order, frame by frame.
pub(super) fn reorder(bytes: &mut [u8], order: &[u8], sample_bytes: usize) {
    let mut frame_before = vec![0; order.len() * sample_bytes];
    for frame in bytes.chunks_exact_mut(order.len() * sample_bytes) {
        frame_before.copy_from_slice(frame);
        for (sample, from) in frame.chunks_exact_mut(sample_bytes).zip(order) {
            let from = usize::from(*from) * sample_bytes;
            sample.copy_from_slice(&frame_before[from..from + sample_bytes]);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn chan_of(tag: u32, bitmap: u32, labels: &[u32]) -> Vec<u8> {
        let mut body = Vec::new();
        for number in [tag, bitmap, labels.len() as u32] {
            body.extend(number.to_be_bytes());
        }
        for label in labels {
            body.extend(label.to_be_bytes());
            body.extend([0; 16]);
        }
        body
    }

    #[test]
    fn core_audio_states_a_layout_by_number_bitmap_or_labels() {
        let check = |body: Vec<u8>, channels, bits, order: Option<&[u8]>| {
            let layout = core_audio(&body, channels).unwrap();
            assert_eq!((layout.mask.bits(), layout.order.as_deref()), (bits, order));
        };
        check(chan_of(100 << 16 | 1, 0, &[]), 1, 0x4, None);
        check(chan_of(101 << 16 | 2, 0, &[]), 2, 0x3, None);
        check(chan_of(121 << 16 | 6, 0, &[]), 6, 0x3f, None);
        check(
            chan_of(124 << 16 | 6, 0, &[]),
            6,
            0x3f,
            Some(&[1, 2, 0, 5, 3, 4]),
        );
        check(
            chan_of(128 << 16 | 8, 0, &[]),
            8,
            0x63f,
            Some(&[0, 1, 2, 3, 6, 7, 4, 5]),
        );
        check(chan_of(147 << 16 | 4, 0, &[]), 4, 0, None);
        check(chan_of(0xffff_0000 | 3, 0, &[]), 3, 0, None);
        check(chan_of(0x1_0000, 0x60f, &[]), 6, 0x60f, None);
        check(chan_of(0, 0, &[3, 1, 2]), 3, 0x7, Some(&[1, 2, 0]));
        check(chan_of(0, 0, &[0x1_0000, 0x1_0001, 0x1_0002]), 3, 0, None);
    }

    #[test]
    fn a_layout_of_other_channels_says_nothing() {
        for (tag, bitmap, labels, channels) in [
            (101 << 16 | 2, 0, &[][..], 1),
            (0x1_0000, 0x3, &[], 3),
            (0, 0, &[1, 1], 2),
            (0, 0, &[1, 2], 3),
            (999 << 16 | 2, 0, &[], 2),
        ] {
            assert_eq!(core_audio(&chan_of(tag, bitmap, labels), channels), None);
        }
        assert_eq!(core_audio(&[], 2), None);
    }

    #[test]
    fn iso_states_a_layout_by_number_or_positions() {
        let numbered = [0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0, 0, 0];
        let layout = chnl(&numbered, 6).unwrap();
        assert_eq!(layout.mask.bits(), 0x3f);
        assert_eq!(layout.order.unwrap(), [1, 2, 0, 5, 3, 4]);
        let positions = [0, 0, 0, 0, 1, 0, 0, 1, 3];
        assert_eq!(chnl(&positions, 3).unwrap().mask.bits(), 0xb);
        assert_eq!(chnl(&positions, 4), None);
        assert_eq!(chnl(&[0, 0, 0, 0, 2, 3], 3).unwrap(), Layout::NONE);
    }

    #[test]
    fn channels_change_places_frame_by_frame() {
        let mut bytes = *b"aabbccddeeffg";
        reorder(&mut bytes, &[2, 0, 1], 2);
        assert_eq!(&bytes, b"ccaabbffddeeg");
    }
}
