//! Finds the frames in a stream of bytes, and finds them again behind anything else.
//!
//! A frame right behind another one is taken if it looks like it. Anywhere else it takes several
//! headers in a row that agree, for two bytes of a sync word are found in any noise. Tags between
//! frames are stepped over.

use super::{Header, Syntax, tags};

/// So much is looked at ahead: four of the longest frames, or one of E-AC-3 with all that belongs to
/// it.
const LOOKAHEAD: usize = 1 << 16;
/// Headers in a row that are no accident: right behind a frame, and anywhere else.
const CHAIN_IN_SYNC: usize = 2;
const CHAIN: usize = 3;

/// A frame that was found. Made once and filled anew.
#[derive(Debug, Default)]
pub(in crate::decode) struct Frame {
    /// The whole frame, its header included. Shorter than its header says where it is cut off.
    pub data: Vec<u8>,
    /// Only `None` before the first one was found.
    pub header: Option<Header>,
    /// Where it begins, counted from the first byte of the file or that was pushed.
    pub offset: u64,
    /// Bytes before it that belong to nothing.
    pub skipped: u64,
    /// A tag stands before it: a file begins here.
    pub is_behind_tag: bool,
}

#[derive(Debug)]
pub(in crate::decode) struct Splitter {
    syntax: Syntax,
    /// Read and not given yet from `start` on.
    buffer: Vec<u8>,
    start: usize,
    /// Of `start`, in the stream.
    offset: u64,
    /// Of the whole stream, where it is known.
    len: Option<u64>,
    is_final: bool,
    /// What is left of a tag.
    to_skip: u64,
    last: Option<Header>,
    is_in_sync: bool,
    /// Since the last frame.
    pending: u64,
    is_behind_tag: bool,
    /// Bytes before the first frame that are neither frame nor tag.
    pub leading: u64,
    /// The same between frames, and in how many places.
    pub skipped: u64,
    pub places: u64,
    /// Frames that end early, because the next one begins.
    pub cut_short: u64,
    /// The last frame is not all there.
    pub is_truncated: bool,
}

/// How many headers in a row agree.
struct Chain {
    headers: usize,
    /// The last of them is followed by the end or a tag, exactly.
    is_closed: bool,
}

impl Splitter {
    /// `offset`: where the first byte that is pushed stands in a stream of `len` bytes.
    pub(in crate::decode) fn new(syntax: Syntax, offset: u64, len: Option<u64>) -> Self {
        Self {
            syntax,
            buffer: Vec::new(),
            start: 0,
            offset,
            len,
            is_final: false,
            to_skip: 0,
            last: None,
            is_in_sync: true,
            pending: 0,
            is_behind_tag: false,
            leading: 0,
            skipped: 0,
            places: 0,
            cut_short: 0,
            is_truncated: false,
        }
    }

    /// More of the stream. Call [`Self::next`] until it has no more before pushing again.
    pub(in crate::decode) fn push(&mut self, bytes: &[u8]) {
        // What is only skipped is not kept.
        let dropped = if self.start == self.buffer.len() {
            self.to_skip.min(bytes.len() as u64) as usize
        } else {
            0
        };
        self.to_skip -= dropped as u64;
        self.offset += dropped as u64;
        if self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(&bytes[dropped..]);
    }

    /// There is no more to come.
    pub(in crate::decode) fn finish(&mut self) {
        self.is_final = true;
    }

    /// There is no frame in the first of so many bytes, tags not counted.
    pub(in crate::decode) fn found_none_in(&self, bytes: u64) -> bool {
        self.last.is_none() && self.pending > bytes
    }

    /// Bytes behind the last frame that are neither frame nor tag, once all was given.
    pub(in crate::decode) fn trailing(&self) -> u64 {
        self.pending
    }

    /// The next frame; false: push more, or that was all.
    pub(in crate::decode) fn next(&mut self, frame: &mut Frame) -> bool {
        loop {
            let skipped = self.to_skip.min(self.ahead().len() as u64);
            self.advance(skipped as usize);
            self.to_skip -= skipped;
            let ahead = self.ahead();
            if self.to_skip > 0 || ahead.is_empty() || ahead.len() < LOOKAHEAD && !self.is_final {
                return false;
            }
            if let Some(bytes) = self.tag(ahead) {
                self.to_skip = bytes;
                self.is_behind_tag = true;
                continue;
            }
            let Some(header) = self.accepted(ahead, self.is_in_sync) else {
                self.resync();
                continue;
            };
            if header.bytes > ahead.len() {
                // The end of the file, in the middle of a frame.
                let rest = ahead.len();
                self.is_truncated = true;
                self.advance(rest);
                return false;
            }
            let bytes = self.extent(&header);
            let is_wanted = !header.is_other && !header.is_dependent;
            if is_wanted {
                self.cut_short += u64::from(bytes < header.bytes);
                self.give(&header, bytes, frame);
            }
            self.advance(bytes);
            self.is_in_sync = true;
            if is_wanted {
                self.last = Some(header);
                return true;
            }
        }
    }

    fn ahead(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// A tag at the start that is not longer than the file.
    fn tag(&self, ahead: &[u8]) -> Option<u64> {
        let bytes = tags::tag(ahead, true)?;
        if ahead.starts_with(b"TAG") {
            let behind = ahead.get(128..).unwrap_or_default();
            let is_one = behind.is_empty() && self.is_final
                || self.syntax.header(behind).is_some()
                || tags::tag(behind, true).is_some();
            return is_one.then_some(bytes.min(ahead.len() as u64));
        }
        let is_inside = match self.len {
            Some(len) => self.offset.saturating_add(bytes) <= len,
            None => true,
        };
        is_inside.then_some(bytes)
    }

    /// The header at the start, if there is reason to believe it.
    fn accepted(&self, ahead: &[u8], is_in_sync: bool) -> Option<Header> {
        let header = self.syntax.header(ahead)?;
        let is_like_last = self.last.as_ref().is_some_and(|last| header.is_like(last));
        if is_in_sync && (is_like_last || header.is_dependent && self.last.is_some()) {
            return Some(header);
        }
        let needed = if is_in_sync { CHAIN_IN_SYNC } else { CHAIN };
        let chain = self.chain(ahead, &header, needed);
        let is_enough = chain.headers >= needed
            || chain.is_closed && (chain.headers >= CHAIN_IN_SYNC || is_in_sync || is_like_last);
        is_enough.then_some(header)
    }

    fn chain(&self, ahead: &[u8], first: &Header, needed: usize) -> Chain {
        let mut chain = Chain {
            headers: 1,
            is_closed: false,
        };
        let mut at = first.bytes;
        while chain.headers < needed {
            let Some(rest) = ahead.get(at..) else {
                break;
            };
            if rest.is_empty() && self.is_final || tags::tag(rest, true).is_some() {
                chain.is_closed = true;
                break;
            }
            match self.syntax.header(rest) {
                Some(next) if next.is_like(first) => {
                    // Others and dependent ones say nothing about the next frame of this one.
                    chain.headers += 1;
                    at += next.bytes;
                }
                _ => break,
            }
        }
        chain
    }

    /// How many bytes the frame at the start takes, with all that belongs to it. It is cut short
    /// where the next one begins inside of it.
    fn extent(&self, header: &Header) -> usize {
        let ahead = self.ahead();
        let mut end = header.bytes;
        while let Some(next) = ahead.get(end..).and_then(|rest| self.syntax.header(rest)) {
            if !next.is_dependent || next.codec != header.codec || end + next.bytes > ahead.len() {
                break;
            }
            end += next.bytes;
        }
        let rest = &ahead[end..];
        let goes_on = rest.is_empty()
            || self.syntax.header(rest).is_some()
            || tags::tag(rest, true).is_some();
        if goes_on {
            return end;
        }
        let first_byte = self.syntax.first_byte();
        let inside = (1..end).filter(|&at| ahead[at] == first_byte).find(|&at| {
            let like = self.syntax.header(&ahead[at..]);
            like.is_some_and(|like| {
                like.is_like(header) && self.chain(&ahead[at..], &like, CHAIN).headers >= CHAIN
            })
        });
        inside.unwrap_or(end)
    }

    fn give(&mut self, header: &Header, bytes: usize, frame: &mut Frame) {
        frame.data.clear();
        frame
            .data
            .extend_from_slice(&self.buffer[self.start..self.start + bytes]);
        frame.header = Some(header.clone());
        frame.offset = self.offset;
        frame.skipped = self.pending;
        frame.is_behind_tag = self.is_behind_tag;
        if self.last.is_none() {
            self.leading = self.pending;
        } else if self.pending > 0 {
            self.skipped += self.pending;
            self.places += 1;
        }
        self.pending = 0;
        self.is_behind_tag = false;
    }

    /// Steps to the next place that may be a frame or a tag, as far as that can be seen.
    fn resync(&mut self) {
        self.is_in_sync = false;
        let ahead = self.ahead();
        let seen = if self.is_final {
            ahead.len()
        } else {
            // At least one byte: there are more than LOOKAHEAD or all.
            (ahead.len() - LOOKAHEAD).max(1)
        };
        let first_byte = self.syntax.first_byte();
        let found = (1..seen).find(|&at| {
            let rest = &ahead[at..];
            rest[0] == first_byte && self.accepted(rest, false).is_some()
                || rest[0] == b'I' && self.is_tag_before_frames(rest)
        });
        let skipped = found.unwrap_or(seen);
        self.pending += skipped as u64;
        self.advance(skipped);
    }

    /// Three letters in noise are no tag: frames or another tag have to follow, where that can be seen.
    fn is_tag_before_frames(&self, rest: &[u8]) -> bool {
        let Some(bytes) = self.tag(rest).filter(|_| rest.starts_with(b"ID3")) else {
            return false;
        };
        match rest.get(usize::try_from(bytes).unwrap_or(usize::MAX)..) {
            Some(behind) => self.syntax.header(behind).is_some(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// MPEG-1 layer 3, 128 kb/s, 44.1 kHz: 417 bytes, filled with a number.
    fn frame(kind: u8, fill: u8) -> Vec<u8> {
        let mut frame = vec![fill; 417];
        frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, kind]);
        frame
    }

    const STEREO: u8 = 0x04;
    const MONO: u8 = 0xc4;

    fn frames(kind: u8, count: u8) -> Vec<u8> {
        (0..count).flat_map(|fill| frame(kind, fill)).collect()
    }

    /// Offsets and skipped bytes of all frames, however the bytes are pushed.
    fn split(bytes: &[u8]) -> (Vec<(u64, u64)>, Splitter) {
        let run = |piece: usize| {
            let mut splitter = Splitter::new(Syntax::Mpeg, 0, Some(bytes.len() as u64));
            let mut frame = Frame::default();
            let mut found = Vec::new();
            for piece in bytes.chunks(piece) {
                splitter.push(piece);
                while splitter.next(&mut frame) {
                    found.push((frame.offset, frame.skipped));
                }
            }
            splitter.finish();
            while splitter.next(&mut frame) {
                found.push((frame.offset, frame.skipped));
            }
            (found, splitter)
        };
        let (found, splitter) = run(1000);
        assert_eq!(run(70_001).0, found);
        (found, splitter)
    }

    #[test]
    fn frames_follow_on_each_other() {
        let (found, splitter) = split(&frames(STEREO, 200));
        assert_eq!(found.len(), 200);
        assert_eq!(found[199], (199 * 417, 0));
        assert!(!splitter.is_truncated);
    }

    #[test]
    fn garbage_is_skipped_and_counted() {
        let bytes = [
            vec![0xff; 10],
            frames(STEREO, 3),
            vec![0xab; 5000],
            frames(STEREO, 4),
            vec![0; 77],
        ]
        .concat();
        let (found, splitter) = split(&bytes);
        assert_eq!(found.len(), 7);
        assert_eq!(found[3], (10 + 3 * 417 + 5000, 5000));
        assert_eq!(
            (splitter.leading, splitter.skipped, splitter.places),
            (10, 5000, 1)
        );
        assert_eq!(splitter.trailing(), 77);
    }

    #[test]
    fn a_header_in_noise_is_none() {
        let mut noise = vec![0x55; 4000];
        noise[1000..1004].copy_from_slice(&[0xff, 0xfb, 0x90, STEREO]);
        let bytes = [frames(STEREO, 2), noise, frames(STEREO, 3)].concat();
        assert_eq!(split(&bytes).0.len(), 5);
        assert!(split(&[0xff; 100_000]).0.is_empty());
    }

    #[test]
    fn channels_may_change_from_one_frame_to_the_next() {
        let bytes = [frames(STEREO, 3), frames(MONO, 2), frames(STEREO, 3)].concat();
        let (found, splitter) = split(&bytes);
        assert_eq!((found.len(), splitter.skipped), (8, 0));
    }

    #[test]
    fn a_frame_that_is_cut_does_not_take_the_next_one_with_it() {
        let mut bytes = frames(STEREO, 10);
        bytes.drain(5 * 417 + 100..5 * 417 + 300);
        let (found, splitter) = split(&bytes);
        assert_eq!(found.len(), 10);
        assert_eq!(found[6].0, 6 * 417 - 200);
        assert_eq!(splitter.cut_short, 1);
    }

    #[test]
    fn tags_are_stepped_over_wherever_they_stand() {
        let mut id3 = b"ID3\x04\0\0\x00\x12\x27\x60".to_vec();
        id3.resize(300_010, 0xff);
        let mut id3v1 = b"TAG".to_vec();
        id3v1.resize(128, b' ');
        let bytes = [
            id3.clone(),
            frames(STEREO, 3),
            id3v1.clone(),
            id3,
            frames(MONO, 3),
            id3v1,
        ]
        .concat();
        let (found, splitter) = split(&bytes);
        assert_eq!(found.len(), 6);
        assert_eq!(
            (splitter.leading, splitter.skipped, splitter.trailing()),
            (0, 0, 0)
        );
    }

    #[test]
    fn a_tag_that_says_it_is_longer_than_the_file_is_not_believed() {
        let bytes = [b"ID3\x04\0\0\x7f\x7f\x7f\x7f".to_vec(), frames(STEREO, 3)].concat();
        let (found, splitter) = split(&bytes);
        assert_eq!((found.len(), splitter.leading), (3, 10));
    }

    #[test]
    fn the_end_in_the_middle_of_a_frame_is_seen() {
        let bytes = frames(STEREO, 4);
        let (found, splitter) = split(&bytes[..4 * 417 - 1]);
        assert_eq!((found.len(), splitter.is_truncated), (3, true));
    }
}
