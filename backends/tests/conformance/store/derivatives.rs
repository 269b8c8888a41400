//! The claims of `Derivatives`, `Sources` and what errands of that kind may do.

use jiff::SignedDuration;
use retake_jobs::{
    clock::Clock,
    derivative::{
        Byproduct, Derivative, DerivativeStatus, Derived, DerivedFile, Kind, PeaksForm, READING,
        Side, USED_EVERY,
    },
    event::EventKind,
    id::{DerivativeId, EventId, JobId, OwnerId},
    job::Outcome,
    lease::{Attempt, Blame, LeaseLost},
    seams::{BlobKey, Derive},
};

use super::Bench;
use crate::{
    claims,
    made::{self, TERMS},
};

claims! { Bench on memory sqlite; [
    what_is_asked_for_is_made_once_and_there_for_whoever_asks_again
    only_of_a_completed_job_and_only_for_its_owner
    the_source_is_the_job_with_its_recording_and_correction
    nobody_has_more_waiting_than_may
    a_lost_lease_settles_nothing_and_another_makes_it
    what_failed_is_made_anew_after_a_while
    what_was_not_asked_for_longest_goes_first_when_there_is_no_room
    deleting_the_recording_takes_what_was_made_of_it
    what_came_with_the_job_is_ready_with_it_and_is_kept_like_any
    what_came_with_an_attempt_that_was_lost_is_not_there
    whoever_watches_hears_of_its_end
    what_was_made_besides_is_ready_and_need_not_be_made
    what_is_being_read_is_kept_however_little_room_there_is
] }

const MANY: usize = 100;
const MIB: u64 = 1 << 20;

impl Bench {
    async fn completed(&self) -> JobId {
        let (_, job, attempt) = self.claimed().await;
        let settled = self.a.settle(attempt, made::completed(attempt.attempt));
        settled.await.unwrap().unwrap();
        job.id
    }

    async fn ask(&self, job: JobId, kind: Kind) -> Derive {
        let new = Derivative::new(self.owner, job, kind, self.clock.now());
        self.a.derive(&new, MANY).await.unwrap()
    }

    async fn is(&self, job: JobId, kind: Kind) -> Derivative {
        match self.ask(job, kind).await {
            Derive::Is(derivative) => derivative,
            other => panic!("{other:?}"),
        }
    }

    async fn next(&self) -> Option<(Attempt<Derivative>, Derivative)> {
        self.b.claim_errand("w1", TERMS).await.unwrap()
    }

    async fn make(&self, job: JobId, kind: Kind, size_bytes: u64) -> Derivative {
        self.is(job, kind).await;
        let (attempt, waiting) = self.next().await.unwrap();
        assert_eq!((waiting.job_id, waiting.kind), (job, kind));
        self.end(attempt, file(size_bytes)).await
    }

    async fn end(&self, attempt: Attempt<Derivative>, derived: Derived) -> Derivative {
        self.b.settle(attempt, derived).await.unwrap().unwrap()
    }
}

fn file(size_bytes: u64) -> Derived {
    derived(size_bytes).into()
}

fn derived(size_bytes: u64) -> DerivedFile {
    DerivedFile {
        content_type: "audio/mpeg".to_owned(),
        size_bytes,
        sha256: "ef".repeat(32),
        warnings: vec![made::finding()],
    }
}

fn tile(tile: u32) -> Kind {
    Kind::Spectrogram {
        side: Side::Corrected,
        columns_per_second: 100,
        tile,
    }
}

async fn what_is_asked_for_is_made_once_and_there_for_whoever_asks_again(bench: Bench) {
    let job = bench.completed().await;
    let waiting = bench.is(job, Kind::Compare).await;
    assert_eq!(waiting.status, DerivativeStatus::Waiting);
    assert_eq!(bench.is(job, Kind::Compare).await.id, waiting.id);
    bench.pass(1);
    let other = bench
        .is(job, Kind::Peaks(Side::Original, PeaksForm::Pyramid))
        .await;
    assert_ne!(other.id, waiting.id);

    let (attempt, claimed) = bench.next().await.unwrap();
    assert_eq!((claimed.id, claimed.attempt), (waiting.id, 1));
    let (second, _) = bench.next().await.unwrap();
    assert_eq!(second.id, other.id);
    assert!(bench.next().await.is_none());

    let ready = bench.end(attempt, file(7)).await;
    let seen = bench.is(job, Kind::Compare).await;
    assert_eq!(seen.file, ready.file);
    assert_eq!(seen.status, DerivativeStatus::Ready);
    assert_eq!(seen.key(), attempt.key());
    let all = bench.a.derivatives(bench.owner, job).await.unwrap();
    let kinds: Vec<_> = all.iter().map(|it| it.kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Compare,
            Kind::Peaks(Side::Original, PeaksForm::Pyramid)
        ]
    );
}

async fn only_of_a_completed_job_and_only_for_its_owner(bench: Bench) {
    let (_, queued) = bench.accepted().await;
    assert_eq!(bench.ask(queued.id, Kind::Compare).await, Derive::Gone);
    let nowhere = JobId::new(bench.clock.now());
    assert_eq!(bench.ask(nowhere, Kind::Compare).await, Derive::Gone);

    let job = bench.completed().await;
    bench.make(job, Kind::Compare, 7).await;
    let stranger = OwnerId::new();
    let new = Derivative::new(stranger, job, Kind::Compare, bench.clock.now());
    assert_eq!(bench.a.derive(&new, MANY).await.unwrap(), Derive::Gone);
    assert_eq!(bench.a.derivatives(stranger, job).await.unwrap(), []);
}

async fn the_source_is_the_job_with_its_recording_and_correction(bench: Bench) {
    let (recording, queued) = bench.accepted().await;
    assert_eq!(bench.b.source(queued.id).await.unwrap(), None);
    let attempt = bench.win(queued.id).await;
    let settled = bench.a.settle(attempt, made::completed(1)).await;
    let job = settled.unwrap().unwrap();
    let source = bench.b.source(job.id).await.unwrap().unwrap();
    assert_eq!(source.recording, recording);
    assert_eq!(source.job.id, job.id);
    assert_eq!(source.correction, made::correction(1));
}

async fn nobody_has_more_waiting_than_may(bench: Bench) {
    let job = bench.completed().await;
    let ask = async |number: u32| {
        let new = Derivative::new(bench.owner, job, tile(number), bench.clock.now());
        bench.a.derive(&new, 2).await.unwrap()
    };
    for number in [0, 1] {
        assert!(matches!(ask(number).await, Derive::Is(_)));
    }
    assert_eq!(ask(2).await, Derive::TooMany);
    // What waits already is no more.
    assert!(matches!(ask(1).await, Derive::Is(_)));
    let (attempt, _) = bench.next().await.unwrap();
    bench.end(attempt, file(7)).await;
    assert!(matches!(ask(2).await, Derive::Is(_)));
}

async fn a_lost_lease_settles_nothing_and_another_makes_it(bench: Bench) {
    let job = bench.completed().await;
    let waiting = bench.is(job, Kind::Compare).await;
    let (first, _) = bench.next().await.unwrap();
    bench.pass(11);
    let (second, _) = bench.next().await.unwrap();
    assert_eq!((second.id, second.attempt), (waiting.id, 2));
    let late = bench.b.settle(first, file(7)).await.unwrap();
    assert_eq!(late, Err(LeaseLost));
    assert_ne!(first.key(), second.key());
    let ready = bench.end(second, file(9)).await;
    assert_eq!(ready.key(), second.key());
    assert_eq!(
        bench.is(job, Kind::Compare).await.file.unwrap().size_bytes,
        9
    );
}

async fn what_failed_is_made_anew_after_a_while(bench: Bench) {
    let job = bench.completed().await;
    let failed = bench.is(job, Kind::Compare).await;
    for _ in 0..TERMS.attempts_max {
        let (attempt, _) = bench.next().await.unwrap();
        let released = bench
            .b
            .release_errand(attempt, TERMS, Blame::Job, made::problem());
        released.await.unwrap().unwrap();
    }
    let seen = bench.is(job, Kind::Compare).await;
    assert_eq!(seen.status, DerivativeStatus::Failed);
    assert_eq!(seen.error, Some(made::problem()));
    bench.pass(601);
    let anew = bench.is(job, Kind::Compare).await;
    assert_ne!(anew.id, failed.id);
    assert_eq!(anew.status, DerivativeStatus::Waiting);
}

async fn what_was_not_asked_for_longest_goes_first_when_there_is_no_room(bench: Bench) {
    let job = bench.completed().await;
    let mut made = Vec::new();
    for number in 0..4 {
        made.push(bench.make(job, tile(number), MIB).await);
        bench.pass(1);
    }
    assert_eq!(bench.a.forget_derivatives(4 * MIB).await.unwrap(), []);
    // The oldest is asked for again.
    bench.pass(USED_EVERY.as_secs());
    bench.is(job, tile(0)).await;
    let waiting = bench.is(job, Kind::Compare).await;
    let gone = bench.b.forget_derivatives(2 * MIB).await.unwrap();
    let (id, attempt) = (made[1].id, 1);
    let mut expected = vec![BlobKey::Derivative { id, attempt }];
    let id = made[2].id;
    expected.push(BlobKey::Derivative { id, attempt });
    assert_eq!(gone, expected);
    let left = bench.a.derivatives(bench.owner, job).await.unwrap();
    let left: Vec<_> = left.iter().map(|it| it.id).collect();
    assert_eq!(left, [made[0].id, made[3].id, waiting.id]);
    // Asked for again it is made again.
    let anew = bench.is(job, tile(1)).await;
    assert_eq!(anew.status, DerivativeStatus::Waiting);
    // Small ones count, too.
    assert_eq!(bench.a.forget_derivatives(0).await.unwrap().len(), 2);
}

async fn deleting_the_recording_takes_what_was_made_of_it(bench: Bench) {
    let (recording, queued, attempt) = bench.claimed().await;
    let settled = bench.a.settle(attempt, made::completed(1)).await;
    settled.unwrap().unwrap();
    let ready = bench.make(queued.id, Kind::Compare, 7).await;
    let (kind, owner) = (Kind::Peaks(Side::Original, PeaksForm::Pyramid), bench.owner);
    bench.is(queued.id, kind).await;
    let (making, _) = bench.next().await.unwrap();
    let keys = bench.a.delete_recording(owner, recording.id).await.unwrap();
    let keys = keys.unwrap();
    assert!(keys.contains(&ready.key()), "{keys:?}");
    assert!(keys.contains(&making.key()), "{keys:?}");
    let late = bench.b.settle(making, file(7)).await.unwrap();
    assert_eq!(late, Err(LeaseLost));
    assert_eq!(bench.ask(queued.id, Kind::Compare).await, Derive::Gone);
    // Nothing of it is counted any more.
    assert_eq!(bench.a.forget_derivatives(0).await.unwrap(), []);
}

fn byproducts(bench: &Bench) -> Vec<Byproduct> {
    let sides = [Side::Original, Side::Corrected];
    let of = |side| Byproduct {
        id: DerivativeId::new(bench.clock.now()),
        kind: Kind::Peaks(side, PeaksForm::Pyramid),
        file: derived(7),
    };
    sides.map(of).to_vec()
}

fn completed_with(byproducts: Vec<Byproduct>) -> Outcome {
    Outcome::Completed {
        correction: Box::new(made::correction(1)),
        byproducts,
        warnings: Vec::new(),
    }
}

async fn what_came_with_the_job_is_ready_with_it_and_is_kept_like_any(bench: Bench) {
    let (recording, job, attempt) = bench.claimed().await;
    let came = byproducts(&bench);
    let outcome = completed_with(came.clone());
    bench.a.settle(attempt, outcome).await.unwrap().unwrap();
    for byproduct in &came {
        let ready = bench.is(job.id, byproduct.kind).await;
        assert_eq!(ready.status, DerivativeStatus::Ready);
        assert_eq!(ready.file.as_ref(), Some(&byproduct.file));
        assert_eq!((ready.id, ready.key()), (byproduct.id, byproduct.key()));
    }
    assert_eq!(bench.next().await, None, "nothing is to be made");
    let all = bench.a.derivatives(bench.owner, job.id).await.unwrap();
    assert_eq!(all.len(), 2);

    // Where there is no room it goes, and is made again for whoever asks.
    let gone = bench.a.forget_derivatives(0).await.unwrap();
    assert_eq!(gone.len(), 2);
    let anew = bench.is(job.id, came[0].kind).await;
    assert_eq!(anew.status, DerivativeStatus::Waiting);

    let keys = bench.a.delete_recording(bench.owner, recording.id).await;
    assert!(keys.unwrap().is_some());
    assert_eq!(bench.ask(job.id, came[0].kind).await, Derive::Gone);
}

async fn what_came_with_an_attempt_that_was_lost_is_not_there(bench: Bench) {
    let (_, job, attempt) = bench.claimed().await;
    bench
        .clock
        .advance(SignedDuration::from_millis(2 * TERMS.lease_ms as i64));
    bench.a.sweep(TERMS).await.unwrap();
    let outcome = completed_with(byproducts(&bench));
    let late = bench.a.settle(attempt, outcome).await.unwrap();
    assert_eq!(late, Err(LeaseLost));
    let all = bench.a.derivatives(bench.owner, job.id).await.unwrap();
    assert_eq!(all, []);
}

async fn whoever_watches_hears_of_its_end(bench: Bench) {
    let job = bench.completed().await;
    let made = bench.make(job, Kind::Compare, 7).await;
    bench.is(job, tile(1)).await;
    for _ in 0..TERMS.attempts_max {
        let (attempt, _) = bench.next().await.unwrap();
        let released = bench
            .b
            .release_errand(attempt, TERMS, Blame::Job, made::problem());
        released.await.unwrap().unwrap();
    }
    let events = bench.a.events(bench.owner, EventId(0), MANY).await.unwrap();
    let ended: Vec<_> = events
        .iter()
        .filter_map(|event| Some((event.kind, event.job()?.id, event.derivative()?)))
        .collect();
    let [(ready, of, compare), (failed, _, picture)] = ended[..] else {
        panic!("{ended:?}")
    };
    assert_eq!((ready, of), (EventKind::DerivativeReady, job));
    assert_eq!((compare.kind, &compare.file), (Kind::Compare, &made.file));
    assert_eq!(compare.owner, bench.owner);
    assert_eq!(failed, EventKind::DerivativeFailed);
    assert_eq!(picture.error.as_ref(), Some(&made::problem()));
    assert_eq!(events.len(), 5, "nothing else: {events:?}");
}

async fn what_is_being_read_is_kept_however_little_room_there_is(bench: Bench) {
    let job = bench.completed().await;
    let read = bench.make(job, Kind::Compare, MIB).await;
    let other = bench.make(job, tile(1), MIB).await;
    assert!(bench.b.reading(read.id).await.unwrap());
    // Asking for it meanwhile does not shorten that.
    bench.is(job, Kind::Compare).await;
    let gone = bench.a.forget_derivatives(0).await.unwrap();
    assert_eq!(gone, [other.key()]);
    assert!(!bench.b.reading(other.id).await.unwrap());
    bench.clock.advance(READING);
    assert_eq!(bench.a.forget_derivatives(0).await.unwrap(), [read.key()]);
}

async fn what_was_made_besides_is_ready_and_need_not_be_made(bench: Bench) {
    let job = bench.completed().await;
    let before = bench.make(job, tile(3), 5).await;
    for asked in [0, 1, 2] {
        bench.is(job, tile(asked)).await;
        bench.pass(1);
    }
    let (attempt, _) = bench.next().await.unwrap();
    let (theirs, _) = bench.next().await.unwrap();
    let besides = |kind| Byproduct {
        id: DerivativeId::new(bench.clock.now()),
        kind,
        file: derived(7),
    };
    let derived = Derived::Ready {
        file: derived(7),
        byproducts: [1, 2, 3, 4].map(tile).map(besides).to_vec(),
    };
    let settled = bench.b.settle(attempt, derived).await;
    settled.unwrap().unwrap();
    for made in [0, 1, 2, 4] {
        let ready = bench.is(job, tile(made)).await;
        assert_eq!(ready.status, DerivativeStatus::Ready, "{made}");
    }
    assert_eq!(bench.is(job, tile(3)).await.id, before.id, "it was there");
    assert_eq!(bench.next().await, None);
    // Whoever was making one of them has lost it.
    let late = bench.b.settle(theirs, file(7)).await.unwrap();
    assert_eq!(late, Err(LeaseLost));
    // Who waited for one hears of it; for those that nobody had asked for there is no news.
    let events = bench.a.events(bench.owner, EventId(0), MANY).await.unwrap();
    let ready = events.iter().filter_map(|event| event.derivative());
    let mut told: Vec<_> = ready.map(|ready| ready.kind).collect();
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, [0, 1, 2, 3].map(tile));
}
