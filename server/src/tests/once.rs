//! Requests that come twice (draft-ietf-httpapi-idempotency-key-header-07), and recordings that are the
//! whole body.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use retake_jobs::seams::Blobs as _;
use serde_json::json;

use super::house::{Answer, Ask, House, form, form_with, get, good_form, post, wav};

const KEY: &str = "idempotency-key";

fn upload(token: &str, key: &str) -> Ask {
    post("/api/v1/recordings").bearer(token).header(KEY, key)
}

impl House {
    async fn listed(&self, token: &str) -> usize {
        let answer = self.ask(get("/api/v1/recordings").bearer(token)).await;
        answer.json()["items"].as_array().unwrap().len()
    }
}

/// Of the same length.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places = 0..=bytes.len() - old.len();
    for place in places
        .filter(|place| bytes[*place..].starts_with(old))
        .collect::<Vec<_>>()
    {
        bytes[place..place + new.len()].copy_from_slice(new);
    }
    bytes
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

#[tokio::test]
async fn an_upload_that_is_sent_again_is_answered_as_before_and_kept_once() {
    let house = House::new().await;
    let token = house.session().await;
    let first = house
        .ask(upload(&token, "\"one\"").form(&good_form()))
        .await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert!(!replayed(&first));
    let job = first.json()["job"]["id"].as_str().unwrap().to_owned();
    house.complete(&job, b"corrected").await;
    // A form's boundary is another one each time, and quotes around the key are only its writing.
    let other = replaced(&form(&good_form()), b"----test", b"----more");
    let again = upload(&token, "one")
        .header("content-type", "multipart/form-data; boundary=----more")
        .bytes(other);
    let again = house.ask(again).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "{again:?}");
    assert!(replayed(&again));
    assert_eq!(again.json(), first.json());
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(house.listed(&token).await, 1);
    // The recording, its correction with a delta, and what draws both.
    assert_eq!(house.blobs.keys().len(), 5);
}

#[tokio::test]
async fn a_key_that_named_another_request_is_refused() {
    let house = House::new().await;
    let token = house.session().await;
    house.ask(upload(&token, "k").form(&good_form())).await;
    for other in [
        form_with("user_email", Some(b"eve@example.org")),
        form_with("format", Some(b"wav")),
        form_with("recording", Some(&wav(999))),
        form_with("chain", Some(b"no chain at all")),
    ] {
        let answer = house.ask(upload(&token, "k").form(&other)).await;
        answer.problem("idempotency-key-reused");
    }
    assert_eq!(
        (house.listed(&token).await, house.blobs.keys().len()),
        (1, 1)
    );
    // Nobody else's key.
    let other = house.session().await;
    let answer = house.ask(upload(&other, "k").form(&good_form())).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert!(!replayed(&answer));
}

#[tokio::test]
async fn a_request_that_was_refused_may_be_mended_and_sent_under_its_key() {
    let house = House::new().await;
    let token = house.session().await;
    let wrong = form_with("format", Some(b"mp9"));
    let answer = house.ask(upload(&token, "k").form(&wrong)).await;
    answer.problem("invalid-field");
    let answer = house.ask(upload(&token, "k").form(&good_form())).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn the_same_request_beside_itself_waits_and_is_free_again_when_its_line_breaks() {
    let house = House::new().await;
    let token = house.session().await;
    let body = form(&good_form());
    let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
    let (broken, breaks) = tokio::sync::oneshot::channel::<()>();
    let end = stream::once(async move {
        let _ = breaks.await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    let stuck = stream::iter([Ok(half)]).chain(end);
    let stuck = upload(&token, "k")
        .header("content-type", super::house::FORM_TYPE)
        .stream(stuck);
    let house = std::sync::Arc::new(house);
    let first = tokio::spawn({
        let house = house.clone();
        async move { house.ask(stuck).await }
    });
    while house.app.upload_places.open() == 0 {
        tokio::task::yield_now().await;
    }
    let beside = async || house.ask(upload(&token, "k").form(&good_form())).await;
    let refused = beside().await;
    refused.problem("request-under-way");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Its line broke: what it began is nothing, and the next is done.
    broken.send(()).unwrap();
    assert_eq!(first.await.unwrap().status, StatusCode::BAD_REQUEST);
    assert_eq!(beside().await.status, StatusCode::ACCEPTED);
    assert_eq!(
        (house.listed(&token).await, house.blobs.keys().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let house = House::new().await;
    let token = house.session().await;
    let long = "k".repeat(256);
    for bad in ["", "\"\"", "a\\b", &long] {
        let answer = house.ask(upload(&token, bad).form(&good_form())).await;
        answer.problem("invalid-request");
    }
    let twice = upload(&token, "a").line(KEY, "b").form(&good_form());
    house.ask(twice).await.problem("invalid-request");
    assert_eq!(house.listed(&token).await, 0);
}

#[tokio::test]
async fn another_job_that_is_ordered_again_is_the_same_job() {
    let house = House::new().await;
    let token = house.session().await;
    let recording = house.upload(&token).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/recordings/{recording}/jobs");
    let order = |format: &str| {
        let chain = json!({"steps": [{"plugin": "gain"}]});
        let body = json!({"chain": chain, "format": format});
        post(&path).bearer(&token).header(KEY, "job").json(body)
    };
    let first = house.ask(order("wav")).await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    let again = house.ask(order("wav")).await;
    assert!(replayed(&again));
    assert_eq!(again.json(), first.json());
    house
        .ask(order("flac"))
        .await
        .problem("idempotency-key-reused");
    let all = house
        .ask(get(&format!("/api/v1/recordings/{recording}")).bearer(&token))
        .await;
    assert_eq!(all.json()["jobs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_recording_can_be_the_whole_body() {
    let house = House::new().await;
    let token = house.session().await;
    let chain = "%7B%22steps%22%3A%5B%7B%22plugin%22%3A%22gain%22%7D%5D%7D";
    let path = format!(
        "/api/v1/recordings?user_email=ann+1@example.org&file_name=take%201.wav&format=wav&chain={chain}"
    );
    for content_type in [
        "audio/wav",
        "audio/x-unknown",
        "video/mp4",
        "application/octet-stream",
    ] {
        let raw = post(&path)
            .bearer(&token)
            .header("content-type", content_type)
            .header(KEY, content_type)
            .bytes(wav(600));
        let answer = house.ask(raw).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    }
    let listed = house
        .ask(get("/api/v1/recordings").bearer(&token))
        .await
        .json();
    let first = &listed["items"][0];
    assert_eq!(first["file_name"], "take 1.wav");
    assert_eq!(first["user_email"], "ann+1@example.org");
    assert_eq!(first["size_bytes"].as_u64(), Some(wav(600).len() as u64));
    assert_eq!(first["content_type"], "audio/wav");
    assert_eq!(first["newest_job"]["format"], "wav");
    let key = house.blobs.keys()[0];
    assert_eq!(house.blobs.size(key).await.unwrap(), wav(600).len() as u64);
}

#[tokio::test]
async fn a_recording_that_comes_again_without_end_is_read_to_the_limit() {
    let house = House::with(|config| config.upload_bytes_max = 100_000).await;
    let token = house.session().await;
    let raw = || {
        post("/api/v1/recordings?user_email=a@example.org&chain=%7B%22steps%22%3A%5B%7B%22plugin%22%3A%22gain%22%7D%5D%7D")
            .bearer(&token)
            .header("content-type", "audio/wav")
            .header(KEY, "k")
    };
    let answer = house.ask(raw().bytes(wav(600))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let begun = stream::iter([Ok(Bytes::from(wav(600)))]);
    let endless = begun.chain(stream::repeat_with(|| Ok(Bytes::from_static(&[0; 1_000]))));
    house.ask(raw().stream(endless)).await.problem("too-large");
}

#[tokio::test]
async fn a_query_that_is_not_known_is_refused_wherever_fields_may_stand_in_it() {
    let house = House::new().await;
    let token = house.session().await;
    let chain = "%7B%22steps%22%3A%5B%7B%22plugin%22%3A%22gain%22%7D%5D%7D";
    let path = format!(
        "/api/v1/recordings?user_email=a@example.org&presett=speech&format=mp9&chain={chain}"
    );
    let raw = post(&path)
        .bearer(&token)
        .header("content-type", "audio/wav")
        .bytes(wav(600));
    let answer = house.ask(raw).await;
    answer.problem("invalid-field");
    assert_eq!(answer.pointers(), ["/presett", "/format"]);
    let form = post("/api/v1/recordings?preset=speech")
        .bearer(&token)
        .form(&good_form());
    let answer = house.ask(form).await;
    answer.problem("invalid-field");
    assert_eq!(answer.pointers(), ["/preset"]);
    let list = get("/api/v1/recordings?page=2").bearer(&token);
    assert_eq!(house.ask(list).await.pointers(), ["/page"]);
    let empty = post("/api/v1/recordings?user_email=a@example.org")
        .bearer(&token)
        .header("content-type", "audio/wav");
    house.ask(empty).await.problem("empty-audio");
    assert_eq!(house.blobs.keys().len(), 0);
}
