//! The chain that an analyser recommends. It comes out of foreign code, so it is checked as a
//! stranger's request is, and may do less: plugins only, and no analyser that is followed in turn.

use serde_json::Value;

use crate::{
    NotAPlugin, Step, Vocabulary,
    parse::{CHAIN_KEYS, Errors, quoted, step},
    problem::{FieldError, below},
    vocabulary::shown,
};

/// The id of the measurement that carries it, as the text of a chain's JSON.
pub const RECOMMENDED_CHAIN: &str = "recommended-chain";

/// Longest recommendation that is read.
const BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recommendation {
    /// None at all is a good answer: the recording needs nothing.
    pub steps: Vec<Step>,
    /// Recommended plugins that are not installed, as they were named: those steps are left out.
    pub missing: Vec<String>,
}

impl Recommendation {
    /// Parses what the plugin `by` (its manifest's id) recommends, at most `steps_left` steps. The
    /// errors' pointers point into the recommendation.
    pub fn parse(
        text: &str,
        by: &str,
        vocabulary: &Vocabulary,
        steps_left: usize,
    ) -> Result<Self, Vec<FieldError>> {
        let mut errors = Errors(Vec::new());
        let steps = listed(text, steps_left, &mut errors);
        let mut recommendation = Self::default();
        for (at, json) in steps.iter().enumerate() {
            let pointer = format!("/steps/{at}");
            if let Some(name) = missing(json, vocabulary) {
                recommendation.missing.push(name);
            } else if may_be_recommended(json, &pointer, by, vocabulary, &mut errors) {
                let step = step(json, &pointer, vocabulary, &mut errors);
                recommendation.steps.extend(step);
            }
        }
        if errors.0.is_empty() {
            Ok(recommendation)
        } else {
            Err(errors.0)
        }
    }
}

fn listed(text: &str, steps_left: usize, errors: &mut Errors) -> Vec<Value> {
    if text.len() > BYTES_MAX {
        let bytes = text.len();
        let detail = format!("it has {bytes} bytes; at most {BYTES_MAX} are read");
        errors.add("", detail);
        return Vec::new();
    }
    let mut chain = match serde_json::from_str(text) {
        Ok(Value::Object(chain)) => chain,
        Ok(other) => {
            let other = quoted(&other);
            let detail = format!("it is {other}; it must be an object with \"steps\"");
            errors.add("", detail);
            return Vec::new();
        }
        Err(error) => {
            errors.add("", format!("it is not JSON: {error}"));
            return Vec::new();
        }
    };
    errors.unknown_keys(&chain, CHAIN_KEYS, "");
    match chain.remove("steps") {
        Some(Value::Array(steps)) if steps.len() <= steps_left => steps,
        Some(Value::Array(steps)) => {
            let detail = format!(
                "there are {} steps; in this chain there is room for {steps_left} more",
                steps.len()
            );
            errors.add("/steps", detail);
            Vec::new()
        }
        other => {
            let found = other.map_or("missing".to_owned(), |other| quoted(&other));
            errors.add("/steps", format!("steps is {found}; it must be a list"));
            Vec::new()
        }
    }
}

/// The name of the step's plugin, if it is one that is not installed.
fn missing(json: &Value, vocabulary: &Vocabulary) -> Option<String> {
    let name = json.get("plugin")?.as_str()?;
    match vocabulary.plugin(name) {
        Err(NotAPlugin::Unknown { .. }) => Some(shown(name)),
        _ => None,
    }
}

fn may_be_recommended(
    json: &Value,
    pointer: &str,
    by: &str,
    vocabulary: &Vocabulary,
    errors: &mut Errors,
) -> bool {
    let before = errors.0.len();
    if json.get("external").is_some() {
        let detail = "only plugins may be recommended, not external services";
        errors.add(below(pointer, "external"), detail);
    }
    if json.get("follow").is_some() {
        let detail = "a recommended step is not followed; leave it out";
        errors.add(below(pointer, "follow"), detail);
    }
    let plugin = json.get("plugin").and_then(Value::as_str);
    if plugin.is_some_and(|name| vocabulary.plugin(name).is_ok_and(|plugin| plugin.id == by)) {
        errors.add(
            below(pointer, "plugin"),
            "a plugin may not recommend itself",
        );
    }
    errors.0.len() == before
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::{StepKind, parse::tests::vocabulary};

    fn parse(chain: &Value) -> Result<Recommendation, Vec<FieldError>> {
        Recommendation::parse(&chain.to_string(), "com.example.ears", &vocabulary(), 2)
    }

    fn check(chain: &Value, pointer: &str, words: &str) {
        let errors = parse(chain).expect_err(&chain.to_string());
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].pointer, pointer, "{errors:?}");
        assert!(errors[0].detail.contains(words), "{errors:?}");
    }

    #[test]
    fn the_steps_come_as_they_were_recommended() {
        let params = json!({"strength": 0.5});
        let chain = json!({"steps": [
            {"plugin": "denoise", "params": params, "on_failure": "skip"},
            {"plugin": "gain"},
        ]});
        let recommendation = parse(&chain).unwrap();
        assert!(recommendation.missing.is_empty());
        let names: Vec<_> = recommendation.steps.iter().map(Step::name).collect();
        assert_eq!(names, ["denoise", "gain"]);
        let StepKind::Plugin { params: kept, .. } = &recommendation.steps[0].kind else {
            panic!("no plugin");
        };
        assert_eq!(json!(kept), params);
    }

    #[test]
    fn nothing_is_a_good_recommendation() {
        assert_eq!(parse(&json!({"steps": []})), Ok(Recommendation::default()));
    }

    #[test]
    fn a_plugin_that_is_not_installed_is_left_out_and_named() {
        let chain = json!({"steps": [{"plugin": "reverb"}, {"plugin": "denoise"}]});
        let recommendation = parse(&chain).unwrap();
        assert_eq!(recommendation.missing, ["reverb"]);
        assert_eq!(recommendation.steps.len(), 1);
    }

    #[test]
    fn what_no_analyser_may_recommend_is_refused() {
        let one = |step: Value| json!({ "steps": [step] });
        check(
            &one(json!({"external": "default"})),
            "/steps/0/external",
            "only plugins",
        );
        check(
            &one(json!({"plugin": "denoise", "follow": true})),
            "/steps/0/follow",
            "not followed",
        );
        check(
            &one(json!({"plugin": "com.example.ears"})),
            "/steps/0/plugin",
            "itself",
        );
        check(&one(json!({"plugin": "ears"})), "/steps/0/plugin", "itself");
        check(
            &one(json!({"plugin": "denoise", "params": {"strength": 2}})),
            "/steps/0/params/strength",
            "from 0 to 1",
        );
        check(
            &json!({"steps": vec![json!({"plugin": "denoise"}); 1000]}),
            "/steps",
            "there are 1000 steps; in this chain there is room for 2 more",
        );
        check(&json!({}), "/steps", "missing");
        check(&json!([]), "", "must be an object");
    }

    #[test]
    fn what_is_no_json_or_too_long_is_refused() {
        let refused = |text: &str| {
            let errors = Recommendation::parse(text, "com.example.ears", &vocabulary(), 2);
            errors.unwrap_err().remove(0).detail
        };
        assert!(refused("denoise, then gain").contains("not JSON"));
        assert!(refused(&"[".repeat(50_000)).contains("not JSON"), "deep");
        let long = format!("{{\"steps\":[]{}}}", " ".repeat(BYTES_MAX));
        assert!(refused(&long).contains("at most 65536"));
    }
}
