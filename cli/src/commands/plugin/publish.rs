//! `retake plugin publish`: a plugin's file to a server, over HTTP like anybody's.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{Certificate, Client, Response, StatusCode, header};
use retake_chain::problem::Problem;
use retake_jobs::submission::{Submission, SubmissionStatus};
use retake_plugin_check::{CheckReport, Outcome};
use retake_secrets::{Secret, SecretUrl};

use crate::{admin_key, config::Config};

/// From asking to asking whether there is a verdict.
const POLL: Duration = Duration::from_millis(300);
/// Longer than a server looks for an answer.
const ANSWER: Duration = Duration::from_secs(60);
/// For sending the file: 64 MiB over a slow line.
const SENDING: Duration = Duration::from_secs(3600);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The plugin, as `retake plugin build` or your compiler wrote it
    file: PathBuf,
    /// The server's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    server: SecretUrl,
    /// The admin key [default: what is in admin.key of the data folder]
    #[arg(
        long,
        value_name = "KEY",
        env = "RETAKE_ADMIN_KEY",
        hide_env_values = true
    )]
    token: Option<Secret>,
    /// Give up waiting for the verdict after so many seconds; the check goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 1200)]
    wait: u64,
}

#[allow(clippy::print_stdout)]
pub async fn run(config: Config, arguments: Arguments) -> Result<()> {
    let file = &arguments.file;
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let server = Server::new(&config, &arguments)?;
    let submitted = server.submit(bytes).await?;
    eprintln!(
        "{}: sent ({} bytes, SHA-256 {}); waiting for the checks",
        file.display(),
        submitted.size_bytes,
        submitted.digest
    );
    let patience = Duration::from_secs(arguments.wait);
    let waiting = tokio::time::timeout(patience, server.verdict(&submitted));
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

struct Server {
    client: Client,
    base: SecretUrl,
    key: Secret,
}

impl Server {
    fn new(config: &Config, arguments: &Arguments) -> Result<Self> {
        let key = match &arguments.token {
            Some(key) => key.clone(),
            None => {
                let path = admin_key::path(&config.data);
                admin_key::read(&path)?.with_context(|| {
                    format!(
                        "no admin key: give --token or RETAKE_ADMIN_KEY; {} is not there either",
                        path.display()
                    )
                })?
            }
        };
        let ca_pem = config.ca_pem().map_err(anyhow::Error::msg)?;
        let trusted = Certificate::from_pem_bundle(ca_pem.as_bytes()).context("ca_file")?;
        // The library is built without a default.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            client: Client::builder()
                .connect_timeout(Duration::from_secs(10))
                .redirect(reqwest::redirect::Policy::none())
                .tls_certs_merge(trusted)
                .build()?,
            base: arguments.server.clone(),
            key,
        })
    }

    async fn submit(&self, bytes: Vec<u8>) -> Result<Submission> {
        let answer = self
            .client
            .post(self.address_of("/api/v1/plugins"))
            .bearer_auth(self.key.expose())
            .header(header::CONTENT_TYPE, "application/wasm")
            .timeout(SENDING)
            .body(bytes)
            .send()
            .await
            .map_err(reqwest::Error::without_url)
            .with_context(|| self.base.to_string())?;
        ensure!(answer.status() == StatusCode::ACCEPTED, told(answer).await);
        answer
            .json()
            .await
            .map_err(|error| error.without_url().into())
    }

    async fn verdict(&self, submitted: &Submission) -> Result<Submission> {
        loop {
            let answer = self
                .client
                .get(self.address_of(&path_of(submitted)))
                .bearer_auth(self.key.expose())
                .timeout(ANSWER)
                .send()
                .await
                .map_err(reqwest::Error::without_url)?;
            ensure!(answer.status() == StatusCode::OK, told(answer).await);
            let now = answer.json().await;
            let now: Submission = now.map_err(reqwest::Error::without_url)?;
            if now.status != SubmissionStatus::Checking {
                return Ok(now);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn address_of(&self, path: &str) -> String {
        format!("{}{path}", self.base.expose().trim_end_matches('/'))
    }
}

fn path_of(submitted: &Submission) -> String {
    format!("/api/v1/plugin-submissions/{}", submitted.id)
}

/// The server's own words, if it is one of ours.
async fn told(answer: Response) -> String {
    let status = answer.status();
    match answer.json::<Problem>().await {
        Ok(problem) => format!("the server says {status}: {}", problem.detail),
        Err(_) => format!("the server says {status}; is it a Retake server?"),
    }
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
