//! What the network is told about a frame: cepstrum, its changes, pitch and how periodic each band
//! is.

use super::bands::{BANDS, Bands};
use super::pitch::{HISTORY, PitchFinder};
use super::spectrum::{Spectrum, Transform};
use super::{FRAME, WINDOW};
use crate::approximate::{at_least, at_most};

/// Coefficients of which the changes over time count too.
const DELTAS: usize = 6;
/// Cepstra remembered, for how much the spectrum varies.
const MEMORY: usize = 8;

pub const FEATURES: usize = BANDS + 3 * DELTAS + 2;

pub struct Features {
    /// The signal as the network hears it, 36 ms.
    history: [f32; HISTORY],
    rumble: RumbleFilter,
    pitch: PitchFinder,
    cepstra: [[f32; BANDS]; MEMORY],
    /// Squared distances between the remembered cepstra.
    distances: [[f32; MEMORY]; MEMORY],
    newest: usize,
    features: [f32; FEATURES],

    /// Spectrum of the current window, and of the one a pitch period earlier.
    pub signal: Spectrum,
    pub lagged: Spectrum,
    pub signal_energy: [f32; BANDS],
    pub lagged_energy: [f32; BANDS],
    /// Between the two, -1 to 1.
    pub correlation: [f32; BANDS],
}

impl Features {
    pub fn new() -> Self {
        Self {
            history: [0.0; HISTORY],
            rumble: RumbleFilter::default(),
            pitch: PitchFinder::new(),
            cepstra: [[0.0; BANDS]; MEMORY],
            distances: [[0.0; MEMORY]; MEMORY],
            newest: 0,
            features: [0.0; FEATURES],
            signal: Spectrum::empty(),
            lagged: Spectrum::empty(),
            signal_energy: [0.0; BANDS],
            lagged_energy: [0.0; BANDS],
            correlation: [0.0; BANDS],
        }
    }

    pub fn network_input(&self) -> &[f32; FEATURES] {
        &self.features
    }

    /// Takes the next frame. `false` means that it is silent: nothing is worth filtering.
    pub fn compute(
        &mut self,
        input: &[f32; FRAME],
        transform: &mut Transform,
        bands: &Bands,
    ) -> bool {
        self.history.copy_within(FRAME.., 0);
        let newest: &mut [f32] = &mut self.history[HISTORY - FRAME..];
        self.rumble.run(input, newest);

        transform.forward(window(&self.history, 0), &mut self.signal);
        self.signal_energy = bands.correlate(&self.signal, &self.signal);
        let period = self.pitch.find(&self.history);
        transform.forward(window(&self.history, period), &mut self.lagged);
        self.lagged_energy = bands.correlate(&self.lagged, &self.lagged);
        self.correlation = bands.correlate(&self.signal, &self.lagged);
        for (band, correlation) in self.correlation.iter_mut().enumerate() {
            *correlation /= (0.001 + self.signal_energy[band] * self.lagged_energy[band]).sqrt();
        }
        self.describe(period, bands)
    }

    fn describe(&mut self, period: usize, bands: &Bands) -> bool {
        let periodicity = bands.cepstrum(&self.correlation);
        let at = BANDS + 2 * DELTAS;
        self.features[at..at + DELTAS].copy_from_slice(&periodicity[..DELTAS]);
        self.features[at] -= 1.3;
        self.features[at + 1] -= 0.9;
        self.features[at + DELTAS] = 0.01 * (period as f32 - 300.0);

        let mut logs = [0.0; BANDS];
        let (mut log_max, mut follow, mut energy) = (-2.0f32, -2.0f32, 0.0);
        for (log, &band) in logs.iter_mut().zip(&self.signal_energy) {
            *log = at_least(at_least((1e-2 + band).log10(), log_max - 7.0), follow - 1.5);
            log_max = at_least(log_max, *log);
            follow = at_least(follow - 1.5, *log);
            energy += band;
        }
        if energy < 0.04 {
            self.features = [0.0; FEATURES];
            return false;
        }
        let mut cepstrum = bands.cepstrum(&logs);
        cepstrum[0] -= 12.0;
        cepstrum[1] -= 4.0;

        let now = self.newest;
        self.remember(now, cepstrum);
        let before = self.cepstra[(now + MEMORY - 1) % MEMORY];
        let earlier = self.cepstra[(now + MEMORY - 2) % MEMORY];
        self.features[..BANDS].copy_from_slice(&cepstrum);
        for i in 0..DELTAS {
            self.features[i] = cepstrum[i] + before[i] + earlier[i];
            self.features[BANDS + i] = cepstrum[i] - earlier[i];
            self.features[BANDS + DELTAS + i] = cepstrum[i] - 2.0 * before[i] + earlier[i];
        }
        self.features[at + DELTAS + 1] = self.variability() - 2.1;
        self.newest = (now + 1) % MEMORY;
        true
    }

    fn remember(&mut self, now: usize, cepstrum: [f32; BANDS]) {
        self.cepstra[now] = cepstrum;
        for other in 0..MEMORY {
            let mut distance = 0.0;
            for (a, b) in cepstrum.iter().zip(&self.cepstra[other]) {
                distance += (a - b) * (a - b);
            }
            self.distances[now][other] = distance;
            self.distances[other][now] = distance;
        }
    }

    /// How far each remembered cepstrum is from its nearest neighbour, on average.
    fn variability(&self) -> f32 {
        let nearest = |i: usize| {
            let others = (0..MEMORY).filter(|&j| j != i);
            others.map(|j| self.distances[i][j]).fold(1e15, at_most)
        };
        (0..MEMORY).map(nearest).sum::<f32>() / MEMORY as f32
    }
}

/// The last 20 ms, `lag` frames ago.
fn window(history: &[f32; HISTORY], lag: usize) -> &[f32; WINDOW] {
    let end = HISTORY - lag;
    history[end - WINDOW..end]
        .try_into()
        .expect("the slice has that length")
}

/// RNNoise's own high-pass, for what is below a voice: a biquad in transposed direct form 2, with its
/// state rounded to f32 as the original has it. A better filter is faster too, but where the input is
/// digital silence that rounding is all the network hears, and it does react to it.
#[derive(Default)]
struct RumbleFilter {
    state: [f32; 2],
}

impl RumbleFilter {
    const FEEDBACK: [f64; 2] = [-1.99599f32 as f64, 0.99600f32 as f64];

    fn run(&mut self, input: &[f32], output: &mut [f32]) {
        let [mut first, mut second] = self.state;
        for (input, output) in input.iter().zip(output) {
            let x = f64::from(*input);
            let ahead = f64::from(second) - 2.0 * x;
            let before = f64::from(first);
            // What waits for `first` is as short as it can be: the next sample waits for it.
            first = ((ahead - Self::FEEDBACK[0] * x) - Self::FEEDBACK[0] * before) as f32;
            second = ((x - Self::FEEDBACK[1] * x) - Self::FEEDBACK[1] * before) as f32;
            *output = (x + before) as f32;
        }
        self.state = [first, second];
    }
}
