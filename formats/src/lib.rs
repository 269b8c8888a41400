//! Which containers and codecs there are, which of them are taken, and what to do about the others:
//! one list for the server's door, the decoder, the command line and the page.

mod codec;
mod container;

pub use codec::Codec;
pub use container::Container;
