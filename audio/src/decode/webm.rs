//! Opus in WebM and Matroska: what browsers record.
//!
//! A reader of our own (RFC 9559), because recordings come in pieces: without sizes, without an
//! index, cut in the middle of a cluster, with pieces missing. Elements are taken as they come;
//! where they stop making sense, reading goes on at the next cluster. Declared durations are not
//! looked at. Other codecs in Matroska are left to the general reader.

use std::io::{self, BufReader, Read};

use super::{
    End, Reading,
    opus::{OpusHead, OpusPackets},
    recorder::{Recorder, Trim},
    source::{Source, Ticker},
};
use crate::{AudioError, SourceInfo};

const ID_EBML: u32 = 0x1a45_dfa3;
const ID_SEGMENT: u32 = 0x1853_8067;
const ID_CLUSTER: u32 = 0x1f43_b675;
const ID_TRACKS: u32 = 0x1654_ae6b;
const ID_TRACK: u32 = 0xae;
const ID_TRACK_NUMBER: u32 = 0xd7;
const ID_TRACK_TYPE: u32 = 0x83;
const ID_CODEC: u32 = 0x86;
const ID_CODEC_PRIVATE: u32 = 0x63a2;
const ID_AUDIO: u32 = 0xe1;
const ID_CHANNELS: u32 = 0x9f;
const ID_DOC_TYPE: u32 = 0x4282;
const ID_SIMPLE_BLOCK: u32 = 0xa3;
const ID_BLOCK_GROUP: u32 = 0xa0;
const ID_BLOCK: u32 = 0xa1;
const ID_DISCARD_PADDING: u32 = 0x75a2;
/// Elements that may stand among these and are stepped over: seek head, info, cues, tags,
/// attachments, chapters, void, checksum, timestamp, position, previous size, silent tracks.
const IDS_SKIPPED: [u32; 12] = [
    0x114d_9b74,
    0x1549_a966,
    0x1c53_bb6b,
    0x1254_c367,
    0x1941_a469,
    0x1043_a770,
    0xec,
    0xbf,
    0xe7,
    0xa7,
    0xab,
    0x5854,
];
const TRACK_TYPE_AUDIO: u64 = 2;
/// Elements that are read whole: a block of Opus has some kilobytes.
const ELEMENT_BYTES_MAX: u64 = 1 << 22;
const RATE: u64 = 48_000;

/// What the first audio track is.
struct Track {
    number: u64,
    codec: String,
    private: Vec<u8>,
    channels: usize,
}

/// The codec of the first audio track, if there is one; how much of the file is looked at is
/// bounded, as the description stands before the audio.
pub(super) fn audio_codec(source: Source) -> io::Result<Option<String>> {
    let mut reader = Elements::new(source);
    loop {
        match reader.next() {
            Ok(Some((ID_TRACKS, Some(size)))) if size <= ELEMENT_BYTES_MAX => {
                let tracks = reader.body(size)?;
                return Ok(audio_track(&tracks).map(|track| track.codec));
            }
            Ok(Some((ID_EBML, Some(size)))) => reader.skip(size)?,
            Ok(Some((ID_SEGMENT, _))) => {}
            Ok(Some((id, Some(size)))) if IDS_SKIPPED.contains(&id) => reader.skip(size)?,
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

/// Reads the whole file, whose first audio track is Opus.
pub(super) fn read(
    source: Source,
    recorder: &mut Recorder,
    progress: &mut dyn FnMut(f32),
) -> Result<Reading, AudioError> {
    let mut state = State {
        ticker: Ticker::new(&source, progress),
        recorder,
        doc_type: String::new(),
        track: None,
        packets: 0,
        errors: 0,
    };
    let mut elements = Elements::new(source);
    let mut damages = 0u32;
    let end = loop {
        match step(&mut elements, &mut state) {
            Ok(Step::Next) => {}
            Ok(Step::End) => break End::Complete,
            Ok(Step::Damaged) => {
                damages += 1;
                if !elements.find_cluster()? {
                    break End::Truncated;
                }
            }
            Err(AudioError::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                break End::Truncated;
            }
            Err(error) => return Err(error),
        }
    };
    let is_webm = state.doc_type != "matroska";
    let source = SourceInfo {
        container: if is_webm { "WebM" } else { "Matroska" }.to_owned(),
        codec: "Opus".to_owned(),
        lossless_bits: None,
    };
    let mut reading = Reading::new(source, end);
    (reading.packets, reading.errors) = (state.packets, state.errors);
    if damages > 0 && matches!(reading.end, End::Complete) {
        reading.end = End::Damaged(format!("{damages} places in the container"));
    }
    Ok(reading)
}

struct State<'a> {
    ticker: Ticker<'a>,
    recorder: &'a mut Recorder,
    doc_type: String,
    track: Option<(u64, OpusPackets)>,
    packets: u64,
    errors: u64,
}

enum Step {
    Next,
    End,
    Damaged,
}

/// One element: entered, read or stepped over.
fn step(elements: &mut Elements, state: &mut State<'_>) -> Result<Step, AudioError> {
    let Some((id, size)) = elements.next()? else {
        return Ok(Step::End);
    };
    match (id, size) {
        (ID_SEGMENT, _) => {}
        (ID_CLUSTER, _) => state.ticker.tick(),
        (ID_EBML | ID_TRACKS | ID_SIMPLE_BLOCK | ID_BLOCK_GROUP, Some(size))
            if size <= ELEMENT_BYTES_MAX =>
        {
            let body = elements.body(size)?;
            match id {
                ID_EBML => {
                    let doc_type = children(&body).find(|(id, _)| *id == ID_DOC_TYPE);
                    state.doc_type = doc_type.map_or_else(String::new, |(_, body)| text(body));
                }
                ID_TRACKS => state.start_track(&body)?,
                ID_SIMPLE_BLOCK => state.block(&body, 0)?,
                _ => {
                    let mut block = None;
                    let mut discarded_ns = 0;
                    for (id, body) in children(&body) {
                        match id {
                            ID_BLOCK => block = Some(body),
                            ID_DISCARD_PADDING => discarded_ns = signed(body),
                            _ => {}
                        }
                    }
                    if let Some(block) = block {
                        state.block(block, discarded_ns)?;
                    }
                }
            }
        }
        (id, Some(size)) if IDS_SKIPPED.contains(&id) => elements.skip(size)?,
        _ => return Ok(Step::Damaged),
    }
    Ok(Step::Next)
}

impl State<'_> {
    /// A second description within the file starts a new stream, whose delay is trimmed again.
    fn start_track(&mut self, tracks: &[u8]) -> Result<(), AudioError> {
        let Some(track) = audio_track(tracks).filter(|track| track.codec == "A_OPUS") else {
            return Ok(());
        };
        let head = OpusHead::parse(&track.private, false)
            .unwrap_or_else(|| OpusHead::assumed(track.channels));
        self.recorder.trim(Trim {
            skip: head.pre_skip,
            ..Trim::default()
        });
        self.track = Some((track.number, OpusPackets::new(&head)?));
        Ok(())
    }

    /// Decodes the packets of a block if it is the track's; drops the end that is padding.
    fn block(&mut self, block: &[u8], discarded_ns: i64) -> Result<(), AudioError> {
        let Some((wanted, opus)) = &mut self.track else {
            return Ok(());
        };
        let Some((number, rest)) = vint(block) else {
            self.errors += 1;
            return Ok(());
        };
        if number != *wanted {
            return Ok(());
        }
        let Some(packets) = unlace(rest) else {
            self.errors += 1;
            return Ok(());
        };
        let discarded = u128::from(discarded_ns.max(0).unsigned_abs()) * u128::from(RATE);
        let discarded = ((discarded + 500_000_000) / 1_000_000_000) as usize;
        let last = packets.len().saturating_sub(1);
        let spec = opus.spec();
        for (index, packet) in packets.into_iter().enumerate() {
            self.packets += 1;
            match opus.decode(packet) {
                Ok(decoded) => {
                    let frames = decoded.frames();
                    let dropped = if index == last {
                        discarded.min(frames)
                    } else {
                        0
                    };
                    let channels: Vec<&[f32]> = decoded
                        .planes()
                        .map(|plane| &plane[..frames - dropped])
                        .collect();
                    self.recorder.push(spec, &channels)?;
                }
                Err(_) => self.errors += 1,
            }
        }
        Ok(())
    }
}

fn audio_track(tracks: &[u8]) -> Option<Track> {
    children(tracks)
        .filter(|(id, _)| *id == ID_TRACK)
        .find_map(|(_, entry)| {
            let mut track = Track {
                number: 0,
                codec: String::new(),
                private: Vec::new(),
                channels: 1,
            };
            let mut kind = 0;
            for (id, body) in children(entry) {
                match id {
                    ID_TRACK_NUMBER => track.number = unsigned(body),
                    ID_TRACK_TYPE => kind = unsigned(body),
                    ID_CODEC => track.codec = text(body),
                    ID_CODEC_PRIVATE => track.private = body.to_vec(),
                    ID_AUDIO => {
                        let channels = children(body).find(|(id, _)| *id == ID_CHANNELS);
                        track.channels = channels.map_or(1, |(_, body)| unsigned(body) as usize);
                    }
                    _ => {}
                }
            }
            (kind == TRACK_TYPE_AUDIO).then_some(track)
        })
}

/// The packets in a block, behind its track number: timestamp, flags, lacing (RFC 9559
/// section 10.3).
fn unlace(block: &[u8]) -> Option<Vec<&[u8]>> {
    let (header, mut rest) = block.split_at_checked(3)?;
    let lacing = header[2] >> 1 & 3;
    if lacing == 0 {
        return Some(vec![rest]);
    }
    let (&count, after) = rest.split_first()?;
    let count = usize::from(count) + 1;
    rest = after;
    let mut sizes = Vec::with_capacity(count);
    match lacing {
        1 => {
            for _ in 1..count {
                let mut size = 0;
                loop {
                    let (&byte, after) = rest.split_first()?;
                    rest = after;
                    size += usize::from(byte);
                    if byte < 255 {
                        break;
                    }
                }
                sizes.push(size);
            }
        }
        2 => sizes = vec![rest.len() / count; count - 1],
        _ => {
            let mut size = 0i64;
            for index in 1..count {
                let bits = 7 * (rest.first()?.leading_zeros() + 1);
                let (value, after) = vint(rest)?;
                rest = after;
                // Each but the first is a difference, with half of its range below zero.
                size += value as i64 - if index == 1 { 0 } else { (1 << (bits - 1)) - 1 };
                sizes.push(usize::try_from(size).ok()?);
            }
        }
    }
    let mut packets = Vec::with_capacity(count);
    for size in sizes {
        let (packet, after) = rest.split_at_checked(size)?;
        packets.push(packet);
        rest = after;
    }
    packets.push(rest);
    Some(packets)
}

/// A number of 1 to 8 bytes whose leading zeros tell its length; and what follows.
fn vint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let len = bytes.first()?.leading_zeros() as usize + 1;
    let (number, rest) = bytes.split_at_checked(len).filter(|_| len <= 8)?;
    Some((unsigned(number) & ((1 << (7 * len)) - 1), rest))
}

fn unsigned(body: &[u8]) -> u64 {
    body.iter()
        .take(8)
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn signed(body: &[u8]) -> i64 {
    let bits = 8 * body.len().min(8) as u32;
    if bits == 0 {
        0
    } else {
        (unsigned(body) << (64 - bits)) as i64 >> (64 - bits)
    }
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body)
        .trim_end_matches('\0')
        .to_owned()
}

/// The elements in a body, as far as they make sense.
fn children(mut body: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let id_len = body.first()?.leading_zeros() as usize + 1;
        let (id, rest) = body.split_at_checked(id_len).filter(|_| id_len <= 4)?;
        let (size, rest) = vint(rest)?;
        let (child, rest) = rest.split_at_checked(usize::try_from(size).ok()?)?;
        body = rest;
        Some((unsigned(id) as u32, child))
    })
}

/// Element headers and bodies, from a file.
struct Elements {
    reader: BufReader<Source>,
}

impl Elements {
    fn new(source: Source) -> Self {
        Self {
            reader: BufReader::with_capacity(1 << 16, source),
        }
    }

    /// The next id and size; no size where it is not known. `None` at the end of the file, id 0
    /// for what is no element.
    fn next(&mut self) -> io::Result<Option<(u32, Option<u64>)>> {
        let mut first = [0];
        if self.reader.read(&mut first)? == 0 {
            return Ok(None);
        }
        let id_len = first[0].leading_zeros() as usize + 1;
        if id_len > 4 {
            return Ok(Some((0, None)));
        }
        let mut id = [first[0], 0, 0, 0];
        self.reader.read_exact(&mut id[1..id_len])?;
        let mut size = [0; 8];
        self.reader.read_exact(&mut size[..1])?;
        let size_len = size[0].leading_zeros() as usize + 1;
        if size_len > 8 {
            return Ok(Some((0, None)));
        }
        self.reader.read_exact(&mut size[1..size_len])?;
        let all_ones = (1u64 << (7 * size_len)) - 1;
        let size = unsigned(&size[..size_len]) & all_ones;
        Ok(Some((
            unsigned(&id[..id_len]) as u32,
            (size != all_ones).then_some(size),
        )))
    }

    fn body(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut body = vec![0; size as usize];
        self.reader.read_exact(&mut body)?;
        Ok(body)
    }

    fn skip(&mut self, size: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.reader).take(size), &mut io::sink())?;
        if skipped < size {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(())
        }
    }

    /// Goes on behind the next cluster's id and size; false at the end of the file.
    fn find_cluster(&mut self) -> io::Result<bool> {
        let mut window = 0u32;
        let mut byte = [0];
        while window != ID_CLUSTER {
            if self.reader.read(&mut byte)? == 0 {
                return Ok(false);
            }
            window = window << 8 | u32::from(byte[0]);
        }
        if self.reader.read(&mut byte)? == 0 {
            return Ok(false);
        }
        self.skip(u64::from(byte[0].leading_zeros().min(7)))?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_lacings_give_the_same_packets() {
        let packets: [&[u8]; 3] = [&[1; 300], &[2; 298], &[3; 5]];
        let with = |flags: u8, sizes: &[u8]| {
            let mut block = vec![0, 0, flags, 2];
            block.extend_from_slice(sizes);
            block.extend(packets.concat());
            block
        };
        let xiph = with(0b010, &[255, 45, 255, 43]);
        // 300 as two bytes; then -2, as a difference in one byte: 63 - 2.
        let ebml = with(0b110, &[0x41, 0x2c, 0x80 | 61]);
        assert_eq!(unlace(&xiph), Some(packets.to_vec()));
        assert_eq!(unlace(&ebml), Some(packets.to_vec()));
        let mut fixed = vec![0, 0, 0b100, 2];
        fixed.extend([[7u8; 4], [8; 4], [9; 4]].concat());
        assert_eq!(unlace(&fixed), Some(vec![&[7u8; 4][..], &[8; 4], &[9; 4]]));
        assert_eq!(unlace(&[0, 0, 0, 5, 6]), Some(vec![&[5u8, 6][..]]));
        assert_eq!(unlace(&[0, 0, 0b010, 2, 255]), None);
    }
}
