//! Signals with known formulae, files to hold them, and a way to see what the crate made of them.
#![allow(dead_code, clippy::unwrap_used)]

use std::{
    f64::consts::TAU,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use retake_audio::{
    AudioError, Block, Decoded, Emit, Finished, Format, Limits, RunError, Stage, StageError, Tags,
    WavDepth, decode, run,
};

/// What the fixtures hold: a rising tone whose every moment is different from every other, so that
/// a shift of one frame shows.
pub fn chirp(rate: u32, channels: usize, frames: usize, amplitude: f64) -> Block {
    Block::from_fn(channels, frames, |channel, frame| {
        (amplitude * chirp_value(rate, channel, frame)) as f32
    })
}

pub fn chirp_value(rate: u32, channel: usize, frame: usize) -> f64 {
    let t = frame as f64 / f64::from(rate);
    (TAU * ((300.0 + 150.0 * channel as f64) * t + 400.0 * t * t)).sin()
}

/// Uniform in -1.0..1.0, the same for the same seed.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn next(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

pub fn noise(channels: usize, frames: usize, amplitude: f32, seed: u64) -> Block {
    let mut noise = Noise::new(seed);
    Block::from_fn(channels, frames, |_, _| noise.next() * amplitude)
}

pub fn sine(rate: u32, hz: f64, amplitude: f64, frames: usize) -> Vec<f32> {
    (0..frames)
        .map(|i| (amplitude * (TAU * hz * i as f64 / f64::from(rate)).sin()) as f32)
        .collect()
}

pub fn fixture_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn fixture_bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture_path(name)).unwrap()
}

pub fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

pub fn decode_bytes(bytes: &[u8]) -> Result<Decoded, AudioError> {
    decode(
        file_of(bytes),
        &Limits::default(),
        None,
        &std::env::temp_dir(),
        &mut |_| (),
    )
}

pub fn decode_fixture(name: &str) -> Decoded {
    let file = File::open(fixture_path(name)).unwrap();
    decode(
        file,
        &Limits::default(),
        None,
        &std::env::temp_dir(),
        &mut |_| (),
    )
    .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A float WAV file that holds exactly these samples.
pub fn wav_bytes(rate: u32, block: &Block) -> Vec<u8> {
    let channels = block.channels() as u16;
    let data_bytes = (block.frames() * block.channels() * 4) as u32;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(3u16.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * u32::from(channels) * 4).to_le_bytes());
    bytes.extend((channels * 4).to_le_bytes());
    bytes.extend(32u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data_bytes.to_le_bytes());
    for frame in 0..block.frames() {
        for plane in block.planes() {
            bytes.extend(plane[frame].to_le_bytes());
        }
    }
    bytes
}

/// The same, and which loudspeakers the channels are for (WAVE_FORMAT_EXTENSIBLE).
pub fn wav_bytes_for(rate: u32, block: &Block, mask: u32) -> Vec<u8> {
    let plain = wav_bytes(rate, block);
    let mut format = plain[20..36].to_vec();
    format[..2].copy_from_slice(&0xfffeu16.to_le_bytes());
    format.extend(22u16.to_le_bytes());
    format.extend(32u16.to_le_bytes());
    format.extend(mask.to_le_bytes());
    format.extend(b"\x03\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
    let size = (plain.len() as u32 - 8 + 24).to_le_bytes();
    [
        b"RIFF",
        &size[..],
        b"WAVEfmt ",
        &40u32.to_le_bytes(),
        &format,
        &plain[36..],
    ]
    .concat()
}

pub fn decoded_from(rate: u32, block: &Block) -> Decoded {
    decode_bytes(&wav_bytes(rate, block)).unwrap()
}

/// Runs the stages into bytes of the format.
pub fn run_to_bytes(
    decoded: Decoded,
    stages: Vec<Box<dyn Stage>>,
    format: Format,
) -> Result<(Finished, Vec<u8>), RunError> {
    let mut out = tempfile::tempfile().unwrap();
    let into = out.try_clone().unwrap();
    let finished = run(
        decoded,
        stages,
        format,
        &Tags::default,
        into,
        &std::env::temp_dir(),
        &mut |_| (),
    )?;
    let mut bytes = Vec::new();
    out.seek(SeekFrom::Start(0)).unwrap();
    out.read_to_end(&mut bytes).unwrap();
    Ok((finished, bytes))
}

/// All samples of a decoded recording.
pub fn samples(decoded: Decoded) -> Block {
    let tap = Tap::default();
    let seen = tap.seen.clone();
    run_to_bytes(
        decoded,
        vec![Box::new(tap)],
        Format::Wav {
            depth: WavDepth::Int16,
        },
    )
    .unwrap();
    let seen = seen.lock().unwrap();
    seen.clone()
}

/// Remembers what passes.
#[derive(Default)]
pub struct Tap {
    pub seen: Arc<Mutex<Block>>,
}

impl Stage for Tap {
    fn name(&self) -> &str {
        "tap"
    }

    fn analyzes(&self) -> bool {
        false
    }

    fn analyze(&mut self, _: &Block) -> Result<(), StageError> {
        unreachable!("it does not analyze")
    }

    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        let mut seen = self.seen.lock().unwrap();
        if seen.channels() == 0 {
            seen.reset(block.channels());
        }
        seen.append(block);
        emit(block)
    }

    fn finish(&mut self, _: &mut Emit<'_>) -> Result<(), StageError> {
        Ok(())
    }
}

/// The shift of `actual` against `expected` that fits best, within `reach` frames, and how far the
/// error then is below the signal, in dB.
pub fn alignment(expected: &[f32], actual: &[f32], reach: i64) -> (i64, f64) {
    let edge = 2 * reach as usize;
    let window = edge..expected.len().min(actual.len()) - edge;
    let error_at = |shift: i64| {
        window
            .clone()
            .map(|i| f64::from(actual[(i as i64 + shift) as usize] - expected[i]).powi(2))
            .sum::<f64>()
    };
    let shift = (-reach..=reach)
        .min_by(|a, b| error_at(*a).total_cmp(&error_at(*b)))
        .unwrap();
    let power: f64 = window.clone().map(|i| f64::from(expected[i]).powi(2)).sum();
    (shift, 10.0 * (power / error_at(shift).max(1e-30)).log10())
}
