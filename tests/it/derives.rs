//! Other forms of a correction are made when they are asked for, once, and leave nothing behind.

use std::time::Duration;

use anyhow::{Result, ensure};
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::{Retake, Start},
    signal,
};
use serde_json::Value;

/// A correction in FLAC of the fixture's few seconds of speech.
async fn corrected(ann: &Client) -> Result<(String, usize)> {
    let upload = Upload::file(&fixture("speech.flac"))?.with("preset", "loudness-only");
    let (job, audio) = ann.corrected(&upload).await?;
    let frames = signal::decode(&audio)?.frames();
    let id = job["id"].as_str().unwrap_or_default();
    Ok((format!("/api/v1/jobs/{id}"), frames))
}

/// Asks until it is there.
async fn made(ann: &Client, path: &str) -> Result<(String, Vec<u8>)> {
    for _ in 0..20 {
        let answer = ann.get(path).await?;
        let status = answer.status();
        ensure!(
            status.is_success(),
            "{path}: {status} {}",
            answer.text().await?
        );
        if status == 200 {
            let content_type = answer.headers()["content-type"].to_str()?.to_owned();
            return Ok((content_type, answer.bytes().await?.to_vec()));
        }
    }
    anyhow::bail!("{path} was never made")
}

/// Without the peaks, which come with the job.
async fn listed(ann: &Client, job: &str) -> Result<Vec<Value>> {
    let all = ann.json(&format!("{job}/derivatives")).await?;
    let all = all["items"].as_array().cloned().unwrap_or_default();
    Ok(all.into_iter().filter(|it| it["kind"] != "peaks").collect())
}

#[tokio::test]
async fn every_format_of_a_correction_has_its_length() -> Result<()> {
    let data = tempfile::tempdir()?;
    let up = Start::new("up", data.path()).start()?;
    let ann = Client::new(&up.url).await?;
    let (job, frames) = corrected(&ann).await?;
    for (rendition, content_type) in [
        ("mp3", "audio/mpeg"),
        ("mp3:bitrate=64,mono", "audio/mpeg"),
        ("m4a", "audio/mp4"),
        ("opus", "audio/ogg; codecs=opus"),
        ("wav:bits=16", "audio/wav"),
        ("flac", "audio/flac"),
    ] {
        let (is, bytes) = made(&ann, &format!("{job}/renditions/{rendition}")).await?;
        ensure!(is == content_type, "{rendition} is {is}");
        let decoded = signal::decode(&bytes)?;
        ensure!(
            decoded.frames() == frames,
            "{rendition}: {} frames, and the correction has {frames}",
            decoded.frames()
        );
    }
    let all = listed(&ann, &job).await?;
    ensure!(all.len() == 6, "{all:?}");
    ensure!(all.iter().all(|it| it["status"] == "ready"), "{all:?}");
    Ok(())
}

#[tokio::test]
async fn what_loses_something_for_the_second_time_is_said() -> Result<()> {
    let data = tempfile::tempdir()?;
    let up = Start::new("up", data.path()).start()?;
    let ann = Client::new(&up.url).await?;
    let upload = Upload::file(&fixture("speech.flac"))?
        .with("preset", "loudness-only")
        .with("format", "opus");
    let (ended, _) = ann.corrected(&upload).await?;
    let job = format!("/api/v1/jobs/{}", ended["id"].as_str().unwrap_or_default());
    for rendition in ["mp3", "wav"] {
        made(&ann, &format!("{job}/renditions/{rendition}")).await?;
    }
    let all = listed(&ann, &job).await?;
    let codes = |at: usize| -> Vec<&str> {
        let warnings = all[at]["warnings"].as_array();
        let warnings = warnings.into_iter().flatten();
        warnings
            .filter_map(|warning| warning["code"].as_str())
            .collect()
    };
    ensure!(codes(0) == ["lost-twice"], "{all:?}");
    ensure!(codes(1).is_empty(), "{all:?}");
    Ok(())
}

#[tokio::test]
async fn a_worker_killed_while_it_makes_one_leaves_it_to_the_next() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Start::new("server", data.path()).start()?;
    let worker = || -> Result<Retake> {
        Start::new("worker", data.path())
            .set("worker.lease_ms=1500")
            .set("worker.heartbeat_ms=300")
            .start()
    };
    let mut first = worker()?;
    let ann = Client::new(&server.url).await?;
    // Long enough to be killed in between.
    let path = data.path().join("long.wav");
    signal::voice_like(&path, 48_000, 2, 600.0)?;
    let upload = Upload::file(&path)?.with("chain", r#"{"steps": [{"plugin": "gain"}]}"#);
    let (ended, _) = ann.corrected(&upload).await?;
    let job = format!("/api/v1/jobs/{}", ended["id"].as_str().unwrap_or_default());
    let path = format!("{job}/renditions/mp3");
    let asked = ann.request("GET", &path).header("prefer", "wait=0");
    ensure!(asked.send().await?.status() == 202);
    while first.children().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.kill();
    let all = listed(&ann, &job).await?;
    ensure!(
        all[0]["status"] == "waiting",
        "it was made too fast: {all:?}"
    );
    let _second = worker()?;
    let (_, bytes) = made(&ann, &path).await?;
    ensure!(signal::decode(&bytes)?.frames() == 600 * 48_000);
    Ok(())
}

#[tokio::test]
async fn the_room_for_them_is_kept_and_deleting_the_recording_takes_them() -> Result<()> {
    let data = tempfile::tempdir()?;
    // The smallest there is: 16 MiB.
    let up = Start::new("up", data.path())
        .set(format!("derivatives_bytes_max={}", 16 << 20))
        .start()?;
    let ann = Client::new(&up.url).await?;
    let path = data.path().join("long.wav");
    signal::voice_like(&path, 48_000, 2, 60.0)?;
    let upload = Upload::file(&path)?.with("chain", r#"{"steps": [{"plugin": "gain"}]}"#);
    let (ended, _) = ann.corrected(&upload).await?;
    let job = format!("/api/v1/jobs/{}", ended["id"].as_str().unwrap_or_default());
    // 11 MB and 17 MB. What is downloaded as a whole would be kept for two more minutes.
    for rendition in ["wav:bits=16", "wav:bits=24"] {
        let path = format!("{job}/renditions/{rendition}");
        loop {
            let asked = ann.request("GET", &path).header("range", "bytes=0-0");
            match asked.send().await?.status().as_u16() {
                202 => {}
                206 => break,
                other => anyhow::bail!("{rendition}: {other}"),
            }
        }
    }
    let mut all = listed(&ann, &job).await?;
    for _ in 0..100 {
        if all.len() < 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        all = listed(&ann, &job).await?;
    }
    ensure!(all.len() < 2, "they take more room than there is: {all:?}");
    made(&ann, &format!("{job}/renditions/mp3")).await?;
    let recording = ended["recording_id"].as_str().unwrap_or_default();
    let path = format!("/api/v1/recordings/{recording}?forever=true");
    ensure!(ann.send("DELETE", &path, None).await?.status() == 204);
    let gone = ann.get(&format!("{job}/renditions/mp3")).await?;
    ensure!(gone.status() == 404);
    Ok(())
}

#[tokio::test]
async fn pictures_and_the_stream_to_compare_by_are_made_of_both() -> Result<()> {
    let data = tempfile::tempdir()?;
    let up = Start::new("up", data.path()).start()?;
    let ann = Client::new(&up.url).await?;
    let (job, _) = corrected(&ann).await?;
    let (content_type, webm) = made(&ann, &format!("{job}/compare")).await?;
    ensure!(content_type == "audio/webm", "{content_type}");
    ensure!(webm.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]), "it is no EBML");
    // What came with the job is there without anybody making it.
    for side in ["original", "corrected"] {
        let there = ann.get(&format!("{job}/peaks/{side}")).await?;
        ensure!(there.status() == 200, "{side}: {}", there.status());
    }
    for side in ["original", "corrected"] {
        let (_, pyramid) = made(&ann, &format!("{job}/peaks/{side}")).await?;
        let (_, dat) = made(&ann, &format!("{job}/peaks/{side}.dat")).await?;
        let (is, json) = made(&ann, &format!("{job}/peaks/{side}.json")).await?;
        ensure!(!pyramid.is_empty() && is == "application/json", "{is}");
        let json: Value = serde_json::from_slice(&json)?;
        // audiowaveform, version 2: a header of 24 bytes, then a lowest and a highest for each point.
        let points = json["length"].as_u64().unwrap_or_default();
        let channels = json["channels"].as_u64().unwrap_or_default();
        ensure!(points > 100 && json["version"] == 2, "{json}");
        ensure!(
            dat.len() as u64 == 24 + points * channels * 2,
            "{points} points"
        );
        let tile = format!("{job}/spectrograms/{side}/100/0");
        let (is, png) = made(&ann, &tile).await?;
        ensure!(is == "image/png" && png[1..4] == *b"PNG");
        let size = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
        ensure!(
            (size(16), size(20)) == (1_024, 128),
            "{} x {}",
            size(16),
            size(20)
        );
    }
    let beyond = ann
        .get(&format!("{job}/spectrograms/original/100/999"))
        .await?;
    ensure!(beyond.status() == 422, "{}", beyond.status());
    let problem: Value = beyond.json().await?;
    ensure!(
        problem["detail"]
            .as_str()
            .unwrap_or_default()
            .contains("tile is 999"),
        "{problem}"
    );
    Ok(())
}
