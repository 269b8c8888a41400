//! What the network hears, twice a second.

use retake_plugin_sdk::Block;
use retake_smn::{Features, Frame, HOP, Network, PATCH, Share, WINDOW};

/// Frames from one answer to the next: half a second. Answers hardly overlap, and no sound is missed.
pub const STEP: usize = 50;
/// Samples from one answer to the next, and from the beginning to where the second answer begins to count: in the
/// middle between both.
pub const STEP_SAMPLES: u64 = (STEP * HOP) as u64;
pub const FIRST_EDGE: u64 = ((PATCH - 1 + STEP) * HOP + WINDOW) as u64 / 2;
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
    network: Network,
    frames: Vec<Frame>,
    heard: Vec<Heard>,
    /// The energy of a frame of silence.
    silent: f32,
}

impl Listener {
    pub fn new(channels: usize) -> Self {
        Self {
            features: Features::new(channels),
            network: Network::new(),
            frames: Vec::with_capacity(PATCH),
            heard: Vec::new(),
            silent: (WINDOW as f32 * 10f32.powf(SILENT_DBFS / 10.0)).ln(),
        }
    }

    pub fn hear(&mut self, block: &Block) {
        let Self {
            features,
            network,
            frames,
            heard,
            silent,
        } = self;
        features.push(block, |frame| {
            frames.push(*frame);
            if frames.len() == PATCH {
                heard.push(listened(network, frames, *silent));
                frames.drain(..STEP);
            }
        });
    }

    /// Everything, once no more comes. What is shorter than a patch is listened to as often as it fills one.
    pub fn end(&mut self) -> &[Heard] {
        if self.heard.is_empty() && !self.frames.is_empty() {
            let patch: Vec<Frame> = self.frames.iter().copied().cycle().take(PATCH).collect();
            self.heard
                .push(listened(&mut self.network, &patch, self.silent));
        }
        &self.heard
    }
}

fn listened(network: &mut Network, patch: &[Frame], silent: f32) -> Heard {
    if patch.iter().all(|frame| frame.energy < silent) {
        return Heard::Silence;
    }
    // Bands without any power at all are as if there was a little.
    let floored: Vec<Frame> = patch
        .iter()
        .map(|frame| Frame {
            bands: frame.bands.map(|band| band.max(LEAST)),
            ..*frame
        })
        .collect();
    network
        .listen(&floored)
        .map_or(Heard::Silence, Heard::Sound)
}

/// The logarithm of a band's power in silence: that of dither in 16 bits.
const LEAST: f32 = -22.0;
