//! Another program that decodes, where it is installed: what it hears is held against what we wrote.
#![allow(clippy::unwrap_used)]
#![allow(dead_code)] // each test has its peer

use std::{
    io::Write,
    process::{Command, Stdio},
};

use retake_audio::Block;

pub struct Peer;

/// `None`, and a line that says so, where it is not installed. `make test` installs it: there it must be.
pub fn ffmpeg() -> Option<Peer> {
    is_there("ffmpeg", &["-version"]).then_some(Peer)
}

/// The same of ffprobe, which comes with it.
pub fn ffprobe() -> bool {
    is_there("ffprobe", &["-version"])
}

/// And of mutagen, Python's reader of tags: the Python that has it, the system's where another comes first.
pub fn mutagen() -> Option<&'static str> {
    let system = "/usr/bin/python3";
    let first = Command::new("python3").args(IMPORT).output();
    let python = match first {
        Ok(tried) if tried.status.success() => "python3",
        _ => system,
    };
    is_there(python, &IMPORT).then_some(python)
}

const IMPORT: [&str; 2] = ["-c", "import mutagen"];

fn is_there(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let command = command.args(arguments);
    let tried = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = tried.is_ok_and(|status| status.success());
    let must_be = std::env::var_os("RETAKE_TEST_PEERS").is_some();
    let missing = format!(
        "{program} {} does not run: is it installed?",
        arguments.join(" ")
    );
    assert!(is_there || !must_be, "{missing}");
    if !is_there {
        eprintln!("{missing} Nothing is compared with it.");
    }
    is_there
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
