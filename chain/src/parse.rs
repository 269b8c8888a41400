//! From a request's JSON to a checked [`Chain`]. All errors come back at once, each with an RFC 6901
//! pointer to the value it means.

use retake_plugin_manifest::{Manifest, Settings};
use serde_json::{Map, Value, json};

use crate::{
    NotAPlugin, Vocabulary,
    chain::{Chain, OnFailure, Spare, Step, StepKind, full},
    problem::{FieldError, below},
    vocabulary::shown,
};

pub(crate) const CHAIN_KEYS: &[&str] = &["steps"];
const STEP_KEYS: &[&str] = &[
    "plugin",
    "version",
    "params",
    "external",
    "mix",
    "on_failure",
    "delta",
    "follow",
    "spare",
];
/// So many things a step may spare.
const SPARED_MAX: usize = 8;
const SPARED_ID_MAX: usize = 64;

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

pub(crate) struct Errors(pub Vec<FieldError>);

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
    if steps[0]
        .get("spare")
        .is_some_and(|spare| *spare != json!({}))
    {
        let detail = "no step comes before this one that could have found anything to spare";
        errors.add(format!("{pointer}/0/spare"), detail);
    }
    steps
        .iter()
        .enumerate()
        .filter_map(|(i, json)| step(json, &format!("{pointer}/{i}"), vocabulary, errors))
        .collect()
}

pub(crate) fn step(
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
    let spare = spare(object, pointer, errors);
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
        spare: spare?,
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
    if !step.spare.is_empty() {
        let detail = format!("{name} shortens the recording, so it can spare nothing");
        errors.add(below(pointer, "spare"), detail);
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
                NotAPlugin::Unknown { .. } => "plugin",
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

fn spare(object: &Map<String, Value>, pointer: &str, errors: &mut Errors) -> Option<Spare> {
    let Some(json) = object.get("spare") else {
        return Some(Spare::new());
    };
    let pointer = below(pointer, "spare");
    let Some(spared) = json.as_object().filter(|_| object.contains_key("plugin")) else {
        let detail = match json.is_object() {
            true => "an external step spares nothing; leave it out".to_owned(),
            false => format!(
                "spare is {}; it must be an object: what is spared, and the part of it from 0 to 1",
                quoted(json)
            ),
        };
        errors.add(pointer, detail);
        return None;
    };
    if spared.len() > SPARED_MAX {
        let detail = format!(
            "it spares {} things; at most {SPARED_MAX} are taken",
            spared.len()
        );
        errors.add(pointer, detail);
        return None;
    }
    let mut spare = Spare::new();
    for (id, part) in spared {
        match part.as_f64() {
            Some(part) if (0.0..=1.0).contains(&part) && id.len() <= SPARED_ID_MAX => {
                spare.insert(id.clone(), part);
            }
            _ => {
                let detail = format!(
                    "\"{}\" is {}; it must be a number from 0 to 1, and its name have at most {SPARED_ID_MAX} bytes",
                    shown(id),
                    quoted(part)
                );
                errors.add(below(&pointer, id), detail);
            }
        }
    }
    (spare.len() == spared.len()).then_some(spare)
}

pub(crate) fn quoted(json: &Value) -> String {
    shown(&json.to_string())
}

#[cfg(test)]
pub(crate) mod tests;
