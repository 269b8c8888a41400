//! The claims of `Webhooks`.

use std::{sync::LazyLock, time::Duration};

use jiff::{SignedDuration, Timestamp};
use retake_jobs::{
    clock::Clock,
    derivative::{DerivedFile, Kind},
    event::{EventKind, Subject},
    id::{JobId, OwnerId, WebhookId},
    job::Job,
    lease::LeaseLost,
    seams::{Errands, Parcel},
    webhook::{
        Change, Delivery, DeliveryStatus, DisabledWhy, Keeping, Message, Receiver, Schedule,
        Secrets, Tried, Webhook,
    },
};

use super::Bench;
use crate::{
    claims,
    made::{self, TERMS},
};

claims! { Bench on memory sqlite; [
    a_webhook_is_its_owners_and_there_are_so_many
    a_webhook_changes_and_its_secret_before_is_good_for_a_while
    every_event_that_is_wanted_is_delivered_with_what_it_tells
    what_has_happened_is_told_also_where_the_job_is_deleted
    a_callback_hears_of_its_jobs_end_alone
    of_several_servers_one_sends_it
    an_owner_whose_turn_it_is_not_is_passed_over
    a_receiver_that_fails_hears_nothing_more_and_what_waits_is_given_up
    one_delivery_that_fails_among_others_that_do_not_disables_nothing
    a_delivery_is_sent_again_when_that_is_asked_for
    a_test_is_sent_also_where_the_webhook_is_disabled
    too_much_that_waits_disables_and_what_has_ended_is_forgotten
] }

const JOB_EVENTS: [EventKind; 3] = [EventKind::Queued, EventKind::Running, EventKind::Completed];

fn schedule() -> &'static Schedule {
    static SCHEDULE: LazyLock<Schedule> = LazyLock::new(|| Schedule {
        lease: Duration::from_secs(60),
        pauses: vec![Duration::from_secs(5)],
    });
    &SCHEDULE
}

impl Bench {
    fn webhook(&self, events: &[EventKind]) -> Webhook {
        Webhook {
            id: WebhookId::new(self.clock.now()),
            owner: self.owner,
            url: "https://hooks.example/s3cret".into(),
            events: events.to_vec(),
            description: "a test".to_owned(),
            secrets: Secrets::new("whsec_one".into()),
            created_at: self.clock.now(),
            disabled: None,
            delivered_at: None,
        }
    }

    async fn hooked(&self, events: &[EventKind]) -> WebhookId {
        let webhook = self.webhook(events);
        assert!(self.a.add_webhook(&webhook, 9).await.unwrap());
        webhook.id
    }

    async fn now(&self, id: WebhookId) -> Webhook {
        self.b.webhook(self.owner, id).await.unwrap().unwrap()
    }

    async fn due(&self) -> Vec<Parcel> {
        let claimed = self.b.claim_deliveries("s", schedule(), 100, &[]);
        claimed.await.unwrap()
    }

    async fn settle(&self, parcel: &Parcel, status: u16) -> bool {
        let settled = self
            .a
            .settle_delivery(parcel.attempt, self.tried(status), schedule());
        settled.await.unwrap().unwrap().disabled
    }

    fn tried(&self, status: u16) -> Tried {
        Tried {
            at: self.clock.now(),
            status: Some(status),
            error: None,
            took_ms: 1,
            retry_after: None,
        }
    }

    async fn log(&self, id: WebhookId) -> Vec<Delivery> {
        let to = Receiver::Webhook(id);
        let log = self.b.deliveries(self.owner, to, None, 100).await;
        log.unwrap().unwrap()
    }

    async fn done(&self) -> Job {
        let (_, job, attempt) = self.claimed().await;
        let settled = retake_jobs::seams::Leases::settle(&*self.a, attempt, made::completed(1));
        settled.await.unwrap().unwrap();
        job
    }
}

fn kind(delivery: &Delivery) -> Option<EventKind> {
    match &delivery.message {
        Message::Event(event) => Some(event.kind),
        Message::Ping => None,
    }
}

async fn a_webhook_is_its_owners_and_there_are_so_many(bench: Bench) {
    let first = bench.webhook(&JOB_EVENTS);
    assert!(bench.a.add_webhook(&first, 2).await.unwrap());
    bench.pass(1);
    let second = bench.webhook(&[EventKind::Failed]);
    assert!(bench.a.add_webhook(&second, 2).await.unwrap());
    let third = bench.webhook(&JOB_EVENTS);
    assert!(!bench.a.add_webhook(&third, 2).await.unwrap());
    let all = bench.b.webhooks(bench.owner).await.unwrap();
    assert_eq!(all, [first.clone(), second]);
    let stranger = OwnerId::new();
    let to = Receiver::Webhook(first.id);
    assert_eq!(bench.b.webhooks(stranger).await.unwrap(), []);
    assert_eq!(bench.b.webhook(stranger, first.id).await.unwrap(), None);
    let change = bench
        .a
        .change_webhook(stranger, first.id, Change::default());
    assert_eq!(change.await.unwrap(), None);
    assert!(!bench.a.remove_webhook(stranger, first.id).await.unwrap());
    assert_eq!(bench.a.ping(stranger, first.id).await.unwrap(), None);
    assert_eq!(
        bench.b.deliveries(stranger, to, None, 9).await.unwrap(),
        None
    );
    let ping = bench.a.ping(bench.owner, first.id).await.unwrap().unwrap();
    assert_eq!(bench.b.delivery(stranger, to, ping.id).await.unwrap(), None);
    assert_eq!(bench.a.replay(stranger, to, ping.id).await.unwrap(), None);
    assert!(bench.a.remove_webhook(bench.owner, first.id).await.unwrap());
    assert!(!bench.a.remove_webhook(bench.owner, first.id).await.unwrap());
    assert_eq!(bench.due().await, [], "its deliveries are gone with it");
}

async fn a_webhook_changes_and_its_secret_before_is_good_for_a_while(bench: Bench) {
    let id = bench.hooked(&JOB_EVENTS).await;
    bench.pass(10);
    let until = bench.clock.now() + SignedDuration::from_secs(100);
    let change = Change {
        url: Some("https://other.example/".into()),
        events: Some(vec![EventKind::DerivativeReady]),
        description: Some("another".to_owned()),
        enabled: Some(false),
        secret: Some(("whsec_two".into(), until)),
    };
    let changed = bench.a.change_webhook(bench.owner, id, change).await;
    let changed = changed.unwrap().unwrap();
    assert_eq!(bench.now(id).await, changed);
    assert_eq!(changed.url.expose(), "https://other.example/");
    assert_eq!(changed.events, [EventKind::DerivativeReady]);
    let disabled = changed.disabled.unwrap();
    assert_eq!(
        (disabled.why, disabled.at),
        (DisabledWhy::Owner, bench.clock.now())
    );
    let enable = Change {
        enabled: Some(true),
        ..Change::default()
    };
    let enabled = bench.a.change_webhook(bench.owner, id, enable).await;
    assert_eq!(enabled.unwrap().unwrap().disabled, None);
    for (seconds, expected) in [(99, 2), (1, 1)] {
        bench.pass(seconds);
        let ping = bench.a.ping(bench.owner, id).await.unwrap().unwrap();
        let sent = bench.due().await;
        let sent = sent.iter().find(|it| it.delivery.id == ping.id).unwrap();
        assert_eq!(sent.secrets.len(), expected);
        assert_eq!(sent.secrets[0].expose(), "whsec_two");
        assert_eq!(sent.url.expose(), "https://other.example/");
    }
}

async fn every_event_that_is_wanted_is_delivered_with_what_it_tells(bench: Bench) {
    let all = bench.hooked(&JOB_EVENTS).await;
    let made = bench.hooked(&[EventKind::DerivativeReady]).await;
    let mut other = bench.webhook(&JOB_EVENTS);
    other.owner = OwnerId::new();
    assert!(bench.a.add_webhook(&other, 9).await.unwrap());
    let job = bench.done().await;
    let derivative = retake_jobs::derivative::Derivative::new(
        bench.owner,
        job.id,
        Kind::Compare,
        bench.clock.now(),
    );
    bench.a.derive(&derivative, 9).await.unwrap();
    let claimed = Errands::claim_errand(&*bench.b, "w", TERMS).await.unwrap();
    let file = DerivedFile {
        content_type: "audio/webm".to_owned(),
        size_bytes: 7,
        sha256: "ef".repeat(32),
        warnings: Vec::new(),
    };
    let (attempt, _): (_, retake_jobs::derivative::Derivative) = claimed.unwrap();
    retake_jobs::seams::Leases::settle(&*bench.b, attempt, file.into())
        .await
        .unwrap()
        .unwrap();

    let events = bench
        .b
        .events(bench.owner, Default::default(), 99)
        .await
        .unwrap();
    let mut due = bench.due().await;
    // They come in no certain order.
    due.sort_by_key(|it| match &it.delivery.message {
        Message::Event(event) => Some(event.id),
        Message::Ping => None,
    });
    let told: Vec<_> = due.iter().filter_map(|it| kind(&it.delivery)).collect();
    let mut expected = JOB_EVENTS.to_vec();
    expected.push(EventKind::DerivativeReady);
    assert_eq!(told, expected);
    for parcel in &due {
        let Message::Event(told) = &parcel.delivery.message else {
            panic!("a test: {parcel:?}");
        };
        let event = events.iter().find(|event| event.id == told.id).unwrap();
        assert_eq!(told, event, "what the stream tells");
        assert_eq!(parcel.url.expose(), "https://hooks.example/s3cret");
    }
    assert_eq!(bench.log(all).await.len(), 3);
    assert_eq!(bench.log(made).await.len(), 1);
    assert_eq!(bench.due().await, [], "each once");
}

async fn what_has_happened_is_told_also_where_the_job_is_deleted(bench: Bench) {
    let mut events = JOB_EVENTS.to_vec();
    events.push(EventKind::RecordingDeleted);
    bench.hooked(&events).await;
    let job = bench.done().await;
    let deleted = bench.a.delete_recording(bench.owner, job.recording_id);
    deleted.await.unwrap().unwrap();
    let due = bench.due().await;
    assert_eq!(due.len(), 4);
    let gone = due.iter().find_map(|it| match &it.delivery.message {
        Message::Event(event) => match &event.subject {
            Subject::Recording(news) => Some((event.kind, news.id)),
            _ => None,
        },
        Message::Ping => None,
    });
    assert_eq!(gone, Some((EventKind::RecordingDeleted, job.recording_id)));
}

async fn a_callback_hears_of_its_jobs_end_alone(bench: Bench) {
    let until = bench.clock.now() + SignedDuration::from_secs(100);
    for secret in ["whsec_a", "whsec_b"] {
        let rotated = bench
            .a
            .rotate_callback_secret(bench.owner, secret.into(), until);
        rotated.await.unwrap();
    }
    let secrets = bench
        .b
        .callback_secrets(bench.owner)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(secrets.current.expose(), "whsec_b");
    assert_eq!(
        bench.b.callback_secrets(OwnerId::new()).await.unwrap(),
        None
    );

    let recording = made::recording(bench.owner, bench.clock.now());
    let mut job = made::job(&recording, bench.clock.now());
    job.callback_url = Some("https://mine.example/done?key=s3cret".into());
    bench.a.accept(&recording, &job, None).await.unwrap();
    let seen = bench.b.job(bench.owner, job.id).await.unwrap().unwrap();
    assert_eq!(seen.job.callback_url, job.callback_url);
    let attempt = bench.win(job.id).await;
    assert_eq!(bench.due().await, []);
    retake_jobs::seams::Leases::settle(&*bench.a, attempt, made::completed(1))
        .await
        .unwrap()
        .unwrap();
    let due = bench.due().await;
    let [parcel] = due.as_slice() else {
        panic!("one: {due:?}");
    };
    assert_eq!(kind(&parcel.delivery), Some(EventKind::Completed));
    assert_eq!(parcel.url.expose(), "https://mine.example/done?key=s3cret");
    let secrets: Vec<_> = parcel.secrets.iter().map(|it| it.expose()).collect();
    assert_eq!(secrets, ["whsec_b", "whsec_a"]);
    let to = Receiver::Callback(job.id);
    let log = bench.b.deliveries(bench.owner, to, None, 9).await.unwrap();
    assert_eq!(log.unwrap().len(), 1);
    let none = bench.b.deliveries(OwnerId::new(), to, None, 9).await;
    assert_eq!(none.unwrap(), None);
    let nowhere = Receiver::Callback(JobId::new(bench.clock.now()));
    let none = bench.b.deliveries(bench.owner, nowhere, None, 9).await;
    assert_eq!(none.unwrap(), None);
    bench.settle(parcel, 500).await;
    bench.pass(6);
    assert_eq!(bench.due().await.len(), 1, "tried again");
}

async fn of_several_servers_one_sends_it(bench: Bench) {
    let id = bench.hooked(&[EventKind::Queued]).await;
    bench.accepted().await;
    assert_eq!(
        bench.b.next_delivery().await.unwrap(),
        Some(bench.clock.now())
    );
    let (a, b) = tokio::join!(
        bench.a.claim_deliveries("a", schedule(), 9, &[]),
        bench.b.claim_deliveries("b", schedule(), 9, &[]),
    );
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.len() + b.len(), 1);
    let first = a.into_iter().chain(b).next().unwrap();
    let until = bench.clock.now() + SignedDuration::from_secs(60);
    assert_eq!(bench.b.next_delivery().await.unwrap(), Some(until));
    bench.pass(60);
    let second = bench.due().await.remove(0);
    assert_eq!(
        (second.delivery.id, second.attempt.attempt),
        (first.delivery.id, 2)
    );
    let late = bench
        .a
        .settle_delivery(first.attempt, bench.tried(200), schedule());
    assert_eq!(late.await.unwrap(), Err(LeaseLost));
    assert!(!bench.settle(&second, 200).await);
    let log = bench.log(id).await;
    assert_eq!(
        (log[0].status, log[0].attempts.len()),
        (DeliveryStatus::Delivered, 1)
    );
    assert_eq!(bench.now(id).await.delivered_at, Some(bench.clock.now()));
    assert_eq!(bench.b.next_delivery().await.unwrap(), None);
}

async fn an_owner_whose_turn_it_is_not_is_passed_over(bench: Bench) {
    bench.hooked(&[EventKind::Queued]).await;
    let mut other = bench.webhook(&[EventKind::Queued]);
    other.owner = OwnerId::new();
    assert!(bench.a.add_webhook(&other, 9).await.unwrap());
    bench.accepted().await;
    let ping = bench.a.ping(other.owner, other.id).await.unwrap().unwrap();
    let not_of = [bench.owner];
    let claimed = bench.a.claim_deliveries("s", schedule(), 9, &not_of);
    let claimed = claimed.await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].delivery.id, ping.id);
    let both = [bench.owner, other.owner];
    let none = bench.a.claim_deliveries("s", schedule(), 9, &both);
    assert_eq!(none.await.unwrap(), []);
    assert_eq!(bench.due().await.len(), 1);
}

async fn a_receiver_that_fails_hears_nothing_more_and_what_waits_is_given_up(bench: Bench) {
    for (status, why) in [(410, DisabledWhy::Gone), (500, DisabledWhy::Failing)] {
        let id = bench.hooked(&[EventKind::Queued]).await;
        bench.accepted().await;
        bench.pass(1);
        bench.accepted().await;
        let due = bench.due().await;
        assert_eq!(due.len(), 2);
        let mut disabled = bench.settle(&due[0], status).await;
        if status != 410 {
            assert!(!disabled);
            bench.pass(6);
            disabled = bench.settle(&bench.due().await[0], status).await;
        }
        assert!(disabled);
        let webhook = bench.now(id).await;
        assert_eq!(webhook.disabled.map(|it| it.why), Some(why));
        let log = bench.log(id).await;
        assert!(
            log.iter().all(|it| it.status == DeliveryStatus::Failed),
            "{log:?}"
        );
        assert!(log.iter().all(|it| it.ended_at.is_some()));
        let late = bench
            .a
            .settle_delivery(due[1].attempt, bench.tried(200), schedule());
        assert_eq!(late.await.unwrap(), Err(LeaseLost));
        bench.accepted().await;
        assert_eq!(bench.due().await, [], "it hears nothing more");
        assert!(bench.a.remove_webhook(bench.owner, id).await.unwrap());
    }
}

async fn one_delivery_that_fails_among_others_that_do_not_disables_nothing(bench: Bench) {
    let id = bench.hooked(&[EventKind::Queued]).await;
    bench.accepted().await;
    bench.settle(&bench.due().await[0], 400).await;
    bench.pass(6);
    bench.accepted().await;
    let due = bench.due().await;
    let (old, new): (Vec<_>, Vec<_>) = due.iter().partition(|it| it.delivery.tries > 0);
    assert!(!bench.settle(new[0], 204).await);
    assert!(!bench.settle(old[0], 400).await);
    assert_eq!(bench.now(id).await.disabled, None);
    let failed = bench.log(id).await.into_iter();
    let failed = failed.filter(|it| it.status == DeliveryStatus::Failed);
    assert_eq!(failed.count(), 1);
}

async fn a_delivery_is_sent_again_when_that_is_asked_for(bench: Bench) {
    let id = bench.hooked(&[EventKind::Queued]).await;
    bench.accepted().await;
    let first = bench.due().await.remove(0);
    bench.settle(&first, 204).await;
    let to = Receiver::Webhook(id);
    let replayed = bench.a.replay(bench.owner, to, first.delivery.id).await;
    assert_eq!(replayed.unwrap().unwrap().status, DeliveryStatus::Waiting);
    let again = bench.due().await.remove(0);
    assert_eq!(again.delivery.id, first.delivery.id);
    assert_eq!(again.delivery.message, first.delivery.message);
    bench.settle(&again, 204).await;
    assert_eq!(bench.log(id).await[0].attempts.len(), 2);
    let elsewhere = Receiver::Webhook(bench.hooked(&JOB_EVENTS).await);
    let none = bench
        .a
        .replay(bench.owner, elsewhere, first.delivery.id)
        .await;
    assert_eq!(none.unwrap(), None);
}

async fn a_test_is_sent_also_where_the_webhook_is_disabled(bench: Bench) {
    let id = bench.hooked(&JOB_EVENTS).await;
    let disable = Change {
        enabled: Some(false),
        ..Change::default()
    };
    bench.a.ping(bench.owner, id).await.unwrap();
    bench
        .a
        .change_webhook(bench.owner, id, disable)
        .await
        .unwrap();
    let due = bench.due().await;
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].delivery.message, Message::Ping);
    assert!(!bench.settle(&due[0], 500).await);
    let log = bench
        .b
        .delivery(bench.owner, Receiver::Webhook(id), due[0].delivery.id);
    assert_eq!(log.await.unwrap().unwrap().status, DeliveryStatus::Failed);
}

async fn too_much_that_waits_disables_and_what_has_ended_is_forgotten(bench: Bench) {
    let keeping = Keeping {
        lifetime: SignedDuration::from_secs(100),
        waiting_max: 2,
    };
    let id = bench.hooked(&[EventKind::Queued]).await;
    for _ in 0..2 {
        bench.pass(1);
        bench.accepted().await;
    }
    assert_eq!(bench.a.sweep_deliveries(keeping).await.unwrap(), []);
    bench.accepted().await;
    assert_eq!(bench.a.sweep_deliveries(keeping).await.unwrap(), [id]);
    assert_eq!(bench.a.sweep_deliveries(keeping).await.unwrap(), []);
    let webhook = bench.now(id).await;
    assert_eq!(
        webhook.disabled.map(|it| it.why),
        Some(DisabledWhy::Crowded)
    );
    let enable = Change {
        enabled: Some(true),
        ..Change::default()
    };
    bench
        .a
        .change_webhook(bench.owner, id, enable)
        .await
        .unwrap();
    assert_eq!(
        bench.a.sweep_deliveries(keeping).await.unwrap(),
        [],
        "none waits"
    );
    let log = bench.log(id).await;
    let page = bench
        .b
        .deliveries(bench.owner, Receiver::Webhook(id), Some(log[0].id), 1);
    assert_eq!(page.await.unwrap().unwrap(), [log[1].clone()]);
    bench.pass(99);
    bench.accepted().await;
    bench.a.sweep_deliveries(keeping).await.unwrap();
    assert_eq!(bench.log(id).await.len(), 4);
    bench.pass(1);
    bench.a.sweep_deliveries(keeping).await.unwrap();
    assert_eq!(bench.log(id).await.len(), 1, "what waits is kept");
    assert!(bench.b.next_delivery().await.unwrap().unwrap() > Timestamp::UNIX_EPOCH);
}
