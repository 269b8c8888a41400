//! WavPack's own files: blocks of one or two channels, each with its place in the recording; those of
//! more channels follow on each other and make a packet.

use std::io;

use retake_findings::{Code, Finding};
use retake_formats::{Codec, Container};

use super::{
    super::{
        demux::{CodecParams, Demuxer, End, Next, PACKET_BYTES_MAX, Packet, Stream, Time, Track},
        source::Source,
    },
    ahead::Ahead,
    frames::tags,
};
use crate::AudioError;

const NAME: &[u8] = b"wvpk";
const HEADER_BYTES: usize = 32;
/// No encoder makes larger ones.
const BLOCK_BYTES_MAX: usize = 1 << 20;
const FLAG_MONO: u32 = 1 << 2;
const FLAG_FIRST: u32 = 1 << 11;
const FLAG_LAST: u32 = 1 << 12;
/// What is missing from it stands in another file.
const FLAG_HYBRID: u32 = 1 << 3;
/// The float flag says that samples are no whole numbers.
const FLAG_FLOAT: u32 = 1 << 7;
const RATES: [u32; 15] = [
    6_000, 8_000, 9_600, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000,
    88_200, 96_000, 192_000,
];

pub(in crate::decode) struct WavPackReader {
    bytes: Ahead,
    tracks: Vec<Track>,
    rate: u32,
    has_started: bool,
    /// Packets of the file that is being read: another may stand behind it.
    given: u64,
    is_truncated: bool,
    is_after_damage: bool,
    skipped: u64,
    places: u64,
    /// What the first blocks of the files say of their lengths.
    stated_s: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    /// With its header.
    bytes: usize,
    /// Of its first sample.
    index: u64,
    samples: u32,
    /// Of the whole file, where its first block knew.
    total: Option<u64>,
    flags: u32,
}

impl Block {
    fn parse(head: &[u8]) -> Option<Self> {
        let head: &[u8; HEADER_BYTES] = head.first_chunk()?;
        let u32_at = |at: usize| {
            let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            u32::from_le_bytes(bytes)
        };
        let bytes = u32_at(4) as usize;
        let version = u16::from_le_bytes([head[8], head[9]]);
        let is_one = head.starts_with(NAME)
            && (0x402..=0x410).contains(&version)
            && (HEADER_BYTES - 8..=BLOCK_BYTES_MAX).contains(&bytes);
        is_one.then(|| Self {
            bytes: bytes + 8,
            index: u64::from(head[10]) << 32 | u64::from(u32_at(16)),
            samples: u32_at(20),
            total: (u32_at(12) != u32::MAX)
                .then(|| u64::from(head[11]) << 32 | u64::from(u32_at(12))),
            flags: u32_at(24),
        })
    }

    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// `None`: it stands among what follows the header.
    fn rate(&self) -> Option<u32> {
        RATES.get((self.flags >> 23 & 15) as usize).copied()
    }

    /// Of the whole file; 0: not stated.
    fn length_s(&self) -> f64 {
        let rate = self.rate().filter(|rate| *rate > 0);
        self.total
            .zip(rate)
            .map_or(0.0, |(total, rate)| total as f64 / f64::from(rate))
    }

    fn channels(&self) -> u32 {
        if self.has(FLAG_MONO) { 1 } else { 2 }
    }
}

impl WavPackReader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        let mut bytes = Ahead::new(source);
        // The first blocks may have no samples.
        let mut at = 0;
        let mut channels = 0;
        let first = loop {
            let ahead = bytes.peek_from(at + HEADER_BYTES)?;
            let Some(block) = ahead.get(at..).and_then(Block::parse) else {
                return Ok(None);
            };
            at += block.bytes;
            if block.samples > 0 {
                channels += block.channels();
            }
            if at > 4 * BLOCK_BYTES_MAX {
                return Ok(None);
            }
            if block.samples > 0 && block.has(FLAG_LAST) {
                break block;
            }
        };
        let mut params = CodecParams::new(Codec::WavPack);
        params.sample_rate = first.rate();
        params.channels = Some(channels);
        params.bits = Some(8 * ((first.flags & 3) + 1))
            .filter(|_| !first.has(FLAG_FLOAT) && !first.has(FLAG_HYBRID));
        Ok(Some(Self {
            bytes,
            tracks: vec![Track::only(&params)],
            // An unusual rate is known only to the decoder: then there are no stamps.
            rate: first.rate().unwrap_or(0),
            has_started: false,
            given: 0,
            is_truncated: false,
            is_after_damage: false,
            skipped: 0,
            places: 0,
            stated_s: first.length_s(),
        }))
    }

    /// Of a file that begins with this block. What several blocks have of channels, the decoder sees.
    fn params(&self, first: &Block) -> CodecParams {
        let mut params = self.tracks[0].params.clone();
        params.sample_rate = first.rate();
        if first.has(FLAG_LAST) {
            params.channels = Some(first.channels());
        }
        params
    }

    /// Steps to the next block, tags not counted as damage.
    fn find(&mut self) -> io::Result<Option<Block>> {
        loop {
            let ahead = self.bytes.peek(HEADER_BYTES)?;
            if ahead.is_empty() {
                return Ok(None);
            }
            if let Some(block) = Block::parse(ahead) {
                return Ok(Some(block));
            }
            if let Some(tag) = tags::tag(ahead, true) {
                self.bytes.skip(tag)?;
                continue;
            }
            let next = ahead[1..].iter().position(|byte| *byte == NAME[0]);
            let skipped = next.map_or(ahead.len(), |next| next + 1);
            self.bytes.take(skipped);
            self.skipped += skipped as u64;
            self.places += u64::from(!self.is_after_damage);
            self.is_after_damage = true;
        }
    }
}

impl Demuxer for WavPackReader {
    fn container(&self) -> Container {
        Container::WavPack
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn select(&mut self, _track: usize) {}

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        if !std::mem::replace(&mut self.has_started, true) {
            let stream = Stream::new(self.tracks[0].params.clone());
            return Ok(Next::Stream(Box::new(stream)));
        }
        while let Some(block) = self.find()? {
            let begins = block.has(FLAG_FIRST) && block.samples > 0 && block.index == 0;
            if begins && self.given > 0 {
                self.given = 0;
                self.rate = block.rate().unwrap_or(0);
                self.stated_s += block.length_s();
                packet.data.clear();
                return Ok(Next::Stream(Box::new(Stream::new(self.params(&block)))));
            }
            if block.has(FLAG_FIRST) || packet.data.len() + block.bytes > PACKET_BYTES_MAX {
                packet.data.clear();
            }
            let ahead = self.bytes.peek(block.bytes)?;
            if ahead.len() < block.bytes {
                self.is_truncated = true;
            } else if block.samples > 0 {
                packet.data.extend_from_slice(ahead);
            }
            self.bytes.take(block.bytes);
            if block.samples == 0 || !block.has(FLAG_LAST) || self.is_truncated {
                continue;
            }
            if self.rate > 0 {
                let time = |frames: u64| Time::new(frames as i64, u64::from(self.rate));
                packet.at = Some(time(block.index));
                packet.duration = Some(time(u64::from(block.samples)));
            }
            packet.is_jump = std::mem::take(&mut self.is_after_damage);
            self.given += 1;
            return Ok(Next::Packet);
        }
        Ok(Next::End(if self.is_truncated {
            End::Truncated
        } else {
            End::Complete
        }))
    }

    fn stated_s(&self) -> Option<f64> {
        (self.places == 0).then_some(self.stated_s)
    }

    fn findings(&mut self) -> Vec<Finding> {
        if self.places == 0 {
            return Vec::new();
        }
        let detail = format!("{} bytes are no blocks", self.skipped);
        vec![Finding::new(
            Code::ContainerDamaged,
            [("places", self.places.into()), ("detail", detail.into())],
        )]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::testing, *};

    fn block(index: u32, samples: u32, flags: u32, fill: u8) -> Vec<u8> {
        let mut block = b"wvpk".to_vec();
        block.extend(44u32.to_le_bytes());
        block.extend([0x10, 0x04, 0, 0, 0, 0, 0, 0]);
        // 44.1 kHz, 16 bits.
        for field in [index, samples, flags | 9 << 23 | 1, 0] {
            block.extend(field.to_le_bytes());
        }
        block.extend([fill; 20]);
        block
    }

    /// Bytes and stamps of the packets.
    fn told(bytes: &[u8]) -> Vec<(usize, i64)> {
        let mut reader = WavPackReader::open(testing::source(bytes))
            .unwrap()
            .unwrap();
        let mut told = Vec::new();
        let mut packet = Packet::default();
        loop {
            packet.clear();
            match reader.next(&mut packet).unwrap() {
                Next::Stream(stream) => assert_eq!(stream.params.sample_rate, Some(44_100)),
                Next::Packet => told.push((packet.data.len(), packet.at.unwrap().ticks)),
                Next::End(_) => return told,
            }
        }
    }

    #[test]
    fn blocks_of_one_moment_are_one_packet() {
        let both = FLAG_FIRST | FLAG_LAST;
        let bytes = [
            block(0, 0, both, 0),
            block(0, 100, FLAG_FIRST, 1),
            block(0, 100, FLAG_LAST | FLAG_MONO, 2),
            block(100, 50, FLAG_FIRST, 3),
            block(100, 50, FLAG_LAST | FLAG_MONO, 4),
        ]
        .concat();
        assert_eq!(told(&bytes), [(104, 0), (104, 100)]);
        let reader = WavPackReader::open(testing::source(&bytes))
            .unwrap()
            .unwrap();
        assert_eq!(reader.tracks()[0].params.channels, Some(3));
        assert_eq!(reader.tracks()[0].params.bits, Some(16));
    }

    #[test]
    fn another_file_behind_the_first_is_another_stream() {
        let both = FLAG_FIRST | FLAG_LAST;
        let file = [block(0, 100, both, 1), block(100, 50, both, 2)].concat();
        let mut reader = WavPackReader::open(testing::source(&file.repeat(2)))
            .unwrap()
            .unwrap();
        let mut streams = 0;
        let mut packet = Packet::default();
        loop {
            packet.clear();
            match reader.next(&mut packet).unwrap() {
                Next::Stream(_) => streams += 1,
                Next::Packet => {}
                Next::End(_) => break,
            }
        }
        assert_eq!(streams, 2);
        assert_eq!(told(&file.repeat(2)), [(52, 0), (52, 100)].repeat(2));
    }

    #[test]
    fn the_length_that_the_first_blocks_state_is_told() {
        let both = FLAG_FIRST | FLAG_LAST;
        let stated = |totals: [u32; 2]| {
            let files = totals.map(|total| {
                let mut file = [block(0, 100, both, 1), block(100, 50, both, 2)].concat();
                file[12..16].copy_from_slice(&total.to_le_bytes());
                file
            });
            let mut reader = WavPackReader::open(testing::source(&files.concat()))
                .unwrap()
                .unwrap();
            let mut packet = Packet::default();
            while !matches!(reader.next(&mut packet).unwrap(), Next::End(_)) {
                packet.clear();
            }
            (44_100.0 * reader.stated_s().unwrap()).round()
        };
        assert_eq!(stated([150, 150]), 300.0);
        assert_eq!(stated([u32::MAX, 150]), 150.0);
        assert_eq!(stated([1000, u32::MAX]), 1000.0);
    }

    #[test]
    fn damage_shows_in_the_stamps() {
        let both = FLAG_FIRST | FLAG_LAST;
        let mut bytes = [
            block(0, 100, both, 1),
            block(100, 100, both, 2),
            block(200, 100, both, 3),
        ]
        .concat();
        bytes[52] = b'x';
        assert_eq!(told(&bytes), [(52, 0), (52, 200)]);
        bytes.truncate(150);
        assert_eq!(told(&bytes), [(52, 0)]);
    }
}
