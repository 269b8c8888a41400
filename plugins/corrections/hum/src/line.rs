//! The steady part of one harmonic: what stays of it when a voice comes and goes over it.

use std::f64::consts::PI;

/// Rounds of reweighting. The estimate moves by less than the noise after three.
const ROUNDS: usize = 5;
/// A point further off than this many times the quiet points' distance loses most of its weight.
const TRUST: f64 = 2.0;
/// Part of the points that are taken to be quiet: pauses are a quarter of any speech.
const QUIET_PART: usize = 4;
/// An estimate is shrunk by so many times its own variance: where no line can be told from
/// chance, none is subtracted. The variance is too low by a factor of two to three, because windows
/// overlap and outliers do not count.
const CAUTION: f64 = 8.0;
/// Keeps a slope from following the noise where the points lie close together.
const STIFFNESS: f64 = 1.05;

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

    fn plus(self, other: Self, times: f64) -> Self {
        Self {
            re: self.re + times * other.re,
            im: self.im + times * other.im,
        }
    }
}

/// The steady line at the place `middle` of `points`. Points count less the further away they are
/// (a Hann window of `reach` on each side), and less the further they are from where the others
/// say that they should be (Cauchy's weight, found by reweighting). What is fitted is a straight
/// line through the complex plane: a mains frequency known to a millihertz still turns a little.
pub fn steady(points: &[Phasor], middle: usize, reach: usize) -> Phasor {
    let places: Vec<(f64, f64)> = (0..points.len())
        .map(|index| {
            let place = (index as f64 - middle as f64) / (reach + 1) as f64;
            (place, 0.5 + 0.5 * (PI * place.abs().min(1.0)).cos())
        })
        .collect();
    let mut line = Phasor {
        re: median(points.iter().map(|p| p.re).collect()),
        im: median(points.iter().map(|p| p.im).collect()),
    };
    let mut slope = Phasor::default();
    let mut variance = 0.0;
    for _ in 0..ROUNDS {
        let off: Vec<f64> = points
            .iter()
            .zip(&places)
            .map(|(point, (place, _))| point.plus(line.plus(slope, *place), -1.0).power())
            .collect();
        let quiet = *off
            .clone()
            .select_nth_unstable_by(off.len() / QUIET_PART, f64::total_cmp)
            .1;
        // Nothing moves: a pure tone, or silence.
        let scale = (TRUST * TRUST * quiet)
            .max(1e-12 * line.power())
            .max(f64::MIN_POSITIVE);
        let (mut sums, mut spread) = ([0.0; 3], 0.0);
        let (mut level, mut tilt) = (Phasor::default(), Phasor::default());
        for ((point, (place, taper)), off) in points.iter().zip(&places).zip(&off) {
            let weight = taper / (1.0 + off / scale);
            sums[0] += weight;
            sums[1] += weight * place;
            sums[2] += weight * place * place;
            level = level.plus(*point, weight);
            tilt = tilt.plus(*point, weight * place);
            spread += weight * weight * off;
        }
        let bent = sums[2] * STIFFNESS;
        let determinant = sums[0] * bent - sums[1] * sums[1];
        // Too few points to fit anything to.
        if determinant <= 1e-9 * sums[0] * sums[0] {
            return Phasor::default();
        }
        line = Phasor::default()
            .plus(level, bent / determinant)
            .plus(tilt, -sums[1] / determinant);
        slope = Phasor::default()
            .plus(tilt, sums[0] / determinant)
            .plus(level, -sums[1] / determinant);
        variance = spread * bent / (sums[0] * determinant);
    }
    let power = line.power();
    let kept = if power > 0.0 {
        (1.0 - CAUTION * variance / power).max(0.0)
    } else {
        0.0
    };
    Phasor::default().plus(line, kept)
}

fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
