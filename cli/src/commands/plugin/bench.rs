//! `retake plugin bench`: what a plugin costs, and how that compares with the same code built natively.

use std::{io::Write as _, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};
use retake_child::ChildProgram;
use retake_plugin_check::{BenchReport, CheckTerms, Speed, bench_in_child};
use serde::{Deserialize, Serialize};

use crate::{commands::correct, install};

/// What `--native` runs where it is given no command.
const NATIVE: &str = "cargo run --quiet --release --example native";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What cargo built, or a component
    #[arg(value_name = "FILE.wasm")]
    plugin: PathBuf,
    /// Compares with a native build: with what this command prints as its last line
    #[arg(long, value_name = "COMMAND", num_args = 0..=1, default_missing_value = NATIVE)]
    native: Option<String>,
    /// The figures as JSON, for scripts
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Compared {
    #[serde(flatten)]
    wasm: BenchReport,
    native: Option<Native>,
}

/// What `retake_plugin_sdk::bench::run` prints.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Native {
    plugin: String,
    rate: u32,
    /// Seconds of audio per second.
    mono: f64,
    stereo: Option<f64>,
}

pub async fn run(arguments: Arguments, set: &[String]) -> Result<()> {
    if arguments.native.is_some() && !set.is_empty() {
        bail!("--set and --native do not go together: the native build runs at the defaults");
    }
    let terms = CheckTerms {
        params: correct::params(set)?,
        ..CheckTerms::default()
    };
    let child = ChildProgram::this("check-plugin");
    let cache = install::cache_folder(&correct::caches()?);
    let path = arguments.plugin.clone();
    let measured =
        tokio::task::spawn_blocking(move || bench_in_child(&child, &cache, &path, &terms));
    let wasm = measured
        .await?
        .with_context(|| arguments.plugin.display().to_string())?;
    // After one another: both want the machine for themselves.
    let native = arguments.native.as_deref().map(native).transpose()?;
    if let Some(native) = &native
        && (native.plugin != wasm.plugin || native.rate != wasm.rate)
    {
        bail!(
            "the native build is {} at {} Hz, and the file is {} at {} Hz: there is nothing to compare",
            native.plugin,
            native.rate,
            wasm.plugin,
            wasm.rate
        );
    }
    let compared = Compared { wasm, native };
    let shown = if arguments.json {
        serde_json::to_string_pretty(&compared)? + "\n"
    } else {
        readable(&compared)
    };
    std::io::stdout().write_all(shown.as_bytes())?;
    Ok(())
}

/// The author's own command, in the author's own folder, with what it says on standard error shown.
fn native(command: &str) -> Result<Native> {
    let output = Command::new("sh")
        .args(["-c", command])
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| command.to_owned())?;
    if !output.status.success() {
        bail!("{command}: ended with {}", output.status);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| {
        format!(
            "{command}: its last line must be what retake_plugin_sdk::bench::run prints; it is \"{last}\""
        )
    })
}

fn readable(compared: &Compared) -> String {
    let Compared { wasm, native } = compared;
    let mut text = format!(
        "{} {}\ninstalled in {:.0} ms, loaded in {:.2} ms, an instance in {:.0} us\n\n{:8}{:>14}{:>14}{:>16}{:>12}",
        wasm.plugin,
        wasm.version,
        wasm.install_ms,
        wasm.load_ms,
        wasm.start_us,
        "",
        "x realtime",
        "us per block",
        "slowest block",
        "MiB"
    );
    if native.is_some() {
        text.push_str(&format!("{:>16}{:>12}", "native", "of native"));
    }
    text.push('\n');
    let mut row = |name: &str, speed: &Speed, native: Option<f64>| {
        text.push_str(&format!(
            "{name:8}{:>14.1}{:>14.1}{:>16.1}{:>12.2}",
            speed.realtime_factor,
            speed.block_us,
            speed.slowest_block_us,
            speed.memory_bytes as f64 / f64::from(1 << 20)
        ));
        if let Some(native) = native {
            let part = 100.0 * speed.realtime_factor / native;
            text.push_str(&format!("{native:>16.1}{:>12}", format!("{part:.0} %")));
        }
        text.push('\n');
    };
    row(
        "mono",
        &wasm.mono,
        native.as_ref().map(|native| native.mono),
    );
    if let Some(stereo) = &wasm.stereo {
        row(
            "stereo",
            stereo,
            native.as_ref().and_then(|native| native.stereo),
        );
    }
    text.push_str(&format!(
        "\nA block is 4800 frames at {} Hz. Figures of one machine, for comparing two builds on it.\n",
        wasm.rate
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_the_native_command_is_read() {
        let line = r#"{"plugin":"org.example.gain","rate":48000,"mono":5000.5,"stereo":null}"#;
        let said = native(&format!("echo building; echo '{line}'"));
        let expected = Native {
            plugin: "org.example.gain".into(),
            rate: 48_000,
            mono: 5000.5,
            stereo: None,
        };
        assert_eq!(said.ok(), Some(expected));
        for (command, words) in [("echo fast", "\"fast\""), ("exit 3", "exit status: 3")] {
            let error = native(command).map_err(|error| error.to_string());
            assert!(error.is_err_and(|error| error.contains(words)), "{command}");
        }
    }
}
