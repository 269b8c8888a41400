//! `POST /api/v1/recordings`: a form with a recording in it, of any length, in bounded memory.
//!
//! Fields come in any order. The recording is streamed to the blob store as it arrives; what is wrong
//! with the fields is collected and told at once. Nothing of a refused upload is left behind, and
//! 202 is answered after the commit, never before.

mod form;

use std::{io, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, header};
use multer::{Constraints, Field, Multipart, SizeLimit};
use retake_chain::problem::ProblemKind;
use retake_formats::{PREFIX_BYTES, Sniffed, accepted, advice, sniff};
use retake_jobs::{
    id::{OwnerId, RecordingId},
    job::Status,
    recording::Recording,
    seams::{BlobError, BlobInfo, BlobKey},
};
use warp::reply::Response;

use self::form::{Form, Stored, display_name};
use crate::{
    app::App,
    auth,
    body::{BodyError, RequestBody},
    config::ms,
    parameters::{self, Disposition},
    respond::Refusal,
    routes::{
        Call,
        jobs::spread,
        order::{field_pointer, refuse_all, shorten},
    },
    views::Accepted,
};

/// The form's text fields.
const TEXTS: [&str; 5] = ["user_email", "preset", "chain", "format", "track"];

/// Boundaries and headers of the parts, beside the fields' own limits.
const FORM_OVERHEAD_BYTES: u64 = 64 * 1024;

/// A refused recording is read on for so long, so that faults in the fields after it are told too.
const READ_ON_BYTES: u64 = 1024 * 1024;

/// Whoever sends so many wrong fields learns about these.
const FAULTS_MAX: usize = 32;

pub async fn create(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    app.check_queue_depth()?;
    let boundary = boundary(&call.headers)?;
    check_length(&app, &call.headers)?;
    let place = app.uploads.clone().try_acquire_owned().map_err(|_| {
        let most = app.config.uploads_max;
        Refusal::new(
            ProblemKind::Unavailable,
            format!("{most} uploads are being read, and no more are at once; try again"),
        )
    })?;
    let upload = Upload {
        app: app.clone(),
        owner,
        id: RecordingId::new(),
        request_id: call.request_id.as_str().to_owned(),
    };
    let body = call.body.within(ms(app.config.upload_ms_max));
    app.unbroken(async move {
        let answer = upload.run(body, boundary).await;
        drop(place);
        answer
    })
    .await
}

fn boundary(headers: &HeaderMap) -> Result<String, Refusal> {
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING) {
        return Err(Refusal::new(
            ProblemKind::InvalidRequest,
            format!("content-encoding is {encoding:?}; send the form as it is"),
        ));
    }
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| parameters::boundary(value.as_bytes()))
        .ok_or_else(|| {
            let given = content_type.map_or("missing".to_owned(), |value| {
                let text = String::from_utf8_lossy(value.as_bytes());
                format!("\"{}\"", shorten(&text))
            });
            Refusal::new(
                ProblemKind::InvalidRequest,
                format!("content-type is {given}; it must be multipart/form-data with a boundary"),
            )
        })
}

/// Says no before the body is read, where its length already tells.
fn check_length(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok());
    match length.and_then(|text| text.parse::<u64>().ok()) {
        Some(length) if length > form_bytes_max(app) => Err(too_large(app)),
        _ => Ok(()),
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

/// What a part says of itself; multer's own reading wants `name` and `filename` in lower case.
fn disposition(field: &Field<'_>) -> Disposition {
    let value = field.headers().get(header::CONTENT_DISPOSITION);
    value.map_or_else(Disposition::default, |v| Disposition::parse(v.as_bytes()))
}

struct Upload {
    app: Arc<App>,
    owner: OwnerId,
    id: RecordingId,
    request_id: String,
}

impl Upload {
    async fn run(self, body: RequestBody, boundary: String) -> Result<Response, Refusal> {
        let mut form = Form::default();
        let read = self.read(&mut form, body, boundary).await;
        let stored = form.recording.is_some();
        let answer = match read {
            Ok(()) => self.accept(form).await,
            Err(refusal) => Err(refusal),
        };
        if answer.is_err() && stored {
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
        let limits = SizeLimit::new()
            // Texts are limited where they are read, and the recording by the store's `put`: multer
            // does not know a field whose name is written `NAME=`.
            .whole_stream(form_bytes_max(&self.app));
        let constraints = Constraints::new().size_limit(limits);
        let mut parts = Multipart::with_constraints(body.into_stream(), boundary, constraints);
        while form.faults.len() < FAULTS_MAX {
            let Some(field) = parts.next_field().await.map_err(|e| self.broken(e))? else {
                return Ok(());
            };
            let disposition = disposition(&field);
            let name = disposition.name.unwrap_or_default();
            let read_on = match TEXTS.into_iter().find(|text| *text == name) {
                Some(text) => self.read_text(form, text, field).await?,
                None if name == "recording" => {
                    let file_name = disposition.file_name;
                    self.read_recording(form, field, file_name.as_deref())
                        .await?
                }
                None => {
                    let (name, known) = (shorten(&name), TEXTS.join(", "));
                    let detail =
                        format!("there is no field \"{name}\"; there is: recording, {known}");
                    form.fault(ProblemKind::InvalidField, &field_pointer(&name), detail);
                    self.skip(field).await?
                }
            };
            if !read_on {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn read_text(
        &self,
        form: &mut Form,
        name: &'static str,
        mut field: Field<'_>,
    ) -> Result<bool, Refusal> {
        let limit = self.app.config.json_bytes_max;
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|e| self.broken(e))? {
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
        mut field: Field<'_>,
        file_name: Option<&str>,
    ) -> Result<bool, Refusal> {
        if std::mem::replace(&mut form.recording_seen, true) {
            form.twice("recording");
            return self.skip(field).await;
        }
        let file_name = file_name.and_then(display_name);
        let mut prefix = BytesMut::new();
        while prefix.len() < PREFIX_BYTES {
            match field.chunk().await.map_err(|e| self.broken(e))? {
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
                return self.skip(field).await;
            }
            Sniffed::Other(what) => {
                let detail = format!(
                    "the recording seems to be {what}; it must be {}",
                    accepted()
                );
                form.fault(ProblemKind::NotAudio, "/recording", detail);
                return self.skip(field).await;
            }
        };
        if !form.faults.is_empty() {
            // It will be refused anyway.
            return self.skip(field).await;
        }
        let info = self.store(prefix.freeze(), field).await?;
        form.recording = Some(Stored {
            info,
            content_type,
            file_name,
        });
        Ok(true)
    }

    async fn store(&self, prefix: Bytes, field: Field<'_>) -> Result<BlobInfo, Refusal> {
        let body = stream::once(async { Ok(prefix) })
            .chain(field)
            .map(|c| c.map_err(io::Error::other));
        let key = BlobKey::Recording(self.id);
        let limit = self.app.config.upload_bytes_max;
        match self.app.parts.blobs.put(key, Box::pin(body), limit).await {
            Ok(info) => Ok(info),
            Err(BlobError::TooLarge { .. }) => Err(too_large(&self.app)),
            Err(BlobError::Body(error)) => match error.downcast::<multer::Error>() {
                Ok(error) => Err(self.broken(error)),
                Err(error) => Err(Refusal::internal(format!(
                    "a body's error came back as {error}"
                ))),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a field and forgets it; false if it is too long to be worth that.
    async fn skip(&self, mut field: Field<'_>) -> Result<bool, Refusal> {
        let mut skipped = 0;
        loop {
            match field.chunk().await {
                Ok(None) => return Ok(true),
                Ok(Some(chunk)) => skipped += chunk.len() as u64,
                Err(error) => return Err(self.broken(error)),
            }
            if skipped > READ_ON_BYTES {
                return Ok(false);
            }
        }
    }

    /// A form that cannot be read to its end.
    fn broken(&self, error: multer::Error) -> Refusal {
        match error {
            multer::Error::StreamReadFailed(cause) => match cause.downcast::<BodyError>() {
                Ok(cause) => (*cause).into(),
                Err(cause) => Refusal::new(ProblemKind::InvalidRequest, cause.to_string()),
            },
            multer::Error::StreamSizeExceeded { .. } => too_large(&self.app),
            multer::Error::IncompleteStream
            | multer::Error::IncompleteHeaders
            | multer::Error::IncompleteFieldData { .. } => Refusal::new(
                ProblemKind::InvalidRequest,
                "the form breaks off before its end",
            ),
            error => Refusal::new(
                ProblemKind::InvalidRequest,
                format!("the form cannot be read: {error}"),
            ),
        }
    }

    async fn accept(&self, mut form: Form) -> Result<Response, Refusal> {
        let app = &self.app;
        let email = form.email();
        let wanted = form.wanted();
        let order = match wanted.check(&app.vocabulary().await?) {
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
        let job = order.into_job(app, self.id, self.owner, &self.request_id);
        let event = app.parts.store.accept(&recording, &job).await?;
        spread(app, self.owner).await;
        app.metrics.uploaded(recording.size_bytes);
        app.metrics.job(Status::Queued);
        tracing::info!(
            job.id = %job.id,
            recording.id = %self.id,
            request.id = self.request_id,
            size_bytes = recording.size_bytes,
            "job queued"
        );
        Ok(Accepted::new(app.place.base(), &job, event).into_response())
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
