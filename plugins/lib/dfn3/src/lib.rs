//! DeepFilterNet3: a network that hears a voice and says, for every 10 ms, how much of each band is voice
//! and how the lower bins are to be filtered over time.
//!
//! H. Schröter, T. Rosenkranz, A. N. Escalante-B., A. Maier, "DeepFilterNet: Perceptually Motivated
//! Real-Time Speech Enhancement", Interspeech 2023. The weights are those of its authors
//! (`../weights/README.md`); the loops are our own. They take a batch of frames through one layer
//! before the next, so that the weights of a layer are read from memory once and not once for each
//! frame, and work on whole vectors of 128 bits. `tests/official.rs` holds them against the
//! authors' runtime.
//!
//! It knows no plugin: what is done with the answers, and how much of the recording stays, is for others
//! to say.

mod activation;
mod convolution;
mod encoder;
mod features;
mod filters;
mod gains;
mod matrix;
mod network;
mod recurrent;
mod spectrum;
mod weights;

pub use features::BAND_BINS;
pub use network::{Answer, Network};
pub use spectrum::{Spectrum, Transform};

/// Samples between frames, 10 ms at the only rate there is.
pub const HOP: usize = 480;
pub const RATE_HZ: u32 = 48_000;
/// A window is two hops long.
pub const WINDOW: usize = 2 * HOP;
pub const BINS: usize = HOP + 1;
/// Bands that have a gain each.
pub const BANDS: usize = 32;
/// The bins that are filtered: below 4.8 kHz.
pub const FILTERED: usize = 96;
/// Frames that a filter takes, two of them before the one that it makes, two after.
pub const TAPS: usize = 5;
/// An answer is for the frame that came so many frames before the last that was heard.
pub const LOOKAHEAD: usize = 2;
/// Frames that go through each layer together.
pub const BATCH: usize = 16;

/// Channels of all convolutions.
const CHANNELS: usize = 64;
/// Units of a recurrent layer.
const UNITS: usize = 256;
/// What the encoder hands to both decoders.
const EMBEDDING: usize = 512;
