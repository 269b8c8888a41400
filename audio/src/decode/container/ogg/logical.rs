//! One logical stream: packets put together from pages, each with its place in time.
//!
//! A page says where its last packet ends. So its packets are counted back from there; only on the last
//! page, which may end before its packets do, they are counted on from the page before.

use super::{
    super::super::demux::{PACKET_BYTES_MAX, Stream, Time},
    mapping::{Mapping, Role},
    page::Page,
};

/// What comes out of a page.
pub(super) enum Item {
    Stream(Box<Stream>),
    Packet(Timed),
}

#[derive(Debug, Default)]
pub(super) struct Timed {
    pub data: Vec<u8>,
    frames: Option<u32>,
    pub at: Option<Time>,
    pub duration: Option<Time>,
    pub trim_start: Option<Time>,
    pub trim_end: Option<Time>,
    pub is_jump: bool,
}

pub(super) struct Logical {
    pub serial: u32,
    pub mapping: Mapping,
    has_begun: bool,
    /// The first packet is that which `mapping` was made from.
    has_first: bool,
    /// Of the next page.
    number: Option<u32>,
    /// The packet that goes on on the next page; `None`: it is too long or its beginning is lost.
    partial: Option<Vec<u8>>,
    is_continuing: bool,
    /// Where the last page ended.
    end: Option<i64>,
    is_after_loss: bool,
    /// Pages that are missing by their numbers.
    pub pages_lost: u64,
}

impl Logical {
    pub(super) fn new(serial: u32, mapping: Mapping) -> Self {
        Self {
            serial,
            mapping,
            has_begun: false,
            has_first: false,
            number: None,
            partial: Some(Vec::new()),
            is_continuing: false,
            end: None,
            is_after_loss: false,
            pages_lost: 0,
        }
    }

    /// Takes a page of this stream; what is ready goes to `items`.
    pub(super) fn take(&mut self, page: &Page, items: &mut impl Extend<Item>) {
        let is_hole = self.number.is_some_and(|number| number != page.number);
        self.number = Some(page.number.wrapping_add(1));
        let mut packets = self.packets(page, is_hole);
        if packets.is_empty() {
            return;
        }
        if is_hole && self.start(page, &packets) != self.end {
            // The numbers alone are no proof: some programs do not count.
            self.pages_lost += 1;
            self.is_after_loss = true;
        }
        if std::mem::take(&mut self.is_after_loss) && self.end.is_some() {
            if self.mapping.trims_before_zero() {
                // The first packet of Vorbis only starts.
                packets[0].frames = packets[0].frames.map(|_| 0);
            }
            packets[0].is_jump = true;
        }
        self.place(page, &mut packets);
        items.extend(packets.into_iter().map(Item::Packet));
    }

    /// The stream's beginning, once its headers are read, and once only.
    pub(super) fn beginning(&mut self) -> Option<Item> {
        if self.has_begun || !self.mapping.is_ready() {
            return None;
        }
        self.has_begun = true;
        let mut stream = Stream::new(self.mapping.params.clone());
        stream.delay = self
            .mapping
            .pre_skip
            .map(|frames| self.time(i64::from(frames)));
        Some(Item::Stream(Box::new(stream)))
    }

    fn time(&self, frames: i64) -> Time {
        Time::new(frames, u64::from(self.mapping.granule_rate))
    }

    /// The audio packets that end on the page.
    fn packets(&mut self, page: &Page, is_hole: bool) -> Vec<Timed> {
        let mut packets = Vec::new();
        if is_hole && self.is_continuing || page.is_continued != self.is_continuing {
            // What was begun does not go on here, or what goes on here was not begun.
            self.is_after_loss |= self.is_continuing || page.is_continued;
            self.partial = (!page.is_continued).then(Vec::new);
        }
        let mut at = 0;
        let mut is_open = page.is_continued;
        for &len in &page.lacing {
            let piece = &page.body[at..at + usize::from(len)];
            at += usize::from(len);
            if let Some(partial) = &mut self.partial {
                if partial.len() + piece.len() <= PACKET_BYTES_MAX {
                    partial.extend_from_slice(piece);
                } else {
                    self.partial = None;
                }
            }
            is_open = len == 255;
            if is_open {
                continue;
            }
            let Some(data) = self.partial.replace(Vec::new()) else {
                self.is_after_loss = true;
                continue;
            };
            if !std::mem::replace(&mut self.has_first, true) {
                continue;
            }
            if let Role::Audio(frames) = self.mapping.take(&data) {
                packets.push(Timed {
                    data,
                    frames,
                    ..Timed::default()
                });
            }
        }
        self.is_continuing = is_open;
        packets
    }

    /// Where the page's first packet begins, by its granule position.
    fn start(&self, page: &Page, packets: &[Timed]) -> Option<i64> {
        if page.granule < 0 {
            return None;
        }
        packets.iter().try_fold(page.granule, |start, packet| {
            Some(start.saturating_sub(i64::from(packet.frames?)))
        })
    }

    fn place(&mut self, page: &Page, packets: &mut [Timed]) {
        let is_first = self.end.is_none();
        let Some(mut at) = self.start(page, packets) else {
            for packet in packets.iter_mut() {
                packet.duration = packet.frames.map(|frames| self.time(i64::from(frames)));
            }
            // Without lengths the page's end is all that is known, and where the next one begins.
            self.end = Some(page.granule).filter(|end| *end >= 0).or(self.end);
            return;
        };
        // The last page may be shorter than what is on it.
        let on = self.end.unwrap_or(0);
        if page.is_last && at < on {
            at = on;
        }
        for packet in packets.iter_mut() {
            let frames = i64::from(packet.frames.unwrap_or(0));
            packet.duration = Some(self.time(frames));
            packet.at = Some(self.time(at));
            if is_first && at < 0 && self.mapping.trims_before_zero() {
                packet.trim_start = Some(self.time(frames.min(-at)));
            }
            at = at.saturating_add(frames);
            let over = at.saturating_sub(page.granule).min(frames);
            if page.is_last && over > 0 {
                packet.trim_end = Some(self.time(over));
            }
        }
        self.end = Some(page.granule);
    }
}
