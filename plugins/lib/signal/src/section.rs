//! One biquad, in f64: with low frequencies at high rates the poles lie so close to 1 that f32 would
//! be audible as noise.

use std::f64::consts::PI;

/// Below this (-600 dB) the state is silence. Without it the decay ends in subnormal numbers,
/// which are slow to compute with.
const SILENCE: f64 = 1e-30;

/// `(b0 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 + a2 z^-2)`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficients {
    pub b: [f64; 3],
    pub a: [f64; 2],
}

impl Coefficients {
    /// The bilinear transform of `(n0 + n1 s + n2 s^2) / (d0 + d1 s + d2 s^2)`, where s = j stands
    /// for the frequency `hz`.
    pub fn bilinear(rate_hz: f64, hz: f64, n: [f64; 3], d: [f64; 3]) -> Self {
        let k = 1.0 / (PI * hz / rate_hz).tan();
        let polynomial = |[c0, c1, c2]: [f64; 3]| {
            let (c1, c2) = (c1 * k, c2 * k * k);
            [c0 + c1 + c2, 2.0 * (c0 - c2), c0 - c1 + c2]
        };
        let ([b0, b1, b2], [a0, a1, a2]) = (polynomial(n), polynomial(d));
        Self {
            b: [b0 / a0, b1 / a0, b2 / a0],
            a: [a1 / a0, a2 / a0],
        }
    }

    /// Second order, -3 dB at `hz` where `q` is 0.7071.
    pub fn lowpass(rate_hz: f64, hz: f64, q: f64) -> Self {
        Self::bilinear(rate_hz, hz, [1.0, 0.0, 0.0], [1.0, 1.0 / q, 1.0])
    }

    /// Second order, -3 dB at `hz` where `q` is 0.7071.
    pub fn highpass(rate_hz: f64, hz: f64, q: f64) -> Self {
        Self::bilinear(rate_hz, hz, [0.0, 0.0, 1.0], [1.0, 1.0 / q, 1.0])
    }

    /// Whether both poles lie inside the unit circle.
    pub fn is_stable(&self) -> bool {
        let [a1, a2] = self.a;
        a2.abs() < 1.0 && a1.abs() < 1.0 + a2
    }

    /// Level change in dB at a frequency.
    pub fn gain_db(&self, rate_hz: f64, hz: f64) -> f64 {
        // In powers of sin^2, which keeps its digits at low frequencies where cosines lose them.
        let x = (PI * hz / rate_hz).sin().powi(2);
        let size = |[c0, c1, c2]: [f64; 3]| {
            (c0 + c1 + c2).powi(2) - 4.0 * (c0 * c1 + c1 * c2 + 4.0 * c0 * c2) * x
                + 16.0 * c0 * c2 * x * x
        };
        10.0 * (size(self.b) / size([1.0, self.a[0], self.a[1]])).log10()
    }
}

/// Direct form 1: of the usual forms it has the shortest dependency from one output to the next.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    coefficients: Coefficients,
    input: [f64; 2],
    output: [f64; 2],
}

impl Section {
    pub fn new(coefficients: Coefficients) -> Self {
        Self {
            coefficients,
            input: [0.0; 2],
            output: [0.0; 2],
        }
    }

    #[inline(always)]
    pub fn step(&mut self, input: f64) -> f64 {
        let Coefficients { b, a } = self.coefficients;
        let output = (b[0] * input + b[1] * self.input[0] + b[2] * self.input[1]
            - a[1] * self.output[1])
            - a[0] * self.output[0];
        self.input = [input, self.input[0]];
        self.output = [output, self.output[0]];
        output
    }

    /// Between runs of steps: forgets what is silence.
    pub fn settle(&mut self) {
        for state in self.input.iter_mut().chain(&mut self.output) {
            if state.abs() < SILENCE {
                *state = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_gain_is_the_measured_gain() {
        for (rate_hz, hz) in [(8_000.0, 100.0), (48_000.0, 1_000.0), (192_000.0, 5_000.0)] {
            let coefficients =
                Coefficients::bilinear(rate_hz, hz, [1.0, 3.0, 2.0], [1.0, 0.8, 1.0]);
            assert!(coefficients.is_stable());
            for ratio in [0.1, 0.5, 1.0, 2.0] {
                let angle = 2.0 * PI * hz * ratio / rate_hz;
                let mut section = Section::new(coefficients);
                let settle = (rate_hz * 20.0 / hz) as usize;
                let measured = (2.0 * PI / angle * 400.0).round() as usize;
                let power: f64 = (0..settle + measured)
                    .map(|n| section.step((angle * n as f64).sin()))
                    .skip(settle)
                    .map(|out| out * out)
                    .sum();
                let measured_db = 10.0 * (2.0 * power / measured as f64).log10();
                let stated_db = coefficients.gain_db(rate_hz, hz * ratio);
                assert!(
                    (measured_db - stated_db).abs() < 0.02,
                    "{rate_hz} Hz, {hz} Hz x {ratio}: {measured_db} dB, stated {stated_db} dB"
                );
            }
        }
    }

    #[test]
    fn butterworth_sections_are_three_db_down_at_the_cut_off() {
        for coefficients in [
            Coefficients::lowpass(48_000.0, 3_000.0, 0.5f64.sqrt()),
            Coefficients::highpass(48_000.0, 3_000.0, 0.5f64.sqrt()),
        ] {
            assert!((coefficients.gain_db(48_000.0, 3_000.0) + 3.0103).abs() < 1e-3);
        }
    }
}
