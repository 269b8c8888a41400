//! AAC: LC, HE and HE v2 at their full rate, by `rusty_aac`.
//!
//! High-efficiency AAC hides in a plain stream of half the rate, with or without being announced;
//! the decoder looks for it in every packet, so nothing has to be known before.

use rusty_aac::{AacDecoder, Error, config::StreamConfig, decode::Decoder, latm::LatmReader};

use super::{Heard, PacketDecoder, PacketError};
use crate::{
    block::Block,
    channels::{CHANNELS_MAX, ChannelMask},
    decode::{bit_reader::BitReader, demux::CodecParams},
};

const OBJECT_LC: u32 = 2;
const OBJECT_SBR: u32 = 5;
const OBJECT_ELD: u32 = 39;
const OBJECT_USAC: u32 = 42;

pub(super) struct AacPackets {
    /// `None`: packets are ADTS or LOAS frames, which bring it along.
    config: Option<StreamConfig>,
    is_framed: bool,
    latm: LatmReader,
    decoder: AacDecoder,
    /// Of the last packet, per raw block.
    block_frames: Option<u64>,
}

impl AacPackets {
    /// The error is the codec's name.
    pub(super) fn open(params: &CodecParams) -> Result<Self, PacketError> {
        let config = if params.extra.is_empty() {
            None
        } else {
            Some(parse(&params.extra)?)
        };
        Ok(Self {
            decoder: decoder(config.as_ref()),
            is_framed: config.is_none(),
            config,
            latm: LatmReader::new(),
            block_frames: None,
        })
    }
}

impl AacPackets {
    /// What is in a LOAS frame, if this is one; what it says of the stream is followed.
    fn unframed(&mut self, packet: &[u8]) -> Result<Option<Vec<u8>>, PacketError> {
        if !self.is_framed || !rusty_aac::latm::is_loas(packet) {
            return Ok(None);
        }
        let frame = self
            .latm
            .parse(packet)
            .map_err(|error| PacketError(error.to_string()))?;
        if frame.stream.channels() > CHANNELS_MAX as usize {
            return Err(PacketError(format!("{} channels", frame.stream.channels())));
        }
        if self.config.as_ref() != Some(&frame.stream) {
            self.decoder = decoder(Some(&frame.stream));
            self.config = Some(frame.stream);
        }
        Ok(Some(frame.au))
    }
}

fn decoder(config: Option<&StreamConfig>) -> AacDecoder {
    match config {
        Some(config) => AacDecoder::with_stream_config(config.clone()),
        None => AacDecoder::new(),
    }
}

/// Refuses what would come out as something else than it is.
fn parse(extra: &[u8]) -> Result<StreamConfig, PacketError> {
    let refused = || PacketError(name(extra));
    let config = rusty_aac::config::parse(extra).map_err(|_| refused())?;
    // Its replication of the high band is not among what can be decoded.
    let is_half = u32::from(config.object_type) == OBJECT_ELD && config.sbr;
    if is_half || config.channels() > CHANNELS_MAX as usize {
        return Err(refused());
    }
    Decoder::with_stream_config(config.clone()).map_err(|_| refused())?;
    Ok(config)
}

/// What people call the object type.
fn name(extra: &[u8]) -> String {
    let mut bits = BitReader::new(extra);
    let object = match bits.take(5) {
        Some(31) => bits.take(6).map(|more| 32 + more),
        object => object,
    };
    match object {
        Some(OBJECT_USAC) => "xHE-AAC".to_owned(),
        Some(OBJECT_ELD) => "AAC-ELD".to_owned(),
        Some(OBJECT_LC | OBJECT_SBR) | None => "AAC with a broken configuration".to_owned(),
        Some(other) => format!("AAC of object type {other}"),
    }
}

impl PacketDecoder for AacPackets {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        block.reset(0);
        let unframed = self.unframed(packet)?;
        let packet = unframed.as_deref().unwrap_or(packet);
        let decoded = self.decoder.decode(packet, None).map_err(|error| {
            PacketError(match error {
                Error::Again => "an empty packet".to_owned(),
                other => other.to_string(),
            })
        })?;
        let channels = usize::from(decoded.channels);
        if !(1..=CHANNELS_MAX as usize).contains(&channels) || decoded.sample_rate == 0 {
            return Err(PacketError(format!("{channels} channels")));
        }
        block.reset(channels);
        block.append_with(|channel, plane| {
            plane.extend(
                decoded
                    .samples
                    .chunks_exact(channels)
                    .map(|frame| frame[channel]),
            );
        });
        self.block_frames = Some(block.frames() as u64 / blocks(packet));
        let arrangement = match &self.config {
            Some(config) => u32::from(config.channel_config),
            None => BitReader::at(packet, 23).take(3).unwrap_or(0),
        };
        Ok(Heard {
            sample_rate: decoded.sample_rate,
            mask: mask(arrangement, channels as u32),
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        self.block_frames.map(|frames| frames * blocks(packet))
    }

    fn reset(&mut self) {
        self.decoder = decoder(self.config.as_ref());
    }
}

/// Raw blocks in a packet: one, but for ADTS frames that say otherwise.
fn blocks(packet: &[u8]) -> u64 {
    if rusty_aac::is_adts(packet) {
        u64::from(rusty_aac::adts_raw_blocks(packet)) + 1
    } else {
        1
    }
}

/// ISO 14496-3 table 1.19 and the additions of 23003-3.
fn mask(arrangement: u32, channels: u32) -> ChannelMask {
    let bits = match (arrangement, channels) {
        (4, 4) => 0x107,
        // The front has two pairs.
        (7, 8) => 0xff,
        (11, 7) => 0x13f,
        (14, 8) => 0x503f,
        _ => return ChannelMask::usual(channels),
    };
    ChannelMask::stated(bits, channels)
}
