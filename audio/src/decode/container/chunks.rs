//! Files made of chunks, each a name, a size and a body: WAVE, Wave64, AIFF, CAF. Recorders crash,
//! pipes cannot seek and sizes overflow, so no size is believed to be in the file.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::decode::source::Source;

/// How names and sizes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Sizes of 32 bits; bodies of an odd size are followed by a byte of nothing.
    Riff,
    /// The same with the most significant byte first: RIFX, AIFF.
    BigEndian,
    /// Names are GUIDs whose first four bytes are the usual name; sizes have 64 bits and count their
    /// own header; chunks begin at multiples of 8.
    Wave64,
    /// Sizes have 64 bits, the most significant byte first.
    Caf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub id: [u8; 4],
    /// Where its header is.
    pub at: u64,
    /// Where its body is.
    pub start: u64,
    /// Of its body, as stated.
    pub size: u64,
}

/// How much of a chunk of audio is audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub end: u64,
    /// Nothing says where it ends: it goes on up to the end of the file.
    pub is_open: bool,
    /// There should be more.
    pub is_cut: bool,
}

/// No file has more chunks than this; one that has is made to be slow.
pub(super) const CHUNKS_MAX: usize = 1 << 16;
/// How many chunks have to be looked at to say that chunks follow.
const LIST_LOOK: usize = 64;

impl Style {
    fn header_bytes(self) -> usize {
        match self {
            Self::Riff | Self::BigEndian => 8,
            Self::Wave64 => 24,
            Self::Caf => 12,
        }
    }

    fn align(self) -> u64 {
        match self {
            Self::Riff | Self::BigEndian => 2,
            Self::Wave64 => 8,
            Self::Caf => 1,
        }
    }

    /// The chunk whose header is at a place; `None` where the file ends.
    pub(super) fn chunk(
        self,
        reader: &mut BufReader<Source>,
        at: u64,
    ) -> io::Result<Option<Chunk>> {
        let mut header = [0; 24];
        let header = &mut header[..self.header_bytes()];
        if read_at(reader, at, header)? < header.len() {
            return Ok(None);
        }
        let size = match self {
            Self::Riff => little_endian(&header[4..8]),
            Self::BigEndian => big_endian(&header[4..8]),
            // Less than its own header is nothing that could be counted.
            Self::Wave64 => little_endian(&header[16..24]).saturating_sub(24),
            Self::Caf => big_endian(&header[4..12]),
        };
        Ok(Some(Chunk {
            id: [header[0], header[1], header[2], header[3]],
            at,
            start: at + header.len() as u64,
            size,
        }))
    }

    /// Where the next chunk's header is. Some writers forget the byte that follows an odd size: a name
    /// does not begin with a 0.
    pub(super) fn behind(
        self,
        reader: &mut BufReader<Source>,
        chunk: &Chunk,
    ) -> io::Result<Option<u64>> {
        let Some(end) = chunk.start.checked_add(chunk.size) else {
            return Ok(None);
        };
        let Some(next) = end.checked_next_multiple_of(self.align()) else {
            return Ok(None);
        };
        if next == end || self == Self::Wave64 {
            return Ok(Some(next));
        }
        let mut name = [0; 4];
        if read_at(reader, end, &mut name)? == name.len() && is_name(&name) {
            return Ok(Some(end));
        }
        Ok(Some(next))
    }

    /// How far the body of a chunk of audio goes. `size` is what is stated, perhaps elsewhere than
    /// in the chunk itself; `len` is that of the file.
    pub(super) fn extent(
        self,
        reader: &mut BufReader<Source>,
        chunk: &Chunk,
        len: u64,
    ) -> io::Result<Extent> {
        let left = len.saturating_sub(chunk.start);
        let to_the_end = Extent {
            end: len,
            is_open: true,
            is_cut: false,
        };
        if chunk.size > left {
            return Ok(match self.is_placeholder(chunk.size) {
                true => to_the_end,
                false => Extent {
                    is_open: false,
                    is_cut: true,
                    ..to_the_end
                },
            });
        }
        if chunk.size == 0 && !self.is_list(reader, chunk.start, len)? {
            return Ok(to_the_end);
        }
        let mut size = chunk.size;
        if matches!(self, Self::Riff | Self::BigEndian) && left > u64::from(u32::MAX) {
            // A size that ran over 32 bits is short by a multiple of them.
            let most = size + ((left - size) >> 32 << 32);
            if most > size && !self.is_list(reader, chunk.start + size, len)? {
                size = most;
            }
        }
        Ok(Extent {
            end: chunk.start + size,
            is_open: false,
            is_cut: false,
        })
    }

    /// What writers leave in a size that they would fill in at the end: all ones, or as much as they
    /// dare to state.
    fn is_placeholder(self, size: u64) -> bool {
        const SLACK: u64 = 8192;
        let near = |limit: u64| (limit.saturating_sub(SLACK)..=limit).contains(&size);
        match self {
            Self::Riff | Self::BigEndian => near(1 << 31) || near(u64::from(u32::MAX)),
            Self::Wave64 | Self::Caf => near(u64::MAX) || near(i64::MAX as u64),
        }
    }

    /// Whether chunks, and nothing else, follow up to the end.
    fn is_list(self, reader: &mut BufReader<Source>, at: u64, len: u64) -> io::Result<bool> {
        let mut at = at.next_multiple_of(self.align());
        for _ in 0..LIST_LOOK {
            if at >= len {
                return Ok(true);
            }
            let Some(chunk) = self.chunk(reader, at)? else {
                return Ok(false);
            };
            match self.behind(reader, &chunk)? {
                Some(next) if is_name(&chunk.id) && next <= len.saturating_add(1) => at = next,
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

pub(super) fn is_name(id: &[u8]) -> bool {
    id.iter().all(|byte| (b' '..=b'~').contains(byte))
}

pub(super) fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

pub(super) fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Fewer bytes than wanted only at the end of the file.
pub(super) fn read_at(
    reader: &mut BufReader<Source>,
    at: u64,
    buffer: &mut [u8],
) -> io::Result<usize> {
    reader.seek(SeekFrom::Start(at))?;
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The body of a chunk, as much of it as is in the file and at most `bytes_max`.
pub(super) fn body(
    reader: &mut BufReader<Source>,
    chunk: &Chunk,
    bytes_max: u64,
) -> io::Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(chunk.start))?;
    let mut body = Vec::new();
    reader
        .by_ref()
        .take(chunk.size.min(bytes_max))
        .read_to_end(&mut body)?;
    Ok(body)
}

/// Whether what is left at a place is worth a word: not zeros, and no tag that players put behind
/// everything.
pub(super) fn is_noteworthy(reader: &mut BufReader<Source>, at: u64, len: u64) -> io::Result<bool> {
    const LOOK_BYTES: u64 = 1 << 16;
    if len.saturating_sub(at) < 12 {
        return Ok(false);
    }
    let rest = Chunk {
        id: *b"rest",
        at,
        start: at,
        size: len - at,
    };
    let seen = body(reader, &rest, LOOK_BYTES)?;
    let is_tag = [&b"TAG"[..], b"ID3", b"APETAGEX", b"LYRICSBEGIN"]
        .iter()
        .any(|name| seen.starts_with(name));
    Ok(!is_tag && seen.iter().any(|byte| *byte != 0))
}
