//! The same again: the same stream gives the same output, whatever the instance did before.

use retake_audio::Block;

use super::{Found, drive::Take, signals, streams::first_difference, subject::Subject};

const RULE: &str = "The same recording, chain and plugin give the same bytes; the seed is the only \
                    randomness";

pub fn deterministic(subject: &Subject<'_>) -> Found {
    let rate = subject.usual_hz();
    let input = Block::mono(signals::voice(rate, rate as usize, 2));
    let once = |describe: bool, seed: u64| -> Result<_, String> {
        let said = |error: retake_audio::StageError| format!("a voice of 1 s went in: {error}");
        let mut instance = subject.plugin().instance().map_err(said)?;
        if describe {
            instance.describe().map_err(said)?;
        }
        let taken = subject.take().lane_within(instance, &input, seed);
        taken.map(|(taken, _)| taken).map_err(said)
    };
    let runs = || -> Result<_, String> { Ok((once(false, 1)?, once(true, 1)?, once(false, 2)?)) };
    let (first, second, seeded) = match runs() {
        Ok(runs) => runs,
        Err(words) => return Found::failed(words),
    };
    if let Some(words) = first_difference(&first.planes, &second.planes) {
        return Found::failed(format!(
            "the same stream went into two instances, one of which had been asked to describe itself, and \
             {words}. {RULE}"
        ));
    }
    if first.reports != second.reports {
        return Found::failed(format!(
            "the same stream went into two instances, and their reports differ: {} and {}. {RULE}",
            first.reports[0], second.reports[0]
        ));
    }
    let other_seed = first_difference(&first.planes, &seeded.planes).is_some();
    Found::passed(format!(
        "two instances gave the same bytes and reports; another seed gives {}",
        if other_seed {
            "others, as it may"
        } else {
            "the same"
        }
    ))
}

/// One instance, one session after the other.
pub fn isolation(subject: &Subject<'_>) -> Found {
    let rate = subject.usual_hz();
    let before = Block::mono(signals::noise(rate as usize / 2, 0.5, 8));
    let input = Block::mono(signals::voice(rate, rate as usize / 2, 2));
    let take: Take<'_> = subject.take();
    let runs = || {
        let (fresh, _) = take.lane_within(subject.plugin().instance()?, &input, 1)?;
        let (_, used) = take.lane_within(subject.plugin().instance()?, &before, 9)?;
        let (again, _) = take.lane_within(used, &input, 1)?;
        Ok((fresh, again))
    };
    let (fresh, again) = match runs() {
        Ok(runs) => runs,
        Err(error) => {
            let error: retake_audio::StageError = error;
            return Found::failed(format!("a second session in the same instance: {error}"));
        }
    };
    match first_difference(&fresh.planes, &again.planes) {
        Some(words) => Found::failed(format!(
            "the same stream went into a new instance, and into one that had had a session before, and \
             {words}. All state belongs to the session: something global outlives it"
        )),
        None => Found::passed(
            "a session after another in the same instance gives the same bytes as alone",
        ),
    }
}
