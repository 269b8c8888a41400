//! Who may ask what, and how every wrong question is answered.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::json;

use super::house::{Ask, HOST, House, ask, form_with, get, good_form, post};
use crate::routes::{self, Table};

const OPEN: [&str; 13] = [
    "/api/v1/sessions",
    "/api/v1/plugins",
    "/api/v1/plugins/{plugin}",
    "/api/v1/plugins/{plugin}/versions/{version}",
    "/api/v1/presets",
    "/api/v1/externals",
    "/api/v1/openapi.json",
    "/api/v1/version",
    "/api/v1/limits",
    "/problems/{kind}",
    "/healthz",
    "/readyz",
    "/metrics",
];

/// No session opens these.
const ADMIN: [(Method, &str); 8] = [
    (Method::POST, "/api/v1/plugins"),
    (
        Method::DELETE,
        "/api/v1/plugins/{plugin}/versions/{version}",
    ),
    (Method::GET, "/api/v1/plugin-submissions/{submission}"),
    (Method::GET, "/api/v1/admin"),
    (Method::POST, "/api/v1/keys"),
    (Method::GET, "/api/v1/keys"),
    (Method::GET, "/api/v1/keys/{key}"),
    (Method::DELETE, "/api/v1/keys/{key}"),
];

fn table(house: &House) -> Arc<Table> {
    routes::all(&house.app).1
}

#[tokio::test]
async fn without_a_session_every_private_address_answers_401() {
    let house = House::new().await;
    let (mut asked, mut open, mut shared) = (0, 0, 0);
    for (method, template) in table(&house).entries() {
        let is_admin = ADMIN.contains(&(method.clone(), template));
        // What a protocol can do here is no secret.
        if method == Method::OPTIONS {
            continue;
        }
        // Opening a session needs none; seeing them does.
        let mine = template == "/api/v1/sessions" && method != Method::POST;
        if !is_admin && !mine && OPEN.contains(&template) {
            open += 1;
            continue;
        }
        if template.starts_with("/api/v1/shared/{token}") {
            // Who has a link needs no session, and learns nothing by having one.
            house.ask(ask(method, template)).await.problem("not-found");
            shared += 1;
            continue;
        }
        let path = template.replace("{id}", "0192f0c1-2222-7333-8444-555566667777");
        let bad_token = format!("rt_{}", "A".repeat(43));
        for question in [
            ask(method.clone(), &path),
            ask(method.clone(), &path).bearer("junk"),
            ask(method.clone(), &path).bearer(&bad_token),
            ask(method.clone(), &path).header("authorization", "Basic YTpi"),
            ask(method.clone(), &path).header("cookie", &house.cookie(&bad_token)),
        ] {
            let answer = house.ask(question).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            answer.problem(if is_admin {
                "admin-key-needed"
            } else {
                "unauthenticated"
            });
            assert!(
                answer
                    .header("www-authenticate")
                    .unwrap()
                    .starts_with("Bearer")
            );
        }
        asked += 1;
    }
    assert_eq!((asked, open, shared), (57, OPEN.len(), 9));
}

#[tokio::test]
async fn what_is_anothers_answers_exactly_as_what_does_not_exist() {
    let house = House::new().await;
    let (ann, eve) = (house.session().await, house.session().await);
    let made = house.upload(&ann).await;
    let (recording, job) = (
        made["id"].as_str().unwrap(),
        made["job"]["id"].as_str().unwrap(),
    );
    house.complete(job, b"corrected").await;
    let nobody = "0192f0c1-2222-7333-8444-555566667777";
    let mut asked = 0;
    for (method, template) in table(&house).entries() {
        let theirs = if template.contains("/recordings/{id}") {
            recording
        } else {
            job
        };
        if !template.contains("{id}") {
            continue;
        }
        let answer = async |id: &str| {
            let path = template.replace("{id}", id).replace("{index}", "0");
            let question = ask(method.clone(), &path)
                .bearer(&eve)
                .header("x-request-id", "same");
            house
                .ask(question.json(json!({"preset": "nonsense"})))
                .await
        };
        let (foreign, missing) = (answer(theirs).await, answer(nobody).await);
        foreign.problem("not-found");
        assert_eq!(foreign.body, missing.body, "{method} {template}");
        assert_eq!(foreign.headers, missing.headers, "{method} {template}");
        asked += 1;
        answer("no-id").await.problem("not-found");
    }
    assert_eq!(asked, 33);
    // And it is all still there for whom it belongs to.
    let audio = house
        .ask(get(&format!("/api/v1/jobs/{job}/audio")).bearer(&ann))
        .await;
    assert_eq!(&audio.body[..], b"corrected");
    let list = house.ask(get("/api/v1/recordings").bearer(&eve)).await;
    assert_eq!(list.json()["items"], json!([]));
}

#[tokio::test]
async fn a_wrong_method_answers_405_with_the_right_ones() {
    let house = House::new().await;
    for (path, allowed) in [
        ("/api/v1/recordings", "POST, GET, HEAD"),
        ("/api/v1/recordings/7", "GET, HEAD, PATCH, DELETE"),
        ("/api/v1/sessions", "POST, GET, HEAD"),
        ("/api/v1/session-codes", "POST"),
        ("/healthz", "GET, HEAD"),
        ("/plugins", "GET, HEAD"),
    ] {
        for method in [Method::PUT, Method::PATCH, Method::OPTIONS] {
            if allowed.contains(method.as_str()) {
                continue;
            }
            let answer = house.ask(ask(method, path)).await;
            answer.problem("method-not-allowed");
            assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        }
    }
    house
        .ask(get("/api/v1/session-codes"))
        .await
        .problem("method-not-allowed");
    for path in ["/some/page", "//api", "/health", "/docs"] {
        house.ask(ask(Method::PUT, path)).await.problem("not-found");
    }
}

#[tokio::test]
async fn a_misspelt_api_address_never_answers_with_a_page() {
    let house = House::new().await;
    for path in [
        "/api/nope",
        "/api",
        "/api/v1/",
        "/api/v2/jobs",
        "/healthz/x",
        "/problems/none",
        "//api/v1/jobs",
        "/health",
        "/docs",
    ] {
        house.ask(get(path)).await.problem("not-found");
        let at_a_browser = get(path).header("accept", "text/html,*/*;q=0.8");
        house.ask(at_a_browser).await.problem("not-found");
    }
}

#[tokio::test]
async fn the_page_gets_its_session_as_a_cookie_it_cannot_read() {
    let house = House::new().await;
    let open = || post("/api/v1/sessions").json(json!({"cookie": true}));
    let answer = house.ask(open()).await;
    assert_eq!(
        (answer.status, answer.json()),
        (StatusCode::CREATED, json!({}))
    );
    let set = answer.header("set-cookie").unwrap().to_owned();
    let (cookie, attributes) = set.split_once("; ").unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(attributes.contains(attribute), "{set}");
    }
    assert!(!attributes.contains("Secure"));

    let again = house.ask(open().header("cookie", cookie)).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.header("set-cookie").unwrap().starts_with(cookie));
    let list = house
        .ask(get("/api/v1/recordings").header("cookie", cookie))
        .await;
    assert_eq!(list.status, StatusCode::OK);

    let house = House::with(|config| config.secure_cookies = true).await;
    let answer = house.ask(open().header("cookie", cookie)).await;
    assert_eq!(
        answer.status,
        StatusCode::CREATED,
        "another house's cookie is no session here"
    );
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn another_sites_page_cannot_act_with_our_cookie() {
    let house = House::new().await;
    let token = house.session().await;
    let cookie = house.cookie(&token);
    let upload = || post("/api/v1/recordings").form(&good_form());
    let with_cookie = |ask: Ask| ask.header("cookie", &cookie);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let foreign = with_cookie(upload()).header(name, value);
        house.ask(foreign).await.problem("foreign-origin");
        let session = post("/api/v1/sessions")
            .json(json!({"cookie": true}))
            .header(name, value);
        house.ask(session).await.problem("foreign-origin");
        // A bearer token is not sent by a browser on its own.
        let program = upload().bearer(&token).header(name, value);
        assert_eq!(house.ask(program).await.status, StatusCode::ACCEPTED);
    }
    let own = with_cookie(upload()).header("sec-fetch-site", "same-origin");
    assert_eq!(house.ask(own).await.status, StatusCode::ACCEPTED);
    let own = with_cookie(upload()).header("origin", &format!("http://{HOST}"));
    assert_eq!(house.ask(own).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_request_id_goes_all_the_way_to_the_job() {
    let house = House::new().await;
    let token = house.session().await;
    let upload = post("/api/v1/recordings").bearer(&token).form(&good_form());
    let answer = house.ask(upload.header("x-request-id", "page-42")).await;
    assert_eq!(answer.header("x-request-id"), Some("page-42"));
    assert_eq!(answer.json()["job"]["request_id"], "page-42");
    let made = house.ask(get("/healthz")).await;
    assert_eq!(made.header("x-request-id").unwrap().len(), 32);
}

#[tokio::test]
async fn every_answer_carries_the_safe_headers() {
    let house = House::new().await;
    for path in ["/healthz", "/", "/api/nope", "/api/v1/presets"] {
        let answer = house.ask(get(path)).await;
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert!(
            answer
                .header("content-security-policy")
                .unwrap()
                .contains("frame-ancestors 'none'")
        );
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let house = House::new().await;
    for path in ["/healthz", "/api/v1/presets", "/metrics", "/"] {
        let (got, head) = (
            house.ask(get(path)).await,
            house.ask(ask(Method::HEAD, path)).await,
        );
        assert_eq!(head.status, got.status, "{path}");
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-type"), got.header("content-type"));
        assert_eq!(
            head.header("content-length"),
            Some(got.body.len().to_string().as_str())
        );
    }
}

#[tokio::test]
async fn recordings_are_listed_newest_first_in_pages_without_gap_or_double() {
    let house = House::new().await;
    let token = house.session().await;
    let mut made = Vec::new();
    for _ in 0..53 {
        made.push(
            house.upload(&token).await["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let first = house
        .ask(get("/api/v1/recordings").bearer(&token))
        .await
        .json();
    let next = first["next_page_token"].as_str().unwrap();
    let path = format!("/api/v1/recordings?page_token={next}");
    let second = house.ask(get(&path).bearer(&token)).await.json();
    assert!(second["next_page_token"].is_null());
    let ids = |page: &serde_json::Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let listed = [ids(&first), ids(&second)].concat();
    made.reverse();
    assert_eq!(listed, made);
    let bad = house
        .ask(get("/api/v1/recordings?page_token=junk").bearer(&token))
        .await;
    bad.problem("invalid-field");
    assert_eq!(bad.pointers(), ["/page_token"]);
}

#[tokio::test]
async fn another_job_can_be_ordered_for_a_recording() {
    let house = House::new().await;
    let token = house.session().await;
    let recording = house.upload(&token).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/recordings/{recording}/jobs");
    let order = |body| post(&path).bearer(&token).json(body);
    let chain = json!({"steps": [{"plugin": "gain", "params": {"gain-db": 3.0}}]});
    let answer = house
        .ask(order(json!({"chain": chain, "format": "wav"})))
        .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let job = &answer.json()["job"];
    assert_eq!(
        (&job["status"], &job["format"]),
        (&json!("queued"), &json!("wav"))
    );
    let location = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(location.as_str()));
    let got = house.ask(get(&location).bearer(&token)).await.json();
    assert_eq!(got["recording_id"], recording);
    let both = house
        .ask(get(&format!("/api/v1/recordings/{recording}")).bearer(&token))
        .await;
    assert_eq!(both.json()["jobs"].as_array().unwrap().len(), 2);

    for (body, slug, pointers) in [
        (
            json!({"preset": "nope"}),
            "unknown-preset",
            &["/preset"][..],
        ),
        (
            json!({"preset": "speech", "chain": chain}),
            "invalid-field",
            &["/chain"],
        ),
        (
            json!({"chain": {"steps": []}}),
            "invalid-chain",
            &["/chain/steps"],
        ),
        (
            json!({"chain": chain, "format": "mp4"}),
            "invalid-field",
            &["/format"],
        ),
        (
            json!({"chain": chain, "track": 0}),
            "invalid-field",
            &["/track"],
        ),
        (
            json!({"chain": chain, "track": "two"}),
            "invalid-field",
            &["/track"],
        ),
        (
            json!({"chain": chain, "track": 1.5, "format": "mp4"}),
            "invalid-field",
            &["/format", "/track"],
        ),
        (
            json!({"chain": {"steps": [{"plugin": "gain", "params": {"gain-db": 99}}]}, "format": "x"}),
            "invalid-field",
            &["/format", "/chain/steps/0/params/gain-db"],
        ),
    ] {
        let answer = house.ask(order(body)).await;
        answer.problem(slug);
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.pointers(), pointers);
    }
    // What is to be done need not be said: auto is meant, whose two plugins are not in this house.
    let unsaid = house.ask(order(json!({}))).await;
    unsaid.problem("invalid-chain");
    assert_eq!(
        unsaid.pointers(),
        ["/preset/steps/0/plugin", "/preset/steps/1/plugin"]
    );
    assert!(unsaid.json().to_string().contains("org.retake.diagnose"));
    let second = house.ask(order(json!({"chain": chain, "track": 2}))).await;
    assert_eq!(second.json()["job"]["track"], 2);
    house
        .ask(order(json!({"presett": "x"})))
        .await
        .problem("invalid-field");
    house
        .ask(post(&path).bearer(&token).json(json!(0)).bytes("{"))
        .await
        .problem("invalid-request");
    let plain = post(&path)
        .bearer(&token)
        .header("content-type", "text/plain")
        .bytes("{}");
    house.ask(plain).await.problem("invalid-request");
    let long = house
        .ask(order(json!({"preset": "x".repeat(100_000)})))
        .await;
    assert!(
        long.problem("too-large")["detail"]
            .as_str()
            .unwrap()
            .contains("65536")
    );
}

#[tokio::test]
async fn a_queued_job_is_cancelled_at_once_and_only_once() {
    let house = House::new().await;
    let token = house.session().await;
    let job = house.upload(&token).await["job"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let cancel = || post(&format!("/api/v1/jobs/{job}/cancel")).bearer(&token);
    let answer = house.ask(cancel()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json()["status"], "cancelled");
    house.ask(cancel()).await.problem("already-ended");
    let audio = house
        .ask(get(&format!("/api/v1/jobs/{job}/audio")).bearer(&token))
        .await;
    assert!(
        audio.problem("not-ready")["detail"]
            .as_str()
            .unwrap()
            .contains("cancelled")
    );
}

#[tokio::test]
async fn a_deleted_recording_leaves_no_bytes_and_no_address() {
    let house = House::new().await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let (recording, job) = (
        made["id"].as_str().unwrap(),
        made["job"]["id"].as_str().unwrap(),
    );
    house.complete(job, b"corrected").await;
    assert_eq!(house.blobs.keys().len(), 5);
    let path = format!("/api/v1/recordings/{recording}");
    let forever = ask(Method::DELETE, &format!("{path}?forever=true")).bearer(&token);
    let gone = house.ask(forever).await;
    assert_eq!((gone.status, gone.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(house.blobs.keys(), []);
    for path in [
        path.clone(),
        format!("{path}/audio"),
        format!("/api/v1/jobs/{job}"),
    ] {
        house
            .ask(get(&path).bearer(&token))
            .await
            .problem("not-found");
    }
    house
        .ask(ask(Method::DELETE, &path).bearer(&token))
        .await
        .problem("not-found");
}

#[tokio::test]
async fn a_completed_job_leads_to_its_audio_and_report() {
    let house = House::new().await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let job = made["job"]["id"].as_str().unwrap();
    let ask_for = async |path: String| house.ask(get(&path).bearer(&token)).await;
    for path in ["audio", "report", "peaks/corrected"] {
        ask_for(format!("/api/v1/jobs/{job}/{path}"))
            .await
            .problem("not-ready");
    }
    house.complete(job, b"corrected").await;

    let view = ask_for(format!("/api/v1/jobs/{job}")).await.json();
    assert_eq!(view["status"], "completed");
    let correction = &view["correction"];
    assert_eq!(correction["audio_url"], format!("/api/v1/jobs/{job}/audio"));
    assert_eq!(correction["size_bytes"], 9);
    assert_eq!(correction["content_type"], "audio/flac");
    assert_eq!(correction["sha256"].as_str().unwrap().len(), 64);
    for link in ["audio", "report", "peaks", "recording", "self"] {
        let answer = ask_for(view["links"][link].as_str().unwrap().to_owned()).await;
        assert_eq!(answer.status, StatusCode::OK, "{link}");
    }
    let report = ask_for(format!("/api/v1/jobs/{job}/report")).await.json();
    assert_eq!(report["output"]["integrated_lufs"], -20.0);
}

#[tokio::test]
async fn plugins_come_with_the_schema_their_parameters_are_checked_by() {
    let house = House::new().await;
    let plugins = house.ask(get("/api/v1/plugins")).await.json();
    let gain = &plugins["items"][0];
    assert_eq!(
        (&gain["id"], &gain["short_name"]),
        (&json!("org.retake.gain"), &json!("gain"))
    );
    assert_eq!(gain["digest"].as_str().unwrap().len(), 64);
    let schema = &gain["params_schema"]["properties"]["gain-db"];
    assert_eq!(
        (&schema["minimum"], &schema["maximum"]),
        (&json!(-60.0), &json!(24.0))
    );
    assert_eq!(gain["params_schema"]["additionalProperties"], false);
    let presets = house.ask(get("/api/v1/presets")).await.json();
    let names: Vec<_> = presets["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["name"])
        .collect();
    assert_eq!(
        names,
        [
            "auto",
            "speech",
            "speech-best",
            "speech-room",
            "music",
            "loudness-only",
            "external"
        ]
    );
}

#[tokio::test]
async fn health_says_alive_ready_and_how_much() {
    let house = House::new().await;
    assert_eq!(house.ask(get("/healthz")).await.status, StatusCode::OK);
    let ready = house.ask(get("/readyz")).await;
    assert_eq!(
        (ready.status, &ready.json()["store"]),
        (StatusCode::OK, &json!("ok"))
    );
    let token = house.session().await;
    house.upload(&token).await;
    let metrics = String::from_utf8(house.ask(get("/metrics")).await.body.to_vec()).unwrap();
    assert!(
        metrics.contains("\nretake_jobs_total{status=\"queued\"} 1\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("\nretake_upload_bytes_total 1000\n"),
        "{metrics}"
    );
    house.stop.cancel();
    let stopping = house.ask(get("/readyz")).await;
    assert_eq!(stopping.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_problems_type_leads_to_its_explanation() {
    let house = House::new().await;
    let token = house.session().await;
    let fields = form_with("user_email", None);
    let upload = post("/api/v1/recordings").bearer(&token).form(&fields);
    let address = house.ask(upload).await.json()["type"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = house.ask(get(&address)).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(
        text.starts_with("## invalid-field\n") && text.matches("## ").count() == 1,
        "{text}"
    );
}
