//! One reader per container, all of one shape: see [`super::demux`].

pub(super) mod frames;
pub(super) mod wave;
