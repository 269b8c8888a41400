//! One FLAC frame: header, channels, checksum (RFC 9639 section 9).

use super::{
    BLOCK_SIZE,
    bits::{BitWriter, crc8, crc16},
    subframe::SubframeEncoder,
};
use crate::Spec;

pub(super) struct FrameEncoder {
    spec: Spec,
    bits: u32,
    number: u64,
    subframe: SubframeEncoder,
    mid: Vec<i32>,
    side: Vec<i32>,
    out: BitWriter,
}

/// How two channels are told apart; the numbers are the format's.
#[derive(Clone, Copy, PartialEq)]
enum Stereo {
    LeftRight = 1,
    LeftSide = 8,
    SideRight = 9,
    MidSide = 10,
}

impl FrameEncoder {
    pub(super) fn new(spec: Spec, bits: u32) -> Self {
        Self {
            spec,
            bits,
            number: 0,
            subframe: SubframeEncoder::new(),
            mid: Vec::new(),
            side: Vec::new(),
            out: BitWriter::new(),
        }
    }

    /// The bytes of the frame that holds these samples.
    pub(super) fn encode(&mut self, channels: &[&[i32]]) -> &[u8] {
        self.out.clear();
        let frames = channels[0].len();
        if let [left, right] = channels {
            let stereo = self.choose_stereo(left, right);
            self.header(frames, stereo as u64);
            let bits = self.bits;
            let (first, second, side_first, side_second): (&[i32], &[i32], u32, u32) = match stereo
            {
                Stereo::LeftRight => (left, right, 0, 0),
                Stereo::LeftSide => (left, &self.side, 0, 1),
                Stereo::SideRight => (&self.side, right, 1, 0),
                Stereo::MidSide => (&self.mid, &self.side, 0, 1),
            };
            self.subframe
                .encode(first, bits + side_first, &mut self.out);
            self.subframe
                .encode(second, bits + side_second, &mut self.out);
        } else {
            self.header(frames, channels.len() as u64 - 1);
            for channel in channels {
                self.subframe.encode(channel, self.bits, &mut self.out);
            }
        }
        self.out.align();
        let checksum = crc16(self.out.flushed());
        self.out.put(u64::from(checksum), 16);
        self.number += 1;
        self.out.flushed()
    }

    fn header(&mut self, frames: usize, channel_code: u64) {
        let (rate_code, rate_value, rate_width) = rate_field(self.spec.sample_rate);
        self.out.put(0b1111_1111_1111_1000, 16); // Sync code; blocks of fixed size.
        self.out
            .put(if frames == BLOCK_SIZE { 0b1100 } else { 0b0111 }, 4);
        self.out.put(rate_code, 4);
        self.out.put(channel_code, 4);
        self.out.put(if self.bits == 16 { 0b100 } else { 0b110 }, 3);
        self.out.put(0, 1);
        for byte in coded_number(self.number) {
            self.out.put(u64::from(byte), 8);
        }
        if frames != BLOCK_SIZE {
            self.out.put(frames as u64 - 1, 16);
        }
        self.out.put(rate_value, rate_width);
        let checksum = crc8(self.out.flushed());
        self.out.put(u64::from(checksum), 8);
    }

    /// By the size of second-order differences, which follow the real cost closely. Leaves mid and
    /// side where they may be needed.
    fn choose_stereo(&mut self, left: &[i32], right: &[i32]) -> Stereo {
        self.mid.clear();
        self.mid
            .extend(left.iter().zip(right).map(|(l, r)| (l + r) >> 1));
        self.side.clear();
        self.side.extend(left.iter().zip(right).map(|(l, r)| l - r));
        let cost = |samples: &[i32]| {
            let magnitude: u64 = samples
                .windows(3)
                .map(|w| u64::from((w[2] - 2 * w[1] + w[0]).unsigned_abs()))
                .sum();
            // Bits per sample grow with the logarithm; a silent channel costs next to nothing.
            (1.0 + magnitude as f64 / samples.len() as f64).log2()
        };
        let (l, r, m, s) = (cost(left), cost(right), cost(&self.mid), cost(&self.side));
        [
            (Stereo::LeftRight, l + r),
            (Stereo::LeftSide, l + s),
            (Stereo::SideRight, s + r),
            (Stereo::MidSide, m + s),
        ]
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(Stereo::LeftRight, |(stereo, _)| stereo)
    }
}

/// Code, and value and width of the field at the header's end (RFC 9639 section 9.1.2). Rates that
/// have no code are in STREAMINFO only.
fn rate_field(rate: u32) -> (u64, u64, u32) {
    let rate = u64::from(rate);
    match rate {
        88_200 => (1, 0, 0),
        176_400 => (2, 0, 0),
        192_000 => (3, 0, 0),
        8_000 => (4, 0, 0),
        16_000 => (5, 0, 0),
        22_050 => (6, 0, 0),
        24_000 => (7, 0, 0),
        32_000 => (8, 0, 0),
        44_100 => (9, 0, 0),
        48_000 => (10, 0, 0),
        96_000 => (11, 0, 0),
        _ if rate % 1000 == 0 && rate / 1000 < 256 => (12, rate / 1000, 8),
        _ if rate < 65_536 => (13, rate, 16),
        _ if rate % 10 == 0 && rate / 10 < 65_536 => (14, rate / 10, 16),
        _ => (0, 0, 0),
    }
}

/// As UTF-8 codes characters, continued up to 36 bits.
fn coded_number(number: u64) -> Vec<u8> {
    if number < 0x80 {
        return vec![number as u8];
    }
    // n continuation bytes of 6 bits leave 6 - n bits for the first one.
    let continuations = (1..=6).find(|n| number < 1 << (6 * n + 6 - n)).unwrap_or(6);
    let marker = 0xffu32 << (7 - continuations) & 0xff;
    let mut bytes = vec![marker as u8 | (number >> (6 * continuations)) as u8];
    for n in (0..continuations).rev() {
        bytes.push(0x80 | (number >> (6 * n)) as u8 & 0x3f);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_numbers_are_coded_as_utf_8() {
        for number in [0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x1_0000, 0x10_ffff] {
            let character = char::from_u32(number).expect("not a surrogate");
            let expected = character.encode_utf8(&mut [0; 4]).as_bytes().to_vec();
            assert_eq!(coded_number(u64::from(number)), expected);
        }
        assert_eq!(coded_number(0x7fff_ffff).len(), 6);
        assert_eq!(coded_number(0x8000_0000).len(), 7);
    }
}
