//! Headers of MPEG audio, layers 1 to 3 (ISO 11172-3, 13818-3 and what is called 2.5): by them a file is
//! known, and its frames are found.

/// In kb/s by the header's index; 0 is free format, whose frames tell no length.
const KBPS_V1_L1: [u32; 15] = [
    0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
];
const KBPS_V1_L2: [u32; 15] = [
    0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
];
const KBPS_V1_L3: [u32; 15] = [
    0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
];
const KBPS_V2_L1: [u32; 15] = [
    0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
];
const KBPS_V2_L23: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/// What four bytes say of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MpegHeader {
    /// 1 to 3.
    pub layer: u32,
    pub sample_rate: u32,
    pub channels: u32,
    /// Samples of each channel.
    pub frames: u32,
    /// The whole frame, its header included.
    pub bytes: usize,
    /// Version, layer, rate and whether it is mono: the same in all frames of an encoding. Encoders switch
    /// between the kinds of stereo.
    pub likeness: u32,
}

impl MpegHeader {
    /// `None` for what is no header, and for free format.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let word = u32::from_be_bytes(*bytes.first_chunk()?);
        if word >> 21 != 0x7ff {
            return None;
        }
        // 0: version 2.5, 2: version 2, 3: version 1.
        let version = word >> 19 & 3;
        let layer = 4 - (word >> 17 & 3);
        let rates = match version {
            0 => [11_025, 12_000, 8_000],
            2 => [22_050, 24_000, 16_000],
            3 => [44_100, 48_000, 32_000],
            _ => return None,
        };
        let sample_rate = *rates.get((word >> 10 & 3) as usize)?;
        let kbps_table = match (version, layer) {
            (3, 1) => KBPS_V1_L1,
            (3, 2) => KBPS_V1_L2,
            (3, 3) => KBPS_V1_L3,
            (_, 1) => KBPS_V2_L1,
            (_, 2 | 3) => KBPS_V2_L23,
            _ => return None,
        };
        let kbps = *kbps_table.get((word >> 12 & 15) as usize)?;
        // Emphasis 2 is reserved.
        if kbps == 0 || word & 3 == 2 {
            return None;
        }
        let padding = (word >> 9 & 1) as usize;
        let (frames, bytes) = match layer {
            1 => (384, ((12_000 * kbps / sample_rate) as usize + padding) * 4),
            2 => (1152, (144_000 * kbps / sample_rate) as usize + padding),
            _ => {
                let frames = if version == 3 { 1152 } else { 576 };
                let slots = (frames * 125 * kbps / sample_rate) as usize;
                (frames, slots + padding)
            }
        };
        let channels = if word >> 6 & 3 == 3 { 1 } else { 2 };
        Some(Self {
            layer,
            sample_rate,
            channels,
            frames,
            bytes,
            likeness: word & 0x001e_0c00 | channels,
        })
    }
}
