//! Do no harm, over the whole chain: the finished correction against the recording. Single steps are
//! held against their own input in the child.

use retake_audio::Measurement;
use retake_findings::{Code, Finding};

/// A correction that has lost so much loudness, beyond what its steps promise to change, is probably
/// not what was wanted.
const LOSS_LU_WARNED: f64 = 20.0;
/// The gate of BS.1770-4, below which nothing is measured, and a margin.
const MEASURED_LUFS_MIN: f64 = -70.0 + 10.0;
/// Beyond full scale by less than this nobody hears, and lossy decoders do it all the time.
const OVER_DB_WARNED: f64 = 0.1;

/// What a person should hear of. `promised_db` is the sum of what steps did to the level that their
/// plugins promise to change it.
pub(super) fn findings(
    recording: &Measurement,
    correction: &Measurement,
    promised_db: f64,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (recording.integrated_lufs, correction.integrated_lufs) {
        (Some(before), None) if before + promised_db > MEASURED_LUFS_MIN => {
            findings.push(Finding::new(
                Code::CorrectionTooQuiet,
                [("before_lufs", before.into())],
            ));
        }
        (Some(before), Some(after)) if before + promised_db - after > LOSS_LU_WARNED => {
            let lost_lu = before + promised_db - after;
            findings.push(Finding::new(
                Code::LoudnessLost,
                [("lost_lu", lost_lu.into())],
            ));
        }
        _ => {}
    }
    let peak = |measured: &Measurement| measured.sample_peak_dbfs.unwrap_or(f64::NEG_INFINITY);
    let (before, after) = (peak(recording), peak(correction));
    // A recording that was over full scale before is not made worse by staying there.
    if after > OVER_DB_WARNED && after > before + OVER_DB_WARNED {
        let params = [("after_dbfs", after.into()), ("before_dbfs", before.into())];
        findings.push(Finding::new(Code::CorrectionClipped, params));
    }
    findings
}

#[cfg(test)]
mod tests {
    use retake_audio::ChannelMask;

    use super::*;

    fn measured(integrated_lufs: Option<f64>, sample_peak_dbfs: Option<f64>) -> Measurement {
        Measurement {
            sample_rate: 48_000,
            channels: 1,
            channel_mask: ChannelMask::usual(1),
            frames: 48_000,
            integrated_lufs,
            loudness_range_lu: None,
            momentary_max_lufs: None,
            short_term_max_lufs: None,
            true_peak_dbtp: sample_peak_dbfs,
            sample_peak_dbfs,
            noise_floor_dbfs: None,
            voice_above_noise_db: None,
            hum_hz: None,
            hum_dbfs: None,
            bandwidth_hz: None,
        }
    }

    /// The words that the one warning holds, or no warning.
    fn check(
        recording: (Option<f64>, Option<f64>),
        correction: (Option<f64>, Option<f64>),
        promised_db: f64,
        expected: Option<&str>,
    ) {
        let before = measured(recording.0, recording.1);
        let after = measured(correction.0, correction.1);
        let findings = findings(&before, &after, promised_db);
        assert_eq!(
            findings.len(),
            usize::from(expected.is_some()),
            "{findings:?}"
        );
        for (finding, expected) in findings.iter().zip(expected) {
            assert!(finding.message.contains(expected), "{finding}");
        }
    }

    #[test]
    fn a_correction_that_lost_the_recording_is_told() {
        let voice = (Some(-24.0), Some(-6.0));
        check(voice, (Some(-26.0), Some(-7.0)), 0.0, None);
        check(voice, (None, None), 0.0, Some("had -24.0 LUFS"));
        check(voice, (Some(-50.0), Some(-30.0)), 0.0, Some("26.0 LU"));
        // A gain step did it on purpose; and one that brought ruins to a loudness hides nothing.
        check(voice, (Some(-54.0), Some(-36.0)), -30.0, None);
        check(voice, (None, Some(-66.0)), -60.0, None);
        check(voice, (Some(-16.0), Some(-2.0)), 30.0, Some("22.0 LU"));
        check((None, None), (None, None), 0.0, None);
    }

    #[test]
    fn a_correction_that_clips_and_a_recording_that_did_not_is_told() {
        let at = |peak| (Some(-20.0), Some(peak));
        check(at(-3.0), at(6.0), 0.0, Some("6.0 dB over full scale"));
        check(at(-3.0), at(0.05), 0.0, None);
        check(at(2.0), at(2.0), 0.0, None);
        check(at(2.0), at(5.0), 0.0, Some("5.0 dB"));
    }
}
