//! Chunk by chunk to the audio of one file, and of those that stand behind it.

use std::{
    collections::VecDeque,
    io::{self, BufReader},
    ops::Range,
};

use retake_formats::Codec;

use super::{
    super::{
        chunks::{self, CHUNKS_MAX, Chunk, Extent, Style},
        frames::Syntax,
        pieces::{Cut, Piece},
    },
    format,
};
use crate::decode::{
    demux::{CodecParams, Stream},
    source::Source,
};

/// A format chunk has 40 bytes and a few for its codec.
const FORMAT_BYTES_MAX: u64 = 4096;
/// How far a chunk is looked for where the list of chunks is broken.
const LOOK_BYTES: u64 = 1 << 20;
/// How often a name of WAVE is followed up and is none.
pub(super) const FALSE_HEADERS_MAX: u32 = 64;
/// Files in one; another one would be made to be slow.
const FILES_MAX: usize = 1 << 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    Riff,
    BigEndian,
    Wave64,
}

/// All that is to be heard from some place in the file on.
#[derive(Default)]
pub(super) struct Found {
    pub pieces: Vec<Piece>,
    pub has_data: bool,
    pub has_format: bool,
    /// The last piece should be longer.
    pub is_cut: bool,
    /// Bytes, and why.
    pub not_read: Vec<(u64, &'static str)>,
    pub places_mended: u64,
}

impl Magic {
    pub(super) fn at(reader: &mut BufReader<Source>, at: u64) -> io::Result<Option<Self>> {
        let mut head = [0; 28];
        let len = chunks::read_at(reader, at, &mut head)?;
        let head = &head[..len];
        let is_wave = head.get(8..12) == Some(b"WAVE");
        Ok(match head.first_chunk() {
            Some(b"RIFF" | b"RF64" | b"BW64") if is_wave => Some(Self::Riff),
            Some(b"RIFX") if is_wave => Some(Self::BigEndian),
            Some(b"riff") if head.get(24..28) == Some(b"wave") => Some(Self::Wave64),
            _ => None,
        })
    }

    fn head_bytes(self) -> u64 {
        match self {
            Self::Riff | Self::BigEndian => 12,
            Self::Wave64 => 40,
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Riff => Style::Riff,
            Self::BigEndian => Style::BigEndian,
            Self::Wave64 => Style::Wave64,
        }
    }
}

/// Where a header may begin within audio: the first letters are looked for, no more. At the very end
/// they may go on in what follows.
pub(super) fn magic_in(bytes: &[u8]) -> Option<usize> {
    const MAGICS: [&[u8]; 4] = [b"RIFF", b"RIFX", b"RF64", b"BW64"];
    let whole = MAGICS
        .iter()
        .filter_map(|magic| memchr::memmem::find(bytes, magic))
        .min();
    whole.or_else(|| {
        let is_begun = |at: &usize| MAGICS.iter().any(|magic| magic.starts_with(&bytes[*at..]));
        (bytes.len().saturating_sub(3)..bytes.len()).find(is_begun)
    })
}

/// The pieces of the file that begins at a place, and of all that follow on it.
pub(super) fn pieces(reader: &mut BufReader<Source>, at: u64, len: u64) -> io::Result<Found> {
    let mut found = Found::default();
    let mut at = at;
    for files in 0.. {
        let Some(magic) = Magic::at(reader, at)? else {
            if !chunks::is_noteworthy(reader, at, len)? {
                break;
            }
            let next = next_file(reader, at)?.unwrap_or(len);
            found
                .not_read
                .push((next - at, "what follows its audio is no part of a WAV file"));
            at = next;
            continue;
        };
        if files == FILES_MAX {
            found.not_read.push((len - at, "too many WAV files in one"));
            break;
        }
        let mut file = File {
            reader: &mut *reader,
            magic,
            at: at + magic.head_bytes(),
            len,
            params: None,
            stretches: VecDeque::new(),
            silences: VecDeque::new(),
            is_list: false,
            data_bytes_64: None,
            places_mended: 0,
            is_cut: false,
        };
        file.walk(&mut found)?;
        at = file.at;
        file.add_to(&mut found)?;
    }
    Ok(found)
}

/// Where another file begins, not far behind a place.
fn next_file(reader: &mut BufReader<Source>, from: u64) -> io::Result<Option<u64>> {
    let rest = Chunk {
        id: *b"rest",
        at: from,
        start: from,
        size: LOOK_BYTES,
    };
    let bytes = chunks::body(reader, &rest, LOOK_BYTES)?;
    let mut skipped = 0;
    for _ in 0..FALSE_HEADERS_MAX {
        let Some(place) = magic_in(&bytes[skipped..]) else {
            break;
        };
        skipped += place;
        let at = from + skipped as u64;
        if Magic::at(reader, at)?.is_some() {
            return Ok(Some(at));
        }
        skipped += 1;
    }
    Ok(None)
}

/// One file on the way.
struct File<'a> {
    reader: &'a mut BufReader<Source>,
    magic: Magic,
    /// Of the next chunk; in the end, of what is no chunk.
    at: u64,
    len: u64,
    params: Option<CodecParams>,
    stretches: VecDeque<Range<u64>>,
    /// Of a list of waves: where each is stated, and its frames.
    silences: VecDeque<(u64, u64)>,
    /// Its chunks of audio are parts of one recording.
    is_list: bool,
    /// What `ds64` says.
    data_bytes_64: Option<u64>,
    places_mended: u64,
    is_cut: bool,
}

impl File<'_> {
    /// Stops behind the last chunk that makes sense, or where another file begins.
    fn walk(&mut self, found: &mut Found) -> io::Result<()> {
        let style = self.magic.style();
        for _ in 0..CHUNKS_MAX {
            let Some(chunk) = style.chunk(self.reader, self.at)? else {
                return Ok(());
            };
            if Magic::at(self.reader, self.at)?.is_some() {
                return Ok(());
            }
            if !chunks::is_name(&chunk.id) {
                match self.look_for_chunk(chunk.at)? {
                    Some(at) => {
                        self.places_mended += 1;
                        self.at = at;
                        continue;
                    }
                    None => return Ok(()),
                }
            }
            match &chunk.id {
                b"fmt " => {
                    found.has_format = true;
                    let body = chunks::body(self.reader, &chunk, FORMAT_BYTES_MAX)?;
                    let is_big_endian = self.magic == Magic::BigEndian;
                    let params = format::params_in_order(&body, is_big_endian);
                    self.params = self.params.take().or(params);
                }
                b"ds64" => {
                    let sizes = chunks::body(self.reader, &chunk, 16)?;
                    let data_bytes = sizes.get(8..16).map(chunks::little_endian);
                    self.data_bytes_64 = data_bytes.filter(|bytes| *bytes > 0);
                }
                b"data" => {
                    found.has_data = true;
                    self.at = self.data(chunk)?;
                    continue;
                }
                b"slnt" => {
                    let frames = chunks::body(self.reader, &chunk, 4)?;
                    if frames.len() == 4 && self.silences.len() < CHUNKS_MAX {
                        let frames = match self.magic {
                            Magic::BigEndian => chunks::big_endian(&frames),
                            _ => chunks::little_endian(&frames),
                        };
                        self.silences.push_back((chunk.start, frames));
                    }
                }
                b"LIST" if self.is_list_of_waves(&chunk)? => {
                    self.is_list = true;
                    self.at = chunk.start + 4;
                    continue;
                }
                // `fact`, too: writers that never come to the end leave its number of frames as wrong
                // as their sizes, and no codec in WAVE needs it.
                _ => {}
            }
            match style.behind(self.reader, &chunk)? {
                Some(next) if next <= self.len.saturating_add(1) => self.at = next,
                // It goes on beyond the file: it was cut here, or its size is wrong.
                _ => match self.look_for_chunk(chunk.start)? {
                    Some(at) => {
                        self.places_mended += 1;
                        self.at = at;
                    }
                    None => {
                        // What is cut off here is no audio, if it is what it says.
                        if is_usual(&chunk.id) {
                            self.at = self.len;
                        }
                        return Ok(());
                    }
                },
            }
        }
        Ok(())
    }

    /// Takes the chunk's body as audio; where the next chunk is.
    fn data(&mut self, mut chunk: Chunk) -> io::Result<u64> {
        let style = self.magic.style();
        if chunk.size == u64::from(u32::MAX) || chunk.size == 0 {
            chunk.size = self.data_bytes_64.unwrap_or(chunk.size);
        }
        let Extent {
            end,
            is_open,
            is_cut,
        } = style.extent(self.reader, &chunk, self.len)?;
        self.is_cut = is_cut;
        self.stretches.push_back(chunk.start..end);
        if is_open || is_cut {
            return Ok(self.len);
        }
        chunk.size = end - chunk.start;
        Ok(style.behind(self.reader, &chunk)?.unwrap_or(self.len))
    }

    /// `wavl`: chunks of audio and of silence, within a list.
    fn is_list_of_waves(&mut self, chunk: &Chunk) -> io::Result<bool> {
        let mut kind = [0; 4];
        chunks::read_at(self.reader, chunk.start, &mut kind)?;
        Ok(&kind == b"wavl")
    }

    /// As long as there is no audio: where the next chunk that is needed seems to be.
    fn look_for_chunk(&mut self, from: u64) -> io::Result<Option<u64>> {
        if !self.stretches.is_empty() || self.places_mended > 8 || self.magic == Magic::Wave64 {
            return Ok(None);
        }
        let rest = Chunk {
            id: *b"rest",
            at: from,
            start: from,
            size: LOOK_BYTES,
        };
        let bytes = chunks::body(self.reader, &rest, LOOK_BYTES)?;
        let wanted: &[&[u8; 4]] = match self.params {
            Some(_) => &[b"data"],
            None => &[b"fmt ", b"data"],
        };
        let place = bytes
            .windows(4)
            .position(|window| wanted.iter().any(|id| window == *id));
        Ok(place.map(|place| from + place as u64))
    }

    fn add_to(mut self, found: &mut Found) -> io::Result<()> {
        found.places_mended += self.places_mended;
        found.is_cut = self.is_cut;
        let has_frames = self.begins_with_adts()?;
        let bytes = self.stretches.iter().map(|s| s.end - s.start).sum::<u64>();
        match self.params {
            Some(params) => {
                let piece = |stretches| {
                    let (params, cut) = cut(params.clone(), has_frames);
                    Piece::new(Stream::new(params), stretches, cut)
                };
                if self.is_list || self.stretches.len() < 2 {
                    found.pieces.push(Piece {
                        silences: self.silences,
                        ..piece(self.stretches)
                    });
                } else {
                    // Something was put together, and not as the format has it.
                    let each = self.stretches.into_iter();
                    let each = each.map(|stretch| piece(VecDeque::from([stretch])));
                    found.pieces.extend(each);
                }
            }
            None if bytes > 0 => {
                found
                    .not_read
                    .push((bytes, "how this audio is coded is not said"));
            }
            None => {}
        }
        Ok(())
    }

    /// AAC without ADTS has no bounds between its packets.
    fn begins_with_adts(&mut self) -> io::Result<bool> {
        let mut start = [0; Syntax::HEADER_BYTES];
        if let Some(stretch) = self.stretches.front() {
            chunks::read_at(self.reader, stretch.start, &mut start)?;
        }
        Ok(Syntax::Adts.header(&start).is_some() || start.starts_with(b"ID3"))
    }
}

/// Chunks that stand behind the audio in many files.
fn is_usual(id: &[u8; 4]) -> bool {
    [
        b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"axml", b"cue ", b"smpl", b"inst", b"fact",
        b"JUNK", b"junk", b"PAD ", b"FLLR", b"PEAK", b"LGWV", b"_PMX", b"umid", b"chna", b"levl",
    ]
    .contains(&id)
}

/// Where packets end. Codecs whose packets tell no length cannot be read from WAVE.
fn cut(params: CodecParams, begins_with_adts: bool) -> (CodecParams, Cut) {
    let is_adts = params.codec == Codec::Aac && begins_with_adts;
    let cut = (params.codec != Codec::Aac || is_adts).then(|| Cut::of(&params));
    let (codec, cut) = match (&params.codec, cut.flatten()) {
        (codec, Some(cut)) => (codec.clone(), cut),
        // Its own reader finds its frames.
        (Codec::Flac, None) if params.extra.len() == 34 => (Codec::Flac, Cut::Nowhere),
        (Codec::Unknown(name), None) => (Codec::Unknown(name.clone()), Cut::Nowhere),
        (known, None) => (
            Codec::Unknown(format!("{} without headers in WAV", known.name())),
            Cut::Nowhere,
        ),
    };
    let extra = if is_adts { Vec::new() } else { params.extra };
    let params = CodecParams {
        codec,
        extra,
        ..params
    };
    (params, cut)
}
