//! Whoever watches hears the whole story, in order, once, also across a lost connection.

use std::time::Duration;

use anyhow::Result;
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::Start,
};

#[tokio::test]
async fn the_story_of_a_job_arrives_in_order_and_its_audio_is_there_when_told() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let mut listener = ann.listen(None).await?;
    let job = ann
        .accepted(&Upload::file(&fixture("chromium-recording.webm"))?)
        .await?;
    let story = ann.story(&mut listener, &job).await?;

    let kinds: Vec<_> = story.iter().map(|n| n.event.as_str()).collect();
    assert_eq!(kinds.first(), Some(&"job.queued"), "{kinds:?}");
    assert_eq!(kinds.get(1), Some(&"job.running"), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"job.completed"), "{kinds:?}");
    let ids: Vec<i64> = story.iter().map(|n| n.id.parse().unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    let progress: Vec<f64> = story
        .iter()
        .map(|n| n.json["job"]["progress"].as_f64().unwrap())
        .collect();
    assert!(
        progress.windows(2).all(|pair| pair[0] <= pair[1]),
        "{progress:?}"
    );

    let url = story.last().unwrap().json["audio_url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(ann.get(&url).await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn a_listener_that_comes_back_hears_what_it_missed_once() -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let mut listener = ann.listen(None).await?;
    let first = ann
        .accepted(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    let queued = listener.next().await?;
    assert_eq!(queued.event, "job.queued");
    drop(listener);
    ann.ended(&first).await?;
    let second = ann
        .accepted(&Upload::file(&fixture("speech.flac"))?)
        .await?;
    ann.ended(&second).await?;

    let mut again = ann.listen(Some(&queued.id)).await?;
    let story = ann.story(&mut again, &first).await?;
    assert!(story.iter().all(|n| n.event != "job.queued"), "{story:?}");
    assert_eq!(
        story.iter().filter(|n| n.event == "job.completed").count(),
        1
    );
    let story = ann.story(&mut again, &second).await?;
    assert_eq!(story[0].event, "job.queued");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_says_goodbye_and_ends() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut retake = Start::new("up", data.path()).start()?;
    let ann = Client::new(&retake.url).await?;
    let listener = ann.listen(None).await?;
    let took = tokio::task::spawn_blocking(move || retake.terminate(Duration::from_secs(20)));
    let heard = listener.until_end(Duration::from_secs(15)).await?;
    assert!(heard.iter().any(|n| n.event == "bye"), "{heard:?}");
    assert!(took.await?? < Duration::from_secs(12));
    Ok(())
}
