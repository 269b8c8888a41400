//! Fragments (`moof`): samples described piece by piece, as recorders that may be cut off write them.

use std::io;

use super::{
    boxes::{Input, child, children, u32_at, u64_at},
    entry::Entry,
    movie::{Defaults, Movie},
    table::Run,
};

/// A fragment describes a few seconds.
const FRAGMENT_BYTES_MAX: u64 = 64 << 20;
const RUN_BYTES_MAX: u64 = 1 << 20;

/// Where to go on in the fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FragmentPosition {
    pub fragment: usize,
    list: usize,
    sample: u64,
    offset: u64,
    pub time: i64,
}

impl FragmentPosition {
    /// Before all of them. What states no time goes on from here.
    pub(super) fn at(time: i64) -> Self {
        Self {
            time,
            ..Self::default()
        }
    }
}

/// The fragments of one track.
pub(super) struct Fragments {
    track: u32,
    scale: i64,
    /// The last one that was read, by its number.
    parsed: Option<(usize, Fragment)>,
    /// How many could not be read.
    pub damaged: u64,
}

#[derive(Default)]
struct Fragment {
    body: Vec<u8>,
    lists: Vec<List>,
}

/// A `trun` of the track.
#[derive(Debug, Clone, Default, PartialEq)]
struct List {
    /// Where its first sample begins in time, if it is said.
    time: Option<i64>,
    offset: u64,
    samples: u64,
    defaults: Defaults,
    /// Where in the fragment's body the table is, bytes of an entry, and where in it the fields are.
    table: usize,
    entry_bytes: usize,
    duration_at: Option<usize>,
    size_at: Option<usize>,
    shift_at: Option<usize>,
}

impl Fragments {
    pub(super) fn new(track: u32, scale: i64) -> Self {
        Self {
            track,
            scale,
            parsed: None,
            damaged: 0,
        }
    }

    /// The next run. What lies behind the end of the file may come in larger runs than are read.
    pub(super) fn step(
        &mut self,
        position: &mut FragmentPosition,
        movie: &Movie,
        entries: &[Entry],
        input: &mut Input,
    ) -> io::Result<Option<Run>> {
        loop {
            if position.fragment >= movie.fragments.len() {
                return Ok(None);
            }
            if self.parsed.as_ref().map(|(number, _)| *number) != Some(position.fragment) {
                let fragment = self.read(movie, position.fragment, input)?;
                self.parsed = Some((position.fragment, fragment));
            }
            let Some((_, fragment)) = &self.parsed else {
                return Ok(None);
            };
            let Some(list) = fragment.lists.get(position.list) else {
                position.fragment += 1;
                (position.list, position.sample) = (0, 0);
                continue;
            };
            if position.sample >= list.samples {
                position.list += 1;
                position.sample = 0;
                continue;
            }
            if position.sample == 0 {
                position.offset = list.offset;
                position.time = list.time.unwrap_or(position.time);
            }
            let entry = entries.get(list.description() as usize).or(entries.first());
            let per_packet = u64::from(entry.map_or(1, |entry| entry.per_packet).max(1));
            return Ok(Some(list.step(
                &fragment.body,
                position,
                per_packet,
                self.scale,
                input.len(),
            )));
        }
    }

    fn read(&mut self, movie: &Movie, number: usize, input: &mut Input) -> io::Result<Fragment> {
        let (at, size) = movie.fragments[number];
        let bytes = input.read(at, size.min(FRAGMENT_BYTES_MAX))?;
        input.described += bytes.len() as u64;
        let header = super::boxes::header(&bytes, size);
        let body = header.and_then(|header| bytes.get(header.len as usize..));
        let body = body.unwrap_or_default().to_vec();
        let lists = self.lists(&body, at, movie);
        if lists.is_none() {
            self.damaged += 1;
        }
        Ok(Fragment {
            lists: lists.unwrap_or_default(),
            body,
        })
    }

    /// `None` if a part of it makes no sense.
    fn lists(&self, body: &[u8], moof_at: u64, movie: &Movie) -> Option<Vec<List>> {
        let mut lists = Vec::new();
        let mut data_end = moof_at;
        for (_, traf) in children(body).filter(|(kind, _)| kind == b"traf") {
            let tfhd = child(traf, *b"tfhd")?;
            let (track, mut defaults, base) = header(tfhd, movie)?;
            let base = match base {
                Base::At(at) => at.saturating_add(movie.base),
                Base::Fragment => moof_at,
                Base::BehindData => data_end,
            };
            defaults.description = defaults.description.max(1);
            let mut time = child(traf, *b"tfdt")
                .and_then(decode_time)
                .map(|time| time.saturating_mul(self.scale));
            let mut offset = base;
            for (_, trun) in children(traf).filter(|(kind, _)| kind == b"trun") {
                let at = trun.as_ptr() as usize - body.as_ptr() as usize;
                let mut list = List::parse(trun, at, base, offset, defaults)?;
                list.time = time.take();
                offset = list.end(body);
                data_end = offset;
                if track == self.track {
                    lists.push(list);
                }
            }
        }
        Some(lists)
    }
}

enum Base {
    At(u64),
    Fragment,
    BehindData,
}

/// `tfhd`: whose fragment it is, what its samples are, what offsets count from.
fn header(tfhd: &[u8], movie: &Movie) -> Option<(u32, Defaults, Base)> {
    let flags = u32_at(tfhd, 0)?;
    let track = u32_at(tfhd, 4)?;
    let mut defaults = movie.defaults.get(&track).copied().unwrap_or_default();
    let mut at = 8;
    let base = match (flags & 1, flags & 0x2_0000) {
        (0, 0) => Base::BehindData,
        (0, _) => Base::Fragment,
        _ => {
            at += 8;
            Base::At(u64_at(tfhd, 8)?)
        }
    };
    let mut next = |flag| -> Option<Option<u32>> {
        if flags & flag == 0 {
            return Some(None);
        }
        at += 4;
        u32_at(tfhd, at - 4).map(Some)
    };
    defaults.description = next(0x2)?.unwrap_or(defaults.description);
    defaults.duration = next(0x8)?.unwrap_or(defaults.duration);
    defaults.size = next(0x10)?.unwrap_or(defaults.size);
    Some((track, defaults, base))
}

fn decode_time(tfdt: &[u8]) -> Option<i64> {
    if tfdt.first() == Some(&1) {
        i64::try_from(u64_at(tfdt, 4)?).ok()
    } else {
        u32_at(tfdt, 4).map(i64::from)
    }
}

impl List {
    /// `at` is where the body of `trun` begins in that of the fragment. Without an offset of its own
    /// its data stands behind that of the one before.
    fn parse(trun: &[u8], at: usize, base: u64, behind: u64, defaults: Defaults) -> Option<Self> {
        let flags = u32_at(trun, 0)?;
        let mut samples = u64::from(u32_at(trun, 4)?);
        let mut table = 8;
        let mut offset = behind;
        if flags & 0x1 != 0 {
            offset = base.saturating_add_signed(i64::from(u32_at(trun, table)? as i32));
            table += 4;
        }
        if flags & 0x4 != 0 {
            table += 4;
        }
        let mut entry_bytes = 0;
        let mut field = |flag| {
            (flags & flag != 0).then(|| {
                entry_bytes += 4;
                entry_bytes - 4
            })
        };
        let duration_at = field(0x100);
        let size_at = field(0x200);
        field(0x400);
        let shift_at = field(0x800);
        if let Some(whole) = trun.len().saturating_sub(table).checked_div(entry_bytes) {
            samples = samples.min(whole as u64);
        }
        Some(Self {
            time: None,
            offset,
            samples,
            defaults,
            table: at + table,
            entry_bytes,
            duration_at,
            size_at,
            shift_at,
        })
    }

    fn description(&self) -> u32 {
        self.defaults.description.saturating_sub(1)
    }

    fn field(&self, body: &[u8], sample: u64, at: Option<usize>) -> Option<u32> {
        u32_at(body, self.table + sample as usize * self.entry_bytes + at?)
    }

    fn size(&self, body: &[u8], sample: u64) -> u64 {
        let size = self.field(body, sample, self.size_at);
        u64::from(size.unwrap_or(self.defaults.size))
    }

    fn duration(&self, body: &[u8], sample: u64) -> u64 {
        let duration = self.field(body, sample, self.duration_at);
        u64::from(duration.unwrap_or(self.defaults.duration))
    }

    /// Where its data ends.
    fn end(&self, body: &[u8]) -> u64 {
        let bytes = match self.size_at {
            None => self.samples.saturating_mul(u64::from(self.defaults.size)),
            Some(_) => (0..self.samples).map(|n| self.size(body, n)).sum(),
        };
        self.offset.saturating_add(bytes)
    }

    fn step(
        &self,
        body: &[u8],
        position: &mut FragmentPosition,
        per_packet: u64,
        scale: i64,
        file_len: u64,
    ) -> Run {
        let left = self.samples - position.sample;
        let shift = self.field(body, position.sample, self.shift_at);
        let shift = i64::from(shift.unwrap_or(0) as i32).saturating_mul(scale);
        let (samples, bytes, duration) = if self.entry_bytes == 0 {
            let size = u64::from(self.defaults.size);
            // What has no bytes, or none that are there, needs no packets.
            let samples = if size == 0 || position.offset >= file_len {
                left
            } else {
                left.min(per_packet).min((RUN_BYTES_MAX / size).max(1))
            };
            let duration = samples * u64::from(self.defaults.duration);
            (samples, samples.saturating_mul(size), duration)
        } else {
            let (mut samples, mut bytes, mut duration) = (0, 0, 0);
            while samples < left.min(per_packet) {
                let size = self.size(body, position.sample + samples);
                if samples > 0 && bytes + size > RUN_BYTES_MAX {
                    break;
                }
                bytes += size;
                duration += self.duration(body, position.sample + samples);
                samples += 1;
            }
            (samples, bytes, duration)
        };
        let duration = duration.saturating_mul(scale as u64);
        let run = Run {
            offset: position.offset,
            bytes,
            time: position.time.saturating_add(shift),
            duration,
            holds: duration,
            description: self.description(),
        };
        position.sample += samples;
        position.offset = position.offset.saturating_add(bytes);
        position.time = position.time.saturating_add(duration.min(1 << 62) as i64);
        run
    }
}
