//! What one owner may have.

use http::StatusCode;
use serde_json::json;

use super::house::{House, get, post};

#[tokio::test]
async fn requests_beyond_the_quota_wait_and_every_answer_says_what_is_left() {
    let house = House::with(|config| config.quota_requests_per_minute = 2).await;
    let (ann, eve) = (house.session().await, house.session().await);
    let mine = async |token: &str| house.ask(get("/api/v1/recordings").bearer(token)).await;
    for left in [1, 0] {
        let answer = mine(&ann).await;
        assert_eq!(answer.status, StatusCode::OK);
        let policy = answer.header("ratelimit-policy");
        assert_eq!(policy, Some("\"requests\";q=2;w=60"));
        let limit = answer.header("ratelimit").unwrap();
        assert!(limit.starts_with(&format!("\"requests\";r={left};t=")));
    }
    let refused = mine(&ann).await;
    let problem = refused.problem("quota-exceeded");
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("2 requests a minute"), "{detail}");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").is_some());
    assert_eq!(mine(&eve).await.status, StatusCode::OK);
    // Whoever needs not say who asks is not counted.
    let open = house.ask(get("/api/v1/plugins").bearer(&ann)).await;
    assert_eq!(
        (open.status, open.header("ratelimit")),
        (StatusCode::OK, None)
    );
}

#[tokio::test]
async fn bytes_beyond_the_days_quota_are_refused_before_they_are_read() {
    let house = House::with(|config| config.quota_bytes_per_day = 1500).await;
    let token = house.session().await;
    let upload = |bytes: usize| {
        let chain = "%7B%22steps%22%3A%5B%7B%22plugin%22%3A%22gain%22%7D%5D%7D";
        let path = format!("/api/v1/recordings?user_email=a@example.org&chain={chain}");
        post(&path)
            .bearer(&token)
            .header("content-type", "audio/wav")
            .header("content-length", &bytes.to_string())
            .bytes(super::house::wav(bytes))
    };
    let taken = house.ask(upload(1000)).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
    let refused = house.ask(upload(501)).await;
    let problem = refused.problem("quota-exceeded");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("1500 bytes a day") && detail.contains("1000 were handed in today"),
        "{detail}"
    );
    let limit = refused.header("ratelimit").unwrap();
    assert!(limit.starts_with("\"bytes\";r=500;t="), "{limit}");
    let fits = house.ask(upload(500)).await;
    assert_eq!(fits.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn corrected_audio_beyond_the_days_quota_lets_no_further_job_in() {
    let house = House::with(|config| config.quota_audio_s_per_day = 1).await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let (recording, job) = (&made["id"], made["job"]["id"].as_str().unwrap());
    let again = async || {
        let path = format!("/api/v1/recordings/{}/jobs", recording.as_str().unwrap());
        let order = json!({"chain": {"steps": [{"plugin": "gain"}]}});
        house.ask(post(&path).bearer(&token).json(order)).await
    };
    assert_eq!(again().await.status, StatusCode::ACCEPTED);
    // A second of audio, as the fixtures have it.
    house.complete(job, b"corrected").await;
    let problem = again().await.problem("quota-exceeded");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("1 seconds of audio a day"), "{detail}");
    // What is there can still be fetched.
    let path = format!("/api/v1/jobs/{job}/audio");
    let fetched = house.ask(get(&path).bearer(&token)).await;
    assert_eq!(fetched.status, StatusCode::OK);
}
