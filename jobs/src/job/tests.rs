//! The claims the state machine makes, one by one and then over random histories.

#![allow(clippy::unwrap_used)]

use rand::{Rng, SeedableRng, rngs::StdRng};

use retake_findings::{Code, Finding};

use serde_json::json;

use super::*;
use crate::lease::{Attempt, Blame, LeaseLost, LeaseTerms};
use retake_chain::problem::ProblemKind;

const TERMS: LeaseTerms = LeaseTerms {
    lease_ms: 10_000,
    attempts_max: 3,
    give_up_ms: 60_000,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn waiting() -> Job {
    let chain = Chain { steps: Vec::new() };
    Job::queued(
        RecordingId::new(at(0)),
        OwnerId::new(),
        chain,
        Format::Flac,
        at(0),
    )
}

fn claimed() -> (Job, Attempt<Job>) {
    let mut job = waiting();
    let attempt = job.claim("w1", at(0), TERMS).unwrap();
    (job, attempt)
}

fn problem() -> Problem {
    Problem::new(ProblemKind::StepFailed, "denoise failed")
}

fn completed() -> Outcome {
    let measured = json!({"sample_rate": 1, "channels": 1, "frames": 1, "duration_ms": 1});
    let correction = json!({
        "attempt": 1, "content_type": "audio/flac", "size_bytes": 5, "sha256": "",
        "report": {
            "source": "", "input": measured, "output": measured, "steps": [], "elapsed_ms": 1,
        },
    });
    Outcome::Completed {
        correction: serde_json::from_value(correction).unwrap(),
        byproducts: Vec::new(),
        warnings: Vec::new(),
    }
}

#[test]
fn a_claim_starts_an_attempt_with_a_lease() {
    let (job, attempt) = claimed();
    assert_eq!(
        (job.status, job.attempt, attempt.attempt),
        (Status::Running, 1, 1)
    );
    assert_eq!(
        job.lease,
        Some(Lease {
            worker: "w1".to_owned(),
            until: at(10)
        })
    );
    assert_eq!(job.started_at, Some(at(0)));
}

#[test]
fn a_leased_job_is_not_given_to_a_second_worker() {
    let (mut job, _) = claimed();
    let before = job.clone();
    assert_eq!(
        job.claim("w2", at(9), TERMS),
        Err(ClaimRefused::Leased { until: at(10) })
    );
    assert_eq!(job, before);
}

#[test]
fn an_expired_lease_makes_the_job_claimable_again() {
    let (mut job, first) = claimed();
    let second = job.claim("w2", at(10), TERMS).unwrap();
    assert_eq!(second.attempt, 2);
    assert_eq!(job.settle(first, completed(), at(11)), Err(LeaseLost));
    assert_eq!(job.settle(second, completed(), at(12)), Ok(()));
    assert_eq!(job.started_at, Some(at(0)));
}

#[test]
fn an_expired_lease_nobody_took_over_can_still_be_renewed_and_settled() {
    let (mut job, attempt) = claimed();
    job.extend(attempt, at(30), TERMS, 0.5, None).unwrap();
    assert_eq!(job.lease.as_ref().unwrap().until, at(40));
    assert_eq!(job.settle(attempt, completed(), at(99)), Ok(()));
}

#[test]
fn a_job_outlives_many_workers_that_die_with_it_and_not_all() {
    let (mut job, _) = claimed();
    let mut rests = Vec::new();
    let mut now = 0;
    for lost in 1..30 {
        now += 20;
        rests.push(job.rest_after_loss().as_secs());
        assert_eq!(job.expire(at(now), TERMS), Some(Expired::Queued), "{lost}");
        assert_eq!(job.tried(), lost / 10);
        job.claim("w", at(now), TERMS).unwrap();
    }
    assert_eq!(rests[..9], [0, 0, 1, 2, 4, 8, 16, 32, 60]);
    assert_eq!(
        job.claim("w", at(now + 20), TERMS),
        Err(ClaimRefused::Ended)
    );
    assert_eq!(job.status, Status::Failed);
    let error = job.error.unwrap();
    assert_eq!(error.kind(), Some(ProblemKind::TooManyAttempts));
    assert!(
        error.detail.contains("30 attempts ended without a word"),
        "{}",
        error.detail
    );
}

#[test]
fn dead_workers_take_next_to_nothing_of_what_faults_of_its_own_are_allowed() {
    let mut job = waiting();
    let mut end = |second, blame| {
        let attempt = job.claim("w", at(second), TERMS).unwrap();
        job.release(attempt, at(second), TERMS, blame, problem())
            .unwrap();
        job.status
    };
    for second in 1..=9 {
        assert_eq!(end(second, Blame::Nobody), Status::Queued);
    }
    assert_eq!(end(10, Blame::Job), Status::Queued);
    assert_eq!(end(11, Blame::Job), Status::Queued);
    // The tenth of them is as much as the third of those.
    assert_eq!(end(12, Blame::Nobody), Status::Failed);
}

#[test]
fn expiring_does_nothing_before_the_lease_runs_out() {
    let (mut job, _) = claimed();
    let before = job.clone();
    assert_eq!(job.expire(at(9), TERMS), None);
    assert_eq!(job, before);
    assert_eq!(job.expire(at(10), TERMS), Some(Expired::Queued));
    assert_eq!(
        (job.status, job.progress, job.lease),
        (Status::Queued, 0.0, None)
    );
}

#[test]
fn progress_never_falls_and_nonsense_is_ignored() {
    let (mut job, attempt) = claimed();
    for (given, kept) in [
        (0.5, 0.5),
        (0.2, 0.5),
        (f32::NAN, 0.5),
        (-1.0, 0.5),
        (7.0, 1.0),
    ] {
        job.extend(attempt, at(1), TERMS, given, Some("denoise"))
            .unwrap();
        assert_eq!(job.progress, kept, "{given}");
    }
    assert_eq!(job.step.as_deref(), Some("denoise"));
}

#[test]
fn a_new_attempt_begins_without_progress() {
    let (mut job, attempt) = claimed();
    job.extend(attempt, at(1), TERMS, 0.9, Some("denoise"))
        .unwrap();
    job.claim("w2", at(60), TERMS).unwrap();
    assert_eq!((job.progress, job.step), (0.0, None));
}

#[test]
fn a_settled_job_cannot_be_settled_again() {
    let (mut job, attempt) = claimed();
    job.settle(attempt, completed(), at(1)).unwrap();
    let before = job.clone();
    let again = Outcome::Failed {
        problem: problem(),
        warnings: Vec::new(),
    };
    assert_eq!(job.settle(attempt, again, at(2)), Err(LeaseLost));
    assert_eq!(job, before);
    assert_eq!(
        (job.status, job.progress, job.ended_at),
        (Status::Completed, 1.0, Some(at(1)))
    );
}

#[test]
fn a_failed_outcome_leaves_its_problem_and_warnings() {
    let (mut job, attempt) = claimed();
    let outcome = Outcome::Failed {
        problem: problem(),
        warnings: vec![Finding::new(Code::Silent, [])],
    };
    job.settle(attempt, outcome, at(1)).unwrap();
    assert_eq!(
        (job.status, job.error, job.warnings.len()),
        (Status::Failed, Some(problem()), 1)
    );
}

#[test]
fn cancelling_ends_a_queued_job_at_once() {
    let mut job = waiting();
    job.cancel(at(1)).unwrap();
    assert_eq!((job.status, job.ended_at), (Status::Cancelled, Some(at(1))));
    assert_eq!(job.cancel(at(2)), Err(AlreadyEnded));
    assert_eq!(job.claim("w", at(3), TERMS), Err(ClaimRefused::Ended));
}

#[test]
fn cancelling_asks_a_running_job() {
    let (mut job, attempt) = claimed();
    job.cancel(at(1)).unwrap();
    job.cancel(at(1)).unwrap();
    assert_eq!((job.status, job.cancel_requested), (Status::Running, true));
    job.settle(attempt, Outcome::Cancelled, at(2)).unwrap();
    assert_eq!(job.status, Status::Cancelled);
}

#[test]
fn a_cancel_that_the_dead_worker_never_heard_ends_the_job_when_its_lease_runs_out() {
    let (mut job, _) = claimed();
    job.cancel(at(1)).unwrap();
    assert_eq!(job.expire(at(10), TERMS), Some(Expired::Ended));
    assert_eq!((job.status, job.error), (Status::Cancelled, None));
}

#[test]
fn a_released_job_is_queued_again_until_its_attempts_are_used_up() {
    let mut job = waiting();
    for n in 1..=3 {
        let attempt = job.claim("w", at(n), TERMS).unwrap();
        job.release(attempt, at(n), TERMS, Blame::Job, problem())
            .unwrap();
        assert_eq!(
            job.release(attempt, at(n), TERMS, Blame::Job, problem()),
            Err(LeaseLost)
        );
        let expected = if n < 3 {
            Status::Queued
        } else {
            Status::Failed
        };
        assert_eq!(job.status, expected, "after release {n}");
    }
    assert_eq!(job.error, Some(problem()));
}

#[test]
fn a_workers_own_trouble_costs_no_attempt_until_it_has_lasted_too_long() {
    let mut job = waiting();
    let release = |job: &mut Job, second, blame| {
        let attempt = job.claim("w", at(second), TERMS).unwrap();
        job.release(attempt, at(second), TERMS, blame, problem())
            .unwrap();
        job.status
    };
    for second in 1..=20 {
        assert_eq!(release(&mut job, second, Blame::Worker), Status::Queued);
    }
    assert_eq!((job.attempt, job.tried()), (20, 0));
    for second in 21..=22 {
        assert_eq!(release(&mut job, second, Blame::Job), Status::Queued);
    }
    assert_eq!(release(&mut job.clone(), 23, Blame::Job), Status::Failed);
    assert_eq!(release(&mut job, 60, Blame::Worker), Status::Failed);
}

#[test]
fn an_attempt_of_another_job_changes_nothing() {
    let (mut job, _) = claimed();
    let (_, foreign) = claimed();
    let before = job.clone();
    assert_eq!(job.extend(foreign, at(1), TERMS, 1.0, None), Err(LeaseLost));
    assert_eq!(job.settle(foreign, completed(), at(1)), Err(LeaseLost));
    assert_eq!(
        job.release(foreign, at(1), TERMS, Blame::Job, problem()),
        Err(LeaseLost)
    );
    assert_eq!(job, before);
}

/// Every attempt ever handed out goes on asking for things, in any order, at any time.
#[test]
fn over_random_histories_an_ended_job_never_changes_and_one_settle_takes_effect() {
    for seed in 0..2_000 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut job = waiting();
        let mut attempts: Vec<Attempt<Job>> = Vec::new();
        let mut now = 0;
        let mut settles = 0;
        for _ in 0..60 {
            now += random.random_range(0..8);
            let before = job.clone();
            let some = match attempts.len() {
                0 => None,
                n => Some(attempts[random.random_range(0..n)]),
            };
            let refused = match (random.random_range(0..7), some) {
                (0 | 1, _) => match job.claim("w", at(now), TERMS) {
                    Ok(attempt) => {
                        assert_eq!(attempt.attempt as usize, attempts.len() + 1, "seed {seed}");
                        attempts.push(attempt);
                        false
                    }
                    // A refused claim may have ended a job whose lease ran out.
                    Err(_) => before
                        .lease
                        .as_ref()
                        .is_none_or(|lease| lease.until > at(now)),
                },
                (2 | 3, Some(a)) => job
                    .extend(a, at(now), TERMS, random.random_range(-0.5..1.5), None)
                    .is_err(),
                (4, Some(a)) if random.random_bool(0.2) => {
                    let settled = job.settle(a, completed(), at(now)).is_ok();
                    settles += usize::from(settled);
                    !settled
                }
                (5, Some(a)) => job
                    .release(a, at(now), TERMS, Blame::Job, problem())
                    .is_err(),
                (6, _) if random.random_bool(0.1) => job.cancel(at(now)).is_err(),
                _ => job.expire(at(now), TERMS).is_none(),
            };
            if refused {
                assert_eq!(job, before, "seed {seed}: what is refused changes nothing");
            }
            if before.status.is_ended() {
                assert_eq!(job, before, "seed {seed}: an ended job never changes");
            }
            if job.attempt == before.attempt && job.status == before.status {
                assert!(
                    job.progress >= before.progress,
                    "seed {seed}: progress fell"
                );
            }
            assert!(
                job.attempt >= before.attempt,
                "seed {seed}: the fencing token fell"
            );
            assert_eq!(
                job.lease.is_some(),
                job.status == Status::Running,
                "seed {seed}"
            );
            assert_eq!(job.ended_at.is_some(), job.status.is_ended(), "seed {seed}");
            assert!(job.tried() <= TERMS.attempts_max, "seed {seed}");
        }
        assert!(settles <= 1, "seed {seed}");
    }
}
