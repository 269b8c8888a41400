//! A network that says of two thirds of a second of sound how much it is speech, music and noise.
//!
//! D. Doukhan, J. Carrive, F. Vallet, A. Larcher, S. Meignier, "An open-source speaker gender detection framework
//! for monitoring gender equality", ICASSP 2018, whose package inaSpeechSegmenter the weights are from
//! (`../weights/README.md`); the loops are our own. `tests/official.rs` holds them against the authors'
//! features and their network in Keras.
//!
//! It knows no plugin, and decides nothing: what one answer says is often wrong.

mod features;
mod layers;
mod network;
mod quantized;

pub use features::{Features, Frame};
pub use network::{Network, Share};

/// The only rate there is, and samples between frames: 10 ms.
pub const RATE_HZ: u32 = 16_000;
pub const HOP: usize = 160;
/// Samples of a frame: 25 ms.
pub const WINDOW: usize = 400;
/// Bands of a frame that the network looks at.
pub const BANDS: usize = 21;
/// Frames that one answer is made of: 0.68 s.
pub const PATCH: usize = 68;
