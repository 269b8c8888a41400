//! The OpenAPI 3.1 document, made of the route table and of the types that answers and requests have.

use std::collections::BTreeMap;

use retake_chain::problem::{Problem, ProblemKind};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    WebhookMessage,
    operation::{Content, Operation, Parameter, Tag, Who},
    words,
};

const ABOUT: &str = "Errors are RFC 9457 problem details; docs/problems.md explains each `type`. \
    Times are RFC 3339 in UTC. Every answer carries `x-request-id`; one sent with the request is kept \
    if it is 1 to 64 letters, digits, `-`, `_` or `.`. GET addresses answer HEAD too. Fields are added \
    in time and never renamed or removed: ignore what you do not know.";

/// What any address may answer, whatever it does.
const ALWAYS: [ProblemKind; 3] = [
    ProblemKind::InvalidRequest,
    ProblemKind::Unavailable,
    ProblemKind::Internal,
];

/// `base` is the path under which we are reached, empty at the root.
pub fn document(operations: &[Operation], base: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|it| {
        it.definitions_path = "/components/schemas".into();
        it.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let _ = generator.subschema_for::<words::Problem>();
    let mut refusals = Map::new();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let methods = paths.entry(operation.address).or_default();
        let verb = operation.method.as_str().to_ascii_lowercase();
        methods.insert(verb, describe(operation, &mut generator, &mut refusals));
    }
    let message = generator.subschema_for::<WebhookMessage<'static>>();
    let examples: Map<String, Value> = ProblemKind::ALL.iter().map(example).collect();
    let tags = Tag::ALL.map(|(_, name, about)| json!({"name": name, "description": about}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Retake",
            "version": "1",
            "summary": "Hand in a recording, get the corrected one back.",
            "description": ABOUT,
            "license": {
                "name": "MIT OR Apache-2.0",
                "identifier": "MIT OR Apache-2.0",
            },
        },
        "servers": [{"url": if base.is_empty() { "/" } else { base }}],
        "security": [],
        "tags": tags,
        "paths": paths,
        "webhooks": {
            "message": {
                "post": {
                    "operationId": "receiveWebhook",
                    "tags": [Tag::Webhooks.name()],
                    "summary": "What the address of a webhook, or a job's `callback_url`, is sent",
                    "description": "Signed by the Standard Webhooks specification; docs/webhooks.md.",
                    "requestBody": {
                        "required": true,
                        "content": {"application/json": {"schema": message}},
                    },
                    "responses": {
                        "204": {"description": "Any 2xx: it has arrived. Whatever else comes, it is sent again."},
                    },
                },
            },
        },
        "components": {
            "securitySchemes": security(),
            "examples": examples,
            "responses": refusals,
            "schemas": generator.take_definitions(true),
        },
    })
}

fn security() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token from POST /api/v1/sessions, `rt_…`, or an API key with the scope \
                `recordings`, `rtk_…`.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "retake_session_*",
            "description": "For the page; the name ends with eight digits that belong to the \
                server's address, and begins with `__Host-` or `__Secure-` over https. POST and \
                DELETE must come from the same origin.",
        },
        "admin": {
            "type": "http",
            "scheme": "bearer",
            "description": "The admin key, `rtadm_…`, or an API key with the scope `plugins:publish` or \
                `admin`, `rtk_…`. The admin key is no session and opens nobody's recordings.",
        },
    })
}

fn describe(
    operation: &Operation,
    generator: &mut SchemaGenerator,
    refusals: &mut Map<String, Value>,
) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag.name()],
        "summary": operation.summary,
        "responses": responses(operation, generator, refusals),
    });
    if !operation.about.is_empty() {
        described["description"] = operation.about.into();
    }
    match operation.who {
        Who::Anybody => {}
        Who::Owner => described["security"] = json!([{"bearer": []}, {"cookie": []}]),
        Who::Admin => described["security"] = json!([{"admin": []}]),
    }
    if !operation.parameters.is_empty() {
        described["parameters"] = operation.parameters.iter().map(parameter).collect();
    }
    if let Some(body) = &operation.body {
        let mut media = json!({"schema": (body.content.schema)(generator)});
        if let Some(example) = &body.example {
            media["example"] = example.clone();
        }
        let encodings = body.json_parts.iter();
        let encodings: Map<String, Value> = encodings
            .map(|part| {
                (
                    (*part).to_owned(),
                    json!({"contentType": "application/json"}),
                )
            })
            .collect();
        if !encodings.is_empty() {
            media["encoding"] = encodings.into();
        }
        let mut content = content(&body.more, generator);
        content[body.content.mime] = media;
        described["requestBody"] = json!({"required": body.required, "content": content});
    }
    described
}

fn parameter(parameter: &Parameter) -> Value {
    let mut described = json!({
        "name": parameter.name,
        "in": parameter.place,
        "schema": parameter.schema,
    });
    if parameter.place == "path" {
        described["required"] = true.into();
    }
    if !parameter.about.is_empty() {
        described["description"] = parameter.about.into();
    }
    if let Some(example) = &parameter.example {
        described["example"] = example.clone();
    }
    described
}

fn responses(
    operation: &Operation,
    generator: &mut SchemaGenerator,
    refusals: &mut Map<String, Value>,
) -> Value {
    let mut responses = Map::new();
    for reply in &operation.replies {
        let mut described = json!({"description": reply.about});
        if !reply.content.is_empty() {
            described["content"] = content(&reply.content, generator);
        }
        if !reply.headers.is_empty() {
            let headers = reply.headers.iter().map(|(name, about)| {
                let header = json!({"description": about, "schema": {"type": "string"}});
                ((*name).to_owned(), header)
            });
            described["headers"] = headers.collect::<Map<_, _>>().into();
        }
        responses.insert(reply.status.to_string(), described);
    }
    let mut by_status: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
    for kind in operation.problems.iter().chain(&ALWAYS) {
        let kinds = by_status.entry(kind.status()).or_default();
        if !kinds.contains(kind) {
            kinds.push(*kind);
        }
    }
    for (status, kinds) in by_status {
        // What answers a status in its own words, too, says both; else many say the same.
        if let Some(described) = responses.get_mut(&status.to_string()) {
            refusal(described, &kinds);
            continue;
        }
        let slugs: Vec<_> = kinds.iter().map(|kind| kind.slug()).collect();
        let name = slugs.join(".");
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        responses.insert(status.to_string(), reference);
        let described = refusals.entry(name).or_insert(json!({}));
        refusal(described, &kinds);
    }
    responses.into()
}

fn content(content: &[Content], generator: &mut SchemaGenerator) -> Value {
    let content = content.iter().map(|content| {
        let schema = (content.schema)(generator);
        (content.mime.to_owned(), json!({"schema": schema}))
    });
    content.collect::<Map<_, _>>().into()
}

fn refusal(described: &mut Value, kinds: &[ProblemKind]) {
    let told: Vec<_> = kinds
        .iter()
        .map(|kind| format!("`{}`: {}.", kind.slug(), kind.title()))
        .collect();
    let before = described["description"]
        .as_str()
        .map(|text| format!("{text} "));
    described["description"] = format!("{}{}", before.unwrap_or_default(), told.join(" ")).into();
    let examples = kinds.iter().map(|kind| {
        let slug = kind.slug();
        (
            slug.to_owned(),
            json!({"$ref": format!("#/components/examples/{slug}")}),
        )
    });
    described["content"]["application/problem+json"] = json!({
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": examples.collect::<Map<_, _>>(),
    });
    let later = [ProblemKind::TooManyRequests, ProblemKind::Unavailable];
    if kinds.iter().any(|kind| later.contains(kind)) {
        described["headers"]["Retry-After"] = json!({
            "description": "Seconds after which it is worth another try.",
            "schema": {"type": "integer", "minimum": 1},
        });
    }
}

fn example(kind: &ProblemKind) -> (String, Value) {
    let mut problem = Problem::new(
        *kind,
        "what happened this time, with the value and the range",
    );
    problem.request_id = Some("2f1c7d9e5b7a4c3d8e6f0a1b2c3d4e5f".to_owned());
    (
        kind.slug().to_owned(),
        json!({"summary": kind.title(), "value": problem}),
    )
}
