//! Which frames of a stretch are clicks.

use retake_autoregression::Model;

/// At a sensitivity of 50 %: how far a click stands out of the stretch's median error, and of the
/// highest errors shortly before and after it.
const OVER_MEDIAN: f64 = 16.0;
const OVER_NEIGHBOURS: f64 = 3.5;
/// The highest errors: all but this part of a neighbourhood lies below them.
const HIGHEST_PART: f64 = 0.02;
/// A click goes on as long as errors are higher than the highest around, and than this part of
/// what stands out of the median.
const GOES_ON: f64 = 0.25;
/// Seconds before and after a click that it is compared with: one period of a deep voice.
const NEIGHBOURHOOD_S: f64 = 0.014;
/// Seconds within which two bursts of errors are one click.
const GAP_S: f64 = 0.0002;
/// Weaker errors than this (-100 dBFS) are nobody's click.
const ERROR_MIN: f64 = 1e-5;

pub struct Detector {
    over_median: f64,
    over_neighbours: f64,
    neighbourhood: usize,
    gap: usize,
    longest: usize,
}

impl Detector {
    pub fn new(sample_rate: f64, sensitivity: f64, longest: usize) -> Self {
        // From 0 to 100 %: 20 dB.
        let factor = 10f64.powf((50.0 - sensitivity) / 100.0);
        Self {
            over_median: OVER_MEDIAN * factor,
            over_neighbours: OVER_NEIGHBOURS * factor.max(0.6),
            neighbourhood: (NEIGHBOURHOOD_S * sample_rate) as usize,
            gap: (GAP_S * sample_rate).ceil() as usize,
            longest,
        }
    }

    /// Frames on each side of `within` that this needs.
    pub fn reach(&self) -> usize {
        self.neighbourhood + self.longest + self.gap
    }

    /// Whether it is worth looking at: most stretches have no click, and rough errors are enough to say so.
    pub fn may_find(&self, model: &Model, audio: &[f64], within: std::ops::Range<usize>) -> bool {
        /// By how much lower the limits are, and how many times lower the uncertainty has to be, over what
        /// it is multiplied by, so that nothing is missed.
        const SLACK: f64 = 0.9;
        const CERTAIN: f64 = 10.0;
        let (errors, uncertain) = model.rough_errors(audio);
        let errors: Vec<f64> = errors.into_iter().map(f64::from).collect();
        let threshold = self.threshold(&errors);
        threshold < CERTAIN * (self.over_median + 1.0) * uncertain
            || within.into_iter().any(|at| {
                errors[at] >= SLACK * threshold
                    && errors[at] >= SLACK * self.over_neighbours * self.around(&errors, at)
            })
    }

    /// What a click is at least.
    fn threshold(&self, errors: &[f64]) -> f64 {
        (self.over_median * quantile(errors, 0.5)).max(ERROR_MIN)
    }

    /// The clicks that begin in `within`: first frame and end.
    pub fn clicks(
        &self,
        model: &Model,
        audio: &[f64],
        within: std::ops::Range<usize>,
    ) -> Vec<(usize, usize)> {
        let errors: Vec<f64> = model
            .forward_errors(audio)
            .iter()
            .zip(model.backward_errors(audio))
            .map(|(forward, backward)| least(forward.abs(), backward.abs()))
            .collect();
        let threshold = self.threshold(&errors);
        let mut found = Vec::new();
        let mut at = within.start;
        while at < within.end {
            if errors[at] < threshold {
                at += 1;
                continue;
            }
            let around = self.around(&errors, at);
            if errors[at] < self.over_neighbours * around {
                at += 1;
                continue;
            }
            let (first, end) = self.extent(&errors, at, around.max(GOES_ON * threshold));
            if end - first <= self.longest {
                found.push((first, end));
            }
            at = end.max(at + 1);
        }
        found
    }

    /// The highest errors shortly before or after a place, whichever are higher.
    fn around(&self, errors: &[f64], at: usize) -> f64 {
        let before_end = at.saturating_sub(self.gap);
        let before = &errors[before_end.saturating_sub(self.neighbourhood)..before_end];
        let after_start = errors.len().min(at + self.longest);
        let after = &errors[after_start..errors.len().min(after_start + self.neighbourhood)];
        quantile(before, 1.0 - HIGHEST_PART).max(quantile(after, 1.0 - HIGHEST_PART))
    }

    /// Where the burst of errors around `at` begins and ends: it goes on while they are higher than `usual`.
    fn extent(&self, errors: &[f64], at: usize, usual: f64) -> (usize, usize) {
        let (mut first, mut end) = (at, at + 1);
        let mut next = end;
        while next < errors.len() && next < end + self.gap && next - at <= self.longest {
            if errors[next] > usual {
                end = next + 1;
            }
            next += 1;
        }
        let mut before = first;
        while before > 0 && before + self.gap > first && end - before <= self.longest {
            before -= 1;
            if errors[before] > usual {
                first = before;
            }
        }
        (first, end)
    }
}

/// As a comparison: `f64::min` is a call.
fn least(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// Of values that are not negative: their bits are in the same order, and quicker to compare.
fn quantile(values: &[f64], part: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let mut sorted: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
    let index = (part * (sorted.len() - 1) as f64) as usize;
    f64::from_bits(*sorted.select_nth_unstable(index).1)
}
