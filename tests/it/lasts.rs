//! What is kept lasts: through a stop, a backup, a full disk and a start without a place for
//! temporary files.

use std::{
    collections::BTreeSet,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Result, ensure};
use reqwest::StatusCode;
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::{Start, program},
    signal,
    syncs::Syncs,
};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

fn retake(command: &str, data: &Path, folder: &Path) -> Result<Output> {
    let mut program = Command::new(program());
    program.arg(command).arg(folder).arg("--data").arg(data);
    Ok(program.output()?)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn upload() -> Result<Upload> {
    let chain = r#"{"steps": [{"plugin": "gain"}]}"#;
    Ok(Upload::file(&fixture("speech.flac"))?.with("chain", chain))
}

async fn digest(ann: &Client, path: &str) -> Result<Vec<u8>> {
    let answer = ann.get(path).await?;
    ensure!(answer.status() == StatusCode::OK, "{path}: {answer:?}");
    Ok(Sha256::digest(answer.bytes().await?).to_vec())
}

#[tokio::test]
async fn an_orderly_stop_leaves_one_database_that_can_be_copied_as_it_is() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut up = Start::new("up", data.path()).start()?;
    let ann = Client::new(&up.url).await?;
    let (job, audio) = ann.corrected(&upload()?).await?;
    up.terminate(Duration::from_secs(30))?;
    for ending in ["wal", "shm"] {
        let left = data.path().join(format!("retake.db-{ending}"));
        ensure!(!left.exists(), "{}", left.display());
    }
    let elsewhere = tempfile::tempdir()?;
    std::fs::copy(
        data.path().join("retake.db"),
        elsewhere.path().join("retake.db"),
    )?;
    let copied = Start::new("server", elsewhere.path()).start()?;
    let ann = ann.at(&copied.url);
    let path = format!("/api/v1/jobs/{}/audio", job["id"].as_str().unwrap());
    ensure!(digest(&ann, &path).await? == Sha256::digest(audio).to_vec());
    Ok(())
}

#[tokio::test]
async fn a_backup_made_while_it_runs_brings_everything_back() -> Result<()> {
    let data = tempfile::tempdir()?;
    let up = Start::new("up", data.path()).start()?;
    let ann = Client::new(&up.url).await?;
    let (job, audio) = ann.corrected(&upload()?).await?;
    // Of more than the first MiB, and still waiting or running while the backup is made.
    let long = data.path().join("long.wav");
    signal::voice_like(&long, 48_000, 2, 60.0)?;
    let long = Upload::file(&long)?.with("preset", "speech");
    let waiting = ann.accepted(&long).await?;

    let folder = tempfile::tempdir()?;
    let backup = folder.path().join("monday");
    let made = retake("backup", data.path(), &backup)?;
    ensure!(made.status.success(), "{}", said(&made));
    ensure!(said(&made).contains("2 recordings"), "{}", said(&made));
    for name in ["", "backup.json", "retake.db", "admin.key"] {
        let mode = std::fs::metadata(backup.join(name))?.permissions().mode();
        ensure!(mode & 0o077 == 0, "{name}: {mode:o}");
    }
    let again = retake("backup", data.path(), &backup)?;
    ensure!(
        !again.status.success() && said(&again).contains("not empty"),
        "{}",
        said(&again)
    );
    let over = retake("restore", data.path(), &backup)?;
    ensure!(
        !over.status.success() && said(&over).contains("already"),
        "{}",
        said(&over)
    );
    // What came after the backup is not in it.
    ann.accepted(&upload()?).await?;
    drop(up);

    let restored = tempfile::tempdir()?;
    let brought = retake("restore", restored.path(), &backup)?;
    ensure!(brought.status.success(), "{}", said(&brought));
    let key = |folder: &Path| std::fs::read_to_string(folder.join("admin.key"));
    ensure!(key(restored.path())? == key(data.path())?);
    let up = Start::new("up", restored.path()).start()?;
    let ann = ann.at(&up.url);
    let path = format!("/api/v1/jobs/{}/audio", job["id"].as_str().unwrap());
    ensure!(digest(&ann, &path).await? == Sha256::digest(audio).to_vec());
    let ended = ann.ended(&waiting).await?;
    ensure!(ended["status"] == "completed", "{ended}");
    let recording = ended["recording_id"].as_str().unwrap();
    let original = digest(&ann, &format!("/api/v1/recordings/{recording}/audio")).await?;
    ensure!(original == Sha256::digest(&long.bytes).to_vec());
    let all = ann.json("/api/v1/recordings").await?;
    ensure!(all["items"].as_array().map(Vec::len) == Some(2), "{all}");
    Ok(())
}

#[tokio::test]
async fn a_damaged_backup_is_not_restored() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut server = Start::new("server", data.path()).start()?;
    let ann = Client::new(&server.url).await?;
    ann.accepted(&upload()?).await?;
    server.terminate(Duration::from_secs(30))?;
    let folder = tempfile::tempdir()?;
    let backup = folder.path().join("b");
    ensure!(retake("backup", data.path(), &backup)?.status.success());
    let database = backup.join("retake.db");
    let whole = std::fs::read(&database)?;
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() - 1], b""] {
        std::fs::write(&database, damaged)?;
        let into = tempfile::tempdir()?;
        let refused = retake("restore", into.path(), &backup)?;
        ensure!(!refused.status.success(), "{}", said(&refused));
        ensure!(said(&refused).contains("damaged"), "{}", said(&refused));
        ensure!(!into.path().join("retake.db").exists());
        ensure!(!into.path().join("admin.key").exists());
    }
    std::fs::write(&database, &whole)?;
    std::fs::remove_file(backup.join("backup.json"))?;
    let into = tempfile::tempdir()?;
    let refused = retake("restore", into.path(), &backup)?;
    ensure!(
        said(&refused).contains("no whole backup"),
        "{}",
        said(&refused)
    );
    Ok(())
}

/// The files may not grow beyond this, as on a full disk.
const FILE_BYTES_MAX: u64 = 24 << 20;

#[tokio::test]
async fn a_server_that_can_write_no_more_says_so_and_starts_and_reads() -> Result<()> {
    let data = tempfile::tempdir()?;
    // The plugins are brought in before.
    let mut first = Start::new("server", data.path()).start()?;
    first.terminate(Duration::from_secs(30))?;
    let limited = || {
        let start = Start::new("server", data.path());
        start.file_bytes_max(FILE_BYTES_MAX).start()
    };
    let mut server = limited()?;
    let ann = Client::new(&server.url).await?;
    let audio = data.path().join("take.wav");
    signal::voice_like(&audio, 48_000, 2, 20.0)?;
    let chain = r#"{"steps": [{"plugin": "gain"}]}"#;
    let upload = Upload::file(&audio)?.with("chain", chain);
    let (mut kept, mut refused) = (Vec::new(), 0);
    for _ in 0..40 {
        let answer = ann.post(&upload).await?;
        match answer.status() {
            StatusCode::ACCEPTED => {
                let told: serde_json::Value = serde_json::from_slice(&answer.bytes().await?)?;
                kept.push(told["id"].as_str().unwrap().to_owned());
            }
            status => {
                let told: serde_json::Value = serde_json::from_slice(&answer.bytes().await?)?;
                ensure!(status == StatusCode::INSUFFICIENT_STORAGE, "{told}");
                ensure!(
                    told["type"].as_str().unwrap().contains("storage-full"),
                    "{told}"
                );
                refused += 1;
            }
        }
    }
    ensure!(
        !kept.is_empty() && refused > 20,
        "{} kept, {refused} refused",
        kept.len()
    );
    let whole = Sha256::digest(&upload.bytes).to_vec();
    for _ in 0..2 {
        let ann = ann.at(&server.url);
        for id in &kept {
            let path = format!("/api/v1/recordings/{id}/audio");
            ensure!(digest(&ann, &path).await? == whole, "{id}");
        }
        let answer = ann.post(&upload).await?;
        // A restart may have found a little room.
        let full = answer.status() == StatusCode::INSUFFICIENT_STORAGE;
        ensure!(
            full || answer.status() == StatusCode::ACCEPTED,
            "{answer:?}"
        );
        // Whatever it was at.
        server.kill();
        server = limited()?;
    }
    Ok(())
}

/// Sending again is the client's: what was refused must not be there beside it.
#[tokio::test]
async fn what_the_disk_did_not_sync_is_refused_and_is_not_there() -> Result<()> {
    let (data, elsewhere) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let syncs = Syncs::new(elsewhere.path())?;
    let start = || {
        let start = Start::new("up", data.path());
        let all = syncs.environment(None).into_iter();
        all.fold(start, |start, (name, value)| start.env(name, &value))
            .start()
    };
    let mut up = start()?;
    let mut ann = Client::new(&up.url).await?;
    let mut kept = vec![ann.corrected(&upload()?).await?.0];
    for (error, status) in [
        (Errno::IO, StatusCode::INTERNAL_SERVER_ERROR),
        (Errno::NOSPC, StatusCode::INSUFFICIENT_STORAGE),
    ] {
        syncs.fail(error)?;
        for n in 0..3 {
            let answer = ann.post(&upload()?).await?;
            // Later ones hear that an earlier sync failed, whatever for.
            let right = answer.status() == status
                || n > 0 && answer.status() == StatusCode::INTERNAL_SERVER_ERROR;
            ensure!(right, "{error}: {answer:?}");
        }
        syncs.work()?;
        kept.push(ann.corrected(&upload()?).await?.0);
    }
    for _ in 0..2 {
        let listed = ann.json("/api/v1/recordings").await?;
        let listed: Vec<_> = listed["items"].as_array().into_iter().flatten().collect();
        let ids = |all: &mut dyn Iterator<Item = &serde_json::Value>| -> BTreeSet<String> {
            all.map(|id| id.as_str().unwrap_or_default().to_owned())
                .collect()
        };
        ensure!(
            ids(&mut listed.iter().map(|one| &one["id"]))
                == ids(&mut kept.iter().map(|job| &job["recording_id"])),
            "{listed:?}"
        );
        up.kill();
        up = start()?;
        ann = ann.at(&up.url);
    }
    Ok(())
}

#[tokio::test]
async fn it_needs_no_folder_for_temporary_files_but_its_own() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut start = Start::new("up", data.path());
    for name in ["TMPDIR", "SQLITE_TMPDIR"] {
        start = start.env(name, "/nowhere/to/be/found");
    }
    let up = start.start()?;
    let ann = Client::new(&up.url).await?;
    let (job, _) = ann.corrected(&upload()?).await?;
    ensure!(job["status"] == "completed", "{job}");
    Ok(())
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_nobody() -> Result<()> {
    let data = tempfile::tempdir()?;
    // What a file on a full disk is.
    let up = Start::new("up", data.path()).log("/dev/full").start()?;
    let ann = Client::new(&up.url).await?;
    let (job, _) = ann.corrected(&upload()?).await?;
    ensure!(job["status"] == "completed", "{job}");
    Ok(())
}

#[test]
fn whoever_cannot_work_does_not_say_that_it_is_ready() -> Result<()> {
    let data = tempfile::tempdir()?;
    std::fs::write(data.path().join("file"), "not a folder")?;
    let scratch = data.path().join("file/scratch").display().to_string();
    for (role, setting) in [
        ("worker", format!("worker.scratch_dir={scratch}")),
        ("up", format!("worker.scratch_dir={scratch}")),
    ] {
        let mut command = Command::new(program());
        command.arg(role).arg("--data").arg(data.path());
        command.args(["--set", &setting]);
        if role == "up" {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let ended = command.output()?;
        ensure!(!ended.status.success(), "{role}");
        let printed = String::from_utf8_lossy(&ended.stdout);
        ensure!(!printed.contains("ready"), "{role}: {printed}");
        ensure!(said(&ended).contains("scratch"), "{}", said(&ended));
    }
    Ok(())
}

/// The compiled plugins, each with what changes when it is compiled again.
fn compiled(data: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    for engine in std::fs::read_dir(data.join("plugin-cache"))? {
        for file in std::fs::read_dir(engine?.path())? {
            let file = file?;
            if file
                .path()
                .extension()
                .is_some_and(|ending| ending == "cwasm")
            {
                found.push((file.path(), file.metadata()?.ino()));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[test]
fn processes_that_start_at_once_compile_each_plugin_once() -> Result<()> {
    let data = tempfile::tempdir()?;
    // Which of them is first, nobody knows; what the first one found stays.
    let snapshots: Vec<Result<_>> = std::thread::scope(|scope| {
        let start = || {
            let server = Start::new("server", data.path()).start()?;
            Ok((compiled(data.path())?, server))
        };
        let starting: Vec<_> = (0..3).map(|_| scope.spawn(start)).collect();
        starting.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let last = compiled(data.path())?;
    ensure!(!last.is_empty());
    for snapshot in snapshots {
        let (snapshot, _server) = snapshot?;
        ensure!(snapshot == last, "{snapshot:?}\n{last:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_was_compiled_and_is_gone_is_compiled_again_only_when_a_job_names_it() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut up = Start::new("up", data.path()).start()?;
    up.terminate(Duration::from_secs(30))?;
    // As a new version of the engine finds it.
    std::fs::remove_dir_all(data.path().join("plugin-cache"))?;
    let up = Start::new("up", data.path()).start()?;
    ensure!(compiled(data.path())?.is_empty());
    let ann = Client::new(&up.url).await?;
    ann.corrected(&upload()?).await?;
    ensure!(compiled(data.path())?.len() == 1);
    Ok(())
}
