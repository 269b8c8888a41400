//! Where on the time line the next frame goes, and how far the stamps are from it.

use super::{CLOCK_MAX, Held};
use crate::{
    Block,
    decode::demux::{Packet, Stream, Time},
};

/// All in frames at the stream's rate.
#[derive(Default)]
pub(super) struct Clock {
    /// Known once the first packet was decoded, because the rate is.
    pub(super) delay_left: u64,
    pub(super) heard_left: Option<u64>,
    pub(super) origin: Option<i64>,
    /// Where the next frame goes.
    pub(super) position: i64,
    /// How much later than the frames the stamps are, as far as that was accepted.
    pub(super) offset: i64,
    /// The part of it that came little by little.
    pub(super) drift: i64,
    /// The offset that the clock had before it went back, until it returns there.
    pub(super) back_from: Option<i64>,
    /// Frames trimmed off since something was last heard.
    pub(super) end_trimmed: u64,
    /// A packet whose stamp is off, waiting for the next one to confirm it.
    pub(super) held: Option<Held>,
}

impl Clock {
    /// The rate is known now.
    pub(super) fn open(&mut self, stream: &Stream, rate: u32) {
        let frames = |time: Option<Time>| time.map(|time| time.frames(rate).max(0) as u64);
        self.delay_left = frames(stream.delay).unwrap_or(0);
        self.heard_left = frames(stream.heard);
        let origin = |origin: Time| origin.frames(rate).clamp(-CLOCK_MAX, CLOCK_MAX);
        self.origin = stream.origin.map(origin);
    }

    pub(super) fn change_rate(&mut self, from: u32, to: u32) {
        if from == to {
            return;
        }
        let convert = |frames: i64| Time::new(frames, u64::from(from)).frames(to);
        self.position = convert(self.position);
        self.offset = convert(self.offset);
        self.drift = convert(self.drift);
        self.back_from = self.back_from.map(convert);
        self.origin = self.origin.map(convert);
        self.delay_left = convert(self.delay_left as i64) as u64;
        self.heard_left = self.heard_left.map(|left| convert(left as i64) as u64);
    }

    /// Takes off what is not to be heard; gives how many frames went from the start.
    pub(super) fn trim(&mut self, block: &mut Block, packet: &Packet, rate: u32) -> usize {
        let frames = block.frames() as u64;
        let time = |time: Option<Time>| time.map_or(0, |time| time.frames(rate).max(0) as u64);
        let delay = self.delay_left.min(frames);
        self.delay_left -= delay;
        let start = delay.max(time(packet.trim_start).min(frames));
        let mut end = frames - time(packet.trim_end).min(frames);
        if let Some(left) = &mut self.heard_left {
            end = end.min(start + *left);
            *left -= end.saturating_sub(start);
        }
        block.resize(end.max(start) as usize);
        block.drop_front(start as usize);
        start as usize
    }
}
