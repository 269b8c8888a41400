//! G.722 at 64 kbit/s: two bands of ADPCM and a filter that joins them. Arithmetic as in the
//! recommendation, to the bit.

use super::{Heard, PacketDecoder, PacketError};
use crate::{block::Block, channels::ChannelMask};

#[derive(Clone)]
pub(super) struct G722Bytes {
    low: Band,
    high: Band,
    /// Sums and differences of the bands, the oldest first.
    past: [i32; 24],
}

impl G722Bytes {
    pub(super) fn new() -> Self {
        Self {
            low: Band {
                scale: 8,
                ..Band::default()
            },
            high: Band {
                scale: 2,
                ..Band::default()
            },
            past: [0; 24],
        }
    }

    /// Two samples at 16 kHz.
    fn advance(&mut self, byte: u8) -> [f32; 2] {
        let low_code = usize::from(byte & 0x3f);
        let high_code = usize::from(byte >> 6);
        let low = clip(
            ((self.low.scale * LOW_LEVELS[low_code]) >> 10) + self.low.predicted,
            14,
        );
        self.low.adapt_low(low_code >> 2);
        let difference = (self.high.scale * HIGH_LEVELS[high_code]) >> 10;
        let high = clip(difference + self.high.predicted, 14);
        self.high.adapt_high(difference, high_code);

        self.past.copy_within(2.., 0);
        self.past[22] = low + high;
        self.past[23] = low - high;
        let mut sums = [0; 2];
        for (tap, pair) in self.past.chunks_exact(2).enumerate() {
            sums[1] += pair[0] * FILTER[tap];
            sums[0] += pair[1] * FILTER[11 - tap];
        }
        sums.map(|sum| clip(sum >> 11, 15) as f32 / 32768.0)
    }
}

impl PacketDecoder for G722Bytes {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        block.reset(1);
        block.append_with(|_, plane| {
            plane.extend(packet.iter().flat_map(|&byte| self.advance(byte)));
        });
        Ok(Heard {
            sample_rate: 16_000,
            mask: ChannelMask::usual(1),
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        Some(2 * packet.len() as u64)
    }

    fn reset(&mut self) {
        *self = Self::new();
    }
}

/// To so many bits and a sign.
fn clip(value: i32, bits: u32) -> i32 {
    value.clamp(-(1 << bits), (1 << bits) - 1)
}

#[derive(Clone, Default)]
struct Band {
    predicted: i32,
    /// The part of the prediction that comes from the differences.
    from_differences: i32,
    was_negative: [bool; 2],
    last: i32,
    poles: [i32; 2],
    zeros: [i32; 6],
    differences: [i32; 6],
    log_scale: i32,
    scale: i32,
}

impl Band {
    fn adapt_low(&mut self, code: usize) {
        self.predict((self.scale * LOW_LEVELS_COARSE[code]) >> 10);
        let log_scale = ((self.log_scale * 127) >> 7) + LOW_STEPS[code];
        self.log_scale = log_scale.clamp(0, 18_432);
        self.scale = linear(self.log_scale - (8 << 11));
    }

    fn adapt_high(&mut self, difference: i32, code: usize) {
        self.predict(difference);
        let log_scale = ((self.log_scale * 127) >> 7) + [798, -214][code & 1];
        self.log_scale = log_scale.clamp(0, 22_528);
        self.scale = linear(self.log_scale - (10 << 11));
    }

    fn predict(&mut self, difference: i32) {
        let is_negative = self.from_differences + difference < 0;
        let sign = |is_positive: bool| if is_positive { 1 } else { -1 };
        let signs = [
            sign(is_negative != self.was_negative[0]),
            sign(is_negative == self.was_negative[1]),
        ];
        self.was_negative = [is_negative, self.was_negative[0]];

        let [first, second] = self.poles;
        let second =
            ((signs[0] * first.clamp(-8191, 8191)) >> 5) + signs[1] * 128 + ((second * 127) >> 7);
        let second = second.clamp(-12_288, 12_288);
        let limit = 15_360 - second;
        let first = (-192 * signs[0] + ((first * 255) >> 8)).clamp(-limit, limit);
        self.poles = [first, second];

        self.adapt_zeros(difference);
        let reconstructed = clip((self.predicted + difference) * 2, 15);
        let from_poles = ((first * reconstructed) >> 15) + ((second * self.last) >> 15);
        self.predicted = clip(self.from_differences + from_poles, 15);
        self.last = reconstructed;
    }

    fn adapt_zeros(&mut self, difference: i32) {
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, past) in self.zeros.iter_mut().zip(self.differences) {
            let towards = if past ^ difference < 0 { -step } else { step };
            *zero = ((*zero * 255) >> 8) + towards;
        }
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference * 2;
        let products = self.differences.iter().zip(&self.zeros);
        self.from_differences = products.map(|(past, zero)| (past * zero) >> 15).sum();
    }
}

fn linear(log_scale: i32) -> i32 {
    let mantissa = POWERS[(log_scale >> 6 & 31) as usize];
    let shift = log_scale >> 11;
    if shift < 0 {
        mantissa >> -shift
    } else {
        mantissa << shift
    }
}

const FILTER: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// 2048 times two to the power of thirty-seconds.
const POWERS: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

const HIGH_LEVELS: [i32; 4] = [-926, -202, 926, 202];

const LOW_STEPS: [i32; 16] = [
    -60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
];

const LOW_LEVELS_COARSE: [i32; 16] = [
    0, -2557, -1612, -1121, -786, -530, -323, -150, 2557, 1612, 1121, 786, 530, 323, 150, 0,
];

const LOW_LEVELS: [i32; 64] = [
    -17, -17, -17, -17, -3101, -2738, -2376, -2088, -1873, -1689, -1535, -1399, -1279, -1170,
    -1072, -982, -899, -822, -750, -682, -618, -558, -501, -447, -396, -347, -300, -254, -211,
    -170, -130, -91, 3101, 2738, 2376, 2088, 1873, 1689, 1535, 1399, 1279, 1170, 1072, 982, 899,
    822, 750, 682, 618, 558, 501, 447, 396, 347, 300, 254, 211, 170, 130, 91, 54, 17, -54, -17,
];
