//! MP3 that plays from the first frame to the last: MPEG layer III behind an ID3v2.4 tag and the frame
//! that says what players are to leave out at both ends.
//!
//! The encoder's stream interface keeps all of a recording where it shares bits between frames, and is
//! told not to by the environment alone: the frames are made here one by one, which scores the same
//! (docs/decisions/encoders.md).

use std::{
    fs::File,
    io::{BufWriter, Seek, SeekFrom, Write},
};

use rusty_mp3::{
    Mp3Encode,
    encode::lametag::{self, TagInfo, TagStats},
    header::{FrameHeader, MpegVersion},
    snap_bitrate,
};

use super::{OUT_BUFFER_BYTES, fit::clamped_into};
use crate::{AudioError, Block, Spec, Tags, tags::write_id3};

/// All that the format has.
pub(super) const RATES: [u32; 9] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
];

pub(crate) struct Mp3Writer {
    out: BufWriter<File>,
    engine: Mp3Encode,
    spec: Spec,
    header: FrameHeader,
    /// On average, in kbit/s; `None`: constant.
    average: Option<f32>,
    tag_header: FrameHeader,
    stats: TagStats,
    tags: Tags,
    /// Where the audio begins, with the frame that says what to leave out.
    audio_at: u64,
    /// What does not fill a frame yet, one list per channel.
    pending: Vec<Vec<f32>>,
    frames: u64,
    frames_max: u64,
}

impl Mp3Writer {
    /// `spec` has one of the [`RATES`], and one or two channels.
    pub(super) fn create(
        out: File,
        spec: Spec,
        bitrate_bps: Option<u32>,
        vbr: bool,
        frames_max: u64,
        tags: &Tags,
    ) -> Result<Self, AudioError> {
        let kbps = bitrate(spec, bitrate_bps) / 1000;
        let channels = spec.channels as u16;
        let header = rusty_mp3::encoder_header(spec.sample_rate, channels, kbps)
            .map_err(|error| AudioError::Io(std::io::Error::other(error)))?;
        let tag_header = lametag::tag_header(&header);
        let mut writer = Self {
            out: BufWriter::with_capacity(OUT_BUFFER_BYTES, out),
            engine: Mp3Encode::new(),
            spec,
            // With one channel the encoder's average is worse than its constant rate.
            average: (vbr && channels > 1).then_some(kbps as f32),
            stats: TagStats::new(tag_header.frame_size()),
            tag_header,
            header,
            tags: tags.without_chunks(),
            audio_at: 0,
            pending: vec![Vec::new(); spec.channels as usize],
            frames: 0,
            frames_max,
        };
        let tag = writer.id3(frames_max);
        writer.audio_at = tag.len() as u64;
        writer.out.write_all(&tag)?;
        let placeholder = writer.info_frame(0, 0);
        writer.out.write_all(&placeholder)?;
        Ok(writer)
    }

    pub(super) fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        clamped_into(block, &mut self.pending);
        self.frames += block.frames() as u64;
        self.encode()
    }

    pub(super) fn finish(mut self) -> Result<(), AudioError> {
        let frame = self.header.version.samples_per_frame();
        // A decoder may lose its place in less than a frame.
        let mut delay = lametag::ENCODER_DELAY;
        if self.frames < frame as u64 {
            let silence = lametag::extra_priming(self.frames, frame);
            delay += silence;
            for pending in &mut self.pending {
                pending.splice(0..0, std::iter::repeat_n(0.0, silence));
            }
        }
        let coded = lametag::frames_for(self.frames, delay, frame) * frame as u64;
        let extra = (delay - lametag::ENCODER_DELAY) as u64;
        let flush = (coded - self.frames - extra) as usize;
        for pending in &mut self.pending {
            pending.resize(pending.len() + flush, 0.0);
        }
        self.encode()?;
        let padding = lametag::padding_for(self.frames, delay, frame) as usize;
        let info = self.info_frame(delay, padding);
        if self.frames < self.frames_max {
            // As long as before: only a chapter's end differs.
            let tag = self.id3(self.frames);
            self.out.seek(SeekFrom::Start(0))?;
            self.out.write_all(&tag)?;
        }
        self.out.seek(SeekFrom::Start(self.audio_at))?;
        self.out.write_all(&info)?;
        self.out.flush()?;
        Ok(())
    }

    /// All that fills frames.
    fn encode(&mut self) -> Result<(), AudioError> {
        let frame = self.header.version.samples_per_frame();
        let mut from = 0;
        while self.pending[0].len() - from >= frame {
            let planes: Vec<&[f32]> = self
                .pending
                .iter()
                .map(|plane| &plane[from..from + frame])
                .collect();
            let bytes = self
                .engine
                .encode_frame(&self.header, &planes, self.average)
                .map_err(|error| AudioError::Io(std::io::Error::other(error)))?;
            self.stats.add_frame(&bytes);
            self.out.write_all(&bytes)?;
            from += frame;
        }
        for plane in &mut self.pending {
            plane.drain(..from);
        }
        Ok(())
    }

    fn info_frame(&self, delay: usize, padding: usize) -> Vec<u8> {
        let info = TagInfo {
            vbr: self.average.is_some(),
            delay,
            padding,
        };
        lametag::tag_frame(&self.tag_header, &self.stats, &info)
    }

    fn id3(&self, frames: u64) -> Vec<u8> {
        let ns = u128::from(frames) * 1_000_000_000 / u128::from(self.spec.sample_rate);
        write_id3::tag(&self.tags, u64::try_from(ns).unwrap_or(u64::MAX))
    }
}

/// The nearest that the format has at this rate; a good one where nothing is asked for.
pub(super) fn bitrate(spec: Spec, wanted_bps: Option<u32>) -> u32 {
    let version = match spec.sample_rate {
        32_000.. => MpegVersion::V1,
        16_000.. => MpegVersion::V2,
        _ => MpegVersion::V2_5,
    };
    let usual = match (version, spec.channels) {
        (MpegVersion::V1, 1) => 96,
        (MpegVersion::V1, _) => 160,
        (_, 1) => 64,
        _ => 96,
    };
    1000 * snap_bitrate(version, wanted_bps.map_or(usual, |bps| bps / 1000))
}
