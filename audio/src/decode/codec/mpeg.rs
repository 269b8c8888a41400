//! MPEG audio, layers 1 to 3.

use symphonia::core::codecs::audio::{
    AudioCodecId,
    well_known::{CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3},
};

use super::{Heard, PacketDecoder, PacketError, symphonia::Inner};
use crate::block::Block;

#[derive(Default)]
pub(super) struct MpegFrames {
    /// What it was made for: symphonia's decoders take one rate and one number of channels.
    decoder: Option<(Shape, Inner)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    layer: u32,
    sample_rate: u32,
    channels: u32,
}

impl PacketDecoder for MpegFrames {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        block.reset(0);
        let header = Header::parse(packet)
            .ok_or_else(|| PacketError("no header of an MPEG frame".to_owned()))?;
        // What is behind the frame is no part of it: AVI pads, and tags may follow the last.
        let frame = packet.get(..header.bytes).ok_or_else(|| {
            PacketError(format!(
                "a frame of {} bytes ends after {}",
                header.bytes,
                packet.len()
            ))
        })?;
        let kept = self
            .decoder
            .take()
            .filter(|(made, _)| *made == header.shape);
        let decoder = match kept {
            Some(decoder) => decoder,
            None => (header.shape, Inner::open(header.codec(), &[], false)?),
        };
        self.decoder.insert(decoder).1.decode(frame, block)
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        Header::parse(packet).map(|header| u64::from(header.frames))
    }

    fn reset(&mut self) {
        if let Some((_, decoder)) = &mut self.decoder {
            decoder.reset();
        }
    }
}

/// ISO 11172-3 section 2.4.2.3.
struct Header {
    shape: Shape,
    frames: u32,
    /// With the header.
    bytes: usize,
}

impl Header {
    fn parse(packet: &[u8]) -> Option<Self> {
        let word = u32::from_be_bytes(*packet.first_chunk()?);
        let bits = |from: u32, count: u32| word >> from & ((1 << count) - 1);
        if bits(21, 11) != 0x7ff {
            return None;
        }
        // 0 is version 2.5, 2 is version 2, 3 is version 1.
        let version = bits(19, 2);
        let layer = 4 - bits(17, 2);
        if version == 1 || layer == 4 || bits(10, 2) == 3 {
            return None;
        }
        let sample_rate = [44_100, 48_000, 32_000][bits(10, 2) as usize]
            >> match version {
                3 => 0,
                2 => 1,
                _ => 2,
            };
        let table = match (version, layer) {
            (3, layer) => &BIT_RATES[layer as usize - 1],
            (_, 1) => &BIT_RATES[3],
            _ => &BIT_RATES[4],
        };
        let bit_rate = 1000 * *table.get((bits(12, 4) as usize).checked_sub(1)?)?;
        let frames = match (version, layer) {
            (_, 1) => 384,
            (3, _) | (_, 2) => 1152,
            _ => 576,
        };
        let slot = if layer == 1 { 4 } else { 1 };
        let slots = frames / 8 * bit_rate / (slot * sample_rate) + bits(9, 1);
        Some(Self {
            shape: Shape {
                layer,
                sample_rate,
                channels: if bits(6, 2) == 3 { 1 } else { 2 },
            },
            frames,
            bytes: (slots * slot) as usize,
        })
    }

    fn codec(&self) -> AudioCodecId {
        match self.shape.layer {
            1 => CODEC_ID_MP1,
            2 => CODEC_ID_MP2,
            _ => CODEC_ID_MP3,
        }
    }
}

/// In kb/s: version 1 of layers 1 to 3, then version 2 of layer 1, and of layers 2 and 3.
const BIT_RATES: [[u32; 14]; 5] = [
    [
        32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
    ],
    [
        32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
    ],
    [
        32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
    [
        32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
    ],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
