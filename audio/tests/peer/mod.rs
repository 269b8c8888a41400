//! Another program that decodes, where it is installed: what it hears is held against what we wrote.
#![allow(clippy::unwrap_used)]

use std::{
    io::Write,
    process::{Command, Stdio},
};

use retake_audio::Block;

pub struct Peer;

/// `None`, and a line that says so, where it is not installed.
pub fn ffmpeg() -> Option<Peer> {
    let found = Command::new("ffmpeg")
        .arg("-version")
        .stdout(Stdio::null())
        .status();
    match found {
        Ok(status) if status.success() => Some(Peer),
        _ => {
            eprintln!("ffmpeg is not installed: nothing is compared with it");
            None
        }
    }
}

impl Peer {
    pub fn decode(&self, bytes: &[u8], channels: usize, what: &str) -> Block {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let out = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(file.path())
            .args(["-map", "0:a", "-f", "f32le", "-"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && said.is_empty(), "{what}: {said}");
        let (values, rest) = out.stdout.as_chunks::<4>();
        assert!(rest.is_empty() && values.len() % channels == 0, "{what}");
        Block::from_fn(channels, values.len() / channels, |channel, frame| {
            f32::from_le_bytes(values[frame * channels + channel])
        })
    }
}
