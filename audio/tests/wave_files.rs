//! WAVE files as recorders, pipes and crashes leave them.
#![allow(clippy::unwrap_used)]

mod signals;

use retake_audio::{AudioError, Block, Limits, decode};
use retake_findings::{Code, Finding};
use signals::{decode_bytes, file_of, fixture_bytes, samples, wav_bytes};

struct Wave {
    code: u16,
    channels: u16,
    rate: u32,
    bits: u16,
    container_bytes: u16,
    is_extensible: bool,
    riff_size: Option<u32>,
    data_size: Option<u32>,
    data: Vec<u8>,
    tail: Vec<u8>,
}

impl Wave {
    fn pcm16(values: &[i16]) -> Self {
        Self {
            code: 1,
            channels: 1,
            rate: 48_000,
            bits: 16,
            container_bytes: 2,
            is_extensible: false,
            riff_size: None,
            data_size: None,
            data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            tail: Vec::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let frame_bytes = self.container_bytes * self.channels;
        let mut fmt = Vec::new();
        fmt.extend(
            if self.is_extensible {
                0xfffe
            } else {
                self.code
            }
            .to_le_bytes(),
        );
        fmt.extend(self.channels.to_le_bytes());
        fmt.extend(self.rate.to_le_bytes());
        fmt.extend(self.rate.wrapping_mul(u32::from(frame_bytes)).to_le_bytes());
        fmt.extend(frame_bytes.to_le_bytes());
        fmt.extend((8 * self.container_bytes).to_le_bytes());
        if self.is_extensible {
            fmt.extend(22u16.to_le_bytes());
            fmt.extend(self.bits.to_le_bytes());
            fmt.extend(0u32.to_le_bytes());
            fmt.extend(self.code.to_le_bytes());
            fmt.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
        }
        let mut bytes = b"RIFF".to_vec();
        bytes.extend(self.riff_size.unwrap_or(4_000).to_le_bytes());
        bytes.extend(b"WAVE");
        bytes.extend(b"LIST\x03\0\0\0abc\0");
        bytes.extend(b"fmt ");
        bytes.extend((fmt.len() as u32).to_le_bytes());
        bytes.extend(fmt);
        bytes.extend(b"data");
        bytes.extend(
            self.data_size
                .unwrap_or(self.data.len() as u32)
                .to_le_bytes(),
        );
        bytes.extend(&self.data);
        bytes.extend(&self.tail);
        bytes
    }
}

fn check_values(wave: &Wave, expected: &[f32], warnings: usize) {
    let decoded = decode_bytes(&wave.bytes()).unwrap();
    let about_file = |finding: &&Finding| !decoded.measured.findings.contains(finding);
    let found = decoded.findings.iter().filter(about_file).count();
    assert_eq!(found, warnings, "{:?}", decoded.findings);
    let seen = samples(decoded);
    let interleaved: Vec<f32> = (0..seen.frames())
        .flat_map(|frame| seen.planes().map(move |c| c[frame]).collect::<Vec<_>>())
        .collect();
    assert_eq!(interleaved, expected);
}

#[test]
fn every_width_and_kind_of_sample_is_scaled_to_full_scale() {
    let with = |code, container_bytes, data: &[u8]| Wave {
        code,
        container_bytes,
        bits: container_bytes * 8,
        data: data.to_vec(),
        ..Wave::pcm16(&[])
    };
    check_values(&with(1, 1, &[0, 128, 192]), &[-1.0, 0.0, 0.5], 0);
    check_values(&with(1, 2, &[0, 0x80, 0, 0x40]), &[-1.0, 0.5], 0);
    check_values(&with(1, 3, &[0, 0, 0x80, 0, 0, 0x40]), &[-1.0, 0.5], 0);
    check_values(
        &with(1, 4, &[0, 0, 0, 0x80, 0, 0, 0, 0x40]),
        &[-1.0, 0.5],
        0,
    );
    check_values(&with(3, 4, &0.25f32.to_le_bytes()), &[0.25], 0);
    check_values(&with(3, 8, &(-0.25f64).to_le_bytes()), &[-0.25], 0);
    let extensible = Wave {
        is_extensible: true,
        channels: 2,
        ..with(1, 3, &[0, 0, 0x40, 0, 0, 0x20])
    };
    check_values(&extensible, &[0.5, 0.25], 0);
    let twenty_in_24 = Wave {
        bits: 20,
        ..with(1, 3, &[0, 0, 0x40])
    };
    check_values(
        &Wave {
            is_extensible: true,
            ..twenty_in_24
        },
        &[0.5],
        0,
    );
}

#[test]
fn sizes_that_were_never_filled_in_go_up_to_the_end_of_the_file() {
    for size in [0, u32::MAX] {
        let wave = Wave {
            riff_size: Some(size),
            data_size: Some(size),
            ..Wave::pcm16(&[16_384, -16_384, 8192])
        };
        check_values(&wave, &[0.5, -0.5, 0.25], 0);
    }
    let small_riff = Wave {
        riff_size: Some(10),
        ..Wave::pcm16(&[16_384])
    };
    check_values(&small_riff, &[0.5], 0);
}

#[test]
fn chunks_behind_the_data_are_not_audio() {
    let tail = b"LIST\x04\0\0\0abcd".to_vec();
    let wave = Wave {
        tail: tail.clone(),
        ..Wave::pcm16(&[16_384])
    };
    check_values(&wave, &[0.5], 0);
    let empty = Wave {
        tail,
        ..Wave::pcm16(&[])
    };
    assert!(matches!(
        decode_bytes(&empty.bytes()),
        Err(AudioError::Empty)
    ));
}

#[test]
fn a_file_that_is_cut_says_so() {
    let wave = Wave {
        data_size: Some(1000),
        ..Wave::pcm16(&[16_384, 8192])
    };
    check_values(&wave, &[0.5, 0.25], 1);
}

#[test]
fn a_header_alone_is_an_empty_recording() {
    assert!(matches!(
        decode_bytes(&Wave::pcm16(&[]).bytes()),
        Err(AudioError::Empty)
    ));
}

#[test]
fn nonsense_in_the_header_is_refused_and_not_believed() {
    let of_rate = |rate| {
        let wave = Wave {
            rate,
            ..Wave::pcm16(&[1, 2, 3])
        };
        decode_bytes(&wave.bytes()).unwrap_err()
    };
    let error = of_rate(u32::MAX).to_string();
    assert!(error.starts_with("sample rate is 4294967295 Hz"), "{error}");
    assert!(matches!(of_rate(0), AudioError::Damaged { .. }));
    let wave = Wave {
        channels: 300,
        ..Wave::pcm16(&[0; 600])
    };
    let error = decode_bytes(&wave.bytes()).unwrap_err().to_string();
    assert_eq!(error, "channel count is 300, allowed is 1 to 16");
}

#[test]
fn what_is_no_number_becomes_silence_and_is_counted() {
    let block = Block::from_planes(vec![
        vec![0.5, f32::NAN, 0.25],
        vec![f32::INFINITY, 0.125, f32::NEG_INFINITY],
    ])
    .unwrap();
    let decoded = decode_bytes(&wav_bytes(48_000, &block)).unwrap();
    let replaced = decoded
        .findings
        .iter()
        .find(|found| found.is(Code::SamplesReplaced));
    assert_eq!(replaced.unwrap().params["count"], 3);
    assert_eq!(
        *samples(decoded).as_planes(),
        [[0.5, 0.0, 0.25], [0.0, 0.125, 0.0]]
    );
}

#[test]
fn the_length_of_rf64_is_found_in_its_own_chunk() {
    let bytes = fixture_bytes("chirp-rf64.wav");
    let whole = decode_bytes(&bytes).unwrap();
    // A chunk behind the audio must not be taken for audio, which only ds64 can tell.
    let tailed = [bytes, b"LIST\x04\0\0\0abcd".to_vec()].concat();
    assert_eq!(decode_bytes(&tailed).unwrap().frames, whole.frames);
}

#[test]
fn whole_numbers_are_not_written_down_a_second_time() {
    let values: Vec<i16> = (0..100_000u32).map(|n| (n * 7919) as i16).collect();
    let wave = Wave {
        channels: 2,
        ..Wave::pcm16(&values)
    };
    let nowhere = std::path::Path::new("/nowhere/to/write/to");
    let read = |bytes: &[u8]| {
        decode(
            file_of(bytes),
            &Limits::default(),
            None,
            nowhere,
            &mut |_| {},
        )
    };
    let decoded = read(&wave.bytes()).unwrap();
    assert_eq!(decoded.frames, 50_000);
    let block = samples(decoded);
    for (frame, pair) in values.chunks_exact(2).enumerate() {
        for (channel, value) in pair.iter().enumerate() {
            let expected = f32::from(*value) / 32_768.0;
            assert_eq!(block.plane(channel)[frame], expected);
        }
    }
    // What looks like it and is not all of it has to be, and is read as ever.
    let joined = [wave.bytes(), wave.bytes()].concat();
    assert!(matches!(read(&joined), Err(AudioError::Io(_))));
    assert_eq!(decode_bytes(&joined).unwrap().frames, 100_000);
    // Numbers with a point might be none.
    let floats = wav_bytes(48_000, &block);
    assert!(matches!(read(&floats), Err(AudioError::Io(_))));
}
