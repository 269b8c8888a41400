//! Plugins are published while everything runs: whoever checks them, every worker runs them, nothing
//! is restarted, and what was removed can still be read.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context as _, Result, ensure};
use reqwest::StatusCode;
use retake_tests::{
    broker::Broker,
    client::{Client, PATIENCE, Upload},
    fixture,
    process::{Start, program},
    root,
};
use serde_json::{Value, json};

fn gain() -> Result<Vec<u8>> {
    std::fs::read(root().join("dist/plugins/gain.wasm")).context("run make plugins")
}

/// The plugin with another version in place of its own 0.1.0. The contract's version, which stands
/// behind an @, is left alone.
fn with_version(wasm: &[u8], version: &str) -> Vec<u8> {
    assert_eq!(version.len(), 5);
    let mut changed = wasm.to_vec();
    let mut places = 0;
    for at in 1..wasm.len() - 5 {
        if &wasm[at..at + 5] == b"0.1.0" && wasm[at - 1] != b'@' {
            changed[at..at + 5].copy_from_slice(version.as_bytes());
            places += 1;
        }
    }
    assert!(places > 0, "the plugin does not say its version");
    changed
}

struct Admin<'a> {
    data: &'a Path,
    url: &'a str,
    key: String,
}

impl<'a> Admin<'a> {
    /// With the key that the server made at its first start.
    fn new(data: &'a Path, url: &'a str) -> Result<Self> {
        let key = std::fs::read_to_string(data.join("admin.key"))?;
        Ok(Self {
            data,
            url,
            key: key.trim().to_owned(),
        })
    }

    /// Without a token it is the data folder's.
    fn publish(&self, name: &str, wasm: &[u8], token: Option<&str>) -> Result<Output> {
        let file: PathBuf = self.data.join(name);
        std::fs::write(&file, wasm)?;
        let mut command = Command::new(program());
        command.args(["plugin", "publish"]).arg(&file);
        command
            .args(["--server", self.url, "--data"])
            .arg(self.data);
        command.args(token.into_iter().flat_map(|token| ["--token", token]));
        Ok(command.env_remove("RETAKE_ADMIN_KEY").output()?)
    }

    fn published(&self, name: &str, wasm: &[u8]) -> Result<String> {
        let run = self.publish(name, wasm, None)?;
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        let trouble = String::from_utf8_lossy(&run.stderr);
        ensure!(run.status.success(), "{name}: {said}{trouble}");
        Ok(said)
    }

    fn refused(&self, name: &str, wasm: &[u8], token: Option<&str>) -> Result<String> {
        let run = self.publish(name, wasm, token)?;
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        ensure!(!run.status.success(), "{name} was published");
        Ok(said)
    }
}

fn upload(chain: Value) -> Result<Upload> {
    Ok(Upload::file(&fixture("speech.flac"))?.with("chain", chain.to_string()))
}

/// The version and digest that a completed job says it ran in its first step.
async fn ran(client: &Client, job: &Value) -> Result<(String, String)> {
    let id = job["id"].as_str().context("an id")?;
    let report = client.json(&format!("/api/v1/jobs/{id}/report")).await?;
    let plugin = &report["steps"][0]["plugin"];
    let text = |name: &str| plugin[name].as_str().map(str::to_owned);
    Ok((
        text("version").context("a version")?,
        text("digest").context("a digest")?,
    ))
}

#[tokio::test]
async fn a_published_plugin_runs_on_workers_that_started_before_it_was_written() -> Result<()> {
    let broker = Broker::start()?;
    let data = tempfile::tempdir()?;
    let start = |role| {
        Start::new(role, data.path())
            .env("RETAKE_QUEUE_URL", &broker.url)
            .start()
    };
    let server = start("server")?;
    let _workers = [start("worker")?, start("worker")?];
    let admin = Admin::new(data.path(), &server.url)?;
    let ann = Client::new(&server.url).await?;

    // Versions side by side: the built-in one, and two that come while all runs.
    let old = gain()?;
    for version in ["0.2.0", "0.3.0"] {
        let said = admin.published("gain.wasm", &with_version(&old, version))?;
        ensure!(
            said.contains(&format!("published: org.retake.gain {version}")),
            "{said}"
        );
    }
    let view = ann.json("/api/v1/plugins/gain").await?;
    ensure!(
        view["version"] == "0.3.0" && view["origin"] == "published",
        "{view}"
    );
    ensure!(
        view["params_schema"]["properties"]["gain-db"]["default"] == 0.0,
        "{view}"
    );
    let checked = ann.json("/api/v1/plugins/gain/versions/0.3.0").await?;
    ensure!(checked["check"]["passed"] == true, "{checked}");

    let step = |version: Option<&str>| match version {
        Some(version) => json!({"steps": [{"plugin": "gain", "version": version}]}),
        None => json!({"steps": [{"plugin": "gain"}]}),
    };
    let mut digests = Vec::new();
    for (asked, expected) in [
        (None, "0.3.0"),
        (Some("0.1.0"), "0.1.0"),
        (Some("0.2.0"), "0.2.0"),
        (Some("0.3.0"), "0.3.0"),
    ] {
        let (job, _) = ann.corrected(&upload(step(asked))?).await?;
        let (version, digest) = ran(&ann, &job).await?;
        ensure!(version == expected, "{asked:?} ran {version}");
        digests.push(digest);
    }
    ensure!(
        digests[0] == digests[3] && digests[1] != digests[2],
        "{digests:?}"
    );

    // Removed: its old job can still be read, a new one cannot name it.
    let (job, _) = ann.corrected(&upload(step(Some("0.3.0")))?).await?;
    let address = "/api/v1/plugins/gain/versions/0.3.0";
    let removed = ann
        .with_token(&admin.key)
        .send("DELETE", address, None)
        .await?;
    ensure!(removed.status() == StatusCode::NO_CONTENT, "{removed:?}");
    ensure!(ran(&ann, &job).await?.0 == "0.3.0");
    ensure!(ann.json(address).await?["removed_at"].is_string());
    let refused = ann.post(&upload(step(Some("0.3.0")))?).await?;
    ensure!(refused.status() == StatusCode::UNPROCESSABLE_ENTITY);
    let refused = refused.text().await?;
    ensure!(refused.contains("it has: 0.2.0, 0.1.0"), "{refused}");
    let (job, _) = ann.corrected(&upload(step(None))?).await?;
    ensure!(ran(&ann, &job).await?.0 == "0.2.0");
    Ok(())
}

#[tokio::test]
async fn what_is_no_good_plugin_is_refused_with_words_and_nobody_without_the_key_publishes()
-> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let admin = Admin::new(data.path(), &retake.url)?;
    let unfit = std::fs::read(root().join("dist/test-plugins/unfit.wasm"))?;
    let mut flipped = gain()?;
    let middle = flipped.len() / 2;
    flipped[middle..middle + 64].fill(0xff);
    for (name, wasm, words) in [
        (
            "garbage",
            b"nothing that was ever compiled".to_vec(),
            "WebAssembly",
        ),
        ("unfit", unfit, "reverse DNS"),
        ("flipped", flipped, "refused"),
        (
            "other bytes",
            {
                let mut gain = gain()?;
                // A custom section more: another digest, the same plugin.
                gain.extend([0, 3, 1, b'x', 0]);
                gain
            },
            "give the plugin a new version",
        ),
    ] {
        let said = admin.refused(name, &wasm, None)?;
        ensure!(said.contains(words), "{name}: {said}");
    }
    let strange = format!("rtadm_{}", "A".repeat(43));
    for token in [strange.as_str(), "rt_no", "x"] {
        let said = admin.refused("gain", &with_version(&gain()?, "0.9.0"), Some(token))?;
        ensure!(said.contains("401") && said.contains("admin key"), "{said}");
    }
    let ann = Client::new(&retake.url).await?;
    let session = ann
        .send("DELETE", "/api/v1/plugins/gain/versions/0.1.0", None)
        .await?;
    ensure!(session.status() == StatusCode::UNAUTHORIZED, "{session:?}");
    let view = ann.json("/api/v1/plugins/gain").await?;
    ensure!(
        view["versions"].as_array().map(Vec::len) == Some(1),
        "{view}"
    );
    // And it all still works.
    ann.corrected(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    admin.published("gain", &with_version(&gain()?, "0.9.0"))?;
    Ok(())
}

#[tokio::test]
async fn a_worker_killed_while_it_checks_loses_no_submission() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Start::new("server", data.path()).start()?;
    let admin = Admin::new(data.path(), &server.url)?;
    let client = Client::new(&server.url).await?.with_token(&admin.key);
    let mut worker = Start::new("worker", data.path())
        .set("worker.plugin_poll_ms=10")
        .start()?;
    let answer = client
        .request("POST", "/api/v1/plugins")
        .header("content-type", "application/wasm")
        .body(with_version(&gain()?, "0.4.0"))
        .send()
        .await?;
    ensure!(answer.status() == StatusCode::ACCEPTED, "{answer:?}");
    let told: Value = answer.json().await?;
    worker.kill();
    let _other = Start::new("worker", data.path())
        .set("worker.lease_ms=2000")
        .set("worker.heartbeat_ms=500")
        .start()?;
    let path = format!(
        "/api/v1/plugin-submissions/{}",
        told["id"].as_str().context("id")?
    );
    let begun = std::time::Instant::now();
    loop {
        let now = client.json(&path).await?;
        if now["status"] != "checking" {
            ensure!(now["status"] == "published", "{now}");
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "{now}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let view = client.json("/api/v1/plugins/gain").await?;
    ensure!(view["version"] == "0.4.0", "{view}");
    Ok(())
}
