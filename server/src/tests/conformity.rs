//! Every answer that a test of the server gets, held against the description: its status, its type, its
//! headers, and its JSON, in which nothing may stand that the description does not name.
//!
//! The parts of JSON Schema that our own types need, and stricter: clients must take fields that they do
//! not know, and we must not answer any.

use std::sync::OnceLock;

use http::Method;
use serde_json::{Map, Value};

use super::house::Answer;
use crate::{app::App, routes};

/// Panics where an answer is not as described.
#[track_caller]
pub fn hold(app: &App, method: &Method, path: &str, answer: &Answer) {
    // The same for every app but for its own address, which is not looked at.
    static DESCRIPTION: OnceLock<Value> = OnceLock::new();
    let description =
        DESCRIPTION.get_or_init(|| serde_json::from_slice(app.description.get().unwrap()).unwrap());
    let base = app.place.base();
    let path = path.split(['?', '#']).next().unwrap();
    let path = path.strip_prefix(base).unwrap_or(path);
    let method = if method == Method::HEAD {
        "get".to_owned()
    } else {
        method.as_str().to_ascii_lowercase()
    };
    let paths = description["paths"].as_object().unwrap();
    // What is written out comes before what has a place to fill.
    let mut fitting: Vec<_> = paths
        .iter()
        .filter(|(template, operations)| {
            routes::matches(template, path) && operations.get(&method).is_some()
        })
        .collect();
    fitting.sort_by_key(|(template, _)| template.matches('{').count());
    let Some((template, operations)) = fitting.first() else {
        return;
    };
    if let Err(why) = judge(description, &operations[&method], answer) {
        panic!("{method} {template} answered {}, and {why}", answer.status);
    }
}

fn judge(description: &Value, operation: &Value, answer: &Answer) -> Result<(), String> {
    let status = answer.status.as_u16().to_string();
    let Some(reply) = operation["responses"].get(&status) else {
        return Err("that status is not described".to_owned());
    };
    let reply = match reply["$ref"].as_str() {
        Some(reference) => description.pointer(&reference[1..]).unwrap(),
        None => reply,
    };
    if let Some(headers) = reply["headers"].as_object() {
        let missing = headers
            .keys()
            .find(|name| answer.header(name.as_str()).is_none());
        // A refusal has a time only where it is worth another try.
        if let Some(missing) = missing.filter(|name| *name != "Retry-After") {
            return Err(format!("it has no {missing}"));
        }
    }
    let Some(content_type) = answer.header("content-type") else {
        return match reply.get("content") {
            Some(_) => Err("it has no content-type".to_owned()),
            None => Ok(()),
        };
    };
    let essence = content_type.split(';').next().unwrap().trim();
    let fits = |range: &str| match range.strip_suffix("/*") {
        Some(kind) => essence.starts_with(kind),
        None => essence == range,
    };
    let content = reply["content"].as_object();
    let media = content.and_then(|content| content.iter().find(|(range, _)| fits(range)));
    let Some((_, media)) = media else {
        return Err(format!("{essence} is not described: {reply}"));
    };
    if !essence.ends_with("json") || answer.body.is_empty() {
        return Ok(());
    }
    if essence == "application/problem+json" {
        let slug = answer.json()["type"]
            .as_str()
            .unwrap()
            .replace("/problems/", "");
        if media["examples"].get(&slug).is_none() {
            return Err(format!("its problem \"{slug}\" is not described"));
        }
    }
    if media["schema"]["format"] == "binary" {
        return Ok(());
    }
    holds(description, &media["schema"], &answer.json(), "")
}

/// Whether the value is as the schema says, and has nothing that it does not name.
fn holds(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = root
            .pointer(&reference[1..])
            .ok_or("a reference leads nowhere")?;
        return holds(root, target, value, at);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema.get(choice).and_then(Value::as_array) {
            let shared = schema.get("properties").and_then(Value::as_object);
            let failed: Vec<_> = choices
                .iter()
                .map(|schema| holds(root, &with(schema, shared), value, at))
                .collect();
            if failed.iter().all(Result::is_err) {
                return Err(format!("{at} is none of its kinds: {failed:?}"));
            }
            return Ok(());
        }
    }
    if let Some(constant) = schema.get("const")
        && constant != value
    {
        return Err(format!("{at} is {value}; it is described as {constant}"));
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array)
        && !values.contains(value)
    {
        return Err(format!("{at} is {value}, which is none of {values:?}"));
    }
    let types = match schema.get("type") {
        None => Vec::new(),
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
        Some(one) => one.as_str().into_iter().collect(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is(kind, value)) {
        return Err(format!("{at} is {value}; it is described as {types:?}"));
    }
    for (limit, beyond) in [("minimum", -1.0), ("maximum", 1.0)] {
        if let (Some(limit), Some(value)) =
            (schema.get(limit).and_then(Value::as_f64), value.as_f64())
            && (value - limit) * beyond > 0.0
        {
            return Err(format!("{at} is {value}, beyond {limit}"));
        }
    }
    match value {
        Value::Array(values) => {
            let each = schema.get("items").unwrap_or(&Value::Bool(true));
            for (place, value) in values.iter().enumerate() {
                holds(root, each, value, &format!("{at}/{place}"))?;
            }
            Ok(())
        }
        Value::Object(fields) => object(root, schema, fields, at),
        _ => Ok(()),
    }
}

fn object(
    root: &Value,
    schema: &Value,
    fields: &Map<String, Value>,
    at: &str,
) -> Result<(), String> {
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            return Err(format!("{at}/{name} is missing"));
        }
    }
    // An object of which nothing is said may hold anything.
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return match schema.get("additionalProperties") {
            Some(each) if each.is_object() => fields
                .iter()
                .try_for_each(|(name, value)| holds(root, each, value, &format!("{at}/{name}"))),
            _ => Ok(()),
        };
    };
    for (name, value) in fields {
        let at = format!("{at}/{name}");
        let schema = properties.get(name);
        let schema = schema.ok_or_else(|| format!("{at} is not described"))?;
        holds(root, schema, value, &at)?;
    }
    Ok(())
}

/// One of several kinds, with the fields that all of them have.
fn with(schema: &Value, shared: Option<&Map<String, Value>>) -> Value {
    let mut schema = schema.clone();
    if let (Some(shared), Some(own)) = (
        shared,
        schema.get_mut("properties").and_then(Value::as_object_mut),
    ) {
        own.extend(shared.clone());
    }
    schema
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
