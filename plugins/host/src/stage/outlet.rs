//! Where the lanes' output comes together again: all channels, as far as every one of them has come,
//! mixed with the original.

use retake_audio::{Block, Emit, Spec, StageError};

use super::spared::Spared;
use crate::{limits::HELD_S_MAX, session::broken};

pub struct Outlet {
    /// Per channel, what has no counterpart in another channel or in `dry` yet.
    wet: Vec<Vec<f32>>,
    /// The original, where some of it is mixed in.
    dry: Option<Block>,
    /// What is emitted; used again each time.
    mixed: Block,
    mix: f32,
    spared: Spared,
    /// Emitted so far.
    frames: u64,
    held_frames_max: usize,
}

impl Outlet {
    /// `spares`: what of the original stays may still be said.
    pub fn new(spec: Spec, mix: f32, spares: bool) -> Self {
        let channels = spec.channels as usize;
        Self {
            wet: vec![Vec::new(); channels],
            dry: (mix < 1.0 || spares).then(|| Block::new(channels)),
            mixed: Block::new(channels),
            mix,
            spared: Spared::default(),
            frames: 0,
            held_frames_max: HELD_S_MAX as usize * spec.sample_rate as usize,
        }
    }

    /// Before anything is remembered or accepted.
    pub fn spare(&mut self, spared: Spared) {
        if spared.is_empty() && self.mix >= 1.0 {
            self.dry = None;
        }
        self.spared = spared;
    }

    pub fn remember_dry(&mut self, block: &Block) {
        if let Some(dry) = &mut self.dry {
            dry.append(block);
        }
    }

    /// Takes the output of a lane whose first channel is `channel`.
    pub fn accept(&mut self, channel: usize, block: &Block) {
        for (wet, ready) in self.wet[channel..].iter_mut().zip(block.planes()) {
            wet.extend_from_slice(ready);
        }
    }

    /// Takes the output of the only lane: of all channels, or of one that stands for all.
    pub fn accept_for(&mut self, stands_for_all: bool, block: &Block) {
        if stands_for_all {
            for channel in 0..self.wet.len() {
                self.accept(channel, block);
            }
        } else {
            self.accept(0, block);
        }
    }

    /// Emits what is complete.
    pub fn emit(&mut self, emit: &mut Emit<'_>) -> Result<(), StageError> {
        let lengths = || {
            let wet = self.wet.iter().map(Vec::len);
            wet.chain(self.dry.iter().map(Block::frames))
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
        let (mix, wet, dry) = (self.mix, &mut self.wet, &self.dry);
        let spared = dry
            .as_ref()
            .and_then(|_| self.spared.parts(self.frames, complete));
        self.frames += complete as u64;
        self.mixed.clear();
        self.mixed.append_with(|channel, mixed| {
            let ready = wet[channel].drain(..complete);
            match (dry, &spared) {
                (Some(dry), Some(spared)) => {
                    let both = ready.zip(dry.plane(channel)).zip(spared);
                    mixed.extend(both.map(|((wet, dry), spared)| match mix * (1.0 - spared) {
                        // What is all the step's is the step's to the bit.
                        1.0 => wet,
                        mix => dry + mix * (wet - dry),
                    }));
                }
                (Some(dry), None) if mix < 1.0 => {
                    let dry = dry.plane(channel).iter();
                    mixed.extend(ready.zip(dry).map(|(wet, dry)| dry + mix * (wet - dry)));
                }
                _ => mixed.extend(ready),
            }
        });
        if let Some(dry) = &mut self.dry {
            dry.drop_front(complete);
        }
        emit(&self.mixed)
    }
}
