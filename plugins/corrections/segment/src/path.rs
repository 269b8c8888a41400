//! From what was heard in each place to what a recording is, stretch by stretch.
//!
//! One answer means little: a drum is taken for noise, a vowel or a car for music. So the kinds are compared over
//! whole stretches, and each change has a price. Music is told by what is missing: where somebody speaks, amid
//! whatever noise, some of the answers say so within seconds, and they weigh three times as much as
//! those that say music. Of 107 pieces of music none had more than 12 % of speech heard in it over a minute; of voices in noise of
//! the same power none had less than 16 %.
//!
//! A jingle is too short for that price. It is told by being music all through, and is looked for in speech alone: so
//! no piece of music is ever cut up by it.

use std::ops::Range;

use crate::listener::Heard;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Speech,
    Music,
    Noise,
    Silence,
}

pub const KINDS: [Kind; 4] = [Kind::Speech, Kind::Music, Kind::Noise, Kind::Silence];

/// So many answers of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub kind: Kind,
    pub start: usize,
    pub count: usize,
}

/// How well what was heard goes with each kind.
fn fit(heard: &Heard) -> [f32; 4] {
    match heard {
        Heard::Silence => [0.5, 0.5, 0.5, 1.0],
        Heard::Sound(share) => [
            3.0 * share.speech + 0.6 * share.noise,
            share.music + 0.6 * share.noise,
            share.noise,
            -10.0,
        ],
    }
}

/// What it costs to go from one kind to another, in answers that fit perfectly: it takes five seconds of music to
/// leave speech for it and come back. Noise within music is mostly drums.
fn price(from: Kind, to: Kind) -> f32 {
    match (from, to) {
        (a, b) if a == b => 0.0,
        (Kind::Silence, _) | (_, Kind::Silence) => 1.0,
        (Kind::Noise, Kind::Music) | (Kind::Music, Kind::Noise) => 10.0,
        (Kind::Noise, _) | (_, Kind::Noise) => 4.0,
        _ => 5.0,
    }
}

/// So many answers of music all through are a jingle: three seconds, …
const JINGLE_ANSWERS: usize = 6;
/// … with no answer that says speech, and hardly any in all, …
const JINGLE_SPEECH: f32 = 0.3;
const JINGLE_SPEECH_MEAN: f32 = 0.1;
/// … and music in most of them: a drum alone may be taken for noise, two in a row may not.
const JINGLE_MUSIC: f32 = 0.3;
const JINGLE_MUSIC_MEAN: f32 = 0.75;

/// So many answers in which hardly any speech is heard are no talk: six seconds. With so much music they are music, of
/// which much is taken for noise: drums.
const PASSAGE_ANSWERS: usize = 12;
const PASSAGE_SPEECH_MEAN: f32 = 0.08;
const PASSAGE_MUSIC_MEAN: f32 = 0.4;

pub fn stretches(heard: &[Heard]) -> Vec<Stretch> {
    let mut kinds = best(heard);
    let found = [jingles(heard, &kinds), passages(heard, &kinds)].concat();
    for music in found {
        kinds[music].fill(Kind::Music);
    }
    let mut all: Vec<Stretch> = Vec::new();
    for (start, kind) in kinds.into_iter().enumerate() {
        match all.last_mut() {
            Some(last) if last.kind == kind => last.count += 1,
            _ => all.push(Stretch {
                kind,
                start,
                count: 1,
            }),
        }
    }
    all
}

/// Runs of answers within speech that are music all through.
fn jingles(heard: &[Heard], kinds: &[Kind]) -> Vec<Range<usize>> {
    let share = |place: usize| match heard[place] {
        Heard::Sound(share) if kinds[place] == Kind::Speech => Some(share),
        _ => None,
    };
    let is_music = |place: usize| share(place).is_some_and(|share| share.music >= JINGLE_MUSIC);
    let goes_on = |place: usize| {
        let quiet = share(place).is_some_and(|share| share.speech <= JINGLE_SPEECH);
        quiet && (is_music(place) || place + 1 < heard.len() && is_music(place + 1))
    };
    let (mut found, mut start) = (Vec::new(), 0);
    while start < heard.len() {
        let length = (start..heard.len())
            .take_while(|&place| goes_on(place))
            .count();
        let run = start..start + length;
        let mean = |of: fn(&retake_smn::Share) -> f32| {
            let sum: f32 = run.clone().filter_map(share).map(|share| of(&share)).sum();
            sum / length.max(1) as f32
        };
        let is_jingle = length >= JINGLE_ANSWERS
            && mean(|share| share.music) >= JINGLE_MUSIC_MEAN
            && mean(|share| share.speech) <= JINGLE_SPEECH_MEAN;
        start += length.max(1);
        if is_jingle {
            found.push(run);
        }
    }
    found
}

/// Six seconds within speech, and six more from the next answer on, in which nobody is heard to speak.
fn passages(heard: &[Heard], kinds: &[Kind]) -> Vec<Range<usize>> {
    let windows = heard.windows(PASSAGE_ANSWERS).enumerate();
    let is_passage = |(start, window): &(usize, &[Heard])| {
        let within = &kinds[*start..start + PASSAGE_ANSWERS];
        let mean = |of: fn(&retake_smn::Share) -> f32| {
            let shares = window.iter().map(|heard| match heard {
                Heard::Sound(share) => of(share),
                Heard::Silence => 0.0,
            });
            shares.sum::<f32>() / PASSAGE_ANSWERS as f32
        };
        within.iter().all(|kind| *kind == Kind::Speech)
            && mean(|share| share.speech) <= PASSAGE_SPEECH_MEAN
            && mean(|share| share.music) >= PASSAGE_MUSIC_MEAN
    };
    let found = windows.filter(is_passage);
    found
        .map(|(start, _)| start..start + PASSAGE_ANSWERS)
        .collect()
}

/// The best way through all answers (Viterbi).
fn best(heard: &[Heard]) -> Vec<Kind> {
    let mut best = [0.0f32; 4];
    // For each answer and kind, the kind before it.
    let mut before: Vec<[u8; 4]> = Vec::with_capacity(heard.len());
    for (place, heard) in heard.iter().enumerate() {
        let fit = fit(heard);
        let came = |to: usize| {
            let score = |from: usize| best[from] - price(KINDS[from], KINDS[to]);
            let from = (0..4).max_by(|a, b| score(*a).total_cmp(&score(*b)));
            // The first has none before it.
            let from = from.filter(|_| place > 0).unwrap_or(to);
            (from, score(from) + fit[to])
        };
        let came: [(usize, f32); 4] = std::array::from_fn(came);
        before.push(came.map(|(from, _)| from as u8));
        best = came.map(|(_, score)| score);
    }
    let mut kind = (0..4)
        .max_by(|a, b| best[*a].total_cmp(&best[*b]))
        .unwrap_or(0);
    let mut kinds = vec![Kind::Speech; heard.len()];
    for (place, before) in before.iter().enumerate().rev() {
        kinds[place] = KINDS[kind];
        kind = before[kind].into();
    }
    kinds
}

#[cfg(test)]
mod tests {
    use retake_smn::Share;

    use super::*;
    use crate::listener::{TOGETHER, together};

    /// A letter an answer: `s`peech, `m`usic, `n`oise, silence as a dot, `?` what speech in a street sounds
    /// like at times.
    fn check(letters: &str, expected: &str) {
        assert_eq!(told(&heard(letters)), expected);
    }

    fn heard(letters: &str) -> Vec<Heard> {
        let heard = letters.chars().map(|letter| {
            let share = |speech, music, noise| {
                Heard::Sound(Share {
                    speech,
                    music,
                    noise,
                })
            };
            match letter {
                's' => share(1.0, 0.0, 0.0),
                'm' => share(0.0, 1.0, 0.0),
                'n' => share(0.0, 0.0, 1.0),
                '?' => share(0.2, 0.6, 0.2),
                _ => Heard::Silence,
            }
        });
        heard.collect()
    }

    fn told(heard: &[Heard]) -> String {
        let told = stretches(heard);
        told.iter()
            .map(|stretch| {
                let letter = match stretch.kind {
                    Kind::Speech => 's',
                    Kind::Music => 'm',
                    Kind::Noise => 'n',
                    Kind::Silence => '.',
                };
                letter.to_string().repeat(stretch.count)
            })
            .collect()
    }

    #[test]
    fn a_few_seconds_of_something_else_change_nothing() {
        check("ssssssssmmmmmssssssssss", &"s".repeat(23));
        check("mmmmmmmmmmssmmmmmmmmmm", &"m".repeat(22));
        check("mmmmnnnnnnnnmmmm", &"m".repeat(16));
        check("ssss......ssss", "ssss......ssss");
        check("ssss..ssss", "ssssssssss");
    }

    #[test]
    fn a_jingle_is_music_and_the_talk_around_it_is_not() {
        let (talk, jingle) = ("s".repeat(40), "m".repeat(16));
        let whole = format!("{talk}{jingle}{talk}");
        check(&whole, &whole);
    }

    #[test]
    fn three_seconds_that_are_music_all_through_are_a_jingle_within_speech_only() {
        let talk = "s".repeat(20);
        for jingle in ["mmmmmm", "mmmmnmmmm"] {
            let whole = format!("{talk}{jingle}{talk}");
            let music = "m".repeat(jingle.len());
            check(&whole, &format!("{talk}{music}{talk}"));
        }
        // A word in it, drums that go on, or what a room makes of a voice: none.
        for other in ["mmmsmmm", "mmnnmmnnmm", "??m??m??m", "mmmmm"] {
            let whole = format!("{talk}{other}{talk}");
            check(&whole, &"s".repeat(whole.len()));
        }
        check("mmmmmmmmmmmmnnnnnnmmmmmmmmmmmm", &"m".repeat(30));
    }

    #[test]
    fn six_seconds_in_which_nobody_speaks_are_music_if_half_of_them_is() {
        let talk = "s".repeat(20);
        let within = |other: &str| format!("{talk}{other}{talk}");
        let drums = "mnnmmnnmmnnm";
        check(&within(drums), &within(&"m".repeat(12)));
        // A word in it, or noise with a note now and then.
        for other in ["mnnmmsnmmnnm", "mnnnnnmnnnnm"] {
            check(&within(other), &"s".repeat(52));
        }
    }

    #[test]
    fn a_voice_in_a_street_is_speech_though_most_of_it_sounds_like_music() {
        check(&"???s".repeat(10), &"s".repeat(40));
    }

    #[test]
    fn what_is_short_is_one_kind() {
        check("", "");
        check("m", "m");
        check("mmsmm", "mmmmm");
        check("nnnn", "nnnn");
    }

    #[test]
    fn nothing_is_missed_though_hardly_anything_of_a_talk_is_asked_for() {
        // How many were asked for, and what was told of all.
        let listened = |letters: &str| {
            let truth = heard(letters);
            let (mut all, mut asked) = (Vec::new(), 0);
            while all.len() + TOGETHER <= truth.len() {
                let first = all.len();
                let next = together(all.last_chunk().copied(), |place| {
                    asked += 1;
                    truth[first + place]
                });
                all.extend(next);
            }
            (asked, told(&all))
        };
        assert_eq!(listened(&"s".repeat(120)), (42 + 13, "s".repeat(120)));
        for other in [
            "mmmmmm",
            "mmmmmmmmm",
            &"m".repeat(16),
            &"n".repeat(30),
            "mnnmmnnmmnnm",
        ] {
            for start in 60..72 {
                let after = "s".repeat(120 - start - other.len());
                let letters = format!("{}{other}{after}", "s".repeat(start));
                let (asked, told_of) = listened(&letters);
                assert_eq!(told_of, told(&heard(&letters)), "{letters}");
                assert!(asked < letters.len(), "{asked} of {letters}");
            }
        }
        // Where nothing is sure, and where there is music between sentences, everything is asked for.
        assert_eq!(listened(&"m".repeat(120)).0, 120);
        assert_eq!(listened(&"sssssssmss".repeat(12)).0, 120);
    }
}
