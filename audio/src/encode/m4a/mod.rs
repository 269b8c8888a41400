//! AAC-LC in MP4 (ISO/IEC 14496-12 and -14) that plays from the first frame to the last, and as soon as
//! its beginning has come.
//!
//! The frames are written as they come; at the end the index, whose size is known only then, is put in
//! front of them ("faststart"), for which they are moved. What the encoder put before and behind the
//! recording is left out by an edit list, which most players follow, and by `iTunSMPB`, which the others do.
//! Many follow either at the beginning only: where the length is known beforehand, as much silence is put
//! in front that the recording ends with a coded frame, and there is nothing behind it.
//!
//! In memory there are two bytes for each 1,024 frames: what the index says of them.

mod chapters;
mod movie;

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
};

use super::{OUT_BUFFER_BYTES, fit::clamped_into};
use crate::{AudioError, Block, Spec, Tags, tags::write_mp4::atom};
use movie::Movie;

/// All that the format has, as far as it says its rate in a field.
pub(super) const RATES: [u32; 12] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
];
/// Of the frames' part of the file, where it needs 64 bits.
const LONG_HEADER_BYTES: u64 = 16;

pub(crate) struct M4aWriter {
    out: BufWriter<File>,
    encoder: syom::Encoder,
    spec: Spec,
    tags: Tags,
    /// Within full scale; used again for each block.
    clamped: Vec<Vec<f32>>,
    /// Of each coded frame, in bytes: six thousand bits a channel at most.
    sizes: Vec<u16>,
    /// Silence in front.
    ahead: u64,
    frames: u64,
}

fn file_type() -> Vec<u8> {
    atom(b"ftyp", &[b"M4A \0\0\0\0M4A mp42isom"])
}

impl M4aWriter {
    /// `spec` has one of the [`RATES`], and one or two channels. `out` is read, too.
    pub(super) fn create(
        out: File,
        spec: Spec,
        bitrate_bps: Option<u32>,
        frames_max: u64,
        tags: &Tags,
    ) -> Result<Self, AudioError> {
        // Without these two speech at 128 kbit/s has a PESQ of 3.82 and not of 4.06.
        let options = syom::EncodeOptions::raw()
            .with_bitrate_bps(bitrate(spec, bitrate_bps))
            .with_ath(true)
            .with_band_refine(true);
        let encoder = syom::Encoder::new(spec.sample_rate, spec.channels as usize, &options)
            .map_err(broken)?;
        let mut out = BufWriter::with_capacity(OUT_BUFFER_BYTES, out);
        out.write_all(&file_type())?;
        out.write_all(&[0; LONG_HEADER_BYTES as usize])?;
        // Of less than a coded frame, behind silence, such players play nothing.
        let ahead = match frames_max {
            ..movie::FRAME => 0,
            frames => frames.wrapping_neg() % movie::FRAME,
        };
        let mut writer = Self {
            out,
            encoder,
            spec,
            tags: tags.without_chunks(),
            clamped: vec![vec![0.0; ahead as usize]; spec.channels as usize],
            sizes: Vec::new(),
            ahead,
            frames: 0,
        };
        writer.encode()?;
        Ok(writer)
    }

    pub(super) fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        self.frames += block.frames() as u64;
        self.clamped.iter_mut().for_each(Vec::clear);
        clamped_into(block, &mut self.clamped);
        self.encode()
    }

    fn encode(&mut self) -> Result<(), AudioError> {
        let planes: Vec<&[f32]> = self.clamped.iter().map(Vec::as_slice).collect();
        let mut written = Written::new(&mut self.out, &mut self.sizes);
        let fed = self.encoder.feed(&planes, |frame| written.take(&frame));
        written.result(fed.map(drop))
    }

    pub(super) fn finish(mut self) -> Result<(), AudioError> {
        if self.frames + self.ahead == 0 {
            // It codes no frames only if there are some.
            self.clamped = vec![vec![0.0]; self.spec.channels as usize];
            self.encode()?;
        }
        let mut written = Written::new(&mut self.out, &mut self.sizes);
        let finished = self.encoder.finish(|frame| written.take(&frame));
        let (priming, finished) = match finished {
            Ok(info) => (info.priming + self.ahead, Ok(())),
            Err(error) => (0, Err(error)),
        };
        written.result(finished)?;

        let chapters = chapters::track(&self.tags.chapters, self.frames, self.spec.sample_rate);
        let audio_bytes = self.sizes.iter().map(|&size| u64::from(size)).sum::<u64>();
        let texts = chapters.as_ref().map_or(&[][..], |track| &track.texts);
        self.out.write_all(texts)?;
        let movie = Movie {
            spec: self.spec,
            frames: self.frames,
            priming,
            config: self.encoder.asc(),
            sizes: &self.sizes,
            audio_bytes,
            chapters: chapters.as_ref(),
            tags: &self.tags,
        };
        let data_bytes = audio_bytes + texts.len() as u64;
        let from = file_type().len() as u64 + LONG_HEADER_BYTES;
        let (front, to) = movie.front(&file_type(), data_bytes);
        self.out.flush()?;
        let mut out = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        move_up(&out, from, to, data_bytes)?;
        out.seek(SeekFrom::Start(0))?;
        out.write_all(&front)?;
        Ok(())
    }
}

/// Coded frames on their way into the file. The encoder knows no errors of files: they wait here.
struct Written<'a> {
    out: &'a mut BufWriter<File>,
    sizes: &'a mut Vec<u16>,
    failed: Option<io::Error>,
}

impl<'a> Written<'a> {
    fn new(out: &'a mut BufWriter<File>, sizes: &'a mut Vec<u16>) -> Self {
        Self {
            out,
            sizes,
            failed: None,
        }
    }

    fn take(&mut self, frame: &syom::EncodedFrame<'_>) -> syom::Result<()> {
        if self.failed.is_some() {
            return Ok(());
        }
        let written = match u16::try_from(frame.au.len()) {
            Ok(size) => {
                self.sizes.push(size);
                self.out.write_all(frame.au)
            }
            Err(_) => Err(io::Error::other("an AAC frame is too long")),
        };
        self.failed = written.err();
        Ok(())
    }

    fn result(self, coded: syom::Result<()>) -> Result<(), AudioError> {
        match self.failed {
            Some(error) => Err(error.into()),
            None => coded.map_err(broken),
        }
    }
}

/// From the end on, since the places overlap.
fn move_up(file: &File, from: u64, to: u64, bytes: u64) -> io::Result<()> {
    let mut piece = vec![0; OUT_BUFFER_BYTES];
    let mut left = bytes;
    while left > 0 {
        let count = left.min(piece.len() as u64);
        left -= count;
        let piece = &mut piece[..count as usize];
        file.read_exact_at(piece, from + left)?;
        file.write_all_at(piece, to + left)?;
    }
    Ok(())
}

/// Within what the format has at this rate; a good one where nothing is asked for. Speech in mono needs
/// 128 kbit/s (docs/decisions/encoders.md).
pub(super) fn bitrate(spec: Spec, wanted_bps: Option<u32>) -> u32 {
    let usual = if spec.channels == 1 { 128_000 } else { 192_000 };
    // A frame has 6,144 bits a channel at most; some of them are not the encoder's to choose.
    let most = u64::from(spec.channels) * 6_000 * u64::from(spec.sample_rate) / 1024;
    let least = 8_000 * spec.channels;
    wanted_bps.unwrap_or(usual).min(most as u32).max(least)
}

/// The encoder refuses nothing that gets here.
fn broken(error: syom::AacError) -> AudioError {
    AudioError::Io(io::Error::other(error))
}
