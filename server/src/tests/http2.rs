//! HTTP/2 spoken by hand: windows that stay shut, streams without number, and that it works.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use h2::{Reason, RecvStream, client::SendRequest};
use http::{Method, Request, Response, StatusCode};
use tokio::net::TcpStream;

use super::{
    house::{FORM_TYPE, SOON, form, gain, good_form},
    site::Site,
};

/// A connection whose streams may at first be sent so many bytes.
async fn connect(address: SocketAddr, window: u32) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = h2::client::Builder::new()
        .initial_window_size(window)
        .initial_connection_window_size(1 << 30)
        .handshake(stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    sender.ready().await.unwrap()
}

fn request(method: Method, path: &str, token: &str) -> Request<()> {
    Request::builder()
        .method(method)
        .uri(format!("http://x{path}"))
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .unwrap()
}

async fn get(
    sender: &mut SendRequest<Bytes>,
    path: &str,
    token: &str,
) -> Result<Response<RecvStream>, h2::Error> {
    let (response, _) = sender.send_request(request(Method::GET, path, token), true)?;
    tokio::time::timeout(SOON, response)
        .await
        .expect("an answer")
}

/// Reads to the end; the window opens as far as is read.
async fn read(mut body: RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut all = Vec::new();
    while let Some(bytes) = tokio::time::timeout(SOON, body.data()).await.expect("more") {
        let bytes = bytes?;
        body.flow_control().release_capacity(bytes.len())?;
        all.extend_from_slice(&bytes);
    }
    Ok(all)
}

/// How a stream ends that nobody reads.
async fn cut(mut body: RecvStream) -> Option<Reason> {
    loop {
        match tokio::time::timeout(SOON, body.data())
            .await
            .expect("an end")
        {
            Some(Ok(_)) => {}
            Some(Err(error)) => return error.reason(),
            None => return None,
        }
    }
}

#[tokio::test]
async fn streams_that_take_nothing_are_cut_and_hold_no_more_than_their_budget() {
    const ROOM: u64 = 1024 * 1024;
    let site = Site::open(|config| {
        config.write_stall_ms = 3000;
        config.answer_bytes_max = ROOM;
    })
    .await;
    let token = site.token().await;
    let path = site.recording(&token, 2_000_000).await;
    // Shut from the start, open for one byte, for less than a piece, for more than one.
    for window in [0, 1, 10_000, 40_000] {
        let mut senders = Vec::new();
        let mut bodies = Vec::new();
        for _ in 0..4 {
            let mut sender = connect(site.address, window).await;
            for _ in 0..10 {
                let response = get(&mut sender, &path, &token).await.unwrap();
                assert_eq!(response.status(), StatusCode::OK);
                bodies.push(response.into_body());
            }
            senders.push(sender);
        }
        let waiting = site.metric("retake_answer_bytes_waiting").await;
        assert!(waiting <= ROOM, "window {window}: {waiting} bytes");
        // Whoever reads is not kept waiting by those who do not.
        let mut reader = connect(site.address, 1 << 20).await;
        let whole = get(&mut reader, &path, &token).await.unwrap().into_body();
        assert_eq!(read(whole).await.unwrap().len(), 2_000_000);
        for body in bodies {
            assert_eq!(cut(body).await, Some(Reason::CANCEL), "window {window}");
        }
        // The connections are none the worse.
        for sender in &mut senders {
            let response = get(sender, "/healthz", &token).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
        }
    }
    let given_back = async { while site.metric("retake_answer_bytes_waiting").await > 0 {} };
    tokio::time::timeout(SOON, given_back)
        .await
        .expect("all room is given back");
    assert_eq!(site.metric("retake_http2_streams_cut_total").await, 4 * 40);
}

#[tokio::test]
async fn answers_from_memory_count_too() {
    const ROOM: u64 = 4 * 1024 * 1024;
    let site = Site::open(|config| {
        config.write_stall_ms = 1200;
        config.answer_bytes_max = ROOM;
    })
    .await;
    let path = "/api/v1/openapi.json";
    let mut sender = connect(site.address, 1 << 20).await;
    let whole = get(&mut sender, path, "").await.unwrap().into_body();
    let length = read(whole).await.unwrap().len() as u64;
    assert!(
        length > 16 * 1024,
        "{length} bytes: too small for this test"
    );

    let mut shut = connect(site.address, 0).await;
    let mut bodies = Vec::new();
    for _ in 0..3 {
        bodies.push(get(&mut shut, path, "").await.unwrap().into_body());
    }
    let waiting = site.metric("retake_answer_bytes_waiting").await;
    assert_eq!(waiting, 3 * length);
    for body in bodies {
        assert_eq!(cut(body).await, Some(Reason::CANCEL));
    }
}

#[tokio::test]
async fn an_event_stream_that_is_silent_takes_all_it_is_given_and_is_not_cut() {
    let site = Site::open(|config| config.write_stall_ms = 300).await;
    let token = site.token().await;
    let path = site.recording(&token, 2_000_000).await;
    let mut sender = connect(site.address, 60_000).await;
    let mut events = get(&mut sender, "/api/v1/events", &token)
        .await
        .unwrap()
        .into_body();
    let hello = events.data().await.unwrap().unwrap();
    assert!(hello.starts_with(b"retry: "), "{hello:?}");
    // A neighbour that takes nothing lasts a whole stall.
    let audio = get(&mut sender, &path, &token).await.unwrap().into_body();
    assert_eq!(cut(audio).await, Some(Reason::CANCEL));
    site.recording(&token, 1000).await;
    let news = tokio::time::timeout(SOON, events.data())
        .await
        .expect("news");
    assert!(news.unwrap().unwrap().starts_with(b"id: "));
}

#[tokio::test]
async fn a_client_whose_window_is_just_the_answer_gets_all_of_it() {
    let site = Site::open(|config| config.write_stall_ms = 300).await;
    let token = site.token().await;
    for length in [100_000, 16 * 1024, 1000] {
        let path = site.recording(&token, length).await;
        let mut sender = connect(site.address, u32::try_from(length).unwrap()).await;
        let mut body = get(&mut sender, &path, &token).await.unwrap().into_body();
        let mut got = 0;
        // The window is never opened again.
        while let Some(bytes) = tokio::time::timeout(SOON, body.data()).await.expect("more") {
            got += bytes.expect("no reset").len();
        }
        assert_eq!(got, length);
    }
}

#[tokio::test]
async fn one_stream_too_many_is_refused_so_that_it_may_be_tried_again() {
    let site = Site::open(|config| config.h2_streams_max = 2).await;
    let token = site.token().await;
    let (mut one, mut other) = (
        connect(site.address, 60_000).await,
        connect(site.address, 60_000).await,
    );
    let first = get(&mut one, "/api/v1/events", &token).await.unwrap();
    let _second = get(&mut other, "/api/v1/events", &token).await.unwrap();
    let refused = get(&mut other, "/healthz", &token).await.unwrap_err();
    assert_eq!(refused.reason(), Some(Reason::REFUSED_STREAM));
    drop(first);
    let taken = async { while get(&mut other, "/healthz", &token).await.is_err() {} };
    tokio::time::timeout(SOON, taken)
        .await
        .expect("the place is given back");
}

#[tokio::test]
async fn an_address_that_holds_its_share_of_streams_leaves_the_others_theirs() {
    let site = Site::open(|config| {
        config.h2_streams_max = 4;
        config.h2_streams_per_address_max = 2;
        config.trusted_proxies = vec!["127.0.0.1".to_owned()];
    })
    .await;
    let token = site.token().await;
    let mut sender = connect(site.address, 60_000).await;
    let mut ask = async |client: &str| {
        let mut request = request(Method::GET, "/api/v1/events", &token);
        let headers = request.headers_mut();
        headers.insert("x-forwarded-for", client.parse().unwrap());
        let (response, _) = sender.send_request(request, true).unwrap();
        let answered = tokio::time::timeout(SOON, response).await;
        answered.expect("an answer").map(Response::into_body)
    };
    let (_one, two) = (
        ask("192.0.2.1").await.unwrap(),
        ask("192.0.2.1").await.unwrap(),
    );
    let refused = ask("192.0.2.1").await.unwrap_err();
    assert_eq!(refused.reason(), Some(Reason::REFUSED_STREAM));
    let _others = (
        ask("192.0.2.2").await.unwrap(),
        ask("2001:db8::1").await.unwrap(),
    );
    let all = ask("192.0.2.3").await.unwrap_err();
    assert_eq!(all.reason(), Some(Reason::REFUSED_STREAM));
    drop(two);
    let taken = async { while ask("192.0.2.1").await.is_err() {} };
    tokio::time::timeout(SOON, taken)
        .await
        .expect("the place is given back");
}

#[tokio::test]
async fn a_recording_goes_up_and_comes_down_over_http_2() {
    let site = Site::open(|_| {}).await;
    site.memory.store.put_plugin(&gain(), 5).await.unwrap();
    let token = site.token().await;
    let mut sender = connect(site.address, 60_000).await;
    let mut post = request(Method::POST, "/api/v1/recordings", &token);
    let content_type = FORM_TYPE.parse().unwrap();
    post.headers_mut().insert("content-type", content_type);
    let (response, mut body) = sender.send_request(post, false).unwrap();
    body.send_data(form(&good_form()).into(), true).unwrap();
    let response = tokio::time::timeout(SOON, response).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let accepted = read(response.into_body()).await.unwrap();
    let accepted = String::from_utf8(accepted).unwrap();
    let id = &accepted.split("\"id\":\"").nth(1).unwrap()[..36];
    let path = format!("/api/v1/recordings/{id}/audio");

    let response = get(&mut sender, &path, &token).await.unwrap();
    assert!(response.headers().contains_key("date"));
    assert_eq!(response.headers()["content-length"], "1000");
    assert_eq!(read(response.into_body()).await.unwrap().len(), 1000);

    let (head, _) = sender
        .send_request(request(Method::HEAD, &path, &token), true)
        .unwrap();
    let head = head.await.unwrap();
    assert_eq!(head.headers()["content-length"], "1000");
    assert_eq!(read(head.into_body()).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_connection_without_streams_is_closed_like_any_idle_one() {
    let site = Site::open(|config| config.header_ms = 200).await;
    let stream = TcpStream::connect(site.address).await.unwrap();
    let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
    let closed = tokio::spawn(connection);
    get(&mut sender, "/healthz", "").await.unwrap();
    let ended = tokio::time::timeout(SOON, closed)
        .await
        .expect("it is closed");
    ended.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_ends_its_event_streams_and_its_connections() {
    let site = Site::open(|_| {}).await;
    let token = site.token().await;
    let mut sender = connect(site.address, 60_000).await;
    let events = get(&mut sender, "/api/v1/events", &token).await.unwrap();
    let _idle = connect(site.address, 60_000).await;
    site.stop.cancel();
    let said = read(events.into_body()).await.unwrap();
    assert!(String::from_utf8_lossy(&said).contains("event: bye"));
    let drain = Duration::from_millis(crate::Config::default().drain_ms);
    tokio::time::timeout(drain, site.served)
        .await
        .expect("it stops before it has to cut")
        .unwrap();
}

#[tokio::test]
async fn rfc_9113_8_3_1_hosts_are_compared_and_a_path_is_known_as_over_http_1() {
    let site = Site::open(|config| {
        config.public_url = "https://example.org/re/take".to_owned();
    })
    .await;
    let mut sender = connect(site.address, 1 << 20).await;
    for (path, host, expected) in [
        ("/healthz", None, 200),
        ("/re/take/healthz", None, 200),
        ("/healthz", Some("x"), 200),
        ("/healthz", Some("y"), 400),
        ("/re/take/healthz", Some("y"), 400),
    ] {
        let mut request = request(Method::GET, path, "");
        if let Some(host) = host {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        let (response, _) = sender.send_request(request, true).unwrap();
        let response = tokio::time::timeout(SOON, response).await.unwrap().unwrap();
        assert_eq!(response.status(), expected, "{path} {host:?}");
    }
}
