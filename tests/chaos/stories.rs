//! What listeners heard: each job's story is one that can be, and everybody heard the same, which is
//! what the log says now.

use std::{collections::BTreeMap, collections::BTreeSet};

use anyhow::Result;
use retake_tests::client::Client;

use crate::{
    ledger::{Heard, Ledger},
    load::Person,
    random::Random,
};

pub async fn judge(people: &[Person], ledger: &Ledger, random: &mut Random) -> Result<()> {
    for person in people {
        let client = person.client.at(&person.house.some_server(random));
        let log = replayed(&client, person, ledger).await?;
        let listeners = ledger.pages().heard[person.session].clone();
        let taken_back = taken_back(person, &log, &listeners, ledger);
        let mut gone = gone(person, ledger);
        gone.extend(taken_back.iter().cloned());
        for (which, heard) in listeners.iter().enumerate() {
            let who = format!("listener {which} of session {}", person.session);
            for (job, story) in by_job(heard) {
                if taken_back.contains(job) {
                    continue;
                }
                if let Err(wrong) = is_a_story(&story) {
                    ledger.complain(Some(job), format!("{who} heard of job {job}: {wrong}"));
                }
            }
            same(&log, heard, &who, &gone, ledger);
        }
    }
    Ok(())
}

/// The jobs whose events went with them.
fn gone(person: &Person, ledger: &Ledger) -> BTreeSet<String> {
    let pages = ledger.pages();
    let deleted = pages
        .uploads
        .values()
        .filter(|upload| upload.session == person.session && upload.deleted);
    deleted
        .filter_map(|upload| upload.job().map(str::to_owned))
        .collect()
}

/// What was committed and could not be synced is refused and taken back; whoever looked into the log
/// meanwhile has heard of it. Nobody was told that it was accepted, and nothing of it is in the log.
fn taken_back(
    person: &Person,
    log: &[Heard],
    listeners: &[Vec<Heard>],
    ledger: &Ledger,
) -> BTreeSet<String> {
    let pages = ledger.pages();
    if !person.house.syncs_failed() {
        return BTreeSet::new();
    }
    let accepted = pages.uploads.values().filter_map(|upload| upload.job());
    let logged = log.iter().map(|news| news.job.as_str());
    let known: BTreeSet<_> = accepted.chain(logged).collect();
    let heard = listeners.iter().flatten().map(|news| &news.job);
    let unknown = heard.filter(|job| !known.contains(job.as_str()));
    unknown.cloned().collect()
}

/// The log, up to the last event that anybody heard and that is still there.
async fn replayed(client: &Client, person: &Person, ledger: &Ledger) -> Result<Vec<Heard>> {
    let gone = gone(person, ledger);
    let last = {
        let pages = ledger.pages();
        let heard = pages.heard[person.session].iter().flatten();
        let kept = heard.filter(|news| !news.is_progress() && !gone.contains(&news.job));
        kept.map(|news| news.id).max().unwrap_or(0)
    };
    let mut listener = client.listen(Some("0")).await?;
    let mut log = Vec::new();
    while log.last().is_none_or(|news: &Heard| news.id < last) {
        log.push(Heard::of(ledger.now(), &listener.next().await?));
    }
    Ok(log)
}

fn by_job(heard: &[Heard]) -> BTreeMap<&str, Vec<&Heard>> {
    let mut jobs: BTreeMap<&str, Vec<&Heard>> = BTreeMap::new();
    // What is told of recordings is no job's story.
    for news in heard
        .iter()
        .filter(|news| !news.event.starts_with("recording."))
    {
        jobs.entry(&news.job).or_default().push(news);
    }
    jobs
}

/// Queued, then attempts, each with a higher number and back in the queue before the next, then one end.
fn is_a_story(story: &[&Heard]) -> Result<(), String> {
    let (mut before, mut attempt, mut ends) = ("", 0, 0);
    for news in story {
        let event = news.event.as_str();
        // What is made of a correction when it is asked for.
        if event.starts_with("derivative.") && before == "job.completed" {
            continue;
        }
        let may_follow = match event {
            "job.queued" => matches!(before, "" | "job.running" | "job.progress"),
            "job.running" => before == "job.queued" && news.attempt > attempt,
            "job.progress" => matches!(before, "job.running" | "job.progress"),
            "job.completed" => matches!(before, "job.running" | "job.progress"),
            "job.failed" | "job.cancelled" => !matches!(before, ""),
            _ => false,
        };
        if !may_follow || news.attempt < attempt || ends > 0 {
            return Err(format!(
                "{event} of attempt {} after {before}",
                news.attempt
            ));
        }
        ends += u32::from(news.is_end());
        (before, attempt) = (event, news.attempt);
    }
    match ends {
        1 => Ok(()),
        _ => Err(format!("it has {ends} ends: {}", told(story))),
    }
}

fn told(story: &[&Heard]) -> String {
    let words = story
        .iter()
        .map(|news| format!("{} {}", news.id, news.event));
    words.collect::<Vec<_>>().join(", ")
}

/// Progress is forgotten when a job ends, so that only who listened then has heard of it.
fn same(log: &[Heard], heard: &[Heard], who: &str, gone: &BTreeSet<String>, ledger: &Ledger) {
    let lasting = |all: &[Heard]| -> BTreeMap<u64, (String, String)> {
        let kept = all
            .iter()
            .filter(|news| !news.is_progress() && !gone.contains(&news.job));
        kept.map(|news| (news.id, (news.job.clone(), news.event.clone())))
            .collect()
    };
    let (log, heard) = (lasting(log), lasting(heard));
    for (id, (job, event)) in &log {
        if !heard.contains_key(id) {
            ledger.complain(Some(job), format!("{who} missed {event} {id}"));
        }
    }
    for (id, (job, event)) in &heard {
        if log.get(id) != Some(&(job.clone(), event.clone())) {
            ledger.complain(
                Some(job),
                format!("{who} heard {event} {id}, which is not in the log"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn story(events: &[(&str, u64)]) -> Result<(), String> {
        let heard: Vec<_> = (1..)
            .zip(events)
            .map(|(id, (event, attempt))| Heard {
                at: Duration::ZERO,
                id,
                event: match event.contains('.') {
                    true => (*event).to_owned(),
                    false => format!("job.{event}"),
                },
                job: "a".to_owned(),
                attempt: *attempt,
            })
            .collect();
        is_a_story(&heard.iter().collect::<Vec<_>>())
    }

    #[test]
    fn stories_that_can_be_are_told_from_those_that_cannot() {
        for good in [
            &[("queued", 0), ("running", 1), ("completed", 1)][..],
            &[("queued", 0), ("cancelled", 0)],
            &[
                ("queued", 0),
                ("running", 1),
                ("completed", 1),
                ("derivative.ready", 1),
                ("derivative.failed", 1),
            ],
            &[
                ("queued", 0),
                ("running", 1),
                ("progress", 1),
                ("queued", 1),
                ("running", 2),
                ("failed", 2),
            ],
            &[("queued", 0), ("running", 1), ("failed", 1)],
        ] {
            assert_eq!(story(good), Ok(()), "{good:?}");
        }
        for bad in [
            &[("queued", 0), ("running", 1)][..],
            &[("queued", 0), ("derivative.ready", 0)],
            &[
                ("queued", 0),
                ("running", 1),
                ("completed", 1),
                ("completed", 1),
            ],
            &[
                ("queued", 0),
                ("running", 1),
                ("completed", 1),
                ("queued", 1),
            ],
            &[("running", 1), ("completed", 1)],
            &[
                ("queued", 0),
                ("running", 1),
                ("running", 2),
                ("completed", 2),
            ],
            &[
                ("queued", 0),
                ("running", 2),
                ("queued", 2),
                ("running", 1),
                ("completed", 1),
            ],
            &[("queued", 0), ("completed", 0)],
        ] {
            assert!(story(bad).is_err(), "{bad:?}");
        }
    }
}
