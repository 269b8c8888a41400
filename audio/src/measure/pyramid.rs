//! Peaks for drawing at any zoom: a pyramid of lowest and highest samples, each level of a quarter of the
//! points of the one below. The file is described in docs/renditions.md.
//!
//! While frames pass there are two bytes of memory for each 1,024 of them.

use std::io::{self, Write};

use crate::Block;

/// Frames in a point of the finest level.
pub const FRAMES_PER_POINT: u64 = 1024;
/// By how much coarser each level is.
pub const FACTOR: usize = 4;
/// Points that are asked for at once.
pub const TILE_POINTS: usize = 4096;
const MAGIC: &[u8; 8] = b"RTKPEAK1";
const HEADER_BYTES: usize = 48;
const LEVEL_BYTES: usize = 16;

/// Of all channels together: the lowest and the highest sample of each run of 1,024 frames, in steps of
/// 1/127 away from zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeakPyramid {
    sample_rate: u32,
    frames: u64,
    /// The finest level.
    points: Vec<[i8; 2]>,
}

#[derive(Debug)]
pub(crate) struct PyramidCollector {
    pyramid: PeakPyramid,
    /// Frames in the point that is being filled.
    filled: u64,
    low: f32,
    high: f32,
}

impl PyramidCollector {
    pub(crate) fn new(sample_rate: u32) -> Self {
        Self {
            pyramid: PeakPyramid {
                sample_rate,
                ..PeakPyramid::default()
            },
            filled: 0,
            low: f32::INFINITY,
            high: f32::NEG_INFINITY,
        }
    }

    pub(crate) fn push(&mut self, block: &Block) {
        let frames = block.frames();
        self.pyramid.frames += frames as u64;
        let mut from = 0;
        while from < frames {
            let wanted = (FRAMES_PER_POINT - self.filled).min((frames - from) as u64);
            let to = from + wanted as usize;
            for plane in block.planes() {
                let (low, high) = extremes(&plane[from..to]);
                self.low = self.low.min(low);
                self.high = self.high.max(high);
            }
            self.filled += wanted;
            from = to;
            if self.filled == FRAMES_PER_POINT {
                self.close_point();
            }
        }
    }

    pub(crate) fn finish(mut self) -> PeakPyramid {
        if self.filled > 0 {
            self.close_point();
        }
        self.pyramid
    }

    fn close_point(&mut self) {
        let low = (self.low * 127.0).floor().clamp(-127.0, 127.0) as i8;
        let high = (self.high * 127.0).ceil().clamp(-127.0, 127.0) as i8;
        self.pyramid.points.push([low, high]);
        self.filled = 0;
        self.low = f32::INFINITY;
        self.high = f32::NEG_INFINITY;
    }
}

/// Each level out of the one below, the finest first, until one fits a tile.
fn levels(finest: &[[i8; 2]]) -> Vec<Vec<[i8; 2]>> {
    let mut levels = vec![finest.to_vec()];
    while let Some(below) = levels.last().filter(|level| level.len() > TILE_POINTS) {
        let merged = below.chunks(FACTOR).map(|points| {
            let low = points.iter().map(|point| point[0]).min();
            let high = points.iter().map(|point| point[1]).max();
            [low.unwrap_or(0), high.unwrap_or(0)]
        });
        let merged = merged.collect();
        levels.push(merged);
    }
    levels
}

impl PeakPyramid {
    /// All levels in one file.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let levels = levels(&self.points);
        let mut header = MAGIC.to_vec();
        let header_bytes = HEADER_BYTES + LEVEL_BYTES * levels.len();
        for word in [
            header_bytes as u32,
            self.sample_rate,
            FRAMES_PER_POINT as u32,
            FACTOR as u32,
            TILE_POINTS as u32,
            levels.len() as u32,
        ] {
            header.extend(word.to_le_bytes());
        }
        header.extend(self.frames.to_le_bytes());
        header.resize(HEADER_BYTES, 0);
        let mut at = header_bytes as u64;
        for level in &levels {
            header.extend(at.to_le_bytes());
            header.extend((level.len() as u64).to_le_bytes());
            at += 2 * level.len() as u64;
        }
        out.write_all(&header)?;
        for level in &levels {
            out.write_all(bytemuck::cast_slice(level))?;
        }
        Ok(())
    }

    /// As BBC's audiowaveform writes it: version 2 of its .dat, 8 bits.
    pub fn write_dat(&self, out: &mut impl Write) -> io::Result<()> {
        let one_channel = 1;
        for word in [
            2,
            1,
            self.sample_rate,
            FRAMES_PER_POINT as u32,
            self.points.len() as u32,
            one_channel,
        ] {
            out.write_all(&word.to_le_bytes())?;
        }
        out.write_all(bytemuck::cast_slice(&self.points))
    }

    /// The same in its JSON.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let (rate, length) = (self.sample_rate, self.points.len());
        write!(
            out,
            "{{\"version\":2,\"channels\":1,\"sample_rate\":{rate},\
             \"samples_per_pixel\":{FRAMES_PER_POINT},\"bits\":8,\"length\":{length},\"data\":["
        )?;
        for (place, [low, high]) in self.points.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(out, "{comma}{low},{high}")?;
        }
        out.write_all(b"]}\n")
    }
}

/// Eight lanes, so that the compiler can use the processor's; one loop each, or it does not see them.
fn extremes(samples: &[f32]) -> (f32, f32) {
    let mut low = [f32::INFINITY; 8];
    let mut high = [f32::NEG_INFINITY; 8];
    let (eights, rest) = samples.as_chunks::<8>();
    for eight in eights {
        for (low, x) in low.iter_mut().zip(eight) {
            *low = if x < low { *x } else { *low };
        }
        for (high, x) in high.iter_mut().zip(eight) {
            *high = if x > high { *x } else { *high };
        }
    }
    let low = low.iter().chain(rest).fold(f32::INFINITY, |a, &b| a.min(b));
    let high = high
        .iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    (low, high)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(frames: usize, piece: usize, sample: impl Fn(usize) -> f32) -> PeakPyramid {
        let mut collector = PyramidCollector::new(48_000);
        for from in (0..frames).step_by(piece) {
            let to = frames.min(from + piece);
            // The second channel is half of the first, upside down.
            collector.push(&Block::from_fn(2, to - from, |channel, frame| {
                sample(from + frame) * if channel == 0 { 1.0 } else { -0.5 }
            }));
        }
        collector.finish()
    }

    fn u64_at(bytes: &[u8], at: usize) -> usize {
        u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
    }

    #[test]
    fn a_point_holds_the_extremes_of_its_frames_whatever_the_blocks() {
        let sample = |frame: usize| if frame == 1500 { 0.5 } else { 0.0 };
        let pyramid = of(3_000, 977, sample);
        assert_eq!(pyramid.points, [[0, 0], [-32, 64], [0, 0]]);
        assert_eq!(pyramid, of(3_000, 4_800, sample));
        let loud = of(1_024, 100, |_| -3.0);
        assert_eq!(loud.points, [[-127, 127]]);
    }

    #[test]
    fn the_file_says_where_each_level_is_and_each_holds_the_one_below() {
        let noise =
            |frame: usize| ((frame * 7919 % 1009) as f32 / 1009.0 - 0.5) * (frame as f32 / 3e7);
        let pyramid = of(20_000_000, 48_000, noise);
        let mut file = Vec::new();
        pyramid.write(&mut file).unwrap();
        assert_eq!(&file[..8], MAGIC);
        let words: Vec<u32> = file[8..32]
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| u32::from_le_bytes(*bytes))
            .collect();
        assert_eq!(words, [96, 48_000, 1024, 4, 4096, 3]);
        assert_eq!(u64_at(&file, 32), 20_000_000);
        let mut at = 96;
        let mut below: Option<Vec<[i8; 2]>> = None;
        for (level, points) in [19_532, 4_883, 1_221].into_iter().enumerate() {
            let entry = 48 + 16 * level;
            assert_eq!(
                (u64_at(&file, entry), u64_at(&file, entry + 8)),
                (at, points)
            );
            let here: Vec<[i8; 2]> = bytemuck::cast_slice(&file[at..at + 2 * points]).to_vec();
            if let Some(below) = below {
                for (merged, four) in here.iter().zip(below.chunks(4)) {
                    let low = four.iter().map(|point| point[0]).min().unwrap();
                    assert_eq!(merged[0], low);
                }
            }
            below = Some(here);
            at += 2 * points;
        }
        assert_eq!(file.len(), at);
    }

    #[test]
    fn other_programs_get_the_finest_level() {
        let pyramid = of(2_048, 1_000, |frame| if frame == 3 { 1.0 } else { 0.0 });
        let mut dat = Vec::new();
        pyramid.write_dat(&mut dat).unwrap();
        assert_eq!(dat.len(), 24 + 4);
        assert_eq!(dat[24..], [-64i8 as u8, 127, 0, 0]);
        let mut text = Vec::new();
        pyramid.write_json(&mut text).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(json["data"], serde_json::json!([-64, 127, 0, 0]));
        assert_eq!((&json["length"], &json["bits"]), (&2.into(), &8.into()));
    }
}
