//! The file itself: what it imports, whether it installs, and what it says of itself.

use std::collections::HashSet;

use retake_plugin_manifest::{Manifest, ManifestError, ParamKind};

use super::Found;

/// The contract leaves units free; these are shown and converted by everybody alike.
const WELL_KNOWN_UNITS: [&str; 9] = ["dB", "Hz", "ms", "s", "%", "LUFS", "dBTP", "st", ""];

pub fn imported(is_component: bool, bytes: usize) -> Found {
    let kind = if is_component {
        "a component"
    } else {
        "a core module, which the host makes a component of,"
    };
    Found::passed(format!(
        "{kind} of {} KiB; nothing is imported but the host's log",
        bytes.div_ceil(1024)
    ))
}

pub fn installed() -> Found {
    Found::passed(
        "compiled under the limits of 1.5 GiB and 60 s of CPU time; every export is there and of its \
         type",
    )
}

pub fn broken_manifest(errors: &[ManifestError]) -> Found {
    let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
    Found::failed(format!("describe returned: {}", said.join("; ")))
}

/// A valid one, and what its author may want to think over.
pub fn manifest(manifest: &Manifest) -> Found {
    let hints = hints(manifest);
    let said = format!(
        "{} {}, {} parameter(s)",
        manifest.id,
        manifest.version,
        manifest.params.len()
    );
    if hints.is_empty() {
        Found::passed(said)
    } else {
        Found::warned(format!("{said}. {}", hints.join("; ")))
    }
}

fn hints(manifest: &Manifest) -> Vec<String> {
    let mut hints = Vec::new();
    let mut hint = |text: String| hints.push(text);
    for (field, text) in [
        ("summary", &manifest.summary),
        ("license", &manifest.license),
        ("vendor", &manifest.vendor),
    ] {
        if text.is_empty() {
            hint(format!("{field} is empty; the catalogue shows it"));
        }
    }
    let mut keys = HashSet::new();
    for (key, _) in &manifest.extras {
        if !keys.insert(key) {
            hint(format!(
                "extras has \"{key}\" twice; which one holds is open"
            ));
        }
    }
    for param in &manifest.params {
        let id = &param.id;
        if !WELL_KNOWN_UNITS.contains(&param.unit.as_str()) {
            hint(format!(
                "{id}: the unit \"{}\" is not one of the well known (dB, Hz, ms, s, %, LUFS, dBTP, st, \
                 or none)",
                param.unit
            ));
        }
        if param.help.is_empty() {
            hint(format!(
                "{id}: help is empty; forms show it beside the parameter"
            ));
        }
        if let ParamKind::Float { min, max, .. } = param.kind
            && min == max
        {
            hint(format!(
                "{id}: min and max are both {min}: there is nothing to set"
            ));
        }
    }
    hints
}

#[cfg(test)]
mod tests {
    use retake_plugin_manifest::{ChannelUse, Param, Passes};

    use super::*;
    use crate::report::Outcome;

    fn valid() -> Manifest {
        Manifest {
            id: "org.example.gain".into(),
            name: "Gain".into(),
            version: "1.0.0".into(),
            vendor: "Example".into(),
            summary: "Louder".into(),
            license: "MIT".into(),
            params: vec![Param {
                id: "gain".into(),
                label: "Gain".into(),
                help: "How much louder".into(),
                unit: "dB".into(),
                group: String::new(),
                kind: ParamKind::Toggle { default: true },
            }],
            passes: Passes {
                analyze: false,
                process: true,
            },
            channels: ChannelUse::Linked,
            max_channels: 0,
            sample_rates: vec![],
            block_quantum: 1,
            extras: vec![],
        }
    }

    #[test]
    fn a_valid_manifest_passes_and_what_may_be_an_oversight_is_hinted_at() {
        assert_eq!(manifest(&valid()).outcome, Outcome::Passed);
        let check = |change: fn(&mut Manifest), words: &str| {
            let mut changed = valid();
            change(&mut changed);
            let found = manifest(&changed);
            assert_eq!(found.outcome, Outcome::Warned, "{words}");
            assert!(found.detail.contains(words), "{}", found.detail);
        };
        check(|m| m.summary.clear(), "summary is empty");
        check(|m| m.params[0].unit = "decibel".into(), "\"decibel\"");
        check(|m| m.params[0].help.clear(), "gain: help is empty");
        check(
            |m| m.extras = vec![("a".into(), "1".into()), ("a".into(), "2".into())],
            "\"a\" twice",
        );
    }
}
