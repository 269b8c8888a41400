//! What a plugin promises in its manifest's extras, and is held to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Manifest, ParamKind, Settings, Value};

/// The extra's key. Its value is `MIN..MAX` in dB, `-60..24` say.
pub const LEVEL_CHANGE_DB: &str = "level-change-db";

/// The range of a promise; its lower end is what stands for silence.
const RANGE_DB: std::ops::RangeInclusive<f64> = -120.0..=120.0;

/// The change of level that a plugin promises to stay within, whatever its parameters: that of what
/// can be heard in its input, in dB. -120 allows it to take away everything.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LevelPromise {
    pub min_db: f64,
    pub max_db: f64,
}

impl FromStr for LevelPromise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text
            .split_once("..")
            // The third dot of an ellipsis would pass for a decimal point.
            .filter(|(_, max)| !max.starts_with('.'))
            .and_then(|(min, max)| Some((min.parse().ok()?, max.parse().ok()?)));
        match parsed {
            Some((min_db, max_db))
                if RANGE_DB.contains(&min_db) && RANGE_DB.contains(&max_db) && min_db <= max_db =>
            {
                Ok(Self { min_db, max_db })
            }
            _ => Err(format!(
                "it must be MIN..MAX in dB with {} <= MIN <= MAX <= {}, -60..24 say",
                RANGE_DB.start(),
                RANGE_DB.end()
            )),
        }
    }
}

impl fmt::Display for LevelPromise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.min_db, self.max_db)
    }
}

/// The extra's key. Its value is the id of the parameter that states the loudness of the result, in
/// LUFS.
pub const TARGET_LUFS: &str = "target-lufs";
/// The extra's key. Its value is the id of the parameter that states the highest true peak of the
/// result, in dBTP.
pub const CEILING_DBTP: &str = "ceiling-dbtp";
/// The extra's key. Its value is the id of the toggle with which a recording of one channel is meant to
/// be heard from two speakers, 3 LU louder than it measures.
pub const DUAL_MONO: &str = "dual-mono";

/// What a step's output is to be, by its manifest and its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Targets {
    pub loudness_lufs: Option<f64>,
    pub ceiling_dbtp: Option<f64>,
    /// One channel counts as two.
    pub dual_mono: bool,
}

impl Manifest {
    /// What these settings aim at.
    pub fn targets(&self, settings: &Settings) -> Targets {
        let value = |key: &str| {
            let (_, id) = self.extras.iter().find(|(known, _)| known == key)?;
            settings.get(id)
        };
        let number = |key: &str| match value(key) {
            Some(Value::Float(number)) => Some(*number),
            Some(Value::Int(number)) => Some(*number as f64),
            _ => None,
        };
        Targets {
            loudness_lufs: number(TARGET_LUFS),
            ceiling_dbtp: number(CEILING_DBTP),
            dual_mono: value(DUAL_MONO) == Some(&Value::Toggle(true)),
        }
    }
}

/// Each key names a parameter that is there and can say it.
pub(crate) fn broken_targets(manifest: &Manifest) -> Vec<String> {
    let mut broken = Vec::new();
    for key in [TARGET_LUFS, CEILING_DBTP, DUAL_MONO] {
        let ids = manifest.extras.iter().filter(|(known, _)| known == key);
        let ids: Vec<_> = ids.map(|(_, id)| id).collect();
        if ids.len() > 1 {
            broken.push(format!("{key} is there {} times", ids.len()));
        }
        let wanted = if key == DUAL_MONO { "toggle" } else { "number" };
        for id in ids {
            match manifest.param(id).map(|param| &param.kind) {
                Some(ParamKind::Toggle { .. }) if key == DUAL_MONO => {}
                Some(ParamKind::Float { .. } | ParamKind::Int { .. }) if key != DUAL_MONO => {}
                Some(_) => broken.push(format!("{key} names \"{id}\", which is no {wanted}")),
                None => broken.push(format!(
                    "{key} is \"{id}\"; it must be the id of a parameter that is a {wanted}"
                )),
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_promise_is_read_as_it_is_written() {
        for (text, min_db, max_db) in [
            ("-60..24", -60.0, 24.0),
            ("-0.5..0.5", -0.5, 0.5),
            ("0..0", 0.0, 0.0),
            ("-120..120", -120.0, 120.0),
        ] {
            let promise: LevelPromise = text.parse().unwrap();
            assert_eq!(promise, LevelPromise { min_db, max_db });
            assert_eq!(promise.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_range_of_levels_is_refused() {
        for text in [
            "", "..", "6", "6..", "..6", "6..-6", "-121..0", "0..121", "NaN..0", "-inf..0",
            "0..inf", "-6 .. 6", "-6,6", "-6..6 dB", "-6...6", "1..2..3",
        ] {
            let refused = text.parse::<LevelPromise>().unwrap_err();
            assert!(refused.contains("-120 <= MIN <= MAX <= 120"), "{text}");
        }
    }
}
