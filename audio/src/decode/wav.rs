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
use crate::{
    AudioError, SourceInfo, Spec,
    wav::{Chunks, Container, WaveFormat, tag},
};

/// Bytes read and converted at once.
const RUN_BYTES: usize = 1 << 16;
/// A format chunk has 40 bytes at most, but who knows.
const FORMAT_BYTES_MAX: u64 = 4096;

/// What the format chunk calls the coding of a WAVE file that nothing could read.
pub(super) fn codec(source: Source) -> io::Result<Option<String>> {
    let mut reader = BufReader::new(source);
    let Some(mut chunks) = Chunks::open(&mut reader)? else {
        return Ok(None);
    };
    while let Some(chunk) = chunks.next()? {
        if &chunk.id == b"fmt " {
            let format = read_format(&mut chunks, chunk.size)?;
            // PCM that makes no sense is no codec.
            let named =
                format.filter(|format| ![0, tag::PCM, tag::FLOAT].contains(&format.coding()));
            return Ok(named.map(|format| format.coding_name()));
        }
    }
    Ok(None)
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
    let Some(mut chunks) = Chunks::open(reader)? else {
        return Ok(None);
    };
    let mut layout = None;
    while let Some(chunk) = chunks.next()? {
        match &chunk.id {
            b"fmt " => {
                let format = read_format(&mut chunks, chunk.size)?;
                layout = format.as_ref().and_then(layout_of);
                if layout.is_none() {
                    return Ok(None);
                }
            }
            b"data" => {
                let Some(layout) = layout else {
                    return Ok(None);
                };
                let left = len.saturating_sub(chunk.start);
                let container = chunks.container();
                let stated = match chunk.size {
                    Some(0) if container == Container::Riff => {
                        is_chunk_list(reader, chunk.start, len)?.then_some(0)
                    }
                    stated => stated,
                };
                reader.seek(SeekFrom::Start(chunk.start))?;
                return Ok(Some(Found {
                    layout,
                    data_bytes: stated.map_or(left, |stated| stated.min(left)),
                    is_cut: stated.is_some_and(|stated| stated > left),
                }));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// The body of the format chunk that was just come to.
fn read_format(
    chunks: &mut Chunks<'_, BufReader<Source>>,
    size: Option<u64>,
) -> io::Result<Option<WaveFormat>> {
    let mut body = Vec::new();
    let size = size.unwrap_or(u64::MAX).min(FORMAT_BYTES_MAX);
    chunks.reader().take(size).read_to_end(&mut body)?;
    Ok(WaveFormat::parse(&body))
}

/// Whether chunks, and nothing else, follow from `at` up to the end: then a data chunk of size 0 is
/// empty, and not one whose size was never filled in.
fn is_chunk_list(reader: &mut BufReader<Source>, at: u64, len: u64) -> io::Result<bool> {
    let mut chunks = Chunks::at(reader, Container::Riff, at);
    while let Some(at) = chunks.position()
        && at < len
    {
        let Some(chunk) = chunks.next()? else {
            return Ok(false);
        };
        let is_named = chunk.id.iter().all(|byte| (b' '..=b'~').contains(byte));
        if !is_named || chunks.position().is_none_or(|end| end > len + 1) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `None` for what is not PCM or makes no sense.
fn layout_of(format: &WaveFormat) -> Option<Layout> {
    let channels = u32::from(format.channels);
    let frame_bytes = u32::from(format.block_align);
    let bits = u32::from(format.bits);
    if channels == 0 || frame_bytes == 0 || frame_bytes % channels != 0 {
        return None;
    }
    let width = frame_bytes / channels;
    let encoding = match (format.coding(), width) {
        (tag::PCM, 1) => Encoding::Unsigned8,
        (tag::PCM, 2..=4) => Encoding::Signed,
        (tag::FLOAT, 4 | 8) => Encoding::Float,
        _ => return None,
    };
    if bits > width * 8 || bits == 0 {
        return None;
    }
    let spec = Spec {
        sample_rate: format.sample_rate,
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
