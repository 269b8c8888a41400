//! Recordings as no microphone makes them, out of bytes that mean nothing: whatever the encoder is given, it
//! writes a file that reads back as long. For the fuzzer (audio/fuzz) and, from seeds, for the tests.

use std::io::{Seek, SeekFrom};

use retake_audio::{
    AudioError, Block, Encoder, Encoding, FlacBits, Format, Limits, Spec, Tags, WavDepth, decode,
};

const FRAMES_MAX: u32 = 12_000;
const PIECE_MAX: u32 = 3_000;

/// The next of the bytes; zeros behind them.
struct Dice<'a>(&'a [u8]);

impl Dice<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn number(&mut self, below: u32) -> u32 {
        let bytes = [self.byte(), self.byte(), self.byte(), 0];
        u32::from_le_bytes(bytes) % below
    }

    fn flip(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    fn format(&mut self) -> Format {
        let bitrate = self.flip().then(|| 1_000 * self.number(700));
        match self.byte() % 8 {
            0 => Format::Wav {
                depth: WavDepth::Int16,
            },
            1 => Format::Wav {
                depth: WavDepth::Float32,
            },
            2 => Format::Flac {
                bits: FlacBits::Bits16,
            },
            3 => Format::Flac {
                bits: FlacBits::Bits24,
            },
            4 => Format::OggOpus { bitrate_bps: None },
            5 => Format::Mp3 {
                bitrate_bps: bitrate,
                vbr: self.flip(),
            },
            _ => Format::M4a {
                bitrate_bps: bitrate,
            },
        }
    }

    /// A stretch of something that is hard to code.
    fn stretch(&mut self, channels: usize, frames: usize) -> Block {
        let (kind, seed) = (self.byte() % 9, u32::from(self.byte()));
        Block::from_fn(channels, frames, |channel, frame| {
            let place = frame as u32 ^ (channel as u32).wrapping_mul(0x9e37) ^ seed;
            let noise = (place.wrapping_mul(0x9e37_79b9) >> 8) as f32 / 8_388_608.0 - 1.0;
            match kind {
                0 => 0.0,
                1 => f32::NAN,
                2 if frame % 2 == 0 => f32::INFINITY,
                2 => f32::NEG_INFINITY,
                3 if frame / 37 % 2 == 0 => 1.0,
                3 => -1.0,
                4 => 8.0 * noise,
                5 => noise,
                6 => f32::from_bits(place.wrapping_mul(0x9e37_79b9)),
                7 => 1e-42,
                _ if frame == frames / 2 => 1.0,
                _ => 0.0,
            }
        })
    }
}

/// Panics where what was written does not read back as it should.
pub fn check(bytes: &[u8]) {
    let mut dice = Dice(bytes);
    let format = dice.format();
    let rate = match dice.flip() {
        true => [8_000, 11_025, 22_050, 44_100, 48_000, 96_000][dice.number(6) as usize],
        false => 8_000 + dice.number(184_001),
    };
    let channels = 1 + dice.number(format.channels_max().min(8));
    let spec = Spec::new(rate, channels);
    let encoding = Encoding {
        mono: dice.flip(),
        ..Encoding::from(format)
    };
    let frames = u64::from(dice.number(FRAMES_MAX));
    let stated = if dice.flip() { frames } else { 1 << 30 };
    let what = format!("{frames} frames ({stated}) at {spec} as {encoding:?}");

    let mut out = tempfile::tempfile().expect("a scratch file");
    let into = out.try_clone().expect("another handle");
    let written = encoding.written(spec);
    let mut encoder = Encoder::create(encoding, spec, stated, &Tags::default(), into)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut left = frames;
    while left > 0 {
        let piece = u64::from(1 + dice.number(PIECE_MAX)).min(left);
        let block = dice.stretch(channels as usize, piece as usize);
        let pushed = encoder.push(&block);
        pushed.unwrap_or_else(|error| panic!("{what}: {error}"));
        left -= piece;
    }
    let finished = encoder.finish();
    finished.unwrap_or_else(|error| panic!("{what}: {error}"));

    out.seek(SeekFrom::Start(0)).expect("its beginning");
    let dir = std::env::temp_dir();
    let decoded = match decode(out, &Limits::default(), None, &dir, &mut |_| ()) {
        Err(AudioError::Empty) if frames == 0 => return,
        decoded => decoded.unwrap_or_else(|error| panic!("{what}: {error}")),
    };
    if frames == 0 {
        return;
    }
    let to = decoded.spec.sample_rate;
    let expected = (frames as f64 * f64::from(to) / f64::from(rate)).round();
    let off = (decoded.frames as f64 - expected).abs();
    let allowed = match format {
        Format::OggOpus { .. } => 3.0,
        _ => 0.0,
    };
    assert!(off <= allowed, "{what}: {} of {expected}", decoded.frames);
    assert_eq!(decoded.spec.channels, written.channels, "{what}");
    let is_exact = matches!(
        format,
        Format::Wav {
            depth: WavDepth::Float32
        }
    );
    let peak = decoded.measured.measurement.sample_peak_dbfs;
    let is_bounded = peak.is_none_or(|peak| peak.is_finite() && (is_exact || peak < 12.0));
    assert!(is_bounded, "{what}: {peak:?} dBFS");
}
