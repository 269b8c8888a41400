//! `retake plugin publish`: a plugin's file to a server, over HTTP like anybody's.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use reqwest::{Method, StatusCode, header};
use retake_jobs::submission::{Submission, SubmissionStatus};
use retake_plugin_check::{CheckReport, Outcome};

use crate::{
    commands::remote::{Server, Where},
    config::Config,
};

/// From asking to asking whether there is a verdict.
const POLL: Duration = Duration::from_millis(300);
/// For sending the file: 64 MiB over a slow line.
const SENDING: Duration = Duration::from_secs(3600);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The plugin, as `retake plugin build` or your compiler wrote it
    file: PathBuf,
    #[command(flatten)]
    at: Where,
    /// Give up waiting for the verdict after so many seconds; the check goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 1200)]
    wait: u64,
}

#[allow(clippy::print_stdout)]
pub async fn run(config: Config, arguments: Arguments) -> Result<()> {
    let file = &arguments.file;
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let server = Server::new(&config, &arguments.at)?;
    let submitted = submit(&server, bytes).await?;
    eprintln!(
        "{}: sent ({} bytes, SHA-256 {}); waiting for the checks",
        file.display(),
        submitted.size_bytes,
        submitted.digest
    );
    let patience = Duration::from_secs(arguments.wait);
    let waiting = tokio::time::timeout(patience, verdict(&server, &submitted));
    let ended = waiting.await.with_context(|| {
        format!(
            "no verdict within {} s; ask GET {} for it",
            arguments.wait,
            path_of(&submitted)
        )
    })??;
    if let Some(check) = &ended.check {
        print!("{}", retake_words::written_out(&found(check)?));
    }
    if ended.status == SubmissionStatus::Published {
        let plugin = ended.plugin.context("a published plugin has a name")?;
        println!("published: {} {}", plugin.id, plugin.version);
        return Ok(());
    }
    match ended.error {
        Some(problem) => bail!("refused: {}: {}", problem.title, problem.detail),
        None => bail!("refused, and the server does not say why"),
    }
}

async fn submit(server: &Server, bytes: Vec<u8>) -> Result<Submission> {
    let request = server
        .request(Method::POST, "/api/v1/plugins")
        .header(header::CONTENT_TYPE, "application/wasm")
        .timeout(SENDING)
        .body(bytes);
    server.json(request, StatusCode::ACCEPTED).await
}

async fn verdict(server: &Server, submitted: &Submission) -> Result<Submission> {
    loop {
        let request = server.request(Method::GET, &path_of(submitted));
        let now: Submission = server.json(request, StatusCode::OK).await?;
        if now.status != SubmissionStatus::Checking {
            return Ok(now);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn path_of(submitted: &Submission) -> String {
    format!("/api/v1/plugin-submissions/{}", submitted.id)
}

/// The report as people read it: what failed first.
fn found(check: &serde_json::Value) -> Result<String> {
    let report: CheckReport = serde_json::from_value(check.clone()).context("the check report")?;
    let mut text = String::new();
    for outcome in [
        Outcome::Failed,
        Outcome::Warned,
        Outcome::Skipped,
        Outcome::Passed,
    ] {
        let checks = report.checks.iter();
        for check in checks.filter(|check| check.outcome == outcome) {
            writeln!(text, "{outcome:8} {}: {}", check.id, check.title)?;
            if outcome != Outcome::Passed {
                writeln!(text, "         {}", check.detail)?;
            }
        }
    }
    if let Some(cost) = report.cost {
        let mib = cost.memory_bytes as f64 / f64::from(1 << 20);
        let speed = cost.realtime_factor;
        writeln!(
            text,
            "cost     {speed:.0} x realtime (48 kHz, mono), {mib:.1} MiB"
        )?;
    }
    Ok(text)
}
