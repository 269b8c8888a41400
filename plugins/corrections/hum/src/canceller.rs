//! The second pass: measures the lines around every moment and subtracts them.
//!
//! Time goes in hops of 50 ms. At each boundary between two hops every line's phasor is measured
//! under a Hann window over both, against an oscillator that follows the mains frequency. A second
//! and a half later enough is known of the surroundings to say which part of it is steady.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use retake_mains::Finding;

use crate::line::{Phasor, steady};

/// Hops per second. A window of two hops has its zeros at multiples of 10 Hz: on all other harmonics.
const HOPS_PER_S: f64 = 20.0;
/// Boundaries on each side of a moment from which its lines are estimated: 1.5 s.
const REACH: usize = 30;
/// Part of the time for which a harmonic must have been there to be reported.
const PRESENT_PART: f64 = 0.25;
/// Hops per point of the report's curve.
const HOPS_PER_POINT: u64 = 20;

pub struct Canceller {
    finding: Finding,
    sample_rate: f64,
    hop_frames: usize,
    /// Input that is not yet a whole hop.
    held: Vec<f32>,
    hops: VecDeque<Hop>,
    /// Phasors per boundary; the front belongs to boundary `first_boundary`.
    boundaries: VecDeque<Vec<Phasor>>,
    first_boundary: u64,
    /// The falling half of the last boundary's window has yet to come.
    rising: Vec<Phasor>,
    /// Oscillator phase of the fundamental in turns, where the next hop begins.
    turns: f64,
    hops_in: u64,
    hops_out: u64,
    /// Lines at the boundary where the next hop out begins.
    lines: Option<Vec<Phasor>>,
    ready: VecDeque<f32>,
    ended: bool,
    tally: Tally,
}

struct Hop {
    frames: Vec<f32>,
    turns: f64,
    turns_per_frame: f64,
}

impl Canceller {
    pub fn new(sample_rate: u32, finding: Finding) -> Self {
        let sample_rate = f64::from(sample_rate);
        let lines = finding.harmonics.len();
        Self {
            sample_rate,
            hop_frames: (sample_rate / HOPS_PER_S).round() as usize,
            held: Vec::new(),
            hops: VecDeque::new(),
            boundaries: VecDeque::new(),
            first_boundary: 0,
            rising: vec![Phasor::default(); lines],
            turns: 0.0,
            hops_in: 0,
            hops_out: 0,
            lines: None,
            ready: VecDeque::new(),
            ended: false,
            tally: Tally::new(lines),
            finding,
        }
    }

    pub fn finding(&self) -> &Finding {
        &self.finding
    }

    pub fn push(&mut self, input: &[f32]) {
        self.held.extend_from_slice(input);
        while self.held.len() >= self.hop_frames {
            let rest = self.held.split_off(self.hop_frames);
            let frames = std::mem::replace(&mut self.held, rest);
            self.measure(frames);
            self.correct();
        }
    }

    /// No more input: what is held is corrected with what is known.
    pub fn end(&mut self) {
        if self.ended {
            return;
        }
        self.ended = true;
        let rest = std::mem::take(&mut self.held);
        if rest.is_empty() {
            self.correct();
            return;
        }
        // Silence would bend the last phasors: the last hop is subtracted from, not measured.
        let hop = self.next_hop(rest);
        self.hops.push_back(hop);
        self.correct();
    }

    pub fn take(&mut self, max_frames: usize) -> Vec<f32> {
        let frames = max_frames.min(self.ready.len());
        self.ready.drain(..frames).collect()
    }

    fn next_hop(&mut self, frames: Vec<f32>) -> Hop {
        let time_s = (self.hops_in as f64 + 0.5) * self.hop_frames as f64 / self.sample_rate;
        let turns_per_frame = self.finding.hz_at(time_s) / self.sample_rate;
        let hop = Hop {
            frames,
            turns: self.turns,
            turns_per_frame,
        };
        self.turns = (self.turns + turns_per_frame * self.hop_frames as f64).fract();
        self.hops_in += 1;
        hop
    }

    /// Takes a hop in: it completes one boundary's window and begins the next.
    fn measure(&mut self, frames: Vec<f32>) {
        let hop = self.next_hop(frames);
        let count = self.finding.harmonics.len();
        let (mut whole, mut rising) = (vec![[0f32; 2]; count], vec![[0f32; 2]; count]);
        let mut oscillators = Oscillators::new(&hop, &self.finding.harmonics);
        let turn = std::f64::consts::PI / self.hop_frames as f64;
        for (index, &sample) in hop.frames.iter().enumerate() {
            let rise = (0.5 - 0.5 * (turn * (index as f64 + 0.5)).cos()) as f32;
            for ((at, whole), rising) in oscillators.at.iter().zip(&mut whole).zip(&mut rising) {
                let (re, im) = (sample * at[0], -sample * at[1]);
                whole[0] += re;
                whole[1] += im;
                rising[0] += rise * re;
                rising[1] += rise * im;
            }
            oscillators.step();
        }
        // The two halves of the window add up to the frames of one hop; a sine of amplitude 1 has
        // half of it at its own frequency.
        let scale = 2.0 / self.hop_frames as f64;
        let phasors = (0..count)
            .map(|line| {
                let part = |axis: usize| scale * f64::from(whole[line][axis] - rising[line][axis]);
                let before = self.rising[line];
                Phasor {
                    re: before.re + part(0),
                    im: before.im + part(1),
                }
            })
            .collect();
        self.rising = rising
            .iter()
            .map(|sum| Phasor {
                re: scale * f64::from(sum[0]),
                im: scale * f64::from(sum[1]),
            })
            .collect();
        // The first boundary's window began before the recording did: half of it is all there is.
        if self.hops_in > 1 {
            self.boundaries.push_back(phasors);
        } else {
            self.first_boundary = 1;
        }
        self.hops.push_back(hop);
    }

    /// Puts out every hop whose surroundings are known.
    fn correct(&mut self) {
        while !self.hops.is_empty() {
            let last = self.first_boundary + self.boundaries.len() as u64;
            let known = self.hops_out + 1 + (REACH as u64) < last;
            if !known && !self.ended {
                return;
            }
            let begin = match self.lines.take() {
                Some(lines) => lines,
                None => self.lines_at(self.hops_out),
            };
            let end = self.lines_at(self.hops_out + 1);
            if let Some(hop) = self.hops.pop_front() {
                self.subtract(&hop, &begin, &end);
            }
            self.lines = Some(end);
            self.hops_out += 1;
            while self.first_boundary + (REACH as u64) < self.hops_out + 1 {
                self.boundaries.pop_front();
                self.first_boundary += 1;
            }
        }
    }

    /// The steady lines at a boundary.
    fn lines_at(&self, boundary: u64) -> Vec<Phasor> {
        if self.boundaries.is_empty() {
            return vec![Phasor::default(); self.finding.harmonics.len()];
        }
        let middle = boundary.saturating_sub(self.first_boundary) as usize;
        let first = middle.saturating_sub(REACH);
        let last = self.boundaries.len().min(middle + REACH + 1);
        let first = first.min(last - 1);
        (0..self.finding.harmonics.len())
            .map(|line| {
                let points: Vec<Phasor> = self
                    .boundaries
                    .range(first..last)
                    .map(|at| at[line])
                    .collect();
                steady(&points, middle - first, REACH)
            })
            .collect()
    }

    fn subtract(&mut self, hop: &Hop, begin: &[Phasor], end: &[Phasor]) {
        let mut oscillators = Oscillators::new(hop, &self.finding.harmonics);
        let per_frame = 1.0 / self.hop_frames as f32;
        let (mut lines, steps): (Vec<[f32; 2]>, Vec<[f32; 2]>) = begin
            .iter()
            .zip(end)
            .map(|(begin, end)| {
                let step = |from: f64, to: f64| (to - from) as f32 * per_frame;
                (
                    [begin.re as f32, begin.im as f32],
                    [step(begin.re, end.re), step(begin.im, end.im)],
                )
            })
            .unzip();
        for sample in &hop.frames {
            let mut hum = 0f32;
            for ((line, step), at) in lines.iter_mut().zip(&steps).zip(&oscillators.at) {
                hum += line[0] * at[0] - line[1] * at[1];
                line[0] += step[0];
                line[1] += step[1];
            }
            self.ready.push_back(sample - hum);
            oscillators.step();
        }
        self.tally.add(end);
    }

    /// RMS level in dB of each harmonic that was there at least for a part of the time.
    pub fn levels_db(&self) -> Vec<(usize, f64)> {
        let hops = self.tally.hops.max(1) as f64;
        self.finding
            .harmonics
            .iter()
            .zip(&self.tally.power)
            .zip(&self.tally.present)
            .filter(|(_, present)| f64::from(**present) >= PRESENT_PART * hops)
            .map(|((harmonic, power), _)| (*harmonic, 10.0 * (0.5 * power / hops).log10()))
            .collect()
    }

    /// RMS level of all that was subtracted.
    pub fn removed_db(&self) -> f64 {
        let power: f64 = self.tally.power.iter().sum();
        10.0 * (0.5 * power / self.tally.hops.max(1) as f64).log10()
    }

    /// The subtracted hum's level over time: frames per point, points.
    pub fn curve_db(&self) -> (f64, Vec<f32>) {
        (
            self.hop_frames as f64 * HOPS_PER_POINT as f64,
            self.tally.points.clone(),
        )
    }
}

/// One oscillator per line, turning together: their exact phase at each hop's start, then rotation.
struct Oscillators {
    at: Vec<[f32; 2]>,
    turn: Vec<[f32; 2]>,
}

impl Oscillators {
    fn new(hop: &Hop, harmonics: &[usize]) -> Self {
        let unit = |turns: f64| {
            let (sin, cos) = (TAU * turns.fract()).sin_cos();
            [cos as f32, sin as f32]
        };
        let each = |turns: f64| harmonics.iter().map(|&k| unit(turns * k as f64)).collect();
        Self {
            at: each(hop.turns),
            turn: each(hop.turns_per_frame),
        }
    }

    fn step(&mut self) {
        for (at, turn) in self.at.iter_mut().zip(&self.turn) {
            *at = [
                at[0] * turn[0] - at[1] * turn[1],
                at[0] * turn[1] + at[1] * turn[0],
            ];
        }
    }
}

/// What was subtracted, for the report.
struct Tally {
    power: Vec<f64>,
    /// Hops with any of this harmonic.
    present: Vec<u32>,
    hops: u64,
    points: Vec<f32>,
    point_power: f64,
}

impl Tally {
    fn new(lines: usize) -> Self {
        Self {
            power: vec![0.0; lines],
            present: vec![0; lines],
            hops: 0,
            points: Vec::new(),
            point_power: 0.0,
        }
    }

    fn add(&mut self, lines: &[Phasor]) {
        for ((sum, present), line) in self.power.iter_mut().zip(&mut self.present).zip(lines) {
            *sum += line.power();
            *present += u32::from(line.power() > 0.0);
            self.point_power += line.power();
        }
        self.hops += 1;
        if self.hops.is_multiple_of(HOPS_PER_POINT) {
            let mean = 0.5 * self.point_power / HOPS_PER_POINT as f64;
            self.points.push((10.0 * mean.log10()).max(-200.0) as f32);
            self.point_power = 0.0;
        }
    }
}
