//! What the tests share: built guests, and a run of the kit over one of them.

use std::path::{Path, PathBuf};

use retake_child::ChildProgram;
use retake_plugin_check::{Check, CheckReport, CheckTerms, Outcome, check_in_child};
use serde_json::{Value, json};

pub fn dist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist")
}

/// What `make plugins` built: `plugins/gain`, `test-plugins/quirk`.
pub fn built(name: &str) -> PathBuf {
    let path = dist().join(name).with_extension("wasm");
    assert!(
        path.exists(),
        "{} is missing; run make plugins",
        path.display()
    );
    path
}

pub fn child() -> ChildProgram {
    ChildProgram {
        program: env!("CARGO_BIN_EXE_retake-check-plugin").into(),
        arguments: vec![],
    }
}

pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache")
}

/// The whole kit, at the plugin's defaults.
pub fn report(wasm: &Path) -> CheckReport {
    check_in_child(&child(), &cache(), wasm, &CheckTerms::default()).unwrap()
}

/// One check, with the plugin's parameters at these values.
pub fn one(wasm: &Path, id: &str, params: Value) -> Check {
    let terms = CheckTerms {
        only: vec![id.to_owned()],
        params: params.as_object().unwrap().clone(),
        ..CheckTerms::default()
    };
    let report = check_in_child(&child(), &cache(), wasm, &terms).unwrap();
    found(&report, id)
}

pub fn found(report: &CheckReport, id: &str) -> Check {
    let check = report.checks.iter().find(|check| check.id == id);
    check
        .unwrap_or_else(|| panic!("no check {id}: {report:?}"))
        .clone()
}

/// The check comes out like this, in words that tell the author why.
pub fn expect(check: &Check, outcome: Outcome, words: &str) {
    assert_eq!(check.outcome, outcome, "{check:?}");
    assert!(
        check.detail.contains(words),
        "{check:?} does not say \"{words}\""
    );
}

/// A quirk fails the check, and the same guest without one passes it.
pub fn check_quirk(id: &str, quirk: &str, outcome: Outcome, words: &str) {
    let wasm = built("test-plugins/quirk");
    expect(&one(&wasm, id, json!({ "quirk": quirk })), outcome, words);
    expect(&one(&wasm, id, json!({})), Outcome::Passed, "");
}
