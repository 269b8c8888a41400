//! Samples in, the room's part of them out: block after block of some seconds, each predicted by filters
//! of its own, and faded into the next.

use std::collections::VecDeque;
use std::ops::Range;

use realfft::num_complex::Complex;
use retake_spared::{SECOND, Spared};

use crate::dryness::Dryness;
use crate::prediction::{Predictor, Series, Shape};
use crate::spectra::{OVER, Spectra};

/// A block has no more frames, 10 s...
const BLOCK_FRAMES: usize = 1250;
/// ...of which so many, one second, are faded over into the next.
const FADE_FRAMES: usize = 125;
/// For each tap that is solved for, a block has so many frames at least: filters with more freedom
/// would follow the voice.
const FRAMES_PER_TAP: usize = 12;
/// Where the taps of bands end, and how many they have: what is higher dies away sooner, and costs
/// more, because there are more bands of it.
const TAPS: [(f32, usize); 3] = [(4_000.0, 40), (8_000.0, 24), (f32::INFINITY, 12)];
pub const SHAPE: Shape = Shape {
    taps: 40,
    delay: 2,
    iterations: 2,
    context: 2,
    least: 1e-3,
};
const PAST_FRAMES: usize = SHAPE.delay + SHAPE.taps;

pub struct Engine {
    strength: f32,
    rate_hz: u32,
    total_frames: u64,
    spectra: Spectra,
    predictor: Predictor,
    dryness: Dryness,
    spared: Spared,
    /// For each band, frames of the block that fills, behind those that they are predicted from.
    bands: Vec<Series>,
    /// Of these frames the first is that of the recording with this number.
    first: usize,
    /// Blocks that are still to come, the one that fills first: their frames.
    blocks: VecDeque<Range<usize>>,
    /// What was predicted of a block, from frame to frame.
    predicted: Vec<Complex<f32>>,
    /// Of the block before, from frame to frame: what was predicted of those that it shares with this one.
    tail: Vec<Complex<f32>>,
    /// Samples of the last window.
    heard: VecDeque<f32>,
    /// Samples that are not finished: the oldest first.
    held: VecDeque<f32>,
    /// What is to be taken from the first of those.
    room: Vec<f32>,
    taken: u64,
    output: VecDeque<f32>,
    frames: usize,
}

impl Engine {
    pub fn new(rate_hz: u32, total_frames: u64, strength: f32, spared: Spared) -> Self {
        let spectra = Spectra::new(rate_hz);
        let window = OVER * spectra.hop();
        let frames = total_frames.div_ceil(spectra.hop() as u64) as usize + OVER - 1;
        Self {
            strength,
            rate_hz,
            total_frames,
            predictor: Predictor::default(),
            dryness: Dryness::default(),
            spared,
            // All that will ever be held, from the start: memory does not depend on the recording.
            bands: std::iter::repeat_with(|| Series::with_capacity(BLOCK_FRAMES + PAST_FRAMES))
                .take(spectra.bins())
                .collect(),
            predicted: Vec::with_capacity(BLOCK_FRAMES * spectra.bins()),
            first: 0,
            blocks: blocks(frames).into(),
            tail: Vec::with_capacity(FADE_FRAMES * spectra.bins()),
            heard: std::iter::repeat_n(0.0, window - spectra.hop()).collect(),
            held: VecDeque::with_capacity((BLOCK_FRAMES + OVER) * spectra.hop()),
            room: vec![0.0; window],
            taken: 0,
            output: VecDeque::with_capacity((BLOCK_FRAMES + OVER) * spectra.hop()),
            frames: 0,
            spectra,
        }
    }

    pub fn dryness(&self) -> &Dryness {
        &self.dryness
    }

    pub fn take(&mut self, samples: &[f32]) {
        self.taken += samples.len() as u64;
        self.held.extend(samples);
        self.heard.extend(samples);
        let (hop, window) = (self.spectra.hop(), OVER * self.spectra.hop());
        while self.heard.len() >= window {
            let frame = &self.heard.make_contiguous()[..window];
            for (band, bin) in self.bands.iter_mut().zip(self.spectra.of(frame)) {
                band.push((bin.re, bin.im));
            }
            self.heard.drain(..hop);
            self.frames += 1;
            if self
                .blocks
                .front()
                .is_some_and(|block| block.end == self.frames)
            {
                self.finish_block();
            }
        }
    }

    /// After the last sample.
    pub fn end(&mut self) {
        let hop = self.spectra.hop() as u64;
        let whole = (self.total_frames.div_ceil(hop) + OVER as u64 - 1) * hop;
        let silence = vec![0.0; (whole.saturating_sub(self.taken)) as usize];
        self.take(&silence);
    }

    pub fn finished(&mut self, frames: usize) -> Vec<f32> {
        let frames = frames.min(self.output.len());
        self.output.drain(..frames).collect()
    }

    fn finish_block(&mut self) {
        let Some(block) = self.blocks.pop_front() else {
            return;
        };
        self.predict(&block);
        let mut predicted = std::mem::take(&mut self.predicted);
        let bins = self.bands.len();
        // Both blocks mean the same room, so what they predict is alike: a straight fade keeps its level.
        let shared = self.tail.len() / bins;
        for (n, bin) in predicted[..shared * bins].iter_mut().enumerate() {
            let part = ((n / bins) as f32 + 1.0) / (shared as f32 + 1.0);
            *bin = self.tail[n] + (*bin - self.tail[n]) * part;
        }
        let end = self.blocks.front().map_or(block.end, |next| next.start);
        let own = (end - block.start) * bins;
        self.tail.clear();
        self.tail.extend_from_slice(&predicted[own..]);
        for (n, frame) in predicted[..own].chunks_exact(bins).enumerate() {
            self.finish_frame(block.start + n, frame);
        }
        self.predicted = predicted;
        // The next block's frames stay, and those that they are predicted from.
        let keep_from = end.saturating_sub(PAST_FRAMES).max(self.first);
        for band in &mut self.bands {
            band.drop_front(keep_from - self.first);
        }
        self.first = keep_from;
    }

    /// What of a block's frames the room has added, from frame to frame.
    fn predict(&mut self, block: &Range<usize>) {
        let Self { spared, .. } = &*self;
        let hop_of = |frame: usize| self.hop_of(frame);
        let counts: Vec<bool> = block
            .clone()
            .map(|frame| spared.teaches(hop_of(frame)))
            .collect();
        let shares: Vec<f32> = block
            .clone()
            .map(|frame| 1.0 - spared.share(hop_of(frame)))
            .collect();
        let bins = self.bands.len();
        self.predicted.clear();
        self.predicted
            .resize(block.len() * bins, Complex::default());
        let past = block.start - self.first;
        self.dryness.begin();
        for (bin, band) in self.bands.iter().enumerate() {
            let hz = bin as f32 * self.rate_hz as f32 / (2 * (bins - 1)) as f32;
            let taps = TAPS
                .iter()
                .find(|(below, _)| hz < *below)
                .map_or(0, |(_, taps)| *taps);
            let taps = taps.min(block.len() / FRAMES_PER_TAP);
            if taps == 0 {
                continue;
            }
            let shape = Shape { taps, ..SHAPE };
            let needed = past.min(shape.delay + taps);
            let band = band.from(past - needed);
            let room = self.predictor.predict(band, needed, shape, |n| counts[n]);
            for (n, (&re, &im)) in room.re.iter().zip(&room.im).enumerate() {
                let (x_re, x_im) = (band.re[needed + n], band.im[needed + n]);
                if counts[n] {
                    self.dryness.hear(hz, (x_re, x_im), (re, im));
                }
                self.predicted[n * bins + bin] = Complex::new(re, im) * shares[n];
            }
        }
        let factor = self.strength * self.dryness.share();
        self.predicted.iter_mut().for_each(|bin| *bin *= factor);
    }

    /// The hundredth of a second in which a frame has its middle.
    fn hop_of(&self, frame: usize) -> u64 {
        let middle = (frame * self.spectra.hop()).saturating_sub(self.spectra.hop());
        middle as u64 * SECOND / u64::from(self.rate_hz)
    }

    fn finish_frame(&mut self, number: usize, predicted: &[Complex<f32>]) {
        let hop = self.spectra.hop();
        if predicted.iter().any(|bin| bin.norm_sqr() > 0.0) {
            self.spectra.add(predicted.iter().copied(), &mut self.room);
        }
        // The window begins this many hops before the recording.
        if number + 1 >= OVER {
            let done = self.held.drain(..hop).zip(&self.room);
            self.output.extend(done.map(|(sample, room)| sample - room));
        }
        self.room.drain(..hop);
        self.room.resize(OVER * hop, 0.0);
    }
}

/// Cuts so many frames into blocks that are about equally long and share [`FADE_FRAMES`] with the next.
fn blocks(frames: usize) -> Vec<Range<usize>> {
    let own = frames.saturating_sub(FADE_FRAMES);
    let count = own.div_ceil(BLOCK_FRAMES - FADE_FRAMES).max(1);
    let edge = |n: usize| n * own / count;
    let end = |n: usize| match n + 1 == count {
        true => frames,
        false => edge(n + 1) + FADE_FRAMES,
    };
    (0..count).map(|n| edge(n)..end(n)).collect()
}
