//! A server on memory backends, and a client that asks it without a network.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use retake_backends::memory::{LocalEvents, MemoryBlobs, MemoryQueue, MemoryStore};
use retake_chain::Chain;
use retake_jobs::{
    announcing::Announcing,
    clock::{Clock, SystemClock},
    id::{JobId, OwnerId},
    job::Job,
    lease::{Attempt, LeaseTerms},
    seams::{
        BlobError, BlobInfo, BlobKey, Blobs, ByteStream, Claim, QueueLimits, SharedBlobs,
        SharedStore,
    },
};
use retake_outgoing::Outgoing;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use warp::reply::Response;

use super::conformity;
pub use super::fixtures::gain;
use crate::{Config, app::App, background, front::Front, page::assets::WebAssets, parts::Parts};

/// Long enough for a busy machine; nothing waits this long when it works.
pub const SOON: Duration = Duration::from_secs(20);

/// 256 bits, all of them 0.
pub const ADMIN_KEY: &str = "rtadm_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
pub const ADMIN_KEY_SHA256: &str =
    "083ff895ddc08d0707eb769bffd4ecd9a9d17467cf2c21eebb8f2a7d7135b4f2";

pub const TERMS: LeaseTerms = LeaseTerms {
    lease_ms: 60_000,
    attempts_max: 3,
    give_up_ms: 60_000,
};

pub struct House {
    pub front: Front,
    pub app: Arc<App>,
    pub store: SharedStore,
    pub blobs: Arc<MemoryBlobs>,
    pub queue: Arc<MemoryQueue>,
    pub events: LocalEvents,
    pub stop: CancellationToken,
    partials_folder: TempDir,
    _background: JoinSet<()>,
}

/// The parts of a server on memory, and what tests look into.
pub struct Memory {
    pub store: SharedStore,
    pub blobs: Arc<MemoryBlobs>,
    pub queue: Arc<MemoryQueue>,
    pub events: LocalEvents,
    pub clock: Arc<dyn Clock>,
    pub partials: TempDir,
}

impl Memory {
    pub fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::new(Arc::new(SystemClock))),
            clock: Arc::new(SystemClock),
            partials: tempfile::tempdir().unwrap(),
            blobs: Arc::default(),
            queue: Arc::new(MemoryQueue::with_limits(QueueLimits::default())),
            events: LocalEvents::new(),
        }
    }

    pub fn parts(&self, blobs: SharedBlobs) -> Parts {
        Parts {
            worker: None,
            // No relay runs: what is in the outbox stays there to be looked at.
            store: Arc::new(Announcing::new(
                self.store.clone(),
                Arc::new(self.events.clone()),
                || (),
            )),
            blobs,
            queue: self.queue.clone(),
            events: Arc::new(self.events.clone()),
            clock: self.clock.clone(),
            outgoing: outgoing(),
            partials: self.partials.path().to_owned(),
        }
    }
}

/// Another address of this machine stands for the world.
fn outgoing() -> Outgoing {
    let config = retake_outgoing::Config {
        allow: vec!["127.0.0.2".to_owned()],
        ..Default::default()
    };
    Outgoing::new(&config, "").unwrap()
}

impl House {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Memory::new(), change, |blobs| blobs).await
    }

    /// With other blobs around the memory's.
    pub async fn on(
        memory: Memory,
        change: impl FnOnce(&mut Config),
        wrap: impl FnOnce(SharedBlobs) -> SharedBlobs,
    ) -> Self {
        let mut config = Config {
            externals: vec![crate::ExternalService {
                name: "default".to_owned(),
                description: "A voice restored".to_owned(),
                host: "audio.example".to_owned(),
            }],
            admin_key_sha256: vec![ADMIN_KEY_SHA256.to_owned()],
            admin_try_ms: 1,
            ..Config::default()
        };
        change(&mut config);
        memory.store.put_plugin(&gain(), 5).await.unwrap();
        let stop = CancellationToken::new();
        let parts = memory.parts(wrap(memory.blobs.clone()));
        let app = Arc::new(App::new(parts, config, WebAssets::default(), stop.clone()));
        let mut tasks = JoinSet::new();
        let running = app.clone();
        tasks.spawn(async move { background(&running).await });
        let Memory {
            store,
            blobs,
            queue,
            events,
            partials,
            ..
        } = memory;
        let front = Front::new(app.clone());
        Self {
            front,
            app,
            store,
            blobs,
            queue,
            events,
            stop,
            partials_folder: partials,
            _background: tasks,
        }
    }

    /// Where uploads in pieces are.
    pub fn partials(&self) -> &std::path::Path {
        self.partials_folder.path()
    }

    pub async fn ask(&self, ask: Ask) -> Answer {
        self.heard(ask, None).await
    }

    /// Asked over a connection from there.
    pub async fn ask_from(&self, peer: &str, ask: Ask) -> Answer {
        self.heard(ask, Some(peer.parse().unwrap())).await
    }

    /// Whatever any test asks is answered as the description says.
    async fn heard(&self, ask: Ask, peer: Option<std::net::SocketAddr>) -> Answer {
        let (method, path) = (ask.method.clone(), ask.path.clone());
        let answer = Answer::read(self.front.answer(ask.request(), peer).await).await;
        conformity::hold(&self.app, &method, &path, &answer);
        answer
    }

    /// The answer as it comes, for streams.
    pub async fn open(&self, ask: Ask) -> Response {
        self.front.answer(ask.request(), None).await
    }

    /// A new owner's token.
    pub async fn session(&self) -> String {
        let answer = self.ask(post("/api/v1/sessions")).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// The line with which the page's browser sends its session.
    pub fn cookie(&self, token: &str) -> String {
        let way = crate::http::proxies::Way {
            host: Some(HOST.to_owned()),
            ..Default::default()
        };
        let cookie = crate::session::cookie::SessionCookie::of(&self.app, &way);
        format!("{}={token}", cookie.name())
    }

    /// The answer's body for an accepted upload.
    pub async fn upload(&self, token: &str) -> Value {
        let answer = self
            .ask(post("/api/v1/recordings").bearer(token).form(&good_form()))
            .await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
        answer.json()
    }

    /// The answer's body for a plugin that was taken in.
    pub async fn submit(&self, wasm: &'static [u8]) -> Value {
        let answer = self.ask(submission(wasm)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
        answer.json()
    }

    pub async fn claim(&self, job: &str) -> Attempt<Job> {
        let id: JobId = job.parse().unwrap();
        match self.store.claim(id, "a worker", TERMS).await.unwrap() {
            Claim::Won { attempt, .. } => attempt,
            other => panic!("not claimed: {other:?}"),
        }
    }

    pub async fn owner(&self, token: &str) -> OwnerId {
        let sha256 = crate::session::token::Token::parse(token).unwrap().sha256();
        self.store.session(sha256).await.unwrap().unwrap().owner
    }
}

/// The chain that every house can run.
pub fn good_chain() -> Chain {
    serde_json::from_value(json!({"steps": [{"plugin": "gain"}]})).unwrap()
}

// Asking

/// Whom every request asks that does not say otherwise.
pub const HOST: &str = "house.example";

type AskBody = http_body_util::combinators::BoxBody<Bytes, std::io::Error>;

pub struct Ask {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: AskBody,
}

pub fn ask(method: Method, path: &str) -> Ask {
    let body = Full::default().map_err(|never| match never {}).boxed();
    Ask {
        method,
        path: path.to_owned(),
        headers: HeaderMap::new(),
        body,
    }
}

pub fn get(path: &str) -> Ask {
    ask(Method::GET, path)
}

pub fn post(path: &str) -> Ask {
    ask(Method::POST, path)
}

/// A plugin's file, with the admin key.
pub fn submission(wasm: &'static [u8]) -> Ask {
    post("/api/v1/plugins")
        .bearer(ADMIN_KEY)
        .header("content-type", "application/wasm")
        .bytes(wasm)
}

impl Ask {
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .insert(HeaderName::from_static(name), value.parse().unwrap());
        self
    }

    /// One more line of a header that may stand there already.
    pub fn line(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .append(HeaderName::from_static(name), value.parse().unwrap());
        self
    }

    pub fn bytes(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = Full::new(bytes.into())
            .map_err(|never| match never {})
            .boxed();
        self
    }

    pub fn stream(
        mut self,
        chunks: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + Sync + 'static,
    ) -> Self {
        use futures_util::StreamExt;
        self.body = BodyExt::boxed(StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))));
        self
    }

    pub fn json(self, body: Value) -> Self {
        self.header("content-type", "application/json")
            .bytes(body.to_string())
    }

    pub fn form(self, fields: &[Field]) -> Self {
        self.header("content-type", FORM_TYPE).bytes(form(fields))
    }

    fn request(self) -> Request<AskBody> {
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers;
        let host = request.headers_mut().entry(header::HOST);
        host.or_insert(http::HeaderValue::from_static(HOST));
        request
    }
}

// Forms

pub const FORM_TYPE: &str = "multipart/form-data; boundary=----test";

#[derive(Clone)]
pub struct Field {
    pub name: String,
    pub file_name: Option<String>,
    pub value: Vec<u8>,
}

pub fn field(name: &str, value: impl AsRef<[u8]>) -> Field {
    let file_name = (name == "recording").then(|| "take 1.wav".to_owned());
    Field {
        name: name.to_owned(),
        file_name,
        value: value.as_ref().to_vec(),
    }
}

/// Signature and some bytes: the server does not look further.
pub fn wav(length: usize) -> Vec<u8> {
    let mut bytes = b"RIFF\xff\xff\xff\x7fWAVEfmt ".to_vec();
    bytes.extend(
        (0..)
            .map(|i: u32| (i % 251) as u8)
            .take(length.saturating_sub(bytes.len())),
    );
    bytes
}

pub fn good_form() -> Vec<Field> {
    vec![
        field("user_email", "ann@example.org"),
        field("chain", serde_json::to_vec(&good_chain()).unwrap()),
        field("format", "flac"),
        field("recording", wav(1000)),
    ]
}

/// The good form with one field replaced, or left out.
pub fn form_with(name: &str, value: Option<&[u8]>) -> Vec<Field> {
    let mut fields = good_form();
    fields.retain(|field| field.name != name);
    fields.extend(value.map(|value| field(name, value)));
    fields
}

pub fn form(fields: &[Field]) -> Vec<u8> {
    let mut body = Vec::new();
    for field in fields {
        let name = &field.name;
        let head = match &field.file_name {
            None => {
                format!("------test\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n")
            }
            Some(file) => format!(
                "------test\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
                 content-type: image/png\r\n\r\n"
            ),
        };
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&field.value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"------test--\r\n");
    body
}

// Answers

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = tokio::time::timeout(SOON, body.collect())
            .await
            .unwrap()
            .unwrap()
            .to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// A complete problem of that kind; returns it.
    #[track_caller]
    pub fn problem(&self, slug: &str) -> Value {
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{problem}");
        assert_eq!(
            self.header(header::CONTENT_TYPE),
            Some("application/problem+json")
        );
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"));
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        problem
    }

    /// The pointers of a problem's errors.
    pub fn pointers(&self) -> Vec<String> {
        let errors = self.json()["errors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A body's next chunk, as text.
pub async fn next_chunk<B>(body: &mut B) -> Option<String>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Debug,
{
    let frame = tokio::time::timeout(SOON, body.frame())
        .await
        .expect("a chunk in time")?;
    Some(String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
}

/// Blobs of which one call does something else.
#[async_trait]
pub trait Twist: Send + Sync {
    async fn put(
        &self,
        inner: &dyn Blobs,
        key: BlobKey,
        body: ByteStream<'_>,
        limit: u64,
    ) -> Result<BlobInfo, BlobError> {
        inner.put(key, body, limit).await
    }

    async fn read(
        &self,
        inner: &dyn Blobs,
        key: BlobKey,
        offset: u64,
        len_max: usize,
    ) -> Result<Bytes, BlobError> {
        inner.read(key, offset, len_max).await
    }
}

pub struct Twisted<T>(pub SharedBlobs, pub T);

#[async_trait]
impl<T: Twist> Blobs for Twisted<T> {
    async fn put(
        &self,
        key: BlobKey,
        body: ByteStream<'_>,
        limit_bytes: u64,
    ) -> Result<BlobInfo, BlobError> {
        self.1.put(self.0.as_ref(), key, body, limit_bytes).await
    }

    async fn size(&self, key: BlobKey) -> Result<u64, BlobError> {
        self.0.size(key).await
    }

    async fn read(&self, key: BlobKey, offset: u64, len_max: usize) -> Result<Bytes, BlobError> {
        self.1.read(self.0.as_ref(), key, offset, len_max).await
    }

    async fn delete(&self, key: BlobKey) -> Result<(), BlobError> {
        self.0.delete(key).await
    }
}
