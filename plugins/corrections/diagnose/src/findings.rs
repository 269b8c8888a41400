//! From numbers to findings in words, and to the corrections that help.
//!
//! The limits were set between what clean recordings measure and what the same ones measure once
//! they are spoilt; `tests.rs` holds both sides. A defect that is hardly there is better left than
//! corrected: every correction takes a little of the voice as well.

use retake_plugin_sdk::prelude::*;

use crate::{channels::Relations, content::Content, hops::Levels, spectrum::Hum};

/// Harmonics of the mains frequency that must stand out, or one that stands out by so much.
const HUM_HARMONICS: usize = 2;
const HUM_DB: f64 = 13.0;
/// Hum so far below the voice is not heard.
const HUM_UNHEARD_DB: f64 = -60.0;
/// Flat tops: at least so many, and so many in a minute.
const CLIPPED_RUNS: u64 = 5;
const CLIPPED_RUNS_PER_MINUTE: f64 = 5.0;
/// Clicks, likewise.
const CLICKS: u64 = 3;
const CLICKS_PER_MINUTE: f64 = 6.0;
/// A constant offset against the voice. Voices are a little lopsided by themselves.
const OFFSET_DB: f64 = -32.0;
/// Power below 44 Hz against that of the voice.
const RUMBLE_DB: f64 = -25.0;
/// Noise that is heard at podcast loudness: closer to the voice than this, …
const NOISE_DB: f64 = 40.0;
/// … but noise, which is steady, and not the quieter parts of music.
const STEADY_DB: f64 = 5.0;
const NOISE_NEAREST_DB: f64 = 10.0;
/// What is above 5 kHz, in the sharpest 2 % of the time, against the voice.
const SHARP_DB: f64 = -9.0;
/// A voice that keeps its distance to the microphone stays well within this.
const RANGE_LU: f64 = 10.0;
/// Podcast loudness, and how near to it is near enough.
const TARGET_LUFS: f64 = -16.0;
const NEAR_LU: f64 = 1.5;
const PEAK_DBFS: f64 = -1.0;
/// Nothing but hiss comes from a recording so quiet.
const NEAR_SILENCE_DBFS: f64 = -65.0;
/// Bandwidths in words, by their upper edge.
const TELEPHONE_HZ: f64 = 4_250.0;
const WIDEBAND_HZ: f64 = 8_500.0;
const REDUCED_HZ: f64 = 13_000.0;

/// Everything that was measured.
pub struct Measured {
    pub seconds: f64,
    pub rate_hz: u32,
    pub clipped_runs: u64,
    pub clicks: u64,
    pub offset: f64,
    pub peak_dbfs: f64,
    pub integrated_lufs: Option<f64>,
    pub range_lu: Option<f64>,
    pub hum: Option<Hum>,
    pub rumble_db: Option<f64>,
    pub bandwidth_hz: Option<f64>,
    pub channels: Relations,
    pub levels: Option<Levels>,
    /// If a step before has found it out.
    pub content: Option<Content>,
}

/// What was found, and the plugins that help.
#[derive(Default)]
struct Findings {
    words: Vec<(&'static str, String)>,
    /// In the order in which they must run.
    steps: Vec<&'static str>,
}

impl Findings {
    fn add(&mut self, id: &'static str, words: String) {
        self.words.push((id, words));
    }
}

pub fn report(measured: &Measured) -> Report {
    let findings = findings(measured);
    let mut report = evidence(measured);
    for (id, words) in &findings.words {
        report = report.text(&format!("finding-{id}"), "Finding", words);
    }
    let steps: Vec<_> = findings.steps.into_iter().map(step).collect();
    let chain = format!("{{\"steps\":[{}]}}", steps.join(","));
    report.text("recommended-chain", "Recommended chain", &chain)
}

/// A step that fails is better left out than the recording uncorrected.
fn step(plugin: &str) -> String {
    let params = match plugin {
        // A tenth of the room stays: a voice in a perfectly silent room sounds cut out.
        "denoise" => r#","params":{"strength":0.9}"#,
        "loudness" => r#","params":{"target-lufs":-16.0,"true-peak-dbtp":-1.5}"#,
        _ => "",
    };
    format!(r#"{{"plugin":"{plugin}"{params},"on_failure":"skip"}}"#)
}

fn evidence(measured: &Measured) -> Report {
    let mut report = Report::default()
        .number("peak", "Highest sample", "dBFS", measured.peak_dbfs)
        .count(
            "clipped-runs",
            "Flat tops",
            "",
            measured.clipped_runs as i64,
        )
        .count("clicks", "Clicks", "", measured.clicks as i64)
        .number(
            "dc-offset",
            "Constant offset",
            "dBFS",
            factor_to_db(measured.offset),
        );
    let numbers = [
        (
            "integrated-lufs",
            "Loudness",
            "LUFS",
            measured.integrated_lufs,
        ),
        ("loudness-range", "Loudness range", "LU", measured.range_lu),
        (
            "rumble",
            "Rumble against the voice",
            "dB",
            measured.rumble_db,
        ),
        ("bandwidth", "Bandwidth", "Hz", measured.bandwidth_hz),
        (
            "correlation",
            "Correlation of left and right",
            "",
            measured.channels.correlation,
        ),
        (
            "hum",
            "Hum stands out by",
            "dB",
            measured.hum.map(|hum| hum.stands_out_db),
        ),
        (
            "hum-level",
            "Hum",
            "dBFS",
            measured.hum.map(|hum| hum.level_dbfs),
        ),
        (
            "hum-frequency",
            "Mains frequency of the hum",
            "Hz",
            measured.hum.map(|hum| hum.mains_hz),
        ),
        (
            "voice-level",
            "Level of the voice",
            "dBFS",
            measured.levels.map(|l| l.voice_dbfs),
        ),
        (
            "noise-floor",
            "Noise floor",
            "dBFS",
            measured.levels.map(|l| l.floor_dbfs),
        ),
        (
            "noise-spread",
            "Unsteadiness of the floor",
            "dB",
            measured.levels.map(|l| l.floor_spread_db),
        ),
        (
            "snr",
            "Voice above noise",
            "dB",
            measured.levels.map(snr_db),
        ),
        (
            "sibilance",
            "Sharp sounds against the voice",
            "dB",
            measured.levels.and_then(|l| l.sharp_db),
        ),
        (
            "longest-pause",
            "Longest pause",
            "s",
            measured.levels.map(|l| l.longest_pause_s),
        ),
    ];
    for (id, label, unit, value) in numbers {
        if let Some(value) = value {
            report = report.number(id, label, unit, value);
        }
    }
    match measured.levels {
        Some(levels) => report.count("long-pauses", "Long pauses", "", levels.long_pauses as i64),
        None => report,
    }
}

fn snr_db(levels: Levels) -> f64 {
    levels.voice_dbfs - levels.floor_dbfs
}

fn findings(measured: &Measured) -> Findings {
    let mut findings = Findings::default();
    let Some(levels) = measured.levels else {
        findings.add(
            "silence",
            "There is nothing to hear in this recording.".to_owned(),
        );
        return findings;
    };
    channels(&measured.channels, &mut findings);
    spoilt_samples(measured, &mut findings);
    below_the_voice(measured, levels, &mut findings);
    noise(measured, levels, &mut findings);
    the_voice_itself(measured, levels, &mut findings);
    level(measured, &mut findings);
    if measured.content.as_ref().is_some_and(Content::is_music) {
        let words = "This is music, and nobody speaks: nothing is recommended, since these corrections are for voices.";
        findings.add("music", words.to_owned());
        findings.steps.clear();
    }
    if findings.words.is_empty() {
        findings.add("clean", "Nothing is wrong with this recording.".to_owned());
    }
    findings
}

/// No step mends these: which channel is right, its owner knows.
fn channels(relations: &Relations, findings: &mut Findings) {
    for dead in &relations.dead {
        let words = format!("Channel {dead} is dead: there is nothing on it.");
        findings.add("dead-channel", words);
    }
    if relations.inverted {
        let words = "One channel is the other turned over: on one loudspeaker they cancel out.";
        findings.add("inverted-channel", words.to_owned());
    }
    if relations.identical {
        let words = "Both channels are the same: it is mono.";
        findings.add("identical-channels", words.to_owned());
    }
}

fn spoilt_samples(measured: &Measured, findings: &mut Findings) {
    let minutes = (measured.seconds / 60.0).max(1.0 / 60.0);
    let often = |count: u64, least: u64, per_minute: f64| {
        count >= least && count as f64 / minutes >= per_minute
    };
    let Measured {
        clipped_runs,
        clicks,
        ..
    } = *measured;
    if often(clipped_runs, CLIPPED_RUNS, CLIPPED_RUNS_PER_MINUTE) {
        let words = format!("It was recorded too loud: {clipped_runs} peaks are cut off flat.");
        findings.add("clipping", words);
        findings.steps.push("declip");
    }
    if often(clicks, CLICKS, CLICKS_PER_MINUTE) {
        let per_minute = clicks as f64 / minutes;
        let words = format!("It clicks: {clicks} times, {per_minute:.0} in a minute.");
        findings.add("clicks", words);
        findings.steps.push("declick");
    }
}

fn below_the_voice(measured: &Measured, levels: Levels, findings: &mut Findings) {
    let heard = |hum: &Hum| {
        let clear = hum.harmonics >= HUM_HARMONICS || hum.stands_out_db >= HUM_DB;
        clear && hum.level_dbfs - levels.voice_dbfs > HUM_UNHEARD_DB
    };
    if let Some(hum) = measured.hum.filter(heard) {
        findings.add(
            "hum",
            format!(
                "It hums at {} Hz: {:.0} dB above what is around it, {:.0} dB below the voice.",
                hum.mains_hz,
                hum.stands_out_db,
                levels.voice_dbfs - hum.level_dbfs
            ),
        );
        findings.steps.push("hum");
    }
    let rumble = measured
        .rumble_db
        .filter(|&rumble_db| rumble_db > RUMBLE_DB);
    if let Some(rumble_db) = rumble {
        let words = format!(
            "It rumbles: what lies below the voice is {:.0} dB below it.",
            -rumble_db
        );
        findings.add("rumble", words);
    }
    let offset_db = factor_to_db(measured.offset);
    let has_offset = offset_db - levels.voice_dbfs > OFFSET_DB;
    if has_offset {
        findings.add(
            "dc-offset",
            format!("It has a constant offset of {offset_db:.0} dBFS."),
        );
    }
    if rumble.is_some() || has_offset {
        findings.steps.push("highpass");
    }
}

fn noise(measured: &Measured, levels: Levels, findings: &mut Findings) {
    let snr_db = snr_db(levels);
    let steady = levels.floor_spread_db <= STEADY_DB;
    if steady && (NOISE_NEAREST_DB..NOISE_DB).contains(&snr_db) {
        findings.add(
            "noise",
            format!(
                "There is noise, {snr_db:.0} dB below the voice ({:.0} dBFS).",
                levels.floor_dbfs
            ),
        );
        // The other would take music for noise.
        let has_music = measured.content.as_ref().is_some_and(Content::has_music);
        findings
            .steps
            .push(if has_music { "denoise-best" } else { "denoise" });
    }
}

fn the_voice_itself(measured: &Measured, levels: Levels, findings: &mut Findings) {
    if let Some(hz) = measured.bandwidth_hz {
        let nyquist_hz = f64::from(measured.rate_hz) / 2.0;
        let khz = hz.min(nyquist_hz) / 1_000.0;
        let words = if hz <= TELEPHONE_HZ {
            Some(format!(
                "It sounds like a telephone: there is nothing above {khz:.1} kHz."
            ))
        } else if hz <= WIDEBAND_HZ {
            Some(format!(
                "It sounds dull: there is nothing above {khz:.1} kHz."
            ))
        } else if hz <= REDUCED_HZ {
            Some(format!(
                "There is nothing above {khz:.1} kHz, as after strong compression."
            ))
        } else {
            None
        };
        if let Some(words) = words {
            findings.add("bandwidth", words + " No correction brings that back.");
        }
    }
    if let Some(sharp_db) = levels.sharp_db.filter(|&sharp_db| sharp_db > SHARP_DB) {
        let words = format!(
            "The s-sounds are sharp: {sharp_db:.0} dB against the voice, where {SHARP_DB:.0} is much."
        );
        findings.add("sibilance", words);
        findings.steps.push("de-ess");
    }
    if let Some(range_lu) = measured.range_lu.filter(|&range_lu| range_lu > RANGE_LU) {
        let words = format!("Loud and quiet parts are {range_lu:.0} LU apart.");
        findings.add("loudness-range", words);
        findings.steps.push("leveler");
    }
    if levels.long_pauses > 0 {
        let Levels {
            long_pauses,
            longest_pause_s,
            ..
        } = levels;
        let pauses = match long_pauses {
            1 => format!("There is a long pause, of {longest_pause_s:.1} s."),
            many => format!("There are {many} long pauses, the longest of {longest_pause_s:.1} s."),
        };
        let words = format!(
            "{pauses} \"trim-silence\" shortens them; it is not recommended by itself, since it cuts."
        );
        findings.add("long-pauses", words);
    }
}

/// Last: what the other steps take away or add is in it.
fn level(measured: &Measured, findings: &mut Findings) {
    let near_silence = measured
        .levels
        .is_some_and(|levels| levels.voice_dbfs < NEAR_SILENCE_DBFS);
    if near_silence {
        let words = "There is next to nothing to hear in this recording: was the microphone on?";
        findings.add("near-silence", words.to_owned());
    }
    let Some(lufs) = measured.integrated_lufs else {
        return;
    };
    let off_lu = lufs - TARGET_LUFS;
    let off_target = off_lu.abs() > NEAR_LU;
    if off_target {
        let way = if off_lu < 0.0 { "quiet" } else { "loud" };
        let words = format!(
            "It is too {way}: {lufs:.1} LUFS, {:.1} LU off {TARGET_LUFS:.0}.",
            off_lu.abs()
        );
        findings.add("level", words);
    }
    let too_high = measured.peak_dbfs > PEAK_DBFS;
    if too_high {
        let peak_dbfs = measured.peak_dbfs;
        findings.add("peak", format!("Its peaks reach {peak_dbfs:.1} dBFS."));
    }
    if off_target || too_high || !findings.steps.is_empty() {
        findings.steps.push("loudness");
    }
}
