//! The first pass: spikes and offset are found, and what is left without them is measured.
//!
//! Stretches of a quarter of a second wait until what follows is known: the next for spikes, three
//! more for the offset. That is 1.5 s of audio at most.

use std::collections::VecDeque;

use retake_plugin_sdk::prelude::Block;
use retake_signal::k_weighting::{self, KFilter};

use crate::{
    envelope::Envelope,
    offset::Means,
    segments::Segments,
    spikes::{Finder, Repair, Stretch},
    true_peak::Interpolator,
};

/// Cells of the spike finder in a stretch.
const CELLS: usize = 250;
/// Stretches whose means must be known beyond the one that is measured.
const MEANS_AHEAD: u64 = 3;

pub struct Analysis {
    finder: Finder,
    pub stretch_frames: usize,
    channels: Vec<Channel>,
    frames: u64,
    /// The first stretch that is still held, the next to be repaired, and the next to be measured.
    held: u64,
    repair: u64,
    measure: u64,
    highest_spike: f32,
    meter: Meter,
}

#[derive(Default)]
struct Channel {
    /// From the first held stretch on.
    samples: Vec<f32>,
    /// Peaks of the finder's cells in it, as far as whole stretches go.
    peaks: Vec<f32>,
    means: Means,
    repairs: Vec<Repair>,
}

/// What the first pass found.
pub struct Analyzed {
    pub envelope: Envelope,
    pub mendings: Vec<Mending>,
    /// 0 where there was none.
    pub highest_spike: f32,
}

/// What the second pass needs to know of a channel.
pub struct Mending {
    pub repairs: Vec<Repair>,
    pub means: Means,
}

impl Analysis {
    pub fn new(rate_hz: u32, weights: &[f64]) -> Self {
        let finder = Finder::new(rate_hz);
        Self {
            stretch_frames: finder.cell_frames * CELLS,
            finder,
            channels: weights.iter().map(|_| Channel::default()).collect(),
            frames: 0,
            held: 0,
            repair: 0,
            measure: 0,
            highest_spike: 0.0,
            meter: Meter::new(rate_hz, weights),
        }
    }

    pub fn add(&mut self, block: &Block) {
        for (channel, samples) in self.channels.iter_mut().zip(block) {
            // What is no number counts as nothing, here and in the second pass.
            let finite = |&sample: &f32| if sample.is_finite() { sample } else { 0.0 };
            channel.samples.extend(samples.iter().map(finite));
        }
        self.frames += block[0].len() as u64;
        self.advance(false);
    }

    pub fn finish(mut self) -> Analyzed {
        self.advance(true);
        let mendings = self.channels.into_iter().map(|channel| Mending {
            repairs: channel.repairs,
            means: channel.means,
        });
        Analyzed {
            mendings: mendings.collect(),
            envelope: self.meter.finish(),
            highest_spike: self.highest_spike,
        }
    }

    fn advance(&mut self, ended: bool) {
        let stretch = self.stretch_frames as u64;
        let whole = self.frames / stretch;
        let there = if ended {
            self.frames.div_ceil(stretch)
        } else {
            whole
        };
        self.find_peaks(there);
        while self.repair + u64::from(!ended) < there {
            self.repair_stretch();
        }
        while self.measure + if ended { 0 } else { MEANS_AHEAD } < self.repair {
            self.measure_stretch();
        }
        // The finder looks back one stretch.
        let keep = self.measure.min(self.repair.saturating_sub(1));
        let gone = (keep - self.held) as usize;
        for channel in &mut self.channels {
            channel.samples.drain(..gone * self.stretch_frames);
            channel.peaks.drain(..gone * CELLS);
        }
        self.held = keep;
    }

    /// Up to the end of stretch `there`.
    fn find_peaks(&mut self, there: u64) {
        let frames = (there - self.held) as usize * self.stretch_frames;
        for channel in &mut self.channels {
            let known = channel.peaks.len() * self.finder.cell_frames;
            let end = frames.min(channel.samples.len());
            if let Some(samples) = channel.samples.get(known..end) {
                channel.peaks.extend(self.finder.peaks(samples));
            }
        }
    }

    fn repair_stretch(&mut self) {
        let at = (self.repair - self.held) as usize;
        let first = at.saturating_sub(1);
        let frames = self.stretch_frames;
        for channel in &mut self.channels {
            let cells = first * CELLS..((at + 2) * CELLS).min(channel.peaks.len());
            let samples = first * frames..((at + 2) * frames).min(channel.samples.len());
            let mine = (at - first) * CELLS..((at - first + 1) * CELLS).min(cells.len());
            let mut stretch = Stretch {
                samples: &mut channel.samples[samples],
                peaks: &mut channel.peaks[cells],
                first: (self.held + first as u64) * frames as u64,
            };
            self.finder.repair(
                &mut stretch,
                mine,
                &mut channel.repairs,
                &mut self.highest_spike,
            );
            let whole = at * frames..((at + 1) * frames).min(channel.samples.len());
            let samples = &channel.samples[whole];
            // A short rest would say little of an offset and much of its last wave.
            if self.repair == 0 || 2 * samples.len() >= frames {
                let sum: f64 = samples.iter().map(|&sample| f64::from(sample)).sum();
                channel.means.push(sum / samples.len() as f64);
            }
        }
        self.repair += 1;
    }

    fn measure_stretch(&mut self) {
        let frames = self.stretch_frames;
        let at = (self.measure - self.held) as usize;
        let block = self.channels.iter().map(|channel| {
            let end = ((at + 1) * frames).min(channel.samples.len());
            let mut samples = channel.samples[at * frames..end].to_vec();
            let first = self.measure * frames as u64;
            channel.means.remove(&mut samples, first, frames);
            samples
        });
        let block: Block = block.collect();
        self.meter.add(&block);
        self.measure += 1;
    }
}

/// Loudness and peaks, segment by segment.
struct Meter {
    interpolator: Interpolator,
    channels: Vec<Metered>,
    segments: Segments,
    filled: usize,
    envelope: Envelope,
    /// Energies of segments whose peaks are not known yet: the interpolator looks ahead.
    energies: VecDeque<f64>,
}

struct Metered {
    weight: f64,
    filter: KFilter,
    /// What the interpolator needs from before, then the segment.
    samples: Vec<f32>,
}

impl Meter {
    fn new(rate_hz: u32, weights: &[f64]) -> Self {
        let channel = |&weight| Metered {
            weight,
            filter: KFilter::new(f64::from(rate_hz)),
            samples: vec![0.0; Interpolator::REACH],
        };
        Self {
            interpolator: Interpolator::new(rate_hz),
            channels: weights.iter().map(channel).collect(),
            segments: Segments::new(rate_hz),
            filled: 0,
            envelope: Envelope::default(),
            energies: VecDeque::new(),
        }
    }

    fn add(&mut self, block: &Block) {
        let frames = block[0].len();
        let mut from = 0;
        while from < frames {
            let to = frames.min(from + self.next_frames() - self.filled);
            self.take(block, from..to);
            if self.filled == self.next_frames() {
                self.end_segment();
            }
            from = to;
        }
    }

    fn take(&mut self, block: &Block, range: std::ops::Range<usize>) {
        let heard = self.channels.iter_mut().zip(block);
        let energy = k_weighting::energy(heard.map(|(channel, samples)| {
            (channel.weight, &mut channel.filter, &samples[range.clone()])
        }));
        for (channel, samples) in self.channels.iter_mut().zip(block) {
            channel.samples.extend_from_slice(&samples[range.clone()]);
        }
        if self.filled == 0 {
            self.energies.push_back(0.0);
        }
        if let Some(last) = self.energies.back_mut() {
            *last += energy;
        }
        self.filled += range.len();
    }

    fn next_frames(&self) -> usize {
        let segment = self.envelope.segments() + self.energies.len() - usize::from(self.filled > 0);
        self.segments.frames(segment)
    }

    fn end_segment(&mut self) {
        self.filled = 0;
        self.measure_peaks();
    }

    /// Of all segments that the interpolator can see in full.
    fn measure_peaks(&mut self) {
        while !self.energies.is_empty() {
            let frames = self.segments.frames(self.envelope.segments());
            if self.channels[0].samples.len() < frames + 2 * Interpolator::REACH {
                return;
            }
            let mut peak = 0.0;
            for channel in &mut self.channels {
                let seen = &channel.samples[..frames + 2 * Interpolator::REACH];
                peak = self.interpolator.quick_highest(seen, peak);
                channel.samples.drain(..frames);
            }
            let energy = self.energies.pop_front().unwrap_or(0.0);
            self.envelope.push(peak, energy);
        }
    }

    /// The last segment may be short: it counts with what it has.
    fn finish(mut self) -> Envelope {
        let missing = match self.filled {
            0 => 0,
            filled => self.next_frames() - filled,
        };
        for channel in &mut self.channels {
            let silence = missing + Interpolator::REACH;
            channel.samples.resize(channel.samples.len() + silence, 0.0);
        }
        self.filled = 0;
        self.measure_peaks();
        self.envelope
    }
}
