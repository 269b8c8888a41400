//! From numbers to findings in words, and to the corrections that help.
//!
//! The limits were set between what clean recordings measure and what the same ones measure once
//! they are spoilt; `tests.rs` holds both sides. A defect that is hardly there is better left than
//! corrected: every correction takes a little of the voice as well.

use retake_plugin_sdk::prelude::*;

use crate::{
    chain::{Steps, UnderVoice},
    channels::Relations,
    content::Content,
    hops::Levels,
    spectrum::Hum,
};

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
/// Noise that is worth taking away: closer to the voice than this, …
const NOISE_DB: f64 = 52.0;
/// … and, where nobody has told that somebody speaks, steady and not too near, or it might be the quieter parts of music.
const STEADY_DB: f64 = 5.0;
const NOISE_NEAREST_DB: f64 = 10.0;
/// Steady noise so far below the voice goes as well with the small network, in a ninth of the time. Of ten such voices
/// denoise gained 0.53 of PESQ, denoise-best 0.60; of unsteady noise 0.21 and 0.61.
const LIGHT_DB: f64 = 33.0;
/// The large network was made for voices with all their band, and takes of one without it: of 6 voices over a
/// telephone denoise gained 0.82 of PESQ, denoise-best 0.19, and of one of them took 1.03.
const LIGHT_HZ: f64 = 4_250.0;
/// Nearer than this, what is there besides must be other voices where nothing sounds like noise, and the large network takes of the
/// voice that is meant, too: a tenth of them stays. 16 such recordings gained 0.06 of PESQ on the mean by it.
const VOICES_DB: f64 = 30.0;
/// Above what lies below the voice, and above a mere offset.
const RUMBLE_CUTOFF_HZ: f64 = 50.0;
const OFFSET_CUTOFF_HZ: f64 = 20.0;
/// What is above 5 kHz, in the sharpest 2 % of the time, against the voice.
const SHARP_DB: f64 = -9.0;
/// A voice that keeps its distance to the microphone stays well within this.
const RANGE_LU: f64 = 10.0;
/// So do its phrases. Of 15 clean voices the most was 8.8 dB: single words.
const APART_DB: f64 = 10.0;
/// A sound dies away within this in a furnished room; of eight dry voices the most was 0.36 s.
const DECAY_S: f64 = 0.45;
/// So much room is worth taking. Of voices in rooms of 0.3 to 1 s those above it gained 0.24 of PESQ, those below lost 0.07; music
/// beside a voice looks like 0.45 s.
const TAKEN_DECAY_S: f64 = 0.6;
/// Podcast loudness, and how near to it is near enough.
const TARGET_LUFS: f64 = -16.0;
const TARGET_DBTP: f64 = -1.5;
const NEAR_LU: f64 = 1.5;
/// A telephone's voice has high peaks for its loudness, and to take off more than so much as would be over TARGET_LUFS is heard:
/// limited by 12 dB one of six lost 0.4 of PESQ, by 7 dB nothing.
const NARROW_PEAK_LU: f64 = 18.5;
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
    /// Above it there is not even noise.
    pub ends_hz: Option<f64>,
    pub channels: Relations,
    pub levels: Option<Levels>,
    /// If a step before has found it out.
    pub content: Option<Content>,
    pub under_voice: UnderVoice,
}

/// What was found, and the plugins that help.
#[derive(Default)]
struct Findings {
    words: Vec<(&'static str, String)>,
    steps: Steps,
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
    let chain = findings
        .steps
        .json(measured.content.as_ref(), measured.under_voice);
    report.text("recommended-chain", "Recommended chain", &chain)
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
            "decay",
            "A sound dies away by 60 dB within",
            "s",
            measured.levels.and_then(|l| l.decay_s),
        ),
        (
            "phrases-apart",
            "Louder phrases above quieter ones",
            "dB",
            measured.levels.and_then(|l| l.phrases_apart_db),
        ),
        (
            "music-share",
            "Music in all",
            "%",
            measured
                .content
                .as_ref()
                .map(|content| 100.0 * content.music_share()),
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
    let takes_room = room(measured, levels, &mut findings);
    noise(measured, levels, takes_room, &mut findings);
    the_voice_itself(measured, levels, &mut findings);
    level(measured, &mut findings);
    if let Some(content) = measured
        .content
        .as_ref()
        .filter(|content| content.is_wordless())
    {
        let (id, what) = match content.is_music() {
            true => ("music", "This is music, and nobody speaks"),
            false => ("nobody", "Nobody seems to speak in it"),
        };
        let words = format!(
            "{what} ({:.0} % of it): nothing is recommended, since these corrections are for voices.",
            100.0 * content.speech_share()
        );
        findings.add(id, words);
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
        findings.steps.push("declip", &[]);
    }
    if often(clicks, CLICKS, CLICKS_PER_MINUTE) {
        let per_minute = clicks as f64 / minutes;
        let words = format!("It clicks: {clicks} times, {per_minute:.0} in a minute.");
        findings.add("clicks", words);
        findings.steps.push("declick", &[]);
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
        let mains = format!("\"{:.0}\"", hum.mains_hz);
        findings.steps.push("hum", &[("mains", mains)]);
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
        // No higher than it must be: the voice begins above.
        let cutoff_hz = match rumble {
            Some(_) => RUMBLE_CUTOFF_HZ,
            None => OFFSET_CUTOFF_HZ,
        };
        let cutoff = format!("{cutoff_hz:.1}");
        findings.steps.push("highpass", &[("cutoff-hz", cutoff)]);
    }
}

/// In front of what takes noise: that would take the room's sound for a voice's, and what follows from it could no longer be
/// told. Whether it is taken.
fn room(measured: &Measured, levels: Levels, findings: &mut Findings) -> bool {
    let Some(decay_s) = levels.decay_s.filter(|&decay_s| decay_s > DECAY_S) else {
        return false;
    };
    let words = format!("There is much room in it: a sound takes {decay_s:.1} s to die away.");
    findings.add("room", words);
    let speaks = measured.content.as_ref().is_some_and(Content::has_speech);
    let is_taken = speaks && decay_s > TAKEN_DECAY_S;
    if is_taken {
        findings.steps.push("dereverb", &[]);
    }
    is_taken
}

fn noise(measured: &Measured, levels: Levels, takes_room: bool, findings: &mut Findings) {
    let snr_db = snr_db(levels);
    let speaks = measured.content.as_ref().is_some_and(Content::has_speech);
    let steady = levels.floor_spread_db <= STEADY_DB && snr_db >= NOISE_NEAREST_DB;
    // A voice in a perfectly silent room sounds cut out.
    let a_tenth_stays = [("strength", "0.9".to_owned())];
    if !(speaks || steady) || snr_db >= NOISE_DB {
        if takes_room {
            // It takes what dereverb leaves of the room.
            findings.steps.push("denoise", &a_tenth_stays);
        }
        return;
    }
    let is_narrow = measured.ends_hz.is_some_and(|hz| hz <= LIGHT_HZ);
    let is_far = levels.floor_spread_db <= STEADY_DB && snr_db >= LIGHT_DB;
    let content = measured.content.as_ref();
    let among_voices = snr_db <= VOICES_DB && content.is_some_and(Content::has_no_noise);
    let how = match (is_narrow, is_far) {
        _ if among_voices && !is_narrow => {
            " It sounds like other voices: a tenth of it stays, or this one would lose with them."
        }
        (true, _) => {
            " The light denoiser takes it: the large one is for voices with more than a telephone's band."
        }
        (_, true) => " It is steady: the light denoiser will do.",
        _ => "",
    };
    let words = format!(
        "There is noise, {snr_db:.0} dB below the voice ({:.0} dBFS).{how}",
        levels.floor_dbfs
    );
    findings.add("noise", words);
    if is_narrow || is_far {
        findings.steps.push("denoise", &a_tenth_stays);
    } else if among_voices {
        findings.steps.push("denoise-best", &a_tenth_stays);
    } else {
        findings.steps.push("denoise-best", &[]);
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
    // Where nobody speaks, sharp is what is there: rain, applause.
    let nobody = measured
        .content
        .as_ref()
        .is_some_and(|content| !content.has_speech());
    let sharp = levels
        .sharp_db
        .filter(|&sharp_db| sharp_db > SHARP_DB && !nobody);
    if let Some(sharp_db) = sharp {
        let words = format!(
            "The s-sounds are sharp: {sharp_db:.0} dB against the voice, where {SHARP_DB:.0} is much."
        );
        findings.add("sibilance", words);
        findings.steps.push("de-ess", &[]);
    }
    let range_lu = measured.range_lu.filter(|&range_lu| range_lu > RANGE_LU);
    if let Some(range_lu) = range_lu {
        let words = format!("Loud and quiet parts are {range_lu:.0} LU apart.");
        findings.add("loudness-range", words);
    }
    let apart_db = levels
        .phrases_apart_db
        .filter(|&apart_db| apart_db > APART_DB);
    if let Some(apart_db) = apart_db {
        let words = format!(
            "Louder phrases are {apart_db:.0} dB above quieter ones, as of two people at one microphone."
        );
        findings.add("phrases", words);
    }
    // Where music is louder than the voice, the range says nothing of the voice.
    let has_music = measured.content.as_ref().is_some_and(Content::has_music);
    if apart_db.is_some() || (range_lu.is_some() && !has_music) {
        findings.steps.push("leveler", &[]);
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
    let is_narrow = measured.ends_hz.is_some_and(|hz| hz <= LIGHT_HZ);
    let too_peaky_lu = measured.peak_dbfs - lufs - NARROW_PEAK_LU;
    let target_lufs = match is_narrow && too_peaky_lu > 0.0 {
        true => TARGET_LUFS - (2.0 * too_peaky_lu).ceil() / 2.0,
        false => TARGET_LUFS,
    };
    let off_lu = lufs - target_lufs;
    let off_target = off_lu.abs() > NEAR_LU;
    if off_target {
        let way = if off_lu < 0.0 { "quiet" } else { "loud" };
        let why = match target_lufs < TARGET_LUFS {
            true => " More would cut its peaks audibly.",
            false => "",
        };
        let words = format!(
            "It is too {way}: {lufs:.1} LUFS, {:.1} LU off {target_lufs:.0}.{why}",
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
        let lufs = format!("{target_lufs:.1}");
        let peak = format!("{TARGET_DBTP:.1}");
        findings.steps.push(
            "loudness",
            &[("target-lufs", lufs), ("true-peak-dbtp", peak)],
        );
    }
}
