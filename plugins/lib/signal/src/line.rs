//! A gain over the whole of a recording that was decided beforehand: one factor for the middle of
//! each hop, and straight lines between them.

pub struct GainLine {
    factors: Vec<f32>,
    hop_frames: usize,
    /// Frames it was applied to so far.
    done: u64,
}

impl GainLine {
    pub fn new(factors: Vec<f32>, hop_frames: usize) -> Self {
        Self {
            factors,
            hop_frames,
            done: 0,
        }
    }

    /// Applies it to the next block, to all channels alike.
    pub fn apply(&mut self, block: &mut [Vec<f32>]) {
        let frames = block.first().map_or(0, Vec::len);
        let mut from = 0;
        while from < frames {
            // From the middle of a hop to the next one's.
            let place = self.done + (self.hop_frames / 2) as u64;
            let line = (place / self.hop_frames as u64) as usize;
            let offset = (place % self.hop_frames as u64) as usize;
            let to = frames.min(from + self.hop_frames - offset);
            let (start, end) = (self.factor(line.saturating_sub(1)), self.factor(line));
            let slope = (end - start) / self.hop_frames as f32;
            for channel in block.iter_mut() {
                for (n, sample) in channel[from..to].iter_mut().enumerate() {
                    *sample *= start + slope * (offset + n) as f32;
                }
            }
            self.done += (to - from) as u64;
            from = to;
        }
    }

    /// The last factor holds for what follows the last hop.
    fn factor(&self, hop: usize) -> f32 {
        let last = self.factors.len().saturating_sub(1);
        self.factors.get(hop.min(last)).copied().unwrap_or(1.0)
    }
}

/// At most `points_max` values, each the mean of as many in a row, and how many that is.
pub fn thinned(values: &[f64], points_max: usize) -> (Vec<f32>, usize) {
    let every = values.len().div_ceil(points_max).max(1);
    let mean = |values: &[f64]| (values.iter().sum::<f64>() / values.len() as f64) as f32;
    (values.chunks(every).map(mean).collect(), every)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_its_factor_in_the_middle_of_a_hop_and_a_line_between() {
        let mut whole = vec![vec![1.0f32; 50]; 2];
        GainLine::new(vec![1.0, 0.5, 0.5, 2.0], 10).apply(&mut whole);
        assert_eq!((whole[0][5], whole[0][10], whole[0][15]), (1.0, 0.75, 0.5));
        assert_eq!((whole[1][25], whole[1][30], whole[1][49]), (0.5, 1.25, 2.0));
        for size in [1, 3, 10] {
            let mut line = GainLine::new(vec![1.0, 0.5, 0.5, 2.0], 10);
            let mut pieces = Vec::new();
            for _ in 0..50 / size {
                let mut block = vec![vec![1.0f32; size]];
                line.apply(&mut block);
                pieces.extend(block.remove(0));
            }
            assert_eq!(pieces, whole[0][..50 / size * size], "blocks of {size}");
        }
    }

    #[test]
    fn a_curve_has_no_more_points_than_wanted() {
        let values: Vec<f64> = (0..1001).map(f64::from).collect();
        assert_eq!(thinned(&values, 1000).1, 2);
        assert_eq!(thinned(&values, 2000).0.len(), 1001);
        assert_eq!(thinned(&values, 1).0, [500.0]);
        assert_eq!(thinned(&[], 5), (vec![], 1));
    }
}
