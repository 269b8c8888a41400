//! The page in a real browser: records with a fake microphone, sends, hears, plays.

use std::process::Command;

use anyhow::{Result, ensure};
use retake_tests::{process::Start, root};

#[test]
fn a_person_records_sends_and_plays_both_recordings_in_the_browser() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let run = Command::new("node")
        .arg("run.mjs")
        .current_dir(root().join("tests/browser"))
        .env("RETAKE_TEST_URL", &retake.url)
        .output()?;
    ensure!(
        run.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
    Ok(())
}
