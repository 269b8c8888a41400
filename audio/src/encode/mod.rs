//! Planar `f32` in, a file that people can play out.

/// How a corrected recording is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Wav {
        depth: WavDepth,
    },
    Flac {
        bits: FlacBits,
    },
    /// `bitrate_bps` is for all channels together; `None` takes a good one for the channel count.
    OggOpus {
        bitrate_bps: Option<u32>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WavDepth {
    Int16,
    Int24,
    Float32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlacBits {
    Bits16,
    Bits24,
}
