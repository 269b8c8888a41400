//! Packets to frames: one decoder per codec, all of one shape.

mod aac;
mod ac3;
mod adpcm;
mod alac;
mod amr;
mod contained;
mod flac;
mod g722;
mod gsm;
mod mpeg;
mod opus;
mod pcm;
mod symphonia;
mod vorbis;
mod vorbis_codebooks;
mod wavpack;

use retake_formats::Codec;

use self::{
    aac::AacPackets, ac3::Ac3Frames, adpcm::AdpcmBlocks, alac::AlacPackets, amr::AmrFrames,
    contained::contained, flac::FlacFrames, g722::G722Bytes, gsm::GsmFrames, mpeg::MpegFrames,
    opus::OpusPackets, pcm::PcmDecoder, vorbis::VorbisPackets, wavpack::WavPackBlocks,
};
use super::demux::CodecParams;
use crate::{AudioError, block::Block, channels::ChannelMask};

/// What a packet was decoded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    pub sample_rate: u32,
    /// Channels are those of the block, in the order of WAVE.
    pub mask: ChannelMask,
}

/// The packet cannot be decoded: what is wrong with it. The next one may be fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PacketError(pub String);

pub(super) trait PacketDecoder: Send {
    /// Decodes a packet into `block`, whatever was in it: channels and frames as the packet has them,
    /// which may be none. Rate and channels may change from packet to packet. Samples may be no
    /// numbers; that is looked after elsewhere.
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError>;

    /// How many frames a packet stands for, without decoding it, where its bytes tell.
    fn frames(&self, packet: &[u8]) -> Option<u64>;

    /// Forgets what came before: the next packet does not follow on the last.
    fn reset(&mut self);
}

/// The decoder for a stream; [`AudioError::UnknownCodec`] where there is none.
pub(super) fn open(params: &CodecParams) -> Result<Box<dyn PacketDecoder>, AudioError> {
    let unknown = |codec: String| AudioError::UnknownCodec { codec };
    let name = params.codec.name();
    let broken = |PacketError(detail)| unknown(format!("{name} ({detail})"));
    Ok(match params.codec {
        Codec::Flac => contained(params, |params| Ok(FlacFrames::new(params))).map_err(broken)?,
        Codec::Alac => contained(params, AlacPackets::open).map_err(broken)?,
        Codec::Opus => contained(params, OpusPackets::open).map_err(broken)?,
        Codec::Vorbis => contained(params, VorbisPackets::open).map_err(broken)?,
        // In these two the error is the name.
        Codec::Aac => {
            contained(params, AacPackets::open).map_err(|PacketError(name)| unknown(name))?
        }
        Codec::Mp1 | Codec::Mp2 | Codec::Mp3 => {
            contained(params, |_| Ok(MpegFrames::default())).map_err(broken)?
        }
        Codec::AdpcmIma | Codec::AdpcmImaQt | Codec::AdpcmMs => {
            Box::new(AdpcmBlocks::open(params).map_err(broken)?)
        }
        Codec::AmrNb => contained(params, |_| AmrFrames::open(false)).map_err(broken)?,
        Codec::AmrWb => contained(params, |_| AmrFrames::open(true)).map_err(broken)?,
        Codec::Pcm | Codec::PcmFloat | Codec::Alaw | Codec::Mulaw => {
            Box::new(PcmDecoder::open(params)?)
        }
        Codec::Ac3 | Codec::Eac3 => {
            contained(params, Ac3Frames::open).map_err(|PacketError(name)| unknown(name))?
        }
        Codec::Gsm => Box::new(GsmFrames::new(params, false)),
        Codec::GsmMs => Box::new(GsmFrames::new(params, true)),
        Codec::WavPack => {
            contained(params, |params| Ok(WavPackBlocks::new(params))).map_err(broken)?
        }
        Codec::G722 => Box::new(G722Bytes::new()),
        _ => return Err(unknown(name.to_owned())),
    })
}

#[cfg(test)]
mod tests;
