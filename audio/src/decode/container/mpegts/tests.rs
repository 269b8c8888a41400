//! What a reader of transport streams makes of small ones made here.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use super::*;

const PID: u16 = 0x100;
const PID_TABLE: u16 = 0x20;

/// Packets of 188 bytes, filled up by an adaptation field.
fn packets(pid: u16, counter: &mut u8, body: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    for (index, part) in body.chunks(184).enumerate() {
        let start = if index == 0 { 0x40 } else { 0 };
        let [high, low] = pid.to_be_bytes();
        let control = if part.len() < 184 { 0x30 } else { 0x10 };
        written.extend([SYNC, start | high, low, control | *counter & 0xf]);
        *counter = counter.wrapping_add(1);
        if part.len() < 184 {
            let len = 183 - part.len();
            written.push(len as u8);
            written.extend([0u8].iter().chain([0xff].iter().cycle()).take(len));
        }
        written.extend(part);
    }
    written
}

fn section(table: u8, body: &[u8]) -> Vec<u8> {
    let len = (body.len() + 9) as u8;
    [&[0, table, 0xb0, len, 0, 1, 0xc1, 0, 0], body, &[0; 4]].concat()
}

fn tables(kind: u8, about: &[u8]) -> Vec<u8> {
    let programs = [0, 1, 0xe0, PID_TABLE as u8];
    let streams = [
        &[0xe1, 0, 0xf0, 0, kind, 0xe1, 0, 0xf0, about.len() as u8],
        about,
    ]
    .concat();
    [
        packets(0, &mut 0, &section(0, &programs)),
        packets(PID_TABLE, &mut 0, &section(2, &streams)),
    ]
    .concat()
}

/// A frame of MPEG-1 layer 3, 48 kHz, 64 kb/s: 192 bytes that end in a mark.
fn frame(mark: u8) -> Vec<u8> {
    let mut frame = vec![mark; 192];
    frame[..4].copy_from_slice(&[0xff, 0xfb, 0x54, 0xc0]);
    frame
}

fn pes_of(pts: i64, body: &[u8]) -> Vec<u8> {
    let bits = |from: u32, mask: i64| (pts >> from & mask) as u8;
    let stamp = [
        0x21 | bits(30, 7) << 1,
        bits(22, 0xff),
        1 | bits(15, 0x7f) << 1,
        bits(7, 0xff),
        1 | bits(0, 0x7f) << 1,
    ];
    let [high, low] = (body.len() as u16 + 8).to_be_bytes();
    [&[0, 0, 1, 0xc0, high, low, 0x80, 0x80, 5], &stamp[..], body].concat()
}

fn open(content: &[u8]) -> Option<TsReader> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    TsReader::open(Source::open(&file).unwrap()).unwrap()
}

/// Stamp and mark of each packet.
fn told_by(mut reader: TsReader) -> (Vec<String>, TsReader) {
    reader.select(0);
    let mut told = Vec::new();
    let mut packet = Packet::default();
    loop {
        packet.clear();
        match reader.next(&mut packet).unwrap() {
            Next::Stream(stream) => told.push(stream.params.codec.name().to_owned()),
            Next::Packet => {
                let at = packet.at.map_or("-".to_owned(), |at| at.ticks.to_string());
                let jump = if packet.is_jump { " jump" } else { "" };
                told.push(format!("{at} {}{jump}", packet.data.last().unwrap()));
            }
            Next::End(end) => {
                told.push(format!("{end:?}"));
                return (told, reader);
            }
        }
    }
}

/// Frames 0 to 9, cut across the packets of the stream; a stamp is that of the first frame that
/// begins in its packet.
fn stream(first: i64) -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = (0..10).flat_map(frame).collect();
    let mut counter = 0;
    let mut at = 0;
    let parts = [0..400usize, 400..900, 900..1920];
    let made = parts.map(|part| {
        let starts = part.start.div_ceil(192) as i64;
        let pes = pes_of((first + starts * 2160) & ((1 << 33) - 1), &bytes[part]);
        at += pes.len();
        packets(PID, &mut counter, &pes)
    });
    made.to_vec()
}

#[test]
fn frames_are_put_together_and_have_the_stamp_of_their_packet() {
    let content = [
        tables(0x03, &[0x0a, 4, b'd', b'e', b'u', 0]),
        stream(900).concat(),
    ]
    .concat();
    let reader = open(&content).unwrap();
    assert_eq!(reader.tracks()[0].language.as_deref(), Some("deu"));
    assert_eq!(reader.tracks()[0].params.sample_rate, Some(48_000));
    let expected = [
        "MP3", "900 0", "- 1", "- 2", "7380 3", "- 4", "11700 5", "- 6", "- 7", "- 8", "- 9",
        "Complete",
    ];
    assert_eq!(told_by(reader).0, expected);
    // As cameras write it: a stamp of four bytes before each packet.
    let long: Vec<u8> = content
        .chunks(188)
        .flat_map(|p| [&[1, 2, 3, 4], p].concat())
        .collect();
    assert_eq!(told_by(open(&long).unwrap()).0, expected);
}

#[test]
fn stamps_go_on_where_their_bits_end() {
    let first = (1 << 33) - 1000;
    let content = [tables(0x03, &[]), stream(first).concat()].concat();
    let (told, _) = told_by(open(&content).unwrap());
    assert_eq!(told[1], format!("{first} 0"));
    assert_eq!(told[4], format!("{} 3", first + 3 * 2160));
}

#[test]
fn after_missing_packets_reading_goes_on_with_the_next_stamp() {
    let parts = stream(0);
    let cut = [&parts[1][..188], &parts[1][2 * 188..]].concat();
    let content = [tables(0x03, &[]), parts[0].clone(), cut, parts[2].clone()].concat();
    let (told, mut reader) = told_by(open(&content).unwrap());
    let at = told
        .iter()
        .position(|line| line == "10800 5 jump" || line == "10800 5");
    assert!(at.is_some(), "{told:?}");
    assert_eq!(told.last().unwrap(), "Complete");
    assert!(reader.findings()[0].is(Code::ContainerDamaged));
}

#[test]
fn streams_that_are_not_decoded_are_named() {
    let check = |kind, about: &[u8], expected: Option<&str>| {
        let content = [tables(kind, about), stream(0).concat()].concat();
        let reader = open(&content).unwrap();
        let name = reader
            .tracks()
            .first()
            .map(|track| track.params.codec.name().to_owned());
        assert_eq!(name.as_deref(), expected);
    };
    check(0x11, &[], Some("AAC"));
    check(0x82, b"\x05\x04HDMV", Some("DTS"));
    check(0x81, &[], Some("AC-3"));
    check(0x06, &[0x7a, 0], Some("E-AC-3"));
    check(0x06, b"\x05\x04Opus", Some("Opus"));
    let many = Some("Opus in an unusual arrangement of channels");
    check(0x06, b"\x05\x04Opus\x7f\x02\x80\x09", many);
    check(0x06, &[], None);
    check(0x1b, &[], None);
}

#[test]
fn any_cut_or_flip_ends_well() {
    let sound = [tables(0x03, &[]), stream(0).concat()].concat();
    for at in (0..sound.len()).step_by(3) {
        for with in [0, 0x47, 0xff] {
            let mut content = sound.clone();
            content[at] = with;
            for content in [&content[..], &content[..at]] {
                if let Some(reader) = open(content)
                    && !reader.tracks().is_empty()
                {
                    told_by(reader);
                }
            }
        }
    }
}

#[test]
fn opus_packets_lose_their_control_headers_and_are_trimmed_by_them() {
    let units = [
        &[0x7f, 0xf0, 3, 1, 0x38, 0xfc, 1, 1][..],
        &[0x7f, 0xe0, 3, 0xfc, 2, 2],
        &[0x7f, 0xe8, 3, 2, 0x88, 0xfc, 3, 3],
    ]
    .concat();
    let about = b"\x05\x04Opus\x7f\x02\x80\x06";
    let content = [
        tables(0x06, about),
        packets(PID, &mut 0, &pes_of(900, &units)),
    ]
    .concat();
    let mut reader = open(&content).unwrap();
    reader.select(0);
    let mut packet = Packet::default();
    let Next::Stream(stream) = reader.next(&mut packet).unwrap() else {
        panic!("a stream comes first");
    };
    let head = b"OpusHead\x01\x06\0\0\x80\xbb\0\0\0\0\x01\x04\x02\x00\x04\x01\x02\x03\x05";
    assert_eq!(stream.params.extra, head);
    let mut told = Vec::new();
    loop {
        packet.clear();
        if !matches!(reader.next(&mut packet).unwrap(), Next::Packet) {
            break;
        }
        let ticks = |time: Option<Time>| time.map_or(0, |time| time.ticks);
        told.push((
            packet.data.clone(),
            ticks(packet.at),
            ticks(packet.trim_start),
            ticks(packet.trim_end),
        ));
    }
    let expected = [
        (vec![0xfc, 1, 1], 900, 312, 0),
        (vec![0xfc, 2, 2], 0, 0, 0),
        (vec![0xfc, 3, 3], 0, 0, 648),
    ];
    assert_eq!(told, expected);
}

#[test]
fn stamps_of_a_stream_without_frames_do_not_pile_up() {
    let mut content = tables(3, &[]);
    let mut counter = 0;
    for n in 0..5000 {
        content.extend(packets(PID, &mut counter, &pes_of(n, &[0x55; 9])));
    }
    let mut reader = open(&content).unwrap();
    reader.select(0);
    assert!(matches!(
        reader.next(&mut Packet::default()),
        Ok(Next::End(_))
    ));
    assert_eq!(reader.stamps.len(), STAMPS_MAX);
}
