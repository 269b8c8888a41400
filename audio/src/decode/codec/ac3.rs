//! AC-3 and E-AC-3 up to 5.1, by `oxideav-ac3`. Camcorders record it.

use oxideav_ac3::{
    audblk::{self, Ac3State},
    bsi,
    eac3::{self, Eac3DecoderState},
    syncinfo,
};

use super::{Heard, PacketDecoder, PacketError};
use crate::{
    block::Block,
    channels::ChannelMask,
    decode::{bit_reader::BitReader, demux::CodecParams},
};

/// `oxideav-ac3` 0.0.11 has two entries of the hearing thresholds at 44.1 kHz wrong (bands 25 and 28:
/// 0x340 and 0x310 in place of 0x350 and 0x320). Quiet passages then come out as noise far beyond full
/// scale, which nothing tells from sound. Halves and quarters of the rate use the same thresholds.
const RATES_NOT_DECODED: [u32; 3] = [44_100, 22_050, 11_025];
/// The highest `bsid` of AC-3; above it is E-AC-3.
const BSID_AC3_MAX: u32 = 10;
const BLOCK_FRAMES: u64 = 256;

/// Positions of the full channels by `acmod`, in the order of the stream. Two programs in one are
/// taken for left and right.
const POSITIONS: [&[u32]; 8] = [
    &[ChannelMask::FRONT_LEFT, ChannelMask::FRONT_RIGHT],
    &[ChannelMask::FRONT_CENTER],
    &[ChannelMask::FRONT_LEFT, ChannelMask::FRONT_RIGHT],
    &[
        ChannelMask::FRONT_LEFT,
        ChannelMask::FRONT_CENTER,
        ChannelMask::FRONT_RIGHT,
    ],
    &[
        ChannelMask::FRONT_LEFT,
        ChannelMask::FRONT_RIGHT,
        ChannelMask::BACK_CENTER,
    ],
    &[
        ChannelMask::FRONT_LEFT,
        ChannelMask::FRONT_CENTER,
        ChannelMask::FRONT_RIGHT,
        ChannelMask::BACK_CENTER,
    ],
    &[
        ChannelMask::FRONT_LEFT,
        ChannelMask::FRONT_RIGHT,
        ChannelMask::SIDE_LEFT,
        ChannelMask::SIDE_RIGHT,
    ],
    &[
        ChannelMask::FRONT_LEFT,
        ChannelMask::FRONT_CENTER,
        ChannelMask::FRONT_RIGHT,
        ChannelMask::SIDE_LEFT,
        ChannelMask::SIDE_RIGHT,
    ],
];

pub(super) struct Ac3Frames {
    ac3: Ac3State,
    eac3: Eac3DecoderState,
    interleaved: Vec<f32>,
}

/// What a frame was decoded to.
struct Program {
    sample_rate: u32,
    acmod: u8,
    has_lfe: bool,
}

impl Ac3Frames {
    pub(super) fn open(params: &CodecParams) -> Result<Self, PacketError> {
        match params.sample_rate {
            Some(rate) if RATES_NOT_DECODED.contains(&rate) => Err(not_decoded()),
            _ => Ok(Self::new()),
        }
    }

    fn new() -> Self {
        Self {
            ac3: Ac3State::new(),
            eac3: Eac3DecoderState::default(),
            interleaved: Vec::new(),
        }
    }

    fn ac3(&mut self, packet: &[u8]) -> Result<Program, PacketError> {
        let error = |error: oxideav_core::Error| PacketError(error.to_string());
        let sync = syncinfo::parse(packet).map_err(error)?;
        let frame = packet
            .get(..sync.frame_length as usize)
            .filter(|frame| frame.len() > 7)
            .ok_or_else(|| PacketError("a frame is cut off".to_owned()))?;
        let info = bsi::parse(&frame[5..]).map_err(error)?;
        self.interleaved.clear();
        self.interleaved.resize(
            audblk::BLOCKS_PER_FRAME * audblk::SAMPLES_PER_BLOCK * usize::from(info.nchans),
            0.0,
        );
        audblk::decode_frame(&mut self.ac3, &sync, &info, frame, &mut self.interleaved)
            .map_err(error)?;
        // A container may have stated another rate.
        if RATES_NOT_DECODED.contains(&sync.sample_rate) {
            return Err(not_decoded());
        }
        Ok(Program {
            sample_rate: sync.sample_rate,
            acmod: info.acmod,
            has_lfe: info.lfeon,
        })
    }

    fn eac3(&mut self, packet: &[u8]) -> Result<Program, PacketError> {
        let decoded = eac3::decode_eac3_packet(&mut self.eac3, packet)
            .map_err(|error| PacketError(error.to_string()))?;
        // It gives silence for what it cannot decode.
        if let Some(error) = self.eac3.last_error.take() {
            return Err(PacketError(error));
        }
        if RATES_NOT_DECODED.contains(&decoded.sample_rate) {
            return Err(not_decoded());
        }
        if decoded.channels != self.eac3.indep_nchans() {
            return Err(PacketError(format!("{} channels, of 6", decoded.channels)));
        }
        self.interleaved.clear();
        self.interleaved
            .extend_from_slice(self.eac3.indep_pcm_f32());
        Ok(Program {
            sample_rate: decoded.sample_rate,
            acmod: decoded.acmod,
            has_lfe: decoded.lfeon,
        })
    }
}

fn not_decoded() -> PacketError {
    PacketError("AC-3 at 44.1 kHz".to_owned())
}

impl PacketDecoder for Ac3Frames {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        block.reset(0);
        let header = Header::parse(packet)
            .ok_or_else(|| PacketError("no header of an AC-3 frame".to_owned()))?;
        let program = if header.bsid <= BSID_AC3_MAX {
            self.ac3(packet)?
        } else {
            self.eac3(packet)?
        };
        let mut positions = POSITIONS[usize::from(program.acmod & 7)].to_vec();
        if program.has_lfe {
            positions.push(ChannelMask::LOW_FREQUENCY);
        }
        let channels = positions.len();
        // In the order of WAVE: where each of its channels is in the stream.
        let mut order: Vec<usize> = (0..channels).collect();
        order.sort_by_key(|&channel| positions[channel]);
        block.reset(channels);
        block.append_with(|channel, plane| {
            let frames = self.interleaved.chunks_exact(channels);
            plane.extend(frames.map(|frame| frame[order[channel]]));
        });
        Ok(Heard {
            sample_rate: program.sample_rate,
            mask: ChannelMask::stated(positions.iter().sum(), channels as u32),
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        Header::parse(packet).map(|header| header.blocks * BLOCK_FRAMES)
    }

    fn reset(&mut self) {
        *self = Self::new();
    }
}

struct Header {
    bsid: u32,
    blocks: u64,
}

impl Header {
    /// ATSC A/52, where the two codecs have in common the sync word and the place of `bsid`.
    fn parse(packet: &[u8]) -> Option<Self> {
        let mut bits = BitReader::new(packet);
        if bits.take(16)? != 0x0b77 {
            return None;
        }
        bits.seek(32)?;
        let rate = bits.take(2)?;
        let blocks = bits.take(2)?;
        bits.seek(40)?;
        let bsid = bits.take(5)?;
        Some(Self {
            bsid,
            blocks: if bsid <= BSID_AC3_MAX || rate == 3 {
                6
            } else {
                [1, 2, 3, 6][blocks as usize]
            },
        })
    }
}
