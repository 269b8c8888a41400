//! Write audio corrections for Retake in Rust.
//!
//! A plugin is a type that implements [`Corrector`] and one line, [`register!`]. This is a whole one:
//!
//! ```
//! use retake_plugin_sdk::prelude::*;
//!
//! const GAIN_DB: FloatParam = FloatParam::new("gain-db", "Gain", -60.0, 24.0, 0.0).unit("dB");
//!
//! pub struct Gain {
//!     factor: f32,
//! }
//!
//! impl Corrector for Gain {
//!     const FACTS: Facts = Facts {
//!         id: "org.example.gain",
//!         name: "Gain",
//!         version: env!("CARGO_PKG_VERSION"),
//!         ..Facts::DEFAULT
//!     };
//!     const PARAMS: Params = &[&GAIN_DB];
//!
//!     fn open(_stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
//!         Ok(Self { factor: db_to_factor(settings.get(&GAIN_DB)) })
//!     }
//!
//!     fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
//!         block.iter_mut().flatten().for_each(|sample| *sample *= self.factor);
//!         Ok(block)
//!     }
//! }
//!
//! register!(Gain);
//! ```
//!
//! Build it with `cargo build --release --target wasm32-unknown-unknown` (not `wasm32-wasip2`: a
//! plugin may import nothing but the host's log, its stream's layout and what earlier steps found) from a crate with `crate-type = ["cdylib"]`.
//!
//! # What the host does, so that a plugin need not
//!
//! It resamples to a rate of [`Facts::sample_rates`] and back, gives every channel its own session
//! where [`Facts::channels`] is [`ChannelUse::Independent`], cuts blocks to multiples of
//! [`Facts::block_quantum`], checks parameters against their ranges, takes
//! [`Corrector::latency_frames`] off the front, mixes dry with wet, and refuses output that is not
//! finite.
//!
//! # What a plugin cannot do
//!
//! There is no clock, no file, no network and no randomness but [`Stream::seed`]. `println!` goes
//! nowhere: use [`log`]. A panic ends the job, with its message shown to the person who runs it.

#![warn(missing_docs)]

pub mod bench;
pub mod corrector;
pub mod earlier;
mod layout;
pub mod level;
pub mod log;
pub mod param;
pub mod prelude;
pub mod report;
pub mod testing;

// Public for `register!` only.
#[doc(hidden)]
#[allow(missing_docs, unsafe_code, clippy::all)]
pub mod bindings;
#[doc(hidden)]
#[allow(missing_docs)]
pub mod glue;

pub use corrector::{Block, ChannelUse, Corrector, Facts, Params, Refusal, Settings, Stream};
pub use param::{ChoiceParam, FloatParam, IntParam, Param, ToggleParam, TypedParam};
pub use report::Report;

/// Makes a [`Corrector`] the plugin of this crate. Call it once, at the crate's root.
///
/// On targets other than WebAssembly nothing is exported, so that the crate's tests run natively; make
/// the type `pub`, or the compiler takes it for unused there.
#[macro_export]
macro_rules! register {
    ($corrector:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            type Registered = $crate::glue::Plugin<$corrector>;
    $crate::bindings::export_raw!(Registered with_types_in $crate::bindings);
        };
    };
}
