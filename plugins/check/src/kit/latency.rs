//! The latency a plugin states is the one it has: measured by shifting its output against its input
//! until they fit best.

use retake_audio::Block;

use super::{
    Found,
    drive::{BLOCKS, Take},
    signals,
    subject::Subject,
};

/// How far from what is stated the search goes, in seconds.
const SEARCH_S: f64 = 0.1;
/// Below this correlation the output has too little of the input for a shift to be told.
const RESEMBLANCE_MIN: f64 = 0.5;
/// A filter moves what it lets through by a few frames itself.
const FILTER_S: f64 = 0.0005;
/// The stated shift fits as well as the best one if it correlates so nearly as well.
const AS_GOOD: f64 = 0.97;

pub fn measured(subject: &Subject<'_>) -> Found {
    if !subject.manifest().passes.process {
        return Found::skipped("it changes no audio, so there is nothing that could be late");
    }
    let rate = subject.usual_hz();
    let frames = rate as usize * 2;
    let search = (f64::from(rate) * SEARCH_S) as usize;
    let noise = signals::noise(frames, 0.1, 11);
    let voice = signals::voice(rate, frames, 3);
    let mut best: Option<Fit> = None;
    for (name, signal) in [("noise", noise), ("a voice", voice)] {
        match of_signal(subject, name, signal, search) {
            Ok(fit)
                if best
                    .as_ref()
                    .is_none_or(|best| fit.resemblance > best.resemblance) =>
            {
                best = Some(fit);
            }
            Ok(_) => {}
            Err(found) => return found,
        }
    }
    let fit = best.expect("two signals were tried");
    judge(&fit, rate)
}

/// How well output and input fit.
#[derive(Debug, Clone, PartialEq)]
struct Fit {
    signal: &'static str,
    stated: u32,
    /// Frames by which the output really lags.
    measured: i64,
    /// Correlation at that shift, and at the stated one.
    resemblance: f64,
    at_stated: f64,
}

fn judge(fit: &Fit, rate: u32) -> Found {
    let Fit {
        signal,
        stated,
        measured,
        resemblance,
        at_stated,
    } = fit;
    if *resemblance < RESEMBLANCE_MIN {
        return Found::skipped(format!(
            "it cannot be measured: what comes out resembles what went in too little at these settings \
             (correlation {resemblance:.2}; {RESEMBLANCE_MIN} is needed). --set may name settings at which \
             the plugin does next to nothing"
        ));
    }
    let off = measured - i64::from(*stated);
    let told = format!(
        "{signal} went in; latency says {stated} frames, and output and input fit best {measured} frames \
         apart (correlation {resemblance:.3}; {at_stated:.3} at {stated})"
    );
    if off == 0 {
        Found::passed(told)
    } else if off.unsigned_abs() as f64 <= FILTER_S * f64::from(rate)
        && *at_stated >= AS_GOOD * resemblance
    {
        Found::warned(format!(
            "{told}. So little may be a filter's own delay; if it is not, the correction is shifted"
        ))
    } else {
        Found::failed(format!(
            "{told}. The host takes the stated latency off, so that the correction would be {off} frames \
             late. latency must be the frames by which output lags input"
        ))
    }
}

fn of_signal(
    subject: &Subject<'_>,
    signal: &'static str,
    samples: Vec<f32>,
    search: usize,
) -> Result<Fit, Found> {
    let input = Block::mono(samples);
    let take = Take {
        blocks: BLOCKS,
        ..subject.take()
    };
    let taken = take
        .sound(&input)
        .map_err(|bad| Found::failed(format!("2 s of {signal} went in: {}", bad.words())))?;
    if taken.planes[0].len() != input.frames() {
        return Err(Found::skipped(
            "it cannot be measured: the plugin cut frames out of the signal",
        ));
    }
    let (shift, resemblance, at_stated) = best_shift(input.plane(0), &taken.planes[0], search);
    Ok(Fit {
        signal,
        stated: taken.latency_frames,
        measured: i64::from(taken.latency_frames) + shift,
        resemblance,
        at_stated,
    })
}

/// The shift of `output` within +-`search` at which it correlates best with `input`, that correlation,
/// and the one without any shift. Both are differentiated first: filters turn the phase of what is lowest.
fn best_shift(input: &[f32], output: &[f32], search: usize) -> (i64, f64, f64) {
    let edges = |samples: &[f32]| -> Vec<f32> { samples.windows(2).map(|w| w[1] - w[0]).collect() };
    let (input, output) = (edges(input), edges(output));
    // The middle of the input, so that every shift finds its counterpart.
    let middle = input.len() / 4..input.len() * 3 / 4;
    let search = search.min(middle.start) as i64;
    let reference = &input[middle.clone()];
    let energy = |samples: &[f32]| samples.iter().map(|s| f64::from(s * s)).sum::<f64>();
    let own = energy(reference);
    let correlation = |shift: i64| {
        let from = (middle.start as i64 + shift) as usize;
        let shifted = &output[from..from + reference.len()];
        let product = dot(reference, shifted);
        let scale = (own * energy(shifted)).sqrt();
        if scale > 0.0 { product / scale } else { 0.0 }
    };
    let unshifted = correlation(0);
    let mut best = (0, unshifted);
    for shift in -search..=search {
        let found = correlation(shift);
        if found > best.1 {
            best = (shift, found);
        }
    }
    (best.0, best.1, unshifted)
}

/// In runs, which the compiler makes vectors of.
fn dot(one: &[f32], other: &[f32]) -> f64 {
    let runs = one.chunks(256).zip(other.chunks(256));
    runs.map(|(one, other)| f64::from(one.iter().zip(other).map(|(a, b)| a * b).sum::<f32>()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Outcome;

    #[test]
    fn a_shift_is_found_to_the_frame_in_either_direction() {
        let input = signals::noise(8_000, 0.5, 1);
        for shift in [-200i64, -1, 0, 1, 77, 400] {
            let output: Vec<f32> = (0..input.len() as i64)
                .map(|n| input.get((n - shift) as usize).copied().unwrap_or(0.0))
                .collect();
            let (found, resemblance, _) = best_shift(&input, &output, 480);
            assert_eq!(found, shift);
            assert!(resemblance > 0.999, "{resemblance}");
        }
    }

    #[test]
    fn what_resembles_too_little_is_not_judged_and_a_filters_own_delay_is_a_hint() {
        let fit = Fit {
            signal: "noise",
            stated: 480,
            measured: 480,
            resemblance: 0.9,
            at_stated: 0.9,
        };
        let check =
            |fit: Fit, expected| assert_eq!(judge(&fit, 48_000).outcome, expected, "{fit:?}");
        check(fit.clone(), Outcome::Passed);
        let unlike = Fit {
            resemblance: 0.3,
            ..fit.clone()
        };
        check(unlike, Outcome::Skipped);
        let nearly = Fit {
            measured: 482,
            at_stated: 0.89,
            ..fit.clone()
        };
        check(nearly, Outcome::Warned);
        let off = Fit {
            measured: 482,
            at_stated: 0.2,
            ..fit.clone()
        };
        check(off, Outcome::Failed);
        let far = Fit {
            measured: 960,
            at_stated: 0.89,
            ..fit
        };
        check(far, Outcome::Failed);
    }
}
