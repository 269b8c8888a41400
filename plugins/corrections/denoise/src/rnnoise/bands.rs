//! The 22 bands of RNNoise: triangles that overlap by half, spaced as the ear hears.

use super::spectrum::{BINS, Spectrum};
use retake_signal::lanes::F4;

pub const BANDS: usize = 22;

/// Where the bands' peaks are, in bins: 0 Hz to 20 kHz.
const PEAKS: [usize; BANDS] = [
    0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 136, 160, 192, 240, 312, 400,
];

const BINS_USED: usize = PEAKS[BANDS - 1];

/// How much of a bin belongs to the band below and the band above it, and the transform of bands to
/// cepstra.
pub struct Bands {
    below: [f32; BINS_USED],
    above: [f32; BINS_USED],
    /// Row by row of the input; rows are padded to whole lanes.
    cosines: [[f32; PADDED]; BANDS],
}

const PADDED: usize = BANDS.next_multiple_of(4);

impl Bands {
    pub fn new() -> Self {
        let mut above = [0.0; BINS_USED];
        for peaks in PEAKS.windows(2) {
            let width = peaks[1] - peaks[0];
            for step in 0..width {
                above[peaks[0] + step] = step as f32 / width as f32;
            }
        }
        let mut cosines = [[0.0; PADDED]; BANDS];
        for (i, row) in cosines.iter_mut().enumerate() {
            for (j, cosine) in row.iter_mut().take(BANDS).enumerate() {
                let angle = (i as f64 + 0.5) * j as f64 * std::f64::consts::PI / BANDS as f64;
                *cosine = angle.cos() as f32;
                if j == 0 {
                    *cosine *= 0.5f32.sqrt();
                }
            }
        }
        Self {
            below: above.map(|above| 1.0 - above),
            above,
            cosines,
        }
    }

    /// The correlation of two spectra in each band; of one with itself, its energy.
    pub fn correlate(&self, x: &Spectrum, y: &Spectrum) -> [f32; BANDS] {
        let mut bands = [0.0; BANDS];
        for (band, peaks) in PEAKS.windows(2).enumerate() {
            let (mut below, mut above) = (F4::splat(0.0), F4::splat(0.0));
            for bin in (peaks[0]..peaks[1]).step_by(4) {
                let re = F4::load(&x.re[bin..]).times(F4::load(&y.re[bin..]));
                let im = F4::load(&x.im[bin..]).times(F4::load(&y.im[bin..]));
                let product = re.plus(im);
                below = below.plus(product.times(F4::load(&self.below[bin..])));
                above = above.plus(product.times(F4::load(&self.above[bin..])));
            }
            bands[band] += below.sum();
            bands[band + 1] += above.sum();
        }
        // The outermost triangles are cut in half.
        bands[0] *= 2.0;
        bands[BANDS - 1] *= 2.0;
        bands
    }

    /// A gain for each bin out of one for each band. Above the last peak, 20 kHz, it is 0.
    pub fn spread(&self, gains: &[f32; BANDS], bins: &mut [f32; BINS]) {
        for (band, peaks) in PEAKS.windows(2).enumerate() {
            let (below, above) = (F4::splat(gains[band]), F4::splat(gains[band + 1]));
            for bin in (peaks[0]..peaks[1]).step_by(4) {
                F4::load(&self.below[bin..])
                    .times(below)
                    .plus(F4::load(&self.above[bin..]).times(above))
                    .store(&mut bins[bin..]);
            }
        }
        bins[BINS_USED..].fill(0.0);
    }

    /// The discrete cosine transform of the bands.
    pub fn cepstrum(&self, bands: &[f32; BANDS]) -> [f32; BANDS] {
        let mut sums = [F4::splat(0.0); PADDED / 4];
        for (row, &band) in self.cosines.iter().zip(bands) {
            for (sum, cosines) in sums.iter_mut().zip(row.chunks_exact(4)) {
                *sum = sum.plus(F4::load(cosines).times(F4::splat(band)));
            }
        }
        let scale = (2.0 / BANDS as f64).sqrt();
        let mut cepstrum = [0.0; BANDS];
        for (index, value) in cepstrum.iter_mut().enumerate() {
            *value = (f64::from(sums[index / 4].to_array()[index % 4]) * scale) as f32;
        }
        cepstrum
    }
}
