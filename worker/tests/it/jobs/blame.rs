//! What happens to a worker from outside is not the fault of the job that it was at.

use retake_chain::problem::ProblemKind;
use retake_jobs::job::Status;
use serde_json::json;

use super::house::{House, finishing_child};
use crate::support::{false_child, recording};

#[tokio::test]
async fn files_that_somebody_tidied_up_cost_the_job_no_attempt() {
    let house = House::new();
    let go = house.path("go");
    let (child, pid) = finishing_child(&house, &go);
    let worker = house.worker(retake_worker::Parts {
        child,
        ..house.parts()
    });
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    house.started(&pid).await;
    for entry in std::fs::read_dir(house.path("scratch")).unwrap() {
        std::fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    std::fs::write(&go, "").unwrap();
    house.ended(job).await;
    worker.stop().await;
    let job = house.record(job).await.job;
    assert_eq!(job.status, Status::Completed, "{:?}", job.error);
    assert_eq!((job.attempt, job.tried()), (2, 1));
    house.assert_nothing_left_over();
}

/// Killed each time on a machine that is well: by an operator's script, or by a limit on memory that
/// nobody can see from here.
#[tokio::test]
async fn a_job_whose_work_is_killed_again_and_again_lasts_ten_times_as_long_and_ends() {
    let house = House::new();
    let mut parts = house.parts();
    let health = parts.health.clone();
    parts.child = false_child("kill -9 $$");
    let config = retake_worker::Config {
        attempts_max: 1,
        ..house.config()
    };
    let worker = house.worker_with(parts, config);
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    house.ended(job).await;
    worker.stop().await;
    let job = house.record(job).await.job;
    assert_eq!((job.status, job.attempt), (Status::Failed, 10));
    assert_eq!(job.error.unwrap().kind(), Some(ProblemKind::StepCrashed));
    assert_eq!((health.ailment(), health.spared_total()), (None, 10));
}

#[tokio::test]
async fn trouble_that_is_gone_when_it_is_looked_for_is_taken_for_the_jobs() {
    let house = House::new();
    let mut parts = house.parts();
    let health = parts.health.clone();
    // It says of itself that it could not read a file of ours.
    parts.child = false_child(
        r#"read -r request; echo '{"failed":{"ours":{"detail":"no such file","no_room":false}}}'"#,
    );
    let worker = house.worker(parts);
    let job = house.accept(recording(4_800), json!({"steps": []})).await;
    house.ended(job).await;
    worker.stop().await;
    let job = house.record(job).await.job;
    assert_eq!(job.status, Status::Failed);
    assert_eq!(job.attempt, house.terms().attempts_max);
    assert_eq!(job.error.unwrap().kind(), Some(ProblemKind::Unavailable));
    assert_eq!((health.ailment(), health.spared_total()), (None, 0));
}
