//! What an MP4 file says about where its audio begins and ends; the packets themselves are read
//! elsewhere.
//!
//! Encoder delay is not in the packets. An edit list (ISO 14496-12) states it, or in files from
//! iTunes a comment. Durations are used only to cut padding off the end, and not at all in
//! fragmented files, whose header was written before there was any audio.

use std::io::{self, Read, Seek, SeekFrom};

use super::{recorder::Trim, source::Source};

/// The movie header of an hour has under a megabyte.
const MOVIE_BYTES_MAX: u64 = 64 << 20;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Movie {
    timescale: u64,
    is_fragmented: bool,
    pub tracks: Vec<Track>,
    /// Delay, padding and length in frames, from a comment of iTunes.
    itunes: Option<(u64, u64, u64)>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Track {
    pub id: u32,
    pub is_audio: bool,
    /// The type of the first sample entry.
    pub codec: String,
    timescale: u64,
    duration: u64,
    edits: Vec<Edit>,
}

/// Plays `duration` (in the movie's time) from `media_time` (in the track's); -1 stands for a gap.
#[derive(Debug, PartialEq)]
struct Edit {
    duration: u64,
    media_time: i64,
}

/// The movie header, if one can be found.
pub(super) fn movie(mut source: Source) -> io::Result<Option<Movie>> {
    let mut at = 0;
    while at + 8 <= source.len() {
        source.seek(SeekFrom::Start(at))?;
        let mut header = [0; 16];
        let header_len = header.len().min((source.len() - at) as usize);
        source.read_exact(&mut header[..header_len])?;
        let (kind, start, size) = box_header(&header[..header_len], source.len() - at);
        if &kind == b"moov" {
            let body_len = size.saturating_sub(start).min(source.len() - at - start);
            if body_len > MOVIE_BYTES_MAX {
                return Ok(None);
            }
            let mut body = vec![0; body_len as usize];
            source.seek(SeekFrom::Start(at + start))?;
            source.read_exact(&mut body)?;
            return Ok(Some(parse_movie(&body)));
        }
        if size < 8 {
            return Ok(None);
        }
        at = at.saturating_add(size);
    }
    Ok(None)
}

impl Movie {
    /// What to trim of a track decoded at `rate`, besides what the codec itself knows.
    pub(super) fn trim(&self, track_id: u32, rate: u32) -> Option<Trim> {
        let track = self.tracks.iter().find(|track| track.id == track_id)?;
        let to_frames = |time: u64, scale: u64| {
            let scale = u128::from(scale.max(1));
            ((u128::from(time) * u128::from(rate) + scale / 2) / scale) as u64
        };
        let mut played = track.edits.iter().filter(|edit| edit.media_time >= 0);
        let Some(edit) = played.next() else {
            let (delay, _, frames) = self.itunes?;
            return Some(Trim {
                skip: delay,
                keep: Some(frames),
                hold_back: 0,
            });
        };
        let start = edit.media_time as u64;
        let skip = to_frames(start, track.timescale);
        // An edit of no length, or in a fragmented file, goes on to the end; one of several says
        // nothing about the others.
        if self.is_fragmented || edit.duration == 0 || played.next().is_some() {
            return Some(Trim {
                skip,
                ..Trim::default()
            });
        }
        // The movie's time is often in milliseconds. If the track's own end is within one tick of
        // the edit's, it is meant, and it is exact.
        let keep = to_frames(edit.duration, self.timescale);
        let to_end = to_frames(track.duration.saturating_sub(start), track.timescale);
        let tick = to_frames(1, self.timescale) + 1;
        let keep = if keep.abs_diff(to_end) <= tick {
            to_end
        } else {
            keep
        };
        Some(Trim {
            skip,
            keep: Some(keep),
            hold_back: 0,
        })
    }
}

/// Type, where the body starts, and the size of all; a size of 0 goes on to the end.
fn box_header(header: &[u8], left: u64) -> ([u8; 4], u64, u64) {
    let kind = [header[4], header[5], header[6], header[7]];
    match u32_at(header, 0).unwrap_or(0) {
        0 => (kind, 8, left),
        1 => (kind, 16, u64_at(header, 8).unwrap_or(0)),
        size => (kind, 8, u64::from(size)),
    }
}

/// The boxes in a body, as far as they make sense.
fn boxes(mut body: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        if body.len() < 8 {
            return None;
        }
        let (kind, start, size) = box_header(body, body.len() as u64);
        let size = usize::try_from(size).ok()?.min(body.len());
        let child = body.get(start as usize..size)?;
        body = &body[size..];
        Some((kind, child))
    })
}

fn find<'a>(body: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(body, |body, kind| {
        boxes(body)
            .find(|(found, _)| found == *kind)
            .map(|(_, child)| child)
    })
}

fn parse_movie(body: &[u8]) -> Movie {
    let (timescale, _) = find(body, &[b"mvhd"])
        .and_then(time_header)
        .unwrap_or_default();
    Movie {
        timescale,
        is_fragmented: find(body, &[b"mvex"]).is_some(),
        tracks: boxes(body)
            .filter(|(kind, _)| kind == b"trak")
            .map(|(_, track)| parse_track(track))
            .collect(),
        itunes: find(body, &[b"udta"]).and_then(itunes_gapless),
    }
}

fn parse_track(body: &[u8]) -> Track {
    let (timescale, duration) = find(body, &[b"mdia", b"mdhd"])
        .and_then(time_header)
        .unwrap_or_default();
    let entry = find(body, &[b"mdia", b"minf", b"stbl", b"stsd"]);
    let codec = entry
        .and_then(|entry| entry.get(12..16))
        .unwrap_or_default();
    let handler = find(body, &[b"mdia", b"hdlr"]).and_then(|handler| handler.get(8..12));
    let id = find(body, &[b"tkhd"]).and_then(|header| {
        let is_long = header.first() == Some(&1);
        u32_at(header, if is_long { 20 } else { 12 })
    });
    Track {
        id: id.unwrap_or(0),
        is_audio: handler == Some(b"soun"),
        codec: String::from_utf8_lossy(codec).into_owned(),
        timescale,
        duration,
        edits: find(body, &[b"edts", b"elst"])
            .map(parse_edits)
            .unwrap_or_default(),
    }
}

/// Timescale and duration: the same place in movie and media headers.
fn time_header(body: &[u8]) -> Option<(u64, u64)> {
    if body.first() == Some(&1) {
        Some((u64::from(u32_at(body, 20)?), u64_at(body, 24)?))
    } else {
        Some((u64::from(u32_at(body, 12)?), u64::from(u32_at(body, 16)?)))
    }
}

fn parse_edits(body: &[u8]) -> Vec<Edit> {
    let is_long = body.first() == Some(&1);
    let entries = body.get(8..).unwrap_or_default();
    entries
        .chunks_exact(if is_long { 20 } else { 12 })
        .filter_map(|entry| {
            Some(if is_long {
                Edit {
                    duration: u64_at(entry, 0)?,
                    media_time: u64_at(entry, 8)? as i64,
                }
            } else {
                let media_time = i64::from(u32_at(entry, 4)? as i32);
                Edit {
                    duration: u64::from(u32_at(entry, 0)?),
                    media_time,
                }
            })
        })
        .collect()
}

/// " 00000000 00000840 000001CA 00000000003F31F6 …": unused, delay, padding, frames.
fn itunes_gapless(user_data: &[u8]) -> Option<(u64, u64, u64)> {
    let name = user_data
        .windows(8)
        .position(|window| window == b"iTunSMPB")?;
    let text = String::from_utf8_lossy(user_data.get(name + 8..)?.get(..160)?).into_owned();
    let numbers = text
        .split(|c: char| !c.is_ascii_hexdigit())
        .filter(|word| word.len() >= 8);
    let mut numbers = numbers
        .map(|word| u64::from_str_radix(word, 16).unwrap_or(0))
        .skip(1);
    Some((numbers.next()?, numbers.next()?, numbers.next()?)).filter(|(_, _, frames)| *frames > 0)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movie_with(edits: Vec<Edit>, is_fragmented: bool) -> Movie {
        Movie {
            timescale: 1000,
            is_fragmented,
            tracks: vec![Track {
                id: 1,
                timescale: 44_100,
                duration: 1024 + 44_100,
                edits,
                ..Track::default()
            }],
            itunes: None,
        }
    }

    #[test]
    fn the_edit_says_what_to_skip_and_the_track_where_to_end() {
        let edit = |duration| {
            vec![Edit {
                duration,
                media_time: 1024,
            }]
        };
        let trim = |movie: Movie| movie.trim(1, 44_100);
        let skip = Trim {
            skip: 1024,
            ..Trim::default()
        };
        let kept = |frames| {
            Some(Trim {
                keep: Some(frames),
                ..skip
            })
        };
        assert_eq!(trim(movie_with(edit(1000), false)), kept(44_100));
        assert_eq!(trim(movie_with(edit(999), false)), kept(44_100));
        assert_eq!(trim(movie_with(edit(500), false)), kept(22_050));
        assert_eq!(trim(movie_with(edit(120), true)), Some(skip));
        assert_eq!(trim(movie_with(edit(0), false)), Some(skip));
        assert_eq!(trim(movie_with(Vec::new(), false)), None);
    }

    #[test]
    fn a_gap_before_the_audio_does_not_count_as_the_edit() {
        let edits = vec![
            Edit {
                duration: 40,
                media_time: -1,
            },
            Edit {
                duration: 1000,
                media_time: 1024,
            },
        ];
        assert_eq!(
            movie_with(edits, false)
                .trim(1, 44_100)
                .map(|trim| trim.skip),
            Some(1024)
        );
    }

    #[test]
    fn the_comment_of_itunes_is_used_where_there_is_no_edit() {
        let mut data = b"....iTunSMPB\0\0\0\x84data\0\0\0\x01\0\0\0\0".to_vec();
        data.extend(b" 00000000 00000840 000001CA 000000000000AC44".as_slice());
        data.extend([b' '; 160]);
        assert_eq!(itunes_gapless(&data), Some((0x840, 0x1ca, 44_100)));
    }
}
