//! Uploads that come in pieces (tus 1.0.0).

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use retake_jobs::clock::{Clock, ManualClock, SystemClock};
use serde_json::json;
use sha1::{Digest, Sha1};

use super::house::{Answer, Ask, House, Memory, ask, get, good_chain, post, wav};

fn metadata(fields: &[(&str, &str)]) -> String {
    let pair = |(key, value): &(&str, &str)| format!("{key} {}", BASE64_STANDARD.encode(value));
    fields.iter().map(pair).collect::<Vec<_>>().join(",")
}

pub fn good() -> String {
    let chain = serde_json::to_string(&good_chain()).unwrap();
    metadata(&[
        ("chain", &chain),
        ("filename", "take 1.wav"),
        ("user_email", "ann@example.org"),
        ("format", "flac"),
        ("filetype", "audio/wav"),
    ])
}

fn tus(ask: Ask, token: &str) -> Ask {
    ask.bearer(token).header("tus-resumable", "1.0.0")
}

fn create(token: &str, length: usize) -> Ask {
    tus(post("/api/v1/uploads"), token)
        .header("upload-length", &length.to_string())
        .header("upload-metadata", &good())
}

fn piece(token: &str, at: &str, offset: usize, bytes: &[u8]) -> Ask {
    tus(ask(Method::PATCH, at), token)
        .header("upload-offset", &offset.to_string())
        .header("content-type", "application/offset+octet-stream")
        .bytes(bytes.to_vec())
}

async fn begun(house: &House, ask: Ask) -> String {
    let answer = house.ask(ask).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.body);
    assert!(answer.header("upload-expires").unwrap().ends_with(" GMT"));
    answer.header("location").unwrap().to_owned()
}

async fn head(house: &House, token: &str, at: &str) -> Answer {
    house.ask(tus(ask(Method::HEAD, at), token)).await
}

fn offset(answer: &Answer) -> Option<&str> {
    assert_eq!(
        answer.header("tus-resumable"),
        Some("1.0.0"),
        "{:?}",
        answer.body
    );
    answer.header("upload-offset")
}

async fn recordings(house: &House, token: &str) -> Vec<serde_json::Value> {
    let list = house
        .ask(get("/api/v1/recordings").bearer(token))
        .await
        .json();
    list["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn pieces_become_one_recording_with_one_job() {
    let house = House::new().await;
    let token = house.session().await;
    let audio = wav(300_000);
    let at = begun(&house, create(&token, audio.len())).await;
    assert_eq!(offset(&head(&house, &token, &at).await), Some("0"));
    let first = house.ask(piece(&token, &at, 0, &audio[..100_000])).await;
    assert_eq!(
        (first.status, offset(&first)),
        (StatusCode::NO_CONTENT, Some("100000"))
    );
    let now = head(&house, &token, &at).await;
    assert_eq!(
        (offset(&now), now.header("upload-length")),
        (Some("100000"), Some("300000"))
    );
    house
        .ask(piece(&token, &at, 5, &audio[5..9]))
        .await
        .problem("offset-mismatch");
    assert_eq!(recordings(&house, &token).await.len(), 0);
    for _ in 0..2 {
        // The answer to the last piece is lost, and it is sent again from where HEAD says.
        let last = house
            .ask(piece(&token, &at, 100_000, &audio[100_000..]))
            .await;
        if last.status == StatusCode::NO_CONTENT {
            assert_eq!(offset(&last), Some("300000"));
        } else {
            last.problem("offset-mismatch");
        }
        assert_eq!(offset(&head(&house, &token, &at).await), Some("300000"));
    }
    let all = recordings(&house, &token).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["file_name"], "take 1.wav");
    assert_eq!(all[0]["size_bytes"], 300_000);
    assert_eq!(
        (
            &all[0]["job_counts"]["total"],
            &all[0]["newest_job"]["format"]
        ),
        (&json!(1), &json!("flac"))
    );
    let told = house.ask(get(&at).bearer(&token)).await.json();
    assert_eq!(told["job_id"], all[0]["newest_job"]["id"]);
    assert_eq!(told["links"]["recording"], all[0]["links"]["self"]);
    let original = all[0]["links"]["audio"].as_str().unwrap();
    assert_eq!(house.ask(get(original).bearer(&token)).await.body, audio);
}

#[tokio::test]
async fn what_came_before_a_cut_is_kept_and_nothing_else_is_acknowledged() {
    let house = House::new().await;
    let token = house.session().await;
    let audio = wav(300_000);
    let at = begun(&house, create(&token, audio.len())).await;
    let parts = vec![
        Ok(Bytes::copy_from_slice(&audio[..200_000])),
        Err(std::io::Error::other("cut")),
    ];
    let cut = tus(ask(Method::PATCH, &at), &token)
        .header("upload-offset", "0")
        .header("content-type", "application/offset+octet-stream")
        .stream(futures_util::stream::iter(parts));
    house.ask(cut).await.problem("invalid-request");
    assert_eq!(offset(&head(&house, &token, &at).await), Some("200000"));
    let rest = house
        .ask(piece(&token, &at, 200_000, &audio[200_000..]))
        .await;
    assert_eq!(rest.status, StatusCode::NO_CONTENT);
    assert_eq!(recordings(&house, &token).await.len(), 1);
}

#[tokio::test]
async fn a_process_that_dies_before_the_recording_is_there_leaves_it_to_the_next() {
    let house = House::new().await;
    let token = house.session().await;
    let audio = wav(3_000);
    let at = begun(&house, create(&token, audio.len())).await;
    let id = at.rsplit('/').next().unwrap();
    // As a process leaves it that dies between the last byte and what comes of it.
    let part = house.partials().join(format!("{id}.part"));
    std::fs::write(part, &audio).unwrap();
    for _ in 0..2 {
        assert_eq!(offset(&head(&house, &token, &at).await), Some("3000"));
        assert_eq!(recordings(&house, &token).await.len(), 1);
    }
    // And one that dies before it has noted what became of it: the key remembers.
    let state = house.partials().join(format!("{id}.json"));
    let noted = std::fs::read_to_string(&state).unwrap();
    let mut forgot: serde_json::Value = serde_json::from_str(&noted).unwrap();
    forgot["job"] = serde_json::Value::Null;
    std::fs::write(&state, forgot.to_string()).unwrap();
    std::fs::write(house.partials().join(format!("{id}.part")), &audio).unwrap();
    assert_eq!(offset(&head(&house, &token, &at).await), Some("3000"));
    assert_eq!(recordings(&house, &token).await.len(), 1);
    assert_eq!(std::fs::read_to_string(&state).unwrap(), noted);
    assert_eq!(house.blobs.keys().len(), 1);
}

#[tokio::test]
async fn a_piece_that_is_not_what_it_should_be_is_not_kept() {
    let house = House::new().await;
    let token = house.session().await;
    let audio = wav(3_000);
    let at = begun(&house, create(&token, audio.len())).await;
    let sum = |bytes: &[u8]| format!("sha1 {}", BASE64_STANDARD.encode(Sha1::digest(bytes)));
    let sent = |right: &[u8]| {
        piece(&token, &at, 0, &audio[..1_000]).header("upload-checksum", &sum(right))
    };
    house
        .ask(sent(&audio[1..]))
        .await
        .problem("checksum-mismatch");
    assert_eq!(offset(&head(&house, &token, &at).await), Some("0"));
    let right = house.ask(sent(&audio[..1_000])).await;
    assert_eq!(offset(&right), Some("1000"));
    let other = piece(&token, &at, 1_000, &audio[1_000..]).header("upload-checksum", "md5 AAAA");
    house.ask(other).await.problem("invalid-request");
}

#[tokio::test]
async fn a_length_may_be_told_later_and_the_first_piece_with_the_beginning() {
    let house = House::new().await;
    let token = house.session().await;
    let audio = wav(3_000);
    let deferred = tus(post("/api/v1/uploads"), &token)
        .header("upload-defer-length", "1")
        .header("upload-metadata", &good())
        .header("content-type", "application/offset+octet-stream")
        .bytes(audio[..2_000].to_vec());
    let answer = house.ask(deferred).await;
    assert_eq!(
        (answer.status, offset(&answer)),
        (StatusCode::CREATED, Some("2000"))
    );
    let at = answer.header("location").unwrap();
    let now = head(&house, &token, at).await;
    assert_eq!(
        (offset(&now), now.header("upload-defer-length")),
        (Some("2000"), Some("1"))
    );
    house.ask(piece(&token, at, 2_000, &audio[2_000..])).await;
    assert_eq!(recordings(&house, &token).await.len(), 0);
    let last = piece(&token, at, 3_000, b"").header("upload-length", "3000");
    assert_eq!(house.ask(last).await.status, StatusCode::NO_CONTENT);
    assert_eq!(recordings(&house, &token).await.len(), 1);
}

#[tokio::test]
async fn an_upload_is_its_owners_until_it_is_given_up_or_expires() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let memory = Memory {
        clock: clock.clone(),
        ..Memory::new()
    };
    let house = House::on(
        memory,
        |config| config.resumable_uploads_per_owner_max = 2,
        |it| it,
    )
    .await;
    let (token, stranger) = (house.session().await, house.session().await);
    let at = begun(&house, create(&token, 3_000)).await;
    for method in [Method::HEAD, Method::GET, Method::DELETE] {
        let theirs = house.ask(tus(ask(method.clone(), &at), &stranger)).await;
        assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{method}");
    }
    house
        .ask(piece(&stranger, &at, 0, b"RIFF"))
        .await
        .problem("not-found");
    let second = begun(&house, create(&token, 3_000)).await;
    house
        .ask(create(&token, 3_000))
        .await
        .problem("too-many-requests");
    let given_up = house.ask(tus(ask(Method::DELETE, &second), &token)).await;
    assert_eq!(given_up.status, StatusCode::NO_CONTENT);
    assert_eq!(
        head(&house, &token, &second).await.status,
        StatusCode::NOT_FOUND
    );
    clock.advance(SignedDuration::from_hours(12));
    assert_eq!(
        head(&house, &token, &at).await.status,
        StatusCode::NOT_FOUND
    );
    let swept = house.app.partials.sweep(clock.now()).await.unwrap();
    let left = std::fs::read_dir(house.partials()).unwrap().count();
    assert_eq!((swept, left), (1, 0));
}

#[tokio::test]
async fn what_passes_is_423_to_head_and_patch() {
    let house = House::new().await;
    let token = house.session().await;
    let at = begun(&house, create(&token, 3_000)).await;
    let id = at.rsplit('/').next().unwrap();
    let part = house.partials().join(format!("{id}.part"));
    let other = std::fs::OpenOptions::new().write(true).open(part).unwrap();
    other.lock().unwrap();
    assert_eq!(head(&house, &token, &at).await.status.as_u16(), 423);
    house
        .ask(piece(&token, &at, 0, b"RIFF"))
        .await
        .problem("upload-locked");
    drop(other);
    assert_eq!(head(&house, &token, &at).await.status, StatusCode::OK);
    house.stop.cancel();
    assert_eq!(head(&house, &token, &at).await.status.as_u16(), 423);
}

#[tokio::test]
async fn what_is_wrong_is_told_when_the_upload_begins() {
    let house = House::new().await;
    let token = house.session().await;
    let begin = |length: &str, metadata: &str| {
        tus(post("/api/v1/uploads"), &token)
            .header("upload-length", length)
            .header("upload-metadata", metadata)
    };
    for (ask, problem) in [
        (begin("9", "user_email !"), "invalid-request"),
        (
            begin("9", &metadata(&[("user_email", "ann")])),
            "invalid-field",
        ),
        (
            begin("9", &metadata(&[("colour", "blue")])),
            "invalid-field",
        ),
        (
            begin(
                "9",
                &metadata(&[("user_email", "a@b.org"), ("preset", "none")]),
            ),
            "unknown-preset",
        ),
        (begin("0", &good()), "empty-audio"),
        (begin("-1", &good()), "invalid-request"),
        (begin("999999999999", &good()), "too-large"),
        (
            begin("9", &good()).header("upload-defer-length", "1"),
            "invalid-request",
        ),
        (
            post("/api/v1/uploads").bearer(&token),
            "precondition-failed",
        ),
    ] {
        house.ask(ask).await.problem(problem);
    }
    let options = house.ask(ask(Method::OPTIONS, "/api/v1/uploads")).await;
    assert_eq!(options.header("tus-version"), Some("1.0.0"));
    assert!(
        options
            .header("tus-extension")
            .unwrap()
            .contains("creation-defer-length")
    );
    // Not audio: found once it is there.
    let at = begun(&house, create(&token, 5)).await;
    house
        .ask(piece(&token, &at, 0, b"hello"))
        .await
        .problem("not-audio");
    assert_eq!(house.blobs.keys(), []);
}
