//! One track of one movie, packet by packet, as its edit list plays it.

use std::collections::HashMap;

use retake_findings::{Code, Finding};
use retake_formats::Codec;

use super::{
    super::layout::reorder,
    boxes::Input,
    edits::{Extent, Part, Plan},
    entry::Entry,
    habit,
    movie::{Edits, Movie, Track},
    table::Run,
    walk::{Position, Walk},
};
use crate::{
    AudioError,
    decode::demux::{PACKET_BYTES_MAX, Packet, Stream, Time},
};

/// What became of a track's packets.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Packets that lie behind the end of the file.
    pub is_truncated: bool,
    /// Samples and fragments that make no sense.
    pub damaged: u64,
    /// From which part of how many on nothing was read.
    pub parts: Option<(usize, usize)>,
}

/// Fragments are described in so many bytes more than the file has, once edits lead back to them. A
/// hostile file has thousands of edits back and forth between fragments of megabytes.
const DESCRIBED_AGAIN_MAX: u64 = 256 << 20;

pub(super) struct Playback {
    walk: Walk,
    parts: Vec<Part>,
    part: usize,
    is_in_part: bool,
    position: Position,
    /// Which description the stream has that was told of.
    description: Option<usize>,
    /// Descriptions that are the same have the same number.
    same_as: Vec<usize>,
    /// Ticks of a packet, of codecs where all are the same.
    packet_ticks: Option<u64>,
    /// The media's clock behind the last packet.
    pub reached: i64,
    /// The time line goes on from another movie's: nothing new to tell at the beginning.
    is_continued: bool,
    is_jump: bool,
    /// Where on the time line the next packet is expected.
    heard_until: i64,
}

pub(super) enum Step {
    Packet,
    Stream(Box<Stream>),
    Over,
}

impl Playback {
    /// `before`: the track that came before it in the file, and where its clock ended.
    pub(super) fn begin(
        movie: &Movie,
        track: &Track,
        before: Option<(&Track, i64)>,
        input: &mut Input,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, AudioError> {
        let mut walk = Walk::new(track);
        let (first, packet_ticks) = look_ahead(&mut walk, movie, track, input)?;
        let entry = track.entries.first();
        let pre_skip = u128::from(entry.map_or(0, |entry| entry.pre_skip));
        let delay = (pre_skip * u128::from(track.timescale) / 48_000) as i64;
        // A clock that starts late has no delay in front of it.
        let extent = Extent {
            timescale: track.timescale,
            movie_timescale: movie.timescale,
            scale: track.scale,
            first,
            end: (!movie.is_fragmented).then(|| track.tables.duration()),
            delay,
        };
        let mut is_continued = false;
        let mut parts = plan(movie, track, &extent, findings).parts;
        if let Some((track_before, reached)) = before {
            let slack = (track.timescale / 10) as i64;
            is_continued = movie.is_fragmented
                && first > 0
                && first >= reached.saturating_sub(slack)
                && track.timescale == track_before.timescale
                && entry.is_some()
                && entry == track_before.entries.first();
            if is_continued {
                parts = vec![Part {
                    at: first,
                    start: first,
                    end: None,
                }];
            }
        }
        Ok(Self {
            walk,
            parts,
            part: 0,
            is_in_part: false,
            position: Position::START,
            description: is_continued.then_some(0),
            same_as: same_as(&track.entries),
            packet_ticks,
            reached: first,
            is_continued,
            is_jump: false,
            heard_until: 0,
        })
    }

    /// Moves the time line, where it goes on from another movie's.
    pub(super) fn shift(&mut self, by: i64) {
        if self.is_continued {
            for part in &mut self.parts {
                part.at = part.at.saturating_add(by);
            }
        }
    }

    /// How far the time line that is heard is from the track's clock, in the last part.
    pub(super) fn offset(&self) -> i64 {
        self.parts
            .last()
            .map_or(0, |part| part.at.saturating_sub(part.start))
    }

    pub(super) fn damaged_fragments(&self) -> u64 {
        self.walk.damaged_fragments()
    }

    pub(super) fn next(
        &mut self,
        movie: &Movie,
        track: &Track,
        input: &mut Input,
        packet: &mut Packet,
        losses: &mut Losses,
    ) -> Result<Step, AudioError> {
        loop {
            let Some(part) = self.parts.get(self.part).copied() else {
                return Ok(Step::Over);
            };
            if !self.is_in_part && input.described > input.len().saturating_add(DESCRIBED_AGAIN_MAX)
            {
                losses
                    .parts
                    .get_or_insert((self.part + 1, self.parts.len()));
                return Ok(Step::Over);
            }
            if !self.is_in_part && !self.enter(part, movie, track, input)? {
                self.part += 1;
                continue;
            }
            let before = self.position;
            let run = self.walk.step(&mut self.position, movie, track, input)?;
            let Some(run) = run.filter(|run| part.end.is_none_or(|end| run.time < end)) else {
                self.position = before;
                self.part += 1;
                self.is_in_part = false;
                continue;
            };
            let described = self.same_as.get(run.description as usize).copied();
            let described = described.unwrap_or(0);
            let Some(entry) = track.entries.get(described) else {
                return Ok(Step::Over);
            };
            if self.description != Some(described) {
                // The packet is the first of the next stream, and comes again.
                self.position = before;
                self.description = Some(described);
                return Ok(Step::Stream(Box::new(Stream {
                    origin: Some(Time::new(self.heard_until, track.timescale)),
                    ..Stream::new(entry.params.clone())
                })));
            }
            if !read(&run, entry, input, packet, losses)? {
                continue;
            }
            // Who writes fragments guesses how long the last packet is.
            let is_last = !movie.is_fragmented && self.is_last(movie, track, input)?;
            self.stamp(&run, part, track, entry, is_last, packet);
            self.reached = run.time.saturating_add_unsigned(run.duration);
            return Ok(Step::Packet);
        }
    }

    /// Goes to where a part begins, or on if that is right here. `false`: the track ends before.
    fn enter(
        &mut self,
        part: Part,
        movie: &Movie,
        track: &Track,
        input: &mut Input,
    ) -> Result<bool, AudioError> {
        let codec = track.codec().unwrap_or(&Codec::Pcm);
        let pre_roll = habit::pre_roll(codec, track.timescale);
        let found = self.walk.find(part.start, pre_roll, movie, track, input)?;
        let Some(found) = found else {
            return Ok(false);
        };
        self.is_in_part = true;
        let goes_on = self.description.is_some()
            && (found.from.steps..=found.packet.steps).contains(&self.position.steps);
        if !goes_on {
            self.is_jump = self.position != found.from;
            self.position = found.from;
        }
        Ok(true)
    }

    fn is_last(
        &mut self,
        movie: &Movie,
        track: &Track,
        input: &mut Input,
    ) -> Result<bool, AudioError> {
        let mut ahead = self.position;
        Ok(self.walk.step(&mut ahead, movie, track, input)?.is_none())
    }

    /// Where on the time line a packet is, and what of it is heard.
    fn stamp(
        &mut self,
        run: &Run,
        part: Part,
        track: &Track,
        entry: &Entry,
        is_last: bool,
        packet: &mut Packet,
    ) {
        let time = |ticks: i64| Time::new(ticks, track.timescale);
        let from_packet = match entry.params.codec {
            Codec::Opus => {
                habit::opus_frames(&packet.data).map(|frames| frames * track.timescale / 48_000)
            }
            _ => self.packet_ticks,
        };
        // More of the clock may pass than a packet holds: nothing was said then.
        let holds = from_packet.unwrap_or(run.holds);
        let end = run.time.saturating_add_unsigned(holds);
        let mut heard_end = part.end.unwrap_or(i64::MAX);
        if is_last && from_packet.is_some() && run.duration > 0 {
            // What the clock has no time for is padding.
            heard_end = heard_end.min(run.time.saturating_add_unsigned(run.duration));
        }
        packet.at = Some(time(
            part.at.saturating_add(run.time.saturating_sub(part.start)),
        ));
        packet.duration = (holds > 0).then(|| time(holds.min(1 << 62) as i64));
        packet.trim_start =
            (run.time < part.start).then(|| time(part.start.saturating_sub(run.time)));
        packet.trim_end = (end > heard_end).then(|| time(end.saturating_sub(heard_end)));
        packet.is_jump = std::mem::take(&mut self.is_jump);
        let heard = end.min(heard_end).saturating_sub(part.start);
        self.heard_until = self.heard_until.max(part.at.saturating_add(heard));
    }
}

/// Reads a run's bytes. `false`: there are none, and the reason is noted.
fn read(
    run: &Run,
    entry: &Entry,
    input: &mut Input,
    packet: &mut Packet,
    losses: &mut Losses,
) -> Result<bool, AudioError> {
    packet.data.clear();
    if run.bytes == 0 {
        return Ok(false);
    }
    if run.offset.saturating_add(run.bytes) > input.len() {
        losses.is_truncated = true;
        // Of plain samples and small blocks, what is there is whole.
        if entry.per_packet == 1 || run.offset >= input.len() {
            return Ok(false);
        }
    }
    if run.bytes > PACKET_BYTES_MAX as u64 {
        losses.damaged += 1;
        return Ok(false);
    }
    input.append(run.offset, run.bytes, &mut packet.data)?;
    if let (Some(order), Some(pcm)) = (&entry.order, entry.params.pcm) {
        reorder(&mut packet.data, order, pcm.bytes as usize);
    }
    Ok(true)
}

/// The first time stamp, and how many ticks a packet has if the codec's are all the same: most of the
/// first ones say it.
fn look_ahead(
    walk: &mut Walk,
    movie: &Movie,
    track: &Track,
    input: &mut Input,
) -> Result<(i64, Option<u64>), AudioError> {
    const PACKETS: usize = 200;
    let mut position = Position::START;
    let mut first = None;
    let mut lengths: HashMap<u64, usize> = HashMap::new();
    let has_fixed_frames = track.codec().is_some_and(habit::has_fixed_frames);
    for _ in 0..PACKETS {
        let Some(run) = walk.step(&mut position, movie, track, input)? else {
            break;
        };
        first = first.or(Some(run.time));
        if !has_fixed_frames {
            break;
        }
        *lengths.entry(run.duration).or_default() += 1;
    }
    let usual = lengths
        .into_iter()
        .filter(|(ticks, _)| *ticks > 0)
        .max_by_key(|(ticks, count)| (*count, *ticks));
    // A clock that was refined counts in steps that are no frames: they vary.
    let is_exact = track.scale == 1;
    Ok((
        first.unwrap_or(0),
        usual.map(|(ticks, _)| ticks).filter(|_| is_exact),
    ))
}

fn plan(movie: &Movie, track: &Track, extent: &Extent, findings: &mut Vec<Finding>) -> Plan {
    let whole = || match movie.itunes {
        Some((delay, frames)) => {
            let rate = track
                .entries
                .first()
                .and_then(|entry| entry.params.sample_rate);
            let rate = u128::from(rate.unwrap_or(0).max(1));
            let ticks = |frames: u64| {
                let ticks = u128::from(frames) * u128::from(track.timescale) / rate;
                ticks.min(1 << 60) as i64
            };
            extent.trimmed(ticks(delay), ticks(frames))
        }
        None => extent.whole(),
    };
    let edits = match &track.edits {
        Edits::None => return whole(),
        Edits::Ignored(why) => {
            let detail = ("detail", why.as_str().into());
            findings.push(Finding::new(Code::EditsIgnored, [detail]));
            return whole();
        }
        Edits::List(edits) => edits,
    };
    let plan = extent.plan(edits);
    let ms = |ticks: i64| (ticks.max(0) as u128 * 1000 / u128::from(track.timescale)) as u64;
    let padding_ms = track.codec().map_or(0, habit::padding_ms_max);
    let cut = |ms: u64| if ms > padding_ms { ms } else { 0 };
    let left_out = &plan.left_out;
    let left_out_ms = cut(ms(left_out.before)) + ms(left_out.between) + cut(ms(left_out.behind));
    if left_out_ms > 0 {
        findings.push(Finding::new(
            Code::EditsApplied,
            [("left_out_ms", left_out_ms.into())],
        ));
    }
    plan
}

/// For each entry, the first that says the same.
fn same_as(entries: &[Entry]) -> Vec<usize> {
    let same = |entry| entries.iter().position(|other| other == entry).unwrap_or(0);
    entries.iter().map(same).collect()
}
