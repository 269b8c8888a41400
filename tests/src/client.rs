//! A REST client as an integrator would write one.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use reqwest::{
    RequestBuilder, Response, StatusCode,
    multipart::{Form, Part},
};
use serde_json::Value;

use crate::listen::{Listener, News};

/// Long enough for a slow machine; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// A form to post; fields left out are not sent.
#[derive(Default, Clone)]
pub struct Upload {
    pub bytes: Vec<u8>,
    pub file_name: String,
    pub fields: Vec<(&'static str, String)>,
}

impl Upload {
    pub fn file(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let file_name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Self::bytes(bytes, &file_name))
    }

    pub fn bytes(bytes: Vec<u8>, file_name: &str) -> Self {
        let fields = vec![
            ("user_email", "ann@example.org".to_owned()),
            ("preset", "speech".to_owned()),
        ];
        Self {
            bytes,
            file_name: file_name.to_owned(),
            fields,
        }
    }

    /// Sets a field, in place of one of that name; a chain also in place of the preset.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let instead = if name == "chain" { "preset" } else { name };
        self.fields
            .retain(|(known, _)| *known != name && *known != instead);
        self.fields.push((name, value.into()));
        self
    }
}

impl Client {
    /// With a session of its own.
    pub async fn new(base: &str) -> Result<Self> {
        // The library is built without a default; a second test finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build()?;
        let session = http.post(format!("{base}/api/v1/sessions")).send().await?;
        ensure!(session.status() == StatusCode::CREATED, "{session:?}");
        let session: Value = session.json().await?;
        let token = session["token"].as_str().context("a token")?.to_owned();
        Ok(Self {
            http,
            base: base.to_owned(),
            token,
        })
    }

    /// The same session at another server.
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// With another token, an admin key say.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    pub async fn post(&self, upload: &Upload) -> Result<Response> {
        Ok(self.upload(upload).send().await?)
    }

    /// Named by a key, so that it is done once.
    pub async fn post_once(&self, upload: &Upload, key: &str) -> Result<Response> {
        let request = self.upload(upload).header("idempotency-key", key);
        Ok(request.send().await?)
    }

    fn upload(&self, upload: &Upload) -> RequestBuilder {
        let part = Part::bytes(upload.bytes.clone()).file_name(upload.file_name.clone());
        let mut form = Form::new().part("recording", part);
        for (name, value) in &upload.fields {
            form = form.text(*name, value.clone());
        }
        self.request("POST", "/api/v1/recordings").multipart(form)
    }

    /// Posts and returns the job's id.
    pub async fn accepted(&self, upload: &Upload) -> Result<String> {
        let response = self.post(upload).await?;
        let status = response.status();
        let location = response.headers().get("location").cloned();
        let body: Value = response.json().await?;
        ensure!(status == StatusCode::ACCEPTED, "{status}: {body}");
        let id = body["job"]["id"].as_str().context("a job id")?.to_owned();
        let location = location.context("Location")?;
        ensure!(
            location.to_str()?.ends_with(&format!("/api/v1/jobs/{id}")),
            "{location:?}"
        );
        Ok(id)
    }

    pub async fn get(&self, path: &str) -> Result<Response> {
        Ok(self.request("GET", path).send().await?)
    }

    pub async fn json(&self, path: &str) -> Result<Value> {
        let response = self.get(path).await?;
        ensure!(
            response.status().is_success(),
            "GET {path}: {}",
            response.status()
        );
        Ok(response.json().await?)
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Result<Response> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Ok(request.send().await?)
    }

    /// The job once it has ended, however it did.
    pub async fn ended(&self, job: &str) -> Result<Value> {
        let begun = std::time::Instant::now();
        loop {
            // A server that is being restarted by the test is asked again.
            if let Ok(now) = self.json(&format!("/api/v1/jobs/{job}")).await
                && matches!(
                    now["status"].as_str(),
                    Some("completed" | "failed" | "cancelled")
                )
            {
                return Ok(now);
            }
            if begun.elapsed() > PATIENCE {
                bail!(
                    "job {job} has not ended: {:?}",
                    self.json(&format!("/api/v1/jobs/{job}")).await
                );
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Posts, waits, and expects a correction: (job, its audio).
    pub async fn corrected(&self, upload: &Upload) -> Result<(Value, Vec<u8>)> {
        let id = self.accepted(upload).await?;
        let job = self.ended(&id).await?;
        ensure!(job["status"] == "completed", "{}: {job}", upload.file_name);
        let audio = self.get(&format!("/api/v1/jobs/{id}/audio")).await?;
        ensure!(audio.status() == StatusCode::OK, "{audio:?}");
        Ok((job, audio.bytes().await?.to_vec()))
    }

    /// Hears the session's events, those after `after` if given.
    pub async fn listen(&self, after: Option<&str>) -> Result<Listener> {
        let mut request = self
            .request("GET", "/api/v1/events")
            .header("accept", "text/event-stream");
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let response = request.send().await?;
        ensure!(response.status() == StatusCode::OK, "{response:?}");
        Ok(Listener::new(response))
    }

    /// Events up to the end of one job.
    pub async fn story(&self, listener: &mut Listener, job: &str) -> Result<Vec<News>> {
        let mut story = Vec::new();
        loop {
            let news = listener.next().await?;
            if news.json["job"]["id"] != job {
                continue;
            }
            let ended = matches!(
                news.event.as_str(),
                "job.completed" | "job.failed" | "job.cancelled"
            );
            story.push(news);
            if ended {
                return Ok(story);
            }
        }
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token)
    }
}
