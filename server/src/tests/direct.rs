//! Event streams that are answered beside hyper say and refuse what those within it do.

use tokio::io::AsyncWriteExt;

use super::{
    house::{SOON, gain},
    site::{Site, read_to_end, read_until},
};

/// What only the answer beside hyper has.
const DIRECT: &str = "connection: close\r\n";

#[tokio::test]
async fn the_answer_has_the_same_head_and_the_same_news_as_within_hyper() {
    let site = Site::open(|_| {}).await;
    site.memory.store.put_plugin(&gain(), 5).await.unwrap();
    let token = site.token().await;
    let request = Site::events(&token);
    let mut direct = site.connect().await;
    direct.write_all(request.as_bytes()).await.unwrap();
    let mut within = site.connect().await;
    // A body, if an empty one: hyper's.
    let longer = request.replace("\r\n\r\n", "\r\ncontent-length: 0\r\n\r\n");
    within.write_all(longer.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    for stream in [&mut direct, &mut within] {
        let said = read_until(stream, "retry: ").await;
        let (head, _) = said.split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<String> = head.lines().map(str::to_ascii_lowercase).collect();
        lines.retain(|line| !line.starts_with("date: ") && !line.starts_with("x-request-id: "));
        lines.sort();
        told.push(lines);
    }
    let (direct_head, within_head) = (&mut told.remove(0), &told[0]);
    assert!(
        direct_head.contains(&DIRECT.trim().to_owned()),
        "{direct_head:?}"
    );
    direct_head.retain(|line| line != DIRECT.trim());
    assert_eq!(direct_head, within_head);

    site.recording(&token, 1000).await;
    for stream in [&mut direct, &mut within] {
        read_until(stream, "event: job.queued\ndata: {").await;
    }
    assert_eq!(site.metric("retake_event_streams ").await, 2);
    drop((direct, within));
    let given_back = async { while site.metric("retake_event_streams ").await > 0 {} };
    tokio::time::timeout(SOON, given_back)
        .await
        .expect("places are given back");
}

#[tokio::test]
async fn what_is_refused_within_hyper_is_refused_beside_it() {
    let site = Site::open(|config| config.streams_per_owner_max = 1).await;
    let token = site.token().await;
    let mut first = site.connect().await;
    first
        .write_all(Site::events(&token).as_bytes())
        .await
        .unwrap();
    read_until(&mut first, "retry: ").await;
    let nobody = Site::events("rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let without = "GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n".to_owned();
    for (request, status, problem) in [
        (without, "401", "unauthenticated"),
        (nobody, "401", "unauthenticated"),
        (Site::events(&token), "429", "too-many-requests"),
    ] {
        let answer = site.say(&request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.contains(&format!("/problems/{problem}")), "{answer}");
        assert!(answer.contains(DIRECT), "{answer}");
        assert!(answer.contains("x-request-id: "), "{answer}");
    }
}

#[tokio::test]
async fn a_used_connection_is_taken_from_hyper_for_events_and_for_nothing_else() {
    let site = Site::open(|_| {}).await;
    let token = site.token().await;
    let mut stream = site.connect().await;
    let alive = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let session = "POST /api/v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\
                   content-type: application/json\r\n\r\n{}";
    for request in [alive, session, alive] {
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_until(&mut stream, "}").await;
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
        assert!(!answer.contains(DIRECT), "{answer}");
    }
    // In two pieces, as networks have it.
    let request = Site::events(&token);
    let (start, end) = request.split_at(20);
    stream.write_all(start.as_bytes()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    stream.write_all(end.as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "retry: ").await;
    assert!(answer.contains(DIRECT), "{answer}");
}

#[tokio::test]
async fn requests_sent_before_they_can_be_answered_are_answered_in_order() {
    let site = Site::open(|_| {}).await;
    let token = site.token().await;
    let alive = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    // All at once, and cut at each of its bytes within the second head.
    let all = format!("{alive}{alive}{}", Site::events(&token));
    for cut in (alive.len()..all.len()).step_by(7) {
        let mut stream = site.connect().await;
        stream.write_all(&all.as_bytes()[..cut]).await.unwrap();
        tokio::task::yield_now().await;
        stream.write_all(&all.as_bytes()[cut..]).await.unwrap();
        let answer = read_until(&mut stream, "retry: ").await;
        assert_eq!(
            answer.matches("HTTP/1.1 200 ").count(),
            3,
            "cut at {cut}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_client_that_closes_its_side_is_gone() {
    let site = Site::open(|_| {}).await;
    let token = site.token().await;
    let mut stream = site.connect().await;
    stream
        .write_all(Site::events(&token).as_bytes())
        .await
        .unwrap();
    read_until(&mut stream, "retry: ").await;
    stream.shutdown().await.unwrap();
    read_to_end(&mut stream).await;
    assert_eq!(site.metric("retake_event_streams ").await, 0);
}

#[tokio::test]
async fn hosts_are_looked_at_and_a_path_is_known_as_everywhere() {
    let site = Site::open(|config| {
        config.public_url = "https://example.org/re/take".to_owned();
    })
    .await;
    site.memory.store.put_plugin(&gain(), 5).await.unwrap();
    let token = site.token().await;
    let whole = Site::events(&token);
    for host in ["", "host: a\r\nhost: a\r\n", "host: a b\r\n"] {
        let answer = site.say(whole.replace("host: x\r\n", host)).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{host:?}: {answer}");
        assert!(answer.contains(DIRECT), "{host:?}: {answer}");
    }
    let mut streams = Vec::new();
    for path in ["/api/v1/events", "/re/take/api/v1/events"] {
        let mut stream = site.connect().await;
        let request = whole.replace("/api/v1/events", path);
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_until(&mut stream, "retry: ").await;
        assert!(answer.contains(DIRECT), "{path}: {answer}");
        streams.push(stream);
    }
    site.recording(&token, 1000).await;
    for mut stream in streams {
        read_until(&mut stream, "/re/take/api/v1/jobs/").await;
    }
}
