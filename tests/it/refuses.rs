//! Bad input gets a clear problem that names the field, the value and the allowed range. Nothing is
//! lost and nothing crashes: after all of it the server corrects a good recording.

use anyhow::{Context as _, Result};
use reqwest::StatusCode;
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::Start,
    signal::{self, wav_header},
};
use serde_json::Value;

fn good() -> Upload {
    Upload::file(&fixture("speech.flac")).unwrap()
}

fn wav(rate: u32, channels: u16, bits: u16, format: u16, samples: &[u8]) -> Upload {
    let mut bytes = wav_header(rate, channels, bits, format, samples.len() as u32);
    bytes.extend(samples);
    Upload::bytes(bytes, "made.wav")
}

/// Answered at the door: (what, upload, status, problem type, a word its detail or errors must hold).
fn refused_at_once() -> Vec<(&'static str, Upload, u16, &'static str, &'static str)> {
    let chain = |json: &str| good().with("chain", json);
    let mut png = vec![0x89];
    png.extend(b"PNG\r\n\x1a\n");
    png.extend([0; 64]);
    vec![
        (
            "empty",
            Upload::bytes(vec![], "a.wav"),
            422,
            "empty-audio",
            "recording",
        ),
        (
            "a picture",
            Upload::bytes(png, "a.wav"),
            415,
            "not-audio",
            "PNG",
        ),
        (
            "text",
            Upload::bytes(b"hello, this is not audio".to_vec(), "a.wav"),
            415,
            "not-audio",
            "",
        ),
        (
            "a program",
            Upload::file(&retake_tests::process::program())
                .map(|mut u| {
                    u.bytes.truncate(5000);
                    u
                })
                .unwrap(),
            415,
            "not-audio",
            "ELF",
        ),
        (
            "Monkey's Audio",
            Upload::bytes(
                b"MAC \x96\x0f01234567890123456789012345678901234567".to_vec(),
                "a.ape",
            ),
            415,
            "unknown-codec",
            "convert it to FLAC",
        ),
        (
            "bad e-mail",
            good().with("user_email", "ann"),
            422,
            "invalid-field",
            "/user_email",
        ),
        (
            "unknown preset",
            good().with("preset", "shine"),
            422,
            "unknown-preset",
            "shine",
        ),
        (
            "unknown format",
            good().with("format", "mp9"),
            422,
            "invalid-field",
            "/format",
        ),
        (
            "unknown field",
            good().with("colour", "red"),
            422,
            "invalid-field",
            "colour",
        ),
        ("not JSON", chain("{"), 422, "invalid-chain", "/chain"),
        (
            "no steps",
            chain(r#"{"steps": []}"#),
            422,
            "invalid-chain",
            "/chain/steps",
        ),
        (
            "unknown plugin",
            chain(r#"{"steps": [{"plugin": "shine"}]}"#),
            422,
            "invalid-chain",
            "/chain/steps/0/plugin",
        ),
        (
            "unknown parameter",
            chain(r#"{"steps": [{"plugin": "gain", "params": {"loud": 1}}]}"#),
            422,
            "invalid-chain",
            "/chain/steps/0/params/loud",
        ),
        (
            "parameter out of range",
            chain(
                r#"{"steps": [{"plugin": "gain"}, {"plugin": "gain", "params": {"gain-db": 900}}]}"#,
            ),
            422,
            "invalid-chain",
            "/chain/steps/1/params/gain-db",
        ),
        (
            "mix out of range",
            chain(r#"{"steps": [{"plugin": "gain", "mix": 2}]}"#),
            422,
            "invalid-chain",
            "/chain/steps/0/mix",
        ),
        (
            "unknown service",
            chain(r#"{"steps": [{"external": "elsewhere"}]}"#),
            422,
            "invalid-chain",
            "/chain/steps/0/external",
        ),
    ]
}

/// Accepted, since only the worker decodes; then a failed job with the same kind of object.
fn failed_later() -> Vec<(&'static str, Upload, &'static str, &'static str)> {
    let one_second = vec![0u8; 16_000];
    let mut flac = good();
    flac.bytes.truncate(20);
    vec![
        ("no frames", wav(48_000, 1, 16, 1, &[]), "empty-audio", ""),
        (
            "rate too low",
            wav(4_000, 1, 16, 1, &one_second),
            "unsupported-stream",
            "4000",
        ),
        (
            "rate too high",
            wav(384_000, 1, 16, 1, &one_second),
            "unsupported-stream",
            "384000",
        ),
        (
            "too many channels",
            wav(48_000, 17, 16, 1, &one_second),
            "unsupported-stream",
            "1 to 16",
        ),
        ("only a header", flac, "", ""),
        (
            "True Audio in Matroska",
            Upload::file(&fixture("tta.mkv")).unwrap(),
            "unknown-codec",
            "True Audio",
        ),
    ]
}

fn text(problem: &Value) -> String {
    problem.to_string()
}

#[tokio::test]
async fn bad_input_gets_a_clear_problem_and_harms_nothing() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path())
        .set("server.upload_bytes_max=3000000")
        .start()?;
    let ann = Client::new(&retake.url).await?;
    let mut wrong = Vec::new();

    for (what, upload, status, kind, word) in refused_at_once() {
        let response = ann.post(&upload).await?;
        let got = response.status();
        let content_type = format!("{:?}", response.headers().get("content-type"));
        let problem: Value = response.json().await.unwrap_or_default();
        if got.as_u16() != status
            || problem["type"] != format!("/problems/{kind}")
            || !content_type.contains("application/problem+json")
            || !text(&problem).contains(word)
        {
            wrong.push(format!(
                "{what}: wanted {status} {kind} with \"{word}\"; got {got} {problem}"
            ));
        }
    }
    for (what, upload, kind, word) in failed_later() {
        let response = ann.post(&upload).await?;
        let status = response.status();
        let body: Value = response.json().await?;
        if status != StatusCode::ACCEPTED {
            // Refusing at the door is as good, if it is said as clearly.
            if !text(&body["type"]).contains(kind) {
                wrong.push(format!("{what}: {body}"));
            }
            continue;
        }
        let job = ann.ended(body["job"]["id"].as_str().unwrap()).await?;
        let error = &job["error"];
        if job["status"] != "failed"
            || !text(&error["type"]).contains(kind)
            || !text(error).contains(word)
        {
            wrong.push(format!(
                "{what}: wanted a failed job with {kind} and \"{word}\"; got {job}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // None of the refused ones is in the list, and a good recording still comes through.
    ann.corrected(&good()).await?;
    let listed = ann.json("/api/v1/recordings").await?;
    let uploads = listed["items"].as_array().unwrap().len();
    assert!(uploads <= failed_later().len() + 1, "{uploads} listed");
    Ok(())
}

#[tokio::test]
async fn too_large_names_the_limit() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path())
        .set("server.upload_bytes_max=100000")
        .start()?;
    let ann = Client::new(&retake.url).await?;
    let upload = Upload::file(&fixture("chromium-recording.webm"))?;
    // The server may close before it has read it all, which a client may see as a broken pipe; but
    // not every time.
    let mut answer = ann.post(&upload).await;
    for _ in 0..20 {
        if answer.is_ok() {
            break;
        }
        answer = ann.post(&upload).await;
    }
    let response = answer.context("a client never hears why")?;
    assert_eq!(response.status(), 413);
    let problem: Value = response.json().await?;
    assert!(text(&problem).contains("100000"), "{problem}");
    assert!(
        ann.json("/api/v1/recordings").await?["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    Ok(())
}

#[tokio::test]
async fn too_long_names_the_limit() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path())
        .set("worker.limits.duration_ms_max=1000")
        .start()?;
    let ann = Client::new(&retake.url).await?;
    let job = ann.ended(&ann.accepted(&good()).await?).await?;
    assert_eq!(job["status"], "failed");
    assert_eq!(job["error"]["type"], "/problems/too-long");
    assert!(text(&job["error"]).contains("1000"), "{}", job["error"]);
    Ok(())
}

#[tokio::test]
async fn samples_that_are_no_numbers_become_silence_with_a_warning() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let samples: Vec<u8> = (0..48_000)
        .map(|n| match n {
            1000 => f32::NAN,
            2000 => f32::INFINITY,
            _ => 0.2 * (n as f32 * 0.05).sin(),
        })
        .flat_map(f32::to_le_bytes)
        .collect();
    let (job, audio) = ann
        .corrected(&wav(48_000, 1, 32, 3, &samples).with("format", "wav"))
        .await?;
    assert!(text(&job["warnings"]).contains('2'), "{}", job["warnings"]);
    let corrected = signal::decode(&audio)?;
    assert_eq!(corrected.frames(), 48_000);
    assert!(corrected.channels[0].iter().all(|x| x.is_finite()));
    Ok(())
}

#[tokio::test]
async fn one_frame_and_silence_are_recordings_too() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    for (what, samples) in [("one frame", vec![1u8, 2]), ("silence", vec![0u8; 96_000])] {
        let frames = samples.len() / 2;
        let (_, audio) = ann.corrected(&wav(48_000, 1, 16, 1, &samples)).await?;
        assert_eq!(signal::decode(&audio)?.frames(), frames, "{what}");
    }
    Ok(())
}
