#![allow(clippy::unwrap_used)]

use retake_plugin_manifest::{ChannelUse, Param, ParamKind, Passes, Scale};
use serde_json::json;

use super::*;
use crate::InstalledPlugin;

fn manifest(id: &str) -> Manifest {
    Manifest {
        id: id.to_owned(),
        name: "Denoise".to_owned(),
        version: "1.0.0".to_owned(),
        vendor: String::new(),
        summary: String::new(),
        license: String::new(),
        params: vec![Param {
            id: "strength".to_owned(),
            label: "Strength".to_owned(),
            help: String::new(),
            unit: String::new(),
            group: String::new(),
            kind: ParamKind::Float {
                min: 0.0,
                max: 1.0,
                default: 1.0,
                step: None,
                scale: Scale::Linear,
            },
        }],
        passes: Passes {
            analyze: false,
            process: true,
        },
        channels: ChannelUse::Independent,
        max_channels: 0,
        sample_rates: Vec::new(),
        block_quantum: 1,
        extras: Vec::new(),
    }
}

/// `denoise` in three versions, two plugins `gain`, `trim` that shortens, and `ears`.
pub fn vocabulary() -> Vocabulary {
    let ids = [
        "org.retake.denoise",
        "org.retake.gain",
        "com.example.gain",
        "com.example.ears",
    ];
    let mut manifests: Vec<_> = ids.map(manifest).into();
    for version in ["0.9.0", "1.1.0-rc.1"] {
        manifests.push(Manifest {
            version: version.to_owned(),
            params: Vec::new(),
            ..manifest("org.retake.denoise")
        });
    }
    manifests.push(Manifest {
        channels: ChannelUse::Linked,
        extras: vec![("length".to_owned(), "may-shorten".to_owned())],
        ..manifest("org.retake.trim")
    });
    let plugins = manifests.into_iter().map(|manifest| InstalledPlugin {
        digest: format!("digest of {} {}", manifest.id, manifest.version),
        manifest: manifest.into(),
        realtime_factor: None,
    });
    Vocabulary::new(plugins.collect(), vec!["default".to_owned()], 3)
}

fn check(json: Value, expected: &[(&str, &str)]) {
    let errors = Chain::parse(&json, "/chain", &vocabulary()).expect_err(&json.to_string());
    let found: Vec<_> = errors
        .iter()
        .map(|e| (e.pointer.as_str(), e.detail.as_str()))
        .collect();
    assert_eq!(found.len(), expected.len(), "{json}: {found:?}");
    for ((pointer, detail), (want_pointer, want_words)) in found.into_iter().zip(expected) {
        assert_eq!(pointer, *want_pointer, "{json}: {detail}");
        assert!(
            detail.contains(want_words),
            "{json}: {detail} lacks {want_words}"
        );
    }
}

fn one_step(step: Value) -> Value {
    json!({ "steps": [step] })
}

#[test]
fn a_step_spares_parts_of_what_was_found() {
    let spare = json!({"music": 1, "speech-over-music": 0.25});
    let chain = json!({"steps": [{"plugin": "gain"}, {"plugin": "denoise", "spare": spare}]});
    let chain = Chain::parse(&chain, "/chain", &vocabulary()).unwrap();
    assert_eq!(chain.steps[1].spare["speech-over-music"], 0.25);
    let stored = serde_json::to_value(&chain).unwrap();
    assert_eq!(
        stored["steps"][1]["spare"],
        json!({"music": 1.0, "speech-over-music": 0.25})
    );
    let many: serde_json::Map<_, _> = (0..9).map(|n| (n.to_string(), json!(1))).collect();
    for (step, pointer, words) in [
        (
            json!({"plugin": "denoise", "spare": ["music"]}),
            "",
            "must be an object",
        ),
        (
            json!({"plugin": "denoise", "spare": {"music": 1.5}}),
            "/music",
            "from 0 to 1",
        ),
        (
            json!({"plugin": "denoise", "spare": {"a/b": true}}),
            "/a~1b",
            "from 0 to 1",
        ),
        (
            json!({"plugin": "denoise", "spare": {"m".repeat(65): 1}}),
            &format!("/{}", "m".repeat(65)),
            "at most 64 bytes",
        ),
        (json!({"plugin": "denoise", "spare": many}), "", "at most 8"),
        (
            json!({"plugin": "org.retake.trim", "spare": {"music": 1}}),
            "",
            "it can spare nothing",
        ),
        (
            json!({"external": "default", "spare": {"music": 1}}),
            "",
            "an external step spares nothing",
        ),
    ] {
        check(
            json!({"steps": [{"plugin": "gain"}, step]}),
            &[(&format!("/chain/steps/1/spare{pointer}"), words)],
        );
    }
    check(
        one_step(json!({"plugin": "denoise", "spare": {"music": 1}})),
        &[("/chain/steps/0/spare", "no step comes before")],
    );
}

#[test]
fn a_chain_keeps_what_its_author_wrote() {
    let json = json!({"steps": [
        {"plugin": "denoise", "params": {"strength": 0.8}},
        {"external": "default", "mix": 0.5, "on_failure": "skip"},
        {"plugin": "com.example.gain"},
    ]});
    let chain = Chain::parse(&json, "/chain", &vocabulary()).unwrap();
    assert_eq!(
        serde_json::to_value(&chain).unwrap(),
        json!({"steps": [
            {"plugin": "denoise", "params": {"strength": 0.8}, "mix": 1.0, "on_failure": "fail"},
            {"external": "default", "mix": 0.5, "on_failure": "skip"},
            {"plugin": "com.example.gain", "mix": 1.0, "on_failure": "fail"},
        ]})
    );
    let stored = serde_json::to_string(&chain).unwrap();
    assert_eq!(serde_json::from_str::<Chain>(&stored).unwrap(), chain);
}

#[test]
fn a_chain_must_be_an_object_with_one_to_steps_max_steps() {
    check(json!("speech"), &[("/chain", "must be an object")]);
    check(json!({}), &[("/chain/steps", "missing")]);
    check(json!({"steps": {}}), &[("/chain/steps", "must be a list")]);
    check(json!({"steps": []}), &[("/chain/steps", "1 to 3")]);
    let many = vec![json!({"plugin": "denoise"}); 4];
    check(
        json!({"steps": many}),
        &[("/chain/steps", "there are 4 steps")],
    );
    check(
        one_step(json!("denoise")),
        &[("/chain/steps/0", "must be an object")],
    );
}

#[test]
fn unknown_keys_are_errors_and_pointers_are_escaped() {
    check(
        json!({"steps": [{"plugin": "denoise"}], "a/b~c": 1}),
        &[("/chain/a~1b~0c", "known: steps")],
    );
    check(
        one_step(json!({"plugin": "denoise", "mux": 1})),
        &[("/chain/steps/0/mux", "mix")],
    );
}

#[test]
fn a_step_is_one_plugin_or_one_external_service() {
    check(one_step(json!({})), &[("/chain/steps/0", "neither")]);
    check(
        one_step(json!({"plugin": "denoise", "external": "default"})),
        &[("/chain/steps/0", "both")],
    );
    check(
        one_step(json!({"plugin": 7})),
        &[("/chain/steps/0/plugin", "is 7")],
    );
    check(
        one_step(json!({"external": "x"})),
        &[("/chain/steps/0/external", "there are: default")],
    );
    check(
        one_step(json!({"external": "default", "params": {}})),
        &[("/chain/steps/0/params", "takes no params")],
    );
}

#[test]
fn an_unknown_plugin_is_answered_with_the_known_ones() {
    check(
        one_step(json!({"plugin": "reverb"})),
        &[(
            "/chain/steps/0/plugin",
            "com.example.gain, denoise, ears, gain, trim",
        )],
    );
}

#[test]
fn a_short_name_means_the_plugin_that_had_it_first() {
    let id = |vocabulary: &Vocabulary| vocabulary.plugin("gain").map(|found| found.id.clone());
    let mut vocabulary = vocabulary();
    assert_eq!(id(&vocabulary).unwrap(), "org.retake.gain");
    // Removed, it keeps its name: what meant it must not mean another.
    vocabulary
        .plugins
        .retain(|one| one.manifest.id != "org.retake.gain");
    assert!(matches!(id(&vocabulary), Err(NotAPlugin::Unknown { .. })));
    assert!(vocabulary.plugin("com.example.gain").is_ok());
}

#[test]
fn a_chain_is_pinned_to_the_bytes_that_its_names_mean() {
    let vocabulary = vocabulary();
    let chain = json!({"steps": [
        {"plugin": "denoise"},
        {"external": "default"},
        {"plugin": "org.retake.denoise", "version": "0.9.0"},
    ]});
    let chain = Chain::parse(&chain, "/chain", &vocabulary).unwrap();
    let pins = chain.pin(&vocabulary).unwrap();
    let digests: Vec<_> = pins
        .iter()
        .map(|pin| pin.as_ref().map(|pin| pin.digest.as_str()))
        .collect();
    let expected = [
        Some("digest of org.retake.denoise 1.0.0"),
        None,
        Some("digest of org.retake.denoise 0.9.0"),
    ];
    assert_eq!(digests, expected);
}

#[test]
fn a_version_is_one_of_those_there_are_and_brings_its_own_params() {
    let step = |version: Value| one_step(json!({"plugin": "denoise", "version": version}));
    for version in ["0.9.0", "1.0.0", "1.1.0-rc.1"] {
        let chain = Chain::parse(&step(json!(version)), "/chain", &vocabulary()).unwrap();
        let stored = serde_json::to_value(&chain).unwrap();
        assert_eq!(stored["steps"][0]["version"], version);
    }
    check(
        step(json!("2.0.0")),
        &[("/chain/steps/0/version", "it has: 1.0.0, 0.9.0, 1.1.0-rc.1")],
    );
    for wrong in [json!("newest"), json!("1.0"), json!(1), json!(null)] {
        check(step(wrong), &[("/chain/steps/0/version", "\"1.2.0\"")]);
    }
    check(
        one_step(json!({"plugin": "denoise", "version": "0.9.0", "params": {"strength": 1}})),
        &[("/chain/steps/0/params/strength", "strength")],
    );
    check(
        one_step(json!({"external": "default", "version": "1.0.0"})),
        &[("/chain/steps/0/version", "takes no version")],
    );
}

#[test]
fn the_newest_version_is_a_release_where_there_is_one() {
    let mut vocabulary = vocabulary();
    for newest in ["1.0.0", "0.9.0", "1.1.0-rc.1"] {
        assert_eq!(vocabulary.plugin("denoise").unwrap().version, newest);
        vocabulary
            .plugins
            .retain(|one| one.manifest.version != newest);
    }
}

#[test]
fn params_are_checked_against_the_manifest() {
    check(
        one_step(json!({"plugin": "denoise", "params": {"strength": 2, "wet": 1}})),
        &[
            ("/chain/steps/0/params/wet", "it has: strength"),
            ("/chain/steps/0/params/strength", "from 0 to 1"),
        ],
    );
    check(
        one_step(json!({"plugin": "denoise", "params": [1]})),
        &[("/chain/steps/0/params", "must be an object")],
    );
}

#[test]
fn mix_and_on_failure_have_ranges() {
    for mix in [json!(-0.1), json!(1.5), json!("1"), json!(null)] {
        check(
            one_step(json!({"plugin": "denoise", "mix": mix})),
            &[("/chain/steps/0/mix", "from 0 to 1")],
        );
    }
    check(
        one_step(json!({"plugin": "denoise", "on_failure": "retry"})),
        &[("/chain/steps/0/on_failure", "\"fail\" or \"skip\"")],
    );
}

#[test]
fn a_delta_is_asked_for_or_not() {
    for delta in [json!(1), json!("true"), json!(null)] {
        check(
            one_step(json!({"plugin": "denoise", "delta": delta})),
            &[("/chain/steps/0/delta", "true or false")],
        );
    }
    let asked = |delta: bool| {
        let json = one_step(json!({"external": "default", "delta": delta}));
        Chain::parse(&json, "/chain", &vocabulary()).unwrap()
    };
    assert!(asked(true).steps[0].delta);
    assert!(!asked(false).steps[0].delta);
}

#[test]
fn a_step_that_shortens_is_neither_mixed_with_the_original_nor_taken_from_it() {
    check(
        one_step(json!({"plugin": "trim", "mix": 0.5})),
        &[(
            "/chain/steps/0/mix",
            "trim shortens the recording, so it must be 1",
        )],
    );
    check(
        one_step(json!({"plugin": "trim", "delta": true})),
        &[(
            "/chain/steps/0/delta",
            "trim shortens the recording, so it must be false",
        )],
    );
    let whole = one_step(json!({"plugin": "trim", "mix": 1}));
    Chain::parse(&whole, "/chain", &vocabulary()).unwrap();
}

#[test]
fn a_plugin_can_be_followed_and_nothing_else() {
    let followed = one_step(json!({"plugin": "ears", "follow": true}));
    let chain = Chain::parse(&followed, "/chain", &vocabulary()).unwrap();
    assert!(chain.steps[0].follow);
    let stored = serde_json::to_value(&chain).unwrap();
    assert_eq!(stored["steps"][0]["follow"], true);
    assert_eq!(serde_json::from_value::<Chain>(stored).unwrap(), chain);
    check(
        one_step(json!({"external": "default", "follow": true})),
        &[("/chain/steps/0/follow", "only a plugin")],
    );
    check(
        one_step(json!({"plugin": "ears", "follow": "yes"})),
        &[("/chain/steps/0/follow", "true or false")],
    );
    let plain = one_step(json!({"external": "default", "follow": false}));
    Chain::parse(&plain, "/chain", &vocabulary()).unwrap();
}

#[test]
fn all_errors_come_back_at_once() {
    check(
        json!({"steps": [
            {"plugin": "denoise", "params": {"strength": 9}, "mix": 7, "on_failure": 1},
            {"plugin": "nope"},
            {"external": "nope"},
        ], "x": 1}),
        &[
            ("/chain/x", "not known"),
            ("/chain/steps/0/mix", "7"),
            ("/chain/steps/0/on_failure", "1"),
            ("/chain/steps/0/params/strength", "9"),
            ("/chain/steps/1/plugin", "nope"),
            ("/chain/steps/2/external", "nope"),
        ],
    );
}

#[test]
fn what_a_stranger_wrote_is_quoted_briefly() {
    let errors = Chain::parse(&json!("x".repeat(100_000)), "/chain", &vocabulary()).unwrap_err();
    assert!(errors[0].detail.len() < 300);
}
