//! `describe` is pure: the same answer always, no state, no log.

use super::{Found, subject::Subject};

pub fn same_each_time(subject: &Subject<'_>) -> Found {
    let installed = subject.manifest();
    let mut answers = Vec::new();
    let mut said = Vec::new();
    for _ in 0..2 {
        let mut instance = match subject.plugin().instance() {
            Ok(instance) => instance,
            Err(error) => return Found::failed(format!("starting a second instance: {error}")),
        };
        for _ in 0..2 {
            match instance.describe() {
                Ok(manifest) => answers.push(manifest),
                Err(error) => return Found::failed(format!("calling describe again: {error}")),
            }
        }
        said.extend(instance.log());
    }
    if let Some(other) = answers.iter().find(|answer| *answer != installed) {
        return Found::failed(format!(
            "describe was called twice in each of two instances, and its answers differ: {}. The \
             contract says of describe: pure, no state, same answer always",
            difference(installed, other)
        ));
    }
    if let Some(line) = said.first() {
        return Found::failed(format!(
            "describe logged \"{}\". The contract says of describe: no log; the host does not keep it",
            line.message.chars().take(200).collect::<String>()
        ));
    }
    Found::passed("called twice in each of two instances: the same answer, and nothing logged")
}

/// The first field that differs, by its name.
fn difference(
    one: &retake_plugin_manifest::Manifest,
    other: &retake_plugin_manifest::Manifest,
) -> String {
    let json = |manifest| match serde_json::to_value(manifest) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (one, other) = (json(one), json(other));
    let differs = one
        .iter()
        .find(|(key, value)| other.get(*key) != Some(value));
    match differs {
        Some((key, value)) => format!(
            "{key} was {value} and became {}",
            other.get(key).unwrap_or(&serde_json::Value::Null)
        ),
        None => "a field appeared".to_owned(),
    }
}
