//! Every plugin we ship passes the whole kit.

use std::fs;

use retake_plugin_check::{Outcome, checks};

use crate::rig::{dist, report};

#[test]
fn every_plugin_of_ours_passes_every_check() {
    let listed = fs::read_dir(dist().join("plugins")).unwrap();
    let mut paths: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "wasm"));
    paths.sort();
    assert!(paths.len() >= 4, "{paths:?}; run make plugins");
    for path in paths {
        let report = report(&path);
        let failed: Vec<_> = report
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Failed)
            .collect();
        assert!(report.passed(), "{}: {failed:#?}", path.display());
        let ran: Vec<_> = report
            .checks
            .iter()
            .map(|check| check.id.as_str())
            .collect();
        let all: Vec<_> = checks().iter().map(|known| known.id).collect();
        assert_eq!(ran, all, "{}", path.display());
        let cost = report.cost.unwrap();
        assert!(cost.realtime_factor > 0.0 && cost.memory_bytes > 0);
        for check in &report.checks {
            if matches!(check.outcome, Outcome::Warned | Outcome::Skipped) {
                eprintln!("{}: {check:?}", path.display());
            }
        }
    }
}
