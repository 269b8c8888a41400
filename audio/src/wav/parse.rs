//! A format chunk as it is found: of any of its three forms, cut short, wrong in part.

use super::{AMBISONIC_TAIL, DOLBY_TAILS, SUBFORMAT_TAIL, tag};

/// What it says, whether that makes sense or not.
pub(crate) struct Format<'a> {
    pub tag: u16,
    pub channels: u32,
    pub sample_rate: u32,
    pub block_bytes: u32,
    /// Of a sample, as far as it is stored.
    pub bits: u32,
    /// Of those, how many mean something.
    pub bits_valid: u32,
    /// Only WAVEFORMATEXTENSIBLE has one.
    pub mask: Option<u32>,
    /// Behind `cbSize`.
    pub extra: &'a [u8],
}

impl<'a> Format<'a> {
    pub(crate) fn parse(chunk: &'a [u8], is_big_endian: bool) -> Option<Self> {
        let u16_at = |at: usize| {
            let bytes = *chunk.get(at..)?.first_chunk()?;
            Some(match is_big_endian {
                true => u16::from_be_bytes(bytes),
                false => u16::from_le_bytes(bytes),
            })
        };
        let u32_at = |at: usize| {
            let bytes = *chunk.get(at..)?.first_chunk()?;
            Some(match is_big_endian {
                true => u32::from_be_bytes(bytes),
                false => u32::from_le_bytes(bytes),
            })
        };
        let channels = u32::from(u16_at(2)?);
        let block_bytes = u32::from(u16_at(12)?);
        if channels == 0 {
            return None;
        }
        // The oldest form has no bits.
        let bits = match u16_at(14) {
            Some(bits @ 1..) => u32::from(bits),
            _ => block_bytes / channels * 8,
        };
        let mut format = Self {
            tag: u16_at(0)?,
            channels,
            sample_rate: u32_at(4)?,
            block_bytes,
            bits,
            bits_valid: bits,
            mask: None,
            extra: chunk.get(18..).unwrap_or_default(),
        };
        if format.tag == tag::EXTENSIBLE {
            format.extend(u16_at(18), u32_at(20), u16_at(24), chunk);
        }
        Some(format)
    }

    fn extend(
        &mut self,
        valid: Option<u16>,
        mask: Option<u32>,
        subformat: Option<u16>,
        chunk: &'a [u8],
    ) {
        let (Some(valid), Some(mask), Some(subformat), Some(tail)) =
            (valid, mask, subformat, chunk.get(26..40))
        else {
            // Cut short. Integers of these widths can be nothing else.
            if matches!(self.bits, 8 | 16 | 24) {
                self.tag = 1;
            }
            return;
        };
        if (1..self.bits).contains(&u32::from(valid)) {
            self.bits_valid = u32::from(valid);
        }
        self.mask = Some(mask);
        self.extra = chunk.get(40..).unwrap_or_default();
        let is_dolby = DOLBY_TAILS.contains(&(subformat, *tail.first_chunk().unwrap_or(&[0; 14])));
        if tail == AMBISONIC_TAIL {
            self.mask = Some(0);
            self.tag = subformat;
        } else if is_dolby || tail == SUBFORMAT_TAIL || matches!(subformat, 1 | 3 | 6 | 7) {
            // Some writers get the tail wrong. Where what is in front of it is plain samples, it is.
            self.tag = subformat;
        }
    }
}
