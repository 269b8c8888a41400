//! GSM 06.10 full rate, as recorders and telephone systems have it. Arithmetic as in the
//! recommendation, to the bit.

use super::{Heard, PacketDecoder, PacketError};
use crate::{block::Block, channels::ChannelMask, decode::demux::CodecParams};

const FRAME_BYTES: usize = 33;
/// Two frames without the four bits in front of each.
const PAIR_BYTES: usize = 65;
const FRAME_SAMPLES: usize = 160;
const PART_SAMPLES: usize = 40;
/// How far back the pitch goes.
const PAST_SAMPLES: usize = 120;

pub(super) struct GsmFrames {
    is_paired: bool,
    sample_rate: u32,
    state: State,
}

impl GsmFrames {
    pub(super) fn new(params: &CodecParams, is_paired: bool) -> Self {
        Self {
            is_paired,
            // WAVE files of other rates exist.
            sample_rate: params.sample_rate.filter(|&rate| rate > 0).unwrap_or(8000),
            state: State::new(),
        }
    }

    fn unit(&self) -> (usize, usize) {
        if self.is_paired {
            (PAIR_BYTES, 2 * FRAME_SAMPLES)
        } else {
            (FRAME_BYTES, FRAME_SAMPLES)
        }
    }
}

impl PacketDecoder for GsmFrames {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        block.reset(1);
        let (bytes, _) = self.unit();
        for unit in packet.chunks_exact(bytes) {
            let mut bits = Bits {
                bytes: unit,
                at: 0,
                is_lowest_first: self.is_paired,
            };
            if !self.is_paired && bits.take(4) != 0xd {
                return Err(PacketError("no mark of a GSM frame".to_owned()));
            }
            for _ in 0..1 + usize::from(self.is_paired) {
                let samples = self.state.decode(&mut bits);
                block.append_with(|_, plane| {
                    plane.extend(samples.iter().map(|&sample| sample as f32 / 32768.0));
                });
            }
        }
        if block.is_empty() {
            return Err(PacketError("a frame is cut off".to_owned()));
        }
        Ok(Heard {
            sample_rate: self.sample_rate,
            mask: ChannelMask::usual(1),
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        let (bytes, samples) = self.unit();
        Some((packet.len() / bytes * samples) as u64)
    }

    fn reset(&mut self) {
        self.state = State::new();
    }
}

/// Never read beyond its end: units have the bytes that their fields take.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    is_lowest_first: bool,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> i32 {
        let mut value = 0;
        for n in 0..count {
            let byte = i32::from(self.bytes[self.at / 8]);
            if self.is_lowest_first {
                value |= (byte >> (self.at % 8) & 1) << n;
            } else {
                value = value << 1 | byte >> (7 - self.at % 8) & 1;
            }
            self.at += 1;
        }
        value
    }
}

struct State {
    /// The residual: what the pitch is taken from, and behind it the part in work.
    residual: [i32; PAST_SAMPLES + PART_SAMPLES],
    lag: usize,
    /// Log area ratios of the frame before.
    ratios: [i32; 8],
    lattice: [i32; 9],
    emphasis: i32,
}

impl State {
    fn new() -> Self {
        Self {
            residual: [0; PAST_SAMPLES + PART_SAMPLES],
            lag: 40,
            ratios: [0; 8],
            lattice: [0; 9],
            emphasis: 0,
        }
    }

    /// Clause 5.3 of the recommendation.
    fn decode(&mut self, bits: &mut Bits<'_>) -> [i32; FRAME_SAMPLES] {
        let ratios = RATIOS.map(|(width, offset, least, inverse)| {
            let code = (bits.take(width) + least) << 10;
            let ratio = round(inverse, saturate(code - (offset << 1)));
            saturate(2 * ratio)
        });
        let mut samples = [0; FRAME_SAMPLES];
        for part in samples.chunks_exact_mut(PART_SAMPLES) {
            part.copy_from_slice(self.part(bits));
        }
        let before = std::mem::replace(&mut self.ratios, ratios);
        // The lattice goes over from the old frame's ratios to the new one's in four steps.
        let between = |weigh: fn(i32, i32) -> i32| {
            let mut mixed = [0; 8];
            for (mixed, (&old, &new)) in mixed.iter_mut().zip(before.iter().zip(&ratios)) {
                *mixed = reflection(weigh(old, new));
            }
            mixed
        };
        let steps = [
            (
                0..13,
                between(|old, new| saturate((old >> 2) + (new >> 2) + (old >> 1))),
            ),
            (13..27, between(|old, new| (old >> 1) + (new >> 1))),
            (
                27..40,
                between(|old, new| saturate((old >> 2) + (new >> 2) + (new >> 1))),
            ),
            (40..FRAME_SAMPLES, between(|_, new| new)),
        ];
        for (range, reflections) in steps {
            for sample in &mut samples[range] {
                let filtered = self.filter(&reflections, *sample);
                self.emphasis = saturate(filtered + round(self.emphasis, 28_180));
                *sample = saturate(2 * self.emphasis) & !7;
            }
        }
        samples
    }

    /// A quarter of the residual: thirteen pulses on a grid, added to the past by the pitch.
    fn part(&mut self, bits: &mut Bits<'_>) -> &[i32] {
        let lag = bits.take(7) as usize;
        let gain = [3277, 11_469, 21_299, 32_767][bits.take(2) as usize];
        let grid = bits.take(2) as usize;
        let (exponent, mantissa) = magnitude(bits.take(6));
        let shift = 6 - exponent;
        let rounding = if shift > 0 { 1 << (shift - 1) } else { 0 };
        let mut pulses = [0; PART_SAMPLES];
        for pulse in 0..13 {
            let level = (2 * bits.take(3) - 7) << 12;
            let level = saturate(round(MANTISSAS[mantissa], level) + rounding);
            pulses[grid + 3 * pulse] = level >> shift;
        }
        if (40..=PAST_SAMPLES).contains(&lag) {
            self.lag = lag;
        }
        self.residual.copy_within(PART_SAMPLES.., 0);
        for (at, pulse) in (PAST_SAMPLES..).zip(pulses) {
            self.residual[at] = saturate(pulse + round(gain, self.residual[at - self.lag]));
        }
        &self.residual[PAST_SAMPLES..]
    }

    fn filter(&mut self, reflections: &[i32; 8], sample: i32) -> i32 {
        let mut sample = sample;
        for stage in (0..8).rev() {
            sample = saturate(sample - round(reflections[stage], self.lattice[stage]));
            self.lattice[stage + 1] =
                saturate(self.lattice[stage] + round(reflections[stage], sample));
        }
        self.lattice[0] = sample;
        sample
    }
}

fn saturate(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

/// The product of two fractions of 2^15.
fn round(a: i32, b: i32) -> i32 {
    saturate((a * b + 16_384) >> 15)
}

/// Exponent and mantissa of the largest pulse.
fn magnitude(code: i32) -> (i32, usize) {
    let mut exponent = if code > 15 { (code >> 3) - 1 } else { 0 };
    let mut mantissa = code - (exponent << 3);
    if mantissa == 0 {
        return (-4, 7);
    }
    while mantissa <= 7 {
        mantissa = mantissa << 1 | 1;
        exponent -= 1;
    }
    (exponent, (mantissa - 8) as usize)
}

/// From a log area ratio.
fn reflection(ratio: i32) -> i32 {
    let size = saturate(ratio.abs());
    let size = if size < 11_059 {
        size << 1
    } else if size < 20_070 {
        size + 11_059
    } else {
        saturate((size >> 2) + 26_112)
    };
    if ratio < 0 { -size } else { size }
}

/// Bits, B, MIC and INVA of tables 4.1 and 4.2.
const RATIOS: [(usize, i32, i32, i32); 8] = [
    (6, 0, -32, 13_107),
    (6, 0, -32, 13_107),
    (5, 2048, -16, 13_107),
    (5, -2560, -16, 13_107),
    (4, 94, -8, 19_223),
    (4, -1792, -8, 17_476),
    (3, -341, -4, 31_454),
    (3, -1144, -4, 29_708),
];

const MANTISSAS: [i32; 8] = [
    18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767,
];
