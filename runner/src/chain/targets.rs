//! What the steps aim at, held against what came out; and where it was missed, why.

use retake_audio::Measurement;
use retake_chain::report::{Target, TargetKind};
use retake_findings::{Code, Finding};
use retake_plugin_manifest::Targets;
use serde_json::Value;

use crate::words::plain;

/// A loudness so near its target is on it.
const LOUDNESS_TOLERANCE_LU: f64 = 0.5;
/// Two meters of true peak differ by as much.
const PEAK_TOLERANCE_DB: f64 = 0.05;
/// What two speakers add to one.
const DUAL_MONO_LU: f64 = 3.01;
/// A recording shorter than a gating block of BS.1770 has no loudness by the standard.
const SHORT_MS: u64 = 400;
const WORDS_MAX: usize = 200;

/// A step, as far as targets are concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim<'a> {
    pub name: &'a str,
    pub targets: Targets,
    pub mix: f64,
    pub is_skipped: bool,
    /// What its plugin reports.
    pub report: Option<&'a Value>,
}

/// The targets of a chain and what was reached, and a finding for each that was missed. Where
/// several steps aim at the same, the last one counts.
pub(super) fn held(
    steps: &[Aim<'_>],
    before: &Measurement,
    after: &Measurement,
) -> (Vec<Target>, Vec<Finding>) {
    let held = [loudness(steps, before, after), true_peak(steps, after)];
    let (mut targets, mut findings) = (Vec::new(), Vec::new());
    for (target, finding) in held.into_iter().flatten() {
        targets.push(target);
        findings.extend(finding);
    }
    (targets, findings)
}

/// Which step states a target: the last of those that ran, else the last that was left out.
fn stating(steps: &[Aim<'_>], target: fn(&Targets) -> Option<f64>) -> Option<(usize, f64)> {
    let stated = |(place, step): (usize, &Aim<'_>)| Some((place, target(&step.targets)?));
    let all = || steps.iter().enumerate().rev();
    let ran = all().filter(|(_, step)| !step.is_skipped).find_map(stated);
    ran.or_else(|| all().find_map(stated))
}

fn loudness(
    steps: &[Aim<'_>],
    before: &Measurement,
    after: &Measurement,
) -> Option<(Target, Option<Finding>)> {
    let (place, target) = stating(steps, |targets| targets.loudness_lufs)?;
    let step = &steps[place];
    let is_dual = step.targets.dual_mono && after.channels == 1;
    let reached = after
        .integrated_lufs
        .map(|lufs| if is_dual { lufs + DUAL_MONO_LU } else { lufs });
    let met = reached.is_some_and(|reached| (reached - target).abs() <= LOUDNESS_TOLERANCE_LU);
    let cause = (!met).then(|| {
        let own = of_step(step).or_else(|| of_chain(steps, place));
        own.unwrap_or_else(|| of_recording(before, after, step, reached, target))
    });
    let finding = cause.as_ref().map(|cause| {
        let (step, name) = (place, step.name);
        let (why, code) = (cause.sentence.as_str(), cause.code.as_str());
        let why_not = [
            ("target", target.into()),
            ("why_not", why.into()),
            ("cause", code.into()),
        ];
        let [target, why_not, cause] = why_not;
        match reached {
            Some(reached) => {
                let params = [("reached", reached.into()), target, why_not, cause];
                Finding::of_step(Code::LoudnessMissed, step, name, params)
            }
            None => {
                let params = [target, why_not, cause];
                Finding::of_step(Code::LoudnessUnmeasured, step, name, params)
            }
        }
    });
    let target = Target {
        what: TargetKind::Loudness,
        unit: "LUFS".to_owned(),
        target,
        reached,
        met,
        why_not: cause.map(Cause::told),
    };
    Some((target, finding))
}

fn true_peak(steps: &[Aim<'_>], after: &Measurement) -> Option<(Target, Option<Finding>)> {
    let (place, target) = stating(steps, |targets| targets.ceiling_dbtp)?;
    let step = &steps[place];
    let reached = after.true_peak_dbtp;
    let over = reached.filter(|reached| *reached > target + PEAK_TOLERANCE_DB);
    let cause = over.map(|_| of_chain(steps, place).unwrap_or_else(Cause::unknown));
    let finding = over.zip(cause.as_ref()).map(|(reached, cause)| {
        let params = [
            ("reached", reached.into()),
            ("target", target.into()),
            ("why_not", cause.sentence.as_str().into()),
            ("cause", cause.code.as_str().into()),
        ];
        Finding::of_step(Code::TruePeakOver, place, step.name, params)
    });
    let target = Target {
        what: TargetKind::TruePeak,
        unit: "dBTP".to_owned(),
        target,
        reached,
        met: over.is_none(),
        why_not: cause.map(Cause::told),
    };
    Some((target, finding))
}

/// Why a target was missed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cause {
    code: String,
    sentence: String,
}

impl Cause {
    fn new(code: &str, sentence: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            sentence: sentence.into(),
        }
    }

    fn silent() -> Self {
        Self::new(
            "silent",
            "nothing can be heard in it that could be measured",
        )
    }

    fn unknown() -> Self {
        Self::new("unknown", "the step does not say why")
    }

    fn told(self) -> String {
        format!("{}: {}", self.code, self.sentence)
    }
}

/// What the step's plugin says itself: a code, or words of its own.
fn of_step(step: &Aim<'_>) -> Option<Cause> {
    if step.is_skipped {
        let sentence = format!("{} was left out", step.name);
        return Some(Cause::new("skipped", sentence));
    }
    let measurements = step.report?.get("measurements")?.as_array()?;
    let own = measurements
        .iter()
        .find(|measurement| measurement["id"] == "why-not");
    let words = plain(own?["value"].as_str()?, WORDS_MAX);
    Some(match words.as_str() {
        "silent" => Cause::silent(),
        "max-gain" => Cause::new(
            "max-gain",
            "the recording is so quiet that it would take more gain than the step may use",
        ),
        "too-peaky" => Cause::new(
            "too-peaky",
            "its peaks would have to be squashed more than anybody wants to hear",
        ),
        "music" => Cause::new(
            "music",
            "the music in it is not limited, and the talk has that loudness by itself",
        ),
        "gate" => Cause::new(
            "gate",
            "a stretch is so close to the gate of the measurement that it counts on one side of it only",
        ),
        own if own.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') => {
            Cause::new(own, format!("{} says: {own}", step.name))
        }
        own => Cause::new("step-said", format!("{} says: {own}", step.name)),
    })
}

/// What the chain itself has in it against the step's result.
fn of_chain(steps: &[Aim<'_>], place: usize) -> Option<Cause> {
    let step = &steps[place];
    if step.is_skipped {
        return of_step(step);
    }
    if step.mix < 1.0 {
        let percent = (100.0 * step.mix).round();
        let sentence = format!("only {percent} % of the step's output is in it, as its mix says");
        return Some(Cause::new("mix", sentence));
    }
    let later = steps[place + 1..].iter().find(|later| !later.is_skipped)?;
    let sentence = format!("{} came after it and changed it", later.name);
    Some(Cause::new("later-step", sentence))
}

fn of_recording(
    before: &Measurement,
    after: &Measurement,
    step: &Aim<'_>,
    reached: Option<f64>,
    target: f64,
) -> Cause {
    let Some(reached) = reached else {
        return Cause::silent();
    };
    if before.integrated_lufs.is_none() {
        return Cause::silent();
    }
    let frames_min = u64::from(after.sample_rate) * SHORT_MS / 1_000;
    if after.frames < frames_min {
        let sentence = "it is shorter than the 400 ms in which loudness is measured";
        return Cause::new("too-short", sentence);
    }
    let ceiling = step.targets.ceiling_dbtp;
    let at_ceiling = after
        .true_peak_dbtp
        .zip(ceiling)
        .is_some_and(|(peak, ceiling)| peak > ceiling - 0.5);
    if reached < target && at_ceiling {
        let sentence = "its peaks are at the ceiling";
        return Cause::new("ceiling", sentence);
    }
    Cause::unknown()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use retake_audio::ChannelMask;
    use serde_json::json;

    use super::*;

    fn measured(lufs: Option<f64>, peak: Option<f64>) -> Measurement {
        Measurement {
            sample_rate: 48_000,
            channels: 1,
            channel_mask: ChannelMask::usual(1),
            frames: 480_000,
            integrated_lufs: lufs,
            loudness_range_lu: None,
            momentary_max_lufs: lufs,
            short_term_max_lufs: lufs,
            true_peak_dbtp: peak,
            sample_peak_dbfs: peak,
            noise_floor_dbfs: None,
            voice_above_noise_db: None,
            hum_hz: None,
            hum_dbfs: None,
            bandwidth_hz: None,
        }
    }

    fn step(name: &str) -> Aim<'_> {
        Aim {
            name,
            targets: Targets::default(),
            mix: 1.0,
            is_skipped: false,
            report: None,
        }
    }

    fn aiming() -> Aim<'static> {
        let targets = Targets {
            loudness_lufs: Some(-16.0),
            ceiling_dbtp: Some(-1.5),
            dual_mono: false,
        };
        Aim {
            targets,
            ..step("loudness")
        }
    }

    /// The causes of what was missed.
    fn causes(steps: &[Aim<'_>], lufs: Option<f64>, peak: Option<f64>) -> Vec<String> {
        let before = measured(Some(-30.0), Some(-9.0));
        let (targets, findings) = held(steps, &before, &measured(lufs, peak));
        let missed = targets.iter().filter(|target| !target.met);
        assert_eq!(missed.count(), findings.len());
        let cause = |finding: &Finding| finding.params["cause"].as_str().unwrap().to_owned();
        findings.iter().map(cause).collect()
    }

    #[test]
    fn what_is_on_target_is_said_and_no_finding() {
        let after = measured(Some(-16.3), Some(-1.46));
        let (targets, findings) = held(&[step("gain"), aiming()], &after, &after);
        assert_eq!(findings, []);
        assert_eq!(
            json!(targets),
            json!([
                {"what": "loudness", "unit": "LUFS", "target": -16.0, "reached": -16.3,
                 "met": true, "why_not": null},
                {"what": "true_peak", "unit": "dBTP", "target": -1.5, "reached": -1.46,
                 "met": true, "why_not": null},
            ])
        );
        assert_eq!(held(&[step("gain")], &after, &after), (vec![], vec![]));
    }

    #[test]
    fn a_miss_has_a_cause_whoever_knows_it() {
        let none: [&str; 0] = [];
        let report = |words: &str| json!({"measurements": [{"id": "why-not", "value": words}]});
        for (words, code) in [
            ("max-gain", "max-gain"),
            ("too-peaky", "too-peaky"),
            ("silent", "silent"),
            ("music", "music"),
            ("of-tomorrow", "of-tomorrow"),
            ("No, thank you", "step-said"),
        ] {
            let report = report(words);
            let saying = Aim {
                report: Some(&report),
                ..aiming()
            };
            let saying = [saying, step("eq")];
            assert_eq!(causes(&saying, Some(-20.0), Some(-3.0)), [code]);
        }
        let half = Aim {
            mix: 0.5,
            ..aiming()
        };
        assert_eq!(causes(&[half], Some(-20.0), Some(-3.0)), ["mix"]);
        let left_out = Aim {
            is_skipped: true,
            ..aiming()
        };
        assert_eq!(causes(&[left_out], Some(-20.0), Some(-3.0)), ["skipped"]);
        let later = [aiming(), step("gain")];
        assert_eq!(
            causes(&later, Some(-10.0), Some(2.0)),
            ["later-step", "later-step"]
        );
        let skipped_later = [
            aiming(),
            Aim {
                is_skipped: true,
                ..step("gain")
            },
        ];
        assert_eq!(causes(&skipped_later, Some(-15.0), None), ["unknown"]);
        assert_eq!(causes(&[aiming()], Some(-18.0), Some(-1.5)), ["ceiling"]);
        assert_eq!(causes(&[aiming()], Some(-16.0), Some(-1.4)), ["unknown"]);
        assert_eq!(causes(&[aiming()], None, None), ["silent"]);
        assert_eq!(causes(&[aiming()], Some(-15.5), Some(-1.5)), none);
    }

    #[test]
    fn silence_has_no_loudness_to_miss_by_a_number() {
        let silence = measured(None, None);
        let (targets, findings) = held(&[aiming()], &silence, &silence);
        assert_eq!(targets[0].reached, None);
        assert!(!targets[0].met && targets[1].met);
        assert!(findings[0].is(Code::LoudnessUnmeasured), "{findings:?}");
        assert!(targets[0].why_not.as_ref().unwrap().starts_with("silent: "));
    }

    #[test]
    fn a_recording_of_a_moment_may_be_off() {
        let mut moment = measured(Some(-20.0), Some(-3.0));
        moment.frames = 4_800;
        let (targets, _) = held(&[aiming()], &moment, &moment);
        assert!(
            targets[0]
                .why_not
                .as_ref()
                .unwrap()
                .starts_with("too-short: ")
        );
    }

    #[test]
    fn one_channel_counts_as_two_where_the_step_says_so() {
        let mut dual = aiming();
        dual.targets.dual_mono = true;
        let after = measured(Some(-19.0), Some(-3.0));
        let (targets, findings) = held(&[dual], &after, &after);
        assert_eq!(findings, []);
        assert_eq!(targets[0].reached, Some(-19.0 + DUAL_MONO_LU));
        let stereo = Measurement {
            channels: 2,
            ..after
        };
        assert!(!held(&[dual], &stereo, &stereo).0[0].met);
    }

    #[test]
    fn the_last_step_that_ran_states_the_target() {
        let mut louder = aiming();
        louder.targets.loudness_lufs = Some(-14.0);
        let mut left_out = aiming();
        left_out.targets.loudness_lufs = Some(-23.0);
        left_out.is_skipped = true;
        let after = measured(Some(-14.0), Some(-3.0));
        let (targets, findings) = held(&[aiming(), louder, left_out], &after, &after);
        assert_eq!((targets[0].target, targets[0].met), (-14.0, true));
        assert_eq!(findings, []);
    }
}
