//! Chunk by chunk through a file, by what is stated; what is stated may be anything.

use std::io::{self, Read, Seek, SeekFrom};

/// How names and sizes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// RIFF, and RF64 and BW64, whose chunks are the same.
    Riff,
    /// Names are GUIDs, whose first four bytes are the usual name; sizes have 64 bits and count
    /// their own header.
    Wave64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub id: [u8; 4],
    /// Where its body begins.
    pub start: u64,
    /// Of its body, out of `ds64` where it stands there; `None` where it was never filled in.
    pub size: Option<u64>,
}

/// The chunks of one file. No more is read of each than its header, and no size is believed to be
/// in the file.
pub(crate) struct Chunks<'a, R> {
    reader: &'a mut R,
    container: Container,
    /// Of the next chunk's header; `None` where there can be none.
    at: Option<u64>,
    data_bytes_64: Option<u64>,
}

impl Container {
    /// `None` where the file is no WAVE file.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        match head.first_chunk()? {
            b"RIFF" | b"RF64" | b"BW64" if head.get(8..12)? == b"WAVE" => Some(Self::Riff),
            b"riff" if head.get(24..28)? == b"wave" => Some(Self::Wave64),
            _ => None,
        }
    }

    /// Bytes in front of the first chunk.
    fn head_bytes(self) -> u64 {
        match self {
            Self::Riff => 12,
            Self::Wave64 => 40,
        }
    }

    fn chunk_header_bytes(self) -> usize {
        match self {
            Self::Riff => 8,
            Self::Wave64 => 24,
        }
    }

    /// Chunks start at multiples of this.
    fn align(self) -> u64 {
        match self {
            Self::Riff => 2,
            Self::Wave64 => 8,
        }
    }
}

impl<'a, R: Read + Seek> Chunks<'a, R> {
    /// From the start of the file; `None` where it is no WAVE file.
    pub(crate) fn open(reader: &'a mut R) -> io::Result<Option<Self>> {
        let mut head = [0; 28];
        reader.seek(SeekFrom::Start(0))?;
        let len = read_up_to(reader, &mut head)?;
        let container = Container::of(&head[..len]);
        Ok(container.map(|container| Self::at(reader, container, container.head_bytes())))
    }

    /// From a chunk's header on.
    pub(crate) fn at(reader: &'a mut R, container: Container, at: u64) -> Self {
        Self {
            reader,
            container,
            at: Some(at),
            data_bytes_64: None,
        }
    }

    pub(crate) fn container(&self) -> Container {
        self.container
    }

    /// Where the next chunk's header should stand.
    pub(crate) fn position(&self) -> Option<u64> {
        self.at
    }

    /// At the body of the chunk that came last.
    pub(crate) fn reader(&mut self) -> &mut R {
        self.reader
    }

    /// `None` where the file ends. Leaves the reader at the chunk's body.
    pub(crate) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let Some(at) = self.at.take() else {
            return Ok(None);
        };
        self.reader.seek(SeekFrom::Start(at))?;
        let mut header = [0; 24];
        let header = &mut header[..self.container.chunk_header_bytes()];
        if read_up_to(self.reader, header)? < header.len() {
            return Ok(None);
        }
        let id = [header[0], header[1], header[2], header[3]];
        let start = at + header.len() as u64;
        let size = match self.container {
            Container::Riff => {
                let stated = little_endian(&header[4..8]);
                match self.data_bytes_64.filter(|_| &id == b"data") {
                    Some(size) if stated == 0 || stated == u64::from(u32::MAX) => Some(size),
                    _ => Some(stated).filter(|stated| *stated != u64::from(u32::MAX)),
                }
            }
            Container::Wave64 => Some(little_endian(&header[16..24]).saturating_sub(24)),
        };
        if &id == b"ds64" {
            self.read_sizes(start)?;
        }
        self.at = size
            .and_then(|size| size.checked_next_multiple_of(self.container.align()))
            .and_then(|size| size.checked_add(start));
        Ok(Some(Chunk { id, start, size }))
    }

    /// The body of `ds64`: sizes of the file and of the data chunk, then what is not needed.
    fn read_sizes(&mut self, start: u64) -> io::Result<()> {
        let mut sizes = [0; 16];
        if read_up_to(self.reader, &mut sizes)? == sizes.len() {
            let data_bytes = little_endian(&sizes[8..]);
            self.data_bytes_64 = Some(data_bytes).filter(|bytes| *bytes > 0);
        }
        self.reader.seek(SeekFrom::Start(start))?;
        Ok(())
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Fewer bytes than wanted only at the end.
fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Cursor;

    use super::*;

    fn chunk(id: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
        [&id[..], &size.to_le_bytes(), body].concat()
    }

    fn found(file: Vec<u8>) -> Option<Vec<(String, u64, Option<u64>)>> {
        let mut file = Cursor::new(file);
        let mut chunks = Chunks::open(&mut file).unwrap()?;
        let mut found = Vec::new();
        while let Some(Chunk { id, start, size }) = chunks.next().unwrap() {
            found.push((String::from_utf8_lossy(&id).into_owned(), start, size));
        }
        Some(found)
    }

    fn named(id: &str, start: u64, size: Option<u64>) -> (String, u64, Option<u64>) {
        (id.to_owned(), start, size)
    }

    #[test]
    fn odd_chunks_are_padded_and_the_last_may_be_longer_than_the_file() {
        let head = b"RIFF\xff\0\0\0WAVE".to_vec();
        let file = [
            head,
            chunk(b"LIST", 3, b"abc\0"),
            chunk(b"data", 1000, b"ab"),
        ];
        let expected = [named("LIST", 20, Some(3)), named("data", 32, Some(1000))];
        assert_eq!(found(file.concat()).unwrap(), expected);
    }

    #[test]
    fn the_size_of_the_data_stands_in_ds64() {
        let sizes = [&[0; 8][..], &6u64.to_le_bytes(), &[0; 12]].concat();
        for (magic, stated) in [(b"RF64", u32::MAX), (b"BW64", 0)] {
            let file = [
                &magic[..],
                b"\xff\xff\xff\xffWAVE",
                &chunk(b"ds64", 28, &sizes),
                &chunk(b"data", stated, b"abcdef"),
                &chunk(b"LIST", 0, b""),
            ];
            let expected = [
                named("ds64", 20, Some(28)),
                named("data", 56, Some(6)),
                named("LIST", 70, Some(0)),
            ];
            assert_eq!(found(file.concat()).unwrap(), expected);
        }
    }

    #[test]
    fn a_size_that_was_never_filled_in_is_none_and_nothing_follows() {
        let file = [
            &b"RIFF\xff\xff\xff\xffWAVE"[..],
            &chunk(b"data", u32::MAX, b"LIST\0\0\0\0"),
        ];
        assert_eq!(found(file.concat()).unwrap(), [named("data", 20, None)]);
    }

    #[test]
    fn wave64_counts_its_headers_and_aligns_to_eight() {
        let part = |id: &[u8; 4], size: u64, body: &[u8]| {
            [&id[..], &[7; 12], &size.to_le_bytes(), body].concat()
        };
        let file = [
            part(b"riff", 999, b"wave"),
            vec![7; 12],
            part(b"fmt ", 24 + 3, b"abc\0\0\0\0\0"),
            part(b"data", 5, b""),
            part(b"junk", u64::MAX, b""),
        ];
        let expected = [
            named("fmt ", 64, Some(3)),
            named("data", 96, Some(0)),
            named("junk", 120, Some(u64::MAX - 24)),
        ];
        assert_eq!(found(file.concat()).unwrap(), expected);
    }

    #[test]
    fn what_is_no_wave_file_has_no_chunks() {
        for bytes in [&b""[..], b"RIF", b"RIFF\0\0\0\0AVI ", b"riff", b"OggS"] {
            assert_eq!(found(bytes.to_vec()), None);
        }
    }
}
