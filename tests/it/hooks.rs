//! What a receiver of webhooks relies on: what it hears it can verify, nothing is lost, whoever dies, and of
//! several servers one sends it.

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::Start,
    root,
};
use serde_json::{Value, json};

/// An address of this machine that stands for the world.
const WORLD: &str = "127.0.0.2";

fn allowed<'a>(role: &'a str, data: &'a std::path::Path) -> Start<'a> {
    Start::new(role, data)
        .set(format!("outgoing.allow={WORLD}"))
        // What is being sent when its server dies is sent again a little later than this.
        .set("outgoing.answer_ms=1000")
        // Nobody is there: whoever asked a proxy would reach nobody.
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9")
}

fn upload() -> Result<Upload> {
    let chain = r#"{"steps": [{"plugin": "gain"}]}"#;
    Ok(Upload::file(&fixture("speech.flac"))?.with("chain", chain))
}

async fn subscribe(client: &Client, url: &str, events: &[&str]) -> Result<Value> {
    let body = json!({"url": url, "events": events});
    let made = client.send("POST", "/api/v1/webhooks", Some(body)).await?;
    ensure!(made.status() == StatusCode::CREATED, "{made:?}");
    Ok(made.json().await?)
}

/// Ends with its owner.
struct Hook(Child);

impl Drop for Hook {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `scripts/standardwebhooks` installs the specification's library.
#[tokio::test]
async fn the_receiver_of_the_docs_verifies_what_it_hears() -> Result<()> {
    let python = root().join(".cache/standardwebhooks/bin/python");
    ensure!(python.exists(), "run scripts/standardwebhooks");
    let page = fs::read_to_string(root().join("docs/webhooks.md"))?;
    let (_, rest) = page.split_once("```python\n").context("an example")?;
    let (code, _) = rest.split_once("```").context("it ends")?;

    let data = tempfile::tempdir()?;
    let retake = allowed("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let port = TcpListener::bind((WORLD, 0))?.local_addr()?.port();
    let url = format!("http://{WORLD}:{port}/hooks/s3cretpath");
    let webhook = subscribe(&ann, &url, &["job.completed"]).await?;
    let secret = webhook["secret"].as_str().context("a secret")?;
    let mut command = Command::new(python);
    command.args(["-c", code]).env("PORT", port.to_string());
    command.env("HOST", WORLD).env("SECRET", secret);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut hook = Hook(child);
    while TcpStream::connect((WORLD, port)).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let (job, _) = ann.corrected(&upload()?).await?;
    let id = job["id"].as_str().context("an id")?;
    let mut told = String::new();
    BufReader::new(hook.0.stdout.take().context("piped")?).read_line(&mut told)?;
    ensure!(
        told.trim() == format!("job.completed /api/v1/jobs/{id}/audio"),
        "{told}"
    );

    // What is signed by another secret is refused, and said to be.
    let path = format!(
        "/api/v1/webhooks/{}",
        webhook["id"].as_str().context("an id")?
    );
    let forged = reqwest::Client::builder().no_proxy().build()?;
    let forged = forged.post(&url).body("{}").send().await?;
    ensure!(forged.status() == StatusCode::UNAUTHORIZED);
    let log = ann.json(&format!("{path}/deliveries")).await?;
    ensure!(log["items"][0]["attempts"][0]["status"] == 204, "{log}");
    let log = fs::read_to_string(data.path().join("up.log"))?;
    ensure!(log.contains("a webhook was called"), "{log}");
    ensure!(
        !log.contains("s3cretpath") && !log.contains(&secret[6..]),
        "{log}"
    );
    Ok(())
}

/// Which messages came, and how often each.
type Counts = Arc<Mutex<HashMap<String, usize>>>;

fn receive(listener: TcpListener) -> Counts {
    let counts = Counts::default();
    let noted = Arc::clone(&counts);
    // It ends with the test's process.
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let noted = Arc::clone(&noted);
            std::thread::spawn(move || hear(client, &noted));
        }
    });
    counts
}

fn hear(client: TcpStream, counts: &Counts) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(": ") {
            Some(("webhook-id", value)) => id = value.to_owned(),
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(_) => {}
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    *counts.lock().ok()?.entry(id).or_default() += 1;
    let answer = "HTTP/1.1 204 X\r\nconnection: close\r\n\r\n";
    reader.get_mut().write_all(answer.as_bytes()).ok()
}

/// Waits until at least so many jobs have told of their end and everything that there is to hear has been delivered:
/// then each came, and once.
async fn all_heard(client: &Client, log: &str, counts: &Counts, ends: usize) -> Result<()> {
    for _ in 0..600 {
        let page = client.json(log).await?;
        let items = page["items"].as_array().context("a list")?;
        let ended = items.iter().filter(|it| it["type"] == "job.completed");
        let delivered = items.iter().all(|it| it["status"] == "delivered");
        if ended.count() >= ends && delivered {
            // Whatever comes twice comes soon.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let counts = counts.lock().expect("no panic while held");
            ensure!(counts.values().all(|times| *times == 1), "{counts:?}");
            let ids: Option<HashSet<&str>> = items.iter().map(|it| it["id"].as_str()).collect();
            let heard = counts.keys().map(String::as_str).collect();
            ensure!(ids == Some(heard), "{page} {counts:?}");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("not everything was delivered: {}", client.json(log).await?)
}

#[tokio::test]
async fn a_kill_loses_no_message_and_two_servers_send_each_once() -> Result<()> {
    let data = tempfile::tempdir()?;
    let start = |role| {
        allowed(role, data.path())
            .set("server.webhooks.pauses_ms=200,200,400,400,1000,1000,1000,1000")
    };
    // Nobody listens there yet.
    let kept = TcpListener::bind((WORLD, 0))?;
    let address = kept.local_addr()?;
    drop(kept);
    let retake = start("up").start()?;
    let ann = Client::new(&retake.url).await?;
    let url = format!("http://{address}/");
    let webhook = subscribe(&ann, &url, &["job.queued", "job.completed"]).await?;
    let accepted = ann.post(&upload()?).await?;
    ensure!(accepted.status() == StatusCode::ACCEPTED, "{accepted:?}");
    // Dropping kills it, whatever it was sending.
    drop(retake);

    let counts = receive(TcpListener::bind(address)?);
    let retake = start("up").start()?;
    let second = start("server").start()?;
    let here = ann.at(&retake.url);
    let there = ann.at(&second.url);
    let path = format!(
        "/api/v1/webhooks/{}",
        webhook["id"].as_str().context("an id")?
    );
    let log = format!("{path}/deliveries");
    all_heard(&here, &log, &counts, 1).await?;
    for round in 0..10 {
        let client = if round % 2 == 0 { &here } else { &there };
        client.accepted(&upload()?).await?;
    }
    all_heard(&here, &log, &counts, 11).await?;
    let seen = there.json(&path).await?;
    ensure!(seen["enabled"] == true, "{seen}");
    Ok(())
}
