//! Title, cover and chapters of every format as other programs read them: ffprobe and mutagen, where they are
//! installed (`make test` sees to that).
#![allow(clippy::unwrap_used)]

mod peer;

use std::{
    io::{Read, Seek, SeekFrom, Write},
    process::Command,
};

use retake_audio::{Block, Chapter, Encoder, FlacBits, Format, Picture, Spec, Tags, WavDepth};
use serde_json::{Value, json};

/// One grey pixel.
const PNG: &[u8] =
    b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\
    \x00\x01\x08\x00\x00\x00\x00\x3a\x7e\x9b\x55\x00\x00\x00\x0a\x49\x44\x41\x54\x78\x9c\x63\
    \x68\x00\x00\x00\x82\x00\x81\x77\xcd\x72\xb6\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\
    \x82";
const TITLE: &str = "Grüße aus 東京";
const CHAPTERS: [&str; 2] = ["Intro", "Größe"];
const SECOND_NS: u64 = 1_000_000_000;

/// What mutagen makes of a file: title, sizes of pictures, titles of chapters.
const MUTAGEN: &str = r#"
import base64, json, sys, mutagen, mutagen.flac
file = mutagen.File(sys.argv[1])
tags = file.tags
if type(file).__name__ in ("MP3", "WAVE"):
    title = tags["TIT2"].text[0]
    pictures = [len(frame.data) for frame in tags.getall("APIC")]
    chapters = [frame.sub_frames["TIT2"].text[0] for frame in tags.getall("CHAP")]
elif type(file).__name__ == "MP4":
    title = tags["\xa9nam"][0]
    pictures = [len(cover) for cover in tags.get("covr", [])]
    chapters = [chapter.title for chapter in file.chapters or []]
else:
    title = file["title"][0]
    blocks = [mutagen.flac.Picture(base64.b64decode(text)) for text in file.get("metadata_block_picture", [])]
    pictures = [len(picture.data) for picture in list(getattr(file, "pictures", [])) + blocks]
    names = sorted(key for key, _ in tags if key.lower().startswith("chapter") and key.lower().endswith("name"))
    chapters = [file[name][0] for name in names]
print(json.dumps({"title": title, "pictures": pictures, "chapters": chapters}))
"#;

fn written(format: Format) -> tempfile::NamedTempFile {
    let chapter = |number: usize| Chapter {
        start_ns: number as u64 * SECOND_NS,
        end_ns: Some((number as u64 + 1) * SECOND_NS),
        title: CHAPTERS[number].to_owned(),
    };
    let tags = Tags {
        fields: vec![("TITLE".to_owned(), TITLE.to_owned())],
        pictures: vec![Picture {
            kind: 3,
            mime: "image/png".to_owned(),
            description: String::new(),
            bytes: PNG.to_vec(),
        }],
        chapters: vec![chapter(0), chapter(1)],
        ..Tags::default()
    };
    let (spec, frames) = (Spec::new(48_000, 1), 96_000);
    let mut out = tempfile::tempfile().unwrap();
    let into = out.try_clone().unwrap();
    let mut encoder = Encoder::create(format, spec, frames, &tags, into).unwrap();
    encoder.push(&Block::silence(1, frames as usize)).unwrap();
    encoder.finish().unwrap();
    let mut bytes = Vec::new();
    out.seek(SeekFrom::Start(0)).unwrap();
    out.read_to_end(&mut bytes).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    file
}

fn said(mut command: Command) -> Value {
    let out = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{complaint}");
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn other_programs_read_title_cover_and_chapters() {
    let (ffprobe, mutagen) = (peer::ffprobe(), peer::mutagen());
    for (name, format) in [
        (
            "wav",
            Format::Wav {
                depth: WavDepth::Int16,
            },
        ),
        (
            "flac",
            Format::Flac {
                bits: FlacBits::Bits16,
            },
        ),
        ("opus", Format::OggOpus { bitrate_bps: None }),
        (
            "mp3",
            Format::Mp3 {
                bitrate_bps: None,
                vbr: false,
            },
        ),
        ("m4a", Format::M4a { bitrate_bps: None }),
    ] {
        let file = written(format);
        if ffprobe {
            let mut command = Command::new("ffprobe");
            command.args([
                "-v",
                "error",
                "-of",
                "json",
                "-show_format",
                "-show_streams",
                "-show_chapters",
            ]);
            command.arg(file.path());
            let told = said(command);
            let tags_of = |value: &Value| value["tags"].as_object().cloned().unwrap_or_default();
            let title = |value: &Value| {
                let mut tags = tags_of(value).into_iter();
                let title = tags.find(|(key, _)| key.eq_ignore_ascii_case("title"));
                title.map(|(_, title)| title)
            };
            let streams = told["streams"].as_array().unwrap();
            let named = title(&told["format"]).or_else(|| title(&streams[0]));
            assert_eq!(named, Some(json!(TITLE)), "{name}: {told}");
            let is_cover = |stream: &&Value| stream["disposition"]["attached_pic"] == 1;
            let covers = streams.iter().filter(is_cover).count();
            assert_eq!(covers, 1, "{name}: {told}");
            let chapters = told["chapters"].as_array().unwrap();
            let titles: Vec<_> = chapters.iter().filter_map(title).collect();
            assert_eq!(titles, CHAPTERS, "{name}: {told}");
        }
        if let Some(python) = mutagen {
            let mut command = Command::new(python);
            command.args(["-c", MUTAGEN]).arg(file.path());
            let told = said(command);
            let expected = json!({"title": TITLE, "pictures": [PNG.len()], "chapters": CHAPTERS});
            assert_eq!(told, expected, "{name}");
        }
    }
}
