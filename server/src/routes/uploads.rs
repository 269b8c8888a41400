//! Uploads that go on after a cut: tus 1.0.0 (<https://tus.io/protocols/resumable-upload>) with the extensions
//! creation, creation-with-upload, creation-defer-length, expiration, termination and checksum.
//!
//! What a client may do next hangs on the status: tus-js-client asks again after 409, 423 and 5xx, begins anew
//! where HEAD answers anything else than 2xx or 423, and gives up at any other 4xx. So whatever passes is 423 here.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    id::{JobId, OwnerId, RecordingId},
    idempotency::IdempotencyKey,
    trace::TraceContext,
};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use warp::reply::Response;

use crate::{
    api::UploadView,
    app::App,
    call::Call,
    config::ms,
    http::{
        body::{BodyError, RequestBody},
        multipart::{Chunks, FormError},
        respond::{self, Answer, Refusal, shorten},
    },
    partials::{Held, Opened, Partial, Reader},
    routes::{
        once::Ordering,
        upload::{self, TEXTS, Texts},
    },
    session::auth,
};

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str =
    "creation,creation-with-upload,creation-defer-length,expiration,termination,checksum";
const CHECKSUMS: &str = "sha1,sha256";
const PIECE: &str = "application/offset+octet-stream";

static RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
static TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
static OFFSET: HeaderName = HeaderName::from_static("upload-offset");
static LENGTH: HeaderName = HeaderName::from_static("upload-length");
static DEFER: HeaderName = HeaderName::from_static("upload-defer-length");
static METADATA: HeaderName = HeaderName::from_static("upload-metadata");
static EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
static CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");

/// Bytes gathered before they are written.
const WRITE_BYTES: usize = 256 << 10;

/// What it can do, for whoever asks.
pub async fn options(app: Arc<App>, _: Call) -> Answer {
    let mut response = respond::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    for (name, value) in [
        ("tus-version", VERSION),
        ("tus-extension", EXTENSIONS),
        ("tus-checksum-algorithm", CHECKSUMS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("tus-max-size", app.config.upload_bytes_max.into());
    Ok(marked(response))
}

pub async fn create(app: Arc<App>, call: Call) -> Answer {
    let owner = auth::owner(&app, &call).await?;
    check_version(&call.headers)?;
    let length = number(&call.headers, &LENGTH)?;
    let deferred = call.headers.get(&DEFER).is_some_and(|value| value == "1");
    if length.is_some() == deferred {
        let detail = "upload-length is missing, or upload-defer-length stands beside it; send one of them, the \
                      second as 1";
        return Err(Refusal::new(ProblemKind::InvalidRequest, detail));
    }
    check_length(&app, length)?;
    let metadata = text(&call.headers, &METADATA)?.unwrap_or_default();
    let Described { texts, file_name } = described(&metadata)?;
    app.check_queue_depth()?;
    auth::check_usage(&app, (owner, &call.told), Some(length.unwrap_or(1))).await?;
    upload::check(&app, owner, &texts).await?;
    let lifetime = SignedDuration::try_from(ms(app.config.resumable_upload_ms));
    let now = app.parts.clock.now();
    let partial = Partial {
        id: RecordingId::new(now),
        owner,
        length,
        texts: texts.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
        file_name,
        metadata,
        expires_at: now
            .saturating_add(lifetime.unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MAX),
        unchecked_from: None,
        job: None,
    };
    let most = app.config.resumable_uploads_per_owner_max;
    let held = app.partials.create(partial, most).await?.ok_or_else(|| {
        let detail = format!("{most} uploads have begun and are not whole; end one of them");
        Refusal::new(ProblemKind::TooManyRequests, detail)
    })?;
    let address = format!("{}/api/v1/uploads/{}", app.place.base(), held.partial.id);
    let with_upload = call
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == PIECE);
    let mut response = if with_upload {
        come(app, call, Box::new(held)).await?
    } else {
        appended(&held.partial, held.offset)
    };
    *response.status_mut() = StatusCode::CREATED;
    let address = HeaderValue::from_str(&address).expect("a path of ASCII");
    response.headers_mut().insert(header::LOCATION, address);
    Ok(marked(response))
}

/// HEAD, and GET with the same in words.
pub async fn look(app: Arc<App>, call: Call) -> Answer {
    let is_head = call.method == Method::HEAD;
    let looked = see(&app, &call).await;
    match looked {
        // Anything but 423 would make the client begin anew.
        Err(refusal) if is_head && [429, 503].contains(&refusal.problem.status) => {
            Err(locked(&refusal.problem.detail))
        }
        looked => looked,
    }
}

async fn see(app: &Arc<App>, call: &Call) -> Answer {
    if app.stopping.is_cancelled() {
        return Err(locked("the server stops; ask again in a moment"));
    }
    let owner = auth::owner(app, call).await?;
    let held = hold(app, owner, call.id()?).await?;
    if call.method == Method::HEAD {
        check_version(&call.headers)?;
    }
    let (partial, offset) = (held.partial.clone(), held.offset);
    // It was whole, and a process died before it became a recording.
    let (partial, offset) = if partial.job.is_none() && partial.length == Some(offset) {
        let asked = (call.request_id.as_str().to_owned(), call.trace);
        let job = finish(app.clone(), held, asked).await?;
        let job = Some(job);
        (Partial { job, ..partial }, offset)
    } else {
        (partial, offset)
    };
    let offset = partial.job.and(partial.length).unwrap_or(offset);
    let view = UploadView::new(app.place.base(), &partial, offset);
    let mut response = respond::json(StatusCode::OK, &view);
    let headers = response.headers_mut();
    headers.insert(&OFFSET, offset.into());
    match partial.length {
        Some(length) => headers.insert(&LENGTH, length.into()),
        None => headers.insert(&DEFER, HeaderValue::from_static("1")),
    };
    if let Ok(metadata) = HeaderValue::from_str(&partial.metadata)
        && !partial.metadata.is_empty()
    {
        headers.insert(&METADATA, metadata);
    }
    headers.insert(&EXPIRES, expires(&partial));
    Ok(marked(response))
}

pub async fn append(app: Arc<App>, call: Call) -> Answer {
    if app.stopping.is_cancelled() {
        return Err(locked("the server stops; ask again in a moment"));
    }
    let owner = auth::owner(&app, &call).await?;
    let mut held = hold(&app, owner, call.id()?).await?;
    check_version(&call.headers)?;
    let content_type = call.headers.get(header::CONTENT_TYPE);
    if content_type.is_none_or(|value| value != PIECE) {
        let detail = format!("content-type is {content_type:?}; it must be {PIECE}");
        return Err(Refusal::new(ProblemKind::InvalidRequest, detail));
    }
    let offset = number(&call.headers, &OFFSET)?.ok_or_else(|| {
        let detail = "upload-offset is missing; it must be where the piece begins";
        Refusal::new(ProblemKind::InvalidRequest, detail)
    })?;
    let length = number(&call.headers, &LENGTH)?;
    if held.partial.job.is_some() {
        // The answer to its last piece was lost.
        let whole = held.partial.length.unwrap_or_default();
        if offset != whole {
            return Err(elsewhere(offset, whole));
        }
        return Ok(marked(appended(&held.partial, whole)));
    }
    if offset != held.offset {
        return Err(elsewhere(offset, held.offset));
    }
    if let Some(length) = length {
        match held.partial.length {
            Some(known) if known != length => {
                let detail = format!("upload-length is {length}, and it was {known} before");
                return Err(Refusal::new(ProblemKind::InvalidRequest, detail));
            }
            Some(_) => {}
            None => {
                check_length(&app, Some(length))?;
                if length < held.offset {
                    let (detail, had) = ("is shorter than what came", held.offset);
                    let detail = format!("upload-length is {length}, which {detail}: {had} bytes");
                    return Err(Refusal::new(ProblemKind::InvalidRequest, detail));
                }
                held.partial.length = Some(length);
                held = held.note().await?;
            }
        }
    }
    let response = come(app, call, held).await?;
    Ok(marked(response))
}

pub async fn terminate(app: Arc<App>, call: Call) -> Answer {
    let owner = auth::owner(&app, &call).await?;
    let held = hold(&app, owner, call.id()?).await?;
    check_version(&call.headers)?;
    held.remove().await?;
    Ok(marked(respond::empty(StatusCode::NO_CONTENT)))
}

/// Takes what comes, and makes a recording of it where it is whole. Goes on without the client.
async fn come(app: Arc<App>, call: Call, held: Box<Held>) -> Answer {
    let place = app
        .upload_places
        .take(Some(held.partial.owner), call.peer)
        .map_err(|crowded| locked(&crowded.problem.detail))?;
    let sum = Sum::asked_for(&call.headers)?;
    let asked = (call.request_id.as_str().to_owned(), call.trace);
    let body = call
        .body
        .within(ms(app.config.upload_ms_max))
        .at_least(app.config.upload_bytes_per_s_min);
    let work = {
        let app = app.clone();
        async move {
            let held = receive(&app, held, body, sum).await?;
            drop(place);
            let (partial, offset) = (held.partial.clone(), held.offset);
            if partial.length != Some(offset) {
                return Ok(appended(&partial, offset));
            }
            let job = finish(app.clone(), held, asked).await?;
            let job = Some(job);
            Ok(appended(&Partial { job, ..partial }, offset))
        }
    };
    app.unbroken(work).await
}

/// Whatever came before the body broke off is kept, unless it was to be held against a checksum.
async fn receive(
    app: &App,
    mut held: Box<Held>,
    mut body: RequestBody,
    mut sum: Option<Sum>,
) -> Result<Box<Held>, Refusal> {
    let from = held.offset;
    let most = held.partial.length.unwrap_or(app.config.upload_bytes_max);
    if sum.is_some() {
        held.partial.unchecked_from = Some(from);
        held = held.note().await?;
    }
    let (mut gathered, mut came) = (Vec::new(), from);
    let ended = loop {
        let bytes: Bytes = match body.next().await {
            None => break Ok(()),
            Some(Err(error)) => break Err(Refusal::from(error)),
            Some(Ok(bytes)) => bytes,
        };
        came += bytes.len() as u64;
        if came > most {
            let detail = format!("more than {most} bytes come, which is its length or the limit");
            break Err(Refusal::new(ProblemKind::TooLarge, detail));
        }
        if let Some(sum) = &mut sum {
            sum.add(&bytes);
        }
        gathered.extend_from_slice(&bytes);
        if gathered.len() >= WRITE_BYTES {
            held = held.append(std::mem::take(&mut gathered)).await?;
        }
    };
    if !gathered.is_empty() {
        held = held.append(gathered).await?;
    }
    let refused = match (ended, sum) {
        (Ok(()), Some(sum)) => sum.check().err(),
        (Ok(()), None) => None,
        (Err(refusal), Some(_)) => Some(refusal),
        (Err(refusal), None) => {
            held.sync().await?;
            return Err(refusal);
        }
    };
    if refused.is_some() {
        held = held.cut(from).await?;
    } else {
        held = held.sync().await?;
    }
    if held.partial.unchecked_from.take().is_some() {
        held = held.note().await?;
    }
    match refused {
        Some(refusal) => Err(refusal),
        None => Ok(held),
    }
}

/// Once, whoever dies meanwhile: the upload's id names the request.
async fn finish(
    app: Arc<App>,
    held: Box<Held>,
    (request_id, trace): (String, TraceContext),
) -> Result<JobId, Refusal> {
    let partial = &held.partial;
    let key = IdempotencyKey::parse(&format!("tus {}", partial.id)).expect("it is short and ASCII");
    let ordering = Ordering::named(&app, partial.owner, key).await?;
    let texts = TEXTS.into_iter().filter_map(|name| {
        let text = partial.texts.get(name)?;
        Some((name, text.clone()))
    });
    let whole = upload::Whole {
        owner: partial.owner,
        id: partial.id,
        request_id,
        trace,
        ordering,
        texts: texts.collect(),
        file_name: partial.file_name.clone(),
    };
    let mut bytes = Bytesof(held.reader()?);
    let job = upload::take_in(app, whole, &mut bytes).await?;
    held.became(job).await?;
    Ok(job)
}

/// The file, as a form's part is read.
struct Bytesof(Reader);

impl Chunks for Bytesof {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FormError> {
        let next = self.0.next().await;
        next.map_err(|error| FormError::Body(BodyError::Kept(error.to_string())))
    }
}

async fn hold(app: &App, owner: OwnerId, id: RecordingId) -> Result<Box<Held>, Refusal> {
    match app.partials.open(owner, id, app.parts.clock.now()).await? {
        Opened::Held(held) => Ok(held),
        Opened::Busy => Err(locked(
            "a piece of it is still coming; ask again in a moment",
        )),
        Opened::Gone => Err(Refusal::not_found()),
    }
}

fn locked(detail: &str) -> Refusal {
    Refusal::new(ProblemKind::UploadLocked, detail).with_header(header::RETRY_AFTER, "1")
}

fn elsewhere(asked: u64, is: u64) -> Refusal {
    let detail = format!("upload-offset is {asked}; {is} bytes have come, so it must be {is}");
    Refusal::new(ProblemKind::OffsetMismatch, detail).with_header(OFFSET.clone(), &is.to_string())
}

fn appended(partial: &Partial, offset: u64) -> Response {
    let mut response = respond::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(&OFFSET, offset.into());
    headers.insert(&EXPIRES, expires(partial));
    response
}

fn marked(mut response: Response) -> Response {
    let version = HeaderValue::from_static(VERSION);
    let headers = response.headers_mut();
    headers.insert(&RESUMABLE, version);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// RFC 9110 5.6.7.
fn expires(partial: &Partial) -> HeaderValue {
    let text = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&partial.expires_at)
        .unwrap_or_default();
    HeaderValue::from_str(&text).expect("a date is ASCII")
}

fn check_version(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get(&RESUMABLE);
    if given.is_some_and(|value| value == VERSION) {
        return Ok(());
    }
    let detail = format!("tus-resumable is {given:?}; it must be {VERSION}");
    Err(Refusal::new(ProblemKind::PreconditionFailed, detail)
        .with_header(TUS_VERSION.clone(), VERSION))
}

fn check_length(app: &App, length: Option<u64>) -> Result<(), Refusal> {
    let most = app.config.upload_bytes_max;
    match length {
        Some(0) => {
            let detail = "upload-length is 0; a recording has at least 1 byte";
            Err(Refusal::new(ProblemKind::EmptyAudio, detail))
        }
        Some(length) if length > most => {
            let detail = format!("upload-length is {length}; it must be at most {most}");
            Err(Refusal::new(ProblemKind::TooLarge, detail))
        }
        _ => Ok(()),
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Refusal> {
    let value = headers.get(name).map(|value| value.to_str());
    value
        .transpose()
        .map(|text| text.map(str::to_owned))
        .map_err(|_| {
            Refusal::new(
                ProblemKind::InvalidRequest,
                format!("{name} is not visible ASCII"),
            )
        })
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Refusal> {
    let Some(text) = text(headers, name)? else {
        return Ok(None);
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .map(Some)
        .ok_or_else(|| {
            let detail = format!(
                "{name} is \"{}\"; it must be a whole number",
                shorten(&text)
            );
            Refusal::new(ProblemKind::InvalidRequest, detail)
        })
}

struct Described {
    texts: Texts,
    file_name: Option<String>,
}

/// `key base64, key base64`: the form's fields, and the file's name by what clients call it.
fn described(metadata: &str) -> Result<Described, Refusal> {
    let mut texts = BTreeMap::new();
    let mut file_name = None;
    for pair in metadata
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let decoded = BASE64_STANDARD.decode(value.trim()).ok();
        let value = decoded
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| {
                let detail = format!(
                    "upload-metadata's {} is not UTF-8 text in Base64",
                    shorten(key)
                );
                Refusal::new(ProblemKind::InvalidRequest, detail)
            })?;
        match TEXTS.into_iter().find(|text| *text == key) {
            Some(text) => {
                texts.insert(text, value);
            }
            None if ["filename", "file_name", "name"].contains(&key) => {
                file_name = upload::display_name(&value);
            }
            // What it is, its bytes say.
            None if ["filetype", "type", "contentType", "relativePath"].contains(&key) => {}
            None => {
                let (key, there) = (shorten(key), TEXTS.join(", "));
                let detail = format!("there is no field \"{key}\"; there is: filename, {there}");
                let pointer = retake_chain::problem::below("", &key);
                return Err(Refusal::field(ProblemKind::InvalidField, &pointer, detail));
            }
        }
    }
    Ok(Described { texts, file_name })
}

/// What a piece is held against.
struct Sum {
    name: String,
    expected: Vec<u8>,
    so_far: SoFar,
}

enum SoFar {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Sum {
    fn asked_for(headers: &HeaderMap) -> Result<Option<Self>, Refusal> {
        let Some(text) = text(headers, &CHECKSUM)? else {
            return Ok(None);
        };
        let (name, expected) = text.split_once(' ').unwrap_or((&text, ""));
        let so_far = match name {
            "sha1" => SoFar::Sha1(Sha1::new()),
            "sha256" => SoFar::Sha256(Sha256::new()),
            _ => {
                let detail = format!(
                    "upload-checksum is by {}; there is: {CHECKSUMS}",
                    shorten(name)
                );
                return Err(Refusal::new(ProblemKind::InvalidRequest, detail));
            }
        };
        let expected = BASE64_STANDARD.decode(expected.trim()).map_err(|_| {
            Refusal::new(ProblemKind::InvalidRequest, "upload-checksum is not Base64")
        })?;
        Ok(Some(Self {
            name: name.to_owned(),
            expected,
            so_far,
        }))
    }

    fn add(&mut self, bytes: &[u8]) {
        match &mut self.so_far {
            SoFar::Sha1(sum) => sum.update(bytes),
            SoFar::Sha256(sum) => sum.update(bytes),
        }
    }

    fn check(self) -> Result<(), Refusal> {
        let is = match self.so_far {
            SoFar::Sha1(sum) => sum.finalize().to_vec(),
            SoFar::Sha256(sum) => sum.finalize().to_vec(),
        };
        if is == self.expected {
            return Ok(());
        }
        let (name, is) = (self.name, BASE64_STANDARD.encode(is));
        let detail =
            format!("the piece's {name} is {is}, and not upload-checksum; nothing of it was kept");
        Err(Refusal::new(ProblemKind::ChecksumMismatch, detail))
    }
}
