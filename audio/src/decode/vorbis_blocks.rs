//! How long a packet of Vorbis is, which only the modes in the setup header tell: for the container,
//! which counts, and for the decoder.

use super::bit_reader::BitReader;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct VorbisBlocks {
    /// Frames of a short and of a long block.
    sizes: [u32; 2],
    /// Which of the two a packet's mode number means.
    modes: Vec<bool>,
}

impl VorbisBlocks {
    /// From the identification and the setup header.
    pub(super) fn new(identification: &[u8], setup: &[u8]) -> Option<Self> {
        let sizes = *identification.get(28)?;
        Some(Self {
            sizes: [1 << (sizes & 15), 1 << (sizes >> 4)],
            modes: modes(setup)?,
        })
    }

    /// Frames of the block that a packet holds; half of it and of the one before are what it gives.
    pub(super) fn frames(&self, packet: &[u8]) -> Option<u32> {
        let (is_long, _) = self.mode(packet)?;
        Some(self.sizes[usize::from(is_long)])
    }

    /// So many frames behind the block's centre the next block begins to be mixed in: none, but where
    /// a short one follows on a long one.
    pub(super) fn frames_alone(&self, packet: &[u8]) -> Option<u32> {
        let (is_long, mode_bits) = self.mode(packet)?;
        // Behind the mode: whether the block before is long, and the one behind.
        let at = 1 + mode_bits + 1;
        let is_next_long = packet.get(at / 8)? >> (at % 8) & 1 != 0;
        Some(match is_long && !is_next_long {
            true => self.sizes[1].saturating_sub(self.sizes[0]) / 4,
            false => 0,
        })
    }

    /// Whether its block is long, and in how many bits that is said.
    fn mode(&self, packet: &[u8]) -> Option<(bool, usize)> {
        // Bits come from the low end: what kind of packet, then the mode.
        let first = *packet.first()?;
        if first & 1 != 0 {
            return None;
        }
        let highest = self.modes.len() as u32 - 1;
        let bits = highest.checked_ilog2().map_or(0, |log| log + 1);
        let mode = usize::from(first >> 1) & ((1 << bits) - 1);
        let is_long = *self.modes.get(mode)?;
        Some((is_long, bits as usize))
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
    let start = bits.position();
    let mut found = None;
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
