#![allow(clippy::unwrap_used)]

use super::{
    super::testing,
    page::tests::{CONTINUED, FIRST, LAST, laced, page},
    *,
};

const OPUS_HEAD: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00";
const OPUS_TAGS: &[u8] = b"OpusTags\0\0\0\0\0\0\0\0";
/// 20 ms.
const PACKET: &[u8] = &[0xfc, 1, 2, 3];

fn opus(serial: u32) -> Vec<u8> {
    let head = page(FIRST, 0, serial, 0, &[OPUS_HEAD]);
    [head, page(0, 0, serial, 1, &[OPUS_TAGS])].concat()
}

/// What is told: `S` and the delay of a stream, and where each packet begins, with `-` and what is
/// trimmed, and `!` where the decoder has to forget.
fn told(bytes: &[u8]) -> Vec<String> {
    let mut reader = OggReader::open(testing::source(bytes)).unwrap().unwrap();
    let mut told = Vec::new();
    let mut packet = Packet::default();
    loop {
        packet.clear();
        match reader.next(&mut packet).unwrap() {
            Next::Stream(stream) => {
                told.push(format!("S{}", stream.delay.map_or(0, |delay| delay.ticks)));
            }
            Next::Packet => {
                let mut text = packet.at.map_or("?".to_owned(), |at| at.ticks.to_string());
                if let Some(trim) = packet.trim_end {
                    text += &format!("-{}", trim.ticks);
                }
                if packet.is_jump {
                    text += "!";
                }
                told.push(text);
            }
            Next::End(_) => return told,
        }
    }
}

#[test]
fn packets_are_where_their_page_says() {
    let bytes = [
        opus(5),
        page(0, 1920, 5, 2, &[PACKET, PACKET]),
        page(LAST, 3000, 5, 3, &[PACKET, PACKET]),
    ]
    .concat();
    assert_eq!(told(&bytes), ["S312", "0", "960", "1920", "2880-840"]);
}

#[test]
fn the_only_page_may_be_shorter_than_what_is_on_it() {
    let bytes = [opus(5), page(LAST, 1000, 5, 2, &[PACKET, PACKET])].concat();
    assert_eq!(told(&bytes), ["S312", "0", "960-920"]);
}

#[test]
fn a_stream_may_start_late_and_a_clock_may_jump() {
    let bytes = [
        opus(5),
        page(0, 481_920, 5, 2, &[PACKET, PACKET]),
        page(0, 721_920, 5, 3, &[PACKET]),
    ]
    .concat();
    assert_eq!(told(&bytes), ["S312", "480000", "480960", "720960"]);
}

#[test]
fn a_lost_page_takes_what_it_began_and_ended_with_it() {
    let long = [&[0xfc][..], &[7; 299]].concat();
    let pages = [
        opus(5),
        laced(0, 960, 5, 2, &[4, 255], &[PACKET, &long[..255]].concat()),
        laced(
            CONTINUED,
            2880,
            5,
            3,
            &[45, 4],
            &[&long[255..], PACKET].concat(),
        ),
        page(0, 3840, 5, 4, &[PACKET]),
    ];
    assert_eq!(told(&pages.concat()), ["S312", "0", "960", "1920", "2880"]);
    let lost = [pages[0].clone(), pages[1].clone(), pages[3].clone()].concat();
    assert_eq!(told(&lost), ["S312", "0", "2880!"]);
    let lost = [pages[0].clone(), pages[2].clone(), pages[3].clone()].concat();
    assert_eq!(told(&lost), ["S312", "1920", "2880"]);
}

#[test]
fn a_page_on_which_nothing_ends_has_no_stamp() {
    let long = [&[0xfc][..], &[7; 399]].concat();
    let bytes = [
        opus(5),
        laced(0, -1, 5, 2, &[255], &long[..255]),
        laced(CONTINUED, 960, 5, 3, &[145], &long[255..]),
    ]
    .concat();
    assert_eq!(told(&bytes), ["S312", "0"]);
}

#[test]
fn page_numbers_that_do_not_count_are_no_loss() {
    let bytes = [
        opus(5),
        page(0, 960, 5, 0, &[PACKET]),
        page(0, 1920, 5, 0, &[PACKET]),
    ]
    .concat();
    assert_eq!(told(&bytes), ["S312", "0", "960"]);
}

#[test]
fn chained_streams_begin_anew_also_with_the_same_serial() {
    let one = |serial| [opus(serial), page(LAST, 960, serial, 2, &[PACKET])].concat();
    let twice = ["S312", "0", "S312", "0"];
    assert_eq!(told(&[one(5), one(6)].concat()), twice);
    assert_eq!(told(&[one(5), one(5)].concat()), twice);
}

#[test]
fn audio_streams_beside_each_other_are_tracks() {
    let theora = page(FIRST, 0, 1, 0, &[b"\x80theora\x03\x02\x01"]);
    let speex = page(FIRST, 0, 2, 0, &[b"Speex   1.2"]);
    let head = page(FIRST, 0, 3, 0, &[OPUS_HEAD]);
    let bytes = [
        theora,
        speex,
        head,
        page(0, 0, 3, 1, &[OPUS_TAGS]),
        page(0, 100, 1, 1, &[b"picture"]),
        page(0, 960, 3, 2, &[PACKET]),
    ]
    .concat();
    let mut reader = OggReader::open(testing::source(&bytes)).unwrap().unwrap();
    let codecs = reader
        .tracks()
        .iter()
        .map(|track| track.params.codec.name());
    assert_eq!(codecs.collect::<Vec<_>>(), ["Speex", "Opus"]);
    reader.select(1);
    let mut packet = Packet::default();
    assert!(matches!(reader.next(&mut packet).unwrap(), Next::Stream(_)));
    assert!(matches!(reader.next(&mut packet).unwrap(), Next::Packet));
    assert_eq!(packet.data, PACKET);
}

#[test]
fn what_has_no_page_is_no_ogg() {
    assert!(
        OggReader::open(testing::source(b"OggS and no more"))
            .unwrap()
            .is_none()
    );
}
