//! Flash Video: what recorders of streams write. One audio track; its tags have stamps in
//! milliseconds.

use std::io;

use retake_findings::{Code, Finding};
use retake_formats::{Codec, Container};

use super::bytes::{Bytes, PEEK_BYTES_MAX};
use crate::{
    AudioError,
    decode::{
        demux::{CodecParams, Demuxer, End, Next, Packet, Stream, Time, Track},
        pcm::{PcmEncoding, PcmLayout},
        source::Source,
    },
};

const AUDIO: u8 = 8;
const TAG_HEADER_BYTES: u64 = 11;
/// The size of the tag before, behind each tag.
const TRAILER_BYTES: u64 = 4;
const FORMAT_EXTENDED: u8 = 9;
const FORMAT_AAC: u8 = 10;

pub(in crate::decode) struct FlvReader {
    bytes: Bytes,
    tracks: Vec<Track>,
    /// What the stream is now, by its last description.
    params: Option<CodecParams>,
    is_selected: bool,
    is_stream_due: bool,
    /// A file has begun whose description has not come yet.
    is_fresh: bool,
    /// Read, and its description comes first.
    held: Option<(Vec<u8>, Time)>,
    end: Option<End>,
    is_jump: bool,
    places: u64,
    lost: u64,
}

struct Tag {
    kind: u8,
    size: u64,
    stamp_ms: i64,
}

/// What a tag of audio brings.
enum Brought {
    /// What follows is coded so.
    Description(CodecParams),
    /// A packet begins so many bytes into the tag. What it is coded in, if it says so itself.
    Packet(usize, Option<CodecParams>),
    Nothing,
}

impl FlvReader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        let mut reader = Self {
            bytes: Bytes::new(source),
            tracks: Vec::new(),
            params: None,
            is_selected: false,
            is_stream_due: false,
            is_fresh: false,
            held: None,
            end: None,
            is_jump: false,
            places: 0,
            lost: 0,
        };
        let Some(offset) = file_header(reader.bytes.peek(9)?) else {
            return Ok(None);
        };
        reader.bytes.skip(offset + TRAILER_BYTES)?;
        while reader.end.is_none() && reader.params.is_none() {
            reader.step()?;
        }
        reader.tracks = reader.params.iter().map(Track::only).collect();
        Ok(Some(reader))
    }

    /// One tag. What it brings is held.
    fn step(&mut self) -> Result<(), AudioError> {
        let at = self.bytes.position();
        let left = self.bytes.left();
        if left < TAG_HEADER_BYTES {
            self.end = Some(if left == 0 {
                End::Complete
            } else {
                End::Truncated
            });
            return Ok(());
        }
        let head = self.bytes.peek(TAG_HEADER_BYTES as usize)?;
        if let Some(offset) = file_header(head) {
            // Another file behind the first.
            self.is_fresh = true;
            self.bytes.skip(offset + TRAILER_BYTES)?;
            return Ok(());
        }
        let tag = tag(head);
        let end = tag
            .as_ref()
            .map_or(u64::MAX, |tag| at + TAG_HEADER_BYTES + tag.size);
        if end > at + left || !self.is_closed(at, end)? {
            let is_short = tag.is_some() && end > at + left;
            return self.go_on(at, is_short);
        }
        if let Some(tag) = tag.filter(|tag| tag.kind == AUDIO) {
            self.bytes.seek(at + TAG_HEADER_BYTES)?;
            let mut body = Vec::new();
            self.bytes.read_onto(&mut body, tag.size)?;
            self.take(body, Time::new(tag.stamp_ms, 1000));
        }
        self.bytes.seek(end.saturating_add(TRAILER_BYTES))?;
        Ok(())
    }

    /// Whether the size is stated behind the tag as well. Some writers state 0; the file may end
    /// right before.
    fn is_closed(&mut self, at: u64, end: u64) -> io::Result<bool> {
        self.bytes.seek(end)?;
        let stated = self.bytes.take::<4>()?.map(u32::from_be_bytes);
        let next = self.bytes.peek(TAG_HEADER_BYTES as usize)?;
        Ok(match stated {
            Some(stated) => {
                u64::from(stated) == end - at || tag(next).is_some() || file_header(next).is_some()
            }
            None => true,
        })
    }

    fn go_on(&mut self, at: u64, is_short: bool) -> Result<(), AudioError> {
        self.bytes.seek(at + 1)?;
        let is_found = self.find()?;
        if is_found || !is_short {
            self.places += 1;
            self.lost += self.bytes.position() - at;
        }
        self.is_jump = true;
        if !is_found {
            self.end = Some(End::Truncated);
        }
        Ok(())
    }

    /// Goes to the next tag whose size is stated behind it, or to the next file.
    fn find(&mut self) -> io::Result<bool> {
        loop {
            let window = self.bytes.peek(PEEK_BYTES_MAX)?;
            let is_last = window.len() < PEEK_BYTES_MAX;
            let searched = if is_last {
                window.len()
            } else {
                window.len() / 2
            };
            let is_tag = |bytes: &[u8]| {
                let Some(tag) = tag(bytes) else {
                    return file_header(bytes).is_some();
                };
                let end = (TAG_HEADER_BYTES + tag.size) as usize;
                let stated = bytes.get(end..).and_then(|rest| rest.first_chunk());
                stated.is_some_and(|stated| u32::from_be_bytes(*stated) as usize == end)
            };
            match (0..searched).find(|&at| is_tag(&window[at..])) {
                Some(found) => {
                    self.bytes.skip(found as u64)?;
                    return Ok(true);
                }
                None => self.bytes.skip(searched as u64)?,
            }
            if is_last {
                return Ok(false);
            }
        }
    }

    fn take(&mut self, mut body: Vec<u8>, at: Time) {
        match read(&body, self.params.as_ref()) {
            Brought::Description(params) => self.begin(params),
            Brought::Packet(offset, params) => {
                if let Some(params) = params {
                    self.begin(params);
                }
                self.is_stream_due |= std::mem::take(&mut self.is_fresh);
                body.drain(..offset);
                self.held = Some((body, at));
            }
            Brought::Nothing => {}
        }
    }

    fn begin(&mut self, params: CodecParams) {
        let is_other = self.params.as_ref() != Some(&params);
        self.is_stream_due |= std::mem::take(&mut self.is_fresh) || is_other;
        self.params = Some(params);
    }
}

/// A file's header: how long it is.
fn file_header(bytes: &[u8]) -> Option<u64> {
    let offset = bytes.get(5..9)?.first_chunk()?;
    let offset = u32::from_be_bytes(*offset);
    (bytes.starts_with(b"FLV\x01") && (9..=64).contains(&offset)).then_some(offset.into())
}

fn tag(bytes: &[u8]) -> Option<Tag> {
    let &[kind, s2, s1, s0, t2, t1, t0, t3, 0, 0, 0] = bytes.first_chunk()? else {
        return None;
    };
    matches!(kind, AUDIO | 9 | 18).then(|| Tag {
        kind,
        size: u32::from_be_bytes([0, s2, s1, s0]).into(),
        stamp_ms: i32::from_be_bytes([t3, t2, t1, t0]).into(),
    })
}

fn read(body: &[u8], known: Option<&CodecParams>) -> Brought {
    let Some(&first) = body.first() else {
        return Brought::Nothing;
    };
    match first >> 4 {
        FORMAT_AAC => match body.get(1) {
            Some(0) if body.len() >= 4 => Brought::Description(CodecParams {
                extra: body[2..].to_vec(),
                ..CodecParams::new(Codec::Aac)
            }),
            // Without a description it cannot be decoded; it may be that of damage.
            Some(1) if body.len() > 2 && known.is_some() => Brought::Packet(2, None),
            _ => Brought::Nothing,
        },
        FORMAT_EXTENDED => read_extended(body, known),
        _ if body.len() > 1 => Brought::Packet(1, Some(plain_params(first))),
        _ => Brought::Nothing,
    }
}

/// Enhanced RTMP: the codec by its four letters.
fn read_extended(body: &[u8], known: Option<&CodecParams>) -> Brought {
    const BEGIN: u8 = 0;
    const FRAMES: u8 = 1;
    let Some((codec, content)) = body.get(1..).and_then(|rest| rest.split_first_chunk::<4>())
    else {
        return Brought::Nothing;
    };
    let with = |codec, extra: &[u8]| CodecParams {
        extra: extra.to_vec(),
        ..CodecParams::new(codec)
    };
    let params = match codec {
        b"mp4a" => with(Codec::Aac, content),
        b"Opus" => with(Codec::Opus, content),
        // Behind the marker, if there is one, and the block's header.
        b"fLaC" => {
            let blocks = content.strip_prefix(b"fLaC").unwrap_or(content);
            with(Codec::Flac, blocks.get(4..38).unwrap_or_default())
        }
        b".mp3" => with(Codec::Mp3, &[]),
        b"ac-3" => with(Codec::Ac3, &[]),
        b"ec-3" => with(Codec::Eac3, &[]),
        other => {
            let name = other.iter().filter(|byte| byte.is_ascii_graphic());
            with(
                Codec::Unknown(name.map(|&byte| byte as char).collect()),
                &[],
            )
        }
    };
    let needs_description = matches!(params.codec, Codec::Aac | Codec::Opus | Codec::Flac);
    match body[0] & 0xf {
        BEGIN => Brought::Description(params),
        FRAMES if !needs_description => Brought::Packet(5, Some(params)),
        FRAMES if known.is_some() => Brought::Packet(5, None),
        _ => Brought::Nothing,
    }
}

/// By the first byte of a tag.
fn plain_params(first: u8) -> CodecParams {
    let rate = [5512, 11_025, 22_050, 44_100][usize::from(first >> 2 & 3)];
    let is_wide = first & 2 != 0;
    let mut params = CodecParams::new(match first >> 4 {
        0 | 3 => Codec::Pcm,
        2 | 14 => Codec::Mp3,
        7 => Codec::Alaw,
        8 => Codec::Mulaw,
        1 => Codec::Unknown("Flash ADPCM".to_owned()),
        4..=6 => Codec::Unknown("Nellymoser".to_owned()),
        11 => Codec::Unknown("Speex".to_owned()),
        other => Codec::Unknown(format!("a Flash codec ({other})")),
    });
    params.channels = Some(1 + u32::from(first & 1));
    params.sample_rate = match params.codec {
        // Its frames say it.
        Codec::Mp3 => None,
        Codec::Alaw | Codec::Mulaw => Some(8000),
        _ => Some(rate),
    };
    if params.codec == Codec::Pcm {
        params.pcm = if is_wide {
            PcmLayout::new(PcmEncoding::Signed, 2, 16)
        } else {
            PcmLayout::new(PcmEncoding::Unsigned, 1, 8)
        };
        params.bits = Some(if is_wide { 16 } else { 8 });
    }
    params
}

impl Demuxer for FlvReader {
    fn container(&self) -> Container {
        Container::Flv
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn select(&mut self, _: usize) {
        self.is_selected = true;
        self.is_stream_due = true;
    }

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        loop {
            if std::mem::take(&mut self.is_stream_due)
                && let Some(params) = &self.params
            {
                return Ok(Next::Stream(Box::new(Stream::new(params.clone()))));
            }
            if let Some((data, at)) = self.held.take() {
                packet.data = data;
                packet.at = Some(at);
                packet.is_jump = std::mem::take(&mut self.is_jump);
                return Ok(Next::Packet);
            }
            if let Some(end) = &self.end {
                return Ok(Next::End(end.clone()));
            }
            self.step()?;
        }
    }

    fn findings(&mut self) -> Vec<Finding> {
        let detail = format!("{} bytes make no sense", self.lost);
        let params = [("places", self.places.into()), ("detail", detail.into())];
        let damaged = (self.places > 0).then(|| Finding::new(Code::ContainerDamaged, params));
        damaged.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    const HEADER: [u8; 13] = *b"FLV\x01\x04\0\0\0\x09\0\0\0\0";

    fn tag_of(kind: u8, stamp_ms: u32, body: &[u8]) -> Vec<u8> {
        let size = (body.len() as u32).to_be_bytes();
        let [t3, t2, t1, t0] = stamp_ms.to_be_bytes();
        let whole = (body.len() as u32 + 11).to_be_bytes();
        [
            &[kind],
            &size[1..],
            &[t2, t1, t0, t3, 0, 0, 0],
            body,
            &whole,
        ]
        .concat()
    }

    fn open(content: &[u8]) -> Option<FlvReader> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        FlvReader::open(Source::open(&file).unwrap()).unwrap()
    }

    fn told_by(content: &[u8]) -> (Vec<String>, FlvReader) {
        let mut reader = open(content).unwrap();
        reader.select(0);
        let mut told = Vec::new();
        let mut packet = Packet::default();
        loop {
            packet.clear();
            match reader.next(&mut packet).unwrap() {
                Next::Stream(stream) => {
                    told.push(format!(
                        "{} {:?}",
                        stream.params.codec.name(),
                        stream.params.extra
                    ));
                }
                Next::Packet => {
                    let text = String::from_utf8_lossy(&packet.data);
                    told.push(format!("{} {text}", packet.at.unwrap().ticks));
                }
                Next::End(end) => {
                    told.push(format!("{end:?}"));
                    return (told, reader);
                }
            }
        }
    }

    fn aac() -> Vec<u8> {
        [
            &HEADER[..],
            &tag_of(18, 0, b"about"),
            &tag_of(8, 0, &[0xaf, 0, 0x12, 0x10]),
            &tag_of(9, 0, b"picture"),
            &tag_of(8, 0, b"\xaf\x01one"),
            &tag_of(8, 0x0123_4567, b"\xaf\x01two"),
            &tag_of(8, 0x0123_4580, b"\xaf\x01three"),
        ]
        .concat()
    }

    #[test]
    fn tags_have_stamps_of_four_bytes() {
        let expected = [
            "AAC [18, 16]",
            "0 one",
            "19088743 two",
            "19088768 three",
            "Complete",
        ];
        assert_eq!(told_by(&aac()).0, expected);
    }

    #[test]
    fn another_file_or_description_is_another_stream() {
        let again = tag_of(8, 5, &[0xaf, 0, 0x13, 0x10]);
        let content = [aac(), again, aac()].concat();
        let streams = told_by(&content)
            .0
            .into_iter()
            .filter(|line| line.starts_with("AAC"));
        let expected = ["AAC [18, 16]", "AAC [19, 16]", "AAC [18, 16]"];
        assert_eq!(streams.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn plain_codecs_say_themselves_what_they_are() {
        let check = |first, expected: &str, rate| {
            let reader = open(&[&HEADER[..], &tag_of(8, 0, &[first, 1, 2])].concat()).unwrap();
            let params = &reader.tracks()[0].params;
            assert_eq!((params.codec.name(), params.sample_rate), (expected, rate));
        };
        check(0x3f, "PCM", Some(44_100));
        check(0x2f, "MP3", None);
        check(0x72, "A-law", Some(8000));
        check(0xb6, "Speex", Some(11_025));
        check(0x66, "Nellymoser", Some(11_025));
    }

    #[test]
    fn reading_goes_on_behind_damage() {
        let sound = aac();
        let at = sound.windows(3).position(|bytes| bytes == b"two").unwrap() - 13;
        for (offset, with) in [(0, 0), (3, 3), (3, 200), (8, 1)] {
            let mut content = sound.clone();
            content[at + offset] = with;
            let (told, mut reader) = told_by(&content);
            let expected = ["AAC [18, 16]", "0 one", "19088768 three", "Complete"];
            assert_eq!(told, expected, "{offset}");
            assert!(reader.findings()[0].is(Code::ContainerDamaged));
        }
        let (told, _) = told_by(&sound[..sound.len() - 6]);
        assert_eq!(told.last().unwrap(), "Truncated");
    }

    #[test]
    fn any_cut_or_flip_ends_well() {
        let sound = aac();
        for at in 0..sound.len() {
            for with in [0, 1, 8, 0x9f, 0xff] {
                let mut content = sound.clone();
                content[at] = with;
                for content in [&content[..], &content[..at]] {
                    if let Some(reader) = open(content)
                        && !reader.tracks().is_empty()
                    {
                        told_by(content);
                    }
                }
            }
        }
    }
}
