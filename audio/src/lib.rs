//! Decode, resample, measure, run stages, encode: synchronous, streaming, and ignorant of jobs.
//!
//! Audio comes in as any file a browser or an editor writes, is held as planar `f32` [`Block`]s, and
//! goes out as WAV, FLAC, Ogg Opus, MP3 or M4A with the same rate, channel count (as far as the format
//! has them) and, unless a stage shortens it, length. Memory does not grow with length: what must be seen whole before it can be changed
//! waits in a spill file.

mod block;
mod channels;
mod error;
mod stage;

mod compare;
mod handover;
mod pool;
mod reblock;
mod wav;

mod decode;
mod encode;
mod measure;
mod pipeline;
mod resample;
mod spectrogram;
mod spill;
mod tags;

pub use block::{Block, Place};
pub use channels::{CHANNELS_MAX, ChannelMask};
pub use compare::{Compared, Together, compare};
pub use decode::{
    Decoded, KeptRecording, Limits, Looker, SourceInfo, TrackInfo, convert, decode,
    decode_and_keep, look,
};
pub use encode::{Encoder, Encoding, FlacBits, Format, WavDepth, create_file};
pub use error::AudioError;
pub use measure::{Change, ChangeMeter, Level, LoudnessCurve, Measured, Measurement, PeakPyramid};
pub use pipeline::{Finished, Progress, RunError, look_on, run};
pub use resample::Resampler;
pub use spectrogram::{SpectrogramTiles, TILE_COLUMNS, TILE_ROWS};
pub use stage::{BLOCK_FRAMES, Emit, Spec, Stage, StageError};
pub use tags::{Chapter, Picture, Tags, limits as tag_limits};
