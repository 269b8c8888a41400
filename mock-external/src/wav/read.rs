//! Finds the samples in a WAV that arrives in pieces. The header is small and is gathered; what
//! follows `data` is left to the caller.

use super::{Encoding, WavFormat};

/// Chunks before `data` longer than this in sum are not a header but a nuisance.
const HEADER_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WavError {
    #[error("the body is not a WAV file: it begins with {0:02x?}")]
    NotWav(Vec<u8>),
    #[error("the WAV file ends within its header")]
    Truncated,
    #[error("the WAV header is longer than {HEADER_BYTES_MAX} bytes")]
    TooLong,
    #[error("{0}")]
    Unsupported(String),
}

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub format: WavFormat,
    /// `None` where the writer did not know: all that follows is audio.
    pub data_bytes: Option<u64>,
    /// Bytes already received that belong to the audio.
    pub rest: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct HeaderParser {
    gathered: Vec<u8>,
}

impl HeaderParser {
    /// `None` while more bytes are needed.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Header>, WavError> {
        self.gathered.extend_from_slice(bytes);
        match parse(&self.gathered)? {
            Some(header) => Ok(Some(header)),
            None if self.gathered.len() > HEADER_BYTES_MAX => Err(WavError::TooLong),
            None => Ok(None),
        }
    }

    /// The body ended before the audio began.
    pub fn end(self) -> WavError {
        match parse(&self.gathered) {
            Err(error) => error,
            Ok(_) if self.gathered.len() < 12 => WavError::NotWav(self.gathered),
            Ok(_) => WavError::Truncated,
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Option<Header>, WavError> {
    let Some(riff) = bytes.get(..12) else {
        return Ok(None);
    };
    if !matches!(&riff[..4], b"RIFF" | b"RF64" | b"BW64") || &riff[8..] != b"WAVE" {
        return Err(WavError::NotWav(riff.to_vec()));
    }
    let mut at = 12;
    let mut format = None;
    let mut data_bytes_64 = None;
    loop {
        let Some(head) = bytes.get(at..at + 8) else {
            return Ok(None);
        };
        let id = &head[..4];
        let size = u32_at(head, 4);
        let body = at + 8;
        if id == b"data" {
            let format = format
                .ok_or_else(|| WavError::Unsupported("no \"fmt \" chunk before \"data\"".into()))?;
            let data_bytes = match (size, data_bytes_64) {
                // Writers that stream cannot know, and write 0 or the largest number.
                (u32::MAX, known) => known.filter(|&n| n != u64::MAX),
                (0, _) => None,
                (size, _) => Some(u64::from(size)),
            };
            return Ok(Some(Header {
                format,
                data_bytes,
                rest: bytes[body..].to_vec(),
            }));
        }
        // Chunks are padded to an even length.
        let end = body + size as usize + (size as usize & 1);
        let Some(content) = bytes.get(body..end) else {
            if size as usize > HEADER_BYTES_MAX {
                return Err(WavError::TooLong);
            }
            return Ok(None);
        };
        match id {
            b"fmt " => format = Some(parse_format(content)?),
            b"ds64" if content.len() >= 16 => {
                let low = u64::from(u32_at(content, 8));
                data_bytes_64 = Some(u64::from(u32_at(content, 12)) << 32 | low);
            }
            _ => {}
        }
        at = end;
    }
}

fn parse_format(content: &[u8]) -> Result<WavFormat, WavError> {
    if content.len() < 16 {
        return Err(WavError::Unsupported(format!(
            "the \"fmt \" chunk has {} bytes, it must have at least 16",
            content.len()
        )));
    }
    let tag = match u16_at(content, 0) {
        // WAVE_FORMAT_EXTENSIBLE: the real tag begins the sub-format.
        0xfffe if content.len() >= 26 => u16_at(content, 24),
        tag => tag,
    };
    let bits = u16_at(content, 14);
    let encoding = match (tag, bits) {
        (1, 16) => Encoding::Int16,
        (1, 24) => Encoding::Int24,
        (1, 32) => Encoding::Int32,
        (3, 32) => Encoding::Float32,
        _ => {
            return Err(WavError::Unsupported(format!(
                "format {tag} with {bits} bits; it must be PCM (1) with 16, 24 or 32 bits, or \
                 float (3) with 32"
            )));
        }
    };
    Ok(WavFormat {
        encoding,
        channels: u16_at(content, 2),
        sample_rate: u32_at(content, 4),
    })
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::wav::header;

    const FORMAT: WavFormat = WavFormat {
        encoding: Encoding::Int24,
        channels: 2,
        sample_rate: 44_100,
    };

    fn whole(bytes: &[u8]) -> Result<Option<Header>, WavError> {
        HeaderParser::default().push(bytes)
    }

    #[test]
    fn a_header_that_arrives_byte_by_byte_is_the_same_header() {
        let mut bytes = header(&FORMAT, 10);
        bytes.extend_from_slice(&[7; 4]);
        let (last, before) = bytes.split_last().unwrap();
        let mut parser = HeaderParser::default();
        let mut found = None;
        for byte in before {
            assert_eq!(found, None);
            match parser.push(&[*byte]).unwrap() {
                None => {}
                Some(header) => {
                    found = Some(header);
                    break;
                }
            }
        }
        let found = found.unwrap();
        assert_eq!((found.format, found.data_bytes), (FORMAT, Some(60)));
        assert_eq!(whole(&bytes).unwrap().unwrap().rest, [7, 7, 7, *last]);
    }

    #[test]
    fn more_than_four_gibibytes_are_read_from_ds64() {
        let frames = (5 << 30) / 6;
        let found = whole(&header(&FORMAT, frames)).unwrap().unwrap();
        assert_eq!(found.data_bytes, Some(frames * 6));
    }

    #[test]
    fn a_writer_that_did_not_know_the_length_means_all_that_follows() {
        let mut bytes = header(&FORMAT, 10);
        let at = bytes.len() - 4;
        bytes[at..].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(whole(&bytes).unwrap().unwrap().data_bytes, None);
    }

    #[test]
    fn what_is_not_such_a_wav_is_named() {
        assert_eq!(
            whole(b"OggS\0\0\0\0\0\0\0\0"),
            Err(WavError::NotWav(b"OggS\0\0\0\0\0\0\0\0".to_vec()))
        );
        let mut bytes = header(&FORMAT, 10);
        bytes[34] = 8;
        let error = whole(&bytes).unwrap_err().to_string();
        assert!(error.contains("format 1 with 8 bits"), "{error}");
        let mut huge = header(&FORMAT, 10)[..12].to_vec();
        huge.extend_from_slice(b"LIST\xff\xff\xff\x7f");
        assert_eq!(whole(&huge), Err(WavError::TooLong));
    }
}
