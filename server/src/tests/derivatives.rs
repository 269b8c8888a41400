//! What is made of a job when it is asked for.

use bytes::Bytes;
use futures_util::stream;
use http::{Method, StatusCode};
use retake_chain::problem::{Problem, ProblemKind};
use retake_jobs::{
    derivative::{Derivative, Derived, DerivedFile},
    lease::Attempt,
    seams::Blobs,
};

use super::house::{House, TERMS, ask, get};

/// A house with a completed job, its owner's token and the job's address.
async fn furnished() -> (House, String, String) {
    let house = House::with(|config| config.derivatives_waiting_per_owner_max = 3).await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let job = made["job"]["id"].as_str().unwrap();
    house.complete(job, b"fLaC").await;
    let address = format!("/api/v1/jobs/{job}");
    (house, token, address)
}

impl House {
    async fn claim_derivative(&self) -> (Attempt<Derivative>, Derivative) {
        let claimed = self.store.claim_errand("a worker", TERMS).await;
        claimed.unwrap().expect("one waits")
    }

    /// Does what a worker does with the oldest that waits.
    async fn derive(&self, bytes: &'static [u8]) -> Derivative {
        let (attempt, derivative) = self.claim_derivative().await;
        let body = Box::pin(stream::iter([Ok(Bytes::from_static(bytes))]));
        let info = self.blobs.put(attempt.key(), body, u64::MAX).await.unwrap();
        let file = DerivedFile {
            content_type: "audio/mpeg".to_owned(),
            size_bytes: info.size_bytes,
            sha256: info.sha256,
            warnings: Vec::new(),
        };
        let settled = self.store.settle(attempt, Derived::from(file)).await;
        settled.unwrap().unwrap();
        derivative
    }
}

#[tokio::test]
async fn a_rendition_is_made_for_whoever_asks_and_kept() {
    let (house, token, job) = furnished().await;
    let path = format!("{job}/renditions/mp3:bitrate=64,mono");
    let not_yet = house
        .ask(get(&path).bearer(&token).header("prefer", "wait=0"))
        .await;
    assert_eq!(not_yet.status, StatusCode::ACCEPTED);
    assert_eq!(not_yet.header("retry-after"), Some("1"));
    assert_eq!(not_yet.header("cache-control"), Some("no-store"));
    let told = not_yet.json();
    assert_eq!(told["status"], "waiting");
    assert_eq!(told["kind"], "rendition");
    assert_eq!(told["links"]["self"], path.as_str());

    // Whoever waits gets it as soon as it is there.
    let waiting = house.ask(get(&path).bearer(&token));
    let (ready, made) = tokio::join!(waiting, house.derive(b"an mp3"));
    assert_eq!(made.kind.to_string(), "rendition/mp3:bitrate=64,mono");
    assert_eq!(ready.status, StatusCode::OK);
    assert_eq!(ready.body, "an mp3");
    assert_eq!(ready.header("content-type"), Some("audio/mpeg"));
    assert_eq!(
        ready.header("cache-control"),
        Some("private, max-age=31536000, immutable, no-transform")
    );
    let name = ready.header("content-disposition").unwrap();
    assert!(name.ends_with("take%201-corrected.mp3"), "{name}");
    let etag = ready.header("etag").unwrap().to_owned();

    // However it is escaped and in whatever order: it is there.
    let escaped = format!("{job}/renditions/mp3%3Amono%2Cbitrate=64");
    let again = house
        .ask(get(&escaped).bearer(&token).header("range", "bytes=3-"))
        .await;
    assert_eq!(again.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(again.body, "mp3");
    let known = get(&path).bearer(&token).header("if-none-match", &etag);
    assert_eq!(house.ask(known).await.status, StatusCode::NOT_MODIFIED);
    let head = house.ask(ask(Method::HEAD, &path).bearer(&token)).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));

    let listed = house
        .ask(get(&format!("{job}/derivatives")).bearer(&token))
        .await;
    let listed = listed.json();
    let kinds = |item: &serde_json::Value| item["kind"].as_str().unwrap().to_owned();
    let items = listed["items"].as_array().unwrap();
    let listed: Vec<_> = items.iter().map(kinds).collect();
    assert_eq!(listed, ["peaks", "peaks", "rendition"]);
    assert_eq!(items[2]["status"], "ready");
    assert_eq!(items[2]["size_bytes"], 6);
    let job = house.ask(get(&job).bearer(&token)).await.json();
    let link = job["links"]["derivatives"].as_str().unwrap();
    assert!(link.ends_with("/derivatives"), "{link}");
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_with_what_can() {
    let (house, token, job) = furnished().await;
    for (rendition, said) in [
        ("mp4", "\"mp4\" is no format"),
        ("mp3:bitrate=900", "bitrate is 900 kbit/s; mp3 has 8 to 320"),
        ("opus:rate=44100", "rate is 44100 Hz"),
    ] {
        let path = format!("{job}/renditions/{rendition}");
        let answer = house.ask(get(&path).bearer(&token)).await;
        let problem = answer.problem("invalid-field");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{detail}");
        assert_eq!(problem["errors"][0]["pointer"], "/rendition");
    }
    for path in [
        "peaks/both",
        "spectrograms/original/1001/0",
        "spectrograms/original/100/-1",
        "spectrograms/removed/100/0",
    ] {
        let answer = house
            .ask(get(&format!("{job}/{path}")).bearer(&token))
            .await;
        answer.problem("not-found");
    }
    let (attempt, _) = {
        let asked = get(&format!("{job}/compare")).bearer(&token);
        house.ask(asked.header("prefer", "wait=0")).await;
        house.claim_derivative().await
    };
    let problem = Problem::new(ProblemKind::DamagedAudio, "a test");
    let failed = house.store.settle(attempt, Derived::Failed(problem)).await;
    failed.unwrap().unwrap();
    let answer = house
        .ask(get(&format!("{job}/compare")).bearer(&token))
        .await;
    assert_eq!(answer.problem("damaged-audio")["detail"], "a test");
}

#[tokio::test]
async fn nothing_is_made_for_strangers_nor_of_what_is_not_completed() {
    let (house, token, job) = furnished().await;
    let compare = format!("{job}/compare");
    house.ask(get(&compare)).await.problem("unauthenticated");
    let stranger = house.session().await;
    for path in [
        "compare",
        "renditions/mp3",
        "derivatives",
        "peaks/original.dat",
    ] {
        let asked = get(&format!("{job}/{path}")).bearer(&stranger);
        house.ask(asked).await.problem("not-found");
    }
    let made = house.upload(&token).await;
    let queued = format!(
        "/api/v1/jobs/{}/compare",
        made["job"]["id"].as_str().unwrap()
    );
    house
        .ask(get(&queued).bearer(&token))
        .await
        .problem("not-ready");
    let claimed = house.store.claim_errand("a worker", TERMS).await.unwrap();
    let claimed: Option<(Attempt<Derivative>, Derivative)> = claimed;
    assert!(claimed.is_none(), "{claimed:?}");
}

#[tokio::test]
async fn no_more_of_ones_own_wait_than_may() {
    let (house, token, job) = furnished().await;
    let tile = async |number: u32| {
        let path = format!("{job}/spectrograms/corrected/100/{number}");
        let asked = get(&path).bearer(&token).header("prefer", "wait=0");
        house.ask(asked).await
    };
    for number in 0..3 {
        assert_eq!(tile(number).await.status, StatusCode::ACCEPTED);
    }
    let answer = tile(3).await;
    answer.problem("too-many-requests");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(tile(1).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn what_came_with_the_job_is_there_at_once_and_nobody_makes_it() {
    let (house, token, job) = furnished().await;
    for (side, peaks) in [("original", "its peaks"), ("corrected", "their peaks")] {
        let path = format!("{job}/peaks/{side}");
        let asked = get(&path).bearer(&token).header("prefer", "wait=0");
        let answer = house.ask(asked).await;
        assert_eq!((answer.status, answer.body), (StatusCode::OK, peaks.into()));
    }
    let waiting = house.store.claim_errand("a worker", TERMS).await.unwrap();
    let waiting: Option<(Attempt<Derivative>, Derivative)> = waiting;
    assert!(waiting.is_none(), "{waiting:?}");
}
