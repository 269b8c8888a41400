//! What only shows on a real connection: silence, stalls, broken lines, and stopping.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use super::{
    house::{Memory, SOON, form, form_with, good_form, wav},
    site::{Site, read_to_end, read_until},
};
use crate::{Config, ServeError, WebApp, open};

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed_whatever_it_began_with() {
    let site = Site::open(|config| config.header_ms = 200).await;
    // "P" and "PRI" could become HTTP/2, "G" is HTTP/1; none of them goes on.
    for beginning in [
        "",
        "P",
        "PRI * HTTP/2.0\r\n",
        "G",
        "GET / HTTP/1.1\r\nhost: x\r\n",
    ] {
        let answer = site.say(beginning).await;
        assert!(
            !answer.contains(" 200 "),
            "{beginning:?} was answered {answer:?}"
        );
    }
    // The same between two requests.
    let mut stream = site.connect().await;
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn too_many_and_too_long_headers_are_431() {
    let site = Site::open(|_| {}).await;
    let many: String = (0..100).map(|i| format!("x-{i}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "y".repeat(100_000));
    for headers in [many, long] {
        let answer = site
            .say(format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{headers}\r\n"))
            .await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_stalls_is_408_and_leaves_nothing() {
    let site = Site::open(|config| config.body_idle_ms = 100).await;
    let token = site.token().await;
    let body = form(&good_form());
    let mut text = Site::upload_head(&token, body.len()).into_bytes();
    text.extend_from_slice(&body[..body.len() / 2]);
    let answer = site.say(&text).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("/problems/request-timeout"), "{answer}");
    assert_eq!(site.memory.blobs.keys(), []);
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_400_and_leaves_nothing() {
    let site = Site::open(|_| {}).await;
    let token = site.token().await;
    // The recording is last: it is being stored when the line breaks.
    let body = form(&form_with("recording", Some(&wav(100_000))));
    let mut stream = site.connect().await;
    stream
        .write_all(Site::upload_head(&token, body.len()).as_bytes())
        .await
        .unwrap();
    stream.write_all(&body[..body.len() / 2]).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(site.memory.blobs.keys(), []);
}

#[tokio::test]
async fn an_upload_whose_line_breaks_after_the_recording_leaves_no_bytes() {
    let site = Site::open(|_| {}).await;
    let token = site.token().await;
    let mut fields = good_form();
    fields.rotate_right(1);
    let body = form(&fields);
    let mut stream = site.connect().await;
    stream
        .write_all(Site::upload_head(&token, body.len()).as_bytes())
        .await
        .unwrap();
    stream.write_all(&body[..body.len() - 100]).await.unwrap();
    let stored = async {
        while site.memory.blobs.keys().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, stored)
        .await
        .expect("the recording is stored");
    // Not a polite end: the client is gone.
    stream.set_zero_linger().unwrap();
    drop(stream);
    let cleaned = async {
        while !site.memory.blobs.keys().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, cleaned)
        .await
        .expect("its bytes are taken away");
}

#[tokio::test]
async fn a_client_still_sending_can_read_why_it_was_refused() {
    let site = Site::open(|config| config.upload_bytes_max = 100_000).await;
    let token = site.token().await;
    let length = 20_000_000;
    let mut stream = site.connect().await;
    stream
        .write_all(Site::upload_head(&token, length).as_bytes())
        .await
        .unwrap();
    let (mut reading, mut writing) = stream.split();
    let write = async {
        // A client that sends all it has before it looks up.
        let chunk = vec![b'x'; 65_536];
        let mut sent = 0;
        while sent < length && writing.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
        }
        sent
    };
    let sent: usize = tokio::time::timeout(SOON, write)
        .await
        .expect("the server goes on reading");
    assert!(sent >= length, "reset after {sent} bytes");
    let mut answer = vec![0; 4096];
    let read = reading
        .read(&mut answer)
        .await
        .expect("no reset before the answer");
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(
        answer.starts_with("HTTP/1.1 413 "),
        "after {sent} bytes: {answer}"
    );
}

#[tokio::test]
async fn an_expected_100_is_not_given_to_what_is_too_large() {
    let site = Site::open(|_| {}).await;
    let token = site.token().await;
    let head = Site::upload_head(&token, usize::MAX / 2);
    let answer = site
        .say(head.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn stopping_ends_open_streams_with_a_goodbye_and_closes_idle_connections() {
    let site = Site::open(|_| {}).await;
    let token = site.token().await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = site.connect().await;
        stream
            .write_all(Site::events(&token).as_bytes())
            .await
            .unwrap();
        read_until(&mut stream, "retry: ").await;
        streams.push(stream);
    }
    let _idle = site.connect().await;
    let began = Instant::now();
    site.stop.cancel();
    for mut stream in streams {
        let rest = read_to_end(&mut stream).await;
        assert!(rest.contains("event: bye"), "{rest}");
    }
    tokio::time::timeout(SOON, site.served)
        .await
        .expect("it stops")
        .unwrap();
    let drain = Duration::from_millis(Config::default().drain_ms);
    assert!(began.elapsed() < drain / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_upload_under_way_is_finished_before_the_server_stops() {
    let site = Site::open(|_| {}).await;
    let token = site.token().await;
    site.memory
        .store
        .put_plugin(&super::house::gain(), 5)
        .await
        .unwrap();
    let body = form(&good_form());
    let (first, second) = body.split_at(body.len() / 2);
    let mut stream = site.connect().await;
    stream
        .write_all(Site::upload_head(&token, body.len()).as_bytes())
        .await
        .unwrap();
    stream.write_all(first).await.unwrap();
    // Its place is taken once the server reads it.
    let metrics = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let reading = async { while !site.say(metrics).await.contains("\nretake_uploads 1\n") {} };
    tokio::time::timeout(SOON, reading)
        .await
        .expect("the upload began");
    site.stop.cancel();
    let refused = async { while TcpStream::connect(site.address).await.is_ok() {} };
    tokio::time::timeout(SOON, refused)
        .await
        .expect("no new connections");
    stream.write_all(second).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    tokio::time::timeout(SOON, site.served)
        .await
        .expect("it stops")
        .unwrap();
    assert_eq!(site.memory.blobs.keys().len(), 1);
}

#[tokio::test]
async fn an_upload_that_stalls_and_a_player_that_pauses_do_not_hold_the_stop() {
    let site = Site::open(|_| {}).await;
    let token = site.token().await;
    let gain = super::house::gain();
    site.memory.store.put_plugin(&gain, 5).await.unwrap();
    // More than the sockets in between hold.
    let body = form(&form_with("recording", Some(&wav(30_000_000))));
    let mut whole = site.connect().await;
    let head = Site::upload_head(&token, body.len());
    whole.write_all(head.as_bytes()).await.unwrap();
    whole.write_all(&body).await.unwrap();
    let mut answer = String::new();
    while !answer.contains("event_id") {
        let mut piece = [0; 4096];
        let read = tokio::time::timeout(SOON, whole.read(&mut piece)).await;
        let read = read.expect("an answer").unwrap();
        assert!(read > 0, "{answer}");
        answer.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    let id = answer.split("\"id\":\"").nth(1).unwrap();
    let id = &id[..id.find('"').unwrap()];

    let mut paused = site.connect().await;
    let ask = format!(
        "GET /api/v1/recordings/{id}/audio HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    paused.write_all(ask.as_bytes()).await.unwrap();
    let mut begins = [0; 12];
    paused.read_exact(&mut begins).await.unwrap();
    assert_eq!(&begins, b"HTTP/1.1 200");
    let mut stalled = site.connect().await;
    stalled.write_all(head.as_bytes()).await.unwrap();
    stalled.write_all(&body[..100_000]).await.unwrap();
    let metrics = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let reading = async { while !site.say(metrics).await.contains("\nretake_uploads 1\n") {} };
    tokio::time::timeout(SOON, reading)
        .await
        .expect("the upload began");

    let began = Instant::now();
    site.stop.cancel();
    tokio::time::timeout(SOON, site.served)
        .await
        .expect("it stops")
        .unwrap();
    let drain = Duration::from_millis(Config::default().drain_ms);
    assert!(began.elapsed() < drain / 2, "{:?}", began.elapsed());
    assert_eq!(
        site.memory.blobs.keys().len(),
        1,
        "the stalled one left nothing"
    );
}

#[tokio::test]
async fn what_does_not_end_in_the_drain_time_is_cut_and_leaves_nothing() {
    let site = Site::open(|config| config.drain_ms = 100).await;
    let token = site.token().await;
    let mut stream = site.connect().await;
    let body = form(&form_with("recording", Some(&wav(100_000))));
    stream
        .write_all(Site::upload_head(&token, body.len()).as_bytes())
        .await
        .unwrap();
    stream.write_all(&body[..50_000]).await.unwrap();
    site.stop.cancel();
    tokio::time::timeout(SOON, site.served)
        .await
        .expect("it stops")
        .unwrap();
    assert_eq!(site.memory.blobs.keys(), []);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_so_and_a_place_is_given_back() {
    let site = Site::open(|config| config.connections_max = 2).await;
    let (first, second) = (site.connect().await, site.connect().await);
    let get = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    // Whether it has asked already or is still silent.
    for beginning in [get, ""] {
        let refused = site.say(beginning).await;
        assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
        assert!(refused.contains("/problems/unavailable"), "{refused}");
        assert!(refused.contains("retry-after: 1"), "{refused}");
    }
    drop(first);
    let again = async { while !site.say(get).await.starts_with("HTTP/1.1 200 ") {} };
    tokio::time::timeout(SOON, again)
        .await
        .expect("the place is given back");
    drop(second);
}

#[tokio::test]
async fn a_client_that_stops_reading_is_cut_off() {
    let site = Site::open(|config| {
        config.write_stall_ms = 200;
        config.connections_max = 1;
    })
    .await;
    site.memory
        .store
        .put_plugin(&super::house::gain(), 5)
        .await
        .unwrap();
    let token = site.token().await;
    // More than the kernel's buffers hold.
    let body = form(&form_with("recording", Some(&wav(40_000_000))));
    let mut text = Site::upload_head(&token, body.len())
        .replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")
        .into_bytes();
    text.extend_from_slice(&body);
    let answer = site.say(&text).await;
    let id = answer.split("\"id\":\"").nth(1).unwrap()[..36].to_owned();
    let mut stuck = site.connect().await;
    let get = format!(
        "GET /api/v1/recordings/{id}/audio HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stuck.write_all(get.as_bytes()).await.unwrap();
    // Its place is free again although it never closed.
    let get = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let again = async { while !site.say(get).await.starts_with("HTTP/1.1 200 ") {} };
    tokio::time::timeout(SOON, again)
        .await
        .expect("it is cut off");
}

#[tokio::test]
async fn http_2_without_tls_is_spoken_too() {
    let site = Site::open(|_| {}).await;
    let mut stream = site.connect().await;
    // Preface and an empty SETTINGS frame; the server's own SETTINGS comes back.
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut frame = [0; 9];
    tokio::time::timeout(SOON, stream.read_exact(&mut frame))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(frame[3], 4, "a SETTINGS frame");
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused_whole() {
    let memory = Memory::new();
    let config = Config {
        drain_ms: 0,
        uploads_max: 0,
        ..Config::default()
    };
    let parts = memory.parts(memory.blobs.clone());
    let refused = open(parts, config).err();
    assert!(
        matches!(&refused, Some(ServeError::Config(problems)) if problems.len() == 2),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_page_comes_from_a_folder_with_the_hash_of_its_script() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<script>go()</script>").unwrap();
    std::fs::write(folder.path().join("app.js"), "1").unwrap();
    let path = folder.path().to_owned();
    let site = Site::open(|config| config.web = WebApp::Folder(path)).await;
    let get = |path: &str| {
        site.say(format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        ))
    };
    let page = get("/plugins").await;
    assert!(
        page.starts_with("HTTP/1.1 200 ") && page.ends_with("<script>go()</script>"),
        "{page}"
    );
    assert!(page.contains("script-src 'self' 'sha256-"), "{page}");
    assert!(page.contains("cache-control: no-cache"), "{page}");
    assert!(
        get("/app.js")
            .await
            .contains("content-type: text/javascript")
    );
    assert!(get("/gone.js").await.starts_with("HTTP/1.1 404 "));
    assert!(
        get("/api/v1/gone")
            .await
            .contains("application/problem+json")
    );
}
