//! People at work: each hands in one recording after the other, has a few under way at most, looks at
//! what came of them, and throws most of it away.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use reqwest::StatusCode;
use retake_tests::client::Client;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::{sync::watch, time::timeout};

use crate::{
    house::House,
    ledger::{Answer, Ledger, Upload},
    random::Random,
    work::{Store, Work},
};

/// Recordings under way in one session. What the machine cannot do is not asked of it.
const UNDER_WAY_MAX: usize = 8;
/// Longer than any freeze.
const ANSWER: Duration = Duration::from_secs(30);
/// Of those that were looked at, one in so many stays until the end.
const KEPT_EVERY: usize = 4;
/// Of the short ones, one in so many is asked for in another format.
const DERIVED_EVERY: u64 = 3;

#[derive(Clone)]
pub struct Person {
    pub session: usize,
    pub client: Client,
    pub house: Arc<House>,
    pub ledger: Arc<Ledger>,
    pub store: Arc<Store>,
}

impl Person {
    /// Hands in until told to stop.
    pub async fn hand_in(self, mut random: Random, stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            tokio::time::sleep(random.ms(60, 400)).await;
            if self.ledger.pages().open(self.session).len() < UNDER_WAY_MAX {
                let work = Work::of_chance(&mut random);
                self.hand_in_one(work, &mut random).await;
            }
        }
    }

    pub async fn hand_in_one(&self, work: Work, random: &mut Random) {
        let serial = self.ledger.posted(self.session, work);
        let upload = self.store.upload(work, serial);
        let client = self.client.at(&self.house.some_server(random));
        let answer = match timeout(ANSWER, post(&client, &upload)).await {
            Ok(Ok((StatusCode::ACCEPTED, told))) => accepted(&told),
            Ok(Ok((status, told))) => {
                let right = match status.as_u16() {
                    429 | 503 | 507 => true,
                    500 => self.house.may_fail(),
                    _ => false,
                };
                if !right {
                    let what = format!("upload {serial} ({work:?}) was answered {status}: {told}");
                    self.ledger.complain(None, what);
                }
                Answer::Refused(status.as_u16())
            }
            Ok(Err(_)) | Err(_) => Answer::Lost,
        };
        self.ledger.answered(serial, answer.clone());
        if let (Work::Cancelled, Answer::Accepted { job, .. }) = (work, &answer) {
            let path = format!("/api/v1/jobs/{job}/cancel");
            // Whether that is heard or not, the job has one end.
            let _ = timeout(ANSWER, client.send("POST", &path, None)).await;
        }
    }

    /// Looks at what has ended, until told to stop.
    pub async fn look(self, mut random: Random, stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            self.look_once(&mut random, KEPT_EVERY).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// At those whose end was heard by every listener. How many are still open.
    pub async fn look_once(&self, random: &mut Random, kept_every: usize) -> usize {
        let open = self.ledger.pages().open(self.session);
        for (serial, upload) in &open {
            let job = upload.job().unwrap_or_default();
            let session = self.session;
            if !self.ledger.pages().everyone_heard_the_end_of(session, job) {
                continue;
            }
            let client = self.client.at(&self.house.some_server(random));
            // A server that is just being struck is asked again.
            if let Ok(Ok(())) = timeout(ANSWER, self.see(&client, *serial, upload)).await
                && !random.one_in(kept_every)
            {
                let _ = timeout(ANSWER, self.delete(&client, *serial, upload)).await;
            }
        }
        self.ledger.pages().open(self.session).len()
    }

    /// The job as it ended, and the bytes of its result.
    async fn see(&self, client: &Client, serial: u64, upload: &Upload) -> Result<()> {
        let id = upload.job().context("a job")?;
        let answer = client.get(&format!("/api/v1/jobs/{id}")).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            self.ledger
                .complain(Some(id), format!("job {id} is not there any more"));
        } else {
            ensure!(answer.status() == StatusCode::OK);
            let job: Value = answer.json().await?;
            if let Err(wrong) = upload.work.is_right(&job) {
                self.ledger.complain(Some(id), wrong);
            } else if upload.work.has_result() {
                self.compare(client, id, upload.work, &job).await?;
                if upload.work == Work::Short && serial.is_multiple_of(DERIVED_EVERY) {
                    self.derive(client, id).await?;
                }
            }
        }
        if let Some(upload) = self.ledger.pages().uploads.get_mut(&serial) {
            upload.seen = true;
        }
        Ok(())
    }

    /// The bytes are those that the job names, and those of every other job of its kind.
    async fn compare(&self, client: &Client, id: &str, work: Work, job: &Value) -> Result<()> {
        let answer = client.get(&format!("/api/v1/jobs/{id}/audio")).await?;
        if matches!(answer.status().as_u16(), 404 | 409) {
            let what = format!("the result of job {id} is not there: {}", answer.status());
            self.ledger.complain(Some(id), what);
            return Ok(());
        }
        ensure!(answer.status() == StatusCode::OK);
        let digest = Sha256::digest(answer.bytes().await?);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if job["correction"]["sha256"] != digest.as_str() {
            let what = format!("the bytes of job {id} are not those that it names");
            self.ledger.complain(Some(id), what);
        }
        self.is_as_ever(id, (work, false), digest);
        Ok(())
    }

    /// Whatever is made of it on demand comes in the end, and is the same as of every other of its kind.
    async fn derive(&self, client: &Client, id: &str) -> Result<()> {
        let path = format!("/api/v1/jobs/{id}/renditions/wav:bits=16,mono");
        let asked = client.request("GET", &path).header("prefer", "wait=2");
        let answer = asked.send().await?;
        match answer.status().as_u16() {
            200 => {
                let digest = Sha256::digest(answer.bytes().await?);
                let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                self.is_as_ever(id, (Work::Short, true), digest);
                Ok(())
            }
            // Asked again when this recording is looked at the next time.
            202 | 429 | 503 | 507 => bail!("it is being made"),
            500 if self.house.may_fail() => bail!("it may fail"),
            status => {
                let told = answer.text().await.unwrap_or_default();
                let what = format!("a rendition of job {id} was answered {status}: {told}");
                self.ledger.complain(Some(id), what);
                Ok(())
            }
        }
    }

    fn is_as_ever(&self, id: &str, kind: (Work, bool), digest: String) {
        let mut pages = self.ledger.pages();
        let first = pages.results.entry(kind).or_insert(digest.clone()).clone();
        drop(pages);
        if first != digest {
            let what =
                format!("job {id} has other bytes than those of its kind before it: {kind:?}");
            self.ledger.complain(Some(id), what);
        }
    }

    async fn delete(&self, client: &Client, serial: u64, upload: &Upload) -> Result<()> {
        let Answer::Accepted { recording, .. } = &upload.answer else {
            return Ok(());
        };
        // Its events go with it; should the answer be lost, nobody misses them.
        if let Some(upload) = self.ledger.pages().uploads.get_mut(&serial) {
            upload.deleted = true;
        }
        let path = format!("/api/v1/recordings/{recording}?forever=true");
        let answer = client.send("DELETE", &path, None).await?;
        let status = answer.status();
        let may_be_full = !self.house.room_was_kept.load(Ordering::Relaxed);
        let right = match status.as_u16() {
            204 | 404 | 503 => true,
            507 => may_be_full || self.house.may_fail(),
            500 => self.house.may_fail(),
            _ => false,
        };
        if !right {
            let told = answer.text().await.unwrap_or_default();
            let what = format!("deleting {recording} was answered {status}: {told}");
            self.ledger.complain(upload.job(), what);
        }
        Ok(())
    }

    /// All recordings that the session has, newest first.
    pub async fn recordings(&self, random: &mut Random) -> Result<Vec<Value>> {
        let client = self.client.at(&self.house.some_server(random));
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let page = client.json(&format!("/api/v1/recordings{token}")).await?;
            all.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next_page_token"].as_str() {
                Some(next) => token = format!("?page_token={next}"),
                None => return Ok(all),
            }
        }
    }
}

async fn post(
    client: &Client,
    upload: &retake_tests::client::Upload,
) -> Result<(StatusCode, Value)> {
    let answer = client.post(upload).await?;
    let status = answer.status();
    Ok((status, answer.json().await?))
}

fn accepted(told: &Value) -> Answer {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Answer::Accepted {
        job: text(&told["job"]["id"]),
        recording: text(&told["id"]),
    }
}
