//! The first pass: loudness, true peak, and how loudness and peaks go together.

use retake_plugin_sdk::prelude::Block;
use retake_signal::{
    gate::Gate,
    k_weighting::{KFilter, channel_weights},
};

use crate::true_peak::{Interpolator, sample_peak};

/// Loudness is measured in hops of 100 ms, four to a block; peaks in tenths of a hop.
const SEGMENTS_PER_HOP: usize = 10;
const HOPS_PER_BLOCK: usize = 4;

pub struct Analysis {
    channels: Vec<Channel>,
    interpolator: Interpolator,
    hop_frames: usize,
    /// Which tenth of the hop is being filled, and how far.
    segment: usize,
    filled: usize,
    /// Weighted energy of the hop so far, and of the hops before it.
    energy: f64,
    hops: [f64; HOPS_PER_BLOCK],
    hops_seen: usize,
    gate: Gate,
    pub true_peak: f32,
    last_segment_peak: f32,
    pub peaks: EnergyByPeak,
}

struct Channel {
    weight: f64,
    filter: KFilter,
    /// What the interpolator needs from before, then the segment.
    samples: Vec<f32>,
}

impl Analysis {
    pub fn new(rate_hz: u32, channels: usize) -> Self {
        let interpolator = Interpolator::new(rate_hz);
        let history = 2 * interpolator.reach() - 1;
        let channel = |weight| Channel {
            weight,
            filter: KFilter::new(f64::from(rate_hz)),
            samples: vec![0.0; history],
        };
        Self {
            channels: channel_weights(channels).into_iter().map(channel).collect(),
            interpolator,
            hop_frames: (rate_hz as usize + 5) / 10,
            segment: 0,
            filled: 0,
            energy: 0.0,
            hops: [0.0; HOPS_PER_BLOCK],
            hops_seen: 0,
            gate: Gate::new(),
            true_peak: 0.0,
            last_segment_peak: 0.0,
            peaks: EnergyByPeak::default(),
        }
    }

    pub fn add(&mut self, block: &Block) {
        let frames = block[0].len();
        let mut from = 0;
        while from < frames {
            let missing = self.segment_frames() - self.filled;
            let to = frames.min(from + missing);
            for (channel, samples) in self.channels.iter_mut().zip(block) {
                channel.samples.extend_from_slice(&samples[from..to]);
            }
            self.filled += to - from;
            from = to;
            if self.filled == self.segment_frames() {
                self.end_segment();
            }
        }
    }

    /// Measures the peaks of what has not filled a segment. Its loudness does not count: it fills no
    /// block either.
    pub fn finish(&mut self) {
        let silence = self.interpolator.reach();
        for channel in &mut self.channels {
            channel.samples.resize(channel.samples.len() + silence, 0.0);
        }
        self.filled += silence;
        self.measure_peaks();
        self.forget_segment();
    }

    /// `None`: silence, or shorter than 400 ms.
    pub fn integrated_lufs(&self) -> Option<f64> {
        self.gate.integrated_lufs()
    }

    /// Tenths of a hop whose sum is the hop, whatever the rate.
    fn segment_frames(&self) -> usize {
        let until = |segment: usize| self.hop_frames * segment / SEGMENTS_PER_HOP;
        until(self.segment + 1) - until(self.segment)
    }

    fn end_segment(&mut self) {
        let mut energy = 0.0;
        for channel in &mut self.channels {
            if channel.weight > 0.0 {
                let segment = &channel.samples[channel.samples.len() - self.filled..];
                energy += channel.weight * channel.filter.energy(segment);
            }
        }
        self.energy += energy;
        let peak = self.measure_peaks();
        self.peaks.add(peak, energy);
        self.forget_segment();
        self.segment += 1;
        if self.segment == SEGMENTS_PER_HOP {
            self.end_hop();
        }
    }

    fn end_hop(&mut self) {
        self.segment = 0;
        self.hops.rotate_left(1);
        self.hops[HOPS_PER_BLOCK - 1] = std::mem::take(&mut self.energy);
        self.hops_seen += 1;
        if self.hops_seen >= HOPS_PER_BLOCK {
            let frames = (self.hop_frames * HOPS_PER_BLOCK) as f64;
            self.gate.add(self.hops.iter().sum::<f64>() / frames);
        }
    }

    /// The sample peak of the segment. Interpolates only where that could raise the true peak.
    fn measure_peaks(&mut self) -> f32 {
        let segment = |channel: &Channel| {
            sample_peak(&channel.samples[channel.samples.len() - self.filled..])
        };
        let peak = self.channels.iter().map(segment).fold(0.0, f32::max);
        let around = peak.max(self.last_segment_peak);
        self.last_segment_peak = peak;
        if around * self.interpolator.overshoot_max > self.true_peak {
            let mut peaks = vec![self.true_peak; self.filled];
            for channel in &self.channels {
                self.interpolator.peaks(&channel.samples, &mut peaks);
            }
            self.true_peak = sample_peak(&peaks);
        }
        peak
    }

    fn forget_segment(&mut self) {
        for channel in &mut self.channels {
            channel.samples.drain(..self.filled);
        }
        self.filled = 0;
    }
}

/// How much of the loudness stands under which peaks, in segments of 10 ms: what limiting the peaks
/// will cost.
pub struct EnergyByPeak {
    bins: [f64; Self::BINS],
}

impl Default for EnergyByPeak {
    fn default() -> Self {
        Self {
            bins: [0.0; Self::BINS],
        }
    }
}

impl EnergyByPeak {
    const BINS: usize = 480;
    const BINS_PER_DB: f64 = 4.0;
    /// Peaks from -100 dB to +20 dB; the outermost bins hold what is beyond.
    const LOWEST_DB: f64 = -100.0;

    fn add(&mut self, peak: f32, energy: f64) {
        if peak > 0.0 {
            let above = 20.0 * f64::from(peak).log10() - Self::LOWEST_DB;
            let bin = (above * Self::BINS_PER_DB).max(0.0) as usize;
            self.bins[bin.min(Self::BINS - 1)] += energy;
        }
    }

    /// By how many dB the loudness falls if every segment is turned down until its peak, after a
    /// gain, is under the ceiling: 0 or less.
    pub fn loss_db(&self, gain_db: f64, ceiling_db: f64) -> f64 {
        let (mut before, mut after) = (0.0, 0.0);
        for (bin, energy) in self.bins.iter().enumerate() {
            let peak_db = Self::LOWEST_DB + (bin as f64 + 0.5) / Self::BINS_PER_DB;
            let turned_db = (ceiling_db - gain_db - peak_db).min(0.0);
            before += energy;
            after += energy * 10f64.powf(turned_db / 10.0);
        }
        if before > 0.0 {
            10.0 * (after / before).log10()
        } else {
            0.0
        }
    }
}
