//! `POST /api/v1/recordings`: a form with a recording in it, the recording alone, or where it lies, of any
//! length, in bounded memory.
//!
//! Fields come in any order. The recording is streamed to the blob store as it arrives; what is wrong
//! with the fields is collected and told at once. Nothing of a refused upload is left behind, and
//! 202 is answered after the commit, never before.

mod form;
mod link;

use std::{collections::BTreeMap, io, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, header};
use retake_chain::problem::ProblemKind;
use retake_formats::{PREFIX_BYTES, Sniffed, accepted, advice, sniff};
use retake_jobs::{
    digest::hex,
    id::{EventId, JobId, OwnerId, RecordingId},
    idempotency::{Added, Answered},
    job::{Job, Status},
    recording::Recording,
    seams::{BlobError, BlobInfo, BlobKey},
    trace::TraceContext,
};
use sha2::{Digest as _, Sha256};
use warp::reply::Response;

pub use self::form::display_name;
use self::form::{Form, Stored};
use crate::{
    api::Accepted,
    app::App,
    call::Call,
    config::ms,
    http::{
        body::RequestBody,
        multipart::{Chunks, FormError, Limits, Multipart},
        parameters::{self, Disposition},
        respond::{Refusal, shorten},
    },
    limits::quotas::Told,
    routes::{
        once::{Ordering, replayed, same},
        order::{field_pointer, refuse_all},
        presets,
        webhooks::check_callback,
    },
    session::auth,
};

/// The form's text fields.
pub const TEXTS: [&str; 7] = [
    "user_email",
    "preset",
    "chain",
    "format",
    "track",
    "egress",
    "callback_url",
];

/// Boundaries and headers of the parts, beside the fields' own limits.
const FORM_OVERHEAD_BYTES: u64 = 64 * 1024;

/// Each field once, and as many that are wrong as are told.
const PARTS_MAX: usize = TEXTS.len() + 1 + FAULTS_MAX;

/// A refused recording is read on for so long, so that faults in the fields after it are told too.
const READ_ON_BYTES: u64 = 1024 * 1024;

/// Whoever sends so many wrong fields learns about these.
const FAULTS_MAX: usize = 32;

pub async fn create(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let ordering = Ordering::begin(&app, owner, &call.headers).await?;
    let envelope = envelope(&call.headers)?;
    let fields = call.query_fields();
    let length = check_length(&app, &call.headers)?;
    if !ordering.came_before() {
        // Around the recording stands a form, which is little; without a length any recording fits that begins
        // within the quota.
        auth::check_usage(&app, (owner, &call.told), Some(length.unwrap_or(1))).await?;
    }
    let place = app.upload_places.take(Some(owner), call.peer)?;
    let upload = Upload {
        app: app.clone(),
        owner,
        id: RecordingId::new(app.parts.clock.now()),
        request_id: call.request_id.as_str().to_owned(),
        trace: call.trace,
        told: call.told,
        ordering,
    };
    let body = call
        .body
        .within(ms(app.config.upload_ms_max))
        .at_least(app.config.upload_bytes_per_s_min);
    app.unbroken(async move {
        let answer = upload.run(body, envelope, fields).await;
        drop(place);
        answer
    })
    .await
}

/// How the recording comes.
enum Envelope {
    Form {
        boundary: String,
    },
    /// The body is the recording, and the fields stand in the query.
    None,
    /// The body is JSON: the fields, and where the recording lies.
    Link,
}

fn envelope(headers: &HeaderMap) -> Result<Envelope, Refusal> {
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING) {
        return Err(Refusal::new(
            ProblemKind::InvalidRequest,
            format!("content-encoding is {encoding:?}; send the recording as it is"),
        ));
    }
    let content_type = headers.get(header::CONTENT_TYPE);
    if let Some(boundary) = content_type.and_then(|value| parameters::boundary(value.as_bytes())) {
        return Ok(Envelope::Form { boundary });
    }
    let given = content_type.map_or("missing".into(), |value| {
        String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase()
    });
    let essence = given.split(';').next().unwrap_or_default().trim();
    let is_raw = essence.starts_with("audio/")
        || essence.starts_with("video/")
        || ["application/octet-stream", "application/ogg"].contains(&essence);
    if is_raw {
        return Ok(Envelope::None);
    }
    if essence == "application/json" {
        return Ok(Envelope::Link);
    }
    Err(Refusal::new(
        ProblemKind::InvalidRequest,
        format!(
            "content-type is \"{}\"; it must be multipart/form-data with a boundary, audio/*, video/* \
             or application/octet-stream where the body is the recording itself, or application/json where \
             that says where it lies",
            shorten(&given)
        ),
    ))
}

/// Says no before the body is read, where its length already tells.
/// As far as the request says.
fn check_length(app: &App, headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok());
    match length.and_then(|text| text.parse::<u64>().ok()) {
        Some(length) if length > form_bytes_max(app) => Err(too_large(app)),
        length => Ok(length),
    }
}

fn form_bytes_max(app: &App) -> u64 {
    let texts = app.config.json_bytes_max * TEXTS.len() as u64;
    app.config
        .upload_bytes_max
        .saturating_add(texts + FORM_OVERHEAD_BYTES)
}

fn too_large(app: &App) -> Refusal {
    let limit = app.config.upload_bytes_max;
    let detail = format!("the recording has more than {limit} bytes, which is the limit");
    Refusal::field(ProblemKind::TooLarge, "/recording", detail)
}

/// The upload's answer: of this time, or of when it came before.
enum Taken {
    Now(Box<Job>, EventId),
    Before(Box<Answered>),
}

impl Taken {
    fn answer(&self, app: &App) -> Response {
        match self {
            Self::Now(job, event) => Accepted::new(app.place.base(), job, *event).into_response(),
            Self::Before(before) => replayed(app, before),
        }
    }

    fn job(&self) -> JobId {
        match self {
            Self::Now(job, _) => job.id,
            Self::Before(before) => before.job.id,
        }
    }
}

/// The fields of a form, by name.
pub type Texts = BTreeMap<&'static str, String>;

/// A recording that has come as a whole before.
pub struct Whole {
    pub owner: OwnerId,
    pub id: RecordingId,
    pub request_id: String,
    pub trace: TraceContext,
    pub ordering: Ordering,
    pub texts: Texts,
    pub file_name: Option<String>,
}

/// What is wrong with the fields, before a byte of the recording has come.
pub async fn check(app: &App, owner: OwnerId, texts: &Texts) -> Result<(), Refusal> {
    let mut form = Form::of(texts);
    form.email();
    let wanted = form.wanted();
    let saved = presets::saved(app, owner, wanted.preset.as_deref()).await?;
    if let Err(faults) = wanted.check(&app.vocabulary().await?, saved.as_ref()) {
        form.faults.extend(faults);
    }
    match form.faults.is_empty() {
        true => Ok(()),
        false => Err(refuse_all(form.faults)),
    }
}

/// As one that comes in a request of its own.
pub async fn take_in(
    app: Arc<App>,
    whole: Whole,
    bytes: &mut impl Chunks,
) -> Result<JobId, Refusal> {
    let upload = Upload {
        app,
        owner: whole.owner,
        id: whole.id,
        request_id: whole.request_id,
        trace: whole.trace,
        told: Told::default(),
        ordering: whole.ordering,
    };
    let mut form = Form::of(&whole.texts);
    let read = upload
        .read_recording(&mut form, bytes, whole.file_name)
        .await;
    let taken = upload.decide(form, read.map(drop)).await?;
    Ok(taken.job())
}

struct Upload {
    app: Arc<App>,
    owner: OwnerId,
    id: RecordingId,
    request_id: String,
    trace: TraceContext,
    told: Told,
    ordering: Ordering,
}

impl Upload {
    async fn run(
        self,
        body: RequestBody,
        envelope: Envelope,
        fields: Vec<(String, String)>,
    ) -> Result<Response, Refusal> {
        let mut form = Form::default();
        let read = match envelope {
            Envelope::Form { boundary } => {
                for (name, _) in fields {
                    form.unknown(&name, "a form's fields stand in the form");
                }
                self.read(&mut form, body, boundary).await
            }
            Envelope::None => self.read_raw(&mut form, body, fields).await,
            Envelope::Link => {
                for (name, _) in fields {
                    form.unknown(&name, "the fields stand in the body");
                }
                self.read_link(&mut form, body).await
            }
        };
        let taken = self.decide(form, read).await?;
        Ok(taken.answer(&self.app))
    }

    /// Of what was stored nothing stays unless it is taken in now.
    async fn decide(&self, form: Form, read: Result<(), Refusal>) -> Result<Taken, Refusal> {
        let stored = form.recording.is_some() && !self.ordering.came_before();
        let answer = match read {
            Ok(()) => self.accept(form).await,
            Err(refusal) => Err(refusal),
        };
        if stored && !matches!(answer, Ok(Taken::Now(..))) {
            self.clean_up().await;
        }
        answer
    }

    async fn read(
        &self,
        form: &mut Form,
        body: RequestBody,
        boundary: String,
    ) -> Result<(), Refusal> {
        let config = &self.app.config;
        let limits = Limits {
            bytes_max: form_bytes_max(&self.app),
            head_bytes_max: config.part_head_bytes_max,
            parts_max: PARTS_MAX,
        };
        let mut parts = Multipart::new(body, &boundary, limits);
        while form.faults.len() < FAULTS_MAX {
            let part = parts.next_part().await.map_err(|e| self.broken(e))?;
            let Some(part) = part else {
                return Ok(());
            };
            let disposition = Disposition::parse(&part.disposition);
            let name = disposition.name.unwrap_or_default();
            let read_on = match TEXTS.into_iter().find(|text| *text == name) {
                Some(text) => self.read_text(form, text, &mut parts).await?,
                None if name == "recording" => {
                    let file_name = disposition.file_name.as_deref().and_then(display_name);
                    self.read_recording(form, &mut parts, file_name).await?
                }
                None => {
                    form.unknown(&name, &format!("there is: recording, {}", TEXTS.join(", ")));
                    self.skip(&mut parts).await?
                }
            };
            if !read_on {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn read_raw(
        &self,
        form: &mut Form,
        mut body: RequestBody,
        fields: Vec<(String, String)>,
    ) -> Result<(), Refusal> {
        let mut file_name = None;
        for (name, value) in fields {
            match TEXTS.into_iter().find(|text| *text == name) {
                Some(text) => {
                    if form.texts.insert(text, Some(value)).is_some() {
                        form.twice(text);
                    }
                }
                None if name == "file_name" => file_name = display_name(&value),
                None => form.unknown(&name, &format!("there is: file_name, {}", TEXTS.join(", "))),
            }
        }
        self.read_recording(form, &mut body, file_name).await?;
        Ok(())
    }

    async fn read_text(
        &self,
        form: &mut Form,
        name: &'static str,
        parts: &mut Multipart,
    ) -> Result<bool, Refusal> {
        let limit = self.app.config.json_bytes_max;
        let mut bytes = Vec::new();
        while let Some(chunk) = parts.chunk().await.map_err(|e| self.broken(e))? {
            if (bytes.len() + chunk.len()) as u64 > limit {
                let detail = format!("{name} has more than {limit} bytes, which is the limit");
                let pointer = field_pointer(name);
                return Err(Refusal::field(ProblemKind::InvalidField, &pointer, detail));
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(bytes).ok();
        if text.is_none() {
            let detail = format!("{name} is not UTF-8 text");
            form.fault(ProblemKind::InvalidField, &field_pointer(name), detail);
        }
        if form.texts.insert(name, text).is_some() {
            form.twice(name);
        }
        Ok(true)
    }

    async fn read_recording(
        &self,
        form: &mut Form,
        parts: &mut impl Chunks,
        file_name: Option<String>,
    ) -> Result<bool, Refusal> {
        if std::mem::replace(&mut form.recording_seen, true) {
            form.twice("recording");
            return self.skip(parts).await;
        }
        let mut prefix = BytesMut::new();
        while prefix.len() < PREFIX_BYTES {
            match parts.chunk().await.map_err(|e| self.broken(e))? {
                Some(chunk) => prefix.extend_from_slice(&chunk),
                None => break,
            }
        }
        if prefix.is_empty() {
            let detail = "the recording is empty: it has 0 bytes";
            form.fault(ProblemKind::EmptyAudio, "/recording", detail);
            return Ok(true);
        }
        let content_type = match sniff(&prefix[..prefix.len().min(PREFIX_BYTES)]) {
            Sniffed::Audio(container) => container.content_type(),
            Sniffed::Unsupported(codec) => {
                let detail = format!(
                    "the recording is {codec}, which is not read; {}",
                    advice(codec)
                );
                form.fault(ProblemKind::UnknownCodec, "/recording", detail);
                return self.skip(parts).await;
            }
            Sniffed::Other(what) => {
                let detail = format!(
                    "the recording seems to be {what}; it must be {}",
                    accepted()
                );
                form.fault(ProblemKind::NotAudio, "/recording", detail);
                return self.skip(parts).await;
            }
        };
        if !form.faults.is_empty() {
            // It will be refused anyway.
            return self.skip(parts).await;
        }
        let info = self.store(prefix.freeze(), parts).await?;
        form.recording = Some(Stored {
            info,
            content_type,
            file_name,
        });
        Ok(true)
    }

    async fn store(&self, prefix: Bytes, parts: &mut impl Chunks) -> Result<BlobInfo, Refusal> {
        if self.ordering.came_before() {
            return self.only_digest(prefix, parts).await;
        }
        let rest = stream::unfold(parts, |parts| async {
            let chunk = parts.chunk().await.transpose()?;
            Some((chunk.map_err(io::Error::other), parts))
        });
        let body = stream::once(async { Ok(prefix) }).chain(rest);
        let key = BlobKey::Recording(self.id);
        let limit = self.app.config.upload_bytes_max;
        match self
            .app
            .parts
            .blobs
            .put_draft(key, Box::pin(body), limit)
            .await
        {
            Ok(info) => Ok(info),
            Err(BlobError::TooLarge { .. }) => Err(too_large(&self.app)),
            Err(BlobError::Body(error)) => match error.downcast::<FormError>() {
                Ok(error) => Err(self.broken(error)),
                Err(error) => Err(Refusal::internal(format!(
                    "a body's error came back as {error}"
                ))),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// What came before is only compared with what came then.
    async fn only_digest(
        &self,
        prefix: Bytes,
        parts: &mut impl Chunks,
    ) -> Result<BlobInfo, Refusal> {
        let mut sha256 = Sha256::new_with_prefix(&prefix);
        let mut size_bytes = prefix.len() as u64;
        while let Some(chunk) = parts.chunk().await.map_err(|e| self.broken(e))? {
            size_bytes += chunk.len() as u64;
            if size_bytes > self.app.config.upload_bytes_max {
                return Err(too_large(&self.app));
            }
            sha256.update(&chunk);
        }
        Ok(BlobInfo {
            size_bytes,
            sha256: hex(&sha256.finalize()),
        })
    }

    /// Reads a field and forgets it; false if it is too long to be worth that.
    async fn skip(&self, parts: &mut impl Chunks) -> Result<bool, Refusal> {
        let mut skipped = 0;
        while let Some(chunk) = parts.chunk().await.map_err(|e| self.broken(e))? {
            skipped += chunk.len() as u64;
            if skipped > READ_ON_BYTES {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A form that cannot be read to its end.
    fn broken(&self, error: FormError) -> Refusal {
        match error {
            FormError::Body(error) => error.into(),
            FormError::TooLarge { .. } => too_large(&self.app),
            FormError::Fetch(_) => {
                Refusal::field(ProblemKind::FetchFailed, "/url", error.to_string())
            }
            error => Refusal::new(ProblemKind::InvalidRequest, error.to_string()),
        }
    }

    async fn accept(&self, mut form: Form) -> Result<Taken, Refusal> {
        let app = &self.app;
        let once = self.ordering.once(form.fingerprint());
        if let Some(before) = self.ordering.before(once.as_ref()) {
            return before.map(Taken::Before);
        }
        let email = form.email();
        let wanted = form.wanted();
        let saved = presets::saved(app, self.owner, wanted.preset.as_deref()).await?;
        let callback = check_callback(app, self.owner, wanted.callback_url.as_deref()).await?;
        let callback = callback.map_err(|fault| form.faults.push(fault));
        let order = match wanted.check(&app.vocabulary().await?, saved.as_ref()) {
            Ok(order) => Some(order),
            Err(faults) => {
                form.faults.extend(faults);
                None
            }
        };
        if !form.recording_seen {
            let detail = "the recording is missing: send it as the form's field \"recording\"";
            form.fault(ProblemKind::InvalidField, "/recording", detail);
        }
        let (Some(user_email), Some(order), Some(stored), true) =
            (email, order, form.recording, form.faults.is_empty())
        else {
            // What is wrong with the recording names the problem.
            form.faults
                .sort_by_key(|fault| fault.error.pointer != "/recording");
            return Err(refuse_all(form.faults));
        };

        let recording = Recording {
            id: self.id,
            owner: self.owner,
            user_email,
            file_name: stored.file_name,
            content_type: stored.content_type.to_owned(),
            size_bytes: stored.info.size_bytes,
            sha256: stored.info.sha256,
            created_at: app.parts.clock.now(),
        };
        let asked = (self.request_id.as_str(), self.trace);
        let mut job = order.into_job(app, self.id, self.owner, asked);
        job.callback_url = callback.unwrap_or_default();
        let added = app.parts.store.accept(&recording, &job, once.as_ref());
        let event = match added.await? {
            Added::Now(event) => event,
            Added::Before(before) => {
                same(&before, once.as_ref())?;
                return Ok(Taken::Before(before));
            }
        };
        app.metrics.uploaded(recording.size_bytes);
        app.metrics.job(Status::Queued);
        tracing::info!(
            job.id = %job.id,
            recording.id = %self.id,
            request.id = self.request_id,
            trace.id = self.trace.trace_id(),
            size_bytes = recording.size_bytes,
            "job queued"
        );
        Ok(Taken::Now(Box::new(job), event))
    }

    /// Takes the bytes away, unless their row was committed after all and only the answer failed.
    async fn clean_up(&self) {
        let key = BlobKey::Recording(self.id);
        let kept = match self.app.parts.store.recording(self.owner, self.id).await {
            Ok(row) => row.is_some(),
            Err(_) => true,
        };
        if kept {
            tracing::warn!(recording.id = %self.id, "the bytes of a refused upload are kept: their row may exist");
        } else if let Err(error) = self.app.parts.blobs.delete(key).await {
            tracing::error!(recording.id = %self.id, "the bytes of a refused upload remain: {error}");
        }
    }
}
