//! A hostile plugin harms only its own step: the job fails and says why, everything else goes on.

use anyhow::{Context as _, Result};
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::{Retake, Start},
    root,
};
use serde_json::json;

/// With the plugin that does what its parameter says.
fn up_with_puppet(data: &std::path::Path) -> Result<Retake> {
    let folder = data.join("plugins");
    std::fs::create_dir(&folder)?;
    let puppet = root().join("dist/test-plugins/puppet.wasm");
    std::fs::copy(&puppet, folder.join("puppet.wasm")).context("run make plugins")?;
    Start::new("up", data)
        .set(format!("plugins={}", folder.display()))
        .set("worker.deadline_ms=4000")
        .set("worker.deadline_per_audio_s_ms=100")
        .start()
}

fn upload(deed: &str, on_failure: &str) -> Result<Upload> {
    let step = json!({"plugin": "puppet", "params": {"deed": deed}, "on_failure": on_failure});
    let chain = json!({"steps": [{"plugin": "highpass"}, step]});
    Ok(Upload::file(&fixture("speech.flac"))?.with("chain", chain.to_string()))
}

#[tokio::test]
async fn more_silent_connections_than_a_shell_allows_stop_nobody() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).descriptors(256).start()?;
    let ann = Client::new(&retake.url).await?;
    let address = retake.url.trim_start_matches("http://");
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(tokio::net::TcpStream::connect(address).await?);
    }
    let upload = Upload::file(&fixture("speech.flac"))?;
    let job = ann.ended(&ann.accepted(&upload).await?).await?;
    anyhow::ensure!(job["status"] == "completed", "{job}");
    Ok(())
}

#[tokio::test]
async fn whatever_a_plugin_does_only_its_job_fails_and_says_which_step() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = up_with_puppet(data.path())?;
    let ann = Client::new(&retake.url).await?;
    for (deed, kind, word) in [
        ("fail", "step-failed", "this sounds wrong"),
        ("refuse", "step-failed", "this deed is never done"),
        ("panic", "step-crashed", "panicked"),
        ("bomb", "step-crashed", "more than 256 MiB of memory"),
        ("recurse", "step-crashed", "recursion"),
        ("wild", "step-crashed", "memory that is not its own"),
        ("nan", "step-crashed", "no number (NaN)"),
        ("more-channels", "step-crashed", "returned 2 channels"),
        ("short", "step-crashed", "frames"),
        ("huge", "step-crashed", "exhausted"),
        ("loop", "deadline-exceeded", "took longer than"),
    ] {
        let job = ann
            .ended(&ann.accepted(&upload(deed, "fail")?).await?)
            .await?;
        let error = &job["error"];
        assert_eq!(job["status"], "failed", "{deed}: {job}");
        assert_eq!(
            error["type"],
            format!("/problems/{kind}"),
            "{deed}: {error}"
        );
        // In the sentence: elsewhere stands the plugin's id, whatever it did.
        let told = error["detail"].as_str().unwrap_or_default();
        assert!(told.contains(word), "{deed}: {error}");
        // Which bytes did it: the job says so by itself, without its chain.
        let plugins = error["plugins"].as_array().unwrap();
        let ran = plugins.iter().find(|p| p["id"] == "org.retake.test.puppet");
        let digest = ran.and_then(|ran| ran["digest"].as_str());
        assert_eq!(digest.map(str::len), Some(64), "{deed}: {error}");
        assert_eq!(
            job["attempt"], 1,
            "{deed}: the same again would fail the same way"
        );
    }
    ann.corrected(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_step_that_may_be_skipped_is_and_the_job_says_so() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = up_with_puppet(data.path())?;
    let ann = Client::new(&retake.url).await?;
    let (job, _) = ann.corrected(&upload("panic", "skip")?).await?;
    assert!(
        job["warnings"].to_string().contains("puppet"),
        "{}",
        job["warnings"]
    );
    let report = format!("/api/v1/jobs/{}/report", job["id"].as_str().unwrap());
    let steps = ann.json(&report).await?["steps"].clone();
    assert_eq!(steps[1]["skipped"], true, "{steps}");
    Ok(())
}

#[tokio::test]
async fn other_jobs_go_on_beside_a_plugin_that_loops_for_ever() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = up_with_puppet(data.path())?;
    let ann = Client::new(&retake.url).await?;
    let endless = ann.accepted(&upload("loop", "fail")?).await?;
    ann.corrected(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    assert_eq!(
        ann.ended(&endless).await?["error"]["type"],
        "/problems/deadline-exceeded"
    );
    Ok(())
}
