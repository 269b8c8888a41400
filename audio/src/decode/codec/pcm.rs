//! Samples that are merely written down: PCM, and the logarithmic ones of G.711.

use retake_formats::Codec;

use super::{super::demux::CodecParams, Heard, PacketDecoder, PacketError};
use crate::{
    AudioError,
    block::Block,
    channels::ChannelMask,
    decode::pcm::{self, PcmLayout},
};

pub(in crate::decode) struct PcmDecoder {
    heard: Heard,
    channels: usize,
    form: Form,
}

enum Form {
    Plain(PcmLayout),
    /// What each byte stands for.
    Table(Box<[f32; 256]>),
}

impl PcmDecoder {
    pub(in crate::decode) fn open(params: &CodecParams) -> Result<Self, AudioError> {
        let form = match (&params.codec, params.pcm) {
            (Codec::Alaw, _) => Some(Form::table(alaw)),
            (Codec::Mulaw, _) => Some(Form::table(mulaw)),
            (_, layout) => layout.map(Form::Plain),
        };
        match (form, params.channels, params.sample_rate) {
            (Some(form), Some(channels @ 1..), Some(sample_rate)) => Ok(Self {
                heard: Heard {
                    sample_rate,
                    mask: params.mask.unwrap_or(ChannelMask::unstated(channels)),
                },
                channels: channels as usize,
                form,
            }),
            _ => Err(AudioError::Damaged {
                detail: "how its samples are written makes no sense".to_owned(),
            }),
        }
    }

    fn frame_bytes(&self) -> usize {
        let width = match &self.form {
            Form::Plain(layout) => layout.bytes as usize,
            Form::Table(_) => 1,
        };
        self.channels.saturating_mul(width)
    }
}

impl PacketDecoder for PcmDecoder {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        match &self.form {
            Form::Plain(layout) => pcm::convert(*layout, packet, self.channels, block),
            Form::Table(table) => {
                pcm::deinterleave(packet, self.channels, block, |[code]: [u8; 1]| {
                    table[usize::from(code)]
                })
            }
        }
        Ok(self.heard)
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        Some((packet.len() / self.frame_bytes()) as u64)
    }

    fn reset(&mut self) {}
}

impl Form {
    fn table(value: impl Fn(u8) -> i16) -> Self {
        let mut table = Box::new([0.0; 256]);
        for (code, to) in (0..=u8::MAX).zip(table.iter_mut()) {
            *to = f32::from(value(code)) / 32_768.0;
        }
        Self::Table(table)
    }
}

/// ITU-T G.711 table 1a: a sign, three bits of exponent, four of fraction, even bits inverted; 13
/// bits, at the top of 16.
fn alaw(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (exponent, fraction) = (code >> 4 & 7, i16::from(code & 15));
    let magnitude = match exponent {
        0 => (fraction << 4) + 8,
        _ => ((fraction << 4) + 0x108) << (exponent - 1),
    };
    if code & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// ITU-T G.711 table 2a: the same with all bits inverted and an offset of 33; 14 bits at the top of 16.
fn mulaw(code: u8) -> i16 {
    let code = !code;
    let (exponent, fraction) = (code >> 4 & 7, i16::from(code & 15));
    let magnitude = (((fraction << 3) + 0x84) << exponent) - 0x84;
    if code & 0x80 != 0 {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::decode::pcm::PcmEncoding;

    fn params(codec: Codec) -> CodecParams {
        CodecParams {
            pcm: PcmLayout::new(PcmEncoding::Signed, 2, 16),
            sample_rate: Some(44_100),
            channels: Some(2),
            ..CodecParams::new(codec)
        }
    }

    #[test]
    fn g711_has_its_ends_and_its_middle() {
        // The values of the tables in G.711, at 16 bits.
        let check = |value: fn(u8) -> i16, pairs: &[(u8, i16)]| {
            for &(code, expected) in pairs {
                assert_eq!(value(code), expected, "{code:#x}");
            }
        };
        check(
            alaw,
            &[
                (0xaa, 32_256),
                (0x2a, -32_256),
                (0xd5, 8),
                (0x55, -8),
                (0xc5, 264),
            ],
        );
        check(
            mulaw,
            &[
                (0x80, 32_124),
                (0x00, -32_124),
                (0xff, 0),
                (0x7f, 0),
                (0xfe, 8),
                (0xef, 132),
            ],
        );
    }

    #[test]
    fn a_packet_stands_for_its_whole_frames() {
        let mut decoder = PcmDecoder::open(&params(Codec::Pcm)).unwrap();
        let mut block = Block::default();
        let packet = [0, 0x40, 0, 0xc0, 0, 0x20, 0];
        assert_eq!(decoder.frames(&packet), Some(1));
        let heard = decoder.decode(&packet, &mut block).unwrap();
        assert_eq!(
            (heard.sample_rate, heard.mask),
            (44_100, ChannelMask::usual(2))
        );
        assert_eq!(
            block,
            Block::from_planes(vec![vec![0.5], vec![-0.5]]).unwrap()
        );

        let mut decoder = PcmDecoder::open(&params(Codec::Mulaw)).unwrap();
        assert_eq!(decoder.frames(&packet), Some(3));
        decoder.decode(&packet, &mut block).unwrap();
        assert_eq!(block.frames(), 3);
    }

    #[test]
    fn what_makes_no_sense_is_damage() {
        let check = |change: fn(&mut CodecParams)| {
            let mut params = params(Codec::Pcm);
            change(&mut params);
            assert!(PcmDecoder::open(&params).is_err());
        };
        check(|params| params.pcm = None);
        check(|params| params.channels = Some(0));
        check(|params| params.sample_rate = None);
    }
}
