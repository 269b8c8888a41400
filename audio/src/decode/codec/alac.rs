//! Apple Lossless.

use symphonia::core::codecs::audio::well_known::CODEC_ID_ALAC;

use super::{Heard, PacketDecoder, PacketError, symphonia::Inner};
use crate::{
    block::Block,
    channels::ChannelMask,
    decode::{bit_reader::BitReader, demux::CodecParams},
};

/// The cookie, and behind it the arrangement of channels.
const COOKIE_BYTES: usize = 24;
const COOKIE_WITH_LAYOUT_BYTES: usize = 48;
/// symphonia allocates four bytes for each frame of a packet and channel by the cookie; encoders
/// have 4096 frames.
const PACKET_FRAMES_MAX: u32 = 1 << 16;

pub(super) struct AlacPackets {
    inner: Inner,
    frames: u32,
    mask: Option<ChannelMask>,
}

impl AlacPackets {
    pub(super) fn open(params: &CodecParams) -> Result<Self, PacketError> {
        let frames = BitReader::new(&params.extra)
            .take(32)
            .filter(|frames| (1..=PACKET_FRAMES_MAX).contains(frames))
            .ok_or_else(|| PacketError("no configuration".to_owned()))?;
        let open = |bytes: usize| match params.extra.get(..bytes) {
            Some(cookie) => Inner::open(CODEC_ID_ALAC, cookie, false),
            None => Err(PacketError("the configuration is too short".to_owned())),
        };
        // An arrangement that is not among Apple's is no reason to refuse the audio.
        let inner = open(COOKIE_WITH_LAYOUT_BYTES).or_else(|_| open(COOKIE_BYTES))?;
        Ok(Self {
            inner,
            frames,
            mask: params.mask,
        })
    }
}

impl PacketDecoder for AlacPackets {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        let heard = self.inner.decode(packet, block)?;
        Ok(Heard {
            mask: self.mask.unwrap_or(heard.mask),
            ..heard
        })
    }

    /// Only the last packet of a stream says its length, and it is its first element that does.
    fn frames(&self, packet: &[u8]) -> Option<u64> {
        // Tag, instance, unused; whether it is shorter; shift and whether it is uncompressed.
        let mut bits = BitReader::new(packet);
        let tag = bits.take(3)?;
        bits.take(4 + 12)?;
        let is_shorter = bits.take(1)? == 1 && matches!(tag, 0 | 1 | 3);
        bits.take(3)?;
        let frames = if is_shorter {
            bits.take(32)?.min(self.frames)
        } else {
            self.frames
        };
        Some(u64::from(frames))
    }

    fn reset(&mut self) {}
}
