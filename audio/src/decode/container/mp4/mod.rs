//! ISO base media (MP4, M4A, 3GP) and QuickTime, whole or in fragments.
//!
//! Everything is placed on the time line that the edit lists describe: what they leave out, encoder
//! delay among it, is trimmed or not read at all, and where they go to another place the decoder is
//! given what it needs before it. Tables and fragments are read as they are needed.

mod boxes;
mod config;
mod edits;
mod entry;
mod file;
mod fragment;
mod habit;
mod movie;
mod playback;
mod table;
#[cfg(test)]
mod tests;
mod walk;

use retake_findings::{Code, Finding};
use retake_formats::Container;

use boxes::Input;
use file::LeftOut;
use movie::Movie;
use playback::{Losses, Playback, Step};

use crate::{
    AudioError,
    decode::{
        demux::{CodecParams, Demuxer, End, Next, Packet, Track},
        source::Source,
    },
};
use retake_formats::Codec;

pub(super) use entry::params_of;

pub(in crate::decode) struct Mp4Reader {
    input: Input,
    container: Container,
    /// Files may stand one behind the other.
    movies: Vec<Movie>,
    tracks: Vec<Track>,
    selected: usize,
    /// Which movie is playing or is next.
    movie: usize,
    playback: Option<Playback>,
    before: Option<Before>,
    losses: Losses,
    findings: Vec<Finding>,
    lost_bytes: u64,
    /// The last box of the file is not all there.
    is_cut: bool,
}

/// Where the movie before ended.
#[derive(Clone, Copy)]
struct Before {
    movie: usize,
    track: usize,
    /// Its clock.
    reached: i64,
    /// How far the time line that is heard is from its clock.
    offset: i64,
}

impl Mp4Reader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        let mut input = Input::new(source)?;
        let Some(file) = file::layout(&mut input)? else {
            return Ok(None);
        };
        let tracks = file.movies.first().map(tracks).unwrap_or_default();
        Ok(Some(Self {
            input,
            container: if file.is_quicktime {
                Container::QuickTime
            } else {
                Container::Mp4
            },
            movies: file.movies,
            tracks,
            selected: 0,
            movie: 0,
            playback: None,
            before: None,
            losses: Losses {
                damaged: file.lost_places,
                ..Losses::default()
            },
            findings: left_out(file.left_out).into_iter().collect(),
            lost_bytes: file.lost_bytes,
            is_cut: file.is_cut,
        }))
    }

    /// The selected track in a movie: of the same number, or at the same place.
    fn track_of(&self, movie: usize) -> Option<usize> {
        let selected = self.movies.first()?.tracks.get(self.selected)?;
        let tracks = &self.movies.get(movie)?.tracks;
        let same = tracks.iter().position(|track| track.id == selected.id);
        same.or((self.selected < tracks.len()).then_some(self.selected))
    }

    fn begin(&mut self, track: usize) -> Result<Playback, AudioError> {
        let movie = &self.movies[self.movie];
        let before = self.before.and_then(|before| {
            let track = self.movies[before.movie].tracks.get(before.track)?;
            Some((track, before.reached))
        });
        let mut playback = Playback::begin(
            movie,
            &movie.tracks[track],
            before,
            &mut self.input,
            &mut self.findings,
        )?;
        if let Some(before) = self.before {
            playback.shift(before.offset);
        }
        Ok(playback)
    }
}

impl Demuxer for Mp4Reader {
    fn container(&self) -> Container {
        self.container
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn select(&mut self, track: usize) {
        self.selected = track;
    }

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        while self.movie < self.movies.len() {
            let Some(track) = self.track_of(self.movie) else {
                self.movie += 1;
                continue;
            };
            let mut playback = match self.playback.take() {
                Some(playback) => playback,
                None => self.begin(track)?,
            };
            let movie = &self.movies[self.movie];
            let step = playback.next(
                movie,
                &movie.tracks[track],
                &mut self.input,
                packet,
                &mut self.losses,
            )?;
            let next = match step {
                Step::Packet => Next::Packet,
                Step::Stream(stream) => Next::Stream(stream),
                Step::Over => {
                    self.before = Some(Before {
                        movie: self.movie,
                        track,
                        reached: playback.reached,
                        offset: playback.offset(),
                    });
                    self.losses.damaged += playback.damaged_fragments();
                    self.movie += 1;
                    continue;
                }
            };
            self.playback = Some(playback);
            return Ok(next);
        }
        let is_cut = self.is_cut && self.movies.last().is_some_and(|movie| movie.is_fragmented);
        Ok(Next::End(if is_cut || self.losses.is_truncated {
            End::Truncated
        } else {
            End::Complete
        }))
    }

    fn findings(&mut self) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.findings);
        if self.losses.damaged > 0 {
            let detail = match self.lost_bytes {
                0 => "sizes of samples or fragments that make no sense".to_owned(),
                bytes => format!("{bytes} bytes that are no boxes"),
            };
            findings.push(Finding::new(
                Code::ContainerDamaged,
                [
                    ("places", self.losses.damaged.into()),
                    ("detail", detail.into()),
                ],
            ));
        }
        if let Some((part, parts)) = self.losses.parts {
            let detail = format!(
                "its parts from number {part} of {parts} on are missing, as they lead back and forth \
                 between large fragments"
            );
            findings.push(Finding::new(
                Code::EditsIgnored,
                [("detail", detail.into())],
            ));
        }
        findings
    }
}

/// Of what a file has more of than is taken.
fn left_out(left_out: LeftOut) -> Option<Finding> {
    let LeftOut {
        movies,
        fragments,
        bytes,
    } = left_out;
    (bytes > 0).then(|| {
        let detail = format!("{fragments} fragments and {movies} headers more than are taken");
        Finding::new(
            Code::PartNotRead,
            [("bytes", bytes.into()), ("detail", detail.into())],
        )
    })
}

fn tracks(movie: &Movie) -> Vec<Track> {
    let default = movie.tracks.iter().position(|track| track.is_enabled);
    let unknown = || CodecParams::new(Codec::Unknown("an unknown codec".to_owned()));
    movie
        .tracks
        .iter()
        .enumerate()
        .map(|(number, track)| Track {
            params: track
                .entries
                .first()
                .map_or_else(unknown, |entry| entry.params.clone()),
            is_default: number == default.unwrap_or(0),
            name: track.name.clone(),
            language: track.language.clone(),
        })
        .collect()
}
