//! Native FLAC (RFC 9639): frames found by their own checksums, one file or several in one.
//!
//! A frame says neither how long it is nor where its stream ends. It ends where its checksum is right
//! and something begins: the next frame, a tag, another file, the end. A damaged one ends where a frame
//! begins that can come after it; its number tells how much is missing in between. Totals and seek
//! tables are not looked at.

use std::{
    io::{self, Seek, SeekFrom},
    ops::Range,
};

use retake_findings::{Code, Finding};
use retake_formats::Container;

use super::{
    super::{
        demux::{CodecParams, Demuxer, End, Next, Packet, Stream, Time, Track},
        source::Source,
    },
    ahead::{self, Ahead},
    flac_frame::{self, FlacHeader, HEADER_BYTES_MAX},
    frames::tags,
};
use crate::{AudioError, encode::flac_crc16_on};

/// Header, a byte, checksum.
const FRAME_BYTES_MIN: usize = 9;
/// So much is searched in vain for ends of frames that are none; after that whole stretches are
/// stepped over.
const SEARCH_BYTES_MAX: usize = 64 << 20;
/// A number that jumps by more than this, in seconds, is damaged itself.
const JUMP_S_MAX: u64 = 600;

pub(in crate::decode) struct FlacReader {
    bytes: Ahead,
    tracks: Vec<Track>,
    params: CodecParams,
    /// The stream is not said yet.
    begins: bool,
    /// Frames of a block where all have the same size.
    block_frames: u32,
    /// Where the next frame belongs if none is missing, and what is added to what frames say.
    expected: Option<u64>,
    shift: i64,
    /// Bytes before the next frame are no frames.
    is_after_damage: bool,
    is_truncated: bool,
    skipped: u64,
    places: u64,
    searched: usize,
    /// What the files say of their lengths.
    stated_s: f64,
}

/// Where a frame ends.
enum Found {
    /// Its checksum is right, or it is damaged: the decoder sees for itself.
    Frame(usize),
    /// The file ends in it.
    CutOff,
    /// It was none: go on behind so many bytes.
    Nothing(usize),
}

impl FlacReader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        let params = CodecParams::new(retake_formats::Codec::Flac);
        let mut reader = Self::of(Ahead::new(source), params);
        while let Some(tag) = tags::tag(reader.bytes.peek(tags::TAG_HEAD_BYTES)?, false) {
            reader.bytes.skip(tag)?;
        }
        if !reader.bytes.peek(4)?.starts_with(b"fLaC") {
            return Ok(None);
        }
        reader.describe()?;
        if !reader.begins {
            return Ok(None);
        }
        reader.tracks.push(Track::only(&reader.params));
        Ok(Some(reader))
    }

    /// Frames without a file around them, as another container has them.
    pub(super) fn frames(
        mut source: Source,
        within: Range<u64>,
        params: CodecParams,
    ) -> io::Result<Self> {
        source.seek(SeekFrom::Start(within.start))?;
        let bytes = Ahead::within(source, within.end.saturating_sub(within.start));
        let mut reader = Self::of(bytes, params);
        reader.begins = true;
        Ok(reader)
    }

    fn of(bytes: Ahead, params: CodecParams) -> Self {
        Self {
            bytes,
            tracks: Vec::new(),
            params,
            begins: false,
            block_frames: 0,
            expected: None,
            shift: 0,
            is_after_damage: false,
            is_truncated: false,
            skipped: 0,
            places: 0,
            searched: 0,
            stated_s: 0.0,
        }
    }

    /// Steps over the metadata of a file; a new stream begins if it has a STREAMINFO that makes sense.
    fn describe(&mut self) -> io::Result<()> {
        self.bytes.take(4);
        loop {
            let head = self.bytes.peek(4 + 34)?;
            let Some(&[kind, high, mid, low]) = head.first_chunk() else {
                return Ok(());
            };
            if kind == 0xff {
                // A frame already: the last block did not say that it is the last.
                return Ok(());
            }
            if kind & 0x7f == 0
                && let Some(params) = head.get(4..).and_then(flac_frame::params)
            {
                self.stated_s += flac_frame::length_s(&params);
                self.params = params;
                self.begins = true;
                (self.expected, self.shift) = (None, 0);
                self.is_after_damage = false;
            }
            self.bytes
                .skip(4 + u64::from(u32::from_be_bytes([0, high, mid, low])))?;
            if kind & 0x80 != 0 {
                return Ok(());
            }
        }
    }

    /// The frame whose header is next.
    fn frame_end(&mut self, header: &FlacHeader) -> io::Result<Found> {
        let channels = header.channels as usize;
        // Plain samples, one bit more in a difference, and what stands around them.
        let len_max = header.frames as usize * channels * 5 + 1024;
        let mut crc = 0;
        let mut summed = 0;
        let mut first = None;
        let mut at = FRAME_BYTES_MIN;
        loop {
            let ahead = self.bytes.peek_from(at + tags::TAG_HEAD_BYTES)?;
            let is_end = ahead.len() < at + tags::TAG_HEAD_BYTES;
            let last = if is_end {
                ahead.len()
            } else {
                ahead.len() - tags::TAG_HEAD_BYTES + 1
            };
            while at < last.min(len_max) {
                let Some(next) = next_start(&ahead[at..last]) else {
                    at = last;
                    break;
                };
                at += next;
                let what = start(&ahead[at..]);
                if let Some(what) = what {
                    crc = flac_crc16_on(crc, &ahead[summed..at]);
                    summed = at;
                    let follows = match what {
                        Start::Frame(next) => is_successor(header, &next),
                        Start::Other => false,
                    };
                    if crc == 0 || follows {
                        return Ok(Found::Frame(at));
                    }
                    first.get_or_insert(at);
                }
                at += 1;
            }
            if at >= len_max || is_end {
                let end = ahead.len();
                if is_end && end <= len_max.saturating_add(ahead::CHUNK) {
                    // Whatever stands behind the last frame as zeros leaves its checksum right.
                    let is_whole = flac_crc16_on(crc, &ahead[summed..]) == 0;
                    if is_whole && end >= FRAME_BYTES_MIN {
                        return Ok(Found::Frame(end));
                    }
                    if first.is_none() {
                        return Ok(Found::CutOff);
                    }
                }
                self.searched += at;
                let is_patient = self.searched <= SEARCH_BYTES_MAX;
                return Ok(Found::Nothing(first.filter(|_| is_patient).unwrap_or(at)));
            }
        }
    }

    /// The stamp of a frame: where its number says, as far as that can be true.
    fn place(&mut self, header: &FlacHeader) -> u64 {
        if self.expected.is_none() {
            self.block_frames = header.frames;
        }
        let stated = if header.counts_samples {
            header.number
        } else {
            header.number.saturating_mul(u64::from(self.block_frames))
        };
        let Some(expected) = self.expected else {
            self.expected = Some(stated);
            return stated;
        };
        let shifted = stated.saturating_add_signed(self.shift);
        let rate = u64::from(self.params.sample_rate.unwrap_or(0).max(1));
        let is_hole =
            self.is_after_damage && shifted >= expected && shifted - expected <= rate * JUMP_S_MAX;
        if is_hole || shifted == expected {
            return shifted;
        }
        // Right behind a sound frame there is nothing missing, whatever the number.
        self.shift = i64::try_from(i128::from(expected) - i128::from(stated)).unwrap_or(0);
        expected
    }

    fn skip_damage(&mut self, bytes: usize) {
        self.bytes.take(bytes);
        self.skipped += bytes as u64;
        self.places += u64::from(!self.is_after_damage);
        self.is_after_damage = true;
    }
}

enum Start {
    Frame(FlacHeader),
    /// A tag or a file.
    Other,
}

/// What begins here, if something does.
fn start(ahead: &[u8]) -> Option<Start> {
    if ahead.first() == Some(&0xff) {
        return flac_frame::header(ahead).map(Start::Frame);
    }
    let is_other = ahead.starts_with(b"fLaC") || tags::tag(ahead, true).is_some();
    is_other.then_some(Start::Other)
}

/// How far the next byte is that something may begin with.
fn next_start(bytes: &[u8]) -> Option<usize> {
    bytes
        .iter()
        .position(|byte| matches!(byte, 0xff | b'f' | b'I' | b'T' | b'A'))
}

/// Whether a frame can come some frames after another one of the same stream.
fn is_successor(frame: &FlacHeader, next: &FlacHeader) -> bool {
    let step = if frame.counts_samples {
        1 << 20
    } else {
        1 << 8
    };
    (
        frame.channels,
        frame.sample_rate,
        frame.bits,
        frame.counts_samples,
    ) == (
        next.channels,
        next.sample_rate,
        next.bits,
        next.counts_samples,
    ) && next.number > frame.number
        && next.number - frame.number <= step
}

impl Demuxer for FlacReader {
    fn container(&self) -> Container {
        Container::Flac
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn select(&mut self, _track: usize) {}

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        loop {
            if std::mem::take(&mut self.begins) {
                return Ok(Next::Stream(Box::new(Stream::new(self.params.clone()))));
            }
            let ahead = self
                .bytes
                .peek(tags::TAG_HEAD_BYTES.max(HEADER_BYTES_MAX))?;
            if ahead.is_empty() {
                return Ok(Next::End(if self.is_truncated {
                    End::Truncated
                } else {
                    End::Complete
                }));
            }
            if ahead.starts_with(b"fLaC") {
                self.describe()?;
                continue;
            }
            if let Some(tag) = tags::tag(ahead, true) {
                self.bytes.skip(tag)?;
                continue;
            }
            let Some(header) = flac_frame::header(ahead) else {
                let next = next_start(&ahead[1..]).map_or(ahead.len(), |next| next + 1);
                self.skip_damage(next);
                continue;
            };
            match self.frame_end(&header)? {
                Found::Frame(end) => {
                    let at = self.place(&header);
                    let rate = u64::from(
                        header
                            .sample_rate
                            .or(self.params.sample_rate)
                            .unwrap_or(0)
                            .max(1),
                    );
                    packet.at = Some(Time::new(i64::try_from(at).unwrap_or(i64::MAX), rate));
                    packet.duration = Some(Time::new(i64::from(header.frames), rate));
                    packet
                        .data
                        .extend_from_slice(&self.bytes.peek_from(end)?[..end]);
                    self.expected = Some(at.saturating_add(u64::from(header.frames)));
                    // What ends without its checksum may have had more frames behind it.
                    self.is_after_damage = flac_crc16_on(0, &packet.data) != 0;
                    self.bytes.take(end);
                    return Ok(Next::Packet);
                }
                Found::CutOff => {
                    self.is_truncated = true;
                    let rest = self.bytes.buffered();
                    self.bytes.take(rest);
                }
                Found::Nothing(bytes) => self.skip_damage(bytes),
            }
        }
    }

    fn stated_s(&self) -> Option<f64> {
        (self.places == 0).then_some(self.stated_s)
    }

    fn findings(&mut self) -> Vec<Finding> {
        if self.places == 0 {
            return Vec::new();
        }
        let detail = format!("{} bytes are no sound frames", self.skipped);
        vec![Finding::new(
            Code::ContainerDamaged,
            [("places", self.places.into()), ("detail", detail.into())],
        )]
    }
}
