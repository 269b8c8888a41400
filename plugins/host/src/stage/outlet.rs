//! Where the lanes' output comes together again: all channels, as far as every one of them has come,
//! mixed with the original.

use retake_audio::{Block, Emit, Spec, StageError};

use crate::{limits::HELD_S_MAX, session::broken};

pub struct Outlet {
    /// Per channel, what has no counterpart in another channel or in `dry` yet.
    wet: Block,
    /// The original, where some of it is mixed in.
    dry: Option<Block>,
    mix: f32,
    held_frames_max: usize,
}

impl Outlet {
    pub fn new(spec: Spec, mix: f32) -> Self {
        let empty = vec![Vec::new(); spec.channels as usize];
        Self {
            dry: (mix < 1.0).then(|| empty.clone()),
            wet: empty,
            mix,
            held_frames_max: HELD_S_MAX as usize * spec.sample_rate as usize,
        }
    }

    pub fn remember_dry(&mut self, block: &Block) {
        if let Some(dry) = &mut self.dry {
            for (dry, channel) in dry.iter_mut().zip(block) {
                dry.extend_from_slice(channel);
            }
        }
    }

    /// Takes the output of a lane whose first channel is `channel`.
    pub fn accept(&mut self, channel: usize, block: Block) {
        for (wet, ready) in self.wet[channel..].iter_mut().zip(block) {
            if wet.is_empty() {
                *wet = ready;
            } else {
                wet.extend_from_slice(&ready);
            }
        }
    }

    /// Emits what is complete.
    pub fn emit(&mut self, emit: &mut Emit<'_>) -> Result<(), StageError> {
        let lengths = || {
            self.wet
                .iter()
                .chain(self.dry.iter().flatten())
                .map(Vec::len)
        };
        let complete = lengths().min().unwrap_or(0);
        let held = lengths().max().unwrap_or(0) - complete;
        if held > self.held_frames_max {
            return Err(broken(format!(
                "its channels, or its input and its output, are {held} frames apart; at most {} s \
                 are held",
                HELD_S_MAX
            )));
        }
        if complete == 0 {
            return Ok(());
        }
        let mut block = take(&mut self.wet, complete);
        if let Some(dry) = &mut self.dry {
            for (wet, dry) in block.iter_mut().zip(take(dry, complete)) {
                for (wet, dry) in wet.iter_mut().zip(dry) {
                    *wet = dry + self.mix * (*wet - dry);
                }
            }
        }
        emit(block)
    }
}

/// The first `frames` of each channel; the rest moves up.
fn take(from: &mut Block, frames: usize) -> Block {
    from.iter_mut()
        .map(|channel| {
            let rest = channel.split_off(frames);
            std::mem::replace(channel, rest)
        })
        .collect()
}
