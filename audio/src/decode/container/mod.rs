//! One reader per container, all of one shape: see [`super::demux`].

mod bytes;
pub(super) mod frames;
pub(super) mod matroska;
pub(super) mod wave;
