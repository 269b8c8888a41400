//! Audio that lies in plain stretches of a file, to be cut into packets: what WAVE, AIFF, CAF and AU
//! come to once their headers are read.

use std::{
    collections::VecDeque,
    io::{self, BufReader, Read, Seek, SeekFrom},
    ops::Range,
};

use retake_findings::{Code, Finding};
use retake_formats::{Codec, Container};

use super::{
    frames::{Frame, Splitter, Syntax},
    layout::{Layout, reorder},
};
use crate::{
    AudioError,
    decode::{
        demux::{CodecParams, Demuxer, End, Next, PACKET_BYTES_MAX, Packet, Stream, Time, Track},
        pcm::PcmEncoding,
        source::Source,
    },
};

/// Frames that a packet of plain samples has.
const RUN_FRAMES: u32 = 4096;
/// About how many bytes a packet of small blocks has.
const RUN_BYTES: u32 = 8192;
/// Read from the file at once.
const BUFFER_BYTES: usize = 1 << 16;

/// One stream and where its audio is.
pub(super) struct Piece {
    pub stream: Stream,
    /// Within the file.
    pub stretches: VecDeque<Range<u64>>,
    pub cut: Cut,
    /// Of plain samples: [`super::layout::Layout::order`].
    pub order: Option<Vec<u8>>,
    /// Between the stretches of plain samples: where in the file it is stated, and its frames.
    pub silences: VecDeque<(u64, u64)>,
}

/// Where packets end.
pub(super) enum Cut {
    /// Blocks of a size, several to a packet. An incomplete one at the end of a stretch is left out,
    /// or a packet of its own.
    Blocks {
        bytes: u32,
        per_packet: u32,
        keeps_rest: bool,
    },
    /// As a table says: bytes and frames, one after the other.
    Table(Box<dyn PacketTable>),
    /// Frames that tell where they end.
    Frames(Box<FrameCut>),
    /// It cannot be told: there are no packets.
    Nowhere,
}

pub(super) struct FrameCut {
    splitter: Splitter,
    frame: Frame,
    is_finished: bool,
}

pub(super) trait PacketTable {
    /// Bytes of the next packet, and frames where they are not always as many.
    fn next(&mut self) -> Option<(u64, Option<Time>)>;
}

impl Cut {
    /// `None` for codecs whose packets only a container tells apart.
    pub(super) fn of(params: &CodecParams) -> Option<Self> {
        let syntax = match params.codec {
            Codec::Mp1 | Codec::Mp2 | Codec::Mp3 => Syntax::Mpeg,
            Codec::Aac => Syntax::Adts,
            Codec::Ac3 | Codec::Eac3 => Syntax::Ac3,
            _ => return Self::blocks(params),
        };
        Some(Self::Frames(Box::new(FrameCut {
            splitter: Splitter::new(syntax, 0, None),
            frame: Frame::default(),
            is_finished: false,
        })))
    }

    /// There are no more bytes; whether there is no more to come either.
    fn finish(&mut self) -> bool {
        match self {
            Self::Frames(cut) => {
                cut.splitter.finish();
                std::mem::replace(&mut cut.is_finished, true)
            }
            _ => true,
        }
    }

    /// For codecs whose packets are blocks of one size.
    fn blocks(params: &CodecParams) -> Option<Self> {
        let channels = params.channels?.max(1);
        let plain = |width: u32| {
            Some(Self::Blocks {
                bytes: channels.checked_mul(width)?,
                per_packet: RUN_FRAMES,
                keeps_rest: false,
            })
        };
        let blocks = |bytes: u32, keeps_rest| Self::Blocks {
            bytes,
            per_packet: (RUN_BYTES / bytes.max(1)).max(1),
            keeps_rest,
        };
        match params.codec {
            Codec::Pcm | Codec::PcmFloat => plain(params.pcm?.bytes),
            Codec::Alaw | Codec::Mulaw => plain(1),
            Codec::G722 => plain(1),
            Codec::AdpcmIma | Codec::AdpcmMs => Some(blocks(params.block_bytes?, true)),
            Codec::AdpcmImaQt => Some(blocks(channels.checked_mul(34)?, false)),
            Codec::Gsm => Some(blocks(params.block_bytes.unwrap_or(33), false)),
            Codec::GsmMs => Some(blocks(params.block_bytes.unwrap_or(65), false)),
            _ => None,
        }
    }
}

/// The pieces of a file, one after the other.
pub(super) struct Pieces {
    reader: BufReader<Source>,
    /// Where the reader is.
    position: u64,
    pieces: VecDeque<Piece>,
    has_begun: bool,
}

impl Pieces {
    pub(super) fn reader(source: Source) -> BufReader<Source> {
        BufReader::with_capacity(BUFFER_BYTES, source)
    }

    pub(super) fn new(reader: BufReader<Source>, pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self {
            reader,
            position: u64::MAX,
            pieces: pieces.into_iter().collect(),
            has_begun: false,
        }
    }

    /// For looking elsewhere in the file.
    pub(super) fn reader_mut(&mut self) -> &mut BufReader<Source> {
        self.position = u64::MAX;
        &mut self.reader
    }

    /// What is left is not as it was thought to be.
    pub(super) fn replace(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        self.pieces = pieces.into_iter().collect();
        self.has_begun = false;
    }

    /// `None` at the end. A packet that was filled began at the place that comes with it.
    pub(super) fn next(&mut self, packet: &mut Packet) -> io::Result<Option<(Next, u64)>> {
        loop {
            let Some(piece) = self.pieces.front_mut() else {
                return Ok(None);
            };
            if !self.has_begun {
                self.has_begun = true;
                return Ok(Some((Next::Stream(Box::new(piece.stream.clone())), 0)));
            }
            if let Cut::Frames(cut) = &mut piece.cut
                && cut.next(packet)
            {
                return Ok(Some((Next::Packet, 0)));
            }
            if piece.silence(packet) {
                return Ok(Some((Next::Packet, 0)));
            }
            let Some(wanted) = piece.next_range(packet) else {
                if piece.cut.finish() {
                    self.pieces.pop_front();
                    self.has_begun = false;
                }
                continue;
            };
            self.read(wanted.clone(), packet)?;
            if let Some(piece) = self.pieces.front() {
                piece.reorder(&mut packet.data);
            }
            let is_reordered = self
                .pieces
                .front()
                .is_some_and(|piece| piece.order.is_some());
            packet.place = (!is_reordered).then_some(wanted.start);
            match self.pieces.front_mut().map(|piece| &mut piece.cut) {
                Some(Cut::Frames(cut)) => {
                    packet.place = None;
                    cut.splitter.push(&packet.data);
                    packet.data.clear();
                }
                _ if packet.data.is_empty() => {}
                _ => return Ok(Some((Next::Packet, wanted.start))),
            }
        }
    }

    fn read(&mut self, range: Range<u64>, packet: &mut Packet) -> io::Result<()> {
        if self.position != range.start {
            self.reader.seek(SeekFrom::Start(range.start))?;
        }
        let bytes = range.end - range.start;
        packet.data.reserve(bytes as usize);
        let read = self
            .reader
            .by_ref()
            .take(bytes)
            .read_to_end(&mut packet.data)?;
        self.position = range.start + read as u64;
        Ok(())
    }
}

/// Bytes of one channel's sample where it is plain.
fn width(params: &CodecParams) -> Option<u32> {
    match params.codec {
        Codec::Pcm | Codec::PcmFloat => params.pcm.map(|layout| layout.bytes),
        Codec::Alaw | Codec::Mulaw => Some(1),
        _ => None,
    }
}

impl FrameCut {
    fn next(&mut self, packet: &mut Packet) -> bool {
        if !self.splitter.next(&mut self.frame) {
            return false;
        }
        std::mem::swap(&mut packet.data, &mut self.frame.data);
        packet.duration = self
            .frame
            .header
            .as_ref()
            .map(|header| Time::new(i64::from(header.frames), u64::from(header.sample_rate)));
        true
    }
}

impl Piece {
    pub(super) fn new(stream: Stream, stretches: VecDeque<Range<u64>>, cut: Cut) -> Self {
        Self {
            stream,
            stretches,
            cut,
            order: None,
            silences: VecDeque::new(),
        }
    }

    /// With the channels' places as the file states them. A codec has an order of its own, so there the
    /// file's counts only where it is WAVE's.
    pub(super) fn laid_out(mut self, layout: Option<Layout>) -> Self {
        let params = &mut self.stream.params;
        let is_plain = width(params).is_some();
        if let Some(layout) = layout.filter(|layout| is_plain || layout.order.is_none()) {
            params.mask = Some(layout.mask);
            self.order = layout.order;
        }
        self
    }

    /// Fills the packet with some of the silence that is next.
    fn silence(&mut self, packet: &mut Packet) -> bool {
        while self
            .stretches
            .pop_front_if(|stretch| stretch.is_empty())
            .is_some()
        {}
        let at = self.stretches.front().map(|stretch| stretch.start);
        let Some((place, frames)) = self.silences.front_mut() else {
            return false;
        };
        if at.is_some_and(|at| at < *place) {
            return false;
        }
        let params = &self.stream.params;
        let now = (*frames).min(RUN_FRAMES.into());
        *frames -= now;
        if *frames == 0 {
            self.silences.pop_front();
        }
        let Some((width, channels)) = width(params).zip(params.channels) else {
            return false;
        };
        let nothing = match (&params.codec, params.pcm) {
            (Codec::Alaw, _) => 0xd5,
            (Codec::Mulaw, _) => 0xff,
            (_, Some(layout)) if layout.encoding == PcmEncoding::Unsigned => 0x80,
            _ => 0,
        };
        let bytes = now.saturating_mul(u64::from(width) * u64::from(channels));
        packet
            .data
            .resize(bytes.min(PACKET_BYTES_MAX as u64) as usize, nothing);
        true
    }

    fn reorder(&self, bytes: &mut [u8]) {
        if let (Some(order), Some(width)) = (&self.order, width(&self.stream.params)) {
            reorder(bytes, order, width as usize);
        }
    }

    /// Takes the next packet's bytes off the stretches. Not more than [`PACKET_BYTES_MAX`], whatever
    /// a table says.
    fn next_range(&mut self, packet: &mut Packet) -> Option<Range<u64>> {
        loop {
            let stretch = self.stretches.front_mut()?;
            let left = stretch.end.saturating_sub(stretch.start);
            let bytes = match &mut self.cut {
                _ if left == 0 => 0,
                Cut::Blocks {
                    bytes,
                    per_packet,
                    keeps_rest,
                } => {
                    let block = u64::from(*bytes).max(1);
                    let blocks = (left / block)
                        .min(u64::from(*per_packet))
                        .min((PACKET_BYTES_MAX as u64 / block).max(1));
                    match blocks {
                        0 if *keeps_rest => left,
                        blocks => blocks * block,
                    }
                }
                Cut::Table(table) => {
                    let (bytes, duration) = table.next()?;
                    packet.duration = duration;
                    bytes.min(left).min(PACKET_BYTES_MAX as u64)
                }
                Cut::Frames(_) => left.min(BUFFER_BYTES as u64),
                Cut::Nowhere => return None,
            };
            if bytes == 0 {
                if !matches!(self.cut, Cut::Table(_)) || left == 0 {
                    self.stretches.pop_front();
                }
                continue;
            }
            let start = stretch.start;
            stretch.start += bytes;
            return Some(start..start + bytes);
        }
    }
}

/// A file that is known once its headers are read: one track, of one piece or several.
pub(in crate::decode) struct PiecesReader {
    container: Container,
    track: Track,
    pieces: Pieces,
    end: End,
    not_read: Vec<(u64, &'static str)>,
}

impl PiecesReader {
    /// Of at least one piece. Those without any audio count.
    pub(super) fn new(
        container: Container,
        reader: BufReader<Source>,
        pieces: Vec<Piece>,
        end: End,
        not_read: Vec<(u64, &'static str)>,
    ) -> Option<Self> {
        let track = Track::only(&pieces.first()?.stream.params);
        Some(Self {
            container,
            track,
            pieces: Pieces::new(reader, pieces),
            end,
            not_read,
        })
    }
}

impl Demuxer for PiecesReader {
    fn container(&self) -> Container {
        self.container
    }

    fn tracks(&self) -> &[Track] {
        std::slice::from_ref(&self.track)
    }

    fn select(&mut self, _track: usize) {}

    fn next(&mut self, packet: &mut Packet) -> Result<Next, AudioError> {
        Ok(match self.pieces.next(packet)? {
            Some((next, _)) => next,
            None => Next::End(self.end.clone()),
        })
    }

    fn findings(&mut self) -> Vec<Finding> {
        not_read(self.not_read.drain(..))
    }
}

pub(super) fn not_read(parts: impl Iterator<Item = (u64, &'static str)>) -> Vec<Finding> {
    parts
        .map(|(bytes, detail)| {
            let params = [("bytes", bytes.into()), ("detail", detail.into())];
            Finding::new(Code::PartNotRead, params)
        })
        .collect()
}
