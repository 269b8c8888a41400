//! Who asks: API keys and their scopes, sessions and their ends, another device by a code.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{ADMIN_KEY, House, ask, get, good_form, post, submission};

impl House {
    async fn key(&self, scopes: Value) -> (String, String) {
        let made = post("/api/v1/keys")
            .bearer(ADMIN_KEY)
            .json(json!({"name": "a key", "scopes": scopes}));
        let made = self.ask(made).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let text = |name: &str| made.json()[name].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    async fn code(&self, token: &str) -> String {
        let made = self.ask(post("/api/v1/session-codes").bearer(token)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.json()["code"].as_str().unwrap().to_owned()
    }

    async fn by_code(&self, code: &str) -> super::house::Answer {
        self.ask(post("/api/v1/sessions").json(json!({"code": code})))
            .await
    }
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_say_and_nothing_else() {
    let house = House::new().await;
    let (_, recordings) = house.key(json!(["recordings"])).await;
    let (_, publish) = house.key(json!(["plugins:publish"])).await;
    let (_, admin) = house.key(json!(["admin"])).await;
    let status = async |key: &str, path: &str| house.ask(get(path).bearer(key)).await.status;
    let (ok, no) = (StatusCode::OK, StatusCode::FORBIDDEN);
    for (path, expected) in [
        ("/api/v1/recordings", [ok, no, no]),
        ("/api/v1/admin", [no, ok, ok]),
        ("/api/v1/keys", [no, no, ok]),
        ("/api/v1/me", [ok, ok, ok]),
    ] {
        for (key, expected) in [&recordings, &publish, &admin].into_iter().zip(expected) {
            assert_eq!(status(key, path).await, expected, "{path}");
        }
    }
    let refused = house.ask(get("/api/v1/keys").bearer(&publish)).await;
    let problem = refused.problem("insufficient-scope");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("plugins:publish") && detail.contains("admin"),
        "{detail}"
    );
    let published = house.ask(submission(b"a plugin").bearer(&publish)).await;
    assert_eq!(published.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn each_key_has_an_owner_of_its_own_unless_it_takes_another_keys_place() {
    let house = House::new().await;
    let (id, first) = house.key(json!(["recordings"])).await;
    let (_, other) = house.key(json!(["recordings"])).await;
    let recording = house.upload(&first).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/recordings/{recording}");
    assert_eq!(
        house.ask(get(&path).bearer(&other)).await.status,
        StatusCode::NOT_FOUND
    );
    let body = json!({"name": "new", "scopes": ["recordings"], "same_owner_as": id});
    let next = house
        .ask(post("/api/v1/keys").bearer(ADMIN_KEY).json(body))
        .await;
    let next = next.json()["key"].as_str().unwrap().to_owned();
    let revoked = ask(Method::DELETE, &format!("/api/v1/keys/{id}")).bearer(ADMIN_KEY);
    let revoked = house.ask(revoked).await;
    assert_eq!(revoked.status, StatusCode::OK);
    assert!(revoked.json()["revoked_at"].is_string());
    let refused = house.ask(get(&path).bearer(&first)).await;
    let problem = refused.problem("unauthenticated");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("was revoked at 20"),
        "{problem}"
    );
    assert_eq!(
        house.ask(get(&path).bearer(&next)).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_keys_secret_is_told_once() {
    let house = House::new().await;
    let (id, secret) = house.key(json!(["recordings", "plugins:publish"])).await;
    let one = house
        .ask(get(&format!("/api/v1/keys/{id}")).bearer(ADMIN_KEY))
        .await;
    let all = house.ask(get("/api/v1/keys").bearer(ADMIN_KEY)).await;
    for answer in [&one, &all] {
        assert!(!String::from_utf8_lossy(&answer.body).contains(&secret[4..]));
    }
    assert_eq!(all.json()["items"], json!([one.json()]));
    assert_eq!(
        one.json()["scopes"],
        json!(["recordings", "plugins:publish"])
    );
    assert_eq!(one.json()["last_used_at"], Value::Null);
    house.ask(get("/api/v1/recordings").bearer(&secret)).await;
    let used = house
        .ask(get(&format!("/api/v1/keys/{id}")).bearer(ADMIN_KEY))
        .await;
    assert!(used.json()["last_used_at"].is_string());
    let me = house.ask(get("/api/v1/me").bearer(&secret)).await;
    assert_eq!(me.json()["api_key"]["id"], json!(id));
}

#[tokio::test]
async fn what_is_wrong_with_a_key_to_be_made_is_told_at_once() {
    let house = House::with(|config| config.api_keys_max = 1).await;
    let make = async |body: Value| {
        house
            .ask(post("/api/v1/keys").bearer(ADMIN_KEY).json(body))
            .await
    };
    let answer = make(json!({
        "name": "a\nb", "scopes": ["recordings", "everything"], "expires_in_s": 5,
        "same_owner_as": "nobody",
    }))
    .await;
    answer.problem("invalid-field");
    let wrong = ["/name", "/scopes", "/expires_in_s", "/same_owner_as"];
    assert_eq!(answer.pointers(), wrong);
    assert_eq!(make(json!({"name": "a"})).await.pointers(), ["/scopes"]);
    make(json!({"name": "a", "scopes": ["all"], "more": 1}))
        .await
        .problem("invalid-field");
    house.key(json!(["recordings"])).await;
    let full = make(json!({"name": "b", "scopes": ["recordings"]})).await;
    full.problem("too-many-keys");
    for (key, kind) in [
        ("rtk_short", "unauthenticated"),
        (&format!("rtk_{}", "A".repeat(49)), "unauthenticated"),
    ] {
        let answer = house.ask(get("/api/v1/me").bearer(key)).await;
        answer.problem(kind);
    }
}

#[tokio::test]
async fn whoever_asks_is_told_how_much_is_taken() {
    let house = House::with(|config| config.upload_bytes_max = 12_345).await;
    let limits = house.ask(get("/api/v1/limits")).await;
    assert_eq!(limits.json()["upload_bytes_max"], 12_345);
    assert_eq!(
        limits.json()["chain_steps_max"],
        house.app.config.chain_steps_max
    );
}

#[tokio::test]
async fn a_key_that_expired_opens_nothing() {
    let house = House::new().await;
    let body = json!({"name": "short", "scopes": ["recordings"], "expires_in_s": 60});
    let made = house
        .ask(post("/api/v1/keys").bearer(ADMIN_KEY).json(body))
        .await
        .json();
    let at = |name: &str| {
        made[name]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    assert_eq!(
        at("expires_at").duration_since(at("created_at")).as_secs(),
        60
    );
    let id = made["id"].as_str().unwrap().parse().unwrap();
    let key = house.store.api_key_by_id(id).await.unwrap().unwrap();
    assert!(key.opens(at("created_at")) && !key.opens(at("expires_at")));
}

#[tokio::test]
async fn logging_out_ends_the_session_and_takes_the_cookie_away() {
    let house = House::new().await;
    let token = house.session().await;
    house.upload(&token).await;
    let out = ask(Method::DELETE, "/api/v1/sessions/current").bearer(&token);
    let out = house.ask(out).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    let cookie = out.header("set-cookie").unwrap();
    assert!(
        cookie.contains("=; ") && cookie.contains("Max-Age=0"),
        "{cookie}"
    );
    house
        .ask(get("/api/v1/recordings").bearer(&token))
        .await
        .problem("unauthenticated");
}

#[tokio::test]
async fn a_code_moves_a_session_to_another_device_once() {
    let house = House::new().await;
    let token = house.session().await;
    let id = house.upload(&token).await["id"].clone();
    let code = house.code(&token).await;
    house.by_code("00000-00000").await.problem("invalid-field");
    let second = house.by_code(&code.to_lowercase()).await;
    assert_eq!(second.status, StatusCode::CREATED);
    let second = second.json()["token"].as_str().unwrap().to_owned();
    let listed = house
        .ask(get("/api/v1/recordings").bearer(&second))
        .await
        .json();
    assert_eq!(listed["items"][0]["id"], id);
    house.by_code(&code).await.problem("invalid-field");

    let sessions = house
        .ask(get("/api/v1/sessions").bearer(&token))
        .await
        .json();
    let items = sessions["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let other = items.iter().find(|item| item["current"] == false).unwrap();
    let path = format!("/api/v1/sessions/{}", other["id"].as_str().unwrap());
    let stranger = house.session().await;
    let not_mine = ask(Method::DELETE, &path).bearer(&stranger);
    house.ask(not_mine).await.problem("not-found");
    let ended = house.ask(ask(Method::DELETE, &path).bearer(&token)).await;
    assert_eq!(
        (ended.status, ended.header("set-cookie")),
        (StatusCode::NO_CONTENT, None)
    );
    house
        .ask(get("/api/v1/me").bearer(&second))
        .await
        .problem("unauthenticated");
    let me = house.ask(get("/api/v1/me").bearer(&token)).await.json();
    assert_eq!(me["session"]["current"], true);
}

#[tokio::test]
async fn codes_cannot_be_tried_fast_and_sessions_are_few() {
    let house = House::with(|config| {
        config.sessions_per_minute_max = 3;
        config.sessions_per_owner_max = 2;
    })
    .await;
    let token = house.session().await;
    let try_one = post("/api/v1/sessions").json(json!({"code": "AAAAA-AAAAA"}));
    let mut tries = Vec::new();
    for _ in 0..5 {
        let body = json!({"code": "AAAAA-AAAAA"});
        let answer = house
            .ask_from("192.0.2.1:5", post("/api/v1/sessions").json(body))
            .await;
        tries.push(answer.status.as_u16());
    }
    assert_eq!(tries, [422, 422, 422, 429, 429]);
    drop(try_one);
    let code = house.code(&token).await;
    assert_eq!(house.by_code(&code).await.status, StatusCode::CREATED);
    let full = house
        .ask(post("/api/v1/session-codes").bearer(&token))
        .await;
    full.problem("too-many-keys");
}

#[tokio::test]
async fn a_key_has_no_sessions_and_a_cookie_makes_no_keys() {
    let house = House::new().await;
    let (_, key) = house.key(json!(["recordings", "admin"])).await;
    for path in ["/api/v1/session-codes"] {
        house
            .ask(post(path).bearer(&key))
            .await
            .problem("insufficient-scope");
    }
    let token = house.session().await;
    for credential in [
        post("/api/v1/keys").bearer(&token),
        post("/api/v1/keys").header("cookie", &house.cookie(&token)),
    ] {
        let asked = credential.json(json!({"name": "a", "scopes": ["recordings"]}));
        house.ask(asked).await.problem("admin-key-needed");
    }
    let uploaded = post("/api/v1/recordings").bearer(&key).form(&good_form());
    assert_eq!(house.ask(uploaded).await.status, StatusCode::ACCEPTED);
}
