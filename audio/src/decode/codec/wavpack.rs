//! WavPack, lossless and hybrid (without its correction), by `oxideav-wavpack`: a packet is the blocks of
//! one moment, of one or two channels each.

use oxideav_wavpack::{WavPackBlock, iter_blocks};

use super::{Heard, PacketDecoder, PacketError};
use crate::{
    block::Block,
    channels::{CHANNELS_MAX, ChannelMask},
    decode::demux::CodecParams,
};

/// Its own encoder makes no longer blocks.
const FRAMES_MAX: u32 = 1 << 17;

pub(super) struct WavPackBlocks {
    sample_rate: Option<u32>,
    mask: Option<ChannelMask>,
    interleaved: Vec<f32>,
    packet: Vec<u8>,
}

impl WavPackBlocks {
    pub(super) fn new(params: &CodecParams) -> Self {
        Self {
            sample_rate: params.sample_rate,
            mask: params.mask,
            interleaved: Vec::new(),
            packet: Vec::new(),
        }
    }

    /// Adds the channels of a block to those so far.
    fn add(&mut self, coded: &WavPackBlock, block: &mut Block) -> Result<(), PacketError> {
        let flags = coded.flags();
        let channels = if flags.mono { 1 } else { 2 };
        let frames = coded.block_samples() as usize;
        if block.channels() + channels > CHANNELS_MAX as usize {
            return Err(PacketError(format!("more than {CHANNELS_MAX} channels")));
        }
        if block.channels() > 0 && block.frames() != frames {
            return Err(PacketError("channels of unequal length".to_owned()));
        }
        let (samples, is_sound) = coded
            .decode_member_samples_muted()
            .map_err(|error| PacketError(error.to_string()))?;
        if !is_sound || samples.len() != channels * frames {
            return Err(PacketError("the checksum of a block is wrong".to_owned()));
        }
        self.interleaved.clear();
        if flags.float_data {
            let floats = samples.iter().map(|bits| f32::from_bits(*bits as u32));
            self.interleaved.extend(floats);
        } else {
            let full_scale =
                (1u64 << (8 * u32::from(flags.bytes_per_sample_minus_one & 3) + 7)) as f32;
            let floats = samples.iter().map(|sample| *sample as f32 / full_scale);
            self.interleaved.extend(floats);
        }
        let mut planes = std::mem::take(block).into_planes();
        planes.extend((0..channels).map(|channel| {
            let own = self.interleaved.iter().skip(channel).step_by(channels);
            own.copied().collect()
        }));
        *block = Block::from_planes(planes)
            .ok_or_else(|| PacketError("channels of unequal length".to_owned()))?;
        Ok(())
    }
}

impl PacketDecoder for WavPackBlocks {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        block.reset(0);
        let mut rate = None;
        let mut stated = None;
        let mut own = std::mem::take(&mut self.packet);
        own.clear();
        own.extend_from_slice(packet);
        part_histories(&mut own);
        for coded in iter_blocks(&own) {
            let coded = coded.map_err(|error| PacketError(error.to_string()))?;
            if !coded.is_audio_block() {
                continue;
            }
            if coded.block_samples() > FRAMES_MAX {
                let frames = coded.block_samples();
                return Err(PacketError(format!("a block of {frames} frames")));
            }
            if block.channels() == 0 {
                rate = coded.sample_rate().ok().flatten();
                stated = coded.channel_info().ok().flatten();
            }
            self.add(&coded, block)?;
        }
        self.packet = own;
        let channels = block.channels() as u32;
        if channels == 0 {
            return Err(PacketError("no block with samples".to_owned()));
        }
        let stated = stated.map(|info| ChannelMask::stated(info.mask, channels));
        Ok(Heard {
            sample_rate: rate
                .or(self.sample_rate)
                .filter(|rate| *rate > 0)
                .ok_or_else(|| PacketError("the rate is not said".to_owned()))?,
            mask: stated
                .or(self.mask)
                .unwrap_or(ChannelMask::unstated(channels)),
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        let count: &[u8; 4] = packet.get(20..)?.first_chunk()?;
        let frames = u32::from_le_bytes(*count);
        (packet.starts_with(b"wvpk") && frames <= FRAMES_MAX).then_some(u64::from(frames))
    }

    fn reset(&mut self) {}
}

const HEADER_BYTES: usize = 32;
const FLAG_MONO: u32 = 1 << 2;
/// Both channels are the same, so one is stored.
const FLAG_FALSE_STEREO: u32 = 1 << 30;
/// What a block has behind its header: which predictors, and the samples that they begin with.
const TERMS: u8 = 2;
const HISTORY: u8 = 4;

/// The samples that a predictor of so many samples back begins with are stored the oldest first, left,
/// right, left, right; `oxideav-wavpack` 0.0.4 takes all of the left first, and of each channel the
/// newest first, and the block would not decode. The encoder's extra modes (`-x`) write such blocks.
fn part_histories(packet: &mut [u8]) {
    let mut rest = packet;
    while let Some(head) = rest.first_chunk::<HEADER_BYTES>() {
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let flags = u32::from_le_bytes([head[24], head[25], head[26], head[27]]);
        let Some((block, behind)) = rest.split_at_mut_checked(size.saturating_add(8)) else {
            return;
        };
        if let Some(body) = block.get_mut(HEADER_BYTES..) {
            let is_stereo = flags & (FLAG_MONO | FLAG_FALSE_STEREO) == 0;
            part_history(body, if is_stereo { 2 } else { 1 });
        }
        rest = behind;
    }
}

fn part_history(mut body: &mut [u8], channels: usize) {
    let mut terms = Vec::new();
    // Each part: what it is, its size in words of two bytes, and the words.
    while let [id, low, more @ ..] = body {
        let (id, mut bytes) = (*id, 2 * usize::from(*low));
        let mut data = more;
        if id & 0x80 != 0 {
            let [mid, high, more @ ..] = data else {
                return;
            };
            bytes |= usize::from(*mid) << 9 | usize::from(*high) << 17;
            data = more;
        }
        let Some((part, behind)) = data.split_at_mut_checked(bytes) else {
            return;
        };
        // The last byte fills the word.
        let is_odd = usize::from(id & 0x40 != 0);
        let part = &mut part[..bytes.saturating_sub(is_odd)];
        match id & 0x3f {
            TERMS => terms = part.iter().map(|byte| i32::from(byte & 31) - 5).collect(),
            HISTORY => part_samples(part, &terms, channels),
            _ => {}
        }
        body = behind;
    }
}

fn part_samples(mut samples: &mut [u8], terms: &[i32], channels: usize) {
    for term in terms {
        let (count, is_turned) = match term {
            1..=8 => (*term as usize, true),
            17 | 18 => (2, false),
            _ => (1, false),
        };
        let Some((own, behind)) = samples.split_at_mut_checked(2 * count * channels) else {
            return;
        };
        if is_turned {
            let mut turned = [0; 32];
            for (at, sample) in own.chunks_exact(2).enumerate() {
                let (frame, channel) = (at / channels, at % channels);
                let to = count * channel + (count - 1 - frame);
                turned[2 * to..][..2].copy_from_slice(sample);
            }
            own.copy_from_slice(&turned[..own.len()]);
        }
        samples = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::{TERMS, part_history};

    #[test]
    fn samples_to_begin_with_are_parted_for_each_predictor() {
        // Predictors 18, 2, -1 and 3, the last of which has none; then a part that is none of these.
        let mut body = vec![TERMS, 2, 18 + 5, 2 + 5, 4, 3 + 5, 4, 10];
        let pair = |left: u8, right: u8| [left, left, right, right];
        body.extend([pair(1, 2), pair(3, 4)].concat());
        body.extend([pair(5, 6), pair(7, 8)].concat());
        body.extend(pair(9, 10));
        body.extend([5, 1, 1, 2]);
        let mut expected = body.clone();
        expected[16..24].copy_from_slice(&[7, 7, 5, 5, 8, 8, 6, 6]);
        part_history(&mut body, 2);
        assert_eq!(body, expected);
    }

    #[test]
    fn parts_that_are_cut_off_are_left_alone() {
        for body in [&[4][..], &[2, 9, 7], &[0x84, 1, 0], &[4, 255, 1, 1]] {
            let mut changed = body.to_vec();
            part_history(&mut changed, 2);
            assert_eq!(changed, body);
        }
    }
}
