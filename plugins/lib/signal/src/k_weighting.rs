//! The frequency weighting of ITU-R BS.1770-4, Annex 1: a shelf for the head, a high-pass for what
//! the ear does not count. The standard gives coefficients for 48 kHz only; these are the analogue
//! parameters behind them (B. De Man, 2018), so that every rate is weighted alike.

use std::f64::consts::PI;

use super::lanes::D2;

/// Weights one channel. Two biquads in direct form 1: the second's input history is the first's
/// output history.
#[derive(Clone)]
pub struct KFilter {
    shelf: [f64; 3],
    shelf_feedback: [f64; 2],
    highpass_feedback: [f64; 2],
    input: [f64; 2],
    between: [f64; 2],
    output: [f64; 2],
}

/// Below this the state is silence; the decay would end in subnormal numbers, which are slow.
const SILENCE: f64 = 1e-30;

impl KFilter {
    pub fn new(rate_hz: f64) -> Self {
        let (frequency, gain_db, q) = (1681.974450955533, 3.999843853973347, 0.7071752369554196);
        let k = (PI * frequency / rate_hz).tan();
        let high = 10f64.powf(gain_db / 20.0);
        let band = high.powf(0.4996667741545416);
        let scale = 1.0 / (1.0 + k / q + k * k);
        let shelf = [
            (high + band * k / q + k * k) * scale,
            2.0 * (k * k - high) * scale,
            (high - band * k / q + k * k) * scale,
        ];
        let feedback =
            |k: f64, q: f64, scale| [2.0 * (k * k - 1.0) * scale, (1.0 - k / q + k * k) * scale];
        let shelf_feedback = feedback(k, q, scale);

        let (frequency, q) = (38.13547087602444, 0.5003270373238773);
        let k = (PI * frequency / rate_hz).tan();
        let highpass_feedback = feedback(k, q, 1.0 / (1.0 + k / q + k * k));
        let zero = [0.0; 2];
        Self {
            shelf,
            shelf_feedback,
            highpass_feedback,
            input: zero,
            between: zero,
            output: zero,
        }
    }

    /// The sum of the squares of the weighted samples.
    fn energy(&mut self, samples: &[f32]) -> f64 {
        let ([b0, b1, b2], [a1, a2], [c1, c2]) =
            (self.shelf, self.shelf_feedback, self.highpass_feedback);
        let ([mut x1, mut x2], [mut y1, mut y2], [mut z1, mut z2]) =
            (self.input, self.between, self.output);
        let mut energy = 0.0;
        for &sample in samples {
            let x = f64::from(sample);
            let y = (b0 * x + b1 * x1 + b2 * x2 - a2 * y2) - a1 * y1;
            let z = ((y - y1) - (y1 - y2) - c2 * z2) - c1 * z1;
            energy += z * z;
            (x2, x1) = (x1, x);
            (y2, y1) = (y1, y);
            (z2, z1) = (z1, z);
        }
        self.input = [x1, x2].map(settled);
        self.between = [y1, y2].map(settled);
        self.output = [z1, z2].map(settled);
        energy
    }
}

/// The sum of the squares of all channels' weighted samples, each as often as its channel counts. Two channels go at
/// once: one alone leaves most of the processor waiting for its own last sample.
pub fn energy<'a>(channels: impl Iterator<Item = (f64, &'a mut KFilter, &'a [f32])>) -> f64 {
    let mut heard = channels.filter(|(counts, ..)| *counts > 0.0);
    let mut sum = 0.0;
    while let Some((counts, filter, samples)) = heard.next() {
        let Some((counts_too, other, too)) = heard.next() else {
            return sum + counts * filter.energy(samples);
        };
        let [energy, energy_too] = energies([filter, other], [samples, too]);
        sum += counts * energy + counts_too * energy_too;
    }
    sum
}

/// Of two equally long stretches, by filters for the same rate.
fn energies(filters: [&mut KFilter; 2], samples: [&[f32]; 2]) -> [f64; 2] {
    let [b0, b1, b2] = filters[0].shelf.map(D2::splat);
    let [a1, a2] = filters[0].shelf_feedback.map(D2::splat);
    let [c1, c2] = filters[0].highpass_feedback.map(D2::splat);
    let last = |part: fn(&KFilter) -> [f64; 2]| {
        let [one, other] = [part(filters[0]), part(filters[1])];
        [0, 1].map(|age| D2::new([one[age], other[age]]))
    };
    let [mut x1, mut x2] = last(|filter| filter.input);
    let [mut y1, mut y2] = last(|filter| filter.between);
    let [mut z1, mut z2] = last(|filter| filter.output);
    let mut energies = D2::splat(0.0);
    for (&one, &other) in samples[0].iter().zip(samples[1]) {
        let x = D2::new([f64::from(one), f64::from(other)]);
        let y = b0.times(x).plus(b1.times(x1)).plus(b2.times(x2));
        let y = y.minus(a2.times(y2)).minus(a1.times(y1));
        let z = y.minus(y1).minus(y1.minus(y2));
        let z = z.minus(c2.times(z2)).minus(c1.times(z1));
        energies = energies.plus(z.times(z));
        (x2, x1) = (x1, x);
        (y2, y1) = (y1, y);
        (z2, z1) = (z1, z);
    }
    for (lane, filter) in filters.into_iter().enumerate() {
        let state = |ages: [D2; 2]| ages.map(|age| settled(age.to_array()[lane]));
        filter.input = state([x1, x2]);
        filter.between = state([y1, y2]);
        filter.output = state([z1, z2]);
    }
    energies.to_array()
}

fn settled(state: f64) -> f64 {
    if state.abs() < SILENCE { 0.0 } else { state }
}
