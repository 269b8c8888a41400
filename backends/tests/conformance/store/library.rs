//! The claims of `Library`: lists, what recordings are called, and the trash.

use jiff::SignedDuration;
use retake_jobs::{
    clock::Clock,
    entry::{Edit, EntryQuery, Found, JobCounts, JobQuery, Sort},
    event::{EventKind, RecordingNews, Subject},
    id::{EventId, JobId, OwnerId, RecordingId},
    job::{ClaimRefused, Job, Status},
    lease::LeaseLost,
    recording::Recording,
    seams::{BlobKey, Changed, Claim, Progress, Topic},
};

use super::Bench;
use crate::{
    claims,
    made::{self, TERMS},
};

claims! { Bench on memory sqlite; [
    every_sort_gives_every_recording_once_page_by_page
    filters_are_joined_and_ask_for_all_of_what_they_name
    someone_elses_recordings_and_jobs_are_not_listed
    jobs_are_counted_by_what_has_become_of_them
    jobs_are_listed_newest_first_of_one_recording_or_of_all
    an_edit_changes_what_it_names_once_and_counts
    an_edit_of_another_version_changes_nothing
    what_is_in_the_trash_is_nowhere
    what_is_restored_is_as_it_was
    a_job_in_the_trash_is_held_and_goes_on_afterwards
    what_was_in_the_trash_for_long_is_gone_with_its_bytes
    what_is_in_the_trash_can_be_deleted_for_good
] }

const GRACE: SignedDuration = SignedDuration::from_mins(10);

fn all() -> EntryQuery {
    EntryQuery {
        limit: 100,
        ..EntryQuery::default()
    }
}

async fn listed(bench: &Bench, query: &EntryQuery) -> Vec<RecordingId> {
    let Found { items, next } = bench.b.recordings(bench.owner, query).await.unwrap();
    assert_eq!(next, None);
    items.iter().map(|entry| entry.recording.id).collect()
}

async fn named(bench: &Bench, file_name: Option<&str>) -> (Recording, Job) {
    let recording = Recording {
        file_name: file_name.map(str::to_owned),
        ..made::recording(bench.owner, bench.clock.now())
    };
    let job = made::job(&recording, bench.clock.now());
    bench.a.accept(&recording, &job, None).await.unwrap();
    bench.pass(1);
    (recording, job)
}

async fn settle(bench: &Bench, job: JobId, duration_ms: u64) {
    let attempt = bench.win(job).await;
    let mut outcome = made::completed(1);
    if let retake_jobs::job::Outcome::Completed { correction, .. } = &mut outcome {
        correction.report.input.duration_ms = duration_ms;
    }
    bench.a.settle(attempt, outcome).await.unwrap().unwrap();
}

async fn edit(bench: &Bench, id: RecordingId, edit: Edit) {
    let edited = bench.a.edit_recording(bench.owner, id, &edit, None).await;
    edited.unwrap().unwrap().unwrap();
}

async fn trash(bench: &Bench, id: RecordingId) {
    let until = bench.a.trash_recording(bench.owner, id, GRACE).await;
    assert_eq!(until.unwrap(), Some(bench.clock.now() + GRACE));
}

async fn every_sort_gives_every_recording_once_page_by_page(bench: Bench) {
    let mut made = Vec::new();
    // Two of each name, two of each duration: the order among them is by id.
    for (name, duration_ms) in [
        (Some("b.wav"), Some(2)),
        (Some("Ä.wav"), None),
        (Some("a.wav"), Some(1)),
        (None, Some(2)),
        (Some("A.WAV"), None),
    ] {
        let (recording, job) = named(&bench, name).await;
        if let Some(ms) = duration_ms {
            settle(&bench, job.id, ms).await;
        }
        made.push(recording.id);
    }
    let [b, umlaut, a, none, capital] = made[..] else {
        unreachable!("five were made")
    };
    for (sort, expected) in [
        (Sort::Oldest, [b, umlaut, a, none, capital]),
        (Sort::Name, [none, a, capital, b, umlaut]),
        (Sort::Shortest, [umlaut, capital, a, b, none]),
    ] {
        let down = match sort {
            Sort::Oldest => Sort::Newest,
            Sort::Name => Sort::NameDown,
            _ => Sort::Longest,
        };
        let mut reversed = expected;
        reversed.reverse();
        for (sort, expected) in [(sort, expected), (down, reversed)] {
            for limit in 1..=6 {
                let mut query = EntryQuery {
                    sort,
                    limit,
                    ..EntryQuery::default()
                };
                let mut found = Vec::new();
                loop {
                    let page = bench.b.recordings(bench.owner, &query).await.unwrap();
                    assert!(page.items.len() <= limit);
                    found.extend(page.items.iter().map(|entry| entry.recording.id));
                    query.after = page.next;
                    let Some(place) = &query.after else { break };
                    assert!(sort.has(place));
                }
                assert_eq!(found, expected, "{sort:?} by {limit}");
            }
        }
    }
}

async fn filters_are_joined_and_ask_for_all_of_what_they_name(bench: Bench) {
    let (first, job) = named(&bench, Some("Interview.wav")).await;
    settle(&bench, job.id, 5).await;
    let from = bench.clock.now();
    let (second, _) = named(&bench, Some("x.wav")).await;
    let to = bench.clock.now();
    named(&bench, None).await;
    let tags = |tags: &[&str]| Edit {
        tags: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()),
        ..Edit::default()
    };
    edit(&bench, first.id, tags(&["radio", "take 1"])).await;
    edit(&bench, second.id, tags(&["radio"])).await;
    let name = Edit {
        name: Some(Some("The INTERVIEW again".to_owned())),
        ..Edit::default()
    };
    edit(&bench, second.id, name).await;

    let text = |text: &str| EntryQuery {
        text: Some(text.to_owned()),
        ..all()
    };
    let tagged = |tags: &[&str]| EntryQuery {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..all()
    };
    let of = |statuses: &[Status]| EntryQuery {
        statuses: statuses.to_vec(),
        ..all()
    };
    let (one, two) = (first.id, second.id);
    for (query, expected) in [
        (text("iNTERVIEW"), &[two, one][..]),
        (text("x.wav"), &[]),
        (text("100%"), &[]),
        (tagged(&["radio"]), &[two, one]),
        (tagged(&["radio", "take 1"]), &[one]),
        (tagged(&["take"]), &[]),
        (of(&[Status::Completed]), &[one]),
        (of(&[Status::Failed]), &[]),
        (
            EntryQuery {
                tags: vec!["radio".to_owned()],
                ..of(&[Status::Queued, Status::Completed])
            },
            &[two, one],
        ),
        (
            EntryQuery {
                created_from: Some(from),
                created_to: Some(to),
                ..all()
            },
            &[two],
        ),
    ] {
        assert_eq!(listed(&bench, &query).await, expected, "{query:?}");
    }
}

async fn someone_elses_recordings_and_jobs_are_not_listed(bench: Bench) {
    let (recording, _) = bench.accepted().await;
    let other = OwnerId::new();
    assert_eq!(bench.a.recordings(other, &all()).await.unwrap().items, []);
    for recording in [None, Some(recording.id)] {
        let query = JobQuery {
            limit: 10,
            recording,
            ..JobQuery::default()
        };
        assert_eq!(bench.a.jobs(other, &query).await.unwrap().items, []);
    }
    let edit = Edit {
        notes: Some(Some("mine".to_owned())),
        ..Edit::default()
    };
    let id = recording.id;
    assert_eq!(
        bench.a.edit_recording(other, id, &edit, None).await,
        Ok(None)
    );
    assert_eq!(bench.a.trash_recording(other, id, GRACE).await, Ok(None));
    trash(&bench, id).await;
    assert_eq!(bench.a.restore_recording(other, id).await, Ok(None));
    assert_eq!(bench.a.delete_recording(other, id).await, Ok(None));
}

async fn jobs_are_counted_by_what_has_become_of_them(bench: Bench) {
    let (recording, first) = bench.accepted().await;
    let counts = async || {
        let entry = bench.b.recording(bench.owner, recording.id).await;
        let entry = entry.unwrap().unwrap();
        (entry.jobs, entry.newest_job.unwrap(), entry.duration_ms)
    };
    let attempt = bench.win(first.id).await;
    let (jobs, newest, duration_ms) = counts().await;
    let running = JobCounts {
        running: 1,
        ..JobCounts::default()
    };
    assert_eq!(
        (jobs, newest.status, duration_ms),
        (running, Status::Running, None)
    );
    let settled = bench.a.settle(attempt, made::completed(1)).await;
    settled.unwrap().unwrap();
    bench.pass(1);
    let second = made::job(&recording, bench.clock.now());
    bench.a.add_job(&second, None).await.unwrap().unwrap();
    let cancelled = bench.a.cancel(bench.owner, second.id).await.unwrap();
    cancelled.unwrap().unwrap();
    bench.pass(1);
    let third = made::job(&recording, bench.clock.now());
    bench.a.add_job(&third, None).await.unwrap().unwrap();
    let (jobs, newest, duration_ms) = counts().await;
    let expected = JobCounts {
        queued: 1,
        completed: 1,
        cancelled: 1,
        ..JobCounts::default()
    };
    assert_eq!((jobs, newest, duration_ms), (expected, third, Some(2_000)));
}

async fn jobs_are_listed_newest_first_of_one_recording_or_of_all(bench: Bench) {
    let (recording, first) = bench.accepted().await;
    bench.pass(1);
    let (_, second) = bench.accepted().await;
    bench.pass(1);
    let third = Job {
        preset: None,
        ..made::job(&recording, bench.clock.now())
    };
    bench.a.add_job(&third, None).await.unwrap().unwrap();
    let cancelled = bench.a.cancel(bench.owner, third.id).await.unwrap();
    let third = cancelled.unwrap().unwrap();
    let query = JobQuery {
        limit: 10,
        ..JobQuery::default()
    };
    let found = async |query: &JobQuery| {
        let found = bench.b.jobs(bench.owner, query).await.unwrap();
        assert_eq!(found.next, None);
        found.items
    };
    let newest_first = [third.clone(), second.clone(), first.clone()];
    assert_eq!(found(&query).await, newest_first);
    let of_recording = JobQuery {
        recording: Some(recording.id),
        ..query.clone()
    };
    assert_eq!(found(&of_recording).await, [third.clone(), first.clone()]);
    let queued = JobQuery {
        statuses: vec![Status::Queued],
        ..query.clone()
    };
    assert_eq!(found(&queued).await, [second.clone(), first.clone()]);
    let speech = JobQuery {
        preset: Some("speech".to_owned()),
        ..of_recording
    };
    assert_eq!(found(&speech).await, std::slice::from_ref(&first));
    let page = JobQuery {
        limit: 2,
        ..query.clone()
    };
    let page = bench.b.jobs(bench.owner, &page).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, Some(second.id)));
    let rest = JobQuery {
        before: page.next,
        ..query
    };
    assert_eq!(found(&rest).await, [first]);
}

async fn an_edit_changes_what_it_names_once_and_counts(bench: Bench) {
    let (recording, _) = bench.accepted().await;
    let id = recording.id;
    let some = Edit {
        name: Some(Some("Interview".to_owned())),
        tags: Some(vec!["radio".to_owned()]),
        notes: None,
    };
    edit(&bench, id, some.clone()).await;
    edit(&bench, id, some).await;
    let notes = Edit {
        notes: Some(Some("loud\nat 3:10".to_owned())),
        name: Some(None),
        tags: None,
    };
    edit(&bench, id, notes).await;
    let entry = bench.b.recording(bench.owner, id).await.unwrap().unwrap();
    assert_eq!((entry.version, &entry.recording), (2, &recording));
    assert_eq!(entry.metadata.name, None);
    assert_eq!(entry.metadata.tags, ["radio"]);
    assert_eq!(entry.metadata.notes.as_deref(), Some("loud\nat 3:10"));
    let changed = EventKind::RecordingChanged;
    assert_eq!(bench.kinds().await, [EventKind::Queued, changed, changed]);
}

async fn an_edit_of_another_version_changes_nothing(bench: Bench) {
    let (recording, _) = bench.accepted().await;
    let id = recording.id;
    let name = |name: &str| Edit {
        name: Some(Some(name.to_owned())),
        ..Edit::default()
    };
    let (a, b) = (name("a"), name("b"));
    let edited = bench.a.edit_recording(bench.owner, id, &a, Some(0)).await;
    assert_eq!(edited.unwrap().unwrap().unwrap().version, 1);
    let edited = bench.b.edit_recording(bench.owner, id, &b, Some(0)).await;
    assert_eq!(edited, Ok(Some(Err(Changed))));
    let entry = bench.b.recording(bench.owner, id).await.unwrap().unwrap();
    assert_eq!(
        (entry.version, entry.metadata.name.as_deref()),
        (1, Some("a"))
    );
}

async fn what_is_in_the_trash_is_nowhere(bench: Bench) {
    let (recording, job) = bench.accepted().await;
    settle(&bench, job.id, 5).await;
    let id = recording.id;
    trash(&bench, id).await;
    let (store, owner) = (&bench.b, bench.owner);
    assert_eq!(store.recording(owner, id).await, Ok(None));
    assert_eq!(listed(&bench, &all()).await, []);
    assert_eq!(bench.jobs(id).await, []);
    let query = JobQuery {
        limit: 10,
        ..JobQuery::default()
    };
    assert_eq!(store.jobs(owner, &query).await.unwrap().items, []);
    assert_eq!(store.job(owner, job.id).await, Ok(None));
    assert_eq!(store.cancel(owner, job.id).await, Ok(None));
    assert_eq!(store.trash_recording(owner, id, GRACE).await, Ok(None));
    let edit = Edit::default();
    assert_eq!(store.edit_recording(owner, id, &edit, None).await, Ok(None));
    let again = made::job(&recording, bench.clock.now());
    assert_eq!(store.add_job(&again, None).await, Ok(None));
    let events = store.events(owner, EventId(0), 10).await.unwrap();
    let last = events.last().unwrap();
    let news = RecordingNews {
        id,
        restorable_until: Some(bench.clock.now() + GRACE),
    };
    assert_eq!(
        (last.kind, &last.subject),
        (EventKind::RecordingDeleted, &Subject::Recording(news))
    );
    assert_eq!(bench.a.empty_trash().await, Ok(Vec::new()));
}

async fn what_is_restored_is_as_it_was(bench: Bench) {
    let (recording, job) = bench.accepted().await;
    settle(&bench, job.id, 5).await;
    let id = recording.id;
    let before = bench.a.recording(bench.owner, id).await.unwrap().unwrap();
    trash(&bench, id).await;
    bench.pass(599);
    let restored = bench.b.restore_recording(bench.owner, id).await.unwrap();
    assert_eq!(restored, Some(before.clone()));
    assert_eq!(bench.a.recording(bench.owner, id).await, Ok(Some(before)));
    assert_eq!(listed(&bench, &all()).await, [id]);
    assert_eq!(bench.job(job.id).await.status, Status::Completed);
    assert_eq!(bench.b.restore_recording(bench.owner, id).await, Ok(None));
    assert_eq!(
        bench.kinds().await.last(),
        Some(&EventKind::RecordingRestored)
    );
    bench.pass(600);
    assert_eq!(bench.a.empty_trash().await, Ok(Vec::new()));
    // And once more.
    trash(&bench, id).await;
    assert!(
        bench
            .b
            .restore_recording(bench.owner, id)
            .await
            .unwrap()
            .is_some()
    );
}

async fn a_job_in_the_trash_is_held_and_goes_on_afterwards(bench: Bench) {
    let (recording, waiting, attempt) = bench.claimed().await;
    bench.pass(1);
    let running = waiting;
    let waiting = made::job(&recording, bench.clock.now());
    bench.a.add_job(&waiting, None).await.unwrap().unwrap();
    let asked = bench.unsent().await.len();
    trash(&bench, recording.id).await;
    let told = bench
        .b
        .extend(attempt, TERMS, &Progress::default(), true)
        .await;
    assert_eq!(told.unwrap(), Err(LeaseLost));
    bench.pass(60);
    let claim = async |hint| bench.b.claim_next(hint, "w", TERMS, 9).await.unwrap();
    assert_eq!(claim(None).await, Claim::Gone);
    let hinted = claim(Some(waiting.id)).await;
    assert_eq!(hinted, Claim::Refused(ClaimRefused::NotNow));
    assert_eq!(bench.sweep().await, 0);
    let sent = bench.send_all().await;
    assert!(sent.iter().all(|row| row.topic != Topic::Jobs), "{sent:?}");
    bench
        .b
        .restore_recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    let held = bench.job(running.id).await;
    assert_eq!(
        (held.status, held.tried()),
        (Status::Queued, 0),
        "it cost nothing"
    );
    assert!(
        bench.unsent().await.len() >= asked,
        "their messages are due"
    );
    for _ in 0..2 {
        let Claim::Won { job, .. } = claim(None).await else {
            panic!("both wait")
        };
        assert!([running.id, waiting.id].contains(&job.id));
    }
}

async fn what_was_in_the_trash_for_long_is_gone_with_its_bytes(bench: Bench) {
    let (recording, job) = bench.accepted().await;
    settle(&bench, job.id, 5).await;
    let kept = bench.accepted().await.0.id;
    let id = recording.id;
    trash(&bench, id).await;
    bench.pass(600);
    assert_eq!(bench.b.restore_recording(bench.owner, id).await, Ok(None));
    let keys = bench.b.empty_trash().await.unwrap();
    let correction = BlobKey::Correction {
        job: job.id,
        attempt: 1,
    };
    assert_eq!(keys, [BlobKey::Recording(id), correction]);
    assert_eq!(bench.a.empty_trash().await, Ok(Vec::new()));
    assert_eq!(bench.a.job_now(job.id).await, Ok(None));
    assert_eq!(bench.a.delete_recording(bench.owner, id).await, Ok(None));
    assert_eq!(listed(&bench, &all()).await, [kept]);
    let deleted = EventKind::RecordingDeleted;
    assert_eq!(bench.kinds().await, [EventKind::Queued, deleted]);
}

async fn what_is_in_the_trash_can_be_deleted_for_good(bench: Bench) {
    let (recording, _) = bench.accepted().await;
    let id = recording.id;
    trash(&bench, id).await;
    let deleted = bench.b.delete_recording(bench.owner, id).await;
    assert_eq!(deleted, Ok(Some(vec![BlobKey::Recording(id)])));
    assert_eq!(bench.b.restore_recording(bench.owner, id).await, Ok(None));
    bench.pass(600);
    assert_eq!(bench.a.empty_trash().await, Ok(Vec::new()));
}
