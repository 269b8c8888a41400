//! What an integrator's program relies on: a key of its own, and requests that are done once.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::{Start, program},
};
use serde_json::Value;

/// What `retake key` printed, if it went well.
fn key(data: &Path, server: &str, words: &[&str]) -> Result<String> {
    let mut command = Command::new(program());
    command.arg("key").args(words).arg("--server").arg(server);
    let output = command.arg("--data").arg(data).output()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{words:?}: {told}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn upload() -> Result<Upload> {
    let chain = r#"{"steps": [{"plugin": "gain"}]}"#;
    Ok(Upload::file(&fixture("speech.flac"))?.with("chain", chain))
}

#[tokio::test]
async fn a_key_is_made_used_listed_and_revoked_from_the_command_line() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let make = ["create", "nightly build", "--scope", "recordings"];
    let secret = key(data.path(), &retake.url, &make)?;
    ensure!(secret.starts_with("rtk_"), "{secret}");
    let stranger = Client::new(&retake.url).await?;
    let nightly = stranger.with_token(&secret);
    let (job, _) = nightly.corrected(&upload()?).await?;
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().context("an id")?);
    ensure!(stranger.get(&path).await?.status() == StatusCode::NOT_FOUND);

    let listed = key(data.path(), &retake.url, &["list"])?;
    ensure!(
        listed.contains("nightly build") && listed.contains("used 20"),
        "{listed}"
    );
    ensure!(!listed.contains(&secret[4..]), "{listed}");
    let id = listed.split_whitespace().next().context("an id")?;
    let revoked = key(data.path(), &retake.url, &["revoke", id])?;
    ensure!(revoked.contains("revoked 20"), "{revoked}");
    ensure!(nightly.get(&path).await?.status() == StatusCode::UNAUTHORIZED);
    // What it made is there for whichever key takes its place.
    let again = [
        "create",
        "second",
        "--scope",
        "recordings",
        "--same-owner-as",
        id,
    ];
    let second = key(data.path(), &retake.url, &again)?;
    ensure!(nightly.with_token(&second).get(&path).await?.status() == StatusCode::OK);

    let wrong = key(
        data.path(),
        &retake.url,
        &["revoke", "0192f0c1-2222-7333-8444-555566667777"],
    );
    let told = wrong.err().context("there is no such key")?.to_string();
    ensure!(told.contains("404"), "{told}");
    Ok(())
}

#[tokio::test]
async fn an_upload_that_is_sent_again_after_a_kill_is_done_once() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let first = ann.post_once(&upload()?, "one").await?;
    ensure!(first.status() == StatusCode::ACCEPTED, "{first:?}");
    // Dropping kills it. The client has not heard, say.
    drop(retake);
    let retake = Start::new("up", data.path()).start()?;
    let ann = ann.at(&retake.url);
    let again = ann.post_once(&upload()?, "one").await?;
    ensure!(again.status() == StatusCode::ACCEPTED, "{again:?}");
    ensure!(again.headers().contains_key("idempotency-replayed"));
    let (first, again): (Value, Value) = (first.json().await?, again.json().await?);
    ensure!(first == again, "{first} {again}");
    let job = first["job"]["id"].as_str().context("an id")?;
    ensure!(ann.ended(job).await?["status"] == "completed");
    let all = ann.json("/api/v1/recordings").await?;
    ensure!(all["items"].as_array().map(Vec::len) == Some(1), "{all}");
    Ok(())
}
