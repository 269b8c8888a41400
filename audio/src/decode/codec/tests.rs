//! Every decoder on packets of tones that FFmpeg has encoded (`fixtures/`: a line with rate,
//! channels, bytes of a block and bytes of configuration; the configuration; packets behind their
//! lengths), and on what is left of them after damage.
#![allow(clippy::unwrap_used)]

use super::*;

const STEREO: &[f64] = &[440.0, 1000.0];
const SURROUND: &[f64] = &[440.0, 1000.0, 1500.0, 60.0, 2500.0, 3000.0];
const MONO: &[f64] = &[440.0];

struct Fixture {
    name: &'static str,
    codec: Codec,
    bytes: &'static [u8],
    /// In the order of WAVE.
    tones_hz: &'static [f64],
    mask: u32,
}

macro_rules! fixture {
    ($name:literal, $codec:expr, $tones:expr, $mask:literal) => {
        Fixture {
            name: $name,
            codec: $codec,
            bytes: include_bytes!(concat!("fixtures/", $name, ".packets")),
            tones_hz: $tones,
            mask: $mask,
        }
    };
}

const FIXTURES: &[Fixture] = &[
    fixture!("aac", Codec::Aac, STEREO, 0x3),
    fixture!("ac3", Codec::Ac3, STEREO, 0x3),
    fixture!("adpcm_ima", Codec::AdpcmIma, STEREO, 0x3),
    fixture!("adpcm_ima_qt", Codec::AdpcmImaQt, STEREO, 0x3),
    fixture!("adpcm_ms", Codec::AdpcmMs, STEREO, 0x3),
    fixture!("adts", Codec::Aac, STEREO, 0x3),
    fixture!("alac", Codec::Alac, STEREO, 0x3),
    fixture!("eac3", Codec::Eac3, SURROUND, 0x60f),
    fixture!("flac", Codec::Flac, STEREO, 0x3),
    fixture!("g722", Codec::G722, MONO, 0x4),
    fixture!("gsm", Codec::Gsm, MONO, 0x4),
    fixture!("gsm_ms", Codec::GsmMs, MONO, 0x4),
    fixture!("mp2", Codec::Mp2, STEREO, 0x3),
    fixture!("mp3", Codec::Mp3, STEREO, 0x3),
    fixture!("opus", Codec::Opus, STEREO, 0x3),
    fixture!("opus255", Codec::Opus, SURROUND, 0x0),
    fixture!("opus51", Codec::Opus, SURROUND, 0x3f),
    fixture!("vorbis", Codec::Vorbis, STEREO, 0x3),
    fixture!("vorbis51", Codec::Vorbis, SURROUND, 0x3f),
    fixture!("wavpack", Codec::WavPack, STEREO, 0x3),
    fixture!("wavpack51", Codec::WavPack, SURROUND, 0x3f),
];

impl Fixture {
    fn read(&self) -> (CodecParams, Vec<Vec<u8>>) {
        let line = self.bytes.iter().position(|&byte| byte == b'\n').unwrap();
        let numbers: Vec<u32> = std::str::from_utf8(&self.bytes[..line])
            .unwrap()
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        let (extra, mut rest) = self.bytes[line + 1..].split_at(numbers[3] as usize);
        let params = CodecParams {
            sample_rate: Some(numbers[0]),
            channels: Some(numbers[1]),
            block_bytes: Some(numbers[2]).filter(|&bytes| bytes > 0),
            extra: extra.to_vec(),
            ..CodecParams::new(self.codec.clone())
        };
        let mut packets = Vec::new();
        while let Some((length, more)) = rest.split_first_chunk() {
            let (packet, more) = more.split_at(usize::from(u16::from_le_bytes(*length)));
            packets.push(packet.to_vec());
            rest = more;
        }
        (params, packets)
    }
}

/// How loud a tone is, and all that is not it.
fn tone(samples: &[f32], frequency_hz: f64, rate: u32) -> (f64, f64) {
    let (mut sine, mut cosine, mut power) = (0.0, 0.0, 0.0);
    for (frame, &sample) in samples.iter().enumerate() {
        let phase = std::f64::consts::TAU * frequency_hz * frame as f64 / f64::from(rate);
        let sample = f64::from(sample);
        sine += sample * phase.sin();
        cosine += sample * phase.cos();
        power += sample * sample;
    }
    let frames = samples.len() as f64;
    let amplitude = 2.0 * sine.hypot(cosine) / frames;
    (
        amplitude,
        (power / frames - amplitude * amplitude / 2.0)
            .max(0.0)
            .sqrt(),
    )
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

#[test]
fn every_channel_has_its_tone_and_packets_the_frames_that_they_say() {
    let mut wrong = Vec::new();
    for fixture in FIXTURES {
        let name = fixture.name;
        let (params, packets) = fixture.read();
        let rate = params.sample_rate.unwrap();
        let mut decoder = open(&params).unwrap();
        let mut heard = Block::new(fixture.tones_hz.len());
        let mut block = Block::default();
        for packet in &packets {
            let frames = decoder.frames(packet);
            let spec = decoder.decode(packet, &mut block).unwrap();
            assert_eq!(block.channels(), fixture.tones_hz.len(), "{name}");
            assert_eq!(
                (spec.sample_rate, spec.mask.bits()),
                (rate, fixture.mask),
                "{name}"
            );
            // Before the first packet of AAC nothing tells.
            if let Some(frames) = frames {
                assert_eq!(frames, block.frames() as u64, "{name}");
            }
            heard.append(&block);
        }
        // Whole periods of every tone, behind the coder's delay.
        let frames = (rate / 20) as usize;
        let start = (heard.frames() - frames) / 2;
        // Wide enough for FFmpeg's encoder of AAC: it is about the right tone in the right place.
        for (channel, &frequency) in fixture.tones_hz.iter().enumerate() {
            let samples = &heard.plane(channel)[start..start + frames];
            let (amplitude, rest) = tone(samples, frequency, rate);
            let expected = if channel == 0 { 0.5 } else { 0.25 };
            if (amplitude / expected - 1.0).abs() > 0.25 || rest > 0.4 * expected {
                wrong.push(format!(
                    "{name}: channel {channel} has {frequency} Hz at {amplitude}, {rest} besides"
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn amr_comes_back_and_its_silences_have_their_length() {
    use codec_core::{
        codecs::amr::AmrCodec,
        types::{CodecConfig, CodecType, SampleRate, VariableRateCodec},
    };
    let cases = [
        (
            Codec::AmrNb,
            CodecType::AmrNb,
            SampleRate::Rate8000,
            8000,
            160,
        ),
        (
            Codec::AmrWb,
            CodecType::AmrWb,
            SampleRate::Rate16000,
            16_000,
            320,
        ),
    ];
    for (codec, encoded, sample_rate, rate, length) in cases {
        let config = CodecConfig::new(encoded)
            .with_sample_rate(sample_rate)
            .with_channels(1);
        let mut encoder = AmrCodec::new(&config).unwrap();
        let mut decoder = open(&CodecParams::new(codec)).unwrap();
        let mut heard = Block::new(1);
        let mut block = Block::default();
        for frame in 0..20 {
            let samples: Vec<i16> = (frame * length..(frame + 1) * length)
                .map(|n| {
                    (8000.0 * (n as f32 * 440.0 * std::f32::consts::TAU / rate as f32).sin()) as i16
                })
                .collect();
            let coded = encoder.encode_frame(&samples).unwrap();
            let mut packet = vec![coded.mode << 3 | 4];
            packet.extend(coded.data);
            assert_eq!(decoder.frames(&packet), Some(length as u64));
            let spec = decoder.decode(&packet, &mut block).unwrap();
            assert_eq!((spec.sample_rate, spec.mask.bits()), (rate, 4));
            heard.append(&block);
        }
        let samples = &heard.plane(0)[heard.frames() / 2..][..rate as usize / 10];
        let (amplitude, rest) = tone(samples, 440.0, rate);
        assert!(
            (0.18..0.3).contains(&amplitude) && rest < 0.05,
            "{amplitude} {rest}"
        );
        // Nothing sent, three times in one packet.
        assert_eq!(decoder.frames(&[0x7c; 3]), Some(3 * length as u64));
        decoder.decode(&[0x7c; 3], &mut block).unwrap();
        assert_eq!(block.frames(), 3 * length);
        for packet in [&[][..], &[0x04], &[0x54, 0, 0, 0, 0, 0], &[0xff; 9]] {
            let _ = decoder.decode(packet, &mut block);
            assert!(block.frames() <= 64 * length);
        }
    }
}

#[test]
fn a_packet_of_a_stream_that_cannot_be_is_refused_by_name() {
    let refused = |codec: Codec, extra: &[u8]| {
        let params = CodecParams {
            extra: extra.to_vec(),
            ..CodecParams::new(codec)
        };
        open(&params)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    // Object type 42, and 36 (MPEG-4 ALS).
    assert!(refused(Codec::Aac, &[0xf9, 0x46, 0x10, 0x00]).contains("xHE-AAC"));
    assert!(refused(Codec::Aac, &[0xf8, 0x86, 0x10, 0x00]).contains("object type 36"));
    let at_44100 = CodecParams {
        sample_rate: Some(44_100),
        ..CodecParams::new(Codec::Ac3)
    };
    let error = open(&at_44100).err().unwrap().to_string();
    assert!(error.contains("AC-3 at 44.1 kHz"), "{error}");
    // Ambisonics with a matrix.
    let head = b"OpusHead\x01\x04\x38\x01\x80\xbb\0\0\0\0\x03\x02\x02\0\x01\x02\x03";
    assert!(refused(Codec::Opus, head).contains("mapping family 3"));
    assert!(refused(Codec::Unknown("TrueHD".into()), &[]).contains("TrueHD"));
}

#[test]
fn a_decoder_that_was_reset_is_like_a_new_one() {
    for fixture in FIXTURES {
        let (params, packets) = fixture.read();
        let mut decoder = open(&params).unwrap();
        let mut runs = [(); 2].map(|()| {
            let mut heard = Vec::new();
            for packet in &packets {
                let mut block = Block::default();
                decoder.decode(packet, &mut block).unwrap();
                heard.push(block);
            }
            decoder.reset();
            heard
        });
        // Noise in place of what was not coded goes on where it was.
        if !matches!(fixture.codec, Codec::Ac3 | Codec::Eac3 | Codec::Aac) {
            let [first, second] = &mut runs;
            assert!(first == second, "{}", fixture.name);
        }
    }
}

#[test]
fn damaged_packets_are_errors_or_sound_of_bounded_length() {
    let mut random = Random(7);
    for fixture in FIXTURES {
        let (params, packets) = fixture.read();
        let mut decoder = open(&params).unwrap();
        let mut block = Block::default();
        for round in 0..60 {
            let mut packet = packets[round % packets.len()].clone();
            match random.below(5) {
                0 => packet.truncate(random.below(packet.len() + 1)),
                1 => packet.extend((0..random.below(600)).map(|_| random.next() as u8)),
                2 => packet
                    .iter_mut()
                    .for_each(|byte| *byte = random.next() as u8),
                _ => {
                    for _ in 0..1 + random.below(19) {
                        let at = random.below(packet.len().max(1));
                        if let Some(byte) = packet.get_mut(at) {
                            *byte ^= 1 << random.below(8);
                        }
                    }
                }
            }
            let stated = decoder.frames(&packet);
            let heard = decoder.decode(&packet, &mut block);
            let name = fixture.name;
            assert!(
                block.frames() <= 1 << 17 && block.channels() <= 16,
                "{name}"
            );
            assert!(stated.is_none_or(|frames| frames <= 1 << 17), "{name}");
            if heard.is_ok() {
                let _ = block.is_finite();
            }
        }
        // And goes on with what is sound.
        let last = packets.last().unwrap();
        let _ = decoder.decode(last, &mut block);
        decoder.reset();
        assert!(
            decoder.decode(&packets[0], &mut block).is_ok(),
            "{}",
            fixture.name
        );
    }
}

#[test]
fn damaged_configurations_are_refused_or_decode_something() {
    let mut random = Random(8);
    for fixture in FIXTURES {
        let (params, packets) = fixture.read();
        for _ in 0..30 {
            let mut params = params.clone();
            match random.below(4) {
                0 => params.extra.truncate(random.below(params.extra.len() + 1)),
                1 => params.channels = Some(random.below(300) as u32),
                2 => params.sample_rate = Some(random.next() as u32),
                _ => {
                    for _ in 0..3 {
                        let at = random.below(params.extra.len().max(1));
                        if let Some(byte) = params.extra.get_mut(at) {
                            *byte = random.next() as u8;
                        }
                    }
                }
            }
            params.block_bytes = Some(random.below(2000) as u32).filter(|bytes| *bytes > 0);
            let Ok(mut decoder) = open(&params) else {
                continue;
            };
            let mut block = Block::default();
            for packet in packets.iter().take(3) {
                let _ = decoder.frames(packet);
                let _ = decoder.decode(packet, &mut block);
                assert!(block.channels() <= 16, "{}", fixture.name);
            }
        }
    }
}
