//! Whether a recording hums, of which power line, and at which frequency exactly.
//!
//! Long spectra are looked through for a comb of lines that stand out of their neighbourhood. They are so long that a
//! note of the tempered scale is no mains frequency: nothing nearer to 50 Hz than 49.0 and 51.9 Hz is one, nothing
//! nearer to 60 Hz than 58.3 and 61.7 Hz, and mains frequencies are within half a hertz.

mod comb;
mod decimate;
mod spectra;

pub use comb::{Finding, HARMONICS_MAX, Mains};
pub use decimate::Decimator;
pub use spectra::Analysis;
