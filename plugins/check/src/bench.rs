//! What a plugin costs: `retake plugin bench`.

use std::time::Instant;

use retake_plugin_host::Plugin;
use retake_plugin_manifest::{ChannelUse, Settings};
use serde::{Deserialize, Serialize};

use crate::kit::{Bad, Subject, voices};

/// As much of the signal, and as many runs of which the best counts, as the SDK's `bench::run` has, so
/// that the two can be compared: runs until they have taken so much CPU time together, within bounds.
const SECONDS: usize = 10;
const RUNS: std::ops::Range<usize> = 5..200;
const RUNS_CPU_S: f64 = 0.5;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchReport {
    pub plugin: String,
    pub version: String,
    /// Of the signal, in Hz: 48 000 where the plugin works at that.
    pub rate: u32,
    /// Checking, compiling and asking for the manifest: once, at installation.
    pub install_ms: f64,
    /// Mapping the compiled code: once per process.
    pub load_ms: f64,
    /// A new instance, before its session is opened.
    pub start_us: f64,
    pub mono: Speed,
    /// None where a session takes one channel only.
    pub stereo: Option<Speed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Seconds of audio per second of CPU time: the best of some runs.
    pub realtime_factor: f64,
    /// CPU time of a block of 4800 frames, mean and slowest.
    pub block_us: f64,
    pub slowest_block_us: f64,
    /// The most linear memory a session had, in bytes.
    pub memory_bytes: u64,
}

/// The child's part. `install_ms` and `load_ms` were measured on the way here.
pub fn bench(
    plugin: &Plugin,
    settings: Settings,
    install_ms: f64,
    load_ms: f64,
) -> Result<BenchReport, String> {
    let subject = Subject::new(plugin, settings, serde_json::Map::new(), "");
    let start = Instant::now();
    plugin.instance().map_err(|error| error.to_string())?;
    let start_us = start.elapsed().as_secs_f64() * 1e6;
    let manifest = plugin.manifest();
    let one_only = manifest.channels == ChannelUse::Linked && manifest.max_channels == 1;
    Ok(BenchReport {
        plugin: manifest.id.clone(),
        version: manifest.version.clone(),
        rate: subject.usual_hz(),
        install_ms,
        load_ms,
        start_us,
        mono: speed(&subject, 1)?,
        stereo: if one_only {
            None
        } else {
            Some(speed(&subject, 2)?)
        },
    })
}

fn speed(subject: &Subject<'_>, channels: usize) -> Result<Speed, String> {
    let rate = subject.usual_hz();
    let input = voices(rate, rate as usize * SECONDS, channels);
    let said = |bad: Bad| format!("{SECONDS} s of a voice went in: {}", bad.words());
    let mut best: Option<(f64, Speed)> = None;
    let mut spent_s = 0.0;
    for run in 0..RUNS.end {
        if run >= RUNS.start && spent_s > RUNS_CPU_S {
            break;
        }
        let taken = subject.take().sound(&input).map_err(said)?;
        let cpu_s = taken.cpu.as_secs_f64().max(1e-9);
        spent_s += cpu_s;
        let blocks = (input.frames() / retake_audio::BLOCK_FRAMES).max(1) as f64;
        let speed = Speed {
            realtime_factor: SECONDS as f64 / cpu_s,
            block_us: cpu_s * 1e6 / blocks,
            slowest_block_us: taken.slowest_block.as_secs_f64() * 1e6,
            memory_bytes: taken.memory_bytes as u64,
        };
        if best.is_none_or(|(best_s, _)| cpu_s < best_s) {
            best = Some((cpu_s, speed));
        }
    }
    Ok(best.expect("there is a run").1)
}
