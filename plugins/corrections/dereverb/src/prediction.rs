//! Weighted prediction error in one band: how much of each frame follows from those long before it.

use crate::hermitian::Hermitian;

/// How a band is predicted.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// So many frames are predicted from...
    pub taps: usize,
    /// ...of which the newest is so many frames old: what is newer belongs to the voice itself.
    pub delay: usize,
    pub iterations: usize,
    /// The power of the voice in a frame is a mean over so many frames on either side.
    pub context: usize,
    /// No frame's power counts as less than this part of the strongest's.
    pub least: f32,
}

/// Sums are taken over so many frames at once.
const LANES: usize = 4;
/// Keeps what cannot be told apart from being solved for.
const REGULAR: f64 = 1e-9;

/// Complex numbers in two arrays, as loops over vectors want them.
#[derive(Debug, Default, Clone)]
pub struct Series {
    pub re: Vec<f32>,
    pub im: Vec<f32>,
}

impl Series {
    pub fn with_capacity(frames: usize) -> Self {
        Self {
            re: Vec::with_capacity(frames),
            im: Vec::with_capacity(frames),
        }
    }

    pub fn clear(&mut self) {
        self.re.clear();
        self.im.clear();
    }

    pub fn push(&mut self, (re, im): (f32, f32)) {
        self.re.push(re);
        self.im.push(im);
    }

    pub fn drop_front(&mut self, count: usize) {
        self.re.drain(..count);
        self.im.drain(..count);
    }

    /// From this one on.
    pub fn from(&self, first: usize) -> Stretch<'_> {
        Stretch {
            re: &self.re[first..],
            im: &self.im[first..],
        }
    }

    fn silence(&mut self, length: usize) {
        self.clear();
        self.re.resize(length, 0.0);
        self.im.resize(length, 0.0);
    }
}

/// Part of a series.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    pub re: &'a [f32],
    pub im: &'a [f32],
}

/// Buffers, used for one band after the other.
#[derive(Default)]
pub struct Predictor {
    /// Of each frame, over which all is a mean; with nothing before the first and after the last.
    weights: Vec<f32>,
    powers: Vec<f32>,
    /// Each frame times the conjugate of one some frames before it.
    product: Series,
    normal: Hermitian,
    predicted: Series,
}

impl Predictor {
    /// Predicts the frames of `band` from `first` on; those before it are what they are predicted from.
    /// Only frames that `counts` says yes to teach.
    ///
    /// There are no more frames before `first` than are needed: delay and taps together.
    pub fn predict(
        &mut self,
        band: Stretch<'_>,
        first: usize,
        shape: Shape,
        counts: impl Fn(usize) -> bool,
    ) -> &Series {
        let frames = band.re.len() - first;
        self.predicted.silence(frames);
        for _ in 0..shape.iterations {
            self.weigh(band, first, shape, &counts);
            self.correlate(band, first, shape);
            let Some(filter) = self.normal.solve(REGULAR) else {
                return &self.predicted;
            };
            self.predicted.silence(frames);
            for (tap, &(re, im)) in filter.iter().enumerate() {
                let (re, im) = (re as f32, im as f32);
                let back = shape.delay + tap;
                // Before the first frame that is known there is silence.
                let skip = back.saturating_sub(first);
                if skip >= frames {
                    break;
                }
                let from = first + skip - back;
                let past = band.re[from..].iter().zip(&band.im[from..]);
                let sums = self.predicted.re[skip..]
                    .iter_mut()
                    .zip(&mut self.predicted.im[skip..]);
                for ((sum_re, sum_im), (x_re, x_im)) in sums.zip(past) {
                    *sum_re += re * x_re - im * x_im;
                    *sum_im += re * x_im + im * x_re;
                }
            }
        }
        &self.predicted
    }

    /// The weight of a frame is the voice's power in it, inverted: what is left of the last go.
    fn weigh(
        &mut self,
        band: Stretch<'_>,
        first: usize,
        shape: Shape,
        counts: impl Fn(usize) -> bool,
    ) {
        let now = band.re[first..].iter().zip(&band.im[first..]);
        let predicted = self.predicted.re.iter().zip(&self.predicted.im);
        self.powers.clear();
        self.powers.extend(
            now.zip(predicted)
                .map(|((re, im), (p_re, p_im))| (re - p_re).powi(2) + (im - p_im).powi(2)),
        );
        let frames = self.powers.len();
        let before = shape.delay + shape.taps;
        self.weights.clear();
        self.weights
            .resize(before + frames + before + 3 * LANES, 0.0);
        let means = |n: usize| {
            let near =
                &self.powers[n.saturating_sub(shape.context)..frames.min(n + shape.context + 1)];
            near.iter().sum::<f32>() / near.len() as f32
        };
        let weights = &mut self.weights[before..][..frames];
        for (n, weight) in weights.iter_mut().enumerate() {
            *weight = means(n);
        }
        let strongest = weights.iter().copied().fold(0.0, f32::max);
        let least = shape.least * strongest;
        for (n, weight) in weights.iter_mut().enumerate() {
            // Around one, so that sums of 32 bits are as good as they can be.
            *weight = if counts(n) && strongest > f32::MIN_POSITIVE {
                strongest / weight.max(least)
            } else {
                0.0
            };
        }
    }

    /// Fills the normal equations. The entry for taps `i` and `i + lag` is a sum over frames of the
    /// product of two frames that are `lag` apart, and a weight that lies `i` frames on: so for each lag
    /// there is one series of products, and every entry takes two multiplications a frame.
    fn correlate(&mut self, band: Stretch<'_>, first: usize, shape: Shape) {
        let Shape { taps, delay, .. } = shape;
        let before = delay + taps;
        let length = band.re.len();
        self.normal.clear(taps);
        for lag in 0..taps {
            // Frame `s` and the one `lag` before it, both of which some frame is predicted from.
            let from = lag;
            if from >= length {
                break;
            }
            self.product.multiply(band, from, lag);
            // The weight for product `n` and tap `i` is that of frame `from + n + delay + i - first`.
            let offset = before + from + delay - first;
            let mut tap = 0;
            while tap + lag < taps {
                let sums = weighted(&self.product, &self.weights, offset + tap);
                let count = LANES.min(taps - lag - tap);
                for (n, (re, im)) in sums.into_iter().take(count).enumerate() {
                    self.normal.set(tap + n, tap + n + lag, (re, im));
                }
                tap += LANES;
            }
        }
        // What is predicted, against each tap.
        for tap in 0..taps {
            let back = delay + tap;
            if back >= length {
                break;
            }
            self.product.multiply(band, back, back);
            let [(re, im), ..] = weighted(&self.product, &self.weights, before + back - first);
            // The frame itself stands first here, and second there.
            self.normal.aim(tap, (re, -im));
        }
    }
}

impl Series {
    /// Frames from `from` on, each times the conjugate of the one `lag` before it, conjugated:
    /// `conj(x[s]) x[s - lag]`.
    fn multiply(&mut self, of: Stretch<'_>, from: usize, lag: usize) {
        let late = of.re[from..].iter().zip(&of.im[from..]);
        let early = of.re[from - lag..].iter().zip(&of.im[from - lag..]);
        self.clear();
        for ((a_re, a_im), (b_re, b_im)) in late.zip(early) {
            self.re.push(a_re * b_re + a_im * b_im);
            self.im.push(a_re * b_im - a_im * b_re);
        }
        // Whole vectors; weights are there for them.
        let whole = self.re.len().next_multiple_of(LANES);
        self.re.resize(whole, 0.0);
        self.im.resize(whole, 0.0);
    }
}

/// Sums of products times weights, whose first is at `offset`, `offset + 1` and so on.
fn weighted(product: &Series, weights: &[f32], offset: usize) -> [(f64, f64); LANES] {
    /// So many vectors are added up with 32 bits.
    const RUN: usize = 32;
    let mut sums = [(0.0f64, 0.0f64); LANES];
    let (p_re, p_im) = (&product.re, &product.im);
    // From four to four frames the weights of all four lanes: it ends where weights are nothing.
    let mut near = weights[offset..].windows(2 * LANES).step_by(LANES);
    let runs = p_re.chunks(RUN * LANES).zip(p_im.chunks(RUN * LANES));
    for (p_re, p_im) in runs {
        let mut re = [[0.0f32; LANES]; LANES];
        let mut im = [[0.0f32; LANES]; LANES];
        let products = p_re
            .as_chunks::<LANES>()
            .0
            .iter()
            .zip(p_im.as_chunks::<LANES>().0);
        for ((p_re, p_im), near) in products.zip(&mut near) {
            let Some(near) = near.first_chunk::<{ 2 * LANES }>() else {
                break;
            };
            for lane in 0..LANES {
                for n in 0..LANES {
                    re[lane][n] += near[lane + n] * p_re[n];
                    im[lane][n] += near[lane + n] * p_im[n];
                }
            }
        }
        for (sum, (re, im)) in sums.iter_mut().zip(re.into_iter().zip(im)) {
            sum.0 += f64::from(re.iter().sum::<f32>());
            sum.1 += f64::from(im.iter().sum::<f32>());
        }
    }
    sums
}
