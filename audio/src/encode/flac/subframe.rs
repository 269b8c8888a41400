//! One channel of a FLAC frame: finds the cheapest form for it and writes that (RFC 9639
//! section 9.2).

use super::{
    bits::BitWriter,
    lpc::{Analyzer, Predictor},
    rice::{RicePlan, fold},
};

/// Fixed predictors have up to this order.
const FIXED_ORDER_MAX: usize = 4;

enum Form {
    Constant,
    Verbatim,
    Fixed(usize),
    Lpc(Predictor),
}

/// Reusable space for one channel after the other.
pub(super) struct SubframeEncoder {
    analyzer: Analyzer,
    shifted: Vec<i32>,
    floats: Vec<f64>,
    residual: Vec<i32>,
    /// The residual of the cheapest form so far, with the signs folded in.
    folded: Vec<u32>,
    candidate: Vec<u32>,
}

impl SubframeEncoder {
    pub(super) fn new() -> Self {
        Self {
            analyzer: Analyzer::new(),
            shifted: Vec::new(),
            floats: Vec::new(),
            residual: Vec::new(),
            folded: Vec::new(),
            candidate: Vec::new(),
        }
    }

    /// `samples` have `bits` bits; all lower bits that no sample uses are left out.
    pub(super) fn encode(&mut self, samples: &[i32], bits: u32, out: &mut BitWriter) {
        let used = samples.iter().fold(0, |used, sample| used | sample);
        // Digital silence is a constant: nothing to shift.
        let wasted = if used == 0 { 0 } else { used.trailing_zeros() };
        self.shifted.clear();
        self.shifted
            .extend(samples.iter().map(|sample| sample >> wasted));
        let bits = bits - wasted;
        let (form, plan) = self.choose(bits);

        out.put(0, 1);
        out.put(form.code(), 6);
        if wasted == 0 {
            out.put(0, 1);
        } else {
            out.put(1, 1);
            out.put(1, wasted);
        }
        let warm_up = match &form {
            Form::Constant => {
                out.put_signed(self.shifted[0], bits);
                return;
            }
            Form::Verbatim => {
                self.shifted
                    .iter()
                    .for_each(|&sample| out.put_signed(sample, bits));
                return;
            }
            Form::Fixed(order) => *order,
            Form::Lpc(predictor) => predictor.coefficients.len(),
        };
        self.shifted[..warm_up]
            .iter()
            .for_each(|&sample| out.put_signed(sample, bits));
        if let Form::Lpc(predictor) = &form {
            out.put(u64::from(predictor.precision - 1), 4);
            out.put(u64::from(predictor.shift), 5);
            predictor
                .coefficients
                .iter()
                .for_each(|&c| out.put_signed(c, predictor.precision));
        }
        plan.write(&self.folded, warm_up, out);
    }

    /// Leaves the folded residual of the chosen form in `self.folded`.
    fn choose(&mut self, bits: u32) -> (Form, RicePlan) {
        let samples = &self.shifted;
        if samples.iter().all(|sample| *sample == samples[0]) {
            return (Form::Constant, RicePlan::default());
        }
        let mut best_bits = samples.len() as u64 * u64::from(bits);
        let mut best = (Form::Verbatim, RicePlan::default());

        self.floats.clear();
        self.floats
            .extend(samples.iter().map(|&sample| f64::from(sample)));
        if let Some(predictor) = self.analyzer.analyze(&self.floats, bits) {
            self.residual.clear();
            if predictor.residual(&self.floats, &mut self.residual) {
                fold_into(&self.residual, &mut self.candidate);
                let order = predictor.coefficients.len();
                let plan = RicePlan::new(&self.candidate, order);
                let total = plan.bits + 9 + order as u64 * u64::from(bits + predictor.precision);
                if total < best_bits {
                    best_bits = total;
                    best = (Form::Lpc(predictor), plan);
                    std::mem::swap(&mut self.folded, &mut self.candidate);
                }
            }
        }
        // Worth writing out only where the estimate comes near what there is already.
        let (order, estimate) = best_fixed_order(&self.shifted);
        if estimate < best_bits + best_bits / 32 {
            fixed_residual(&self.shifted, order, &mut self.residual);
            fold_into(&self.residual, &mut self.candidate);
            let plan = RicePlan::new(&self.candidate, order);
            if plan.bits + order as u64 * u64::from(bits) < best_bits {
                best = (Form::Fixed(order), plan);
                std::mem::swap(&mut self.folded, &mut self.candidate);
            }
        }
        best
    }
}

impl Form {
    fn code(&self) -> u64 {
        match self {
            Self::Constant => 0,
            Self::Verbatim => 1,
            Self::Fixed(order) => 8 | *order as u64,
            Self::Lpc(predictor) => 32 | (predictor.coefficients.len() as u64 - 1),
        }
    }
}

fn fold_into(residual: &[i32], folded: &mut Vec<u32>) {
    folded.clear();
    folded.extend(residual.iter().map(|&r| fold(r)));
}

/// The order with the smallest mean magnitude, and about how many bits its residual takes.
fn best_fixed_order(samples: &[i32]) -> (usize, u64) {
    if samples.len() <= FIXED_ORDER_MAX {
        return (0, 0);
    }
    let sums = fixed_magnitudes(samples);
    let order = (0..=FIXED_ORDER_MAX)
        .min_by_key(|&order| sums[order])
        .unwrap_or(0);
    let count = (samples.len() - FIXED_ORDER_MAX) as f64;
    // A Laplacian with this mean magnitude has log2(2e * mean) bits of entropy.
    let mean = sums[order] as f64 / count;
    let bits = (2.0 * std::f64::consts::E * mean).log2().max(1.0) * count;
    (order, bits as u64)
}

/// Sums of the magnitudes of the differences of each order, over the same samples.
fn fixed_magnitudes(samples: &[i32]) -> [u64; FIXED_ORDER_MAX + 1] {
    /// So few that a sum of 29-bit magnitudes cannot overflow 32 bits... of which there are 8.
    const RUN: usize = 8;
    let mut sums = [0u64; FIXED_ORDER_MAX + 1];
    let mut from = FIXED_ORDER_MAX;
    while from + RUN <= samples.len() {
        let seen: &[i32; RUN + FIXED_ORDER_MAX] = samples[from - FIXED_ORDER_MAX..]
            .first_chunk()
            .expect("the run ends within the samples");
        let mut run = [0u32; FIXED_ORDER_MAX + 1];
        for i in 0..RUN {
            let [d, c, b, a, x] = [seen[i], seen[i + 1], seen[i + 2], seen[i + 3], seen[i + 4]];
            run[0] += x.unsigned_abs();
            run[1] += (x - a).unsigned_abs();
            run[2] += (x - 2 * a + b).unsigned_abs();
            run[3] += (x - 3 * a + 3 * b - c).unsigned_abs();
            run[4] += (x - 4 * a + 6 * b - 4 * c + d).unsigned_abs();
        }
        for (sum, run) in sums.iter_mut().zip(run) {
            *sum += u64::from(run);
        }
        from += RUN;
    }
    sums
}

/// RFC 9639 section 9.2.5: differences of differences.
fn fixed_residual(samples: &[i32], order: usize, out: &mut Vec<i32>) {
    out.clear();
    out.extend((order..samples.len()).map(|i| {
        let at = |back: usize| samples[i - back];
        match order {
            0 => at(0),
            1 => at(0) - at(1),
            2 => at(0) - 2 * at(1) + at(2),
            3 => at(0) - 3 * at(1) + 3 * at(2) - at(3),
            _ => at(0) - 4 * at(1) + 6 * at(2) - 4 * at(3) + at(4),
        }
    }));
}
