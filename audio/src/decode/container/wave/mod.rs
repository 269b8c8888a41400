//! WAVE: RIFF, its big-endian twin RIFX, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088) and Sony's
//! Wave64.
//!
//! Pieces that were put together are all read: another file behind the end of the first, or its
//! header in the middle of what the first one calls its audio.

mod find;
mod format;

use std::ops::Range;

use retake_findings::{Code, Finding};
use retake_formats::{Codec, Container};

use self::find::{Found, Magic};
use super::{
    flac::FlacReader,
    pieces::{self, Piece, Pieces},
};
use crate::{
    AudioError,
    decode::{
        demux::{CodecParams, Demuxer, End, Next, Packet, Track},
        source::Source,
    },
};

pub(in crate::decode) use format::params_of;

pub(in crate::decode) struct WaveReader {
    container: Container,
    len: u64,
    track: Track,
    pieces: Pieces,
    /// Where the file begins with it: its frames do not keep to what pieces can be cut into.
    flac: Vec<FlacReader>,
    /// How many of them were read.
    flac_read: usize,
    end: End,
    false_headers: u32,
    not_read: Vec<(u64, &'static str)>,
    places_mended: u64,
}

impl WaveReader {
    pub(in crate::decode) fn open(source: Source) -> Result<Option<Self>, AudioError> {
        let len = source.len();
        let for_flac = source.again();
        let mut reader = Pieces::reader(source);
        let Some(magic) = Magic::at(&mut reader, 0)? else {
            return Ok(None);
        };
        let mut found = find::pieces(&mut reader, 0, len)?;
        let Some(first) = found.pieces.first() else {
            let detail = match (found.has_data, found.has_format) {
                (true, false) => "what says how its audio is coded (fmt) is missing",
                (_, true) => "what says how its audio is coded (fmt) makes no sense",
                (false, false) => "neither audio nor what says how it is coded is there",
            };
            return Err(AudioError::Damaged {
                detail: detail.to_owned(),
            });
        };
        let track = Track::only(&first.stream.params);
        let flac = take_flac(&mut found)
            .map(|(params, within)| FlacReader::frames(for_flac.again(), within, params))
            .collect::<Result<_, _>>()?;
        let pieces = std::mem::take(&mut found.pieces);
        let mut wave = Self {
            container: match magic {
                Magic::Wave64 => Container::Wave64,
                _ => Container::Wave,
            },
            len,
            track,
            pieces: Pieces::new(reader, pieces),
            flac,
            flac_read: 0,
            end: End::Complete,
            false_headers: 0,
            not_read: Vec::new(),
            places_mended: 0,
        };
        wave.note(found);
        Ok(Some(wave))
    }

    /// What was found besides the pieces.
    fn note(&mut self, found: Found) {
        self.end = match found.is_cut {
            true => End::Truncated,
            false => End::Complete,
        };
        self.not_read = found.not_read;
        self.places_mended += found.places_mended;
    }

    /// If another file begins within a packet, ends the packet there and goes on with that file.
    fn mind_header(&mut self, packet: &mut Packet, start: u64) -> Result<(), AudioError> {
        let mut from = 0;
        while self.false_headers < find::FALSE_HEADERS_MAX {
            let Some(at) = find::magic_in(&packet.data[from..]) else {
                break;
            };
            let at = from + at;
            let reader = self.pieces.reader_mut();
            let place = start + at as u64;
            if Magic::at(reader, place)?.is_some() {
                let mut found = find::pieces(reader, place, self.len)?;
                if !found.pieces.is_empty() {
                    packet.data.truncate(at);
                    self.pieces.replace(std::mem::take(&mut found.pieces));
                    self.note(found);
                    return Ok(());
                }
            }
            self.false_headers += 1;
            from = at + 1;
        }
        Ok(())
    }
}

/// The pieces of FLAC that the file begins with; of any behind other pieces, that they are not read.
fn take_flac(found: &mut Found) -> impl Iterator<Item = (CodecParams, Range<u64>)> {
    let is_flac = |piece: &Piece| piece.stream.params.codec == Codec::Flac;
    let count = found
        .pieces
        .iter()
        .take_while(|piece| is_flac(piece))
        .count();
    let first: Vec<_> = found.pieces.drain(..count).collect();
    found.pieces.retain(|piece| {
        if is_flac(piece) {
            let bytes = piece.stretches.iter().map(|s| s.end - s.start).sum();
            let detail = "they are FLAC behind something else";
            found.not_read.push((bytes, detail));
        }
        !is_flac(piece)
    });
    first.into_iter().flat_map(|piece| {
        let params = piece.stream.params;
        let stretches = piece.stretches.into_iter();
        stretches.map(move |within| (params.clone(), within))
    })
}

impl Demuxer for WaveReader {
    fn container(&self) -> Container {
        self.container
    }

    fn tracks(&self) -> &[Track] {
        std::slice::from_ref(&self.track)
    }

    fn select(&mut self, _track: usize) {}

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        while let Some(flac) = self.flac.get_mut(self.flac_read) {
            match flac.next(packet)? {
                Next::End(end) => {
                    self.flac_read += 1;
                    if end == End::Truncated {
                        self.end = end;
                    }
                }
                next => return Ok(next),
            }
        }
        loop {
            match self.pieces.next(packet)? {
                None => return Ok(Next::End(self.end.clone())),
                // What was put together from frames of their own has no such place.
                Some((Next::Packet, start)) => {
                    if start > 0 {
                        self.mind_header(packet, start)?;
                    }
                    if !packet.data.is_empty() {
                        return Ok(Next::Packet);
                    }
                }
                Some((next, _)) => return Ok(next),
            }
        }
    }

    fn findings(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.places_mended > 0 {
            let detail = "the list of its chunks is broken";
            findings.push(Finding::new(
                Code::ContainerDamaged,
                [
                    ("places", self.places_mended.into()),
                    ("detail", detail.into()),
                ],
            ));
        }
        findings.extend(pieces::not_read(self.not_read.drain(..)));
        findings.extend(self.flac.iter_mut().flat_map(FlacReader::findings));
        findings
    }
}

#[cfg(test)]
mod tests;
