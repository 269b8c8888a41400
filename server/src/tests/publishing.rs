//! Plugins coming in and going, and the catalogue that everybody reads.

use bytes::Bytes;
use futures_util::stream;
use http::{Method, StatusCode};
use retake_chain::{
    InstalledPlugin,
    problem::{Problem, ProblemKind},
};
use retake_jobs::{
    seams::{BlobKey, Blobs},
    submission::Verdict,
};
use serde_json::{Value, json};

use super::house::{ADMIN_KEY, House, TERMS, ask, field, form_with, gain, get, post, submission};

/// As the conformance kit writes it.
fn check(passed: bool) -> Value {
    let outcome = if passed { "passed" } else { "failed" };
    let one =
        json!({"id": "loads", "title": "It loads", "outcome": outcome, "detail": "it was loaded"});
    json!({"digest": "ab".repeat(32), "passed": passed, "manifest": null, "checks": [one], "cost": null})
}

fn version(version: &str, digest: &str) -> InstalledPlugin {
    let mut plugin = gain();
    std::sync::Arc::make_mut(&mut plugin.manifest).version = version.to_owned();
    plugin.digest = digest.repeat(32);
    plugin
}

impl House {
    /// Does what a worker does with the oldest submission.
    async fn judge(&self, verdict: Verdict) {
        let claimed = self.store.claim_errand("a worker", TERMS).await;
        let (attempt, _): (_, retake_jobs::submission::Submission) =
            claimed.unwrap().expect("one waits");
        let settled = self.store.settle(attempt, verdict).await;
        settled.unwrap().unwrap();
    }

    async fn publish(&self, plugin: InstalledPlugin) {
        self.submit(b"a plugin").await;
        let check = check(true);
        self.judge(Verdict::Passed { plugin, check }).await;
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.ask(get(path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    fn submission_blobs(&self) -> usize {
        let is_one = |key: &BlobKey| matches!(key, BlobKey::Submission(_));
        self.blobs.keys().iter().filter(|key| is_one(key)).count()
    }
}

#[tokio::test]
async fn a_submitted_plugin_is_stored_and_its_verdict_can_be_asked_for() {
    let house = House::new().await;
    let answer = house.ask(submission(b"a plugin")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let told = answer.json();
    let id = told["id"].as_str().unwrap();
    let path = format!("/api/v1/plugin-submissions/{id}");
    assert_eq!(answer.header("location"), Some(path.as_str()));
    assert_eq!(told["status"], "checking");
    assert_eq!(told["size_bytes"], 8);
    assert_eq!(told["request_id"].as_str(), answer.header("x-request-id"));
    assert_eq!(told["digest"].as_str().unwrap().len(), 64);
    for empty in ["plugin", "error", "check", "ended_at"] {
        assert_eq!(told[empty], Value::Null, "{empty}");
    }
    let key = BlobKey::Submission(id.parse().unwrap());
    assert_eq!(
        &house.blobs.read(key, 0, 100).await.unwrap()[..],
        b"a plugin"
    );
    let asked = async || house.ask(get(&path).bearer(ADMIN_KEY)).await.json();
    assert_eq!(asked().await, told);

    let problem = Problem::new(ProblemKind::PluginRefused, "it loops");
    let check = check(false);
    let verdict = Verdict::Refused {
        problem,
        plugin: None,
        check: Some(check.clone()),
    };
    house.judge(verdict).await;
    let ended = asked().await;
    assert_eq!(ended["status"], "refused");
    assert_eq!(ended["error"]["type"], "/problems/plugin-refused");
    assert_eq!(ended["check"], check);
    assert!(ended["ended_at"].is_string());
    for name in ["attempt", "lease"] {
        assert!(ended.get(name).is_none(), "{name} is nobody's business");
    }
}

#[tokio::test]
async fn the_admin_key_is_no_session_and_a_session_is_no_admin_key() {
    let house = House::new().await;
    let admin = |key: &str| get("/api/v1/admin").bearer(key);
    let answer = house.ask(admin(ADMIN_KEY)).await;
    assert_eq!(answer.json(), json!({"admin": true}));
    let other = format!("rtadm_{}", "B".repeat(42) + "A");
    for wrong in [
        &house.session().await,
        &other,
        "rtadm_",
        ADMIN_KEY.trim_end_matches('A'),
    ] {
        house.ask(admin(wrong)).await.problem("admin-key-needed");
    }
    let cookie = house.cookie(ADMIN_KEY);
    let by_cookie = get("/api/v1/admin").header("cookie", &cookie);
    house.ask(by_cookie).await.problem("admin-key-needed");
    for question in [
        get("/api/v1/recordings").bearer(ADMIN_KEY),
        get("/api/v1/events").bearer(ADMIN_KEY),
        get("/api/v1/recordings").header("cookie", &cookie),
    ] {
        house.ask(question).await.problem("unauthenticated");
    }
}

#[tokio::test]
async fn without_a_configured_key_nobody_publishes() {
    let house = House::with(|config| config.admin_key_sha256.clear()).await;
    house
        .ask(submission(b"a plugin"))
        .await
        .problem("admin-key-needed");
    assert_eq!(house.submission_blobs(), 0);
}

#[tokio::test]
async fn what_cannot_be_a_plugin_is_refused_at_the_door_and_leaves_nothing() {
    let house = House::with(|config| config.plugin_bytes_max = 2000).await;
    let empty = house.ask(submission(b"")).await;
    empty.problem("invalid-request");
    let form = post("/api/v1/plugins").bearer(ADMIN_KEY);
    let form = house.ask(form.form(&[field("plugin", "x")])).await;
    let detail = form.problem("invalid-request")["detail"].to_string();
    assert!(detail.contains("application/wasm"), "{detail}");
    let zipped = submission(b"a plugin").header("content-encoding", "gzip");
    house.ask(zipped).await.problem("invalid-request");

    let declared = submission(b"").header("content-length", "2001");
    house.ask(declared).await.problem("too-large");
    let pieces = |count: usize| stream::iter((0..count).map(|_| Ok(Bytes::from(vec![0; 100]))));
    let streamed = house.ask(submission(b"").stream(pieces(21))).await;
    let detail = streamed.problem("too-large")["detail"].to_string();
    assert!(detail.contains("2000 bytes"), "{detail}");
    let broken = stream::iter([
        Ok(Bytes::from_static(b"half a pl")),
        Err(std::io::Error::other("gone")),
    ]);
    house
        .ask(submission(b"").stream(broken))
        .await
        .problem("invalid-request");
    assert_eq!(house.submission_blobs(), 0);

    let answer = house.ask(submission(b"").stream(pieces(20))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "just within the limit");
}

#[tokio::test]
async fn no_more_plugins_wait_than_may() {
    let house = House::with(|config| config.plugin_submissions_max = 2).await;
    house.submit(b"one").await;
    house.submit(b"two").await;
    let answer = house.ask(submission(b"three")).await;
    answer.problem("too-many-requests");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(house.submission_blobs(), 2);
}

#[tokio::test]
async fn a_published_plugin_is_in_the_catalogue_with_its_schema_and_its_check() {
    let house = House::new().await;
    house.publish(version("1.2.0", "01")).await;
    let list = house.json("/api/v1/plugins").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "one of each");
    let gain = &list["items"][0];
    assert_eq!(gain["version"], "1.2.0");
    assert_eq!(gain["versions"], json!(["1.2.0", "1.0.0"]));
    assert_eq!(gain["origin"], "published");
    assert_eq!(gain["removed_at"], Value::Null);
    assert_eq!(
        gain["params_schema"]["properties"]["gain-db"]["maximum"],
        24.0
    );
    assert!(gain.get("check").is_none());

    for name in ["gain", "org.retake.gain"] {
        let one = house.json(&format!("/api/v1/plugins/{name}")).await;
        assert_eq!(one["digest"], "01".repeat(32));
        let versions: Vec<_> = one["versions"].as_array().unwrap().iter().collect();
        assert_eq!(versions.len(), 2);
        assert_eq!(versions[0]["version"], "1.2.0");
        assert_eq!(versions[1]["digest"], "ab".repeat(32));
    }
    let checked = house.json("/api/v1/plugins/gain/versions/1.2.0").await;
    assert_eq!(checked["check"], check(true));
    let built_in = house.json("/api/v1/plugins/gain/versions/1.0.0").await;
    assert_eq!(built_in["check"], Value::Null);
    assert_eq!(built_in["origin"], "built_in");

    for (path, words) in [
        ("/api/v1/plugins/reverb", "there are: gain"),
        (
            "/api/v1/plugins/gain/versions/9.9.9",
            "it has: 1.2.0, 1.0.0",
        ),
    ] {
        let detail = house.ask(get(path)).await.problem("not-found")["detail"].to_string();
        assert!(detail.contains(words), "{detail}");
    }
}

#[tokio::test]
async fn a_removed_version_can_be_read_but_not_named() {
    let house = House::new().await;
    house.publish(version("1.2.0", "01")).await;
    let address = |version: &str| format!("/api/v1/plugins/gain/versions/{version}");
    let remove = async |version: &str| {
        let question = ask(Method::DELETE, &address(version)).bearer(ADMIN_KEY);
        house.ask(question).await
    };
    remove("1.0.0").await.problem("plugin-built-in");
    assert_eq!(remove("1.2.0").await.status, StatusCode::NO_CONTENT);
    remove("1.2.0").await.problem("not-found");
    remove("9.9.9").await.problem("not-found");

    let list = house.json("/api/v1/plugins").await;
    assert_eq!(list["items"][0]["versions"], json!(["1.0.0"]));
    let removed = house.json(&address("1.2.0")).await;
    assert!(removed["removed_at"].is_string());
    assert_eq!(removed["check"], check(true));
    let all = house.json("/api/v1/plugins/gain").await;
    assert_eq!(all["version"], "1.0.0", "the newest that can be named");
    assert_eq!(all["versions"][0]["removed_at"], removed["removed_at"]);

    let token = house.session().await;
    let order = async |version: &str| {
        let chain = json!({"steps": [{"plugin": "gain", "version": version}]}).to_string();
        let form = form_with("chain", Some(chain.as_bytes()));
        house
            .ask(post("/api/v1/recordings").bearer(&token).form(&form))
            .await
    };
    assert_eq!(order("1.0.0").await.status, StatusCode::ACCEPTED);
    let refused = order("1.2.0").await;
    refused.problem("invalid-chain");
    assert_eq!(refused.pointers(), ["/chain/steps/0/version"]);
    assert!(
        refused.json()["detail"]
            .to_string()
            .contains("it has: 1.0.0")
    );
}

#[tokio::test]
async fn nobody_changes_what_a_chain_means_by_publishing_something() {
    let house = House::new().await;
    let token = house.session().await;
    let order = async || {
        let chain = json!({"steps": [{"plugin": "gain"}]}).to_string();
        let form = form_with("chain", Some(chain.as_bytes()));
        let question = post("/api/v1/recordings").bearer(&token).form(&form);
        let answer = house.ask(question).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        answer.json()["job"].clone()
    };
    let before = order().await;
    assert_eq!(before["plugins"][0]["id"], "org.retake.gain");
    assert_eq!(before["plugins"][0]["version"], "1.0.0");

    let mut evil = gain();
    let manifest = std::sync::Arc::make_mut(&mut evil.manifest);
    manifest.id = "com.evil.gain".to_owned();
    manifest.version = "9.0.0".to_owned();
    evil.digest = "ee".repeat(32);
    house.publish(evil).await;
    assert_eq!(order().await["plugins"], before["plugins"]);
    let list = house.json("/api/v1/plugins").await;
    let names: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["short_name"])
        .collect();
    assert_eq!(names, ["com.evil.gain", "gain"]);

    // What waits keeps its version; what comes now gets the newest.
    house.publish(version("1.2.0", "01")).await;
    assert_eq!(order().await["plugins"][0]["version"], "1.2.0");
    let address = format!("/api/v1/jobs/{}", before["id"].as_str().unwrap());
    let answer = house.ask(get(&address).bearer(&token)).await;
    assert_eq!(answer.json()["plugins"], before["plugins"]);
}
