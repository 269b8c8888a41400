//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a request that is sent again is
//! answered as before, and done once.
//!
//! The key is committed with what it makes. So the same request beside it, in another process, is done
//! once as well; here it is told to wait, as the draft wants it.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    id::OwnerId,
    idempotency::{Answered, IdempotencyKey, Once},
};
use sha2::{Digest, Sha256};
use warp::reply::Response;

use crate::{
    api::Accepted,
    app::App,
    http::respond::{Refusal, shorten},
    limits::under_way::Answering,
};

static KEY: HeaderName = HeaderName::from_static("idempotency-key");
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A request that names itself.
struct Named {
    key: IdempotencyKey,
    /// What it was answered, if it came before.
    before: Option<Answered>,
    _answering: Answering,
}

/// A request that orders a job, by whatever name it has.
pub struct Ordering(Option<Named>);

impl Ordering {
    /// What came before was taken in then, however many jobs wait now.
    pub async fn begin(app: &App, owner: OwnerId, headers: &HeaderMap) -> Result<Self, Refusal> {
        let ordering = Self(Named::begin(app, owner, headers).await?);
        if !ordering.came_before() {
            app.check_queue_depth()?;
        }
        Ok(ordering)
    }

    /// By a name of ours. It was taken in when it began, however many jobs wait now.
    pub async fn named(app: &App, owner: OwnerId, key: IdempotencyKey) -> Result<Self, Refusal> {
        Named::of(app, owner, key).await.map(Some).map(Self)
    }

    pub fn came_before(&self) -> bool {
        self.0.as_ref().is_some_and(|named| named.before.is_some())
    }

    /// `None` where it has no name.
    pub fn once(&self, fingerprint: [u8; 32]) -> Option<Once> {
        self.0.as_ref().map(|named| Once {
            key: named.key.clone(),
            fingerprint,
        })
    }

    /// What it was answered, if it came before and said the same.
    pub fn before(&self, once: Option<&Once>) -> Option<Result<Box<Answered>, Refusal>> {
        let before = self.0.as_ref()?.before.as_ref()?;
        Some(same(before, once).map(|()| Box::new(before.clone())))
    }

    /// The answer of the first time, if it came before.
    pub fn replay(&self, app: &App, once: Option<&Once>) -> Option<Result<Response, Refusal>> {
        let before = self.0.as_ref()?.before.as_ref()?;
        Some(replay(app, before, once))
    }
}

impl Named {
    /// `None` where the request bears no key.
    async fn begin(
        app: &App,
        owner: OwnerId,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, Refusal> {
        match key(headers)? {
            Some(key) => Self::of(app, owner, key).await.map(Some),
            None => Ok(None),
        }
    }

    async fn of(app: &App, owner: OwnerId, key: IdempotencyKey) -> Result<Self, Refusal> {
        let answering = app.under_way.begin(owner, &key).ok_or_else(|| {
            let detail = format!("the request with the key \"{key}\" is still being answered");
            Refusal::new(ProblemKind::RequestUnderWay, detail).with_header(header::RETRY_AFTER, "1")
        })?;
        let before = app.parts.store.answered(owner, &key).await?;
        Ok(Self {
            key,
            before,
            _answering: answering,
        })
    }
}

/// The answer of the first time, to a request that is the same.
pub fn replay(app: &App, before: &Answered, once: Option<&Once>) -> Result<Response, Refusal> {
    same(before, once)?;
    Ok(replayed(app, before))
}

/// Whether it says what it said then.
pub fn same(before: &Answered, once: Option<&Once>) -> Result<(), Refusal> {
    let Some(once) = once else {
        return Err(Refusal::internal("a request without a key came before"));
    };
    if before.fingerprint != once.fingerprint {
        let detail = format!(
            "the key \"{}\" named another request before; a new request needs a key of its own",
            once.key
        );
        return Err(Refusal::new(ProblemKind::IdempotencyKeyReused, detail));
    }
    Ok(())
}

pub fn replayed(app: &App, before: &Answered) -> Response {
    let accepted = Accepted::new(app.place.base(), &before.job, before.event);
    let mut response = accepted.into_response();
    response
        .headers_mut()
        .insert(&REPLAYED, HeaderValue::from_static("true"));
    response
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Refusal> {
    let mut given = headers.get_all(&KEY).iter();
    let Some(first) = given.next() else {
        return Ok(None);
    };
    let key = first.to_str().ok().and_then(IdempotencyKey::parse);
    match (key, given.next()) {
        (Some(key), None) => Ok(Some(key)),
        (_, second) => {
            let text = String::from_utf8_lossy(first.as_bytes());
            let twice = if second.is_some() {
                " and is given twice"
            } else {
                ""
            };
            Err(Refusal::new(
                ProblemKind::InvalidRequest,
                format!(
                    "idempotency-key is \"{}\"{twice}; it must be given once, with 1 to {} visible ASCII \
                     characters, with or without quotes around them",
                    shorten(&text),
                    IdempotencyKey::LENGTH_MAX
                ),
            ))
        }
    }
}

/// SHA-256 of all that a request says, each part behind its name and its length.
#[derive(Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    #[must_use]
    pub fn with(mut self, name: &str, value: &[u8]) -> Self {
        for part in [name.as_bytes(), value] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self
    }

    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_where_a_part_ends() {
        let of = |parts: &[(&str, &str)]| {
            let fold =
                |all: Fingerprint, (name, value): &(&str, &str)| all.with(name, value.as_bytes());
            parts.iter().fold(Fingerprint::default(), fold).finish()
        };
        assert_eq!(of(&[("a", "b")]), of(&[("a", "b")]));
        assert_ne!(of(&[("a", "bc")]), of(&[("ab", "c")]));
        assert_ne!(of(&[("a", "b"), ("c", "d")]), of(&[("a", "bcd")]));
    }
}
