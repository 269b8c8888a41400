//! The sample tables of a track in the movie header, read as they are asked for: a long file of plain
//! samples has hundreds of millions of them.

use super::{
    boxes::{child, u16_at, u32_at, u64_at},
    entry::Entry,
};

/// Bytes that lie together and are handed on together: one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub offset: u64,
    pub bytes: u64,
    pub time: i64,
    /// By the clock: until the next one begins.
    pub duration: u64,
    /// What the bytes stand for if it is known, in ticks: the last of some codecs' packets holds
    /// more than is meant.
    pub holds: u64,
    /// Counted from 0.
    pub description: u32,
}

/// Most bytes of plain samples in one packet, if it is not a single sample.
const RUN_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Entries of (count, delta).
    times: Vec<u8>,
    /// Entries of (count, offset).
    shifts: Vec<u8>,
    /// Entries of (first chunk, samples per chunk, description).
    chunks: Vec<u8>,
    offsets: Vec<u8>,
    has_long_offsets: bool,
    sizes: Sizes,
    samples: u64,
    /// Ticks are multiplied by it: see [`super::movie::Track`].
    scale: i64,
    /// Offsets count from here.
    base: u64,
}

#[derive(Debug)]
enum Sizes {
    Constant(u32),
    /// So many bits each: 4, 8, 16, 32.
    Each(u32, Vec<u8>),
}

impl Default for Sizes {
    fn default() -> Self {
        Self::Each(32, Vec::new())
    }
}

/// Where to go on in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TablePosition {
    sample: u64,
    chunk: usize,
    /// Samples that are done of the chunk.
    in_chunk: u64,
    /// Where in the file the next sample of the chunk is.
    offset: u64,
    chunk_entry: usize,
    time: i64,
    time_entry: usize,
    time_done: u32,
    shift_entry: usize,
    shift_done: u32,
}

impl TablePosition {
    pub(super) const START: Self = Self {
        sample: 0,
        chunk: 0,
        in_chunk: 0,
        offset: 0,
        chunk_entry: 0,
        time: 0,
        time_entry: 0,
        time_done: 0,
        shift_entry: 0,
        shift_done: 0,
    };

    /// Behind all samples: where fragments go on.
    pub(super) fn time(&self) -> i64 {
        self.time
    }
}

impl Tables {
    /// From the body of `stbl`. No more samples are believed than the file has bytes.
    pub(super) fn parse(stbl: &[u8], scale: i64, base: u64, file_len: u64) -> Self {
        let entries = |kind| {
            let body = child(stbl, kind).unwrap_or_default();
            body.get(8..).unwrap_or_default().to_vec()
        };
        let (offsets, has_long_offsets) = match child(stbl, *b"co64") {
            Some(_) => (entries(*b"co64"), true),
            None => (entries(*b"stco"), false),
        };
        let (sizes, samples) = sizes(stbl);
        Self {
            times: entries(*b"stts"),
            shifts: entries(*b"ctts"),
            chunks: entries(*b"stsc"),
            offsets,
            has_long_offsets,
            sizes,
            samples: samples.min(file_len),
            scale,
            base,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// All time by the tables, up to the number of samples.
    pub(super) fn duration(&self) -> i64 {
        let mut left = self.samples;
        let mut sum = 0_i64;
        let mut last = 0;
        for entry in 0..self.times.len() / 8 {
            let (count, delta) = self.time_entry(entry);
            let count = u64::from(count).min(left);
            left -= count;
            last = delta;
            sum = sum.saturating_add((count as i64).saturating_mul(delta));
        }
        sum.saturating_add((left as i64).saturating_mul(last))
    }

    /// One tick per sample, and no other: the samples are frames, whatever a packet of them is.
    pub(super) fn samples_are_frames(&self) -> bool {
        self.times.len() / 8 == 1 && u32_at(&self.times, 4) == Some(1)
    }

    pub(super) fn constant_size(&self) -> Option<u32> {
        match self.sizes {
            Sizes::Constant(size) => Some(size),
            Sizes::Each(..) => None,
        }
    }

    /// Where the first sample is: two headers with the same one are copies of each other.
    pub(super) fn first_offset(&self) -> Option<u64> {
        self.offset(0).filter(|_| self.samples > 0)
    }

    /// The next run. What lies behind the end of the file may come in larger runs than are read.
    pub(super) fn step(
        &self,
        position: &mut TablePosition,
        entries: &[Entry],
        file_len: u64,
    ) -> Option<Run> {
        if position.sample >= self.samples {
            return None;
        }
        let (per_chunk, description) = self.enter_chunk(position)?;
        let entry = entries.get(description as usize).or(entries.first());
        let (left_in_time, delta) = self.time_here(position);
        let (left_in_shift, shift) = self.shift_here(position);
        let here = (per_chunk - position.in_chunk)
            .min(self.samples - position.sample)
            .min(left_in_time)
            .min(left_in_shift)
            .max(1);
        let per_packet = entry.map_or(1, |entry| entry.per_packet).max(1);
        let (samples, bytes, held) = match &self.sizes {
            Sizes::Constant(size) => {
                let (unit_samples, unit_bytes) =
                    entry.and_then(|entry| entry.unit).unwrap_or((1, *size));
                let unit_samples = u64::from(unit_samples).max(1);
                let unit_bytes = u64::from(unit_bytes);
                let units = if position.offset >= file_len {
                    here.div_ceil(unit_samples)
                } else {
                    (here / unit_samples)
                        .min(u64::from(per_packet))
                        .min(RUN_BYTES_MAX / unit_bytes.max(1))
                        .max(1)
                };
                // A chunk may end in the middle of a packet: the packet is there all the same.
                let samples = (units * unit_samples).min(here);
                (samples, units * unit_bytes, units * unit_samples)
            }
            Sizes::Each(..) => {
                let mut samples = 0;
                let mut bytes = 0;
                while samples < here.min(u64::from(per_packet)) {
                    let size = self.size(position.sample + samples)?;
                    if samples > 0 && bytes + u64::from(size) > RUN_BYTES_MAX {
                        break;
                    }
                    bytes += u64::from(size);
                    samples += 1;
                }
                (samples, bytes, samples)
            }
        };
        let run = Run {
            offset: position.offset,
            bytes,
            time: position.time.saturating_add(shift),
            duration: samples.saturating_mul(delta as u64),
            holds: held.saturating_mul(delta as u64),
            description,
        };
        position.sample += samples;
        position.in_chunk += samples;
        position.offset = position.offset.saturating_add(bytes);
        position.time = position
            .time
            .saturating_add(run.duration.min(1 << 62) as i64);
        position.time_done = position.time_done.saturating_add(samples as u32);
        position.shift_done = position.shift_done.saturating_add(samples as u32);
        Some(run)
    }

    /// Goes to the next chunk if this one is done. Its samples and description.
    fn enter_chunk(&self, position: &mut TablePosition) -> Option<(u64, u32)> {
        loop {
            // What the next entry is about begins with its first chunk, counted from 1.
            while u32_at(&self.chunks, (position.chunk_entry + 1) * 12)
                .is_some_and(|first| first as usize <= position.chunk + 1)
            {
                position.chunk_entry += 1;
            }
            let at = position.chunk_entry * 12;
            let per_chunk = u64::from(u32_at(&self.chunks, at + 4)?);
            let description = u32_at(&self.chunks, at + 8)?.saturating_sub(1);
            if position.in_chunk < per_chunk {
                if position.in_chunk == 0 {
                    position.offset = self.offset(position.chunk)?;
                }
                return Some((per_chunk, description));
            }
            position.chunk += 1;
            position.in_chunk = 0;
            self.offset(position.chunk)?;
        }
    }

    fn offset(&self, chunk: usize) -> Option<u64> {
        let offset = if self.has_long_offsets {
            u64_at(&self.offsets, chunk.checked_mul(8)?)?
        } else {
            u64::from(u32_at(&self.offsets, chunk.checked_mul(4)?)?)
        };
        Some(offset.saturating_add(self.base))
    }

    fn size(&self, sample: u64) -> Option<u32> {
        match &self.sizes {
            Sizes::Constant(size) => Some(*size),
            Sizes::Each(bits, table) => {
                let sample = usize::try_from(sample).ok()?;
                match bits {
                    4 => {
                        let pair = u32::from(*table.get(sample / 2)?);
                        Some(if sample % 2 == 0 {
                            pair >> 4
                        } else {
                            pair & 15
                        })
                    }
                    8 => table.get(sample).map(|size| u32::from(*size)),
                    16 => u16_at(table, sample.checked_mul(2)?).map(u32::from),
                    _ => u32_at(table, sample.checked_mul(4)?),
                }
            }
        }
    }

    fn time_entry(&self, entry: usize) -> (u32, i64) {
        let count = u32_at(&self.times, entry * 8).unwrap_or(0);
        // Some writers mean a negative number; time does not go back.
        let delta = u32_at(&self.times, entry * 8 + 4)
            .filter(|delta| *delta < 1 << 31)
            .unwrap_or(1);
        (count, i64::from(delta).saturating_mul(self.scale))
    }

    /// How many samples have the same delta from here on, and the delta. A table that is too short
    /// goes on as it ends.
    fn time_here(&self, position: &mut TablePosition) -> (u64, i64) {
        let entries = self.times.len() / 8;
        loop {
            if entries == 0 {
                return (u64::MAX, self.scale);
            }
            let (count, delta) = self.time_entry(position.time_entry);
            if position.time_entry + 1 >= entries {
                return (u64::MAX, delta);
            }
            if position.time_done < count {
                return (u64::from(count - position.time_done), delta);
            }
            position.time_entry += 1;
            position.time_done = 0;
        }
    }

    fn shift_here(&self, position: &mut TablePosition) -> (u64, i64) {
        loop {
            let at = position.shift_entry * 8;
            let (Some(count), Some(shift)) =
                (u32_at(&self.shifts, at), u32_at(&self.shifts, at + 4))
            else {
                return (u64::MAX, 0);
            };
            if position.shift_done < count {
                let shift = i64::from(shift as i32).saturating_mul(self.scale);
                return (u64::from(count - position.shift_done), shift);
            }
            position.shift_entry += 1;
            position.shift_done = 0;
        }
    }
}

/// `stsz` or `stz2`, and how many samples there are.
fn sizes(stbl: &[u8]) -> (Sizes, u64) {
    if let Some(body) = child(stbl, *b"stsz") {
        let size = u32_at(body, 4).unwrap_or(0);
        let count = u64::from(u32_at(body, 8).unwrap_or(0));
        if size > 0 {
            return (Sizes::Constant(size), count);
        }
        let table = body.get(12..).unwrap_or_default();
        return (
            Sizes::Each(32, table.to_vec()),
            count.min(table.len() as u64 / 4),
        );
    }
    let Some(body) = child(stbl, *b"stz2") else {
        return (Sizes::default(), 0);
    };
    let bits = u32::from(body.get(7).copied().unwrap_or(0));
    let count = u64::from(u32_at(body, 8).unwrap_or(0));
    let table = body.get(12..).unwrap_or_default();
    if ![4, 8, 16].contains(&bits) {
        return (Sizes::default(), 0);
    }
    let whole = table.len() as u64 * 8 / u64::from(bits);
    (Sizes::Each(bits, table.to_vec()), count.min(whole))
}
