//! The program from the command line, without any server.

use std::process::Command;

use anyhow::{Result, ensure};
use retake_tests::{fixture, process::program, signal};

#[test]
fn correct_writes_the_corrected_file_and_says_what_was_measured() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (chain, format) in [
        ("speech", "flac"),
        ("music", "wav"),
        ("loudness-only", "opus"),
    ] {
        let out = folder.path().join(format!("out.{format}"));
        let run = Command::new(program())
            .current_dir(folder.path())
            .args([
                "correct".as_ref(),
                fixture("chromium-recording.webm").as_os_str(),
            ])
            .args(["-o".as_ref(), out.as_os_str()])
            .args(["--chain", chain])
            .output()?;
        let said = String::from_utf8_lossy(&run.stdout);
        ensure!(
            run.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&run.stderr)
        );
        ensure!(said.contains("LUFS") && said.contains("dBTP"), "{said}");
        let corrected = signal::decode(&std::fs::read(&out)?)?;
        let original = signal::decode(&std::fs::read(fixture("chromium-recording.webm"))?)?;
        ensure!(corrected.frames() == original.frames(), "{format}");
    }
    Ok(())
}

#[test]
fn correct_says_what_is_wrong_and_leaves_no_half_file() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let text = folder.path().join("not.wav");
    std::fs::write(&text, "this is not audio, whatever its name says")?;
    let out = folder.path().join("out.flac");
    for (input, chain, word) in [
        (text.clone(), "speech", "audio"),
        (fixture("speech.flac"), "shine", "speech"),
        (
            fixture("speech.flac"),
            r#"{"steps":[{"plugin":"gain","params":{"gain-db":99}}]}"#,
            "gain-db",
        ),
        (folder.path().join("nowhere.wav"), "speech", "nowhere.wav"),
    ] {
        let run = Command::new(program())
            .current_dir(folder.path())
            .args([
                "correct".as_ref(),
                input.as_os_str(),
                "-o".as_ref(),
                out.as_os_str(),
            ])
            .args(["--chain", chain])
            .output()?;
        let said = String::from_utf8_lossy(&run.stderr);
        ensure!(
            !run.status.success() && said.contains(word),
            "{chain}: {said}"
        );
        ensure!(!out.exists());
    }
    Ok(())
}

#[test]
fn config_prints_what_is_in_effect_with_secrets_starred() -> Result<()> {
    let run = Command::new(program())
        .arg("config")
        .env("RETAKE_QUEUE_URL", "amqp://user:secret@127.0.0.1:5672/%2f")
        .env("RETAKE_SERVER_UPLOAD_BYTES_MAX", "12345")
        .output()?;
    let said = String::from_utf8_lossy(&run.stdout);
    ensure!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    ensure!(
        said.contains("12345") && said.contains("amqp://***@127.0.0.1"),
        "{said}"
    );
    ensure!(!said.contains("secret"));
    Ok(())
}

#[test]
fn a_bad_configuration_is_refused_with_all_its_problems() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("retake.toml");
    std::fs::write(
        &file,
        "listne = '127.0.0.1:1'\n[server]\nupload_bytes_max = 'big'\n[worker]\nslots = 0\n",
    )?;
    let run = Command::new(program())
        .args(["config", "--config"])
        .arg(&file)
        .output()?;
    let said = String::from_utf8_lossy(&run.stderr);
    ensure!(!run.status.success());
    for word in ["listne", "server.upload_bytes_max"] {
        ensure!(said.contains(word), "{word} is missing from: {said}");
    }
    Ok(())
}
