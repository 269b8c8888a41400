//! Waiting for a job instead of asking again.

use super::house::{House, get};

#[tokio::test]
async fn whoever_would_rather_wait_is_answered_when_the_job_ends() {
    let house = House::new().await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let job = made["job"]["id"].as_str().unwrap();
    let path = format!("/api/v1/jobs/{job}");
    let asked = |prefer: &str| get(&path).bearer(&token).header("prefer", prefer);
    let now = house.ask(asked("wait=0")).await;
    assert_eq!(now.json()["status"], "queued");
    assert_eq!(now.header("preference-applied"), Some("wait=0"));
    let silent = house.ask(get(&path).bearer(&token)).await;
    assert_eq!(silent.header("preference-applied"), None);
    // More than an answer may take is not waited for.
    let (waited, ()) = tokio::join!(house.ask(asked("wait=600")), house.complete(job, b"done"));
    assert_eq!(waited.json()["status"], "completed");
    assert_eq!(waited.header("preference-applied"), Some("wait=27"));
}
