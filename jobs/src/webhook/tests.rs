#![allow(clippy::unwrap_used)]

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn schedule() -> Schedule {
    Schedule {
        lease: Duration::from_secs(60),
        pauses: [5, 300].map(Duration::from_secs).to_vec(),
    }
}

fn answered(status: u16, second: i64) -> Tried {
    Tried {
        at: at(second),
        status: Some(status),
        error: None,
        took_ms: 3,
        retry_after: None,
    }
}

fn delivery() -> Delivery {
    let mut it = Delivery::new(
        OwnerId::new(),
        Receiver::Webhook(WebhookId::new(at(0))),
        Message::Ping,
        at(0),
    );
    // What it tells makes no difference below.
    it.message = Message::Event(event());
    it
}

fn event() -> Event {
    use retake_chain::{Chain, format::Format};
    let chain = Chain { steps: Vec::new() };
    let recording = crate::id::RecordingId::new(at(0));
    let job = crate::job::Job::queued(recording, OwnerId::new(), chain, Format::Flac, at(0));
    Event {
        id: crate::id::EventId(7),
        owner: job.owner,
        kind: EventKind::Completed,
        subject: crate::event::Subject::Job(job),
    }
}

#[test]
fn one_server_sends_it_and_another_only_after_the_lease() {
    let mut it = delivery();
    let first = it.claim("a", at(0), &schedule()).unwrap();
    assert_eq!(it.claim("b", at(59), &schedule()), None);
    let second = it.claim("b", at(60), &schedule()).unwrap();
    let late = it.settle(first, answered(200, 60), at(60), &schedule());
    assert_eq!(late, Err(LeaseLost));
    let ended = it.settle(second, answered(204, 61), at(61), &schedule());
    assert_eq!(ended, Ok(Verdict::Delivered));
    assert_eq!(it.status, DeliveryStatus::Delivered);
    assert_eq!(it.claim("a", at(9_999), &schedule()), None);
}

#[test]
fn it_is_tried_as_the_schedule_says_and_then_its_webhook_hears_nothing_more() {
    let mut it = delivery();
    let mut now = 0;
    for (pause, status) in [(5, 500), (300, 302)] {
        let attempt = it.claim("a", at(now), &schedule()).unwrap();
        let verdict = it.settle(attempt, answered(status, now), at(now), &schedule());
        assert_eq!(verdict, Ok(Verdict::Again));
        let waits = it.due_at.duration_since(at(now)).as_secs_f64();
        let (low, high) = (f64::from(pause), f64::from(pause) * 1.1 + 0.001);
        assert!((low..=high).contains(&waits), "{waits}");
        assert_eq!(
            it.claim("a", at(now + i64::from(pause) - 1), &schedule()),
            None
        );
        now += i64::from(pause) * 2;
    }
    let attempt = it.claim("a", at(now), &schedule()).unwrap();
    let verdict = it.settle(attempt, answered(200 + 199, now), at(now), &schedule());
    let failed = Verdict::Failed {
        disable: Some(DisabledWhy::Failing),
        tried_since: at(0),
    };
    assert_eq!(verdict, Ok(failed));
    assert_eq!((it.status, it.attempts.len()), (DeliveryStatus::Failed, 3));
    it.replay(at(now + 1));
    assert!(it.claim("a", at(now + 1), &schedule()).is_some());
}

#[test]
fn a_receiver_that_is_gone_is_asked_once_and_one_that_asks_for_time_gets_it() {
    let mut it = delivery();
    let attempt = it.claim("a", at(0), &schedule()).unwrap();
    let busy = Tried {
        retry_after: Some(Duration::from_secs(1_000)),
        ..answered(429, 0)
    };
    assert_eq!(
        it.settle(attempt, busy, at(0), &schedule()),
        Ok(Verdict::Again)
    );
    assert_eq!(it.due_at, at(1_000));
    let attempt = it.claim("a", at(1_000), &schedule()).unwrap();
    let gone = it.settle(attempt, answered(410, 1_000), at(1_000), &schedule());
    let disable = Some(DisabledWhy::Gone);
    assert!(matches!(gone, Ok(Verdict::Failed { disable: why, .. }) if why == disable));
}

#[test]
fn a_test_is_tried_once_and_disables_nothing() {
    let mut it = delivery();
    it.message = Message::Ping;
    let attempt = it.claim("a", at(0), &schedule()).unwrap();
    let verdict = it.settle(attempt, answered(500, 0), at(0), &schedule());
    assert!(
        matches!(verdict, Ok(Verdict::Failed { disable: None, .. })),
        "{verdict:?}"
    );
}

#[test]
fn so_many_attempts_are_remembered() {
    let mut it = delivery();
    for round in 0..30 {
        it.replay(at(round));
        let attempt = it.claim("a", at(round), &schedule()).unwrap();
        it.settle(attempt, answered(200, round), at(round), &schedule())
            .unwrap();
    }
    assert_eq!(it.attempts.len(), ATTEMPTS_KEPT);
    assert_eq!(it.attempts.last().unwrap().at, at(29));
}

#[test]
fn the_secret_before_is_good_for_a_while_and_the_one_before_that_no_more() {
    let mut secrets = Secrets::new("one".into());
    let good = |secrets: &Secrets, now| -> Vec<String> {
        let good = secrets.good(at(now)).into_iter();
        good.map(|it| it.expose().to_owned()).collect()
    };
    assert_eq!(good(&secrets, 0), ["one"]);
    secrets.rotate("two".into(), at(10));
    assert_eq!(good(&secrets, 9), ["two", "one"]);
    assert_eq!(good(&secrets, 10), ["two"]);
    secrets.rotate("three".into(), at(20));
    assert_eq!(good(&secrets, 5), ["three", "two"]);
}
