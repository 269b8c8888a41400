//! The service as a client meets it, over real sockets.

#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use retake_mock_external::{Limits, serve_with};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::{CancellationToken, DropGuard};

struct Mock {
    address: SocketAddr,
    _stop: DropGuard,
}

struct Answer {
    status: StatusCode,
    content_type: String,
    body: Result<Bytes, hyper::Error>,
}

async fn mock(limits: Limits) -> Mock {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(serve_with(listener, limits, stop.clone()));
    Mock {
        address,
        _stop: stop.drop_guard(),
    }
}

impl Mock {
    async fn request(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        let socket = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "mock")
            .body(Full::new(body.into()))
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        Answer {
            status: response.status(),
            content_type: response.headers()["content-type"]
                .to_str()
                .unwrap()
                .to_owned(),
            body: response.into_body().collect().await.map(|b| b.to_bytes()),
        }
    }

    async fn script(&self, faults: Value) {
        let script = json!({ "faults": faults }).to_string();
        assert_eq!(
            self.request("POST", "/v1/faults", script).await.status,
            StatusCode::OK
        );
    }

    async fn requests(&self) -> Value {
        let body = self.request("GET", "/v1/requests", "").await.body.unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

/// A WAV of one channel: tag 1 is PCM, 3 float.
fn wav(tag: u16, bits: u16, sample: impl Fn(u32) -> f64, frames: u32) -> Vec<u8> {
    let mut audio = Vec::new();
    for n in 0..frames {
        let value = sample(n);
        match (tag, bits) {
            (3, _) => audio.extend((value as f32).to_le_bytes()),
            (_, bits) => {
                let value = (value * 2f64.powi(i32::from(bits) - 1)).round() as i32;
                audio.extend(&value.to_le_bytes()[..usize::from(bits) / 8]);
            }
        }
    }
    let mut out = Vec::new();
    out.extend(b"RIFF");
    out.extend((36 + audio.len() as u32).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0");
    out.extend(tag.to_le_bytes());
    out.extend(1u16.to_le_bytes());
    out.extend(48_000u32.to_le_bytes());
    out.extend((48_000 * u32::from(bits) / 8).to_le_bytes());
    out.extend((bits / 8).to_le_bytes());
    out.extend(bits.to_le_bytes());
    out.extend(b"data");
    out.extend((audio.len() as u32).to_le_bytes());
    out.extend(audio);
    out
}

fn quiet_tone_on_an_offset(n: u32) -> f64 {
    0.1 + 0.02 * (f64::from(n) * std::f64::consts::TAU / 48.0).sin()
}

#[tokio::test]
async fn every_encoding_comes_back_as_it_went_only_corrected() {
    let mock = mock(Limits::default()).await;
    for (tag, bits) in [(1, 16), (1, 24), (1, 32), (3, 32)] {
        let sent = wav(tag, bits, quiet_tone_on_an_offset, 48_000);
        let answer = mock.request("POST", "/v1/correct", sent.clone()).await;
        let body = answer.body.unwrap();
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (StatusCode::OK, "audio/wav")
        );
        assert_eq!(body.len(), sent.len());
        assert_eq!(
            body[..44],
            sent[..44],
            "the header of {bits} bits, tag {tag}"
        );
        let samples: Vec<f64> = body[44..]
            .chunks(usize::from(bits) / 8)
            .map(|s| match (tag, s) {
                (3, s) => f64::from(f32::from_le_bytes(s.try_into().unwrap())),
                (_, s) => {
                    let mut wide = [0; 4];
                    wide[4 - s.len()..].copy_from_slice(s);
                    f64::from(i32::from_le_bytes(wide)) / 2f64.powi(31)
                }
            })
            .collect();
        let mean = samples.iter().sum::<f64>() / 48_000.0;
        let power = samples.iter().map(|s| s * s).sum::<f64>() / 48_000.0;
        let level_db = 10.0 * power.log10();
        assert!(mean.abs() < 1e-4, "{bits} bits keep an offset of {mean}");
        assert!(
            (level_db + 20.0).abs() < 0.1,
            "{bits} bits are at {level_db} dBFS"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_corrected_is_refused_with_a_problem() {
    let mock = mock(Limits {
        body_bytes_max: 10_000,
        ..Limits::default()
    })
    .await;
    let tone = wav(1, 16, quiet_tone_on_an_offset, 1_000);
    let mut slow_rate = tone.clone();
    slow_rate[24..28].copy_from_slice(&4_000u32.to_le_bytes());
    let cases: [(&str, Vec<u8>, u16, &str); 6] = [
        (
            "text",
            b"this is no audio at all".to_vec(),
            415,
            "not a WAV file",
        ),
        ("nothing", Vec::new(), 415, "not a WAV file"),
        (
            "half of a header",
            tone[..20].to_vec(),
            415,
            "ends within its header",
        ),
        (
            "half of the audio",
            tone[..1_000].to_vec(),
            400,
            "ends early",
        ),
        (
            "4 kHz",
            slow_rate,
            422,
            "sample_rate is 4000; it must be from 8000 to 192000 Hz",
        ),
        (
            "too much",
            wav(1, 16, quiet_tone_on_an_offset, 6_000),
            413,
            "more than 10000 bytes",
        ),
    ];
    for (name, body, status, words) in cases {
        let answer = mock.request("POST", "/v1/correct", body).await;
        let problem: Value = serde_json::from_slice(&answer.body.unwrap()).unwrap();
        assert_eq!(answer.status, status, "{name}: {problem}");
        assert_eq!(answer.content_type, "application/problem+json", "{name}");
        assert!(
            problem["detail"].as_str().unwrap().contains(words),
            "{name}: {problem}"
        );
    }
    let nan = wav(3, 32, |n| if n == 7 { f64::NAN } else { 0.0 }, 100);
    let problem = mock.request("POST", "/v1/correct", nan).await.body.unwrap();
    assert!(
        String::from_utf8_lossy(&problem).contains("frame 7"),
        "{problem:?}"
    );
}

#[tokio::test]
async fn faults_come_in_the_order_of_the_script_and_then_no_more() {
    let mock = mock(Limits::default()).await;
    let tone = wav(1, 16, quiet_tone_on_an_offset, 48_000);
    mock.script(json!([
        {"kind": "status", "status": 429, "retry_after_s": 2},
        {"kind": "cut", "after_bytes": 1_000},
        {"kind": "wrong_length", "frames": -10},
        {"kind": "wrong_length", "frames": 10},
        {"kind": "garbage"},
    ]))
    .await;
    let mut bodies = Vec::new();
    for _ in 0..6 {
        bodies.push(mock.request("POST", "/v1/correct", tone.clone()).await);
    }
    assert_eq!(bodies[0].status, 429);
    assert!(bodies[1].body.is_err(), "the cut answer arrived whole");
    assert_eq!(bodies[2].body.as_ref().unwrap().len(), tone.len() - 20);
    assert_eq!(bodies[3].body.as_ref().unwrap().len(), tone.len() + 20);
    assert_ne!(&bodies[4].body.as_ref().unwrap()[..4], b"RIFF");
    assert_eq!(bodies[5].body.as_ref().unwrap().len(), tone.len());
    let requests = mock.requests().await;
    assert_eq!(requests["count"], 6);
    assert_eq!(requests["requests"][1]["answer"], "cut");
    assert_eq!(
        requests["requests"][5],
        json!({
            "transport": "rest", "bytes": tone.len(), "answer": "corrected"
        })
    );
}

#[tokio::test]
async fn a_script_with_an_unknown_fault_is_refused() {
    let mock = mock(Limits::default()).await;
    let answer = mock
        .request("POST", "/v1/faults", r#"{"faults": [{"kind": "explode"}]}"#)
        .await;
    assert_eq!(answer.status, 400);
    assert!(String::from_utf8_lossy(&answer.body.unwrap()).contains("explode"));
}

#[tokio::test]
async fn unknown_paths_and_wrong_verbs_are_refused() {
    let mock = mock(Limits::default()).await;
    assert_eq!(mock.request("GET", "/v1/nothing", "").await.status, 404);
    assert_eq!(mock.request("GET", "/v1/correct", "").await.status, 405);
    assert_eq!(mock.request("GET", "/v1/stream", "").await.status, 426);
    assert_eq!(mock.request("GET", "/v1/health", "").await.status, 200);
}

#[tokio::test]
async fn a_stream_gives_back_as_many_frames_as_it_got_corrected() {
    let mock = mock(Limits::default()).await;
    let url = format!("ws://{}/v1/stream", mock.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let start = json!({"type": "start", "sample_rate": 48_000, "channels": 1, "frames": 48_000});
    socket.send(Message::text(start.to_string())).await.unwrap();
    let sent: Vec<u8> = (0..48_000)
        .flat_map(|n| (quiet_tone_on_an_offset(n) as f32).to_le_bytes())
        .collect();
    for piece in sent.chunks(65_536) {
        socket.send(Message::binary(piece.to_vec())).await.unwrap();
    }
    socket
        .send(Message::text(r#"{"type": "end"}"#))
        .await
        .unwrap();
    let mut texts = Vec::new();
    let mut audio = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) => texts.push(serde_json::from_str::<Value>(&text).unwrap()),
            Message::Binary(bytes) => audio.extend_from_slice(&bytes),
            _ => {}
        }
    }
    assert_eq!(texts, [start, json!({"type": "end"})]);
    assert_eq!(audio.len(), sent.len());
    let samples = audio
        .chunks(4)
        .map(|s| f64::from(f32::from_le_bytes(s.try_into().unwrap())));
    let power = samples.map(|s| s * s).sum::<f64>() / 48_000.0;
    assert!((10.0 * power.log10() + 20.0).abs() < 0.1);
}

#[tokio::test]
async fn a_stream_that_brings_other_than_it_announced_is_told_so() {
    let mock = mock(Limits::default()).await;
    let url = format!("ws://{}/v1/stream", mock.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let start = json!({"type": "start", "sample_rate": 48_000, "channels": 1, "frames": 9});
    for text in [start.to_string(), json!({"type": "end"}).to_string()] {
        socket.send(Message::text(text)).await.unwrap();
    }
    let told = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["type"], "error");
    assert_eq!(told["detail"], "9 frames were announced, 0 arrived");
}

#[tokio::test]
async fn the_service_ends_although_a_client_hangs() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let service = tokio::spawn(serve_with(listener, Limits::default(), stop.clone()));
    let mock = Mock {
        address,
        _stop: CancellationToken::new().drop_guard(),
    };
    mock.script(json!([{"kind": "hang"}])).await;
    let tone = wav(1, 16, quiet_tone_on_an_offset, 100);
    let (answer, ended) = tokio::join!(mock.request("POST", "/v1/correct", tone), async {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while mock.requests().await["count"] != 1 {
            assert!(
                tokio::time::Instant::now() < deadline,
                "the request never arrived"
            );
            tokio::task::yield_now().await;
        }
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(10), service).await
    });
    assert_eq!(answer.status, 503);
    ended.unwrap().unwrap().unwrap();
}
