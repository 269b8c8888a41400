//! The format chunk: WAVEFORMATEX and, where that is too little, WAVEFORMATEXTENSIBLE.

use crate::{ChannelMask, Spec};

/// What the samples are coded in.
pub(crate) mod tag {
    pub(crate) const PCM: u16 = 1;
    pub(crate) const FLOAT: u16 = 3;
    /// The sub-format says it.
    pub(crate) const EXTENSIBLE: u16 = 0xfffe;
}

/// What follows the tag, the old kind of which its first two bytes are, in a sub-format's GUID.
pub(crate) const SUBFORMAT_TAIL: [u8; 14] =
    [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/// The same for ambisonics (B-format), whose channels are no speakers.
pub(crate) const AMBISONIC_TAIL: [u8; 14] = [
    0, 0, 0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0,
];

/// Sub-formats that come from no tag: AC-3 and E-AC-3. Their first two bytes stand for them.
pub(crate) const DOLBY_TAILS: [(u16, [u8; 14]); 2] = [
    (
        0x802c,
        [
            0x6d, 0xe0, 0x46, 0xdb, 0xcf, 0x11, 0xb4, 0xd1, 0, 0x80, 0x5f, 0x6c, 0xbb, 0xea,
        ],
    ),
    (
        0x87af,
        [
            0xfb, 0xa7, 0x02, 0x2d, 0xfb, 0x42, 0xa4, 0xd4, 0x05, 0xcd, 0x93, 0x84, 0x3b, 0xdd,
        ],
    ),
];

/// What a file is to say.
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
            subformat[2..].copy_from_slice(&SUBFORMAT_TAIL);
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
        }
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
}

#[cfg(test)]
mod tests {
    use super::{super::Format, *};

    fn format(channels: u32, coding: u16, bits: u16) -> WaveFormat {
        WaveFormat::linear(Spec::new(96_000, channels), coding, bits)
    }

    #[test]
    fn what_is_written_is_read_again() {
        for channels in 1..=8 {
            for (coding, bits) in [(tag::PCM, 16), (tag::PCM, 24), (tag::FLOAT, 32)] {
                let format = format(channels, coding, bits);
                assert_eq!(format.coding(), coding);
                let body = format.write();
                let read = Format::parse(&body, false).expect("a format");
                assert_eq!(
                    (read.tag, read.channels, read.sample_rate),
                    (coding, channels, 96_000)
                );
                assert_eq!((read.bits, read.bits_valid), (bits.into(), bits.into()));
                let mask = format.extension.map(|extension| extension.channel_mask);
                assert_eq!(read.mask, mask);
            }
        }
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
}
