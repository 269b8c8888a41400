//! Chapters as a track of texts, which is where Apple's players look for them.

use super::movie::{
    CHAPTERS, Chunks, data_in_this_file, handler, media_header, samples_of_chunks, track_header,
    words,
};
use crate::{Chapter, tags::write_mp4::atom};

/// A text that is as long as its field can say.
const TITLE_BYTES_MAX: usize = u16::MAX as usize;
/// Says that the text is in UTF-8.
const UTF8: [u8; 12] = [0, 0, 0, 12, b'e', b'n', b'c', b'd', 0, 0, 1, 0];

pub(super) struct Track {
    /// All samples, one after the other.
    pub texts: Vec<u8>,
    sizes: Vec<u32>,
    /// In frames of the audio.
    durations: Vec<u32>,
}

/// Nothing where there are none, or where the first one does not start with the recording: such a track
/// begins at the beginning, and would have one more.
pub(super) fn track(chapters: &[Chapter], frames: u64, sample_rate: u32) -> Option<Track> {
    if chapters.first()?.start_ns > 0 {
        return None;
    }
    let at = |ns: u64| {
        let frame = u128::from(ns) * u128::from(sample_rate) / 1_000_000_000;
        u64::try_from(frame).map_or(frames, |frame| frame.min(frames))
    };
    let mut track = Track {
        texts: Vec::new(),
        sizes: Vec::new(),
        durations: Vec::new(),
    };
    let ends = chapters.iter().skip(1).map(|next| at(next.start_ns));
    for (chapter, end) in chapters.iter().zip(ends.chain([frames])) {
        let title = &chapter.title[..chapter.title.floor_char_boundary(TITLE_BYTES_MAX)];
        let start = track.texts.len();
        track.texts.extend((title.len() as u16).to_be_bytes());
        track.texts.extend(title.bytes());
        track.texts.extend(UTF8);
        track.sizes.push((track.texts.len() - start) as u32);
        let duration = end.saturating_sub(at(chapter.start_ns));
        track
            .durations
            .push(u32::try_from(duration).unwrap_or(u32::MAX));
    }
    Some(track)
}

impl Track {
    /// `at` is where the texts are.
    pub(super) fn atom(&self, sample_rate: u32, at: u64, is_long: bool) -> Vec<u8> {
        let duration = self.durations.iter().map(|&d| u64::from(d)).sum();
        let count = self.sizes.len() as u32;
        // Any style will do: nobody draws it.
        let mut entry = vec![0, 0, 0, 0, 0, 0, 0, 1];
        entry.extend([0; 43]);
        let description = atom(b"stsd", &[&words(&[0, 1]), &atom(b"text", &[&entry])]);
        let durations: Vec<u32> = self.durations.iter().flat_map(|&d| [1, d]).collect();
        let tables = atom(
            b"stbl",
            &[
                &description,
                &atom(b"stts", &[&words(&[0, count]), &words(&durations)]),
                &samples_of_chunks(self.sizes.len(), self.sizes.len()),
                &atom(b"stsz", &[&words(&[0, 0, count]), &words(&self.sizes)]),
                &Chunks(vec![0]).atom(at, is_long),
            ],
        );
        let generic = atom(
            b"gmin",
            &[&[0, 0, 0, 0, 0, 0x40, 0x80, 0, 0x80, 0, 0x80, 0, 0, 0, 0, 0]],
        );
        let text = atom(b"text", &[&super::movie::MATRIX]);
        let information = atom(
            b"minf",
            &[
                &atom(b"gmhd", &[&generic, &text]),
                &data_in_this_file(),
                &tables,
            ],
        );
        let media = atom(
            b"mdia",
            &[
                &media_header(sample_rate, duration),
                &handler(b"text", b"Chapters"),
                &information,
            ],
        );
        // Not played with the others.
        atom(
            b"trak",
            &[&track_header(CHAPTERS, duration, 0, false), &media],
        )
    }
}
