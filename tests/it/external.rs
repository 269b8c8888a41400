//! The external service as a step: its faults are borne, retried or told, and harm nothing else.

use anyhow::Result;
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::{Retake, Start},
    signal,
};
use serde_json::{Value, json};

struct Setting {
    _external: Retake,
    external_url: String,
    _retake: Retake,
    _data: tempfile::TempDir,
    ann: Client,
}

async fn setting(transport: &str) -> Result<Setting> {
    let data = tempfile::tempdir()?;
    let external = Start::new("mock-external", data.path()).start()?;
    let retake = Start::new("up", data.path())
        .env("RETAKE_EXTERNAL_URL", &external.url)
        .set(format!("external.transport={transport}"))
        .set("external.idle_ms=1500")
        .set("external.backoff_ms=50")
        .set("external.answer_ms=1500")
        .set("external.breaker_failures=100")
        .start()?;
    let ann = Client::new(&retake.url).await?;
    let external_url = external.url.clone();
    Ok(Setting {
        _external: external,
        external_url,
        _retake: retake,
        _data: data,
        ann,
    })
}

impl Setting {
    async fn script(&self, faults: Value) -> Result<()> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("{}/v1/faults", self.external_url);
        http.post(url)
            .json(&json!({"faults": faults}))
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    /// Highpass, the service, gain: a plugin on either side.
    fn upload(&self) -> Result<Upload> {
        let chain = json!({"steps": [
            {"plugin": "highpass"}, {"external": "default"}, {"plugin": "gain", "params": {"gain-db": -3}}
        ]});
        Ok(Upload::file(&fixture("speech-44k-stereo.wav"))?.with("chain", chain.to_string()))
    }
}

#[tokio::test]
async fn a_chain_mixes_plugins_and_the_service_over_either_transport() -> Result<()> {
    for transport in ["rest", "websocket"] {
        let setting = setting(transport).await?;
        let original = signal::decode(&setting.upload()?.bytes)?;
        let (_, audio) = setting.ann.corrected(&setting.upload()?).await?;
        let corrected = signal::decode(&audio)?;
        assert_eq!(corrected.frames(), original.frames(), "{transport}");
        let (lag, _) = signal::lag(&original.channels[0], &corrected.channels[0], 200);
        assert!(lag.abs() <= 1, "{transport}: {lag}");
        assert!(
            corrected.integrated_lufs != original.integrated_lufs,
            "{transport}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_passes_is_tried_again_and_the_correction_comes() -> Result<()> {
    let setting = setting("rest").await?;
    for faults in [
        json!([{"kind": "status", "status": 500}]),
        json!([{"kind": "status", "status": 429, "retry_after_s": 1}]),
        json!([{"kind": "cut", "after_bytes": 1000}]),
        json!([{"kind": "slow", "ms": 800}]),
    ] {
        setting.script(faults.clone()).await?;
        let (job, _) = setting.ann.corrected(&setting.upload()?).await?;
        assert_eq!(
            job["attempt"], 1,
            "{faults}: the step tries again, not the job"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_fails_the_job_clearly() -> Result<()> {
    let setting = setting("rest").await?;
    for (fault, kind) in [
        (json!({"kind": "garbage"}), "external-invalid"),
        (
            json!({"kind": "wrong_length", "frames": -10}),
            "external-invalid",
        ),
        (json!({"kind": "status", "status": 400}), "external-refused"),
    ] {
        setting
            .script(json!([
                fault.clone(),
                fault.clone(),
                fault.clone(),
                fault.clone(),
                fault.clone()
            ]))
            .await?;
        let job = setting
            .ann
            .ended(&setting.ann.accepted(&setting.upload()?).await?)
            .await?;
        assert_eq!(job["status"], "failed", "{fault}");
        assert_eq!(
            job["error"]["type"],
            format!("/problems/{kind}"),
            "{fault}: {}",
            job["error"]
        );
        setting.script(json!([])).await?;
    }
    setting.ann.corrected(&setting.upload()?).await?;
    Ok(())
}

#[tokio::test]
async fn a_service_that_hangs_ends_the_step_in_time_and_skip_goes_on_without_it() -> Result<()> {
    let setting = setting("rest").await?;
    let hang = json!({"kind": "hang"});
    setting
        .script(json!([hang, hang, hang, hang, hang, hang, hang, hang]))
        .await?;
    let chain =
        json!({"steps": [{"external": "default", "on_failure": "skip"}, {"plugin": "gain"}]});
    let upload = setting.upload()?.with("chain", chain.to_string());
    let (job, audio) = setting.ann.corrected(&upload).await?;
    assert!(
        job["warnings"].to_string().contains("default"),
        "{}",
        job["warnings"]
    );
    assert_eq!(
        signal::decode(&audio)?.frames(),
        signal::decode(&upload.bytes)?.frames()
    );
    Ok(())
}
