//! Whoever watches hears the whole story, in order, once, also across a lost connection.

use std::time::Duration;

use anyhow::{Context, Result};
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::{Retake, Start},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[tokio::test]
async fn the_story_of_a_job_arrives_in_order_and_its_audio_is_there_when_told() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let mut listener = ann.listen(None).await?;
    let job = ann
        .accepted(&Upload::file(&fixture("chromium-recording.webm"))?)
        .await?;
    let story = ann.story(&mut listener, &job).await?;

    let kinds: Vec<_> = story.iter().map(|n| n.event.as_str()).collect();
    assert_eq!(kinds.first(), Some(&"job.queued"), "{kinds:?}");
    assert_eq!(kinds.get(1), Some(&"job.running"), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"job.completed"), "{kinds:?}");
    let ids: Vec<i64> = story.iter().map(|n| n.id.parse().unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    let progress: Vec<f64> = story
        .iter()
        .map(|n| n.json["job"]["progress"].as_f64().unwrap())
        .collect();
    assert!(
        progress.windows(2).all(|pair| pair[0] <= pair[1]),
        "{progress:?}"
    );

    let url = story.last().unwrap().json["audio_url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(ann.get(&url).await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn a_listener_that_comes_back_hears_what_it_missed_once() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let mut listener = ann.listen(None).await?;
    let first = ann
        .accepted(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    let queued = listener.next().await?;
    assert_eq!(queued.event, "job.queued");
    drop(listener);
    ann.ended(&first).await?;
    let second = ann
        .accepted(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    ann.ended(&second).await?;

    let mut again = ann.listen(Some(&queued.id)).await?;
    let story = ann.story(&mut again, &first).await?;
    assert!(story.iter().all(|n| n.event != "job.queued"), "{story:?}");
    assert_eq!(
        story.iter().filter(|n| n.event == "job.completed").count(),
        1
    );
    let story = ann.story(&mut again, &second).await?;
    assert_eq!(story[0].event, "job.queued");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_says_goodbye_and_ends() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let listener = ann.listen(None).await?;
    let took = tokio::task::spawn_blocking(move || retake.terminate(Duration::from_secs(20)));
    let heard = listener.until_end(Duration::from_secs(15)).await?;
    assert!(heard.iter().any(|n| n.event == "bye"), "{heard:?}");
    assert!(took.await?? < Duration::from_secs(12));
    Ok(())
}

/// Resident memory in KiB.
fn resident_kib(retake: &Retake) -> Result<u64> {
    let pid = retake.pid().as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("VmRSS")?.parse()?)
}

/// Opens an event stream and hears its greeting; nothing of it is read after that.
async fn silent(address: &str, token: &str) -> Result<tokio::net::TcpStream> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         accept: text/event-stream\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut heard = Vec::new();
    while !heard.windows(4).any(|bytes| bytes == b"id: ") {
        anyhow::ensure!(stream.read_buf(&mut heard).await? > 0, "closed");
    }
    Ok(stream)
}

/// Until the server has noticed that nobody listens.
async fn all_gone(retake: &Retake) -> Result<()> {
    let ann = Client::new(&retake.url).await?;
    let began = std::time::Instant::now();
    loop {
        let text = ann.get("/metrics").await?.text().await?;
        if text.lines().any(|line| line == "retake_event_streams 0") {
            return Ok(());
        }
        anyhow::ensure!(began.elapsed() < retake_tests::client::PATIENCE, "{text}");
    }
}

#[tokio::test]
async fn silent_listeners_cost_three_kilobytes_each_and_give_them_back() -> Result<()> {
    const LISTENERS: usize = 2_000;
    const PER_SESSION: usize = 5;
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    let data = tempfile::tempdir()?;
    let retake = Start::new("server", data.path())
        .set("server.sessions_per_minute_max=100000")
        .start()?;
    let address = retake.url.trim_start_matches("http://").to_owned();
    let mut tokens = Vec::new();
    let ann = Client::new(&retake.url).await?;
    for _ in 0..LISTENERS / PER_SESSION {
        let session = ann.send("POST", "/api/v1/sessions", None).await?;
        let session: serde_json::Value = session.json().await?;
        tokens.push(session["token"].as_str().context("a token")?.to_owned());
    }
    // Whatever is allocated once is there after these.
    let mut warm = Vec::new();
    for token in &tokens[..50] {
        warm.push(silent(&address, token).await?);
    }
    drop(warm);
    all_gone(&retake).await?;
    let before = resident_kib(&retake)?;
    let mut listeners = Vec::new();
    for token in tokens.iter().cycle().take(LISTENERS) {
        listeners.push(silent(&address, token).await?);
    }
    let grown = resident_kib(&retake)?.saturating_sub(before);
    let most = 3 * LISTENERS as u64;
    anyhow::ensure!(grown <= most, "{LISTENERS} listeners took {grown} KiB");
    // The second time they fit where the first ones were.
    drop(listeners);
    all_gone(&retake).await?;
    let mut again = Vec::new();
    for token in tokens.iter().cycle().take(LISTENERS) {
        again.push(silent(&address, token).await?);
    }
    let grown = resident_kib(&retake)?.saturating_sub(before);
    anyhow::ensure!(grown <= most * 5 / 4, "the second time it was {grown} KiB");
    Ok(())
}
