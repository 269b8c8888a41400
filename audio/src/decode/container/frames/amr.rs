//! Storage frames of AMR and AMR-WB (RFC 4867 section 5.3): a byte that tells the mode, and speech.

/// Narrow band: 160 samples at 8 kHz; wide band: 320 at 16 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) enum AmrKind {
    Narrow,
    Wide,
}

impl AmrKind {
    pub(in crate::decode) fn sample_rate(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Wide => 16_000,
        }
    }

    /// Every frame is 20 ms.
    pub(in crate::decode) fn frames(self) -> u32 {
        self.sample_rate() / 50
    }

    /// How many bytes a frame has by its first one, which is counted; `None`: that is none. Lost and
    /// empty frames (15, wide 14) are frames of one byte.
    pub(in crate::decode) fn frame_bytes(self, first: u8) -> Option<usize> {
        // The bits around mode and quality are 0.
        if first & 0x83 != 0 {
            return None;
        }
        let mode = usize::from(first >> 3 & 15);
        match self {
            Self::Narrow => [13, 14, 16, 18, 20, 21, 27, 32, 6, 6, 6, 6]
                .get(mode)
                .copied()
                .or((mode == 15).then_some(1)),
            Self::Wide => [18, 24, 33, 37, 41, 47, 51, 59, 61, 6]
                .get(mode)
                .copied()
                .or((mode >= 14).then_some(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AmrKind::{Narrow, Wide};

    #[test]
    fn a_frame_is_as_long_as_its_mode_says() {
        assert_eq!(Narrow.frame_bytes(0x3c), Some(32));
        assert_eq!(Narrow.frame_bytes(0x04), Some(13));
        assert_eq!(Narrow.frame_bytes(0x7c), Some(1));
        assert_eq!(Narrow.frame_bytes(0x64), None);
        assert_eq!(Narrow.frame_bytes(0xbc), None);
        assert_eq!(Wide.frame_bytes(0x44), Some(61));
        assert_eq!(Wide.frame_bytes(0x74), Some(1));
        assert_eq!(Wide.frame_bytes(0x54), None);
    }
}
