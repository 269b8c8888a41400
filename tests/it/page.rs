//! The page in a real browser: records with a fake microphone, sends, hears, plays; builds chains;
//! publishes a plugin.

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use retake_tests::{process::Start, root};

#[test]
fn people_record_correct_and_listen_and_an_admin_publishes_in_the_browser() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let key = fs::read_to_string(data.path().join("admin.key"))?;
    in_the_browser(&retake.url, &[("RETAKE_TEST_ADMIN_KEY", &key)])
}

/// The public address names another host, as it does behind a proxy.
#[test]
fn below_a_path_the_page_its_files_its_events_and_its_cookie_stay_there() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path())
        .set("server.public_url=http://retake.example/audio/retake")
        .start()?;
    in_the_browser(&format!("{}/audio/retake", retake.url), &[])
}

fn in_the_browser(url: &str, more: &[(&str, &str)]) -> Result<()> {
    let run = Command::new("node")
        .arg("run.mjs")
        .current_dir(root().join("tests/browser"))
        .env("RETAKE_TEST_URL", url)
        .envs(more.iter().copied())
        .output()?;
    ensure!(
        run.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
    Ok(())
}
