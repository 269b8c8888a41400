//! The rules of a manifest. What a plugin says of itself ends in pages, logs, stored chains and
//! buffers, so lengths and ranges are held here, once, when it is installed.

use std::collections::HashSet;

use retake_words::{is_hidden, written_out};

use crate::{
    BLOCK_QUANTUM_MAX, LEVEL_CHANGE_DB, LevelPromise, Manifest, ManifestError, Param, ParamKind,
    Scale, alike, length, promise,
};

/// Sample rates a recording may have, in Hz.
const RATES_HZ: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// Longest piece of a broken text that is quoted.
const QUOTED_CHARS_MAX: usize = 80;

/// Bytes, by what the text is for.
const ID_MAX: usize = 128;
const NAME_MAX: usize = 100;
const TEXT_MAX: usize = 2_000;
const UNIT_MAX: usize = 16;

const PARAMS_MAX: usize = 256;
const CHOICES_MAX: usize = 256;
const RATES_MAX: usize = 32;
const EXTRAS_MAX: usize = 64;

pub(crate) fn check(manifest: &Manifest) -> Result<(), Vec<ManifestError>> {
    let mut rules = Rules { broken: Vec::new() };
    rules.plugin_id(&manifest.id);
    rules.text("name", &manifest.name, 1, NAME_MAX);
    rules.version(&manifest.version);
    rules.text("vendor", &manifest.vendor, 0, NAME_MAX);
    rules.text("summary", &manifest.summary, 0, TEXT_MAX);
    rules.text("license", &manifest.license, 0, NAME_MAX);
    rules.count("params", manifest.params.len(), PARAMS_MAX);
    let mut seen = HashSet::new();
    for (index, param) in manifest.params.iter().enumerate() {
        if !seen.insert(&param.id) {
            rules.breaks(
                format!("params[{index}].id"),
                format!("{} is used twice", quoted(&param.id)),
            );
        }
        rules.param(&format!("params[{index}]"), param);
    }
    if !manifest.passes.analyze && !manifest.passes.process {
        rules.breaks(
            "passes",
            "neither analyze nor process is set, so there is nothing to call",
        );
    }
    rules.count("sample_rates", manifest.sample_rates.len(), RATES_MAX);
    for rate in &manifest.sample_rates {
        if !RATES_HZ.contains(rate) {
            rules.breaks(
                "sample_rates",
                format!(
                    "{rate} Hz; it must be from {} to {}",
                    RATES_HZ.start(),
                    RATES_HZ.end()
                ),
            );
        }
    }
    if !(1..=BLOCK_QUANTUM_MAX).contains(&manifest.block_quantum) {
        let quantum = manifest.block_quantum;
        rules.breaks(
            "block_quantum",
            format!("{quantum}; it must be from 1 to {BLOCK_QUANTUM_MAX}"),
        );
    }
    rules.count("extras", manifest.extras.len(), EXTRAS_MAX);
    for (key, value) in &manifest.extras {
        rules.text("extras", key, 1, NAME_MAX);
        rules.text("extras", value, 0, TEXT_MAX);
    }
    rules.level_promise(&manifest.extras);
    for reason in promise::broken_targets(manifest) {
        rules.breaks("extras", reason);
    }
    for reason in alike::broken(manifest)
        .into_iter()
        .chain(length::broken(manifest))
    {
        rules.breaks("extras", reason);
    }
    if rules.broken.is_empty() {
        Ok(())
    } else {
        Err(rules.broken)
    }
}

struct Rules {
    broken: Vec<ManifestError>,
}

impl Rules {
    fn breaks(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.broken.push(ManifestError {
            field: field.into(),
            reason: reason.into(),
        });
    }

    fn count(&mut self, field: &str, found: usize, max: usize) {
        if found > max {
            self.breaks(field, format!("{found} of them; at most {max} are taken"));
        }
    }

    fn text(&mut self, field: &str, text: &str, min: usize, max: usize) {
        if !(min..=max).contains(&text.len()) {
            self.breaks(
                field,
                format!("{} bytes long; it must be from {min} to {max}", text.len()),
            );
        }
        // Texts have lines, names do not.
        let may_have_lines = max == TEXT_MAX;
        let hidden = text
            .chars()
            .find(|c| is_hidden(*c) && !(may_have_lines && *c == '\n'));
        if let Some(hidden) = hidden {
            let code = u32::from(hidden);
            self.breaks(
                field,
                format!(
                    "contains U+{code:04X}, which is not seen: control characters, and those that \
                     turn text around or have no width, are not taken"
                ),
            );
        }
    }

    fn plugin_id(&mut self, id: &str) {
        self.text("id", id, 1, ID_MAX);
        let parts: Vec<_> = id.split('.').collect();
        if parts.len() < 2 || !parts.iter().all(|part| is_slug(part)) {
            self.breaks(
                "id",
                format!(
                    "{} is not reverse DNS of at least two parts of a-z, 0-9 and -, such as \
                     org.example.gain",
                    quoted(id)
                ),
            );
        }
    }

    fn version(&mut self, version: &str) {
        if !is_semantic_version(version) {
            self.breaks(
                "version",
                format!(
                    "{} is not a semantic version such as 1.0.0",
                    quoted(version)
                ),
            );
        }
    }

    fn level_promise(&mut self, extras: &[(String, String)]) {
        let values: Vec<_> = extras
            .iter()
            .filter(|(key, _)| key == LEVEL_CHANGE_DB)
            .map(|(_, value)| value)
            .collect();
        if values.len() > 1 {
            let count = values.len();
            self.breaks(
                "extras",
                format!("{LEVEL_CHANGE_DB} is there {count} times"),
            );
        }
        for value in values {
            if let Err(reason) = value.parse::<LevelPromise>() {
                self.breaks(
                    "extras",
                    format!("{LEVEL_CHANGE_DB} is {}; {reason}", quoted(value)),
                );
            }
        }
    }

    fn param(&mut self, field: &str, param: &Param) {
        if !is_slug(&param.id) || param.id.len() > ID_MAX {
            self.breaks(
                format!("{field}.id"),
                format!("{} is not made of a-z, 0-9 and -", quoted(&param.id)),
            );
        }
        self.text(&format!("{field}.label"), &param.label, 1, NAME_MAX);
        self.text(&format!("{field}.help"), &param.help, 0, TEXT_MAX);
        self.text(&format!("{field}.unit"), &param.unit, 0, UNIT_MAX);
        self.text(&format!("{field}.group"), &param.group, 0, NAME_MAX);
        match &param.kind {
            ParamKind::Float {
                min,
                max,
                default,
                step,
                scale,
            } => {
                self.float(field, (*min, *max, *default), *step, *scale);
            }
            ParamKind::Int { min, max, default } => {
                if !(min <= default && default <= max) {
                    self.breaks(
                        format!("{field}.default"),
                        format!("{default} does not lie within {min} to {max}"),
                    );
                }
            }
            ParamKind::Toggle { .. } => {}
            ParamKind::Choice { choices, default } => {
                self.count(&format!("{field}.choices"), choices.len(), CHOICES_MAX);
                let mut seen = HashSet::new();
                for choice in choices {
                    if !is_slug(&choice.id) || choice.id.len() > ID_MAX {
                        self.breaks(
                            format!("{field}.choices"),
                            format!("id {} is not made of a-z, 0-9 and -", quoted(&choice.id)),
                        );
                    }
                    if !seen.insert(&choice.id) {
                        self.breaks(
                            format!("{field}.choices"),
                            format!("id {} is used twice", quoted(&choice.id)),
                        );
                    }
                    self.text(&format!("{field}.choices"), &choice.label, 1, NAME_MAX);
                }
                if !seen.contains(default) {
                    self.breaks(
                        format!("{field}.default"),
                        format!("{} is not one of the choices", quoted(default)),
                    );
                }
            }
        }
    }

    fn float(
        &mut self,
        field: &str,
        (min, max, default): (f64, f64, f64),
        step: Option<f64>,
        scale: Scale,
    ) {
        if ![min, max, default].iter().all(|value| value.is_finite()) {
            self.breaks(
                field,
                format!("{min} to {max}, default {default}: not all are finite"),
            );
        } else if !(min <= default && default <= max) {
            self.breaks(
                format!("{field}.default"),
                format!("{default} does not lie within {min} to {max}"),
            );
        }
        if step.is_some_and(|step| !step.is_finite() || step <= 0.0) {
            self.breaks(format!("{field}.step"), "must be finite and greater than 0");
        }
        if scale == Scale::Logarithmic && min <= 0.0 {
            self.breaks(
                format!("{field}.min"),
                format!("{min}: a logarithmic scale starts above 0"),
            );
        }
    }
}

/// What an author wrote, as far as it needs to be known again.
fn quoted(text: &str) -> String {
    let mut quoted: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    if quoted.len() < text.len() {
        quoted.push('…');
    }
    format!("\"{}\"", written_out(&quoted).replace('\n', "\\n"))
}

/// a-z, 0-9 and `-`; neither empty nor with a `-` at an end.
fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// `1.2.3`, `1.2.3-rc.1`, `1.2.3+build` as semver.org has it.
fn is_semantic_version(text: &str) -> bool {
    let (rest, build) = text
        .split_once('+')
        .map_or((text, None), |(a, b)| (a, Some(b)));
    let (core, pre) = rest
        .split_once('-')
        .map_or((rest, None), |(a, b)| (a, Some(b)));
    let number = |part: &str| {
        !part.is_empty()
            && part.len() <= 10
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let label = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let labels = |labels: Option<&str>| labels.is_none_or(|labels| labels.split('.').all(label));
    let numbers: Vec<_> = core.split('.').collect();
    text.len() <= ID_MAX
        && numbers.len() == 3
        && numbers.into_iter().all(number)
        && labels(pre)
        && labels(build)
}
