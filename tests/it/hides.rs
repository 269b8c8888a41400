//! What is the operator's stays the operator's: no secret is shown, and no file lies open.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::{Start, program},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const SECRETS: [&str; 4] = ["s3cret-user", "s3cret-pass", "s3cret-key", "s3cret-token"];

/// A service that refuses, and quotes all that it was sent.
async fn quoting() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let bytes = socket.read(&mut head).await.unwrap_or(0);
            let detail = String::from_utf8_lossy(&head[..bytes]).into_owned();
            let body = json!({ "detail": detail }).to_string();
            let answer = format!(
                "HTTP/1.1 401 No\r\ncontent-type: application/problem+json\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = socket.write_all(answer.as_bytes()).await;
            let _ = socket.shutdown().await;
            // Closed on bytes that nobody read, the answer would be lost with the connection.
            while socket.read(&mut head).await.is_ok_and(|bytes| bytes > 0) {}
        }
    });
    Ok(port)
}

#[tokio::test]
async fn no_secret_of_the_configuration_is_in_a_job_an_event_a_log_the_database_or_a_page()
-> Result<()> {
    let data = tempfile::tempdir()?;
    let port = quoting().await?;
    let [user, pass, key, token] = SECRETS;
    let address = format!("http://{user}:{pass}@127.0.0.1:{port}/?key={key}");
    let settings = [
        ("RETAKE_EXTERNAL_URL", address.as_str()),
        ("RETAKE_EXTERNAL_TOKEN", token),
        ("RETAKE_LOG", "trace"),
    ];
    let start = settings
        .iter()
        .fold(Start::new("up", data.path()), |start, (name, value)| {
            start.env(name, value)
        });
    let retake = start.start()?;
    let ann = Client::new(&retake.url).await?;
    let mut listener = ann.listen(None).await?;
    let chain = json!({"steps": [{"external": "default"}]}).to_string();
    let upload = Upload::file(&fixture("speech-44k-stereo.wav"))?.with("chain", chain);
    let id = ann.accepted(&upload).await?;
    let job = ann.ended(&id).await?;
    ensure!(job["status"] == "failed", "{job}");
    // It was asked, and said what it was sent.
    let detail = job["error"]["detail"].as_str().context("a detail")?;
    ensure!(detail.contains("authorization: Basic ***"), "{detail}");

    let mut seen = vec![("the job".to_owned(), job.to_string())];
    for news in ann.story(&mut listener, &id).await? {
        seen.push(("an event".to_owned(), news.json.to_string()));
    }
    for path in [
        format!("/api/v1/jobs/{id}/report"),
        "/api/v1/recordings".to_owned(),
        "/metrics".to_owned(),
        "/healthz".to_owned(),
        "/readyz".to_owned(),
        "/api/v1/presets".to_owned(),
        "/api/v1/plugins".to_owned(),
        "/".to_owned(),
    ] {
        seen.push((path.clone(), ann.get(&path).await?.text().await?));
    }
    for (what, text) in &seen {
        ensure!(
            !text.contains(&format!("127.0.0.1:{port}")),
            "{what}: {text}"
        );
    }
    drop(retake);
    for file in files(data.path())? {
        let bytes = fs::read(&file)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        seen.push((file.display().to_string(), text));
    }
    let shown = Command::new(program())
        .arg("config")
        .envs(settings)
        .output()?;
    ensure!(shown.status.success(), "{shown:?}");
    let shown = String::from_utf8(shown.stdout)?;
    ensure!(shown.contains("token = \"***\""), "{shown}");
    seen.push(("retake config".to_owned(), shown));
    for (what, text) in seen {
        for secret in SECRETS {
            let at = text.find(secret);
            let around = at.map(|at| {
                let from = text[..at]
                    .char_indices()
                    .rev()
                    .nth(80)
                    .map_or(0, |(at, _)| at);
                &text[from..at + secret.len()]
            });
            ensure!(at.is_none(), "{what} holds {secret}: {around:?}");
        }
    }
    Ok(())
}

/// Under the folder, however deep; without compiled plugins, which are large and made of plugins, and without
/// sockets, which hold nothing.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            all.push(path);
        } else if path.is_dir() && !path.ends_with("plugin-cache") {
            all.extend(files(&path)?);
        }
    }
    Ok(all)
}

#[tokio::test]
async fn what_is_kept_is_open_to_nobody_else_also_where_it_was() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mode =
        |path: &Path| -> Result<u32> { Ok(fs::metadata(path)?.permissions().mode() & 0o777) };
    let open_up =
        |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    let kept =
        ["retake.db", "retake.db-wal", "retake.db-shm", "admin.key"].map(|n| data.path().join(n));
    for round in 0..2 {
        open_up(data.path(), 0o755)?;
        let mut retake = Start::new("up", data.path()).start()?;
        let ann = Client::new(&retake.url).await?;
        let upload = Upload::file(&fixture("speech-44k-stereo.wav"))?;
        ann.corrected(&upload).await?;
        ensure!(mode(data.path())? == 0o700, "{:o}", mode(data.path())?);
        for path in &kept {
            ensure!(
                mode(path)? == 0o600,
                "{}: {:o}",
                path.display(),
                mode(path)?
            );
        }
        let neighbours = mode(&data.path().join("retake.db-neighbours"))?;
        ensure!(neighbours == 0o700, "{neighbours:o}");
        // Whatever else it and its children make, scratch files with them.
        let status = fs::read_to_string(format!("/proc/{}/status", retake.pid().as_raw_nonzero()))?;
        ensure!(status.contains("Umask:\t0077"), "{status}");
        if round == 1 {
            let log = fs::read_to_string(data.path().join("up.log"))?;
            for path in &kept {
                let name = path.file_name().context("a name")?.to_string_lossy();
                let told = log
                    .lines()
                    .any(|line| line.contains(&*name) && line.contains("now they cannot"));
                ensure!(told, "nothing is said of {name}: {log}");
            }
        }
        // Killed, so that what SQLite keeps beside the database stays.
        retake.kill();
        for path in kept.iter().filter(|path| path.exists()) {
            open_up(path, 0o666)?;
        }
    }
    Ok(())
}
