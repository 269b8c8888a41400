//! A constant offset, and one that drifts: the mean of a channel over more than a second, taken off
//! where it costs headroom. Means lie around the frame they are for, so nothing is delayed and no phase
//! turned.

/// Means of stretches of a quarter of a second are averaged over so many on either side.
const BESIDE: usize = 2;

/// An offset this far below the loudness of the recording is left alone: it takes less than 0.2 dB of
/// headroom …
const FELT_DB: f64 = -20.0;
/// … and so is what is nothing but rounding.
const LEAST_DBFS: f64 = -90.0;

/// The means of a channel's stretches, in order. Only the last may be of a shorter one.
#[derive(Debug, Clone, Default)]
pub struct Means {
    means: Vec<f32>,
}

impl Means {
    pub fn push(&mut self, mean: f64) {
        self.means.push(mean as f32);
    }

    /// The offset in the middle of a stretch; before the first and behind the last as there.
    fn at(&self, stretch: i64) -> f32 {
        let Some(last) = self.means.len().checked_sub(1) else {
            return 0.0;
        };
        let stretch = (stretch.max(0) as usize).min(last);
        let around = &self.means[stretch.saturating_sub(BESIDE)..=(stretch + BESIDE).min(last)];
        // Nothing stays nothing, exactly.
        around.iter().sum::<f32>() / around.len() as f32
    }

    /// Takes it off samples that begin at frame `first`.
    pub fn remove(&self, samples: &mut [f32], first: u64, stretch_frames: usize) {
        let mut from = 0;
        while from < samples.len() {
            // From the middle of a stretch to the next one's.
            let place = first + from as u64 + (stretch_frames / 2) as u64;
            let line = (place / stretch_frames as u64) as i64;
            let offset = (place % stretch_frames as u64) as usize;
            let to = samples.len().min(from + stretch_frames - offset);
            let (start, end) = (self.at(line - 1), self.at(line));
            if start != 0.0 || end != 0.0 {
                let slope = (end - start) / stretch_frames as f32;
                for (n, sample) in samples[from..to].iter_mut().enumerate() {
                    *sample -= start + slope * (offset + n) as f32;
                }
            }
            from = to;
        }
    }

    pub fn largest(&self) -> f32 {
        let stretches = 0..self.means.len() as i64;
        stretches
            .map(|stretch| self.at(stretch).abs())
            .fold(0.0, f32::max)
    }
}

/// Whether an offset is worth taking off a recording of this loudness.
pub fn costs_headroom(offset: f32, lufs: Option<f64>) -> bool {
    let dbfs = 20.0 * f64::from(offset).log10();
    dbfs > LEAST_DBFS && lufs.is_some_and(|lufs| dbfs - lufs > FELT_DB)
}
