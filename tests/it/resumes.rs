//! An upload goes on after whatever happens, by the client that people use.

use std::process::Command;

use anyhow::{Result, ensure};
use retake_tests::{process::program, root};

#[test]
fn uploads_in_pieces_survive_kills_and_cuts_and_become_one_recording_each() -> Result<()> {
    let data = tempfile::tempdir()?;
    let run = Command::new("node")
        .arg(root().join("tests/tus/resume.mjs"))
        .arg(program())
        .arg(data.path())
        .output()?;
    let told = String::from_utf8_lossy(&run.stdout);
    let wrong = String::from_utf8_lossy(&run.stderr);
    ensure!(run.status.success(), "{told}{wrong}");
    ensure!(told.contains("6 uploads, 6 begun"), "{told}");
    Ok(())
}
