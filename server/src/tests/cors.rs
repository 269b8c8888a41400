//! Other sites' pages, by setting.

use http::{Method, StatusCode};

use super::house::{Answer, House, ask, get, post};

const THEIRS: &str = "https://app.example.org";

async fn house() -> House {
    House::with(|config| config.cors_origins = vec![THEIRS.to_owned()]).await
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

#[tokio::test]
async fn a_page_that_is_named_may_ask_and_read() {
    let house = house().await;
    let token = house.session().await;
    let asked = get("/api/v1/recordings")
        .bearer(&token)
        .header("origin", THEIRS);
    let answer = house.ask(asked).await;
    assert_eq!(
        (answer.status, allowed(&answer)),
        (StatusCode::OK, Some(THEIRS))
    );
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(
        exposed.contains("location") && exposed.contains("x-request-id"),
        "{exposed}"
    );
    assert_eq!(
        answer.header("cross-origin-resource-policy"),
        Some("cross-origin")
    );
    assert!(
        answer
            .header("vary")
            .unwrap()
            .to_ascii_lowercase()
            .contains("origin")
    );
    // Errors are read, too.
    let refused = house
        .ask(get("/api/v1/recordings").header("origin", THEIRS))
        .await;
    refused.problem("unauthenticated");
    assert_eq!(allowed(&refused), Some(THEIRS));
}

#[tokio::test]
async fn a_browser_that_asks_before_is_told_what_may_be_sent() {
    let house = house().await;
    for path in [
        "/api/v1/recordings",
        "/api/v1/recordings/7",
        "/api/v1/events",
    ] {
        let before = ask(Method::OPTIONS, path)
            .header("origin", THEIRS)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,idempotency-key",
            );
        let answer = house.ask(before).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(allowed(&answer), Some(THEIRS));
        let headers = answer.header("access-control-allow-headers").unwrap();
        assert!(headers.contains("authorization") && headers.contains("idempotency-key"));
        assert!(
            answer
                .header("access-control-allow-methods")
                .unwrap()
                .contains("DELETE")
        );
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[tokio::test]
async fn nobody_else_is_let_in_and_the_cookie_stays_ours() {
    for (house, origin) in [
        (house().await, "https://evil.example.org"),
        (house().await, "http://app.example.org"),
        (house().await, "null"),
        (House::new().await, THEIRS),
    ] {
        let token = house.session().await;
        let answer = house
            .ask(
                get("/api/v1/recordings")
                    .bearer(&token)
                    .header("origin", origin),
            )
            .await;
        assert_eq!((answer.status, allowed(&answer)), (StatusCode::OK, None));
        let before = ask(Method::OPTIONS, "/api/v1/recordings")
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        let answer = house.ask(before).await;
        assert_eq!(
            (answer.status, allowed(&answer)),
            (StatusCode::METHOD_NOT_ALLOWED, None)
        );
    }
    let house = house().await;
    let token = house.session().await;
    let by_cookie = post("/api/v1/session-codes")
        .header("cookie", &house.cookie(&token))
        .header("origin", THEIRS);
    house.ask(by_cookie).await.problem("foreign-origin");
}

#[tokio::test]
async fn every_method_of_the_table_may_be_asked_for() {
    let house = house().await;
    let asked = ask(Method::OPTIONS, "/api/v1/presets/talks")
        .header("origin", THEIRS)
        .header("access-control-request-method", "PUT");
    let answer = house.ask(asked).await;
    let methods = answer.header("access-control-allow-methods").unwrap();
    let methods: Vec<_> = methods.split(", ").collect();
    for (method, address) in crate::routes::all(&house.app).1.entries() {
        // Whoever asks with OPTIONS asks no page.
        let asked = method == Method::OPTIONS || methods.contains(&method.as_str());
        assert!(asked, "{method} {address}");
    }
}
