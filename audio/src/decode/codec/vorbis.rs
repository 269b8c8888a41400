//! Vorbis packets: each gives what it and the one before it have in common, so the first none.

use lewton::{
    audio::{PreviousWindowRight, read_audio_packet_generic},
    header::{IdentHeader, SetupHeader, read_header_ident, read_header_setup},
};
use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;

use super::{Heard, PacketDecoder, PacketError, symphonia::Inner, vorbis_codebooks};
use crate::{
    block::Block,
    channels::{ChannelMask, vorbis_from_wave},
    decode::{demux::CodecParams, vorbis_blocks::VorbisBlocks},
};

/// symphonia undoes the steps of coupling in the wrong order, which is heard where there is more
/// than one: with more than two channels. It still is who judges the headers.
enum Decoder {
    Symphonia(Inner),
    Lewton(Box<Lewton>),
}

const IDENTIFICATION_BYTES: usize = 30;

pub(super) struct VorbisPackets {
    decoder: Decoder,
    /// `None` where the setup header does not tell.
    blocks: Option<VorbisBlocks>,
    /// The block before, after a reset none.
    before: Option<u32>,
}

impl VorbisPackets {
    pub(super) fn open(params: &CodecParams) -> Result<Self, PacketError> {
        let setup = params.extra.get(IDENTIFICATION_BYTES..).unwrap_or(&[]);
        if !vorbis_codebooks::are_moderate(setup) {
            return Err(PacketError(
                "codebooks that make no sense, or none that fit into memory".to_owned(),
            ));
        }
        // Gapless is what leaves out the first packet; nothing else is trimmed by it, since we
        // hand it no trims.
        let inner = Inner::open(CODEC_ID_VORBIS, &params.extra, true)?;
        let channels = params.extra.get(11).copied().unwrap_or(0);
        Ok(Self {
            decoder: if channels <= 2 {
                Decoder::Symphonia(inner)
            } else {
                Decoder::Lewton(Box::new(Lewton::open(&params.extra)?))
            },
            blocks: VorbisBlocks::new(&params.extra, setup),
            before: None,
        })
    }

    fn block_frames(&self, packet: &[u8]) -> Option<u32> {
        self.blocks.as_ref()?.frames(packet)
    }
}

impl PacketDecoder for VorbisPackets {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        let heard = match &mut self.decoder {
            Decoder::Symphonia(inner) => inner.decode(packet, block)?,
            Decoder::Lewton(lewton) => {
                let heard = lewton.decode(packet, block)?;
                if let Some(blocks) = &self.blocks
                    && let (Some(size), Some(alone)) =
                        (blocks.frames(packet), blocks.frames_alone(packet))
                {
                    let frames = self.before.map_or(0, |before| (before + size) / 4);
                    lewton.give_centred(block, frames as usize, alone as usize);
                }
                heard
            }
        };
        self.before = self.block_frames(packet);
        Ok(Heard {
            // symphonia takes mono for the left.
            mask: ChannelMask::usual(block.channels() as u32),
            ..heard
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        let frames = self.block_frames(packet)?;
        Some(
            self.before
                .map_or(0, |before| u64::from(before + frames) / 4),
        )
    }

    fn reset(&mut self) {
        match &mut self.decoder {
            Decoder::Symphonia(inner) => inner.reset(),
            Decoder::Lewton(lewton) => lewton.reset(),
        }
        self.before = None;
    }
}

struct Lewton {
    identification: IdentHeader,
    setup: SetupHeader,
    before: PreviousWindowRight,
    /// Behind the centre of the last block.
    ahead: Block,
    joined: Block,
}

impl Lewton {
    fn open(extra: &[u8]) -> Result<Self, PacketError> {
        let broken = |error: lewton::header::HeaderReadError| PacketError(error.to_string());
        let (identification, setup) = extra
            .split_at_checked(IDENTIFICATION_BYTES)
            .ok_or_else(|| PacketError("its header is cut off".to_owned()))?;
        let identification = read_header_ident(identification).map_err(broken)?;
        let blocks = (identification.blocksize_0, identification.blocksize_1);
        Ok(Self {
            setup: read_header_setup(setup, identification.audio_channels, blocks)
                .map_err(broken)?,
            identification,
            before: PreviousWindowRight::new(),
            ahead: Block::default(),
            joined: Block::default(),
        })
    }

    fn reset(&mut self) {
        self.before = PreviousWindowRight::new();
        self.ahead.reset(0);
    }

    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        let channels = usize::from(self.identification.audio_channels);
        block.reset(channels);
        let planes: Vec<Vec<f32>> =
            read_audio_packet_generic(&self.identification, &self.setup, packet, &mut self.before)
                .map_err(|error| {
                    self.reset();
                    PacketError(error.to_string())
                })?;
        for (place, &channel) in vorbis_from_wave(channels).iter().enumerate() {
            let frames = planes[place].len();
            block.resize(frames);
            block.plane_mut(channel).copy_from_slice(&planes[place]);
        }
        Ok(Heard {
            sample_rate: self.identification.audio_sample_rate,
            mask: ChannelMask::usual(channels as u32),
        })
    }

    /// A packet is to give what lies between its block's centre and that of the block before. lewton
    /// gives what is finished: up to where the next block begins to be mixed in, which is `alone`
    /// frames further. Where it had no block before, the front is missing and becomes silence.
    fn give_centred(&mut self, block: &mut Block, frames: usize, alone: usize) {
        let channels = block.channels();
        if self.ahead.channels() != channels {
            self.ahead.reset(channels);
        }
        let (ahead, joined) = (&self.ahead, &mut self.joined);
        let missing = (frames + alone).saturating_sub(ahead.frames() + block.frames());
        let too_many = (ahead.frames() + block.frames()).saturating_sub(frames + alone);
        joined.reset(channels);
        joined.append_with(|channel, plane| {
            plane.resize(plane.len() + missing, 0.0);
            let both = ahead.plane(channel).iter().chain(block.plane(channel));
            plane.extend(both.skip(too_many));
        });
        self.ahead.reset(channels);
        self.ahead
            .append_with(|channel, plane| plane.extend(&joined.plane(channel)[frames..]));
        joined.resize(frames);
        std::mem::swap(joined, block);
    }
}
