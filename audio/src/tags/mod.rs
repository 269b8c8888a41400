//! Everything beside the samples: text, pictures, chapters, and the chunks of broadcast files.
//!
//! [`Tags::read`] finds it in any container that is read, [`Encoder::create`](crate::Encoder::create)
//! writes it into any format that is written. In between there is one vocabulary, that of Vorbis
//! comments: upper-case names, several values of a name in their order.
//!
//! All readers are our own: no library has all of these containers, none has the chapters, and each
//! would need a bound on memory of its own. What is read is bounded by [`limits`], whatever a file
//! states; what goes beyond is said by name. What would lie about a correction (gains, checksums,
//! encoder delays) is left out: see [`collect`].

mod ape;
mod broadcast;
mod collect;
mod ebml;
mod flac;
mod flv;
mod genres;
mod id3;
mod id3_frames;
mod iff;
mod input;
mod mp4;
mod mp4_chapters;
mod mpegts;
mod names;
mod ogg;
mod riff;
pub(crate) mod vorbis;
pub(crate) mod write_id3;
pub(crate) mod write_mp4;
pub(crate) mod write_riff;

use std::fs::File;

use retake_findings::Finding;
use retake_formats::{Container, PREFIX_BYTES, Sniffed, sniff};

use crate::AudioError;
use collect::Collector;
use input::Input;

/// The bounds of what is kept. In one place, since they are promises.
pub mod limits {
    /// Of one text value.
    pub const TEXT_BYTES_MAX: usize = 64 << 10;
    /// Of all texts together.
    pub const TEXT_BYTES_SUM_MAX: usize = 4 << 20;
    /// Of a text's name and of a picture's description.
    pub const NAME_BYTES_MAX: usize = 1 << 10;
    pub const FIELDS_MAX: usize = 500;
    /// Vorbis comments number chapters with three digits.
    pub const CHAPTERS_MAX: usize = 999;
    /// A picture must fit a FLAC metadata block of 16 MiB together with its description.
    pub const PICTURE_BYTES_MAX: usize = (16 << 20) - (4 << 10);
    pub const PICTURE_BYTES_SUM_MAX: usize = 32 << 20;
    pub const PICTURES_MAX: usize = 32;
    /// Of one chunk of a broadcast file.
    pub const CHUNK_BYTES_MAX: usize = 1 << 20;
    /// So much of one tag is looked at.
    pub(crate) const TAG_BYTES_MAX: usize = 48 << 20;
    /// So many parts of a file are stepped over in search of tags.
    pub(crate) const STEPS_MAX: usize = 2_000_000;
}

/// What a file holds beside its samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// Vorbis comment names, in upper case, with their values in the file's order.
    pub fields: Vec<(String, String)>,
    pub pictures: Vec<Picture>,
    /// In the order of time.
    pub chapters: Vec<Chapter>,
    /// Chunks of a WAVE file that are kept as they are: `bext`, `iXML`, `axml`, `chna`, `cart`.
    pub chunks: Vec<([u8; 4], Vec<u8>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// ID3v2's number: 3 is the front cover, 0 any other.
    pub kind: u8,
    pub mime: String,
    pub description: String,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    pub start_ns: u64,
    pub end_ns: Option<u64>,
    pub title: String,
}

impl Tags {
    /// Out of any file; nothing where it is none that is read. Says what could not be kept. The
    /// file's own position does not matter and is not changed.
    pub fn read(file: &File) -> Result<(Self, Vec<Finding>), AudioError> {
        let input = Input::open(file)?;
        let mut to = Collector::default();
        if let Sniffed::Audio(container) = sniff(&input.read(0, PREFIX_BYTES)?) {
            match container {
                Container::Wave | Container::Wave64 => riff::read_wave(&input, &mut to)?,
                Container::Avi => riff::read_avi(&input, &mut to)?,
                Container::Aiff => iff::read_aiff(&input, &mut to)?,
                Container::Caf => iff::read_caf(&input, &mut to)?,
                Container::Au => iff::read_au(&input, &mut to)?,
                Container::Mp4 | Container::QuickTime => mp4::read(&input, &mut to)?,
                Container::Webm | Container::Matroska => ebml::read(&input, &mut to)?,
                Container::Ogg => ogg::read(&input, &mut to)?,
                Container::Flac => flac::read(&input, &mut to)?,
                Container::Mpeg
                | Container::Adts
                | Container::Ac3
                | Container::Amr
                | Container::WavPack => id3::read_around(&input, &mut to)?,
                Container::Flv => flv::read(&input, &mut to)?,
                Container::MpegTs => mpegts::read(&input, &mut to)?,
            }
        }
        Ok(to.finish())
    }

    /// The first value of a name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn chunk(&self, id: &[u8; 4]) -> Option<&[u8]> {
        self.chunks
            .iter()
            .find(|(own, _)| own == id)
            .map(|(_, body)| body.as_slice())
    }

    /// For formats that have no chunks: what a broadcast chunk says stands among the texts.
    pub(crate) fn without_chunks(&self) -> Self {
        let of_bext = broadcast::comments(self).into_iter();
        let of_bext = of_bext.map(|(name, value)| (name.to_owned(), value));
        Self {
            fields: self.fields.iter().cloned().chain(of_bext).collect(),
            chunks: Vec::new(),
            ..self.clone()
        }
    }

    /// Brings times in step with audio that parts were cut out of: `cuts` are first frames and numbers
    /// of frames, as they stood before. Chapters of which nothing is left go.
    pub fn cut(&mut self, cuts: &[(u64, u64)], sample_rate: u32) {
        let mut cuts: Vec<_> = cuts.iter().filter(|(_, frames)| *frames > 0).collect();
        cuts.sort_unstable();
        let ns = |frames: u64| {
            (u128::from(frames) * 1_000_000_000 / u128::from(sample_rate.max(1))) as u64
        };
        // From and to, none touching the one before.
        let mut gone: Vec<(u64, u64)> = Vec::new();
        for &&(start, frames) in &cuts {
            let end = start.saturating_add(frames);
            match gone.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => gone.push((start, end)),
            }
        }
        let moved = |at: u64| {
            let before: u64 = gone
                .iter()
                .map(|&(start, end)| (ns(start), ns(end)))
                .take_while(|(start, _)| *start < at)
                .map(|(start, end)| end.min(at) - start)
                .sum();
            at - before
        };
        let next_starts: Vec<_> = self.chapters.iter().skip(1).map(|c| c.start_ns).collect();
        let mut index = 0;
        self.chapters.retain_mut(|chapter| {
            let ends = chapter.end_ns.or(next_starts.get(index).copied());
            index += 1;
            let was_long = ends.is_none_or(|end| end > chapter.start_ns);
            chapter.start_ns = moved(chapter.start_ns);
            chapter.end_ns = chapter.end_ns.map(moved);
            !was_long || ends.is_none_or(|end| moved(end) > chapter.start_ns)
        });
        if let Some(&(0, end)) = gone.first() {
            broadcast::start_later(&mut self.chunks, end);
        }
    }
}
