//! WAV on the wire: RIFF and RF64, PCM of 16, 24 and 32 bits and 32-bit float.

mod read;
mod write;

pub(crate) use read::{HeaderParser, WavError};
pub(crate) use write::header;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WavFormat {
    pub encoding: Encoding,
    pub channels: u16,
    pub sample_rate: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Int16,
    Int24,
    Int32,
    Float32,
}

impl WavFormat {
    pub fn frame_bytes(&self) -> usize {
        self.encoding.bytes() * usize::from(self.channels)
    }
}

impl Encoding {
    pub fn bytes(self) -> usize {
        match self {
            Encoding::Int16 => 2,
            Encoding::Int24 => 3,
            Encoding::Int32 | Encoding::Float32 => 4,
        }
    }

    /// `bytes` holds exactly one sample; full scale is 1.
    pub fn decode(self, bytes: &[u8]) -> f64 {
        match (self, bytes) {
            (Encoding::Int16, &[a, b]) => f64::from(i16::from_le_bytes([a, b])) / 32_768.0,
            (Encoding::Int24, &[a, b, c]) => {
                f64::from(i32::from_le_bytes([0, a, b, c]) >> 8) / 8_388_608.0
            }
            (Encoding::Int32, &[a, b, c, d]) => {
                f64::from(i32::from_le_bytes([a, b, c, d])) / 2_147_483_648.0
            }
            (Encoding::Float32, &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
            _ => unreachable!("the caller cuts samples of `bytes()` bytes"),
        }
    }

    /// Integers are rounded and, beyond full scale, clipped.
    pub fn encode(self, sample: f64, out: &mut Vec<u8>) {
        let int = |scale: f64| (sample * scale).round().clamp(-scale, scale - 1.0) as i32;
        match self {
            Encoding::Int16 => out.extend_from_slice(&int(32_768.0).to_le_bytes()[..2]),
            Encoding::Int24 => out.extend_from_slice(&int(8_388_608.0).to_le_bytes()[..3]),
            Encoding::Int32 => out.extend_from_slice(&int(2_147_483_648.0).to_le_bytes()),
            Encoding::Float32 => out.extend_from_slice(&(sample as f32).to_le_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_gives_back_the_bytes_it_was_given() {
        let samples: &[(Encoding, &[u8])] = &[
            (Encoding::Int16, &[0x00, 0x80]),
            (Encoding::Int16, &[0xff, 0x7f]),
            (Encoding::Int24, &[0x01, 0x00, 0x80]),
            (Encoding::Int24, &[0xff, 0xff, 0xff]),
            (Encoding::Int32, &[0x00, 0x00, 0x00, 0x80]),
            (Encoding::Float32, &0.25f32.to_le_bytes()),
        ];
        for (encoding, bytes) in samples {
            let mut out = Vec::new();
            encoding.encode(encoding.decode(bytes), &mut out);
            assert_eq!(out, *bytes, "{encoding:?}");
        }
    }

    #[test]
    fn what_is_beyond_full_scale_is_clipped() {
        let mut out = Vec::new();
        Encoding::Int16.encode(2.0, &mut out);
        Encoding::Int16.encode(-2.0, &mut out);
        assert_eq!(out, [0xff, 0x7f, 0x00, 0x80]);
    }
}
