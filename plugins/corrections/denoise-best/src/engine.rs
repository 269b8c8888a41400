//! Frames of all channels through the network and the rule, and back to samples.

use std::collections::VecDeque;

use retake_dfn3::{Answer, BATCH, HOP, LOOKAHEAD, Network, RATE_HZ, Spectrum, TAPS, Transform};

use retake_spared::{Kind, Spared};

use crate::rule::{AHEAD, Dry, Found, Rule};

/// Output begins so many hops after input: the frame that is answered first lies before the recording by what
/// is looked ahead, and a frame's first half completes the hop before it.
const BEHIND: usize = LOOKAHEAD + 1;

pub struct Engine {
    network: Network,
    transform: Transform,
    rule: Rule,
    spared: Spared,
    /// What each channel is multiplied with for the network to hear.
    shares: Vec<f32>,
    lanes: Vec<Lane>,
    /// Of the sum of channels, as [`Lane::heard`].
    mix: Vec<Spectrum>,
    /// Frames that wait until the rule has heard what comes after them: channel by channel.
    waiting: VecDeque<Vec<Pair>>,
    /// Those that do not wait: as many are made at the beginning as ever will, so that memory does not grow.
    spare: Vec<Vec<Pair>>,
    answers: Vec<Answer>,
    hops_to_skip: usize,
    taken: usize,
    /// Frames that were answered, and that are finished.
    answered: u64,
    finished: u64,
    /// Of those that stay as they are.
    spared_frames: u64,
}

/// A channel.
struct Lane {
    before: [f32; HOP],
    overlap: [f32; HOP],
    /// Spectra of the batch that fills, behind those that its filters still need.
    heard: Vec<Spectrum>,
    output: Vec<f32>,
}

/// A frame before and after.
struct Pair {
    dry: Spectrum,
    wet: Spectrum,
}

impl Pair {
    fn empty() -> Self {
        Self {
            dry: Spectrum::SILENCE,
            wet: Spectrum::SILENCE,
        }
    }
}

/// The host takes no more at a time.
const OUTPUT_FRAMES: usize = 48_000 + HOP;
const NEEDED: usize = LOOKAHEAD + TAPS / 2;

impl Engine {
    pub fn new(shares: Vec<f32>, rule: Rule, spared: Spared) -> Self {
        let lane = |_: &f32| Lane {
            before: [0.0; HOP],
            overlap: [0.0; HOP],
            heard: vec![Spectrum::SILENCE; NEEDED],
            output: Vec::with_capacity(OUTPUT_FRAMES),
        };
        let frame = || shares.iter().map(|_| Pair::empty()).collect();
        let spare = std::iter::repeat_with(frame).take(AHEAD + 1).collect();
        Self {
            network: Network::new(),
            transform: Transform::new(),
            rule,
            spared,
            lanes: shares.iter().map(lane).collect(),
            shares,
            mix: vec![Spectrum::SILENCE; NEEDED],
            waiting: VecDeque::with_capacity(AHEAD + 1),
            spare,
            answers: Vec::with_capacity(BATCH),
            hops_to_skip: BEHIND,
            taken: 0,
            answered: 0,
            finished: 0,
            spared_frames: 0,
        }
    }

    pub fn found(&self) -> &Found {
        self.rule.found()
    }

    /// How much of the recording stayed as it was because of what others found.
    pub fn spared_seconds(&self) -> f64 {
        (self.spared_frames * HOP as u64) as f64 / f64::from(RATE_HZ)
    }

    /// What is finished of each channel, at most so many frames.
    pub fn finished(&mut self, frames: usize) -> Vec<Vec<f32>> {
        let take = |lane: &mut Lane| lane.output.drain(..frames.min(lane.output.len())).collect();
        self.lanes.iter_mut().map(take).collect()
    }

    /// Takes a hop of every channel.
    pub fn take<'a>(&mut self, hop: impl Iterator<Item = &'a [f32; HOP]>) {
        self.taken += 1;
        let mut mixed = Spectrum::SILENCE;
        for ((lane, share), hop) in self.lanes.iter_mut().zip(&self.shares).zip(hop) {
            let mut spectrum = Spectrum::SILENCE;
            self.transform.forward(&lane.before, hop, &mut spectrum);
            lane.before = *hop;
            mixed.add(*share, &spectrum);
            lane.heard.push(spectrum);
        }
        self.mix.push(mixed);
        if self.mix.len() == NEEDED + BATCH {
            self.answer();
        }
    }

    /// A batch, by the network or, where it may sleep all along, as it is.
    fn answer(&mut self) {
        let hop = self.answered.saturating_sub(BEHIND as u64);
        let kind = self.spared.sleeps(hop);
        if kind.is_some() && kind == self.spared.sleeps(hop + BATCH as u64) {
            self.pass(kind == Some(Kind::Silence));
        } else {
            self.ask();
        }
        self.mix.drain(..BATCH);
        for lane in &mut self.lanes {
            lane.heard.drain(..BATCH);
        }
    }

    fn pass(&mut self, is_silence: bool) {
        for n in 0..BATCH {
            let frame = n + TAPS / 2;
            match is_silence {
                true => self.rule.hear(&self.mix[frame], &self.mix[frame]),
                false => self.rule.skip(),
            }
            self.wait(|lane, pair| {
                pair.wet.clone_from(&lane.heard[frame]);
                pair.dry.clone_from(&lane.heard[frame]);
            });
        }
    }

    fn ask(&mut self) {
        let mut answers = std::mem::take(&mut self.answers);
        self.network
            .run(&self.mix[NEEDED..], |answer| answers.push(answer));
        let mut wet = Spectrum::SILENCE;
        for (n, answer) in answers.drain(..).enumerate() {
            answer.apply(window(&self.mix, n), &mut wet);
            if self
                .spared
                .teaches(self.answered.saturating_sub(BEHIND as u64))
            {
                self.rule.hear(&self.mix[n + TAPS / 2], &wet);
            } else {
                self.rule.skip();
            }
            self.wait(|lane, pair| {
                answer.apply(window(&lane.heard, n), &mut pair.wet);
                pair.dry.clone_from(&lane.heard[n + TAPS / 2]);
            });
        }
        self.answers = answers;
    }

    /// Has a frame wait that `fill` makes for each channel, and finishes the one whose time has come.
    fn wait(&mut self, fill: impl Fn(&Lane, &mut Pair)) {
        self.answered += 1;
        // The rule never holds more frames than were made for it.
        let one_more = || self.lanes.iter().map(|_| Pair::empty()).collect();
        let mut frame: Vec<Pair> = self.spare.pop().unwrap_or_else(one_more);
        for (pair, lane) in frame.iter_mut().zip(&self.lanes) {
            fill(lane, pair);
        }
        self.waiting.push_back(frame);
        if let Some(dry) = self.rule.judge() {
            self.finish_frame(dry);
        }
    }

    /// After the last of all hops: finishes what is held back, until so many frames can be handed out.
    pub fn end(&mut self, hops: usize, frames: usize) {
        while self.taken < hops + BEHIND || self.mix.len() > NEEDED {
            let silence = [[0.0; HOP]];
            self.take(silence.iter().cycle().take(self.lanes.len()));
        }
        self.rule.end();
        while self.lanes[0].output.len() < frames {
            let Some(dry) = self.rule.judge() else {
                return;
            };
            self.finish_frame(dry);
        }
    }

    fn finish_frame(&mut self, mut dry: Dry) {
        let Some(mut frame) = self.waiting.pop_front() else {
            return;
        };
        let share = self
            .spared
            .share(self.finished.saturating_sub(BEHIND as u64));
        dry.at_least(share);
        if self.hops_to_skip == 0 && share == 1.0 {
            self.spared_frames += 1;
        }
        self.finished += 1;
        for (lane, pair) in self.lanes.iter_mut().zip(&mut frame) {
            dry.apply(&pair.dry, &mut pair.wet);
            let mut output = [0.0; HOP];
            self.transform
                .inverse(&pair.wet, &mut lane.overlap, &mut output);
            if self.hops_to_skip == 0 {
                lane.output.extend_from_slice(&output);
            }
        }
        self.spare.push(frame);
        self.hops_to_skip = self.hops_to_skip.saturating_sub(1);
    }
}

fn window(spectra: &[Spectrum], first: usize) -> [&Spectrum; TAPS] {
    std::array::from_fn(|n| &spectra[first + n])
}
