//! When all is done nothing is left over: no process, descriptor, file or message.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;
use retake_tests::process::{Retake, program};

use crate::{house::House, ledger::Ledger};

/// What is on its way may take so long to be gone; on a quiet machine it is there at once.
const GONE_WITHIN: Duration = Duration::from_secs(90);
/// Descriptors that a process may have more than when it was new: connections kept for the next
/// request, readers of the store that were opened when there was much to read.
const DESCRIPTORS_MORE: usize = 24;
/// Where each process can be told of news: one entry for each that lives.
const NEIGHBOURS: &str = "retake.db-neighbours";
/// In the data folder.
const KEPT: [&str; 8] = [
    "retake.db",
    "retake.db-wal",
    "retake.db-shm",
    "retake.db-reserve",
    "admin.key",
    "plugin-cache",
    "retake.db-lock",
    NEIGHBOURS,
];

/// By process.
pub fn descriptors(house: &House) -> BTreeMap<String, usize> {
    let count = |process: &crate::house::Process| {
        let running = process.running();
        running
            .as_ref()
            .map_or(0, |retake| retake.descriptors().len())
    };
    house
        .processes()
        .map(|process| (process.name.clone(), count(process)))
        .collect()
}

pub async fn nothing_is_left_over(
    house: &House,
    ledger: &Ledger,
    descriptors_before: &BTreeMap<String, usize>,
) -> Result<()> {
    let begun = Instant::now();
    loop {
        let mut left = Vec::new();
        left.extend(messages(house).await);
        left.extend(children(house));
        left.extend(in_scratch(house));
        left.extend(in_data(house));
        left.extend(open_files(house, descriptors_before));
        if left.is_empty() {
            break;
        }
        if begun.elapsed() > GONE_WITHIN {
            for what in left {
                ledger.complain(None, format!("left over: {what}"));
            }
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    tokio::task::block_in_place(|| end_in_order(house, ledger))
}

/// In the broker's queues, the dead ones too, and what servers say of the depth.
async fn messages(house: &House) -> Vec<String> {
    let mut left = Vec::new();
    if let Some(broker) = &house.broker {
        match broker.ctl(&["list_queues", "name", "messages"]) {
            Ok(queues) => left.extend(
                queues
                    .lines()
                    .filter(|line| line.starts_with("retake."))
                    .filter(|line| !line.ends_with("\t0"))
                    .map(|line| format!("messages: {line}")),
            ),
            Err(error) => left.push(format!("the queues cannot be listed: {error:#}")),
        }
    }
    for server in &house.servers {
        let url = format!("{}/metrics", server.url());
        let text = match reqwest::get(&url).await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(error) => format!("{error}"),
        };
        if !text.lines().any(|line| line == "retake_jobs_waiting 0") {
            left.push(format!("{} counts jobs that wait", server.name));
        }
    }
    left
}

/// Processes that work in our folders and that nobody waits for.
fn children(house: &House) -> Vec<String> {
    let mut left = Vec::new();
    let ours: BTreeSet<_> = house
        .processes()
        .filter_map(|process| {
            process
                .running()
                .as_ref()
                .map(|retake| retake.pid().as_raw_pid())
        })
        .collect();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let at = |name: &str| fs::read_link(entry.path().join(name)).unwrap_or_default();
        let is_retake = at("exe") == program();
        let told = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let told = String::from_utf8_lossy(&told).replace('\0', " ");
        let folder = house.folder.path();
        let is_here = at("cwd").starts_with(folder) || told.contains(&folder.display().to_string());
        if is_retake && is_here && !ours.contains(&pid) {
            left.push(format!("process {pid}: {told}"));
        }
    }
    for worker in &house.workers {
        let running = worker.running();
        let children = running.as_ref().map_or_else(Vec::new, Retake::children);
        left.extend(
            children
                .iter()
                .map(|child| format!("{}: child {child:?}", worker.name)),
        );
    }
    left
}

/// Each worker has one folder with nothing in it but its lock.
fn in_scratch(house: &House) -> Vec<String> {
    let mut left = Vec::new();
    for disk in &house.scratch {
        let folders = names(&disk.path);
        if folders.len() > 1 {
            left.push(format!("scratch: {folders:?}"));
        }
        for folder in folders {
            let files = names(&disk.path.join(folder));
            left.extend(
                files
                    .into_iter()
                    .filter(|name| name != "lock")
                    .map(|name| format!("scratch: {name}")),
            );
        }
    }
    left
}

fn in_data(house: &House) -> Vec<String> {
    let mut left: Vec<_> = names(&house.data.path)
        .into_iter()
        .filter(|name| !KEPT.contains(&name.as_str()))
        .map(|name| format!("data: {name}"))
        .collect();
    let neighbours = names(&house.data.path.join(NEIGHBOURS));
    if neighbours.len() > house.processes().count() {
        left.push(format!("data: neighbours {neighbours:?}"));
    }
    for engine in names(&house.data.path.join("plugin-cache")) {
        let files = names(&house.data.path.join("plugin-cache").join(engine));
        let temporary = files.into_iter().filter(|name| name.contains("tmp"));
        left.extend(temporary.map(|name| format!("plugin-cache: {name}")));
    }
    left
}

fn open_files(house: &House, before: &BTreeMap<String, usize>) -> Vec<String> {
    let mut left = Vec::new();
    for process in house.processes() {
        let running = process.running();
        let open = running.as_ref().map_or_else(Vec::new, Retake::descriptors);
        let most = before.get(&process.name).copied().unwrap_or(0) + DESCRIPTORS_MORE;
        if open.len() > most {
            left.push(format!(
                "{} has {} descriptors, and had {most} at most",
                process.name,
                open.len()
            ));
        }
        let scratch = open.iter().filter(|path| path.contains("/attempt-"));
        left.extend(scratch.map(|path| format!("{} holds {path}", process.name)));
    }
    left
}

/// The last one leaves one database, which reads back whole.
fn end_in_order(house: &House, ledger: &Ledger) -> Result<()> {
    for process in house.processes() {
        if let Some(retake) = process.running().as_mut()
            && let Err(error) = retake.terminate(Duration::from_secs(60))
        {
            ledger.complain(None, format!("{}: {error:#}", process.name));
        }
    }
    for ending in ["wal", "shm"] {
        if house.data.path.join(format!("retake.db-{ending}")).exists() {
            ledger.complain(None, format!("left over: retake.db-{ending}"));
        }
    }
    let mut backup = std::process::Command::new(program());
    backup.arg("backup").arg(house.folder.path().join("backup"));
    let read_back = backup.arg("--data").arg(&house.data.path).output()?;
    if !read_back.status.success() {
        let why = String::from_utf8_lossy(&read_back.stderr).into_owned();
        ledger.complain(None, format!("the store does not read back whole: {why}"));
    }
    Ok(())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
