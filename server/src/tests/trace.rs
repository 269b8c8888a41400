//! The trace context (W3C) of a request goes on in its job, and in what is told of it.

use http::StatusCode;
use retake_jobs::{
    clock::{Clock, SystemClock},
    id::EventId,
    message::JobMessage,
};

use super::house::{House, good_form, post};

#[tokio::test]
async fn trace_context_3_2_a_requests_trace_is_its_jobs_and_a_broken_one_begins_anew() {
    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let trace_of = |text: &str| text[3..35].to_owned();
    for (headers, goes_on) in [
        (&[GIVEN][..], true),
        (&[], false),
        (&[GIVEN, GIVEN], false),
        (&[&GIVEN.to_uppercase()], false),
        (&["00-short"], false),
    ] {
        let house = House::new().await;
        let token = house.session().await;
        let mut ask = post("/api/v1/recordings").bearer(&token).form(&good_form());
        for text in headers {
            ask = ask.line("traceparent", text);
        }
        let answer = house.ask(ask).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
        let of_job = answer.json()["job"]["traceparent"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(trace_of(&of_job) == trace_of(GIVEN), goes_on, "{headers:?}");
        assert!(!of_job.contains("00f067aa0ba902b7"), "the parent is ours");
        assert_eq!(of_job.ends_with("-00"), goes_on, "sampled as it was given");
        let owner = house.owner(&token).await;
        let event = &house.store.events(owner, EventId(0), 1).await.unwrap()[0];
        let of_event = event
            .job()
            .unwrap()
            .traceparent
            .map(|trace| trace.to_string());
        assert_eq!(of_event.as_ref(), Some(&of_job));
        let due = SystemClock.now() + jiff::SignedDuration::from_secs(1);
        let unsent = house.store.unsent(due, 10).await.unwrap();
        let message: JobMessage = serde_json::from_slice(&unsent[0].body).unwrap();
        assert_eq!(message.traceparent, Some(of_job));
    }
}
