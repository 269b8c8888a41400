//! Chains that have a name: the built-in ones, and those that an owner saved.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{Answer, Ask, House, ask, get, post};

const TALKS: &str = "/api/v1/presets/talks";

fn put(path: &str) -> Ask {
    ask(Method::PUT, path)
}

fn louder(db: i32) -> Value {
    json!({"summary": "for talks", "chain": {"steps": [{"plugin": "gain", "params": {"gain-db": db}}]}})
}

impl House {
    async fn save(&self, token: &str, db: i32) -> Answer {
        self.ask(put(TALKS).bearer(token).json(louder(db))).await
    }

    async fn names(&self, question: Ask) -> Vec<String> {
        let listed = self.ask(question).await;
        assert_eq!(listed.status, StatusCode::OK);
        let items = listed.json()["items"].as_array().unwrap().clone();
        let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
        items.iter().map(name).collect()
    }
}

#[tokio::test]
async fn what_is_saved_is_ordered_by_its_name_in_the_version_it_then_has() {
    let house = House::new().await;
    let token = house.session().await;
    let first = house.save(&token, 3).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(first.header("etag"), Some("\"1\""));
    let recording = house.upload(&token).await["id"].clone();
    let order = post(&format!(
        "/api/v1/recordings/{}/jobs",
        recording.as_str().unwrap()
    ));
    let order = order.bearer(&token).json(json!({"preset": "talks"}));
    let job = house.ask(order).await;
    assert_eq!(job.status, StatusCode::ACCEPTED, "{job:?}");
    let job = job.json()["job"].clone();
    assert_eq!(job["preset"], "talks");

    let second = house.save(&token, 6).await;
    assert_eq!(second.status, StatusCode::OK);
    assert_eq!(second.json()["version"], 2);
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    let job = house.ask(get(&path).bearer(&token)).await.json();
    assert_eq!(job["chain"]["steps"][0]["params"]["gain-db"], 3.0);

    for (version, db) in [("", 6), ("?version=1", 3), ("?version=2", 6)] {
        let got = get(&format!("{TALKS}{version}")).bearer(&token);
        let got = house.ask(got).await.json();
        let params = &got["chain"]["steps"][0]["params"];
        assert_eq!(params["gain-db"], db, "{version}");
        assert_eq!(
            (&got["built_in"], &got["summary"]),
            (&json!(false), &json!("for talks"))
        );
    }
    let gone = get(&format!("{TALKS}?version=3")).bearer(&token);
    house.ask(gone).await.problem("not-found");
    let odd = get(&format!("{TALKS}?version=new")).bearer(&token);
    house.ask(odd).await.problem("invalid-field");
}

#[tokio::test]
async fn a_saved_preset_is_its_owners_alone_and_the_built_in_ones_are_everybodys() {
    let house = House::new().await;
    let (ann, eve) = (house.session().await, house.session().await);
    house.save(&ann, 3).await;
    let all = "/api/v1/presets";
    let built_in = house.names(get(all)).await;
    assert!(built_in.contains(&"speech".to_owned()) && !built_in.contains(&"talks".to_owned()));
    assert_eq!(house.names(get(all).bearer(&eve)).await, built_in);
    let hers = house.names(get(all).bearer(&ann)).await;
    assert_eq!(hers[..built_in.len()], built_in);
    assert_eq!(hers[built_in.len()..], ["talks"]);
    let cookie = house.cookie(&ann);
    assert_eq!(house.names(get(all).header("cookie", &cookie)).await, hers);
    let junk = house.ask(get(all).bearer("junk")).await;
    junk.problem("unauthenticated");

    house
        .ask(get(TALKS).bearer(&eve))
        .await
        .problem("not-found");
    let theirs = ask(Method::DELETE, TALKS).bearer(&eve);
    house.ask(theirs).await.problem("not-found");
    let recording = house.upload(&eve).await["id"].clone();
    let order = post(&format!(
        "/api/v1/recordings/{}/jobs",
        recording.as_str().unwrap()
    ));
    let order = order.bearer(&eve).json(json!({"preset": "talks"}));
    house.ask(order).await.problem("unknown-preset");
    let speech = house.ask(get("/api/v1/presets/speech")).await.json();
    assert_eq!(speech["built_in"], true);
    assert_eq!(speech["version"], Value::Null);
}

#[tokio::test]
async fn two_who_change_a_preset_do_not_undo_each_other_unseen() {
    let house = House::new().await;
    let token = house.session().await;
    let save = async |name: &'static str, value: &str| {
        let asked = put(TALKS).bearer(&token).json(louder(1));
        house.ask(asked.header(name, value)).await
    };
    let early = save("if-match", "*").await;
    early.problem("precondition-failed");
    let made = save("if-none-match", "*").await;
    assert_eq!(made.status, StatusCode::CREATED);
    save("if-none-match", "*")
        .await
        .problem("precondition-failed");
    assert_eq!(save("if-match", "\"1\"").await.status, StatusCode::OK);
    let late = save("if-match", "\"1\"").await;
    late.problem("precondition-failed");
    assert_eq!(late.header("etag"), Some("\"2\""));
    let known = get(TALKS).bearer(&token).header("if-none-match", "\"2\"");
    assert_eq!(house.ask(known).await.status, StatusCode::NOT_MODIFIED);
    let remove = async |tag: &str| {
        let asked = ask(Method::DELETE, TALKS).bearer(&token);
        house.ask(asked.header("if-match", tag)).await.status
    };
    assert_eq!(remove("\"1\"").await, StatusCode::PRECONDITION_FAILED);
    assert_eq!(remove("\"2\"").await, StatusCode::NO_CONTENT);
    assert_eq!(remove("\"2\"").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_saved_is_refused_with_every_fault() {
    let house = House::with(|config| config.presets_per_owner_max = 1).await;
    let token = house.session().await;
    let wrong = put("/api/v1/presets/My%20talks")
        .bearer(&token)
        .json(json!({
            "summary": "a\nb", "chain": {"steps": [{"plugin": "nowhere"}]}
        }));
    let wrong = house.ask(wrong).await;
    wrong.problem("invalid-field");
    assert_eq!(
        wrong.pointers(),
        ["/name", "/summary", "/chain/steps/0/plugin"]
    );
    for method in [Method::PUT, Method::DELETE] {
        let ours = ask(method, "/api/v1/presets/speech").bearer(&token);
        let problem = house
            .ask(ours.json(louder(1)))
            .await
            .problem("invalid-field");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("\"speech\" is built in"), "{detail}");
    }
    house.save(&token, 1).await;
    let other = put("/api/v1/presets/other").bearer(&token);
    let full = house.ask(other.json(louder(1))).await;
    full.problem("too-many-keys");
    house
        .ask(put(TALKS).json(louder(1)))
        .await
        .problem("unauthenticated");
}
