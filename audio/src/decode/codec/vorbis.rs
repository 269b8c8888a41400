//! Vorbis packets: each gives what it and the one before it have in common, so the first none.

use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;

use super::{Heard, PacketDecoder, PacketError, symphonia::Inner};
use crate::{
    block::Block,
    decode::{bit_reader::BitReader, demux::CodecParams},
};

const IDENTIFICATION_BYTES: usize = 30;

pub(super) struct VorbisPackets {
    inner: Inner,
    /// Frames of a short and of a long block.
    blocks: [u32; 2],
    /// Which of the two a packet's mode number means.
    modes: Vec<bool>,
    /// The block before, after a reset none.
    before: Option<u32>,
}

impl VorbisPackets {
    pub(super) fn open(params: &CodecParams) -> Result<Self, PacketError> {
        // Gapless is what leaves out the first packet; nothing else is trimmed by it, since we
        // hand it no trims.
        let inner = Inner::open(CODEC_ID_VORBIS, &params.extra, true)?;
        let sizes = params.extra.get(28).copied().unwrap_or(0);
        let setup = params.extra.get(IDENTIFICATION_BYTES..).unwrap_or(&[]);
        Ok(Self {
            inner,
            blocks: [1 << (sizes & 15), 1 << (sizes >> 4)],
            modes: modes(setup).unwrap_or_default(),
            before: None,
        })
    }

    fn block_frames(&self, packet: &[u8]) -> Option<u32> {
        let first = *packet.first()?;
        // Bits come from the low end: what kind of packet, then the mode.
        if first & 1 != 0 || self.modes.is_empty() {
            return None;
        }
        let bits = (self.modes.len() as u32 - 1)
            .checked_ilog2()
            .map_or(0, |n| n + 1);
        let mode = usize::from(first >> 1) & ((1 << bits) - 1);
        Some(self.blocks[usize::from(*self.modes.get(mode)?)])
    }
}

impl PacketDecoder for VorbisPackets {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        let heard = self.inner.decode(packet, block)?;
        self.before = self.block_frames(packet);
        Ok(heard)
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        let frames = self.block_frames(packet)?;
        Some(
            self.before
                .map_or(0, |before| u64::from(before + frames) / 4),
        )
    }

    fn reset(&mut self) {
        self.inner.reset();
        self.before = None;
    }
}

/// The modes stand at the end of the setup header, which can only be read as a whole; they are of
/// known form, so they are found from behind: 41 bits each of which 32 are zero, preceded by their
/// number and followed by the framing bit. As FFmpeg's parser does it.
fn modes(setup: &[u8]) -> Option<Vec<bool>> {
    // The header's bits, the last one first: so a reader of highest bits first reads backwards.
    let reversed: Vec<u8> = setup.iter().rev().copied().collect();
    let mut bits = BitReader::new(&reversed);
    while bits.take(1)? == 0 {}
    let mut found: Option<usize> = None;
    let start = bits.position();
    let mut count = 0;
    while bits.left() >= 97 && count < 64 {
        // Mapping, transform type, window type: 8, 16 and 16 bits, then the flag.
        if bits.take(8)? > 63 || bits.take(16)? != 0 || bits.take(16)? != 0 {
            break;
        }
        bits.take(1)?;
        count += 1;
        let here = bits.position();
        if bits.take(6)? + 1 == count {
            found = Some(count as usize);
        }
        bits.seek(here)?;
    }
    let count = found?;
    (0..count)
        .map(|mode| {
            // The last mode comes first.
            bits.seek(start + 41 * (count - 1 - mode) + 40)?;
            Some(bits.take(1)? == 1)
        })
        .collect()
}
