//! Opus: any arrangement of streams, at 48 kHz, by the pure-Rust `opus-pure`.
//!
//! Its own decoder for several streams takes only the standard arrangements, so packets are taken
//! apart here.

use opus_pure::OpusDecoder;

use super::{Heard, PacketDecoder, PacketError};
use crate::{
    block::Block,
    channels::{CHANNELS_MAX, ChannelMask, vorbis_from_wave},
    decode::demux::CodecParams,
};

const RATE: u32 = 48_000;
/// A channel that no stream is mapped to.
const UNMAPPED: u8 = 255;

/// The stream's header: RFC 7845 section 5.1.
#[derive(Debug, Clone, PartialEq)]
struct Head {
    channels: usize,
    gain_q8: i32,
    family: u8,
    streams: usize,
    coupled: usize,
    mapping: Vec<u8>,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let body = bytes
            .strip_prefix(b"OpusHead")
            .filter(|body| body.len() >= 11)?;
        let channels = usize::from(body[1]);
        let gain_q8 = i32::from(i16::from_le_bytes([body[8], body[9]]));
        let family = body[10];
        if family == 0 {
            return Some(Self {
                gain_q8,
                ..Self::plain(channels)
            });
        }
        Some(Self {
            channels,
            gain_q8,
            family,
            streams: usize::from(*body.get(11)?),
            coupled: usize::from(*body.get(12)?),
            mapping: body.get(13..13 + channels)?.to_vec(),
        })
    }

    /// One stream, mono or stereo.
    fn plain(channels: usize) -> Self {
        Self {
            channels,
            gain_q8: 0,
            family: 0,
            streams: 1,
            coupled: channels.saturating_sub(1),
            mapping: (0..channels as u8).collect(),
        }
    }

    /// Whether streams and mapping can be what they say.
    fn is_sound(&self) -> bool {
        let heard = self.streams + self.coupled;
        (1..=CHANNELS_MAX as usize).contains(&self.channels)
            && (1..=CHANNELS_MAX as usize).contains(&self.streams)
            && self.coupled <= self.streams
            && self.mapping.iter().all(|&from| from == UNMAPPED || usize::from(from) < heard)
            // Family 3 multiplies by a matrix, which is not done here.
            && self.family != 3
    }

    /// Where channel `place` of the stream's order belongs in WAVE's.
    fn wave_channel(&self, place: usize) -> usize {
        if self.is_for_speakers() {
            vorbis_from_wave(self.channels)[place]
        } else {
            place
        }
    }

    fn is_for_speakers(&self) -> bool {
        self.family <= 1 && self.channels <= 8
    }
}

pub(super) struct OpusPackets {
    head: Head,
    streams: Vec<OpusDecoder>,
    /// A stream's frames, interleaved.
    interleaved: Vec<f32>,
    /// A stream's packet, rid of its length.
    packet: Vec<u8>,
}

impl OpusPackets {
    pub(super) fn open(params: &CodecParams) -> Result<Self, PacketError> {
        let head = if params.extra.is_empty() {
            Head::plain(params.channels.unwrap_or(2) as usize)
        } else {
            Head::parse(&params.extra)
                .ok_or_else(|| PacketError("its header is broken".to_owned()))?
        };
        if !head.is_sound() {
            return Err(PacketError(format!(
                "{} channels in mapping family {}",
                head.channels, head.family
            )));
        }
        let streams = (0..head.streams)
            .map(|stream| {
                let mut decoder =
                    OpusDecoder::new(RATE as i32, 1 + usize::from(stream < head.coupled))
                        .map_err(|error| PacketError(error.to_string()))?;
                decoder.gain_q8 = head.gain_q8;
                Ok(decoder)
            })
            .collect::<Result<_, PacketError>>()?;
        Ok(Self {
            head,
            streams,
            interleaved: Vec::new(),
            packet: Vec::new(),
        })
    }

    /// Into every channel that stream `stream` is mapped to.
    fn place(&self, stream: usize, block: &mut Block) {
        let (width, first) = if stream < self.head.coupled {
            (2, 2 * stream)
        } else {
            (1, stream + self.head.coupled)
        };
        for (place, &from) in self.head.mapping.iter().enumerate() {
            let from = usize::from(from);
            if (first..first + width).contains(&from) {
                let heard = self.interleaved.iter().skip(from - first).step_by(width);
                let plane = block.plane_mut(self.head.wave_channel(place));
                plane
                    .iter_mut()
                    .zip(heard)
                    .for_each(|(to, &from)| *to = from);
            }
        }
    }
}

impl PacketDecoder for OpusPackets {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        block.reset(self.head.channels);
        // Exactly as long as the packet says: a decoder fills what it is given.
        let frames = opus_pure::packet::samples_48k(packet)
            .map_err(|error| PacketError(error.to_string()))?;
        block.resize(frames);
        let mut rest = packet;
        for stream in 0..self.head.streams {
            if stream + 1 == self.head.streams {
                self.packet.clear();
                self.packet.extend_from_slice(rest);
            } else {
                rest = take_delimited(rest, &mut self.packet)
                    .ok_or_else(|| PacketError("a stream in the packet is cut off".to_owned()))?;
            }
            if opus_pure::packet::samples_48k(&self.packet).ok() != Some(frames) {
                return Err(PacketError("its streams are not equally long".to_owned()));
            }
            let decoder = &mut self.streams[stream];
            self.interleaved.clear();
            self.interleaved.resize(frames * decoder.channels(), 0.0);
            decoder
                .decode(&self.packet, frames, &mut self.interleaved)
                .map_err(|error| PacketError(error.to_string()))?;
            self.place(stream, block);
        }
        Ok(Heard {
            sample_rate: RATE,
            mask: if self.head.is_for_speakers() {
                ChannelMask::usual(self.head.channels as u32)
            } else {
                ChannelMask::NONE
            },
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        // Streams in one packet are equally long, and the first byte is that of the first.
        opus_pure::packet::samples_48k(packet)
            .ok()
            .map(|frames| frames as u64)
    }

    fn reset(&mut self) {
        for stream in &mut self.streams {
            // Fails only for what it was not made with.
            let _ = stream.reset_state();
        }
    }
}

/// Takes the first stream's packet off, which says its length (RFC 6716 appendix B), and gives it
/// as it would be alone; returns what is behind it.
fn take_delimited<'a>(data: &'a [u8], packet: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut at = 1;
    let mut body = 0;
    // How many frames have the length that is there only for the sake of the delimiting.
    let alike = match data.first()? & 3 {
        0 => 1,
        1 => 2,
        2 => {
            body += length(data, &mut at)?;
            1
        }
        _ => {
            let counts = *data.get(1)?;
            at = 2;
            if counts & 0x40 != 0 {
                loop {
                    let more = *data.get(at)?;
                    at += 1;
                    if more < 255 {
                        body += usize::from(more);
                        break;
                    }
                    body += 254;
                }
            }
            let frames = usize::from(counts & 0x3f);
            if counts & 0x80 != 0 {
                for _ in 1..frames {
                    body += length(data, &mut at)?;
                }
                1
            } else {
                frames
            }
        }
    };
    let head = data.get(..at)?;
    body += alike * length(data, &mut at)?;
    let end = at.checked_add(body)?;
    packet.clear();
    packet.extend_from_slice(head);
    packet.extend_from_slice(data.get(at..end)?);
    data.get(end..)
}

/// RFC 6716 section 3.2.1.
fn length(data: &[u8], at: &mut usize) -> Option<usize> {
    let first = usize::from(*data.get(*at)?);
    *at += 1;
    if first < 252 {
        return Some(first);
    }
    let second = usize::from(*data.get(*at)?);
    *at += 1;
    Some(4 * second + first)
}
