//! From a request's JSON to a checked [`Chain`]. All errors come back at once, each with an RFC 6901
//! pointer to the value it means.

use retake_plugin_manifest::{Manifest, Settings};
use serde_json::{Map, Value};

use super::{Chain, NotAPlugin, OnFailure, Step, StepKind, Vocabulary, full, vocabulary::shown};
use crate::problem::FieldError;

pub(super) const CHAIN_KEYS: &[&str] = &["steps"];
const STEP_KEYS: &[&str] = &[
    "plugin",
    "version",
    "params",
    "external",
    "mix",
    "on_failure",
    "delta",
    "follow",
];

impl Chain {
    /// Parses a chain from a request and checks it. `pointer` is where it stands in the request,
    /// "/chain" say; every error points at the value it means. Unknown keys are errors. The chain
    /// keeps what its author wrote: parameters that were left out stay left out.
    pub fn parse(
        json: &Value,
        pointer: &str,
        vocabulary: &Vocabulary,
    ) -> Result<Self, Vec<FieldError>> {
        let mut errors = Errors(Vec::new());
        let steps = chain(json, pointer, vocabulary, &mut errors);
        if errors.0.is_empty() {
            Ok(Self { steps })
        } else {
            Err(errors.0)
        }
    }
}

pub(super) struct Errors(pub Vec<FieldError>);

impl Errors {
    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        });
    }

    pub fn unknown_keys(&mut self, object: &Map<String, Value>, known: &[&str], pointer: &str) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            let detail = format!(
                "\"{}\" is not known here; known: {}",
                shown(key),
                known.join(", ")
            );
            self.add(below(pointer, key), detail);
        }
    }
}

fn chain(json: &Value, pointer: &str, vocabulary: &Vocabulary, errors: &mut Errors) -> Vec<Step> {
    let Some(object) = json.as_object() else {
        errors.add(
            pointer,
            format!(
                "the chain is {}; it must be an object with \"steps\"",
                quoted(json)
            ),
        );
        return Vec::new();
    };
    errors.unknown_keys(object, CHAIN_KEYS, pointer);
    let pointer = below(pointer, "steps");
    let max = vocabulary.steps_max;
    let steps = match object.get("steps") {
        Some(Value::Array(steps)) => steps,
        Some(other) => {
            errors.add(
                pointer,
                format!("steps is {}; it must be a list of steps", quoted(other)),
            );
            return Vec::new();
        }
        None => {
            errors.add(
                pointer,
                format!("steps is missing; it must be a list of 1 to {max} steps"),
            );
            return Vec::new();
        }
    };
    if steps.is_empty() || steps.len() > max {
        errors.add(
            pointer,
            format!("there are {} steps; there must be 1 to {max}", steps.len()),
        );
        return Vec::new();
    }
    steps
        .iter()
        .enumerate()
        .filter_map(|(i, json)| step(json, &format!("{pointer}/{i}"), vocabulary, errors))
        .collect()
}

pub(super) fn step(
    json: &Value,
    pointer: &str,
    vocabulary: &Vocabulary,
    errors: &mut Errors,
) -> Option<Step> {
    let Some(object) = json.as_object() else {
        errors.add(
            pointer,
            format!(
                "the step is {}; it must be an object with \"plugin\" or \"external\"",
                quoted(json)
            ),
        );
        return None;
    };
    errors.unknown_keys(object, STEP_KEYS, pointer);
    let mix = mix(object, pointer, errors);
    let on_failure = on_failure(object, pointer, errors);
    let delta = delta(object, pointer, errors);
    let follow = follow(object, pointer, errors);
    let kind = match (object.get("plugin"), object.get("external")) {
        (Some(name), None) => plugin(name, object, pointer, vocabulary, errors),
        (None, Some(name)) => external(name, object, pointer, vocabulary, errors),
        (Some(_), Some(_)) => {
            errors.add(
                pointer,
                "the step has both \"plugin\" and \"external\"; it must have one",
            );
            None
        }
        (None, None) => {
            errors.add(
                pointer,
                "the step has neither \"plugin\" nor \"external\"; it must have one",
            );
            None
        }
    };
    let step = Step {
        kind: kind?,
        mix: mix?,
        on_failure: on_failure?,
        delta: delta?,
        follow: follow?,
    };
    check_shortening(&step, pointer, vocabulary, errors);
    Some(step)
}

/// Original and correction can be neither mixed nor subtracted where they are not aligned.
fn check_shortening(step: &Step, pointer: &str, vocabulary: &Vocabulary, errors: &mut Errors) {
    let StepKind::Plugin {
        plugin, version, ..
    } = &step.kind
    else {
        return;
    };
    let manifest = vocabulary.plugin_version(plugin, version.as_deref());
    if !manifest.is_ok_and(Manifest::may_shorten) {
        return;
    }
    let name = shown(plugin);
    if step.mix < 1.0 {
        let mix = step.mix;
        let detail = format!("mix is {mix}; {name} shortens the recording, so it must be 1");
        errors.add(below(pointer, "mix"), detail);
    }
    if step.delta {
        let detail = format!("delta is true; {name} shortens the recording, so it must be false");
        errors.add(below(pointer, "delta"), detail);
    }
}

fn plugin(
    name: &Value,
    step: &Map<String, Value>,
    pointer: &str,
    vocabulary: &Vocabulary,
    errors: &mut Errors,
) -> Option<StepKind> {
    let params_pointer = below(pointer, "params");
    let params = match step.get("params") {
        None => Some(Map::new()),
        Some(Value::Object(params)) => Some(params.clone()),
        Some(other) => {
            errors.add(
                params_pointer.as_str(),
                format!(
                    "params is {}; it must be an object of values by parameter id",
                    quoted(other)
                ),
            );
            None
        }
    };
    let version = version(step, pointer, errors);
    let Some(name) = name.as_str() else {
        errors.add(
            below(pointer, "plugin"),
            format!(
                "plugin is {}; it must be a plugin's id or name",
                quoted(name)
            ),
        );
        return None;
    };
    let version = version?;
    let manifest = match vocabulary.plugin_version(name, version.as_deref()) {
        Ok(manifest) => manifest,
        Err(error) => {
            let key = match error {
                NotAPlugin::NoSuchVersion { .. } => "version",
                NotAPlugin::Unknown { .. } | NotAPlugin::Ambiguous { .. } => "plugin",
            };
            errors.add(below(pointer, key), error.to_string());
            return None;
        }
    };
    let params = params?;
    if let Err(wrong) = Settings::resolve(manifest, &params) {
        for error in wrong {
            errors.add(below(&params_pointer, &error.param), error.detail);
        }
        return None;
    }
    Some(StepKind::Plugin {
        plugin: name.to_owned(),
        version,
        params,
    })
}

/// `None`: it is there and wrong.
fn version(
    step: &Map<String, Value>,
    pointer: &str,
    errors: &mut Errors,
) -> Option<Option<String>> {
    let Some(json) = step.get("version") else {
        return Some(None);
    };
    match json.as_str() {
        Some(text) if semver::Version::parse(text).is_ok() => Some(Some(text.to_owned())),
        _ => {
            let detail = format!(
                "version is {}; it must be a plugin's exact version, \"1.2.0\" say",
                quoted(json)
            );
            errors.add(below(pointer, "version"), detail);
            None
        }
    }
}

fn external(
    name: &Value,
    step: &Map<String, Value>,
    pointer: &str,
    vocabulary: &Vocabulary,
    errors: &mut Errors,
) -> Option<StepKind> {
    for (key, taken) in [("params", "no params"), ("version", "no version")] {
        if step.contains_key(key) {
            errors.add(
                below(pointer, key),
                format!("an external step takes {taken}; leave it out"),
            );
        }
    }
    let pointer = below(pointer, "external");
    let Some(name) = name.as_str() else {
        errors.add(
            pointer,
            format!("external is {}; it must be a service's name", quoted(name)),
        );
        return None;
    };
    if !vocabulary.externals.iter().any(|known| known == name) {
        let known = vocabulary.external_names();
        errors.add(
            pointer,
            format!(
                "there is no external service \"{}\"; there are: {known}",
                shown(name)
            ),
        );
        return None;
    }
    Some(StepKind::External {
        external: name.to_owned(),
    })
}

fn mix(object: &Map<String, Value>, pointer: &str, errors: &mut Errors) -> Option<f64> {
    let Some(json) = object.get("mix") else {
        return Some(full());
    };
    match json.as_f64() {
        Some(mix) if (0.0..=1.0).contains(&mix) => Some(mix),
        _ => {
            let detail = format!("mix is {}; it must be a number from 0 to 1", quoted(json));
            errors.add(below(pointer, "mix"), detail);
            None
        }
    }
}

fn on_failure(
    object: &Map<String, Value>,
    pointer: &str,
    errors: &mut Errors,
) -> Option<OnFailure> {
    let Some(json) = object.get("on_failure") else {
        return Some(OnFailure::default());
    };
    match json.as_str() {
        Some("fail") => Some(OnFailure::Fail),
        Some("skip") => Some(OnFailure::Skip),
        _ => {
            let detail = format!(
                "on_failure is {}; it must be \"fail\" or \"skip\"",
                quoted(json)
            );
            errors.add(below(pointer, "on_failure"), detail);
            None
        }
    }
}

fn delta(object: &Map<String, Value>, pointer: &str, errors: &mut Errors) -> Option<bool> {
    let Some(json) = object.get("delta") else {
        return Some(false);
    };
    if json.is_boolean() {
        return json.as_bool();
    }
    let detail = format!("delta is {}; it must be true or false", quoted(json));
    errors.add(below(pointer, "delta"), detail);
    None
}

fn follow(object: &Map<String, Value>, pointer: &str, errors: &mut Errors) -> Option<bool> {
    let detail = match object.get("follow") {
        None => return Some(false),
        Some(Value::Bool(true)) if !object.contains_key("plugin") => {
            "follow is true; only a plugin recommends steps that can be followed".to_owned()
        }
        Some(Value::Bool(follow)) => return Some(*follow),
        Some(other) => format!("follow is {}; it must be true or false", quoted(other)),
    };
    errors.add(below(pointer, "follow"), detail);
    None
}

/// RFC 6901: `~` and `/` in a key are escaped.
pub(super) fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

pub(super) fn quoted(json: &Value) -> String {
    shown(&json.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use retake_plugin_manifest::{ChannelUse, Param, ParamKind, Passes, Scale};
    use serde_json::json;

    use super::*;

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
        Vocabulary {
            manifests,
            externals: vec!["default".to_owned()],
            steps_max: 3,
        }
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
                "com.example.gain, denoise, ears, org.retake.gain, trim",
            )],
        );
    }

    #[test]
    fn a_short_name_that_two_plugins_answer_to_is_refused() {
        check(
            one_step(json!({"plugin": "gain"})),
            &[("/chain/steps/0/plugin", "com.example.gain, org.retake.gain")],
        );
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
            vocabulary.manifests.retain(|m| m.version != newest);
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
        let errors =
            Chain::parse(&json!("x".repeat(100_000)), "/chain", &vocabulary()).unwrap_err();
        assert!(errors[0].detail.len() < 300);
    }
}
