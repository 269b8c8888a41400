//! The file from outside: where the headers and fragments are, in whatever order.

use std::io;

use super::{
    boxes::{Header, Input, Kind, header},
    movie::Movie,
};
use crate::AudioError;

/// The header of an hour has under a megabyte; of a day's film, with four tracks, under a hundred.
const MOVIE_BYTES_MAX: u64 = 128 << 20;
/// Files put together.
const MOVIES_MAX: usize = 1_000;
/// One for each packet of four hours, six times.
const FRAGMENTS_MAX: usize = 4_000_000;

#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Those with audio tracks, in the order of the file.
    pub movies: Vec<Movie>,
    pub is_quicktime: bool,
    /// The last box goes on behind the end of the file.
    pub is_cut: bool,
    /// Bytes between boxes that are none.
    pub lost_bytes: u64,
    pub lost_places: u64,
    /// Fragments beyond those that are taken, in bytes of their descriptions, and files.
    pub left_out: LeftOut,
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct LeftOut {
    pub movies: u64,
    pub fragments: u64,
    /// From the first of them on.
    pub bytes: u64,
}

/// `None`: the file does not begin with a box that such a file begins with.
pub(super) fn layout(input: &mut Input) -> Result<Option<Layout>, AudioError> {
    let mut scan = Scan::default();
    let first = next_header(input, 0)?;
    if !first.is_some_and(|first| begins_file(first.kind)) {
        return Ok(None);
    }
    scan.read(input, 0)?;
    if scan.has_no_movie() {
        // A size that is wrong hides what follows.
        let behind_first = scan.first_data.unwrap_or(0) + 8;
        if let Some(at) = look_for_movie(input, behind_first)? {
            scan.read(input, at)?;
        }
    }
    if scan.has_no_movie() {
        // Recorders write the index last.
        return Err(AudioError::Damaged {
            detail: "its index (moov) is missing: it was never finished".to_owned(),
        });
    }
    let mut layout = scan.layout;
    layout.is_quicktime = scan.brand.is_none_or(|brand| &brand == b"qt  ");
    drop_copies(&mut layout.movies);
    if layout.movies.is_empty() {
        return Err(AudioError::NotAudio {
            detail: "it has no audio track".to_owned(),
        });
    }
    Ok(Some(layout))
}

#[derive(Default)]
struct Scan {
    layout: Layout,
    brand: Option<Kind>,
    /// Where the file began that is being read: chunk offsets count from there.
    base: u64,
    first_data: Option<u64>,
    fragments: usize,
}

impl Scan {
    fn has_no_movie(&self) -> bool {
        self.layout.movies.is_empty()
    }

    fn read(&mut self, input: &mut Input, mut at: u64) -> Result<(), AudioError> {
        while at + 8 <= input.len() {
            let Some(found) = next_header(input, at)?.filter(|found| is_plausible(found.kind))
            else {
                let next = look_for_movie(input, at)?;
                let Some(next) = next else {
                    // What follows the last box is nobody's.
                    return Ok(());
                };
                self.layout.lost_bytes += next - at;
                self.layout.lost_places += 1;
                at = next;
                continue;
            };
            self.enter(input, at, found)?;
            let end = at.saturating_add(found.size);
            self.layout.is_cut = end > input.len();
            at = end;
        }
        Ok(())
    }

    fn enter(&mut self, input: &mut Input, at: u64, found: Header) -> Result<(), AudioError> {
        match &found.kind {
            b"ftyp" => {
                let brand = input.read(at + found.len, 4)?;
                self.brand = self.brand.or(brand.try_into().ok());
                if !self.has_no_movie() {
                    self.base = at;
                }
            }
            b"mdat" => self.first_data = self.first_data.or(Some(at)),
            b"moov" if self.layout.movies.len() < MOVIES_MAX => {
                let body = found.size - found.len;
                if body.min(input.len() - at) > MOVIE_BYTES_MAX {
                    return Err(AudioError::Damaged {
                        detail: format!(
                            "its index (moov) has {body} bytes, at most {MOVIE_BYTES_MAX} are read"
                        ),
                    });
                }
                let moov = input.read(at + found.len, body)?;
                let movie = Movie::parse(&moov, self.base, input.len())?;
                self.layout.movies.push(movie);
            }
            b"moov" => {
                self.leave_out(input, at);
                self.layout.left_out.movies += 1;
            }
            b"moof" if self.fragments >= FRAGMENTS_MAX => {
                self.leave_out(input, at);
                self.layout.left_out.fragments += 1;
            }
            b"moof" => {
                if let Some(movie) = self.layout.movies.last_mut() {
                    movie.fragments.push((at, found.size));
                    movie.is_fragmented = true;
                    self.fragments += 1;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Scan {
    fn leave_out(&mut self, input: &Input, at: u64) {
        let left_out = &mut self.layout.left_out;
        if left_out.bytes == 0 {
            left_out.bytes = input.len().saturating_sub(at);
        }
    }
}

fn next_header(input: &mut Input, at: u64) -> io::Result<Option<Header>> {
    let left = input.len() - at;
    Ok(header(&input.read(at, 16)?, left))
}

fn begins_file(kind: Kind) -> bool {
    [
        b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"PICT", b"styp", b"moof",
        b"sidx", b"uuid", b"junk",
    ]
    .contains(&&kind)
}

/// Types are four letters, or nearly.
fn is_plausible(kind: Kind) -> bool {
    kind.iter()
        .all(|byte| (0x20..0x7f).contains(byte) || *byte == 0xa9)
}

/// Where a header or a fragment begins, from a place on: by its type and that of its first box.
fn look_for_movie(input: &mut Input, from: u64) -> io::Result<Option<u64>> {
    const WINDOW: u64 = 256 << 10;
    const PAIR: usize = 16;
    let mut window = Vec::new();
    let mut at = from;
    while at + PAIR as u64 <= input.len() {
        window.clear();
        input.append(at, WINDOW, &mut window)?;
        let found = window.windows(PAIR).position(|bytes| {
            matches!(
                (&bytes[4..8], &bytes[12..16]),
                (b"moov", b"mvhd" | b"cmov") | (b"moof", b"mfhd")
            )
        });
        if let Some(found) = found {
            return Ok(Some(at + found as u64));
        }
        at += window.len().saturating_sub(PAIR - 1).max(1) as u64;
    }
    Ok(None)
}

/// Leaves out headers without audio, those that somebody wrote before there was anything to say, and
/// copies of others.
fn drop_copies(movies: &mut Vec<Movie>) {
    movies.retain(|movie| !movie.tracks.is_empty());
    if movies.iter().any(|movie| !movie.is_empty()) {
        movies.retain(|movie| !movie.is_empty());
    }
    let first = |movie: &Movie| {
        let mut offsets = movie.tracks.iter().map(|track| track.tables.first_offset());
        offsets.find_map(|offset| offset)
    };
    let mut seen = Vec::new();
    movies.retain(|movie| {
        let begins = first(movie);
        let is_copy = begins.is_some() && seen.contains(&begins) && movie.fragments.is_empty();
        seen.push(begins);
        !is_copy
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::super::testing, *};

    #[test]
    fn fragments_and_headers_that_are_too_many_are_counted() {
        let atom = |kind: &[u8; 4]| [&[0, 0, 0, 8], &kind[..]].concat();
        let bytes = [atom(b"free"), atom(b"moof"), atom(b"moof"), atom(b"moov")].concat();
        let mut input = Input::new(testing::source(&bytes)).unwrap();
        let mut scan = Scan::default();
        scan.layout.movies.resize_with(MOVIES_MAX, Movie::default);
        scan.fragments = FRAGMENTS_MAX - 1;
        scan.read(&mut input, 0).unwrap();
        let LeftOut {
            movies,
            fragments,
            bytes,
        } = scan.layout.left_out;
        assert_eq!((movies, fragments, bytes), (1, 1, 16));
        assert_eq!(scan.layout.movies[MOVIES_MAX - 1].fragments, [(8, 8)]);
    }
}
