//! AMR and AMR-WB: storage frames of 20 ms (RFC 4867 section 5.3), by `rvoip-codec-core`.

use codec_core::{
    codecs::amr::AmrCodec,
    types::{
        AudioCodec, CodecConfig, CodecType, CodedFrame, FrameKind, SampleRate, VariableRateCodec,
    },
};

use super::{Heard, PacketDecoder, PacketError};
use crate::{block::Block, channels::ChannelMask};

/// Bytes behind the first of a frame, by its type.
const BYTES_NB: [usize; 16] = [12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0];
const BYTES_WB: [usize; 16] = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0];
const TYPE_LOST: u8 = 14;
const TYPE_NO_DATA: u8 = 15;
/// A packet has one frame, or in MP4 a few.
const PACKET_FRAMES_MAX: usize = 64;

pub(super) struct AmrFrames {
    is_wide: bool,
    decoder: AmrCodec,
    /// The mode of the last speech: a frame that says nothing goes on with it.
    mode: u8,
}

impl AmrFrames {
    pub(super) fn open(is_wide: bool) -> Result<Self, PacketError> {
        let (codec, rate) = if is_wide {
            (CodecType::AmrWb, SampleRate::Rate16000)
        } else {
            (CodecType::AmrNb, SampleRate::Rate8000)
        };
        let config = CodecConfig::new(codec)
            .with_sample_rate(rate)
            .with_channels(1);
        Ok(Self {
            is_wide,
            decoder: AmrCodec::new(&config).map_err(|error| PacketError(error.to_string()))?,
            mode: 0,
        })
    }

    fn frame_length(&self) -> usize {
        if self.is_wide { 320 } else { 160 }
    }

    /// The bytes of the frame in front, with its first one.
    fn frame_bytes(&self, first: u8) -> usize {
        let table = if self.is_wide { BYTES_WB } else { BYTES_NB };
        1 + table[usize::from(first >> 3 & 15)]
    }

    fn coded(&mut self, frame: &[u8]) -> Result<CodedFrame, PacketError> {
        let kind = frame[0] >> 3 & 15;
        let sid = if self.is_wide { 9 } else { 8 };
        let mut coded = match kind {
            TYPE_NO_DATA => CodedFrame::no_data(),
            TYPE_LOST if self.is_wide => CodedFrame::lost(),
            kind if kind == sid => CodedFrame::comfort_noise(frame[1..].to_vec()),
            kind if kind < sid => {
                self.mode = kind;
                CodedFrame::speech(kind, frame[1..].to_vec())
            }
            reserved => return Err(PacketError(format!("a frame of type {reserved}"))),
        };
        coded.mode = self.mode;
        if matches!(coded.kind, FrameKind::Speech | FrameKind::ComfortNoise) {
            coded.quality_ok = frame[0] & 4 != 0;
        }
        Ok(coded)
    }
}

impl PacketDecoder for AmrFrames {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        block.reset(1);
        let mut rest = packet;
        for _ in 0..PACKET_FRAMES_MAX {
            let Some(&first) = rest.first() else { break };
            let bytes = self.frame_bytes(first);
            let frame = rest
                .get(..bytes)
                .ok_or_else(|| PacketError("a frame is cut off".to_owned()))?;
            rest = &rest[bytes..];
            let coded = self.coded(frame)?;
            let samples = self
                .decoder
                .decode_frame(&coded)
                .map_err(|error| PacketError(error.to_string()))?;
            block.append_with(|_, plane| {
                plane.extend(samples.iter().map(|&sample| f32::from(sample) / 32768.0));
            });
        }
        if block.is_empty() {
            return Err(PacketError("an empty packet".to_owned()));
        }
        Ok(Heard {
            sample_rate: if self.is_wide { 16_000 } else { 8000 },
            mask: ChannelMask::usual(1),
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        let (mut at, mut count) = (0, 0);
        while let Some(&first) = packet.get(at).filter(|_| count < PACKET_FRAMES_MAX) {
            at += self.frame_bytes(first);
            count += 1;
        }
        Some((count * self.frame_length()) as u64)
    }

    fn reset(&mut self) {
        // Fails for no decoder that could be made.
        let _ = self.decoder.reset();
    }
}
