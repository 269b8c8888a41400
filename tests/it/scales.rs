//! Server and several workers as processes of their own, with a real RabbitMQ between them.

use anyhow::{Result, ensure};
use retake_tests::{
    broker::Broker,
    client::{Client, Upload},
    fixture,
    process::Start,
};

#[tokio::test]
async fn two_servers_and_two_workers_share_the_work_and_everyone_hears() -> Result<()> {
    let broker = Broker::start()?;
    let data = tempfile::tempdir()?;
    let start = |role| {
        Start::new(role, data.path())
            .env("RETAKE_QUEUE_URL", &broker.url)
            .start()
    };
    let (one, two) = (start("server")?, start("server")?);
    let _workers = [start("worker")?, start("worker")?];

    let ann = Client::new(&one.url).await?;
    let mut here = ann.listen(None).await?;
    let elsewhere = ann.at(&two.url);
    let mut there = elsewhere.listen(None).await?;
    let names = [
        "chromium-recording.webm",
        "firefox-recording.ogg",
        "speech.mp3",
        "speech.flac",
    ];
    let mut jobs = Vec::new();
    for (n, name) in names.iter().cycle().take(12).enumerate() {
        let client = if n % 2 == 0 { &ann } else { &elsewhere };
        jobs.push(client.accepted(&Upload::file(&fixture(name))?).await?);
    }
    for job in &jobs {
        ensure!(elsewhere.ended(job).await?["status"] == "completed");
    }
    // Both servers tell of all of them, each once.
    for listener in [&mut here, &mut there] {
        let mut open: Vec<_> = jobs.clone();
        while !open.is_empty() {
            let news = listener.next().await?;
            if news.event == "job.completed" {
                let id = news.json["job"]["id"].as_str().unwrap();
                let place = open.iter().position(|job| job == id);
                open.remove(place.unwrap_or_else(|| panic!("{id} was told twice")));
            }
        }
    }
    // Nothing is left over in the queues.
    let begun = std::time::Instant::now();
    loop {
        let queues = broker.ctl(&["list_queues", "name", "messages", "type"])?;
        ensure!(
            queues.contains("retake.jobs") && queues.contains("quorum"),
            "{queues}"
        );
        let left: u64 = queues
            .lines()
            .filter(|line| line.starts_with("retake."))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .sum();
        if left == 0 {
            return Ok(());
        }
        ensure!(begun.elapsed().as_secs() < 20, "left over:\n{queues}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_server_starts_and_accepts_without_its_broker_and_says_so() -> Result<()> {
    let data = tempfile::tempdir()?;
    // Port 9 (discard) has no listener here.
    let server = Start::new("server", data.path())
        .env("RETAKE_QUEUE_URL", "amqp://guest:guest@127.0.0.1:9/%2f")
        .start()?;
    let ann = Client::new(&server.url).await?;
    ann.accepted(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    ensure!(ann.get("/healthz").await?.status() == 200);
    let ready = ann.get("/readyz").await?;
    ensure!(ready.status() == 503);
    let body = ready.text().await?;
    ensure!(body.contains("queue"), "{body}");
    Ok(())
}
