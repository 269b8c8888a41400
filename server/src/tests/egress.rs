//! Where a recording may be sent, and that it is not where its owner forbids it.

use http::StatusCode;
use serde_json::json;

use super::house::{House, field, form_with, get, good_form, post};

#[tokio::test]
async fn clients_are_told_where_each_external_service_is() {
    let house = House::new().await;
    let answer = house.ask(get("/api/v1/externals")).await;
    let told = json!({
        "name": "default",
        "description": "A voice restored",
        "runs": "remote",
        "host": "audio.example",
    });
    assert_eq!(answer.json()["items"], json!([told]));
}

#[tokio::test]
async fn what_must_not_leave_is_refused_wherever_its_chain_would_send_it() {
    let house = House::new().await;
    let ann = house.session().await;
    let remote = json!({"steps": [{"plugin": "gain"}, {"external": "default"}]}).to_string();
    let form = |chain: &str, egress: &str| {
        let mut form = form_with("chain", Some(chain.as_bytes()));
        form.push(field("egress", egress));
        post("/api/v1/recordings").bearer(&ann).form(&form)
    };
    let refused = house.ask(form(&remote, "forbid")).await;
    let problem = refused.problem("egress-forbidden");
    assert_eq!(problem["errors"][0]["pointer"], "/chain/steps/1/external");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("step 1 is the external service \"default\""),
        "{detail}"
    );
    let unknown = house.ask(form(&remote, "maybe")).await;
    let problem = unknown.problem("invalid-field");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("it must be one of: allow, forbid")
    );
    assert_eq!(
        house.ask(form(&remote, "allow")).await.status,
        StatusCode::ACCEPTED
    );

    let mut local = good_form();
    local.push(field("egress", "forbid"));
    let made = house
        .ask(post("/api/v1/recordings").bearer(&ann).form(&local))
        .await;
    assert_eq!(made.status, StatusCode::ACCEPTED, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let more = format!("/api/v1/recordings/{id}/jobs");
    let chain = json!({"steps": [{"external": "default"}]});
    let order = json!({"chain": chain, "egress": "forbid"});
    let refused = house.ask(post(&more).bearer(&ann).json(order)).await;
    refused.problem("egress-forbidden");
}
