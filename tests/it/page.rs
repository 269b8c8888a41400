//! The page in a real browser: records with a fake microphone, sends, hears, plays; builds chains;
//! publishes a plugin.

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use retake_tests::{process::Start, root};

#[test]
fn people_record_correct_and_listen_and_an_admin_publishes_in_the_browser() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let run = Command::new("node")
        .arg("run.mjs")
        .current_dir(root().join("tests/browser"))
        .env("RETAKE_TEST_URL", &retake.url)
        .env(
            "RETAKE_TEST_ADMIN_KEY",
            fs::read_to_string(data.path().join("admin.key"))?,
        )
        .output()?;
    ensure!(
        run.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
    Ok(())
}
