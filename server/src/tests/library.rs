//! Lists, what recordings are called, and taking back what was deleted.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, ask, get, good_chain, post};

async fn made(house: &House, token: &str) -> String {
    house.upload(token).await["id"].as_str().unwrap().to_owned()
}

fn recording(id: &str) -> String {
    format!("/api/v1/recordings/{id}")
}

async fn patched(house: &House, token: &str, id: &str, body: Value) -> Value {
    let edit = ask(Method::PATCH, &recording(id)).bearer(token).json(body);
    let answer = house.ask(edit).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    answer.json()
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}

#[tokio::test]
async fn a_list_of_recordings_does_not_grow_with_their_jobs() {
    let house = House::new().await;
    let token = house.session().await;
    let id = made(&house, &token).await;
    let list = async || {
        let answer = house.ask(get("/api/v1/recordings").bearer(&token)).await;
        (answer.body.len(), answer.json()["items"][0].clone())
    };
    let (one, _) = list().await;
    let jobs = format!("{}/jobs", recording(&id));
    for _ in 0..60 {
        let again = post(&jobs)
            .bearer(&token)
            .json(json!({"chain": good_chain()}));
        assert_eq!(house.ask(again).await.status, StatusCode::ACCEPTED);
    }
    let (many, item) = list().await;
    assert!(many <= one + 200, "{one} bytes became {many}");
    assert_eq!(item["job_counts"]["total"], 61);
    assert_eq!(item["job_counts"]["queued"], 61);
    assert!(item.get("jobs").is_none());
    let whole = house.ask(get(&recording(&id)).bearer(&token)).await.json();
    assert_eq!(whole["jobs"].as_array().unwrap().len(), 50);
    assert_eq!(whole["jobs"][0]["id"], item["newest_job"]["id"]);
    assert_eq!(whole["links"]["jobs"], jobs);
    let mut found = Vec::new();
    let mut next = format!("{jobs}?limit=25&status=queued,running");
    loop {
        let page = house.ask(get(&next).bearer(&token)).await.json();
        found.extend(ids(&page));
        let Some(token) = page["next_page_token"].as_str() else {
            break;
        };
        next = format!("{jobs}?limit=25&status=queued,running&page_token={token}");
    }
    assert_eq!(found.len(), 61);
    let all = house
        .ask(get("/api/v1/jobs?limit=100").bearer(&token))
        .await;
    assert_eq!(ids(&all.json()), found);
}

#[tokio::test]
async fn lists_are_sorted_and_searched() {
    let house = House::new().await;
    let token = house.session().await;
    let (first, second) = (made(&house, &token).await, made(&house, &token).await);
    patched(
        &house,
        &token,
        &first,
        json!({"name": "Zoo & co", "tags": ["radio"]}),
    )
    .await;
    patched(&house, &token, &second, json!({"name": "aachen"})).await;
    let list = async |query: &str| {
        let ask = get(&format!("/api/v1/recordings?{query}")).bearer(&token);
        ids(&house.ask(ask).await.json())
    };
    assert_eq!(list("").await, [&*second, &first]);
    assert_eq!(list("sort=created_at").await, [&*first, &second]);
    assert_eq!(list("sort=-name").await, [&*first, &second]);
    assert_eq!(list("q=ZOO%20%26").await, [&*first]);
    assert_eq!(list("tag=radio").await, [&*first]);
    assert_eq!(list("tag=radio&tag=other").await, Vec::<String>::new());
    assert_eq!(
        list("status=queued&created_from=2001-01-01T00:00:00Z")
            .await
            .len(),
        2
    );
    assert_eq!(list("created_to=2001-01-01T00:00:00Z").await.len(), 0);
}

#[tokio::test]
async fn a_list_says_which_field_of_its_query_is_wrong_and_what_it_may_be() {
    let house = House::new().await;
    let token = house.session().await;
    made(&house, &token).await;
    made(&house, &token).await;
    let ask_for = async |path: &str| house.ask(get(path).bearer(&token)).await;
    let page = ask_for("/api/v1/recordings?limit=1&sort=name").await.json();
    let by_name = page["next_page_token"].as_str().unwrap();
    for (query, field, words) in [
        (
            "limit=0",
            "/limit",
            "limit is 0; it must be a number from 1 to 200",
        ),
        (
            "limit=201",
            "/limit",
            "limit is 201; it must be a number from 1 to 200",
        ),
        (
            "limit=ten",
            "/limit",
            "limit is \"ten\"; it must be a number from 1 to 200",
        ),
        ("limit=2&limit=3", "/limit", "limit is given twice"),
        (
            "status=done",
            "/status",
            "status is \"done\"; it must be one of queued, running,",
        ),
        (
            "sort=size",
            "/sort",
            "sort is \"size\"; it must be one of -created_at, created_at,",
        ),
        (
            "created_from=monday",
            "/created_from",
            "created_from is \"monday\"; it must be a time",
        ),
        ("tag=", "/tag", "tag has 0 characters; it must have 1 to 64"),
        ("q=", "/q", "q has 0 characters; it must have 1 to 255"),
        (
            "page_token=x",
            "/page_token",
            "page_token is not one that next_page_token",
        ),
        (
            &*format!("page_token={by_name}"),
            "/page_token",
            "of this list, in this order",
        ),
        (
            "colour=blue",
            "/colour",
            "there is no query parameter \"colour\" here",
        ),
    ] {
        let answer = ask_for(&format!("/api/v1/recordings?{query}")).await;
        let detail = answer.problem("invalid-field")["detail"].clone();
        assert!(
            detail.as_str().unwrap().contains(words),
            "{query}: {detail}"
        );
        assert_eq!(answer.pointers(), [field], "{query}");
    }
    let jobs = ask_for("/api/v1/jobs?recording_id=7").await;
    assert_eq!(jobs.pointers(), ["/recording_id"]);
}

#[tokio::test]
async fn an_edit_says_what_is_wrong_with_each_field() {
    let house = House::new().await;
    let token = house.session().await;
    let id = made(&house, &token).await;
    for (body, pointers, words) in [
        (
            json!({"name": ""}),
            &["/name"][..],
            "name has 0 characters; it must have 1 to 255",
        ),
        (
            json!({"name": "a\u{202e}b"}),
            &["/name"],
            "name holds \\u{202e}, which is not seen",
        ),
        (
            json!({"name": " a"}),
            &["/name"],
            "must neither begin nor end with a space",
        ),
        (
            json!({"tags": ["a", "a"]}),
            &["/tags/1"],
            "tags[1] is \"a\", which is there twice",
        ),
        (
            json!({"tags": vec!["a"; 33]}),
            &["/tags"],
            "tags holds 33 tags; it must hold at most 32",
        ),
        (
            json!({"notes": "x".repeat(10_001)}),
            &["/notes"],
            "notes has 10001 characters; it must have at most 10000",
        ),
        (
            json!({"name": "x".repeat(256), "tags": [""]}),
            &["/name", "/tags/0"],
            "name has 256 characters",
        ),
        (json!({"colour": "blue"}), &[], "unknown field `colour`"),
        (json!({"name": 7}), &[], "invalid type: integer `7`"),
    ] {
        let edit = ask(Method::PATCH, &recording(&id)).bearer(&token);
        let answer = house.ask(edit.json(body.clone())).await;
        let detail = answer.problem("invalid-field")["detail"].clone();
        assert!(detail.as_str().unwrap().contains(words), "{body}: {detail}");
        assert_eq!(answer.pointers(), pointers, "{body}");
    }
    let edited = patched(
        &house,
        &token,
        &id,
        json!({"notes": "line\nline", "tags": ["b"]}),
    )
    .await;
    assert_eq!(
        (&edited["notes"], &edited["tags"]),
        (&json!("line\nline"), &json!(["b"]))
    );
    let edited = patched(&house, &token, &id, json!({"notes": null, "name": "A"})).await;
    assert_eq!(
        (&edited["notes"], &edited["tags"]),
        (&Value::Null, &json!(["b"]))
    );
    assert_eq!(edited["name"], "A");
}

#[tokio::test]
async fn an_edit_under_if_match_is_refused_where_another_came_before_and_not_for_a_jobs_sake() {
    let house = House::new().await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let id = made["id"].as_str().unwrap();
    let read = house.ask(get(&recording(id)).bearer(&token)).await;
    let etag = read.header("etag").unwrap().to_owned();
    let again = get(&recording(id)).bearer(&token);
    let again = house.ask(again.header("if-none-match", &etag)).await;
    assert_eq!(
        (again.status, again.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    let edit = async |etag: &str, name: &str| {
        let edit = ask(Method::PATCH, &recording(id)).bearer(&token);
        let edit = edit.header("if-match", etag).json(json!({"name": name}));
        house.ask(edit).await
    };
    house
        .complete(made["job"]["id"].as_str().unwrap(), b"corrected")
        .await;
    let job_ended = get(&recording(id)).bearer(&token);
    let job_ended = house.ask(job_ended.header("if-none-match", &etag)).await;
    assert_eq!(job_ended.status, StatusCode::OK);
    let first = edit(&etag, "first").await;
    assert_eq!(first.status, StatusCode::OK, "{:?}", first.body);
    edit(&etag, "second").await.problem("precondition-failed");
    edit("\"v7.0\"", "third")
        .await
        .problem("precondition-failed");
    let delete = ask(Method::DELETE, &recording(id)).bearer(&token);
    let delete = house.ask(delete.header("if-match", &etag)).await;
    delete.problem("precondition-failed");
    let newest = first.header("etag").unwrap();
    assert_eq!(edit(newest, "fourth").await.json()["name"], "fourth");
    assert_eq!(edit("*", "fifth").await.json()["name"], "fifth");
}

#[tokio::test]
async fn what_was_deleted_is_nowhere_until_it_is_restored() {
    let house = House::new().await;
    let (token, stranger) = (house.session().await, house.session().await);
    let made = house.upload(&token).await;
    let (id, job) = (
        made["id"].as_str().unwrap(),
        made["job"]["id"].as_str().unwrap(),
    );
    house.complete(job, b"corrected").await;
    let keys = house.blobs.keys();
    let before = house.ask(get(&recording(id)).bearer(&token)).await;
    let deleted = house
        .ask(ask(Method::DELETE, &recording(id)).bearer(&token))
        .await;
    assert_eq!(deleted.status, StatusCode::OK);
    let deleted = deleted.json();
    assert_eq!(deleted["id"], id);
    let restore = deleted["links"]["restore"].as_str().unwrap();
    assert_eq!(restore, format!("{}/restore", recording(id)));
    for path in [
        recording(id),
        format!("{}/audio", recording(id)),
        format!("{}/jobs", recording(id)),
        format!("/api/v1/jobs/{job}"),
        format!("/api/v1/jobs/{job}/audio"),
        format!("/api/v1/jobs/{job}/derivatives"),
        format!("/api/v1/jobs/{job}/renditions/mp3"),
    ] {
        let answer = house.ask(get(&path).bearer(&token)).await;
        answer.problem("not-found");
    }
    let list = house.ask(get("/api/v1/recordings").bearer(&token)).await;
    assert_eq!(list.json()["items"], json!([]));
    house
        .ask(post(restore).bearer(&stranger))
        .await
        .problem("not-found");
    assert_eq!(house.blobs.keys(), keys, "the bytes are kept");
    let restored = house.ask(post(restore).bearer(&token)).await;
    assert_eq!(
        (restored.status, restored.json()),
        (StatusCode::OK, before.json())
    );
    let audio = house
        .ask(get(&format!("/api/v1/jobs/{job}/audio")).bearer(&token))
        .await;
    assert_eq!(audio.body, "corrected");
    house
        .ask(post(restore).bearer(&token))
        .await
        .problem("not-found");
}

#[tokio::test]
async fn where_nothing_can_be_restored_deleting_is_for_good() {
    let house = House::with(|config| config.restore_ms = 0).await;
    let token = house.session().await;
    let id = made(&house, &token).await;
    let deleted = house
        .ask(ask(Method::DELETE, &recording(&id)).bearer(&token))
        .await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(house.blobs.keys(), []);
    let restore = post(&format!("{}/restore", recording(&id))).bearer(&token);
    house.ask(restore).await.problem("not-found");
}

#[tokio::test]
async fn whoever_watches_hears_of_a_recording_that_is_changed_deleted_or_restored() {
    let house = House::new().await;
    let token = house.session().await;
    let id = made(&house, &token).await;
    patched(&house, &token, &id, json!({"name": "a"})).await;
    house
        .ask(ask(Method::DELETE, &recording(&id)).bearer(&token))
        .await;
    let restore = post(&format!("{}/restore", recording(&id))).bearer(&token);
    house.ask(restore).await;
    let forever = format!("{}?forever=true", recording(&id));
    house
        .ask(ask(Method::DELETE, &forever).bearer(&token))
        .await;
    let mut body = house
        .open(get("/api/v1/events?after=0").bearer(&token))
        .await
        .into_body();
    let mut told = String::new();
    while told.matches("event: recording.").count() < 4 {
        told += &super::house::next_chunk(&mut body).await.unwrap();
    }
    let data = told.lines().filter_map(|line| line.strip_prefix("data: "));
    let news: Vec<Value> = data
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<_> = told
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    assert_eq!(
        names,
        [
            "recording.changed",
            "recording.deleted",
            "recording.restored",
            "recording.deleted"
        ],
        "the events of its jobs are gone with it"
    );
    assert!(
        news.iter().all(|news| news["recording"]["id"] == *id),
        "{news:?}"
    );
    assert!(news[1]["recording"]["restorable_until"].is_string());
    assert!(news[3]["recording"]["restorable_until"].is_null());
}
