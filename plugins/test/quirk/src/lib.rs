//! A guest for the conformance kit's tests: each quirk is a mistake that authors make, and fails one
//! check. Without one it gives back what comes.

use std::cell::Cell;

use retake_plugin_sdk::{earlier, prelude::*};

const QUIRK: ChoiceParam = ChoiceParam::new(
    "quirk",
    "Quirk",
    &[
        ("none", "Give back what comes"),
        (
            "divide-by-peak",
            "Divide by the block's peak, which may be nothing",
        ),
        (
            "divide-by-change",
            "Divide by the block's change, which may be nothing",
        ),
        ("nothing-but-noise", "Give back noise, whatever comes"),
        ("hiss", "Add noise, to silence too"),
        ("square-hugely", "Overflow at full scale"),
        ("no-nan", "Panic at what is no number"),
        ("nan-for-ever", "Never get over what is no number"),
        ("reciprocal", "Overflow at the smallest numbers"),
        ("unstable", "Ring louder and louder"),
        ("long-only", "Panic at streams of less than 100 frames"),
        ("one-rate", "Refuse every rate but 48 kHz"),
        ("mono", "Refuse more than one channel"),
        ("block-edges", "Fade in at the start of every block"),
        ("late", "Lag by 100 frames and say nothing of it"),
        ("early", "Say that it lags by 100 frames, and do not"),
        ("hidden-lag", "Lag by 100 frames and say so, wrongly by one"),
        ("lose", "Lose the last ten frames"),
        (
            "credulous",
            "Use every span it hears of as a place in its memory",
        ),
        ("remember", "Do less with every session"),
        ("chatter", "Log every block"),
        ("hoard", "Keep everything in memory"),
    ],
    "none",
);

const LAG: usize = 100;

thread_local! {
    /// Of this instance: what no plugin should have.
    static SESSIONS: Cell<u32> = const { Cell::new(0) };
}

pub struct Quirk {
    quirk: &'static str,
    factor: f32,
    state: Vec<f32>,
    /// Per channel, what is late.
    held: Vec<Vec<f32>>,
    hoard: Vec<Vec<[f32; 8]>>,
    has_heard: bool,
    frames_left: u64,
    noise: u32,
}

impl Corrector for Quirk {
    const FACTS: Facts = Facts {
        id: "org.retake.test.quirk",
        name: "Quirk",
        version: env!("CARGO_PKG_VERSION"),
        channels: ChannelUse::Linked,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&QUIRK];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let quirk = settings.get(&QUIRK);
        match quirk {
            "long-only" => assert!(stream.total_frames >= 100, "far too short"),
            "one-rate" if stream.sample_rate != 48_000 => {
                return Err(Refusal::stream("48 kHz or nothing"));
            }
            "mono" if stream.channels > 1 => return Err(Refusal::stream("one channel or none")),
            _ => {}
        }
        let sessions = SESSIONS.get() + 1;
        SESSIONS.set(sessions);
        let lags = matches!(quirk, "late" | "hidden-lag");
        Ok(Self {
            quirk,
            factor: if quirk == "remember" {
                1.0 / sessions as f32
            } else {
                1.0
            },
            state: vec![0.0; stream.channels as usize],
            held: vec![vec![0.0; if lags { LAG } else { 0 }]; stream.channels as usize],
            hoard: Vec::new(),
            has_heard: false,
            frames_left: stream.total_frames.saturating_sub(10),
            noise: 1,
        })
    }

    fn latency_frames(&self) -> u32 {
        match self.quirk {
            "early" => LAG as u32,
            "hidden-lag" => LAG as u32 - 1,
            _ => 0,
        }
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        if self.quirk == "credulous" && !self.has_heard {
            self.has_heard = true;
            for step in earlier::reports() {
                for (start, frames) in step.report.spans("music") {
                    let known = &[0u8; 48_000][start as usize..][..frames as usize];
                    assert!(!known.is_empty(), "music that does not last");
                }
            }
        }
        for (channel, samples) in block.iter_mut().enumerate() {
            self.one(channel, samples);
        }
        match self.quirk {
            "chatter" => log::info("another block of frames has come by and was looked at"),
            "lose" => {
                let kept = self.frames_left.min(block[0].len() as u64);
                self.frames_left -= kept;
                block
                    .iter_mut()
                    .for_each(|channel| channel.truncate(kept as usize));
            }
            "hoard" => {
                let copies = block.iter().map(|c| c.iter().map(|s| [*s; 8]).collect());
                self.hoard.extend(copies);
            }
            _ => {}
        }
        Ok(block)
    }

    fn drain(&mut self, max_frames: usize) -> Result<Block, Refusal> {
        let ready = self.held[0].len().min(max_frames);
        Ok(self
            .held
            .iter_mut()
            .map(|held| held.drain(..ready).collect())
            .collect())
    }
}

impl Quirk {
    fn one(&mut self, channel: usize, samples: &mut Vec<f32>) {
        let state = &mut self.state[channel];
        match self.quirk {
            "divide-by-peak" => {
                let peak = samples.iter().fold(0.0f32, |peak, s| peak.max(s.abs()));
                samples.iter_mut().for_each(|s| *s /= peak);
            }
            "divide-by-change" => {
                let first = samples[0];
                let change = samples
                    .iter()
                    .fold(0.0f32, |most, s| most.max((s - first).abs()));
                let silent = samples.iter().all(|s| *s == 0.0);
                if !silent {
                    samples.iter_mut().for_each(|s| *s /= change);
                }
            }
            "hiss" | "nothing-but-noise" => samples.iter_mut().for_each(|s| {
                if self.quirk == "nothing-but-noise" {
                    *s = 0.0;
                }
                self.noise = self
                    .noise
                    .wrapping_mul(1_664_525)
                    .wrapping_add(1_013_904_223);
                *s += (self.noise >> 8) as f32 / 16_777_216.0 * 0.1;
            }),
            "square-hugely" => samples.iter_mut().for_each(|s| {
                if s.abs() >= 1.0 {
                    *s *= f32::MAX * 2.0;
                }
            }),
            "no-nan" => assert!(samples.iter().all(|s| s.is_finite()), "what is this?"),
            "nan-for-ever" => samples.iter_mut().for_each(|s| {
                *state = 0.9 * *state + 0.1 * *s;
                *s = *state;
            }),
            "reciprocal" => samples
                .iter_mut()
                .filter(|s| **s != 0.0)
                .for_each(|s| *s = 1e-6 / *s),
            "unstable" => samples.iter_mut().for_each(|s| {
                *state = 1.00001 * *state + *s;
                *s = *state;
            }),
            "block-edges" => samples[0] *= 0.5,
            "late" | "hidden-lag" => {
                self.held[channel].append(samples);
                let ready = self.held[channel].len() - LAG;
                samples.extend(self.held[channel].drain(..ready));
            }
            "remember" => samples.iter_mut().for_each(|s| *s *= self.factor),
            _ => {}
        }
    }
}

register!(Quirk);
