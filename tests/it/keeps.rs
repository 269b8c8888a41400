//! Kill -9 any process at any instant: no accepted recording is lost, no result appears twice.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use retake_tests::{
    broker::Broker,
    client::{Client, PATIENCE, Upload},
    process::{Retake, Start},
    signal,
};
use serde_json::Value;

/// Long enough that a process can be killed while it works on it.
fn long_upload(folder: &std::path::Path) -> Result<Upload> {
    let path = folder.join("long.wav");
    signal::voice_like(&path, 48_000, 2, 240.0)?;
    Ok(Upload::file(&path)?.with("preset", "speech"))
}

/// Returns once an attempt has begun to process the job.
async fn processing(ann: &Client, job: &str) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let now = ann.json(&format!("/api/v1/jobs/{job}")).await?;
        ensure!(
            now["status"] != "completed",
            "it ended before it could be disturbed"
        );
        if now["status"] == "running" && now["progress"].as_f64().unwrap_or_default() > 0.0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    anyhow::bail!("the job never ran")
}

/// One completed event, one correction, and it is whole.
async fn exactly_one_correction(ann: &Client, job: &str, upload: &Upload) -> Result<Value> {
    let ended = ann.ended(job).await?;
    ensure!(ended["status"] == "completed", "{ended}");
    let mut listener = ann.listen(Some("0")).await?;
    ann.story(&mut listener, job).await?;
    // Another result would follow within the lease's time; a later job's story marks the end.
    let chain = r#"{"steps": [{"plugin": "gain"}]}"#;
    let short = Upload::file(&retake_tests::fixture("speech.flac"))?.with("chain", chain);
    let after = ann.accepted(&short).await?;
    let mut completed = 1;
    loop {
        let news = listener.next().await?;
        if news.event == "job.completed" && news.json["job"]["id"] == job {
            completed += 1;
        }
        if news.event == "job.completed" && news.json["job"]["id"] == after.as_str() {
            break;
        }
    }
    ensure!(completed == 1, "{completed} completions");
    let audio = ann
        .get(&format!("/api/v1/jobs/{job}/audio"))
        .await?
        .bytes()
        .await?;
    let original = signal::decode(&upload.bytes)?;
    ensure!(signal::decode(&audio)?.frames() == original.frames());
    Ok(ended)
}

fn worker(data: &std::path::Path, queue: Option<&str>) -> Result<Retake> {
    let start = Start::new("worker", data)
        .set("worker.lease_ms=3000")
        .set("worker.heartbeat_ms=500");
    match queue {
        Some(url) => start.env("RETAKE_QUEUE_URL", url).start(),
        None => start.start(),
    }
}

async fn a_killed_worker_leaves_one_correction(queue: Option<&str>) -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = match queue {
        Some(url) => Start::new("server", data.path())
            .env("RETAKE_QUEUE_URL", url)
            .start()?,
        None => Start::new("server", data.path()).start()?,
    };
    let mut first = worker(data.path(), queue)?;
    let ann = Client::new(&server.url).await?;
    let upload = long_upload(data.path())?;
    let job = ann.accepted(&upload).await?;
    processing(&ann, &job).await?;

    let children = first.children();
    ensure!(!children.is_empty(), "the audio work runs in a child");
    first.kill();
    let _second = worker(data.path(), queue)?;
    let ended = exactly_one_correction(&ann, &job, &upload).await?;
    ensure!(ended["attempt"] == 2, "{ended}");
    for child in children {
        ensure!(
            rustix::process::test_kill_process(child).is_err(),
            "the killed worker's child lives on"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_killed_mid_job_leaves_exactly_one_correction_on_the_embedded_queue() -> Result<()>
{
    a_killed_worker_leaves_one_correction(None).await
}

#[tokio::test]
async fn a_worker_killed_mid_job_leaves_exactly_one_correction_on_rabbitmq() -> Result<()> {
    let broker = Broker::start()?;
    a_killed_worker_leaves_one_correction(Some(&broker.url)).await
}

#[tokio::test]
async fn a_broker_killed_mid_job_leaves_exactly_one_correction_and_loses_no_upload() -> Result<()> {
    let broker = Broker::start()?;
    let data = tempfile::tempdir()?;
    let server = Start::new("server", data.path())
        .env("RETAKE_QUEUE_URL", &broker.url)
        .start()?;
    let _worker = worker(data.path(), Some(&broker.url))?;
    let ann = Client::new(&server.url).await?;
    let upload = long_upload(data.path())?;
    let job = ann.accepted(&upload).await?;
    processing(&ann, &job).await?;

    let restart = tokio::task::spawn_blocking(move || broker.kill_and_restart().map(|()| broker));
    // While the broker is away recordings are accepted all the same.
    let meanwhile = ann
        .accepted(&Upload::file(&retake_tests::fixture("speech.flac"))?)
        .await?;
    let _broker = restart.await??;
    exactly_one_correction(&ann, &job, &upload).await?;
    ensure!(ann.ended(&meanwhile).await?["status"] == "completed");
    Ok(())
}

#[tokio::test]
async fn a_server_killed_after_its_answer_has_lost_nothing() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut server = Start::new("server", data.path()).start()?;
    let ann = Client::new(&server.url).await?;
    let upload = Upload::file(&retake_tests::fixture("chromium-recording.webm"))?;
    let job = ann.accepted(&upload).await?;
    server.kill();

    let _worker = worker(data.path(), None)?;
    let server = Start::new("server", data.path()).start()?;
    exactly_one_correction(&ann.at(&server.url), &job, &upload).await?;
    Ok(())
}

#[tokio::test]
async fn a_worker_that_froze_and_came_back_publishes_nothing_a_second_time() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Start::new("server", data.path()).start()?;
    let frozen = worker(data.path(), None)?;
    let ann = Client::new(&server.url).await?;
    let upload = long_upload(data.path())?;
    let job = ann.accepted(&upload).await?;
    processing(&ann, &job).await?;
    frozen.suspend();
    let _second = worker(data.path(), None)?;
    ann.ended(&job).await?;
    frozen.resume();
    let ended = exactly_one_correction(&ann, &job, &upload).await?;
    ensure!(ended["attempt"] == 2, "{ended}");
    Ok(())
}

#[tokio::test]
async fn a_running_job_can_be_cancelled_and_its_child_ends() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Start::new("server", data.path()).start()?;
    let worker = worker(data.path(), None)?;
    let ann = Client::new(&server.url).await?;
    let job = ann.accepted(&long_upload(data.path())?).await?;
    processing(&ann, &job).await?;
    let asked = ann
        .send("POST", &format!("/api/v1/jobs/{job}/cancel"), None)
        .await?;
    ensure!(asked.status() == 202, "{asked:?}");
    ensure!(ann.ended(&job).await?["status"] == "cancelled");
    let begun = Instant::now();
    while !worker.children().is_empty() {
        ensure!(
            begun.elapsed() < Duration::from_secs(10),
            "the child lives on"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
