//! The loop on memory backends: whatever happens to a worker, a job's result appears once or not at
//! all, and nothing is left over.

mod blame;
mod house;
mod publishing;

use jiff::SignedDuration;
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    derivative::DerivativeStatus,
    event::EventKind,
    job::{Outcome, Status},
    seams::{BlobKey, Claim, EventLog, JobLeases, Leases, Queue, Records, Topic},
    trace::TraceContext,
};
use retake_runner::external;
use retake_worker::Config;
use serde_json::json;

use crate::support::{eventually, false_child, mock, recording, runs};
use house::{Fault, House, finishing_child, hanging_child};

#[tokio::test]
async fn a_job_is_run_and_its_correction_published() {
    let house = House::new();
    let job = house.accept(recording(48_000), json!({"steps": []})).await;
    let worker = house.worker(house.parts());
    house.ended(job).await;
    worker.stop().await;

    let record = house.record(job).await;
    assert_eq!(
        (record.job.status, record.job.attempt),
        (Status::Completed, 1)
    );
    let correction = record.correction.unwrap();
    let key = BlobKey::Correction {
        job: job.id,
        attempt: 1,
    };
    assert_eq!(house.blob(key).await.len() as u64, correction.size_bytes);
    for made in house.derivatives(job).await {
        assert_eq!(made.status, DerivativeStatus::Ready, "{made:?}");
        assert!(house.blob(made.key()).await.starts_with(b"RTKPEAK1"));
    }
    assert_eq!(house.derivatives(job).await.len(), 2);
    assert_eq!(correction.content_type, "audio/flac");
    assert_eq!(correction.report.output.frames, 48_000);
    let kinds: Vec<EventKind> = house.events(job).await;
    assert_eq!(kinds[..2], [EventKind::Queued, EventKind::Running]);
    assert_eq!(kinds.last(), Some(&EventKind::Completed));
    assert!(house.kicks() >= 1, "the relay was not told");
    assert_eq!(house.queue.waiting(Topic::Jobs).await, Ok(0));
    assert_eq!(house.completions().await, 1);
    house.assert_nothing_left_over();
}

#[tokio::test]
async fn what_is_no_audio_is_a_failed_job_that_says_so() {
    let house = House::new();
    let job = house
        .accept(b"only words".to_vec(), json!({"steps": []}))
        .await;
    let worker = house.worker(house.parts());
    house.ended(job).await;
    worker.stop().await;
    let record = house.record(job).await;
    assert_eq!((record.job.status, record.job.attempt), (Status::Failed, 1));
    assert_eq!(
        record.job.error.unwrap().kind(),
        Some(ProblemKind::NotAudio)
    );
    assert_eq!(house.completions().await, 1);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_buried_and_the_next_one_taken() {
    let house = House::new();
    house
        .queue
        .publish(Topic::Jobs, b"{\"id\": 7}")
        .await
        .unwrap();
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    let worker = house.worker(house.parts());
    house.ended(job).await;
    worker.stop().await;
    let buried = house.queue.buried();
    assert_eq!(buried.len(), 1);
    assert!(buried[0].2.starts_with("not a job message"), "{buried:?}");
}

#[tokio::test]
async fn a_message_delivered_twice_gives_one_correction() {
    let house = House::new();
    let job = house.accept(recording(48_000), json!({"steps": []})).await;
    house.repeat_messages(3).await;
    let first = house.worker(house.parts());
    let second = house.worker(house.parts());
    house.ended(job).await;
    eventually("all messages are acknowledged", async || {
        house.queue_is_empty().await
    })
    .await;
    first.stop().await;
    second.stop().await;
    assert_eq!(house.record(job).await.job.attempt, 1);
    let corrections = house.correction_blobs();
    assert_eq!(
        corrections,
        [BlobKey::Correction {
            job: job.id,
            attempt: 1
        }]
    );
    assert_eq!(house.completions().await, 1);
}

#[tokio::test]
async fn a_cancelled_job_ends_its_child_and_is_cancelled() {
    let house = House::new();
    let (child, pid) = hanging_child(&house);
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    let worker = house.worker(retake_worker::Parts {
        child,
        ..house.parts()
    });
    let pid = house.started(&pid).await;
    house
        .store
        .cancel(job.owner, job.id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    house.ended(job).await;
    assert_eq!(house.record(job).await.job.status, Status::Cancelled);
    eventually("the child is gone", async || !runs(&pid)).await;
    worker.stop().await;
    assert!(house.correction_blobs().is_empty());
    house.assert_nothing_left_over();
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_stops_and_publishes_nothing() {
    let house = House::new();
    let (child, pid) = hanging_child(&house);
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    let worker = house.worker(retake_worker::Parts {
        child,
        ..house.parts()
    });
    let pid = house.started(&pid).await;
    // Its heartbeats do not get through until another worker has claimed the job.
    house.store.fail(Fault::Extend, usize::MAX);
    house.clock.advance(SignedDuration::from_secs(60));
    let claim = house
        .store
        .claim(job.id, "another", house.terms())
        .await
        .unwrap();
    let Claim::Won { attempt, .. } = claim else {
        panic!("{claim:?}")
    };
    house.store.fail(Fault::Extend, 0);
    eventually("the child is gone", async || !runs(&pid)).await;
    worker.stop().await;
    let job_now = house.record(job).await.job;
    assert_eq!(
        (job_now.status, job_now.attempt),
        (Status::Running, attempt.attempt)
    );
    assert!(house.correction_blobs().is_empty());
}

#[tokio::test]
async fn a_worker_that_hears_only_at_the_end_that_its_lease_is_lost_deletes_its_correction() {
    let house = House::new();
    let go = house.path("go");
    let (child, pid) = finishing_child(&house, &go);
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    // It never hears from its heartbeats.
    house.store.fail(Fault::Extend, usize::MAX);
    let worker = house.worker(retake_worker::Parts {
        child,
        ..house.parts()
    });
    house.started(&pid).await;
    house.clock.advance(SignedDuration::from_secs(60));
    let claim = house
        .store
        .claim(job.id, "another", house.terms())
        .await
        .unwrap();
    let Claim::Won { attempt, .. } = claim else {
        panic!("{claim:?}")
    };
    std::fs::write(&go, "").unwrap();
    eventually("the message is acknowledged", async || {
        house.queue_is_empty().await
    })
    .await;
    worker.stop().await;
    assert!(
        house.correction_blobs().is_empty(),
        "the overtaken attempt left its correction"
    );
    let settled = house
        .store
        .settle(attempt, Outcome::Cancelled)
        .await
        .unwrap();
    assert!(settled.is_ok(), "the overtaking attempt has the job");
}

#[tokio::test]
async fn a_settle_that_got_through_unheard_keeps_its_correction() {
    let house = House::new();
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    // The store commits, and the answer is lost on the way.
    house.store.fail(Fault::AnswerOfSettle, 1);
    let worker = house.worker(house.parts());
    house.ended(job).await;
    eventually("the message is acknowledged", async || {
        house.queue_is_empty().await
    })
    .await;
    worker.stop().await;
    let record = house.record(job).await;
    assert_eq!(record.job.status, Status::Completed);
    let key = BlobKey::Correction {
        job: job.id,
        attempt: 1,
    };
    assert_eq!(
        house.blob(key).await.len() as u64,
        record.correction.unwrap().size_bytes
    );
}

#[tokio::test]
async fn at_shutdown_a_job_that_does_not_finish_is_given_back() {
    let house = House::new();
    let (child, pid) = hanging_child(&house);
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    let worker = house.worker(retake_worker::Parts {
        child,
        ..house.parts()
    });
    let pid = house.started(&pid).await;
    worker.stop().await;
    assert!(!runs(&pid), "the child outlived its worker");
    let job_now = house.record(job).await.job;
    assert_eq!((job_now.status, job_now.attempt), (Status::Queued, 1));
    assert!(house.correction_blobs().is_empty());
    house.assert_nothing_left_over();

    let next = house.worker(house.parts());
    house.ended(job).await;
    next.stop().await;
    let record = house.record(job).await;
    assert_eq!(
        (record.job.status, record.job.attempt),
        (Status::Completed, 2)
    );
}

#[tokio::test]
async fn at_shutdown_a_job_that_is_nearly_done_is_finished() {
    let house = House::new();
    let go = house.path("go");
    let (child, pid) = finishing_child(&house, &go);
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    let config = Config {
        grace_ms: 20_000,
        ..house.config()
    };
    let worker = house.worker_with(
        retake_worker::Parts {
            child,
            ..house.parts()
        },
        config,
    );
    house.started(&pid).await;
    let (stopped, ()) = tokio::join!(worker.stop(), async { std::fs::write(&go, "").unwrap() });
    let () = stopped;
    assert_eq!(house.record(job).await.job.status, Status::Completed);
}

#[tokio::test]
async fn passing_trouble_gives_the_job_back_and_the_next_attempt_gets_it_done() {
    let house = House::new();
    let service = mock(json!([{"kind": "status", "status": 503}])).await;
    let impatient = external::Config {
        attempts_max: 1,
        ..external::Config::default()
    };
    let externals = vec![service.external(impatient)];
    let chain = json!({"steps": [{"external": "default"}]});
    let job = house.accept(recording(4_800), chain).await;
    let worker = house.worker(retake_worker::Parts {
        externals,
        ..house.parts()
    });
    house.ended(job).await;
    worker.stop().await;
    let record = house.record(job).await;
    assert_eq!(
        (record.job.status, record.job.attempt),
        (Status::Completed, 2)
    );
    assert_eq!(service.count().await, 2);
}

#[tokio::test]
async fn trouble_that_does_not_pass_fails_the_job_with_its_last_reason() {
    let house = House::new();
    let down = json!({"kind": "status", "status": 503});
    let service = mock(json!([down, down, down])).await;
    let impatient = external::Config {
        attempts_max: 1,
        ..external::Config::default()
    };
    let chain = json!({"steps": [{"external": "default"}]});
    let job = house.accept(recording(4_800), chain).await;
    let worker = house.worker(retake_worker::Parts {
        externals: vec![service.external(impatient)],
        ..house.parts()
    });
    house.ended(job).await;
    worker.stop().await;
    let job = house.record(job).await.job;
    assert_eq!((job.status, job.attempt), (Status::Failed, 3));
    assert_eq!(
        job.error.unwrap().kind(),
        Some(ProblemKind::ExternalUnavailable)
    );
}

#[tokio::test]
async fn trace_context_3_4_a_jobs_trace_goes_to_the_service_and_into_the_completion() {
    let house = House::new();
    let chain = json!({"steps": [{"external": "default"}]});
    let services = [external::Transport::Rest, external::Transport::Websocket];
    for transport in services {
        let service = mock(json!([])).await;
        let config = external::Config {
            transport,
            ..external::Config::default()
        };
        let trace = TraceContext::begin();
        let job = house
            .accept_traced(recording(4_800), chain.clone(), trace)
            .await;
        let worker = house.worker(retake_worker::Parts {
            externals: vec![service.external(config)],
            ..house.parts()
        });
        house.ended(job).await;
        worker.stop().await;
        let told = service.requests().await["requests"][0]["traceparent"].clone();
        let told: TraceContext = serde_json::from_value(told).unwrap();
        assert_eq!(told.trace_id(), trace.trace_id(), "{transport:?}");
        assert_ne!(told.span_id(), trace.span_id(), "whoever asks names itself");
        assert_eq!(house.record(job).await.job.traceparent, Some(trace));
        let completion = house.last_completion().await;
        assert_eq!(completion.traceparent, Some(trace.to_string()));
    }
}

#[tokio::test]
async fn what_only_this_worker_lacks_costs_the_job_no_attempt() {
    let house = House::new();
    let chain = json!({"steps": [{"external": "default"}]});
    let job = house.accept(recording(4_800), chain).await;
    let lacking = house.worker(house.parts());
    eventually("it was given back often", async || {
        house.record(job).await.job.attempt > house.config().attempts_max + 1
    })
    .await;
    lacking.stop().await;
    let given_back = house.record(job).await.job;
    assert_eq!((given_back.status, given_back.tried()), (Status::Queued, 0));

    let service = mock(json!([])).await;
    let worker = house.worker(retake_worker::Parts {
        externals: vec![service.external(external::Config::default())],
        ..house.parts()
    });
    house.ended(job).await;
    worker.stop().await;
    assert_eq!(house.record(job).await.job.status, Status::Completed);
}

#[tokio::test]
async fn an_outage_of_store_and_blobs_delays_a_job_and_loses_nothing() {
    let house = House::new();
    // Long enough for a heartbeat.
    let job = house.accept(recording(480_000), json!({"steps": []})).await;
    for fault in [
        Fault::Claim,
        Fault::Extend,
        Fault::Settle,
        Fault::Plugins,
        Fault::Release,
    ] {
        house.store.fail(fault, 1);
    }
    house.blobs.fail_reads(1);
    let worker = house.worker(house.parts());
    house.ended(job).await;
    worker.stop().await;
    let ended = house.record(job).await.job;
    assert_eq!(ended.status, Status::Completed);
    assert_eq!(ended.tried(), 1, "only the one that came to its end counts");
    assert_eq!(house.completions().await, 1);
    assert_eq!(house.store.unmet(), [], "it went through every fault");
    assert_eq!(house.blobs.unmet_reads(), 0);
}

#[tokio::test]
async fn progress_is_told_while_the_job_runs() {
    let house = House::new();
    let go = house.path("go");
    let pid = house.path("pid");
    let script = format!(
        r#"read request; echo $$ > {pid}
        echo '{{"read":{{"sample_rate":48000,"channels":2,"frames":48000}}}}'
        echo '{{"progress":{{"fraction":0.5,"step":null,"inside":[]}}}}'
        until [ -e {go} ]; do sleep 0.01; done"#,
        pid = pid.display(),
        go = go.display(),
    );
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    let parts = retake_worker::Parts {
        child: false_child(&script),
        ..house.parts()
    };
    let mut news = house.subscribe();
    let worker = house.worker(parts);
    let half = async || {
        let told = house
            .store
            .events(job.owner, Default::default(), 100)
            .await
            .unwrap();
        told.iter()
            .any(|e| e.kind == EventKind::Progress && e.job().unwrap().progress == 0.5)
    };
    eventually("half is told", half).await;
    assert!(news.try_recv().is_ok(), "nobody was woken");
    assert_eq!(house.record(job).await.job.progress, 0.5);
    std::fs::write(go, "").unwrap();
    house.ended(job).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_job_that_runs_long_keeps_its_lease_and_its_message() {
    let house = House::new();
    let go = house.path("go");
    let (child, pid) = finishing_child(&house, &go);
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    let worker = house.worker(retake_worker::Parts {
        child,
        ..house.parts()
    });
    house.started(&pid).await;
    // Several leases long, by the store's clock; heartbeats go by the real one.
    for _ in 0..5 {
        let beats = house.store.extends();
        eventually("a heartbeat", async || house.store.extends() > beats + 1).await;
        house.clock.advance(SignedDuration::from_secs(8));
        let claim = house
            .store
            .claim(job.id, "another", house.terms())
            .await
            .unwrap();
        assert!(matches!(claim, Claim::Refused(_)), "{claim:?}");
    }
    std::fs::write(&go, "").unwrap();
    house.ended(job).await;
    worker.stop().await;
    assert_eq!(house.record(job).await.job.attempt, 1);
}

#[tokio::test]
async fn a_deleted_job_is_dropped() {
    let house = House::new();
    let (child, pid) = hanging_child(&house);
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    let worker = house.worker(retake_worker::Parts {
        child,
        ..house.parts()
    });
    let pid = house.started(&pid).await;
    house
        .store
        .delete_recording(job.owner, job.recording)
        .await
        .unwrap()
        .unwrap();
    eventually("the child is gone", async || !runs(&pid)).await;
    eventually("the message is acknowledged", async || {
        house.queue_is_empty().await
    })
    .await;
    worker.stop().await;
    assert!(house.correction_blobs().is_empty());
}

#[tokio::test]
async fn a_worker_without_a_scratch_folder_harms_no_job_and_goes_on_when_it_is_back() {
    let house = House::new();
    let parts = house.parts();
    let health = parts.health.clone();
    let worker = house.worker(parts);
    let scratch = std::fs::read_dir(house.path("scratch")).unwrap();
    let mine: Vec<_> = scratch.map(|entry| entry.unwrap().path()).collect();
    let [mine] = mine.as_slice() else {
        panic!("one worker, one folder");
    };
    // A disk that went away: a file stands in the folder's place, which cannot be made again.
    std::fs::remove_dir_all(mine).unwrap();
    std::fs::write(mine, "").unwrap();

    let mut jobs = Vec::new();
    for _ in 0..6 {
        jobs.push(house.accept(recording(4_800), json!({"steps": []})).await);
    }
    tokio::time::timeout(std::time::Duration::from_secs(20), health.unwell())
        .await
        .unwrap();
    assert_eq!(health.ailment().unwrap().kind.name(), "scratch");
    // Nobody takes what waits: each slot tried one job at most before it looked.
    eventually("all jobs wait", async || {
        let mut waiting = true;
        for job in &jobs {
            waiting &= house.record(*job).await.job.status == Status::Queued;
        }
        waiting
    })
    .await;
    assert!(health.spared_total() <= 2, "{}", health.spared_total());

    std::fs::remove_file(mine).unwrap();
    for job in &jobs {
        house.ended(*job).await;
        let job = house.record(*job).await.job;
        assert_eq!(job.status, Status::Completed, "{:?}", job.error);
        assert_eq!(job.tried(), 1);
    }
    assert_eq!(health.ailment(), None);
    worker.stop().await;
}

#[tokio::test]
async fn orderly_restarts_cost_a_job_nothing() {
    let house = House::new();
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    for restart in 1..=5 {
        let (child, _) = hanging_child(&house);
        let worker = house.worker(retake_worker::Parts {
            child,
            ..house.parts()
        });
        eventually("it runs", async || {
            let job = house.record(job).await.job;
            job.status == Status::Running && job.attempt == restart
        })
        .await;
        worker.stop().await;
        let job = house.record(job).await.job;
        assert_eq!((job.status, job.tried()), (Status::Queued, 0));
    }
    let worker = house.worker(house.parts());
    house.ended(job).await;
    worker.stop().await;
    assert_eq!(house.record(job).await.job.status, Status::Completed);
}
