//! A filter of linear phase with any curve, over whole spectra (overlap-save).

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// The filter reaches so far to either side.
const REACH_S: f64 = 0.01;
/// From step to step; a spectrum is a step and the filter long.
const STEP_S: f64 = 0.05;

pub struct Filter {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// `None`: everything passes as it is.
    response: Option<Vec<Complex<f32>>>,
    reach: usize,
    step: usize,
    lanes: Vec<Lane>,
    spectrum: Vec<Complex<f32>>,
    samples: Vec<f32>,
    scratch: Vec<Complex<f32>>,
}

/// A channel.
struct Lane {
    /// Twice the reach of what was before, and the step that fills.
    held: Vec<f32>,
    /// What is finished and was not handed out.
    ready: std::collections::VecDeque<f32>,
}

impl Filter {
    pub fn new(rate_hz: f64, channels: usize) -> Self {
        let reach = (rate_hz * REACH_S).round() as usize;
        let step = (rate_hz * STEP_S).round() as usize;
        let size = (step + 2 * reach).next_multiple_of(64);
        let step = size - 2 * reach;
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (
            planner.plan_fft_forward(size),
            planner.plan_fft_inverse(size),
        );
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let lane = || Lane {
            held: vec![0.0; 2 * reach],
            ready: std::iter::repeat_n(0.0, step).collect(),
        };
        Self {
            response: None,
            reach,
            step,
            lanes: std::iter::repeat_with(lane).take(channels).collect(),
            spectrum: forward.make_output_vec(),
            samples: forward.make_input_vec(),
            scratch: vec![Complex::default(); scratch],
            forward,
            inverse,
        }
    }

    pub fn latency_frames(&self) -> usize {
        self.step + self.reach
    }

    /// Sets what it does from now on, by its gain at each frequency.
    pub fn shape(&mut self, rate_hz: f64, gain_db_at: impl Fn(f64) -> f64) {
        // The response on a fine grid, its impulse response cut to the reach by Hann's window.
        let size = self.samples.len();
        let half = size / 2;
        let factor =
            |bin: usize| 10f64.powf(gain_db_at(bin as f64 * rate_hz / size as f64) / 20.0) as f32;
        for (bin, to) in self.spectrum.iter_mut().enumerate() {
            *to = Complex::new(factor(bin), 0.0);
        }
        let mut pulse = vec![0.0; size];
        // It fails on buffers of other lengths only.
        let _ =
            self.inverse
                .process_with_scratch(&mut self.spectrum, &mut pulse, &mut self.scratch);
        self.samples.fill(0.0);
        for n in 0..=2 * self.reach {
            let away = n.abs_diff(self.reach);
            let window =
                0.5 + 0.5 * (std::f64::consts::PI * away as f64 / (self.reach + 1) as f64).cos();
            debug_assert!(away <= half);
            self.samples[n] = pulse[away] * window as f32 / size as f32;
        }
        let mut response = self.forward.make_output_vec();
        let _ =
            self.forward
                .process_with_scratch(&mut self.samples, &mut response, &mut self.scratch);
        let norm = 1.0 / size as f32;
        response.iter_mut().for_each(|bin| *bin *= norm);
        self.response = Some(response);
    }

    /// Takes a block and gives back as many frames, `latency_frames` late.
    pub fn run(&mut self, block: &mut [Vec<f32>]) {
        let Self {
            lanes,
            reach,
            step,
            response,
            ..
        } = self;
        let window = *step + 2 * *reach;
        for (lane, channel) in lanes.iter_mut().zip(block) {
            lane.held.extend_from_slice(channel);
            while lane.held.len() >= window {
                match response {
                    Some(response) => {
                        self.samples.copy_from_slice(&lane.held[..window]);
                        let _ = self.forward.process_with_scratch(
                            &mut self.samples,
                            &mut self.spectrum,
                            &mut self.scratch,
                        );
                        for (bin, factor) in self.spectrum.iter_mut().zip(response.iter()) {
                            *bin *= factor;
                        }
                        self.spectrum[0].im = 0.0;
                        if let Some(last) = self.spectrum.last_mut() {
                            last.im = 0.0;
                        }
                        let _ = self.inverse.process_with_scratch(
                            &mut self.spectrum,
                            &mut self.samples,
                            &mut self.scratch,
                        );
                        // What the ends of the window have spoilt is left out.
                        lane.ready.extend(&self.samples[2 * *reach..]);
                    }
                    None => lane.ready.extend(&lane.held[*reach..*reach + *step]),
                }
                lane.held.drain(..*step);
            }
            for sample in channel.iter_mut() {
                *sample = lane.ready.pop_front().unwrap_or(0.0);
            }
        }
    }
}
