//! The external service's client against the real simulated service: every fault, both transports.

use std::{
    path::PathBuf,
    sync::Mutex,
    time::{Duration, Instant},
};

use retake_runner::external::{Config, External, ExternalError, Transport};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::{self, recording};

const TRANSPORTS: [Transport; 2] = [Transport::Rest, Transport::Websocket];
const FRAMES: u32 = 30_000;

struct Mock {
    service: support::Mock,
    dir: TempDir,
}

fn patient(transport: Transport) -> Config {
    Config {
        transport,
        ..Config::default()
    }
}

impl Mock {
    async fn scripted(faults: Value) -> Self {
        let service = support::mock(faults).await;
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("in.wav"), recording(FRAMES)).unwrap();
        Self { service, dir }
    }

    async fn count(&self) -> u64 {
        self.service.count().await
    }

    fn output(&self) -> PathBuf {
        self.dir.path().join("out.wav")
    }

    async fn correct(&self, config: Config) -> Result<(), ExternalError> {
        let input = self.dir.path().join("in.wav");
        self.service
            .external(config)
            .correct(&input, &self.output(), &|_| {})
            .await
    }
}

fn assert_corrected(mock: &Mock) {
    let sent = recording(FRAMES);
    let back = std::fs::read(mock.output()).unwrap();
    assert_eq!(back.len(), sent.len());
    assert_eq!(back[..44], sent[..44], "the header");
    let right = back[44..]
        .chunks(8)
        .map(|f| f64::from(f32::from_le_bytes(f[4..].try_into().unwrap())));
    let (mut sum, mut squares) = (0.0, 0.0);
    for sample in right {
        sum += sample;
        squares += sample * sample;
    }
    let level_db = 10.0 * (squares / f64::from(FRAMES)).log10();
    assert!(
        (sum / f64::from(FRAMES)).abs() < 1e-6,
        "the offset is still there"
    );
    assert!(
        (level_db + 20.0).abs() < 0.01,
        "the level is {level_db} dBFS"
    );
}

#[tokio::test]
async fn a_recording_comes_back_corrected_and_as_long() {
    for transport in TRANSPORTS {
        let mock = Mock::scripted(json!([])).await;
        let config = Config {
            token: "a-secret".into(),
            ..patient(transport)
        };
        let external = mock.service.external(config);
        let told = Mutex::new(vec![]);
        let input = mock.dir.path().join("in.wav");
        external
            .correct(&input, &mock.output(), &|f| told.lock().unwrap().push(f))
            .await
            .unwrap();
        assert_corrected(&mock);
        assert_eq!(mock.count().await, 1);
        let told = told.into_inner().unwrap();
        assert!(told.iter().all(|f| (0.0..=1.0).contains(f)), "{told:?}");
        assert!(!told.is_empty(), "{transport:?}: nothing was heard of it");
    }
}

#[tokio::test]
async fn passing_trouble_is_tried_again_until_it_has_passed() {
    for transport in TRANSPORTS {
        let mock = Mock::scripted(json!([
            {"kind": "status", "status": 500},
            {"kind": "cut", "after_bytes": 50_000},
            {"kind": "status", "status": 429, "retry_after_s": 0},
        ]))
        .await;
        mock.correct(patient(transport)).await.unwrap();
        assert_corrected(&mock);
        assert_eq!(mock.count().await, 4, "{transport:?}");
    }
}

#[tokio::test]
async fn after_so_many_tries_it_is_unavailable() {
    for transport in TRANSPORTS {
        let mock = Mock::scripted(json!([
            {"kind": "status", "status": 503}, {"kind": "status", "status": 503},
            {"kind": "status", "status": 503}, {"kind": "status", "status": 503},
        ]))
        .await;
        let error = mock
            .correct(Config {
                attempts_max: 3,
                ..patient(transport)
            })
            .await
            .unwrap_err();
        assert!(
            matches!(&error, ExternalError::Unavailable { attempts: 3, detail, .. } if detail.contains("503")),
            "{error}"
        );
        assert_eq!(mock.count().await, 3);
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_told_in_the_services_words() {
    for transport in TRANSPORTS {
        let mock = Mock::scripted(json!([{"kind": "status", "status": 422}])).await;
        let error = mock.correct(patient(transport)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "external service default answered 422: the script of faults says so"
        );
        assert!(matches!(error, ExternalError::Refused { status: 422, .. }));
        assert_eq!(mock.count().await, 1);
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for transport in TRANSPORTS {
        let mock = Mock::scripted(json!([{"kind": "status", "status": 307}])).await;
        let error = mock.correct(patient(transport)).await.unwrap_err();
        assert!(
            error.to_string().contains("redirects are not followed"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_service_is_waited_for_as_long_as_it_asks() {
    let mock = Mock::scripted(json!([{"kind": "status", "status": 429, "retry_after_s": 1}])).await;
    let started = Instant::now();
    mock.correct(patient(Transport::Rest)).await.unwrap();
    assert!(
        started.elapsed() >= Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_service_that_asks_for_too_long_is_unavailable_until_then() {
    let mock =
        Mock::scripted(json!([{"kind": "status", "status": 503, "retry_after_s": 3600}])).await;
    let error = mock.correct(patient(Transport::Rest)).await.unwrap_err();
    let hour = Some(Duration::from_secs(3600));
    assert!(
        matches!(&error, ExternalError::Unavailable { attempts: 1, retry_after, .. } if *retry_after == hour),
        "{error}"
    );
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    for transport in TRANSPORTS {
        let mock = Mock::scripted(json!([{"kind": "slow", "ms": 300}])).await;
        mock.correct(Config {
            idle_ms: 100,
            ..patient(transport)
        })
        .await
        .unwrap();
        assert_eq!(
            mock.count().await,
            1,
            "{transport:?}: thinking is not silence"
        );
    }
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    for transport in TRANSPORTS {
        let mock = Mock::scripted(json!([{"kind": "hang"}, {"kind": "hang"}])).await;
        let config = Config {
            attempts_max: 2,
            answer_ms: 150,
            ..patient(transport)
        };
        let error = mock.correct(config).await.unwrap_err();
        assert!(
            error.to_string().contains("did not answer within 150 ms"),
            "{error}"
        );
        assert_eq!(mock.count().await, 2);
    }
}

#[tokio::test]
async fn an_answer_that_stops_halfway_is_given_up() {
    for transport in TRANSPORTS {
        let mock = Mock::scripted(json!([{"kind": "stall", "after_bytes": 100_000}])).await;
        let config = Config {
            attempts_max: 1,
            idle_ms: 150,
            ..patient(transport)
        };
        let error = mock.correct(config).await.unwrap_err();
        assert!(
            error.to_string().contains("nothing moved for 150 ms"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_try_takes_no_longer_than_it_may_as_a_whole() {
    let mock = Mock::scripted(json!([{"kind": "hang"}])).await;
    let config = Config {
        attempts_max: 1,
        total_ms: 150,
        ..patient(Transport::Rest)
    };
    let error = mock.correct(config).await.unwrap_err();
    assert!(error.to_string().contains("longer than 150 ms"), "{error}");
}

#[tokio::test]
async fn an_answer_longer_than_what_was_sent_is_not_taken() {
    for transport in TRANSPORTS {
        let mock = Mock::scripted(json!([{"kind": "wrong_length", "frames": 1_000_000}])).await;
        let error = mock.correct(patient(transport)).await.unwrap_err();
        assert!(matches!(error, ExternalError::Invalid { .. }), "{error}");
        assert_eq!(mock.count().await, 1);
    }
}

#[tokio::test]
async fn an_answer_larger_than_the_limit_is_not_taken() {
    for transport in TRANSPORTS {
        let mock = Mock::scripted(json!([])).await;
        let config = Config {
            answer_bytes_max: 100_000,
            ..patient(transport)
        };
        let error = mock.correct(config).await.unwrap_err();
        assert!(
            error.to_string().contains("more than 100000 bytes"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_stream_that_announces_another_length_is_invalid_naming_both() {
    let mock = Mock::scripted(json!([{"kind": "wrong_length", "frames": -10}])).await;
    let error = mock
        .correct(patient(Transport::Websocket))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "external service default: it answers with 48000 Hz, 2 channels, 29990 frames; \
         it was sent 48000 Hz, 2 channels, 30000 frames"
    );
}

#[tokio::test]
async fn a_stream_of_garbage_is_invalid() {
    let mock = Mock::scripted(json!([{"kind": "garbage"}])).await;
    let error = mock
        .correct(patient(Transport::Websocket))
        .await
        .unwrap_err();
    assert!(matches!(error, ExternalError::Invalid { .. }), "{error}");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable_and_then_left_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.wav");
    std::fs::write(&input, recording(FRAMES)).unwrap();
    let config = Config {
        attempts_max: 2,
        breaker_failures: 2,
        ..patient(Transport::Rest)
    };
    let external = External::new("default", format!("http://{address}"), config).unwrap();
    let output = dir.path().join("out.wav");
    let error = external
        .correct(&input, &output, &|_| {})
        .await
        .unwrap_err();
    assert!(
        matches!(error, ExternalError::Unavailable { attempts: 2, .. }),
        "{error}"
    );
    let error = external
        .correct(&input, &output, &|_| {})
        .await
        .unwrap_err();
    assert!(
        matches!(
            &error,
            ExternalError::Unavailable {
                attempts: 0,
                retry_after: Some(_),
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn addresses_and_values_that_make_no_client_are_named() {
    let refused = |url: &str, config: Config| match External::new("x", url, config) {
        Ok(_) => panic!("{url} was taken"),
        Err(error) => error.to_string(),
    };
    for (url, shown) in [
        ("ftp://host", "\"ftp://host\""),
        ("host:80", "\"***\""),
        ("", "\"\""),
        ("http://", "\"http://\""),
        ("ftp://u:s3cret@host/?key=s3cret", "\"ftp://***@host/***\""),
        ("http://u:s3cret@ho st", "\"http://***\""),
    ] {
        let error = refused(url, Config::default());
        assert!(error.contains(shown), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    let error = refused(
        "http://host",
        Config {
            attempts_max: 0,
            ..Config::default()
        },
    );
    assert!(error.contains("attempts_max is 0"), "{error}");
    let config = Config {
        token: "a\nb".into(),
        ..Config::default()
    };
    assert!(
        refused("http://host", config).contains("token"),
        "the token is checked"
    );
}

#[test]
fn a_token_is_shown_neither_by_debug_nor_where_the_settings_are_written_out() {
    let config = Config {
        token: "hunter2".into(),
        ..Config::default()
    };
    let written = serde_json::to_string(&config).unwrap();
    for shown in [format!("{config:?}"), written] {
        assert!(shown.contains("***"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
