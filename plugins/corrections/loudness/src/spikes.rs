//! Impossible samples: what stands so far out of everything around it, and so briefly, that no sound in
//! a room can be it. A broken cable, a bad packet or a driver makes them, and one of them would hold the
//! gain of a whole recording down.
//!
//! A spike is over within 0.4 ms, is ten times as high as what is within 6 ms on both sides of it, and
//! four times as high as all else in half a second. What is within full scale must stand in a signal,
//! and rarely: a click in digital silence, or a row of clicks, is somebody's intent. Spikes are found in
//! the first pass and replaced by a curve between their neighbours; the second pass puts the same
//! samples in.

/// Levels are looked at in cells of a millisecond, …
const CELLS_PER_S: u32 = 1000;
/// … and no fewer frames than these.
const CELL_FRAMES_MIN: usize = 8;
/// Cells looked at beside a cell and its neighbours, on either side. Of all of them the third highest
/// counts: there may be another spike.
const BESIDE: usize = 5;
const BESIDE_RANK: usize = 2;

/// A spike's height against what is beside it, …
const ABOVE_BESIDE: f32 = 10.0;
/// … and against the loudest of the stretch, other spikes apart.
const ABOVE_ALL: f32 = 4.0;
/// What belongs to it: all that is at least this part of it, and so many times what is beside it.
const OF_IT: f32 = 1.0 / 8.0;
const OF_BESIDE: f32 = 3.0;
/// It is no longer than this.
const LONGEST_S: f32 = 0.0004;
const LONGEST_FRAMES_MIN: usize = 4;
/// Replaced on either side of it, too.
const GUARD_S: f32 = 0.00004;

/// Above this it cannot be meant, …
const IMPOSSIBLE: f32 = 1.5;
/// … and below it must stand in a signal, at least so high somewhere in the stretch, with no more than
/// so many others.
const SIGNAL_MIN: f32 = 1e-5;
const RARE: usize = 8;

/// Most that are replaced in a channel: a bound for memory, far beyond what is worth repairing.
const REPAIRS_MAX: usize = 2000;

/// Samples of a channel that take the place of others.
#[derive(Debug, Clone, PartialEq)]
pub struct Repair {
    pub at: u64,
    pub samples: Vec<f32>,
}

/// What is known of where a spike could be: its cell, and the level beside it.
#[derive(Clone, Copy)]
struct Candidate {
    cell: usize,
    beside: f32,
}

pub struct Finder {
    pub cell_frames: usize,
    longest_frames: usize,
    guard_frames: usize,
}

/// What the finder is shown of a channel: samples, and the peak of each cell of them.
pub struct Stretch<'a> {
    pub samples: &'a mut [f32],
    pub peaks: &'a mut [f32],
    /// The frame of the recording that the first sample is.
    pub first: u64,
}

impl Finder {
    pub fn new(rate_hz: u32) -> Self {
        let rate = rate_hz as f32;
        Self {
            cell_frames: ((rate_hz / CELLS_PER_S) as usize).max(CELL_FRAMES_MIN),
            longest_frames: ((rate * LONGEST_S) as usize).max(LONGEST_FRAMES_MIN),
            guard_frames: ((rate * GUARD_S) as usize).max(1),
        }
    }

    /// Replaces the spikes in these cells of the stretch and adds to `repairs`, and to `highest` the
    /// height of what it replaced.
    pub fn repair(
        &self,
        stretch: &mut Stretch<'_>,
        cells: std::ops::Range<usize>,
        repairs: &mut Vec<Repair>,
        highest: &mut f32,
    ) {
        let is_candidate = |cell: usize| self.candidate(stretch.peaks, cell);
        if !cells.clone().any(|cell| is_candidate(cell).is_some()) {
            return;
        }
        let around: Vec<_> = (0..stretch.peaks.len()).filter_map(is_candidate).collect();
        let spikes: Vec<_> = around
            .iter()
            .filter_map(|&candidate| Some((candidate, self.extent(stretch, candidate)?)))
            .collect();
        let is_spike = |cell: usize| {
            let near = |(spike, _): &(Candidate, _)| spike.cell.abs_diff(cell) <= 1;
            spikes.iter().any(near)
        };
        let others = stretch.peaks.iter().enumerate();
        let loudest = others
            .filter(|&(cell, _)| !is_spike(cell))
            .fold(0.0, |loudest: f32, (_, &peak)| loudest.max(peak));
        for (spike, extent) in &spikes {
            let height = stretch.peaks[spike.cell];
            let meant = spikes.len() > RARE || loudest < SIGNAL_MIN;
            let impossible = height > IMPOSSIBLE || !meant;
            let stands_out = height > ABOVE_ALL * loudest;
            let room = repairs.len() < REPAIRS_MAX;
            if cells.contains(&spike.cell) && impossible && stands_out && room {
                *highest = highest.max(height);
                repairs.push(self.replace(stretch, extent.clone()));
            }
        }
    }

    /// The peak of each cell of these samples; the last may be short.
    pub fn peaks(&self, samples: &[f32]) -> impl Iterator<Item = f32> {
        samples
            .chunks(self.cell_frames)
            .map(crate::true_peak::sample_peak)
    }

    fn candidate(&self, peaks: &[f32], cell: usize) -> Option<Candidate> {
        let height = peaks[cell];
        let before = &peaks[cell.saturating_sub(BESIDE + 1)..cell.saturating_sub(1)];
        let after = &peaks[(cell + 2).min(peaks.len())..(cell + 2 + BESIDE).min(peaks.len())];
        let is_highest = cell.checked_sub(1).is_none_or(|cell| peaks[cell] <= height)
            && peaks.get(cell + 1).is_none_or(|&peak| peak < height);
        if !is_highest || height <= SIGNAL_MIN {
            return None;
        }
        let mut highest = [0.0f32; BESIDE_RANK + 1];
        for &peak in before.iter().chain(after) {
            let mut peak = peak;
            for place in &mut highest {
                if peak > *place {
                    std::mem::swap(place, &mut peak);
                }
            }
        }
        let beside = highest[BESIDE_RANK];
        (height > ABOVE_BESIDE * beside).then_some(Candidate { cell, beside })
    }

    /// The frames of a candidate, if they are few enough.
    fn extent(
        &self,
        stretch: &Stretch<'_>,
        candidate: Candidate,
    ) -> Option<std::ops::Range<usize>> {
        let first = candidate.cell.saturating_sub(1) * self.cell_frames;
        let end = ((candidate.cell + 2) * self.cell_frames).min(stretch.samples.len());
        let least = (OF_IT * stretch.peaks[candidate.cell]).max(OF_BESIDE * candidate.beside);
        let high = |sample: &f32| sample.abs() >= least;
        let samples = &stretch.samples[first..end];
        let from = samples.iter().position(high)?;
        let to = samples.iter().rposition(high)? + 1;
        (to - from <= self.longest_frames).then_some(first + from..first + to)
    }

    fn replace(&self, stretch: &mut Stretch<'_>, extent: std::ops::Range<usize>) -> Repair {
        let from = extent.start.saturating_sub(self.guard_frames);
        let to = (extent.end + self.guard_frames).min(stretch.samples.len());
        bridge(stretch.samples, from..to);
        let cells = from / self.cell_frames..(to - 1) / self.cell_frames + 1;
        for cell in cells {
            let first = cell * self.cell_frames;
            let end = (first + self.cell_frames).min(stretch.samples.len());
            stretch.peaks[cell] = crate::true_peak::sample_peak(&stretch.samples[first..end]);
        }
        Repair {
            at: stretch.first + from as u64,
            samples: stretch.samples[from..to].to_vec(),
        }
    }
}

/// A cubic from what is before to what is after, with their slopes; at an end, what the other side has.
fn bridge(samples: &mut [f32], gap: std::ops::Range<usize>) {
    let before = gap.start.checked_sub(1).map(|at| samples[at]);
    let after = samples.get(gap.end).copied();
    let (start, end) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (Some(one), None) | (None, Some(one)) => (one, one),
        (None, None) => (0.0, 0.0),
    };
    let slope = |a: Option<usize>, b: usize| match (a.and_then(|a| samples.get(a)), samples.get(b))
    {
        (Some(a), Some(b)) if before.is_some() && after.is_some() => b - a,
        _ => 0.0,
    };
    let length = (gap.len() + 1) as f32;
    let rise = slope(gap.start.checked_sub(2), gap.start.wrapping_sub(1)) * length;
    let fall = slope(Some(gap.end), gap.end + 1) * length;
    for (place, sample) in samples[gap].iter_mut().enumerate() {
        let t = (place + 1) as f32 / length;
        let (t2, t3) = (t * t, t * t * t);
        *sample = (2.0 * t3 - 3.0 * t2 + 1.0) * start
            + (t3 - 2.0 * t2 + t) * rise
            + (3.0 * t2 - 2.0 * t3) * end
            + (t3 - t2) * fall;
    }
}

/// Puts a channel's repairs into the samples that pass by.
pub struct Mender {
    repairs: Vec<Repair>,
    /// The first that is not wholly in yet.
    next: usize,
    done: u64,
}

impl Mender {
    pub fn new(mut repairs: Vec<Repair>) -> Self {
        repairs.sort_by_key(|repair| repair.at);
        Self {
            repairs,
            next: 0,
            done: 0,
        }
    }

    pub fn run(&mut self, samples: &mut [f32]) {
        let end = self.done + samples.len() as u64;
        while let Some(repair) = self.repairs.get(self.next).filter(|repair| repair.at < end) {
            let skipped = self.done.saturating_sub(repair.at) as usize;
            let from = repair.at.saturating_sub(self.done) as usize;
            let put = &repair.samples[skipped.min(repair.samples.len())..];
            for (sample, &put) in samples[from..].iter_mut().zip(put) {
                *sample = put;
            }
            if repair.at + repair.samples.len() as u64 > end {
                break;
            }
            self.next += 1;
        }
        self.done = end;
    }
}
