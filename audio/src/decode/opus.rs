//! Opus packets from any container to planar `f32` at 48 kHz, by the pure-Rust `opus-pure`.

use opus_pure::{ChannelLayout, OpusDecoder, OpusMSDecoder};

use crate::{AudioError, Block, Spec, channels::vorbis_from_wave};

const RATE: u32 = 48_000;
/// 120 ms, the most a packet may hold.
const PACKET_FRAMES_MAX: usize = 5760;
/// What encoders skip where the container does not say: libopus's delay.
const PRE_SKIP_USUAL: u64 = 312;

/// The stream's header: RFC 7845 section 5.1, or its big-endian twin in MP4's `dOps` box.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OpusHead {
    pub channels: usize,
    pub pre_skip: u64,
    gain_q8: i32,
    mapping_family: u8,
    streams: usize,
    coupled: usize,
    mapping: Vec<u8>,
}

impl OpusHead {
    /// `bytes` start with "OpusHead". In MP4 the numbers behind it are big-endian.
    pub(super) fn parse(bytes: &[u8], is_big_endian: bool) -> Option<Self> {
        let body = bytes
            .strip_prefix(b"OpusHead")
            .filter(|body| body.len() >= 11)?;
        let u16_at = |at: usize| {
            let pair = [body[at], body[at + 1]];
            if is_big_endian {
                u16::from_be_bytes(pair)
            } else {
                u16::from_le_bytes(pair)
            }
        };
        let channels = usize::from(body[1]);
        let mapping_family = body[10];
        let (streams, coupled, mapping) = if mapping_family == 0 {
            (1, channels.saturating_sub(1), (0..channels as u8).collect())
        } else {
            let mapping = body.get(13..13 + channels)?.to_vec();
            (usize::from(body[11]), usize::from(body[12]), mapping)
        };
        Some(Self {
            channels,
            pre_skip: u64::from(u16_at(2)),
            gain_q8: i32::from(u16_at(8) as i16),
            mapping_family,
            streams,
            coupled,
            mapping,
        })
    }

    /// For streams that came without a header.
    pub(super) fn assumed(channels: usize) -> Self {
        Self {
            channels,
            pre_skip: PRE_SKIP_USUAL,
            gain_q8: 0,
            mapping_family: 0,
            streams: 1,
            coupled: channels.saturating_sub(1),
            mapping: (0..channels as u8).collect(),
        }
    }
}

enum Decoder {
    Plain(Box<OpusDecoder>),
    Surround(OpusMSDecoder),
}

pub(super) struct OpusPackets {
    decoder: Decoder,
    channels: usize,
    interleaved: Vec<f32>,
    block: Block,
}

impl OpusPackets {
    pub(super) fn new(head: &OpusHead) -> Result<Self, AudioError> {
        let unknown = || AudioError::UnknownCodec {
            codec: format!(
                "Opus with {} channels in mapping family {}",
                head.channels, head.mapping_family
            ),
        };
        let is_plain = head.streams == 1
            && head.coupled + 1 == head.channels
            && head
                .mapping
                .iter()
                .enumerate()
                .all(|(i, &m)| usize::from(m) == i);
        let decoder = if is_plain {
            let mut decoder =
                OpusDecoder::new(RATE as i32, head.channels).map_err(|_| unknown())?;
            decoder.gain_q8 = head.gain_q8;
            Decoder::Plain(Box::new(decoder))
        } else {
            // Only the standard arrangements of streams can be decoded.
            let layout = ChannelLayout::surround(head.channels, head.mapping_family)
                .map_err(|_| unknown())?;
            if (
                layout.nb_streams,
                layout.nb_coupled_streams,
                &layout.mapping,
            ) != (head.streams, head.coupled, &head.mapping)
            {
                return Err(unknown());
            }
            let mut decoder = OpusMSDecoder::new(RATE as i32, head.channels, head.mapping_family)
                .map_err(|_| unknown())?;
            for stream in decoder.streams_mut() {
                stream.gain_q8 = head.gain_q8;
            }
            Decoder::Surround(decoder)
        };
        Ok(Self {
            decoder,
            channels: head.channels,
            interleaved: vec![0.0; PACKET_FRAMES_MAX * head.channels],
            block: Block::new(head.channels),
        })
    }

    pub(super) fn spec(&self) -> Spec {
        Spec {
            sample_rate: RATE,
            channels: self.channels as u32,
        }
    }

    /// The packet's frames, in WAVE's channel order. The error says what is wrong with the packet.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Result<&Block, String> {
        if packet.is_empty() {
            return Err("an empty packet".to_owned());
        }
        let frames = match &mut self.decoder {
            Decoder::Plain(decoder) => {
                // Exactly as long as the packet says: a decoder fills what it is given.
                let frames = opus_pure::packet::samples_48k(packet)
                    .map_err(|error| error.to_string())?
                    .min(PACKET_FRAMES_MAX);
                decoder.decode(packet, frames, &mut self.interleaved)
            }
            Decoder::Surround(decoder) => {
                decoder.decode(packet, PACKET_FRAMES_MAX, &mut self.interleaved)
            }
        }
        .map_err(|error| error.to_string())?;
        let order = match self.decoder {
            Decoder::Plain(_) => &[0, 1][..self.channels],
            Decoder::Surround(_) => vorbis_from_wave(self.channels),
        };
        let samples = &self.interleaved[..frames * self.channels];
        self.block.clear();
        self.block.resize(frames);
        for (place, &channel) in order.iter().enumerate() {
            let samples = samples.iter().skip(place).step_by(self.channels);
            for (to, sample) in self.block.plane_mut(channel).iter_mut().zip(samples) {
                *to = *sample;
            }
        }
        Ok(&self.block)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_pre_skip_of_mp4_is_big_endian() {
        let le = *b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00";
        let be = *b"OpusHead\x00\x02\x01\x38\x00\x00\xbb\x80\x00\x00\x00";
        assert_eq!(OpusHead::parse(&le, false).unwrap().pre_skip, 312);
        assert_eq!(OpusHead::parse(&be, true).unwrap().pre_skip, 312);
        assert_eq!(OpusHead::parse(&le[..18], false), None);
    }

    #[test]
    fn an_unusual_arrangement_of_streams_is_refused_by_name() {
        let mut head = OpusHead::assumed(2);
        head.mapping_family = 255;
        head.streams = 2;
        head.coupled = 0;
        let error = OpusPackets::new(&head).err().unwrap().to_string();
        assert!(error.contains("mapping family 255"), "{error}");
        assert!(OpusPackets::new(&OpusHead::assumed(0)).is_err());
    }
}
