//! How much CPU time a step may take. What its plugin's check has measured, with plenty of room: a
//! step far beyond it never ends, or not for anybody who waits. CPU time and not the clock's, so that
//! a busy machine makes nobody guilty.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use retake_audio::Spec;
use retake_plugin_host::StageRecord;

use crate::{child::Failed, limits::Limits};

/// The check's figure is for one channel at this rate.
const MEASURED_AT_HZ: u32 = 48_000;

/// What one step may take.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Allowance {
    cpu: Duration,
    /// Per second of one channel at 48 kHz.
    per_audio_s: Duration,
    realtime_factor: Option<f64>,
}

impl Allowance {
    /// `realtime_factor` is what the plugin's check has measured, if it was checked.
    fn of(realtime_factor: Option<f64>, limits: &Limits, spec: Spec, frames: u64) -> Self {
        let realtime_factor = realtime_factor.filter(|factor| factor.is_finite() && *factor > 0.0);
        let least = Duration::from_millis(limits.step_cpu_per_audio_s_ms);
        let per_audio_s = match realtime_factor {
            Some(factor) => {
                let measured_s = f64::from(limits.step_cpu_factor) / factor;
                let measured = Duration::try_from_secs_f64(measured_s).unwrap_or(Duration::MAX);
                measured.max(least)
            }
            None => Duration::from_millis(limits.step_cpu_unchecked_per_audio_s_ms).max(least),
        };
        let audio_s = frames as f64 / f64::from(spec.sample_rate.max(1));
        // Nothing is cheaper for being at a lower rate: many work at one of their own.
        let rate = f64::from(spec.sample_rate.max(MEASURED_AT_HZ)) / f64::from(MEASURED_AT_HZ);
        let cost_s = per_audio_s.as_secs_f64() * audio_s * rate * f64::from(spec.channels);
        let cost = Duration::try_from_secs_f64(cost_s).unwrap_or(Duration::MAX);
        Self {
            cpu: Duration::from_millis(limits.step_cpu_ms).saturating_add(cost),
            per_audio_s,
            realtime_factor,
        }
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cpu_s, ms) = (self.cpu.as_secs_f64(), self.per_audio_s.as_millis());
        write!(
            f,
            "{cpu_s:.1} s of CPU time ({ms} ms per second and channel at 48 kHz; "
        )?;
        match self.realtime_factor {
            Some(factor) => write!(f, "its check measured {factor:.1} times realtime)"),
            None => write!(f, "it was never checked)"),
        }
    }
}

/// The steps of a child, and what each may take. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Budgets(Arc<Mutex<Vec<Budgeted>>>);

struct Budgeted {
    index: usize,
    record: StageRecord,
    allowance: Allowance,
}

impl Budgets {
    /// From now on the step is watched, which is before it is opened.
    pub fn add(
        &self,
        index: usize,
        record: &StageRecord,
        realtime_factor: Option<f64>,
        limits: &Limits,
        (spec, frames): (Spec, u64),
    ) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.push(Budgeted {
            index,
            record: record.clone(),
            allowance: Allowance::of(realtime_factor, limits, spec, frames),
        });
    }

    /// The first step that has taken more than it may.
    pub fn exceeded(&self) -> Option<Failed> {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.iter().find_map(|step| {
            let spent = step.record.cpu_so_far();
            (spent > step.allowance.cpu).then(|| Failed::OverBudget {
                index: step.index,
                detail: format!(
                    "it has taken {:.1} s and is not done; it may take {}",
                    spent.as_secs_f64(),
                    step.allowance
                ),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use retake_audio::ChannelMask;

    use super::*;

    fn spec(sample_rate: u32, channels: u32) -> Spec {
        Spec {
            sample_rate,
            channels,
            mask: ChannelMask::default(),
        }
    }

    #[test]
    fn it_grows_with_the_audio_and_with_what_the_check_has_measured() {
        let limits = Limits {
            step_cpu_ms: 10_000,
            step_cpu_per_audio_s_ms: 50,
            step_cpu_factor: 20,
            step_cpu_unchecked_per_audio_s_ms: 1_000,
            ..Limits::default()
        };
        let ms = |factor, rate: u32, channels, seconds: u64| {
            let frames = u64::from(rate) * seconds;
            let allowance = Allowance::of(factor, &limits, spec(rate, channels), frames);
            allowance.cpu.as_millis()
        };
        assert_eq!(ms(Some(100.0), 48_000, 1, 0), 10_000, "a floor");
        // 10 ms for a second of audio, twenty times.
        assert_eq!(ms(Some(100.0), 48_000, 1, 60), 22_000);
        assert_eq!(ms(Some(100.0), 48_000, 2, 60), 34_000);
        assert_eq!(ms(Some(100.0), 96_000, 1, 60), 34_000);
        assert_eq!(ms(Some(100.0), 8_000, 1, 60), 22_000);
        assert_eq!(ms(Some(9_000.0), 48_000, 1, 60), 13_000, "the least");
        assert_eq!(ms(None, 48_000, 1, 60), 70_000, "never checked");
        for nonsense in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ms(Some(nonsense), 48_000, 1, 60), 70_000, "{nonsense}");
        }
        assert!(
            ms(Some(f64::MIN_POSITIVE), 48_000, 16, 60) > 1 << 60,
            "no overflow"
        );
    }
}
