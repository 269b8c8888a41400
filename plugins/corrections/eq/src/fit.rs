//! A digital biquad whose gain is the analogue band's, as nearly as a biquad's can be.
//!
//! Every stable minimum-phase biquad is the bilinear transform of some `(n0 + n1 s + n2 s^2) /
//! (d0 + d1 s + d2 s^2)` with positive coefficients. So these are sought, by their logarithms: then
//! whatever comes out is stable. Sought are those whose gain in dB, behind the transform's warped
//! frequencies, is nearest to the band's own by least squares (Levenberg, Marquardt), from the
//! band's own coefficients on. Far below half the rate those are the solution already.

use std::f64::consts::PI;

use retake_signal::section::Coefficients;

use crate::bands::{Band, power};

/// The gain is matched up to this part of the rate.
const TOP_PER_RATE: f64 = 0.49;
/// The frequency in which the coefficients are written lies no higher than this part of the rate.
const PLACE_PER_RATE: f64 = 0.4;
/// Points around the band, the closer the denser, over so many octaves each way; and points over
/// all.
const POINTS_AROUND: usize = 61;
const OCTAVES: f64 = 4.3;
const POINTS_OVER_ALL: usize = 20;
const GOES: usize = 40;
/// What it costs to leave the band's own coefficients where nothing is won by it: of a band far above
/// half the rate little is left to tell them by.
const TIE: f64 = 1e-5;
/// No coefficient changes by more than this factor (as a logarithm) in one go.
const STRIDE_MAX: f64 = 2.0;

/// Logarithms of n0, n1, n2, d1, d2; d0 is 1.
type Unknowns = [f64; 5];

pub fn digital(band: &Band, rate_hz: f64) -> Coefficients {
    // A cut is the inverse of the boost, exactly.
    let boost = Band {
        gain_db: band.gain_db.abs(),
        ..*band
    };
    let place_hz = band.frequency_hz.min(PLACE_PER_RATE * rate_hz);
    let (n, d) = coefficients(&Fit::new(&boost, rate_hz, place_hz).solved());
    if band.gain_db > 0.0 {
        Coefficients::bilinear(rate_hz, place_hz, n, d)
    } else {
        Coefficients::bilinear(rate_hz, place_hz, d, n)
    }
}

/// Thirds of octaves over what can be heard and is below half the rate.
pub fn thirds(rate_hz: f64) -> impl Iterator<Item = f64> {
    (0..=30)
        .map(|third| 20.0 * 2f64.powf(f64::from(third) / 3.0))
        .filter(move |&hz| hz < rate_hz / 2.0)
}

/// The band's own coefficients, written in another frequency.
fn start(band: &Band, place_hz: f64) -> Unknowns {
    let (n, d) = band.analogue();
    let ratio = place_hz / band.frequency_hz;
    let moved = |c: [f64; 3]| {
        [
            c[0] / d[0],
            c[1] * ratio / d[0],
            c[2] * ratio * ratio / d[0],
        ]
    };
    let (n, d) = (moved(n), moved(d));
    [n[0], n[1], n[2], d[1], d[2]].map(f64::ln)
}

fn coefficients(unknowns: &Unknowns) -> ([f64; 3], [f64; 3]) {
    let [n0, n1, n2, d1, d2] = unknowns.map(f64::exp);
    ([n0, n1, n2], [1.0, d1, d2])
}

/// Where the gain is matched: warped frequency squared, and the logarithm of the gain's square.
struct Fit {
    points: Vec<(f64, f64)>,
    start: Unknowns,
}

impl Fit {
    fn new(band: &Band, rate_hz: f64, place_hz: f64) -> Self {
        let top_hz = TOP_PER_RATE * rate_hz;
        let around = (0..POINTS_AROUND).map(|point| {
            let part = 2.0 * point as f64 / (POINTS_AROUND - 1) as f64 - 1.0;
            band.frequency_hz.min(top_hz) * 2f64.powf(OCTAVES * part.powi(3))
        });
        let over_all =
            (1..=POINTS_OVER_ALL).map(|point| top_hz * point as f64 / POINTS_OVER_ALL as f64);
        let warped = |hz: f64| (PI * hz / rate_hz).tan();
        let points = around
            .filter(|&hz| hz <= top_hz)
            .chain(over_all)
            .map(|hz| {
                let v = (warped(hz) / warped(place_hz)).powi(2);
                (v, band.gain_db_at(hz) * std::f64::consts::LN_10 / 10.0)
            })
            .collect();
        Self {
            points,
            start: start(band, place_hz),
        }
    }

    fn solved(&self) -> Unknowns {
        let mut best = self.start;
        let mut error = self.error(&best);
        let mut damping = 1e-3;
        for _ in 0..GOES {
            let Some(step) = self.step(&best, damping) else {
                break;
            };
            let mut next = best;
            for (next, step) in next.iter_mut().zip(step) {
                *next += step.clamp(-STRIDE_MAX, STRIDE_MAX);
            }
            let next_error = self.error(&next);
            if next_error < error {
                (best, error) = (next, next_error);
                damping = f64::max(damping / 5.0, 1e-9);
            } else {
                damping *= 5.0;
            }
        }
        best
    }

    /// How far a gain is from what is wanted at a point.
    fn miss(&self, unknowns: &Unknowns, (v, wanted): (f64, f64)) -> f64 {
        let (n, d) = coefficients(unknowns);
        wanted - (power(&n, v) / power(&d, v)).ln()
    }

    fn error(&self, unknowns: &Unknowns) -> f64 {
        let ties = unknowns
            .iter()
            .zip(&self.start)
            .map(|(now, start)| TIE * (now - start).powi(2));
        let misses = self
            .points
            .iter()
            .map(|&point| self.miss(unknowns, point).powi(2));
        misses.chain(ties).sum()
    }

    /// The change of the unknowns that would be right if the gain were linear in them.
    fn step(&self, unknowns: &Unknowns, damping: f64) -> Option<Unknowns> {
        let (n, d) = coefficients(unknowns);
        let mut matrix = [[0.0; 5]; 5];
        let mut right = [0.0; 5];
        for &(v, wanted) in &self.points {
            let slope = |[c0, c1, c2]: [f64; 3]| {
                let scale = 2.0 / power(&[c0, c1, c2], v);
                let bent = c0 - c2 * v;
                [
                    bent * c0 * scale,
                    c1 * c1 * v * scale,
                    -bent * c2 * v * scale,
                ]
            };
            let ([n0, n1, n2], [_, d1, d2]) = (slope(n), slope(d));
            let slopes = [n0, n1, n2, -d1, -d2];
            let miss = self.miss(unknowns, (v, wanted));
            for row in 0..5 {
                right[row] += slopes[row] * miss;
                for column in 0..5 {
                    matrix[row][column] += slopes[row] * slopes[column];
                }
            }
        }
        for (row, line) in matrix.iter_mut().enumerate() {
            right[row] += TIE * (self.start[row] - unknowns[row]);
            line[row] += TIE;
            line[row] += damping * line[row];
        }
        solve(matrix, right)
    }
}

/// Gauss's elimination, for a symmetric positive matrix. `None`: it is singular.
fn solve(mut matrix: [[f64; 5]; 5], mut right: [f64; 5]) -> Option<[f64; 5]> {
    for pivot in 0..5 {
        if matrix[pivot][pivot].is_nan() || matrix[pivot][pivot] <= 0.0 {
            return None;
        }
        let (above, below) = matrix.split_at_mut(pivot + 1);
        let top = &above[pivot];
        for (line, row) in below.iter_mut().zip(pivot + 1..) {
            let factor = line[pivot] / top[pivot];
            line.iter_mut()
                .zip(top)
                .for_each(|(value, top)| *value -= factor * top);
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..5).rev() {
        let known: f64 = (row + 1..5)
            .map(|column| matrix[row][column] * right[column])
            .sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    Some(right)
}
