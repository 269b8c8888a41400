//! Frames of codecs that can be told apart in a plain stream of bytes: their headers, and a splitter
//! that finds them again behind damage. Used by the readers of plain streams and by containers that
//! carry such streams in pieces (MPEG-TS, AVI, FLV).

mod ac3;
mod adts;
pub(in crate::decode) mod amr;
mod loas;
mod mpeg;
pub(in crate::decode) mod opus;
mod splitter;
pub(in crate::decode) mod tags;

use std::io::{self, Read};

use retake_formats::Codec;

pub(in crate::decode) use splitter::{Frame, Splitter};

/// What a frame's header says.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::decode) struct Header {
    pub codec: Codec,
    /// The whole frame, its header included.
    pub bytes: usize,
    /// Samples of each channel at `sample_rate`.
    pub frames: u32,
    /// AAC: that of the core; with SBR twice as much is heard. 0: as before (LOAS).
    pub sample_rate: u32,
    /// `None`: the header does not say (AAC with a configuration element inside).
    pub channels: Option<u32>,
    /// Belongs to the frame before: more channels of it (E-AC-3).
    is_dependent: bool,
    /// Not the programme that is read: another one beside it (E-AC-3).
    is_other: bool,
    /// What does not change from frame to frame within one encoding.
    likeness: u32,
}

impl Header {
    /// Whether both could stand in one encoding.
    fn is_like(&self, other: &Self) -> bool {
        self.codec == other.codec && self.likeness == other.likeness
    }
}

/// Which frames are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) enum Syntax {
    /// MPEG-1, -2 and -2.5, layers 1 to 3.
    Mpeg,
    /// AAC.
    Adts,
    /// AC-3 and E-AC-3.
    Ac3,
    /// AAC in LATM.
    Loas,
    /// Opus behind control headers.
    Opus,
}

impl Syntax {
    /// Bytes that [`Self::header`] needs.
    pub(in crate::decode) const HEADER_BYTES: usize = 8;

    /// The header at the start of `bytes`, if there is one; `None` also with too few bytes.
    pub(in crate::decode) fn header(self, bytes: &[u8]) -> Option<Header> {
        match self {
            Self::Mpeg => mpeg::header(bytes),
            Self::Adts => adts::header(bytes),
            Self::Ac3 => ac3::header(bytes),
            Self::Loas => loas::header(bytes),
            Self::Opus => opus::header(bytes),
        }
    }

    /// With which byte a header begins.
    fn first_byte(self) -> u8 {
        match self {
            Self::Mpeg | Self::Adts => 0xff,
            Self::Ac3 => 0x0b,
            Self::Loas => 0x56,
            Self::Opus => 0x7f,
        }
    }
}

/// A stream may begin behind so much of something else: a cover in a tag whose size is wrong.
const LEADING_BYTES_MAX: u64 = 4 << 20;

/// The frames of a file from wherever its reader stands.
pub(in crate::decode) struct Frames<R> {
    reader: R,
    pub splitter: Splitter,
    chunk: Vec<u8>,
    is_at_end: bool,
}

impl<R: Read> Frames<R> {
    /// `offset`: where in the file the reader stands; `len`: how long the file is.
    pub(in crate::decode) fn new(reader: R, syntax: Syntax, offset: u64, len: u64) -> Self {
        Self {
            reader,
            splitter: Splitter::new(syntax, offset, Some(len)),
            chunk: vec![0; 1 << 16],
            is_at_end: false,
        }
    }

    /// The next frame; false at the end.
    pub(in crate::decode) fn next(&mut self, frame: &mut Frame) -> io::Result<bool> {
        loop {
            if self.splitter.next(frame) {
                return Ok(true);
            }
            if self.is_at_end || self.splitter.found_none_in(LEADING_BYTES_MAX) {
                return Ok(false);
            }
            match self.reader.read(&mut self.chunk) {
                Ok(0) => {
                    self.is_at_end = true;
                    self.splitter.finish();
                }
                Ok(read) => self.splitter.push(&self.chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
