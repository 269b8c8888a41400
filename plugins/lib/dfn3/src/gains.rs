//! The first decoder: a gain for each band.

use crate::activation::sigmoid;
use crate::convolution::{Band, Separable, Skip};
use crate::encoder::Encoded;
use crate::matrix::Grouped;
use crate::recurrent::Recurrent;
use crate::weights::Weights;
use crate::{BANDS, BATCH, CHANNELS, EMBEDDING, UNITS};

pub struct Gains {
    to_state: Grouped,
    states: [Recurrent; 2],
    from_state: Grouped,
    /// From the coarsest to the finest.
    stages: [(Skip, Separable); 3],
    last: Skip,
    output: Box<[Band; 3]>,
    output_bias: f32,
    small: [Vec<f32>; 2],
    /// Maps of 8, 8, 16 and 32 bands.
    maps: [Vec<Band>; 4],
}

impl Gains {
    pub fn new(weights: &mut Weights) -> Self {
        let small = || vec![0.0; BATCH * UNITS];
        let map = |bands: usize| vec![[0.0; CHANNELS]; BATCH * bands];
        Self {
            to_state: Grouped::new(&weights.take(EMBEDDING * UNITS / 16), 16, UNITS / 16),
            states: std::array::from_fn(|_| Recurrent::new(weights)),
            from_state: Grouped::new(&weights.take(UNITS * EMBEDDING / 16), 16, EMBEDDING / 16),
            stages: std::array::from_fn(|_| (Skip::new(weights), Separable::new(weights))),
            last: Skip::new(weights),
            output: weights.rows(),
            output_bias: weights.take(1)[0],
            small: [small(), small()],
            maps: [map(BANDS / 4), map(BANDS / 4), map(BANDS / 2), map(BANDS)],
        }
    }

    pub fn run(&mut self, encoded: &Encoded, gains: &mut [[f32; BANDS]; BATCH]) {
        let [ping, pong] = &mut self.small;
        self.to_state.times_relu(&encoded.embedding, BATCH, ping);
        self.states[0].run(ping, pong);
        self.states[1].run(pong, ping);
        let [coarsest, coarse, middle, fine] = &mut self.maps;
        self.from_state
            .times_relu(ping, BATCH, coarsest.as_flattened_mut());

        let [e0, e1, e2, e3] = &encoded.bands;
        let [third, second, first] = &mut self.stages;
        third.0.add(e3, coarsest);
        third.1.run(coarsest, BANDS / 4, 1, coarse);
        second.0.add(e2, coarse);
        second.1.run_doubling(coarse, BANDS / 4, middle);
        first.0.add(e1, middle);
        first.1.run_doubling(middle, BANDS / 2, fine);
        self.last.add(e0, fine);
        for (gains, map) in gains.iter_mut().zip(fine.as_chunks::<BANDS>().0) {
            *gains = mixed(map, &self.output, self.output_bias);
        }
    }
}

/// All channels of three neighbouring bands into the gain of the middle one.
fn mixed(map: &[Band; BANDS], weights: &[Band; 3], bias: f32) -> [f32; BANDS] {
    // Each band's share in the gain of the band above, of itself and of the band below.
    let shares: [[f32; 3]; BANDS] =
        std::array::from_fn(|n| std::array::from_fn(|tap| dot(&map[n], &weights[tap])));
    std::array::from_fn(|n| {
        let below = if n > 0 { shares[n - 1][0] } else { 0.0 };
        let above = shares.get(n + 1).map_or(0.0, |shares| shares[2]);
        sigmoid(bias + below + shares[n][1] + above)
    })
}

/// Eight partial sums: one after the other, each addition would wait for the last.
fn dot(a: &Band, b: &Band) -> f32 {
    let mut sums = [0.0; 8];
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        for n in 0..8 {
            sums[n] += a[n] * b[n];
        }
    }
    sums.iter().sum()
}
