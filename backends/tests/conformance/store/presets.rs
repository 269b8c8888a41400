//! The claims of `Presets`.

use retake_jobs::{
    clock::Clock,
    id::OwnerId,
    saved_preset::{PresetName, Saved, SavedPreset, Summary, VERSIONS_MAX},
};
use serde_json::json;

use super::Bench;
use crate::claims;

claims! { Bench on memory sqlite; [
    a_preset_is_its_owners_alone
    each_saving_is_a_version_and_the_newest_is_meant
    of_two_who_save_the_same_version_one_is_told
    so_many_versions_are_remembered
    there_are_so_many_names_and_no_more
    a_preset_is_removed_with_all_versions_and_begins_anew
] }

fn name(text: &str) -> PresetName {
    PresetName::parse(text).unwrap()
}

fn preset(bench: &Bench, text: &str, version: u64) -> SavedPreset {
    SavedPreset {
        name: name(text),
        version,
        summary: Summary::parse("for talks").unwrap(),
        chain: json!({"steps": [{"plugin": "gain", "params": {"gain-db": version}}]}),
        saved_at: bench.clock.now(),
    }
}

async fn save(bench: &Bench, text: &str, version: u64) -> Saved {
    let preset = preset(bench, text, version);
    bench.a.save_preset(bench.owner, &preset, 2).await.unwrap()
}

async fn a_preset_is_its_owners_alone(bench: Bench) {
    assert_eq!(save(&bench, "talks", 1).await, Saved::Done);
    let (mine, other) = (bench.owner, OwnerId::new());
    let expected = preset(&bench, "talks", 1);
    let found = bench.b.preset(mine, &name("talks"), None).await.unwrap();
    assert_eq!(found, Some(expected.clone()));
    assert_eq!(bench.b.presets(mine).await.unwrap(), [expected]);
    let found = bench.b.preset(other, &name("talks"), None).await.unwrap();
    assert_eq!(found, None);
    assert_eq!(bench.b.presets(other).await.unwrap(), []);
    let removed = bench.b.remove_preset(other, &name("talks"), 1).await;
    assert!(!removed.unwrap());
    assert_eq!(bench.a.presets(mine).await.unwrap().len(), 1);
}

async fn each_saving_is_a_version_and_the_newest_is_meant(bench: Bench) {
    for version in 1..=3 {
        assert_eq!(save(&bench, "talks", version).await, Saved::Done);
    }
    for (asked, found) in [(None, Some(3)), (Some(1), Some(1)), (Some(4), None)] {
        let preset = bench.b.preset(bench.owner, &name("talks"), asked).await;
        assert_eq!(preset.unwrap().map(|preset| preset.version), found);
    }
    let listed = bench.b.presets(bench.owner).await.unwrap();
    assert_eq!(listed, [preset(&bench, "talks", 3)]);
}

async fn of_two_who_save_the_same_version_one_is_told(bench: Bench) {
    let preset = preset(&bench, "talks", 1);
    let (a, b) = tokio::join!(
        bench.a.save_preset(bench.owner, &preset, 2),
        bench.b.save_preset(bench.owner, &preset, 2)
    );
    let mut saved = [a.unwrap(), b.unwrap()];
    saved.sort_by_key(|saved| *saved == Saved::Changed);
    assert_eq!(saved, [Saved::Done, Saved::Changed]);
    assert_eq!(save(&bench, "talks", 3).await, Saved::Changed);
}

async fn so_many_versions_are_remembered(bench: Bench) {
    for version in 1..=VERSIONS_MAX + 2 {
        assert_eq!(save(&bench, "talks", version).await, Saved::Done);
    }
    for (version, there) in [(1, false), (2, false), (3, true), (VERSIONS_MAX + 2, true)] {
        let talks = name("talks");
        let found = bench.b.preset(bench.owner, &talks, Some(version)).await;
        assert_eq!(found.unwrap().is_some(), there, "{version}");
    }
}

async fn there_are_so_many_names_and_no_more(bench: Bench) {
    assert_eq!(save(&bench, "a", 1).await, Saved::Done);
    assert_eq!(save(&bench, "b", 1).await, Saved::Done);
    assert_eq!(save(&bench, "c", 1).await, Saved::TooMany);
    assert_eq!(save(&bench, "a", 2).await, Saved::Done);
}

async fn a_preset_is_removed_with_all_versions_and_begins_anew(bench: Bench) {
    save(&bench, "talks", 1).await;
    save(&bench, "talks", 2).await;
    let remove = async |newest| {
        let talks = name("talks");
        let removed = bench.b.remove_preset(bench.owner, &talks, newest).await;
        removed.unwrap()
    };
    assert!(!remove(1).await, "somebody saved it meanwhile");
    assert!(remove(2).await);
    assert!(!remove(2).await);
    let found = bench.a.preset(bench.owner, &name("talks"), Some(1)).await;
    assert_eq!(found.unwrap(), None);
    assert_eq!(save(&bench, "talks", 1).await, Saved::Done);
}
