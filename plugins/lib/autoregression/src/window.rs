//! The Hann window that a stretch of audio is fitted under.

use std::f64::consts::PI;

/// For stretches of one length: its cosines cost as much as a fit's own sums.
pub struct Hann(Vec<f64>);

impl Hann {
    pub fn new(frames: usize) -> Self {
        let turn = 2.0 * PI / (frames + 1) as f64;
        let at = |n: usize| 0.5 - 0.5 * (turn * (n + 1) as f64).cos();
        Self((0..frames).map(at).collect())
    }

    /// # Panics
    ///
    /// If the stretch has another length.
    pub fn over(&self, audio: &[f64]) -> Vec<f64> {
        assert_eq!(audio.len(), self.0.len(), "frames of the stretch");
        let pairs = audio.iter().zip(&self.0);
        pairs.map(|(sample, window)| sample * window).collect()
    }
}
