//! How fast a corrector is natively: the other half of `retake plugin bench --native`.
//!
//! A plugin's crate has `crate-type = ["cdylib", "rlib"]` and an example of this one line:
//!
//! ```no_run
//! # use retake_plugin_sdk::prelude::*;
//! # pub struct Gain;
//! # impl Corrector for Gain {
//! #     const FACTS: Facts = Facts::DEFAULT;
//! #     fn open(_: &Stream, _: &Settings) -> Result<Self, Refusal> { Ok(Self) }
//! # }
//! fn main() {
//!     retake_plugin_sdk::bench::run::<Gain>();
//! }
//! ```

use std::time::{Duration, Instant};

use crate::corrector::{Block, ChannelUse, Corrector, Facts, Refusal, Settings};
use crate::testing::correct;

/// As `retake plugin bench` does it with the plugin: this much of the same signal, in blocks of this
/// length, the best of runs that take so much time together, within bounds.
const SECONDS: usize = 10;
const BLOCK_FRAMES: usize = 4800;
const RUNS: std::ops::Range<usize> = 5..200;
const RUNS_TIME: Duration = Duration::from_millis(500);
const USUAL_HZ: u32 = 48_000;

/// Corrects a made voice at the defaults, in one and in two channels, and prints the figures as one line
/// of JSON.
///
/// # Panics
///
/// If the corrector refuses the signal or breaks the contract.
pub fn run<C: Corrector>() {
    let rate = rate::<C>();
    let factor = |channels| match times_realtime::<C>(rate, channels) {
        Ok(factor) => format!("{factor:.3}"),
        Err(refusal) => panic!("the signal was refused: {}", refusal.message),
    };
    let one_only = C::FACTS.channels == ChannelUse::Linked && C::FACTS.max_channels == 1;
    let stereo = if one_only {
        "null".to_owned()
    } else {
        factor(2)
    };
    println!(
        "{{\"plugin\":\"{}\",\"rate\":{rate},\"mono\":{},\"stereo\":{stereo}}}",
        C::FACTS.id,
        factor(1)
    );
}

/// Seconds of audio per second of CPU time.
fn times_realtime<C: Corrector>(rate: u32, channels: u32) -> Result<f64, Refusal> {
    let frames = rate as usize * SECONDS;
    let input: Block = (0..channels).map(|c| voice(rate, frames, 1 + c)).collect();
    let settings = Settings::defaults::<C>();
    let mut best = Duration::MAX;
    let mut spent = Duration::ZERO;
    for run in 0..RUNS.end {
        if run >= RUNS.start && spent > RUNS_TIME {
            break;
        }
        let start = Clock::start();
        if C::FACTS.channels == ChannelUse::Linked {
            std::hint::black_box(correct::<C>(rate, &settings, &input, BLOCK_FRAMES)?);
        } else {
            for channel in &input {
                let alone = vec![channel.clone()];
                std::hint::black_box(correct::<C>(rate, &settings, &alone, BLOCK_FRAMES)?);
            }
        }
        let took = start.elapsed();
        spent += took;
        best = best.min(took);
    }
    Ok(SECONDS as f64 / best.as_secs_f64().max(1e-9))
}

/// CPU time of this thread where the system tells it (Linux), so that other load does not count; else
/// time that passes.
struct Clock {
    cpu_ns: Option<u64>,
    start: Instant,
}

impl Clock {
    fn start() -> Self {
        Self {
            cpu_ns: thread_cpu_ns(),
            start: Instant::now(),
        }
    }

    fn elapsed(&self) -> Duration {
        match (self.cpu_ns, thread_cpu_ns()) {
            (Some(start), Some(end)) if end > start => Duration::from_nanos(end - start),
            _ => self.start.elapsed(),
        }
    }
}

/// The first number of proc(5) schedstat: nanoseconds spent on the CPU.
fn thread_cpu_ns() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok()
}

/// 48 kHz, or what the host would resample that to.
fn rate<C: Corrector>() -> u32 {
    let Facts { sample_rates, .. } = C::FACTS;
    if sample_rates.is_empty() || sample_rates.contains(&USUAL_HZ) {
        return USUAL_HZ;
    }
    let higher = sample_rates
        .iter()
        .copied()
        .filter(|hz| *hz > USUAL_HZ)
        .min();
    let highest = sample_rates.iter().copied().max();
    higher.or(highest).unwrap_or(USUAL_HZ)
}

/// A buzz in syllables, with pauses, over faint noise: what the kit plays to plugins.
fn voice(rate: u32, frames: usize, seed: u32) -> Vec<f32> {
    let pitch_hz = 110.0 + 23.0 * (seed % 8) as f32;
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let (mut phase, mut low) = (0.0f32, 0.0f32);
    let mut next = |n: usize| {
        // xorshift32 (Marsaglia 2003)
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let hiss = 1e-3 * ((state >> 8) as f32 / 8_388_608.0 - 1.0);
        let time = n as f32 / rate as f32;
        phase = (phase + pitch_hz / rate as f32).fract();
        let syllable = (time * 9.0).sin().max(0.0);
        low += 0.3 * ((0.5 - phase) * syllable - low);
        0.7 * low + hiss
    };
    (0..frames).map(&mut next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corrector::Stream;

    struct Picky;

    impl Corrector for Picky {
        const FACTS: Facts = Facts {
            sample_rates: &[16_000, 96_000, 192_000],
            ..Facts::DEFAULT
        };

        fn open(stream: &Stream, _: &Settings) -> Result<Self, Refusal> {
            assert_eq!(stream.sample_rate, 96_000);
            Ok(Self)
        }
    }

    #[test]
    fn a_corrector_is_measured_at_a_rate_that_it_works_at() {
        assert_eq!(rate::<Picky>(), 96_000);
        assert!(times_realtime::<Picky>(96_000, 2).is_ok_and(|factor| factor > 0.0));
    }
}
