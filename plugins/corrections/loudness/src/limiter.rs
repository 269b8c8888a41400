//! A look-ahead limiter on the true peak: the last word on the ceiling. The gain over time that comes
//! before it leaves it little to do; what it does catch lies between the samples, or at an edge.
//!
//! Every frame's peak, points between samples included, says how far the gain must come down there.
//! Such a demand is held for the length of the look-ahead, let go exponentially, and smoothed by two
//! moving averages that together are as long as the look-ahead: so the gain is down in full when the
//! peak comes, for as long as the interpolation filter around it reaches, and bends without corners.
//!
//! Demands are whole numbers, so that the averages' running sums are exact: after any peak the gain
//! comes back to exactly 1, and the limiter to doing nothing.

use std::collections::VecDeque;

use retake_plugin_sdk::prelude::Block;

use crate::true_peak::{Interpolator, sample_peak};

/// How long before a peak the gain begins to fall.
const LOOK_AHEAD_S: f64 = 0.005;
/// Time constant of its return.
const RELEASE_S: f64 = 0.04;
/// The gain between the samples of a peak is not quite constant, and above 0.49 of the rate peaks are
/// read a little low; this covers what that can do.
pub const MARGIN: f32 = 0.9772; // -0.2 dB

/// The whole of a signal, as a demand.
const ONE: f64 = (1u32 << 30) as f64;

/// Frames looked at together; most are clear of the ceiling.
const RUN: usize = 64;

pub struct Limiter {
    interpolator: Interpolator,
    ceiling: f32,
    latency: usize,
    /// Per channel the last `latency` frames of input.
    held: Block,
    hold: Hold,
    /// The demand after its release, and the factor by which it falls per frame, in 2^-32.
    released: u64,
    release: u64,
    averages: [Average; 2],
    demand_max: f32,
}

impl Limiter {
    pub fn new(rate_hz: u32, channels: usize, ceiling: f32) -> Self {
        let interpolator = Interpolator::new(rate_hz);
        let reach = Interpolator::REACH;
        let average = ((f64::from(rate_hz) * LOOK_AHEAD_S / 2.0) as usize).max(4);
        // From a demand's frame until the averages are full of it and the filter's reach has passed;
        // then as much again on the other side.
        let delay = 2 * average - 2 + reach + 1;
        let latency = delay + reach;
        let release = (-1.0 / (RELEASE_S * f64::from(rate_hz))).exp();
        Self {
            interpolator,
            ceiling: ceiling * MARGIN,
            latency,
            held: vec![vec![0.0; latency]; channels],
            hold: Hold::new(delay + reach + 2),
            released: 0,
            release: (release * 2f64.powi(32)) as u64,
            averages: [Average::new(average), Average::new(average)],
            demand_max: 0.0,
        }
    }

    pub fn latency(&self) -> usize {
        self.latency
    }

    /// The strongest reduction so far, in dB: 0 or more.
    pub fn reduction_max_db(&self) -> f64 {
        -20.0 * f64::from(1.0 - self.demand_max).log10()
    }

    /// Takes a block and gives back as many frames, `latency` frames late.
    pub fn run(&mut self, mut block: Block) -> Block {
        for (held, channel) in self.held.iter_mut().zip(&block) {
            held.extend_from_slice(channel);
        }
        let frames = block[0].len();
        let mut gains = [1.0f32; RUN];
        for first in (0..frames).step_by(RUN) {
            let run = first..frames.min(first + RUN);
            let limited = self.gains(run.clone(), &mut gains[..run.len()]);
            for (held, channel) in self.held.iter().zip(&mut block) {
                let (out, held) = (&mut channel[run.clone()], &held[run.clone()]);
                out.copy_from_slice(held);
                if limited {
                    out.iter_mut()
                        .zip(&gains)
                        .for_each(|(out, gain)| *out *= gain);
                }
            }
        }
        for held in &mut self.held {
            held.drain(..frames);
        }
        block
    }

    /// The gains for the run's output frames. `false`: all are 1.
    fn gains(&mut self, run: std::ops::Range<usize>, gains: &mut [f32]) -> bool {
        // The frames whose points are all known now that the run's input is there.
        let reach = Interpolator::REACH;
        let first = self.latency + run.start - 2 * reach;
        let around = first..first + run.len() + 2 * reach;
        let sample_peak = self
            .held
            .iter()
            .map(|held| sample_peak(&held[around.clone()]))
            .fold(0.0, f32::max);
        let clear = sample_peak * self.interpolator.overshoot_max() <= self.ceiling;
        if clear && self.is_idle() {
            return false;
        }
        let mut peaks = [0.0; RUN];
        let peaks = &mut peaks[..run.len()];
        if !clear {
            for held in &self.held {
                self.interpolator
                    .peaks(&held[around.clone()], peaks, self.ceiling);
            }
        }
        for (gain, &peak) in gains.iter_mut().zip(&*peaks) {
            let demand = if peak > self.ceiling {
                1.0 - self.ceiling / peak
            } else {
                0.0
            };
            self.demand_max = self.demand_max.max(demand);
            // Rounded up: a demand is met in full.
            let demand = (f64::from(demand) * ONE).ceil() as u64;
            let held = self.hold.step(demand);
            self.released = held.max((self.released * self.release) >> 32);
            let [first, second] = &mut self.averages;
            let smooth = second.step(first.step(self.released));
            let scale = 1.0 / (first.len() as f64 * second.len() as f64 * ONE);
            *gain = (1.0 - smooth as f64 * scale) as f32;
        }
        true
    }

    fn is_idle(&self) -> bool {
        self.hold.is_idle() && self.released == 0 && self.averages.iter().all(Average::is_idle)
    }
}

/// The largest of the last so many demands.
struct Hold {
    frames: u64,
    now: u64,
    /// Falling demands and when they came: all that can still become the largest.
    candidates: VecDeque<(u64, u64)>,
}

impl Hold {
    fn new(frames: usize) -> Self {
        Self {
            frames: frames as u64,
            now: 0,
            candidates: VecDeque::with_capacity(frames),
        }
    }

    fn is_idle(&self) -> bool {
        self.candidates.is_empty()
    }

    fn step(&mut self, demand: u64) -> u64 {
        self.now += 1;
        if demand > 0 {
            while self
                .candidates
                .back()
                .is_some_and(|&(_, other)| other <= demand)
            {
                self.candidates.pop_back();
            }
            self.candidates.push_back((self.now, demand));
        }
        while self
            .candidates
            .front()
            .is_some_and(|&(came, _)| came + self.frames <= self.now)
        {
            self.candidates.pop_front();
        }
        self.candidates.front().map_or(0, |&(_, demand)| demand)
    }
}

/// The sum of the last so many values.
struct Average {
    values: Vec<u64>,
    next: usize,
    sum: u64,
}

impl Average {
    fn new(frames: usize) -> Self {
        Self {
            values: vec![0; frames],
            next: 0,
            sum: 0,
        }
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn is_idle(&self) -> bool {
        self.sum == 0
    }

    fn step(&mut self, value: u64) -> u64 {
        self.sum += value;
        self.sum -= std::mem::replace(&mut self.values[self.next], value);
        self.next = if self.next + 1 == self.values.len() {
            0
        } else {
            self.next + 1
        };
        self.sum
    }
}
