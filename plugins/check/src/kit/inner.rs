//! Between the ends of the parameters' ranges, where people have them: values drawn evenly from every
//! range, several parameters at once, streams and blocks of odd lengths.

use std::time::Duration;

use retake_plugin_manifest::{Manifest, Param, ParamKind, Scale, Settings};
use serde_json::{Map, Value, json};

use super::{
    Found,
    chance::Chance,
    drive::{Bad, Take},
    signals,
    streams::{RATES_HZ, first_difference},
    subject::{Subject, ends_of},
};

/// Values of one parameter alone, and of all parameters together: a plugin of 256 parameters gets one
/// value each.
const ALONE_EACH: usize = 8;
const ALONE_MAX: usize = 96;
/// Settings in which every parameter has a value of its own.
const TOGETHER: usize = 24;
/// Settings in which every parameter is at one of its ends.
const CORNERS: usize = 12;
/// Within the plugin; what is left over is not tried, and the check says so.
const CPU_MAX: Duration = Duration::from_secs(20);
/// At which it runs: higher ones take long and are a check of their own.
const RATE_HZ_MAX: u32 = 96_000;

/// A setting that was drawn.
pub struct Drawn {
    /// What `--set` takes to have it again.
    pub name: String,
    pub settings: Settings,
}

/// The settings of this plugin, in an order of chance: those that time does not suffice for are of all
/// kinds. Parameters that the kit was given a value for keep it.
pub fn drawn(subject: &Subject<'_>) -> Result<Vec<Drawn>, String> {
    let manifest = subject.manifest();
    let fixed = subject.params();
    let open: Vec<&Param> = manifest
        .params
        .iter()
        .filter(|param| !fixed.contains_key(&param.id))
        .collect();
    let mut chance = Chance::new(subject.seed());
    let mut all = alone(&open, &mut chance);
    if open.len() > 1 {
        all.extend(together(&open, &mut chance));
        all.extend((0..CORNERS).map(|_| corner(&open, &mut chance)));
    }
    chance.shuffle(&mut all);
    let resolved = all.into_iter().map(|drawn| resolve(manifest, fixed, drawn));
    resolved.collect()
}

fn resolve(
    manifest: &Manifest,
    fixed: &Map<String, Value>,
    drawn: Map<String, Value>,
) -> Result<Drawn, String> {
    let words: Vec<_> = drawn
        .iter()
        .map(|(id, value)| match value {
            Value::String(choice) => format!("{id}={choice}"),
            value => format!("{id}={value}"),
        })
        .collect();
    let name = words.join(", ");
    let mut params = fixed.clone();
    params.extend(drawn);
    let settings =
        Settings::resolve(manifest, &params).map_err(|errors| format!("{name}: {errors:?}"))?;
    Ok(Drawn { name, settings })
}

/// One parameter somewhere in each part of its range, the others as they were.
fn alone(open: &[&Param], chance: &mut Chance) -> Vec<Map<String, Value>> {
    let numbers: Vec<_> = open.iter().filter(|param| is_number(param)).collect();
    let each = (ALONE_MAX / numbers.len().max(1)).clamp(1, ALONE_EACH);
    let mut all = Vec::new();
    for param in numbers {
        // The middle itself is where a formula may divide by nothing.
        let middle = (each > 1).then_some(0.5);
        let places = (0..each).map(|part| (part as f64 + chance.unit()) / each as f64);
        let mut seen: Vec<Value> = Vec::new();
        for place in middle.into_iter().chain(places.collect::<Vec<_>>()) {
            let value = at(param, place);
            if !seen.contains(&value) {
                all.push(Map::from_iter([(param.id.clone(), value.clone())]));
                seen.push(value);
            }
        }
    }
    all
}

/// A Latin hypercube: in as many settings, every parameter is once in each part of its range.
fn together(open: &[&Param], chance: &mut Chance) -> Vec<Map<String, Value>> {
    let mut all = vec![Map::new(); TOGETHER];
    for param in open {
        let mut parts: Vec<_> = (0..TOGETHER).collect();
        chance.shuffle(&mut parts);
        for (setting, part) in all.iter_mut().zip(parts) {
            let place = (part as f64 + chance.unit()) / TOGETHER as f64;
            setting.insert(param.id.clone(), at(param, place));
        }
    }
    all
}

fn corner(open: &[&Param], chance: &mut Chance) -> Map<String, Value> {
    let mut end = |param: &&Param| {
        let ends = ends_of(param);
        let value = chance.pick(&ends).cloned().unwrap_or_default();
        (param.id.clone(), value)
    };
    open.iter().map(&mut end).collect()
}

fn is_number(param: &Param) -> bool {
    matches!(param.kind, ParamKind::Float { .. } | ParamKind::Int { .. })
}

/// The value at 0.0..1.0 of a parameter's range, as the range is scaled.
fn at(param: &Param, place: f64) -> Value {
    match &param.kind {
        ParamKind::Float {
            min, max, scale, ..
        } => {
            let value = match scale {
                Scale::Linear => min + (max - min) * place,
                Scale::Logarithmic => (min.ln() + (max.ln() - min.ln()) * place).exp(),
            };
            json!(short(value).clamp(*min, *max))
        }
        ParamKind::Int { min, max, .. } => {
            let count = max.abs_diff(*min) as f64 + 1.0;
            let steps = (place * count) as u64;
            json!(min.saturating_add_unsigned(steps).min(*max))
        }
        ParamKind::Toggle { .. } | ParamKind::Choice { .. } => {
            let all = ends_of(param);
            let index = (place * all.len() as f64) as usize;
            all.get(index).or(all.last()).cloned().unwrap_or_default()
        }
    }
}

/// Five digits: what a report says can be typed.
fn short(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

pub fn values(subject: &Subject<'_>) -> Found {
    let all = match drawn(subject) {
        Ok(all) => all,
        Err(words) => return Found::failed(words),
    };
    if all.is_empty() {
        return Found::skipped(
            "it has no parameter with anything between its ends, and no two to combine",
        );
    }
    let seed = format!("seed {:016x}", subject.seed());
    // Another sequence than that of the values.
    let mut chance = Chance::new(!subject.seed());
    let (mut tried, mut refused, mut cpu) = (0, 0, Duration::ZERO);
    for drawn in &all {
        if cpu > CPU_MAX {
            break;
        }
        tried += 1;
        match one(subject, drawn, &mut chance) {
            Ok(took) => cpu += took,
            Err(Bad::Refused(_)) => refused += 1,
            Err(Bad::Broke(words)) => {
                return Found::failed(format!(
                    "{seed}: with {}, {words}. Every value within a parameter's range, together with any of \
                     the others, is worked with or refused in open, by the parameter's name",
                    drawn.name
                ));
            }
        }
    }
    let mut said = format!(
        "{seed}: {tried} settings between and across the ends of ranges, at chosen rates, each in two cuts of \
         blocks, one of odd lengths"
    );
    if refused > 0 {
        said.push_str(&format!("; {refused} were refused in good order"));
    }
    if tried < all.len() {
        said.push_str(&format!(
            "; of {} in all: {} s of CPU time are given to this check",
            all.len(),
            CPU_MAX.as_secs()
        ));
    }
    Found::passed(said)
}

/// One setting with a stream of chance, in the pipeline's blocks and in odd ones, and the time it took.
fn one(subject: &Subject<'_>, drawn: &Drawn, chance: &mut Chance) -> Result<Duration, Bad> {
    let named = &subject.manifest().sample_rates;
    let rates = if named.is_empty() {
        &RATES_HZ[..]
    } else {
        named
    };
    let low: Vec<_> = rates
        .iter()
        .copied()
        .filter(|hz| *hz <= RATE_HZ_MAX)
        .collect();
    let rate = chance
        .pick(&low)
        .copied()
        .unwrap_or_else(|| subject.usual_hz());
    let frames = (rate as usize / 5 + chance.below(977)) | 1;
    let channels = 1 + chance.below(2) as u32;
    let blocks = chance.odd_blocks();
    let input = subject.in_channels(channels, |channel| {
        signals::voice(rate, frames, 1 + channel)
    });
    let usual = Take {
        settings: &drawn.settings,
        rate,
        ..subject.take()
    };
    let odd = Take {
        blocks: &blocks,
        ..usual.clone()
    };
    let broke = |words: &str, blocks: &[usize]| {
        Bad::Broke(format!(
            "{frames} frames of a voice in {} channel(s) at {rate} Hz went in, in blocks of {blocks:?}: {words}",
            input.channels()
        ))
    };
    let expected = usual.sound(&input).map_err(|bad| match bad {
        Bad::Refused(words) => Bad::Refused(words),
        Bad::Broke(words) => broke(&words, usual.blocks),
    })?;
    // It was taken once: a refusal now is one of how the host cuts.
    let taken = odd.sound(&input);
    let taken = taken.map_err(|bad| broke(bad.words(), odd.blocks))?;
    match first_difference(&expected.planes, &taken.planes) {
        Some(words) => Err(broke(
            &format!(
                "not what comes out in blocks of {:?}: {words}",
                usual.blocks
            ),
            odd.blocks,
        )),
        None => Ok(expected.cpu + taken.cpu),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(id: &str, kind: ParamKind) -> Param {
        Param {
            id: id.into(),
            label: id.into(),
            help: String::new(),
            unit: String::new(),
            group: String::new(),
            kind,
        }
    }

    fn float(min: f64, max: f64, scale: Scale) -> Param {
        param(
            "f",
            ParamKind::Float {
                min,
                max,
                default: min,
                step: None,
                scale,
            },
        )
    }

    #[test]
    fn every_part_of_a_range_gets_a_value_alone_and_together_with_others() {
        let linear = float(-60.0, 24.0, Scale::Linear);
        let log = Param {
            id: "g".into(),
            ..float(20.0, 20_000.0, Scale::Logarithmic)
        };
        let numbers = [&linear, &log];
        for seed in 0..50 {
            let mut chance = Chance::new(seed);
            let all = alone(&numbers, &mut chance);
            assert_eq!(all.len(), 2 * (ALONE_EACH + 1));
            let values = |id: &str| -> Vec<f64> {
                let found = all.iter().filter_map(|drawn| drawn.get(id)?.as_f64());
                found.collect()
            };
            let parts = [(-60.0, 84.0 / 8.0); 8];
            for (part, (min, width)) in parts.iter().enumerate() {
                let from = min + width * part as f64 - 0.01;
                let hit = values("f")
                    .iter()
                    .any(|v| (from..=from + width + 0.02).contains(v));
                assert!(hit, "{part}: {:?}", values("f"));
            }
            let octaves = values("g").iter().filter(|v| **v < 632.0).count();
            assert!((4..=5).contains(&octaves), "{:?}", values("g"));
            let together = together(&numbers, &mut chance);
            assert_eq!(together.len(), TOGETHER);
            let low = together
                .iter()
                .filter(|drawn| drawn["f"].as_f64() < Some(-18.0));
            assert!((TOGETHER / 2 - 1..=TOGETHER / 2 + 1).contains(&low.count()));
        }
    }

    #[test]
    fn values_stay_within_their_range_however_wide_it_is() {
        let kinds = [
            float(0.0, 0.0, Scale::Linear),
            float(0.1, 0.100_000_1, Scale::Logarithmic),
            float(-f64::MAX / 4.0, f64::MAX / 4.0, Scale::Linear),
            param(
                "i",
                ParamKind::Int {
                    min: i64::MIN,
                    max: i64::MAX,
                    default: 0,
                },
            ),
            param(
                "i",
                ParamKind::Int {
                    min: 3,
                    max: 3,
                    default: 3,
                },
            ),
            param("t", ParamKind::Toggle { default: true }),
        ];
        for param in &kinds {
            for place in [0.0, 0.25, 0.5, 0.999_999_999] {
                let value = at(param, place);
                match &param.kind {
                    ParamKind::Float { min, max, .. } => {
                        let value = value.as_f64().expect("a number");
                        assert!((*min..=*max).contains(&value), "{value}");
                    }
                    ParamKind::Int { min, max, .. } => {
                        let value = value.as_i64().expect("a whole number");
                        assert!((*min..=*max).contains(&value), "{value}");
                    }
                    _ => assert!(value.is_boolean(), "{value}"),
                }
            }
        }
    }

    #[test]
    fn many_parameters_get_one_value_each_and_no_more_time_than_few() {
        let many: Vec<_> = (0..256)
            .map(|n| Param {
                id: format!("p{n}"),
                ..float(0.0, 1.0, Scale::Linear)
            })
            .collect();
        let many: Vec<_> = many.iter().collect();
        assert_eq!(alone(&many, &mut Chance::new(1)).len(), 256);
    }
}
