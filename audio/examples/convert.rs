//! Decodes a file and writes it in another format, and says what that cost.
//!
//!     cargo run --release -p retake-audio --example convert -- in.webm out.flac [16|24|32 [track]]
//!
//! Findings follow, each with its numbers as JSON.
//!
//! For measuring speed: the time is that of the whole process, all threads; how much of it the meters
//! took, which other converters have none of, is said beside it.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use retake_audio::{FlacBits, Format, Limits, Tags, WavDepth, convert};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(input), Some(output)) = (args.next(), args.next()) else {
        return Err("usage: convert <input> <output.wav|.flac|.opus> [16|24|32 [track]]".into());
    };
    let depth = args.next();
    let track = args.next().and_then(|track| track.parse().ok());
    let format = match (
        Path::new(&output).extension().and_then(|e| e.to_str()),
        depth.as_deref(),
    ) {
        (Some("wav"), Some("24")) => Format::Wav {
            depth: WavDepth::Int24,
        },
        (Some("wav"), Some("32")) => Format::Wav {
            depth: WavDepth::Float32,
        },
        (Some("wav"), _) => Format::Wav {
            depth: WavDepth::Int16,
        },
        (Some("opus"), _) => Format::OggOpus { bitrate_bps: None },
        (_, Some("24")) => Format::Flac {
            bits: FlacBits::Bits24,
        },
        _ => Format::Flac {
            bits: FlacBits::Bits16,
        },
    };
    let meters = Meters::watch();
    let started = (Instant::now(), cpu_seconds());
    let (tags, of_tags) = Tags::read(&File::open(&input)?)?;
    let mut lost = Vec::new();
    let read = convert(
        File::open(&input)?,
        &Limits::default(),
        track,
        &mut |_, spec| {
            lost = format.cannot_keep(&tags, spec);
            (format.into(), tags.clone())
        },
        File::create(&output)?,
        &mut |_| (),
    )?;
    let ended = (Instant::now(), cpu_seconds());
    let seconds = read.frames as f64 / f64::from(read.spec.sample_rate);
    let source = format!("{} / {}", read.source.container, read.source.codec);
    let findings = &read.findings;

    let mut report = vec![
        format!("{source}, {seconds:.3} s, {} frames", read.frames),
        format!("{:?}", read.measured.measurement),
        format!(
            "{:.2} s wall, {:.2} s cpu, {:.2} of it measuring",
            (ended.0 - started.0).as_secs_f64(),
            ended.1 - started.1,
            meters.seconds()
        ),
    ];
    report.extend(findings.iter().chain(&of_tags).chain(&lost).map(|finding| {
        let params = serde_json::Value::Object(finding.params.clone());
        format!("{}: {finding} {params}", finding.code)
    }));
    std::io::Write::write_all(
        &mut std::io::stdout(),
        (report.join("\n") + "\n").as_bytes(),
    )?;
    Ok(())
}

/// User and system time of this process so far, in the usual hundredths of a second.
fn cpu_seconds() -> f64 {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
        return f64::NAN;
    };
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: f64 = fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

/// What the threads named "meter" have used, looked up often, because it is gone when they end.
/// There is one at a time, and only its own file is read while it runs: looking costs time as well.
struct Meters(Arc<Mutex<f64>>);

impl Meters {
    const EVERY: Duration = Duration::from_millis(5);

    fn watch() -> Self {
        let seen: Arc<Mutex<f64>> = Arc::default();
        let seen_by_watch = Arc::downgrade(&seen);
        std::thread::spawn(move || {
            let (mut of_ended, mut of_running) = (0.0, 0.0);
            let mut running = None;
            while let Some(seen) = seen_by_watch.upgrade() {
                match running.as_ref().and_then(used) {
                    Some(seconds) => of_running = seconds,
                    None => {
                        of_ended += std::mem::take(&mut of_running);
                        running = meter_thread();
                    }
                }
                if let Ok(mut seen) = seen.lock() {
                    *seen = of_ended + of_running;
                }
                std::thread::sleep(Self::EVERY);
            }
        });
        Self(seen)
    }

    fn seconds(&self) -> f64 {
        self.0.lock().map_or(f64::NAN, |seen| *seen)
    }
}

/// The file that says how long the meter's thread ran.
fn meter_thread() -> Option<File> {
    let mut threads = std::fs::read_dir("/proc/self/task").ok()?.flatten();
    threads.find_map(|thread| {
        let name = std::fs::read_to_string(thread.path().join("comm")).ok()?;
        let is_meter = name.trim_end() == "meter";
        is_meter.then(|| File::open(thread.path().join("schedstat")).ok())?
    })
}

/// Seconds, where the thread still is.
fn used(schedstat: &File) -> Option<f64> {
    let mut text = [0; 128];
    let length = schedstat.read_at(&mut text, 0).ok()?;
    let text = std::str::from_utf8(text.get(..length)?).ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}
