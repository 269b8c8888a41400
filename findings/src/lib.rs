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

impl Code {
    /// The template as it reads for many, with the parameters alone in braces: for pages.
    pub fn pattern(self) -> String {
        let mut text = String::new();
        let mut rest = self.template();
        while let Some((before, after)) = rest.split_once('{') {
            let (field, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(before);
            match forms(field) {
                Some((_, _, many)) => text.push_str(many),
                None => text.extend(["{", field, "}"]),
            }
            rest = after;
        }
        text + rest
    }
}

/// `name?one|many`
fn forms(field: &str) -> Option<(&str, &str, &str)> {
    let (name, forms) = field.split_once('?')?;
    let (one, many) = forms.split_once('|')?;
    Some((name, one, many))
}

/// One of what is counted, or one in a list.
fn is_one(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Array(list)) => list.len() == 1,
        Some(number) => number.as_f64() == Some(1.0),
        None => false,
    }
}

/// Replaces `{name}`, `{name:.1}` and `{name?one|many}` by the parameters. A text parameter comes from a
/// file or a plugin: control characters in it are left out.
fn sentence(template: &str, params: &Map<String, Value>) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (field, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        rest = after;
        if let Some((name, one, many)) = forms(field) {
            debug_assert!(params.contains_key(name), "{template:?} names {name}");
            let is_one = is_one(params.get(name));
            text.push_str(if is_one { one } else { many });
            continue;
        }
        let (name, digits) = match field.split_once(":.") {
            Some((name, digits)) => (name, digits.parse().ok()),
            None => (field, None),
        };
        debug_assert!(
            params.contains_key(name),
            "{template:?} names {name}, which is not given"
        );
        text.push_str(&shown(params.get(name).unwrap_or(&Value::Null), digits));
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
    fn one_is_not_many() {
        let said = |code, name: &str, value: Value| {
            let mut params = Map::new();
            for field in code_fields(code) {
                params.insert(field, 7.into());
            }
            params.insert(name.to_owned(), value);
            sentence(code.template(), &params)
        };
        for (code, name, one, many) in [
            (
                Code::ClockWentBack,
                "times",
                "back 1 time, by",
                "back 3 times, by",
            ),
            (
                Code::GapsFilled,
                "gaps",
                "1 gap in the file's clock was",
                "3 gaps in the file's clock were",
            ),
            (
                Code::ContainerDamaged,
                "places",
                "in 1 place (",
                "in 3 places (",
            ),
            (
                Code::BytesSkipped,
                "bytes",
                "1 byte in the middle of the file is",
                "3 bytes in the middle",
            ),
            (
                Code::Clipped,
                "stretches",
                "1 stretch is",
                "3 stretches are",
            ),
            (
                Code::SpikesIsolated,
                "count",
                "1 impossible sample, up",
                "3 impossible samples, up",
            ),
        ] {
            assert!(said(code, name, 1.into()).contains(one), "{one}");
            assert!(said(code, name, 3.into()).contains(many), "{many}");
            assert!(said(code, name, 0.into()).contains("0 "));
        }
        let dead = |channels| said(Code::ChannelDead, "channels", channels);
        assert!(dead(vec![2].into()).starts_with("this channel is silent"));
        assert!(dead(vec![2, 3].into()).starts_with("these channels are silent"));
    }

    fn code_fields(code: Code) -> impl Iterator<Item = String> {
        let fields = code.template().split('{').skip(1);
        fields.map(|field| field.split(['}', ':', '?']).next().unwrap().to_owned())
    }

    #[test]
    fn no_sentence_counts_one_of_many() {
        // What stands behind a number in a sentence is in two forms, or names what can never be one.
        let never_one = [
            "{streams} recordings",
            "{channels} channels",
            "{name} recommends",
            "{name} peaks",
            "{wanted} holds",
        ];
        for code in Code::ALL {
            let template = code.template();
            for (at, _) in template.match_indices("} ") {
                let word = template[at + 2..].split(' ').next().unwrap();
                let start = template[..at].rfind('{').unwrap();
                let counted = &template[start..at + 2 + word.len()];
                let is_counted = word.len() > 3
                    && word.ends_with('s')
                    && word.bytes().all(|b| b.is_ascii_lowercase());
                let is_known = never_one.iter().any(|known| known.starts_with(counted));
                assert!(!is_counted || is_known, "{}: {counted}", code.name());
            }
        }
    }

    #[test]
    fn a_pattern_has_the_parameters_alone_in_braces() {
        let pattern = Code::GapsFilled.pattern();
        let expected =
            "{gaps} gaps in the file's clock were filled with {silence_ms} ms of silence";
        assert_eq!(pattern, expected);
        assert!(
            Code::ALL
                .iter()
                .all(|code| !code.pattern().contains(['?', '|']))
        );
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
