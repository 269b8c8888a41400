//! `retake plugin run`: one file through one plugin, with everything it has to say.

use std::{io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result};
use retake_chain::report::StepReport;
use retake_words::written_out;
use serde_json::Value;

use crate::{commands::correct, config::Config};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What cargo built, or a component
    #[arg(value_name = "FILE.wasm")]
    plugin: PathBuf,
    /// The recording: WebM, Ogg, MP4, WAV, FLAC, MP3, AIFF, CAF
    input: PathBuf,
    /// Where the correction goes; its ending chooses the format: .wav, .flac or .opus
    output: PathBuf,
    /// The part of the plugin's sound in the result, 0 to 1; the rest is the original
    #[arg(long)]
    mix: Option<f64>,
    /// Steps that run before it, for a plugin that hears what they find: a chain as JSON, or a file with
    /// one
    #[arg(
        long,
        value_name = "CHAIN",
        default_value = "{\"steps\":[]}",
        hide_default_value = true
    )]
    after: String,
    /// Write what the plugin took away, its input less its output, to a file
    #[arg(long, value_name = "FILE")]
    delta: Option<PathBuf>,
}

pub async fn run(config: Config, arguments: Arguments, set: Vec<String>) -> Result<()> {
    let after = after(&arguments.after)?;
    let before = after["steps"].as_array().map_or(0, Vec::len);
    let arguments = correct::Arguments {
        input: arguments.input,
        output: arguments.output,
        chain: after.to_string(),
        format: None,
        also: Vec::new(),
        deltas: arguments
            .delta
            .map(|file| format!("{before}={}", file.display()))
            .into_iter()
            .collect(),
        plugin: Some(arguments.plugin),
        params: set,
        mix: arguments.mix,
        track: None,
        json: false,
    };
    let report = correct::correct(config, &arguments).await?;
    for step in &report.report.steps {
        for line in &step.log {
            eprintln!("{}", written_out(line));
        }
    }
    correct::print_report(&report, &correct::written_to(&arguments, &report)?);
    let steps = &report.report.steps;
    let said: String = match &steps[..] {
        [alone] => readable(alone),
        all => all
            .iter()
            .map(|step| format!("{}: {}", step.step, readable(step)))
            .collect(),
    };
    std::io::stdout().write_all(said.as_bytes())?;
    Ok(())
}

/// The chain that runs before the plugin.
fn after(text: &str) -> Result<Value> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).context("--after");
    }
    let file = std::fs::read_to_string(text).with_context(|| text.to_owned())?;
    serde_json::from_str(&file).with_context(|| text.to_owned())
}

/// The plugin's own report, a line each.
fn readable(step: &StepReport) -> String {
    let list = |name: &str| {
        step.measurements[name]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let mut text = format!("latency {} frames\n", step.latency_frames);
    for measured in list("measurements") {
        let value = match &measured["value"] {
            Value::String(words) => words.clone(),
            Value::Number(number) => match number.as_f64() {
                Some(float) if number.is_f64() => format!("{float:.2}"),
                _ => number.to_string(),
            },
            other => other.to_string(),
        };
        let unit = measured["unit"].as_str().unwrap_or_default();
        text.push_str(&format!("{}: {value} {unit}", label(&measured)));
        text.truncate(text.trim_end().len());
        if let Value::Object(span) = &measured["span"] {
            let (start, frames) = (&span["start"], &span["frames"]);
            text.push_str(&format!(", {frames} frames from {start} on"));
        }
        text.push('\n');
    }
    for curve in list("curves") {
        let points = curve["points"].as_array().cloned().unwrap_or_default();
        let points: Vec<_> = points.iter().filter_map(Value::as_f64).collect();
        let lowest = points.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = points.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        text.push_str(&format!(
            "{}: a curve of {} points",
            label(&curve),
            points.len()
        ));
        if !points.is_empty() {
            let unit = curve["unit"].as_str().unwrap_or_default();
            text.push_str(&format!(", {lowest:.2} to {highest:.2} {unit}"));
        }
        text.push('\n');
    }
    written_out(&text)
}

fn label(measured: &Value) -> String {
    let label = measured["label"].as_str().unwrap_or_default();
    match measured["channel"].as_u64() {
        Some(channel) => format!("{label} (channel {channel})"),
        None => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_lines_and_forges_none() {
        let step = StepReport {
            step: "mine".into(),
            plugin: None,
            skipped: false,
            recommended: false,
            params: serde_json::Map::new(),
            error: None,
            level_change_db: None,
            delta: false,
            cuts: Vec::new(),
            latency_frames: 480,
            cpu_ms: 1,
            measurements: serde_json::json!({
                "measurements": [
                    { "id": "a", "label": "Gain", "unit": "dB", "value": -3.456, "channel": 1 },
                    { "id": "b", "label": "Cut", "unit": "", "value": true,
                      "span": { "start": 7, "frames": 48 } },
                    { "id": "c", "label": "Word\u{1b}[31m", "unit": "", "value": "red" },
                ],
                "curves": [{ "id": "d", "label": "Level", "unit": "dB", "points": [-3.0, 1.5] }],
            }),
            log: vec![],
        };
        assert_eq!(
            readable(&step),
            "latency 480 frames\nGain (channel 1): -3.46 dB\nCut: true, 48 frames from 7 on\n\
             Word\\u{1b}[31m: red\nLevel: a curve of 2 points, -3.00 to 1.50 dB\n"
        );
    }
}
