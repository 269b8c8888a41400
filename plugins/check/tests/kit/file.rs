//! The checks of the file itself, and of what happens around them.

use std::time::Duration;

use retake_plugin_check::{CheckReport, CheckTerms, Outcome, check_in_child};
use serde_json::json;

use crate::rig::{built, cache, child, expect, found, report};

/// A report of bytes that are no plugin.
fn of_bytes(bytes: &[u8]) -> CheckReport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plugin.wasm");
    std::fs::write(&path, bytes).unwrap();
    report(&path)
}

#[test]
fn an_import_of_something_else_fails_by_its_name_and_the_rest_is_skipped() {
    let module = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)))"#;
    let report = of_bytes(&wat::parse_str(module).unwrap());
    expect(&found(&report, "imports"), Outcome::Failed, "fd_write");
    expect(&found(&report, "silence"), Outcome::Skipped, "\"imports\"");
    assert!(!report.passed());
    assert_eq!(report.manifest, None);
    assert_eq!(of_bytes(b"text").count(Outcome::Failed), 1);
}

#[test]
fn a_file_without_the_contract_fails_its_installation() {
    let report = of_bytes(&wat::parse_str("(module)").unwrap());
    expect(
        &found(&report, "installation"),
        Outcome::Failed,
        "no exported instance",
    );
    assert!(!report.passed());
}

#[test]
fn a_manifest_against_the_rules_fails_with_all_that_is_wrong() {
    let report = report(&built("test-plugins/unfit"));
    let check = found(&report, "manifest");
    expect(&check, Outcome::Failed, "reverse DNS");
    expect(&check, Outcome::Failed, "4000 Hz");
    assert_eq!(found(&report, "installation").outcome, Outcome::Passed);
    assert_eq!(report.manifest, None);
}

#[test]
fn the_json_of_a_report_says_whether_it_passed_and_reads_back() {
    let report = of_bytes(b"no plugin at all");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["passed"], false);
    assert_eq!(json["checks"][0]["outcome"], "failed");
    assert_eq!(report, serde_json::from_value(json).unwrap());
}

#[test]
fn a_check_that_never_comes_back_is_the_one_that_failed() {
    let terms = CheckTerms {
        check_deadline: Duration::from_secs(3),
        params: json!({ "deed": "loop" }).as_object().unwrap().clone(),
        ..CheckTerms::default()
    };
    let report = check_in_child(&child(), &cache(), &built("test-plugins/puppet"), &terms).unwrap();
    expect(&found(&report, "describe"), Outcome::Passed, "");
    expect(
        &found(&report, "silence"),
        Outcome::Failed,
        "did not come back",
    );
    expect(&found(&report, "blocks"), Outcome::Skipped, "\"silence\"");
    assert!(!report.passed());
}

#[test]
fn what_the_caller_asks_for_and_is_not_there_is_named() {
    let ask = |only: &str, params: serde_json::Value| {
        let terms = CheckTerms {
            only: vec![only.to_owned()],
            params: params.as_object().unwrap().clone(),
            ..CheckTerms::default()
        };
        let asked = check_in_child(&child(), &cache(), &built("plugins/gain"), &terms);
        asked.unwrap_err().to_string()
    };
    assert!(ask("loudness", json!({})).contains("imports, installation, manifest"));
    assert!(ask("silence", json!({ "gain-db": 99 })).contains("from -60 to 24 dB"));
}

#[test]
fn only_the_checks_that_were_asked_for_run() {
    let terms = CheckTerms {
        only: vec!["describe".to_owned(), "offset".to_owned()],
        ..CheckTerms::default()
    };
    let report = check_in_child(&child(), &cache(), &built("plugins/gain"), &terms).unwrap();
    let ran: Vec<_> = report.checks.iter().map(|check| &*check.id).collect();
    let own = ["imports", "installation", "manifest"];
    assert_eq!(ran, [&own[..], &["describe", "offset"]].concat());
    assert_eq!(report.count(Outcome::Passed), 5, "{report:?}");
}
