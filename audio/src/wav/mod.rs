//! What stands around the samples of a WAVE file: the one place that knows it, for the reader and
//! for the writer.
//!
//! RIFF, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088) differ in where sizes beyond 32 bits stand,
//! Sony's Wave64 in how names and sizes are written. The format chunk is the same in all.

mod format;
mod header;
mod parse;

pub(crate) use format::{AMBISONIC_TAIL, DOLBY_TAILS, SUBFORMAT_TAIL, WaveFormat, tag};
pub(crate) use header::{Sizes, chunk, header};
pub(crate) use parse::Format;
