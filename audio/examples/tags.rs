//! Prints everything beside the samples of files: what is kept, and what is not.
//!
//!     cargo run -p retake-audio --example tags -- FILE…

use std::{fs::File, io::Write};

use retake_audio::Tags;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        let (tags, findings) = Tags::read(&File::open(&path)?)?;
        writeln!(out, "{path}")?;
        for (name, value) in &tags.fields {
            writeln!(out, "  {name}={value}")?;
        }
        for picture in &tags.pictures {
            let bytes = picture.bytes.len();
            let (kind, mime, text) = (picture.kind, &picture.mime, &picture.description);
            writeln!(out, "  picture {kind} {mime} {bytes} bytes {text:?}")?;
        }
        for chapter in &tags.chapters {
            writeln!(out, "  {chapter:?}")?;
        }
        for (id, body) in &tags.chunks {
            let bytes = body.len();
            writeln!(out, "  {} {bytes} bytes", String::from_utf8_lossy(id))?;
        }
        for finding in &findings {
            writeln!(out, "  {}: {finding}", finding.code)?;
        }
    }
    Ok(())
}
