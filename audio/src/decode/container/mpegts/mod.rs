//! MPEG transport streams, of 188 bytes a packet and of 192 as cameras write them.
//!
//! Frames are found in the bytes of their stream, whatever packets they were cut into. Where packets
//! are missing, reading goes on with the next stamp, and what is missing is a gap in the clock.

mod psi;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, io};

use retake_findings::{Code, Finding};
use retake_formats::{Codec, Container};

use super::{
    bytes::{Bytes, PEEK_BYTES_MAX},
    frames::{Frame, Header, Splitter, Syntax, opus::Control},
};
use crate::{
    AudioError,
    decode::{
        demux::{CodecParams, Demuxer, End, Next, Packet, Stream, Time, Track},
        source::Source,
    },
};
use psi::{Audio, Tables};

const SYNC: u8 = 0x47;
/// Packets in a row that are no accident.
const PACKETS_IN_ROW: usize = 3;
/// So much is looked through for tables and the first frames.
const BEGIN_BYTES_MAX: u64 = 8 << 20;
/// More stamps than frames can wait for is what a stream without frames has.
const STAMPS_MAX: usize = 1000;
const PTS_PER_S: u64 = 90_000;
const PTS_BITS: u32 = 33;
const OPUS_RATE: u64 = 48_000;

pub(in crate::decode) struct TsReader {
    bytes: Bytes,
    layout: Layout,
    tables: Tables,
    /// As the file began.
    tracks: Vec<Track>,
    selected: usize,
    /// What is being read.
    pid: Option<u16>,
    syntax: Syntax,
    /// What the tables say of it, where its frames do not.
    stated: Option<CodecParams>,
    splitter: Splitter,
    frame: Frame,
    /// Found, and its stream's description comes first.
    has_frame: bool,
    told: Option<CodecParams>,
    /// Bytes of the stream so far, since the splitter was made.
    pushed: u64,
    /// Where stamps apply: to the first frame that begins from there on.
    stamps: VecDeque<(u64, i64)>,
    last_stamp: Option<i64>,
    /// Of the current packet of the stream, where it states its length.
    left: Option<usize>,
    /// After a loss: until the next packet of the stream begins.
    is_waiting: bool,
    counter: Option<u8>,
    /// The splitter is to be emptied and made anew; then this comes.
    held: Option<Held>,
    end: Option<End>,
    is_jump: bool,
    places: u64,
    lost: u64,
}

#[derive(Clone, Copy)]
struct Layout {
    /// Of a packet with what stands before it.
    bytes: usize,
    before: usize,
}

struct Held {
    is_start: bool,
    payload: Vec<u8>,
}

/// One packet of the transport stream.
struct Transport<'a> {
    pid: u16,
    is_start: bool,
    counter: u8,
    is_discontinuous: bool,
    is_readable: bool,
    payload: &'a [u8],
}

impl TsReader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        let mut bytes = Bytes::new(source);
        let window = bytes.peek(PEEK_BYTES_MAX)?;
        let Some((start, layout)) = layout_of(window) else {
            return Ok(None);
        };
        let syntax = Syntax::Mpeg;
        let mut reader = Self {
            bytes,
            layout,
            tables: Tables::default(),
            tracks: Vec::new(),
            selected: 0,
            pid: None,
            syntax,
            stated: None,
            splitter: Splitter::new(syntax, 0, None),
            frame: Frame::default(),
            has_frame: false,
            told: None,
            pushed: 0,
            stamps: VecDeque::new(),
            last_stamp: None,
            left: None,
            is_waiting: true,
            counter: None,
            held: None,
            end: None,
            is_jump: false,
            places: 0,
            lost: 0,
        };
        reader.bytes.seek(start)?;
        reader.look_ahead()?;
        reader.bytes.seek(start)?;
        (reader.end, reader.places, reader.lost) = (None, 0, 0);
        reader.tracks = reader
            .tables
            .audio()
            .map(|audio| audio.track.clone())
            .collect();
        Ok(Some(reader))
    }

    /// Reads tables, and of each stream what its first frame says.
    fn look_ahead(&mut self) -> Result<(), AudioError> {
        let limit = self.bytes.position() + BEGIN_BYTES_MAX;
        let mut unseen = usize::MAX;
        while self.end.is_none() && unseen > 0 && self.bytes.position() < limit {
            let Some(packet) = self.packet()? else {
                continue;
            };
            let Some(transport) = transport(&packet) else {
                continue;
            };
            if self.tables.has(transport.pid) {
                self.tables
                    .take(transport.pid, transport.is_start, transport.payload);
            } else if transport.is_start {
                let body = pes(transport.payload).map(|pes| &transport.payload[pes.header..]);
                let audio = self
                    .tables
                    .audio_mut()
                    .find(|audio| audio.pid == transport.pid);
                if let (Some(audio), Some(body)) = (audio, body)
                    && let Some(header) = audio.syntax.and_then(|syntax| syntax.header(body))
                    && header.codec != Codec::Opus
                {
                    audio.track.params = params_of(&header);
                }
            }
            if self.tables.is_complete() {
                let is_unseen = |audio: &&Audio| {
                    audio.syntax.is_some() && audio.track.params.sample_rate.is_none()
                };
                unseen = self.tables.audio().filter(is_unseen).count();
            }
        }
        Ok(())
    }

    /// The next packet, if one is at this place; past damage if not.
    fn packet(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Layout { bytes, before } = self.layout;
        let at = self.bytes.position();
        let packet = self.bytes.peek(bytes)?;
        if packet.len() < before + 188 {
            self.end = Some(if packet.is_empty() {
                End::Complete
            } else {
                End::Truncated
            });
            return Ok(None);
        }
        if packet[before] == SYNC {
            let packet = packet[before..before + 188].to_vec();
            self.bytes.skip(bytes as u64)?;
            return Ok(Some(packet));
        }
        self.places += 1;
        loop {
            let window = self.bytes.peek(PEEK_BYTES_MAX)?;
            let is_last = window.len() < PEEK_BYTES_MAX;
            let searched = if is_last {
                window.len()
            } else {
                window.len() / 2
            };
            match (0..searched).find(|&at| is_row(&window[at..], self.layout)) {
                Some(found) => self.bytes.skip(found as u64)?,
                None => {
                    self.bytes.skip(searched as u64)?;
                    if !is_last {
                        continue;
                    }
                    self.end = Some(End::Truncated);
                }
            }
            self.lost += self.bytes.position() - at;
            return Ok(None);
        }
    }

    /// One packet: taken if it is of a table or of the stream that is read.
    fn step(&mut self) -> Result<(), AudioError> {
        let Some(packet) = self.packet()? else {
            return Ok(());
        };
        let Some(transport) = transport(&packet) else {
            return Ok(());
        };
        if self.tables.has(transport.pid) {
            self.tables
                .take(transport.pid, transport.is_start, transport.payload);
            self.follow();
            return Ok(());
        }
        if Some(transport.pid) != self.pid || transport.payload.is_empty() {
            return Ok(());
        }
        if !transport.is_readable {
            // Encrypted, or known to be damaged: as good as missing.
            self.places += 1;
            self.counter = None;
            self.is_waiting = true;
            return Ok(());
        }
        let last = self.counter.replace(transport.counter);
        if last == Some(transport.counter) && !transport.is_discontinuous {
            // Sent twice.
            return Ok(());
        }
        let is_next = last.is_none_or(|last| transport.counter == (last + 1) & 0xf);
        let held = Held {
            is_start: transport.is_start,
            payload: transport.payload.to_vec(),
        };
        if is_next && !transport.is_discontinuous {
            self.take(&held);
        } else {
            self.places += u64::from(!transport.is_discontinuous);
            self.held = Some(held);
        }
        Ok(())
    }

    /// After the tables have changed, the selected track may be another stream.
    fn follow(&mut self) {
        let audio = self
            .tables
            .audio()
            .nth(self.selected)
            .or(self.tables.audio().next());
        let Some(audio) = audio else {
            return;
        };
        let (pid, syntax) = (audio.pid, audio.syntax);
        if self.pid == Some(pid) {
            return;
        }
        let is_stated = syntax == Some(Syntax::Opus);
        self.stated = is_stated.then(|| audio.track.params.clone());
        let is_first = self.pid.is_none();
        self.pid = Some(pid);
        self.counter = None;
        self.is_waiting = true;
        self.syntax = syntax.unwrap_or(self.syntax);
        if is_first {
            self.restart();
        } else {
            self.held = Some(Held {
                is_start: false,
                payload: Vec::new(),
            });
        }
    }

    fn restart(&mut self) {
        self.splitter = Splitter::new(self.syntax, 0, None);
        self.pushed = 0;
        self.stamps.clear();
        self.left = None;
        self.is_waiting = true;
    }

    fn take(&mut self, held: &Held) {
        let mut payload = held.payload.as_slice();
        if held.is_start {
            let Some(pes) = pes(payload) else {
                self.is_waiting = true;
                return;
            };
            if let Some(stamp) = pes.stamp {
                let stamp = unwrapped(stamp, self.last_stamp);
                self.last_stamp = Some(stamp);
                if self.stamps.len() == STAMPS_MAX {
                    self.stamps.pop_front();
                }
                self.stamps.push_back((self.pushed, stamp));
            }
            payload = &payload[pes.header..];
            self.left = pes.body;
            self.is_waiting = false;
        }
        if self.is_waiting {
            return;
        }
        if let Some(left) = &mut self.left {
            payload = &payload[..payload.len().min(*left)];
            *left -= payload.len();
        }
        self.pushed += payload.len() as u64;
        self.splitter.push(payload);
    }

    /// The frame that was found, with its stamp if it is the first one that begins behind it.
    fn give(&mut self, packet: &mut Packet) {
        while let Some((from, stamp)) = self.stamps.front().copied() {
            if from > self.frame.offset {
                break;
            }
            packet.at = Some(Time::new(stamp, PTS_PER_S));
            self.stamps.pop_front();
        }
        let control = match self.syntax {
            Syntax::Opus => Control::parse(&self.frame.data),
            _ => None,
        };
        let from = control.map_or(0, |control| control.bytes);
        packet
            .data
            .extend_from_slice(self.frame.data.get(from..).unwrap_or_default());
        if let Some(control) = control {
            let trim = |frames: u32| (frames > 0).then(|| Time::new(frames.into(), OPUS_RATE));
            packet.trim_start = trim(control.trim_start);
            packet.trim_end = trim(control.trim_end);
        }
        packet.is_jump = std::mem::take(&mut self.is_jump);
        self.has_frame = false;
    }
}

/// 33 bits are a little more than a day: the nearest to the one before.
fn unwrapped(stamp: i64, last: Option<i64>) -> i64 {
    let Some(last) = last else {
        return stamp;
    };
    let range = 1i64 << PTS_BITS;
    let ahead = (stamp - last).rem_euclid(range);
    last.saturating_add(if ahead < range / 2 {
        ahead
    } else {
        ahead - range
    })
}

fn params_of(header: &Header) -> CodecParams {
    CodecParams {
        sample_rate: Some(header.sample_rate).filter(|rate| *rate > 0),
        channels: header.channels,
        ..CodecParams::new(header.codec.clone())
    }
}

/// Where packets begin and how long they are.
fn layout_of(window: &[u8]) -> Option<(u64, Layout)> {
    const LAYOUTS: [Layout; 3] = [
        Layout {
            bytes: 188,
            before: 0,
        },
        Layout {
            bytes: 192,
            before: 4,
        },
        Layout {
            bytes: 204,
            before: 0,
        },
    ];
    (0..window.len().min(1024)).find_map(|at| {
        let layout = LAYOUTS
            .into_iter()
            .find(|&layout| is_row(&window[at..], layout))?;
        Some((at as u64, layout))
    })
}

/// Whether packets stand here in a row; fewer where the file ends.
fn is_row(window: &[u8], layout: Layout) -> bool {
    let starts = (0..PACKETS_IN_ROW).map(|n| window.get(layout.before + n * layout.bytes));
    window.len() >= layout.before + 188 && starts.flatten().all(|&byte| byte == SYNC)
}

/// `None`: it has nothing to read.
fn transport(packet: &[u8]) -> Option<Transport<'_>> {
    let &[_, flags, low, control] = packet.first_chunk()?;
    let mut payload = packet.get(4..)?;
    let mut is_discontinuous = false;
    if control & 0x20 != 0 {
        let (&len, rest) = payload.split_first()?;
        is_discontinuous = len > 0 && rest.first()? & 0x80 != 0;
        payload = rest.get(len.into()..)?;
    }
    (control & 0x10 != 0).then_some(Transport {
        pid: u16::from_be_bytes([flags & 0x1f, low]),
        is_start: flags & 0x40 != 0,
        counter: control & 0xf,
        is_discontinuous,
        is_readable: flags & 0x80 == 0 && control & 0xc0 == 0,
        payload,
    })
}

/// What stands at the beginning of a packet of a stream.
struct Pes {
    stamp: Option<i64>,
    header: usize,
    /// Bytes behind the header; `None`: not stated.
    body: Option<usize>,
}

fn pes(payload: &[u8]) -> Option<Pes> {
    let &[0, 0, 1, _, high, low, marker, flags, more] = payload.first_chunk()? else {
        return None;
    };
    let header = 9 + usize::from(more);
    if marker & 0xc0 != 0x80 || header > payload.len() {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    let stamp = payload
        .get(9..14)
        .filter(|_| flags & 0x80 != 0)
        .map(|bytes| {
            let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|at| i64::from(bytes[at]));
            (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
        });
    Some(Pes {
        stamp,
        header,
        body: (length > 0).then(|| (length + 6).saturating_sub(header)),
    })
}

impl Demuxer for TsReader {
    fn container(&self) -> Container {
        Container::MpegTs
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn select(&mut self, track: usize) {
        self.selected = track;
        self.follow();
    }

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        let chosen = self.tables.audio().nth(self.selected);
        if self.told.is_none()
            && let Some(audio) = chosen.filter(|audio| audio.syntax.is_none())
        {
            let params = audio.track.params.clone();
            self.told = Some(params.clone());
            self.end = Some(End::Complete);
            return Ok(Next::Stream(Box::new(Stream::new(params))));
        }
        loop {
            if !self.has_frame {
                self.has_frame = self.splitter.next(&mut self.frame);
            }
            if self.has_frame {
                let of_frame = || self.frame.header.as_ref().map(params_of);
                let params = self.stated.clone().or_else(of_frame);
                if let Some(params) = params.filter(|params| self.told.as_ref() != Some(params)) {
                    // The decoder makes up for changes of rate and channels.
                    let is_other = self
                        .told
                        .as_ref()
                        .is_none_or(|told| told.codec != params.codec);
                    self.told = Some(params.clone());
                    if is_other {
                        return Ok(Next::Stream(Box::new(Stream::new(params))));
                    }
                }
                self.give(packet);
                return Ok(Next::Packet);
            }
            if self.end.is_some() || self.held.is_some() {
                // What it has kept to look ahead comes first.
                self.splitter.finish();
                self.has_frame = self.splitter.next(&mut self.frame);
                if self.has_frame {
                    continue;
                }
            }
            if let Some(held) = self.held.take() {
                self.restart();
                self.is_jump = true;
                self.take(&held);
            } else if let Some(end) = &self.end {
                return Ok(Next::End(end.clone()));
            } else {
                self.step()?;
            }
        }
    }

    fn findings(&mut self) -> Vec<Finding> {
        let detail = format!("packets are missing; {} bytes make no sense", self.lost);
        let params = [("places", self.places.into()), ("detail", detail.into())];
        let damaged = (self.places > 0).then(|| Finding::new(Code::ContainerDamaged, params));
        damaged.into_iter().collect()
    }
}
