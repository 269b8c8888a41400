//! What an entry of the route table says of itself: everything that its part of the OpenAPI document is
//! made of.

use http::Method;
use retake_chain::problem::ProblemKind;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

/// Makes a type's schema, or a reference to it.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    /// `/api/v1/jobs/{id}`, say.
    pub address: &'static str,
    /// What client generators call it.
    pub id: &'static str,
    pub tag: Tag,
    pub summary: &'static str,
    pub about: &'static str,
    pub who: Who,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    pub replies: Vec<Reply>,
    pub problems: Vec<ProblemKind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    Sessions,
    Keys,
    Recordings,
    Jobs,
    Derivatives,
    Shares,
    Presets,
    Events,
    Webhooks,
    Plugins,
    Catalogue,
    Operations,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anybody,
    /// Whoever has a session, and sees what is theirs.
    Owner,
    /// Whoever has an admin key.
    Admin,
}

#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: &'static str,
    pub place: &'static str,
    pub about: &'static str,
    pub schema: Value,
    pub example: Option<Value>,
}

#[derive(Debug, Clone)]
pub struct Body {
    pub required: bool,
    pub content: Content,
    pub example: Option<Value>,
    /// Parts of a form that are not plain text.
    pub json_parts: &'static [&'static str],
    /// What it may be besides.
    pub more: Vec<Content>,
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub about: &'static str,
    /// None where there is no body.
    pub content: Vec<Content>,
    pub headers: Vec<(&'static str, &'static str)>,
}

#[derive(Debug, Clone)]
pub struct Content {
    pub mime: &'static str,
    pub schema: SchemaOf,
}

/// Bytes that are not text.
fn bytes(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({"type": "string", "format": "binary"})
}

fn plain(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({"type": "string"})
}

fn any_object(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({"type": "object"})
}

impl Content {
    pub fn of<T: JsonSchema>(mime: &'static str) -> Self {
        Self {
            mime,
            schema: |generator| generator.subschema_for::<T>(),
        }
    }
}

impl Tag {
    pub const ALL: [(Self, &'static str, &'static str); 12] = [
        (Self::Sessions, "sessions", "Who asks."),
        (Self::Keys, "keys", "API keys, for programs."),
        (Self::Recordings, "recordings", "What was handed in."),
        (Self::Jobs, "jobs", "Corrections of a recording."),
        (
            Self::Derivatives,
            "derivatives",
            "What is made of a completed job when it is asked for.",
        ),
        (
            Self::Shares,
            "shares",
            "Links that open a correction to whoever has them.",
        ),
        (Self::Presets, "presets", "Chains that have a name."),
        (Self::Events, "events", "News, as they happen."),
        (
            Self::Webhooks,
            "webhooks",
            "News, sent to addresses of yours.",
        ),
        (Self::Plugins, "plugins", "What a chain's steps may run."),
        (
            Self::Catalogue,
            "catalogue",
            "This description, limits, what problems mean.",
        ),
        (
            Self::Operations,
            "operations",
            "For whoever runs the server.",
        ),
    ];

    pub fn name(self) -> &'static str {
        let all = Self::ALL.iter().find(|(tag, ..)| *tag == self);
        all.map_or("", |(_, name, _)| name)
    }
}

pub fn get(address: &'static str, id: &'static str, tag: Tag, summary: &'static str) -> Operation {
    operation(Method::GET, address, id, tag, summary)
}

pub fn post(address: &'static str, id: &'static str, tag: Tag, summary: &'static str) -> Operation {
    operation(Method::POST, address, id, tag, summary)
}

pub fn put(address: &'static str, id: &'static str, tag: Tag, summary: &'static str) -> Operation {
    operation(Method::PUT, address, id, tag, summary)
}

pub fn patch(
    address: &'static str,
    id: &'static str,
    tag: Tag,
    summary: &'static str,
) -> Operation {
    operation(Method::PATCH, address, id, tag, summary)
}

pub fn delete(
    address: &'static str,
    id: &'static str,
    tag: Tag,
    summary: &'static str,
) -> Operation {
    operation(Method::DELETE, address, id, tag, summary)
}

fn operation(
    method: Method,
    address: &'static str,
    id: &'static str,
    tag: Tag,
    summary: &'static str,
) -> Operation {
    Operation {
        method,
        address,
        id,
        tag,
        summary,
        about: "",
        who: Who::Anybody,
        parameters: Vec::new(),
        body: None,
        replies: Vec::new(),
        problems: Vec::new(),
    }
}

#[must_use]
pub fn path(name: &'static str, about: &'static str, schema: Value) -> Parameter {
    parameter(name, "path", about, schema)
}

pub fn query(name: &'static str, about: &'static str, schema: Value) -> Parameter {
    parameter(name, "query", about, schema)
}

pub fn header(name: &'static str, about: &'static str, schema: Value) -> Parameter {
    parameter(name, "header", about, schema)
}

fn parameter(
    name: &'static str,
    place: &'static str,
    about: &'static str,
    schema: Value,
) -> Parameter {
    Parameter {
        name,
        place,
        about,
        schema,
        example: None,
    }
}

impl Parameter {
    #[must_use]
    pub fn example(self, example: impl Into<Value>) -> Self {
        Self {
            example: Some(example.into()),
            ..self
        }
    }
}

/// Each says one thing more.
impl Operation {
    #[must_use]
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Asks for a session or an API key: 401 without one, and 403 where the key's scope is another or another
    /// site's page sends the cookie.
    #[must_use]
    pub fn owner(mut self) -> Self {
        self.who = Who::Owner;
        let foreign = (!self.method.is_safe()).then_some(ProblemKind::ForeignOrigin);
        self.problems.extend(foreign);
        self.refuses(&[
            ProblemKind::Unauthenticated,
            ProblemKind::InsufficientScope,
            ProblemKind::QuotaExceeded,
        ])
    }

    /// Asks for an admin key or an API key: 401 without one, 403 where the key's scope is another, and 429 after too many wrong ones.
    #[must_use]
    pub fn admin(mut self) -> Self {
        self.who = Who::Admin;
        self.refuses(&[
            ProblemKind::AdminKeyNeeded,
            ProblemKind::Unauthenticated,
            ProblemKind::InsufficientScope,
            ProblemKind::TooManyRequests,
        ])
    }

    #[must_use]
    pub fn takes(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// A JSON body, which may be left out where all of it may.
    #[must_use]
    pub fn json<T: JsonSchema>(self, required: bool, example: Value) -> Self {
        self.body(
            Content::of::<T>("application/json"),
            required,
            Some(example),
        )
        .refuses(&[
            ProblemKind::InvalidRequest,
            ProblemKind::InvalidField,
            ProblemKind::RequestTimeout,
            ProblemKind::TooLarge,
        ])
    }

    #[must_use]
    pub fn form<T: JsonSchema>(mut self, json_parts: &'static [&'static str]) -> Self {
        self = self.body(Content::of::<T>("multipart/form-data"), true, None);
        if let Some(body) = &mut self.body {
            body.json_parts = json_parts;
        }
        self
    }

    /// Or the body is the file itself.
    #[must_use]
    pub fn or_bytes(mut self, mimes: &[&'static str]) -> Self {
        if let Some(body) = &mut self.body {
            let schema: SchemaOf = bytes;
            body.more
                .extend(mimes.iter().map(|mime| Content { mime, schema }));
        }
        self
    }

    /// Or the body is JSON, and says where the file lies.
    #[must_use]
    pub fn or_json<T: JsonSchema>(mut self) -> Self {
        if let Some(body) = &mut self.body {
            body.more.push(Content::of::<T>("application/json"));
        }
        self
    }

    /// Names itself, and is then done once however often it comes.
    #[must_use]
    pub fn once(self) -> Self {
        let text = json!({"type": "string", "minLength": 1, "maxLength": 255});
        self.takes(
            header(
                "Idempotency-Key",
                "A new one for each new request, the same one whenever that is sent again: it is then \
                 answered as the first time, with `Idempotency-Replayed: true`.",
                text,
            )
            .example("8e03978e-40d5-43dd-bc93-6894a57f9324"),
        )
        .refuses(&[
            ProblemKind::InvalidRequest,
            ProblemKind::RequestUnderWay,
            ProblemKind::IdempotencyKeyReused,
        ])
    }

    #[must_use]
    pub fn bytes(self, mime: &'static str) -> Self {
        let schema = bytes;
        self.body(Content { mime, schema }, true, None)
    }

    fn body(mut self, content: Content, required: bool, example: Option<Value>) -> Self {
        self.body = Some(Body {
            required,
            content,
            example,
            json_parts: &[],
            more: Vec::new(),
        });
        self
    }

    #[must_use]
    pub fn answers<T: JsonSchema>(self, status: u16, about: &'static str) -> Self {
        self.reply(status, about, vec![Content::of::<T>("application/json")])
    }

    #[must_use]
    pub fn answers_nothing(self, status: u16, about: &'static str) -> Self {
        self.reply(status, about, Vec::new())
    }

    #[must_use]
    pub fn answers_text(self, mime: &'static str, about: &'static str) -> Self {
        let schema = plain;
        self.reply(200, about, vec![Content { mime, schema }])
    }

    /// An object that somebody else describes.
    #[must_use]
    pub fn answers_object(self, about: &'static str) -> Self {
        let (mime, schema): (_, SchemaOf) = ("application/json", any_object);
        self.reply(200, about, vec![Content { mime, schema }])
    }

    #[must_use]
    pub fn stream<T: JsonSchema>(self, mime: &'static str, about: &'static str) -> Self {
        self.reply(200, about, vec![Content::of::<T>(mime)])
    }

    /// Of the reply before.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, about: &'static str) -> Self {
        if let Some(reply) = self.replies.last_mut() {
            reply.headers.push((name, about));
        }
        self
    }

    fn reply(mut self, status: u16, about: &'static str, content: Vec<Content>) -> Self {
        self.replies.push(Reply {
            status,
            about,
            content,
            headers: Vec::new(),
        });
        self
    }

    #[must_use]
    pub fn refuses(mut self, kinds: &[ProblemKind]) -> Self {
        self.problems.extend(kinds);
        self
    }

    /// A page of a list.
    #[must_use]
    pub fn page<T: JsonSchema>(self) -> Self {
        self.takes(query(
            "page_token",
            "`next_page_token` of the page before, which was asked for with the same other parameters.",
            json!({"type": "string"}),
        ))
        .takes(query(
            "limit",
            "At most so many; 50 without it, 200 at most unless configured otherwise.",
            json!({"type": "integer", "minimum": 1}),
        ))
        .answers::<T>(
            200,
            "A page. It may hold fewer than `limit`, even none, although there are more: go on while there \
             is a `next_page_token`.",
        )
        .refuses(&[ProblemKind::InvalidField])
    }

    /// Has an ETag, and is only sent to whoever has not got it.
    #[must_use]
    pub fn tagged(self) -> Self {
        let text = || json!({"type": "string"});
        self.with_header("ETag", "Changes with whatever is answered here.")
            .takes(header(
                "If-None-Match",
                "ETags that the client has.",
                text(),
            ))
            .takes(header("If-Match", "412 unless one is the ETag.", text()))
            .reply(304, "The client has it already.", Vec::new())
            .with_header("ETag", "As of what the client has.")
            .refuses(&[ProblemKind::PreconditionFailed])
    }

    /// Changes what has an ETag that begins with its version.
    #[must_use]
    pub fn versioned(self) -> Self {
        self.takes(header(
            "If-Match",
            "An ETag of the recording: 412 if its name, tags or notes were changed since. Changes of its \
             jobs do not matter.",
            json!({"type": "string"}),
        ))
        .refuses(&[ProblemKind::PreconditionFailed])
    }

    /// A file with its ETag: whole or in ranges, and conditional.
    #[must_use]
    pub fn file(self, mimes: &[&'static str]) -> Self {
        let schema: SchemaOf = bytes;
        let content = || mimes.iter().map(|mime| Content { mime, schema }).collect();
        let text = || json!({"type": "string"});
        self.takes(header(
            "Range",
            "`bytes=0-1023`, `bytes=1024-` or `bytes=-1024`.",
            text(),
        ))
        .takes(header("If-Range", "", text()))
        .takes(header("If-None-Match", "", text()))
        .takes(header(
            "If-Match",
            "Tags, compared strongly, or `*`; 412 unless one is the ETag.",
            text(),
        ))
        .reply(
            200,
            "The whole of it. HEAD answers the same headers.",
            content(),
        )
        .with_header("ETag", "Strong; the bytes never change under it.")
        .with_header("Accept-Ranges", "bytes")
        .with_header("Cache-Control", "Whether it must be asked for again.")
        .with_header("Content-Disposition", "What a person would call the file.")
        .reply(
            206,
            "The bytes asked for by one range (RFC 9110 14). Several ranges in one request are \
             answered with the whole.",
            content(),
        )
        .with_header("Content-Range", "Which bytes of how many.")
        .with_header("ETag", "Strong; the bytes never change under it.")
        .reply(304, "The client has it already.", Vec::new())
        .with_header("ETag", "Strong; the bytes never change under it.")
        .refuses(&[
            ProblemKind::PreconditionFailed,
            ProblemKind::RangeNotSatisfiable,
        ])
    }
}
