//! What there is to say about a recording or a correction, in a form that a page can say in any
//! language: a code, a severity and the numbers that go with it, and one English sentence made from
//! them.
//!
//! [`Code`] is the one list; `docs/findings.md` is generated from it.

mod codes;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

pub use codes::Code;

/// How much a person should care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know; nothing is lost or wrong.
    Info,
    /// Something is lost, was mended, or is not as asked for.
    Warning,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
        }
    }
}

/// One thing that was found. Made by this version from a [`Code`]; read from whatever version wrote
/// it, so the code is text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Stable for ever, kebab-case: see `docs/findings.md`.
    pub code: String,
    pub severity: Severity,
    /// Numbers and names, by the names that the code's sentence uses.
    pub params: Map<String, Value>,
    /// The English sentence.
    pub message: String,
}

impl Finding {
    /// Panics in debug builds where the sentence names a parameter that is not given: that is a
    /// mistake in the caller, which its tests should meet.
    pub fn new<const N: usize>(code: Code, params: [(&str, Value); N]) -> Self {
        let params = params.map(|(name, value)| (name.to_owned(), value));
        Self::with(code, params.into_iter().collect())
    }

    /// Of a step that ran: every finding about one names it by its place in the report, from 0, and by
    /// its name in the chain.
    pub fn of_step<const N: usize>(
        code: Code,
        step: usize,
        name: &str,
        params: [(&str, Value); N],
    ) -> Self {
        let mut of_step = Map::new();
        of_step.insert("step".to_owned(), step.into());
        of_step.insert("name".to_owned(), name.into());
        of_step.extend(params.map(|(name, value)| (name.to_owned(), value)));
        Self::with(code, of_step)
    }

    fn with(code: Code, params: Map<String, Value>) -> Self {
        Self {
            code: code.name().to_owned(),
            severity: code.severity(),
            message: sentence(code.template(), &params),
            params,
        }
    }

    pub fn is(&self, code: Code) -> bool {
        self.code == code.name()
    }

    pub fn is_warning(&self) -> bool {
        self.severity == Severity::Warning
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<'de> Deserialize<'de> for Finding {
    /// Also a bare sentence, which is what versions before 0.2 stored.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Stored {
            Sentence(String),
            Finding {
                code: String,
                severity: Severity,
                #[serde(default)]
                params: Map<String, Value>,
                message: String,
            },
        }
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Sentence(message) => Finding::new(Code::Note, [("text", message.into())]),
            Stored::Finding {
                code,
                severity,
                params,
                message,
            } => Self {
                code,
                severity,
                params,
                message,
            },
        })
    }
}

/// Replaces `{name}` and `{name:.1}` by the parameters. A text parameter comes from a file or a
/// plugin: control characters in it are left out.
fn sentence(template: &str, params: &Map<String, Value>) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (field, after) = after.split_once('}').unwrap_or((after, ""));
        let (name, digits) = match field.split_once(":.") {
            Some((name, digits)) => (name, digits.parse().ok()),
            None => (field, None),
        };
        debug_assert!(
            params.contains_key(name),
            "{template:?} names {name}, which is not given"
        );
        text.push_str(before);
        text.push_str(&shown(params.get(name).unwrap_or(&Value::Null), digits));
        rest = after;
    }
    text.push_str(rest);
    text
}

fn shown(value: &Value, digits: Option<usize>) -> String {
    match (value, digits) {
        (Value::Number(number), Some(digits)) => match number.as_f64() {
            // Not "-0.0".
            Some(x) => format!("{:.digits$}", x + 0.0).replace("-0.0", "0.0"),
            None => number.to_string(),
        },
        (Value::String(text), _) => text
            .chars()
            .filter(|c| !retake_words::is_hidden(*c))
            .collect(),
        (Value::Null, _) => "unknown".to_owned(),
        (Value::Array(list), digits) => {
            let list: Vec<_> = list.iter().map(|value| shown(value, digits)).collect();
            list.join(", ")
        }
        (other, _) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_sentence_is_made_from_its_numbers() {
        let check = |template: &str, params: Value, expected: &str| {
            let Value::Object(params) = params else {
                unreachable!()
            };
            assert_eq!(sentence(template, &params), expected);
        };
        check("{n} of {m}", serde_json::json!({"n": 1, "m": 2}), "1 of 2");
        check("{x:.1} dB", serde_json::json!({"x": -0.04}), "0.0 dB");
        check("{x:.2} dB", serde_json::json!({"x": 3}), "3.00 dB");
        check("{t}", serde_json::json!({"t": "a\u{7}b\n"}), "ab");
        check("{t}", serde_json::json!({"t": [1, 2]}), "1, 2");
        check("no number", serde_json::json!({}), "no number");
    }

    #[test]
    fn what_an_older_version_stored_is_read() {
        let old: Finding = serde_json::from_str("\"the file is truncated\"").unwrap();
        assert!(old.is(Code::Note));
        assert_eq!(old.message, "the file is truncated");
        let new = Finding::new(Code::Note, [("text", "x".into())]);
        let stored = serde_json::to_string(&new).unwrap();
        assert_eq!(serde_json::from_str::<Finding>(&stored).unwrap(), new);
    }

    #[test]
    fn what_a_newer_version_stored_is_read() {
        let newer = r#"{"code":"of-tomorrow","severity":"warning","params":{"a":1},"message":"m"}"#;
        assert_eq!(
            serde_json::from_str::<Finding>(newer).unwrap().code,
            "of-tomorrow"
        );
    }
}
