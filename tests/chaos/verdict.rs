//! What to think of it: counts, and every complaint as a story.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use anyhow::Result;
use serde_json::Value;

use crate::{
    house::House,
    ledger::{Answer, Complaint, Ledger},
    load::Person,
    plan::Strike,
    random::Random,
};

/// Faults so long before and after a job are told with it.
const AROUND: Duration = Duration::from_secs(5);
/// Servers follow a clock that was set a little apart from each other.
const CLOCKS_APART: Duration = Duration::from_secs(5);
/// Complaints that are told in full.
const TOLD_MAX: usize = 12;
const LOG_LINES_MAX: usize = 40;

/// The recordings that are there are those that were accepted, each once, with one job, and of those
/// whose answer was lost each at most once; the newest come first, whatever the clocks were set to.
pub async fn nothing_is_lost_or_doubled(
    people: &[Person],
    ledger: &Ledger,
    random: &mut Random,
) -> Result<()> {
    for person in people {
        let listed = person.recordings(random).await?;
        newest_first(&listed, ledger);
        let mut there: BTreeMap<u64, Vec<_>> = BTreeMap::new();
        for recording in listed {
            there
                .entry(serial_of(&recording).unwrap_or(u64::MAX))
                .or_default()
                .push(recording);
        }
        let uploads = ledger.pages().uploads.clone();
        for (serial, upload) in uploads.iter().filter(|(_, u)| u.session == person.session) {
            let found = there.remove(serial).unwrap_or_default();
            let right = match &upload.answer {
                Answer::Accepted { recording, .. } => match found.as_slice() {
                    [one] => one["id"] == recording.as_str(),
                    several => upload.deleted && several.is_empty(),
                },
                Answer::Refused(_) => found.is_empty(),
                Answer::Lost | Answer::None => found.len() <= 1,
            };
            if !right {
                let what = format!(
                    "upload {serial} ({:?}), answered {:?}, is there {} times",
                    upload.work,
                    upload.answer,
                    found.len()
                );
                ledger.complain(upload.job(), what);
            }
            for recording in &found {
                let job = &recording["newest_job"];
                let wrong = match &recording["job_counts"]["total"] {
                    total if *total == 1 => upload.work.is_right(job).err(),
                    total => Some(format!("upload {serial} has {total} jobs")),
                };
                if let Some(wrong) = wrong {
                    ledger.complain(upload.job().or(job["id"].as_str()), wrong);
                }
            }
        }
        for (serial, found) in there {
            let what = format!("{} recordings {serial} that nobody handed in", found.len());
            ledger.complain(None, what);
        }
    }
    Ok(())
}

fn serial_of(recording: &Value) -> Option<u64> {
    let name = recording["file_name"].as_str()?;
    name.split(' ').next()?.parse().ok()
}

/// Of those whose answer came: others may have lain in a frozen server for long.
fn newest_first(listed: &[Value], ledger: &Ledger) {
    let pages = ledger.pages();
    let posted: Vec<_> = listed
        .iter()
        .filter_map(|recording| pages.uploads.get(&serial_of(recording)?))
        .filter(|upload| upload.job().is_some())
        .map(|upload| upload.posted)
        .collect();
    drop(pages);
    for pair in posted.windows(2) {
        if pair[0] + CLOCKS_APART < pair[1] {
            let what = format!(
                "what was handed in at {:?} is listed before {:?}",
                pair[0], pair[1]
            );
            ledger.complain(None, what);
        }
    }
}

/// Counts, for people and for docs/benchmarks.md.
pub fn summary(queue: &str, seed: u64, strikes: &[Strike], ledger: &Ledger) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for strike in strikes {
        *kinds.entry(format!("{:?}", strike.fault.kind)).or_default() += 1;
    }
    let pages = ledger.pages();
    let count = |which: &dyn Fn(&Answer) -> bool| {
        pages
            .uploads
            .values()
            .filter(|upload| which(&upload.answer))
            .count()
    };
    let accepted = count(&|answer| matches!(answer, Answer::Accepted { .. }));
    let refused = count(&|answer| matches!(answer, Answer::Refused(_)));
    let lost = count(&|answer| matches!(answer, Answer::Lost));
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut again, mut events) = (0, 0);
    for heard in &pages.heard {
        events += heard.iter().map(Vec::len).sum::<usize>();
        for news in heard[0].iter().filter(|news| news.is_end()) {
            *ends.entry(news.event.as_str()).or_default() += 1;
            again += usize::from(news.attempt > 1);
        }
    }
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, n)| format!("{kind} {n}"))
        .collect();
    format!(
        "chaos on {queue}: seed {seed}, {} s, {} faults ({}); {accepted} accepted, {refused} told to \
         come again, {lost} without an answer; ends {ends:?}, {again} after more than one attempt; \
         {events} events heard over {} connections; {} complaints",
        ledger.now().as_secs(),
        strikes.len(),
        kinds.join(", "),
        pages.reconnects,
        pages.complaints.len()
    )
}

/// Empty if there are none.
pub fn told(ledger: &Ledger, house: &House) -> String {
    let complaints = ledger.pages().complaints.clone();
    let mut told = String::new();
    for complaint in complaints.iter().take(TOLD_MAX) {
        let at = complaint.at.as_secs_f64();
        let _ = writeln!(told, "\n== at {at:.3}: {}", complaint.what);
        story(&mut told, complaint, ledger, house);
    }
    if complaints.len() > TOLD_MAX {
        let _ = writeln!(told, "\nand {} more:", complaints.len() - TOLD_MAX);
        for complaint in complaints.iter().skip(TOLD_MAX).take(100) {
            let _ = writeln!(told, "   {}", complaint.what);
        }
    }
    told
}

/// What was handed in, heard, done and logged around a job.
fn story(told: &mut String, complaint: &Complaint, ledger: &Ledger, house: &House) {
    let pages = ledger.pages();
    let Some(job) = &complaint.job else {
        let about = |at: Duration| at + AROUND >= complaint.at && at <= complaint.at + AROUND;
        for (at, what) in pages.happened.iter().filter(|(at, _)| about(*at)) {
            let _ = writeln!(told, "{:8.3} ** {what}", at.as_secs_f64());
        }
        return;
    };
    let mut lines = Vec::new();
    let upload = pages.uploads.iter().find(|(_, u)| u.job() == Some(job));
    if let Some((serial, upload)) = upload {
        let words = format!(
            "handed in: {serial} {:?} by session {}",
            upload.work, upload.session
        );
        lines.push((upload.posted, words));
    }
    for (session, listeners) in pages.heard.iter().enumerate() {
        for (which, heard) in listeners.iter().enumerate() {
            for news in heard.iter().filter(|news| &news.job == job) {
                let (id, event, attempt) = (news.id, &news.event, news.attempt);
                let words = format!("heard by {session}.{which}: {id} {event}, attempt {attempt}");
                lines.push((news.at, words));
            }
        }
    }
    let from = lines.iter().map(|(at, _)| *at).min().unwrap_or_default();
    let to = lines.iter().map(|(at, _)| *at).max().unwrap_or_default();
    let around = pages.happened.iter().filter(|(at, what)| {
        *at + AROUND >= from && *at <= to + AROUND && !what.starts_with("COMPLAINT")
    });
    lines.extend(around.map(|(at, what)| (*at, format!("** {what}"))));
    lines.sort();
    for (at, what) in lines {
        let _ = writeln!(told, "{:8.3} {what}", at.as_secs_f64());
    }
    for process in house.processes() {
        let log = std::fs::read(house.log_of(process)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let about: Vec<_> = log
            .lines()
            .filter(|line| line.contains(job.as_str()))
            .collect();
        for line in about.iter().take(LOG_LINES_MAX) {
            let _ = writeln!(told, "{}: {line}", process.name);
        }
    }
}
