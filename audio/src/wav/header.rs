//! Everything before the first sample.

use super::{WaveFormat, tag};

/// The body of `ds64`: three sizes of 64 bits and an empty table.
const DS64_BYTES: u32 = 28;

/// What is behind the header, and how much it may become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub frames: u64,
    /// No more than so many: the header for them is as long as the one for `frames`.
    pub frames_max: u64,
    /// Of the chunks behind the samples.
    pub after_bytes: u64,
}

/// RF64 where the sizes need more than 32 bits, and room for it where they may (EBU Tech 3306). `fact`
/// stands where the format is not plain PCM, then the chunks that are given, and the data chunk's
/// header last.
pub(crate) fn header(format: &WaveFormat, sizes: Sizes, chunks: &[u8]) -> Vec<u8> {
    let frames = sizes.frames;
    let mut before = Vec::new();
    chunk(&mut before, b"fmt ", &format.write());
    if format.coding() != tag::PCM {
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        chunk(&mut before, b"fact", &frames.to_le_bytes());
    }
    before.extend(chunks);
    let ds64_bytes = 8 + u64::from(DS64_BYTES);
    let frame_bytes = u64::from(format.block_align);
    let data_bytes = frames * frame_bytes;
    let around = 4 + before.len() as u64 + 8 + sizes.after_bytes;
    let riff_bytes = around + data_bytes.next_multiple_of(2);
    let is_long = riff_bytes + ds64_bytes > u64::from(u32::MAX);
    let most = around.saturating_add(sizes.frames_max.saturating_mul(frame_bytes));
    // One byte more where the data has to be padded.
    let may_be_long = most.saturating_add(1 + ds64_bytes) > u64::from(u32::MAX);

    let mut header = Vec::new();
    if is_long {
        header.extend(b"RF64");
        header.extend(u32::MAX.to_le_bytes());
        header.extend(b"WAVE");
        let mut sizes = Vec::new();
        sizes.extend((riff_bytes + ds64_bytes).to_le_bytes());
        sizes.extend(data_bytes.to_le_bytes());
        sizes.extend(frames.to_le_bytes());
        sizes.extend(0u32.to_le_bytes());
        chunk(&mut header, b"ds64", &sizes);
    } else {
        let room = if may_be_long { ds64_bytes } else { 0 };
        header.extend(b"RIFF");
        header.extend(((riff_bytes + room) as u32).to_le_bytes());
        header.extend(b"WAVE");
        if may_be_long {
            chunk(&mut header, b"JUNK", &[0; DS64_BYTES as usize]);
        }
    }
    header.extend(before);
    header.extend(b"data");
    let data_field = if is_long { u32::MAX } else { data_bytes as u32 };
    header.extend(data_field.to_le_bytes());
    header
}

/// With its header, and padded to an even length.
pub(crate) fn chunk(to: &mut Vec<u8>, id: &[u8; 4], body: &[u8]) {
    to.extend(id);
    to.extend((body.len() as u32).to_le_bytes());
    to.extend(body);
    if body.len() % 2 == 1 {
        to.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spec;

    fn u32_at(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
    }

    fn exactly(frames: u64) -> Sizes {
        Sizes {
            frames,
            frames_max: frames,
            after_bytes: 0,
        }
    }

    fn format(sample_rate: u32, channels: u32, bits: u16) -> WaveFormat {
        WaveFormat::linear(Spec::new(sample_rate, channels), tag::PCM, bits)
    }

    #[test]
    fn a_file_beyond_four_gib_is_rf64_with_its_sizes_in_ds64() {
        let frames = 2_000_000_000u64;
        let header = header(&format(48_000, 2, 16), exactly(frames), b"");
        assert_eq!(&header[..4], b"RF64");
        assert_eq!(u32_at(&header, 4), u32::MAX);
        assert_eq!(&header[12..16], b"ds64");
        assert_eq!(u32_at(&header, 16), DS64_BYTES);
        let u64_at =
            |at: usize| u64::from(u32_at(&header, at)) | u64::from(u32_at(&header, at + 4)) << 32;
        assert_eq!(u64_at(20), header.len() as u64 - 8 + frames * 4);
        assert_eq!(u64_at(28), frames * 4);
        assert_eq!(u64_at(36), frames);
        assert_eq!(u32_at(&header, header.len() - 4), u32::MAX);
    }

    #[test]
    fn a_short_file_is_plain_riff_with_the_size_of_the_rest() {
        let header = header(&format(8_000, 1, 24), exactly(5), b"");
        assert_eq!(&header[..4], b"RIFF");
        assert_eq!(header.len(), 68);
        assert_eq!(u32_at(&header, 4) as usize, header.len() - 8 + 16);
        assert_eq!(u32_at(&header, header.len() - 4), 15);
    }

    #[test]
    fn a_header_for_what_may_become_long_is_as_long_as_that_of_what_did() {
        for (frames_max, room) in [
            (1_073_741_800, 0),
            (1_073_741_820, 36),
            (2_000_000_000, 36),
            (u64::MAX, 36),
        ] {
            let of = |frames| {
                let sizes = Sizes {
                    frames_max,
                    ..exactly(frames)
                };
                header(&format(48_000, 2, 16), sizes, b"")
            };
            let short = of(5);
            assert_eq!(short.len(), 44 + room, "{frames_max}");
            assert_eq!(&short[..4], b"RIFF");
            assert_eq!(u32_at(&short, 4) as usize, short.len() - 8 + 20);
            assert_eq!(u32_at(&short, short.len() - 4), 20);
            if room > 0 {
                assert_eq!(&short[12..16], b"JUNK");
                let long = of(frames_max.min(2_000_000_000));
                assert_eq!(long.len(), short.len(), "{frames_max}");
            }
        }
    }
}
