//! Someone else's recording does not exist for you.

use anyhow::Result;
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::Start,
};
use serde_json::json;

#[tokio::test]
async fn what_is_not_yours_is_not_there() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let eve = Client::new(&retake.url).await?;
    let mut eve_hears = eve.listen(Some("0")).await?;

    let (job, _) = ann
        .corrected(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    let (job, recording) = (
        job["id"].as_str().unwrap(),
        job["recording_id"].as_str().unwrap(),
    );
    for (method, path, body) in [
        ("GET", format!("/api/v1/recordings/{recording}"), None),
        ("GET", format!("/api/v1/recordings/{recording}/audio"), None),
        (
            "POST",
            format!("/api/v1/recordings/{recording}/jobs"),
            Some(json!({"preset": "speech"})),
        ),
        ("DELETE", format!("/api/v1/recordings/{recording}"), None),
        ("GET", format!("/api/v1/jobs/{job}"), None),
        ("GET", format!("/api/v1/jobs/{job}/audio"), None),
        ("GET", format!("/api/v1/jobs/{job}/report"), None),
        ("GET", format!("/api/v1/jobs/{job}/peaks/original"), None),
        ("POST", format!("/api/v1/jobs/{job}/cancel"), None),
    ] {
        let hers = eve.send(method, &path, body.clone()).await?;
        assert_eq!(hers.status(), 404, "{method} {path}");
        let his = if method == "GET" {
            ann.send(method, &path, body).await?.status()
        } else {
            continue;
        };
        assert_eq!(his, 200, "{method} {path}");
    }
    assert!(
        eve.json("/api/v1/recordings").await?["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        ann.json("/api/v1/recordings").await?["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    // The first thing that she ever hears is her own.
    let hers = eve
        .accepted(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    assert_eq!(eve_hears.next().await?.json["job"]["id"], hers.as_str());
    Ok(())
}

#[tokio::test]
async fn a_deleted_recording_leaves_nothing() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let (job, _) = ann
        .corrected(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    let (job, recording) = (
        job["id"].as_str().unwrap(),
        job["recording_id"].as_str().unwrap(),
    );
    let path = format!("/api/v1/recordings/{recording}");
    // First into the trash, and back.
    assert_eq!(ann.send("DELETE", &path, None).await?.status(), 200);
    assert_eq!(ann.get(&path).await?.status(), 404);
    let restore = format!("{path}/restore");
    assert_eq!(ann.send("POST", &restore, None).await?.status(), 200);
    assert_eq!(ann.get(&path).await?.status(), 200);
    let forever = format!("{path}?forever=true");
    assert_eq!(ann.send("DELETE", &forever, None).await?.status(), 204);
    assert_eq!(ann.get(&path).await?.status(), 404);
    assert_eq!(ann.get(&format!("{path}/audio")).await?.status(), 404);
    assert_eq!(
        ann.get(&format!("/api/v1/jobs/{job}/audio"))
            .await?
            .status(),
        404
    );
    Ok(())
}
