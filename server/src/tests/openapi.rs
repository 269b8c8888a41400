//! The description against the routes, in both directions, and against docs/openapi.json.

use std::{collections::BTreeSet, path::Path};

use http::Method;
use serde_json::{Value, json};

use super::house::{ADMIN_KEY, House, ask, get, post};
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
        .into_iter()
        .map(|(method, template)| (method.to_string(), template.to_owned()))
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
    let share = post(&format!("/api/v1/jobs/{job}/shares")).bearer(&token);
    let share = share.json(json!({"may_download": true}));
    let share = house.ask(share).await.json();
    let chain = json!({"chain": {"steps": [{"plugin": "gain"}]}});
    let preset = ask(Method::PUT, "/api/v1/presets/talks").bearer(&token);
    house.ask(preset.json(chain)).await;
    let [webhook, delivery, called, callback] = house.told(&token).await;
    let mut operations: Vec<_> = operations(&description).into_iter().collect();
    // The recording goes last, and comes back; then the session ends.
    operations.sort_by_key(|(method, path)| match (method.as_str(), path.as_str()) {
        ("DELETE", "/api/v1/sessions/{session}") => 4,
        ("POST", "/api/v1/recordings/{id}/restore") => 3,
        ("DELETE", "/api/v1/recordings/{id}") => 2,
        ("DELETE", _) => 1,
        _ => 0,
    });
    let begin = post("/api/v1/uploads").bearer(&token);
    let begin = begin.header("tus-resumable", "1.0.0");
    let begin = begin
        .header("upload-length", "9")
        .header("upload-metadata", &super::uploads_in_pieces::good());
    let upload = house
        .ask(begin)
        .await
        .header("location")
        .unwrap()
        .to_owned();
    for (method, path) in operations {
        let id = if path.contains("/callbacks/") {
            called.as_str()
        } else if path.contains("/webhooks/{id}") {
            webhook.as_str()
        } else if path.contains("/uploads/{id}") {
            upload.rsplit('/').next().unwrap()
        } else if path.contains("/jobs/{id}") {
            job
        } else if path.contains("/shares/{id}") {
            share["id"].as_str().unwrap()
        } else {
            made["id"].as_str().unwrap()
        };
        let delivery = match path.contains("/callbacks/") {
            true => &callback,
            false => &delivery,
        };
        let path = path
            .replace("{delivery}", delivery)
            .replace("{token}", share["token"].as_str().unwrap())
            .replace("{id}", id)
            .replace("{kind}", "not-found")
            .replace("{preset}", "talks")
            .replace("{plugin}", "gain")
            .replace("{version}", "1.0.0")
            .replace("{submission}", id)
            .replace("{index}", "0")
            .replace("{rendition}", "mp3")
            .replace("{side}", "original")
            .replace("{columns_per_second}", "100")
            .replace("{tile}", "0")
            .replace("{session}", "current")
            .replace("{key}", id);
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

#[tokio::test]
async fn docs_openapi_json_is_what_is_served() {
    let house = House::new().await;
    let served = house.ask(get("/api/v1/openapi.json")).await;
    let served = std::str::from_utf8(&served.body).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    if std::env::var_os("RETAKE_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, served).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(
        written == served,
        "docs/openapi.json is not what the server says of itself: `make openapi` writes it"
    );
}

#[tokio::test]
async fn below_a_path_the_description_says_so() {
    let house = House::with(|config| config.public_url = "https://a.example/take".to_owned()).await;
    let answer = house.ask(get("/api/v1/openapi.json")).await.json();
    assert_eq!(answer["servers"][0]["url"], "/take");
}

#[tokio::test]
async fn every_operation_says_what_clients_and_readers_need() {
    let house = House::new().await;
    let (_, table) = routes::all(&house.app);
    let mut ids = BTreeSet::new();
    for operation in table.operations() {
        let (address, id) = (operation.address, operation.id);
        assert!(ids.insert(id), "{id} stands twice");
        assert!(!operation.replies.is_empty(), "{address} answers nothing");
        let braces = |text: &str| {
            text.starts_with('{')
                .then(|| text[1..text.len() - 1].to_owned())
        };
        let wanted: BTreeSet<_> = address.split('/').filter_map(braces).collect();
        let takes = operation.parameters.iter();
        let told: BTreeSet<_> = takes
            .filter(|parameter| parameter.place == "path")
            .map(|parameter| parameter.name.to_owned())
            .collect();
        assert_eq!(wanted, told, "{address}");
    }
}

/// Answers that no other test asks for, so that all of them are held to the description.
#[tokio::test]
async fn what_a_finished_job_has_is_answered_as_described() {
    let house = House::new().await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let job = made["job"]["id"].as_str().unwrap();
    house.complete(job, b"corrected").await;
    let submission = house.submit(b"a plugin").await;
    let submission = submission["id"].as_str().unwrap();
    for (path, key) in [
        (format!("/api/v1/jobs/{job}/report"), token.as_str()),
        (format!("/api/v1/jobs/{job}/compare"), &token),
        (format!("/api/v1/jobs/{job}/derivatives"), &token),
        ("/api/v1/plugins/gain/versions/1.0.0".to_owned(), &token),
        (
            format!("/api/v1/plugin-submissions/{submission}"),
            ADMIN_KEY,
        ),
        ("/api/v1/presets".to_owned(), &token),
        ("/api/v1/version".to_owned(), &token),
        ("/healthz".to_owned(), &token),
        ("/metrics".to_owned(), &token),
    ] {
        let asked = get(&path).bearer(key).header("prefer", "wait=0");
        let status = house.ask(asked).await.status;
        assert!(status.is_success(), "{path}: {status}");
    }
}

#[tokio::test]
async fn rfc_6901_3_a_query_parameter_that_is_not_known_is_pointed_at() {
    let house = House::new().await;
    let token = house.session().await;
    let answer = house
        .ask(get("/api/v1/recordings?a~b%2Fc=1").bearer(&token))
        .await;
    let problem = answer.problem("invalid-field");
    assert_eq!(problem["errors"][0]["pointer"], "/a~0b~1c");
}
