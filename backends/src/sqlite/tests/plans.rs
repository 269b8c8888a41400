//! No statement walks a table that grows: every one that the store runs is explained.

use std::{cell::RefCell, collections::BTreeSet, sync::Mutex};

use jiff::{SignedDuration, Timestamp};
use retake_chain::problem::{Problem, ProblemKind};
use retake_jobs::{
    credential::{ApiKey, KeyName, Scope},
    derivative::{Derivative, Derived, DerivedFile, Kind, PeaksForm, Side},
    entry::{Edit, JobQuery, Sort},
    event::EventKind,
    id::{ApiKeyId, EventId, JobId, OwnerId, ShareId, SubmissionId, WebhookId},
    idempotency::{IdempotencyKey, Once},
    lease::{Attempt, Blame},
    saved_preset::{PresetName, Saved, SavedPreset, Summary},
    seams::{
        Catalogue, Derivatives, Derive, Errands, EventLog, Outbox, Presets, Progress, Queue,
        QueueLimits, Shares, Sources, Space, Submissions, Sweep, Topic, Usages, Webhooks,
    },
    share::{Share, Shared},
    submission::{Submission, Verdict},
    webhook::{Change, Keeping, Receiver, Schedule, Secrets, Tried, Webhook},
};
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::{connection::MIGRATIONS, *};

type Statements = Arc<Mutex<BTreeSet<String>>>;

thread_local! {
    /// Set by the test that wants to see what the connections run that are opened on its thread.
    static WATCHED: RefCell<Option<Statements>> = const { RefCell::new(None) };
}

/// Called for every connection that is opened.
pub fn watched(mut connection: Connection) -> Connection {
    let Some(statements) = WATCHED.with_borrow(Clone::clone) else {
        return connection;
    };
    let note = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(statement, _) = event {
            statements
                .lock()
                .unwrap()
                .insert(statement.sql().into_owned());
        }
    };
    connection
        .trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note))
        .unwrap();
    connection
}

/// What may be walked, and why.
const SMALL: &[(&str, &str)] = &[
    (
        "SCAN plugins",
        "all of them are asked for; one row per version",
    ),
    ("SCAN plugin_files", "one row per plugin"),
    (
        "submissions_checking",
        "an index of those that wait, which are few by a limit",
    ),
    (
        "derivatives_waiting",
        "an index of those that wait, which are few by a limit",
    ),
    ("SCAN derivatives_weight", "one row"),
    ("api_keys_open", "few by a limit"),
    ("api_keys_revoked", "as few"),
    ("SCAN event_marks", "at most 65"),
    ("SCAN waiting", "no table: one row per owner who waits"),
    ("SCAN heads", "the same"),
    ("SCAN sqlite_sequence", "one row per table"),
    (
        "SCAN sqlite_schema",
        "the same, when a connection is opened",
    ),
    ("SCAN CONSTANT ROW", "no table"),
    ("SCAN json_each", "no table: owners whose turn it is not"),
];

fn walks(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let details = statement.raw_query().mapped(|row| row.get::<_, String>(3));
    details
        .map(Result::unwrap)
        .filter(|detail| detail.contains("SCAN"))
        .filter(|detail| !SMALL.iter().any(|(small, _)| detail.contains(small)))
        .collect()
}

#[tokio::test]
async fn no_statement_walks_a_table_that_grows() {
    let statements = Statements::default();
    WATCHED.set(Some(Arc::clone(&statements)));
    let bench = bench();
    WATCHED.set(None);
    live(&bench).await;
    bench.store.close().await;

    let connection = rusqlite::Connection::open(bench.folder.path().join("retake.db")).unwrap();
    let mut explained = 0;
    for sql in statements.lock().unwrap().iter() {
        let word = sql.split_whitespace().next().unwrap_or_default();
        if !["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&word) {
            continue;
        }
        // Run once, on tables that may have other names by now.
        if MIGRATIONS.iter().any(|migration| migration.contains(sql)) {
            continue;
        }
        explained += 1;
        let walks = walks(&connection, sql);
        assert!(walks.is_empty(), "{sql}\n{walks:#?}");
    }
    assert!(explained > 80, "only {explained} statements were seen");
    for bad in [
        "SELECT DISTINCT owner FROM events WHERE id > ?1 LIMIT ?2",
        "SELECT id FROM jobs WHERE status = 'failed'",
    ] {
        assert_eq!(walks(&connection, bad).len(), 1, "{bad}");
    }
}

/// Everything that a store is asked for.
async fn credentials(bench: &Bench) {
    let (store, now) = (&bench.store, bench.clock.now());
    let session = store.add_session([1; 32]).await.unwrap();
    store.session([1; 32]).await.unwrap().unwrap();
    store.sessions(session.owner).await.unwrap();
    let later = now + SignedDuration::from_mins(1);
    store.add_code(session.owner, [1; 32], later).await.unwrap();
    let by_code = store.add_session_by_code([2; 32], [1; 32]).await;
    by_code.unwrap().unwrap();
    store.note_session_used(session.id, now).await.unwrap();
    store
        .remove_session(session.owner, session.id)
        .await
        .unwrap();
    let key = ApiKey {
        id: ApiKeyId::new(now),
        name: KeyName::parse("a key").unwrap(),
        scopes: [Scope::Recordings].into(),
        owner: session.owner,
        created_at: now,
        expires_at: None,
        used_at: None,
        revoked_at: None,
    };
    assert!(store.add_api_key(&key, [1; 32], 9).await.unwrap());
    store.api_key([1; 32]).await.unwrap().unwrap();
    store.api_keys(None, 9).await.unwrap();
    store.note_api_key_used(key.id, now).await.unwrap();
    store.revoke_api_key(key.id).await.unwrap().unwrap();
}

async fn shares(bench: &Bench, job: &Job) {
    let (store, now) = (&bench.store, bench.clock.now());
    let share = Share {
        id: ShareId::new(now),
        owner: job.owner,
        recording: job.recording_id,
        job: job.id,
        may_download: true,
        created_at: now,
        expires_at: now + SignedDuration::from_mins(1),
    };
    let made = store.add_share(&share, [1; 32], 9).await.unwrap();
    assert_eq!(made, Shared::Made);
    store.share([1; 32]).await.unwrap().unwrap();
    assert_eq!(store.shares(job.owner, None, 9).await.unwrap().len(), 1);
    assert!(store.remove_share(job.owner, share.id).await.unwrap());
}

async fn presets(bench: &Bench, owner: OwnerId) {
    let store = &bench.store;
    let preset = |version| SavedPreset {
        name: PresetName::parse("talks").unwrap(),
        version,
        summary: Summary::default(),
        chain: serde_json::json!({"steps": []}),
        saved_at: bench.clock.now(),
    };
    for version in 1..=2 {
        let saved = store.save_preset(owner, &preset(version), 9).await;
        assert_eq!(saved.unwrap(), Saved::Done);
    }
    assert_eq!(store.presets(owner).await.unwrap().len(), 1);
    let name = preset(1).name;
    assert!(store.preset(owner, &name, Some(1)).await.unwrap().is_some());
    assert!(store.remove_preset(owner, &name, 2).await.unwrap());
}

async fn webhooks(bench: &Bench) {
    let (store, owner, now) = (&bench.store, bench.owner, bench.clock.now());
    let webhook = Webhook {
        id: WebhookId::new(now),
        owner,
        url: "https://hooks.example".into(),
        events: EventKind::ALL.to_vec(),
        description: String::new(),
        secrets: Secrets::new("whsec_a".into()),
        created_at: now,
        disabled: None,
        delivered_at: None,
    };
    let (id, to) = (webhook.id, Receiver::Webhook(webhook.id));
    assert!(store.add_webhook(&webhook, 9).await.unwrap());
    assert_eq!(store.webhooks(owner).await.unwrap().len(), 1);
    store
        .rotate_callback_secret(owner, "whsec_b".into(), now)
        .await
        .unwrap();
    store.callback_secrets(owner).await.unwrap().unwrap();
    let schedule = Schedule {
        lease: Duration::from_secs(60),
        pauses: Vec::new(),
    };
    // Of an event and of a test, one delivered and one not.
    bench.accepted(10).await;
    store.ping(owner, id).await.unwrap().unwrap();
    store.next_delivery().await.unwrap().unwrap();
    let due = store.claim_deliveries("s", &schedule, 9, &[]).await;
    for (parcel, status) in due.unwrap().into_iter().zip([204, 500]) {
        let tried = Tried {
            at: now,
            status: Some(status),
            error: None,
            took_ms: 1,
            retry_after: None,
        };
        let settled = store.settle_delivery(parcel.attempt, tried, &schedule);
        settled.await.unwrap().unwrap();
    }
    let log = store.deliveries(owner, to, None, 9).await.unwrap().unwrap();
    store.replay(owner, to, log[0].id).await.unwrap().unwrap();
    let keeping = Keeping {
        lifetime: SignedDuration::ZERO,
        waiting_max: 0,
    };
    assert_eq!(store.sweep_deliveries(keeping).await.unwrap(), [id]);
    let callback = Receiver::Callback(JobId::new(now));
    store.deliveries(owner, callback, None, 9).await.unwrap();
    let change = Change::default();
    store.change_webhook(owner, id, change).await.unwrap();
    assert!(store.remove_webhook(owner, id).await.unwrap());
}

async fn live(bench: &Bench) {
    let (store, owner) = (&bench.store, bench.owner);
    let second = || bench.clock.advance(SignedDuration::from_secs(1));
    credentials(bench).await;
    let (recording, job) = bench.accepted(LONG).await;
    shares(bench, &job).await;
    presets(bench, owner).await;
    store.usage(owner, 0).await.unwrap();
    webhooks(bench).await;
    for job in [&job, &bench.accepted(10).await.1] {
        let Claim::Won { attempt, .. } = store.claim(job.id, "w", TERMS).await.unwrap() else {
            panic!("it waits")
        };
        let progress = Progress::default();
        store
            .extend(attempt, TERMS, &progress, true)
            .await
            .unwrap()
            .unwrap();
        let problem = Problem::new(ProblemKind::Unavailable, "a test");
        store
            .release(attempt, TERMS, Duration::ZERO, Blame::Job, problem)
            .await
            .unwrap()
            .unwrap();
    }
    let next = store.claim_next(None, "w", TERMS, 4).await.unwrap();
    let Claim::Won { attempt, .. } = next else {
        panic!("both wait")
    };
    let problem = Problem::new(ProblemKind::Unavailable, "a test");
    store
        .release(attempt, TERMS, Duration::ZERO, Blame::Worker, problem)
        .await
        .unwrap()
        .unwrap();
    let Claim::Won { attempt, .. } = store.claim(job.id, "w", TERMS).await.unwrap() else {
        panic!("it waits")
    };
    let key = BlobKey::Correction {
        job: job.id,
        attempt: attempt.attempt,
    };
    bench.blobs.put(key, body(10), u64::MAX).await.unwrap();
    let delta = BlobKey::Delta {
        job: job.id,
        attempt: attempt.attempt,
        step: 0,
    };
    bench.blobs.put(delta, body(LONG), u64::MAX).await.unwrap();
    let correction = Correction {
        attempt: attempt.attempt,
        ..correction()
    };
    let settled = store.settle(attempt, completed(correction)).await;
    settled.unwrap().unwrap();
    let again = Job {
        recording_id: recording.id,
        ..bench.made().1
    };
    let once = Once {
        key: IdempotencyKey::parse("again").unwrap(),
        fingerprint: [1; 32],
    };
    store.add_job(&again, Some(&once)).await.unwrap().unwrap();
    store
        .cancel(owner, again.id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    store.job(owner, job.id).await.unwrap().unwrap();
    store.job_now(job.id).await.unwrap().unwrap();
    store.recording(owner, recording.id).await.unwrap().unwrap();
    library(bench, recording.id).await;
    let events = store.events(owner, EventId(0), 100).await.unwrap();
    assert!(
        events
            .iter()
            .any(|event| event.kind == EventKind::Completed)
    );
    for key in [BlobKey::Recording(recording.id), key, delta] {
        bench.blobs.size(key).await.unwrap();
        bench.blobs.read(key, 0, 10).await.unwrap();
        bench.blobs.read(key, LONG as u64 - 1, 10).await.unwrap();
    }
    let rows = store.unsent(Timestamp::MAX, 100).await.unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    store.sent(&ids).await.unwrap();
    second();
    let now = bench.clock.now();
    assert!(store.sent_and_waiting(now).await.unwrap() > 0);
    store.send_again(10, now).await.unwrap();
    store.jobs_waiting().await.unwrap();
    store.space().await.unwrap();
    derive(bench, job.id).await;
    queue(bench).await;
    publish(bench).await;
    bench.clock.advance(SignedDuration::from_hours(2));
    let _draft = bench
        .blobs
        .put(
            BlobKey::Recording(RecordingId::new(Timestamp::now())),
            body(10),
            99,
        )
        .await;
    store.claim(job.id, "w", TERMS).await.unwrap();
    bench.clock.advance(SignedDuration::from_hours(2));
    store.sweep(TERMS).await.unwrap();
    let lifetime = SignedDuration::from_hours(1);
    store.forget_events(lifetime).await.unwrap();
    bench.clock.advance(SignedDuration::from_hours(2));
    assert!(store.forget_events(lifetime).await.unwrap() > 0);
    store.forgotten_up_to().await.unwrap();
    store.answered(owner, &once.key).await.unwrap().unwrap();
    assert_eq!(store.forget_answered(lifetime).await.unwrap(), 1);
    store
        .delete_recording(owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    bench.blobs.delete(key).await.unwrap();
}

async fn library(bench: &Bench, recording: RecordingId) {
    let (store, owner) = (&bench.store, bench.owner);
    for sort in [
        Sort::Newest,
        Sort::Oldest,
        Sort::Name,
        Sort::NameDown,
        Sort::Shortest,
        Sort::Longest,
    ] {
        let query = EntryQuery {
            sort,
            limit: 1,
            ..EntryQuery::default()
        };
        let page = store.recordings(owner, &query).await.unwrap();
        let after = page.next;
        assert!(after.is_some(), "{sort:?}");
        let query = EntryQuery { after, ..query };
        store.recordings(owner, &query).await.unwrap();
    }
    for recording in [None, Some(recording)] {
        for before in [None, Some(JobId::new(bench.clock.now()))] {
            let query = JobQuery {
                before,
                limit: 9,
                recording,
                ..JobQuery::default()
            };
            store.jobs(owner, &query).await.unwrap();
        }
    }
    let edit = Edit {
        notes: Some(Some("a test".to_owned())),
        ..Edit::default()
    };
    let edited = store.edit_recording(owner, recording, &edit, Some(0)).await;
    edited.unwrap().unwrap().unwrap();
    let grace = SignedDuration::from_mins(10);
    let trashed = store.trash_recording(owner, recording, grace).await;
    trashed.unwrap().unwrap();
    let restored = store.restore_recording(owner, recording).await;
    restored.unwrap().unwrap();
    let (other, _) = bench.accepted(10).await;
    let trashed = store.trash_recording(owner, other.id, SignedDuration::ZERO);
    trashed.await.unwrap().unwrap();
    assert!(!store.empty_trash().await.unwrap().is_empty());
}

async fn derive(bench: &Bench, job: JobId) {
    let (store, owner) = (&bench.store, bench.owner);
    let ask = async |kind: Kind| {
        let new = Derivative::new(owner, job, kind, bench.clock.now());
        store.derive(&new, 9).await.unwrap()
    };
    for kind in [
        Kind::Compare,
        Kind::Peaks(Side::Original, PeaksForm::Pyramid),
    ] {
        assert!(matches!(ask(kind).await, Derive::Is(_)));
    }
    let claim = async || -> (Attempt<Derivative>, Derivative) {
        store.claim_errand("w", TERMS).await.unwrap().unwrap()
    };
    let (attempt, _) = claim().await;
    store
        .extend(attempt, TERMS, &Progress::default(), false)
        .await
        .unwrap()
        .unwrap();
    store.source(job).await.unwrap().unwrap();
    let info = bench.blobs.put(attempt.key(), body(LONG), u64::MAX).await;
    let info = info.unwrap();
    let read = bench.blobs.read(attempt.key(), LONG as u64 - 1, 10).await;
    assert_eq!(read.unwrap().len(), 1);
    let file = DerivedFile {
        content_type: "video/webm".to_owned(),
        size_bytes: info.size_bytes,
        sha256: info.sha256,
        warnings: Vec::new(),
    };
    store
        .settle(attempt, Derived::from(file))
        .await
        .unwrap()
        .unwrap();
    let (attempt, _) = claim().await;
    let problem = Problem::new(ProblemKind::Unavailable, "a test");
    store
        .settle(attempt, Derived::Failed(problem))
        .await
        .unwrap()
        .unwrap();
    store.derivatives(owner, job).await.unwrap();
    bench.clock.advance(SignedDuration::from_mins(11));
    ask(Kind::Compare).await;
    ask(Kind::Peaks(Side::Original, PeaksForm::Pyramid)).await;
    assert_eq!(store.forget_derivatives(0).await.unwrap().len(), 1);
    ask(Kind::Compare).await;
}

async fn queue(bench: &Bench) {
    let queue = SqliteQueue::new(&bench.store, QueueLimits::default());
    for _ in 0..3 {
        queue.publish(Topic::Jobs, b"a").await.unwrap();
    }
    queue.waiting(Topic::Jobs).await.unwrap();
    let taken = queue.claim(Topic::Jobs).await.unwrap();
    queue.extend(&taken).await.unwrap();
    queue.retry(taken, Duration::from_secs(60)).await.unwrap();
    let taken = queue.claim(Topic::Jobs).await.unwrap();
    queue.bury(taken, "a test").await.unwrap();
    let taken = queue.claim(Topic::Jobs).await.unwrap();
    queue.ack(taken).await.unwrap();
    let nothing = tokio::time::timeout(Duration::from_millis(50), queue.claim(Topic::Jobs)).await;
    assert!(nothing.is_err());
}

async fn publish(bench: &Bench) {
    let store = &bench.store;
    let plugin = plugins::plugin("1.0.0", 1);
    bench
        .blobs
        .put(plugins::key(&plugin), body(10), 99)
        .await
        .unwrap();
    store.put_plugin(&plugin, 10).await.unwrap();
    store.plugins().await.unwrap();
    store.check_report("a.gain", "1.0.0").await.unwrap();
    let id = SubmissionId::new(Timestamp::now());
    bench
        .blobs
        .put(BlobKey::Submission(id), body(10), 99)
        .await
        .unwrap();
    let submission = Submission::new(id, plugin.digest.clone(), 10, bench.clock.now());
    assert!(store.add_submission(&submission, 5).await.unwrap());
    store.submission(id).await.unwrap().unwrap();
    let (attempt, _): (_, Submission) = store.claim_errand("w", TERMS).await.unwrap().unwrap();
    store
        .extend(attempt, TERMS, &Progress::default(), false)
        .await
        .unwrap()
        .unwrap();
    let plugin = plugins::plugin("2.0.0", 2);
    bench
        .blobs
        .put(plugins::key(&plugin), body(10), 99)
        .await
        .unwrap();
    let verdict = Verdict::Passed {
        plugin,
        check: serde_json::Value::Null,
    };
    store.settle(attempt, verdict).await.unwrap().unwrap();
    store.remove_plugin("a.gain", "2.0.0").await.unwrap();
}
