//! Talks at random: of any level, length, rate and layout, with hiss and impossible samples. Each ends
//! on its target or says why not, and a meter that is not ours says whether the reason was deserved.
//!
//! `RETAKE_TALKS=1000` makes it as many; `benches/talks` does.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use ebur128::{Channel, EbuR128, Mode};
use retake_plugin_sdk::testing::correct_placed;

use super::*;

/// What the result may be off its target, and the report off the result.
const OFF_LU: f64 = 0.1;
const UNTRUE_LU: f64 = 0.05;
/// A peak may be over the ceiling by what rounding to 32 bits is worth, no more.
const OVER_DB: f64 = 0.001;
/// `too-peaky` is deserved where a plain limiter whose true peaks are under the ceiling is not on target
/// either while it takes less than this.
const DRIVEN_DB: f64 = 2.5;
/// `gate` is deserved where a block of the result lies this near to the relative gate.
const AT_THE_GATE_LU: f64 = 0.3;

/// A small generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.next() * (high - low)
    }

    fn one_of<T: Copy>(&mut self, them: &[T]) -> T {
        them[(self.next() * them.len() as f64) as usize]
    }
}

struct Talk {
    rate: u32,
    places: &'static [u32],
    dual_mono: bool,
    target: f64,
    ceiling: f64,
    max_gain: f64,
    /// As it was said, and as it was recorded: with the spikes.
    clean: Block,
    spiked: Block,
}

impl Talk {
    fn new(seed: u64, long: bool) -> Self {
        let mut random = Random(seed);
        random.next();
        let rate = random.one_of(&RATES);
        let longest: f64 = if long { 600.0 } else { 20.0 };
        let seconds = random.between(0.3f64.ln(), longest.ln()).exp() as f32;
        let level = 10f64.powf(random.between(-60.0, 0.0) / 20.0) as f32;
        let hiss = level * 10f64.powf(random.between(-70.0, -20.0) / 20.0) as f32;
        let places: &[u32] = match (random.next() * 10.0) as usize {
            0..6 => &[0x4],
            6..9 => &[0x1, 0x2],
            _ => &[0x1, 0x2, 0x4, 0x8, 0x10, 0x20],
        };
        let voice = speech(rate, seconds, level);
        let channel = |(at, _)| -> Vec<f32> {
            let balance = [1.0f32, 0.7, 0.9, 0.5, 0.1, 0.2][at];
            let hisses = noise(voice.len(), seed as u32 * 6 + at as u32 + 1);
            let both = voice.iter().zip(hisses);
            both.map(|(s, n)| balance * s + hiss * n).collect()
        };
        let clean: Block = places.iter().enumerate().map(channel).collect();
        let (mut spiked, mut spikes) = (clean.clone(), Vec::new());
        for _ in 0..(random.next() * 4.0) as usize {
            let at = (random.next() * voice.len() as f64) as usize;
            let channel = (random.next() * places.len() as f64) as usize;
            let height = level * 10f64.powf(random.between(30.0, 70.0) / 20.0) as f32;
            // Two within a few milliseconds are a knock and no impossible sample any more.
            let alone = spikes
                .iter()
                .all(|&other: &usize| at.abs_diff(other) > rate as usize / 200);
            if alone {
                spiked[channel][at] = height;
                spikes.push(at);
            }
        }
        Self {
            rate,
            places,
            dual_mono: places.len() == 1 && random.next() < 0.2,
            target: random.one_of(&[-16.0, -19.0, -23.0, -14.0]),
            ceiling: random.one_of(&[-1.5, -1.5, -1.0, -2.0, -3.0, -6.0, -9.0]),
            max_gain: random.one_of(&[40.0, 40.0, 40.0, 10.0, 20.0, 60.0]),
            clean,
            spiked,
        }
    }

    fn settings(&self) -> Settings {
        settings(self.target, self.ceiling)
            .with(&MAX_GAIN_DB, self.max_gain)
            .with(&DUAL_MONO, self.dual_mono)
    }

    /// By libebur128. It knows nothing shorter than a block: there, what a block of it and of silence
    /// before it has, less the silence.
    fn lufs(&self, audio: &Block) -> f64 {
        let channels = audio.len() as u32;
        let mut meter = EbuR128::new(channels, self.rate, Mode::I).unwrap();
        if self.dual_mono {
            meter.set_channel(0, Channel::DualMono).unwrap();
        }
        let (block, frames) = (self.block_frames(), audio[0].len());
        let silence = vec![0.0f32; block.saturating_sub(frames)];
        meter
            .add_frames_planar_f32(&vec![silence.as_slice(); audio.len()])
            .unwrap();
        let planar: Vec<&[f32]> = audio.iter().map(Vec::as_slice).collect();
        meter.add_frames_planar_f32(&planar).unwrap();
        if frames < block {
            let less = 10.0 * (block as f64 / frames as f64).log10();
            meter.loudness_momentary().unwrap() + less
        } else {
            meter.loudness_global().unwrap()
        }
    }

    fn block_frames(&self) -> usize {
        (self.rate as usize + 5) / 10 * 4
    }

    /// Of every block, by libebur128.
    fn blocks(&self, audio: &Block) -> Vec<f64> {
        let mut meter = EbuR128::new(audio.len() as u32, self.rate, Mode::M).unwrap();
        if self.dual_mono {
            meter.set_channel(0, Channel::DualMono).unwrap();
        }
        let hop = self.block_frames() / 4;
        let hops = audio[0].len() / hop;
        let mut momentary = |at: usize| {
            let range = at * hop..(at + 1) * hop;
            let planar: Vec<&[f32]> = audio.iter().map(|one| &one[range.clone()]).collect();
            meter.add_frames_planar_f32(&planar).unwrap();
            meter.loudness_momentary().unwrap()
        };
        (0..hops).map(&mut momentary).skip(3).collect()
    }

    fn run(&self) -> Result<Verdict, String> {
        let (output, report) = correct_placed::<Loudness>(
            self.rate,
            &self.settings(),
            &self.spiked,
            4800,
            self.places,
        )
        .unwrap();
        let theirs = true_peak_db(self.rate, &output);
        let over = highest_peak_db(&output).max(theirs) - self.ceiling;
        if over > OVER_DB {
            return Err(format!("{over:.3} dB over the ceiling ({theirs:.3})"));
        }
        let reached = self.lufs(&output);
        let told = report.get("reached").unwrap_or(f64::NEG_INFINITY);
        if (reached - told).abs() > UNTRUE_LU && reached > -69.9 {
            return Err(format!("reached {reached:.3}, told {told:.3}"));
        }
        let off = (reached - self.target).abs();
        match report.get_text("why-not") {
            Some(why) => {
                self.deserves(why, &output)
                    .map_err(|because| format!("{why}, off {off:.3}: {because}"))?;
                Ok(Verdict {
                    off: 0.0,
                    over,
                    why_not: Some(why.to_owned()),
                })
            }
            None if off > OFF_LU => Err(format!("off by {:.3} LU", reached - self.target)),
            None => Ok(Verdict {
                off,
                over,
                why_not: None,
            }),
        }
    }

    fn deserves(&self, why: &str, output: &Block) -> Result<(), String> {
        let lufs = self.lufs(&self.clean);
        let wished = self.target - lufs;
        let gate = -70.0 - (self.max_gain - 40.0).max(0.0);
        let deserved = match why {
            "silent" => lufs < gate + OFF_LU,
            "max-gain" => wished > self.max_gain - OFF_LU,
            "too-peaky" => {
                let gain_db = wished + DRIVEN_DB;
                let driven = limited(&self.clean, self.rate, gain_db, self.ceiling);
                let over = (highest_peak_db(&driven) - self.ceiling).max(0.0);
                let driven = limited(&self.clean, self.rate, gain_db, self.ceiling - over);
                let reached = self.lufs(&driven);
                if reached >= self.target {
                    return Err(format!("a plain limiter reaches {reached:.2}"));
                }
                true
            }
            "gate" => {
                let gate = self.relative_gate(output);
                let nearest = self
                    .blocks(output)
                    .iter()
                    .map(|block| (block - gate).abs())
                    .fold(f64::MAX, f64::min);
                if nearest > AT_THE_GATE_LU {
                    return Err(format!("no block nearer to the gate than {nearest:.2} LU"));
                }
                true
            }
            _ => false,
        };
        let because = || {
            format!(
                "it is at {lufs:.2}, {wished:.2} dB wished for, {} the most",
                self.max_gain
            )
        };
        deserved.then_some(()).ok_or_else(because)
    }

    fn relative_gate(&self, audio: &Block) -> f64 {
        let powers = self
            .blocks(audio)
            .into_iter()
            .filter(|block| *block >= -70.0)
            .map(|block| 10f64.powf(block / 10.0));
        let (blocks, power) = powers.fold((0.0, 0.0), |(n, sum), power| (n + 1.0, sum + power));
        10.0 * (power / blocks).log10() - 10.0
    }

    fn words(&self) -> String {
        let frames = self.clean[0].len();
        format!(
            "{} Hz x{}, {:.2} s ({frames} frames), {:.2} LUFS, target {}, ceiling {}, most {} dB{}",
            self.rate,
            self.places.len(),
            frames as f64 / f64::from(self.rate),
            self.lufs(&self.clean),
            self.target,
            self.ceiling,
            self.max_gain,
            if self.dual_mono { ", dual mono" } else { "" }
        )
    }
}

struct Verdict {
    off: f64,
    over: f64,
    why_not: Option<String>,
}

fn highest_peak_db(audio: &Block) -> f64 {
    let peaks = audio.iter().map(|channel| reference_peak_db(channel));
    peaks.fold(f64::NEG_INFINITY, f64::max)
}

/// A gain and a brickwall behind it: down in full 5 ms around every sample over the ceiling, and back
/// with 50 ms.
fn limited(audio: &Block, rate: u32, gain_db: f64, ceiling: f64) -> Block {
    let gain = 10f64.powf(gain_db / 20.0) as f32;
    let ceiling = 10f64.powf(ceiling / 20.0) as f32;
    let frames = audio[0].len();
    let ahead = rate as usize / 200;
    let release = (-1.0 / (0.05 * f64::from(rate))).exp() as f32;
    let mut factors: Vec<f32> = (0..frames)
        .map(|n| {
            let peak = audio
                .iter()
                .fold(0.0f32, |peak, one| peak.max(one[n].abs()));
            (ceiling / (peak * gain)).min(1.0)
        })
        .collect();
    // Straight down before a peak, at such a slope that it takes the look-ahead.
    let slope = 1.0 / ahead as f32;
    for n in (0..frames.saturating_sub(1)).rev() {
        factors[n] = factors[n].min(factors[n + 1] + slope);
    }
    let mut down = 0.0f32;
    for factor in &mut factors {
        down = (down * release).max(1.0 - *factor);
        *factor = 1.0 - down;
    }
    each(audio, |n, s| s * gain * factors[n])
}

#[test]
fn talks_of_any_level_length_and_rate_end_on_target_or_say_why_not() {
    let talks = std::env::var("RETAKE_TALKS").map_or(60, |talks| talks.parse().unwrap());
    let from = std::env::var("RETAKE_TALKS_FROM").map_or(0, |from| from.parse().unwrap());
    let next = AtomicU64::new(from);
    let work = || {
        let mut done = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + talks {
                return done;
            }
            let talk = Talk::new(seed, (talks > 100 || from > 0) && seed.is_multiple_of(50));
            let verdict = talk.run();
            done.push(verdict.map_err(|what| format!("talk {seed}: {what}; {}", talk.words())));
        }
    };
    let done: Vec<Result<Verdict, String>> = std::thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads
            .into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    let mut told = BTreeMap::<String, usize>::new();
    let (mut worst, mut highest) = (0.0f64, f64::NEG_INFINITY);
    for verdict in done.iter().flatten() {
        worst = worst.max(verdict.off);
        highest = highest.max(verdict.over);
        if let Some(why) = &verdict.why_not {
            *told.entry(why.clone()).or_default() += 1;
        }
    }
    let wrong: Vec<&String> = done.iter().filter_map(|one| one.as_ref().err()).collect();
    println!(
        "{talks} talks: worst {worst:.3} LU off, highest peak {highest:+.3} dB over the ceiling, why-nots {told:?}, wrong {}",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}
