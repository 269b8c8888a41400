//! AIFF and AIFF-C.

use std::{
    collections::VecDeque,
    io::{self, BufReader},
    ops::Range,
};

use retake_formats::{Codec, Container};

use super::{
    chunks::{self, CHUNKS_MAX, Style, big_endian},
    layout,
    pieces::{Cut, Piece, Pieces, PiecesReader},
};
use crate::{
    AudioError,
    decode::{
        demux::{CodecParams, End, Stream},
        pcm::{PcmEncoding, PcmLayout},
        source::Source,
    },
};

const HEAD_BYTES: u64 = 12;
/// COMM has a few words and a name; CHAN twenty bytes for each channel.
const BODY_BYTES_MAX: u64 = 1 << 12;
/// Offset and block size, in front of the samples.
const SSND_HEAD_BYTES: u64 = 8;
/// Files in one.
const FILES_MAX: usize = 1 << 12;

/// `None`: it is no AIFF file.
pub(in crate::decode) fn open(source: Source) -> Result<Option<PiecesReader>, AudioError> {
    let len = source.len();
    let mut reader = Pieces::reader(source);
    if !is_aiff(&mut reader, 0)? {
        return Ok(None);
    }
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut end = End::Complete;
    while pieces.len() < FILES_MAX && is_aiff(&mut reader, at)? {
        let mut file = File {
            at: at + HEAD_BYTES,
            ..File::default()
        };
        file.walk(&mut reader, len)?;
        at = file.at.min(len);
        end = match file.is_cut {
            true => End::Truncated,
            false => End::Complete,
        };
        pieces.extend(file.piece());
    }
    let mut not_read = Vec::new();
    if chunks::is_noteworthy(&mut reader, at, len)? {
        not_read.push((
            len - at,
            "what follows its audio is no part of an AIFF file",
        ));
    }
    match PiecesReader::new(Container::Aiff, reader, pieces, end, not_read) {
        Some(reader) => Ok(Some(reader)),
        None => Err(AudioError::Damaged {
            detail: "what says how its audio is coded (COMM) is missing or makes no sense"
                .to_owned(),
        }),
    }
}

fn is_aiff(reader: &mut BufReader<Source>, at: u64) -> io::Result<bool> {
    let mut head = [0; 12];
    chunks::read_at(reader, at, &mut head)?;
    Ok(&head[..4] == b"FORM" && matches!(&head[8..], b"AIFF" | b"AIFC"))
}

/// One file on the way.
#[derive(Default)]
struct File {
    at: u64,
    common: Option<CodecParams>,
    layout: Vec<u8>,
    stretches: VecDeque<Range<u64>>,
    is_cut: bool,
}

impl File {
    /// Stops behind the last chunk that makes sense, or where another file begins.
    fn walk(&mut self, reader: &mut BufReader<Source>, len: u64) -> io::Result<()> {
        let style = Style::BigEndian;
        for _ in 0..CHUNKS_MAX {
            let Some(mut chunk) = style.chunk(reader, self.at)? else {
                return Ok(());
            };
            if !chunks::is_name(&chunk.id) || is_aiff(reader, self.at)? {
                return Ok(());
            }
            match &chunk.id {
                b"COMM" => {
                    let body = chunks::body(reader, &chunk, BODY_BYTES_MAX)?;
                    self.common = self.common.take().or(common(&body));
                }
                b"CHAN" => self.layout = chunks::body(reader, &chunk, BODY_BYTES_MAX)?,
                b"SSND" => {
                    let extent = style.extent(reader, &chunk, len)?;
                    let mut offset = [0; 4];
                    chunks::read_at(reader, chunk.start, &mut offset)?;
                    let start = chunk.start + SSND_HEAD_BYTES;
                    // An offset beyond the chunk is none.
                    let start = start
                        .checked_add(big_endian(&offset))
                        .filter(|start| *start < extent.end)
                        .unwrap_or(start);
                    self.stretches.push_back(start.min(extent.end)..extent.end);
                    self.is_cut = extent.is_cut;
                    if extent.is_open || extent.is_cut {
                        self.at = len;
                        return Ok(());
                    }
                    chunk.size = extent.end - chunk.start;
                }
                _ => {}
            }
            match style.behind(reader, &chunk)? {
                Some(next) if next <= len.saturating_add(1) => self.at = next,
                _ => {
                    self.at = len;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn piece(self) -> Option<Piece> {
        let params = self.common?;
        let channels = params.channels.unwrap_or(0);
        let cut = Cut::of(&params).unwrap_or(Cut::Nowhere);
        let layout = layout::core_audio(&self.layout, channels);
        Some(Piece::new(Stream::new(params), self.stretches, cut).laid_out(layout))
    }
}

/// COMM: channels, frames (which nobody needs), bits, rate and, in AIFF-C, how it is compressed.
fn common(body: &[u8]) -> Option<CodecParams> {
    let channels = big_endian(body.get(..2)?) as u32;
    let bits = big_endian(body.get(6..8)?) as u32;
    let sample_rate = extended(body.get(8..18)?.try_into().ok()?);
    let name: [u8; 4] = match body.get(18..22) {
        Some(name) => name.try_into().ok()?,
        None => *b"NONE",
    };
    if channels == 0 {
        return None;
    }
    let (codec, pcm) = coding(name, bits);
    let codec = match (codec, pcm) {
        (codec @ (Codec::Pcm | Codec::PcmFloat), None) => {
            Codec::Unknown(format!("{} of {bits} bits", codec.name()))
        }
        (codec, _) => codec,
    };
    Some(CodecParams {
        pcm,
        sample_rate,
        channels: Some(channels),
        bits: pcm.map(|layout| layout.bits),
        ..CodecParams::new(codec)
    })
}

fn coding(name: [u8; 4], bits: u32) -> (Codec, Option<PcmLayout>) {
    use PcmEncoding::{Float, Signed, Unsigned};
    let plain = |encoding, bytes: u32, bits: u32| {
        PcmLayout::new(encoding, bytes, bits).map(|layout| layout.big_endian(true))
    };
    let integer = plain(Signed, bits.div_ceil(8), bits);
    let little = |layout: Option<PcmLayout>| layout.map(|layout| layout.big_endian(false));
    let of_24 = plain(Signed, 3, if (17..=24).contains(&bits) { bits } else { 24 });
    let of_32 = plain(Signed, 4, if (25..=32).contains(&bits) { bits } else { 32 });
    match &name {
        b"NONE" | b"twos" | b"lpcm" | [0, 0, 0, 0] => (Codec::Pcm, integer),
        b"sowt" => (Codec::Pcm, little(integer)),
        b"raw " => (Codec::Pcm, plain(Unsigned, bits.div_ceil(8), bits)),
        b"in24" => (Codec::Pcm, of_24),
        b"42ni" | b"42n1" => (Codec::Pcm, little(of_24)),
        b"in32" => (Codec::Pcm, of_32),
        b"23ni" => (Codec::Pcm, little(of_32)),
        b"fl32" | b"FL32" => (Codec::PcmFloat, plain(Float, 4, 32)),
        b"fl64" | b"FL64" => (Codec::PcmFloat, plain(Float, 8, 64)),
        b"alaw" | b"ALAW" => (Codec::Alaw, None),
        b"ulaw" | b"ULAW" => (Codec::Mulaw, None),
        b"ima4" => (Codec::AdpcmImaQt, None),
        b"GSM " | b"agsm" => (Codec::Gsm, None),
        b"G722" => (Codec::G722, None),
        b"MAC3" | b"MAC6" => (Codec::Unknown("MACE".to_owned()), None),
        b"QDMC" | b"QDM2" => (Codec::Unknown("QDesign Music".to_owned()), None),
        b"Qclp" => (Codec::Unknown("QCELP".to_owned()), None),
        other => {
            let name = String::from_utf8_lossy(other).trim().to_owned();
            (Codec::Unknown(format!("AIFF-C {name}")), None)
        }
    }
}

/// An 80-bit float of the 68881: a sign, 15 bits of exponent, 64 of fraction with its leading 1.
fn extended(bytes: [u8; 10]) -> Option<u32> {
    let exponent = big_endian(&bytes[..2]) as i32 - 16_383 - 63;
    let rate = big_endian(&bytes[2..]) as f64 * f64::from(exponent).exp2();
    (rate.round() >= 1.0 && rate <= f64::from(u32::MAX)).then_some(rate.round() as u32)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::testing, *};
    use crate::decode::demux::{Demuxer, Next, Packet};

    const CD: [u8; 10] = [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0];

    fn chunk(id: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
        let pad: &[u8] = if body.len() % 2 == 1 { &[0] } else { &[] };
        [&id[..], &size.to_be_bytes(), body, pad].concat()
    }

    fn common(bits: u8, name: &[u8]) -> Vec<u8> {
        let body = [&[0, 1, 0, 0, 0, 0, 0, bits][..], &CD, name].concat();
        chunk(b"COMM", body.len() as u32, &body)
    }

    fn sound(size: u32, offset: u8, samples: &[u8]) -> Vec<u8> {
        chunk(
            b"SSND",
            size,
            &[&[0, 0, 0, offset, 0, 0, 0, 0], samples].concat(),
        )
    }

    fn form(chunks: &[Vec<u8>]) -> Vec<u8> {
        [&b"FORM\0\0\0\0AIFC"[..], &chunks.concat()].concat()
    }

    fn read(bytes: &[u8]) -> (Vec<Stream>, Vec<u8>, End) {
        let mut reader = open(testing::source(bytes)).unwrap().unwrap();
        let mut packet = Packet::default();
        let (mut streams, mut audio) = (Vec::new(), Vec::new());
        loop {
            packet.clear();
            match reader.next(&mut packet).unwrap() {
                Next::Stream(stream) => streams.push(*stream),
                Next::Packet => audio.extend(&packet.data),
                Next::End(end) => return (streams, audio, end),
            }
        }
    }

    #[test]
    fn samples_are_what_their_name_says() {
        let check = |bits, name: &[u8], codec: Codec, layout: Option<(PcmEncoding, u32, bool)>| {
            let file = form(&[common(bits, name), sound(8, 0, &[])]);
            let params = read(&file).0.remove(0).params;
            let found = params.pcm.map(|l| (l.encoding, l.bytes, l.is_big_endian));
            assert_eq!((params.codec, found), (codec, layout));
            assert_eq!(params.sample_rate, Some(44_100));
        };
        use PcmEncoding::*;
        check(16, b"", Codec::Pcm, Some((Signed, 2, true)));
        check(12, b"NONE", Codec::Pcm, Some((Signed, 2, true)));
        check(24, b"sowt", Codec::Pcm, Some((Signed, 3, false)));
        check(8, b"raw ", Codec::Pcm, Some((Unsigned, 1, true)));
        check(16, b"in24", Codec::Pcm, Some((Signed, 3, true)));
        check(32, b"fl32", Codec::PcmFloat, Some((Float, 4, true)));
        check(16, b"FL64", Codec::PcmFloat, Some((Float, 8, true)));
        check(16, b"ulaw", Codec::Mulaw, None);
        check(16, b"ima4", Codec::AdpcmImaQt, None);
        check(16, b"MAC3", Codec::Unknown("MACE".to_owned()), None);
        check(64, b"NONE", Codec::Pcm, Some((Signed, 8, true)));
        let odd = Codec::Unknown("PCM of 40 bits".to_owned());
        check(40, b"NONE", odd, None);
    }

    #[test]
    fn sizes_are_not_believed() {
        let audio = [1, 2, 3, 4, 5, 6];
        let check = |chunks: &[Vec<u8>], expected: &[u8], end| {
            let (_, found, found_end) = read(&form(chunks));
            assert_eq!((&found[..], found_end), (expected, end));
        };
        let common = common(16, b"NONE");
        check(
            &[common.clone(), sound(14, 0, &audio)],
            &audio,
            End::Complete,
        );
        check(
            &[sound(14, 0, &audio), common.clone()],
            &audio,
            End::Complete,
        );
        check(
            &[common.clone(), sound(14, 2, &audio)],
            &audio[2..],
            End::Complete,
        );
        check(
            &[common.clone(), sound(14, 99, &audio)],
            &audio,
            End::Complete,
        );
        check(
            &[common.clone(), sound(0, 0, &audio)],
            &audio,
            End::Complete,
        );
        check(
            &[common.clone(), sound(u32::MAX, 0, &audio)],
            &audio,
            End::Complete,
        );
        check(
            &[common.clone(), sound(1000, 0, &audio)],
            &audio,
            End::Truncated,
        );
        check(&[common, sound(3, 0, &audio)], &[], End::Complete);
    }

    #[test]
    fn files_put_together_are_all_heard() {
        let one = form(&[common(16, b"NONE"), sound(10, 0, &[1, 2])]);
        let two = form(&[common(8, b"NONE"), sound(9, 0, &[3])]);
        let (streams, audio, end) = read(&[one, two].concat());
        assert_eq!(
            (streams.len(), &audio[..], end),
            (2, &[1, 2, 3][..], End::Complete)
        );
    }

    #[test]
    fn rates_are_floats_of_80_bits() {
        assert_eq!(extended(CD), Some(44_100));
        assert_eq!(extended([0; 10]), None);
        assert_eq!(extended([0xff; 10]), None);
        assert_eq!(
            extended([0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0]),
            Some(8_000)
        );
    }

    #[test]
    fn without_a_description_it_is_damaged() {
        let opened = open(testing::source(&form(&[sound(10, 0, &[1, 2])])));
        assert!(matches!(opened, Err(AudioError::Damaged { .. })));
        assert!(
            open(testing::source(b"FORM\0\0\0\0ILBM"))
                .unwrap()
                .is_none()
        );
    }
}
