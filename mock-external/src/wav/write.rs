//! The header of a WAV whose length is known: RIFF, and RF64 where 32 bits do not hold the length.

use super::{Encoding, WavFormat};

/// All bytes before the first sample.
pub(crate) fn header(format: &WavFormat, frames: u64) -> Vec<u8> {
    let data_bytes = frames * format.frame_bytes() as u64;
    let mut fmt = Vec::with_capacity(16);
    let tag: u16 = if format.encoding == Encoding::Float32 {
        3
    } else {
        1
    };
    let frame_bytes = format.frame_bytes() as u32;
    fmt.extend_from_slice(&tag.to_le_bytes());
    fmt.extend_from_slice(&format.channels.to_le_bytes());
    fmt.extend_from_slice(&format.sample_rate.to_le_bytes());
    fmt.extend_from_slice(&format.sample_rate.saturating_mul(frame_bytes).to_le_bytes());
    fmt.extend_from_slice(&(frame_bytes as u16).to_le_bytes());
    fmt.extend_from_slice(&(format.encoding.bytes() as u16 * 8).to_le_bytes());

    let mut chunks = Vec::new();
    // "WAVE", the fmt chunk, the data chunk's head, and the audio padded to an even length.
    let riff_bytes = 4 + 24 + 8 + data_bytes + (data_bytes & 1);
    let fits = riff_bytes < u64::from(u32::MAX);
    if fits {
        chunks.extend_from_slice(b"RIFF");
        chunks.extend_from_slice(&(riff_bytes as u32).to_le_bytes());
        chunks.extend_from_slice(b"WAVE");
    } else {
        chunks.extend_from_slice(b"RF64\xff\xff\xff\xffWAVEds64");
        chunks.extend_from_slice(&28u32.to_le_bytes());
        chunks.extend_from_slice(&(riff_bytes + 36).to_le_bytes());
        chunks.extend_from_slice(&data_bytes.to_le_bytes());
        chunks.extend_from_slice(&frames.to_le_bytes());
        chunks.extend_from_slice(&0u32.to_le_bytes());
    }
    chunks.extend_from_slice(b"fmt ");
    chunks.extend_from_slice(&16u32.to_le_bytes());
    chunks.extend_from_slice(&fmt);
    chunks.extend_from_slice(b"data");
    let size = if fits { data_bytes as u32 } else { u32::MAX };
    chunks.extend_from_slice(&size.to_le_bytes());
    chunks
}
