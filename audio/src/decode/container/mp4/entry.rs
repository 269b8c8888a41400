//! Sample entries: what a track's samples are. QuickTime's three versions of its sound description
//! and ISO's, which looks like the first of them.

use retake_formats::Codec;

use super::{
    super::layout::{Layout, chnl, core_audio},
    boxes::{Kind, child, children, header, u16_at, u32_at, u64_at},
    config::{alac_cookie, esds, flac_info, opus_head, wave_format},
};
use crate::{
    channels::CHANNELS_MAX,
    decode::{
        demux::CodecParams,
        pcm::{PcmEncoding, PcmLayout},
    },
};

/// Frames of plain samples in a packet.
const PLAIN_PER_PACKET: u32 = 4096;
/// Of codecs with small blocks, so many frames come in a packet.
const BLOCKS_FRAMES: u32 = 1024;
/// A file has one or two.
const ENTRIES_MAX: usize = 256;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub params: CodecParams,
    /// Where all samples have the same size: so many of the table's samples lie in so many bytes.
    /// QuickTime counts frames, whatever the codec makes of them.
    pub unit: Option<(u32, u32)>,
    /// So many samples or units may be put together in a packet.
    pub per_packet: u32,
    /// Plain samples whose channels have to change places.
    pub order: Option<Vec<u8>>,
    /// Opus: frames at 48 kHz that are decoded and not heard.
    pub pre_skip: u16,
}

/// The fields that all versions have, and what follows them.
struct Description<'a> {
    kind: Kind,
    channels: u32,
    bits: u32,
    rate: u32,
    /// QuickTime's first version: frames and bytes of a packet.
    packet: Option<(u32, u32)>,
    /// Its second: flags of plain samples, and bytes of a frame.
    plain: Option<(u32, u32)>,
    body: &'a [u8],
    boxes: &'a [u8],
    /// QuickTime puts what belongs to the decoder in a box of its own.
    wave: &'a [u8],
}

/// The body of `stsd`. `constant_size` and `samples_are_frames` are what the tables say.
pub(super) fn entries(
    stsd: &[u8],
    timescale: u64,
    constant_size: Option<u32>,
    samples_are_frames: bool,
) -> Vec<Entry> {
    let is_iso_v1 = stsd.first() == Some(&1);
    children(stsd.get(8..).unwrap_or_default())
        .take(ENTRIES_MAX)
        .map(|(kind, body)| {
            let description = Description::parse(kind, body, is_iso_v1, timescale);
            let mut entry = description.entry();
            entry.pack(&description, constant_size, samples_are_frames);
            entry
        })
        .collect()
}

/// What one entry, its size in front, comes to in another container. `None`: nothing, or plain samples
/// whose channels have to change places.
pub(in super::super) fn params_of(entry: &[u8]) -> Option<CodecParams> {
    let stsd = [&[0; 8], entry].concat();
    let entry = entries(&stsd, 0, None, false).into_iter().next();
    entry
        .filter(|entry| entry.order.is_none())
        .map(|entry| entry.params)
}

impl<'a> Description<'a> {
    fn parse(kind: Kind, body: &'a [u8], is_iso_v1: bool, timescale: u64) -> Self {
        let number = |at| u32_at(body, at).unwrap_or(0);
        let short = |at| u32::from(u16_at(body, at).unwrap_or(0));
        let version = if is_iso_v1 { 0 } else { short(8) };
        let mut channels = short(16);
        let mut bits = short(18);
        let mut rate = number(24) >> 16;
        let (mut packet, mut plain) = (None, None);
        let boxes = match version {
            1 => {
                packet = Some((number(28), number(36)));
                44
            }
            2 => {
                rate = u64_at(body, 32).map_or(0, |bits| f64::from_bits(bits).round() as u32);
                channels = number(40);
                bits = number(48);
                plain = Some((number(52), number(56)));
                // Counted from the size of the entry.
                (number(28) as usize).saturating_sub(8).max(64)
            }
            _ => 28,
        };
        let boxes = body.get(boxes..).unwrap_or_default();
        if let Some(stated) = child(boxes, *b"srat").and_then(|body| u32_at(body, 4)) {
            rate = stated;
        }
        // 16 bits do not hold the higher rates.
        let timescale = u32::try_from(timescale).unwrap_or(0);
        let is_cut = timescale > 0xffff && (timescale & 0xffff == rate || rate == 0);
        if is_cut || (rate == 0 && (4_000..=384_000).contains(&timescale)) {
            rate = timescale;
        }
        let wave = child(boxes, *b"wave").unwrap_or_default();
        let kind = match child(wave, *b"frma").and_then(|body| body.get(..4)?.try_into().ok()) {
            Some(real) if !matches!(&kind, b"enca" | b"drms") => real,
            _ => kind,
        };
        Self {
            kind,
            channels,
            bits,
            rate,
            packet,
            plain,
            body,
            boxes,
            wave,
        }
    }

    /// A box of the entry or of its `wave`, wherever it stands: some writers leave a gap before.
    fn find(&self, kind: Kind) -> Option<&'a [u8]> {
        child(self.boxes, kind)
            .or_else(|| child(self.wave, kind))
            .or_else(|| {
                let at = self.body.windows(4).position(|window| window == kind)?;
                let bytes = self.body.get(at.checked_sub(4)?..)?;
                let found = header(bytes, bytes.len() as u64).filter(|found| found.len == 8)?;
                let size = usize::try_from(found.size).ok()?;
                bytes.get(8..size.min(bytes.len()))
            })
    }

    fn entry(&self) -> Entry {
        let mut params = CodecParams::new(self.codec());
        params.sample_rate = Some(self.rate).filter(|rate| *rate > 0);
        params.channels = Some(self.channels).filter(|channels| *channels > 0);
        let mut pre_skip = 0;
        match &params.codec {
            Codec::Aac => {
                if let Some((codec, extra)) = self.find(*b"esds").and_then(esds) {
                    (params.codec, params.extra) = (codec, extra);
                }
            }
            Codec::Opus => {
                if let Some(head) = self.find(*b"dOps").and_then(opus_head) {
                    pre_skip = u16::from_le_bytes([head[10], head[11]]);
                    params.channels = Some(u32::from(head[9]));
                    params.extra = head;
                }
                params.sample_rate = Some(48_000);
            }
            Codec::Flac => {
                params.extra = self.find(*b"dfLa").and_then(flac_info).unwrap_or_default();
                if let Some(packed) = u32_at(&params.extra, 10) {
                    params.sample_rate = Some(packed >> 12);
                    params.channels = Some((packed >> 9 & 7) + 1);
                    params.bits = Some((packed >> 4 & 31) + 1);
                }
            }
            Codec::Alac => {
                params.extra = self
                    .find(*b"alac")
                    .and_then(alac_cookie)
                    .unwrap_or_default();
                if let Some(rate) = u32_at(&params.extra, 20) {
                    params.bits = Some(u32::from(params.extra[5]));
                    params.channels = Some(u32::from(params.extra[9]));
                    params.sample_rate = Some(rate);
                }
            }
            Codec::AdpcmIma | Codec::AdpcmMs | Codec::GsmMs => {
                let format = self.find(self.kind).and_then(wave_format);
                let bytes = self
                    .packet
                    .map(|(_, bytes)| bytes)
                    .filter(|bytes| *bytes > 0);
                params.block_bytes = format.as_ref().map(|(block, _)| *block).or(bytes);
                if params.codec == Codec::AdpcmMs {
                    params.extra = format.map(|(_, extra)| extra).unwrap_or_default();
                }
            }
            // 3GPP has it say two channels.
            Codec::AmrNb => (params.channels, params.sample_rate) = (Some(1), Some(8_000)),
            Codec::AmrWb => (params.channels, params.sample_rate) = (Some(1), Some(16_000)),
            Codec::AdpcmImaQt => params.block_bytes = params.channels.map(|n| n.saturating_mul(34)),
            Codec::Gsm => params.block_bytes = Some(33),
            Codec::Pcm | Codec::PcmFloat => match self.pcm() {
                Some(pcm) => {
                    params.codec = match pcm.encoding {
                        PcmEncoding::Float => Codec::PcmFloat,
                        _ => Codec::Pcm,
                    };
                    params.bits = Some(pcm.bits);
                    params.pcm = Some(pcm);
                }
                None => {
                    let name = format!("{}, {} bits", shown(self.kind), self.bits);
                    params.codec = Codec::Unknown(name);
                }
            },
            _ => {}
        }
        let layout = self.layout().filter(|_| frame_bytes(&params).is_some());
        params.mask = layout.as_ref().map(|layout| layout.mask);
        Entry {
            params,
            unit: None,
            per_packet: 1,
            order: layout.and_then(|layout| layout.order),
            pre_skip,
        }
    }

    fn codec(&self) -> Codec {
        match &self.kind {
            b"mp4a" => Codec::Aac,
            b".mp3" | b"mp3 " | b"ms\0\x55" => Codec::Mp3,
            b".mp2" | b"ms\0\x50" => Codec::Mp2,
            b".mp1" => Codec::Mp1,
            b"Opus" => Codec::Opus,
            b"fLaC" => Codec::Flac,
            b"alac" => Codec::Alac,
            b"ac-3" | b"sac3" | b"ms\x20\0" => Codec::Ac3,
            b"ec-3" => Codec::Eac3,
            b"samr" => Codec::AmrNb,
            b"sawb" => Codec::AmrWb,
            b"ima4" => Codec::AdpcmImaQt,
            b"ms\0\x11" => Codec::AdpcmIma,
            b"ms\0\x02" => Codec::AdpcmMs,
            b"agsm" => Codec::Gsm,
            b"ms\0\x31" => Codec::GsmMs,
            b"ulaw" | b"ms\0\x07" => Codec::Mulaw,
            b"alaw" | b"ms\0\x06" => Codec::Alaw,
            b"raw " | b"NONE" | b"twos" | b"sowt" | b"in24" | b"42ni" | b"in32" | b"23ni"
            | b"lpcm" | b"ipcm" | b"ms\0\x01" | b"\0\0\0\0" => Codec::Pcm,
            b"fl32" | b"fl64" | b"fpcm" | b"23lf" | b"46lf" | b"ms\0\x03" => Codec::PcmFloat,
            other => Codec::Unknown(unknown_name(*other)),
        }
    }

    /// How plain samples lie, if it can be.
    fn pcm(&self) -> Option<PcmLayout> {
        // Any value but 0, in one byte, two or four.
        let is_little = self
            .find(*b"enda")
            .is_some_and(|body| body.iter().any(|byte| *byte != 0));
        let signed = |bits: u32, is_big_endian| Some((PcmEncoding::Signed, bits, is_big_endian));
        let float = |bits: u32, is_big_endian| Some((PcmEncoding::Float, bits, is_big_endian));
        // Sixteen bits are meant where nothing is said.
        let bits = if self.bits == 0 { 16 } else { self.bits };
        let iso = || {
            let body = self.find(*b"pcmC")?;
            Some((u32::from(*body.get(5)?), body.get(4)? & 1 == 0))
        };
        let (encoding, bits, is_big_endian) = match &self.kind {
            b"raw " | b"NONE" | b"\0\0\0\0" if bits <= 8 => {
                Some((PcmEncoding::Unsigned, bits, true))
            }
            b"raw " | b"NONE" | b"\0\0\0\0" | b"twos" => signed(bits, !is_little),
            b"sowt" => signed(bits, false),
            b"ms\0\x01" if bits <= 8 => Some((PcmEncoding::Unsigned, bits, false)),
            b"ms\0\x01" => signed(bits, false),
            b"ms\0\x03" => float(bits, false),
            b"in24" => signed(24, !is_little),
            b"in32" => signed(32, !is_little),
            b"42ni" => signed(24, false),
            b"23ni" => signed(32, false),
            b"fl32" => float(32, !is_little),
            b"fl64" => float(64, !is_little),
            b"23lf" => float(32, false),
            b"46lf" => float(64, false),
            b"ipcm" => iso().and_then(|(bits, is_big)| signed(bits, is_big)),
            b"fpcm" => iso().and_then(|(bits, is_big)| float(bits, is_big)),
            b"lpcm" => return self.lpcm(),
            _ => None,
        }?;
        let bytes = bits.div_ceil(8);
        is_possible(encoding, bytes).then_some(PcmLayout {
            encoding,
            bytes,
            bits,
            is_big_endian,
        })
    }

    /// Core Audio's flags.
    fn lpcm(&self) -> Option<PcmLayout> {
        const FLOAT: u32 = 1;
        const BIG_ENDIAN: u32 = 2;
        const SIGNED: u32 = 4;
        const PACKED: u32 = 8;
        const HIGH: u32 = 16;
        const PLANAR: u32 = 32;
        // Before the second version there were none.
        let (flags, frame_bytes) = self.plain.unwrap_or((SIGNED | PACKED, 0));
        let encoding = match flags {
            _ if flags & FLOAT != 0 => PcmEncoding::Float,
            _ if flags & SIGNED != 0 => PcmEncoding::Signed,
            _ => PcmEncoding::Unsigned,
        };
        let packed = self.bits.div_ceil(8);
        let bytes = match frame_bytes.checked_div(self.channels) {
            Some(bytes) if bytes > packed && frame_bytes % self.channels == 0 => bytes,
            _ => packed,
        };
        // Bits at the low end of more bytes than they need are another scale.
        let is_low = bytes > packed && flags & HIGH == 0;
        let is_planar = flags & PLANAR != 0 && self.channels > 1;
        if is_low || is_planar || !is_possible(encoding, bytes) || self.bits == 0 {
            return None;
        }
        Some(PcmLayout {
            encoding,
            bytes,
            bits: self.bits,
            is_big_endian: flags & BIG_ENDIAN != 0,
        })
    }

    fn layout(&self) -> Option<Layout> {
        let chan = self
            .find(*b"chan")
            // Behind version and flags.
            .and_then(|body| core_audio(body.get(4..)?, self.channels));
        chan.or_else(|| {
            self.find(*b"chnl")
                .and_then(|body| chnl(body, self.channels))
        })
    }
}

fn is_possible(encoding: PcmEncoding, bytes: u32) -> bool {
    match encoding {
        PcmEncoding::Float => [2, 4, 8].contains(&bytes),
        _ => [1, 2, 3, 4, 8].contains(&bytes),
    }
}

impl Entry {
    /// How the table's samples lie together where they all have the same size.
    fn pack(
        &mut self,
        description: &Description<'_>,
        constant_size: Option<u32>,
        samples_are_frames: bool,
    ) {
        let size = constant_size.unwrap_or(0);
        if let Some(frame) = frame_bytes(&self.params) {
            self.per_packet = PLAIN_PER_PACKET;
            // QuickTime writes 1 for a frame, whatever it has.
            let is_whole = size > 0 && size.is_multiple_of(frame) && !samples_are_frames;
            self.unit = Some((1, if is_whole { size } else { frame }));
            return;
        }
        let fixed = match self.params.codec {
            Codec::AdpcmImaQt => self.params.block_bytes.map(|bytes| (64, bytes)),
            Codec::Gsm => Some((160, 33)),
            _ => None,
        };
        let stated = description
            .packet
            .filter(|(frames, bytes)| *frames > 1 && *bytes > 0);
        if let Some((frames, bytes)) = stated.or(fixed)
            && size > 0
            && samples_are_frames
        {
            self.unit = Some((frames, bytes));
            self.per_packet = match self.params.codec {
                Codec::AdpcmImaQt
                | Codec::AdpcmIma
                | Codec::AdpcmMs
                | Codec::Gsm
                | Codec::GsmMs => (BLOCKS_FRAMES / frames).max(1),
                _ => 1,
            };
        }
    }
}

/// Bytes of a frame where every frame has the same.
fn frame_bytes(params: &CodecParams) -> Option<u32> {
    let channels = params.channels.filter(|n| (1..=CHANNELS_MAX).contains(n))?;
    match params.codec {
        Codec::Pcm | Codec::PcmFloat => Some(params.pcm?.bytes * channels),
        Codec::Alaw | Codec::Mulaw => Some(channels),
        _ => None,
    }
}

fn unknown_name(kind: Kind) -> String {
    match &kind {
        b"enca" => "encrypted audio".to_owned(),
        b"drms" => "encrypted audio of the iTunes store".to_owned(),
        b"ac-4" => "AC-4".to_owned(),
        b"mlpa" => "TrueHD".to_owned(),
        b"mha1" | b"mhm1" => "MPEG-H".to_owned(),
        b"QDM2" | b"QDMC" => "QDesign Music".to_owned(),
        b"Qclp" | b"sqcp" => "QCELP".to_owned(),
        b"sevc" => "EVRC".to_owned(),
        b"MAC3" | b"MAC6" => "MACE".to_owned(),
        [b'd', b't', b's', _] => "DTS".to_owned(),
        _ => shown(kind),
    }
}

/// What is harmless to show of a hostile file.
fn shown(kind: Kind) -> String {
    let name: String = kind
        .iter()
        .map(|byte| char::from(*byte))
        .filter(|c| c.is_ascii_graphic())
        .collect();
    if name.is_empty() {
        "an unknown codec".to_owned()
    } else {
        name
    }
}
