//! Chapters in MP4: Nero's list, and QuickTime's, which is a track of texts.

use std::io;

use super::{
    collect::Collector,
    input::{self, Cursor, Input, text},
    limits::*,
    mp4::{Atom, atoms},
};

/// Times in units of 100 ns.
pub(super) fn read_nero(body: &[u8], to: &mut Collector) {
    let mut rest = Cursor(body);
    let Some([version, ..]) = rest.array::<4>() else {
        return;
    };
    if version > 0 {
        rest.u32();
    }
    rest.u8();
    // The count is too small in files with more than 255: the box says where they end.
    while let Some(start) = rest.u64() {
        let Some(title) = rest.u8().and_then(|bytes| rest.take(usize::from(bytes))) else {
            break;
        };
        to.chapter(start.saturating_mul(100), None, &text(title));
    }
}

/// A table of a track: its entries behind version, flags and count.
fn table(input: &Input, sample_table: &[Atom], kind: &[u8; 4]) -> io::Result<Vec<u8>> {
    let Some(atom) = sample_table.iter().find(|atom| &atom.kind == kind) else {
        return Ok(Vec::new());
    };
    // Of a text track with as many chapters as are kept.
    const TABLE_BYTES_MAX: usize = 64 << 10;
    input.read(
        atom.start,
        ((atom.end - atom.start) as usize).min(TABLE_BYTES_MAX),
    )
}

fn inner<'a>(atoms: &'a [Atom], kind: &[u8; 4]) -> Option<&'a Atom> {
    atoms.iter().find(|atom| &atom.kind == kind)
}

/// The texts of the track that some track names as its chapters.
pub(super) fn read_track(input: &Input, movie: &[Atom], to: &mut Collector) -> io::Result<()> {
    const TRACKS_MAX: usize = 100;
    let mut wanted = Vec::new();
    let mut tracks = Vec::new();
    for track in movie
        .iter()
        .filter(|atom| &atom.kind == b"trak")
        .take(TRACKS_MAX)
    {
        let parts = atoms(input, track.start, track.end)?;
        if let Some(references) = inner(&parts, b"tref") {
            for reference in atoms(input, references.start, references.end)? {
                if &reference.kind == b"chap" {
                    let ids = reference.body(input, 4 * TRACKS_MAX)?.unwrap_or_default();
                    wanted.extend(
                        ids.as_chunks::<4>()
                            .0
                            .iter()
                            .map(|id| u32::from_be_bytes(*id)),
                    );
                }
            }
        }
        tracks.push(parts);
    }
    for parts in &tracks {
        if !to.tags.chapters.is_empty() {
            break;
        }
        let Some(header) = inner(parts, b"tkhd") else {
            continue;
        };
        let version = input.array::<1>(header.start)?.unwrap_or_default();
        let at = header.start + if version == [1] { 20 } else { 12 };
        let id = input.array::<4>(at)?.map(u32::from_be_bytes);
        if id.is_some_and(|id| wanted.contains(&id)) {
            read_texts(input, parts, to)?;
        }
    }
    Ok(())
}

fn read_texts(input: &Input, track: &[Atom], to: &mut Collector) -> io::Result<()> {
    let Some(media) = inner(track, b"mdia") else {
        return Ok(());
    };
    let media = atoms(input, media.start, media.end)?;
    let (Some(header), Some(information)) = (inner(&media, b"mdhd"), inner(&media, b"minf")) else {
        return Ok(());
    };
    let is_text = match inner(&media, b"hdlr") {
        Some(handler) => matches!(
            input.array::<4>(handler.start + 8)?.as_ref(),
            Some(b"text" | b"sbtl" | b"subt")
        ),
        None => false,
    };
    let version = input.array::<1>(header.start)?.unwrap_or_default();
    let at = header.start + if version == [1] { 20 } else { 12 };
    let timescale = input.array::<4>(at)?.map_or(0, u32::from_be_bytes);
    let information = atoms(input, information.start, information.end)?;
    let Some(tables) = inner(&information, b"stbl").filter(|_| is_text && timescale > 0) else {
        return Ok(()); // A track of pictures to the chapters, say.
    };
    let tables = atoms(input, tables.start, tables.end)?;
    let places = places(input, &tables)?;
    let durations = durations(&table(input, &tables, b"stts")?, places.len());
    let ns = |ticks: u64| {
        let ns = u128::from(ticks) * 1_000_000_000 / u128::from(timescale);
        u64::try_from(ns).unwrap_or(u64::MAX)
    };
    let mut ticks = 0u64;
    for (at, duration) in places.into_iter().zip(durations) {
        let end = ticks.saturating_add(u64::from(duration));
        let bytes = input.array::<2>(at)?.map_or(0, u16::from_be_bytes);
        let title = input.read(at.saturating_add(2), usize::from(bytes))?;
        let title = match title[..] {
            [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => input::utf16(&title, false),
            _ => text(&title),
        };
        to.chapter(ns(ticks), Some(ns(end)), &title);
        ticks = end;
    }
    Ok(())
}

/// Where in the file the samples are; no more than are kept, and one to say that there are more.
fn places(input: &Input, tables: &[Atom]) -> io::Result<Vec<u64>> {
    let sizes = table(input, tables, b"stsz")?;
    let mut sizes = Cursor(sizes.get(4..).unwrap_or_default());
    let (all, count) = (sizes.u32().unwrap_or(0), sizes.u32().unwrap_or(0));
    let count = (count as usize).min(CHAPTERS_MAX + 1);
    let of_chunks = table(input, tables, b"stsc")?;
    let runs: Vec<(u32, u32)> = of_chunks
        .get(8..)
        .unwrap_or_default()
        .as_chunks::<12>()
        .0
        .iter()
        .map(|run| {
            let first = u32::from_be_bytes([run[0], run[1], run[2], run[3]]);
            (first, u32::from_be_bytes([run[4], run[5], run[6], run[7]]))
        })
        .collect();
    let short = table(input, tables, b"stco")?;
    let long = table(input, tables, b"co64")?;
    let short = short.get(8..).unwrap_or_default().as_chunks::<4>().0;
    let long = long.get(8..).unwrap_or_default().as_chunks::<8>().0;
    let offsets = short
        .iter()
        .map(|at| u64::from(u32::from_be_bytes(*at)))
        .chain(long.iter().map(|at| u64::from_be_bytes(*at)));
    let mut places = Vec::new();
    let mut run = 0;
    for (index, offset) in offsets.enumerate() {
        while runs
            .get(run + 1)
            .is_some_and(|(first, _)| *first as usize <= index + 1)
        {
            run += 1;
        }
        let mut at = offset;
        for _ in 0..runs.get(run).map_or(1, |(_, samples)| *samples) {
            if places.len() == count {
                return Ok(places);
            }
            places.push(at);
            let size = if all > 0 {
                all
            } else {
                sizes.u32().unwrap_or(0)
            };
            at = at.saturating_add(u64::from(size));
        }
    }
    Ok(places)
}

fn durations(table: &[u8], count: usize) -> Vec<u32> {
    let runs = table.get(8..).unwrap_or_default().as_chunks::<8>().0;
    runs.iter()
        .flat_map(|run| {
            let samples = u32::from_be_bytes([run[0], run[1], run[2], run[3]]);
            let duration = u32::from_be_bytes([run[4], run[5], run[6], run[7]]);
            std::iter::repeat_n(duration, (samples as usize).min(count))
        })
        .take(count)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = (body.len() as u32 + 8).to_be_bytes();
        [&size[..], kind, body].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn a_text_as_far_away_as_numbers_go_is_none() {
        let tables = [
            atom(b"stts", &words(&[0, 1, 1, 500])),
            atom(b"stsz", &words(&[0, 2, 1])),
            atom(b"co64", &words(&[0, 1, u32::MAX, u32::MAX])),
        ];
        let media = [
            atom(b"mdhd", &words(&[0, 0, 0, 1000])),
            atom(b"hdlr", &[&[0; 8], &b"text"[..]].concat()),
            atom(b"minf", &atom(b"stbl", &tables.concat())),
        ];
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&atom(b"mdia", &media.concat())).unwrap();
        let input = Input::open(&file).unwrap();
        let mut to = Collector::default();
        let track = atoms(&input, 0, input.len).unwrap();
        read_texts(&input, &track, &mut to).unwrap();
        let chapters = &to.tags.chapters;
        assert_eq!(chapters.len(), 1);
        assert_eq!(
            (chapters[0].end_ns, &*chapters[0].title),
            (Some(500_000_000), "")
        );
    }
}
