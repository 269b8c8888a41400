//! The wire as the RFCs have it, against the whole front door.

use http::{Method, Request, StatusCode, Version};
use http_body_util::Full;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{
    house::{Answer, HOST, House, SOON, ask, form, gain, get, good_form, post, wav},
    site::{Site, read_to_end, read_until},
};
use crate::WebApp;

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("nothing")
}

#[tokio::test]
async fn rfc_9112_3_2_hosts_and_targets_over_a_connection() {
    let folder = page();
    let site = Site::open(|config| config.web = WebApp::Folder(folder.path().to_owned())).await;
    for (request, expected) in [
        ("GET /healthz HTTP/1.1\r\nhost: a\r\n", "200"),
        ("GET /healthz HTTP/1.0\r\n", "200"),
        ("GET /healthz HTTP/1.1\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nhost: a\r\nhost: a\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nhost: a b\r\n", "400"),
        ("GET /healthz HTTP/1.0\r\nhost: a\r\nhost: b\r\n", "400"),
        ("GET http://b/healthz HTTP/1.1\r\nhost: a\r\n", "200"),
        ("GET http://b HTTP/1.1\r\nhost: a\r\n", "200"),
        ("GET ftp://b/healthz HTTP/1.1\r\nhost: a\r\n", "400"),
        ("CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n", "405"),
        ("CONNECT x:1 HTTP/1.1\r\n", "400"),
        ("OPTIONS * HTTP/1.1\r\nhost: a\r\n", "405"),
        ("OPTIONS /healthz HTTP/1.1\r\nhost: a\r\n", "405"),
        ("GET * HTTP/1.1\r\nhost: a\r\n", "400"),
        ("GET x:1 HTTP/1.1\r\nhost: a\r\n", "400"),
        ("BREW /healthz HTTP/1.1\r\nhost: a\r\n", "405"),
        ("BREW /coffee HTTP/1.1\r\nhost: a\r\n", "404"),
        ("TRACE /healthz HTTP/1.1\r\nhost: a\r\n", "405"),
    ] {
        let answer = site
            .say(format!("{request}connection: close\r\n\r\n"))
            .await;
        assert_eq!(status(&answer), expected, "{request}{answer}");
        if expected == "405" {
            assert!(answer.contains("\r\nallow: "), "{request}{answer}");
        }
        assert_eq!(
            answer.contains("application/problem+json"),
            matches!(expected, "400" | "404" | "405"),
            "{request}{answer}"
        );
    }
}

#[tokio::test]
async fn rfc_9112_9_6_a_client_that_has_closed_its_side_gets_its_answer() {
    let site = Site::open(|_| {}).await;
    site.memory.store.put_plugin(&gain(), 5).await.unwrap();
    let token = site.token().await;
    let body = form(&good_form());
    let mut upload = Site::upload_head(&token, body.len()).into_bytes();
    upload.extend_from_slice(&body);
    let get = |path: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    };
    for (request, expected) in [
        (get("/healthz"), "200"),
        (get("/api/v1/recordings"), "200"),
        (get("/nothing"), "404"),
        (upload, "202"),
    ] {
        let mut stream = site.connect().await;
        stream.write_all(&request).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert_eq!(status(&answer), expected, "{answer}");
        assert!(answer.ends_with('}'), "the whole of it: {answer}");
    }
}

#[tokio::test]
async fn rfc_9112_9_6_what_was_endless_before_does_not_cut_the_next_answer() {
    let site = Site::open(|_| {}).await;
    site.memory.store.put_plugin(&gain(), 5).await.unwrap();
    let token = site.token().await;
    let body = form(&good_form());
    let mut upload = Site::upload_head(&token, body.len()).into_bytes();
    upload.extend_from_slice(&body);
    let head = Site::events(&token).replace("GET ", "HEAD ");
    let mut stream = site.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "\r\n\r\n").await;
    assert_eq!(status(&answer), "200", "{answer}");
    stream.write_all(&upload).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert_eq!(status(&answer), "202", "{answer}");
}

#[tokio::test]
async fn rfc_9112_9_6_an_endless_answer_ends_with_its_client() {
    // Neither a keep-alive nor a failing write tells within this test.
    let site = Site::open(|config| {
        config.streams_per_owner_max = 1;
        config.keep_alive_ms = 3_600_000;
    })
    .await;
    let token = site.token().await;
    let direct = Site::events(&token);
    // A body, if an empty one: hyper's.
    let within = direct.replace("\r\n\r\n", "\r\ncontent-length: 0\r\n\r\n");
    for request in [&direct, &within] {
        let mut stream = site.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        read_until(&mut stream, "retry: ").await;
        let ask_again = async || {
            let mut stream = site.connect().await;
            stream.write_all(request.as_bytes()).await.unwrap();
            let answer = read_until(&mut stream, "\r\n\r\n").await;
            status(&answer).to_owned()
        };
        assert_eq!(ask_again().await, "429");
        stream.shutdown().await.unwrap();
        let freed = async { while ask_again().await != "200" {} };
        tokio::time::timeout(SOON, freed)
            .await
            .expect("the place is free again");
        // The one that was let in is gone as well before the next begins.
        while site.metric("retake_event_streams ").await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

/// A folder with a start page and one for what is not there.
fn page() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("index.html"),
        "<a href=\"/\">home</a><script src=\"/_next/a.js\"></script>",
    )
    .unwrap();
    std::fs::write(folder.path().join("404.html"), "<h1>no page</h1>").unwrap();
    std::fs::create_dir(folder.path().join("_next")).unwrap();
    std::fs::write(folder.path().join("_next/a.js"), "0").unwrap();
    folder
}

#[tokio::test]
async fn rfc_9110_15_5_5_what_is_no_page_is_404_as_a_page_for_browsers_and_a_problem_for_others() {
    let folder = page();
    let site = Site::open(|config| config.web = WebApp::Folder(folder.path().to_owned())).await;
    for (path, accept, expected, text) in [
        ("/", "text/html", "200", "home"),
        ("/plugins", "*/*", "200", "home"),
        ("//api", "text/html,*/*;q=0.8", "404", "no page"),
        (
            "/docs",
            "application/xhtml+xml, Text/HTML;q=0.9",
            "404",
            "no page",
        ),
        ("/health", "*/*", "404", "problems/not-found"),
        ("/_next/b.js", "*/*", "404", "problems/not-found"),
        ("/api/nothing", "text/html", "404", "problems/not-found"),
    ] {
        let answer = site
            .say(format!(
                "GET {path} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nconnection: close\r\n\r\n"
            ))
            .await;
        assert_eq!(status(&answer), expected, "{path} {answer}");
        assert!(answer.contains(text), "{path} {answer}");
        assert_eq!(answer.contains("\r\netag:"), expected == "200", "{path}");
    }
}

#[tokio::test]
async fn rfc_9113_8_3_1_a_pages_origin_is_compared_with_authority() {
    let house = House::new().await;
    let token = house.session().await;
    for (origin, expected) in [
        (format!("https://{HOST}"), StatusCode::OK),
        ("https://evil.example".to_owned(), StatusCode::FORBIDDEN),
    ] {
        let request = Request::builder()
            .version(Version::HTTP_2)
            .method(Method::POST)
            .uri(format!("https://{HOST}/api/v1/sessions"))
            .header("origin", &origin)
            .header("cookie", house.cookie(&token))
            .header("content-type", "application/json")
            .body(Full::new(bytes::Bytes::from_static(b"{\"cookie\": true}")))
            .unwrap();
        let answer = Answer::read(house.front.answer(request, None).await).await;
        assert_eq!(answer.status, expected, "{origin}");
    }
}

#[tokio::test]
async fn rfc_3986_5_1_under_a_path_everything_that_leads_back_begins_with_it() {
    let house = House::with(|config| {
        config.public_url = "https://example.org/re/take".to_owned();
    })
    .await;
    let token = house.session().await;
    for prefix in ["", "/re/take"] {
        let upload = post(&format!("{prefix}/api/v1/recordings"))
            .bearer(&token)
            .form(&good_form());
        let answer = house.ask(upload).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        let location = answer.header("location").unwrap();
        assert!(location.starts_with("/re/take/api/v1/jobs/"), "{location}");
        let job = house.ask(get(location).bearer(&token)).await.json();
        let id = job["id"].as_str().unwrap();
        house.complete(id, b"corrected").await;
        let job = house.ask(get(location).bearer(&token)).await.json();
        let mut followed = 0;
        let links = job["links"].as_object().unwrap().values();
        for link in links.chain([&job["correction"]["audio_url"]]) {
            let link = link.as_str().unwrap();
            assert!(link.starts_with("/re/take/api/v1/"), "{link}");
            let there = house.ask(get(link).bearer(&token)).await;
            assert_eq!(there.status, StatusCode::OK, "{link}");
            followed += 1;
        }
        assert_eq!(followed, 7);
        let recording = &house
            .ask(get("/api/v1/recordings").bearer(&token))
            .await
            .json()["items"][0];
        for link in recording["links"].as_object().unwrap().values() {
            assert!(
                link.as_str().unwrap().starts_with("/re/take/api/v1/"),
                "{link}"
            );
        }
        let events = house
            .open(get(&format!("{prefix}/api/v1/events?after=0")).bearer(&token))
            .await;
        let mut body = events.into_body();
        let mut news = String::new();
        while !news.contains("\"audio_url\":\"") {
            news += &super::house::next_chunk(&mut body).await.unwrap();
        }
        assert!(
            news.contains("\"audio_url\":\"/re/take/api/v1/jobs/"),
            "{news}"
        );
        assert!(!news.contains("\"/api/v1/"), "{news}");
    }
    let description = house.ask(get("/re/take/api/v1/openapi.json")).await;
    assert_eq!(description.json()["servers"], json!([{"url": "/re/take"}]));
    for path in ["/re/taken/api/v1/presets", "/re/api/v1/presets"] {
        house.ask(get(path)).await.problem("not-found");
    }
    let wrong = house.ask(ask(Method::PUT, "/re/take/healthz")).await;
    assert_eq!(wrong.header("allow"), Some("GET, HEAD"));
    let opened = post("/re/take/api/v1/sessions").json(json!({"cookie": true}));
    let opened = opened.header("origin", "https://example.org");
    let opened = house.ask(opened).await;
    let cookie = opened.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Secure-retake_session_"), "{cookie}");
    assert!(cookie.contains("; Path=/re/take;"), "{cookie}");
}

#[tokio::test]
async fn rfc_9110_7_4_a_proxy_that_asks_for_another_host_does_not_lock_the_page_out() {
    let open = || {
        post("/api/v1/sessions")
            .json(json!({"cookie": true}))
            .header("host", "127.0.0.1")
            .header("origin", "https://retake.example")
    };
    House::new()
        .await
        .ask(open())
        .await
        .problem("foreign-origin");
    let house = House::with(|config| config.public_url = "https://retake.example".to_owned()).await;
    let opened = house.ask(open()).await;
    assert_eq!(opened.status, StatusCode::CREATED);
    assert!(opened.header("set-cookie").unwrap().starts_with("__Host-"));
    let cookie = opened
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    // The next request may come to another name of ours: the cookie is the same.
    let again = open()
        .header("host", "10.0.0.7:8080")
        .header("cookie", cookie);
    assert_eq!(house.ask(again).await.status, StatusCode::OK);

    let house = House::with(|config| config.trusted_proxies = vec!["10.0.0.0/8".to_owned()]).await;
    let forwarded = || open().header("forwarded", "for=192.0.2.1;host=retake.example;proto=https");
    let opened = house.ask_from("10.0.0.1:1", forwarded()).await;
    assert_eq!(opened.status, StatusCode::CREATED);
    assert!(opened.header("set-cookie").unwrap().starts_with("__Host-"));
    let stranger = house.ask_from("203.0.113.9:1", forwarded()).await;
    stranger.problem("foreign-origin");
}

#[tokio::test]
async fn rfc_7239_5_2_limits_per_address_are_of_the_client_behind_a_trusted_proxy() {
    let house = House::with(|config| {
        config.sessions_per_minute_max = 1;
        config.trusted_proxies = vec!["10.0.0.1".to_owned()];
    })
    .await;
    let open = async |peer: &str, client: &str| {
        let ask = post("/api/v1/sessions").header("x-forwarded-for", client);
        house.ask_from(peer, ask).await.status.as_u16()
    };
    assert_eq!(open("10.0.0.1:1", "192.0.2.1").await, 201);
    assert_eq!(open("10.0.0.1:1", "192.0.2.2").await, 201);
    assert_eq!(open("10.0.0.1:1", "192.0.2.1").await, 429);
    // What a stranger claims changes nothing.
    assert_eq!(open("10.0.0.2:1", "192.0.2.3").await, 201);
    assert_eq!(open("10.0.0.2:1", "192.0.2.4").await, 429);
}

#[tokio::test]
async fn rfc_9110_13_1_1_what_is_not_what_was_meant_is_not_deleted() {
    let house = House::new().await;
    let token = house.session().await;
    let made = house.upload(&token).await;
    let path = format!("/api/v1/recordings/{}", made["id"].as_str().unwrap());
    let delete = |name, value| {
        let ask = ask(Method::DELETE, &path).bearer(&token);
        house.ask(ask.header(name, value))
    };
    for (name, value) in [
        ("if-match", "\"x\""),
        ("if-match", ""),
        ("if-none-match", "*"),
    ] {
        delete(name, value).await.problem("precondition-failed");
    }
    let there = house.ask(get(&path).bearer(&token)).await;
    assert_eq!(there.status, StatusCode::OK);
    let deleted = delete("if-match", there.header("etag").unwrap()).await;
    assert_eq!(deleted.status, StatusCode::OK);
    delete("if-match", "\"x\"").await.problem("not-found");
    // This one has no ETag.
    let path = "/api/v1/plugins/org.retake.gain/versions/1.0.0";
    let ask = ask(Method::DELETE, path).bearer(super::house::ADMIN_KEY);
    let answer = house.ask(ask.header("if-match", "\"x\"")).await;
    answer.problem("precondition-failed");
}

#[tokio::test]
async fn rfc_7578_4_a_form_is_read_however_its_parameters_are_written() {
    let house = House::new().await;
    let token = house.session().await;
    let long = wav(200_000);
    for (boundary, content_type, name, file_name, shown) in [
        (
            "b",
            "multipart/form-data; boundary=b",
            "name",
            "filename=\"t.wav\"",
            "t.wav",
        ),
        (
            "b",
            "Multipart/Form-Data; BOUNDARY=\"b\"",
            "NAME",
            "FileName=t.wav",
            "t.wav",
        ),
        (
            "--=_Part/1:2",
            "multipart/form-data; boundary=--=_Part/1:2; charset=utf-8",
            "Name",
            "filename=\"plain.wav\"; filename*=UTF-8''gr%C3%BC%C3%9Fe.wav",
            "gr\u{fc}\u{df}e.wav",
        ),
        (
            "b c",
            "multipart/form-data;boundary=\"b c\"",
            "name",
            "filename*=utf-8'en'a%20b.wav",
            "a b.wav",
        ),
    ] {
        let mut body = Vec::new();
        for (field, value) in [
            ("user_email", &b"ann@example.org"[..]),
            ("chain", br#"{"steps": [{"plugin": "gain"}]}"#),
            ("recording", &long),
        ] {
            let more = if field == "recording" {
                file_name
            } else {
                "x=y"
            };
            body.extend_from_slice(
                format!("--{boundary}\r\nCONTENT-disposition: Form-Data; {name}=\"{field}\"; {more}\r\n\r\n")
                    .as_bytes(),
            );
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let upload = post("/api/v1/recordings")
            .bearer(&token)
            .header("content-type", content_type)
            .bytes(body);
        let answer = house.ask(upload).await;
        assert_eq!(
            answer.status,
            StatusCode::ACCEPTED,
            "{content_type} {:?}",
            answer.body
        );
        let list = house
            .ask(get("/api/v1/recordings").bearer(&token))
            .await
            .json();
        assert_eq!(list["items"][0]["file_name"], shown, "{content_type}");
    }
}
