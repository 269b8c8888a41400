//! Sums of products at many places next to each other, side by side: what is loaded once serves several of
//! them, and none waits for another.

use std::ops::{AddAssign, Mul};

/// The places of a run: as many sums, as vectors of two or of four, as leave some registers for what is
/// added.
pub const RUN_F64: usize = 12;
pub const RUN_F32: usize = 24;

/// `taps` over `signal` from each place on where they all fit.
pub fn slide<const RUN: usize, T>(signal: &[T], taps: &[T]) -> Vec<T>
where
    T: Copy + Default + AddAssign + Mul<Output = T>,
{
    let places = (signal.len() + 1).saturating_sub(taps.len());
    let mut sums = vec![T::default(); places];
    let (runs, rest) = sums.as_chunks_mut::<RUN>();
    let rest_from = runs.len() * RUN;
    for (run, out) in runs.iter_mut().enumerate() {
        let seen = &signal[run * RUN..run * RUN + RUN + taps.len() - 1];
        let mut sums = [T::default(); RUN];
        for (tap, seen) in taps.iter().zip(seen.array_windows::<RUN>()) {
            for lane in 0..RUN {
                sums[lane] += *tap * seen[lane];
            }
        }
        *out = sums;
    }
    for (place, sum) in rest.iter_mut().enumerate() {
        for (sample, tap) in signal[rest_from + place..].iter().zip(taps) {
            *sum += *sample * *tap;
        }
    }
    sums
}

/// The correlation of a signal with itself at lags 0 to `lag_max`, which is shorter than it.
pub fn autocorrelation(signal: &[f64], lag_max: usize) -> Vec<f64> {
    /// Lags taken together, and frames.
    const LAGS: usize = 4;
    const LANES: usize = 4;
    let mut lags = Vec::with_capacity(lag_max + LAGS);
    while lags.len() <= lag_max {
        let first = lags.len();
        let mut sums = [[0.0; LANES]; LAGS];
        // As far as all of these lags have a frame.
        let common = signal.len().saturating_sub(first + LAGS - 1) / LANES * LANES;
        let now = signal[..common].as_chunks::<LANES>().0;
        for (run, now) in now.iter().enumerate() {
            let later: &[f64; LANES + LAGS - 1] = signal[first + run * LANES..]
                .first_chunk()
                .expect("that is what is common");
            for lag in 0..LAGS {
                for lane in 0..LANES {
                    sums[lag][lane] += now[lane] * later[lag + lane];
                }
            }
        }
        for (lag, sums) in sums.iter().enumerate() {
            let later = signal.get(first + lag + common..).unwrap_or_default();
            let rest = signal[common..].iter().zip(later);
            let rest: f64 = rest.map(|(now, later)| now * later).sum();
            lags.push(sums.iter().sum::<f64>() + rest);
        }
    }
    lags.truncate(lag_max + 1);
    lags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(frames: usize) -> Vec<f64> {
        (0..frames)
            .map(|n| (n as f64 * 0.7).sin() + (n * n % 7) as f64)
            .collect()
    }

    #[test]
    fn every_place_and_every_lag_has_its_sum_whatever_the_lengths() {
        for frames in [0, 1, 2, 3, 15, 16, 17, 40, 100, 131] {
            let signal = signal(frames);
            let product =
                |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            for taps in [1, 2, 5, 33] {
                let taps: Vec<f64> = (0..taps).map(|n| 1.0 / (n + 1) as f64).collect();
                let places = (frames + 1).saturating_sub(taps.len());
                let expected = (0..places).map(|place| product(&signal[place..], &taps));
                let found = slide::<RUN_F64, _>(&signal, &taps);
                assert_eq!(found.len(), places);
                for (found, expected) in found.iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-9, "{frames} frames");
                }
            }
            for lag_max in [0, 1, 3, 4, 32].into_iter().filter(|lag| *lag < frames) {
                let found = autocorrelation(&signal, lag_max);
                assert_eq!(found.len(), lag_max + 1);
                for (lag, found) in found.iter().enumerate() {
                    let expected = product(&signal, &signal[lag..]);
                    assert!(
                        (found - expected).abs() < 1e-9 * expected.abs().max(1.0),
                        "{frames}, {lag}"
                    );
                }
            }
        }
    }
}
