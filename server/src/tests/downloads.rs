//! Audio going out: ranges, conditions, and only as fast as it is taken.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use retake_jobs::seams::{BlobError, BlobKey, Blobs};

use super::house::{House, Memory, Twist, Twisted, ask, form_with, get, post, wav};

/// A house with a recording, its correction and a step's delta; the addresses of all three.
async fn furnished() -> (House, String, [(String, Vec<u8>); 3]) {
    let house = House::new().await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let job = made["job"]["id"].as_str().unwrap();
    let corrected: Vec<u8> = (0..700_000u32).map(|i| (i % 253) as u8).collect();
    house.complete(job, &corrected).await;
    let recording = format!("/api/v1/recordings/{}/audio", made["id"].as_str().unwrap());
    let delta = corrected.iter().rev().copied().collect();
    let all = [
        (recording, wav(1000)),
        (format!("/api/v1/jobs/{job}/audio"), corrected),
        (format!("/api/v1/jobs/{job}/steps/0/delta"), delta),
    ];
    (house, token, all)
}

#[tokio::test]
async fn all_audio_comes_whole_in_parts_and_not_at_all() {
    let (house, token, all) = furnished().await;
    for (path, bytes) in &all {
        let size = bytes.len();
        let whole = house.ask(get(path).bearer(&token)).await;
        assert_eq!(whole.status, StatusCode::OK);
        assert_eq!(whole.body, bytes);
        assert_eq!(whole.header("accept-ranges"), Some("bytes"));
        assert_eq!(
            whole.header("content-length"),
            Some(size.to_string().as_str())
        );
        let etag = whole.header("etag").unwrap().to_owned();

        let ranged = async |range: &str| {
            house
                .ask(get(path).bearer(&token).header("range", range))
                .await
        };
        for (range, first, end) in [
            ("bytes=0-0".to_owned(), 0, 1),
            ("bytes=10-19".to_owned(), 10, 20),
            (format!("bytes={}-", size - 5), size - 5, size),
            ("bytes=-7".to_owned(), size - 7, size),
            ("bytes=3-99999999".to_owned(), 3, size),
        ] {
            let part = ranged(&range).await;
            assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{range}");
            assert_eq!(part.body, bytes[first..end], "{range}");
            let content_range = format!("bytes {first}-{}/{size}", end - 1);
            assert_eq!(part.header("content-range"), Some(content_range.as_str()));
            assert_eq!(
                part.header("content-length"),
                Some((end - first).to_string().as_str())
            );
            assert_eq!(part.header("etag"), Some(etag.as_str()));
        }
        for range in ["bytes=0-1,5-6", "frames=0-1", "bytes=5-2"] {
            let ignored = ranged(range).await;
            assert_eq!(
                (ignored.status, ignored.body.len()),
                (StatusCode::OK, size),
                "{range}"
            );
        }
        let beyond = ranged(&format!("bytes={size}-")).await;
        beyond.problem("range-not-satisfiable");
        assert_eq!(
            beyond.header("content-range"),
            Some(format!("bytes */{size}").as_str())
        );

        let conditional = |name, value: &str| {
            house.ask(
                get(path)
                    .bearer(&token)
                    .header("range", "bytes=0-1")
                    .header(name, value),
            )
        };
        assert_eq!(
            conditional("if-range", &etag).await.status,
            StatusCode::PARTIAL_CONTENT
        );
        assert_eq!(
            conditional("if-range", "\"old\"").await.status,
            StatusCode::OK
        );
        let same = conditional("if-none-match", &etag).await;
        assert_eq!(
            (same.status, same.body.len()),
            (StatusCode::NOT_MODIFIED, 0)
        );
        assert_eq!(same.header("etag"), Some(etag.as_str()));

        let head = house.ask(ask(Method::HEAD, path).bearer(&token)).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        assert_eq!(
            head.header("content-length"),
            Some(size.to_string().as_str())
        );
    }
}

#[tokio::test]
async fn rfc_9110_14_2_head_is_of_the_whole_whatever_range_it_asks_for() {
    let (house, token, all) = furnished().await;
    for (path, bytes) in &all {
        for range in ["bytes=0-9", "bytes=-1", "bytes=99999999-"] {
            let head = ask(Method::HEAD, path)
                .bearer(&token)
                .header("range", range);
            let head = house.ask(head).await;
            assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
            let size = bytes.len().to_string();
            assert_eq!(head.header("content-length"), Some(size.as_str()));
            assert_eq!(head.header("content-range"), None);
        }
    }
}

#[tokio::test]
async fn rfc_9110_13_2_2_conditions_are_judged_before_anything_is_sent() {
    let (house, token, all) = furnished().await;
    for (path, bytes) in &all {
        let etag = house.ask(get(path).bearer(&token)).await;
        let etag = &etag.header("etag").unwrap().to_owned();
        let weak = &format!("W/{etag}");
        for method in [Method::GET, Method::HEAD] {
            for (lines, status) in [
                (&[("if-match", etag.as_str())][..], 200),
                (&[("if-match", "*")], 200),
                (&[("if-match", "\"x\""), ("if-match", etag)], 200),
                (&[("if-match", weak)], 412),
                (&[("if-match", "\"x\"")], 412),
                (&[("if-match", "\"x\""), ("range", "bytes=0-1")], 412),
                (&[("if-none-match", weak)], 304),
                (&[("if-none-match", "\"x\""), ("if-none-match", etag)], 304),
                (&[("if-none-match", "\"x\"")], 200),
                (&[("if-match", etag), ("if-none-match", etag)], 304),
                (&[("if-match", "\"x\""), ("if-none-match", etag)], 412),
            ] {
                let ask = lines.iter().fold(
                    ask(method.clone(), path).bearer(&token),
                    |ask, (name, value)| ask.line(name, value),
                );
                let answer = house.ask(ask).await;
                assert_eq!(answer.status, status, "{method} {lines:?}");
                assert_eq!(answer.header("etag"), Some(etag.as_str()));
                let whole = method == Method::GET && status == 200;
                let length = if whole { bytes.len() } else { 0 };
                assert!(status == 412 || answer.body.len() == length);
            }
        }
        let failed = get(path).bearer(&token).header("if-match", "\"x\"");
        house.ask(failed).await.problem("precondition-failed");
    }
}

#[tokio::test]
async fn a_step_without_a_delta_has_nothing_there() {
    let (house, token, [.., (path, _)]) = furnished().await;
    for index in ["1", "-1", "4294967296", "first", "00x"] {
        let path = path.replace("/0/", &format!("/{index}/"));
        house
            .ask(get(&path).bearer(&token))
            .await
            .problem("not-found");
    }
    let tag = |answer: &super::house::Answer| answer.header("etag").unwrap().to_owned();
    let delta = house.ask(get(&path).bearer(&token)).await;
    let audio = path.replace("/steps/0/delta", "/audio");
    let correction = house.ask(get(&audio).bearer(&token)).await;
    assert_ne!(tag(&delta), tag(&correction));
    let name = delta.header("content-disposition").unwrap();
    assert!(name.contains("delta-0-gain.flac"), "{name}");
}

#[tokio::test]
async fn audio_is_served_under_its_own_type_as_a_download_with_its_name() {
    let (house, token, all) = furnished().await;
    for ((path, _), content_type, name) in [
        (&all[0], "audio/wav", "take%201.wav"),
        (&all[1], "audio/flac", "corrected.flac"),
    ] {
        let answer = house.ask(get(path).bearer(&token)).await;
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let disposition = answer.header("content-disposition").unwrap();
        assert!(
            disposition.starts_with("attachment") && disposition.contains(name),
            "{disposition}"
        );
    }
}

struct Counted(Arc<AtomicUsize>);

#[async_trait]
impl Twist for Counted {
    async fn read(
        &self,
        inner: &dyn Blobs,
        key: BlobKey,
        offset: u64,
        len_max: usize,
    ) -> Result<Bytes, BlobError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        inner.read(key, offset, len_max).await
    }
}

#[tokio::test]
async fn bytes_are_read_from_the_store_when_the_client_takes_them_and_not_before() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Counted(reads.clone());
    let house = House::on(
        Memory::new(),
        |_| {},
        |blobs| Arc::new(Twisted(blobs, counted)),
    )
    .await;
    let token = house.session().await;
    let long = wav(3_000_000);
    let upload = post("/api/v1/recordings")
        .bearer(&token)
        .form(&form_with("recording", Some(&long)));
    let id = house.ask(upload).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let response = house
        .open(get(&format!("/api/v1/recordings/{id}/audio")).bearer(&token))
        .await;
    assert_eq!(reads.load(Ordering::Relaxed), 0);
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(reads.load(Ordering::Relaxed), 1);
    drop(body);
    assert_eq!(reads.load(Ordering::Relaxed), 1);
}

struct Shrunk;

#[async_trait]
impl Twist for Shrunk {
    async fn read(
        &self,
        inner: &dyn Blobs,
        key: BlobKey,
        offset: u64,
        len_max: usize,
    ) -> Result<Bytes, BlobError> {
        if offset > 0 {
            Ok(Bytes::new())
        } else {
            inner.read(key, offset, len_max.min(100)).await
        }
    }
}

#[tokio::test]
async fn a_blob_that_ends_early_cuts_the_download_instead_of_completing_it() {
    let house = House::on(
        Memory::new(),
        |_| {},
        |blobs| Arc::new(Twisted(blobs, Shrunk)),
    )
    .await;
    let token = house.session().await;
    let id = house.upload(&token).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let response = house
        .open(get(&format!("/api/v1/recordings/{id}/audio")).bearer(&token))
        .await;
    assert!(response.into_body().collect().await.is_err());
}
