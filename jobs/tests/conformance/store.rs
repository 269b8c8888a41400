//! The claims of `Store`: all its traits.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use retake_jobs::{
    blobs::BlobKey,
    clock::{Clock, ManualClock},
    id::{EventId, JobId, OwnerId},
    job::{AlreadyEnded, Attempt, ClaimRefused, Job, LeaseLost, Outcome, Status},
    message::{CompletionMessage, JobMessage},
    problem::ProblemKind,
    queue::Topic,
    recording::Recording,
    store::{
        Claim, EventKind, Heartbeat, InstalledPlugin, MemoryStore, OutboxRow, Progress,
        SharedStore, SqliteStore,
    },
};
use retake_plugin_manifest::{ChannelUse, Manifest, Passes};

use crate::{
    claims,
    made::{self, TERMS},
};

/// `a` and `b` see the same rows as two processes would, where the backend can do that.
struct Bench {
    clock: Arc<ManualClock>,
    a: SharedStore,
    b: SharedStore,
    owner: OwnerId,
    _folder: Option<tempfile::TempDir>,
}

impl Bench {
    async fn memory() -> Self {
        let clock = clock();
        let store: SharedStore = Arc::new(MemoryStore::new(clock.clone()));
        Self {
            clock,
            a: store.clone(),
            b: store,
            owner: OwnerId::new(),
            _folder: None,
        }
    }

    async fn sqlite() -> Self {
        let clock = clock();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("retake.db");
        let a = Arc::new(SqliteStore::open(&path, clock.clone()).unwrap());
        let b = Arc::new(SqliteStore::open(&path, clock.clone()).unwrap());
        Self {
            clock,
            a,
            b,
            owner: OwnerId::new(),
            _folder: Some(folder),
        }
    }

    async fn accepted(&self) -> (Recording, Job) {
        let recording = made::recording(self.owner, self.clock.now());
        let job = made::job(&recording, self.clock.now());
        self.a.accept(&recording, &job).await.unwrap();
        (recording, job)
    }

    async fn claimed(&self) -> (Recording, Job, Attempt) {
        let (recording, job) = self.accepted().await;
        let attempt = self.win(job.id).await;
        (recording, job, attempt)
    }

    async fn win(&self, id: JobId) -> Attempt {
        match self.b.claim(id, "w1", TERMS).await.unwrap() {
            Claim::Won { attempt, .. } => attempt,
            other => panic!("the claim was not won: {other:?}"),
        }
    }

    async fn job(&self, id: JobId) -> Job {
        self.b.job(self.owner, id).await.unwrap().unwrap().job
    }

    async fn kinds(&self) -> Vec<EventKind> {
        let events = self.b.events(self.owner, EventId(0), 1_000).await.unwrap();
        assert!(events.is_sorted_by(|a, b| a.id < b.id));
        events.iter().map(|event| event.kind).collect()
    }

    async fn unsent(&self) -> Vec<OutboxRow> {
        self.b.unsent(Timestamp::MAX, 1_000).await.unwrap()
    }

    /// Empties the outbox, as the relay would.
    async fn send_all(&self) -> Vec<OutboxRow> {
        let rows = self.unsent().await;
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        self.a.sent(&ids).await.unwrap();
        rows
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    async fn sweep(&self) -> usize {
        let minute_ago = self.clock.now() - SignedDuration::from_secs(60);
        self.a.sweep(TERMS, minute_ago).await.unwrap()
    }
}

fn clock() -> Arc<ManualClock> {
    let start = Timestamp::from_nanosecond(1_800_000_000_123_456_789).unwrap();
    Arc::new(ManualClock::new(start))
}

fn topics(rows: &[OutboxRow]) -> Vec<Topic> {
    rows.iter().map(|row| row.topic).collect()
}

claims! { Bench on memory sqlite; [
    an_accepted_recording_is_there_with_its_job_its_event_and_its_message
    accepting_twice_is_refused_and_changes_nothing
    someone_elses_recording_is_not_there
    recordings_are_listed_newest_first_page_by_page
    a_recording_can_have_several_jobs
    a_leased_job_is_not_given_to_a_second_worker
    of_many_claims_at_once_one_wins
    an_expired_lease_makes_the_job_claimable_again
    a_lost_lease_changes_nothing
    a_job_that_is_gone_is_not_claimed
    a_heartbeat_renews_the_lease_and_stores_progress
    completing_publishes_correction_event_and_completion_at_once
    failing_tells_the_problem
    a_settled_job_cannot_be_settled_again
    cancelling_a_queued_job_ends_it
    cancelling_a_running_job_is_heard_at_its_next_heartbeat
    a_released_job_waits_until_it_is_due
    releasing_the_last_attempt_fails_the_job_with_the_reason
    a_claim_after_the_last_attempt_died_fails_the_job
    the_sweep_queues_what_a_dead_worker_left
    the_sweep_ends_what_has_no_attempts_left
    the_sweep_writes_lost_messages_again_and_later_each_time
    events_replay_in_order_after_an_id
    event_ids_are_never_given_twice
    a_job_is_found_by_its_id_alone_for_those_who_spread_news
    sent_messages_do_not_come_again
    deleting_ends_visibility
    deleting_takes_the_lease_from_a_running_attempt
    a_session_is_found_by_its_token_only
    the_catalogue_holds_the_newest_version_of_each_plugin
] }

async fn an_accepted_recording_is_there_with_its_job_its_event_and_its_message(bench: Bench) {
    let recording = made::recording(bench.owner, bench.clock.now());
    let job = made::job(&recording, bench.clock.now());
    let event = bench.a.accept(&recording, &job).await.unwrap();

    let found = bench
        .b
        .recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.recording, found.jobs),
        (recording.clone(), vec![job.clone()])
    );
    assert_eq!(found.peaks, None);
    let record = bench.b.job(bench.owner, job.id).await.unwrap().unwrap();
    assert_eq!((record.job, record.correction), (job.clone(), None));

    let events = bench.b.events(bench.owner, EventId(0), 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].id, events[0].kind, &events[0].job),
        (event, EventKind::Queued, &job)
    );

    let unsent = bench.unsent().await;
    assert_eq!(
        (topics(&unsent), unsent[0].owner),
        (vec![Topic::Jobs], bench.owner)
    );
    let message: JobMessage = serde_json::from_slice(&unsent[0].body).unwrap();
    assert_eq!(
        (message.id, message.job_id, message.attempt),
        (recording.id, job.id, 0)
    );
    assert_eq!(
        (message.user_email, message.timestamp),
        (recording.user_email, bench.clock.now())
    );
}

async fn accepting_twice_is_refused_and_changes_nothing(bench: Bench) {
    let (recording, job) = bench.accepted().await;
    let thief = Recording {
        owner: OwnerId::new(),
        ..recording.clone()
    };
    bench
        .b
        .accept(&thief, &made::job(&thief, bench.clock.now()))
        .await
        .unwrap_err();
    bench.b.accept(&recording, &job).await.unwrap_err();
    let found = bench
        .b
        .recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.recording, found.jobs), (recording, vec![job]));
    assert_eq!(bench.unsent().await.len(), 1);
}

async fn someone_elses_recording_is_not_there(bench: Bench) {
    let (recording, job) = bench.accepted().await;
    let other = OwnerId::new();
    assert_eq!(bench.a.recording(other, recording.id).await.unwrap(), None);
    assert_eq!(bench.a.recordings(other, None, 10).await.unwrap(), []);
    assert_eq!(bench.a.job(other, job.id).await.unwrap(), None);
    assert_eq!(bench.a.cancel(other, job.id).await.unwrap(), None);
    assert_eq!(
        bench.a.delete_recording(other, recording.id).await.unwrap(),
        None
    );
    assert_eq!(bench.a.events(other, EventId(0), 10).await.unwrap(), []);
    let foreign = Job {
        id: JobId::new(),
        owner: other,
        ..job.clone()
    };
    assert_eq!(bench.a.add_job(&foreign).await.unwrap(), None);
    assert_eq!(bench.job(job.id).await, job);
}

async fn recordings_are_listed_newest_first_page_by_page(bench: Bench) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(bench.accepted().await.0.id);
    }
    ids.sort();
    ids.reverse();
    let mut listed = Vec::new();
    let mut before = None;
    loop {
        let page = bench.b.recordings(bench.owner, before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.recording.id);
        assert!(page.len() <= 2 && page.iter().all(|found| found.jobs.len() == 1));
        listed.extend(page.into_iter().map(|found| found.recording.id));
    }
    assert_eq!(listed, ids);
}

async fn a_recording_can_have_several_jobs(bench: Bench) {
    let (recording, first) = bench.accepted().await;
    let second = made::job(&recording, bench.clock.now());
    let event = bench.b.add_job(&second).await.unwrap().unwrap();
    assert_eq!(bench.a.newest_event().await.unwrap(), event);
    let found = bench
        .a
        .recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.jobs, [second, first], "newest first");
    assert_eq!(topics(&bench.unsent().await), [Topic::Jobs, Topic::Jobs]);
}

async fn a_leased_job_is_not_given_to_a_second_worker(bench: Bench) {
    let (recording, job) = bench.accepted().await;
    let Claim::Won {
        attempt,
        job: running,
        recording: same,
    } = bench.a.claim(job.id, "w1", TERMS).await.unwrap()
    else {
        panic!("a waiting job is there for the taking")
    };
    assert_eq!(
        (attempt.job_id, attempt.attempt, same),
        (job.id, 1, recording)
    );
    assert_eq!((running.status, running.attempt), (Status::Running, 1));
    let until = bench.clock.now() + SignedDuration::from_secs(10);
    let refused = bench.b.claim(job.id, "w2", TERMS).await.unwrap();
    assert_eq!(refused, Claim::Refused(ClaimRefused::Leased { until }));
    assert_eq!(bench.kinds().await, [EventKind::Queued, EventKind::Running]);
}

async fn of_many_claims_at_once_one_wins(bench: Bench) {
    let (_, job) = bench.accepted().await;
    let claims = (0..32).map(|n| {
        let store = if n % 2 == 0 {
            bench.a.clone()
        } else {
            bench.b.clone()
        };
        tokio::spawn(async move { store.claim(job.id, &format!("w{n}"), TERMS).await.unwrap() })
    });
    let mut won = 0;
    for claim in claims.collect::<Vec<_>>() {
        won += usize::from(matches!(claim.await.unwrap(), Claim::Won { .. }));
    }
    assert_eq!((won, bench.job(job.id).await.attempt), (1, 1));
}

async fn an_expired_lease_makes_the_job_claimable_again(bench: Bench) {
    let (_, job, _) = bench.claimed().await;
    bench.pass(10);
    let second = bench.win(job.id).await;
    assert_eq!(second.attempt, 2);
    let kinds = bench.kinds().await;
    assert_eq!(
        kinds,
        [EventKind::Queued, EventKind::Running, EventKind::Running]
    );
}

async fn a_lost_lease_changes_nothing(bench: Bench) {
    let (_, job, first) = bench.claimed().await;
    bench.pass(10);
    bench.win(job.id).await;
    let (before, events) = (bench.job(job.id).await, bench.kinds().await);
    let progress = Progress {
        fraction: 0.9,
        step: None,
    };
    let lost = Err(LeaseLost);
    assert_eq!(
        bench.a.extend(first, TERMS, &progress, true).await.unwrap(),
        Err(LeaseLost)
    );
    let settled = bench
        .a
        .settle(first, made::completed(), Some(made::correction(1)))
        .await;
    assert_eq!(settled.unwrap(), lost);
    let released = bench
        .a
        .release(first, TERMS, bench.clock.now(), made::problem())
        .await;
    assert_eq!(released.unwrap(), lost);
    assert_eq!(
        (bench.job(job.id).await, bench.kinds().await),
        (before, events)
    );
    assert_eq!(topics(&bench.unsent().await), [Topic::Jobs]);
}

async fn a_job_that_is_gone_is_not_claimed(bench: Bench) {
    assert_eq!(
        bench.a.claim(JobId::new(), "w1", TERMS).await.unwrap(),
        Claim::Gone
    );
}

async fn a_heartbeat_renews_the_lease_and_stores_progress(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    bench.pass(9);
    let progress = Progress {
        fraction: 0.25,
        step: Some("denoise".to_owned()),
    };
    let heartbeat = bench
        .a
        .extend(attempt, TERMS, &progress, false)
        .await
        .unwrap();
    assert_eq!(
        heartbeat,
        Ok(Heartbeat {
            cancel_requested: false
        })
    );
    bench.pass(9);
    let refused = bench.b.claim(job.id, "w2", TERMS).await.unwrap();
    assert!(matches!(
        refused,
        Claim::Refused(ClaimRefused::Leased { .. })
    ));
    let stored = bench.job(job.id).await;
    assert_eq!(
        (stored.progress, stored.step.as_deref()),
        (0.25, Some("denoise"))
    );
    assert_eq!(bench.kinds().await.len(), 2, "no event was asked for");
    bench
        .a
        .extend(attempt, TERMS, &progress, true)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bench.kinds().await.last(), Some(&EventKind::Progress));
}

async fn completing_publishes_correction_event_and_completion_at_once(bench: Bench) {
    let (recording, job, attempt) = bench.claimed().await;
    let progress = Progress {
        fraction: 0.5,
        step: None,
    };
    bench
        .b
        .extend(attempt, TERMS, &progress, true)
        .await
        .unwrap()
        .unwrap();
    bench.send_all().await;
    let correction = made::correction(attempt.attempt);
    let settled = bench
        .b
        .settle(attempt, made::completed(), Some(correction.clone()))
        .await;
    let settled = settled.unwrap().unwrap();
    assert_eq!((settled.status, settled.progress), (Status::Completed, 1.0));
    assert_eq!(settled.warnings.len(), 1);
    let record = bench.a.job(bench.owner, job.id).await.unwrap().unwrap();
    assert_eq!(
        (record.job, record.correction),
        (settled.clone(), Some(correction.clone()))
    );
    let found = bench
        .a
        .recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.peaks, Some(correction.input_peaks));
    assert_eq!(
        bench.kinds().await,
        [EventKind::Queued, EventKind::Running, EventKind::Completed],
        "how far it was on the way is of no interest any more"
    );
    let rows = bench.unsent().await;
    assert_eq!(topics(&rows), [Topic::Completions]);
    let message: CompletionMessage = serde_json::from_slice(&rows[0].body).unwrap();
    assert_eq!(
        (message.status, message.job_id, message.error),
        (Status::Completed, job.id, None)
    );
}

async fn failing_tells_the_problem(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    bench.send_all().await;
    let outcome = Outcome::Failed {
        problem: made::problem(),
        warnings: Vec::new(),
    };
    // A correction belongs to a completed job only.
    let settled = bench
        .a
        .settle(attempt, outcome, Some(made::correction(1)))
        .await
        .unwrap();
    assert_eq!(settled.unwrap().error, Some(made::problem()));
    let record = bench.b.job(bench.owner, job.id).await.unwrap().unwrap();
    assert_eq!(
        (record.job.status, record.correction),
        (Status::Failed, None)
    );
    let rows = bench.unsent().await;
    let message: CompletionMessage = serde_json::from_slice(&rows[0].body).unwrap();
    assert_eq!(
        (message.status, message.error),
        (Status::Failed, Some(made::problem()))
    );
    assert_eq!(bench.kinds().await.last(), Some(&EventKind::Failed));
}

async fn a_settled_job_cannot_be_settled_again(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    let settle = |store: SharedStore| {
        tokio::spawn(async move {
            store
                .settle(attempt, made::completed(), Some(made::correction(1)))
                .await
                .unwrap()
        })
    };
    let both = [settle(bench.a.clone()), settle(bench.b.clone())];
    let mut took_effect = 0;
    for settled in both {
        took_effect += usize::from(settled.await.unwrap().is_ok());
    }
    assert_eq!(took_effect, 1);
    assert_eq!(
        bench
            .a
            .settle(attempt, Outcome::Cancelled, None)
            .await
            .unwrap(),
        Err(LeaseLost)
    );
    assert_eq!(bench.job(job.id).await.status, Status::Completed);
    assert_eq!(
        topics(&bench.unsent().await),
        [Topic::Jobs, Topic::Completions]
    );
    assert_eq!(
        bench
            .kinds()
            .await
            .iter()
            .filter(|k| **k == EventKind::Completed)
            .count(),
        1
    );
}

async fn cancelling_a_queued_job_ends_it(bench: Bench) {
    let (_, job) = bench.accepted().await;
    let cancelled = bench
        .b
        .cancel(bench.owner, job.id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(cancelled.status, Status::Cancelled);
    assert_eq!(
        bench.a.cancel(bench.owner, job.id).await.unwrap(),
        Some(Err(AlreadyEnded))
    );
    let refused = bench.a.claim(job.id, "w1", TERMS).await.unwrap();
    assert_eq!(refused, Claim::Refused(ClaimRefused::Ended));
    assert_eq!(
        topics(&bench.unsent().await),
        [Topic::Jobs, Topic::Completions]
    );
    assert_eq!(
        bench.kinds().await,
        [EventKind::Queued, EventKind::Cancelled]
    );
}

async fn cancelling_a_running_job_is_heard_at_its_next_heartbeat(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    let asked = bench
        .a
        .cancel(bench.owner, job.id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(
        (asked.status, asked.cancel_requested),
        (Status::Running, true)
    );
    let heartbeat = bench
        .b
        .extend(attempt, TERMS, &Progress::default(), false)
        .await
        .unwrap();
    assert_eq!(
        heartbeat,
        Ok(Heartbeat {
            cancel_requested: true
        })
    );
    bench
        .b
        .settle(attempt, Outcome::Cancelled, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bench.job(job.id).await.status, Status::Cancelled);
    assert_eq!(bench.kinds().await.last(), Some(&EventKind::Cancelled));
}

async fn a_released_job_waits_until_it_is_due(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    bench.send_all().await;
    let due = bench.clock.now() + SignedDuration::from_secs(30);
    let released = bench
        .b
        .release(attempt, TERMS, due, made::problem())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((released.status, released.attempt), (Status::Queued, 1));
    assert_eq!(bench.unsent().await, []);
    assert_eq!(bench.sweep().await, 0, "its message waits in the outbox");
    bench.pass(30);
    let rows = bench.unsent().await;
    assert_eq!(topics(&rows), [Topic::Jobs]);
    let message: JobMessage = serde_json::from_slice(&rows[0].body).unwrap();
    assert_eq!((message.job_id, message.attempt), (job.id, 1));
    assert_eq!(bench.kinds().await.last(), Some(&EventKind::Queued));
}

async fn releasing_the_last_attempt_fails_the_job_with_the_reason(bench: Bench) {
    let (_, job) = bench.accepted().await;
    for _ in 0..3 {
        let attempt = bench.win(job.id).await;
        let now = bench.clock.now();
        bench
            .a
            .release(attempt, TERMS, now, made::problem())
            .await
            .unwrap()
            .unwrap();
    }
    let failed = bench.job(job.id).await;
    assert_eq!(
        (failed.status, failed.error),
        (Status::Failed, Some(made::problem()))
    );
    assert_eq!(
        bench.unsent().await.last().unwrap().topic,
        Topic::Completions
    );
}

async fn a_claim_after_the_last_attempt_died_fails_the_job(bench: Bench) {
    let (_, job) = bench.accepted().await;
    for _ in 0..3 {
        bench.win(job.id).await;
        bench.pass(10);
    }
    let refused = bench.a.claim(job.id, "w1", TERMS).await.unwrap();
    assert_eq!(refused, Claim::Refused(ClaimRefused::Ended));
    let error = bench.job(job.id).await.error.unwrap();
    assert_eq!(error.kind(), Some(ProblemKind::TooManyAttempts));
    assert_eq!(
        bench.unsent().await.last().unwrap().topic,
        Topic::Completions
    );
}

async fn the_sweep_queues_what_a_dead_worker_left(bench: Bench) {
    let (_, job, _) = bench.claimed().await;
    bench.send_all().await;
    bench.pass(9);
    assert_eq!(bench.sweep().await, 0);
    bench.pass(1);
    assert_eq!(bench.sweep().await, 1);
    assert_eq!(bench.job(job.id).await.status, Status::Queued);
    assert_eq!(topics(&bench.unsent().await), [Topic::Jobs]);
    assert_eq!(bench.sweep().await, 0);
}

async fn the_sweep_ends_what_has_no_attempts_left(bench: Bench) {
    let (_, cancelled, _) = bench.claimed().await;
    bench
        .a
        .cancel(bench.owner, cancelled.id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let (_, failed) = bench.accepted().await;
    for _ in 0..3 {
        bench.win(failed.id).await;
        bench.pass(10);
    }
    bench.send_all().await;
    assert_eq!(bench.sweep().await, 2);
    assert_eq!(bench.job(cancelled.id).await.status, Status::Cancelled);
    assert_eq!(bench.job(failed.id).await.status, Status::Failed);
    assert_eq!(
        topics(&bench.unsent().await),
        [Topic::Completions, Topic::Completions]
    );
}

async fn the_sweep_writes_lost_messages_again_and_later_each_time(bench: Bench) {
    let (_, job) = bench.accepted().await;
    bench.pass(3_600);
    assert_eq!(bench.sweep().await, 0, "its message is still in the outbox");
    bench.send_all().await;
    assert_eq!(bench.sweep().await, 1, "it was sent, and lost");
    assert_eq!(topics(&bench.send_all().await), [Topic::Jobs]);
    for seconds in [119, 2] {
        bench.pass(seconds);
    }
    assert_eq!(bench.sweep().await, 1);
    bench.send_all().await;
    bench.pass(121);
    assert_eq!(
        bench.sweep().await,
        0,
        "twice lost may also be a long queue"
    );
    bench.win(job.id).await;
    bench.pass(9);
    assert_eq!(bench.sweep().await, 0, "a running job needs no message");
}

async fn events_replay_in_order_after_an_id(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    let mut seen = bench.a.newest_event().await.unwrap();
    for n in 1..=4_u8 {
        let progress = Progress {
            fraction: f32::from(n) / 4.0,
            step: None,
        };
        bench
            .a
            .extend(attempt, TERMS, &progress, true)
            .await
            .unwrap()
            .unwrap();
    }
    let mut fractions = Vec::new();
    loop {
        let page = bench.b.events(bench.owner, seen, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        seen = last.id;
        assert!(
            page.iter()
                .all(|event| event.job.id == job.id && event.job.owner == bench.owner)
        );
        fractions.extend(page.iter().map(|event| event.job.progress));
    }
    assert_eq!(fractions, [0.25, 0.5, 0.75, 1.0], "each as it was then");
    assert_eq!(bench.a.newest_event().await.unwrap(), seen);
}

async fn event_ids_are_never_given_twice(bench: Bench) {
    let (recording, ..) = bench.claimed().await;
    let newest = bench.a.newest_event().await.unwrap();
    bench
        .a
        .delete_recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bench.b.newest_event().await.unwrap(), newest);
    bench.accepted().await;
    assert!(bench.b.newest_event().await.unwrap() > newest);
}

async fn a_job_is_found_by_its_id_alone_for_those_who_spread_news(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    let found = bench.b.job_now(job.id).await.unwrap().unwrap();
    assert_eq!((found.owner, found.attempt), (bench.owner, attempt.attempt));
    assert_eq!(bench.b.job_now(JobId::new()).await.unwrap(), None);
}

async fn sent_messages_do_not_come_again(bench: Bench) {
    let before = bench.clock.now();
    bench.accepted().await;
    bench.pass(1);
    bench.accepted().await;
    assert_eq!(
        bench.a.unsent(before, 10).await.unwrap(),
        [],
        "written before, not at"
    );
    let old = bench.a.unsent(bench.clock.now(), 10).await.unwrap();
    let all = bench.unsent().await;
    assert_eq!((old.len(), all.len()), (1, 2));
    assert!(all[0].id < all[1].id && all[0] == old[0], "oldest first");
    assert_eq!(bench.a.unsent(Timestamp::MAX, 1).await.unwrap(), old);
    bench.b.sent(&[old[0].id]).await.unwrap();
    bench.b.sent(&[old[0].id]).await.unwrap();
    assert_eq!(bench.unsent().await, all[1..]);
}

async fn deleting_ends_visibility(bench: Bench) {
    let (recording, job, attempt) = bench.claimed().await;
    let kept = bench.accepted().await;
    bench
        .a
        .settle(attempt, made::completed(), Some(made::correction(1)))
        .await
        .unwrap()
        .unwrap();
    let blobs = bench
        .b
        .delete_recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        blobs,
        [
            BlobKey::Recording(recording.id),
            BlobKey::Correction {
                job: job.id,
                attempt: 1
            }
        ]
    );
    assert_eq!(
        bench.a.recording(bench.owner, recording.id).await.unwrap(),
        None
    );
    assert_eq!(bench.a.job(bench.owner, job.id).await.unwrap(), None);
    assert_eq!(
        bench
            .a
            .delete_recording(bench.owner, recording.id)
            .await
            .unwrap(),
        None
    );
    let left = bench.a.recordings(bench.owner, None, 10).await.unwrap();
    assert_eq!(
        left.into_iter()
            .map(|found| found.recording)
            .collect::<Vec<_>>(),
        [kept.0]
    );
    let events = bench.a.events(bench.owner, EventId(0), 10).await.unwrap();
    assert!(events.iter().all(|event| event.job.id == kept.1.id) && events.len() == 1);
    assert_eq!(
        bench.unsent().await.len(),
        1,
        "its messages are not sent any more"
    );
}

async fn deleting_takes_the_lease_from_a_running_attempt(bench: Bench) {
    let (recording, job, attempt) = bench.claimed().await;
    bench
        .a
        .delete_recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    let progress = Progress::default();
    assert_eq!(
        bench
            .b
            .extend(attempt, TERMS, &progress, true)
            .await
            .unwrap(),
        Err(LeaseLost)
    );
    let settled = bench
        .b
        .settle(attempt, made::completed(), Some(made::correction(1)))
        .await;
    assert_eq!(settled.unwrap(), Err(LeaseLost));
    assert_eq!(
        bench.b.claim(job.id, "w2", TERMS).await.unwrap(),
        Claim::Gone
    );
}

async fn a_session_is_found_by_its_token_only(bench: Bench) {
    let owner = bench.a.add_session([7; 32]).await.unwrap();
    let other = bench.a.add_session([8; 32]).await.unwrap();
    assert_ne!(owner, other);
    assert_eq!(bench.b.owner_of([7; 32]).await.unwrap(), Some(owner));
    assert_eq!(bench.b.owner_of([9; 32]).await.unwrap(), None);
}

async fn the_catalogue_holds_the_newest_version_of_each_plugin(bench: Bench) {
    let plugin = |id: &str, version: &str, digest: &str| InstalledPlugin {
        digest: digest.to_owned(),
        manifest: Manifest {
            id: id.to_owned(),
            name: "Gain".to_owned(),
            version: version.to_owned(),
            vendor: String::new(),
            summary: String::new(),
            license: String::new(),
            params: Vec::new(),
            passes: Passes {
                analyze: false,
                process: true,
            },
            channels: ChannelUse::Linked,
            max_channels: 0,
            sample_rates: Vec::new(),
            block_quantum: 1,
            extras: Vec::new(),
        },
    };
    assert_eq!(bench.a.plugins().await.unwrap(), []);
    for (id, version, digest) in [
        ("b.gain", "1.10.0", "1"),
        ("b.gain", "1.9.0", "2"),
        ("b.gain", "1.10.0-rc.1", "3"),
        ("a.gain", "0.1.0", "4"),
        ("a.gain", "0.1.0", "5"),
    ] {
        bench
            .a
            .put_plugin(&plugin(id, version, digest))
            .await
            .unwrap();
    }
    let newest = [
        plugin("a.gain", "0.1.0", "5"),
        plugin("b.gain", "1.10.0", "1"),
    ];
    assert_eq!(bench.b.plugins().await.unwrap(), newest);
}
