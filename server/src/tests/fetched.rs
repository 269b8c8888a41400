//! Recordings that lie elsewhere, and are fetched.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    house::{Answer, Ask, House, get, post, wav},
    receiver::{Receiver, status},
};

fn file(bytes: &[u8], more: &str) -> Vec<u8> {
    let length = bytes.len();
    let head = format!("200 X\r\ncontent-length: {length}\r\n{more}connection: close\r\n\r\n");
    [head.as_bytes(), bytes].concat()
}

fn order(url: &str) -> Value {
    json!({
        "url": url,
        "user_email": "ann@example.org",
        "chain": {"steps": [{"plugin": "gain"}]},
        "format": "flac",
    })
}

fn fetch(token: &str, order: Value) -> Ask {
    post("/api/v1/recordings").bearer(token).json(order)
}

impl House {
    async fn refused(&self, token: &str, order: Value, kind: &str, told: &str) -> Value {
        let answer: Answer = self.ask(fetch(token, order)).await;
        let problem = answer.problem(kind);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(told), "{detail}");
        assert!(!detail.contains("s3cret"), "{detail}");
        problem
    }

    /// Nothing of what was refused is left.
    async fn is_empty(&self, token: &str) {
        let all = self.ask(get("/api/v1/recordings").bearer(token)).await;
        assert_eq!(all.json()["items"], json!([]));
        assert_eq!(self.blobs.keys(), []);
    }
}

#[tokio::test]
async fn a_recording_is_fetched_and_accepted_like_one_that_is_sent() {
    let house = House::new().await;
    let ann = house.session().await;
    let bytes = wav(100_000);
    let site = Receiver::answering(&[&file(&bytes, "")]).await;
    let url = format!("{}/takes/take%201.wav?key=s3cret", site.url);
    let accepted = house.ask(fetch(&ann, order(&url))).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/recordings/{id}");
    let seen = house.ask(get(&path).bearer(&ann)).await.json();
    assert_eq!(seen["file_name"], "take 1.wav");
    assert_eq!(seen["size_bytes"], 100_000);
    let audio = house.ask(get(&format!("{path}/audio")).bearer(&ann)).await;
    assert_eq!(audio.body, bytes);
    assert_eq!(site.heard()[0].path, "/takes/take%201.wav?key=s3cret");

    // What it is called is the request's to say, or the other site's.
    let named = Receiver::answering(&[&file(
        &bytes,
        "content-disposition: attachment; filename=\"theirs.wav\"\r\n",
    )])
    .await;
    for (name, expected) in [(json!("ours.wav"), "ours.wav"), (Value::Null, "theirs.wav")] {
        let mut order = order(&named.url);
        order["name"] = name;
        let accepted = house.ask(fetch(&ann, order)).await.json();
        let path = format!("/api/v1/recordings/{}", accepted["id"].as_str().unwrap());
        let seen = house.ask(get(&path).bearer(&ann)).await.json();
        assert_eq!(seen["file_name"], expected);
    }
}

#[tokio::test]
async fn what_cannot_be_fetched_is_told_and_leaves_nothing() {
    let house = House::with(|config| config.upload_bytes_max = 1024).await;
    let ann = house.session().await;
    for (url, told) in [
        (
            "http://127.0.0.1/s3cret",
            "127.0.0.1 leads to an address that is loopback",
        ),
        (
            "http://[::ffff:169.254.169.254]/s3cret",
            "link-local or metadata",
        ),
        ("file:///s3cret", "its scheme is \"file\""),
        (
            "https://u:s3cret@example.org/",
            "holds a user or a password",
        ),
    ] {
        let problem = house
            .refused(&ann, order(url), "address-refused", told)
            .await;
        assert_eq!(problem["errors"][0]["pointer"], "/url");
    }
    for (answer, kind, told) in [
        (
            status(404).into_bytes(),
            "fetch-failed",
            "it answered 404; it must answer 200",
        ),
        (
            b"302 X\r\nlocation: http://127.0.0.1/s3cret\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "address-refused",
            "127.0.0.1 leads to an address that is loopback",
        ),
        (
            file(&wav(100), "content-encoding: gzip\r\n"),
            "fetch-failed",
            "its content-encoding is \"gzip\"",
        ),
        (
            b"200 X\r\ncontent-length: 1000\r\nconnection: close\r\n\r\nRIFF".to_vec(),
            "fetch-failed",
            "the recording could not be fetched: it broke off",
        ),
        (file(&wav(1025), ""), "too-large", "more than 1024 bytes"),
        // Says nothing of its length.
        (
            [b"200 X\r\nconnection: close\r\n\r\n".to_vec(), wav(70_000)].concat(),
            "too-large",
            "more than 1024 bytes",
        ),
        (
            file(b"<!doctype html>", ""),
            "not-audio",
            "the recording seems to be",
        ),
        (file(b"", ""), "empty-audio", "it has 0 bytes"),
    ] {
        let site = Receiver::answering(&[&answer]).await;
        let url = format!("{}/s3cret", site.url);
        house.refused(&ann, order(&url), kind, told).await;
    }
    let nobody = order("http://127.0.0.2:1/s3cret");
    house
        .refused(&ann, nobody, "fetch-failed", "no connection could be made")
        .await;
    house.is_empty(&ann).await;
}

#[tokio::test]
async fn what_is_fetched_counts_like_what_is_sent() {
    let house = House::with(|config| config.quota_bytes_per_day = 1500).await;
    let ann = house.session().await;
    let site = Receiver::answering(&[&file(&wav(1000), "")]).await;
    let first = house.ask(fetch(&ann, order(&site.url))).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    let told = "1500 bytes a day";
    house
        .refused(&ann, order(&site.url), "quota-exceeded", told)
        .await;
}

#[tokio::test]
async fn nothing_is_fetched_where_the_fields_are_wrong_and_all_of_them_are_told() {
    let house = House::new().await;
    let ann = house.session().await;
    let site = Receiver::answering(&[&file(&wav(100), "")]).await;
    let wrong = json!({"url": site.url, "format": "x", "extra": 1, "user_email": "no"});
    let problem = house
        .refused(&ann, wrong, "invalid-field", "things are wrong")
        .await;
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["pointer"].as_str().unwrap())
        .collect();
    for pointer in ["/format", "/extra", "/user_email"] {
        assert!(pointers.contains(&pointer), "{pointers:?}");
    }
    let mut nowhere = order("");
    nowhere.as_object_mut().unwrap().remove("url");
    house
        .refused(&ann, nowhere, "invalid-field", "url is missing")
        .await;
    let mut number = order("");
    number["url"] = json!(5);
    house
        .refused(&ann, number, "invalid-field", "url is 5; it must be text")
        .await;
    let list = post("/api/v1/recordings").bearer(&ann).json(json!([1]));
    house.ask(list).await.problem("invalid-request");
    assert_eq!(site.heard().len(), 0);
    house.is_empty(&ann).await;
}

#[tokio::test]
async fn one_that_is_ordered_again_under_its_key_is_fetched_once() {
    let house = House::new().await;
    let ann = house.session().await;
    let site = Receiver::answering(&[&file(&wav(100), ""), &status(500).into_bytes()]).await;
    let ask = |order| fetch(&ann, order).header("idempotency-key", "one");
    let first = house.ask(ask(order(&site.url))).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    let again = house.ask(ask(order(&site.url))).await;
    assert_eq!(again.json(), first.json());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(site.heard().len(), 1);
    let other = house.ask(ask(order(&format!("{}/other", site.url)))).await;
    other.problem("idempotency-key-reused");
}
