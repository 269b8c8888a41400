//! WebM (RFC 9559) for one track of Opus that a browser can go anywhere in: clusters of a second, and cues.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
};

/// Opus counts its time in it, whatever it codes.
const RATE: u64 = 48_000;
/// What a decoder has to hear before a place to be right there (RFC 7845 section 4.6).
const PRE_ROLL_NS: u64 = 80_000_000;
const CLUSTER_MS: u64 = 1_000;
/// Of a size that is known only at the end: eight bytes.
const LATER: [u8; 8] = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

pub(super) struct WebmWriter {
    out: BufWriter<File>,
    /// Of all that is written.
    at: u64,
    /// Where the segment's body begins: places are counted from there.
    segment_at: u64,
    /// Of the entry that says where the cues are, and of the duration.
    seek_at: u64,
    duration_at: u64,
    cluster: Vec<u8>,
    cluster_ms: u64,
    /// Of each cluster, its time and its place.
    cues: Vec<(u64, u64)>,
}

impl WebmWriter {
    /// `head` is the stream's own header; `delay` is what comes before the audio, in frames.
    pub(super) fn create(out: File, head: &[u8], channels: u32, delay: u64) -> io::Result<Self> {
        let mut writer = Self {
            out: BufWriter::with_capacity(1 << 16, out),
            at: 0,
            segment_at: 0,
            seek_at: 0,
            duration_at: 0,
            cluster: Vec::new(),
            cluster_ms: 0,
            cues: Vec::new(),
        };
        let head_of_file = [
            uint(0x4286, 1),
            uint(0x42f7, 1),
            uint(0x42f2, 4),
            uint(0x42f3, 8),
            element(0x4282, b"webm"),
            uint(0x4287, 4),
            uint(0x4285, 2),
        ];
        writer.write(&element(0x1a45_dfa3, &head_of_file.concat()))?;
        writer.write(&[&id(0x1853_8067)[..], &LATER].concat())?;
        writer.segment_at = writer.at;
        // As long wherever the cues will be.
        writer.seek_at = writer.at;
        writer.write(&seek_head(0))?;
        let about = [
            uint(0x2a_d7b1, 1_000_000),
            element(0x4d80, b"retake"),
            element(0x5741, b"retake"),
        ];
        let about = [about.concat(), duration(0)].concat();
        writer.duration_at = writer.at + 4 + 1 + (about.len() - duration(0).len()) as u64;
        writer.write(&element(0x1549_a966, &about))?;
        let audio = [
            element(0xb5, &(RATE as f32).to_be_bytes()),
            uint(0x9f, u64::from(channels)),
        ];
        let track = [
            uint(0xd7, 1),
            uint(0x73c5, 1),
            uint(0x83, 2),
            uint(0x9c, 0),
            element(0x86, b"A_OPUS"),
            uint(0x56aa, nanoseconds(delay)),
            uint(0x56bb, PRE_ROLL_NS),
            element(0xe1, &audio.concat()),
            element(0x63a2, head),
        ];
        writer.write(&element(0x1654_ae6b, &element(0xae, &track.concat())))?;
        Ok(writer)
    }

    /// `at` is its place with what comes before the audio, `padding` what of it is not to be heard; both in
    /// frames.
    pub(super) fn packet(&mut self, packet: &[u8], at: u64, padding: u64) -> io::Result<()> {
        let ms = (at * 1_000 + RATE / 2) / RATE;
        if ms >= self.cluster_ms + CLUSTER_MS {
            self.end_cluster()?;
            self.cluster_ms = ms;
        }
        let offset = ((ms - self.cluster_ms) as i16).to_be_bytes();
        // Track 1; each is one to go to.
        let block = [&[0x81, offset[0], offset[1], 0x80][..], packet].concat();
        if padding == 0 {
            self.cluster.extend(element(0xa3, &block));
            return Ok(());
        }
        let block = [&[0x81, offset[0], offset[1], 0][..], packet].concat();
        let padding = element(0x75a2, &nanoseconds(padding).to_be_bytes());
        let group = [element(0xa1, &block), padding].concat();
        self.cluster.extend(element(0xa0, &group));
        Ok(())
    }

    pub(super) fn finish(mut self, frames: u64) -> io::Result<()> {
        self.end_cluster()?;
        let cues_at = self.at - self.segment_at;
        let cues: Vec<u8> = self
            .cues
            .iter()
            .flat_map(|&(ms, at)| {
                let place = element(0xb7, &[uint(0xf7, 1), uint(0xf1, at)].concat());
                element(0xbb, &[uint(0xb3, ms), place].concat())
            })
            .collect();
        self.write(&element(0x1c53_bb6b, &cues))?;
        let size = self.at - self.segment_at;
        self.put(self.seek_at, &seek_head(cues_at))?;
        self.put(self.duration_at, &duration(frames))?;
        self.put(
            self.segment_at - 8,
            &(0x0100_0000_0000_0000 | size).to_be_bytes(),
        )?;
        self.out.flush()
    }

    fn end_cluster(&mut self) -> io::Result<()> {
        if self.cluster.is_empty() {
            return Ok(());
        }
        self.cues.push((self.cluster_ms, self.at - self.segment_at));
        let blocks = std::mem::take(&mut self.cluster);
        let body = [uint(0xe7, self.cluster_ms), blocks].concat();
        self.write(&element(0x1f43_b675, &body))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn put(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.out.seek(SeekFrom::Start(at))?;
        self.out.write_all(bytes)
    }
}

fn nanoseconds(frames: u64) -> u64 {
    (u128::from(frames) * 1_000_000_000 / u128::from(RATE)) as u64
}

/// Where the cues are, from the segment's body on; as long for any place.
fn seek_head(cues_at: u64) -> Vec<u8> {
    let entry = [
        element(0x53ab, &id(0x1c53_bb6b)),
        element(0x53ac, &cues_at.to_be_bytes()),
    ];
    element(0x114d_9b74, &element(0x4dbb, &entry.concat()))
}

fn duration(frames: u64) -> Vec<u8> {
    let ms = frames as f64 * 1_000.0 / RATE as f64;
    element(0x4489, &ms.to_be_bytes())
}

/// An id is written as it is, without the zeros in front.
fn id(id: u32) -> Vec<u8> {
    let bytes = id.to_be_bytes();
    bytes[id.leading_zeros() as usize / 8..].to_vec()
}

fn element(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut element = id(kind);
    match body.len() as u64 {
        size @ ..0x7f => element.push(0x80 | size as u8),
        size @ ..0x3fff => element.extend((0x4000 | size as u16).to_be_bytes()),
        size => element.extend((0x1000_0000 | size as u32).to_be_bytes()),
    }
    element.extend(body);
    element
}

fn uint(kind: u32, value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let zeros = (value.leading_zeros() as usize / 8).min(7);
    element(kind, &bytes[zeros..])
}
