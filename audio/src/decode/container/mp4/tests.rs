//! What a reader makes of whole files.
#![allow(clippy::unwrap_used)]

use retake_findings::Code;

use super::{super::testing, Mp4Reader, boxes::u32_at};
use crate::decode::demux::{Demuxer, Next, Packet};

/// Five fragments of a quarter of a second, 1.2 s in all.
const FRAGMENTED: &[u8] = include_bytes!("../../../../tests/fixtures/chirp-aac-fragmented.mp4");

fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = body.len() as u32 + 8;
    [&size.to_be_bytes()[..], kind, body].concat()
}

/// The file with these edits (begin and length in milliseconds), and fragments that are larger by so
/// many bytes: where its packets are is wrong then, and nothing else.
fn edited(edits: &[(u32, u32)], more: usize) -> Vec<u8> {
    let mut list = [0u32, edits.len() as u32].map(u32::to_be_bytes).concat();
    for (at, len) in edits {
        list.extend([*len, at * 48, 1 << 16].map(u32::to_be_bytes).concat());
    }
    let list = atom(b"edts", &atom(b"elst", &list));
    let padding = atom(b"free", &vec![0; more]);
    let mut file = Vec::new();
    let mut rest = FRAGMENTED;
    while let Some(size) = u32_at(rest, 0) {
        let (mut whole, behind) = rest.split_at(size as usize);
        let kind: &[u8; 4] = whole[4..8].try_into().unwrap();
        whole = &whole[8..];
        match kind {
            b"moov" => {
                let (header, trak) = whole.split_at(108);
                let (trak, behind) = trak.split_at(u32_at(trak, 0).unwrap() as usize);
                let trak = atom(b"trak", &[&trak[8..], &list].concat());
                file.extend(atom(kind, &[header, &trak, behind].concat()));
            }
            b"moof" => file.extend(atom(kind, &[whole, &padding].concat())),
            _ => file.extend(atom(kind, whole)),
        }
        rest = behind;
    }
    file
}

/// How many packets it gives, and what it says of its edits.
fn read(file: &[u8]) -> (usize, Vec<String>) {
    let mut reader = Mp4Reader::open(testing::source(file)).unwrap().unwrap();
    reader.select(0);
    let (mut packets, mut packet) = (0, Packet::default());
    loop {
        packet.clear();
        match reader.next(&mut packet).unwrap() {
            Next::Packet => packets += 1,
            Next::Stream(_) => {}
            Next::End(_) => break,
        }
    }
    let findings = reader.findings().into_iter();
    let ignored = findings.filter(|finding| finding.is(Code::EditsIgnored));
    (packets, ignored.map(|finding| finding.message).collect())
}

#[test]
fn edits_that_lead_back_and_forth_are_followed_in_fragments_too() {
    let (packets, ignored) = read(&edited(&[(1000, 30), (100, 30)].repeat(100), 0));
    assert!(packets >= 400, "{packets}");
    assert!(ignored.is_empty(), "{ignored:?}");
}

#[test]
fn large_fragments_are_not_read_again_for_each_of_a_thousand_edits() {
    let (packets, ignored) = read(&edited(&[(1000, 30), (100, 30)].repeat(500), 4 << 20));
    assert!((20..200).contains(&packets), "{packets}");
    assert_eq!(ignored.len(), 1, "{ignored:?}");
    assert!(ignored[0].contains("of 1000 on are missing"), "{ignored:?}");
}
