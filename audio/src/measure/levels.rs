//! What single channels are like, and how they go together: levels, offsets, correlation, flat tops.

use crate::{Block, Spec, block::magnitude_max};

/// Levels of windows of 100 ms are sorted into bins of this many to a dB, from this level up.
const BINS_PER_DB: f64 = 2.0;
const LOWEST_DBFS: f64 = -120.0;
const BINS: usize = 280;
/// The part of the windows under which the noise floor lies.
const FLOOR_PERCENTILE: f64 = 0.10;
/// A stretch of so many equal samples is flat: no signal of its own does that.
const FLAT_FRAMES_MIN: u32 = 3;
/// Flat stretches below this are quiet passages of few bits.
const FLAT_LEVEL_MIN: f32 = 0.25;
const FLAT_BINS: usize = 4096;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    pub channels: Vec<ChannelLevel>,
    /// Of each channel with the next one, -1.0 to 1.0; `None` where one is silent.
    pub correlations: Vec<Option<f64>>,
    /// All channels are the same, sample by sample.
    pub is_identical: bool,
    /// The level that a tenth of all windows of 100 ms stays under; windows of digital silence do not
    /// count. dBFS, mean over the channels.
    pub noise_floor_dbfs: Option<f64>,
    /// The mean level of the windows that are not more than 10 dB under the mean, dBFS.
    pub heard_dbfs: Option<f64>,
    pub clipping: Option<Clipping>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ChannelLevel {
    /// Without the mean. `None` is digital silence.
    pub rms_dbfs: Option<f64>,
    pub mean: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clipping {
    pub stretches: u64,
    pub level: f64,
}

pub(super) struct LevelMeter {
    window_frames: usize,
    frames_in_window: usize,
    channels: Vec<Channel>,
    products: Vec<f64>,
    frames: u64,
    differs: bool,
    bins: Vec<(u64, f64)>,
}

#[derive(Clone)]
struct Channel {
    window: Sums,
    total: Sums,
    flat: Flat,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    sum: f64,
    squares: f64,
}

impl LevelMeter {
    pub(super) fn new(spec: Spec) -> Self {
        let channels = spec.channels as usize;
        Self {
            window_frames: (spec.sample_rate as usize + 5) / 10,
            frames_in_window: 0,
            channels: vec![
                Channel {
                    window: Sums::default(),
                    total: Sums::default(),
                    flat: Flat::new(),
                };
                channels
            ],
            products: vec![0.0; channels.saturating_sub(1)],
            frames: 0,
            differs: false,
            bins: vec![(0, 0.0); BINS],
        }
    }

    pub(super) fn push(&mut self, block: &Block) {
        let frames = block.frames();
        for (pair, product) in self.products.iter_mut().enumerate() {
            let (a, b) = (block.plane(pair), block.plane(pair + 1));
            *product += dot(a, b);
            self.differs |= a != b;
        }
        for (channel, plane) in self.channels.iter_mut().zip(block.planes()) {
            channel.flat.push(plane);
        }
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + self.window_frames - self.frames_in_window);
            for (channel, plane) in self.channels.iter_mut().zip(block.planes()) {
                channel.window.add(&plane[from..to]);
            }
            self.frames_in_window += to - from;
            from = to;
            if self.frames_in_window == self.window_frames {
                self.end_window(true);
            }
        }
        self.frames += frames as u64;
    }

    /// A window at the end that is not full has no level worth comparing, unless it is the only one.
    fn end_window(&mut self, counts: bool) {
        let frames = std::mem::take(&mut self.frames_in_window) as f64;
        if frames == 0.0 {
            return;
        }
        let mut power = 0.0;
        for channel in &mut self.channels {
            let Sums { sum, squares } = std::mem::take(&mut channel.window);
            let mean = sum / frames;
            power += (squares / frames - mean * mean).max(0.0);
            channel.total.sum += sum;
            channel.total.squares += squares;
        }
        power /= self.channels.len() as f64;
        if counts && let Some(level) = decibels(power) {
            let bin = ((level - LOWEST_DBFS).max(0.0) * BINS_PER_DB) as usize;
            let bin = &mut self.bins[bin.min(BINS - 1)];
            bin.0 += 1;
            bin.1 += power;
        }
    }

    pub(super) fn finish(mut self) -> Levels {
        let is_only = self.frames < self.window_frames as u64;
        self.end_window(is_only);
        let frames = self.frames.max(1) as f64;
        let channels: Vec<_> = self
            .channels
            .iter()
            .map(|channel| {
                let mean = channel.total.sum / frames;
                ChannelLevel {
                    rms_dbfs: decibels(channel.total.squares / frames - mean * mean),
                    mean,
                }
            })
            .collect();
        let correlations = self.products.iter().enumerate().map(|(pair, product)| {
            let (a, b) = (channels[pair], channels[pair + 1]);
            let (a_dbfs, b_dbfs) = (a.rms_dbfs?, b.rms_dbfs?);
            let covariance = product / frames - a.mean * b.mean;
            Some((covariance / 10f64.powf((a_dbfs + b_dbfs) / 20.0)).clamp(-1.0, 1.0))
        });
        Levels {
            correlations: correlations.collect(),
            is_identical: channels.len() > 1 && !self.differs && self.frames > 0,
            noise_floor_dbfs: self.noise_floor(),
            heard_dbfs: self.heard(),
            clipping: self.clipping(),
            channels,
        }
    }

    fn noise_floor(&self) -> Option<f64> {
        let total: u64 = self.bins.iter().map(|(count, _)| count).sum();
        let wanted = (total as f64 * FLOOR_PERCENTILE) as u64;
        let mut seen = 0;
        self.bins.iter().find_map(|(count, sum)| {
            seen += count;
            (seen > wanted).then(|| decibels(sum / *count as f64))?
        })
    }

    fn heard(&self) -> Option<f64> {
        let mean = |bins: &[(u64, f64)]| {
            let count: u64 = bins.iter().map(|(count, _)| count).sum();
            decibels(bins.iter().map(|(_, sum)| sum).sum::<f64>() / count.max(1) as f64)
        };
        let gate = ((mean(&self.bins)? - 10.0 - LOWEST_DBFS).max(0.0) * BINS_PER_DB) as usize;
        mean(&self.bins[gate.min(BINS - 1)..])
    }

    /// Flat stretches at the highest level that has any, if it is near the highest sample.
    fn clipping(&self) -> Option<Clipping> {
        let clipped = self
            .channels
            .iter()
            .filter_map(|channel| channel.flat.clipping());
        clipped.reduce(|a, b| Clipping {
            stretches: a.stretches + b.stretches,
            level: a.level.max(b.level),
        })
    }
}

impl Sums {
    fn add(&mut self, samples: &[f32]) {
        // Lanes of their own, or the compiler has to keep the order of a single sum.
        const LANES: usize = 8;
        let (mut sums, mut squares) = ([0.0f64; LANES], [0.0f64; LANES]);
        let (runs, rest) = samples.as_chunks::<LANES>();
        for run in runs {
            for lane in 0..LANES {
                let sample = f64::from(run[lane]);
                sums[lane] += sample;
                squares[lane] += sample * sample;
            }
        }
        for sample in rest {
            sums[0] += f64::from(*sample);
            squares[0] += f64::from(*sample).powi(2);
        }
        self.sum += sums.iter().sum::<f64>();
        self.squares += squares.iter().sum::<f64>();
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0f64; LANES];
    let (a_runs, a_rest) = a.as_chunks::<LANES>();
    let (b_runs, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_runs.iter().zip(b_runs) {
        for lane in 0..LANES {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let rest = a_rest.iter().zip(b_rest);
    sums.iter().sum::<f64>()
        + rest
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum::<f64>()
}

/// Stretches of equal samples, by their level. Both polarities count together: a converter clips
/// above and below alike.
#[derive(Clone)]
struct Flat {
    last: f32,
    equal: u32,
    peak: f32,
    counts: Vec<u32>,
}

impl Flat {
    fn new() -> Self {
        Self {
            last: 0.0,
            equal: 0,
            peak: 0.0,
            counts: Vec::new(),
        }
    }

    fn push(&mut self, samples: &[f32]) {
        // Most runs have nothing loud in them, which is quickly seen.
        for run in samples.chunks(64) {
            let peak = magnitude_max(run);
            self.peak = if peak > self.peak { peak } else { self.peak };
            if peak < FLAT_LEVEL_MIN {
                self.end();
                self.last = 0.0;
                continue;
            }
            if !self.may_be_flat_in(run) {
                self.end();
                (self.last, self.equal) = match run {
                    [.., before, last] => (*last, 1 + u32::from(before == last)),
                    _ => (run[0], 1),
                };
                continue;
            }
            for &x in run {
                if x == self.last {
                    self.equal += 1;
                } else {
                    self.end();
                    self.last = x;
                    self.equal = 1;
                }
            }
        }
    }

    /// Whether there is a flat stretch in the run or into it, quickly.
    fn may_be_flat_in(&self, run: &[f32]) -> bool {
        let triples = run.iter().zip(run.iter().skip(1)).zip(run.iter().skip(2));
        let is_flat = triples.fold(false, |any, ((a, b), c)| any | ((a == b) & (b == c)));
        is_flat || run[0] == self.last
    }

    fn end(&mut self) {
        let level = self.last.abs();
        if self.equal >= FLAT_FRAMES_MIN && level >= FLAT_LEVEL_MIN {
            if self.counts.is_empty() {
                self.counts.resize(FLAT_BINS, 0);
            }
            let bin = (level * (FLAT_BINS / 2) as f32) as usize;
            let count = &mut self.counts[bin.min(FLAT_BINS - 1)];
            *count = count.saturating_add(1);
        }
        self.equal = 0;
    }

    fn clipping(&self) -> Option<Clipping> {
        /// Fewer may be chance.
        const STRETCHES_MIN: u64 = 3;
        /// Under the highest sample by more than this it is no ceiling: 0.5 dB.
        const NEAR: f32 = 0.944;
        let from = (self.peak * NEAR * (FLAT_BINS / 2) as f32) as usize;
        let near = self.counts.get(from.min(FLAT_BINS)..)?;
        let stretches = near.iter().map(|count| u64::from(*count)).sum();
        (stretches >= STRETCHES_MIN).then_some(Clipping {
            stretches,
            level: f64::from(self.peak),
        })
    }
}

fn decibels(power: f64) -> Option<f64> {
    (power > 1e-20).then(|| 10.0 * power.log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stretches sample by sample.
    fn flat_stretches(samples: &[f32]) -> u32 {
        let stretches = samples.chunk_by(|a, b| a == b);
        let flat = stretches.filter(|stretch| stretch.len() >= 3 && stretch[0].abs() >= 0.25);
        flat.count() as u32
    }

    #[test]
    fn flat_stretches_are_counted_wherever_they_begin_and_end() {
        let mut state = 1u32;
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for _ in 0..200 {
            // Of few levels, so that many neighbours are equal; some of the runs without any.
            let levels = 3 + random(60);
            let samples: Vec<f32> = (0..64 * 20)
                .map(|_| random(levels) as f32 / levels as f32 + 0.25)
                .collect();
            let mut flat = Flat::new();
            // The meter looks at runs of 64 from where it is.
            let pieces = 1 + random(300) as usize;
            samples.chunks(pieces).for_each(|piece| flat.push(piece));
            flat.end();
            assert_eq!(flat.counts.iter().sum::<u32>(), flat_stretches(&samples));
        }
    }
}
