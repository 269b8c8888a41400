//! WavPack's blocks, whose headers Matroska leaves out where it knows what stands in them.

const FLAGS_ONLY_BLOCK: u32 = 0x1800;

/// Puts the headers back. `None` where the packet is no such block.
pub(super) fn restore(mut packet: &[u8], version: u16, into: &mut Vec<u8>) -> Option<()> {
    into.clear();
    let frames = take_u32(&mut packet)?;
    while packet.len() >= 8 {
        let flags = take_u32(&mut packet)?;
        let checksum = take_u32(&mut packet)?;
        let size = if flags & FLAGS_ONLY_BLOCK == FLAGS_ONLY_BLOCK {
            packet.len()
        } else {
            take_u32(&mut packet)? as usize
        };
        let (block, rest) = packet.split_at_checked(size)?;
        packet = rest;
        into.extend(b"wvpk");
        into.extend(u32::try_from(size + 24).ok()?.to_le_bytes());
        into.extend(version.to_le_bytes());
        // The block's index and all frames of the file, which nobody knows here.
        into.extend([0; 10]);
        for field in [frames, flags, checksum] {
            into.extend(field.to_le_bytes());
        }
        into.extend(block);
    }
    Some(())
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_lone_block_and_several_get_their_headers_back() {
        let mut blocks = Vec::new();
        let lone = [&[64, 1, 0, 0][..], &[0, 0x18, 0, 0], &[9; 4], b"data"].concat();
        restore(&lone, 0x410, &mut blocks).unwrap();
        assert_eq!(blocks.len(), 36);
        assert_eq!(blocks[..10], *b"wvpk\x1c\0\0\0\x10\x04");
        assert_eq!(blocks[20..24], [64, 1, 0, 0]);
        assert_eq!(blocks[32..], *b"data");
        let first = [&[0, 8, 0, 0][..], &[9; 4], &[4, 0, 0, 0], b"left"].concat();
        let last = [&[0, 16, 0, 0][..], &[9; 4], &[5, 0, 0, 0], b"right"].concat();
        let pair = [&[64, 1, 0, 0][..], &first, &last].concat();
        restore(&pair, 0x410, &mut blocks).unwrap();
        assert_eq!(blocks.len(), 36 + 37);
        assert_eq!(restore(&pair[..pair.len() - 1], 0x410, &mut blocks), None);
        assert_eq!(restore(&[1], 0x410, &mut blocks), None);
    }
}
