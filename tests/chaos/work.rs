//! What is handed in, and what must become of it: good recordings, damaged ones, and plugins that
//! misbehave, so that the blame can be seen to go where it belongs.

use std::path::Path;

use anyhow::Result;
use retake_tests::{client::Upload, fixture, signal};
use serde_json::{Value, json};

use crate::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Work {
    /// Done in an instant.
    Short,
    /// The preset that people choose, on what a browser recorded.
    Speech,
    /// Seconds of work: most faults meet one of these.
    Long,
    /// Leaves more than one file behind.
    Delta,
    /// Asked to stop right after it was accepted.
    Cancelled,
    /// Not audio behind its first bytes.
    Damaged,
    /// Its file ends after the header.
    Empty,
    /// A plugin that panics.
    Panics,
    /// A plugin that eats memory.
    Bombs,
    /// A plugin that never comes back.
    Loops,
}

use Work::*;

/// Each as often as it stands here.
const MIX: [Work; 20] = [
    Short, Short, Short, Short, Short, Short, Short, Short, Speech, Long, Long, Long, Delta, Delta,
    Cancelled, Damaged, Damaged, Empty, Panics, Bombs,
];
/// One in so many is a plugin that loops: it holds a place until its deadline.
const LOOPS_EVERY: usize = 80;

impl Work {
    pub fn of_chance(random: &mut Random) -> Self {
        if random.one_in(LOOPS_EVERY) {
            Loops
        } else {
            random.of(&MIX)
        }
    }

    pub const ALL: [Self; 10] = [
        Short, Speech, Long, Delta, Cancelled, Damaged, Empty, Panics, Bombs, Loops,
    ];

    /// Whether an ended job is what must become of this.
    pub fn is_right(self, job: &Value) -> Result<(), String> {
        let status = job["status"].as_str().unwrap_or_default();
        let error = job["error"]["type"].as_str().unwrap_or_default();
        let kind = error.trim_start_matches("/problems/");
        let right = match self {
            Short | Speech | Long | Delta => status == "completed",
            Cancelled => matches!(status, "completed" | "cancelled"),
            Damaged | Empty => {
                let own = ["not-audio", "damaged-audio", "empty-audio"];
                status == "failed" && own.contains(&kind)
            }
            Panics | Bombs => status == "failed" && kind == "step-crashed" && blames_puppet(job),
            // It may well be that it was never left alone until its time was over.
            Loops if kind == "too-many-attempts" => status == "failed",
            Loops => {
                let stopped = matches!(kind, "deadline-exceeded" | "step-over-budget");
                status == "failed" && stopped && blames_puppet(job)
            }
        };
        match right {
            true => Ok(()),
            false => Err(format!("{self:?} ended as {status}: {}", job["error"])),
        }
    }

    /// Whether its result is the same every time. (Who cancels may come too late.)
    pub fn has_result(self) -> bool {
        matches!(self, Short | Speech | Long | Delta)
    }
}

fn blames_puppet(job: &Value) -> bool {
    let plugins = job["error"]["plugins"].as_array();
    plugins
        .is_some_and(|plugins| plugins.len() == 1 && plugins[0]["id"] == "org.retake.test.puppet")
}

/// All that can be handed in, made once.
pub struct Store(Vec<(Work, Upload)>);

impl Store {
    pub fn new(folder: &Path) -> Result<Self> {
        let long = folder.join("long.wav");
        signal::voice_like(&long, 24_000, 1, 40.0)?;
        let brief = folder.join("brief.wav");
        signal::voice_like(&brief, 16_000, 1, 0.5)?;
        let mut damaged = std::fs::read(fixture("speech.flac"))?;
        // The marker stays, so that the server takes it; nothing behind it means anything.
        for (n, byte) in damaged.iter_mut().enumerate().skip(8) {
            *byte = (n * 31) as u8;
        }
        let empty = signal::wav_header(16_000, 1, 16, 1, 0);
        let mut store = Vec::new();
        for work in Work::ALL {
            let (upload, format) = match work {
                Short | Cancelled => (Upload::file(&fixture("speech.mp3"))?, "opus"),
                Speech => (Upload::file(&fixture("chromium-recording.webm"))?, "opus"),
                Long => (Upload::file(&long)?, "flac"),
                Delta => (Upload::file(&fixture("speech.mp3"))?, "opus"),
                Damaged => (Upload::bytes(damaged.clone(), "damaged.flac"), "flac"),
                Empty => (Upload::bytes(empty.clone(), "empty.wav"), "flac"),
                Panics | Bombs | Loops => (Upload::file(&brief)?, "flac"),
            };
            let upload = upload.with("format", format);
            let upload = match chain(work) {
                Some(chain) => upload.with("chain", chain.to_string()),
                None => upload.with("preset", "speech"),
            };
            store.push((work, upload));
        }
        Ok(Self(store))
    }

    /// Named by its number, so that it is known again where its answer was lost.
    pub fn upload(&self, work: Work, serial: u64) -> Upload {
        let found = self.0.iter().find(|(known, _)| *known == work);
        let (_, upload) = found.expect("each kind was made");
        Upload {
            file_name: format!("{serial} {work:?}"),
            ..upload.clone()
        }
    }
}

fn chain(work: Work) -> Option<Value> {
    let puppet = |deed: &str| json!({"steps": [{"plugin": "highpass"}, {"plugin": "puppet", "params": {"deed": deed}}]});
    match work {
        Short | Damaged | Empty => Some(json!({"steps": [{"plugin": "gain"}]})),
        Speech => None,
        Long | Cancelled => Some(json!({"steps": [
            {"plugin": "highpass"}, {"plugin": "denoise"}, {"plugin": "loudness"}
        ]})),
        Delta => {
            Some(json!({"steps": [{"plugin": "highpass", "delta": true}, {"plugin": "gain"}]}))
        }
        Panics => Some(puppet("panic")),
        Bombs => Some(puppet("bomb")),
        Loops => Some(puppet("loop")),
    }
}
