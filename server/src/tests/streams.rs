//! Event streams: no gap, no double, nobody else's news, and an end.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use http_body::Body;
use retake_jobs::{
    job::{Outcome, Status},
    lease::LeaseTerms,
    message::CompletionMessage,
    seams::{Events, Progress, Queue, Topic},
};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use warp::reply::Response;

use super::{
    house::{House, SOON, ask, get, next_chunk},
    site::{Site, read_until},
};

/// Reads a stream event by event.
struct Reader<B> {
    body: B,
    text: String,
}

#[derive(Debug, PartialEq)]
struct Heard {
    id: i64,
    kind: String,
    data: Value,
}

fn reader(
    response: Response,
) -> Reader<impl Body<Data = bytes::Bytes, Error: std::fmt::Debug> + Unpin> {
    assert_eq!(response.status(), StatusCode::OK);
    Reader {
        body: response.into_body(),
        text: String::new(),
    }
}

impl<B: Body<Data = bytes::Bytes, Error: std::fmt::Debug> + Unpin> Reader<B> {
    /// The next block of lines, whatever it is; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            self.text += &next_chunk(&mut self.body).await?;
        }
    }

    /// The next event, over comments and the greeting.
    async fn event(&mut self) -> Heard {
        loop {
            let block = self.block().await.expect("the stream goes on");
            let line = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::to_owned)
            };
            if let (Some(id), Some(kind), Some(data)) =
                (line("id: "), line("event: "), line("data: "))
            {
                return Heard {
                    id: id.parse().unwrap(),
                    kind,
                    data: serde_json::from_str(&data).unwrap(),
                };
            }
        }
    }

    async fn kinds(&mut self, count: usize) -> Vec<String> {
        let mut kinds = Vec::new();
        for _ in 0..count {
            kinds.push(self.event().await.kind);
        }
        kinds
    }
}

#[tokio::test]
async fn a_stream_tells_a_jobs_whole_life_from_now_on() {
    let house = House::new().await;
    let token = house.session().await;
    house.upload(&token).await; // Before the stream: not told.
    let response = house.open(get("/api/v1/events").bearer(&token)).await;
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-store, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");
    let mut reader = reader(response);
    let newest = house.store.newest_event().await.unwrap().0;
    assert_eq!(
        reader.block().await.unwrap(),
        format!("retry: 1000\nid: {newest}")
    );

    let made = house.upload(&token).await;
    let queued = reader.event().await;
    assert_eq!(
        (queued.kind.as_str(), queued.id),
        ("job.queued", made["event_id"].as_i64().unwrap())
    );
    assert_eq!(queued.data["job"]["id"], made["job"]["id"]);
    let job = made["job"]["id"].as_str().unwrap();
    house.complete(job, b"corrected").await;
    house.events.announce(house.owner(&token).await).await;
    assert_eq!(reader.event().await.kind, "job.running");
    let completed = reader.event().await;
    assert_eq!(completed.kind, "job.completed");
    assert_eq!(
        completed.data["audio_url"],
        format!("/api/v1/jobs/{job}/audio")
    );
    assert_eq!(completed.data["job"]["status"], "completed");
}

#[tokio::test]
async fn the_events_place_from_the_answer_misses_nothing_that_follows() {
    let house = House::new().await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    house.claim(made["job"]["id"].as_str().unwrap()).await;
    let path = format!("/api/v1/events?after={}", made["event_id"]);
    let mut reader = reader(house.open(get(&path).bearer(&token)).await);
    assert_eq!(reader.event().await.kind, "job.running");
}

#[tokio::test]
async fn a_client_that_comes_back_again_and_again_hears_everything_exactly_once() {
    let house = House::new().await;
    let (token, other) = (house.session().await, house.session().await);
    let mut place = house.store.newest_event().await.unwrap().0;
    // More than one read of the log holds.
    for _ in 0..100 {
        house.upload(&token).await;
        house.upload(&other).await;
    }
    let mut heard = Vec::new();
    for events in [1, 2, 70, 0, 27] {
        let ask = get("/api/v1/events")
            .bearer(&token)
            .header("last-event-id", &place.to_string());
        let mut reader = reader(house.open(ask).await);
        for _ in 0..events {
            let event = reader.event().await;
            place = event.id;
            heard.push(event);
        }
    }
    assert_eq!(heard.len(), 100);
    assert!(heard.windows(2).all(|pair| pair[0].id < pair[1].id));
    let mut jobs: Vec<_> = heard
        .iter()
        .map(|event| event.data["job"]["id"].to_string())
        .collect();
    jobs.sort();
    jobs.dedup();
    assert_eq!(jobs.len(), 100);
}

#[tokio::test]
async fn events_that_come_while_a_stream_catches_up_are_neither_lost_nor_doubled() {
    let house = House::new().await;
    let token = house.session().await;
    let path = "/api/v1/events?after=0";
    let read = async {
        let mut reader = reader(house.open(get(path).bearer(&token)).await);
        let mut ids = Vec::new();
        for _ in 0..300 {
            ids.push(reader.event().await.id);
        }
        ids
    };
    let write = async {
        for _ in 0..300 {
            house.upload(&token).await;
        }
    };
    let (ids, ()) = tokio::join!(read, write);
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
}

#[tokio::test]
async fn the_header_beats_the_query_and_junk_begins_at_the_newest() {
    let house = House::new().await;
    let token = house.session().await;
    for _ in 0..3 {
        house.upload(&token).await;
    }
    let newest = house.store.newest_event().await.unwrap().0;
    let begins = async |query: &str, header: Option<&str>| {
        let mut ask = get(&format!("/api/v1/events{query}")).bearer(&token);
        if let Some(header) = header {
            ask = ask.header("last-event-id", header);
        }
        let greeting = reader(house.open(ask).await).block().await.unwrap();
        greeting.rsplit(' ').next().unwrap().parse::<i64>().unwrap()
    };
    assert_eq!(begins("", None).await, newest);
    assert_eq!(begins("?after=1", None).await, 1);
    assert_eq!(begins("?after=1", Some("2")).await, 2);
    assert_eq!(begins("?after=0", None).await, 0);
    for junk in ["junk", "-5", "1.5", "99999999999999999999", ""] {
        assert_eq!(begins("", Some(junk)).await, newest, "{junk}");
    }
    // From another log.
    assert_eq!(begins("", Some("123456")).await, newest);
}

#[tokio::test]
async fn whoever_has_missed_what_was_forgotten_is_told_to_reload() {
    let house = House::new().await;
    let token = house.session().await;
    house.upload(&token).await;
    let old = house.store.newest_event().await.unwrap().0;
    let forgotten = house.store.forget_events(jiff::SignedDuration::ZERO).await;
    assert_eq!(forgotten.unwrap(), 1);
    house.upload(&token).await;
    for case in 0..5 {
        let newest = house.store.newest_event().await.unwrap().0;
        let (place, reload) = [
            (0, true),
            (old - 1, true),
            (old, false),
            (newest, false),
            // From a log that was restored to an earlier state.
            (newest + 1, true),
        ][case];
        let ask = get("/api/v1/events")
            .bearer(&token)
            .header("last-event-id", &place.to_string());
        let mut reader = reader(house.open(ask).await);
        let begins = if reload { newest } else { place };
        assert_eq!(
            reader.block().await.unwrap(),
            format!("retry: 1000\nid: {begins}")
        );
        if reload {
            let told = reader.block().await.unwrap();
            assert_eq!(told, "event: reload\ndata: {}", "{place}");
        }
        house.upload(&token).await;
        let next = reader.event().await;
        assert_eq!(next.kind, "job.queued", "{place}: the news go on");
    }
}

#[tokio::test]
async fn nobody_hears_anothers_news() {
    let house = House::new().await;
    let (ann, eve) = (house.session().await, house.session().await);
    let mut for_eve = reader(house.open(get("/api/v1/events?after=0").bearer(&eve)).await);
    house.upload(&ann).await;
    let own = house.upload(&eve).await;
    assert_eq!(for_eve.event().await.data["job"]["id"], own["job"]["id"]);
}

#[tokio::test]
async fn a_lost_announcement_is_made_up_for_by_the_poll() {
    let house = House::with(|config| config.event_poll_ms = 5).await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let path = format!("/api/v1/events?after={}", made["event_id"]);
    let mut reader = reader(house.open(get(&path).bearer(&token)).await);
    reader.block().await.unwrap();
    // A worker writes, and nobody announces it.
    let attempt = house.claim(made["job"]["id"].as_str().unwrap()).await;
    assert_eq!(reader.event().await.kind, "job.running");
    let progress = Progress {
        fraction: 0.5,
        step: Some("gain".to_owned()),
    };
    let terms = LeaseTerms {
        lease_ms: 1000,
        attempts_max: 3,
        give_up_ms: 60_000,
    };
    house
        .store
        .extend(attempt, terms, &progress, true)
        .await
        .unwrap()
        .unwrap();
    let event = reader.event().await;
    assert_eq!(event.kind, "job.progress");
    assert_eq!(
        (&event.data["job"]["progress"], &event.data["job"]["step"]),
        (&0.5.into(), &"gain".into())
    );
    house
        .store
        .settle(attempt, Outcome::Cancelled)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reader.kinds(1).await, ["job.cancelled"]);
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_by_comments() {
    let house = House::with(|config| config.keep_alive_ms = 20).await;
    let token = house.session().await;
    let mut reader = reader(house.open(get("/api/v1/events").bearer(&token)).await);
    reader.block().await.unwrap();
    let began = Instant::now();
    for _ in 0..3 {
        assert_eq!(reader.block().await.unwrap(), ":");
    }
    assert!(
        began.elapsed() >= Duration::from_millis(55),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn an_owner_has_so_many_streams_and_a_closed_one_makes_room() {
    let house = House::with(|config| config.streams_per_owner_max = 2).await;
    let (ann, bob) = (house.session().await, house.session().await);
    let open = |token: &str| house.open(get("/api/v1/events").bearer(token));
    let first = open(&ann).await;
    let _second = open(&ann).await;
    let third = house.ask(get("/api/v1/events").bearer(&ann)).await;
    third.problem("too-many-requests");
    assert_eq!(third.header("retry-after"), Some("1"));
    assert_eq!(open(&bob).await.status(), StatusCode::OK);
    drop(first);
    let room = async {
        while open(&ann).await.status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, room).await.unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_stream_and_nothing_else() {
    let house = House::with(|config| config.event_send_ms = 50).await;
    let token = house.session().await;
    // Each chunk holds up to 64 events: enough to fill every buffer there is.
    for _ in 0..64 * 8 {
        house.upload(&token).await;
    }
    let stuck = house
        .open(get("/api/v1/events?after=0").bearer(&token))
        .await;
    assert_eq!(house.app.watchers.open(), 1);
    let cut = async {
        while house.app.watchers.open() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, cut)
        .await
        .expect("the stream is given up");
    // What was sent before is whole, and the next connection goes on from there.
    let mut stuck = reader(stuck);
    let mut last = 0;
    while let Some(block) = stuck.block().await {
        if let Some(id) = block.lines().find_map(|line| line.strip_prefix("id: ")) {
            last = id.parse().unwrap();
        }
    }
    let path = format!("/api/v1/events?after={last}");
    let mut again = reader(house.open(get(&path).bearer(&token)).await);
    assert_eq!(again.event().await.id, last + 1);
}

#[tokio::test]
async fn a_stopping_server_says_goodbye() {
    let house = House::new().await;
    let token = house.session().await;
    let mut reader = reader(house.open(get("/api/v1/events").bearer(&token)).await);
    reader.block().await.unwrap();
    house.stop.cancel();
    assert_eq!(reader.block().await.unwrap(), "event: bye\ndata: {}");
    assert_eq!(reader.block().await, None);
}

#[tokio::test]
async fn a_head_request_takes_no_streams_place() {
    let house = House::with(|config| config.streams_per_owner_max = 1).await;
    let token = house.session().await;
    let head = house
        .ask(ask(Method::HEAD, "/api/v1/events").bearer(&token))
        .await;
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    let left = async {
        while house.app.watchers.open() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, left).await.unwrap();
}

#[tokio::test]
async fn a_completion_wakes_its_owner_and_one_that_cannot_be_read_is_buried() {
    // Without poll and keep-alive only the completion can wake the stream.
    let house = House::with(|config| {
        config.event_poll_ms = 3_600_000;
        config.keep_alive_ms = 3_600_000;
    })
    .await;
    let token = house.session().await;
    let mut reader = reader(house.open(get("/api/v1/events").bearer(&token)).await);
    reader.block().await.unwrap();
    let made = house.upload(&token).await;
    assert_eq!(reader.kinds(1).await, ["job.queued"]);
    let job = made["job"]["id"].as_str().unwrap();
    let completion = CompletionMessage {
        traceparent: None,
        id: made["id"].as_str().unwrap().parse().unwrap(),
        user_email: "ann@example.org".parse().unwrap(),
        status: Status::Completed,
        timestamp: jiff::Timestamp::now(),
        job_id: job.parse().unwrap(),
        error: None,
    };
    let completion = serde_json::to_vec(&completion).unwrap();
    // One consumer takes them in order: what was published before the buried one has been handled.
    let handled = async |buried: usize| {
        house
            .queue
            .publish(Topic::Completions, b"{\"id\": 7}")
            .await
            .unwrap();
        let handling = async {
            while house.queue.buried().len() < buried {
                tokio::task::yield_now().await;
            }
            // Whoever was woken by it has had its turn.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, handling)
            .await
            .expect("every completion is taken");
    };
    let completed = async || {
        let text = house.ask(get("/metrics")).await.body;
        let text = String::from_utf8(text.to_vec()).unwrap();
        let name = r#"retake_jobs_total{status="completed"} "#;
        let count = text
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        count.parse::<u64>().unwrap()
    };
    // The record does not say so yet: it is dropped.
    house
        .queue
        .publish(Topic::Completions, &completion)
        .await
        .unwrap();
    handled(1).await;
    assert_eq!(completed().await, 0);

    // Nobody announces this.
    house.complete(job, b"corrected").await;
    handled(2).await;
    house
        .queue
        .publish(Topic::Completions, &completion)
        .await
        .unwrap();
    assert_eq!(reader.kinds(2).await, ["job.running", "job.completed"]);
    handled(3).await;
    assert_eq!(completed().await, 1);
    assert!(
        house
            .queue
            .buried()
            .iter()
            .all(|(_, body, _)| body == b"{\"id\": 7}")
    );
}

/// `cargo test --workspace --lib -- --ignored nine_thousand` with 20,000 descriptors. Both ends are in
/// this process: what the client's cost is counted too.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures memory, which other tests use at the same time"]
async fn nine_thousand_silent_streams_cost_little_and_give_it_back_when_they_leave() {
    const STREAMS: usize = 9_000;
    let site = Site::open(|config| config.streams_per_owner_max = STREAMS).await;
    let token = site.token().await;
    let open = async |count| {
        let mut streams = Vec::with_capacity(count);
        for _ in 0..count {
            let mut stream = site.connect().await;
            let request = Site::events(&token);
            stream.write_all(request.as_bytes()).await.unwrap();
            streams.push(stream);
        }
        for stream in &mut streams {
            read_until(stream, "retry: ").await;
        }
        streams
    };
    let anonymous_kib = || {
        let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
        let line = rollup.lines().find(|line| line.starts_with("Anonymous:"));
        let kib = line.unwrap().split_whitespace().nth(1).unwrap();
        kib.parse::<usize>().unwrap()
    };
    drop(open(200).await);
    let before = anonymous_kib();
    let streams = open(STREAMS).await;
    let full = anonymous_kib();
    drop(streams);
    let given_back = async {
        while anonymous_kib() > before + (full - before) / 4 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let given_back = tokio::time::timeout(SOON, given_back).await;
    let after = anonymous_kib();
    let said =
        format!("{before} KiB before, {full} with {STREAMS} streams, {after} after they left");
    assert!((full - before) / STREAMS < 4, "{said}");
    assert!(given_back.is_ok(), "{said}");
}
