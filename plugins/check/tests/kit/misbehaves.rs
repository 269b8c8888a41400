//! Every check can fail: for each id a guest that makes just that mistake.

use std::collections::HashSet;

use retake_plugin_check::{Outcome, checks};
use serde_json::json;

use crate::rig::{built, check_quirk, expect, one};

/// Of the checks that need a session: id, quirk, outcome, and words of the explanation.
const QUIRKS: &[(&str, &str, Outcome, &str)] = &[
    (
        "silence",
        "divide-by-peak",
        Outcome::Failed,
        "NaN at frame 0 of channel 0",
    ),
    (
        "silence",
        "hiss",
        Outcome::Warned,
        "sound at -25 dBFS came out",
    ),
    (
        "offset",
        "divide-by-change",
        Outcome::Failed,
        "1 s of a constant 0.5 went in",
    ),
    (
        "full-scale",
        "square-hugely",
        Outcome::Failed,
        "a square wave at full scale",
    ),
    ("no-numbers", "no-nan", Outcome::Failed, "what is this?"),
    (
        "no-numbers",
        "nan-for-ever",
        Outcome::Warned,
        "frames were lost to it",
    ),
    (
        "denormals",
        "reciprocal",
        Outcome::Failed,
        "Output must be finite",
    ),
    ("impulse", "unstable", Outcome::Failed, "does not die away"),
    ("short", "long-only", Outcome::Failed, "far too short"),
    (
        "rates",
        "one-rate",
        Outcome::Failed,
        "at 8000 Hz went in: it refused",
    ),
    (
        "channels",
        "mono",
        Outcome::Failed,
        "with 2 channels went in: it refused",
    ),
    (
        "blocks",
        "block-edges",
        Outcome::Failed,
        "How the host cuts blocks must not be heard",
    ),
    (
        "latency",
        "late",
        Outcome::Failed,
        "latency says 0 frames, and output and input fit best 100",
    ),
    ("latency", "early", Outcome::Failed, "would be -100 frames"),
    (
        "latency",
        "hidden-lag",
        Outcome::Failed,
        "would be 1 frames late",
    ),
    (
        "latency",
        "nothing-but-noise",
        Outcome::Skipped,
        "it cannot be measured",
    ),
    ("length", "lose", Outcome::Failed, "must reach total-frames"),
    (
        "isolation",
        "remember",
        Outcome::Failed,
        "something global outlives it",
    ),
    (
        "earlier",
        "credulous",
        Outcome::Failed,
        "music that does not last",
    ),
    (
        "log",
        "chatter",
        Outcome::Warned,
        "report what happens often",
    ),
    ("cost", "hoard", Outcome::Failed, "Memory must not grow"),
];

#[test]
fn each_mistake_fails_its_check_and_without_it_the_check_passes() {
    for (id, quirk, outcome, words) in QUIRKS {
        check_quirk(id, quirk, *outcome, words);
    }
}

#[test]
fn a_plugin_that_describes_itself_differently_each_time_is_caught() {
    let fickle = built("test-plugins/fickle");
    let check = one(&fickle, "describe", json!({}));
    expect(
        &check,
        Outcome::Failed,
        "version was \"1.0.1\" and became \"1.0.2\"",
    );
    let check = one(&fickle, "deterministic", json!({ "whim": "described" }));
    expect(
        &check,
        Outcome::Failed,
        "asked to describe itself, and the outputs differ",
    );
    expect(
        &one(&fickle, "deterministic", json!({})),
        Outcome::Passed,
        "",
    );
}

#[test]
fn a_promise_about_length_or_level_is_held_against_what_comes_out() {
    let fickle = built("test-plugins/fickle");
    let check = |id: &str, whim: &str, outcome, words: &str| {
        expect(&one(&fickle, id, json!({ "whim": whim })), outcome, words);
    };
    check("length", "none", Outcome::Passed, "400 frames were cut");
    check(
        "length",
        "cut-unsaid",
        Outcome::Failed,
        "the cuts it reports add up to 0",
    );
    check("length", "lengthen", Outcome::Failed, "never lengthens");
    check("level", "loud", Outcome::Failed, "changed by 12.0 dB");
}

#[test]
fn an_end_of_a_range_that_crashes_is_named() {
    let check = one(&built("test-plugins/fickle"), "parameters", json!({}));
    expect(&check, Outcome::Failed, "\"cut-unsaid\"");
}

#[test]
fn what_goes_wrong_only_between_the_ends_is_caught_with_the_values_to_have_it_again() {
    let midway = built("test-plugins/midway");
    let check = |id: &str, fault: &str| one(&midway, id, json!({ "fault": fault }));
    for (fault, words) in [
        ("trap", "nobody goes here"),
        ("pair", "nobody goes here"),
        ("nan", "Output must be finite"),
        ("edges", "the outputs differ"),
        ("lose", "must reach total-frames"),
        ("moody", "hardly worth a call"),
    ] {
        let ends = check("parameters", fault);
        assert_eq!(ends.outcome, Outcome::Passed, "{fault}: {ends:?}");
        let found = check("inner-values", fault);
        expect(&found, Outcome::Failed, words);
        expect(&found, Outcome::Failed, "seed ");
        let named = if fault == "nan" { "count=" } else { "amount=" };
        expect(&found, Outcome::Failed, named);
        assert_eq!(found, check("inner-values", fault), "the same every time");
    }
    expect(
        &check("level", "loud"),
        Outcome::Failed,
        "changed by 12.0 dB",
    );
    for id in ["inner-values", "level", "parameters"] {
        expect(&check(id, "none"), Outcome::Passed, "");
    }
}

#[test]
fn every_check_is_shown_to_be_able_to_fail() {
    let elsewhere = [
        "imports",
        "installation",
        "manifest",
        "describe",
        "deterministic",
        "parameters",
        "inner-values",
        "level",
    ];
    let shown: HashSet<&str> = QUIRKS
        .iter()
        .map(|quirk| quirk.0)
        .chain(elsewhere)
        .collect();
    let all: HashSet<&str> = checks().iter().map(|known| known.id).collect();
    assert_eq!(shown, all);
}
