//! The file that passes between the segments of a chain, and to and from an external service: a WAV
//! of 32-bit floats, RF64 where 32 bits do not hold its length.
//!
//! Only the plain form that our own encoder and [`header`] write is read here. Whatever else calls
//! itself a WAV goes to the child's decoder, behind the wall.

use std::io::{self, Read};

use retake_audio::{ChannelMask, Spec};

/// What stands before the audio is never longer than this.
const HEADER_BYTES_MAX: u64 = 4096;

pub(crate) const SAMPLE_BYTES: usize = 4;

/// WAVE_FORMAT_EXTENSIBLE.
const EXTENSIBLE: u16 = 0xfffe;
/// WAVE_FORMAT_IEEE_FLOAT.
const FLOAT: u16 = 3;
/// What follows a format's tag where that is written as a GUID.
const SUBFORMAT_REST: &[u8] = b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub spec: Spec,
    pub frames: u64,
}

/// Reads up to the first sample.
pub(crate) fn read_header(from: &mut impl Read) -> io::Result<Header> {
    let mut from = from.take(HEADER_BYTES_MAX);
    let riff: [u8; 12] = bytes(&mut from)?;
    if !matches!(&riff[..4], b"RIFF" | b"RF64") || &riff[8..] != b"WAVE" {
        return Err(invalid("it is not a WAV file"));
    }
    let mut spec = None;
    let mut data_bytes_64 = None;
    loop {
        let head: [u8; 8] = bytes(&mut from)?;
        let size = u32_at(&head, 4);
        match &head[..4] {
            b"data" => {
                let spec: Spec = spec.ok_or_else(|| invalid("\"data\" stands before \"fmt \""))?;
                let data_bytes = if size == u32::MAX {
                    data_bytes_64
                } else {
                    Some(size.into())
                };
                let data_bytes = data_bytes.ok_or_else(|| invalid("it does not say its length"))?;
                let frame_bytes = u64::from(spec.channels) * SAMPLE_BYTES as u64;
                if data_bytes % frame_bytes != 0 {
                    return Err(invalid("its last frame is not whole"));
                }
                return Ok(Header {
                    spec,
                    frames: data_bytes / frame_bytes,
                });
            }
            id => {
                let mut content = Vec::new();
                let padded = u64::from(size) + u64::from(size & 1);
                (&mut from).take(padded).read_to_end(&mut content)?;
                if (content.len() as u64) < padded {
                    return Err(invalid("its header is cut off or too long"));
                }
                match id {
                    b"fmt " => spec = Some(parse_format(&content)?),
                    b"ds64" if content.len() >= 16 => {
                        let low = u64::from(u32_at(&content, 8));
                        data_bytes_64 = Some(u64::from(u32_at(&content, 12)) << 32 | low);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// All bytes before the first sample.
pub(crate) fn header(spec: Spec, frames: u64) -> Vec<u8> {
    let frame_bytes = spec.channels * SAMPLE_BYTES as u32;
    let data_bytes = frames * u64::from(frame_bytes);
    // Only the extensible form says which speakers the channels are for.
    let is_extensible = spec.mask != ChannelMask::unstated(spec.channels);
    let format_bytes: u32 = if is_extensible { 40 } else { 16 };
    // "WAVE", the fmt chunk, and the data chunk's head.
    let riff_bytes = 4 + 8 + u64::from(format_bytes) + 8 + data_bytes;
    let mut out = Vec::with_capacity(104);
    let data_size = match u32::try_from(riff_bytes) {
        Ok(size) if size < u32::MAX => {
            out.extend_from_slice(b"RIFF");
            out.extend_from_slice(&size.to_le_bytes());
            out.extend_from_slice(b"WAVE");
            data_bytes as u32
        }
        _ => {
            out.extend_from_slice(b"RF64\xff\xff\xff\xffWAVEds64");
            out.extend_from_slice(&28u32.to_le_bytes());
            out.extend_from_slice(&(riff_bytes + 36).to_le_bytes());
            out.extend_from_slice(&data_bytes.to_le_bytes());
            out.extend_from_slice(&frames.to_le_bytes());
            out.extend_from_slice(&0u32.to_le_bytes());
            u32::MAX
        }
    };
    out.extend_from_slice(b"fmt ");
    out.extend_from_slice(&format_bytes.to_le_bytes());
    let tag = if is_extensible { EXTENSIBLE } else { FLOAT };
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&(spec.channels as u16).to_le_bytes());
    out.extend_from_slice(&spec.sample_rate.to_le_bytes());
    out.extend_from_slice(&spec.sample_rate.saturating_mul(frame_bytes).to_le_bytes());
    out.extend_from_slice(&(frame_bytes as u16).to_le_bytes());
    out.extend_from_slice(&32u16.to_le_bytes());
    if is_extensible {
        out.extend_from_slice(&22u16.to_le_bytes());
        out.extend_from_slice(&32u16.to_le_bytes());
        out.extend_from_slice(&spec.mask.bits().to_le_bytes());
        out.extend_from_slice(&FLOAT.to_le_bytes());
        out.extend_from_slice(SUBFORMAT_REST);
    }
    out.extend_from_slice(b"data");
    out.extend_from_slice(&data_size.to_le_bytes());
    out
}

fn parse_format(content: &[u8]) -> io::Result<Spec> {
    if content.len() < 16 {
        return Err(invalid("its \"fmt \" chunk is too short"));
    }
    let tag = match u16_at(content, 0) {
        // For more than two channels: the real tag begins the sub-format.
        EXTENSIBLE if content.len() >= 26 => u16_at(content, 24),
        tag => tag,
    };
    if (tag, u16_at(content, 14)) != (FLOAT, 32) {
        return Err(invalid("its samples are not 32-bit floats"));
    }
    let channels = u32::from(u16_at(content, 2));
    if channels == 0 {
        return Err(invalid("it has no channels"));
    }
    let mask = match u16_at(content, 0) {
        EXTENSIBLE if content.len() >= 24 => ChannelMask::stated(u32_at(content, 20), channels),
        _ => ChannelMask::unstated(channels),
    };
    Ok(Spec {
        sample_rate: u32_at(content, 4),
        channels,
        mask,
    })
}

fn bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const STEREO: Spec = Spec::new(44_100, 2);

    #[test]
    fn what_was_written_is_read_beyond_four_gibibytes_too() {
        for frames in [0, 1, 48_000, (u32::MAX as u64 - 36) / 8, u32::MAX as u64] {
            let bytes = header(STEREO, frames);
            let read = read_header(&mut bytes.as_slice()).unwrap();
            assert_eq!(
                read,
                Header {
                    spec: STEREO,
                    frames
                }
            );
        }
    }

    #[test]
    fn which_speakers_the_channels_are_for_is_kept() {
        for (channels, mask) in [(1, 0x1), (2, 0), (6, 0x3f), (6, 0x60f), (8, 0x63f), (16, 0)] {
            let spec = Spec {
                sample_rate: 48_000,
                channels,
                mask: ChannelMask::stated(mask, channels),
            };
            let bytes = header(spec, 7);
            let size = u32_at(&bytes, 4) as usize + 8;
            assert_eq!(size, bytes.len() + 7 * channels as usize * SAMPLE_BYTES);
            assert_eq!(
                read_header(&mut bytes.as_slice()).unwrap(),
                Header { spec, frames: 7 }
            );
        }
    }

    #[test]
    fn what_is_not_the_agreed_form_is_refused() {
        let good = header(STEREO, 10);
        let mut pcm = good.clone();
        pcm[20] = 1;
        let mut ragged = good.clone();
        ragged[40] += 1;
        let mut endless = good.clone();
        endless[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
        for (bytes, words) in [
            (&b"not a WAV file at all, not even nearly"[..], "not a WAV"),
            (&pcm, "32-bit floats"),
            (&ragged, "not whole"),
            (&endless, "too long"),
            (&good[..30], ""),
        ] {
            let error = read_header(&mut &bytes[..]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
