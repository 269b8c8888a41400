//! What a job's change entails: which event is logged, which message goes to the outbox. Pure, and
//! the same for every backend, which writes it all in the change's own transaction.

use jiff::{SignedDuration, Timestamp};

use crate::event::EventKind;
use crate::{
    email::Email,
    job::{Job, Status},
    message::{CompletionMessage, JobMessage},
    seams::Topic,
};

/// An abandoned upload is told from a slow one by nothing having been written for this long.
pub const DRAFT_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// What to write besides the job's row.
#[derive(Debug, Default, PartialEq)]
pub struct Entailed {
    pub event: Option<EventKind>,
    pub message: Option<(Topic, Vec<u8>)>,
    /// The job has ended: where it got to on the way is of no interest any more.
    pub forget_progress: bool,
}

/// `before` is `None` for a job that is new.
pub fn entailed(before: Option<&Job>, after: &Job, email: &Email, now: Timestamp) -> Entailed {
    let was = before.map(|job| job.status);
    match after.status {
        Status::Queued if was != Some(Status::Queued) => Entailed {
            event: Some(EventKind::Queued),
            message: Some((Topic::Jobs, job_message(after, email, now))),
            forget_progress: false,
        },
        Status::Running if before.map(|job| job.attempt) != Some(after.attempt) => Entailed {
            event: Some(EventKind::Running),
            ..Entailed::default()
        },
        // Whoever watches sees that the cancel was heard.
        Status::Running
            if before.is_some_and(|job| !job.cancel_requested) && after.cancel_requested =>
        {
            Entailed {
                event: Some(EventKind::Progress),
                ..Entailed::default()
            }
        }
        ended if ended.is_ended() && !was.is_some_and(Status::is_ended) => Entailed {
            event: Some(ending(ended)),
            message: Some((Topic::Completions, completion_message(after, email, now))),
            forget_progress: true,
        },
        _ => Entailed::default(),
    }
}

/// The job as an event shows it: a lease is nobody's business.
pub fn snapshot(job: &Job) -> Job {
    Job {
        lease: None,
        ..job.clone()
    }
}

pub fn job_message(job: &Job, email: &Email, now: Timestamp) -> Vec<u8> {
    let message = JobMessage {
        id: job.recording_id,
        user_email: email.clone(),
        timestamp: now,
        job_id: job.id,
        attempt: job.attempt,
        traceparent: job.traceparent.map(|trace| trace.to_string()),
    };
    serde_json::to_vec(&message).expect("plain data")
}

fn completion_message(job: &Job, email: &Email, now: Timestamp) -> Vec<u8> {
    let message = CompletionMessage {
        id: job.recording_id,
        user_email: email.clone(),
        status: job.status,
        timestamp: now,
        job_id: job.id,
        error: job.error.clone(),
        traceparent: job.traceparent.map(|trace| trace.to_string()),
    };
    serde_json::to_vec(&message).expect("plain data")
}

fn ending(status: Status) -> EventKind {
    match status {
        Status::Completed => EventKind::Completed,
        Status::Cancelled => EventKind::Cancelled,
        Status::Failed | Status::Queued | Status::Running => EventKind::Failed,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use retake_chain::{
        Chain,
        format::Format,
        problem::{Problem, ProblemKind},
    };
    use serde_json::Value;

    use super::*;
    use crate::{
        id::{OwnerId, RecordingId},
        job::Outcome,
        lease::LeaseTerms,
    };

    const TERMS: LeaseTerms = LeaseTerms {
        lease_ms: 1_000,
        attempts_max: 3,
        give_up_ms: 60_000,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn job() -> Job {
        let chain = Chain { steps: Vec::new() };
        Job::queued(
            RecordingId::new(at(0)),
            OwnerId::new(),
            chain,
            Format::Flac,
            at(0),
        )
    }

    fn email() -> Email {
        "ann@example.org".parse().unwrap()
    }

    #[test]
    fn messages_carry_exactly_the_documented_fields() {
        let mut job = job();
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        job.traceparent = Some(trace.parse().unwrap());
        let queued = entailed(None, &job, &email(), at(5)).message.unwrap();
        assert_eq!(queued.0, Topic::Jobs);
        assert_eq!(
            serde_json::from_slice::<Value>(&queued.1).unwrap(),
            serde_json::json!({
                "id": job.recording_id, "user_email": "ann@example.org", "attempt": 0,
                "timestamp": "1970-01-01T00:00:05Z", "job_id": job.id, "traceparent": trace,
            })
        );
        let attempt = job.claim("w", at(6), TERMS).unwrap();
        let before = job.clone();
        let problem = Problem::new(ProblemKind::StepFailed, "no");
        job.settle(
            attempt,
            Outcome::Failed {
                problem: problem.clone(),
                warnings: vec![],
            },
            at(7),
        )
        .unwrap();
        let ended = entailed(Some(&before), &job, &email(), at(7));
        assert!(ended.forget_progress);
        let (topic, body) = ended.message.unwrap();
        assert_eq!(topic, Topic::Completions);
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap(),
            serde_json::json!({
                "id": job.recording_id, "user_email": "ann@example.org", "status": "failed",
                "timestamp": "1970-01-01T00:00:07Z", "job_id": job.id, "error": problem,
                "traceparent": trace,
            })
        );
    }

    #[test]
    fn what_changes_nothing_entails_nothing() {
        let job = job();
        assert_eq!(
            entailed(Some(&job), &job, &email(), at(1)),
            Entailed::default()
        );
    }
}
