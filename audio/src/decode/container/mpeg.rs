//! Plain streams of MPEG audio: MP3, MP2 and MP1, with tags around them and between.
//!
//! What encoders say about delay, padding and number of frames (Xing, Info, VBRI, LAME) holds for one
//! encoding. Files are often several of them, one after the other, or were cut: a statement is
//! followed only as far as the frames agree with it.

use std::collections::VecDeque;

use retake_findings::{Code, Finding};
use retake_formats::Container;

use super::{
    super::{
        demux::{Demuxer, End, Next, Packet, Stream, Time, Track},
        source::Source,
    },
    frames::{Frame, Frames, Header, Syntax},
    info_frame::{self, InfoFrame},
    plain,
};
use crate::AudioError;

/// Frames that are looked at ahead: padding of up to 4095 samples is in the last eight of 576.
const FRAMES_AHEAD: usize = 9;
/// Not more of them are put in for a damaged stretch: beyond that it is no damage.
const FRAMES_LOST_MAX: u64 = 1 << 16;

pub(in crate::decode) struct MpegReader {
    frames: Frames<Source>,
    tracks: Vec<Track>,
    queue: VecDeque<Item>,
    /// Their memory is used again.
    spare: Vec<Vec<u8>>,
    frame: Frame,
    /// The header of the last frame that was put into the queue.
    last: Option<Header>,
    was_cut: bool,
    /// How many frames of the piece that is read were put into the queue.
    read: u64,
    /// What the piece that is read says of itself, and the piece that is given.
    read_info: InfoFrame,
    given_info: InfoFrame,
    given: u64,
    is_at_end: bool,
    /// Bytes that are counted as lost frames.
    explained: u64,
    /// Of pieces that do not have as many frames as they state: what they state and what they have.
    differing_s: Option<(f64, f64)>,
}

enum Item {
    Start(Box<Stream>, InfoFrame),
    Frame {
        data: Vec<u8>,
        frames: u32,
        sample_rate: u32,
        is_jump: bool,
    },
}

impl MpegReader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        let len = source.len();
        let mut reader = Self {
            frames: Frames::new(source, Syntax::Mpeg, 0, len),
            tracks: Vec::new(),
            queue: VecDeque::new(),
            spare: Vec::new(),
            frame: Frame::default(),
            last: None,
            was_cut: false,
            read: 0,
            read_info: InfoFrame::default(),
            given_info: InfoFrame::default(),
            given: 0,
            is_at_end: false,
            explained: 0,
            differing_s: None,
        };
        reader.look_ahead()?;
        let Some(Item::Start(stream, _)) = reader.queue.front() else {
            return Ok(None);
        };
        reader.tracks.push(Track::only(&stream.params));
        // An Info frame alone is no audio.
        Ok((reader.queue.len() > 1).then_some(reader))
    }

    fn look_ahead(&mut self) -> Result<(), AudioError> {
        while !self.is_at_end && self.queue.len() <= FRAMES_AHEAD {
            if self.frames.next(&mut self.frame)? {
                self.take_frame();
            } else {
                self.is_at_end = true;
                self.end_piece();
            }
        }
        Ok(())
    }

    /// Puts the frame that was just found into the queue, behind the beginning of a piece if it is the
    /// first of one, and behind those that are lost.
    fn take_frame(&mut self) {
        let Some(header) = self.frame.header.clone() else {
            return;
        };
        let info = info_frame::parse(&self.frame.data, &header);
        let is_change = match &self.last {
            None => true,
            Some(last) => plain::is_change(last, &header),
        };
        let is_after_all = self.frame.is_behind_tag
            && self
                .read_info
                .frames
                .is_some_and(|frames| frames == self.read);
        if info.is_some() || is_change || is_after_all {
            let mut stream = Stream::new(plain::params(&header));
            let is_audio = info.is_none();
            let info = info.unwrap_or_default();
            stream.delay = info
                .delay
                .map(|delay| Time::new(i64::from(delay), u64::from(header.sample_rate)));
            self.end_piece();
            // The decoder is a new one, so nothing has to be forgotten.
            self.was_cut = false;
            self.read = 0;
            self.read_info = info;
            self.queue.push_back(Item::Start(Box::new(stream), info));
            self.last = Some(header.clone());
            if is_audio {
                self.push(&header, false);
            }
            return;
        }
        self.fill_damage(&header);
        self.push(&header, self.was_cut || self.frame.skipped > 0);
    }

    /// Holds what was read of a piece against what it states. Some encoders count the frame that states
    /// it: one more or less matters only where padding is stated as well, which is then not found.
    fn end_piece(&mut self) {
        let (Some(stated), Some(header)) = (self.read_info.frames, &self.last) else {
            return;
        };
        let apart = stated.abs_diff(self.read);
        if apart > 1 || apart == 1 && self.read_info.padding > 0 {
            let seconds = |frames: u64| {
                frames as f64 * f64::from(header.frames) / f64::from(header.sample_rate)
            };
            let (stated_s, read_s) = self.differing_s.unwrap_or_default();
            self.differing_s = Some((stated_s + seconds(stated), read_s + seconds(self.read)));
        }
    }

    fn push(&mut self, header: &Header, is_jump: bool) {
        let mut data = self.spare.pop().unwrap_or_default();
        std::mem::swap(&mut data, &mut self.frame.data);
        self.was_cut = data.len() < header.bytes;
        self.push_data(header, data, is_jump);
        self.last = Some(header.clone());
    }

    fn push_data(&mut self, header: &Header, data: Vec<u8>, is_jump: bool) {
        self.queue.push_back(Item::Frame {
            data,
            frames: header.frames,
            sample_rate: header.sample_rate,
            is_jump,
        });
        self.read += 1;
    }

    /// Where frames have all the same length, damage that is as long as some of them was some of them:
    /// they stand for their time.
    fn fill_damage(&mut self, header: &Header) {
        let skipped = self.frame.skipped;
        let Some(last) = self.last.as_ref().filter(|_| skipped > 0) else {
            return;
        };
        let bytes = header.bytes.min(last.bytes) as u64;
        if header.bytes.abs_diff(last.bytes) > 1 || self.was_cut || self.frame.is_behind_tag {
            return;
        }
        // Padding makes some of them longer by one byte.
        let lost = (skipped + bytes / 2) / bytes;
        if lost > 0 && lost <= FRAMES_LOST_MAX && skipped.abs_diff(lost * bytes) <= lost {
            self.explained += skipped;
            for _ in 0..lost {
                self.push_data(header, Vec::new(), false);
            }
        }
    }

    /// How many frames of the piece follow on the one that was just given; `None`: that cannot be
    /// seen from here.
    fn frames_left(&self) -> Option<u64> {
        let next_start = self
            .queue
            .iter()
            .position(|item| matches!(item, Item::Start(..)));
        next_start
            .or(self.is_at_end.then_some(self.queue.len()))
            .map(|left| left as u64)
    }

    /// What of the frame just given is padding.
    fn padding(&self, frames: u32) -> Option<u64> {
        let stated = self.given_info.frames?;
        let there = self.given + self.frames_left()?;
        // More frames than stated: whatever was stated is not about this.
        if there > stated {
            return None;
        }
        let frames = u64::from(frames);
        let end = (stated.checked_mul(frames)?).saturating_sub(u64::from(self.given_info.padding));
        let over = (self.given * frames).saturating_sub(end).min(frames);
        Some(over).filter(|over| *over > 0)
    }
}

impl Demuxer for MpegReader {
    fn container(&self) -> Container {
        Container::Mpeg
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn select(&mut self, _track: usize) {}

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        self.look_ahead()?;
        Ok(match self.queue.pop_front() {
            Some(Item::Start(stream, info)) => {
                self.given_info = info;
                self.given = 0;
                Next::Stream(stream)
            }
            Some(Item::Frame {
                mut data,
                frames,
                sample_rate,
                is_jump,
            }) => {
                self.given += 1;
                std::mem::swap(&mut data, &mut packet.data);
                if self.spare.len() <= FRAMES_AHEAD {
                    self.spare.push(data);
                }
                let time = |frames: u64| Time::new(frames as i64, u64::from(sample_rate));
                packet.duration = Some(time(u64::from(frames)));
                packet.trim_end = self.padding(frames).map(time);
                packet.is_jump = is_jump;
                Next::Packet
            }
            None => Next::End(if self.frames.splitter.is_truncated {
                End::Truncated
            } else {
                End::Complete
            }),
        })
    }

    fn findings(&mut self) -> Vec<Finding> {
        let mut findings = plain::findings(&self.frames.splitter, self.explained);
        if let Some((stated_s, read_s)) = self.differing_s {
            findings.push(Finding::new(
                Code::LengthDiffers,
                [("stated_s", stated_s.into()), ("read_s", read_s.into())],
            ));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::{info_frame::tests::info_frame, testing},
        *,
    };

    const STEREO: u8 = 0x04;
    const MONO: u8 = 0xc4;

    fn frames(kind: u8, count: usize) -> Vec<u8> {
        let mut frame = vec![0x55; 417];
        frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, kind]);
        frame.repeat(count)
    }

    /// What is told: `S` and a delay for a stream, and for each packet its bytes and what is trimmed
    /// off its end.
    fn told(bytes: &[u8]) -> Vec<String> {
        let mut reader = MpegReader::open(testing::source(bytes)).unwrap().unwrap();
        let mut told = Vec::new();
        let mut packet = Packet::default();
        loop {
            packet.clear();
            told.push(match reader.next(&mut packet).unwrap() {
                Next::Stream(stream) => {
                    format!("S{}", stream.delay.map_or(0, |delay| delay.ticks))
                }
                Next::Packet => {
                    assert_eq!(packet.duration, Some(Time::new(1152, 44_100)));
                    let trimmed = packet.trim_end.map_or(0, |trim| trim.ticks);
                    format!("{}-{trimmed}", packet.data.len())
                }
                Next::End(End::Complete) => return told,
                Next::End(End::Truncated) => "truncated".to_owned(),
            });
            if told.last().is_some_and(|last| last == "truncated") {
                return told;
            }
        }
    }

    #[test]
    fn delay_and_padding_are_those_that_the_encoder_states() {
        let bytes = [info_frame(4, 576, 529 + 1500), frames(STEREO, 4)].concat();
        assert_eq!(
            told(&bytes),
            ["S1105", "417-0", "417-0", "417-348", "417-1152"]
        );
    }

    #[test]
    fn each_of_joined_files_has_its_own_delay_and_padding() {
        let piece = [info_frame(2, 576, 529 + 100), frames(STEREO, 2)].concat();
        let bytes = [piece.clone(), piece].concat();
        let once = ["S1105", "417-0", "417-100"];
        assert_eq!(told(&bytes), [once, once].concat());
    }

    #[test]
    fn a_count_is_ignored_where_other_frames_go_on() {
        let bytes = [info_frame(2, 576, 529 + 100), frames(STEREO, 3)].concat();
        assert_eq!(told(&bytes), ["S1105", "417-0", "417-0", "417-0"]);
    }

    #[test]
    fn another_number_of_frames_than_is_stated_is_said() {
        let said = |bytes: &[u8]| {
            let mut reader = MpegReader::open(testing::source(bytes)).unwrap().unwrap();
            let mut packet = Packet::default();
            while !matches!(reader.next(&mut packet).unwrap(), Next::End(_)) {
                packet.clear();
            }
            let findings = reader.findings();
            let params = findings.first().map(|found| found.params.clone());
            let frame_s = 1152.0 / 44_100.0;
            let frames = |name: &str| params.as_ref().map(|p| p[name].as_f64().unwrap() / frame_s);
            frames("stated_s")
                .zip(frames("read_s"))
                .map(|(a, b)| (a.round(), b.round()))
        };
        let file = |stated, padding, count| {
            [info_frame(stated, 576, padding), frames(STEREO, count)].concat()
        };
        assert_eq!(said(&file(4, 529 + 1500, 4)), None);
        // Padding cannot be found by a count that is one off; without it nobody minds.
        assert_eq!(said(&file(3, 529 + 1500, 4)), Some((3.0, 4.0)));
        assert_eq!(said(&file(5, 529 + 1500, 4)), Some((5.0, 4.0)));
        assert_eq!(said(&file(3, 0, 4)), None);
        assert_eq!(said(&file(12, 0, 10)), Some((12.0, 10.0)));
        // Both of two files, of which one is right.
        let joined = [file(4, 700, 4), file(9, 700, 4), file(3, 700, 4)].concat();
        assert_eq!(said(&joined), Some((12.0, 8.0)));
    }

    #[test]
    fn a_change_of_channels_is_another_stream() {
        let bytes = [frames(MONO, 2), frames(STEREO, 2)].concat();
        assert_eq!(
            told(&bytes),
            ["S0", "417-0", "417-0", "S0", "417-0", "417-0"]
        );
    }

    #[test]
    fn overwritten_frames_stand_for_their_time() {
        let mut bytes = frames(STEREO, 8);
        bytes[3 * 417..5 * 417].fill(0);
        let lost = [
            "S0", "417-0", "417-0", "417-0", "0-0", "0-0", "417-0", "417-0", "417-0",
        ];
        assert_eq!(told(&bytes), lost);
    }

    #[test]
    fn what_is_no_mpeg_audio_is_none() {
        let text = b"Nobody has to be a sound engineer. ".repeat(3000);
        assert!(MpegReader::open(testing::source(&text)).unwrap().is_none());
        let info = info_frame(100, 576, 1000);
        assert!(MpegReader::open(testing::source(&info)).unwrap().is_none());
        assert!(MpegReader::open(testing::source(b"")).unwrap().is_none());
    }
}
