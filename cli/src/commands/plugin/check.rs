//! `retake plugin check`: the conformance kit over one file.

use std::{io::Write as _, path::PathBuf};

use anyhow::{Result, bail};
use retake_child::ChildProgram;
use retake_plugin_check::{CheckReport, CheckTerms, Outcome, check_in_child};

use crate::{commands::correct, install};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What cargo built, or a component
    #[arg(value_name = "FILE.wasm")]
    plugin: PathBuf,
    /// The report as JSON, for scripts
    #[arg(long)]
    json: bool,
    /// Runs only the check of this id, after those of the file itself; repeatable
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
}

pub async fn run(arguments: Arguments, set: &[String]) -> Result<()> {
    let Arguments { plugin, json, only } = arguments;
    let terms = CheckTerms {
        only,
        params: correct::params(set)?,
        ..CheckTerms::default()
    };
    let child = ChildProgram::this("check-plugin");
    let cache = install::cache_folder(&correct::caches()?);
    let name = plugin.display().to_string();
    let checked =
        tokio::task::spawn_blocking(move || check_in_child(&child, &cache, &plugin, &terms));
    let report = match checked.await? {
        Ok(report) => report,
        Err(error) => bail!("{name}: {error}"),
    };
    let shown = if json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        // With what the plugin said.
        retake_words::written_out(&readable(&report))
    };
    // Written, not printed: a reader that closes early (`| head`) is no panic.
    std::io::stdout().write_all(shown.as_bytes())?;
    if report.passed() {
        Ok(())
    } else {
        bail!(
            "{name}: {} of {} checks failed",
            report.count(Outcome::Failed),
            report.checks.len()
        )
    }
}

fn readable(report: &CheckReport) -> String {
    let mut text = String::new();
    for check in &report.checks {
        text.push_str(&format!(
            "{:8} {:14} {}\n",
            check.outcome.to_string(),
            check.id,
            check.title
        ));
        let indented = check.detail.replace('\n', "\n    ");
        text.push_str(&format!("    {indented}\n"));
    }
    if let Some(cost) = &report.cost {
        text.push_str(&format!(
            "\n{:.0} times faster than it plays, {:.1} MiB of memory (48 kHz mono)\n",
            cost.realtime_factor,
            cost.memory_bytes as f64 / f64::from(1 << 20)
        ));
    }
    text.push_str(&format!(
        "{} passed, {} warned, {} failed, {} skipped\n",
        report.count(Outcome::Passed),
        report.count(Outcome::Warned),
        report.count(Outcome::Failed),
        report.count(Outcome::Skipped)
    ));
    text
}
