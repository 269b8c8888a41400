//! Recordings whose samples stand in the file just as they are decoded, one after the other: they need not be
//! written down a second time to be read a second time.

use serde::{Deserialize, Serialize};

use super::{
    demux::{Packet, Stream},
    pcm::{PcmEncoding, PcmLayout},
};
use crate::Spec;

/// Where they stand.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct AsIs {
    pub(crate) layout: PcmLayout,
    pub(crate) channels: u32,
    /// The first byte, and the one behind the last whole frame.
    pub(crate) from: u64,
    pub(crate) to: u64,
    sample_rate: u32,
}

impl AsIs {
    /// Whole numbers only: no file can make one of them impossible.
    pub(super) fn of(stream: &Stream) -> Option<Self> {
        let params = &stream.params;
        let layout = params.pcm?;
        let is_whole = layout.encoding == PcmEncoding::Signed && matches!(layout.bytes, 2..=4);
        (is_whole && stream.delay.is_none()).then_some(Self {
            layout,
            channels: params.channels.filter(|channels| *channels > 0)?,
            from: 0,
            to: 0,
            sample_rate: params.sample_rate?,
        })
    }

    /// Whether the packet goes on where the one before it ended.
    pub(super) fn takes(&mut self, packet: &Packet) -> bool {
        let Some(place) = packet.place else {
            return false;
        };
        if self.to == 0 {
            (self.from, self.to) = (place, place);
        }
        // One that ended amid a frame was the last.
        let follows = place == self.to && (self.to - self.from).is_multiple_of(self.frame_bytes());
        self.to += packet.data.len() as u64;
        let is_whole =
            packet.at.is_none() && packet.trim_start.is_none() && packet.trim_end.is_none();
        follows && is_whole && !packet.is_jump
    }

    /// Whether that is all of a recording.
    pub(super) fn is_all_of(&self, spec: Spec, frames: u64) -> bool {
        let has = (self.to - self.from) / self.frame_bytes();
        (spec.sample_rate, spec.channels, frames) == (self.sample_rate, self.channels, has)
    }

    pub(crate) fn frame_bytes(&self) -> u64 {
        u64::from(self.channels) * u64::from(self.layout.bytes)
    }
}
