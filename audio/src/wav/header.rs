//! Everything before the first sample, for a file whose length is known beforehand.

use super::{WaveFormat, tag};

/// The body of `ds64`: three sizes of 64 bits and an empty table.
const DS64_BYTES: u32 = 28;

/// RF64 where the sizes need more than 32 bits. `fact` stands where the format is not plain PCM, then
/// the chunks that are given, and the data chunk's header last; `after_bytes` will follow the data.
pub(crate) fn header(
    format: &WaveFormat,
    frames: u64,
    data_bytes: u64,
    chunks: &[u8],
    after_bytes: u64,
) -> Vec<u8> {
    let mut before = Vec::new();
    chunk(&mut before, b"fmt ", &format.write());
    if format.coding() != tag::PCM {
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        chunk(&mut before, b"fact", &frames.to_le_bytes());
    }
    before.extend(chunks);
    let ds64_bytes = 8 + u64::from(DS64_BYTES);
    let riff_bytes = 4 + before.len() as u64 + 8 + data_bytes.next_multiple_of(2) + after_bytes;
    let is_long = riff_bytes + ds64_bytes > u64::from(u32::MAX);

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
        header.extend(b"RIFF");
        header.extend((riff_bytes as u32).to_le_bytes());
        header.extend(b"WAVE");
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

    fn format(sample_rate: u32, channels: u32, bits: u16) -> WaveFormat {
        WaveFormat::linear(Spec::new(sample_rate, channels), tag::PCM, bits)
    }

    #[test]
    fn a_file_beyond_four_gib_is_rf64_with_its_sizes_in_ds64() {
        let frames = 2_000_000_000u64;
        let header = header(&format(48_000, 2, 16), frames, frames * 4, b"", 0);
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
        let header = header(&format(8_000, 1, 24), 5, 15, b"", 0);
        assert_eq!(&header[..4], b"RIFF");
        assert_eq!(u32_at(&header, 4) as usize, header.len() - 8 + 16);
        assert_eq!(u32_at(&header, header.len() - 4), 15);
    }
}
