//! Recordings coming in: whole, wrong, cut off, too large, and never more of them in memory than a
//! few chunks.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use retake_jobs::{
    clock::{Clock, SystemClock},
    job::Status,
    message::JobMessage,
    seams::{BlobError, BlobInfo, BlobKey, Blobs, ByteStream, Queue, Topic},
};
use serde_json::json;

use super::house::{
    Ask, FORM_TYPE, Field, House, Memory, SOON, Twist, Twisted, field, form, form_with, get,
    good_form, post, wav,
};

fn upload(token: &str, fields: &[Field]) -> Ask {
    post("/api/v1/recordings").bearer(token).form(fields)
}

/// Nothing of it may be left: no bytes, no rows.
async fn check_nothing_left(house: &House, token: &str) {
    assert_eq!(house.blobs.keys(), []);
    let list = house
        .ask(get("/api/v1/recordings").bearer(token))
        .await
        .json();
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn an_accepted_recording_is_stored_with_its_job_its_event_and_its_message() {
    let house = House::new().await;
    let token = house.session().await;
    let answer = house.ask(upload(&token, &good_form())).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let body = answer.json();
    let (id, job) = (body["id"].as_str().unwrap(), &body["job"]);
    assert_eq!(
        (&job["status"], &job["recording_id"]),
        (&json!("queued"), &json!(id))
    );
    let location = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(location.as_str()));

    let owner = house.owner(&token).await;
    let row = house
        .store
        .recording(owner, id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.recording.user_email.as_str(), "ann@example.org");
    // What the bytes say, not the form's content type.
    assert_eq!(row.recording.content_type, "audio/wav");
    assert_eq!(row.recording.file_name.as_deref(), Some("take 1.wav"));
    assert_eq!(row.recording.size_bytes, 1000);
    assert_eq!(row.newest_job.unwrap().status, Status::Queued);
    let key = BlobKey::Recording(row.recording.id);
    assert_eq!(house.blobs.read(key, 0, 2000).await.unwrap(), wav(1000));

    let due = SystemClock.now() + jiff::SignedDuration::from_secs(1);
    let unsent = house.store.unsent(due, 10).await.unwrap();
    let message: JobMessage = serde_json::from_slice(&unsent[0].body).unwrap();
    assert_eq!((unsent.len(), unsent[0].topic), (1, Topic::Jobs));
    assert_eq!(message.job_id.to_string(), job["id"].as_str().unwrap());
    let newest = house.store.newest_event().await.unwrap();
    assert_eq!(body["event_id"], newest.0);
}

#[tokio::test]
async fn fields_come_in_any_order() {
    let house = House::new().await;
    let token = house.session().await;
    let mut fields = good_form();
    for _ in 0..fields.len() {
        fields.rotate_left(1);
        let answer = house.ask(upload(&token, &fields)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
    }
    assert_eq!(house.blobs.keys().len(), fields.len());
}

#[tokio::test]
async fn each_wrong_field_is_named_and_leaves_nothing_behind() {
    let house = House::new().await;
    let token = house.session().await;
    let chain = |params: &str| {
        format!(r#"{{"steps": [{{"plugin": "gain", "params": {params}}}]}}"#).into_bytes()
    };
    let with = |name: &str, value: &[u8]| form_with(name, Some(value));
    let twice = |name: &str, value: &[u8]| [good_form(), vec![field(name, value)]].concat();
    for (fields, status, slug, pointer) in [
        (
            form_with("user_email", None),
            422,
            "invalid-field",
            "/user_email",
        ),
        (
            with("user_email", b"not an e-mail"),
            422,
            "invalid-field",
            "/user_email",
        ),
        (
            with("user_email", b"\xff\xfe"),
            422,
            "invalid-field",
            "/user_email",
        ),
        (
            twice("user_email", b"bob@example.org"),
            422,
            "invalid-field",
            "/user_email",
        ),
        (with("format", b"mp4"), 422, "invalid-field", "/format"),
        (with("track", b"0"), 422, "invalid-field", "/track"),
        (with("track", b"-1"), 422, "invalid-field", "/track"),
        (with("track", b"second"), 422, "invalid-field", "/track"),
        (with("chain", b"not json"), 422, "invalid-chain", "/chain"),
        (
            with("chain", b"{\"steps\": []}"),
            422,
            "invalid-chain",
            "/chain/steps",
        ),
        (
            with("chain", &chain("{\"gain-db\": 99}")),
            422,
            "invalid-chain",
            "/chain/steps/0/params/gain-db",
        ),
        (
            with("chain", &chain("{\"volume\": 1}")),
            422,
            "invalid-chain",
            "/chain/steps/0/params/volume",
        ),
        (
            with("chain", br#"{"steps": [{"plugin": "autotune"}]}"#),
            422,
            "invalid-chain",
            "/chain/steps/0/plugin",
        ),
        (
            with("chain", br#"{"steps": [{"external": "nobody"}]}"#),
            422,
            "invalid-chain",
            "/chain/steps/0/external",
        ),
        (twice("preset", b"nonsense"), 422, "invalid-field", "/chain"),
        (twice("colour", b"red"), 422, "invalid-field", "/colour"),
        (twice("a/b~c", b"red"), 422, "invalid-field", "/a~1b~0c"),
        (
            twice("recording", &wav(9)),
            422,
            "invalid-field",
            "/recording",
        ),
        (
            form_with("recording", None),
            422,
            "invalid-field",
            "/recording",
        ),
        (with("recording", b""), 422, "empty-audio", "/recording"),
        (
            with("recording", b"\x89PNG\r\n\x1a\n...."),
            415,
            "not-audio",
            "/recording",
        ),
        (
            with("recording", b"PK\x03\x04........"),
            415,
            "not-audio",
            "/recording",
        ),
        (
            with("recording", b"just some words"),
            415,
            "not-audio",
            "/recording",
        ),
        (
            with("recording", b"MAC \x96\x0f......"),
            415,
            "unknown-codec",
            "/recording",
        ),
        (with("preset", b"nonsense"), 422, "invalid-field", "/chain"),
    ] {
        let answer = house.ask(upload(&token, &fields)).await;
        answer.problem(slug);
        assert_eq!(answer.status.as_u16(), status, "{pointer}");
        assert_eq!(answer.pointers(), [pointer]);
        check_nothing_left(&house, &token).await;
    }
    let mut fields = form_with("chain", None);
    fields.push(field("preset", "nonsense"));
    let answer = house.ask(upload(&token, &fields)).await;
    assert!(
        answer.problem("unknown-preset")["detail"]
            .as_str()
            .unwrap()
            .contains("auto, speech, speech-best, speech-room, music")
    );
}

#[tokio::test]
async fn a_refusal_says_what_the_bytes_seem_to_be() {
    let house = House::new().await;
    let token = house.session().await;
    for (bytes, word) in [
        (&b"%PDF-1.7 ....."[..], "PDF"),
        (b"\x7fELF\x02\x01\x01", "ELF"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
        (b"MThd\0\0\0\x06", "MIDI"),
    ] {
        let answer = house
            .ask(upload(&token, &form_with("recording", Some(bytes))))
            .await;
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(word),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_whatever_the_order() {
    let house = House::new().await;
    let token = house.session().await;
    let mut fields = vec![
        field("user_email", "nobody"),
        field(
            "chain",
            r#"{"steps": [{"plugin": "gain", "params": {"gain-db": 99}, "mix": 2}]}"#,
        ),
        field("recording", "no audio at all"),
        field("format", "mp4"),
    ];
    for _ in 0..fields.len() {
        fields.rotate_left(1);
        let answer = house.ask(upload(&token, &fields)).await;
        let problem = answer.problem("not-audio");
        assert!(
            problem["detail"].as_str().unwrap().starts_with("5 things"),
            "{problem}"
        );
        let mut pointers = answer.pointers();
        assert_eq!(pointers[0], "/recording");
        pointers.sort();
        assert_eq!(
            pointers,
            [
                "/chain/steps/0/mix",
                "/chain/steps/0/params/gain-db",
                "/format",
                "/recording",
                "/user_email"
            ]
        );
    }
    check_nothing_left(&house, &token).await;
}

#[tokio::test]
async fn the_limit_is_exact_and_named_and_what_is_beyond_leaves_nothing() {
    let house = House::with(|config| config.upload_bytes_max = 5000).await;
    let token = house.session().await;
    let with_length = |length: usize| form_with("recording", Some(&wav(length)));
    let answer = house.ask(upload(&token, &with_length(5001))).await;
    assert!(
        answer.problem("too-large")["detail"]
            .as_str()
            .unwrap()
            .contains("5000 bytes")
    );
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    check_nothing_left(&house, &token).await;
    let answer = house.ask(upload(&token, &with_length(5000))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_length_beyond_the_limit_is_refused_before_the_body_is_read() {
    let house = House::new().await;
    let token = house.session().await;
    let never = stream::poll_fn(|_| panic!("the body was read"));
    let ask = post("/api/v1/recordings")
        .bearer(&token)
        .header("content-type", FORM_TYPE)
        .header("content-length", "99999999999")
        .stream(never);
    let answer = house.ask(ask).await;
    assert!(
        answer.problem("too-large")["detail"]
            .as_str()
            .unwrap()
            .contains("536870912")
    );
}

#[tokio::test]
async fn a_form_that_breaks_off_is_400_wherever_it_breaks_off() {
    let house = House::new().await;
    let token = house.session().await;
    let whole = form(&good_form());
    // Up to the last boundary's own dashes everything is needed.
    for end in (0..whole.len() - 4).step_by(37) {
        let ask = post("/api/v1/recordings")
            .bearer(&token)
            .header("content-type", FORM_TYPE);
        let answer = house.ask(ask.bytes(whole[..end].to_vec())).await;
        answer.problem("invalid-request");
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "cut at {end}");
    }
    let broken = stream::iter([
        Ok(Bytes::from(whole[..1200].to_vec())),
        Err(std::io::Error::other("gone")),
    ]);
    let ask = post("/api/v1/recordings")
        .bearer(&token)
        .header("content-type", FORM_TYPE);
    house
        .ask(ask.stream(broken))
        .await
        .problem("invalid-request");
    check_nothing_left(&house, &token).await;
}

#[tokio::test]
async fn only_forms_and_recordings_are_taken_and_only_as_they_are() {
    let house = House::new().await;
    let token = house.session().await;
    for content_type in [
        "application/x-www-form-urlencoded",
        "audio",
        "multipart/form-data",
        "text/plain",
    ] {
        let ask = post("/api/v1/recordings").bearer(&token).bytes(wav(100));
        let answer = house.ask(ask.header("content-type", content_type)).await;
        let problem = answer.problem("invalid-request");
        assert!(
            problem["detail"].as_str().unwrap().contains(content_type),
            "{problem}"
        );
    }
    house
        .ask(post("/api/v1/recordings").bearer(&token))
        .await
        .problem("invalid-request");
    let packed = upload(&token, &good_form()).header("content-encoding", "gzip");
    house.ask(packed).await.problem("invalid-request");
}

#[tokio::test]
async fn a_text_field_has_its_own_limit() {
    let house = House::new().await;
    let token = house.session().await;
    let answer = house
        .ask(upload(
            &token,
            &form_with("chain", Some(&vec![b' '; 70_000])),
        ))
        .await;
    assert!(
        answer.problem("invalid-field")["detail"]
            .as_str()
            .unwrap()
            .contains("65536 bytes")
    );
    assert_eq!(answer.pointers(), ["/chain"]);
    // However many wrong fields there are, the list of faults is short.
    let many: Vec<_> = (0..1000).map(|i| field(&format!("x{i}"), "")).collect();
    let answer = house.ask(upload(&token, &many)).await;
    answer.problem("invalid-field");
    assert!(answer.pointers().len() < 40);
    check_nothing_left(&house, &token).await;
}

#[tokio::test]
async fn a_full_queue_turns_uploads_away_with_a_time_to_come_back() {
    let house = House::with(|config| {
        config.queue_depth_max = 2;
        config.depth_poll_ms = 1;
    })
    .await;
    let token = house.session().await;
    let recording = house.upload(&token).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    // A job waits once, however many messages tell of it.
    for _ in 0..5 {
        house.queue.publish(Topic::Jobs, b"{}").await.unwrap();
    }
    house.upload(&token).await;
    let refused = async {
        while house.app.queue_depth() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        house.ask(upload(&token, &good_form())).await
    };
    let answer = tokio::time::timeout(SOON, refused).await.unwrap();
    assert!(
        answer.problem("unavailable")["detail"]
            .as_str()
            .unwrap()
            .contains("at most 2")
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
    let again = post(&format!("/api/v1/recordings/{recording}/jobs")).bearer(&token);
    house
        .ask(again.json(json!({"preset": "speech"})))
        .await
        .problem("unavailable");
}

#[tokio::test]
async fn no_more_uploads_are_read_at_once_than_allowed() {
    let house = House::with(|config| config.uploads_max = 1).await;
    let token = house.session().await;
    let (more, chunks) = tokio::sync::mpsc::channel::<Bytes>(1);
    let chunks = std::sync::Mutex::new(chunks);
    let slow = stream::poll_fn(move |context| {
        chunks
            .lock()
            .unwrap()
            .poll_recv(context)
            .map(|chunk| chunk.map(Ok))
    });
    let ask = post("/api/v1/recordings")
        .bearer(&token)
        .header("content-type", FORM_TYPE)
        .stream(slow);
    let first = house.ask(ask);
    let second = async {
        // Taken: the first is being read.
        more.send(Bytes::from(form(&good_form()))).await.unwrap();
        let refused = house.ask(upload(&token, &good_form())).await;
        drop(more);
        refused
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.status, StatusCode::ACCEPTED);
    second.problem("unavailable");
    assert_eq!(
        house.ask(upload(&token, &good_form())).await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn a_caller_that_vanishes_after_the_recording_leaves_no_bytes() {
    let house = House::new().await;
    let token = house.session().await;
    let mut fields = good_form();
    fields.rotate_right(1);
    let whole = form(&fields);
    let (more, chunks) = tokio::sync::mpsc::channel::<Bytes>(1);
    let chunks = std::sync::Mutex::new(chunks);
    let body = stream::poll_fn(move |context| {
        chunks
            .lock()
            .unwrap()
            .poll_recv(context)
            .map(|chunk| chunk.map(Ok))
    });
    let ask = post("/api/v1/recordings")
        .bearer(&token)
        .header("content-type", FORM_TYPE);
    let asking = Box::pin(house.ask(ask.stream(body)));
    let stored = async {
        more.send(Bytes::from(whole[..whole.len() - 100].to_vec()))
            .await
            .unwrap();
        while house.blobs.keys().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = asking => panic!("answered early: {answer:?}"),
        stored = tokio::time::timeout(SOON, stored) => stored.expect("the recording is stored"),
    }
    // The connection is gone, and the handler's future with it.
    drop(more);
    let cleaned = async {
        while !house.blobs.keys().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, cleaned)
        .await
        .expect("its bytes are taken away");
}

struct Broken(fn() -> BlobError);

#[async_trait]
impl Twist for Broken {
    async fn put(
        &self,
        _: &dyn Blobs,
        _: BlobKey,
        _: ByteStream<'_>,
        _: u64,
    ) -> Result<BlobInfo, BlobError> {
        Err(self.0())
    }
}

#[tokio::test]
async fn a_store_that_fails_is_our_fault_and_says_no_more_than_that() {
    for (error, slug) in [
        (
            Broken(|| BlobError::Full("secret path".to_owned())),
            "storage-full",
        ),
        (
            Broken(|| BlobError::Busy("secret path".to_owned())),
            "unavailable",
        ),
        (
            Broken(|| BlobError::Broken("secret path".to_owned())),
            "internal",
        ),
        (Broken(|| panic!("secret path")), "internal"),
    ] {
        let house = House::on(
            Memory::new(),
            |_| {},
            |blobs| Arc::new(Twisted(blobs, error)),
        )
        .await;
        let token = house.session().await;
        let answer = house.ask(upload(&token, &good_form())).await;
        answer.problem(slug);
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
        check_nothing_left(&house, &token).await;
    }
}

/// Counts what was sent and what was stored.
#[derive(Default)]
struct Gap {
    sent: AtomicUsize,
    stored: AtomicUsize,
    largest: AtomicUsize,
}

struct Slow(Arc<Gap>);

#[async_trait]
impl Twist for Slow {
    async fn put(
        &self,
        inner: &dyn Blobs,
        key: BlobKey,
        body: ByteStream<'_>,
        limit: u64,
    ) -> Result<BlobInfo, BlobError> {
        let gap = &self.0;
        let counted = body.then(async |chunk| {
            // Other tasks, the sender among them, get many turns for each of ours.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            let length = chunk.as_ref().map_or(0, Bytes::len);
            let stored = gap.stored.fetch_add(length, Ordering::Relaxed);
            let waiting = gap.sent.load(Ordering::Relaxed).saturating_sub(stored);
            gap.largest.fetch_max(waiting, Ordering::Relaxed);
            chunk
        });
        inner.put(key, Box::pin(counted), limit).await
    }
}

#[tokio::test]
async fn a_fast_sender_and_a_slow_store_do_not_fill_the_memory() {
    const CHUNK: usize = 16 * 1024;
    let gap = Arc::new(Gap::default());
    let slow = gap.clone();
    let house = House::on(
        Memory::new(),
        |_| {},
        |blobs| Arc::new(Twisted(blobs, Slow(slow))),
    )
    .await;
    let token = house.session().await;
    let whole = form(&form_with("recording", Some(&wav(400 * CHUNK))));
    let sent = gap.clone();
    let chunks: Vec<Bytes> = whole.chunks(CHUNK).map(Bytes::copy_from_slice).collect();
    let always_ready = stream::iter(chunks).map(move |chunk| {
        sent.sent.fetch_add(chunk.len(), Ordering::Relaxed);
        Ok(chunk)
    });
    let ask = post("/api/v1/recordings")
        .bearer(&token)
        .header("content-type", FORM_TYPE);
    let answer = house.ask(ask.stream(always_ready)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let largest = gap.largest.load(Ordering::Relaxed);
    // Each of the form's parts may take a chunk or two ahead; the recording itself does not.
    assert!(largest < 16 * CHUNK, "{largest} bytes waited in memory");
}
