//! What a plugin declares beyond the contract's own rules, and what it must keep without declaring:
//! length, level, log, cost.

use retake_audio::Block;
use retake_plugin_manifest::{LevelPromise, Settings};

use super::{
    Found,
    drive::{Bad, Take, Taken},
    inner,
    signals::{self, level_dbfs},
    subject::Subject,
};
use crate::report::Cost;

/// A promise from here on down is one that everything may be taken away.
const NOTHING_DB: f64 = -120.0;
/// Room for how the level is measured, in dB.
const LEVEL_TOLERANCE_DB: f64 = 0.5;
/// Settings between the ends of ranges at which the level is measured.
const LEVEL_INNER: usize = 12;
/// A recording that every plugin should get through, in seconds.
const LONG_S: f64 = 3.0 * 3600.0;
/// Below this it is not fit for use: a talk.
const TALK_S: f64 = 600.0;
/// As many times faster than it plays a plugin should be, so that a chain of some keeps its deadline.
const REALTIME_MIN: f64 = 4.0;

pub fn length(subject: &Subject<'_>) -> Found {
    let manifest = subject.manifest();
    if let Some((_, value)) = manifest
        .extras
        .iter()
        .find(|(key, value)| key == "length" && value != "may-shorten")
    {
        return Found::failed(format!(
            "extras has (\"length\", \"{value}\"). The only value is \"may-shorten\""
        ));
    }
    let rate = subject.usual_hz();
    let mut cut = 0;
    for frames in [rate as usize * 3, 48_001, 12_345, 4_801] {
        let input =
            subject.in_channels(2, |channel| signals::interrupted(rate, frames, 1 + channel));
        match subject.take().sound(&input) {
            Ok(taken) => cut += taken.cut_frames(),
            Err(bad) => {
                return Found::failed(format!(
                    "{frames} frames of a voice with a pause went in: {}",
                    bad.words()
                ));
            }
        }
    }
    Found::passed(if manifest.may_shorten() {
        format!("four lengths, with pauses: {cut} frames were cut, and each cut was reported")
    } else {
        "four lengths, with pauses: as long as the input".to_owned()
    })
}

/// `("level-change-db", "MIN..MAX")`.
pub fn level(subject: &Subject<'_>) -> Found {
    let Some(LevelPromise { min_db, max_db }) = subject.manifest().level_promise() else {
        return Found::skipped("the manifest promises no range of level-change-db in its extras");
    };
    let rate = subject.usual_hz();
    let frames = rate as usize * 3;
    let signals = [
        ("a voice", signals::voice(rate, frames, 2)),
        ("noise at -15 dBFS", signals::noise(frames, 0.3, 12)),
        ("noise at -45 dBFS", signals::noise(frames, 0.01, 13)),
    ];
    let settings = match level_settings(subject) {
        Ok(settings) => settings,
        Err(words) => return Found::failed(words),
    };
    let usual = ("the usual settings".to_owned(), subject.settings().clone());
    let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
    for (name, settings) in std::iter::once(&usual).chain(&settings) {
        for (signal, samples) in &signals {
            let input = Block::mono(samples.clone());
            let take = Take {
                settings,
                ..subject.take()
            };
            let taken = match take.sound(&input) {
                Ok(taken) => taken,
                Err(Bad::Refused(_)) => continue,
                Err(Bad::Broke(words)) => {
                    return Found::failed(format!("with {name}, 3 s of {signal} went in: {words}"));
                }
            };
            let change = level_dbfs(&taken.planes[0]) - level_dbfs(samples);
            (lowest, highest) = (lowest.min(change), highest.max(change));
            let too_low = min_db > NOTHING_DB && change < min_db - LEVEL_TOLERANCE_DB;
            if too_low || change > max_db + LEVEL_TOLERANCE_DB {
                return Found::failed(format!(
                    "with {name}, 3 s of {signal} went in and came out changed by {change:.1} dB. The \
                     manifest promises {min_db} to {max_db} dB, and the host ends a step that breaks its promise"
                ));
            }
        }
    }
    Found::passed(format!(
        "changed by {lowest:.1} to {highest:.1} dB over {} settings and {} signals; {min_db} to {max_db} dB are \
         promised",
        settings.len() + 1,
        signals.len()
    ))
}

/// The ends of the parameters' ranges, and some settings between them.
fn level_settings(subject: &Subject<'_>) -> Result<Vec<(String, Settings)>, String> {
    let mut settings = subject.ends()?;
    let drawn = inner::drawn(subject)?.into_iter().take(LEVEL_INNER);
    settings.extend(drawn.map(|drawn| (drawn.name, drawn.settings)));
    Ok(settings)
}

/// A second and four seconds of voice, in one channel.
fn shorter_and_longer(subject: &Subject<'_>) -> Result<(Taken, Taken), Found> {
    let rate = subject.usual_hz();
    let run = |seconds: usize| {
        let input = Block::mono(signals::voice(rate, rate as usize * seconds, 1));
        subject.take().sound(&input).map_err(|bad| {
            Found::failed(format!("{seconds} s of a voice went in: {}", bad.words()))
        })
    };
    Ok((run(1)?, run(4)?))
}

pub fn log(subject: &Subject<'_>) -> Found {
    let kept_max = retake_plugin_host::LOG_BYTES_MAX;
    let (shorter, longer) = match shorter_and_longer(subject) {
        Ok(taken) => taken,
        Err(found) => return found,
    };
    let bytes = |taken: &Taken| {
        taken
            .log
            .iter()
            .map(|line| line.message.len())
            .sum::<usize>()
    };
    let (short, long) = (bytes(&shorter), bytes(&longer));
    let per_hour = (long.saturating_sub(short) as f64 / 3.0) * 3600.0;
    let dropped = longer
        .log
        .iter()
        .any(|line| line.message.ends_with("more lines were dropped"));
    if dropped || per_hour > kept_max as f64 {
        Found::warned(format!(
            "4 s of a voice went in, and {}{long} bytes were logged. The host keeps the first {} KiB of a \
             session's log: log what happens once, and report what happens often",
            if dropped { "more than " } else { "" },
            kept_max >> 10
        ))
    } else {
        Found::passed(format!("{long} bytes for 4 s of a voice"))
    }
}

pub fn cost(subject: &Subject<'_>) -> Found {
    let (shorter, longer) = match shorter_and_longer(subject) {
        Ok(taken) => taken,
        Err(found) => return found,
    };
    subject.set_cost(Cost {
        realtime_factor: 4.0 / longer.cpu.as_secs_f64().max(1e-6),
        memory_bytes: longer.memory_bytes as u64,
    });
    judge_cost(
        shorter.memory_bytes,
        longer.memory_bytes,
        longer.cpu.as_secs_f64() / 4.0,
    )
}

/// `cpu_s` is for a second of audio; memory is after one second and after four.
fn judge_cost(short_bytes: usize, long_bytes: usize, cpu_s: f64) -> Found {
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    let memory_max = (retake_plugin_host::MEMORY_MIB_MAX << 20) as f64;
    let per_s = long_bytes.saturating_sub(short_bytes) as f64 / 3.0;
    let lasts_s = if per_s > 0.0 {
        (memory_max - long_bytes as f64) / per_s
    } else {
        f64::INFINITY
    };
    let said = format!(
        "4 s of a voice took {:.1} MiB of memory and {:.1} ms of CPU time per second",
        mib(long_bytes as f64),
        cpu_s * 1000.0
    );
    if lasts_s < TALK_S {
        return Found::failed(format!(
            "{said}; it grows by {:.2} MiB per second, so that after {lasts_s:.0} s the 256 MiB of a \
             session are used up. Memory must not grow with the length of a recording",
            mib(per_s)
        ));
    }
    if cpu_s > 1.0 {
        return Found::failed(format!(
            "{said}: slower than it plays. A worker ends a job that takes longer than its recording by \
             more than two minutes"
        ));
    }
    if lasts_s < LONG_S {
        return Found::warned(format!(
            "{said}; it grows by {:.1} KiB per second, so that after {:.0} minutes the 256 MiB of a session \
             are used up",
            per_s / 1024.0,
            lasts_s / 60.0
        ));
    }
    if cpu_s * REALTIME_MIN > 1.0 {
        return Found::warned(format!(
            "{said}: less than {REALTIME_MIN} times faster than it plays, which leaves a chain little room \
             before its deadline"
        ));
    }
    Found::passed(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Outcome;

    #[test]
    fn memory_that_grows_and_time_that_does_not_suffice_are_told_apart() {
        let check = |short: usize, long: usize, cpu_s: f64, expected: Outcome, words: &str| {
            let found = judge_cost(short, long, cpu_s);
            assert_eq!(found.outcome, expected, "{found:?}");
            assert!(found.detail.contains(words), "{found:?}");
        };
        const MIB: usize = 1 << 20;
        check(MIB, MIB, 0.01, Outcome::Passed, "10.0 ms");
        check(MIB, 4 * MIB, 0.01, Outcome::Failed, "after 252 s");
        check(
            MIB,
            MIB + 300_000,
            0.01,
            Outcome::Warned,
            "after 45 minutes",
        );
        check(MIB, MIB, 0.3, Outcome::Warned, "little room");
        check(MIB, MIB, 1.5, Outcome::Failed, "slower than it plays");
    }
}
