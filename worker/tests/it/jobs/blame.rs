//! What happens to a worker from outside is not the fault of the job that it was at.

use retake_jobs::job::Status;
use serde_json::json;

use super::house::{House, finishing_child};
use crate::support::recording;

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
