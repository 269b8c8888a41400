//! Parameter values: parsed from JSON, checked against a manifest, completed with its defaults.

use serde::{Deserialize, Serialize};

use crate::{Manifest, Param, ParamKind};

/// A parameter's value, plain and not normalised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Toggle(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    pub id: String,
    pub value: Value,
}

/// Every declared parameter exactly once, in declared order, each within its range: what a plugin's
/// `open` is promised. There is no other way to make one than [`Settings::resolve`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Settings(Vec<Setting>);

/// Why a value is not taken. `param` is the key in the request's `params` object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct SettingError {
    pub param: String,
    pub detail: String,
}

impl Settings {
    /// Checks `given` against the manifest and fills in defaults. All errors come back at once.
    pub fn resolve(
        manifest: &Manifest,
        given: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Self, Vec<SettingError>> {
        let mut errors = Vec::new();
        for key in given.keys() {
            if manifest.param(key).is_none() {
                let known: Vec<_> = manifest.params.iter().map(|p| p.id.as_str()).collect();
                errors.push(SettingError {
                    param: key.clone(),
                    detail: format!(
                        "plugin {} has no parameter \"{key}\"; it has: {}",
                        manifest.short_name(),
                        if known.is_empty() {
                            "none".to_owned()
                        } else {
                            known.join(", ")
                        }
                    ),
                });
            }
        }
        let mut settings = Vec::with_capacity(manifest.params.len());
        for param in &manifest.params {
            let value = match given.get(&param.id) {
                None => default_of(param),
                Some(json) => match param.check(json) {
                    Ok(value) => value,
                    Err(detail) => {
                        errors.push(SettingError {
                            param: param.id.clone(),
                            detail,
                        });
                        continue;
                    }
                },
            };
            settings.push(Setting {
                id: param.id.clone(),
                value,
            });
        }
        if errors.is_empty() {
            Ok(Self(settings))
        } else {
            Err(errors)
        }
    }

    /// The values by parameter id, as a chain could give them.
    pub fn to_json(&self) -> serde_json::Map<String, serde_json::Value> {
        let value = |value: &Value| match value {
            Value::Toggle(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(value) => value.as_str().into(),
        };
        let settings = self.0.iter();
        settings
            .map(|setting| (setting.id.clone(), value(&setting.value)))
            .collect()
    }

    pub fn get(&self, id: &str) -> Option<&Value> {
        let mut settings = self.0.iter();
        let found = settings.find(|setting| setting.id == id);
        found.map(|setting| &setting.value)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.0.iter()
    }
}

fn default_of(param: &Param) -> Value {
    match &param.kind {
        ParamKind::Float { default, .. } => Value::Float(*default),
        ParamKind::Int { default, .. } => Value::Int(*default),
        ParamKind::Toggle { default } => Value::Toggle(*default),
        ParamKind::Choice { default, .. } => Value::Text(default.clone()),
    }
}

impl Param {
    /// Parses one JSON value; the error names the value and the allowed range.
    pub fn check(&self, json: &serde_json::Value) -> Result<Value, String> {
        let id = &self.id;
        let unit = if self.unit.is_empty() {
            String::new()
        } else {
            format!(" {}", self.unit)
        };
        match &self.kind {
            ParamKind::Float { min, max, .. } => match json.as_f64() {
                Some(v) if v >= *min && v <= *max => Ok(Value::Float(v)),
                _ => Err(format!(
                    "{id} is {json}; it must be a number from {min} to {max}{unit}"
                )),
            },
            ParamKind::Int { min, max, .. } => match json.as_i64() {
                Some(v) if v >= *min && v <= *max => Ok(Value::Int(v)),
                _ => Err(format!(
                    "{id} is {json}; it must be a whole number from {min} to {max}{unit}"
                )),
            },
            ParamKind::Toggle { .. } => match json.as_bool() {
                Some(v) => Ok(Value::Toggle(v)),
                None => Err(format!("{id} is {json}; it must be true or false")),
            },
            ParamKind::Choice { choices, .. } => match json.as_str() {
                Some(v) if choices.iter().any(|c| c.id == v) => Ok(Value::Text(v.to_owned())),
                _ => {
                    let ids: Vec<_> = choices.iter().map(|c| c.id.as_str()).collect();
                    Err(format!(
                        "{id} is {json}; it must be one of: {}",
                        ids.join(", ")
                    ))
                }
            },
        }
    }
}
