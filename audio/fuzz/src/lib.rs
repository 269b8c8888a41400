//! What the targets share: whole files are decoded, each target those of one container, in this
//! process and not in a child of its own as the worker does it.

use std::{fs::File, io::Write};

use libfuzzer_sys::Corpus;
use retake_audio::{FlacBits, Format, Limits, Tags, WavDepth, decode, run};
pub use retake_formats::Container;
use retake_formats::{PREFIX_BYTES, Sniffed, sniff};

/// A damaged clock may ask for hours of silence.
const DURATION_MS_MAX: u64 = 10_000;

/// 10 ms of silence.
const SHORT: &[u8] = &short();

const fn short() -> [u8; 44 + 960] {
    let mut wave = [0; 44 + 960];
    let head = *b"RIFF\xe4\x03\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data\xc0\x03\0\0";
    let mut at = 0;
    while at < head.len() {
        wave[at] = head[at];
        at += 1;
    }
    wave
}

/// Panics of a codec's library are caught and are an error of the packet, so a panic must not end
/// the process before that. One that nobody catches still does.
pub fn quiet() {
    std::panic::set_hook(Box::new(|panic| {
        if !is_foreign(panic) {
            eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
        }
    }));
}

/// Code from a registry.
fn is_foreign(panic: &std::panic::PanicHookInfo) -> bool {
    let file = panic.location().map(|location| location.file());
    file.is_some_and(|file| file.contains("/registry/src/"))
}

/// Any answer will do. Files of other containers are not taken into the corpus.
pub fn decode_only(containers: &[Container], data: &[u8]) -> Corpus {
    match sniff(&data[..data.len().min(PREFIX_BYTES)]) {
        Sniffed::Audio(container) if containers.contains(&container) => {}
        _ => return Corpus::Reject,
    }
    let limits = Limits {
        duration_ms_max: DURATION_MS_MAX,
        ..Limits::default()
    };
    let dir = std::env::temp_dir();
    if let Ok(decoded) = decode(file_of(data), &limits, None, &dir, &mut |_| ()) {
        assert!(decoded.frames > 0);
        // Of several tracks, also one that nobody would choose.
        if decoded.tracks.len() > 1 {
            let last = decoded.tracks.len() as u32;
            let _ = decode(file_of(data), &limits, Some(last), &dir, &mut |_| ());
        }
    }
    Corpus::Keep
}

/// What stands beside the samples is read from any file, and whatever was read can be written.
pub fn kept_tags(data: &[u8]) {
    let Ok((mut tags, _)) = Tags::read(&file_of(data)) else {
        return;
    };
    tags.cut(&[(100, 4800), (48_000, 1)], 48_000);
    if tags == Tags::default() {
        return;
    }
    for format in [
        Format::Wav {
            depth: WavDepth::Int16,
        },
        Format::Flac {
            bits: FlacBits::Bits16,
        },
        Format::OggOpus { bitrate_bps: None },
    ] {
        let dir = std::env::temp_dir();
        let decoded = decode(file_of(SHORT), &Limits::default(), None, &dir, &mut |_| ())
            .expect("a short recording");
        let out = file_of(&[]);
        let written = out.try_clone().expect("another handle");
        run(
            decoded,
            Vec::new(),
            &format,
            &|| tags.clone(),
            out,
            &dir,
            &mut |_| (),
        )
        .expect("tags of any file are written");
        let again = decode(written, &Limits::default(), None, &dir, &mut |_| ());
        assert_eq!(again.map(|again| again.frames).ok(), Some(480));
    }
}

pub fn file_of(data: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(data).expect("room for it");
    file
}
