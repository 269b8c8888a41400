//! What a reader of Matroska makes of whole files and of broken ones.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use retake_findings::Code;
use retake_formats::{Codec, Container};

use super::{MatroskaReader, ebml::*, testing::*};
use crate::decode::{
    demux::{Demuxer, Next, Packet, Time},
    source::Source,
};

fn open(content: &[u8]) -> MatroskaReader {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    let source = Source::open(&file).unwrap();
    MatroskaReader::open(source).unwrap().unwrap()
}

/// All of a file's first audio track in words: `stream Opus +312`, `0.020 ab`, `end`.
fn told_by(mut reader: MatroskaReader) -> (Vec<String>, MatroskaReader) {
    reader.select(0);
    let mut told = Vec::new();
    let mut packet = Packet::default();
    let ms = |time: Time| time.seconds() * 1000.0;
    loop {
        packet.clear();
        match reader.next(&mut packet).unwrap() {
            Next::Stream(stream) => told.push(format!("stream {}", stream.params.codec.name())),
            Next::Packet => {
                let mut line = packet.at.map_or("-".to_owned(), |at| format!("{}", ms(at)));
                line += &format!(" {}", String::from_utf8_lossy(&packet.data));
                for (mark, time) in [
                    ('<', packet.trim_start),
                    ('>', packet.trim_end),
                    ('=', packet.duration),
                ] {
                    line += &time.map_or_else(String::new, |time| format!(" {mark}{}", ms(time)));
                }
                line += if packet.is_jump { " jump" } else { "" };
                told.push(line);
            }
            Next::End(end) => {
                told.push(format!("{end:?}"));
                return (told, reader);
            }
        }
    }
}

fn check(content: &[u8], expected: &[&str]) -> MatroskaReader {
    let (told, reader) = told_by(open(content));
    assert_eq!(told, expected);
    reader
}

fn mp3() -> Vec<u8> {
    tracks("A_MPEG/L3", &[])
}

fn cluster(at: u32, blocks: &[Vec<u8>]) -> Vec<u8> {
    element(CLUSTER, &[stamp(at), blocks.concat()].concat())
}

fn file(children: &[Vec<u8>]) -> Vec<u8> {
    [file_header(), open_element(SEGMENT, &children.concat())].concat()
}

#[test]
fn a_recording_without_sizes_is_read_to_its_end() {
    let live =
        |at, blocks: &[Vec<u8>]| open_element(CLUSTER, &[stamp(at), blocks.concat()].concat());
    let content = file(&[
        mp3(),
        live(
            0,
            &[
                simple_block(1, 0, 0x80, b"aa"),
                simple_block(2, 0, 0, b"picture"),
            ],
        ),
        live(1000, &[simple_block(1, -5, 0x80, b"bb")]),
    ]);
    let reader = check(&content, &["stream MP3", "0 aa", "995 bb", "Complete"]);
    assert_eq!(reader.container(), Container::Webm);
    let cut = &content[..content.len() - 1];
    let mut reader = check(cut, &["stream MP3", "0 aa", "Truncated"]);
    assert!(reader.findings().is_empty());
}

#[test]
fn scales_lengths_and_padding_are_told() {
    let scale = element(INFO, &element(TIMESTAMP_SCALE, &100_000u32.to_be_bytes()));
    let described = tracks(
        "A_MPEG/L3",
        &[
            element(0x23_314f, &2f32.to_be_bytes()),
            element(0x23_e383, &24_000_000u32.to_be_bytes()),
        ],
    );
    let group = |stamp, more: Vec<u8>| {
        let block = element(BLOCK, &block(1, stamp, 0, b"x"));
        element(BLOCK_GROUP, &[block, more].concat())
    };
    let content = file(&[
        scale,
        described,
        cluster(
            10_000,
            &[
                simple_block(1, 0, 0x80, b"a"),
                group(
                    100,
                    element(DISCARD_PADDING, &(-3_000_000i32).to_be_bytes()),
                ),
                group(200, element(DISCARD_PADDING, &5_000_000i32.to_be_bytes())),
                group(300, element(BLOCK_DURATION, &[100])),
            ],
        ),
    ]);
    check(
        &content,
        &[
            "stream MP3",
            "1000 a =24",
            "1020 x <3 =24",
            "1040 x >5 =24",
            "1060 x =20",
            "Complete",
        ],
    );
}

#[test]
fn laced_packets_follow_right_behind_the_first() {
    let body = [&[2u8, 2, 1][..], b"aabccc"].concat();
    let block = element(BLOCK, &block(1, 7, 0b010, &body));
    let beside = [
        element(BLOCK_DURATION, &[60]),
        element(DISCARD_PADDING, &5_000_000i32.to_be_bytes()),
    ];
    let content = file(&[
        mp3(),
        cluster(
            0,
            &[element(BLOCK_GROUP, &[block, beside.concat()].concat())],
        ),
    ]);
    check(
        &content,
        &[
            "stream MP3",
            "7 aa =20",
            "- b =20",
            "- ccc >5 =20",
            "Complete",
        ],
    );
}

#[test]
fn a_description_behind_the_audio_is_found() {
    let blocks = |at, body: &[u8]| cluster(at, &[simple_block(1, 0, 0, body)]);
    let children = [blocks(0, b"a"), blocks(20, b"b"), mp3()].concat();
    let content = [file_header(), element(SEGMENT, &children)].concat();
    check(&content, &["stream MP3", "0 a", "20 b", "Complete"]);
}

#[test]
fn another_recording_in_the_same_file_is_another_stream() {
    let one = file(&[mp3(), cluster(0, &[simple_block(1, 0, 0, b"a")])]);
    let two = file(&[
        tracks("A_AC3", &[]),
        cluster(0, &[simple_block(1, 0, 0, b"b")]),
    ]);
    check(
        &[one.clone(), two, one].concat(),
        &[
            "stream MP3",
            "0 a",
            "stream AC-3",
            "0 b",
            "stream MP3",
            "0 a",
            "Complete",
        ],
    );
}

#[test]
fn a_repeated_description_is_no_other_stream() {
    let content = file(&[
        mp3(),
        cluster(0, &[simple_block(1, 0, 0, b"a")]),
        mp3(),
        cluster(20, &[simple_block(1, 0, 0, b"b")]),
    ]);
    check(&content, &["stream MP3", "0 a", "20 b", "Complete"]);
}

#[test]
fn reading_goes_on_behind_damage() {
    let blocks: Vec<_> = (0..6)
        .map(|n| simple_block(1, 20 * n, 0, b"packet"))
        .collect();
    let sound = file(&[mp3(), cluster(0, &blocks), cluster(120, &blocks[..1])]);
    let first = sound
        .windows(6)
        .position(|window| window == b"packet")
        .unwrap();
    let block_bytes = blocks[0].len();
    let of_block = |n: usize| first + n * block_bytes - (block_bytes - 6);
    for (damaged, with) in [(0, 0x0f), (1, 0xff), (1, 0x1f), (2, 0xff), (4, 0x7f)] {
        let mut content = sound.clone();
        content[of_block(2) + damaged] = with;
        let (told, mut reader) = told_by(open(&content));
        assert_eq!(told[1..3], ["0 packet", "20 packet"], "{damaged}");
        assert!(
            told.contains(&"80 packet".to_owned()),
            "{damaged}: {told:?}"
        );
        assert!(
            told.iter().any(|line| line.starts_with("60 packet jump")),
            "{damaged}: {told:?}"
        );
        assert_eq!(told[told.len() - 2..], ["120 packet", "Complete"]);
        assert!(reader.findings()[0].is(Code::ContainerDamaged));
    }
}

#[test]
fn a_block_that_swallows_others_is_judged_before_it_is_read() {
    let mut swallowing = simple_block(1, 0, 0, b"first");
    swallowing[1..5].copy_from_slice(&(0x1000_0000u32 | 300_000).to_be_bytes());
    let blocks = [
        swallowing,
        simple_block(1, 20, 0, b"a"),
        simple_block(1, 40, 0, b"b"),
        simple_block(2, 40, 0, &[0; 400_000]),
        simple_block(1, 60, 0, b"c"),
    ];
    let expected = ["stream MP3", "20 a jump", "40 b", "60 c", "Complete"];
    let mut reader = check(&file(&[mp3(), cluster(0, &blocks)]), &expected);
    assert!(reader.findings()[0].is(Code::ContainerDamaged));
    assert!(reader.block.capacity() < 100, "{}", reader.block.capacity());
}

#[test]
fn a_cluster_whose_beginning_is_damaged_is_left_out_and_not_misplaced() {
    let blocks: Vec<_> = (0..4)
        .map(|n| simple_block(1, 20 * n, 0, b"packet"))
        .collect();
    let clusters: Vec<_> = (0..3).map(|n| cluster(80 * n, &blocks)).collect();
    let mut content = file(&[mp3(), clusters.concat()]);
    let begin = content.len() - 2 * clusters[0].len();
    content[begin] = 0;
    let (told, _) = told_by(open(&content));
    let expected = [
        "stream MP3",
        "0 packet",
        "20 packet",
        "40 packet",
        "60 packet",
        "160 packet jump",
        "180 packet",
        "200 packet",
        "220 packet",
        "Complete",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_stands_behind_the_end_is_said_and_harmless() {
    let children = [mp3(), cluster(0, &[simple_block(1, 0, 0, b"a")])].concat();
    let mut content = [file_header(), element(SEGMENT, &children)].concat();
    content.extend([0; 100]);
    let mut reader = check(&content, &["stream MP3", "0 a", "Complete"]);
    assert!(reader.findings()[0].is(Code::BytesSkipped));
}

#[test]
fn an_unknown_element_is_stepped_over() {
    let content = file(&[
        mp3(),
        element(0x4def, b"whatever"),
        cluster(0, &[element(0xfd, b"old"), simple_block(1, 0, 0, b"a")]),
    ]);
    let mut reader = check(&content, &["stream MP3", "0 a", "Complete"]);
    assert!(reader.findings().is_empty());
}

#[test]
fn files_that_are_no_matroska_or_say_nothing_are_refused() {
    let opened = |content: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        MatroskaReader::open(Source::open(&file).unwrap())
    };
    assert!(opened(b"RIFF").unwrap().is_none());
    assert!(opened(b"").unwrap().is_none());
    assert!(opened(&file(&[])).is_err());
    let lost = file(&[cluster(0, &[simple_block(1, 0, 0, b"a")])]);
    assert!(opened(&lost).is_err());
    let picture = element(TRACKS, &element(0xae, &element(0x83, &[1])));
    assert!(
        opened(&file(&[picture]))
            .unwrap()
            .unwrap()
            .tracks()
            .is_empty()
    );
}

#[test]
fn hostile_sizes_and_any_cut_or_flip_end_well() {
    let blocks: Vec<_> = (0..4)
        .map(|n| simple_block(1, 20 * n, 0b110, b"\x01\x82ab"))
        .collect();
    let sound = file(&[mp3(), cluster(0, &blocks), cluster(80, &blocks)]);
    let run = |content: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let source = Source::open(&file).unwrap();
        if let Ok(Some(reader)) = MatroskaReader::open(source) {
            told_by(reader);
        }
    };
    for at in 0..sound.len() {
        run(&sound[..at]);
        for with in [0, 0x01, 0x08, 0x7f, 0xa0, 0xa3, 0xff] {
            let mut content = sound.clone();
            content[at] = with;
            run(&content);
        }
    }
}

#[test]
fn tracks_of_other_codecs_are_listed_by_name() {
    let reader = open(&file(&[tracks("A_DTS", &[])]));
    assert_eq!(
        reader.tracks()[0].params.codec,
        Codec::Unknown("DTS".to_owned())
    );
}
