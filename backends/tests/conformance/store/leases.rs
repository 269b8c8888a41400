//! The claims of `Leases`: what a worker may do to a job, and what the sweeper mends.

use std::time::Duration;

use jiff::SignedDuration;
use retake_chain::{format::Format, problem::ProblemKind};
use retake_jobs::{
    clock::Clock,
    event::EventKind,
    id::JobId,
    job::{ClaimRefused, Job, Outcome, Status},
    lease::{Blame, LeaseLost},
    message::{CompletionMessage, JobMessage},
    seams::{Claim, Heartbeat, Progress, SharedStore, Topic},
};

use super::{Bench, topics};
use crate::{
    claims,
    made::{self, TERMS},
};

claims! { Bench on memory sqlite; [
    a_leased_job_is_not_given_to_a_second_worker
    of_many_claims_at_once_one_wins
    an_expired_lease_makes_the_job_claimable_again
    a_lost_lease_changes_nothing
    a_job_that_is_gone_is_not_claimed
    a_heartbeat_renews_the_lease_and_stores_progress
    completing_publishes_correction_event_and_completion_at_once
    what_was_left_open_is_what_was_written_once_it_is_known
    failing_tells_the_problem
    a_settled_job_cannot_be_settled_again
    a_workers_own_trouble_costs_no_attempt
    a_released_job_waits_until_it_is_due
    releasing_the_last_attempt_fails_the_job_with_the_reason
    a_claim_after_the_last_attempt_died_fails_the_job
    the_sweep_queues_what_a_dead_worker_left
    the_sweep_ends_what_has_no_attempts_left
    a_job_waits_once_however_many_messages_it_has
    lost_messages_are_written_again_the_oldest_first
] }

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
    assert_eq!((attempt.id, attempt.attempt, same), (job.id, 1, recording));
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
    let settled = bench.a.settle(first, made::completed(1)).await;
    assert_eq!(settled.unwrap(), lost);
    let released = bench
        .a
        .release(first, TERMS, Duration::ZERO, Blame::Job, made::problem())
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
        bench
            .a
            .claim(JobId::new(bench.clock.now()), "w1", TERMS)
            .await
            .unwrap(),
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
    assert_eq!(heartbeat, Ok(Heartbeat::default()));
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
    let heartbeat = bench.a.extend(attempt, TERMS, &progress, true).await;
    let news_of = Some(bench.owner);
    assert_eq!(heartbeat.unwrap().unwrap().news_of, news_of);
    assert_eq!(bench.kinds().await.last(), Some(&EventKind::Progress));
}

async fn completing_publishes_correction_event_and_completion_at_once(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
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
        .settle(attempt, made::completed(attempt.attempt))
        .await;
    let settled = settled.unwrap().unwrap();
    assert_eq!((settled.status, settled.progress), (Status::Completed, 1.0));
    assert_eq!(settled.warnings.len(), 1);
    let record = bench.a.job(bench.owner, job.id).await.unwrap().unwrap();
    assert_eq!(
        (record.job, record.correction),
        (settled.clone(), Some(correction))
    );
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

async fn what_was_left_open_is_what_was_written_once_it_is_known(bench: Bench) {
    for (asked, becomes) in [(None, Format::Flac), (Some(Format::Wav), Format::Wav)] {
        let recording = made::recording(bench.owner, bench.clock.now());
        let job = Job {
            format: asked,
            ..made::job(&recording, bench.clock.now())
        };
        bench.a.accept(&recording, &job, None).await.unwrap();
        let Claim::Won { attempt, job, .. } = bench.a.claim(job.id, "w1", TERMS).await.unwrap()
        else {
            panic!("it waits")
        };
        assert_eq!(job.format, asked);
        let outcome = made::completed(attempt.attempt);
        bench.a.settle(attempt, outcome).await.unwrap().unwrap();
        let record = bench.b.job(bench.owner, job.id).await.unwrap().unwrap();
        assert_eq!(record.job.format, Some(becomes));
    }
}

async fn failing_tells_the_problem(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    bench.send_all().await;
    let outcome = Outcome::Failed {
        problem: made::problem(),
        warnings: Vec::new(),
    };
    let settled = bench.a.settle(attempt, outcome).await.unwrap();
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
        tokio::spawn(async move { store.settle(attempt, made::completed(1)).await.unwrap() })
    };
    let both = [settle(bench.a.clone()), settle(bench.b.clone())];
    let mut took_effect = 0;
    for settled in both {
        took_effect += usize::from(settled.await.unwrap().is_ok());
    }
    assert_eq!(took_effect, 1);
    assert_eq!(
        bench.a.settle(attempt, Outcome::Cancelled).await.unwrap(),
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

async fn a_workers_own_trouble_costs_no_attempt(bench: Bench) {
    let (_, job) = bench.accepted().await;
    let release = async |blame| {
        let attempt = bench.win(job.id).await;
        let released = bench
            .a
            .release(attempt, TERMS, Duration::ZERO, blame, made::problem());
        released.await.unwrap().unwrap()
    };
    for n in 1..=5 {
        let released = release(Blame::Worker).await;
        assert_eq!((released.status, released.attempt), (Status::Queued, n));
        assert_eq!(released.tried(), 0);
    }
    for tried in 1..=2 {
        assert_eq!(release(Blame::Job).await.tried(), tried);
    }
    // Somebody has to be told in the end.
    bench.pass(TERMS.give_up_ms as i64 / 1000);
    let given_up = release(Blame::Worker).await;
    assert_eq!(
        (given_up.status, given_up.error),
        (Status::Failed, Some(made::problem()))
    );
}

async fn a_released_job_waits_until_it_is_due(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    bench.send_all().await;
    let pause = Duration::from_secs(30);
    let released = bench
        .b
        .release(attempt, TERMS, pause, Blame::Job, made::problem())
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
        bench
            .a
            .release(attempt, TERMS, Duration::ZERO, Blame::Job, made::problem())
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
    for _ in 0..30 {
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
    for _ in 0..30 {
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

async fn a_job_waits_once_however_many_messages_it_has(bench: Bench) {
    let (_, first) = bench.accepted().await;
    bench.accepted().await;
    bench.claimed().await;
    for _ in 0..3 {
        bench.send_all().await;
        bench.pass(3);
        let now = bench.clock.now();
        assert_eq!(bench.b.jobs_waiting().await.unwrap(), 2);
        assert_eq!(bench.b.send_again(10, now).await.unwrap(), 2);
    }
    bench
        .a
        .cancel(bench.owner, first.id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(bench.b.jobs_waiting().await.unwrap(), 1);
}

async fn lost_messages_are_written_again_the_oldest_first(bench: Bench) {
    let (_, first) = bench.accepted().await;
    bench.pass(1);
    let (_, second) = bench.accepted().await;
    bench.pass(1);
    let now = bench.clock.now();
    assert_eq!(
        bench.b.sent_and_waiting(now).await.unwrap(),
        0,
        "their messages are still in the outbox"
    );
    assert_eq!(bench.b.send_again(10, now).await.unwrap(), 0);
    bench.send_all().await;
    let between = now - SignedDuration::from_secs(1);
    assert_eq!(bench.b.sent_and_waiting(between).await.unwrap(), 1);
    assert_eq!(bench.b.sent_and_waiting(now).await.unwrap(), 2);

    assert_eq!(bench.b.send_again(1, now).await.unwrap(), 1);
    let rows = bench.send_all().await;
    assert_eq!(topics(&rows), [Topic::Jobs]);
    let message: JobMessage = serde_json::from_slice(&rows[0].body).unwrap();
    assert_eq!(message.job_id, first.id);
    assert_eq!(
        bench.b.send_again(10, now).await.unwrap(),
        1,
        "the first one's was sent just now"
    );
    bench.send_all().await;
    bench.pass(10);
    let now = bench.clock.now();
    bench.win(second.id).await;
    assert_eq!(
        bench.b.sent_and_waiting(now).await.unwrap(),
        1,
        "a running job needs no message"
    );
    assert_eq!(bench.b.send_again(10, now).await.unwrap(), 1);
}
