//! AVI, OpenDML's continuation included. The index is not looked at: chunks are taken as they come,
//! so recordings without one are read as well. There are no stamps; sound follows on sound.

#[cfg(test)]
mod tests;

use std::io;

use retake_findings::{Code, Finding};
use retake_formats::{Codec, Container};

use super::{
    bytes::{Bytes, PEEK_BYTES_MAX},
    frames::{Frame, Splitter, Syntax},
    wave,
};
use crate::{
    AudioError,
    decode::{
        demux::{CodecParams, Demuxer, End, Next, PACKET_BYTES_MAX, Packet, Stream, Track},
        source::Source,
    },
};

const HEADER_BYTES_MAX: u64 = 4 << 20;
const STREAMS_MAX: usize = 100;
/// In a file with more damage than this, sizes are believed: a hostile one would have them looked
/// into for every few bytes.
const PLACES_JUDGED_MAX: u64 = 1000;
/// The stream is not to be played unless somebody chooses it.
const IS_DISABLED: u32 = 1;

pub(in crate::decode) struct AviReader {
    bytes: Bytes,
    /// Of the file's first header.
    tracks: Vec<Track>,
    /// Of the header that is valid now: each audio track and the number of its stream.
    current: Vec<(usize, Track)>,
    /// How long the headers of the streams that were read say that they are.
    stated_s: f64,
    /// Of the header that is valid now, by the number of the stream.
    lengths_s: Vec<f64>,
    streams: usize,
    has_header: bool,
    selected: Option<usize>,
    is_stream_due: bool,
    /// For codecs whose frames do not keep to chunks.
    splitter: Option<Splitter>,
    frame: Frame,
    riff_end: u64,
    end: Option<End>,
    is_jump: bool,
    places: u64,
    lost: u64,
    /// Chunks whose size takes others in.
    oversized: u64,
}

/// What stands at the reader's place.
struct Chunk {
    id: [u8; 4],
    size: u64,
}

impl AviReader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        let mut reader = Self {
            bytes: Bytes::new(source),
            tracks: Vec::new(),
            current: Vec::new(),
            stated_s: 0.0,
            lengths_s: Vec::new(),
            streams: 0,
            has_header: false,
            selected: None,
            is_stream_due: false,
            splitter: None,
            frame: Frame::default(),
            riff_end: 0,
            end: None,
            is_jump: false,
            places: 0,
            lost: 0,
            oversized: 0,
        };
        let head = reader.bytes.peek(12)?;
        if !head.starts_with(b"RIFF") || head.get(8..) != Some(b"AVI ") {
            return Ok(None);
        }
        while !reader.has_header {
            reader.step(&mut Packet::default())?;
            if reader.end.is_some() {
                return Err(AudioError::Damaged {
                    detail: "the description of its streams (hdrl) is missing".to_owned(),
                });
            }
        }
        reader.tracks = reader
            .current
            .iter()
            .map(|(_, track)| track.clone())
            .collect();
        Ok(Some(reader))
    }

    /// One chunk; true if it filled the packet.
    fn step(&mut self, packet: &mut Packet) -> Result<bool, AudioError> {
        let at = self.bytes.position();
        let Some(chunk) = chunk(self.bytes.peek(12)?) else {
            return self.finish_or_find(at).map(|()| false);
        };
        let end = at + 8 + chunk.size;
        match &chunk.id {
            b"RIFF" => {
                self.riff_end = end;
                self.bytes.skip(12)?;
            }
            b"LIST" => match self.bytes.peek(12)?.get(8..12) {
                Some(b"movi" | b"rec ") => self.bytes.skip(12)?,
                Some(b"hdrl") if chunk.size <= HEADER_BYTES_MAX => {
                    self.bytes.skip(12)?;
                    let mut body = Vec::new();
                    self.bytes
                        .read_onto(&mut body, chunk.size.saturating_sub(4))?;
                    self.describe(&body);
                    self.go_behind(end)?;
                }
                _ => self.go_behind(end)?,
            },
            id if stream_of(id, self.streams).is_some() || is_name(id) => {
                if end > at + self.bytes.left() || !self.leads_on(end)? {
                    self.bytes.seek(at + 1)?;
                    if self.find(end)? {
                        self.count(at);
                        return Ok(false);
                    }
                }
                self.bytes.seek(at + 8)?;
                if !self.is_selected(id) {
                    self.go_behind(end)?;
                    return Ok(false);
                }
                let inner = self.taken_in(chunk.size)?;
                self.oversized += u64::from(inner.is_some());
                let size = inner.unwrap_or(chunk.size);
                let is_filled = self.take(size, packet)?;
                self.go_behind(at + 8 + size)?;
                return Ok(is_filled);
            }
            _ => self.finish_or_find(at)?,
        }
        Ok(false)
    }

    /// Where in the body of a chunk other chunks begin that lead to its end: its size is theirs as well.
    fn taken_in(&mut self, size: u64) -> io::Result<Option<u64>> {
        let body = match usize::try_from(size) {
            // Longer ones are no chunks of sound.
            Ok(size) if size <= PEEK_BYTES_MAX => self.bytes.peek(size)?,
            _ => return Ok(None),
        };
        Ok(first_leading_on(body, self.streams).map(|at| at as u64))
    }

    fn count(&mut self, from: u64) {
        self.places += 1;
        self.lost += self.bytes.position() - from;
        self.is_jump = true;
    }

    /// There is no chunk at this place: the file ends, or is damaged.
    fn finish_or_find(&mut self, at: u64) -> Result<(), AudioError> {
        if self.bytes.left() < 8 {
            let is_cut = self.riff_end > at + self.bytes.left();
            self.end = Some(if is_cut {
                End::Truncated
            } else {
                End::Complete
            });
            return Ok(());
        }
        self.bytes.seek(at + 1)?;
        let is_found = self.find(u64::MAX)?;
        self.count(at);
        if !is_found {
            self.end = Some(if at >= self.riff_end {
                End::Complete
            } else {
                End::Truncated
            });
        }
        Ok(())
    }

    /// Chunks begin at even places, though not every writer knows.
    fn go_behind(&mut self, end: u64) -> io::Result<()> {
        self.bytes.seek(end)?;
        let is_padded = end % 2 == 1 && !begins(self.bytes.peek(8)?, self.streams);
        self.bytes.skip(is_padded.into())
    }

    /// Whether a chunk or the end of the file is at a place.
    fn leads_on(&mut self, end: u64) -> io::Result<bool> {
        if self.places > PLACES_JUDGED_MAX {
            return Ok(true);
        }
        self.go_behind(end)?;
        Ok(self.bytes.left() < 8 || begins(self.bytes.peek(8)?, self.streams))
    }

    /// Goes to the next list, or chunk of a stream that leads on to another one; false and behind the
    /// limit if there is none.
    fn find(&mut self, limit: u64) -> io::Result<bool> {
        loop {
            let at = self.bytes.position();
            if at >= limit {
                return Ok(false);
            }
            let streams = self.streams;
            let window = self.bytes.peek(PEEK_BYTES_MAX)?;
            let is_last = window.len() < PEEK_BYTES_MAX;
            let searched = if is_last {
                window.len()
            } else {
                window.len() / 2
            };
            match (0..searched).find(|&at| leads_on_within(&window[at..], is_last, streams)) {
                Some(found) => {
                    self.bytes.skip(found as u64)?;
                    return Ok(at + (found as u64) < limit);
                }
                None => self.bytes.skip(searched as u64)?,
            }
            if is_last {
                return Ok(false);
            }
        }
    }

    fn is_selected(&self, id: &[u8; 4]) -> bool {
        let stream = stream_of(id, self.streams);
        self.chosen()
            .is_some_and(|(number, _)| Some(*number) == stream)
            && &id[2..] == b"wb"
    }

    fn chosen(&self) -> Option<&(usize, Track)> {
        self.current.get(self.selected?).or(self.current.first())
    }

    /// A chunk of the selected stream; true if it filled the packet.
    fn take(&mut self, size: u64, packet: &mut Packet) -> io::Result<bool> {
        let size = size.min(PACKET_BYTES_MAX as u64);
        self.bytes.read_onto(&mut packet.data, size)?;
        match &mut self.splitter {
            Some(splitter) => {
                splitter.push(&packet.data);
                packet.data.clear();
                Ok(false)
            }
            None => Ok(!packet.data.is_empty()),
        }
    }

    /// What the header says of the streams. A second one is that of another file behind this one.
    fn describe(&mut self, header: &[u8]) {
        let lists = chunks(header).filter(|(id, body)| id == b"LIST" && body.starts_with(b"strl"));
        let (streams, lengths_s): (Vec<_>, _) = lists
            .map(|(_, body)| (track(&body[4..]), length_s(&body[4..])))
            .take(STREAMS_MAX)
            .unzip();
        self.lengths_s = lengths_s;
        self.streams = streams.len();
        let numbered = streams.into_iter().enumerate();
        self.current = numbered
            .filter_map(|(at, track)| Some((at, track?)))
            .collect();
        self.is_stream_due |= self.has_header;
        self.has_header = true;
    }

    /// The next frame of what was pushed, if it is split.
    fn split(&mut self, packet: &mut Packet) -> bool {
        let Some(splitter) = &mut self.splitter else {
            return false;
        };
        let is_there = splitter.next(&mut self.frame);
        if is_there {
            packet.data.extend_from_slice(&self.frame.data);
        }
        is_there
    }
}

/// Whether a list begins, or a chunk of a stream that is followed by another chunk.
fn leads_on_within(window: &[u8], is_last: bool, streams: usize) -> bool {
    let Some(head) = chunk(window) else {
        return false;
    };
    if matches!(&head.id, b"RIFF" | b"LIST") {
        return true;
    }
    if stream_of(&head.id, streams).is_none() {
        return false;
    }
    let end = 8 + head.size as usize;
    let next = |end: usize| window.get(end..).is_some_and(|next| begins(next, streams));
    next(end) || next(end + end % 2) || is_last && (end..=end + 1).contains(&window.len())
}

/// The first place in a body from which chunk after chunk leads to its end.
fn first_leading_on(body: &[u8], streams: usize) -> Option<usize> {
    let ids = |at: &usize| {
        matches!(
            body[at + 2..],
            [b'w' | b'd' | b'p' | b't' | b's', b'b' | b'c' | b'x', ..]
        )
    };
    let last = body.len().checked_sub(8)?;
    // From the back, so that each place is looked at once.
    let mut leading: Vec<usize> = Vec::new();
    for at in (0..=last).rev().filter(ids) {
        let Some(head) = chunk(&body[at..]).filter(|head| stream_of(&head.id, streams).is_some())
        else {
            continue;
        };
        let end = at + 8 + head.size as usize;
        let is_end =
            |end: usize| end == body.len() || leading.binary_search_by(|at| end.cmp(at)).is_ok();
        if is_end(end) || is_end(end + end % 2) {
            leading.push(at);
        }
    }
    leading.last().copied()
}

/// The number of the stream that a chunk's id names: `01wb`.
fn stream_of(id: &[u8; 4], streams: usize) -> Option<usize> {
    let digit = |at: usize| (id[at] as char).to_digit(10);
    let stream = (digit(0)? * 10 + digit(1)?) as usize;
    let is_kind = matches!(&id[2..], b"wb" | b"dc" | b"db" | b"pc" | b"tx" | b"sb");
    (is_kind && stream < streams).then_some(stream)
}

fn begins(bytes: &[u8], streams: usize) -> bool {
    chunk(bytes).is_some_and(|chunk| stream_of(&chunk.id, streams).is_some() || is_name(&chunk.id))
}

fn chunk(bytes: &[u8]) -> Option<Chunk> {
    let (id, rest) = bytes.split_first_chunk()?;
    Some(Chunk {
        id: *id,
        size: u32::from_le_bytes(*rest.first_chunk()?).into(),
    })
}

/// The chunks in a body, as far as they make sense; the last may be cut off.
fn chunks(mut body: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let head = chunk(body)?;
        let rest = &body[8..];
        let size = usize::try_from(head.size).ok()?.min(rest.len());
        let (content, _) = rest.split_at(size);
        body = rest.get(size + size % 2..).unwrap_or_default();
        Some((head.id, content))
    })
}

/// Whether an id is one of those that are stepped over.
fn is_name(id: &[u8; 4]) -> bool {
    let is_index = id.starts_with(b"ix") && id[2..].iter().all(u8::is_ascii_digit);
    is_index
        || matches!(
            id,
            b"RIFF" | b"LIST" | b"JUNK" | b"idx1" | b"PAD " | b"indx" | b"ISFT"
        )
}

/// `None`: this stream is no audio.
fn track(list: &[u8]) -> Option<Track> {
    let find = |wanted: &[u8; 4]| {
        chunks(list)
            .find(|(id, _)| id == wanted)
            .map(|(_, body)| body)
    };
    let header = find(b"strh").filter(|header| header.starts_with(b"auds"))?;
    let flags = header.get(8..).and_then(|rest| rest.first_chunk());
    let params = find(b"strf").and_then(wave::params_of);
    let name = find(b"strn").map(|name| {
        let text = String::from_utf8_lossy(&name[..name.len().min(400)]);
        text.chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect::<String>()
    });
    Some(Track {
        params: params
            .unwrap_or_else(|| CodecParams::new(Codec::Unknown("an undescribed codec".to_owned()))),
        is_default: flags.is_none_or(|flags| u32::from_le_bytes(*flags) & IS_DISABLED == 0),
        name: name.filter(|name| !name.is_empty()),
        language: None,
    })
}

/// By a stream's header; 0 where it was never filled in.
fn length_s(list: &[u8]) -> f64 {
    let field = |at: usize| {
        let (_, header) = chunks(list).find(|(id, _)| id == b"strh")?;
        Some(f64::from(u32::from_le_bytes(
            *header.get(at..)?.first_chunk()?,
        )))
    };
    let fields = [20, 24, 32].map(|at| field(at).unwrap_or(0.0));
    match fields {
        [scale, rate, length] if rate > 0.0 => length * scale / rate,
        _ => 0.0,
    }
}

/// Codecs whose frames are found in the bytes and not by chunks.
fn syntax_of(params: &CodecParams) -> Option<Syntax> {
    match params.codec {
        Codec::Mp1 | Codec::Mp2 | Codec::Mp3 => Some(Syntax::Mpeg),
        Codec::Aac if params.extra.is_empty() => Some(Syntax::Adts),
        Codec::Ac3 | Codec::Eac3 => Some(Syntax::Ac3),
        _ => None,
    }
}

impl Demuxer for AviReader {
    fn container(&self) -> Container {
        Container::Avi
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn select(&mut self, track: usize) {
        self.selected = Some(track);
        self.is_stream_due = true;
    }

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        loop {
            // Of the stream before, what is left comes first.
            if (self.is_stream_due || self.end.is_some())
                && let Some(splitter) = &mut self.splitter
            {
                splitter.finish();
            }
            if self.split(packet) {
                packet.is_jump = std::mem::take(&mut self.is_jump);
                return Ok(Next::Packet);
            }
            if let Some(end) = &self.end {
                return Ok(Next::End(end.clone()));
            }
            if std::mem::take(&mut self.is_stream_due)
                && let Some((number, track)) = self.chosen()
            {
                let (params, number) = (track.params.clone(), *number);
                self.stated_s += self.lengths_s.get(number).unwrap_or(&0.0);
                self.splitter = syntax_of(&params).map(|syntax| Splitter::new(syntax, 0, None));
                return Ok(Next::Stream(Box::new(Stream::new(params))));
            }
            if self.step(packet)? {
                packet.is_jump = std::mem::take(&mut self.is_jump);
                return Ok(Next::Packet);
            }
        }
    }

    fn stated_s(&self) -> Option<f64> {
        (self.places + self.oversized == 0).then_some(self.stated_s)
    }

    fn findings(&mut self) -> Vec<Finding> {
        let detail = match (self.lost, self.oversized) {
            (0, _) => "sizes are wrong".to_owned(),
            (lost, 0) => format!("{lost} bytes make no sense"),
            (lost, _) => format!("sizes are wrong; {lost} bytes make no sense"),
        };
        let places = self.places + self.oversized;
        let params = [("places", places.into()), ("detail", detail.into())];
        let damaged = (places > 0).then(|| Finding::new(Code::ContainerDamaged, params));
        damaged.into_iter().collect()
    }
}
