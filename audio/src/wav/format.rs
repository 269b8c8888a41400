//! The format chunk: WAVEFORMATEX and, where that is too little, WAVEFORMATEXTENSIBLE.

use crate::{ChannelMask, Spec};

/// What the samples are coded in.
pub(crate) mod tag {
    pub(crate) const PCM: u16 = 1;
    pub(crate) const FLOAT: u16 = 3;
    /// The sub-format says it.
    pub(crate) const EXTENSIBLE: u16 = 0xfffe;
}

/// Bytes that every format has.
const FIXED_BYTES: usize = 16;
/// What the extensible form adds behind the size of what is added.
const EXTENSION_BYTES: usize = 22;
/// What follows the tag in a sub-format's GUID.
const GUID_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// As the file says it, whether it makes sense or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaveFormat {
    /// See [`WaveFormat::coding`] for what it comes to.
    pub tag: u16,
    pub channels: u16,
    pub sample_rate: u32,
    pub byte_rate: u32,
    /// Bytes of a frame where each sample stands for itself, else of a packet.
    pub block_align: u16,
    /// Of the container of one sample.
    pub bits: u16,
    pub extension: Option<Extension>,
    /// What only this coding has, behind everything else.
    pub extra: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extension {
    /// How many of the container's bits are used, from the top; a few codings have a number of
    /// samples here.
    pub valid_bits: u16,
    /// Which loudspeakers the channels are for, one bit each; 0 where they are for none.
    pub channel_mask: u32,
    pub subformat: [u8; 16],
}

impl WaveFormat {
    /// Samples that each stand for themselves. More than two channels, or more than 16 bits of PCM, or
    /// other loudspeakers than the usual ones call for the extensible form.
    pub(crate) fn linear(spec: Spec, coding: u16, bits: u16) -> Self {
        let block_align = spec.channels as u16 * (bits / 8);
        let is_extensible = spec.channels > 2
            || coding == tag::PCM && bits > 16
            || spec.mask != ChannelMask::usual(spec.channels);
        let extension = is_extensible.then(|| {
            let mut subformat = [0; 16];
            subformat[..2].copy_from_slice(&coding.to_le_bytes());
            subformat[2..].copy_from_slice(&GUID_TAIL);
            Extension {
                valid_bits: bits,
                channel_mask: spec.mask.bits(),
                subformat,
            }
        });
        Self {
            tag: if is_extensible {
                tag::EXTENSIBLE
            } else {
                coding
            },
            channels: spec.channels as u16,
            sample_rate: spec.sample_rate,
            byte_rate: spec.sample_rate * u32::from(block_align),
            block_align,
            bits,
            extension,
            extra: Vec::new(),
        }
    }

    /// Out of a format chunk's body; `None` where it is too short. What it adds is taken as far as it
    /// goes: files are about that state more than they hold.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let fixed: &[u8; FIXED_BYTES] = body.first_chunk()?;
        let u16_at = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let u32_at = |at: usize| u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16;
        let stated_bytes = body
            .get(16..18)
            .map_or(0, |b| u16::from_le_bytes([b[0], b[1]]));
        let added = body.get(18..).unwrap_or_default();
        let (extension, extra_from) = match u16_at(0) {
            tag::EXTENSIBLE => (Some(Extension::parse(added)?), EXTENSION_BYTES),
            _ => (None, 0),
        };
        let extra_to = usize::from(stated_bytes).min(added.len());
        Some(Self {
            tag: u16_at(0),
            channels: u16_at(2),
            sample_rate: u32_at(4),
            byte_rate: u32_at(8),
            block_align: u16_at(12),
            bits: u16_at(14),
            extension,
            extra: added.get(extra_from..extra_to).unwrap_or_default().to_vec(),
        })
    }

    /// The body of a format chunk.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend(self.tag.to_le_bytes());
        body.extend(self.channels.to_le_bytes());
        body.extend(self.sample_rate.to_le_bytes());
        body.extend(self.byte_rate.to_le_bytes());
        body.extend(self.block_align.to_le_bytes());
        body.extend(self.bits.to_le_bytes());
        if self.tag == tag::PCM {
            return body;
        }
        let mut added = Vec::new();
        if let Some(extension) = &self.extension {
            added.extend(extension.valid_bits.to_le_bytes());
            added.extend(extension.channel_mask.to_le_bytes());
            added.extend(extension.subformat);
        }
        added.extend(&self.extra);
        body.extend((added.len() as u16).to_le_bytes());
        body.extend(added);
        body
    }

    /// The tag of what the samples are coded in, in either form.
    pub(crate) fn coding(&self) -> u16 {
        self.extension.as_ref().map_or(self.tag, |extension| {
            u16::from_le_bytes([extension.subformat[0], extension.subformat[1]])
        })
    }

    /// What people call a coding that is neither PCM nor float.
    pub(crate) fn coding_name(&self) -> String {
        match self.coding() {
            0x31 => "GSM 6.10".to_owned(),
            0x50 | 0x55 => "MPEG audio in WAVE".to_owned(),
            0xff | 0x1600 | 0x1610 => "AAC in WAVE".to_owned(),
            0x160..=0x163 => "Windows Media Audio".to_owned(),
            0x270 => "ATRAC3".to_owned(),
            0x2000 => "AC-3".to_owned(),
            0x2001 => "DTS".to_owned(),
            tag => format!("WAVE format {tag:#06x}"),
        }
    }
}

impl Extension {
    /// A GUID that is cut short says with its first two bytes what is needed.
    fn parse(added: &[u8]) -> Option<Self> {
        let fixed: &[u8; 8] = added.first_chunk()?;
        let mut subformat = [0; 16];
        let given = &added[6..added.len().min(EXTENSION_BYTES)];
        subformat[..given.len()].copy_from_slice(given);
        Some(Self {
            valid_bits: u16::from_le_bytes([fixed[0], fixed[1]]),
            channel_mask: u32::from_le_bytes([fixed[2], fixed[3], fixed[4], fixed[5]]),
            subformat,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(channels: u32, coding: u16, bits: u16) -> WaveFormat {
        WaveFormat::linear(Spec::new(96_000, channels), coding, bits)
    }

    #[test]
    fn what_is_written_is_read_again() {
        for channels in 1..=8 {
            for (coding, bits) in [(tag::PCM, 16), (tag::PCM, 24), (tag::FLOAT, 32)] {
                let format = format(channels, coding, bits);
                assert_eq!(format.coding(), coding);
                assert_eq!(WaveFormat::parse(&format.write()), Some(format));
            }
        }
        let adpcm = WaveFormat {
            tag: 2,
            extra: vec![0xf4, 1, 7, 0],
            ..format(1, tag::PCM, 16)
        };
        assert_eq!(WaveFormat::parse(&adpcm.write()), Some(adpcm));
    }

    #[test]
    fn the_form_is_the_shortest_that_can_say_it() {
        assert_eq!(format(2, tag::PCM, 16).write().len(), 16);
        assert_eq!(format(2, tag::FLOAT, 32).write().len(), 18);
        assert_eq!(format(1, tag::PCM, 24).write().len(), 40);
        assert_eq!(format(3, tag::PCM, 16).write().len(), 40);
    }

    #[test]
    fn the_mask_is_the_recordings() {
        for (channels, bits, is_long) in [
            (1, 0x4, false),
            (1, 0x1, true),
            (2, 0x3, false),
            (2, 0x0, true),
            (6, 0x60f, true),
            (6, 0x0, true),
            (16, 0x0, true),
        ] {
            let spec = Spec {
                mask: ChannelMask::stated(bits, channels),
                ..Spec::new(48_000, channels)
            };
            let format = WaveFormat::linear(spec, tag::PCM, 16);
            let mask = format.extension.map(|extension| extension.channel_mask);
            assert_eq!(mask, is_long.then_some(bits), "{channels} channels");
        }
    }

    #[test]
    fn a_body_that_is_cut_short_is_read_as_far_as_it_says_what_is_needed() {
        let whole = format(6, tag::PCM, 16).write();
        for len in 0..whole.len() {
            let coding = WaveFormat::parse(&whole[..len]).map(|format| format.coding());
            assert_eq!(coding, (len >= 26).then_some(tag::PCM), "{len} bytes");
        }
        let mut lies = format(1, tag::FLOAT, 32).write();
        lies[16..18].copy_from_slice(&u16::MAX.to_le_bytes());
        assert_eq!(WaveFormat::parse(&lies), Some(format(1, tag::FLOAT, 32)));
    }
}
