//! PCM in WAVE files: RIFF, RF64 and BW64 (EBU Tech 3306), Sony Wave64.
//!
//! Recorders crash, pipes cannot seek and sizes overflow, so a size is believed only where the file
//! is long enough for it: a data chunk of size 0 or all ones goes up to the end of the file.
//! Compressed audio in WAVE is left to the general reader.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::{
    End, Reading,
    recorder::Recorder,
    source::{Source, Ticker},
};
use crate::{AudioError, SourceInfo, Spec};

/// Bytes read and converted at once.
const RUN_BYTES: usize = 1 << 16;
/// A format chunk has 40 bytes at most, but who knows.
const FORMAT_BYTES_MAX: u64 = 4096;

/// What the format chunk calls the coding of a WAVE file that nothing could read.
pub(super) fn codec(source: Source) -> io::Result<Option<String>> {
    let mut reader = BufReader::new(source);
    let mut head = [0; 22];
    if read_or_end(&mut reader, &mut head)?.is_none() || &head[12..16] != b"fmt " {
        return Ok(None);
    }
    Ok(match u16::from_le_bytes([head[20], head[21]]) {
        // PCM that makes no sense is no codec.
        0 | 1 | 3 | 0xfffe => None,
        0x31 => Some("GSM 6.10".to_owned()),
        0x50 | 0x55 => Some("MPEG audio in WAVE".to_owned()),
        0xff | 0x1600 | 0x1610 => Some("AAC in WAVE".to_owned()),
        0x160..=0x163 => Some("Windows Media Audio".to_owned()),
        0x270 => Some("ATRAC3".to_owned()),
        0x2000 => Some("AC-3".to_owned()),
        0x2001 => Some("DTS".to_owned()),
        tag => Some(format!("WAVE format {tag:#06x}")),
    })
}

/// How samples lie in the file.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Layout {
    spec: Spec,
    encoding: Encoding,
    /// Bytes of one sample of one channel.
    width: usize,
    bits: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Encoding {
    Unsigned8,
    Signed,
    Float,
}

/// Where the samples are.
struct Found {
    layout: Layout,
    data_bytes: u64,
    is_cut: bool,
}

/// Reads the file if it is PCM; `None` leaves it to someone else.
pub(super) fn read(
    source: Source,
    recorder: &mut Recorder,
    progress: &mut dyn FnMut(f32),
) -> Result<Option<Reading>, AudioError> {
    let mut ticker = Ticker::new(&source, progress);
    let len = source.len();
    let mut reader = BufReader::with_capacity(RUN_BYTES, source);
    let Some(found) = find_data(&mut reader, len)? else {
        return Ok(None);
    };
    let Layout { spec, width, .. } = found.layout;
    let frame_bytes = width * spec.channels as usize;
    let run_frames = (RUN_BYTES / frame_bytes).max(1);
    let mut bytes = vec![0; run_frames * frame_bytes];
    let mut channels = vec![vec![0.0; run_frames]; spec.channels as usize];
    let mut frames_left = found.data_bytes / frame_bytes as u64;
    while frames_left > 0 {
        let frames = frames_left.min(run_frames as u64) as usize;
        let bytes = &mut bytes[..frames * frame_bytes];
        reader.read_exact(bytes)?;
        convert(found.layout, bytes, &mut channels);
        let channels: Vec<&[f32]> = channels.iter().map(|c| &c[..frames]).collect();
        recorder.push(spec, &channels)?;
        frames_left -= frames as u64;
        ticker.tick();
    }
    let is_lossless = found.layout.encoding != Encoding::Float;
    let source = SourceInfo {
        container: "WAV".to_owned(),
        codec: if is_lossless { "PCM" } else { "PCM (float)" }.to_owned(),
        lossless_bits: Some(found.layout.bits),
    };
    let end = if found.is_cut {
        End::Truncated
    } else {
        End::Complete
    };
    Ok(Some(Reading::new(source, end)))
}

/// Leaves the reader at the first sample.
fn find_data(reader: &mut BufReader<Source>, len: u64) -> io::Result<Option<Found>> {
    let mut magic = [0; 4];
    if read_or_end(reader, &mut magic)?.is_none() {
        return Ok(None);
    }
    let is_wave64 = &magic == b"riff";
    reader.seek(SeekFrom::Start(if is_wave64 { 40 } else { 12 }))?;
    let mut layout = None;
    let mut data_bytes_64 = None;
    loop {
        let Some((id, size)) = chunk_header(reader, is_wave64)? else {
            return Ok(None);
        };
        let start = reader.stream_position()?;
        match &id {
            b"fmt " => {
                let mut format = vec![0; size.min(FORMAT_BYTES_MAX) as usize];
                if read_or_end(reader, &mut format)?.is_none() {
                    return Ok(None);
                }
                layout = parse_format(&format);
                if layout.is_none() {
                    return Ok(None);
                }
            }
            b"ds64" => {
                let mut sizes = [0; 16];
                if read_or_end(reader, &mut sizes)?.is_none() {
                    return Ok(None);
                }
                let [.., a, b, c, d, e, f, g, h] = sizes;
                data_bytes_64 = Some(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
            }
            b"data" => {
                let Some(layout) = layout else {
                    return Ok(None);
                };
                let left = len.saturating_sub(start);
                let is_open = size == u64::from(u32::MAX) || size == 0 && !is_wave64;
                let stated = match data_bytes_64 {
                    Some(size) if is_open && size > 0 => Some(size),
                    _ if !is_open => Some(size),
                    _ if size == 0 && is_chunk_list(reader, len)? => Some(0),
                    _ => None,
                };
                reader.seek(SeekFrom::Start(start))?;
                let data_bytes = stated.map_or(left, |stated| stated.min(left));
                let is_cut = stated.is_some_and(|stated| stated > left);
                return Ok(Some(Found {
                    layout,
                    data_bytes,
                    is_cut,
                }));
            }
            _ => {}
        }
        let align = if is_wave64 { 8 } else { 2 };
        let Some(next) = size
            .checked_next_multiple_of(align)
            .and_then(|s| s.checked_add(start))
        else {
            return Ok(None);
        };
        reader.seek(SeekFrom::Start(next))?;
    }
}

/// A Wave64 chunk has a GUID, whose first four bytes are the usual name, and counts its own header.
fn chunk_header(
    reader: &mut BufReader<Source>,
    is_wave64: bool,
) -> io::Result<Option<([u8; 4], u64)>> {
    let mut header = [0; 24];
    let header = &mut header[..if is_wave64 { 24 } else { 8 }];
    if read_or_end(reader, header)?.is_none() {
        return Ok(None);
    }
    let id = [header[0], header[1], header[2], header[3]];
    let size = header[header.len() / 2 + if is_wave64 { 4 } else { 0 }..]
        .iter()
        .rev()
        .fold(0, |size, &byte| size << 8 | u64::from(byte));
    Ok(Some((
        id,
        if is_wave64 {
            size.saturating_sub(24)
        } else {
            size
        },
    )))
}

/// Whether chunks, and nothing else, follow up to the end: then a data chunk of size 0 is empty,
/// and not one whose size was never filled in.
fn is_chunk_list(reader: &mut BufReader<Source>, len: u64) -> io::Result<bool> {
    let mut at = reader.stream_position()?;
    while at < len {
        reader.seek(SeekFrom::Start(at))?;
        let Some((id, size)) = chunk_header(reader, false)? else {
            return Ok(false);
        };
        at += 8 + size.next_multiple_of(2);
        if !id.iter().all(|byte| (b' '..=b'~').contains(byte)) || at > len + 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read_or_end(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<Option<()>> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(Some(())),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// `None` for what is not PCM or makes no sense.
fn parse_format(format: &[u8]) -> Option<Layout> {
    let u16_at = |at: usize| Some(u16::from_le_bytes(format.get(at..at + 2)?.try_into().ok()?));
    let mut code = u16_at(0)?;
    let channels = u32::from(u16_at(2)?);
    let sample_rate = u32::from_le_bytes(format.get(4..8)?.try_into().ok()?);
    let frame_bytes = u32::from(u16_at(12)?);
    let bits = u32::from(u16_at(14)?);
    if code == 0xfffe {
        code = u16_at(24)?;
    }
    if channels == 0 || frame_bytes == 0 || frame_bytes % channels != 0 {
        return None;
    }
    let width = frame_bytes / channels;
    let encoding = match (code, width) {
        (1, 1) => Encoding::Unsigned8,
        (1, 2..=4) => Encoding::Signed,
        (3, 4 | 8) => Encoding::Float,
        _ => return None,
    };
    if bits > width * 8 || bits == 0 {
        return None;
    }
    let spec = Spec {
        sample_rate,
        channels,
    };
    Some(Layout {
        spec,
        encoding,
        width: width as usize,
        bits,
    })
}

/// Interleaved bytes to planar samples. A format whose bits do not fill the container has them at
/// the top, so the container's full scale is the right one.
fn convert(layout: Layout, bytes: &[u8], channels: &mut [Vec<f32>]) {
    let (encoding, width) = (layout.encoding, layout.width);
    match (encoding, width) {
        (Encoding::Unsigned8, _) => {
            deinterleave::<1>(bytes, channels, |[x]| (f32::from(x) - 128.0) / 128.0);
        }
        (Encoding::Signed, 2) => {
            deinterleave(bytes, channels, |x| {
                f32::from(i16::from_le_bytes(x)) / 32_768.0
            });
        }
        (Encoding::Signed, 3) => deinterleave(bytes, channels, |[a, b, c]| {
            i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0
        }),
        (Encoding::Signed, _) => {
            deinterleave(bytes, channels, |x| {
                i32::from_le_bytes(x) as f32 / 2_147_483_648.0
            });
        }
        (Encoding::Float, 4) => deinterleave(bytes, channels, f32::from_le_bytes),
        (Encoding::Float, _) => {
            deinterleave(bytes, channels, |x| f64::from_le_bytes(x) as f32);
        }
    }
}

#[inline(always)]
fn deinterleave<const WIDTH: usize>(
    bytes: &[u8],
    channels: &mut [Vec<f32>],
    value: impl Fn([u8; WIDTH]) -> f32,
) {
    let (samples, _) = bytes.as_chunks::<WIDTH>();
    match channels {
        [only] => only
            .iter_mut()
            .zip(samples)
            .for_each(|(to, x)| *to = value(*x)),
        [left, right] => {
            let (pairs, _) = samples.as_chunks::<2>();
            for ((l, r), pair) in left.iter_mut().zip(right).zip(pairs) {
                *l = value(pair[0]);
                *r = value(pair[1]);
            }
        }
        _ => {
            let count = channels.len();
            for (channel, to) in channels.iter_mut().enumerate() {
                let samples = samples.iter().skip(channel).step_by(count);
                to.iter_mut()
                    .zip(samples)
                    .for_each(|(to, x)| *to = value(*x));
            }
        }
    }
}
