//! Ogg (RFC 3533): Opus, Vorbis and FLAC in it, several streams at once or one after the other.
//!
//! Time is where the pages say: what was muted, lost or left out shows as a jump in the stamps of the
//! packets. Streams that follow on each other (chained, or files put together) begin anew.

mod logical;
mod mapping;
mod page;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use retake_findings::{Code, Finding};
use retake_formats::Container;

use super::super::{
    demux::{Demuxer, End, Next, Packet, Track},
    source::Source,
};
use crate::AudioError;
use logical::{Item, Logical};
use mapping::Mapping;
use page::{Page, Pages};

pub(super) use mapping::opus_frames;

/// Tags of other formats may stand before the first page, not more.
const LEADING_BYTES_MAX: u64 = 4 << 20;
/// Headers with a large picture among their tags take so many pages.
const HEADER_PAGES_MAX: usize = 1024;
/// More streams at once are not followed.
const STREAMS_MAX: usize = 64;

pub(in crate::decode) struct OggReader {
    pages: Pages<Source>,
    page: Page,
    tracks: Vec<Track>,
    /// The audio streams that are described together, until one of their pages comes; which of them is
    /// read is decided then.
    group: Vec<Logical>,
    selected: usize,
    current: Option<Logical>,
    items: VecDeque<Item>,
    pages_lost: u64,
    /// The stream that is read has not said that it ends.
    is_open: bool,
    /// Seconds before the beginning that are left out.
    trimmed: f64,
}

impl OggReader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        // The headers stand on several pages, between those of other streams.
        let mut ahead = Self::new(source.again());
        let mut pages = 0;
        while pages < HEADER_PAGES_MAX && ahead.pages.next(&mut ahead.page)? {
            if ahead.pages.leading > LEADING_BYTES_MAX {
                return Ok(None);
            }
            pages += 1;
            if ahead.page.is_first {
                ahead.describe();
                continue;
            }
            let serial = ahead.page.serial;
            if let Some(logical) = ahead.group.iter_mut().find(|it| it.serial == serial) {
                logical.take(&ahead.page, &mut Vec::new());
            }
            if ahead.group.iter().all(|logical| logical.mapping.is_ready()) {
                break;
            }
        }
        let params = ahead.group.iter().map(|logical| &logical.mapping.params);
        let tracks = params
            .enumerate()
            .map(|(index, params)| Track {
                is_default: index == 0,
                ..Track::only(params)
            })
            .collect();
        let mut reader = Self::new(source);
        reader.tracks = tracks;
        Ok((pages > 0).then_some(reader))
    }

    fn new(source: Source) -> Self {
        Self {
            pages: Pages::new(source),
            page: Page::default(),
            tracks: Vec::new(),
            group: Vec::new(),
            selected: 0,
            current: None,
            items: VecDeque::new(),
            pages_lost: 0,
            is_open: false,
            trimmed: 0.0,
        }
    }

    /// Takes the first page of a stream.
    fn describe(&mut self) {
        let first = first_packet(&self.page);
        if let Some(mapping) = Mapping::new(first).filter(|_| self.group.len() < STREAMS_MAX) {
            let mut logical = Logical::new(self.page.serial, mapping);
            // FLAC may have more than the first packet on it.
            let mut items = Vec::new();
            logical.take(&self.page, &mut items);
            self.group.push(logical);
        }
    }

    fn take_page(&mut self) {
        if self.page.is_first {
            self.describe();
            return;
        }
        if !self.group.is_empty() {
            let index = self.selected.min(self.group.len() - 1);
            self.leave();
            self.current = Some(self.group.swap_remove(index));
            self.group.clear();
        }
        let Some(current) = self
            .current
            .as_mut()
            .filter(|current| current.serial == self.page.serial)
        else {
            return;
        };
        self.is_open = !self.page.is_last;
        // Headers may be ready before the page or on it; audio never stands before them.
        let was_ready = current.beginning();
        self.items.extend(was_ready);
        let mut items = Vec::new();
        current.take(&self.page, &mut items);
        self.items.extend(current.beginning());
        self.items.extend(items);
    }

    fn leave(&mut self) {
        let left = self.current.take();
        self.pages_lost += left.map_or(0, |left| left.pages_lost);
    }
}

fn first_packet(page: &Page) -> &[u8] {
    let mut len = 0;
    for &piece in &page.lacing {
        len += usize::from(piece);
        if piece < 255 {
            break;
        }
    }
    &page.body[..len]
}

impl Demuxer for OggReader {
    fn container(&self) -> Container {
        Container::Ogg
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn select(&mut self, track: usize) {
        self.selected = track;
    }

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        loop {
            match self.items.pop_front() {
                Some(Item::Stream(stream)) => return Ok(Next::Stream(stream)),
                Some(Item::Packet(mut timed)) => {
                    std::mem::swap(&mut packet.data, &mut timed.data);
                    (packet.at, packet.duration) = (timed.at, timed.duration);
                    (packet.trim_start, packet.trim_end) = (timed.trim_start, timed.trim_end);
                    self.trimmed += timed.trim_start.map_or(0.0, |trim| trim.seconds());
                    packet.is_jump = timed.is_jump;
                    return Ok(Next::Packet);
                }
                None => {}
            }
            if !self.pages.next(&mut self.page)? {
                self.leave();
                return Ok(Next::End(if self.pages.is_truncated || self.is_open {
                    End::Truncated
                } else {
                    End::Complete
                }));
            }
            self.take_page();
        }
    }

    fn findings(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let lost = self.pages_lost + self.current.as_ref().map_or(0, |now| now.pages_lost);
        let places = lost.max(self.pages.places);
        if places > 0 {
            let detail = match self.pages.skipped {
                0 => "pages are missing".to_owned(),
                bytes => format!("{bytes} bytes are no sound pages"),
            };
            findings.push(Finding::new(
                Code::ContainerDamaged,
                [("places", places.into()), ("detail", detail.into())],
            ));
        }
        if self.trimmed > 0.0 {
            let trimmed_ms = (1000.0 * self.trimmed).round() as u64;
            findings.push(Finding::new(
                Code::StartTrimmed,
                [("trimmed_ms", trimmed_ms.into())],
            ));
        }
        findings
    }
}
