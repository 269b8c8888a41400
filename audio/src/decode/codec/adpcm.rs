//! ADPCM of WAVE, AVI and QuickTime: blocks of four-bit steps that each begin anew.
//!
//! Sums are those of FFmpeg, to the bit.

use retake_formats::Codec;

use super::{Heard, PacketDecoder, PacketError};
use crate::{
    block::Block,
    channels::{CHANNELS_MAX, ChannelMask},
    decode::demux::CodecParams,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ima,
    ImaQt,
    Ms,
}

pub(super) struct AdpcmBlocks {
    kind: Kind,
    sample_rate: u32,
    channels: usize,
    mask: ChannelMask,
    block_bytes: usize,
    /// For [`Kind::Ms`], in 256ths.
    coefficients: Vec<[i32; 2]>,
    /// For [`Kind::ImaQt`], whose blocks state the last one's end roughly.
    ends: Vec<ImaState>,
}

/// QuickTime: two bytes of state and 64 steps.
const QT_BYTES: usize = 34;
const QT_FRAMES: usize = 64;

impl AdpcmBlocks {
    pub(super) fn open(params: &CodecParams) -> Result<Self, PacketError> {
        let kind = match params.codec {
            Codec::AdpcmMs => Kind::Ms,
            Codec::AdpcmImaQt => Kind::ImaQt,
            _ => Kind::Ima,
        };
        let channels = params.channels.unwrap_or(0);
        // The layout of Microsoft's blocks is defined for no more.
        let channels_max = if kind == Kind::Ms { 2 } else { CHANNELS_MAX };
        if !(1..=channels_max).contains(&channels) {
            return Err(PacketError(format!("ADPCM with {channels} channels")));
        }
        let sample_rate = params
            .sample_rate
            .filter(|&rate| rate > 0)
            .ok_or_else(|| PacketError("ADPCM without a rate".to_owned()))?;
        let stated = params.block_bytes.unwrap_or(0) as usize;
        Ok(Self {
            kind,
            sample_rate,
            channels: channels as usize,
            mask: params.mask.unwrap_or(ChannelMask::unstated(channels)),
            block_bytes: match kind {
                Kind::ImaQt => QT_BYTES * channels as usize,
                // Without a size a packet is a block.
                _ if stated == 0 => usize::MAX,
                _ => stated,
            },
            coefficients: coefficients(&params.extra),
            ends: vec![ImaState::default(); channels as usize],
        })
    }

    /// Bytes in front of a block's steps.
    fn header_bytes(&self) -> usize {
        self.channels
            * match self.kind {
                Kind::Ima => 4,
                Kind::ImaQt => 2,
                Kind::Ms => 7,
            }
    }

    fn block_frames(&self, bytes: usize) -> usize {
        let Some(steps) = bytes.checked_sub(self.header_bytes()) else {
            return 0;
        };
        match self.kind {
            // Whole groups of eight, each channel's in four bytes.
            Kind::Ima => 1 + steps / (4 * self.channels) * 8,
            Kind::ImaQt if bytes == self.block_bytes => QT_FRAMES,
            Kind::ImaQt => 0,
            Kind::Ms => 2 + steps * 2 / self.channels,
        }
    }

    fn ima(&self, bytes: &[u8], block: &mut Block) -> Result<(), PacketError> {
        let (header, steps) = bytes.split_at(self.header_bytes());
        let groups = steps.len() / (4 * self.channels);
        let channels = self.channels;
        if let Some(wrong) = header
            .chunks_exact(4)
            .map(|state| state[2])
            .find(|&at| at > 88)
        {
            return Err(PacketError(format!("step {wrong} of 0 to 88")));
        }
        block.append_with(|channel, plane| {
            let state = &header[4 * channel..][..4];
            let mut state = ImaState {
                sample: i32::from(i16::from_le_bytes([state[0], state[1]])),
                step: i32::from(state[2]),
            };
            plane.push(to_float(state.sample));
            for group in 0..groups {
                let at = 4 * (group * channels + channel);
                for byte in &steps[at..at + 4] {
                    plane.push(to_float(state.advance(byte & 15)));
                    plane.push(to_float(state.advance(byte >> 4)));
                }
            }
        });
        Ok(())
    }

    fn ima_qt(&mut self, bytes: &[u8], block: &mut Block) {
        let ends = &mut self.ends;
        block.append_with(|channel, plane| {
            let bytes = &bytes[QT_BYTES * channel..][..QT_BYTES];
            let word = i16::from_be_bytes([bytes[0], bytes[1]]);
            let mut state = ImaState {
                sample: i32::from(word & !0x7f),
                step: i32::from(word & 0x7f).min(88),
            };
            let end = &mut ends[channel];
            // The lowest bits do not fit the header: where the rest agrees, the last block has them.
            if end.step == state.step && (state.sample - end.sample).abs() <= 0x7f {
                state.sample = end.sample;
            }
            for byte in &bytes[2..] {
                plane.push(to_float(state.advance_qt(byte & 15)));
                plane.push(to_float(state.advance_qt(byte >> 4)));
            }
            *end = state;
        });
    }

    fn ms(&self, bytes: &[u8], block: &mut Block) -> Result<(), PacketError> {
        let (header, steps) = bytes.split_at(self.header_bytes());
        let channels = self.channels;
        let word = |kind: usize, channel: usize| {
            let at = channels + 2 * (kind * channels + channel);
            i32::from(i16::from_le_bytes([header[at], header[at + 1]]))
        };
        let mut states = Vec::with_capacity(channels);
        for (channel, &predictor) in header[..channels].iter().enumerate() {
            let coefficients = self.coefficients.get(usize::from(predictor));
            states.push(MsState {
                coefficients: *coefficients
                    .ok_or_else(|| PacketError(format!("predictor {predictor}")))?,
                delta: word(0, channel),
                samples: [word(1, channel), word(2, channel)],
            });
        }
        let frames = steps.len() * 2 / channels;
        block.append_with(|channel, plane| {
            let state = &mut states[channel];
            plane.extend(state.samples.iter().rev().map(|&sample| to_float(sample)));
            for frame in 0..frames {
                let nibble = frame * channels + channel;
                let byte = steps[nibble / 2];
                let step = if nibble % 2 == 0 {
                    byte >> 4
                } else {
                    byte & 15
                };
                plane.push(to_float(state.advance(step)));
            }
        });
        Ok(())
    }
}

impl PacketDecoder for AdpcmBlocks {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        block.reset(self.channels);
        for bytes in packet.chunks(self.block_bytes) {
            if self.block_frames(bytes.len()) == 0 {
                // The file ends inside of a block's header; what is before it is still good.
                if block.is_empty() {
                    return Err(PacketError("a block is cut off".to_owned()));
                }
                break;
            }
            match self.kind {
                Kind::Ima => self.ima(bytes, block)?,
                Kind::ImaQt => self.ima_qt(bytes, block),
                Kind::Ms => self.ms(bytes, block)?,
            }
        }
        Ok(Heard {
            sample_rate: self.sample_rate,
            mask: self.mask,
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        let blocks = packet.chunks(self.block_bytes);
        Some(
            blocks
                .map(|bytes| self.block_frames(bytes.len()) as u64)
                .sum(),
        )
    }

    fn reset(&mut self) {
        self.ends.fill(ImaState::default());
    }
}

fn to_float(sample: i32) -> f32 {
    sample as f32 / 32768.0
}

#[derive(Debug, Clone, Copy, Default)]
struct ImaState {
    sample: i32,
    step: i32,
}

impl ImaState {
    fn advance(&mut self, nibble: u8) -> i32 {
        let step = IMA_STEPS[self.step as usize];
        let change = (2 * i32::from(nibble & 7) + 1) * step >> 3;
        self.apply(nibble, change)
    }

    /// QuickTime adds up parts that are rounded each.
    fn advance_qt(&mut self, nibble: u8) -> i32 {
        let step = IMA_STEPS[self.step as usize];
        let part = |bit: u8, part: i32| if nibble & bit != 0 { part } else { 0 };
        let change = (step >> 3) + part(4, step) + part(2, step >> 1) + part(1, step >> 2);
        self.apply(nibble, change)
    }

    fn apply(&mut self, nibble: u8, change: i32) -> i32 {
        let change = if nibble & 8 != 0 { -change } else { change };
        self.sample = (self.sample + change).clamp(-32768, 32767);
        self.step = (self.step + IMA_INDEX[usize::from(nibble & 7)]).clamp(0, 88);
        self.sample
    }
}

struct MsState {
    coefficients: [i32; 2],
    delta: i32,
    /// The newest first.
    samples: [i32; 2],
}

impl MsState {
    fn advance(&mut self, nibble: u8) -> i32 {
        let [first, second] = self.coefficients;
        // 16-bit samples and coefficients: no overflow.
        let predicted = (i64::from(self.samples[0]) * i64::from(first)
            + i64::from(self.samples[1]) * i64::from(second))
            / 256;
        let step = i64::from((nibble as i8) << 4 >> 4);
        let sample = (predicted + step * i64::from(self.delta)).clamp(-32768, 32767) as i32;
        self.samples = [sample, self.samples[0]];
        // Bounded so that it never overflows, however often it grows.
        self.delta =
            (MS_ADAPTATION[usize::from(nibble)] * self.delta >> 8).clamp(16, i32::MAX / 768);
        sample
    }
}

/// What the format chunk lists, of which the first seven are fixed.
fn coefficients(extra: &[u8]) -> Vec<[i32; 2]> {
    let word = |at: usize| Some(i16::from_le_bytes(*extra.get(at..)?.first_chunk()?));
    let listed = word(2).map_or(0, |count| count.clamp(0, 256) as usize);
    let own = (MS_COEFFICIENTS.len()..listed)
        .map_while(|index| Some([word(4 + 4 * index)?.into(), word(6 + 4 * index)?.into()]));
    MS_COEFFICIENTS.into_iter().chain(own).collect()
}

const MS_COEFFICIENTS: [[i32; 2]; 7] = [
    [256, 0],
    [512, -256],
    [0, 0],
    [192, 64],
    [240, 0],
    [460, -208],
    [392, -232],
];

const MS_ADAPTATION: [i32; 16] = [
    230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230,
];

const IMA_INDEX: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

const IMA_STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66,
    73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449,
    494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272,
    2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493,
    10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
];
