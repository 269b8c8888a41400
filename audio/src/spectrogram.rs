//! Spectrograms as tiles: 1,024 columns of time and 128 rows of pitch (mel), as greyscale PNG.
//!
//! All channels are heard as one. A pixel is a level: 0 is -100 dBFS or less, 255 is full scale.

use std::io::{self, Write};

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};
use std::sync::Arc;

use crate::{AudioError, Block, Looker, Spec};

pub const TILE_COLUMNS: usize = 1024;
pub const TILE_ROWS: usize = 128;
/// Frames that are looked at together, at 48 kHz: 43 ms.
const WINDOW_AT_48K: usize = 2048;
/// A column of many frames hears so many windows of them at most.
const WINDOWS_MAX: usize = 4;
const LOWEST_DB: f32 = -100.0;

type OnTile<'a> = dyn FnMut(u64, &[u8]) -> io::Result<()> + 'a;

/// Makes tiles of what it sees. Each is given out with its place from the recording's beginning.
pub struct SpectrogramTiles<'a> {
    columns_per_second: u32,
    /// As near to it as whole frames are.
    frames_per_column: usize,
    /// Columns from and to, of the recording's.
    columns: std::ops::Range<u64>,
    give: &'a mut OnTile<'a>,
    run: Option<Run>,
}

struct Run {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// For each row, weights of the spectrum's bins, from the first that is not 0.
    bands: Vec<(usize, Vec<f32>)>,
    /// All channels as one: the frames around the column that is next.
    waiting: Vec<f32>,
    scratch: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    powers: Vec<f32>,
    column: u64,
    tile: Vec<u8>,
}

impl<'a> SpectrogramTiles<'a> {
    /// Of the columns in the range, which is widened to whole tiles.
    pub fn new(
        columns_per_second: u32,
        columns: std::ops::Range<u64>,
        give: &'a mut OnTile<'a>,
    ) -> Self {
        let tile = TILE_COLUMNS as u64;
        Self {
            columns_per_second: columns_per_second.max(1),
            frames_per_column: 1,
            columns: columns.start / tile * tile
                ..columns.end.saturating_add(tile - 1) / tile * tile,
            give,
            run: None,
        }
    }

    /// The last tile: black where the recording has ended.
    pub fn finish(mut self) -> io::Result<()> {
        let Some(mut run) = self.run.take() else {
            return Ok(());
        };
        let half = run.window.len() / 2;
        let left = run.waiting.len().saturating_sub(half);
        let columns = left.div_ceil(self.frames_per_column);
        let wanted = columns * self.frames_per_column + run.window.len();
        run.waiting.resize(wanted, 0.0);
        for _ in 0..columns {
            self.column(&mut run)?;
        }
        if run.column % TILE_COLUMNS as u64 != 0 {
            self.give_tile(&mut run, true)?;
        }
        Ok(())
    }

    /// The next one, of the frames that wait.
    fn column(&mut self, run: &mut Run) -> io::Result<()> {
        if self.columns.contains(&run.column) {
            let place = (run.column % TILE_COLUMNS as u64) as usize;
            run.listen(self.frames_per_column);
            for row in 0..TILE_ROWS {
                let (first, weights) = &run.bands[row];
                let bins = run.powers[*first..].iter().zip(weights);
                let power: f32 = bins.map(|(power, weight)| power * weight).sum();
                let db = 10.0 * power.max(1e-20).log10();
                let level = (1.0 - db / LOWEST_DB) * 255.0;
                // The highest pitch is on top.
                let at = (TILE_ROWS - 1 - row) * TILE_COLUMNS + place;
                run.tile[at] = level.clamp(0.0, 255.0).round() as u8;
            }
        }
        run.waiting.drain(..self.frames_per_column);
        run.column += 1;
        let is_full = run.column.is_multiple_of(TILE_COLUMNS as u64);
        self.give_tile(run, is_full)
    }

    fn give_tile(&mut self, run: &mut Run, is_done: bool) -> io::Result<()> {
        let last = run.column.saturating_sub(1);
        if is_done && self.columns.contains(&last) {
            (self.give)(last / TILE_COLUMNS as u64, &png(&run.tile)?)?;
            run.tile.fill(0);
        }
        Ok(())
    }
}

impl Looker for SpectrogramTiles<'_> {
    fn begin(&mut self, spec: Spec) -> Result<(), AudioError> {
        let per_column = f64::from(spec.sample_rate) / f64::from(self.columns_per_second);
        self.frames_per_column = (per_column.round() as usize).max(1);
        self.run = Some(Run::new(spec.sample_rate));
        Ok(())
    }

    fn wants_measurement(&self) -> bool {
        false
    }

    fn see(&mut self, block: &Block) -> Result<(), AudioError> {
        let Some(mut run) = self.run.take() else {
            return Ok(());
        };
        let scale = 1.0 / block.channels().max(1) as f32;
        let from = run.waiting.len();
        run.waiting.resize(from + block.frames(), 0.0);
        for plane in block.planes() {
            for (sum, x) in run.waiting[from..].iter_mut().zip(plane) {
                *sum += x * scale;
            }
        }
        let needed = self.frames_per_column.max(run.window.len()) + run.window.len();
        while run.waiting.len() >= needed + self.frames_per_column {
            self.column(&mut run)?;
        }
        self.run = Some(run);
        Ok(())
    }
}

impl Run {
    fn new(sample_rate: u32) -> Self {
        // About as long in time at any rate.
        let frames = WINDOW_AT_48K as f32 * sample_rate as f32 / 48_000.0;
        let size = (frames.log2().ceil().exp2() as usize).max(256);
        let window: Vec<f32> = (0..size)
            .map(|i| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / size as f32).cos())
            .collect();
        let fft = RealFftPlanner::new().plan_fft_forward(size);
        Self {
            spectrum: fft.make_output_vec(),
            powers: vec![0.0; size / 2 + 1],
            fft,
            bands: bands(sample_rate, size),
            // The first column is in the middle of its window.
            waiting: vec![0.0; size / 2],
            scratch: vec![0.0; size],
            window,
            column: 0,
            tile: vec![0; TILE_COLUMNS * TILE_ROWS],
        }
    }

    /// The loudest of some windows over the column, bin by bin, as powers of full scale.
    fn listen(&mut self, frames_per_column: usize) {
        let size = self.window.len();
        let windows = frames_per_column.div_ceil(size).clamp(1, WINDOWS_MAX);
        self.powers.fill(0.0);
        // A full-scale tone has the power 1.
        let scale = (4.0 / size as f32).powi(2);
        for place in 0..windows {
            let from = place * frames_per_column / windows;
            let frames = &self.waiting[from..from + size];
            for ((to, x), weight) in self.scratch.iter_mut().zip(frames).zip(&self.window) {
                *to = x * weight;
            }
            let done = self.fft.process(&mut self.scratch, &mut self.spectrum);
            debug_assert!(done.is_ok(), "the buffers were made for it");
            for (power, bin) in self.powers.iter_mut().zip(&self.spectrum) {
                *power = power.max(bin.norm_sqr() * scale);
            }
        }
    }
}

/// Triangles over the bins, equally wide in mel from 0 Hz to half the rate. Where one is narrower than a bin
/// it hears the nearest.
fn bands(sample_rate: u32, size: usize) -> Vec<(usize, Vec<f32>)> {
    let mel = |hz: f32| 1127.0 * (1.0 + hz / 700.0).ln();
    let bin_hz = sample_rate as f32 / size as f32;
    let top = mel(sample_rate as f32 / 2.0);
    let hz_of = |place: f32| {
        let mel = top * place / (TILE_ROWS + 1) as f32;
        700.0 * ((mel / 1127.0).exp() - 1.0)
    };
    let band = |row: usize| {
        let (low, middle, high) = (
            hz_of(row as f32) / bin_hz,
            hz_of(row as f32 + 1.0) / bin_hz,
            hz_of(row as f32 + 2.0) / bin_hz,
        );
        let (first, last) = (low.ceil() as usize, (high.floor() as usize).min(size / 2));
        let weight = |bin: usize| {
            let bin = bin as f32;
            match bin <= middle {
                true => (bin - low) / (middle - low),
                false => (high - bin) / (high - middle),
            }
        };
        let mut weights: Vec<f32> = (first..=last).map(weight).collect();
        // One tone in the band is as loud as it is.
        let most = weights.iter().copied().fold(0.0, f32::max);
        if most <= 0.5 {
            return (middle.round().min((size / 2) as f32) as usize, vec![1.0]);
        }
        weights.iter_mut().for_each(|weight| *weight /= most);
        (first, weights)
    };
    (0..TILE_ROWS).map(band).collect()
}

/// Of one tile's pixels.
fn png(pixels: &[u8]) -> io::Result<Vec<u8>> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = (TILE_COLUMNS as u32).to_be_bytes().to_vec();
    header.extend((TILE_ROWS as u32).to_be_bytes());
    // Eight bits of grey.
    header.extend([8, 0, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    for row in pixels.chunks(TILE_COLUMNS) {
        // The filter: each pixel less the one before.
        let mut before = 0;
        let filtered = row.iter().map(|&pixel| {
            let difference = pixel.wrapping_sub(before);
            before = pixel;
            difference
        });
        let line: Vec<u8> = [1].into_iter().chain(filtered).collect();
        packed.write_all(&line)?;
    }
    chunk(&mut file, b"IDAT", &packed.finish()?);
    chunk(&mut file, b"IEND", &[]);
    Ok(file)
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    file.extend((body.len() as u32).to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(body);
    file.extend(kind);
    file.extend(body);
    file.extend(crc.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read;

    use super::*;

    fn pixels(png: &[u8]) -> Vec<u8> {
        assert_eq!(&png[12..16], b"IHDR");
        let mut at = 8;
        let mut packed = Vec::new();
        while at < png.len() {
            let bytes = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
            if &png[at + 4..at + 8] == b"IDAT" {
                packed.extend_from_slice(&png[at + 8..at + 8 + bytes]);
            }
            at += 12 + bytes;
        }
        let mut lines = Vec::new();
        flate2::read::ZlibDecoder::new(&packed[..])
            .read_to_end(&mut lines)
            .unwrap();
        let mut pixels = Vec::new();
        for line in lines.chunks(TILE_COLUMNS + 1) {
            assert_eq!(line[0], 1);
            let mut value = 0u8;
            pixels.extend(line[1..].iter().map(|difference| {
                value = value.wrapping_add(*difference);
                value
            }));
        }
        pixels
    }

    fn tiles(
        rate: u32,
        per_second: u32,
        columns: std::ops::Range<u64>,
        signal: &[f32],
        piece: usize,
    ) -> Vec<(u64, Vec<u8>)> {
        let mut tiles = Vec::new();
        let mut give = |place: u64, png: &[u8]| {
            tiles.push((place, pixels(png)));
            Ok(())
        };
        let mut maker = SpectrogramTiles::new(per_second, columns, &mut give);
        maker.begin(Spec::new(rate, 1)).unwrap();
        for piece in signal.chunks(piece) {
            maker.see(&Block::mono(piece.to_vec())).unwrap();
        }
        maker.finish().unwrap();
        tiles
    }

    fn tone(rate: u32, hz: f32, frames: usize) -> Vec<f32> {
        let step = std::f32::consts::TAU * hz / rate as f32;
        (0..frames)
            .map(|frame| (frame as f32 * step).sin())
            .collect()
    }

    /// The brightest row of a column, from the lowest pitch, and its level.
    fn loudest(tile: &[u8], column: usize) -> (usize, u8) {
        let rows = (0..TILE_ROWS).map(|row| tile[(TILE_ROWS - 1 - row) * TILE_COLUMNS + column]);
        rows.enumerate().max_by_key(|(_, level)| *level).unwrap()
    }

    #[test]
    fn a_tone_is_a_bright_line_at_its_pitch() {
        for rate in [8_000, 44_100, 48_000, 96_000] {
            for hz in [300.0, 1_000.0, 3_000.0] {
                let tiles = tiles(
                    rate,
                    200,
                    0..u64::MAX,
                    &tone(rate, hz, 5 * rate as usize),
                    4_800,
                );
                assert_eq!(tiles.len(), 1, "{rate}");
                let mel = |hz: f32| 1127.0 * (1.0 + hz / 700.0).ln();
                let row = mel(hz) / mel(rate as f32 / 2.0) * 129.0 - 1.0;
                let (is, level) = loudest(&tiles[0].1, 500);
                assert!(
                    (is as f32 - row).abs() <= 2.5,
                    "{rate} {hz}: {is}, not {row}"
                );
                assert!(level > 245, "{level}");
                let silent = tiles[0].1.iter().filter(|level| **level < 60).count();
                assert!(silent > TILE_COLUMNS * TILE_ROWS / 2, "{silent}");
            }
        }
    }

    #[test]
    fn what_begins_begins_in_its_column_and_any_blocks_give_the_same_tiles() {
        for per_column in [100, 1_000, 12_000] {
            let start = 600 * per_column as usize;
            let mut signal = vec![0.0; start];
            signal.extend(tone(48_000, 1_000.0, 700 * per_column as usize));
            let all = tiles(48_000, 48_000 / per_column, 0..u64::MAX, &signal, 4_800);
            assert_eq!(all.iter().map(|tile| tile.0).collect::<Vec<_>>(), [0, 1]);
            // A window reaches over a few narrow columns.
            let reach = 1 + 1024 / per_column as usize;
            assert!(loudest(&all[0].1, 600 - reach - 1).1 < 30);
            assert!(loudest(&all[0].1, 600 + reach + 1).1 > 240);
            // The recording ends after 1,300 columns.
            assert!(loudest(&all[1].1, 1300 - 1024 - reach - 1).1 > 240);
            assert_eq!(loudest(&all[1].1, 1300 - 1024 + reach).1, 0);
            assert!(all == tiles(48_000, 48_000 / per_column, 0..u64::MAX, &signal, 777));
            let second = tiles(48_000, 48_000 / per_column, 1_100..1_101, &signal, 4_800);
            assert!(second == all[1..]);
        }
        assert!(tiles(48_000, 1_000, 0..10, &[], 100).is_empty());
    }
}
