#![allow(clippy::unwrap_used)]
use super::{super::testing, *};
use crate::decode::demux::Stream;

fn open(bytes: &[u8]) -> Result<Option<WaveReader>, AudioError> {
    WaveReader::open(testing::source(bytes))
}

type Streams = Vec<(Stream, Vec<u8>)>;

/// All streams with their bytes, how it ended, and the codes of what was found.
fn read(bytes: &[u8]) -> (Streams, End, Vec<String>) {
    let mut reader = open(bytes).unwrap().unwrap();
    reader.select(0);
    let mut streams = Streams::new();
    let mut packet = Packet::default();
    loop {
        packet.clear();
        match reader.next(&mut packet).unwrap() {
            Next::Stream(stream) => streams.push((*stream, Vec::new())),
            Next::Packet => {
                assert!(!packet.data.is_empty());
                streams.last_mut().unwrap().1.extend(&packet.data);
            }
            Next::End(end) => {
                let codes = reader.findings().into_iter().map(|f| f.code).collect();
                return (streams, end, codes);
            }
        }
    }
}

fn chunk(id: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    let pad: &[u8] = if body.len() % 2 == 1 { &[0] } else { &[] };
    [&id[..], &size.to_le_bytes(), body, pad].concat()
}

fn full(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    chunk(id, body.len() as u32, body)
}

fn format(channels: u16, bits: u16) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut body = [1, channels].map(u16::to_le_bytes).concat();
    body.extend(48_000u32.to_le_bytes());
    body.extend((48_000 * u32::from(block)).to_le_bytes());
    body.extend([block, bits].map(u16::to_le_bytes).concat());
    full(b"fmt ", &body)
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [
        &b"RIFF"[..],
        &(body.len() as u32 + 4).to_le_bytes(),
        b"WAVE",
        &body,
    ]
    .concat()
}

fn samples(first: u8, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| first.wrapping_add(n as u8)).collect()
}

/// One complete stream of these bytes and nothing to say.
#[track_caller]
fn check_plain(file: &[u8], expected: &[u8]) {
    let (streams, end, codes) = read(file);
    assert_eq!(streams.len(), 1);
    assert_eq!(streams[0].1, expected);
    assert_eq!((end, codes.len()), (End::Complete, 0), "{codes:?}");
}

#[test]
fn chunks_come_in_any_order() {
    let audio = samples(1, 40);
    let list = full(b"LIST", b"INFOx");
    check_plain(&riff(&[format(2, 16), full(b"data", &audio)]), &audio);
    check_plain(
        &riff(&[full(b"data", &audio), list.clone(), format(2, 16)]),
        &audio,
    );
    check_plain(
        &riff(&[list.clone(), format(1, 16), list, full(b"data", &audio)]),
        &audio,
    );
}

#[test]
fn a_size_that_was_never_filled_in_goes_to_the_end() {
    let audio = samples(7, 40);
    for size in [0, u32::MAX, 0x7fff_f000, 0x8000_0000, u32::MAX - 36] {
        check_plain(
            &riff(&[format(2, 16), chunk(b"data", size, &audio)]),
            &audio,
        );
    }
}

#[test]
fn data_of_size_0_before_chunks_is_empty() {
    let file = riff(&[format(2, 16), full(b"data", b""), full(b"LIST", b"INFO")]);
    check_plain(&file, b"");
}

#[test]
fn a_file_that_stops_too_early_is_truncated() {
    let audio = samples(7, 41);
    let file = riff(&[format(2, 16), chunk(b"data", 4000, &audio)]);
    let (streams, end, _) = read(&file[..file.len() - 1]);
    assert_eq!(streams[0].1, audio[..40]);
    assert_eq!(end, End::Truncated);
}

#[test]
fn an_odd_chunk_is_padded_or_not() {
    let audio = samples(7, 40);
    for pad in [&b""[..], b"\0"] {
        let list = [&b"LIST\x05\0\0\0INFOx"[..], pad].concat();
        check_plain(
            &riff(&[list.clone(), format(2, 16), full(b"data", &audio)]),
            &audio,
        );
        check_plain(&riff(&[format(2, 16), full(b"data", &audio), list]), &audio);
    }
}

#[test]
fn the_size_stands_in_ds64() {
    let audio = samples(7, 40);
    let sizes = [&[0; 8][..], &40u64.to_le_bytes(), &[0; 12]].concat();
    for magic in [b"RF64", b"BW64"] {
        let mut file = riff(&[
            full(b"ds64", &sizes),
            format(2, 16),
            chunk(b"data", u32::MAX, &audio),
            full(b"LIST", b"INFO"),
        ]);
        file[..4].copy_from_slice(magic);
        check_plain(&file, &audio);
    }
}

#[test]
fn a_list_of_chunks_of_audio_is_one_stream() {
    let (a, b) = (samples(7, 40), samples(99, 44));
    let both = [&a[..], &b].concat();
    let parts = [full(b"data", &a), full(b"data", &b)].concat();
    let list = [&b"wavl"[..], &parts].concat();
    check_plain(&riff(&[format(2, 16), full(b"LIST", &list)]), &both);
}

#[test]
fn silence_in_a_list_of_waves_is_heard() {
    let (a, b) = (samples(7, 40), samples(99, 44));
    let silence = |frames: u32| full(b"slnt", &frames.to_le_bytes());
    let list = [
        &b"wavl"[..],
        &silence(3),
        &full(b"data", &a),
        &silence(5000),
        &full(b"data", &b),
        &silence(1),
    ]
    .concat();
    let heard = [&[0; 12][..], &a, &[0; 20_000], &b, &[0; 4]].concat();
    check_plain(&riff(&[format(2, 16), full(b"LIST", &list)]), &heard);
    let list = [&b"wavl"[..], &full(b"data", &[1; 8]), &silence(4)].concat();
    let heard = [[1; 8], [0x80; 8]].concat();
    check_plain(&riff(&[format(2, 8), full(b"LIST", &list)]), &heard);
}

#[test]
fn files_put_together_are_all_heard() {
    let (a, b, c) = (samples(7, 40), samples(99, 44), samples(3, 33));
    let one = riff(&[format(2, 16), full(b"data", &a), full(b"LIST", b"INFO")]);
    let two = riff(&[format(1, 24), full(b"data", &c)]);
    let three = riff(&[full(b"LIST", b"INFO"), format(1, 16), full(b"data", &b)]);
    let (streams, end, codes) = read(&[one, two, three].concat());
    let heard: Vec<_> = streams.iter().map(|(_, bytes)| &bytes[..]).collect();
    assert_eq!(heard, [&a[..], &c, &b]);
    assert_eq!(streams[1].0.params.bits, Some(24));
    assert_eq!((end, codes.len()), (End::Complete, 0));
}

#[test]
fn a_header_within_the_audio_is_not_heard() {
    let (a, b) = (samples(7, 20_000), samples(99, 30_000));
    let second = riff(&[format(1, 16), full(b"data", &b)]);
    // The first states too much, all of it, or nothing.
    for size in [u32::MAX, 0, 50_044, 0x00ff_ffff] {
        let first = riff(&[format(2, 16), chunk(b"data", size, &a)]);
        let (streams, end, codes) = read(&[&first[..], &second].concat());
        let heard: Vec<_> = streams.iter().map(|(_, bytes)| &bytes[..]).collect();
        assert_eq!(heard, [&a[..], &b], "{size:#x}");
        assert_eq!((end, codes.len()), (End::Complete, 0), "{size:#x}");
    }
}

#[test]
fn letters_within_the_audio_are_audio() {
    let mut audio = samples(7, 40_000);
    for at in (0..30_000).step_by(500) {
        audio[at..at + 12].copy_from_slice(b"RIFF\xff\0\0\0WAVE");
    }
    audio[39_996..].copy_from_slice(b"RIFF");
    check_plain(&riff(&[format(2, 16), full(b"data", &audio)]), &audio);
}

#[test]
fn what_is_behind_the_audio_is_said_unless_it_is_nothing() {
    let audio = samples(7, 40);
    let file = riff(&[format(2, 16), full(b"data", &audio)]);
    let mut tag = [0; 128];
    tag[..6].copy_from_slice(b"TAGabc");
    check_plain(&[&file[..], &tag].concat(), &audio);
    check_plain(&[&file[..], &[0; 5000]].concat(), &audio);
    let (streams, _, codes) = read(&[&file[..], &samples(0x80, 100)].concat());
    assert_eq!(streams[0].1, audio);
    assert_eq!(codes, ["part-not-read"]);
}

#[test]
fn a_broken_list_of_chunks_is_mended_in_front_of_the_audio() {
    let audio = samples(7, 40);
    let file = riff(&[
        format(2, 16),
        chunk(b"LIST", 9_999_999, b"INFO"),
        full(b"data", &audio),
    ]);
    let (streams, end, codes) = read(&file);
    assert_eq!((&streams[0].1, end), (&audio, End::Complete));
    assert_eq!(codes, ["container-damaged"]);
}

#[test]
fn wave64_and_rifx_are_the_same_in_other_words() {
    let audio = samples(7, 40);
    let part = |id: &[u8; 4], size: u64, body: &[u8]| {
        let mut part = [&id[..], &[7; 12], &size.to_le_bytes(), body].concat();
        part.resize(part.len().next_multiple_of(8), 0);
        part
    };
    let head = [
        &b"riff"[..],
        &[7; 12],
        &999u64.to_le_bytes(),
        b"wave",
        &[7; 12],
    ]
    .concat();
    let body = &format(2, 16)[8..];
    for size in [64, 24, u64::MAX] {
        let file = [
            head.clone(),
            part(b"fmt ", 40, body),
            part(b"data", size, &audio),
        ];
        check_plain(&file.concat(), &audio);
    }

    let mut fmt = format(2, 16);
    for range in [4..8, 8..10, 10..12, 12..16, 16..20, 20..22, 22..24] {
        fmt[range].reverse();
    }
    let file = [b"RIFX\0\0\0\x50WAVE", &fmt[..], b"data\0\0\0\x28", &audio].concat();
    check_plain(&file, &audio);
    assert!(read(&file).0[0].0.params.pcm.unwrap().is_big_endian);
}

#[test]
fn blocks_are_kept_whole() {
    let mut fmt = format(1, 16);
    fmt[8] = 0x11;
    fmt[20..24].copy_from_slice(&[0, 4, 4, 0]);
    let audio = samples(1, 1024 * 20 + 100);
    let mut reader = open(&riff(&[fmt, full(b"data", &audio)])).unwrap().unwrap();
    let mut packet = Packet::default();
    let mut sizes = Vec::new();
    loop {
        packet.clear();
        match reader.next(&mut packet).unwrap() {
            Next::Packet => sizes.push(packet.data.len()),
            Next::Stream(_) => {}
            Next::End(_) => break,
        }
    }
    assert_eq!(sizes, [8192, 8192, 4096, 100]);
}

#[test]
fn without_a_format_there_is_no_audio() {
    let damaged = |file: &[u8]| matches!(open(file), Err(AudioError::Damaged { .. }));
    assert!(damaged(&riff(&[full(b"data", &[0; 40])])));
    assert!(damaged(&riff(&[
        full(b"fmt ", &[0; 16]),
        full(b"data", &[0; 40])
    ])));
    assert!(damaged(&riff(&[])));
    assert!(open(b"RIFF\0\0\0\0AVI ").unwrap().is_none());
    assert!(open(b"").unwrap().is_none());
}

#[test]
fn any_cut_and_any_flipped_byte_ends() {
    let second = riff(&[format(1, 24), full(b"data", &samples(3, 90))]);
    let first = riff(&[
        full(b"ds64", &[0; 28]),
        format(2, 16),
        full(
            b"LIST",
            &[&b"wavl"[..], &full(b"data", &samples(7, 41))].concat(),
        ),
    ]);
    let file = [first, second].concat();
    let end = |bytes: &[u8]| {
        if let Ok(Some(mut reader)) = open(bytes) {
            let mut packet = Packet::default();
            for _ in 0..100 {
                packet.clear();
                if matches!(reader.next(&mut packet), Ok(Next::End(_))) {
                    return;
                }
            }
            panic!("no end");
        }
    };
    for at in 0..file.len() {
        end(&file[..at]);
        for flip in [0xff, 0x01, 0x80] {
            let mut bytes = file.clone();
            bytes[at] ^= flip;
            end(&bytes);
        }
    }
}

#[test]
fn two_chunks_of_audio_are_two_recordings() {
    let (one, two) = (samples(1, 40), samples(99, 20));
    let file = riff(&[format(2, 16), full(b"data", &one), full(b"data", &two)]);
    let (streams, end, _) = read(&file);
    let bytes: Vec<_> = streams.into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!((bytes, end), (vec![one, two], End::Complete));
}

/// A file of FLAC's frames without its headers.
fn flac_in_wave() -> Vec<u8> {
    include_bytes!("../../../../tests/fixtures/chirp-flac.wav").to_vec()
}

#[test]
fn flac_in_wave_is_cut_into_its_frames_also_of_several_files() {
    let file = flac_in_wave();
    let (once, end, codes) = read(&file);
    assert_eq!((once.len(), end, codes.len()), (1, End::Complete, 0));
    assert_eq!(once[0].0.params.codec, Codec::Flac);
    let (twice, _, _) = read(&[file.clone(), file].concat());
    assert_eq!(twice, [once.clone(), once].concat());
}

#[test]
fn flac_behind_something_else_is_said_not_to_be_read() {
    let file = [
        riff(&[format(2, 16), full(b"data", &samples(1, 40))]),
        flac_in_wave(),
    ]
    .concat();
    let (streams, _, codes) = read(&file);
    assert_eq!(
        (streams.len(), codes),
        (1, vec!["part-not-read".to_owned()])
    );
}
