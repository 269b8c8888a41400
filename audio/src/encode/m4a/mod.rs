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
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
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
    coder: Coder,
    tags: Tags,
}

fn file_type() -> Vec<u8> {
    atom(b"ftyp", &[b"M4A \0\0\0\0M4A mp42isom"])
}

impl M4aWriter {
    /// `spec` has one of the [`RATES`], and one or two channels. `out` is read, too.
    pub(super) fn create(
        mut out: File,
        spec: Spec,
        bitrate_bps: Option<u32>,
        frames_max: u64,
        tags: &Tags,
    ) -> Result<Self, AudioError> {
        out.write_all(&file_type())?;
        out.write_all(&[0; LONG_HEADER_BYTES as usize])?;
        Ok(Self {
            coder: Coder::new(out, spec, bitrate_bps, frames_max)?,
            tags: tags.without_chunks(),
        })
    }

    pub(super) fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        self.coder.push(block)
    }

    pub(super) fn finish(self) -> Result<(), AudioError> {
        let mut coded = self.coder.finish()?;
        let chapters = chapters::track(&self.tags.chapters, coded.frames, coded.spec.sample_rate);
        let audio_bytes = movie::chunk_bytes(&coded.sizes).sum::<u64>();
        let texts = chapters.as_ref().map_or(&[][..], |track| &track.texts);
        coded.file.write_all(texts)?;
        let mut audio = coded.track("SoundHandler", true);
        let mut at = 0;
        for bytes in movie::chunk_bytes(&coded.sizes) {
            audio.places.0.push(at);
            at += bytes;
        }
        let movie = Movie {
            audio: &[audio],
            audio_bytes,
            chapters: chapters.as_ref(),
            tags: &self.tags,
        };
        let data_bytes = audio_bytes + texts.len() as u64;
        let from = file_type().len() as u64 + LONG_HEADER_BYTES;
        let (front, to) = movie.front(&file_type(), data_bytes);
        move_up(&coded.file, from, to, data_bytes)?;
        let mut out = &coded.file;
        out.seek(SeekFrom::Start(0))?;
        out.write_all(&front)?;
        Ok(())
    }
}

/// Two recordings as tracks of one file, of which a player plays one or the other: the second, unless it is
/// told. `out` is at its start.
pub(crate) fn write_both(out: File, tracks: [(&str, Coded); 2]) -> Result<(), AudioError> {
    let [(name, first), (other_name, second)] = &tracks;
    let mut audio = [first.track(name, false), second.track(other_name, true)];
    let chunks: Vec<Vec<u64>> = tracks
        .iter()
        .map(|(_, coded)| movie::chunk_bytes(&coded.sizes).collect())
        .collect();
    // A second of the one and a second of the other, so that both come along.
    let mut order = Vec::new();
    let mut at = 0;
    for place in 0..chunks.iter().map(Vec::len).max().unwrap_or(0) {
        for (track, chunks) in chunks.iter().enumerate() {
            if let Some(&bytes) = chunks.get(place) {
                audio[track].places.0.push(at);
                order.push((track, bytes));
                at += bytes;
            }
        }
    }
    let movie = Movie {
        audio: &audio,
        audio_bytes: at,
        chapters: None,
        tags: &Tags::default(),
    };
    let (front, _) = movie.front(&file_type(), at);
    let mut out = BufWriter::with_capacity(OUT_BUFFER_BYTES, out);
    out.write_all(&front)?;
    let mut readers = tracks
        .each_ref()
        .map(|(_, coded)| BufReader::new(&coded.file));
    for reader in &mut readers {
        reader.seek(SeekFrom::Start(0))?;
    }
    for (track, bytes) in order {
        io::copy(&mut (&mut readers[track]).take(bytes), &mut out)?;
    }
    out.flush()?;
    Ok(())
}

/// Codes frames and writes them into a file, one after the other from where it stands.
pub(crate) struct Coder {
    out: BufWriter<File>,
    encoder: syom::Encoder,
    spec: Spec,
    /// Within full scale; used again for each block.
    clamped: Vec<Vec<f32>>,
    /// Of each coded frame, in bytes: six thousand bits a channel at most.
    sizes: Vec<u16>,
    /// Silence in front.
    ahead: u64,
    frames: u64,
}

/// What it has written.
pub(crate) struct Coded {
    file: File,
    spec: Spec,
    frames: u64,
    priming: u64,
    config: Vec<u8>,
    sizes: Vec<u16>,
}

impl Coded {
    fn track<'a>(&'a self, name: &'a str, is_on: bool) -> movie::Audio<'a> {
        movie::Audio {
            name,
            is_on,
            spec: self.spec,
            frames: self.frames,
            priming: self.priming,
            config: &self.config,
            sizes: &self.sizes,
            places: movie::Chunks::default(),
        }
    }
}

impl Coder {
    /// `spec` has one of the [`RATES`], and one or two channels.
    pub(crate) fn new(
        out: File,
        spec: Spec,
        bitrate_bps: Option<u32>,
        frames_max: u64,
    ) -> Result<Self, AudioError> {
        // Without these two speech at 128 kbit/s has a PESQ of 3.82 and not of 4.06.
        let options = syom::EncodeOptions::raw()
            .with_bitrate_bps(bitrate(spec, bitrate_bps))
            .with_ath(true)
            .with_band_refine(true);
        let encoder = syom::Encoder::new(spec.sample_rate, spec.channels as usize, &options)
            .map_err(broken)?;
        // Of less than a coded frame, behind silence, such players play nothing.
        let ahead = match frames_max {
            ..movie::FRAME => 0,
            frames => frames.wrapping_neg() % movie::FRAME,
        };
        let mut coder = Self {
            out: BufWriter::with_capacity(OUT_BUFFER_BYTES, out),
            encoder,
            spec,
            clamped: vec![vec![0.0; ahead as usize]; spec.channels as usize],
            sizes: Vec::new(),
            ahead,
            frames: 0,
        };
        coder.encode()?;
        Ok(coder)
    }

    pub(crate) fn push(&mut self, block: &Block) -> Result<(), AudioError> {
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

    pub(crate) fn finish(mut self) -> Result<Coded, AudioError> {
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
        let config = self.encoder.asc().to_vec();
        let file = self.out.into_inner();
        Ok(Coded {
            file: file.map_err(io::IntoInnerError::into_error)?,
            spec: self.spec,
            frames: self.frames,
            priming,
            config,
            sizes: self.sizes,
        })
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
