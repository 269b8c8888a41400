//! What the network hears, twice a second; in a talk, every three seconds.
//!
//! Most of what is listened to is a voice all through, and there every answer is the same. So where no music was heard
//! for a while, the last of six answers is asked for first. Where it and the one before it are sure of a voice,
//! those between are taken to be like their neighbours; else the one in the middle is asked for, and so on. Nothing that
//! [`crate::path`] looks for fits in what is left out: its shortest jingle is six answers, and five answers of whatever
//! kind pay for no change. Music under a voice is heard between its sentences, and then everything is asked for.

use retake_plugin_sdk::Block;
use retake_smn::{Features, Frame, HOP, Network, PATCH, Share, WINDOW};

/// Frames from one answer to the next: half a second. Answers hardly overlap, and no sound is missed.
pub const STEP: usize = 50;
/// Samples from one answer to the next, and from the beginning to where the second answer begins to count: in the
/// middle between both.
pub const STEP_SAMPLES: u64 = (STEP * HOP) as u64;
pub const FIRST_EDGE: u64 = ((PATCH - 1 + STEP) * HOP + WINDOW) as u64 / 2;
/// Of so many answers the last is asked for first.
pub const TOGETHER: usize = 6;
/// Only where as many answers as these, twenty seconds, …
const RECENT: usize = 40;
/// … have heard no more music than this.
const NO_MUSIC: f32 = 0.2;
/// An answer with so much speech is sure of it.
const SURE_SPEECH: f32 = 0.9;
/// Below it nothing is heard: -75 dBFS.
const SILENT_DBFS: f32 = -75.0;

/// What was heard in one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Heard {
    Sound(Share),
    Silence,
}

pub struct Listener {
    features: Features,
    /// From the first that the next answer is made of.
    frames: Vec<Frame>,
    answers: Answers,
}

struct Answers {
    network: Network,
    heard: Vec<Heard>,
    /// The energy of a frame of silence.
    silent: f32,
}

impl Listener {
    pub fn new(channels: usize) -> Self {
        Self {
            features: Features::new(channels),
            frames: Vec::with_capacity((TOGETHER - 1) * STEP + PATCH),
            answers: Answers {
                network: Network::new(),
                heard: Vec::new(),
                silent: (WINDOW as f32 * 10f32.powf(SILENT_DBFS / 10.0)).ln(),
            },
        }
    }

    pub fn hear(&mut self, block: &Block) {
        let Self {
            features,
            frames,
            answers,
        } = self;
        features.push(block, |frame| {
            frames.push(*frame);
            if frames.len() == (TOGETHER - 1) * STEP + PATCH {
                answers.add_together(frames);
                frames.drain(..TOGETHER * STEP);
            }
        });
    }

    /// Everything, once no more comes. What is shorter than a patch is listened to as often as it fills one.
    pub fn end(&mut self) -> &[Heard] {
        let Self {
            frames, answers, ..
        } = self;
        for patch in frames.windows(PATCH).step_by(STEP) {
            let heard = answers.ask(patch);
            answers.heard.push(heard);
        }
        if answers.heard.is_empty() && !frames.is_empty() {
            let patch: Vec<Frame> = frames.iter().copied().cycle().take(PATCH).collect();
            let heard = answers.ask(&patch);
            answers.heard.push(heard);
        }
        frames.clear();
        &answers.heard
    }
}

impl Answers {
    fn add_together(&mut self, frames: &[Frame]) {
        let before = self.heard.last_chunk().copied();
        let patch = |place: usize| &frames[place * STEP..place * STEP + PATCH];
        let next = together(before, |place| self.ask(patch(place)));
        self.heard.extend(next);
    }

    fn ask(&mut self, patch: &[Frame]) -> Heard {
        if patch.iter().all(|frame| frame.energy < self.silent) {
            return Heard::Silence;
        }
        // Bands without any power at all are as if there was a little.
        let floored: Vec<Frame> = patch
            .iter()
            .map(|frame| Frame {
                bands: frame
                    .bands
                    .map(|band| if band > LEAST { band } else { LEAST }),
                ..*frame
            })
            .collect();
        self.network
            .listen(&floored)
            .map_or(Heard::Silence, Heard::Sound)
    }
}

/// The next answers after those `before`, of which some are asked for, by their places.
pub fn together(
    before: Option<[Heard; RECENT]>,
    mut ask: impl FnMut(usize) -> Heard,
) -> [Heard; TOGETHER] {
    let is_music = |heard: &Heard| matches!(heard, Heard::Sound(share) if share.music > NO_MUSIC);
    let Some([.., before]) = before.filter(|before| !before.iter().any(is_music)) else {
        return std::array::from_fn(ask);
    };
    let last = TOGETHER - 1;
    let mut heard = [ask(last); TOGETHER];
    // Stretches between answers that are there, by the first place in them and the one after them.
    let mut open = vec![(before, 0, last)];
    while let Some((before, start, end)) = open.pop() {
        if let Some(between) = between(before, heard[end]) {
            heard[start..end].fill(between);
        } else if start < end {
            let middle = (start + end) / 2;
            heard[middle] = ask(middle);
            open.extend([(before, start, middle), (heard[middle], middle + 1, end)]);
        }
    }
    heard
}

/// What is taken to lie between two answers, where both are sure.
fn between(before: Heard, after: Heard) -> Option<Heard> {
    let (Heard::Sound(a), Heard::Sound(b)) = (before, after) else {
        return None;
    };
    let mean = |of: fn(&Share) -> f32| 0.5 * (of(&a) + of(&b));
    (a.speech >= SURE_SPEECH && b.speech >= SURE_SPEECH).then(|| {
        Heard::Sound(Share {
            speech: mean(|share| share.speech),
            music: mean(|share| share.music),
            noise: mean(|share| share.noise),
        })
    })
}

/// The logarithm of a band's power in silence: that of dither in 16 bits.
const LEAST: f32 = -22.0;
