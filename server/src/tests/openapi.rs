//! docs/openapi.json against the routes, in both directions.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;

use super::house::{ADMIN_KEY, House, ask, get};
use crate::routes;

fn description(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn operations(description: &Value) -> BTreeSet<(String, String)> {
    let paths = description["paths"].as_object().unwrap();
    let operation = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().keys();
        let verbs = methods.filter(|key| key.parse::<Method>().is_ok() && *key != "parameters");
        verbs
            .map(|verb| (verb.to_uppercase(), path.clone()))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(operation).collect()
}

async fn served() -> (House, Value) {
    let house = House::new().await;
    let answer = house.ask(get("/api/v1/openapi.json")).await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    (house, description(&text))
}

#[tokio::test]
async fn the_description_names_every_route_and_no_other() {
    let (house, description) = served().await;
    let (_, table) = routes::all(&house.app);
    let routes: BTreeSet<_> = table
        .entries()
        .iter()
        .map(|(method, template)| (method.to_string(), (*template).to_owned()))
        .collect();
    assert_eq!(operations(&description), routes);
    assert_eq!(description["openapi"], "3.1.0");
}

#[tokio::test]
async fn every_described_operation_is_answered_by_something_of_its_own() {
    let (house, description) = served().await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let job = made["job"]["id"].as_str().unwrap();
    house.complete(job, b"corrected").await;
    let mut operations: Vec<_> = operations(&description).into_iter().collect();
    // The recording goes last.
    operations.sort_by_key(|(method, _)| method == "DELETE");
    for (method, path) in operations {
        let id = if path.contains("/jobs/{id}") {
            job
        } else {
            made["id"].as_str().unwrap()
        };
        let path = path
            .replace("{id}", id)
            .replace("{kind}", "not-found")
            .replace("{plugin}", "gain")
            .replace("{version}", "1.0.0")
            .replace("{submission}", id)
            .replace("{index}", "0")
            .replace("{rendition}", "mp3")
            .replace("{side}", "original")
            .replace("{columns_per_second}", "100")
            .replace("{tile}", "0");
        let asked = ask(method.parse().unwrap(), &path).bearer(&token);
        // Nobody is there to make it.
        let response = house.open(asked.header("prefer", "wait=0")).await;
        assert!(
            ![404, 405].contains(&response.status().as_u16()),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn every_reference_in_the_description_leads_somewhere() {
    let (_, description) = served().await;
    let mut references = Vec::new();
    collect(&description, &mut references);
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let target = description.pointer(reference.strip_prefix('#').unwrap());
        assert!(target.is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                references.push(reference.clone());
            }
            object.values().for_each(|value| collect(value, references));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

/// The top-level keys of what is really answered are the described ones.
#[tokio::test]
async fn the_described_properties_are_those_of_real_answers() {
    let (house, description) = served().await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let job = made["job"]["id"].as_str().unwrap();
    house.complete(job, b"corrected").await;
    let id = made["id"].as_str().unwrap();
    let submission = house.submit(b"a plugin").await;
    let submission = format!(
        "/api/v1/plugin-submissions/{}",
        submission["id"].as_str().unwrap()
    );
    for (path, schema) in [
        (format!("/api/v1/jobs/{job}"), "Job"),
        (format!("/api/v1/jobs/{job}/report"), "Report"),
        (format!("/api/v1/recordings/{id}"), "Recording"),
        (format!("/api/v1/jobs/{job}/compare"), "Derivative"),
        ("/api/v1/nothing".to_owned(), "Problem"),
        ("/api/v1/plugins/gain".to_owned(), "Plugin"),
        ("/api/v1/plugins/gain/versions/1.0.0".to_owned(), "Plugin"),
        (submission, "Submission"),
    ] {
        let key = if schema == "Submission" {
            ADMIN_KEY
        } else {
            &token
        };
        let asked = get(&path).bearer(key).header("prefer", "wait=0");
        let answer = house.ask(asked).await.json();
        let properties = &description["components"]["schemas"][schema]["properties"];
        for key in answer.as_object().unwrap().keys() {
            assert!(
                properties.get(key).is_some(),
                "{schema} has no property {key}"
            );
        }
        let required = description["components"]["schemas"][schema]["required"]
            .as_array()
            .unwrap();
        for key in required {
            assert!(
                answer.get(key.as_str().unwrap()).is_some(),
                "{schema} lacks {key}"
            );
        }
    }
}
