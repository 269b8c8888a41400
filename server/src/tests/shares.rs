//! Links that open a correction to whoever has them.

use std::sync::Arc;

use http::{Method, StatusCode};
use jiff::SignedDuration;
use retake_backends::memory::MemoryStore;
use retake_jobs::clock::{Clock, ManualClock, SystemClock};
use serde_json::{Value, json};

use super::house::{House, Memory, ask, get, post};
use crate::config::Config;

struct Sharing {
    house: House,
    clock: Arc<ManualClock>,
    token: String,
    recording: String,
    job: String,
}

impl Sharing {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let memory = Memory {
            store: Arc::new(MemoryStore::new(clock.clone())),
            clock: clock.clone(),
            ..Memory::new()
        };
        let few = |config: &mut Config| config.shares_per_owner_max = 2;
        let house = House::on(memory, few, |blobs| blobs).await;
        let token = house.session().await;
        let made = house.upload(&token).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (recording, job) = (text(&made["id"]), text(&made["job"]["id"]));
        house.complete(&job, b"fLaC").await;
        Self {
            house,
            clock,
            token,
            recording,
            job,
        }
    }

    async fn share(&self, wanted: Value) -> Value {
        let path = format!("/api/v1/jobs/{}/shares", self.job);
        let made = post(&path).bearer(&self.token).json(wanted);
        let made = self.house.ask(made).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let address = made.header("location").unwrap().to_owned();
        let made = made.json();
        assert_eq!(made["links"]["self"], address.as_str());
        made
    }

    async fn status(&self, path: &str) -> StatusCode {
        let asked = get(path).header("prefer", "wait=0");
        self.house.ask(asked).await.status
    }
}

fn address(share: &Value) -> String {
    share["links"]["shared"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_has_a_link_listens_without_a_session_and_takes_nothing_away() {
    let it = Sharing::new().await;
    let share = it.share(json!({})).await;
    let token = share["token"].as_str().unwrap();
    assert_eq!(share["links"]["page"], format!("/s/{token}"));
    assert_eq!(address(&share), format!("/api/v1/shared/{token}"));
    assert_eq!(share["may_download"], false);

    let shared = it.house.ask(get(&address(&share))).await;
    assert_eq!(shared.status, StatusCode::OK);
    assert_eq!(shared.json()["file_name"], "take 1.wav");
    for hidden in [it.recording.as_str(), &it.job, "example.org"] {
        let body = String::from_utf8_lossy(&shared.body).into_owned();
        assert!(!body.contains(hidden), "{body}");
    }
    let links = shared.json()["links"].as_object().unwrap().clone();
    for (name, under, expected) in [
        ("report", "", StatusCode::OK),
        ("peaks", "/corrected", StatusCode::OK),
        ("compare", "", StatusCode::ACCEPTED),
        ("compare_tracks", "", StatusCode::ACCEPTED),
        ("spectrograms", "/original/1/0", StatusCode::ACCEPTED),
    ] {
        let path = format!("{}{under}", links[name].as_str().unwrap());
        assert_eq!(it.status(&path).await, expected, "{path}");
    }
    for name in ["original", "audio", "renditions"] {
        assert!(!links.contains_key(name));
    }
    for file in ["original", "audio", "renditions/mp3"] {
        let path = format!("{}/{file}", address(&share));
        it.house.ask(get(&path)).await.problem("not-found");
    }
}

#[tokio::test]
async fn where_the_link_says_so_the_files_may_be_taken_away() {
    let it = Sharing::new().await;
    let share = it.share(json!({"may_download": true})).await;
    let links = it.house.ask(get(&address(&share))).await.json()["links"].clone();
    let link = |name: &str| links[name].as_str().unwrap().to_owned();
    let audio = it.house.ask(get(&link("audio"))).await;
    assert_eq!(
        (audio.status, &audio.body[..]),
        (StatusCode::OK, &b"fLaC"[..])
    );
    let part = get(&link("original")).header("range", "bytes=0-3");
    let part = it.house.ask(part).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.body, "RIFF");
    let rendition = format!("{}/mp3", link("renditions"));
    assert_eq!(it.status(&rendition).await, StatusCode::ACCEPTED);
    let wrong = format!("{}/mp4", link("renditions"));
    it.house.ask(get(&wrong)).await.problem("invalid-field");
}

#[tokio::test]
async fn a_link_opens_nothing_once_it_was_revoked_or_has_expired_or_its_recording_is_gone() {
    let it = Sharing::new().await;
    let opens = async |share: &Value| it.status(&address(share)).await;
    let gone = StatusCode::NOT_FOUND;

    let share = it.share(json!({})).await;
    let revoke = async |token: &str| {
        let path = share["links"]["self"].as_str().unwrap();
        let asked = ask(Method::DELETE, path).bearer(token);
        it.house.ask(asked).await.status
    };
    let stranger = it.house.session().await;
    assert_eq!(revoke(&stranger).await, gone);
    assert_eq!(opens(&share).await, StatusCode::OK);
    assert_eq!(revoke(&it.token).await, StatusCode::NO_CONTENT);
    assert_eq!(opens(&share).await, gone);
    assert_eq!(revoke(&it.token).await, gone);

    let share = it.share(json!({"expires_in_s": 60})).await;
    it.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(opens(&share).await, gone);

    let share = it.share(json!({})).await;
    let path = format!("/api/v1/recordings/{}", it.recording);
    let deleted = ask(Method::DELETE, &path).bearer(&it.token);
    let deleted = it.house.ask(deleted).await.status;
    assert_eq!(deleted, StatusCode::OK);
    assert_eq!(opens(&share).await, gone);
    for no_link in ["rts_", "rts_a", "../jobs"] {
        let path = format!("/api/v1/shared/{no_link}");
        assert_eq!(it.status(&path).await, gone, "{path}");
    }
}

#[tokio::test]
async fn links_are_listed_to_their_owner_without_what_opens_them() {
    let it = Sharing::new().await;
    let first = it.share(json!({"expires_in_s": 60})).await;
    it.clock.advance(SignedDuration::from_secs(60));
    let listed = async |token: &str| {
        let listed = it.house.ask(get("/api/v1/shares").bearer(token)).await;
        let text = String::from_utf8_lossy(&listed.body).into_owned();
        assert!(!text.contains("rts_"), "{text}");
        listed.json()["items"].as_array().unwrap().clone()
    };
    assert_eq!(listed(&it.token).await[0]["id"], first["id"]);
    assert_eq!(listed(&it.token).await[0]["expired"], true);
    // One that has expired makes room.
    it.share(json!({})).await;
    let newest = it.share(json!({})).await;
    let ids: Vec<_> = listed(&it.token).await;
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0]["id"], newest["id"]);
    assert_eq!(ids[0]["job_id"], it.job.as_str());
    let stranger = it.house.session().await;
    assert_eq!(listed(&stranger).await, Vec::<Value>::new());
    let path = format!("/api/v1/jobs/{}/shares", it.job);
    let one_more = it.house.ask(post(&path).bearer(&it.token)).await;
    one_more.problem("too-many-keys");
}

#[tokio::test]
async fn what_cannot_be_shared_is_refused() {
    let it = Sharing::new().await;
    let path = format!("/api/v1/jobs/{}/shares", it.job);
    for seconds in [0, 59, 31_622_401] {
        let wanted = post(&path).bearer(&it.token);
        let wanted = wanted.json(json!({"expires_in_s": seconds}));
        let problem = it.house.ask(wanted).await.problem("invalid-field");
        assert_eq!(problem["errors"][0]["pointer"], "/expires_in_s");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(
            detail.contains(&format!("{seconds}; it must be 60 to 31622400")),
            "{detail}"
        );
    }
    let stranger = it.house.session().await;
    let theirs = it.house.ask(post(&path).bearer(&stranger)).await;
    theirs.problem("not-found");
    it.house.ask(post(&path)).await.problem("unauthenticated");
    let waiting = it.house.upload(&it.token).await;
    let path = format!(
        "/api/v1/jobs/{}/shares",
        waiting["job"]["id"].as_str().unwrap()
    );
    let early = it.house.ask(post(&path).bearer(&it.token)).await;
    early.problem("not-ready");
}
