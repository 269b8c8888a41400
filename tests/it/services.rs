//! Several external services, one of them written as docs/external-service.md shows.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::Start,
    root, signal,
};
use serde_json::json;

/// Ends with its owner.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_service_of_the_docs_is_one_of_several_and_nothing_goes_there_where_that_is_forbidden()
-> Result<()> {
    let page = fs::read_to_string(root().join("docs/external-service.md"))?;
    let (_, rest) = page.split_once("```python\n").context("an example")?;
    let (code, _) = rest.split_once("```").context("it ends")?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new("python3");
    command.args(["-c", code]).env("PORT", port.to_string());
    let child = command
        .env("TOKEN", "t0ken")
        .stderr(Stdio::null())
        .spawn()?;
    let _service = Service(child);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let data = tempfile::tempdir()?;
    let file = data.path().join("retake.toml");
    let config = format!(
        "[[externals]]\nname = 'half'\nurl = 'http://127.0.0.1:{port}'\ndescription = 'Half as loud'\n\
         [externals.settings]\ntoken = 't0ken'\n"
    );
    fs::write(&file, config)?;
    let file = file.to_str().context("a path")?.to_owned();
    let retake = Start::new("up", data.path())
        .env("RETAKE_CONFIG", &file)
        .start()?;
    let ann = Client::new(&retake.url).await?;
    let told = ann.json("/api/v1/externals").await?;
    ensure!(told["items"][0]["name"] == "default", "{told}");
    let half = json!({
        "name": "half", "description": "Half as loud", "runs": "remote", "host": "127.0.0.1",
    });
    ensure!(told["items"][1] == half, "{told}");

    let chain = json!({"steps": [{"external": "half"}]}).to_string();
    let upload = || -> Result<Upload> {
        let upload = Upload::file(&fixture("speech-44k-stereo.wav"))?;
        Ok(upload.with("chain", chain.clone()))
    };
    let original = signal::decode(&upload()?.bytes)?;
    let (_, audio) = ann.corrected(&upload()?).await?;
    let corrected = signal::decode(&audio)?;
    ensure!(corrected.frames() == original.frames());
    let (before, after) = (original.integrated_lufs, corrected.integrated_lufs);
    let softer = before.context("loud")? - after.context("loud")?;
    ensure!((softer - 6.02).abs() < 0.1, "{softer} LU softer");

    let forbidden = ann.post(&upload()?.with("egress", "forbid")).await?;
    ensure!(forbidden.status() == StatusCode::UNPROCESSABLE_ENTITY);
    let problem: serde_json::Value = forbidden.json().await?;
    ensure!(problem["type"] == "/problems/egress-forbidden", "{problem}");
    Ok(())
}
