//! FLAC frames (RFC 9639), each on its own: what its header says goes before STREAMINFO, which is
//! wrong or missing often enough, and its checksum is looked at, since containers do not.

use symphonia::core::codecs::audio::well_known::CODEC_ID_FLAC;

use super::{Heard, PacketDecoder, PacketError, symphonia::Inner};
use crate::{
    block::Block,
    channels::ChannelMask,
    decode::{bit_reader::BitReader, demux::CodecParams},
    encode::flac_crc16,
};

/// What a decoder is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    sample_rate: u32,
    channels: u32,
    bits: u32,
}

pub(super) struct FlacFrames {
    stated: Shape,
    mask: Option<ChannelMask>,
    decoder: Option<(Shape, Inner)>,
}

impl FlacFrames {
    pub(super) fn new(params: &CodecParams) -> Self {
        let from_extra = streaminfo(&params.extra);
        let stated = from_extra.unwrap_or(Shape {
            sample_rate: params.sample_rate.unwrap_or(0),
            channels: params.channels.unwrap_or(0),
            bits: params.bits.unwrap_or(0),
        });
        Self {
            stated,
            mask: params.mask,
            decoder: None,
        }
    }

    /// The decoder for a shape: the one that is there, or a new one.
    fn decoder(&mut self, shape: Shape) -> Result<&mut Inner, PacketError> {
        let kept = self.decoder.take().filter(|(made, _)| *made == shape);
        let decoder = match kept {
            Some(decoder) => decoder,
            None => (
                shape,
                Inner::open(CODEC_ID_FLAC, &write_streaminfo(shape), false)?,
            ),
        };
        Ok(&mut self.decoder.insert(decoder).1)
    }
}

impl PacketDecoder for FlacFrames {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        block.reset(0);
        let header = FrameHeader::parse(packet)
            .ok_or_else(|| PacketError("no header of a FLAC frame".to_owned()))?;
        let shape = Shape {
            sample_rate: header.sample_rate.unwrap_or(self.stated.sample_rate),
            channels: header.channels,
            bits: header.bits.unwrap_or(self.stated.bits),
        };
        if header.has_side && shape.bits > 31 {
            // Its difference channel takes 33 bits, which symphonia cannot hold.
            return Err(PacketError("FLAC of 32 bits with joint stereo".to_owned()));
        }
        if flac_crc16(packet) != 0 {
            return Err(PacketError("the checksum of the frame is wrong".to_owned()));
        }
        let heard = self.decoder(shape)?.decode(packet, block)?;
        let usual = ChannelMask::usual(shape.channels);
        let is_as_stated = shape.channels == self.stated.channels;
        Ok(Heard {
            sample_rate: heard.sample_rate,
            mask: self.mask.filter(|_| is_as_stated).unwrap_or(usual),
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        FrameHeader::parse(packet).map(|header| u64::from(header.frames))
    }

    fn reset(&mut self) {}
}

#[derive(Debug, PartialEq, Eq)]
struct FrameHeader {
    frames: u32,
    sample_rate: Option<u32>,
    channels: u32,
    bits: Option<u32>,
    has_side: bool,
}

impl FrameHeader {
    fn parse(packet: &[u8]) -> Option<Self> {
        let mut bits = BitReader::new(packet);
        if bits.take(15)? != 0x7ffc {
            return None;
        }
        bits.take(1)?;
        let size = bits.take(4)?;
        let rate = bits.take(4)?;
        let assignment = bits.take(4)?;
        let depth = bits.take(3)?;
        bits.take(1)?;
        // The number of the frame or sample, as UTF-8 would write it.
        let more = match packet.get(4)?.leading_ones() {
            0 => 0,
            ones @ 2..=7 => ones as usize - 1,
            _ => return None,
        };
        bits.seek(8 * (5 + more))?;
        Some(Self {
            frames: match size {
                0 => return None,
                1 => 192,
                2..=5 => 576 << (size - 2),
                6 => bits.take(8)? + 1,
                7 => bits.take(16)? + 1,
                _ => 256 << (size - 8),
            },
            sample_rate: match rate {
                0 => None,
                12 => Some(bits.take(8)? * 1000),
                13 => Some(bits.take(16)?),
                14 => Some(bits.take(16)? * 10),
                15 => return None,
                known => Some(RATES[known as usize - 1]),
            },
            channels: match assignment {
                0..=7 => assignment + 1,
                8..=10 => 2,
                _ => return None,
            },
            bits: match depth {
                0 => None,
                3 => return None,
                known => Some([8, 12, 0, 16, 20, 24, 32][known as usize - 1]),
            },
            has_side: assignment >= 8,
        })
    }
}

const RATES: [u32; 11] = [
    88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000,
];

fn streaminfo(bytes: &[u8]) -> Option<Shape> {
    let mut bits = BitReader::new(bytes.get(..34)?);
    bits.seek(80)?;
    Some(Shape {
        sample_rate: bits.take(20)?,
        channels: bits.take(3)? + 1,
        bits: bits.take(5)? + 1,
    })
}

/// For frames of any length.
fn write_streaminfo(shape: Shape) -> [u8; 34] {
    let mut bytes = [0; 34];
    bytes[..4].copy_from_slice(&[0, 16, 0xff, 0xff]);
    let packed = u64::from(shape.sample_rate & 0xf_ffff) << 44
        | u64::from(shape.channels.wrapping_sub(1) & 7) << 41
        | u64::from(shape.bits.wrapping_sub(1) & 31) << 36;
    bytes[10..18].copy_from_slice(&packed.to_be_bytes());
    bytes
}
