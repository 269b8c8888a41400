//! CAF, Apple's Core Audio Format.

use std::{
    collections::VecDeque,
    io::{self, BufReader},
    ops::Range,
};

use retake_formats::{Codec, Container};

use super::{
    chunks::{self, CHUNKS_MAX, Style, big_endian},
    layout,
    pieces::{Cut, PacketTable, Piece, Pieces, PiecesReader},
};
use crate::{
    AudioError,
    decode::{
        demux::{CodecParams, End, Stream, Time},
        pcm::{PcmEncoding, PcmLayout},
        source::Source,
    },
};

const HEAD_BYTES: u64 = 8;
const BODY_BYTES_MAX: u64 = 1 << 16;
/// Of a table of packets: four hours of packets of 5 ms.
const TABLE_BYTES_MAX: u64 = 16 << 20;
/// In front of the samples: how often they were edited.
const EDIT_COUNT_BYTES: u64 = 4;

/// `None`: it is no CAF file.
pub(in crate::decode) fn open(source: Source) -> Result<Option<PiecesReader>, AudioError> {
    let len = source.len();
    let mut reader = Pieces::reader(source);
    let mut head = [0; 4];
    chunks::read_at(&mut reader, 0, &mut head)?;
    if &head != b"caff" {
        return Ok(None);
    }
    let mut file = File {
        at: HEAD_BYTES,
        ..File::default()
    };
    file.walk(&mut reader, len)?;
    let mut not_read = Vec::new();
    if chunks::is_noteworthy(&mut reader, file.at, len)? {
        not_read.push((
            len - file.at,
            "what follows its audio is no part of a CAF file",
        ));
    }
    let end = match file.is_cut {
        true => End::Truncated,
        false => End::Complete,
    };
    let pieces: Vec<_> = file.piece().into_iter().collect();
    let is_known = |piece: &Piece| !matches!(piece.stream.params.codec, Codec::Unknown(_));
    if pieces
        .iter()
        .any(|piece| matches!(piece.cut, Cut::Nowhere) && is_known(piece))
    {
        return Err(AudioError::Damaged {
            detail: "its table of packets (pakt) is missing: it was never finished".to_owned(),
        });
    }
    match PiecesReader::new(Container::Caf, reader, pieces, end, not_read) {
        Some(reader) => Ok(Some(reader)),
        None => Err(AudioError::Damaged {
            detail: "what says how its audio is coded (desc) is missing or makes no sense"
                .to_owned(),
        }),
    }
}

#[derive(Default)]
struct File {
    at: u64,
    description: Option<Description>,
    cookie: Vec<u8>,
    layout: Vec<u8>,
    packets: Vec<u8>,
    stretches: VecDeque<Range<u64>>,
    is_cut: bool,
}

/// Chunk `desc`.
#[derive(Debug, Clone, Copy)]
struct Description {
    sample_rate: f64,
    format: [u8; 4],
    flags: u32,
    /// 0: they differ.
    packet_bytes: u32,
    packet_frames: u32,
    channels: u32,
    bits: u32,
}

impl File {
    fn walk(&mut self, reader: &mut BufReader<Source>, len: u64) -> io::Result<()> {
        let style = Style::Caf;
        for _ in 0..CHUNKS_MAX {
            let Some(chunk) = style.chunk(reader, self.at)? else {
                return Ok(());
            };
            if !chunks::is_name(&chunk.id) {
                return Ok(());
            }
            match &chunk.id {
                b"desc" => {
                    let body = chunks::body(reader, &chunk, BODY_BYTES_MAX)?;
                    self.description = self.description.or(Description::parse(&body));
                }
                b"kuki" => self.cookie = chunks::body(reader, &chunk, BODY_BYTES_MAX)?,
                b"chan" => self.layout = chunks::body(reader, &chunk, BODY_BYTES_MAX)?,
                b"pakt" => self.packets = chunks::body(reader, &chunk, TABLE_BYTES_MAX)?,
                b"data" => {
                    let extent = style.extent(reader, &chunk, len)?;
                    let start = (chunk.start + EDIT_COUNT_BYTES).min(extent.end);
                    self.stretches.push_back(start..extent.end);
                    self.is_cut = extent.is_cut;
                    if extent.is_open {
                        self.at = len;
                        return Ok(());
                    }
                }
                _ => {}
            }
            match style.behind(reader, &chunk)? {
                Some(next) if next <= len => self.at = next,
                _ => {
                    self.at = len;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn piece(self) -> Option<Piece> {
        let description = self.description?;
        let mut params = description.params(&self.cookie);
        params.mask = layout::mask(&self.layout, description.channels);
        let mut stream = Stream::new(params);
        let rate = u64::from(stream.params.sample_rate?);
        let table = Table::parse(&description, self.packets, rate);
        if let Some(table) = &table {
            let time = |frames: i64| (frames > 0).then(|| Time::new(frames, rate));
            stream.delay = time(table.priming.into());
            stream.heard = time(table.valid_frames);
        }
        let is_plain = matches!(
            stream.params.codec,
            Codec::Pcm | Codec::PcmFloat | Codec::Alaw | Codec::Mulaw
        );
        let cut = match table {
            Some(table) if !is_plain && !(table.bytes_each > 0 && table.frames_each > 0) => {
                Some(Cut::Table(Box::new(table)))
            }
            _ => Cut::of(&stream.params),
        };
        // Packets of one size, of a codec whose packets differ elsewhere.
        let cut = match cut {
            None if description.packet_bytes > 0 => Cut::Blocks {
                bytes: description.packet_bytes,
                per_packet: 1,
                keeps_rest: false,
            },
            cut => cut.unwrap_or(Cut::Nowhere),
        };
        Some(Piece {
            stream,
            stretches: self.stretches,
            cut,
        })
    }
}

impl Description {
    fn parse(body: &[u8]) -> Option<Self> {
        let body: &[u8; 32] = body.first_chunk()?;
        let word = |at: usize| big_endian(&body[at..at + 4]) as u32;
        let description = Self {
            sample_rate: f64::from_bits(big_endian(&body[..8])),
            format: [body[8], body[9], body[10], body[11]],
            flags: word(12),
            packet_bytes: word(16),
            packet_frames: word(20),
            channels: word(24),
            bits: word(28),
        };
        (description.channels > 0).then_some(description)
    }

    fn params(&self, cookie: &[u8]) -> CodecParams {
        let mut pcm = None;
        let codec = match &self.format {
            b"lpcm" => {
                pcm = self.layout();
                let is_float = self.flags & 1 != 0;
                match (is_float, pcm) {
                    (false, Some(_)) => Codec::Pcm,
                    (true, Some(_)) => Codec::PcmFloat,
                    _ => Codec::Unknown(format!("PCM of {} bits", self.bits)),
                }
            }
            b"alaw" => Codec::Alaw,
            b"ulaw" => Codec::Mulaw,
            b"ima4" => Codec::AdpcmImaQt,
            b"alac" => Codec::Alac,
            b"aac " | b"aach" | b"aacp" => Codec::Aac,
            b"opus" => Codec::Opus,
            b"flac" => Codec::Flac,
            b".mp1" => Codec::Mp1,
            b".mp2" => Codec::Mp2,
            b".mp3" => Codec::Mp3,
            b"ac-3" => Codec::Ac3,
            b"ec-3" => Codec::Eac3,
            b"samr" => Codec::AmrNb,
            b"sawb" => Codec::AmrWb,
            b"agsm" => Codec::Gsm,
            [b'm', b's', 0, 0x02] => Codec::AdpcmMs,
            [b'm', b's', 0, 0x11] => Codec::AdpcmIma,
            [b'm', b's', 0, 0x31] => Codec::GsmMs,
            b"MAC3" | b"MAC6" => Codec::Unknown("MACE".to_owned()),
            b"QDMC" | b"QDM2" => Codec::Unknown("QDesign Music".to_owned()),
            b"Qclp" => Codec::Unknown("QCELP".to_owned()),
            b"ilbc" => Codec::Unknown("iLBC".to_owned()),
            b"aacl" | b"aace" => Codec::Unknown("AAC-LD".to_owned()),
            other => {
                let name = String::from_utf8_lossy(other).trim().to_owned();
                Codec::Unknown(format!("CAF {name}"))
            }
        };
        let rate = self.sample_rate.round();
        let extra = extra(&codec, cookie, self);
        let alac_bits = match codec {
            Codec::Alac => extra.get(5).map(|bits| u32::from(*bits)),
            _ => None,
        };
        CodecParams {
            pcm,
            sample_rate: (1.0..=f64::from(u32::MAX))
                .contains(&rate)
                .then_some(rate as u32),
            channels: Some(self.channels),
            bits: pcm.map(|layout| layout.bits).or(alac_bits),
            block_bytes: (self.packet_bytes > 0).then_some(self.packet_bytes),
            extra,
            ..CodecParams::new(codec)
        }
    }

    /// Flags: 1 is float, 2 the least significant byte first.
    fn layout(&self) -> Option<PcmLayout> {
        let encoding = match self.flags & 1 {
            0 => PcmEncoding::Signed,
            _ => PcmEncoding::Float,
        };
        let least = self.bits.div_ceil(8);
        let stated = self.packet_bytes / self.packet_frames.max(1);
        let bytes = match stated / self.channels {
            bytes if stated % self.channels == 0 && bytes >= least => bytes,
            _ => least,
        };
        let layout = PcmLayout::new(encoding, bytes, self.bits)?;
        Some(layout.big_endian(self.flags & 2 == 0))
    }
}

/// What the decoder wants of the cookie.
fn extra(codec: &Codec, cookie: &[u8], description: &Description) -> Vec<u8> {
    let behind = |name: &[u8; 4], cookie: &[u8], bytes: usize| match cookie.get(4..8) {
        Some(found) if found == name => cookie.get(bytes..).unwrap_or_default().to_vec(),
        _ => cookie.to_vec(),
    };
    match codec {
        // Older files have the atoms of QuickTime around it.
        Codec::Alac => behind(b"alac", &behind(b"frma", cookie, 12), 12),
        Codec::Aac => specific_info(cookie).unwrap_or(cookie).to_vec(),
        Codec::Flac => {
            let blocks = behind(b"dfLa", cookie, 12);
            let blocks = blocks.strip_prefix(b"fLaC").unwrap_or(&blocks);
            // A block's header is its kind and a size of 34.
            let info = blocks.strip_prefix(&[0, 0, 0, 34]);
            let info = info
                .or(blocks.strip_prefix(&[0x80, 0, 0, 34]))
                .unwrap_or(blocks);
            info.get(..34).unwrap_or_default().to_vec()
        }
        Codec::Opus if cookie.starts_with(b"OpusHead") => cookie.to_vec(),
        Codec::Opus => {
            let mut head = b"OpusHead\x01".to_vec();
            head.push(description.channels.min(255) as u8);
            // No pre-skip: the table of packets says how much is primed.
            head.extend([0, 0]);
            head.extend(48_000u32.to_le_bytes());
            head.extend([0, 0, 0]);
            head
        }
        Codec::AdpcmMs => cookie.to_vec(),
        _ => Vec::new(),
    }
}

/// AudioSpecificConfig within an elementary stream descriptor (ISO 14496-1 section 7.2.6).
fn specific_info(cookie: &[u8]) -> Option<&[u8]> {
    let mut rest = cookie;
    // Each of them begins within the one before.
    for _ in 0..4 {
        let (&tag, mut body) = rest.split_first()?;
        let mut size = 0usize;
        for _ in 0..4 {
            let (&byte, behind) = body.split_first()?;
            body = behind;
            size = size << 7 | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
        }
        rest = match tag {
            // An id and flags that say what else stands in front.
            3 => match body.get(2)? {
                flags if flags & 0xe0 == 0 => body.get(3..)?,
                _ => return None,
            },
            4 => body.get(13..)?,
            5 => return body.get(..size),
            _ => return None,
        };
    }
    None
}

/// Chunk `pakt`.
struct Table {
    valid_frames: i64,
    priming: u32,
    /// 0: the table says.
    bytes_each: u32,
    frames_each: u32,
    rate: u64,
    body: Vec<u8>,
    at: usize,
}

impl Table {
    fn parse(description: &Description, body: Vec<u8>, rate: u64) -> Option<Self> {
        let head: &[u8; 24] = body.first_chunk()?;
        let signed = |bytes: &[u8]| big_endian(bytes) as i64;
        Some(Self {
            valid_frames: signed(&head[8..16]),
            priming: u32::try_from(big_endian(&head[16..20]))
                .ok()
                .filter(|frames| *frames <= i32::MAX as u32)
                .unwrap_or(0),
            bytes_each: description.packet_bytes,
            frames_each: description.packet_frames,
            rate,
            body,
            at: 24,
        })
    }

    /// Seven bits to a byte, the most significant first; the last byte has no top bit.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for _ in 0..9 {
            let byte = *self.body.get(self.at)?;
            self.at += 1;
            number = number << 7 | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

impl PacketTable for Table {
    fn next(&mut self) -> Option<(u64, Option<Time>)> {
        let bytes = match self.bytes_each {
            0 => self.number()?,
            bytes => u64::from(bytes),
        };
        let frames = match self.frames_each {
            0 => self.number()?,
            frames => u64::from(frames),
        };
        let frames = i64::try_from(frames).ok()?;
        Some((bytes, Some(Time::new(frames, self.rate))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::testing, *};
    use crate::decode::demux::{Demuxer, Next, Packet};

    fn chunk(id: &[u8; 4], size: i64, body: &[u8]) -> Vec<u8> {
        [&id[..], &size.to_be_bytes(), body].concat()
    }

    fn full(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
        chunk(id, body.len() as i64, body)
    }

    fn description(format: &[u8; 4], words: [u32; 5]) -> Vec<u8> {
        let words: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        full(
            b"desc",
            &[&44_100f64.to_be_bytes()[..], format, &words].concat(),
        )
    }

    fn caf(chunks: &[Vec<u8>]) -> Vec<u8> {
        [&b"caff\0\x01\0\0"[..], &chunks.concat()].concat()
    }

    fn read(bytes: &[u8]) -> (Stream, Vec<(usize, Option<Time>)>, End) {
        let mut reader = open(testing::source(bytes)).unwrap().unwrap();
        let mut packet = Packet::default();
        let (mut stream, mut packets) = (None, Vec::new());
        loop {
            packet.clear();
            match reader.next(&mut packet).unwrap() {
                Next::Stream(found) => stream = Some(*found),
                Next::Packet => packets.push((packet.data.len(), packet.duration)),
                Next::End(end) => return (stream.unwrap(), packets, end),
            }
        }
    }

    #[test]
    fn data_may_come_first_or_never_say_its_size() {
        let description = description(b"lpcm", [2, 4, 1, 2, 16]);
        let data = [0; 4 + 400];
        for (file, expected) in [
            (
                caf(&[description.clone(), full(b"data", &data)]),
                End::Complete,
            ),
            (
                caf(&[full(b"data", &data), description.clone()]),
                End::Complete,
            ),
            (
                caf(&[description.clone(), chunk(b"data", -1, &data)]),
                End::Complete,
            ),
            (
                caf(&[description.clone(), chunk(b"data", 5000, &data)]),
                End::Truncated,
            ),
        ] {
            let (stream, packets, end) = read(&file);
            assert_eq!((packets, end), (vec![(400, None)], expected));
            let layout = PcmLayout::new(PcmEncoding::Signed, 2, 16);
            assert_eq!(stream.params.pcm, layout);
        }
    }

    #[test]
    fn the_table_of_packets_says_sizes_delay_and_length() {
        let mut table = Vec::new();
        table.extend(3i64.to_be_bytes());
        table.extend(1000i64.to_be_bytes());
        table.extend(100u32.to_be_bytes());
        table.extend(20u32.to_be_bytes());
        // 5 and 300 bytes; 512 and 608 frames; a packet that is not there.
        table.extend([5, 0x84, 0, 0x82, 0x2c, 0x84, 0x60, 9, 9]);
        let file = caf(&[
            description(b"alac", [0, 0, 0, 2, 0]),
            full(b"data", &[0; 4 + 305]),
            full(b"pakt", &table),
        ]);
        let (stream, packets, _) = read(&file);
        let time = |frames| Some(Time::new(frames, 44_100));
        assert_eq!((stream.delay, stream.heard), (time(100), time(1000)));
        assert_eq!(packets, [(5, time(512)), (300, time(608))]);
    }

    #[test]
    fn a_codec_whose_packets_are_not_listed_was_never_finished() {
        let file = caf(&[
            description(b"alac", [0, 0, 4096, 2, 0]),
            full(b"data", &[0; 4 + 305]),
        ]);
        let opened = open(testing::source(&file));
        assert!(matches!(opened, Err(AudioError::Damaged { .. })));
    }

    #[test]
    fn a_configuration_is_taken_out_of_its_descriptors() {
        let cookie = [
            3, 0x80, 0x80, 0x80, 0x22, 0, 0, 0, 4, 0x14, 0x40, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 5, 0x80, 0x80, 0x80, 2, 0x12, 0x10, 6, 1, 2,
        ];
        assert_eq!(specific_info(&cookie), Some(&[0x12, 0x10][..]));
        assert_eq!(specific_info(&[0x12, 0x10]), None);
        assert_eq!(specific_info(&[3, 1]), None);
    }

    #[test]
    fn any_flipped_byte_ends() {
        let file = caf(&[
            description(b"lpcm", [2, 4, 1, 2, 16]),
            full(b"chan", &[0; 12]),
            full(b"pakt", &[0; 24]),
            full(b"data", &[0; 44]),
        ]);
        for at in 8..file.len() {
            for flip in [0xff, 0x80, 1] {
                let mut bytes = file.clone();
                bytes[at] ^= flip;
                if let Ok(Some(mut reader)) = open(testing::source(&bytes)) {
                    let mut packet = Packet::default();
                    let ends = (0..100).any(|_| {
                        packet.clear();
                        matches!(reader.next(&mut packet), Ok(Next::End(_)))
                    });
                    assert!(ends);
                }
            }
        }
    }
}
