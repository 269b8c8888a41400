//! The first seconds of a recording, held back until they are known.
//!
//! Both estimators have to hear a noise for a while before they take it for one, so that it would fall by a
//! few decibels at first and by many more half a second later, as a step. So they hear what comes first
//! twice: backwards, from a few seconds in to the very beginning, and then from there as it is.

use crate::rnnoise::FRAME;

/// What is heard beforehand, 4 s: half a second of listening, the 1.2 s over which a bin's minimum is taken,
/// and what the network takes to believe a faint noise.
const HELD_FRAMES: usize = 400;

pub enum Start {
    /// Digital silence so far, which teaches nothing. So many frames are still to come, and there is room for
    /// what will be held: memory does not grow later.
    Silent {
        frames_left: u64,
        room: Vec<f32>,
    },
    /// The beginning of what can be heard, up to so many samples.
    Held {
        samples: Vec<f32>,
        wanted: usize,
    },
    Over,
}

/// What is to be done once a frame has come.
pub enum Next {
    /// It is to be corrected.
    Frame,
    /// There is nothing to do yet.
    Wait,
    /// All of these are, once they were heard backwards. There is at least one frame.
    Held(Vec<f32>),
}

impl Start {
    pub fn new(samples: u64) -> Self {
        Self::Silent {
            frames_left: samples.div_ceil(FRAME as u64),
            room: Vec::with_capacity(HELD_FRAMES * FRAME),
        }
    }

    pub fn take(&mut self, frame: &[f32; FRAME]) -> Next {
        if let Self::Silent { frames_left, room } = self {
            if *frame == [0.0; FRAME] {
                *frames_left = frames_left.saturating_sub(1);
                return Next::Frame;
            }
            let frames = (*frames_left).min(HELD_FRAMES as u64) as usize;
            *self = Self::Held {
                samples: std::mem::take(room),
                wanted: frames * FRAME,
            };
        }
        let Self::Held { samples, wanted } = self else {
            return Next::Frame;
        };
        samples.extend_from_slice(frame);
        if samples.len() < *wanted {
            return Next::Wait;
        }
        let held = std::mem::take(samples);
        *self = Self::Over;
        Next::Held(held)
    }
}

/// Whether what is quietest, which a voice leaves to the noise, is too far below the rest to matter: 27 dB.
pub fn is_clean(held: &[f32]) -> bool {
    const FACTOR: f32 = 500.0;
    /// A tenth of the frames are pauses.
    const QUIET_PART: usize = 10;
    let power = |frame: &[f32; FRAME]| frame.iter().map(|sample| sample * sample).sum();
    let mut powers: Vec<f32> = held.as_chunks().0.iter().map(power).collect();
    let mean = powers.iter().sum::<f32>() / powers.len() as f32;
    powers.sort_by(f32::total_cmp);
    mean > FACTOR * powers[powers.len() / QUIET_PART]
}
