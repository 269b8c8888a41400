//! Recordings, a mock service, children that misbehave, and waiting with a deadline: for the tests of
//! this crate and of those that have chains run.

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use retake_child::ChildProgram;
use retake_runner::external::{Config, External};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, DropGuard};

pub const RATE: u32 = 48_000;

/// A stereo WAV of 32-bit floats: a quiet tone, the right side on an offset.
pub fn recording(frames: u32) -> Vec<u8> {
    wav(frames, |n| {
        let sample = 0.02 * (n as f32 * std::f32::consts::TAU / 48.0).sin();
        [sample, sample + 0.1]
    })
}

pub fn wav(frames: u32, sample: impl Fn(u32) -> [f32; 2]) -> Vec<u8> {
    let audio: Vec<u8> = (0..frames)
        .flat_map(|n| sample(n).map(f32::to_le_bytes).concat())
        .collect();
    let mut out = Vec::new();
    out.extend(b"RIFF");
    out.extend((36 + audio.len() as u32).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0");
    out.extend(3u16.to_le_bytes());
    out.extend(2u16.to_le_bytes());
    out.extend(RATE.to_le_bytes());
    out.extend((RATE * 8).to_le_bytes());
    out.extend(8u16.to_le_bytes());
    out.extend(32u16.to_le_bytes());
    out.extend(b"data");
    out.extend((audio.len() as u32).to_le_bytes());
    out.extend(audio);
    out
}

/// A child that does what a shell script says instead. Its request is on standard input.
pub fn false_child(script: &str) -> ChildProgram {
    ChildProgram {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
    }
}

/// A child's last word: a second of audio went in and came out, through these steps.
pub fn done(steps: &str) -> String {
    let measured = r#"{"measurement":{"sample_rate":48000,"channels":2,"channel_mask":3,"frames":48000},"curve":[0],"findings":[]}"#;
    format!(
        r#"{{"done":{{"source":{{"container":"WAV","codec":"PCM","lossless_bits":16}},"tracks":[],"input":{measured},"output":{measured},"format":"flac","steps":{steps},"findings":[]}}}}"#
    )
}

pub struct Mock {
    pub address: SocketAddr,
    _stop: DropGuard,
}

pub async fn mock(faults: Value) -> Mock {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let limits = retake_mock_external::Limits::default();
    tokio::spawn(retake_mock_external::serve_with(
        listener,
        limits,
        stop.clone(),
    ));
    let mock = Mock {
        address,
        _stop: stop.drop_guard(),
    };
    let answer = mock
        .http(
            "POST",
            "/v1/faults",
            &json!({ "faults": faults }).to_string(),
        )
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    mock
}

impl Mock {
    pub fn external(&self, config: Config) -> External {
        let config = Config {
            backoff_ms: 5,
            backoff_ms_max: 20,
            ..config
        };
        External::new("default", format!("http://{}/", self.address), config).unwrap()
    }

    /// How many corrections were asked for.
    pub async fn count(&self) -> u64 {
        self.requests().await["count"].as_u64().unwrap()
    }

    /// What was asked for, and what came of it.
    pub async fn requests(&self) -> Value {
        let answer = self.http("GET", "/v1/requests", "").await;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    async fn http(&self, method: &str, path: &str, body: &str) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

/// A file that `make plugins` built: one of our plugins, or a guest that only tests load.
pub fn built(name: &str) -> Vec<u8> {
    let dist = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../dist");
    let folders = ["plugins", "test-plugins"];
    let paths = folders.map(|folder| dist.join(folder).join(name).with_extension("wasm"));
    let path = paths.iter().find(|path| path.exists()).unwrap_or(&paths[0]);
    std::fs::read(path)
        .unwrap_or_else(|error| panic!("plugin {name} ({error}); run `make plugins` first"))
}

pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < deadline, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a process of that id still runs; one that was killed and not yet waited for does not.
pub fn runs(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}
