//! Matroska and WebM: RFC 9559, what browsers record and OBS writes.
//!
//! Recordings come in pieces: without sizes, without an index, cut in the middle of a cluster, with
//! pieces missing, with another recording behind. Elements are taken as they come, whatever their
//! parents' sizes say; where they stop making sense, reading goes on at the next cluster or block that
//! does. The index, declared durations and edits (ordered chapters) are not looked at.
//!
//! A block's stamp counts the codec's delay: what is heard of the first packet begins the delay after
//! its stamp, which is how the stamps are handed on.

mod block;
mod codecs;
mod ebml;
mod encoding;
mod resync;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tracks;
mod wavpack;

use std::{collections::VecDeque, io, ops::Range};

use retake_findings::{Code, Finding};
use retake_formats::{Codec, Container};

use super::bytes::{Bytes, PEEK_BYTES_MAX};
use crate::{
    AudioError,
    decode::{
        demux::{Demuxer, End, Next, PACKET_BYTES_MAX, Packet, Time, Track},
        source::Source,
    },
};
use block::{BLOCK_HEADER_BYTES_MAX, block_header, unlace};
use ebml::Header;
use resync::Landmarks;
use tracks::Entry;

const NS_PER_S: u64 = 1_000_000_000;
const SCALE_USUAL: u64 = 1_000_000;
/// Descriptions that are read whole.
const DESCRIPTION_BYTES_MAX: u64 = 4 << 20;
/// In a file with more damage than this, nothing is looked up ahead any more: a hostile one would
/// have it done for every few bytes.
const PLACES_JUDGED_MAX: u64 = 1000;

pub(in crate::decode) struct MatroskaReader {
    bytes: Bytes,
    is_webm: bool,
    id_len_max: usize,
    /// As the file began.
    tracks: Vec<Track>,
    /// Of the segment that is being read.
    entries: Vec<Entry>,
    /// Of all its tracks; `None`: not read yet.
    numbers: Option<Vec<u64>>,
    /// The description that they are from.
    description: Vec<u8>,
    selected: Option<usize>,
    /// Where the first cluster stands, if the description comes behind it.
    unread: Option<u64>,
    /// A segment has begun whose description has not come yet.
    is_fresh: bool,
    /// The stream's beginning is to be told.
    is_stream_due: bool,
    segment_end: Option<u64>,
    /// Nanoseconds of a tick.
    scale: u64,
    cluster: Option<Cluster>,
    /// The block that is being handed out, and what is left of it.
    block: Vec<u8>,
    laces: VecDeque<Lace>,
    is_jump: bool,
    damage: Damage,
}

struct Cluster {
    stamp: u64,
    end: Option<u64>,
    /// The last block's, in ticks.
    block_stamp: i16,
}

/// A packet of `block`.
struct Lace {
    range: Range<usize>,
    at: Option<Time>,
    duration: Option<Time>,
    trim_start: Option<Time>,
    trim_end: Option<Time>,
}

#[derive(Default)]
struct Damage {
    places: u64,
    bytes: u64,
    /// Behind the segment's end.
    bytes_behind: u64,
}

/// What stands beside a block in its group.
#[derive(Default)]
struct Beside {
    duration: Option<u64>,
    discarded_ns: i64,
}

enum Step {
    Next,
    End(End),
    /// From this place on it makes no sense.
    Damaged(u64),
    /// It makes sense, and the file is too short for it.
    Short(u64),
}

impl MatroskaReader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        let mut reader = Self {
            bytes: Bytes::new(source),
            is_webm: true,
            id_len_max: 4,
            tracks: Vec::new(),
            entries: Vec::new(),
            numbers: None,
            description: Vec::new(),
            selected: None,
            unread: None,
            is_fresh: true,
            is_stream_due: false,
            segment_end: None,
            scale: SCALE_USUAL,
            cluster: None,
            block: Vec::new(),
            laces: VecDeque::new(),
            is_jump: false,
            damage: Damage::default(),
        };
        if reader.bytes.peek(4)? != ebml::EBML.to_be_bytes() {
            return Ok(None);
        }
        while reader.numbers.is_none() {
            if reader.go_on()?.is_some() {
                return Err(match reader.unread {
                    Some(_) => AudioError::Damaged {
                        detail: "the description of its tracks is missing".to_owned(),
                    },
                    None => AudioError::NotAudio {
                        detail: "a Matroska file without a description of its tracks".to_owned(),
                    },
                });
            }
        }
        reader.tracks = reader
            .entries
            .iter()
            .map(|entry| entry.track.clone())
            .collect();
        Ok(Some(reader))
    }

    /// One element, and past damage if there is some.
    fn go_on(&mut self) -> Result<Option<End>, AudioError> {
        let (from, is_short) = match self.step()? {
            Step::Next => return Ok(None),
            Step::End(end) => return Ok(Some(end)),
            Step::Damaged(from) => (from, false),
            Step::Short(from) => (from, true),
        };
        let is_behind = self.segment_end.is_some_and(|end| from >= end);
        let is_found = self.find_behind(from, None)?;
        let lost = self.bytes.position() - from;
        if is_behind {
            self.damage.bytes_behind += lost;
        } else if is_found || !is_short {
            self.damage.places += 1;
            self.damage.bytes += lost;
        }
        self.is_jump = true;
        Ok(match (is_found, is_behind) {
            (true, _) => None,
            (false, true) => Some(End::Complete),
            (false, false) => Some(End::Truncated),
        })
    }

    /// Goes to the next place behind this one, and before the limit, where something begins.
    fn find_behind(&mut self, from: u64, limit: Option<u64>) -> io::Result<bool> {
        let cluster = self.cluster.as_ref();
        let landmarks = Landmarks {
            numbers: self.numbers.as_deref().unwrap_or_default(),
            stamp: cluster
                .filter(|cluster| cluster.end.is_none_or(|end| from < end))
                .map(|cluster| cluster.block_stamp),
        };
        self.bytes.seek(from + 1)?;
        landmarks.find(&mut self.bytes, limit)
    }

    /// A block whose size is damaged swallows others: what follows it is nothing, and within it there
    /// are more of them.
    fn is_too_long(&mut self, at: u64, end: u64) -> io::Result<bool> {
        if self.damage.places > PLACES_JUDGED_MAX {
            return Ok(false);
        }
        self.bytes.seek(end)?;
        let next = ebml::peek_header(&mut self.bytes, self.id_len_max)?;
        if self.bytes.left() == 0 || next.is_some_and(|next| ebml::is_known(next.id)) {
            return Ok(false);
        }
        self.find_behind(at, Some(end))
    }

    /// One element: entered, read or stepped over.
    fn step(&mut self) -> Result<Step, AudioError> {
        let at = self.bytes.position();
        let left = self.bytes.left();
        if left == 0 {
            let ends = [
                self.segment_end,
                self.cluster.as_ref().and_then(|cluster| cluster.end),
            ];
            let is_cut = ends.into_iter().flatten().any(|end| end > at);
            return Ok(Step::End(if is_cut {
                End::Truncated
            } else {
                End::Complete
            }));
        }
        let Some(header) = ebml::peek_header(&mut self.bytes, self.id_len_max)? else {
            let is_cut = left < ebml::HEADER_BYTES_MAX as u64;
            return Ok(if is_cut {
                Step::Short(at)
            } else {
                Step::Damaged(at)
            });
        };
        let body = at + header.len as u64;
        let end = header.size.and_then(|size| body.checked_add(size));
        match (header.id, end) {
            (ebml::SEGMENT, end) => {
                self.begin_segment(end.filter(|end| *end > body));
                self.bytes.seek(body)?;
                return Ok(Step::Next);
            }
            (ebml::CLUSTER, end) => {
                self.begin_cluster(at, body, end.filter(|end| *end > body))?;
                return Ok(Step::Next);
            }
            // Its children are stepped over one by one.
            (ebml::EBML, None) => {
                self.bytes.seek(body)?;
                return Ok(Step::Next);
            }
            (_, None) => return Ok(Step::Damaged(at)),
            (_, Some(end)) if end - at > left => {
                let is_sound = ebml::is_known(header.id);
                return Ok(if is_sound {
                    Step::Short(at)
                } else {
                    Step::Damaged(at)
                });
            }
            (_, Some(end)) => {
                let cluster_end = self.cluster.as_ref().and_then(|cluster| cluster.end);
                if cluster_end.is_some_and(|cluster_end| at < cluster_end && cluster_end < end) {
                    return Ok(Step::Damaged(at));
                }
                let size = end - body;
                let is_block = matches!(header.id, ebml::SIMPLE_BLOCK | ebml::BLOCK_GROUP);
                // Small ones are read first, so that the file is read in one direction.
                let is_large = size > PEEK_BYTES_MAX as u64;
                if is_block && is_large && self.is_too_long(at, end)? {
                    return Ok(Step::Damaged(at));
                }
                self.bytes.seek(body)?;
                if !self.element(header, size)? {
                    return Ok(Step::Damaged(at));
                }
                if is_block && !is_large && self.is_too_long(at, end)? {
                    self.laces.clear();
                    return Ok(Step::Damaged(at));
                }
                if self.unread.is_some() && self.numbers.is_some() && self.tracks.is_empty() {
                    self.rewind()?;
                } else {
                    self.bytes.seek(end)?;
                }
            }
        }
        Ok(Step::Next)
    }

    /// An element that is whole in the file; false if it cannot be one. Its end is gone to afterwards.
    fn element(&mut self, header: Header, size: u64) -> Result<bool, AudioError> {
        let is_description = size <= DESCRIPTION_BYTES_MAX;
        match header.id {
            ebml::EBML if is_description => {
                let body = self.body(size)?;
                if self.numbers.is_none() {
                    let doc_type = ebml::child(&body, ebml::DOC_TYPE).map(ebml::text);
                    self.is_webm = doc_type.as_deref() != Some("matroska");
                }
                let stated = ebml::child(&body, ebml::MAX_ID_LENGTH).map_or(4, ebml::unsigned);
                self.id_len_max = stated.clamp(4, 8) as usize;
                self.segment_end = None;
                self.cluster = None;
                self.is_fresh = true;
            }
            ebml::INFO if is_description => {
                let body = self.body(size)?;
                let scale = ebml::child(&body, ebml::TIMESTAMP_SCALE).map(ebml::unsigned);
                self.scale = scale.filter(|scale| *scale > 0).unwrap_or(SCALE_USUAL);
            }
            ebml::TRACKS if is_description => self.describe(size)?,
            ebml::TIMESTAMP if size <= 8 => {
                let stamp = ebml::unsigned(&self.body(size)?);
                if let Some(cluster) = &mut self.cluster {
                    cluster.stamp = stamp;
                }
            }
            ebml::SIMPLE_BLOCK => self.simple_block(size)?,
            ebml::BLOCK_GROUP => self.block_group(size)?,
            ebml::EBML | ebml::INFO | ebml::TRACKS | ebml::TIMESTAMP => return Ok(false),
            id if ebml::is_known(id) => {}
            _ if self.damage.places > PLACES_JUDGED_MAX => return Ok(false),
            _ => {
                // One that is not known yet is believed if it leads to one that is.
                self.bytes.skip(size)?;
                let next = ebml::peek_header(&mut self.bytes, self.id_len_max)?;
                return Ok(match next {
                    Some(next) => ebml::is_known(next.id),
                    None => self.bytes.left() == 0,
                });
            }
        }
        Ok(true)
    }

    fn body(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        self.bytes.read_onto(&mut body, size)?;
        Ok(body)
    }

    fn begin_segment(&mut self, end: Option<u64>) {
        self.segment_end = end;
        self.cluster = None;
        self.scale = SCALE_USUAL;
        self.is_fresh = true;
    }

    fn begin_cluster(&mut self, at: u64, body: u64, end: Option<u64>) -> io::Result<()> {
        self.cluster = Some(Cluster {
            stamp: 0,
            end,
            block_stamp: 0,
        });
        match end {
            Some(end) if self.numbers.is_none() => self.bytes.seek(end)?,
            _ => self.bytes.seek(body)?,
        }
        if self.numbers.is_none() {
            self.unread.get_or_insert(at);
        } else if std::mem::take(&mut self.is_fresh) {
            // Its description is missing; it is believed to be as the one before.
            self.is_stream_due = true;
        }
        Ok(())
    }

    /// Back to the audio, whose description stood behind it.
    fn rewind(&mut self) -> io::Result<()> {
        self.cluster = None;
        match self.unread.take() {
            Some(at) => self.bytes.seek(at),
            None => Ok(()),
        }
    }

    /// Takes what a Tracks element says; a repeated one says nothing.
    fn describe(&mut self, size: u64) -> io::Result<()> {
        let body = self.body(size)?;
        if !std::mem::take(&mut self.is_fresh) && body == self.description {
            return Ok(());
        }
        let (entries, numbers) = tracks::parse(&body);
        self.entries = entries;
        self.numbers = Some(numbers);
        self.description = body;
        self.is_stream_due = true;
        Ok(())
    }

    /// The selected track, or the one of a later segment that stands in for it.
    fn current(&self) -> Option<&Entry> {
        let selected = self.entries.get(self.selected?);
        selected
            .or_else(|| self.entries.iter().find(|entry| entry.track.is_default))
            .or_else(|| self.entries.first())
    }

    /// Whether a block is to be read, by its first bytes.
    fn is_wanted(&mut self, block: &[u8]) -> bool {
        let Some(header) = block_header(block) else {
            return false;
        };
        if let Some(cluster) = &mut self.cluster {
            cluster.block_stamp = header.stamp;
        }
        self.current()
            .is_some_and(|entry| entry.number == header.track)
    }

    fn simple_block(&mut self, size: u64) -> io::Result<()> {
        let head = self.bytes.peek(BLOCK_HEADER_BYTES_MAX)?.to_vec();
        if !self.is_wanted(&head) || size > PACKET_BYTES_MAX as u64 {
            return Ok(());
        }
        self.block.clear();
        self.bytes.read_onto(&mut self.block, size)?;
        self.lay_out(&Beside::default());
        Ok(())
    }

    fn block_group(&mut self, size: u64) -> io::Result<()> {
        // The block comes first, as a rule: the pictures of a film are not read.
        let head = self
            .bytes
            .peek(ebml::HEADER_BYTES_MAX + BLOCK_HEADER_BYTES_MAX)?
            .to_vec();
        let first = ebml::header(&head, self.id_len_max).filter(|first| first.id == ebml::BLOCK);
        let is_wanted = first.is_none_or(|first| self.is_wanted(&head[first.len..]));
        if !is_wanted || size > PACKET_BYTES_MAX as u64 {
            return Ok(());
        }
        let group = self.body(size)?;
        let mut beside = Beside::default();
        let mut block = None;
        for (id, body) in ebml::children(&group) {
            match id {
                ebml::BLOCK => block = Some(body),
                ebml::BLOCK_DURATION => beside.duration = Some(ebml::unsigned(body)),
                ebml::DISCARD_PADDING => beside.discarded_ns = ebml::signed(body),
                _ => {}
            }
        }
        match block {
            Some(block) if self.is_wanted(block) => {
                self.block.clear();
                self.block.extend_from_slice(block);
                self.lay_out(&beside);
            }
            Some(_) => {}
            None => self.damage.places += 1,
        }
        Ok(())
    }

    /// The packets of `block`, ready to be handed out.
    fn lay_out(&mut self, beside: &Beside) {
        let (Some(entry), Some(header)) = (self.current(), block_header(&self.block)) else {
            return;
        };
        let Some(ranges) = unlace(&self.block[header.len..], header.lacing) else {
            self.damage.places += 1;
            return;
        };
        let cluster_stamp = self.cluster.as_ref().map_or(0, |cluster| cluster.stamp);
        let at = scaled(cluster_stamp as i128, self.scale, 1.0).saturating_add(scaled(
            header.stamp.into(),
            self.scale,
            entry.scale,
        ));
        let of_block = beside.duration.map(|ticks| {
            scaled(ticks.into(), self.scale, entry.scale) / ranges.len().max(1) as i64
        });
        let of_track = entry.duration_ns.and_then(|ns| i64::try_from(ns).ok());
        let duration = of_block.or(of_track).map(|ns| Time::new(ns, NS_PER_S));
        let trim = |ns: i64| (ns > 0).then(|| Time::new(ns, NS_PER_S));
        let last = ranges.len().saturating_sub(1);
        let laces = ranges.into_iter().enumerate().map(|(index, range)| Lace {
            range: header.len + range.start..header.len + range.end,
            // The others follow right behind.
            at: (index == 0).then(|| Time::new(at, NS_PER_S)),
            duration,
            trim_start: trim(beside.discarded_ns.saturating_neg()).filter(|_| index == 0),
            trim_end: trim(beside.discarded_ns).filter(|_| index == last),
        });
        self.laces = laces.collect();
    }

    fn hand_out(&mut self, lace: Lace, packet: &mut Packet) {
        packet.at = lace.at;
        packet.duration = lace.duration;
        packet.trim_start = lace.trim_start;
        packet.trim_end = lace.trim_end;
        packet.is_jump = std::mem::take(&mut self.is_jump);
        let Some(entry) = self.current() else {
            return;
        };
        let stored = &self.block[lace.range];
        let is_whole = entry.encodings.packet(stored, &mut packet.data);
        let is_whole = match entry.track.params.codec {
            Codec::WavPack => is_whole.and_then(|()| {
                let stored = std::mem::take(&mut packet.data);
                wavpack::restore(&stored, entry.wavpack_version, &mut packet.data)
            }),
            _ => is_whole,
        };
        if is_whole.is_none() {
            // No decoder takes it, so it is counted as lost.
            packet.data.clear();
        }
    }
}

/// Ticks in nanoseconds.
fn scaled(ticks: i128, scale: u64, track_scale: f64) -> i64 {
    let ns = ticks.saturating_mul(i128::from(scale));
    let ns = if track_scale == 1.0 {
        ns
    } else {
        (ns as f64 * track_scale) as i128
    };
    ns.clamp((i64::MIN / 4).into(), (i64::MAX / 4).into()) as i64
}

impl Demuxer for MatroskaReader {
    fn container(&self) -> Container {
        if self.is_webm {
            Container::Webm
        } else {
            Container::Matroska
        }
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
            if let Some(lace) = self.laces.pop_front() {
                self.hand_out(lace, packet);
                return Ok(Next::Packet);
            }
            if std::mem::take(&mut self.is_stream_due)
                && let Some(entry) = self.current()
            {
                return Ok(Next::Stream(Box::new(entry.stream())));
            }
            if let Some(end) = self.go_on()? {
                return Ok(Next::End(end));
            }
        }
    }

    fn findings(&mut self) -> Vec<Finding> {
        let Damage {
            places,
            bytes,
            bytes_behind,
        } = self.damage;
        let damaged = (places > 0).then(|| {
            let detail = format!("{bytes} bytes make no sense");
            let params = [("places", places.into()), ("detail", detail.into())];
            Finding::new(Code::ContainerDamaged, params)
        });
        let skipped = (bytes_behind > 0)
            .then(|| Finding::new(Code::BytesSkipped, [("bytes", bytes_behind.into())]));
        damaged.into_iter().chain(skipped).collect()
    }
}
