//! AMR's own file format (RFC 4867 section 5): a few letters, then frames of 20 ms.

use std::io::{self, BufRead, BufReader, Read};

use retake_findings::{Code, Finding};
use retake_formats::{Codec, Container};

use super::{
    super::{
        demux::{CodecParams, Demuxer, End, Next, Packet, Stream, Time, Track},
        source::Source,
    },
    frames::amr::AmrKind,
};
use crate::AudioError;

/// Headers that have to follow on each other behind damage: one is a byte, and any byte of four is one.
const CHAIN: usize = 8;
/// Eight of the longest frames.
const LOOKAHEAD: usize = 512;

pub(in crate::decode) struct AmrReader {
    reader: BufReader<Source>,
    kind: AmrKind,
    tracks: Vec<Track>,
    has_started: bool,
    /// Read and not given yet, from `start` on.
    buffer: Vec<u8>,
    start: usize,
    is_at_end: bool,
    is_in_sync: bool,
    skipped: u64,
}

impl AmrReader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        let mut reader = BufReader::with_capacity(1 << 16, source);
        let Some(kind) = kind(&mut reader)? else {
            return Ok(None);
        };
        let mut params = CodecParams::new(match kind {
            AmrKind::Narrow => Codec::AmrNb,
            AmrKind::Wide => Codec::AmrWb,
        });
        params.sample_rate = Some(kind.sample_rate());
        params.channels = Some(1);
        Ok(Some(Self {
            reader,
            kind,
            tracks: vec![Track::only(&params)],
            has_started: false,
            buffer: Vec::new(),
            start: 0,
            is_at_end: false,
            is_in_sync: true,
            skipped: 0,
        }))
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.is_at_end || self.buffer.len() - self.start >= LOOKAHEAD {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let read = (&mut self.reader)
            .take(4 * LOOKAHEAD as u64)
            .read_to_end(&mut self.buffer)?;
        self.is_at_end = read < 4 * LOOKAHEAD;
        Ok(())
    }

    /// Whether a frame begins here, if the one before does not say so.
    fn is_frame(&self, mut at: usize) -> bool {
        for _ in 0..CHAIN {
            match self.buffer.get(at) {
                None => return self.is_at_end && at == self.buffer.len(),
                Some(&first) => match self.kind.frame_bytes(first) {
                    Some(bytes) => at += bytes,
                    None => return false,
                },
            }
        }
        true
    }
}

/// By the first line, which is stepped over.
fn kind(reader: &mut impl BufRead) -> Result<Option<AmrKind>, AudioError> {
    let mut line = Vec::new();
    reader.take(15).read_until(b'\n', &mut line)?;
    match line.as_slice() {
        b"#!AMR\n" => Ok(Some(AmrKind::Narrow)),
        b"#!AMR-WB\n" => Ok(Some(AmrKind::Wide)),
        b"#!AMR_MC1.0\n" | b"#!AMR-WB_MC1.0\n" => Err(AudioError::UnknownCodec {
            codec: "AMR with several channels".to_owned(),
        }),
        _ => Ok(None),
    }
}

impl Demuxer for AmrReader {
    fn container(&self) -> Container {
        Container::Amr
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn select(&mut self, _track: usize) {}

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        if !self.has_started {
            self.has_started = true;
            let stream = Stream::new(self.tracks[0].params.clone());
            return Ok(Next::Stream(Box::new(stream)));
        }
        loop {
            self.fill()?;
            let Some(&first) = self.buffer.get(self.start) else {
                return Ok(Next::End(End::Complete));
            };
            let bytes = self.kind.frame_bytes(first);
            let Some(bytes) = bytes.filter(|_| self.is_in_sync || self.is_frame(self.start)) else {
                self.is_in_sync = false;
                self.start += 1;
                self.skipped += 1;
                continue;
            };
            let Some(frame) = self.buffer.get(self.start..self.start + bytes) else {
                self.start = self.buffer.len();
                return Ok(Next::End(End::Truncated));
            };
            packet.data.extend_from_slice(frame);
            packet.duration = Some(Time::new(
                i64::from(self.kind.frames()),
                u64::from(self.kind.sample_rate()),
            ));
            self.start += bytes;
            self.is_in_sync = true;
            return Ok(Next::Packet);
        }
    }

    fn findings(&mut self) -> Vec<Finding> {
        if self.skipped == 0 {
            return Vec::new();
        }
        vec![Finding::new(
            Code::BytesSkipped,
            [("bytes", self.skipped.into())],
        )]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::testing, *};

    /// Bytes of the packets, and what was skipped.
    fn told(bytes: &[u8]) -> (Vec<usize>, u64) {
        let mut reader = AmrReader::open(testing::source(bytes)).unwrap().unwrap();
        let mut told = Vec::new();
        let mut packet = Packet::default();
        loop {
            packet.clear();
            match reader.next(&mut packet).unwrap() {
                Next::Stream(stream) => assert_eq!(stream.params.codec, Codec::AmrNb),
                Next::Packet => told.push(packet.data.len()),
                Next::End(_) => return (told, reader.skipped),
            }
        }
    }

    fn speech(frames: usize) -> Vec<u8> {
        let mut frame = [0xff; 32];
        frame[0] = 0x3c;
        frame.repeat(frames)
    }

    #[test]
    fn frames_are_found_again_behind_damage() {
        let silence = [0x7c];
        let bytes = [
            b"#!AMR\n",
            &speech(2)[..],
            &silence,
            &[0xff; 50],
            &speech(300),
        ]
        .concat();
        let (packets, skipped) = told(&bytes);
        assert_eq!((packets.len(), skipped), (303, 50));
        assert_eq!(packets[..4], [32, 32, 1, 32]);
    }

    #[test]
    fn several_channels_are_refused_by_name() {
        let bytes = b"#!AMR_MC1.0\n\0\0\0\x02";
        let error = AmrReader::open(testing::source(bytes)).err().unwrap();
        assert!(error.to_string().contains("several channels"), "{error}");
        assert!(AmrReader::open(testing::source(b"#!AM")).unwrap().is_none());
    }
}
