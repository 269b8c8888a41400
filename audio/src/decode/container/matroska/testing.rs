//! Elements for tests, written as muxers write them.

use super::ebml;

/// With a size of four bytes.
pub(super) fn element(id: u32, body: &[u8]) -> Vec<u8> {
    let size = (0x1000_0000 | body.len() as u32).to_be_bytes();
    [&id_bytes(id)[..], &size, body].concat()
}

/// As while recording: the size is not known.
pub(super) fn open_element(id: u32, body: &[u8]) -> Vec<u8> {
    [&id_bytes(id)[..], &[0xff], body].concat()
}

fn id_bytes(id: u32) -> Vec<u8> {
    let bytes = id.to_be_bytes();
    bytes[(id.leading_zeros() / 8) as usize..].to_vec()
}

/// The beginning of a file.
pub(super) fn file_header() -> Vec<u8> {
    element(ebml::EBML, &element(ebml::DOC_TYPE, b"webm"))
}

pub(super) fn simple_block(track: u8, stamp: i16, flags: u8, body: &[u8]) -> Vec<u8> {
    element(ebml::SIMPLE_BLOCK, &block(track, stamp, flags, body))
}

/// What lies in a block.
pub(super) fn block(track: u8, stamp: i16, flags: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = stamp.to_be_bytes();
    [&[0x80 | track, high, low, flags], body].concat()
}

/// A Tracks element of one audio track, number 1, with more of its children.
pub(super) fn tracks(codec_id: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let children = [
        element(0xd7, &[1]),
        element(0x83, &[2]),
        element(0x86, codec_id.as_bytes()),
        more.concat(),
    ];
    element(ebml::TRACKS, &element(0xae, &children.concat()))
}

pub(super) fn stamp(ticks: u32) -> Vec<u8> {
    element(ebml::TIMESTAMP, &ticks.to_be_bytes())
}
