//! The claims of `Records` and `Catalogue`: what an owner sees and may do.

use retake_jobs::{
    clock::Clock,
    event::{EventKind, RecordingNews, Subject},
    id::{EventId, JobId, OwnerId},
    idempotency::Added,
    job::{AlreadyEnded, ClaimRefused, Job, Outcome, Status},
    lease::LeaseLost,
    message::JobMessage,
    recording::Recording,
    seams::{BlobKey, Claim, Heartbeat, Progress, Topic},
};

use super::{Bench, topics};
use crate::{
    claims,
    made::{self, TERMS},
};

claims! { Bench on memory sqlite; [
    an_accepted_recording_is_there_with_its_job_its_event_and_its_message
    accepting_twice_is_refused_and_changes_nothing
    someone_elses_recording_is_not_there
    a_recording_can_have_several_jobs
    cancelling_a_queued_job_ends_it
    cancelling_a_running_job_is_heard_at_its_next_heartbeat
    deleting_ends_visibility
    deleting_takes_the_lease_from_a_running_attempt
] }

async fn an_accepted_recording_is_there_with_its_job_its_event_and_its_message(bench: Bench) {
    let recording = made::recording(bench.owner, bench.clock.now());
    let job = made::job(&recording, bench.clock.now());
    let added = bench.a.accept(&recording, &job, None).await.unwrap();
    let Added::Now(event) = added else {
        panic!("{added:?}");
    };

    let found = bench
        .b
        .recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.recording, found.newest_job, found.jobs.queued),
        (recording.clone(), Some(job.clone()), 1)
    );
    assert_eq!(bench.jobs(recording.id).await, std::slice::from_ref(&job));
    let record = bench.b.job(bench.owner, job.id).await.unwrap().unwrap();
    assert_eq!((record.job, record.correction), (job.clone(), None));

    let events = bench.b.events(bench.owner, EventId(0), 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].id, events[0].kind, events[0].job()),
        (event, EventKind::Queued, Some(&job))
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
    let trace = job.traceparent.map(|trace| trace.to_string());
    assert!(trace.is_some() && message.traceparent == trace);
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
        .accept(&thief, &made::job(&thief, bench.clock.now()), None)
        .await
        .unwrap_err();
    bench.b.accept(&recording, &job, None).await.unwrap_err();
    let found = bench
        .b
        .recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    let jobs = bench.jobs(recording.id).await;
    assert_eq!(
        (found.recording, found.jobs.total(), jobs),
        (recording, 1, vec![job])
    );
    assert_eq!(bench.unsent().await.len(), 1);
}

async fn someone_elses_recording_is_not_there(bench: Bench) {
    let (recording, job) = bench.accepted().await;
    let other = OwnerId::new();
    assert_eq!(bench.a.recording(other, recording.id).await.unwrap(), None);
    assert_eq!(bench.a.job(other, job.id).await.unwrap(), None);
    assert_eq!(bench.a.cancel(other, job.id).await.unwrap(), None);
    assert_eq!(
        bench.a.delete_recording(other, recording.id).await.unwrap(),
        None
    );
    assert_eq!(bench.a.events(other, EventId(0), 10).await.unwrap(), []);
    let foreign = Job {
        id: JobId::new(bench.clock.now()),
        owner: other,
        ..job.clone()
    };
    assert_eq!(bench.a.add_job(&foreign, None).await.unwrap(), None);
    assert_eq!(bench.job(job.id).await, job);
}

async fn a_recording_can_have_several_jobs(bench: Bench) {
    let (recording, first) = bench.accepted().await;
    bench.pass(1);
    let second = made::job(&recording, bench.clock.now());
    let added = bench.b.add_job(&second, None).await.unwrap();
    let newest = bench.a.newest_event().await.unwrap();
    assert_eq!(added, Some(Added::Now(newest)));
    let found = bench
        .a
        .recording(bench.owner, recording.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.newest_job.as_ref(), found.jobs.total()),
        (Some(&second), 2)
    );
    let jobs = bench.jobs(recording.id).await;
    assert_eq!(jobs, [second, first], "newest first");
    assert_eq!(topics(&bench.unsent().await), [Topic::Jobs, Topic::Jobs]);
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
            cancel_requested: true,
            news_of: None,
        })
    );
    bench
        .b
        .settle(attempt, Outcome::Cancelled)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bench.job(job.id).await.status, Status::Cancelled);
    assert_eq!(bench.kinds().await.last(), Some(&EventKind::Cancelled));
}

async fn deleting_ends_visibility(bench: Bench) {
    let (recording, job, attempt) = bench.claimed().await;
    let kept = bench.accepted().await;
    bench
        .a
        .settle(attempt, made::completed(1))
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
    assert_eq!(bench.listed().await, [kept.0]);
    let events = bench.a.events(bench.owner, EventId(0), 10).await.unwrap();
    let [queued, deleted] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(queued.is_of(kept.1.id));
    let news = RecordingNews {
        id: recording.id,
        restorable_until: None,
    };
    assert_eq!(
        (deleted.kind, &deleted.subject),
        (EventKind::RecordingDeleted, &Subject::Recording(news))
    );
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
    let settled = bench.b.settle(attempt, made::completed(1)).await;
    assert_eq!(settled.unwrap(), Err(LeaseLost));
    assert_eq!(
        bench.b.claim(job.id, "w2", TERMS).await.unwrap(),
        Claim::Gone
    );
}
