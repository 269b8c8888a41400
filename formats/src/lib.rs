//! Which containers and codecs there are, which of them are read, and what to do about the others:
//! one list for the server's door, the decoder, the command line and the page.
//!
//! `web/src/recording/accepted.ts` and `docs/formats.md` are made from it; a test holds them to it.

mod codec;
mod container;
mod mpeg;
mod refused;
mod sniff;

pub use codec::Codec;
pub use container::{Container, accepted};
pub use mpeg::MpegHeader;
pub use refused::{REFUSED, Refused, advice};
pub use sniff::{PREFIX_BYTES, Sniffed, sniff};
