//! What a hostile file says of its sizes is not what is allocated. A binary of its own, because the
//! memory of the whole process is looked at.
#![allow(clippy::unwrap_used)]

mod signals;

use signals::decode_bytes;

/// The largest address space that the process has ever had.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmPeak"))
        .unwrap();
    let kib = line.split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() << 10
}

#[test]
fn sizes_that_lie_allocate_nothing() {
    // Threads and the allocator's arenas have their share from here on.
    let _ = decode_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data\x02\0\0\0\0\0");
    let before = peak_bytes();
    // An EBML element, an MP4 box, a WAVE chunk, an ID3 tag, a CAF chunk, an AIFF chunk and an Ogg
    // comment that claim to be enormous.
    let files: [&[u8]; 6] = [
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\x16\x54\xae\x6b\x08\xff\xff\xff\xff",
        b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x01moov\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff\x01\0\x02\0",
        b"ID3\x04\0\0\x7f\x7f\x7f\x7fAPIC\x7f\x7f\x7f\x7f\0\0",
        b"caff\0\x01\0\0desc\x7f\xff\xff\xff\xff\xff\xff\xff\0\0",
        b"FORM\x7f\xff\xff\xffAIFFCOMM\x7f\xff\xff\xff\0\x02",
    ];
    for bytes in files {
        assert!(decode_bytes(bytes).is_err(), "{bytes:?}");
    }
    let grown = peak_bytes() - before;
    assert!(grown < 300 << 20, "{} MiB", grown >> 20);
}
