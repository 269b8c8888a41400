//! What a step did to the level: its input against its output, window by window.
//!
//! Both are cut into windows of 0.1 s. A window's level is its power less its own mean (so that an
//! offset taken away is no loss of level), as the mean over all channels. Windows of the input count
//! as *heard* where they are above [`SILENCE_DBFS`] and no more than [`GATE_DB`] under the mean of
//! those that are: the two gates of ITU-R BS.1770-4 on plain power. The change of level is that of
//! the heard windows, before and after: a denoiser that empties the pauses has not changed it.
//!
//! Memory does not grow with length but for one number per window by which the output lags behind.

use std::collections::VecDeque;

use crate::{Block, Spec};

/// Windows per second.
const WINDOWS_PER_S: u32 = 10;
/// Windows under this count as silent. As in BS.1770-4.
const SILENCE_DBFS: f64 = -70.0;
/// The relative gate of BS.1770-4, in dB under the mean.
const GATE_DB: f64 = 10.0;
/// A window that fell by more than this has lost what was in it.
const LOST_DB: f64 = 40.0;
/// Levels are sorted into bins of 1 dB from [`SILENCE_DBFS`] up; the last takes all that is louder.
const BINS: usize = 128;

/// Compares what goes into a step with what comes out. Give both in order, in blocks of any length.
pub struct ChangeMeter {
    before: Side,
    after: Side,
    /// Powers of the input's windows whose output has not come yet.
    waiting: VecDeque<f64>,
    bins: Vec<Bin>,
}

/// What was measured. Levels are `None` where there is no signal to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    pub before: Level,
    pub after: Level,
    /// Mean power of the heard windows of the input, dBFS (a full-scale sine is -3).
    pub heard_dbfs: Option<f64>,
    /// How the level of the heard windows changed, in dB; not below [`Change::GONE_DB`].
    pub level_db: Option<f64>,
    /// The part of the heard windows that fell by more than 40 dB, 0.0 to 1.0.
    pub lost: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Level {
    /// Power over the whole length, not gated, without each window's own mean.
    pub rms_dbfs: Option<f64>,
    /// The highest sample of any channel; 1.0 is full scale.
    pub peak: f32,
    /// The mean of the channel where it is farthest from nothing.
    pub offset: f64,
}

impl Change {
    /// What stands for a level that fell to nothing.
    pub const GONE_DB: f64 = -120.0;
}

#[derive(Clone, Copy, Default)]
struct Bin {
    windows: u64,
    lost: u64,
    before: f64,
    after: f64,
}

impl ChangeMeter {
    pub fn new(spec: Spec) -> Self {
        Self {
            before: Side::new(spec),
            after: Side::new(spec),
            waiting: VecDeque::new(),
            bins: vec![Bin::default(); BINS],
        }
    }

    pub fn before(&mut self, block: &Block) {
        let waiting = &mut self.waiting;
        self.before
            .push(block, &mut |power| waiting.push_back(power));
    }

    pub fn after(&mut self, block: &Block) {
        let Self {
            after,
            waiting,
            bins,
            ..
        } = self;
        after.push(block, &mut |power| pair(bins, waiting.pop_front(), power));
    }

    pub fn finish(mut self) -> Change {
        let last = self.before.end_window();
        self.waiting.extend(last);
        if let Some(power) = self.after.end_window() {
            pair(&mut self.bins, self.waiting.pop_front(), power);
        }
        let (windows, power) = total(&self.bins, |bin| bin.before);
        let gate = decibels(power / windows as f64).map_or(BINS, |mean| bin_of(mean - GATE_DB));
        let heard = self.bins.get(gate..).unwrap_or_default();
        let (windows, before) = total(heard, |bin| bin.before);
        let (_, after) = total(heard, |bin| bin.after);
        let lost: u64 = heard.iter().map(|bin| bin.lost).sum();
        let heard_dbfs = decibels(before / windows as f64);
        Change {
            before: self.before.level(),
            after: self.after.level(),
            heard_dbfs,
            level_db: heard_dbfs.map(|_| {
                decibels(after / before).map_or(Change::GONE_DB, |db| db.max(Change::GONE_DB))
            }),
            lost: lost as f64 / windows.max(1) as f64,
        }
    }
}

/// Notes a window of the output beside the input's. One that has no counterpart says nothing.
fn pair(bins: &mut [Bin], before: Option<f64>, after: f64) {
    let Some(before) = before else { return };
    if before < power_of(SILENCE_DBFS) {
        return;
    }
    let bin = &mut bins[decibels(before).map_or(0, bin_of)];
    bin.windows += 1;
    bin.before += before;
    bin.after += after;
    bin.lost += u64::from(after < before * power_of(-LOST_DB));
}

fn total(bins: &[Bin], power: impl Fn(&Bin) -> f64) -> (u64, f64) {
    let windows = bins.iter().map(|bin| bin.windows).sum();
    (windows, bins.iter().map(power).sum())
}

fn bin_of(dbfs: f64) -> usize {
    ((dbfs - SILENCE_DBFS).max(0.0) as usize).min(BINS - 1)
}

fn power_of(db: f64) -> f64 {
    10f64.powf(db / 10.0)
}

/// `None` for no power, and for the mean of nothing.
fn decibels(power: f64) -> Option<f64> {
    (power > 0.0).then(|| 10.0 * power.log10())
}

/// One of the two signals.
struct Side {
    window_frames: usize,
    frames_in_window: usize,
    channels: Vec<Channel>,
    frames: u64,
    /// Of all windows, each weighted by its frames.
    energy: f64,
    peak: f32,
}

#[derive(Clone, Default)]
struct Channel {
    /// Of the window.
    sum: f64,
    squares: f64,
    /// Of the whole.
    total: f64,
}

impl Side {
    fn new(spec: Spec) -> Self {
        Self {
            window_frames: (spec.sample_rate / WINDOWS_PER_S).max(1) as usize,
            frames_in_window: 0,
            channels: vec![Channel::default(); spec.channels as usize],
            frames: 0,
            energy: 0.0,
            peak: 0.0,
        }
    }

    fn push(&mut self, block: &Block, ended: &mut dyn FnMut(f64)) {
        let frames = block.frames();
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + self.window_frames - self.frames_in_window);
            for (channel, samples) in self.channels.iter_mut().zip(block.planes()) {
                let sums = Sums::of(&samples[from..to]);
                channel.sum += sums.sum;
                channel.squares += sums.squares;
                self.peak = self.peak.max(sums.peak);
            }
            self.frames_in_window += to - from;
            from = to;
            if self.frames_in_window == self.window_frames
                && let Some(power) = self.end_window()
            {
                ended(power);
            }
        }
    }

    /// The window's power, if it has begun.
    fn end_window(&mut self) -> Option<f64> {
        let frames = std::mem::take(&mut self.frames_in_window);
        if frames == 0 {
            return None;
        }
        let mut power = 0.0;
        for channel in &mut self.channels {
            let mean = channel.sum / frames as f64;
            power += (channel.squares / frames as f64 - mean * mean).max(0.0);
            channel.total += channel.sum;
            (channel.sum, channel.squares) = (0.0, 0.0);
        }
        power /= self.channels.len() as f64;
        self.frames += frames as u64;
        self.energy += power * frames as f64;
        Some(power)
    }

    fn level(&self) -> Level {
        let means = self
            .channels
            .iter()
            .map(|channel| channel.total / self.frames.max(1) as f64);
        Level {
            rms_dbfs: decibels(self.energy / self.frames as f64),
            peak: self.peak,
            offset: means
                .max_by(|a, b| a.abs().total_cmp(&b.abs()))
                .unwrap_or(0.0),
        }
    }
}

struct Sums {
    sum: f64,
    squares: f64,
    peak: f32,
}

impl Sums {
    fn of(samples: &[f32]) -> Self {
        // Lanes of their own, or the compiler has to keep the order of a single sum.
        const LANES: usize = 8;
        let (mut sums, mut squares) = ([0.0f64; LANES], [0.0f64; LANES]);
        let mut peaks = [0.0f32; LANES];
        let (runs, rest) = samples.as_chunks::<LANES>();
        for run in runs {
            for lane in 0..LANES {
                let sample = f64::from(run[lane]);
                sums[lane] += sample;
                squares[lane] += sample * sample;
                let size = run[lane].abs();
                // Not f32::max, which cares for numbers that are none: there are none here.
                peaks[lane] = if size > peaks[lane] {
                    size
                } else {
                    peaks[lane]
                };
            }
        }
        for (lane, sample) in rest.iter().enumerate() {
            sums[lane] += f64::from(*sample);
            squares[lane] += f64::from(*sample).powi(2);
            peaks[lane] = peaks[lane].max(sample.abs());
        }
        Self {
            sum: sums.iter().sum(),
            squares: squares.iter().sum(),
            peak: peaks.into_iter().fold(0.0, f32::max),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SPEC: Spec = Spec {
        sample_rate: 8_000,
        channels: 2,
        mask: crate::channels::ChannelMask::NONE,
    };

    /// A tone of `level` on an offset, both channels alike.
    fn tone(frames: usize, level: f32, offset: f32) -> Block {
        Block::from_fn(2, frames, |_, n| {
            offset + level * (n as f32 * std::f32::consts::TAU / 20.0).sin()
        })
    }

    fn compare(before: &Block, after: &Block, pieces: usize) -> Change {
        let mut meter = ChangeMeter::new(SPEC);
        // The output lags behind by a few pieces, as that of a step does.
        let cut = |block: &Block, n: usize| -> Block {
            let end = block.frames().min((n + 1) * pieces);
            let mut piece = Block::new(2);
            piece.append_range(block, (n * pieces).min(end)..end);
            piece
        };
        let count = before.frames().max(after.frames()).div_ceil(pieces);
        for n in 0..count + 3 {
            meter.before(&cut(before, n));
            if let Some(late) = n.checked_sub(3) {
                meter.after(&cut(after, late));
            }
        }
        meter.finish()
    }

    #[test]
    fn a_gain_is_measured_whatever_the_blocks_and_the_offset() {
        for db in [-60.0f32, -6.0, 0.0, 20.0] {
            let factor = 10f32.powf(db / 20.0);
            for (offset, pieces) in [(0.0, 1), (0.3, 333), (-0.3, 8_192)] {
                let before = tone(20_000, 0.1, offset);
                let change = compare(&before, &tone(20_000, 0.1 * factor, 0.0), pieces);
                let level_db = change.level_db.unwrap();
                assert!((level_db - f64::from(db)).abs() < 0.01, "{db}: {level_db}");
                assert!((change.heard_dbfs.unwrap() - -23.01).abs() < 0.05);
                assert!((change.before.offset - f64::from(offset)).abs() < 1e-3);
                assert!((change.after.peak - 0.1 * factor).abs() < 0.005 * factor);
            }
        }
    }

    #[test]
    fn pauses_do_not_count_and_their_emptying_is_no_loss() {
        // A tone, a pause with noise 30 dB below it, a tone.
        let (loud, quiet) = (tone(8_000, 0.1, 0.0), tone(24_000, 0.003, 0.0));
        let with = |pause: Block| -> Block {
            let mut whole = loud.clone();
            whole.append(&pause);
            whole.append(&loud);
            whole
        };
        let change = compare(&with(quiet), &with(tone(24_000, 0.0, 0.0)), 4_800);
        assert!(change.level_db.unwrap().abs() < 1e-6, "{change:?}");
        assert_eq!(change.lost, 0.0);
        let rms = |level: Level| level.rms_dbfs.unwrap();
        assert!(rms(change.before) - rms(change.after) < 0.1);
    }

    #[test]
    fn what_went_missing_is_counted_by_windows() {
        let before = tone(80_000, 0.1, 0.0);
        let mut after = before.clone();
        after
            .planes_mut()
            .for_each(|plane| plane[20_000..40_000].fill(0.0));
        let change = compare(&before, &after, 4_800);
        assert!((change.lost - 0.25).abs() < 1e-9, "{change:?}");
        after.planes_mut().for_each(|plane| plane.fill(0.0));
        let change = compare(&before, &after, 4_800);
        assert_eq!((change.lost, change.level_db), (1.0, Some(Change::GONE_DB)));
    }

    #[test]
    fn silence_has_no_level_to_change() {
        for (before, after) in [(0.0, 0.0), (0.0, 0.5), (1e-4, 1.0)] {
            let change = compare(&tone(9_000, before, 0.2), &tone(9_000, after, 0.0), 4_800);
            assert_eq!((change.heard_dbfs, change.level_db), (None, None));
            assert_eq!(change.lost, 0.0);
        }
        let nothing = compare(&tone(0, 0.0, 0.0), &tone(0, 0.0, 0.0), 1);
        assert_eq!((nothing.before, nothing.level_db), (Level::default(), None));
    }
}
