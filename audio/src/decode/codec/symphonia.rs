//! symphonia's decoders behind ours: parameters in, planar samples and positions out.
//!
//! Gapless playback is off: what is trimmed, the time line decides.

use symphonia::core::{
    audio::Channels,
    codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions},
    packet::PacketRef,
    units::{Duration, Timestamp},
};

use super::{Heard, PacketError};
use crate::{block::Block, channels::ChannelMask};

pub(super) struct Inner {
    decoder: Box<dyn AudioDecoder>,
    planes: Vec<Vec<f32>>,
}

impl Inner {
    /// What is wrong with the parameters is the error.
    pub(super) fn open(
        codec: AudioCodecId,
        extra: &[u8],
        is_gapless: bool,
    ) -> Result<Self, PacketError> {
        let mut params = AudioCodecParameters::new();
        params.for_codec(codec);
        if !extra.is_empty() {
            params.with_extra_data(extra.into());
        }
        let options = AudioDecoderOptions::default().gapless(is_gapless);
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&params, &options)
            .map_err(|error| PacketError(error.to_string()))?;
        Ok(Self {
            decoder,
            planes: Vec::new(),
        })
    }

    pub(super) fn decode(
        &mut self,
        packet: &[u8],
        block: &mut Block,
    ) -> Result<Heard, PacketError> {
        block.reset(0);
        let packet = PacketRef::new(0, Timestamp::new(0), Duration::new(0), packet);
        let decoded = self
            .decoder
            .decode_ref(&packet)
            .map_err(|error| PacketError(error.to_string()))?;
        let spec = decoded.spec();
        let sample_rate = spec.rate();
        let channels = spec.channels().count() as u32;
        // The positions are WAVE's, and the planes stand in their order.
        let positions = match spec.channels() {
            Channels::Positioned(positions) => positions.bits() as u32,
            _ => 0,
        };
        decoded.copy_to_vecs_planar::<f32>(&mut self.planes);
        block.reset(self.planes.len());
        block.append_with(|channel, plane| plane.extend_from_slice(&self.planes[channel]));
        Ok(Heard {
            sample_rate,
            mask: ChannelMask::stated(positions, channels),
        })
    }

    pub(super) fn reset(&mut self) {
        self.decoder.reset();
    }
}
