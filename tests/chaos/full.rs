//! A full disk, alone: what chaos found there.

use anyhow::{Context as _, Result, ensure};
use reqwest::StatusCode;
use retake_tests::{
    client::{Client, Upload},
    process::Start,
    signal,
};
use tokio::task::JoinSet;

use crate::disk::Disk;

const DISK_BYTES: u64 = 256 << 20;
const RECORDINGS: usize = 24;

/// The room that is kept for deletions is there for all that come at once, at whichever server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_deletions_at_two_servers_at_once_all_work() -> Result<()> {
    let folder = tempfile::tempdir()?;
    if !Disk::can_be_mounted(folder.path()) {
        println!("NOT TRIED here: full disks (mounting is not permitted)");
        return Ok(());
    }
    let disk = Disk::new(folder.path().join("data"), DISK_BYTES, true)?;
    let start = |name: &str| {
        Start::new("server", &disk.path)
            .log(folder.path().join(name))
            .start()
    };
    let servers = [start("one.log")?, start("two.log")?];
    let ann = Client::new(&servers[0].url).await?;
    let audio = folder.path().join("take.wav");
    signal::voice_like(&audio, 16_000, 1, 4.0)?;
    let chain = r#"{"steps": [{"plugin": "gain"}]}"#;
    let upload = Upload::file(&audio)?.with("chain", chain);
    for _ in 0..RECORDINGS {
        ann.accepted(&upload).await?;
    }
    disk.fill()?;
    // The log had room of its own, which goes to uploads.
    while ann.post(&upload).await?.status() != StatusCode::INSUFFICIENT_STORAGE {}
    let all = ann.json("/api/v1/recordings").await?;
    let all = all["items"].as_array().context("items")?.clone();
    ensure!(all.len() >= RECORDINGS);

    let mut deleting = JoinSet::new();
    for (n, recording) in all.iter().enumerate() {
        let id = recording["id"].as_str().unwrap();
        let path = format!("/api/v1/recordings/{id}?forever=true");
        let client = ann.at(&servers[n % 2].url);
        deleting.spawn(async move { client.send("DELETE", &path, None).await });
    }
    while let Some(answer) = deleting.join_next().await {
        let answer = answer??;
        ensure!(answer.status() == StatusCode::NO_CONTENT, "{answer:?}");
    }
    Ok(())
}
