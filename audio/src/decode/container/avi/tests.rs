//! What a reader of AVI makes of small files made here.
#![allow(clippy::unwrap_used)]
use std::io::Write;

use super::*;

fn chunk_of(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len() % 2];
    [&id[..], &(body.len() as u32).to_le_bytes(), body, &padding].concat()
}

fn list(id: &[u8; 4], kind: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
    chunk_of(id, &[&kind[..], &parts.concat()].concat())
}

/// Mono PCM of 8 bits.
fn stream(kind: &[u8; 4], flags: u8) -> Vec<u8> {
    stated(kind, flags, 0)
}

/// The same, of so many seconds by its header.
fn stated(kind: &[u8; 4], flags: u8, seconds: u8) -> Vec<u8> {
    let mut header = [0; 56];
    header[..4].copy_from_slice(kind);
    header[8] = flags;
    (header[20], header[24], header[32]) = (2, 8, 4 * seconds);
    let format = [1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0];
    list(
        b"LIST",
        b"strl",
        &[chunk_of(b"strh", &header), chunk_of(b"strf", &format)],
    )
}

fn file(movie: &[Vec<u8>]) -> Vec<u8> {
    file_of(
        &[stream(b"vids", 0), stream(b"auds", 1), stream(b"auds", 0)],
        movie,
    )
}

fn file_of(streams: &[Vec<u8>], movie: &[Vec<u8>]) -> Vec<u8> {
    let header = list(b"LIST", b"hdrl", streams);
    list(b"RIFF", b"AVI ", &[header, list(b"LIST", b"movi", movie)])
}

fn told_by(content: &[u8], track: usize) -> (Vec<String>, AviReader) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    let source = Source::open(&file).unwrap();
    let mut reader = AviReader::open(source).unwrap().unwrap();
    reader.select(track);
    let mut told = Vec::new();
    let mut packet = Packet::default();
    loop {
        packet.clear();
        match reader.next(&mut packet).unwrap() {
            Next::Stream(stream) => told.push(stream.params.codec.name().to_owned()),
            Next::Packet => told.push(String::from_utf8(packet.data.clone()).unwrap()),
            Next::End(end) => {
                told.push(format!("{end:?}"));
                return (told, reader);
            }
        }
    }
}

#[test]
fn the_chunks_of_the_selected_stream_are_read() {
    let movie = [
        chunk_of(b"00dc", b"picture"),
        chunk_of(b"01wb", b"one"),
        list(
            b"LIST",
            b"rec ",
            &[chunk_of(b"02wb", b"other"), chunk_of(b"01wb", b"two")],
        ),
        chunk_of(b"ix01", b"index"),
    ];
    let more = list(
        b"RIFF",
        b"AVIX",
        &[list(b"LIST", b"movi", &[chunk_of(b"01wb", b"3")])],
    );
    let content = [file(&movie), more].concat();
    let (told, reader) = told_by(&content, 0);
    assert_eq!(told, ["PCM", "one", "two", "3", "Complete"]);
    let defaults: Vec<_> = reader
        .tracks()
        .iter()
        .map(|track| track.is_default)
        .collect();
    assert_eq!(defaults, [false, true]);
    assert_eq!(told_by(&content, 1).0, ["PCM", "other", "Complete"]);
}

#[test]
fn what_is_there_of_a_cut_file_is_read() {
    let content = file(&[chunk_of(b"01wb", b"first"), chunk_of(b"01wb", b"second")]);
    let (told, mut reader) = told_by(&content[..content.len() - 3], 0);
    assert_eq!(told, ["PCM", "first", "sec", "Truncated"]);
    assert!(reader.findings().is_empty());
}

#[test]
fn reading_goes_on_behind_damage() {
    let parts: Vec<_> = (0..5).map(|n| chunk_of(b"01wb", &[b'a' + n; 6])).collect();
    let sound = file(&parts);
    let third = sound
        .windows(6)
        .position(|bytes| bytes == b"cccccc")
        .unwrap();
    for (offset, with) in [
        (-8, 0u8),
        (-6, 0),
        (-4, 21),
        (-4, 7),
        (-4, 20),
        (-4, 34),
        (-1, 0x70),
    ] {
        let mut content = sound.clone();
        content[third.strict_add_signed(offset)] = with;
        let (told, mut reader) = told_by(&content, 0);
        let told = told.join(" ");
        assert!(told.ends_with("dddddd eeeeee Complete"), "{offset}: {told}");
        assert!(told.starts_with("PCM aaaaaa bbbbbb"), "{offset}: {told}");
        assert!(reader.findings()[0].is(Code::ContainerDamaged));
    }
}

#[test]
fn a_size_that_takes_in_the_chunks_behind_it_is_not_believed() {
    for (size, behind) in [(20u8, "02wb"), (20, "01wb"), (19, "00dc"), (34, "01wb")] {
        let mut first = chunk_of(b"01wb", b"first.");
        first[4] = size;
        let id = behind.as_bytes().first_chunk().unwrap();
        let inner = chunk_of(id, &vec![b'i'; if size == 19 { 5 } else { 6 }]);
        let movie = [
            first,
            inner,
            chunk_of(b"01wb", b"second"),
            chunk_of(b"01wb", b"third."),
        ];
        let (told, mut reader) = told_by(&file(&movie), 0);
        let told = told.join(" ");
        let inner = if behind == "01wb" { "iiiiii " } else { "" };
        assert_eq!(told, format!("PCM first. {inner}second third. Complete"));
        assert_eq!(reader.findings()[0].params["places"], 1);
    }
    // Names in the middle of sound lead nowhere.
    let body = b"some01wb\x02\0\0\0 and 00dc\0\0\0\0 and more";
    let (told, mut reader) = told_by(&file(&[chunk_of(b"01wb", body)]), 0);
    assert_eq!(told[1].as_bytes(), body);
    assert!(reader.findings().is_empty());
}

#[test]
fn the_length_that_the_header_states_is_of_what_was_read() {
    let stated_by = |content: &[u8], track| told_by(content, track).1.stated_s();
    let streams = [
        stream(b"vids", 0),
        stated(b"auds", 0, 3),
        stated(b"auds", 0, 5),
    ];
    let one = file_of(&streams, &[chunk_of(b"01wb", b"sound")]);
    assert_eq!(stated_by(&one, 0), Some(3.0));
    assert_eq!(stated_by(&one, 1), Some(5.0));
    assert_eq!(stated_by(&[one.clone(), one].concat(), 0), Some(6.0));
    // Never filled in; and damage is said already.
    assert_eq!(stated_by(&file(&[]), 0), Some(0.0));
    let mut damaged = file_of(
        &streams,
        &[chunk_of(b"01wb", b"first"), chunk_of(b"01wb", b"more")],
    );
    let at = damaged
        .windows(5)
        .position(|bytes| bytes == b"first")
        .unwrap();
    damaged[at - 8] = 0;
    assert_eq!(stated_by(&damaged, 0), None);
}

#[test]
fn another_file_behind_the_first_is_another_stream() {
    let one = file(&[chunk_of(b"01wb", b"a")]);
    let (told, _) = told_by(&[one.clone(), one].concat(), 0);
    assert_eq!(told, ["PCM", "a", "PCM", "a", "Complete"]);
}

#[test]
fn any_cut_or_flip_ends_well() {
    let sound = file(&[chunk_of(b"01wb", b"first"), chunk_of(b"00dc", b"second")]);
    let run = |content: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let opened = AviReader::open(Source::open(&file).unwrap());
        let Ok(Some(mut reader)) = opened else { return };
        if reader.tracks().is_empty() {
            return;
        }
        reader.select(0);
        let mut packet = Packet::default();
        while !matches!(reader.next(&mut packet).unwrap(), Next::End(_)) {
            packet.clear();
        }
    };
    for at in 0..sound.len() {
        run(&sound[..at]);
        for with in [0, 1, 0x7f, 0xff, b'w'] {
            let mut content = sound.clone();
            content[at] = with;
            run(&content);
        }
    }
}
