//! What the targets share: whole files are decoded, each target those of one container, in this
//! process and not in a child of its own as the worker does it.

#[path = "../../tests/odd/mod.rs"]
pub mod odd;

use std::{fs::File, io::Write, sync::Mutex};

use libfuzzer_sys::Corpus;
use retake_audio::{AudioError, FlacBits, Format, Limits, Tags, WavDepth, decode, run, tag_limits};
pub use retake_formats::Container;
use retake_formats::{PREFIX_BYTES, Sniffed, sniff};

/// A damaged clock may ask for hours of silence.
const DURATION_MS_MAX: u64 = 3_000;

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

/// The last panic of a library, not shown yet.
static FOREIGN: Mutex<String> = Mutex::new(String::new());

/// Panics of a codec's library are caught and are an error of the packet, so a panic must not end
/// the process before that. One that nobody catches still does, and is shown then.
pub fn quiet() {
    std::panic::set_hook(Box::new(|panic| {
        let mut foreign = FOREIGN.lock().unwrap_or_else(|error| error.into_inner());
        if is_foreign(panic) {
            *foreign = format!("before: {panic}\n");
        } else {
            let trace = std::backtrace::Backtrace::force_capture();
            eprintln!("{}{panic}\n{trace}", std::mem::take(&mut *foreign));
        }
    }));
}

/// Code from a registry.
fn is_foreign(panic: &std::panic::PanicHookInfo) -> bool {
    let file = panic.location().map(|location| location.file());
    file.is_some_and(|file| file.contains("/registry/src/"))
}

/// Any answer will do that keeps its promises. Files of other containers are not taken into the corpus.
pub fn decode_only(containers: &[Container], data: &[u8]) -> Corpus {
    match sniff(&data[..data.len().min(PREFIX_BYTES)]) {
        Sniffed::Audio(container) if containers.contains(&container) => {}
        _ => return Corpus::Reject,
    }
    // Of several tracks, also one that nobody would choose.
    if let Some(tracks) = check(data, None)
        && tracks > 1
    {
        check(data, Some(tracks));
    }
    Corpus::Keep
}

/// How many tracks the file has, where one can be decoded.
fn check(data: &[u8], track: Option<u32>) -> Option<u32> {
    let limits = Limits {
        duration_ms_max: DURATION_MS_MAX,
        ..Limits::default()
    };
    let mut last = 0.0;
    let mut progress = |share: f32| {
        assert!((0.0..=1.0).contains(&share), "progress of {share}");
        last = share;
    };
    let answer = decode(
        file_of(data),
        &limits,
        track,
        &std::env::temp_dir(),
        &mut progress,
    );
    let decoded = match answer {
        Ok(decoded) => decoded,
        Err(AudioError::Io(error)) => panic!("{error}: a reader's mistake, not the disk's"),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return None;
        }
    };
    assert_eq!(last, 1.0, "progress at the end");
    let (spec, measured) = (decoded.spec, &decoded.measured);
    assert!(limits.sample_rate.contains(&spec.sample_rate), "{spec}");
    assert!((1..=limits.channels_max).contains(&spec.channels), "{spec}");
    let frames_max = DURATION_MS_MAX * u64::from(spec.sample_rate) / 1000;
    assert!(
        (1..=frames_max).contains(&decoded.frames),
        "{} frames of {frames_max}",
        decoded.frames
    );
    assert_eq!(measured.measurement.frames, decoded.frames);
    let peak = measured.measurement.sample_peak_dbfs;
    assert!(peak.is_none_or(f64::is_finite), "a peak of {peak:?}");
    for finding in &decoded.findings {
        let is_known = finding.params.values().all(|value| !value.is_null());
        assert!(is_known && !finding.message.is_empty(), "{finding:?}");
    }
    let tracks = decoded.tracks.len() as u32;
    assert!(tracks > 0 && track.is_none_or(|track| track <= tracks));
    Some(tracks)
}

/// What stands beside the samples is read from any file within the bounds that are promised, and
/// whatever was read can be written, and is there again where everything can be.
pub fn kept_tags(data: &[u8]) {
    let mut tags = match Tags::read(&file_of(data)) {
        Ok((tags, _)) => tags,
        Err(AudioError::Io(error)) => panic!("{error}: a reader's mistake, not the disk's"),
        Err(_) => return,
    };
    check_bounds(&tags);
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
        let spec = decoded.spec;
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
        let (again, _) = Tags::read(&written).expect("what we wrote");
        if !matches!(format, Format::Wav { .. }) {
            // What a WAVE file's chunks say comes to it, and comments have names of ASCII.
            let said = format.cannot_keep(&tags, spec);
            let lists = said
                .iter()
                .filter_map(|finding| finding.params.get("names")?.as_array());
            let renamed: Vec<&str> = lists.flatten().filter_map(|name| name.as_str()).collect();
            for field in &tags.fields {
                let kept_as = format!("{} (kept as ", field.0);
                let is_renamed = renamed.iter().any(|name| name.starts_with(&kept_as));
                assert!(
                    is_renamed || again.fields.contains(field),
                    "{field:?} is lost"
                );
            }
            assert_eq!(again.chapters.len(), tags.chapters.len());
        }
        let again = decode(written, &Limits::default(), None, &dir, &mut |_| ());
        assert_eq!(again.map(|again| again.frames).ok(), Some(480));
    }
}

fn check_bounds(tags: &Tags) {
    assert!(tags.fields.len() <= tag_limits::FIELDS_MAX);
    assert!(tags.chapters.len() <= tag_limits::CHAPTERS_MAX);
    assert!(tags.pictures.len() <= tag_limits::PICTURES_MAX);
    let texts = || tags.fields.iter().map(|(_, text)| text.len());
    assert!(texts().all(|bytes| bytes <= tag_limits::TEXT_BYTES_MAX));
    assert!(texts().sum::<usize>() <= tag_limits::TEXT_BYTES_SUM_MAX);
    let pictures = || tags.pictures.iter().map(|picture| picture.bytes.len());
    assert!(pictures().sum::<usize>() <= tag_limits::PICTURE_BYTES_SUM_MAX);
    let mut chunks = tags.chunks.iter();
    assert!(chunks.all(|(_, body)| body.len() <= tag_limits::CHUNK_BYTES_MAX));
    let starts = tags.chapters.iter().map(|chapter| chapter.start_ns);
    assert!(starts.is_sorted(), "chapters in the order of time");
}

pub fn file_of(data: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(data).expect("room for it");
    file
}
