//! Which plugins a chain names, before any of them is known: only those need be compiled.

use std::{collections::HashSet, path::Path};

use retake_chain::preset;
use serde_json::Value;

/// The last part of each name that the chain has. `None` where that does not say all that may run: a step's
/// recommendation is followed, or the chain is none, which the check with all plugins explains.
pub(super) fn plugins(chain: &str) -> Option<HashSet<String>> {
    let json: Value = if let Some(preset) = preset::find(chain) {
        preset.chain.clone()
    } else if chain.trim_start().starts_with('{') {
        serde_json::from_str(chain).ok()?
    } else {
        serde_json::from_str(&std::fs::read_to_string(Path::new(chain)).ok()?).ok()?
    };
    let mut names = HashSet::new();
    for step in json.get("steps")?.as_array()? {
        if step.get("follow").is_some_and(|follow| follow != false) {
            return None;
        }
        match step.get("plugin") {
            Some(plugin) => {
                let name = plugin.as_str()?;
                names.insert(name.rsplit('.').next().unwrap_or(name).to_owned());
            }
            // An external service needs no plugin.
            None => _ = step.get("external")?,
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(chain: &str, expected: Option<&[&str]>) {
        let expected = expected.map(|names| names.iter().map(ToString::to_string).collect());
        assert_eq!(plugins(chain), expected, "{chain}");
    }

    #[test]
    fn what_a_chain_names_is_what_it_needs_unless_it_follows_a_recommendation() {
        check("loudness-only", Some(&["loudness"]));
        check("auto", None);
        check("no such preset or file", None);
        check(r#"{"steps": 3}"#, None);
        check(r#"{"steps": [{"plugin": 3}]}"#, None);
        check(r#"{"steps": [{}]}"#, None);
        check(r#"{"steps": []}"#, Some(&[]));
        check(
            r#"{"steps": [{"plugin": "org.retake.gain"}, {"plugin": "hum"}, {"external": "studio"}]}"#,
            Some(&["gain", "hum"]),
        );
        check(
            r#"{"steps": [{"plugin": "diagnose", "follow": true}]}"#,
            None,
        );
        check(
            r#"{"steps": [{"plugin": "diagnose", "follow": false}]}"#,
            Some(&["diagnose"]),
        );
    }
}
