//! What steps have found reaches those after them.

use serde_json::json;

use crate::{chains::Bench, support::recording};

const HEARER: &str = "../test-plugins/hearer";
const LISTENER: &str = "../test-plugins/listener";
const CUTTER: &str = "../test-plugins/cutter";

/// What the hearer at `place` heard: in `open`, in `analyze` and in `process`.
async fn heard(chain: &[&str], place: usize) -> [String; 3] {
    let bench = Bench::new(recording(48_000)).with(&[HEARER, LISTENER, CUTTER]);
    let steps: Vec<_> = chain.iter().map(|name| json!({ "plugin": name })).collect();
    let report = bench
        .succeeds(&bench.chain(json!({ "steps": steps })))
        .await;
    let measured = report.report.steps[place].measurements["measurements"].clone();
    ["open", "analyze", "process"].map(|id| {
        let all = measured.as_array().unwrap().iter();
        let found = all.clone().find(|m| m["id"] == id).unwrap();
        found["value"].as_str().unwrap().to_owned()
    })
}

#[tokio::test]
async fn a_step_that_only_listens_is_heard_from_the_first_moment_on() {
    let [open, analyze, process] = heard(&["listener", "hearer"], 1).await;
    assert_eq!(open, "");
    assert_eq!(analyze, "listener 0.1.0 [] None Some(16000.0)");
    assert_eq!(process, analyze);
}

#[tokio::test]
async fn a_step_that_changes_audio_is_heard_of_once_it_is_done() {
    let [open, analyze, process] = heard(&["hearer", "hearer"], 1).await;
    assert_eq!((open.as_str(), analyze.as_str()), ("", ""));
    let points = "[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]";
    assert_eq!(
        process,
        format!("hearer 0.1.0 [(4000, 4000)] Some((1600.0, {points})) None")
    );
    assert_eq!(heard(&["hearer", "hearer"], 0).await, [""; 3]);
}

#[tokio::test]
async fn what_was_found_moves_with_the_audio_where_a_step_shortens() {
    // It keeps and cuts thousands of frames by turns: half of everything is left.
    let [_, analyze, process] = heard(&["hearer", "cutter", "hearer"], 2).await;
    assert_eq!(process, analyze, "all of it ran in another process");
    let (first, second) = process.split_once("; ").unwrap();
    assert_eq!(
        first,
        "hearer 0.1.0 [(2000, 2000)] Some((1600.0, [0.0, 2.0, 5.0, 6.0, 8.0])) None"
    );
    assert!(second.starts_with("cutter 0.1.0 []"), "{second}");
}
