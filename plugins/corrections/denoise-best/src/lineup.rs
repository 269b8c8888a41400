//! One signal of all channels for the network to hear: their sum, those turned around that would cancel what
//! the others have.

/// How each channel goes with each other, over the whole recording.
pub struct Lineup {
    /// For each pair of channels, the sum of products: row by row of the lower triangle, with the diagonal.
    products: Vec<f64>,
    channels: usize,
}

impl Lineup {
    pub fn new(channels: usize) -> Self {
        Self {
            products: vec![0.0; channels * (channels + 1) / 2],
            channels,
        }
    }

    pub fn add(&mut self, block: &[Vec<f32>]) {
        let pairs = (0..self.channels).flat_map(|a| (0..=a).map(move |b| (a, b)));
        for ((a, b), product) in pairs.zip(&mut self.products) {
            *product += dot(&block[a], &block[b]);
        }
    }

    /// What each channel is multiplied with: the loudest is taken as it is, the others are turned so that they
    /// go with it.
    pub fn shares(&self) -> Vec<f32> {
        let product = |a: usize, b: usize| {
            let (high, low) = (a.max(b), a.min(b));
            self.products[high * (high + 1) / 2 + low]
        };
        let loudest = (0..self.channels)
            .max_by(|a, b| product(*a, *a).total_cmp(&product(*b, *b)))
            .unwrap_or(0);
        let share = 1.0 / self.channels as f32;
        (0..self.channels)
            .map(|channel| {
                if product(channel, loudest) < 0.0 {
                    -share
                } else {
                    share
                }
            })
            .collect()
    }
}

/// Sixteen partial sums: one after the other, each addition would wait for the last. What is not a number
/// counts as nothing.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0f32; 16];
    let (a, a_rest) = a.as_chunks::<16>();
    let (b, b_rest) = b.as_chunks::<16>();
    for (a, b) in a.iter().zip(b) {
        for n in 0..16 {
            sums[n] += a[n] * b[n];
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| a * b);
    let sum = sums.into_iter().chain(rest).map(f64::from).sum::<f64>();
    if sum.is_finite() { sum } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(block: &[Vec<f32>]) -> Vec<f32> {
        let mut lineup = Lineup::new(block.len());
        lineup.add(block);
        lineup.shares()
    }

    #[test]
    fn a_channel_turned_around_is_turned_back() {
        let tone: Vec<f32> = (0..1000).map(|n| (n as f32 * 0.1).sin()).collect();
        let turned: Vec<f32> = tone.iter().map(|x| -0.5 * x).collect();
        assert_eq!(shares(&[tone.clone(), turned.clone()]), [0.5, -0.5]);
        assert_eq!(shares(&[turned.clone(), tone.clone()]), [-0.5, 0.5]);
        assert_eq!(shares(&[tone.clone(), tone]), [0.5, 0.5]);
        assert_eq!(shares(&[turned]), [1.0]);
    }

    #[test]
    fn silence_and_impossible_samples_leave_channels_as_they_are() {
        let silence = vec![0.0; 100];
        assert_eq!(shares(&[silence.clone(), silence.clone()]), [0.5, 0.5]);
        assert_eq!(shares(&[vec![f32::NAN; 100], silence]), [0.5, 0.5]);
    }
}
