//! Audio made for tests, and how two recordings are compared.

use std::{io::Write as _, path::Path};

use anyhow::{Context as _, Result};
use retake_audio::{Block, Format, Limits, Resampler, Tags, WavDepth};

/// Decodes a file, all of it: tests are short. By way of a WAV of 32-bit floats, which is the only
/// form in which the library lets go of samples.
pub fn decode(bytes: &[u8]) -> Result<Audio> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("audio");
    std::fs::write(&path, bytes)?;
    let file = std::fs::File::open(&path)?;
    let decoded = retake_audio::decode(file, &Limits::default(), None, folder.path(), &mut |_| {})?;
    let (spec, measurement) = (decoded.spec, decoded.measured.measurement.clone());
    let plain = folder.path().join("plain.wav");
    let format = Format::Wav {
        depth: WavDepth::Float32,
    };
    let out = std::fs::File::options()
        .create_new(true)
        .read(true)
        .write(true)
        .open(&plain)?;
    retake_audio::run(
        decoded,
        Vec::new(),
        format,
        &Tags::default,
        out,
        folder.path(),
        &mut |_| {},
    )?;

    let wav = std::fs::read(&plain)?;
    let data = wav
        .windows(4)
        .position(|four| four == b"data")
        .context("a data chunk")?
        + 8;
    let mut channels = vec![Vec::new(); spec.channels as usize];
    for (n, sample) in wav[data..].chunks_exact(4).enumerate() {
        let sample = f32::from_le_bytes(sample.try_into().expect("four bytes"));
        channels[n % spec.channels as usize].push(sample);
    }
    Ok(Audio {
        sample_rate: spec.sample_rate,
        integrated_lufs: measurement.integrated_lufs,
        true_peak_dbtp: measurement.true_peak_dbtp,
        channels,
    })
}

pub struct Audio {
    pub sample_rate: u32,
    pub channels: Vec<Vec<f32>>,
    pub integrated_lufs: Option<f64>,
    pub true_peak_dbtp: Option<f64>,
}

impl Audio {
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }
}

/// By how many frames `late` lags `early`, from the greatest normalised cross-correlation within
/// ±`reach` frames, and that correlation.
pub fn lag(early: &[f32], late: &[f32], reach: i64) -> (i64, f64) {
    // A stretch from the middle is enough, and quick.
    let length = early.len().min(late.len()).min(96_000);
    let start = (early.len().min(late.len()) - length) / 2;
    (-reach..=reach)
        .map(|lag| {
            let (mut product, mut a2, mut b2) = (0.0f64, 1e-12f64, 1e-12f64);
            for (i, &a) in early.iter().enumerate().skip(start).take(length) {
                let j = i as i64 + lag;
                if (0..late.len() as i64).contains(&j) {
                    let (a, b) = (f64::from(a), f64::from(late[j as usize]));
                    product += a * b;
                    a2 += a * a;
                    b2 += b * b;
                }
            }
            (lag, product / (a2 * b2).sqrt())
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("at least one lag")
}

/// A WAV of 16 bits: 4 s of the fixtures' speech at any rate, each channel a little quieter.
pub fn speech(path: &Path, sample_rate: u32, channels: u16) -> Result<()> {
    let speech = decode(&std::fs::read(crate::fixture("speech.flac"))?)?;
    let frames = speech.frames() as u64 * u64::from(sample_rate) / u64::from(speech.sample_rate);
    let spoken = Block::from_planes(speech.channels).context("channels equally long")?;
    let mut resampler = Resampler::new(speech.sample_rate, sample_rate, 1)?;
    let mut voice = Block::new(1);
    resampler.push(&spoken, &mut voice);
    resampler.finish(frames, &mut voice);
    let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
    let bytes = voice.frames() as u32 * u32::from(channels) * 2;
    out.write_all(&wav_header(sample_rate, channels, 16, 1, bytes))?;
    for sample in voice.samples() {
        for channel in 0..channels {
            let quieter = sample * 0.95f32.powi(i32::from(channel));
            out.write_all(&((quieter * 32767.0) as i16).to_le_bytes())?;
        }
    }
    Ok(out.flush()?)
}

/// A WAV of 16 bits: voice-like bursts (harmonics of 140 Hz under a 3 Hz envelope) with quiet noise,
/// the channels alike but for the noise.
pub fn voice_like(path: &Path, sample_rate: u32, channels: u16, seconds: f64) -> Result<()> {
    let frames = (seconds * f64::from(sample_rate)) as u32;
    let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
    out.write_all(&wav_header(
        sample_rate,
        channels,
        16,
        1,
        frames * u32::from(channels) * 2,
    ))?;
    let mut noise = Noise(1);
    for n in 0..frames {
        let t = f64::from(n) / f64::from(sample_rate);
        let envelope = (std::f64::consts::TAU * 3.0 * t).sin().max(0.0);
        let voice: f64 = (1..=12)
            .map(|k| (std::f64::consts::TAU * 140.0 * f64::from(k) * t).sin() / f64::from(k))
            .sum();
        for _ in 0..channels {
            let sample = 0.12 * envelope * voice + 0.004 * noise.next();
            out.write_all(&((sample * 32767.0) as i16).to_le_bytes())?;
        }
    }
    Ok(out.flush()?)
}

/// A WAV of 32-bit floats with just these channels.
pub fn write_wav(path: &Path, sample_rate: u32, channels: &[Vec<f32>]) -> Result<()> {
    let frames = channels.first().map_or(0, Vec::len);
    let data = (frames * channels.len() * 4) as u32;
    let mut wav = wav_header(sample_rate, channels.len() as u16, 32, 3, data);
    for frame in 0..frames {
        for channel in channels {
            wav.extend(channel[frame].to_le_bytes());
        }
    }
    Ok(std::fs::write(path, wav)?)
}

/// RIFF/WAVE header; `format` 1 is PCM, 3 is IEEE float.
pub fn wav_header(sample_rate: u32, channels: u16, bits: u16, format: u16, data: u32) -> Vec<u8> {
    let frame = channels * bits / 8;
    let mut header = Vec::with_capacity(44);
    header.extend(b"RIFF");
    header.extend((36u32.wrapping_add(data)).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16u32.to_le_bytes());
    header.extend(format.to_le_bytes());
    header.extend(channels.to_le_bytes());
    header.extend(sample_rate.to_le_bytes());
    header.extend((sample_rate * u32::from(frame)).to_le_bytes());
    header.extend(frame.to_le_bytes());
    header.extend(bits.to_le_bytes());
    header.extend(b"data");
    header.extend(data.to_le_bytes());
    header
}

/// White, from -1 to 1; xorshift, so that a test is the same every time.
pub struct Noise(pub u64);

impl Noise {
    #[allow(clippy::should_implement_trait)] // endless, and not an iterator
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as f64 / u64::MAX as f64 * 2.0 - 1.0
    }
}
