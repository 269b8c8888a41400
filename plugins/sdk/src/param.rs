//! Parameters: declared once, as constants, and read back with their own type.
//!
//! From the declaration come the check of every value, the entry in the API's JSON Schema and the field in
//! the page. An id is for ever: stored chains refer to it.
//!
//! ```
//! use retake_plugin_sdk::prelude::*;
//!
//! const CUTOFF_HZ: FloatParam = FloatParam::new("cutoff-hz", "Cutoff", 20.0, 2_000.0, 80.0)
//!     .unit("Hz")
//!     .logarithmic()
//!     .help("What lies below is removed.");
//! const ORDER: IntParam = IntParam::new("order", "Order", 1, 8, 2);
//! const BYPASS: ToggleParam = ToggleParam::new("bypass", "Bypass", false);
//! const MAINS: ChoiceParam = ChoiceParam::new(
//!     "mains",
//!     "Mains",
//!     &[("auto", "Find out"), ("50", "50 Hz"), ("60", "60 Hz")],
//!     "auto",
//! );
//! ```

use crate::bindings::retake::correction::types as wit_types;

/// Any parameter, as [`crate::Corrector::PARAMS`] lists them.
pub trait Param: Sync {
    /// Stable for ever: presets and stored chains refer to it.
    fn id(&self) -> &'static str;

    #[doc(hidden)]
    fn declare(&self) -> wit_types::Param;

    #[doc(hidden)]
    fn default_value(&self) -> wit_types::Value;
}

/// A parameter whose values have a Rust type.
pub trait TypedParam: Param {
    /// What [`crate::Settings::get`] gives back.
    type Value;

    #[doc(hidden)]
    fn read(&self, value: &wit_types::Value) -> Option<Self::Value>;

    #[doc(hidden)]
    fn write(&self, value: Self::Value) -> wit_types::Value;
}

/// What every kind of parameter says about itself.
#[derive(Debug, Clone, Copy)]
struct Words {
    id: &'static str,
    label: &'static str,
    help: &'static str,
    unit: &'static str,
    group: &'static str,
}

impl Words {
    const fn new(id: &'static str, label: &'static str) -> Self {
        Self {
            id,
            label,
            help: "",
            unit: "",
            group: "",
        }
    }

    fn declare(&self, kind: wit_types::ParamKind) -> wit_types::Param {
        wit_types::Param {
            id: self.id.into(),
            label: self.label.into(),
            help: self.help.into(),
            unit: self.unit.into(),
            group: self.group.into(),
            kind,
        }
    }
}

macro_rules! words {
    () => {
        /// One or two sentences for the person who sets it.
        pub const fn help(mut self, help: &'static str) -> Self {
            self.words.help = help;
            self
        }

        /// Heading under which the host lists it; "A/B" nests. Without it there is none.
        pub const fn group(mut self, group: &'static str) -> Self {
            self.words.group = group;
            self
        }

        /// Free text; well known are "dB", "Hz", "ms", "s", "%", "LUFS", "dBTP", "st".
        pub const fn unit(mut self, unit: &'static str) -> Self {
            self.words.unit = unit;
            self
        }
    };
}

/// A number with a range, both ends included, in the unit it states.
#[derive(Debug, Clone, Copy)]
pub struct FloatParam {
    words: Words,
    min: f64,
    max: f64,
    default: f64,
    step: Option<f64>,
    logarithmic: bool,
}

impl FloatParam {
    /// `id` is made of a-z, 0-9 and `-`. All three numbers must be finite, and `default` within
    /// `min..=max`; the host refuses the plugin otherwise.
    pub const fn new(
        id: &'static str,
        label: &'static str,
        min: f64,
        max: f64,
        default: f64,
    ) -> Self {
        let words = Words::new(id, label);
        Self {
            words,
            min,
            max,
            default,
            step: None,
            logarithmic: false,
        }
    }

    words!();

    /// A sensible step for a slider. Values between steps are still allowed.
    pub const fn step(mut self, step: f64) -> Self {
        self.step = Some(step);
        self
    }

    /// A slider should move in ratios, not differences: frequencies, times. Needs `min` > 0.
    pub const fn logarithmic(mut self) -> Self {
        self.logarithmic = true;
        self
    }
}

impl Param for FloatParam {
    fn id(&self) -> &'static str {
        self.words.id
    }

    fn declare(&self) -> wit_types::Param {
        let scale = if self.logarithmic {
            wit_types::Scale::Logarithmic
        } else {
            wit_types::Scale::Linear
        };
        self.words
            .declare(wit_types::ParamKind::Float(wit_types::FloatRange {
                min: self.min,
                max: self.max,
                default: self.default,
                step: self.step,
                scale,
            }))
    }

    fn default_value(&self) -> wit_types::Value {
        wit_types::Value::Float(self.default)
    }
}

impl TypedParam for FloatParam {
    type Value = f64;

    fn read(&self, value: &wit_types::Value) -> Option<f64> {
        match value {
            wit_types::Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    fn write(&self, value: f64) -> wit_types::Value {
        wit_types::Value::Float(value)
    }
}

/// A whole number with a range.
#[derive(Debug, Clone, Copy)]
pub struct IntParam {
    words: Words,
    min: i64,
    max: i64,
    default: i64,
}

impl IntParam {
    /// `default` must lie within `min..=max`.
    pub const fn new(
        id: &'static str,
        label: &'static str,
        min: i64,
        max: i64,
        default: i64,
    ) -> Self {
        Self {
            words: Words::new(id, label),
            min,
            max,
            default,
        }
    }

    words!();
}

impl Param for IntParam {
    fn id(&self) -> &'static str {
        self.words.id
    }

    fn declare(&self) -> wit_types::Param {
        self.words
            .declare(wit_types::ParamKind::Int(wit_types::IntRange {
                min: self.min,
                max: self.max,
                default: self.default,
            }))
    }

    fn default_value(&self) -> wit_types::Value {
        wit_types::Value::Int(self.default)
    }
}

impl TypedParam for IntParam {
    type Value = i64;

    fn read(&self, value: &wit_types::Value) -> Option<i64> {
        match value {
            wit_types::Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    fn write(&self, value: i64) -> wit_types::Value {
        wit_types::Value::Int(value)
    }
}

/// On or off.
#[derive(Debug, Clone, Copy)]
pub struct ToggleParam {
    words: Words,
    default: bool,
}

impl ToggleParam {
    /// `id` is made of a-z, 0-9 and `-`.
    pub const fn new(id: &'static str, label: &'static str, default: bool) -> Self {
        Self {
            words: Words::new(id, label),
            default,
        }
    }

    words!();
}

impl Param for ToggleParam {
    fn id(&self) -> &'static str {
        self.words.id
    }

    fn declare(&self) -> wit_types::Param {
        self.words
            .declare(wit_types::ParamKind::Toggle(self.default))
    }

    fn default_value(&self) -> wit_types::Value {
        wit_types::Value::Toggle(self.default)
    }
}

impl TypedParam for ToggleParam {
    type Value = bool;

    fn read(&self, value: &wit_types::Value) -> Option<bool> {
        match value {
            wit_types::Value::Toggle(value) => Some(*value),
            _ => None,
        }
    }

    fn write(&self, value: bool) -> wit_types::Value {
        wit_types::Value::Toggle(value)
    }
}

/// One of a few named ways.
#[derive(Debug, Clone, Copy)]
pub struct ChoiceParam {
    words: Words,
    choices: &'static [(&'static str, &'static str)],
    default: &'static str,
}

impl ChoiceParam {
    /// `choices` are pairs of id and label; `default` is the id of one of them.
    pub const fn new(
        id: &'static str,
        label: &'static str,
        choices: &'static [(&'static str, &'static str)],
        default: &'static str,
    ) -> Self {
        Self {
            words: Words::new(id, label),
            choices,
            default,
        }
    }

    words!();
}

impl Param for ChoiceParam {
    fn id(&self) -> &'static str {
        self.words.id
    }

    fn declare(&self) -> wit_types::Param {
        let choices = self
            .choices
            .iter()
            .map(|(id, label)| wit_types::Choice {
                id: (*id).into(),
                label: (*label).into(),
            })
            .collect();
        self.words
            .declare(wit_types::ParamKind::Choice(wit_types::ChoiceRange {
                choices,
                default: self.default.into(),
            }))
    }

    fn default_value(&self) -> wit_types::Value {
        wit_types::Value::Text(self.default.into())
    }
}

impl TypedParam for ChoiceParam {
    /// The id of the chosen one.
    type Value = &'static str;

    fn read(&self, value: &wit_types::Value) -> Option<&'static str> {
        match value {
            wit_types::Value::Text(value) => self
                .choices
                .iter()
                .map(|(id, _)| *id)
                .find(|id| id == value),
            _ => None,
        }
    }

    fn write(&self, value: &'static str) -> wit_types::Value {
        wit_types::Value::Text(value.into())
    }
}
