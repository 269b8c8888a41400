//! What stands in front of the coded frames: the index, and what the recording is called.

use super::{Spec, Tags, atom, chapters};
use crate::tags::write_mp4;

/// Frames of audio that a coded frame holds.
pub(super) const FRAME: u64 = 1024;
/// The track of the chapters' texts, behind that of the audio.
pub(super) const CHAPTERS: u32 = 2;
/// Coded frames that the index finds at once: about a second.
pub(super) const CHUNK: usize = 48;
/// Unity, as a matrix for pictures.
pub(super) const MATRIX: [u8; 36] = [
    0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0x40, 0, 0, 0,
];

pub(super) struct Movie<'a> {
    /// One, or several of which one is played; chapters are only beside one.
    pub audio: &'a [Audio<'a>],
    /// Of all of it.
    pub audio_bytes: u64,
    pub chapters: Option<&'a chapters::Track>,
    pub tags: &'a Tags,
}

/// A track of coded frames.
pub(super) struct Audio<'a> {
    pub name: &'a str,
    pub is_on: bool,
    pub spec: Spec,
    pub frames: u64,
    /// Frames of audio that the encoder put in front.
    pub priming: u64,
    pub config: &'a [u8],
    /// Of the coded frames, which stand one after the other, but for what lies between two chunks.
    pub sizes: &'a [u16],
    /// Of each chunk, behind where the data begins.
    pub places: Chunks,
}

/// Where in the file runs of samples are, told as the index tells it.
#[derive(Default)]
pub(super) struct Chunks(pub Vec<u64>);

impl Chunks {
    pub(super) fn atom(&self, by: u64, is_long: bool) -> Vec<u8> {
        let mut table = vec![0; 4];
        table.extend((self.0.len() as u32).to_be_bytes());
        for at in &self.0 {
            match is_long {
                true => table.extend((at + by).to_be_bytes()),
                false => table.extend(((at + by) as u32).to_be_bytes()),
            }
        }
        atom(if is_long { b"co64" } else { b"stco" }, &[&table])
    }
}

impl Movie<'_> {
    /// Everything up to the coded frames, whose place in the file it gives.
    pub(super) fn front(&self, file_type: &[u8], data_bytes: u64) -> (Vec<u8>, u64) {
        let data_header = |is_long: bool| match is_long {
            true => {
                let size = (16 + data_bytes).to_be_bytes();
                [&[0, 0, 0, 1], &b"mdat"[..], &size].concat()
            }
            false => [&((8 + data_bytes) as u32).to_be_bytes(), &b"mdat"[..]].concat(),
        };
        // The index is as long wherever the frames are.
        let length = |is_long| self.movie(0, is_long).len() + data_header(is_long).len();
        let is_long = (file_type.len() + length(false)) as u64 + data_bytes > u64::from(u32::MAX);
        let at = (file_type.len() + length(is_long)) as u64;
        let movie = self.movie(at, is_long);
        ([file_type, &movie, &data_header(is_long)].concat(), at)
    }

    fn movie(&self, data_at: u64, is_long: bool) -> Vec<u8> {
        let ids = 1..=self.audio.len() as u32;
        let next_track = ids.end() + 1 + u32::from(self.chapters.is_some());
        let first = &self.audio[0];
        // The movie's time is the audio's.
        let (rate, duration) = (first.spec.sample_rate, first.frames);
        let header = timed(b"mvhd", duration, |header, time| {
            header.extend(rate.to_be_bytes());
            time(header);
            header.extend([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            header.extend(MATRIX);
            header.extend([0; 24]);
            header.extend(next_track.to_be_bytes());
        });
        let references = self.chapters.map_or_else(Vec::new, |_| {
            atom(b"tref", &[&atom(b"chap", &[&CHAPTERS.to_be_bytes()])])
        });
        let is_one_of_several = self.audio.len() > 1;
        let tracks = ids.zip(self.audio).flat_map(|(id, audio)| {
            audio.track(id, is_one_of_several, &references, (data_at, is_long))
        });
        let tracks: Vec<u8> = tracks.collect();
        let chapters = self.chapters.map_or_else(Vec::new, |track| {
            track.atom(rate, data_at + self.audio_bytes, is_long)
        });
        let about = write_mp4::user_data(self.tags, &first.gapless());
        atom(b"moov", &[&header, &tracks, &chapters, &about])
    }
}

impl Audio<'_> {
    /// Apple's way to say which part of the coded audio is the recording.
    fn gapless(&self) -> String {
        let behind = self.behind();
        let mut text = format!(
            " 00000000 {:08X} {behind:08X} {:016X}",
            self.priming, self.frames
        );
        text.push_str(&" 00000000".repeat(8));
        text
    }

    /// Frames of audio that the encoder put behind.
    fn behind(&self) -> u64 {
        let coded = self.sizes.len() as u64 * FRAME;
        coded.saturating_sub(self.priming + self.frames)
    }

    /// What each coded frame stands for: the last one for no more than is played.
    fn durations(&self) -> Vec<u8> {
        let whole = self.sizes.len().saturating_sub(1) as u32;
        let last = FRAME.saturating_sub(self.behind()) as u32;
        let runs = match (whole, last == FRAME as u32) {
            (_, true) => vec![whole + 1, FRAME as u32],
            (0, false) => vec![1, last],
            (whole, false) => vec![whole, FRAME as u32, 1, last],
        };
        let head = words(&[0, runs.len() as u32 / 2]);
        atom(b"stts", &[&head, &words(&runs)])
    }

    fn track(
        &self,
        id: u32,
        is_one_of_several: bool,
        references: &[u8],
        (data_at, is_long): (u64, bool),
    ) -> Vec<u8> {
        let mut header = track_header(id, self.frames, 1, self.is_on);
        if is_one_of_several {
            // All in one group of alternatives: its number stands before the volume, the matrix and the size.
            let at = header.len() - (2 + 4 + MATRIX.len() + 8);
            header[at + 1] = 1;
        }
        let media_header = media_header(self.spec.sample_rate, self.priming + self.frames);
        let handler = handler(b"soun", self.name.as_bytes());
        let sound = atom(b"smhd", &[&[0; 8]]);
        let information = atom(
            b"minf",
            &[&sound, &data_in_this_file(), &self.tables(data_at, is_long)],
        );
        let media = atom(b"mdia", &[&media_header, &handler, &information]);
        atom(b"trak", &[&header, &self.edits(), references, &media])
    }

    /// Only the recording is played.
    fn edits(&self) -> Vec<u8> {
        let mut list = vec![1, 0, 0, 0, 0, 0, 0, 1];
        list.extend(self.frames.to_be_bytes());
        list.extend(self.priming.to_be_bytes());
        list.extend([0, 1, 0, 0]);
        atom(b"edts", &[&atom(b"elst", &[&list])])
    }

    fn tables(&self, data_at: u64, is_long: bool) -> Vec<u8> {
        let count = self.sizes.len() as u32;
        let mut sizes = vec![0; 8];
        sizes.extend(count.to_be_bytes());
        for &size in self.sizes {
            sizes.extend(u32::from(size).to_be_bytes());
        }
        // Playing from anywhere else needs the frame before, too.
        let roll = words(&[0x0100_0000, u32::from_be_bytes(*b"roll"), 2, 1]);
        let rolls = atom(b"sgpd", &[&roll, &(-1i16).to_be_bytes()]);
        let rolled = words(&[0, u32::from_be_bytes(*b"roll"), 1, count, 1]);
        atom(
            b"stbl",
            &[
                &self.description(),
                &self.durations(),
                &samples_of_chunks(self.sizes.len(), CHUNK),
                &atom(b"stsz", &[&sizes]),
                &self.places.atom(data_at, is_long),
                &rolls,
                &atom(b"sbgp", &[&rolled]),
            ],
        )
    }

    fn description(&self) -> Vec<u8> {
        let mut entry = vec![0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        entry.extend((self.spec.channels as u16).to_be_bytes());
        entry.extend([0, 16, 0, 0, 0, 0]);
        // A rate that the field cannot hold stands in the decoder's configuration alone.
        let rate = u16::try_from(self.spec.sample_rate).unwrap_or(0);
        entry.extend((u32::from(rate) << 16).to_be_bytes());
        entry.extend(self.elementary_stream());
        atom(b"stsd", &[&words(&[0, 1]), &atom(b"mp4a", &[&entry])])
    }

    /// ISO/IEC 14496-1 section 7.2.6.5.
    fn elementary_stream(&self) -> Vec<u8> {
        let seconds = (self.sizes.len() as f64 * FRAME as f64) / f64::from(self.spec.sample_rate);
        let bytes: u64 = self.sizes.iter().map(|&size| u64::from(size)).sum();
        let average = (bytes as f64 * 8.0 / seconds.max(1e-3)) as u32;
        let largest = self.sizes.iter().copied().max().unwrap_or(0);
        let most = f64::from(largest) * 8.0 * f64::from(self.spec.sample_rate) / FRAME as f64;
        // MPEG-4 audio, a stream of audio.
        let mut decoder = vec![0x40, 0x15];
        decoder.extend(&u32::from(largest).to_be_bytes()[1..]);
        decoder.extend((most as u32).to_be_bytes());
        decoder.extend(average.to_be_bytes());
        decoder.extend(descriptor(5, self.config));
        // Without flags; MP4's own clock.
        let stream = [
            &[0, 0, 0][..],
            &descriptor(4, &decoder),
            &descriptor(6, &[2]),
        ]
        .concat();
        atom(b"esds", &[&[0; 4], &descriptor(3, &stream)])
    }
}

/// How many bytes each chunk has.
pub(super) fn chunk_bytes(sizes: &[u16]) -> impl Iterator<Item = u64> {
    sizes
        .chunks(CHUNK)
        .map(|chunk| chunk.iter().map(|&size| u64::from(size)).sum())
}

fn descriptor(tag: u8, body: &[u8]) -> Vec<u8> {
    // The long form of a length, which every reader knows.
    let bytes = body.len() as u32;
    let length = [21, 14, 7, 0].map(|shift| (bytes >> shift) as u8 & 0x7f);
    let [a, b, c, d] = length;
    [&[tag, a | 0x80, b | 0x80, c | 0x80, d], body].concat()
}

/// The samples of a track in runs of `chunk`, of which the last may be shorter.
pub(super) fn samples_of_chunks(samples: usize, chunk: usize) -> Vec<u8> {
    let (whole, rest) = (samples / chunk, samples % chunk);
    let mut entries = Vec::new();
    if whole > 0 {
        entries.extend([1, chunk as u32, 1]);
    }
    if rest > 0 {
        entries.extend([whole as u32 + 1, rest as u32, 1]);
    }
    let head = words(&[0, entries.len() as u32 / 3]);
    atom(b"stsc", &[&head, &words(&entries)])
}

pub(super) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A header with times of creation, which are not told, and a duration: in 64 bits where it needs them.
fn timed(
    kind: &[u8; 4],
    duration: u64,
    rest: impl Fn(&mut Vec<u8>, &dyn Fn(&mut Vec<u8>)),
) -> Vec<u8> {
    let mut header = Vec::new();
    match u32::try_from(duration) {
        Ok(duration) => {
            header.extend([0; 12]);
            rest(&mut header, &|to| to.extend(duration.to_be_bytes()));
        }
        Err(_) => {
            header.extend([1, 0, 0, 0]);
            header.extend([0; 16]);
            rest(&mut header, &|to| to.extend(duration.to_be_bytes()));
        }
    }
    atom(kind, &[&header])
}

/// `duration` is in the movie's time, which is the audio's.
pub(super) fn track_header(id: u32, duration: u64, volume: u8, is_on: bool) -> Vec<u8> {
    let mut header = timed(b"tkhd", duration, |header, time| {
        header.extend(id.to_be_bytes());
        header.extend([0; 4]);
        time(header);
        header.extend([0; 12]);
        header.extend([volume, 0, 0, 0]);
        header.extend(MATRIX);
        header.extend([0; 8]);
    });
    // In the movie, and used in it.
    header[11] = if is_on { 3 } else { 2 };
    header
}

pub(super) fn media_header(timescale: u32, duration: u64) -> Vec<u8> {
    timed(b"mdhd", duration, |header, time| {
        header.extend(timescale.to_be_bytes());
        time(header);
        // "und"
        header.extend([0x55, 0xc4, 0, 0]);
    })
}

pub(super) fn handler(kind: &[u8; 4], name: &[u8]) -> Vec<u8> {
    atom(b"hdlr", &[&[0; 8], kind, &[0; 12], name, &[0]])
}

pub(super) fn data_in_this_file() -> Vec<u8> {
    let here = atom(b"url ", &[&[0, 0, 0, 1]]);
    atom(b"dinf", &[&atom(b"dref", &[&words(&[0, 1]), &here])])
}
