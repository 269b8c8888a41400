//! The encoder: from what is heard to what both decoders share.

use crate::activation::sigmoid;
use crate::convolution::{Band, Separable, Taps};
use crate::matrix::{Grouped, Matrix, Stride};
use crate::recurrent::Recurrent;
use crate::weights::Weights;
use crate::{BANDS, BATCH, CHANNELS, EMBEDDING, FILTERED, UNITS};

/// A convolution over time takes this frame and so many before it.
const BEFORE: usize = 2;
/// One value more on either side, which is zero.
const PADDED_BANDS: usize = BANDS + 2;
const PADDED_BINS: usize = FILTERED + 2;
const HALF: usize = CHANNELS / 2;
/// Three frames of three bins, real parts and then imaginary ones.
const NEAR: usize = 18;
/// The range of the estimate of signal over noise, dB.
const RATIO_DB: (f32, f32) = (-15.0, 50.0);

pub struct Encoder {
    band_taps: Taps,
    band_bias: Box<Band>,
    bands: [Separable; 3],
    bin_taps: Matrix,
    bin_bias: Box<Band>,
    bins: Separable,
    from_bins: Grouped,
    to_state: Grouped,
    state: Recurrent,
    from_state: Grouped,
    ratio: Box<[f32; EMBEDDING]>,
    ratio_bias: f32,
    heard: Heard,
    /// The neighbourhood of each bin.
    near: Vec<[f32; NEAR]>,
    halved_bins: Vec<Band>,
    sum: Vec<f32>,
    small: Vec<f32>,
    states: Vec<f32>,
}

/// The last frames' features, those before the batch first.
struct Heard {
    levels: [[f32; PADDED_BANDS]; BEFORE + BATCH],
    re: [[f32; PADDED_BINS]; BEFORE + BATCH],
    im: [[f32; PADDED_BINS]; BEFORE + BATCH],
}

/// What comes of a batch, frame by frame.
pub struct Encoded {
    /// After each of the convolutions over bands: 32, 16, 8 and 8 of them.
    pub bands: [Vec<Band>; 4],
    /// After the first over bins.
    pub bins: Vec<Band>,
    pub embedding: Vec<f32>,
    pub ratio_db: [f32; BATCH],
}

impl Encoded {
    pub fn new() -> Self {
        let map = |bands: usize| vec![[0.0; CHANNELS]; BATCH * bands];
        Self {
            bands: [map(BANDS), map(BANDS / 2), map(BANDS / 4), map(BANDS / 4)],
            bins: map(FILTERED),
            embedding: vec![0.0; BATCH * EMBEDDING],
            ratio_db: [0.0; BATCH],
        }
    }
}

impl Encoder {
    pub fn new(weights: &mut Weights) -> Self {
        let band_taps = Taps::new(weights);
        let band_bias = weights.row();
        let bands = std::array::from_fn(|_| Separable::new(weights));
        let bin_taps = bin_taps(&weights.rows(), &weights.rows());
        Self {
            band_taps,
            band_bias,
            bands,
            bin_taps: Matrix::new(bin_taps.as_flattened(), CHANNELS),
            bin_bias: weights.row(),
            bins: Separable::new(weights),
            from_bins: Grouped::new(
                &weights.take(FILTERED / 2 * CHANNELS * EMBEDDING / 32),
                32,
                EMBEDDING / 32,
            ),
            to_state: Grouped::new(&weights.take(EMBEDDING * UNITS / 16), 16, UNITS / 16),
            state: Recurrent::new(weights),
            from_state: Grouped::new(&weights.take(UNITS * EMBEDDING / 16), 16, EMBEDDING / 16),
            ratio: weights.row(),
            ratio_bias: weights.take(1)[0],
            heard: Heard {
                levels: [[0.0; PADDED_BANDS]; BEFORE + BATCH],
                re: [[0.0; PADDED_BINS]; BEFORE + BATCH],
                im: [[0.0; PADDED_BINS]; BEFORE + BATCH],
            },
            near: vec![[0.0; NEAR]; BATCH * FILTERED],
            halved_bins: vec![[0.0; CHANNELS]; BATCH * FILTERED / 2],
            sum: vec![0.0; BATCH * EMBEDDING],
            small: vec![0.0; BATCH * UNITS],
            states: vec![0.0; BATCH * UNITS],
        }
    }

    /// Where the features of a frame of the batch go: levels of bands, real and imaginary parts of bins.
    pub fn hear(
        &mut self,
        frame: usize,
    ) -> (
        &mut [f32; BANDS],
        &mut [f32; FILTERED],
        &mut [f32; FILTERED],
    ) {
        let Heard { levels, re, im } = &mut self.heard;
        let at = BEFORE + frame;
        (
            inside(&mut levels[at]),
            inside(&mut re[at]),
            inside(&mut im[at]),
        )
    }

    /// Takes the batch that was heard.
    pub fn run(&mut self, encoded: &mut Encoded) {
        self.run_bands(&mut encoded.bands);
        self.run_bins(&mut encoded.bins);
        self.from_bins
            .times_relu(self.halved_bins.as_flattened(), BATCH, &mut self.sum);
        for (sum, band) in self.sum.iter_mut().zip(encoded.bands[3].as_flattened()) {
            *sum += band;
        }
        self.to_state.times_relu(&self.sum, BATCH, &mut self.small);
        self.state.run(&self.small, &mut self.states);
        self.from_state
            .times_relu(&self.states, BATCH, &mut encoded.embedding);
        let frames = encoded.embedding.as_chunks::<EMBEDDING>().0;
        for (ratio_db, embedding) in encoded.ratio_db.iter_mut().zip(frames) {
            let sum: f32 = embedding
                .iter()
                .zip(&*self.ratio)
                .map(|(x, weight)| x * weight)
                .sum();
            *ratio_db = RATIO_DB.0 + RATIO_DB.1 * sigmoid(sum + self.ratio_bias);
        }
        self.heard.levels.copy_within(BATCH.., 0);
        self.heard.re.copy_within(BATCH.., 0);
        self.heard.im.copy_within(BATCH.., 0);
    }

    fn run_bands(&mut self, maps: &mut [Vec<Band>; 4]) {
        let [first, rest @ ..] = maps;
        for (frames, output) in self
            .heard
            .levels
            .windows(3)
            .zip(first.chunks_exact_mut(BANDS))
        {
            let frames = std::array::from_fn(|n| frames[n].as_slice());
            for (band, output) in output.iter_mut().enumerate() {
                *output = self
                    .band_taps
                    .run(frames, band, &self.band_bias)
                    .map(crate::activation::relu);
            }
        }
        let [second, third, fourth] = rest;
        let [a, b, c] = &mut self.bands;
        a.run(first, BANDS, 2, second);
        b.run(second, BANDS / 2, 2, third);
        c.run(third, BANDS / 4, 1, fourth);
    }

    fn run_bins(&mut self, output: &mut [Band]) {
        let frames = self.heard.re.windows(3).zip(self.heard.im.windows(3));
        for ((re, im), near) in frames.zip(self.near.chunks_exact_mut(FILTERED)) {
            for (frame, part) in re.iter().chain(im).enumerate() {
                for (near, part) in near.iter_mut().zip(part.windows(3)) {
                    near[3 * frame..3 * frame + 3].copy_from_slice(part);
                }
            }
        }
        let input = (self.near.as_flattened(), Stride(NEAR));
        let bias = Some(self.bin_bias.as_slice());
        let made = (output.as_flattened_mut(), Stride(CHANNELS));
        self.bin_taps
            .times_relu(input, BATCH * FILTERED, bias, made);
        self.bins.run(output, FILTERED, 2, &mut self.halved_bins);
    }
}

/// Half of the channels are made of the real parts of a bin's neighbourhood and half of the imaginary ones, then
/// all are mixed. Nothing stands between the two, so that they are one: from 18 numbers to all channels.
fn bin_taps(taps: &[Band; 9], mix: &[Band; CHANNELS]) -> [Band; NEAR] {
    std::array::from_fn(|near| {
        let (half, tap) = (near / 9, near % 9);
        let channels = half * HALF..(half + 1) * HALF;
        let mut sum = [0.0; CHANNELS];
        for (factor, mix) in taps[tap][channels.clone()].iter().zip(&mix[channels]) {
            sum.iter_mut()
                .zip(mix)
                .for_each(|(sum, mix)| *sum += factor * mix);
        }
        sum
    })
}

/// All but the zeros on either side.
fn inside<const PADDED: usize, const N: usize>(padded: &mut [f32; PADDED]) -> &mut [f32; N] {
    padded[1..]
        .first_chunk_mut()
        .expect("two more than there are inside")
}
