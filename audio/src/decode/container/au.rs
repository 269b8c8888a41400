//! AU, Sun's and NeXT's format: a header and samples.

use retake_formats::{Codec, Container};

use super::{
    chunks::{self, big_endian, little_endian},
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

const HEADER_BYTES: usize = 24;
const UNKNOWN_SIZE: u64 = u32::MAX as u64;
/// Files in one.
const FILES_MAX: usize = 1 << 12;

/// `None`: it is no AU file.
pub(in crate::decode) fn open(source: Source) -> Result<Option<PiecesReader>, AudioError> {
    let len = source.len();
    let mut reader = Pieces::reader(source);
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut end = End::Complete;
    while pieces.len() < FILES_MAX {
        let mut head = [0; HEADER_BYTES];
        if chunks::read_at(&mut reader, at, &mut head)? < HEADER_BYTES {
            break;
        }
        let Some(header) = Header::parse(&head) else {
            break;
        };
        let start = at.saturating_add(header.offset).min(len);
        let is_open = header.size == UNKNOWN_SIZE || header.size == 0;
        let stated = if is_open {
            len
        } else {
            start.saturating_add(header.size)
        };
        end = if stated > len {
            End::Truncated
        } else {
            End::Complete
        };
        at = stated.min(len);
        let params = header.params();
        let cut = Cut::of(&params).unwrap_or(Cut::Nowhere);
        pieces.push(Piece::new(
            Stream::new(params),
            std::iter::once(start..at).collect(),
            cut,
        ));
    }
    let mut not_read = Vec::new();
    if !pieces.is_empty() && chunks::is_noteworthy(&mut reader, at, len)? {
        not_read.push((len - at, "the AU file ends before them"));
    }
    Ok(PiecesReader::new(
        Container::Au,
        reader,
        pieces,
        end,
        not_read,
    ))
}

struct Header {
    offset: u64,
    size: u64,
    encoding: u64,
    sample_rate: u32,
    channels: u32,
    is_big_endian: bool,
}

impl Header {
    fn parse(head: &[u8; HEADER_BYTES]) -> Option<Self> {
        let is_big_endian = match &head[..4] {
            b".snd" => true,
            // DEC's.
            b"dns." => false,
            _ => return None,
        };
        let word = |at: usize| match is_big_endian {
            true => big_endian(&head[at..at + 4]),
            false => little_endian(&head[at..at + 4]),
        };
        let header = Self {
            offset: word(4),
            size: word(8),
            encoding: word(12),
            sample_rate: word(16) as u32,
            channels: word(20) as u32,
            is_big_endian,
        };
        (header.offset >= HEADER_BYTES as u64 && header.channels > 0).then_some(header)
    }

    fn params(&self) -> CodecParams {
        let plain = |encoding, bytes: u32| {
            let layout = PcmLayout::new(encoding, bytes, bytes * 8);
            layout.map(|layout| layout.big_endian(self.is_big_endian))
        };
        let (codec, pcm) = match self.encoding {
            1 => (Codec::Mulaw, None),
            2..=5 => (
                Codec::Pcm,
                plain(PcmEncoding::Signed, self.encoding as u32 - 1),
            ),
            6 => (Codec::PcmFloat, plain(PcmEncoding::Float, 4)),
            7 => (Codec::PcmFloat, plain(PcmEncoding::Float, 8)),
            23 => (Codec::Unknown("G.721 ADPCM".to_owned()), None),
            24 => (Codec::G722, None),
            25 | 26 => (Codec::Unknown("G.723 ADPCM".to_owned()), None),
            27 => (Codec::Alaw, None),
            other => (Codec::Unknown(format!("AU encoding {other}")), None),
        };
        CodecParams {
            pcm,
            sample_rate: (self.sample_rate > 0).then_some(self.sample_rate),
            channels: Some(self.channels),
            bits: pcm.map(|layout| layout.bits),
            ..CodecParams::new(codec)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::testing, *};
    use crate::decode::demux::{Demuxer, Next, Packet};

    fn au(size: u32, encoding: u32, samples: &[u8]) -> Vec<u8> {
        let words = [28, size, encoding, 8000, 1, 0];
        let words: Vec<u8> = words
            .iter()
            .flat_map(|word: &u32| word.to_be_bytes())
            .collect();
        [&b".snd"[..], &words, samples].concat()
    }

    fn read(bytes: &[u8]) -> (Vec<Codec>, Vec<u8>, End) {
        let mut reader = open(testing::source(bytes)).unwrap().unwrap();
        let mut packet = Packet::default();
        let (mut codecs, mut audio) = (Vec::new(), Vec::new());
        loop {
            packet.clear();
            match reader.next(&mut packet).unwrap() {
                Next::Stream(stream) => codecs.push(stream.params.codec),
                Next::Packet => audio.extend(&packet.data),
                Next::End(end) => return (codecs, audio, end),
            }
        }
    }

    #[test]
    fn sizes_may_be_unknown_or_wrong() {
        let check = |size, end| {
            let found = read(&au(size, 3, &[1, 2, 3, 4]));
            assert_eq!(found, (vec![Codec::Pcm], vec![1, 2, 3, 4], end));
        };
        check(4, End::Complete);
        check(u32::MAX, End::Complete);
        check(0, End::Complete);
        check(400, End::Truncated);
    }

    #[test]
    fn files_put_together_are_all_heard() {
        let file = [au(2, 1, &[1, 2]), au(u32::MAX, 27, &[3, 4])].concat();
        let (codecs, audio, _) = read(&file);
        assert_eq!(codecs, [Codec::Mulaw, Codec::Alaw]);
        assert_eq!(audio, [1, 2, 3, 4]);
    }

    #[test]
    fn what_is_not_decoded_is_named() {
        let (codecs, audio, _) = read(&au(4, 23, &[1, 2, 3, 4]));
        assert_eq!(codecs, [Codec::Unknown("G.721 ADPCM".to_owned())]);
        assert!(audio.is_empty());
        assert!(open(testing::source(b".snd\0\0\0\x18")).unwrap().is_none());
    }
}
