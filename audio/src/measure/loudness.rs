//! Loudness by ITU-R BS.1770-5 and EBU R 128, in memory that does not grow but for one byte per
//! 100 ms, and eight more in the first hour.
//!
//! Everything is made of the K-weighted energies of stretches of 100 ms: four of them are a gating
//! block and a momentary value, thirty a short-term value (EBU Tech 3341). Gating and range (EBU Tech
//! 3342) work on histograms of 0.1 LU, but in the first hour the gate falls exactly where it belongs: in
//! a short recording a single block there can be worth half a LU. A recording shorter than a gating block is one block as long as
//! it is, because a word has a loudness, too.

use std::{f64::consts::PI, ops::Range};

use serde::{Deserialize, Serialize};

use crate::{Block, Spec};

/// Stretches in a gating block and in a momentary value; and in a short-term value.
const MOMENTARY: usize = 4;
const SHORT_TERM: usize = 30;
const ABSOLUTE_GATE_LUFS: f64 = -70.0;
const RELATIVE_GATE_LU: f64 = -10.0;
/// EBU Tech 3342 section 2: the gate of the range, and the percentiles between which it lies.
const RANGE_GATE_LU: f64 = -20.0;
const RANGE_PERCENTILES: (f64, f64) = (0.10, 0.95);

/// How the momentary loudness goes: a value every 100 ms, each over the 400 ms up to there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LoudnessCurve(pub Vec<u8>);

impl LoudnessCurve {
    pub const INTERVAL_MS: u32 = 100;
    /// The loudness that the byte 1 stands for, and the step to the next. 0 is anything below.
    pub const LOWEST_LUFS: f64 = -60.0;
    pub const STEP_LU: f64 = 0.25;

    fn push(&mut self, lufs: f64) {
        let step = ((lufs - Self::LOWEST_LUFS) / Self::STEP_LU).round() + 1.0;
        self.0.push(step.clamp(0.0, 255.0) as u8);
    }
}

/// What was measured. `None` where nothing is above the gates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loudness {
    pub integrated_lufs: Option<f64>,
    pub range_lu: Option<f64>,
    pub momentary_max_lufs: Option<f64>,
    pub short_term_max_lufs: Option<f64>,
    pub curve: LoudnessCurve,
}

pub(super) struct LoudnessMeter {
    filter: KFilter,
    channels: Vec<Channel>,
    stretch_frames: usize,
    frames_in_stretch: usize,
    /// Energies of the last stretches, oldest first.
    energies: std::collections::VecDeque<f64>,
    stretches: u64,
    blocks: Histogram,
    short_terms: Histogram,
    momentary_max: f64,
    short_term_max: f64,
    curve: LoudnessCurve,
}

struct Channel {
    weight: f64,
    filtered: Filtered,
    energy: f64,
}

impl LoudnessMeter {
    pub(super) fn new(spec: Spec) -> Self {
        let weights = spec.mask.loudness_weights(spec.channels);
        let channels = weights.into_iter().map(|weight| Channel {
            weight,
            filtered: Filtered::default(),
            energy: 0.0,
        });
        Self {
            filter: KFilter::new(f64::from(spec.sample_rate)),
            channels: channels.collect(),
            stretch_frames: (spec.sample_rate as usize + 5) / 10,
            frames_in_stretch: 0,
            energies: std::collections::VecDeque::with_capacity(SHORT_TERM),
            stretches: 0,
            blocks: Histogram::default(),
            short_terms: Histogram::default(),
            momentary_max: 0.0,
            short_term_max: 0.0,
            curve: LoudnessCurve::default(),
        }
    }

    pub(super) fn push(&mut self, block: &Block) {
        let frames = block.frames();
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + self.stretch_frames - self.frames_in_stretch);
            self.weigh(block, from..to);
            self.frames_in_stretch += to - from;
            from = to;
            if self.frames_in_stretch == self.stretch_frames {
                self.end_stretch();
            }
        }
    }

    /// Two channels at once: one alone leaves most of the processor waiting for its own last sample.
    fn weigh(&mut self, block: &Block, range: Range<usize>) {
        let filter = &self.filter;
        let heard = self.channels.iter_mut().zip(block.planes());
        let mut heard = heard.filter(|(channel, _)| channel.weight > 0.0);
        while let Some((first, plane)) = heard.next() {
            let samples = &plane[range.clone()];
            let Some((second, plane)) = heard.next() else {
                let [energy] = filter.energies([&mut first.filtered], [samples]);
                first.energy += energy;
                break;
            };
            let both = [&mut first.filtered, &mut second.filtered];
            let energies = filter.energies(both, [samples, &plane[range.clone()]]);
            first.energy += energies[0];
            second.energy += energies[1];
        }
    }

    fn end_stretch(&mut self) {
        let energy = self.take_energy();
        self.frames_in_stretch = 0;
        self.stretches += 1;
        if self.energies.len() == SHORT_TERM {
            self.energies.pop_front();
        }
        self.energies.push_back(energy);
        if self.energies.len() >= MOMENTARY {
            let power = self.power_of_last(MOMENTARY);
            self.blocks.add(power);
            self.momentary_max = self.momentary_max.max(power);
            self.curve.push(lufs(power));
        } else {
            let power = self.power_of_last(self.energies.len());
            self.curve.push(lufs(power));
        }
        if self.energies.len() == SHORT_TERM {
            let power = self.power_of_last(SHORT_TERM);
            self.short_terms.add(power);
            self.short_term_max = self.short_term_max.max(power);
        }
    }

    fn take_energy(&mut self) -> f64 {
        let weighted = |channel: &mut Channel| channel.weight * std::mem::take(&mut channel.energy);
        self.channels.iter_mut().map(weighted).sum()
    }

    fn power_of_last(&self, stretches: usize) -> f64 {
        let last = self.energies.iter().rev().take(stretches);
        last.sum::<f64>() / (stretches * self.stretch_frames) as f64
    }

    pub(super) fn finish(mut self) -> Loudness {
        if self.stretches < MOMENTARY as u64 {
            let rest = self.take_energy();
            let frames = self.stretches as usize * self.stretch_frames + self.frames_in_stretch;
            let power = (self.energies.iter().sum::<f64>() + rest) / frames.max(1) as f64;
            self.blocks.add(power);
            self.momentary_max = power;
        }
        if self.short_term_max == 0.0 {
            self.short_term_max = self.momentary_max;
        }
        let level = |power: f64| Some(lufs(power)).filter(|level| *level >= ABSOLUTE_GATE_LUFS);
        let integrated_lufs = self.blocks.gated_mean(RELATIVE_GATE_LU).map(lufs);
        Loudness {
            integrated_lufs,
            range_lu: integrated_lufs.map(|_| self.short_terms.range()),
            momentary_max_lufs: level(self.momentary_max),
            short_term_max_lufs: level(self.short_term_max),
            curve: self.curve,
        }
    }
}

/// BS.1770-5 formula 2.
fn lufs(power: f64) -> f64 {
    -0.691 + 10.0 * power.log10()
}

/// Powers above the absolute gate, by loudness in steps of 0.1 LU; the last step takes all that is
/// louder. The sums within a step are kept, so that a mean is exact but for where the gate cuts.
struct Histogram {
    steps: Vec<(u64, f64)>,
    /// One by one, if there are no more than [`Self::EXACT_MAX`].
    exact: Vec<f64>,
}

impl Histogram {
    const STEPS_PER_LU: f64 = 10.0;
    /// Up to +10 LUFS and some.
    const STEPS: usize = 1000;
    /// Blocks in an hour.
    const EXACT_MAX: usize = 36_000;

    fn add(&mut self, power: f64) {
        let loudness = lufs(power);
        if loudness < ABSOLUTE_GATE_LUFS {
            return;
        }
        let (count, sum) = &mut self.steps[Self::step(loudness)];
        *count += 1;
        *sum += power;
        // One more than that says that there were more.
        if self.exact.len() <= Self::EXACT_MAX {
            self.exact.push(power);
        }
    }

    fn step(loudness: f64) -> usize {
        let step = (loudness - ABSOLUTE_GATE_LUFS) * Self::STEPS_PER_LU;
        (step.max(0.0) as usize).min(Self::STEPS - 1)
    }

    /// The mean power of what is not more than `gate_lu` under the mean of all.
    fn gated_mean(&self, gate_lu: f64) -> Option<f64> {
        let all = mean(&self.steps)?;
        if self.exact.len() <= Self::EXACT_MAX {
            let threshold = all * 10f64.powf(gate_lu / 10.0);
            let loud = self.exact.iter().filter(|power| **power >= threshold);
            let (count, sum) = loud.fold((0u64, 0.0), |(n, sum), power| (n + 1, sum + power));
            return (count > 0).then(|| sum / count as f64);
        }
        mean(&self.steps[Self::step(lufs(all) + gate_lu)..])
    }

    fn range(&self) -> f64 {
        let Some(all) = mean(&self.steps) else {
            return 0.0;
        };
        let gate = Self::step(lufs(all) + RANGE_GATE_LU);
        let gated = &self.steps[gate..];
        let total: u64 = gated.iter().map(|(count, _)| count).sum();
        let at = |percentile: f64| {
            let wanted = (percentile * total.saturating_sub(1) as f64).round() as u64;
            let mut seen = 0;
            gated.iter().position(|(count, _)| {
                seen += count;
                seen > wanted
            })
        };
        match (at(RANGE_PERCENTILES.0), at(RANGE_PERCENTILES.1)) {
            (Some(low), Some(high)) => (high - low) as f64 / Self::STEPS_PER_LU,
            _ => 0.0,
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            steps: vec![(0, 0.0); Self::STEPS],
            exact: Vec::new(),
        }
    }
}

fn mean(steps: &[(u64, f64)]) -> Option<f64> {
    let count: u64 = steps.iter().map(|(count, _)| count).sum();
    let sum: f64 = steps.iter().map(|(_, sum)| sum).sum();
    (count > 0).then(|| sum / count as f64)
}

/// The K weighting of BS.1770-5 Annex 1: a shelf for the head, then a high-pass. The coefficients come
/// from the analogue parameters behind those that the standard gives for 48 kHz (B. De Man, 2018).
struct KFilter {
    shelf: Biquad,
    pass: Biquad,
}

/// Direct form I: nothing but one multiplication and one subtraction is between a result and the next.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
}

/// The last two samples of a channel: as they came, behind the shelf, behind both; the latest first.
#[derive(Clone, Copy, Default)]
struct Filtered {
    input: [f64; 2],
    shelved: [f64; 2],
    passed: [f64; 2],
}

impl KFilter {
    fn new(rate: f64) -> Self {
        let (f0, gain_db, q) = (1681.974450955533, 3.999843853973347, 0.7071752369554196);
        let k = (PI * f0 / rate).tan();
        let vh = 10f64.powf(gain_db / 20.0);
        let vb = vh.powf(0.4996667741545416);
        let a0 = 1.0 + k / q + k * k;
        let shelf = Biquad {
            b: [
                (vh + vb * k / q + k * k) / a0,
                2.0 * (k * k - vh) / a0,
                (vh - vb * k / q + k * k) / a0,
            ],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
        };
        let (f0, q) = (38.13547087602444, 0.5003270373238773);
        let k = (PI * f0 / rate).tan();
        let a0 = 1.0 + k / q + k * k;
        let pass = Biquad {
            b: [1.0, -2.0, 1.0],
            a: [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
        };
        Self { shelf, pass }
    }

    /// The energies of the weighted samples of equally long stretches.
    fn energies<const N: usize>(
        &self,
        filtered: [&mut Filtered; N],
        samples: [&[f32]; N],
    ) -> [f64; N] {
        let (s, p) = (&self.shelf, &self.pass);
        let last = |part: fn(&Filtered) -> [f64; 2], age: usize| -> [f64; N] {
            std::array::from_fn(|lane| part(filtered[lane])[age])
        };
        let (mut x1, mut x2) = (last(|f| f.input, 0), last(|f| f.input, 1));
        let (mut y1, mut y2) = (last(|f| f.shelved, 0), last(|f| f.shelved, 1));
        let (mut z1, mut z2) = (last(|f| f.passed, 0), last(|f| f.passed, 1));
        let mut energies = [0.0; N];
        let frames = samples
            .iter()
            .map(|samples| samples.len())
            .min()
            .unwrap_or(0);
        let samples = samples.map(|samples| &samples[..frames]);
        // All lanes in step by one index: that is what the compiler makes vectors of.
        #[allow(clippy::needless_range_loop)]
        for frame in 0..frames {
            let (mut x, mut y, mut z) = ([0.0; N], [0.0; N], [0.0; N]);
            for lane in 0..N {
                x[lane] = f64::from(samples[lane][frame]);
                y[lane] = s.b[0] * x[lane] + s.b[1] * x1[lane] + s.b[2] * x2[lane]
                    - s.a[1] * y2[lane]
                    - s.a[0] * y1[lane];
                z[lane] =
                    y[lane] - 2.0 * y1[lane] + y2[lane] - p.a[1] * z2[lane] - p.a[0] * z1[lane];
                energies[lane] += z[lane] * z[lane];
            }
            (x2, x1) = (x1, x);
            (y2, y1) = (y1, y);
            (z2, z1) = (z1, z);
        }
        // What dies away must not become a denormal number, which is slow.
        let settle = |state: [f64; 2]| state.map(|x| if x.abs() < 1e-30 { 0.0 } else { x });
        for (lane, filtered) in filtered.into_iter().enumerate() {
            filtered.input = [x1[lane], x2[lane]];
            filtered.shelved = settle([y1[lane], y2[lane]]);
            filtered.passed = settle([z1[lane], z2[lane]]);
        }
        energies
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ebur128::{EbuR128, Mode};

    use super::*;
    use crate::channels::ChannelMask;

    fn noise(frames: usize, seed: u32, level: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut state = seed;
        (0..frames)
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * level(i)
            })
            .collect()
    }

    fn measure(spec: Spec, planes: &[Vec<f32>], pieces: usize) -> Loudness {
        let mut meter = LoudnessMeter::new(spec);
        let all = Block::from_planes(planes.to_vec()).unwrap();
        let mut piece = Block::new(planes.len());
        for from in (0..all.frames()).step_by(pieces) {
            piece.clear();
            piece.append_range(&all, from..all.frames().min(from + pieces));
            meter.push(&piece);
        }
        meter.finish()
    }

    /// EBU Tech 3342 to the letter. ebur128's own looks once a second, which in a short signal misses
    /// much; ffmpeg gives what this does.
    fn range(mut short_terms: Vec<f64>) -> f64 {
        short_terms.retain(|level| *level >= ABSOLUTE_GATE_LUFS);
        let powers = short_terms.iter().map(|level| 10f64.powf(level / 10.0));
        let mean = powers.sum::<f64>() / short_terms.len() as f64;
        short_terms.retain(|level| *level >= 10.0 * mean.log10() - 20.0);
        short_terms.sort_by(f64::total_cmp);
        let at = |part: f64| short_terms[(part * (short_terms.len() - 1) as f64).round() as usize];
        at(0.95) - at(0.1)
    }

    #[test]
    fn it_agrees_with_ebur128() {
        for rate in [8_000, 11_025, 44_100, 48_000, 96_000, 192_000] {
            let frames = 12 * rate as usize + 77;
            let wander = |i: usize| 10f32.powf(-1.2 - (i as f32 / (rate as f32 * 1.7)).sin());
            let planes = vec![
                noise(frames, 1, wander),
                noise(frames, 2, |i| 0.5 * wander(i)),
            ];
            let spec = Spec {
                sample_rate: rate,
                channels: 2,
                mask: ChannelMask::usual(2),
            };
            let ours = measure(spec, &planes, 4800);
            let mut theirs = EbuR128::new(2, rate, Mode::I | Mode::S | Mode::HISTOGRAM).unwrap();
            let (mut momentary, mut short_terms) = (f64::MIN, Vec::new());
            let step = (rate as usize + 5) / 10;
            for (n, _) in planes[0].chunks_exact(step).enumerate() {
                let range = n * step..(n + 1) * step;
                theirs
                    .add_frames_planar_f32(&[&planes[0][range.clone()], &planes[1][range]])
                    .unwrap();
                if n + 1 >= MOMENTARY {
                    momentary = momentary.max(theirs.loudness_momentary().unwrap());
                }
                if n + 1 >= SHORT_TERM {
                    short_terms.push(theirs.loudness_shortterm().unwrap());
                }
            }
            let near = |ours: Option<f64>, theirs: f64, by: f64| {
                let ours = ours.unwrap();
                assert!((ours - theirs).abs() <= by, "{rate} Hz: {ours} {theirs}");
            };
            near(
                ours.integrated_lufs,
                theirs.loudness_global().unwrap(),
                0.02,
            );
            near(ours.momentary_max_lufs, momentary, 0.01);
            let short_term = short_terms.iter().copied().fold(f64::MIN, f64::max);
            near(ours.short_term_max_lufs, short_term, 0.01);
            near(ours.range_lu, range(short_terms), 0.2);
        }
    }

    #[test]
    fn pieces_of_any_length_give_the_same() {
        let spec = Spec {
            sample_rate: 44_100,
            channels: 1,
            mask: ChannelMask::usual(1),
        };
        let planes = [noise(50_000, 3, |_| 0.1)];
        let whole = measure(spec, &planes, 50_000);
        for pieces in [1, 441, 4_800] {
            let cut = measure(spec, &planes, pieces);
            let apart = cut.integrated_lufs.unwrap() - whole.integrated_lufs.unwrap();
            assert!(apart.abs() < 1e-9);
            assert_eq!(cut.curve, whole.curve);
        }
    }

    #[test]
    fn a_word_has_a_loudness_and_silence_has_none() {
        let spec = Spec {
            sample_rate: 48_000,
            channels: 1,
            mask: ChannelMask::usual(1),
        };
        let tone = |frames: usize| -> Vec<f32> {
            let sine = |i: usize| (2.0 * PI * 997.0 * i as f64 / 48_000.0).sin() as f32;
            (0..frames).map(|i| 0.1 * sine(i)).collect()
        };
        for frames in [480, 4_800, 14_400, 19_199, 19_200, 96_000] {
            let measured = measure(spec, &[tone(frames)], 4_800);
            let lufs = measured.integrated_lufs.unwrap();
            // BS.1770-5: 997 Hz at full scale in one channel is -3.01 LUFS. The filter's onset costs.
            let by = if frames < 4_800 { 1.0 } else { 0.1 };
            assert!((lufs - -23.01).abs() < by, "{frames} frames: {lufs}");
        }
        let silent = measure(spec, &[vec![0.0; 96_000]], 4_800);
        assert_eq!(
            (silent.integrated_lufs, silent.momentary_max_lufs),
            (None, None)
        );
        assert!(silent.curve.0.iter().all(|value| *value == 0));
    }

    #[test]
    fn channels_weigh_by_their_positions() {
        let weigh = |mask: u32, channels: u32, on: usize| {
            let spec = Spec {
                sample_rate: 48_000,
                channels,
                mask: ChannelMask::stated(mask, channels),
            };
            let mut planes = vec![vec![0.0; 48_000]; channels as usize];
            planes[on] = noise(48_000, 5, |_| 0.1);
            measure(spec, &planes, 4_800).integrated_lufs
        };
        let plain = weigh(0x4, 1, 0).unwrap();
        let check = |mask, channels, on, expected_db: f64| {
            let apart = weigh(mask, channels, on).unwrap() - plain;
            assert!(
                (apart - expected_db).abs() < 0.01,
                "{mask:#x} {on}: {apart}"
            );
        };
        check(0, 8, 7, 0.0);
        check(0, 16, 15, 0.0);
        check(0x3f, 6, 4, 1.49);
        check(0x60f, 6, 5, 1.49);
        check(0x63f, 8, 4, 0.0);
        assert_eq!(weigh(0x3f, 6, 3), None);
    }
}
