//! Nobody takes what belongs to all: forms without end, uploads that drip, places that are held.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    house::{Answer, FORM_TYPE, House, SOON, form, form_with, good_form, post, wav},
    site::Site,
};

/// Answered to a form that begins so and goes on like that for ever; and how much of it was read.
async fn endless(house: &House, start: &str, again: &'static str) -> (Answer, usize) {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    let read = Arc::new(AtomicUsize::new(0));
    let counter = read.clone();
    let rest = stream::repeat_with(move || {
        counter.fetch_add(again.len(), Ordering::Relaxed);
        Ok(Bytes::from_static(again.as_bytes()))
    });
    let start = stream::iter([Ok(Bytes::copy_from_slice(start.as_bytes()))]);
    let token = house.session().await;
    let ask = post("/api/v1/recordings")
        .bearer(&token)
        .header("content-type", FORM_TYPE)
        .stream(start.chain(rest));
    let answer = tokio::time::timeout(SOON, house.ask(ask))
        .await
        .expect("an answer");
    (answer, read.load(Ordering::Relaxed))
}

#[tokio::test]
async fn an_envelope_without_end_is_400_after_a_few_kibibytes() {
    let house = House::new().await;
    for (start, again) in [
        ("------test\r\ncontent-disposition: form-data; name=\"", "a"),
        ("------test\r\n", "x-more: of the same\r\n"),
        ("------test", " "),
        ("", "before the first part\r\n"),
    ] {
        let (answer, read) = endless(&house, start, again).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{again:?}: {:?}",
            answer.body
        );
        answer.problem("invalid-request");
        assert!(read < 10_000, "{again:?}: {read} bytes were read");
    }
    // Parts that are forms' parts are told until it is enough.
    let part = "------test\r\ncontent-disposition: form-data; name=\"\"\r\n\r\n\r\n";
    let (answer, read) = endless(&house, "", part).await;
    answer.problem("invalid-field");
    assert!(read < 10_000, "{read} bytes were read");
    assert_eq!(house.blobs.keys(), []);
}

/// Begins an upload and says no more.
async fn held(site: &Site, token: &str) -> TcpStream {
    let body = form(&good_form());
    let mut stream = site.connect().await;
    let head = Site::upload_head(token, body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..10]).await.unwrap();
    stream
}

async fn places_taken(site: &Site, count: u64) {
    let taken = async { while site.metric("retake_uploads ").await != count {} };
    tokio::time::timeout(SOON, taken).await.expect("places");
}

/// The answer to a good upload.
async fn upload(site: &Site, token: &str) -> String {
    let body = form(&form_with("recording", Some(&wav(1000))));
    let mut text = Site::upload_head(token, body.len())
        .replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")
        .into_bytes();
    text.extend_from_slice(&body);
    site.say(text).await
}

#[tokio::test]
async fn an_owner_who_holds_all_their_places_leaves_the_others_theirs() {
    let site = Site::open(|config| config.uploads_per_owner_max = 3).await;
    let gain = super::house::gain();
    site.memory.store.put_plugin(&gain, 5).await.unwrap();
    let (greedy, other) = (site.token().await, site.token().await);
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(held(&site, &greedy).await);
    }
    places_taken(&site, 3).await;
    let refused = upload(&site, &greedy).await;
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    assert!(refused.contains("3 uploads of yours"), "{refused}");
    let taken = upload(&site, &other).await;
    assert!(taken.starts_with("HTTP/1.1 202 "), "{taken}");
    drop(streams);
    places_taken(&site, 0).await;
    let taken = upload(&site, &greedy).await;
    assert!(taken.starts_with("HTTP/1.1 202 "), "{taken}");
}

#[tokio::test]
async fn an_address_with_many_sessions_leaves_places_to_others() {
    let site = Site::open(|config| config.uploads_per_address_max = 2).await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        let token = site.token().await;
        streams.push(held(&site, &token).await);
    }
    places_taken(&site, 2).await;
    let refused = upload(&site, &site.token().await).await;
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    assert!(refused.contains("network address"), "{refused}");
}

#[tokio::test]
async fn an_upload_that_drips_is_408_and_gives_its_place_back() {
    let site = Site::open(|config| {
        config.body_idle_ms = 300;
        config.upload_bytes_per_s_min = 1_000_000;
    })
    .await;
    let token = site.token().await;
    let body = form(&good_form());
    let mut stream = site.connect().await;
    let head = Site::upload_head(&token, body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    // Never silent for as long as a body may be.
    let dripping = async {
        for byte in &body[..body.len() - 1] {
            if writing.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let reading = async {
        use tokio::io::AsyncReadExt;
        while reading.read_buf(&mut answer).await.unwrap_or(0) > 0 {}
    };
    tokio::select! {
        () = dripping => unreachable!("it waits"),
        read = tokio::time::timeout(SOON, reading) => read.expect("it is cut"),
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("1000000 bytes a second"), "{answer}");
    assert_eq!(site.memory.blobs.keys(), []);
    places_taken(&site, 0).await;
}

#[tokio::test]
async fn wrong_admin_keys_are_answered_late_and_then_not_at_all_for_a_while() {
    let site = Site::open(|config| {
        config.admin_tries_per_minute_max = 2;
        config.admin_try_ms = 50;
        config.admin_key_sha256 = vec![super::house::ADMIN_KEY_SHA256.to_owned()];
    })
    .await;
    let ask = |key: String| {
        site.say(format!(
            "GET /api/v1/admin HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             authorization: Bearer {key}\r\n\r\n"
        ))
    };
    let right = super::house::ADMIN_KEY.to_owned();
    assert!(ask(right.clone()).await.starts_with("HTTP/1.1 20"));
    for wrong in [
        "rtadm_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA",
        "rtadm_",
    ] {
        let began = std::time::Instant::now();
        let answer = ask(wrong.to_owned()).await;
        assert!(answer.contains("/problems/admin-key-needed"), "{answer}");
        assert!(began.elapsed().as_millis() >= 50);
    }
    // Not even the right one is looked at now.
    let answer = ask(right).await;
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(answer.contains("retry-after: 60"), "{answer}");
    assert_eq!(site.metric("retake_admin_keys_refused_total").await, 2);
}

#[tokio::test]
async fn wrong_admin_keys_from_everywhere_slow_every_try_and_refuse_none() {
    use std::time::Instant;
    let house = House::with(|config| {
        config.admin_tries_per_minute_total_max = 3;
        config.admin_try_ms = 100;
    })
    .await;
    let peer = |last: u8| format!("192.0.2.{last}:9");
    let ask = |key: &str| super::house::get("/api/v1/admin").bearer(key);
    let right = super::house::ADMIN_KEY;
    for last in 1..=3 {
        let answer = house.ask_from(&peer(last), ask(right)).await;
        assert!(answer.status.is_success());
        let answer = house.ask_from(&peer(last), ask("rtadm_wrong")).await;
        answer.problem("admin-key-needed");
    }
    let began = Instant::now();
    let answer = house.ask_from(&peer(9), ask(right)).await;
    assert!(answer.status.is_success());
    assert!(began.elapsed().as_millis() >= 100, "everybody waits");
}
