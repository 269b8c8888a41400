//! The steady part of one harmonic: what stays of it when a voice comes and goes over it.

use std::f64::consts::PI;

/// Rounds of reweighting. The estimate moves by less than the noise after three.
const ROUNDS: usize = 5;
/// A point further off than this many times the quiet points' distance loses most of its weight.
const TRUST: f64 = 2.0;
/// Part of the points that are taken to be quiet: pauses are a quarter of any speech.
const QUIET_PART: usize = 4;
/// An estimate is shrunk by so many times its own variance: where no line can be told from
/// chance, none is subtracted.
const CAUTION: f64 = 2.0;

/// Amplitude and phase as a complex number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Phasor {
    pub re: f64,
    pub im: f64,
}

impl Phasor {
    pub fn power(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    fn off(self, other: Self) -> f64 {
        (self.re - other.re).powi(2) + (self.im - other.im).powi(2)
    }
}

/// The steady line in the middle of `points`, `middle` being the place that is asked for. Points
/// count less the further away they are from it (a Hann window of `reach` on each side), and less
/// the further off they are from the others (Cauchy's weight, found by reweighting).
pub fn steady(points: &[Phasor], middle: usize, reach: usize) -> Phasor {
    let taper: Vec<f64> = (0..points.len())
        .map(|index| {
            let off = index.abs_diff(middle) as f64 / (reach + 1) as f64;
            0.5 + 0.5 * (PI * off.min(1.0)).cos()
        })
        .collect();
    let mut line = Phasor {
        re: median(points.iter().map(|p| p.re).collect()),
        im: median(points.iter().map(|p| p.im).collect()),
    };
    let mut variance = 0.0;
    for _ in 0..ROUNDS {
        let mut off: Vec<f64> = points.iter().map(|point| point.off(line)).collect();
        let quiet = off.len() / QUIET_PART;
        let scale = TRUST * TRUST * *off.clone().select_nth_unstable_by(quiet, f64::total_cmp).1;
        // Nothing moves: a pure tone, or silence.
        let scale = scale.max(1e-12 * line.power()).max(f64::MIN_POSITIVE);
        let (mut total, mut re, mut im, mut spread) = (0.0, 0.0, 0.0, 0.0);
        for ((point, taper), off) in points.iter().zip(&taper).zip(&mut off) {
            let weight = taper / (1.0 + *off / scale);
            total += weight;
            re += weight * point.re;
            im += weight * point.im;
            spread += weight * weight * *off;
        }
        line = Phasor { re: re / total, im: im / total };
        variance = spread / (total * total);
    }
    let power = line.power();
    let kept = if power > 0.0 { (1.0 - CAUTION * variance / power).max(0.0) } else { 0.0 };
    Phasor { re: line.re * kept, im: line.im * kept }
}

fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
