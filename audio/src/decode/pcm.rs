//! How plain samples lie in bytes, in every container.

/// One channel's sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PcmLayout {
    pub encoding: PcmEncoding,
    /// Bytes that a sample takes: 1, 2, 3, 4 or 8.
    pub bytes: u32,
    /// Bits that are meant, at the top of the bytes. Not more than the bytes hold.
    pub bits: u32,
    pub is_big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PcmEncoding {
    /// Silence is half of full scale.
    Unsigned,
    Signed,
    /// IEEE 754 of 4 or 8 bytes (2: half precision).
    Float,
}
