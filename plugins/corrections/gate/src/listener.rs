//! The first pass: every 10 ms, how loud it is and whether it could be breath.
//!
//! Breath is noise: it does not repeat itself as the pitch of a voice does (its autocorrelation has no
//! high peak), and it is dark: unlike in "s" or "sh" more of it lies below 4 kHz than above.

use retake_plugin_sdk::prelude::Block;
use retake_signal::hops::Hops;
use retake_signal::section::{Coefficients, Section};
use retake_signal::steps::Steps;

pub const HOPS_PER_SECOND: usize = 100;
/// Pitch is looked for at about this rate...
const PITCH_RATE_HZ: u32 = 8_000;
/// ...over this long, in periods from the highest voice's to the lowest's.
const WINDOW_S: f64 = 0.03;
const PITCH_HZ: [f64; 2] = [400.0, 70.0];
/// Of two periods in a row, this part is alike in a voice.
const VOICED: f32 = 0.5;
/// Where darkness ends, but for rates that have nothing above.
const DARK_HZ: f64 = 4_000.0;
const DARK_PER_RATE: f64 = 0.4;
/// What is lower is no breath, and would hide the pitch.
const LOW_HZ: f64 = 100.0;

pub struct Listener {
    hops: Hops,
    steps: Steps,
    low_cut: Section,
    above: Section,
    energy: f64,
    energy_above: f64,
    /// How many frames make one of the pitch's.
    every: usize,
    sum: f32,
    summed: usize,
    /// The newest window and the longest period before it.
    pitch: Vec<f32>,
    window: usize,
    periods: [usize; 2],
    /// Of the hop before this one, if there was one.
    dark: bool,
    begun: bool,
    /// Whether each hop could be breath.
    pub breathy: Vec<bool>,
}

impl Listener {
    /// `weights` says how much each channel counts for loudness.
    pub fn new(rate_hz: u32, weights: &[f64]) -> Self {
        let hops = Hops::new(rate_hz, weights, HOPS_PER_SECOND);
        let every = (rate_hz / PITCH_RATE_HZ).max(1) as usize;
        let rate = f64::from(rate_hz);
        let pitch_rate = rate / every as f64;
        let window = (WINDOW_S * pitch_rate) as usize;
        let periods = PITCH_HZ.map(|hz| (pitch_rate / hz) as usize);
        let q = 0.5f64.sqrt();
        let dark_hz = DARK_HZ.min(DARK_PER_RATE * rate);
        Self {
            steps: Steps::new(hops.hop_frames()),
            hops,
            low_cut: Section::new(Coefficients::highpass(rate, LOW_HZ, q)),
            above: Section::new(Coefficients::highpass(rate, dark_hz, q)),
            energy: 0.0,
            energy_above: 0.0,
            every,
            sum: 0.0,
            summed: 0,
            pitch: vec![0.0; window + periods[1]],
            window,
            periods,
            dark: false,
            begun: false,
            breathy: Vec::new(),
        }
    }

    pub fn hop_frames(&self) -> usize {
        self.hops.hop_frames()
    }

    /// K-weighted power of each hop.
    pub fn powers(&self) -> &[f32] {
        &self.hops.powers
    }

    pub fn add(&mut self, block: &Block) {
        self.hops.add(block);
        let scale = 1.0 / block.len() as f32;
        let mut from = 0;
        while let Some(piece) = self.steps.piece(from, block[0].len()) {
            for frame in piece.range.clone() {
                let mix = block.iter().map(|channel| channel[frame]).sum::<f32>() * scale;
                self.hear(mix);
            }
            if piece.ends {
                self.end_hop();
            }
            from = piece.range.end;
        }
    }

    pub fn finish(&mut self) {
        self.hops.finish();
        // A hop is judged when the one after it has been heard. One that is not full is no breath.
        self.end_hop();
        self.breathy.resize(self.hops.powers.len(), false);
    }

    fn hear(&mut self, sample: f32) {
        let sample = self.low_cut.step(f64::from(sample));
        let above = self.above.step(sample);
        self.energy += sample * sample;
        self.energy_above += above * above;
        self.sum += sample as f32;
        self.summed += 1;
        if self.summed == self.every {
            self.summed = 0;
            self.pitch.push(std::mem::take(&mut self.sum));
        }
    }

    /// The window, three hops long, has the hop before this one in its middle.
    fn end_hop(&mut self) {
        self.low_cut.settle();
        self.above.settle();
        self.pitch
            .drain(..self.pitch.len() - self.window - self.periods[1]);
        if std::mem::replace(&mut self.begun, true) {
            let voiced = periodicity(&self.pitch, self.window, self.periods) >= VOICED;
            self.breathy.push(self.dark && !voiced);
        }
        let above = std::mem::take(&mut self.energy_above);
        self.dark = 2.0 * above < std::mem::take(&mut self.energy);
    }
}

/// The highest normalised autocorrelation over the periods: 1 where the window repeats itself.
fn periodicity(samples: &[f32], window: usize, [shortest, longest]: [usize; 2]) -> f32 {
    let newest_from = samples.len() - window;
    let newest = &samples[newest_from..];
    // Energy of all that came before a sample: that of a window is the difference of two.
    let energies: Vec<f64> = std::iter::once(0.0)
        .chain(samples.iter().scan(0.0, |sum, &sample| {
            *sum += f64::from(sample).powi(2);
            Some(*sum)
        }))
        .collect();
    let energy = |from: usize| energies[from + window] - energies[from];
    let of_newest = energy(newest_from);
    (shortest..=longest)
        .map(|period| {
            let from = newest_from - period;
            let scale = (of_newest * energy(from)).sqrt() as f32;
            let alike = product(newest, &samples[from..from + window]);
            if scale > 0.0 { alike / scale } else { 0.0 }
        })
        .fold(0.0, f32::max)
}

/// The sum of the products.
fn product(a: &[f32], b: &[f32]) -> f32 {
    // Lanes of their own, or the compiler has to keep the order of a single sum.
    let mut lanes = [0.0f32; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}
