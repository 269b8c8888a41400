//! What a logical stream holds, by its first packet, and how long its packets are.

use retake_formats::Codec;

use super::super::{
    super::{demux::CodecParams, vorbis_blocks::VorbisBlocks},
    flac_frame,
};

const STREAMINFO_BYTES: usize = 34;
const VORBIS_IDENTIFICATION_BYTES: usize = 30;
const OPUS_RATE: u32 = 48_000;

/// An audio stream, headers read as far as they came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mapping {
    pub params: CodecParams,
    /// Frames at the start that are not to be heard.
    pub pre_skip: Option<u32>,
    /// What granule positions count, in a second.
    pub granule_rate: u32,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// A second header with comments is left out.
    Opus {
        headers_left: u32,
    },
    Vorbis {
        headers_left: u32,
        blocks: Option<VorbisBlocks>,
        /// The block before, which a packet has half of its frames from.
        before: Option<u32>,
    },
    Flac,
    /// The old mapping, whose STREAMINFO is a packet of its own.
    OldFlac,
    /// Nothing is known about its packets.
    Other,
}

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Header,
    /// With its length in frames, where that is known.
    Audio(Option<u32>),
}

impl Mapping {
    /// By the first packet of the stream; `None` for video, text and what is not known.
    pub(super) fn new(first: &[u8]) -> Option<Self> {
        if first.starts_with(b"OpusHead") {
            return opus(first);
        }
        if first.starts_with(b"\x01vorbis") {
            return vorbis(first);
        }
        if first.starts_with(b"\x7fFLAC") {
            let info = first.get(17..17 + STREAMINFO_BYTES)?;
            return flac(info, Kind::Flac);
        }
        if first.starts_with(b"fLaC") {
            return match first.get(8..8 + STREAMINFO_BYTES) {
                Some(info) => flac(info, Kind::Flac),
                None => Some(Self::other(Codec::Flac, 0, Kind::OldFlac)),
            };
        }
        let rate_at = |at: usize| {
            let bytes = first.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_le_bytes(bytes))
        };
        let (name, rate) = if first.starts_with(b"Speex   ") {
            ("Speex", rate_at(36))
        } else if first.starts_with(b"CELT    ") {
            ("CELT", rate_at(40))
        } else if first.starts_with(b"PCM     ") {
            ("PCM in Ogg", None)
        } else if first.starts_with(b"\x01audio") {
            ("an audio codec of OGM", None)
        } else {
            return None;
        };
        let codec = Codec::Unknown(name.to_owned());
        Some(Self::other(codec, rate.unwrap_or(0), Kind::Other))
    }

    fn other(codec: Codec, rate: u32, kind: Kind) -> Self {
        let mut params = CodecParams::new(codec);
        params.sample_rate = Some(rate).filter(|rate| *rate > 0);
        Self {
            params,
            pre_skip: None,
            granule_rate: rate.max(1),
            kind,
        }
    }

    /// All that the decoder needs has been read.
    pub(super) fn is_ready(&self) -> bool {
        match &self.kind {
            Kind::Vorbis { headers_left, .. } => *headers_left == 0,
            Kind::OldFlac => false,
            _ => true,
        }
    }

    /// What the next packet is; called once for each behind the first, in order.
    pub(super) fn take(&mut self, packet: &[u8]) -> Role {
        match &mut self.kind {
            Kind::Opus { headers_left } => {
                if *headers_left > 0 {
                    *headers_left -= 1;
                    if packet.starts_with(b"OpusTags") {
                        return Role::Header;
                    }
                }
                Role::Audio(opus_frames(packet))
            }
            Kind::Vorbis {
                headers_left,
                blocks,
                before,
            } => {
                if *headers_left > 0 && packet.first().is_none_or(|first| first & 1 != 0) {
                    if packet.starts_with(b"\x05vorbis") {
                        *headers_left = 0;
                        *blocks = VorbisBlocks::new(&self.params.extra, packet);
                        self.params.extra.truncate(VORBIS_IDENTIFICATION_BYTES);
                        self.params.extra.extend_from_slice(packet);
                    }
                    return Role::Header;
                }
                let block = blocks.as_ref().and_then(|blocks| blocks.frames(packet));
                let frames = match (*before, block) {
                    (Some(before), Some(block)) => Some((before + block) / 4),
                    // The first one only starts.
                    (None, Some(_)) => Some(0),
                    (_, None) => None,
                };
                *before = block.or(*before);
                Role::Audio(frames)
            }
            Kind::Flac if packet.first() != Some(&0xff) => Role::Header,
            Kind::Flac => {
                let header = flac_frame::header(packet);
                Role::Audio(header.map(|header| header.frames))
            }
            Kind::OldFlac => {
                if let Some(new) = packet
                    .get(4..4 + STREAMINFO_BYTES)
                    .filter(|_| packet[0] & 0x7f == 0)
                    .and_then(|info| flac(info, Kind::Flac))
                {
                    *self = new;
                }
                Role::Header
            }
            Kind::Other => Role::Audio(None),
        }
    }

    /// The first page tells where the recording begins: what is before 0 is not part of it. Only
    /// Vorbis says so (its specification, appendix A.2).
    pub(super) fn trims_before_zero(&self) -> bool {
        matches!(self.kind, Kind::Vorbis { .. })
    }
}

fn opus(head: &[u8]) -> Option<Mapping> {
    let pre_skip = u16::from_le_bytes(head.get(10..12)?.try_into().ok()?);
    let mut params = CodecParams::new(Codec::Opus);
    params.sample_rate = Some(OPUS_RATE);
    params.channels = Some(u32::from(head[9]));
    params.extra = head.to_vec();
    Some(Mapping {
        params,
        pre_skip: Some(u32::from(pre_skip)),
        granule_rate: OPUS_RATE,
        kind: Kind::Opus { headers_left: 1 },
    })
}

/// RFC 6716 section 3.1: how long a frame is, and how many there are.
pub(in super::super) fn opus_frames(packet: &[u8]) -> Option<u32> {
    let first = *packet.first()?;
    let frame = match first >> 3 {
        config @ 0..12 => [480, 960, 1920, 2880][usize::from(config & 3)],
        config @ 12..16 => [480, 960][usize::from(config & 1)],
        config => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let count = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 63),
    };
    // 120 ms at most.
    Some(frame * count).filter(|frames| (1..=5760).contains(frames))
}

fn vorbis(identification: &[u8]) -> Option<Mapping> {
    let head = identification.get(..VORBIS_IDENTIFICATION_BYTES)?;
    let rate = u32::from_le_bytes(head[12..16].try_into().ok()?);
    let mut params = CodecParams::new(Codec::Vorbis);
    params.sample_rate = Some(rate);
    params.channels = Some(u32::from(head[11]));
    params.extra = head.to_vec();
    Some(Mapping {
        params,
        pre_skip: None,
        granule_rate: rate.max(1),
        kind: Kind::Vorbis {
            headers_left: 2,
            blocks: None,
            before: None,
        },
    })
}

fn flac(info: &[u8], kind: Kind) -> Option<Mapping> {
    let params = flac_frame::params(info)?;
    Some(Mapping {
        granule_rate: params.sample_rate.unwrap_or(0).max(1),
        params,
        pre_skip: None,
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opus_packet_is_as_long_as_its_frames() {
        let check = |packet: &[u8], expected| assert_eq!(opus_frames(packet), expected);
        check(&[0xfc], Some(960));
        check(&[0xfd, 0], Some(1920));
        check(&[0x18], Some(2880));
        check(&[0xff, 0x83], Some(2880));
        check(&[0xff, 0x80], None);
        check(&[0xff, 63], None);
        check(&[], None);
    }

    #[test]
    fn what_is_no_audio_is_none_and_what_cannot_be_decoded_is_named() {
        assert!(Mapping::new(b"\x80theora\x03\x02\x01").is_none());
        assert!(Mapping::new(b"fishead\0").is_none());
        assert!(Mapping::new(b"\x01vorbis\0").is_none());
        let speex = Mapping::new(b"Speex   1.2").map(|mapping| mapping.params.codec);
        assert_eq!(speex, Some(Codec::Unknown("Speex".to_owned())));
    }
}
