//! Webhooks and callbacks: whose they are, what their receivers hear, and how often.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::{
    house::{Answer, House, ask, form_with, get, post},
    receiver::{Heard, Receiver, status},
};
use crate::api::News;

impl House {
    async fn hooked() -> Self {
        Self::with(|config| {
            config.webhooks.poll_ms = 5;
            config.webhooks.pauses_ms = vec![1, 1];
        })
        .await
    }

    async fn hook(&self, token: &str, body: Value) -> Answer {
        self.ask(post("/api/v1/webhooks").bearer(token).json(body))
            .await
    }

    /// One of each that an address may name: a webhook and its delivery, and a job and what its callback heard.
    pub async fn told(&self, token: &str) -> [String; 4] {
        let nobody = "http://127.0.0.2:1/";
        let (path, _) = self.subscribe(token, nobody, json!(["job.failed"])).await;
        self.ask(post(&format!("{path}/ping")).bearer(token)).await;
        let ping = self.ended(token, &format!("{path}/deliveries")).await;
        self.ask(post("/api/v1/callback-secret").bearer(token))
            .await;
        let form = form_with("callback_url", Some(nobody.as_bytes()));
        let accepted = self
            .ask(post("/api/v1/recordings").bearer(token).form(&form))
            .await
            .json();
        let job = accepted["job"]["id"].as_str().unwrap().to_owned();
        self.ask(post(&format!("/api/v1/jobs/{job}/cancel")).bearer(token))
            .await;
        let list = format!("/api/v1/jobs/{job}/callbacks");
        let log = self.ask(get(&list).bearer(token)).await.json();
        let id = |delivery: &Value| delivery["id"].as_str().unwrap().to_owned();
        let webhook = path.rsplit('/').next().unwrap().to_owned();
        [webhook, id(&ping), job, id(&log["items"][0])]
    }

    /// A webhook's address here, and its secret.
    async fn subscribe(&self, token: &str, url: &str, events: Value) -> (String, String) {
        let made = self
            .hook(token, json!({"url": url, "events": events}))
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let text = |name: &str| made.json()[name].as_str().unwrap().to_owned();
        (format!("/api/v1/webhooks/{}", text("id")), text("secret"))
    }

    /// The newest delivery, once it has ended.
    async fn ended(&self, token: &str, list: &str) -> Value {
        for _ in 0..2_000 {
            let log = self.ask(get(list).bearer(token)).await.json();
            let newest = &log["items"][0];
            if newest["status"].as_str().is_some_and(|it| it != "waiting") {
                return newest.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("no delivery ended");
    }
}

fn verify(heard: &Heard, secret: &str) -> bool {
    let webhook = Webhook::new(secret).unwrap();
    webhook.verify(&heard.body, &heard.headers).is_ok()
}

fn body(heard: &Heard) -> Value {
    serde_json::from_slice(&heard.body).unwrap()
}

#[tokio::test]
async fn a_webhook_is_made_seen_changed_and_removed_by_its_owner_alone() {
    let house = House::hooked().await;
    let (ann, bob) = (house.session().await, house.session().await);
    let made = house
        .hook(
            &ann,
            json!({"url": "https://hooks.example/s3cret?k=1", "description": "mine"}),
        )
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let made = made.json();
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(
        made["events"].as_array().unwrap().len(),
        10,
        "all but progress"
    );
    let path = format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap());

    let seen = house.ask(get(&path).bearer(&ann)).await.json();
    assert_eq!(seen["secret"], Value::Null, "shown once");
    assert_eq!(seen["url"], "https://hooks.example/s3cret?k=1");
    let all = house.ask(get("/api/v1/webhooks").bearer(&ann)).await.json();
    assert_eq!(all["items"], json!([seen]));
    let none = house.ask(get("/api/v1/webhooks").bearer(&bob)).await.json();
    assert_eq!(none["items"], json!([]));

    let change = json!({"events": ["job.failed"], "enabled": false});
    let changed = ask(Method::PATCH, &path).bearer(&ann).json(change.clone());
    let changed = house.ask(changed).await.json();
    assert_eq!(changed["events"], json!(["job.failed"]));
    assert_eq!(
        (&changed["enabled"], &changed["disabled"]["why"]),
        (&json!(false), &json!("owner"))
    );
    assert_eq!(changed["description"], "mine");

    let id = "0192f0c1-2222-7333-8444-555566667777";
    for (method, below) in [
        (Method::GET, String::new()),
        (Method::PATCH, String::new()),
        (Method::DELETE, String::new()),
        (Method::POST, "/secret".to_owned()),
        (Method::POST, "/ping".to_owned()),
        (Method::GET, "/deliveries".to_owned()),
        (Method::GET, format!("/deliveries/{id}")),
        (Method::POST, format!("/deliveries/{id}/replay")),
    ] {
        let asked = ask(method.clone(), &format!("{path}{below}")).bearer(&bob);
        let asked = match method {
            Method::PATCH => asked.json(change.clone()),
            _ => asked,
        };
        house.ask(asked).await.problem("not-found");
    }
    let removed = house.ask(ask(Method::DELETE, &path).bearer(&ann)).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    house
        .ask(get(&path).bearer(&ann))
        .await
        .problem("not-found");
}

#[tokio::test]
async fn what_cannot_be_sent_to_is_refused_with_the_field_and_without_its_secrets() {
    let house = House::with(|config| config.webhooks.per_owner_max = 1).await;
    let ann = house.session().await;
    for (url, told) in [
        (
            "http://127.0.0.1/s3cret",
            "127.0.0.1 leads to an address that is loopback",
        ),
        ("http://0x7f.1/s3cret", "is loopback"),
        ("https://169.254.169.254/s3cret", "link-local or metadata"),
        ("https://localhost/s3cret", "a name of this machine"),
        (
            "https://u:s3cret@example.org/",
            "holds a user or a password",
        ),
        (
            "ftp://example.org/s3cret",
            "its scheme is \"ftp\"; it must be https or http",
        ),
        (
            "https://example.org:22/s3cret",
            "its port is 22; it must be 80, 443",
        ),
        ("s3cret", "it is no address"),
    ] {
        let refused = house.hook(&ann, json!({"url": url})).await;
        let problem = refused.problem("address-refused");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("url is ") && detail.contains(told),
            "{detail}"
        );
        assert!(!detail.contains("s3cret"), "{detail}");
        assert_eq!(problem["errors"][0]["pointer"], "/url");
    }
    for (wrong, pointer) in [
        (json!({}), "/url"),
        (json!({"url": "https://a.example", "events": []}), "/events"),
        (
            json!({"url": "https://a.example", "events": ["job.progress"]}),
            "/events",
        ),
        (
            json!({"url": "https://a.example", "events": ["job.failed", "job.failed"]}),
            "/events",
        ),
        (
            json!({"url": "https://a.example", "description": "a\nb"}),
            "/description",
        ),
    ] {
        let refused = house.hook(&ann, wrong).await;
        let problem = refused.problem("invalid-field");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let one = json!({"url": "https://a.example"});
    assert_eq!(
        house.hook(&ann, one.clone()).await.status,
        StatusCode::CREATED
    );
    let full = house.hook(&ann, one.clone()).await;
    let full = full.problem("too-many-webhooks");
    assert!(
        full["detail"]
            .as_str()
            .unwrap()
            .starts_with("there are 1 webhooks")
    );
    let bob = house.session().await;
    assert_eq!(house.hook(&bob, one).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_receiver_hears_what_the_event_stream_tells_signed_by_its_secret() {
    let house = House::hooked().await;
    let ann = house.session().await;
    let receiver = Receiver::answering(&[&status(204)]).await;
    let url = format!("{}/hook?key=1", receiver.url);
    let (path, secret) = house.subscribe(&ann, &url, json!(["job.queued"])).await;
    let accepted = house.upload(&ann).await;
    let heard = receiver.hears(1).await.remove(0);
    assert_eq!(heard.path, "/hook?key=1");
    assert!(verify(&heard, &secret));
    assert!(!verify(&heard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    let mut forged = heard.clone();
    forged.body[10] ^= 1;
    assert!(!verify(&forged, &secret));
    let told = body(&heard);
    assert_eq!(told["type"], "job.queued");
    assert!(told["timestamp"].is_string());
    let owner = house.owner(&ann).await;
    let events = house
        .store
        .events(owner, Default::default(), 9)
        .await
        .unwrap();
    let streamed = serde_json::to_value(News::new("", &events[0])).unwrap();
    assert_eq!(told["data"], streamed);

    let delivery = house.ended(&ann, &format!("{path}/deliveries")).await;
    assert_eq!(
        delivery["id"],
        heard.headers["webhook-id"].to_str().unwrap()
    );
    assert_eq!(delivery["status"], "delivered");
    assert_eq!(delivery["event_id"], accepted["event_id"]);
    assert_eq!(delivery["attempts"][0]["status"], 204);
    let seen = house.ask(get(&path).bearer(&ann)).await.json();
    assert!(seen["last_delivered_at"].is_string());
    assert_eq!(receiver.heard().len(), 1);
}

#[tokio::test]
async fn who_fails_is_asked_again_under_the_same_id_and_then_no_more() {
    let house = House::hooked().await;
    let ann = house.session().await;
    let elsewhere = Receiver::answering(&[&status(204)]).await;
    let moved = format!(
        "302 X\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        elsewhere.url
    );
    let receiver = Receiver::answering(&[&status(500), &moved, &status(204)]).await;
    let (path, _) = house
        .subscribe(&ann, &receiver.url, json!(["job.queued"]))
        .await;
    house.upload(&ann).await;
    let delivery = house.ended(&ann, &format!("{path}/deliveries")).await;
    assert_eq!(delivery["status"], "delivered", "{delivery}");
    let heard = receiver.heard();
    assert_eq!(heard.len(), 3);
    assert!(
        heard
            .iter()
            .all(|it| it.headers["webhook-id"] == heard[0].headers["webhook-id"])
    );
    assert!(heard.iter().all(|it| it.body == heard[0].body));
    assert_eq!(elsewhere.heard().len(), 0, "redirects are not followed");

    let broken = Receiver::answering(&[&status(400)]).await;
    let (path, _) = house
        .subscribe(&ann, &broken.url, json!(["job.queued"]))
        .await;
    house.upload(&ann).await;
    let delivery = house.ended(&ann, &format!("{path}/deliveries")).await;
    assert_eq!(
        (
            &delivery["status"],
            delivery["attempts"].as_array().unwrap().len()
        ),
        (&json!("failed"), 3)
    );
    let seen = house.ask(get(&path).bearer(&ann)).await.json();
    assert_eq!(seen["disabled"]["why"], "failing", "{seen}");

    let gone = Receiver::answering(&[&status(410)]).await;
    let (path, _) = house
        .subscribe(&ann, &gone.url, json!(["job.queued"]))
        .await;
    house.upload(&ann).await;
    house.ended(&ann, &format!("{path}/deliveries")).await;
    let seen = house.ask(get(&path).bearer(&ann)).await.json();
    assert_eq!(seen["disabled"]["why"], "gone", "{seen}");
    house.upload(&ann).await;
    assert_eq!((broken.heard().len(), gone.heard().len()), (3, 1));
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_told_of_in_the_log() {
    let house = House::hooked().await;
    let ann = house.session().await;
    let url = "http://127.0.0.2:1/s3cret";
    let wrong = house
        .hook(&ann, json!({"url": "http://127.0.0.3:9999/"}))
        .await;
    wrong.problem("address-refused");
    let (path, _) = house.subscribe(&ann, url, json!(["job.queued"])).await;
    let ping = house.ask(post(&format!("{path}/ping")).bearer(&ann)).await;
    assert_eq!(ping.status, StatusCode::ACCEPTED, "{ping:?}");
    let delivery = house.ended(&ann, &format!("{path}/deliveries")).await;
    assert_eq!(
        (&delivery["type"], &delivery["status"]),
        (&json!("ping"), &json!("failed"))
    );
    let error = delivery["attempts"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("no connection could be made"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_changed_secret_signs_beside_the_one_before() {
    let house = House::hooked().await;
    let ann = house.session().await;
    let receiver = Receiver::answering(&[&status(204)]).await;
    let (path, first) = house
        .subscribe(&ann, &receiver.url, json!(["job.queued"]))
        .await;
    let rotated = house
        .ask(post(&format!("{path}/secret")).bearer(&ann))
        .await;
    let rotated = rotated.json();
    let second = rotated["secret"].as_str().unwrap();
    assert!(rotated["previous_secret_until"].is_string());
    house.ask(post(&format!("{path}/ping")).bearer(&ann)).await;
    let heard = receiver.hears(1).await.remove(0);
    assert!(verify(&heard, &first) && verify(&heard, second));
    assert_eq!(body(&heard)["type"], "ping");
    assert!(path.ends_with(body(&heard)["data"]["webhook_id"].as_str().unwrap()));
}

#[tokio::test]
async fn a_delivery_is_replayed_when_asked_for_and_pages_follow() {
    let house = House::hooked().await;
    let ann = house.session().await;
    let receiver = Receiver::answering(&[&status(204)]).await;
    let (path, _) = house
        .subscribe(&ann, &receiver.url, json!(["job.queued"]))
        .await;
    house.upload(&ann).await;
    let list = format!("{path}/deliveries");
    let delivery = house.ended(&ann, &list).await;
    let one = format!("{list}/{}", delivery["id"].as_str().unwrap());
    let again = house.ask(post(&format!("{one}/replay")).bearer(&ann)).await;
    assert_eq!(
        (again.status, &again.json()["status"]),
        (StatusCode::ACCEPTED, &json!("waiting"))
    );
    let heard = receiver.hears(2).await;
    assert_eq!(
        heard[0].headers["webhook-id"],
        heard[1].headers["webhook-id"]
    );
    house.ended(&ann, &list).await;
    let seen = house.ask(get(&one).bearer(&ann)).await.json();
    assert_eq!(seen["attempts"].as_array().unwrap().len(), 2);
    for _ in 0..50 {
        house.ask(post(&format!("{path}/ping")).bearer(&ann)).await;
    }
    let page = house.ask(get(&list).bearer(&ann)).await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 50);
    let token = page["next_page_token"].as_str().unwrap();
    let next = house
        .ask(get(&format!("{list}?page_token={token}")).bearer(&ann))
        .await;
    assert_eq!(next.json()["items"].as_array().unwrap().len(), 1);
    house
        .ask(get(&format!("{list}?limit=5")).bearer(&ann))
        .await
        .problem("invalid-field");
}

#[tokio::test]
async fn a_jobs_own_address_hears_of_its_end_signed_by_the_owners_secret() {
    let house = House::hooked().await;
    let ann = house.session().await;
    let receiver = Receiver::answering(&[&status(204)]).await;
    let url = format!("{}/done", receiver.url);
    let form = form_with("callback_url", Some(url.as_bytes()));
    let unsigned = post("/api/v1/recordings").bearer(&ann).form(&form);
    let problem = house.ask(unsigned).await.problem("invalid-field");
    assert_eq!(problem["errors"][0]["pointer"], "/callback_url");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("POST /api/v1/callback-secret")
    );
    let secret = house
        .ask(post("/api/v1/callback-secret").bearer(&ann))
        .await;
    assert_eq!(secret.status, StatusCode::CREATED);
    let secret = secret.json()["secret"].as_str().unwrap().to_owned();

    let accepted = house
        .ask(post("/api/v1/recordings").bearer(&ann).form(&form))
        .await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
    let accepted = accepted.json();
    let recording = accepted["id"].as_str().unwrap();
    let job = accepted["job"]["id"].as_str().unwrap();
    let cancel = post(&format!("/api/v1/jobs/{job}/cancel")).bearer(&ann);
    assert_eq!(house.ask(cancel).await.status, StatusCode::ACCEPTED);
    let heard = receiver.hears(1).await.remove(0);
    assert!(heard.path == "/done" && verify(&heard, &secret));
    assert_eq!(body(&heard)["type"], "job.cancelled");
    let list = format!("/api/v1/jobs/{job}/callbacks");
    let delivery = house.ended(&ann, &list).await;
    let replay = format!("{list}/{}/replay", delivery["id"].as_str().unwrap());
    assert_eq!(
        house.ask(post(&replay).bearer(&ann)).await.status,
        StatusCode::ACCEPTED
    );
    receiver.hears(2).await;
    let bob = house.session().await;
    house
        .ask(get(&list).bearer(&bob))
        .await
        .problem("not-found");
    house
        .ask(post(&replay).bearer(&bob))
        .await
        .problem("not-found");

    let more = format!("/api/v1/recordings/{recording}/jobs");
    let chain = json!({"steps": [{"plugin": "gain"}]});
    let order = json!({"chain": chain, "callback_url": "http://10.0.0.1/s3cret", "format": "x"});
    let refused = house.ask(post(&more).bearer(&ann).json(order)).await;
    let problem = refused.problem("address-refused");
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["pointer"].clone())
        .collect();
    assert_eq!(pointers, ["/callback_url", "/format"]);
    let order = json!({"chain": chain, "callback_url": url});
    let second = house.ask(post(&more).bearer(&ann).json(order)).await;
    assert_eq!(second.status, StatusCode::ACCEPTED, "{second:?}");
    // The address may be a secret between its owner and the receiver.
    let shown = house
        .ask(get(&format!("/api/v1/recordings/{recording}")).bearer(&ann))
        .await;
    assert!(!String::from_utf8_lossy(&shown.body).contains("/done"));
}
