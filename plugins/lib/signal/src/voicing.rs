//! Whether somebody's voice sounds: it repeats itself with its pitch, which breath, noise and "s" do not (a
//! normalised autocorrelation with a high peak).

/// Pitch is looked for at about this rate...
const PITCH_RATE_HZ: u32 = 8_000;
/// ...over this long, in periods from the highest voice's to the lowest's.
const WINDOW_S: f64 = 0.03;
const PITCH_HZ: [f64; 2] = [400.0, 70.0];
/// Of two periods in a row, this part is alike in a voice.
const VOICED: f32 = 0.5;

pub struct Voicing {
    /// How many frames make one of the pitch's.
    every: usize,
    sum: f32,
    summed: usize,
    /// The newest window and the longest period before it.
    pitch: Vec<f32>,
    window: usize,
    periods: [usize; 2],
}

impl Voicing {
    pub fn new(rate_hz: u32) -> Self {
        let every = (rate_hz / PITCH_RATE_HZ).max(1) as usize;
        let pitch_rate = f64::from(rate_hz) / every as f64;
        let window = (WINDOW_S * pitch_rate) as usize;
        let periods = PITCH_HZ.map(|hz| (pitch_rate / hz) as usize);
        Self {
            every,
            sum: 0.0,
            summed: 0,
            pitch: vec![0.0; window + periods[1]],
            window,
            periods,
        }
    }

    /// Hears a sample; what is lower than a voice must have been taken away, or it would hide the pitch.
    pub fn hear(&mut self, sample: f32) {
        self.sum += sample;
        self.summed += 1;
        if self.summed == self.every {
            self.summed = 0;
            self.pitch.push(std::mem::take(&mut self.sum));
        }
    }

    /// Whether there is a voice in the last 30 ms. To be asked often: what was heard is kept until then.
    pub fn is_voiced(&mut self) -> bool {
        self.pitch
            .drain(..self.pitch.len() - self.window - self.periods[1]);
        periodicity(&self.pitch, self.window, self.periods) >= VOICED
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
