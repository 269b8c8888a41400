//! Plain streams of AAC (ADTS) and of AC-3; and what MPEG audio has in common with them.

use retake_findings::{Code, Finding};
use retake_formats::Container;

use super::{
    super::{
        demux::{CodecParams, Demuxer, End, Next, Packet, Stream, Time, Track},
        source::Source,
    },
    frames::{Frame, Frames, Header, Splitter, Syntax},
};
use crate::AudioError;

/// Less than that before the first frame or behind the last one is the rest of a frame or fill.
const REST_BYTES_MAX: u64 = 8192;

pub(in crate::decode) struct PlainReader {
    frames: Frames<Source>,
    container: Container,
    tracks: Vec<Track>,
    /// Read and not given yet.
    frame: Frame,
    has_frame: bool,
    last: Option<Header>,
    was_cut: bool,
}

impl PlainReader {
    pub(in crate::decode) fn adts(source: Source) -> Result<Option<Self>, AudioError> {
        Self::open(source, Syntax::Adts, Container::Adts)
    }

    pub(in crate::decode) fn ac3(source: Source) -> Result<Option<Self>, AudioError> {
        Self::open(source, Syntax::Ac3, Container::Ac3)
    }

    fn open(
        source: Source,
        syntax: Syntax,
        container: Container,
    ) -> Result<Option<Self>, AudioError> {
        let len = source.len();
        let mut frames = Frames::new(source, syntax, 0, len);
        let mut frame = Frame::default();
        if !frames.next(&mut frame)? {
            return Ok(None);
        }
        let tracks = frame
            .header
            .iter()
            .map(|h| Track::only(&params(h)))
            .collect();
        Ok(Some(Self {
            frames,
            container,
            tracks,
            frame,
            has_frame: true,
            last: None,
            was_cut: false,
        }))
    }
}

impl Demuxer for PlainReader {
    fn container(&self) -> Container {
        self.container
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn select(&mut self, _track: usize) {}

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        if !self.has_frame {
            self.has_frame = self.frames.next(&mut self.frame)?;
        }
        let Some(header) = self.frame.header.as_ref().filter(|_| self.has_frame) else {
            return Ok(Next::End(if self.frames.splitter.is_truncated {
                End::Truncated
            } else {
                End::Complete
            }));
        };
        let is_change = match &self.last {
            None => true,
            Some(last) => is_change(last, header),
        };
        if is_change {
            self.last = Some(header.clone());
            self.was_cut = false;
            return Ok(Next::Stream(Box::new(Stream::new(params(header)))));
        }
        packet.duration = Some(Time::new(
            i64::from(header.frames),
            u64::from(header.sample_rate),
        ));
        packet.is_jump = self.was_cut || self.frame.skipped > 0 && self.last.is_some();
        self.was_cut = self.frame.data.len() < header.bytes;
        std::mem::swap(&mut packet.data, &mut self.frame.data);
        self.has_frame = false;
        Ok(Next::Packet)
    }

    fn findings(&mut self) -> Vec<Finding> {
        findings(&self.frames.splitter, 0)
    }
}

pub(super) fn params(header: &Header) -> CodecParams {
    let mut params = CodecParams::new(header.codec.clone());
    params.sample_rate = Some(header.sample_rate);
    params.channels = header.channels;
    params
}

/// Whether another decoder is needed, or the same one anew.
pub(super) fn is_change(last: &Header, next: &Header) -> bool {
    (&last.codec, last.sample_rate, last.channels) != (&next.codec, next.sample_rate, next.channels)
}

pub(super) fn findings(splitter: &Splitter, explained: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    let skipped = splitter.skipped.saturating_sub(explained);
    if skipped > 0 {
        findings.push(Finding::new(
            Code::BytesSkipped,
            [("bytes", skipped.into())],
        ));
    }
    if splitter.cut_short > 0 {
        let detail = "frames are cut short where the next one begins";
        let params = [
            ("places", splitter.cut_short.into()),
            ("detail", detail.into()),
        ];
        findings.push(Finding::new(Code::ContainerDamaged, params));
    }
    for (bytes, detail) in [
        (splitter.leading, "they stand before the audio"),
        (splitter.trailing(), "they stand behind the audio"),
    ] {
        if bytes > REST_BYTES_MAX {
            findings.push(Finding::new(
                Code::PartNotRead,
                [("bytes", bytes.into()), ("detail", detail.into())],
            ));
        }
    }
    findings
}
