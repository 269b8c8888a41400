//! Clean speech, and the same spoilt in one way at a time: each finding is made where it should be
//! and nowhere else.
#![allow(clippy::unwrap_used)]

use std::f32::consts::TAU;

use retake_plugin_sdk::{
    earlier::StepReport,
    testing::{correct, correct_after},
};

use super::*;

const RATE_HZ: u32 = 44_100;

/// Ten seconds of synthetic speech, at -16 LUFS.
fn speech() -> Block {
    let wav = include_bytes!("../../../../tests/fixtures/recordings/speech-44k-stereo.wav");
    let at = wav.windows(4).position(|id| id == b"data").unwrap() + 8;
    let mut once = vec![Vec::new(); 2];
    for (n, sample) in wav[at..].chunks_exact(2).enumerate() {
        let sample = f32::from(i16::from_le_bytes([sample[0], sample[1]])) / 32_768.0;
        // Louder by 3 dB, and bent where it would be too loud: no top becomes flat.
        once[n % 2].push(0.88 * (1.4 / 0.88 * sample).tanh());
    }
    once.iter().map(|channel| channel.repeat(4)).collect()
}

/// xorshift, -1 to 1.
fn noise() -> impl FnMut() -> f32 {
    let mut state = 99u32;
    move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    }
}

/// With something done to every sample; it is told the frame.
fn spoilt(mut spoil: impl FnMut(usize, f32) -> f32) -> Block {
    let mut block = speech();
    for channel in &mut block {
        for (frame, sample) in channel.iter_mut().enumerate() {
            *sample = spoil(frame, *sample);
        }
    }
    block
}

fn diagnose(rate_hz: u32, block: &Block) -> Report {
    let settings = Settings::defaults::<Diagnose>();
    correct::<Diagnose>(rate_hz, &settings, block, 4_800)
        .unwrap()
        .1
}

fn recommended(report: &Report) -> Vec<String> {
    let chain = report.get_text("recommended-chain").unwrap();
    let steps = chain.split("{\"plugin\":\"").skip(1);
    steps
        .map(|step| step.split('"').next().unwrap().to_owned())
        .collect()
}

fn check(block: &Block, expected: &[&str], findings: &[&str]) -> Report {
    let report = diagnose(RATE_HZ, block);
    assert_eq!(recommended(&report), expected);
    for finding in findings {
        assert!(
            report.get_text(&format!("finding-{finding}")).is_some(),
            "{finding}"
        );
    }
    report
}

#[test]
fn a_clean_recording_is_left_alone() {
    let report = check(&speech(), &[], &[]);
    assert_eq!(report.get_text("recommended-chain"), Some("{\"steps\":[]}"));
}

#[test]
fn a_quiet_recording_needs_nothing_but_loudness() {
    let report = check(&spoilt(|_, x| 0.1 * x), &["loudness"], &["level"]);
    let off_lu = report.get("integrated-lufs").unwrap()
        - diagnose(RATE_HZ, &speech()).get("integrated-lufs").unwrap();
    assert!((off_lu + 20.0).abs() < 0.1, "{off_lu}");
}

#[test]
fn clipping_is_found_where_tops_are_flat_and_however_loud() {
    for (limit, scale) in [(0.5, 1.0), (0.5, 0.3)] {
        let block = spoilt(|_, x| scale * (x * 1.5).clamp(-limit, limit));
        let report = diagnose(RATE_HZ, &block);
        assert_eq!(recommended(&report)[0], "declip", "{limit} {scale}");
    }
}

#[test]
fn the_tops_of_slow_and_of_full_waves_are_not_clipped() {
    for hz in [20.0, 55.0, 1_000.0, 7_350.0] {
        let wave: Vec<f32> = (0..RATE_HZ as usize * 4)
            .map(|n| {
                (0.99 * (TAU * hz * n as f32 / RATE_HZ as f32).sin() * 32_767.0).round() / 32_768.0
            })
            .collect();
        let report = diagnose(RATE_HZ, &vec![wave]);
        assert_eq!(report.get("clipped-runs"), Some(0.0), "{hz} Hz");
        assert_eq!(report.get("clicks"), Some(0.0), "{hz} Hz");
    }
}

#[test]
fn clicks_are_found_one_by_one() {
    let block = spoilt(|frame, x| if frame % 30_011 == 17 { x + 0.3 } else { x });
    let report = diagnose(RATE_HZ, &block);
    assert_eq!(recommended(&report)[0], "declick");
    // Fifteen in each channel; some lie under a loud sound.
    let clicks = report.get("clicks").unwrap();
    assert!((14.0..=30.0).contains(&clicks), "{clicks}");
}

#[test]
fn hum_is_found_with_its_frequency() {
    for hz in [50.0f32, 60.0] {
        let mut hiss = noise();
        let block = spoilt(|frame, x| {
            let turn = TAU * hz * frame as f32 / RATE_HZ as f32;
            x + 0.02 * turn.sin() + 0.01 * (3.0 * turn).sin() + 0.0005 * hiss()
        });
        let report = diagnose(RATE_HZ, &block);
        assert!(recommended(&report).contains(&"hum".to_owned()), "{hz}");
        assert_eq!(report.get("hum-frequency"), Some(f64::from(hz)));
        let level = report.get("hum-level").unwrap();
        // The two tones together have -36.0 dBFS.
        assert!((level + 36.0).abs() < 2.0, "{hz}: {level}");
    }
}

#[test]
fn steady_noise_is_found_with_its_level() {
    let mut hiss = noise();
    // Uniform noise of 0.02 has -38.8 dBFS.
    let block = spoilt(|_, x| x + 0.02 * hiss());
    let report = check(&block, &["denoise-best", "loudness"], &["noise"]);
    let floor_dbfs = report.get("noise-floor").unwrap();
    assert!((floor_dbfs + 38.8).abs() < 2.0, "{floor_dbfs}");
}

#[test]
fn noise_far_below_and_on_the_telephone_is_taken_by_the_small_network() {
    let mut hiss = noise();
    // Half of each second is a pause, so that the floor is seen.
    let pause = |frame: usize| frame % RATE_HZ as usize > RATE_HZ as usize / 2;
    let far = spoilt(|frame, x| if pause(frame) { 0.0 } else { x } + 0.005 * hiss());
    check(&far, &["denoise", "loudness"], &["noise"]);
    // The same noise as where the large one is asked for, at 8 kHz.
    let block = spoilt(|_, x| x + 0.02 * hiss());
    check(&block, &["denoise-best", "loudness"], &["noise"]);
    let mean = |chunk: &[f32]| chunk.iter().sum::<f32>() / 5.0;
    let narrow = speech()[0]
        .chunks_exact(5)
        .map(|chunk| mean(chunk) + 0.02 * hiss())
        .collect();
    let recommended = recommended(&diagnose(8_820, &vec![narrow]));
    assert!(
        recommended.contains(&"denoise".to_owned()),
        "{recommended:?}"
    );
}

#[test]
fn an_offset_asks_for_the_high_pass() {
    let report = check(
        &spoilt(|_, x| x * 0.9 + 0.03),
        &["highpass", "loudness"],
        &["dc-offset"],
    );
    let offset_db = report.get("dc-offset").unwrap();
    assert!((offset_db + 30.5).abs() < 0.2, "{offset_db}");
}

#[test]
fn parts_that_are_far_apart_ask_for_the_leveler() {
    let mut block = speech();
    for channel in &mut block {
        let longer = channel.repeat(2);
        let half = longer.len() / 2;
        *channel = longer;
        channel[half..].iter_mut().for_each(|x| *x *= 0.2);
    }
    let report = check(&block, &["leveler", "loudness"], &["loudness-range"]);
    let range_lu = report.get("loudness-range").unwrap();
    assert!((range_lu - 14.0).abs() < 2.0, "{range_lu}");
}

#[test]
fn a_telephones_bandwidth_is_named_and_nothing_promised() {
    // Every 5th frame of a low-passed copy: 8.8 kHz.
    let low = spoilt(|_, x| x).into_iter().map(|channel| {
        let windows = channel.windows(5);
        windows
            .step_by(5)
            .map(|five| five.iter().sum::<f32>() / 5.0)
            .collect()
    });
    let report = diagnose(8_820, &low.collect());
    assert!(
        report
            .get_text("finding-bandwidth")
            .unwrap()
            .contains("telephone")
    );
    assert!(report.get("bandwidth").unwrap() <= 4_500.0);
}

#[test]
fn long_pauses_are_counted_and_not_cut() {
    let mut block = speech();
    for channel in &mut block {
        let pause = vec![0.0; 3 * RATE_HZ as usize];
        *channel = [&channel[..], &pause, &channel[..]].concat();
    }
    let report = check(&block, &[], &["long-pauses"]);
    assert_eq!(report.get("long-pauses"), Some(1.0));
    let longest_s = report.get("longest-pause").unwrap();
    assert!((longest_s - 3.0).abs() < 0.5, "{longest_s}");
}

#[test]
fn nothing_is_recommended_for_nothing() {
    for samples in [vec![], vec![0.0], vec![0.0; 100_000], vec![0.5]] {
        let report = diagnose(RATE_HZ, &vec![samples]);
        assert!(recommended(&report).is_empty());
    }
}

#[test]
fn what_is_found_does_not_depend_on_the_block_length() {
    let block = spoilt(|frame, x| {
        if frame % 30_011 == 17 {
            x + 0.3
        } else {
            0.2 * x + 0.01
        }
    });
    let settings = Settings::defaults::<Diagnose>();
    let found = |frames| {
        let (_, report) = correct::<Diagnose>(RATE_HZ, &settings, &block, frames).unwrap();
        let numbers = [
            "clicks",
            "integrated-lufs",
            "noise-floor",
            "rumble",
            "dc-offset",
        ];
        let numbers = numbers.map(|id| (1e6 * report.get(id).unwrap()).round());
        (numbers, recommended(&report))
    };
    let expected = found(4_800);
    assert_eq!(found(997), expected);
    assert_eq!(found(100_000), expected);
}

/// Left as it is, right made of it, over hiss of its own.
fn stereo(rate_hz: u32, right: impl Fn(f32) -> f32) -> Block {
    let mut speech = speech();
    let left = speech.remove(0);
    let every = (RATE_HZ / rate_hz.min(RATE_HZ)) as usize;
    let left: Vec<f32> = left.into_iter().step_by(every).collect();
    let right = left.iter().map(|&x| right(x)).collect();
    vec![left, right]
}

#[test]
fn a_dead_a_turned_and_a_doubled_channel_are_found_and_no_others() {
    let faults = ["dead-channel", "inverted-channel", "identical-channels"];
    let check = |rate_hz: u32, block: &Block, expected: &[&str]| {
        for frames in [997, 4_800, 65_536] {
            let settings = Settings::defaults::<Diagnose>();
            let (_, report) = correct::<Diagnose>(rate_hz, &settings, block, frames).unwrap();
            let found = |fault: &&str| report.get_text(&format!("finding-{fault}")).is_some();
            let found: Vec<_> = faults.into_iter().filter(found).collect();
            assert_eq!(found, expected, "{rate_hz} Hz");
        }
    };
    for rate_hz in [RATE_HZ, 22_050, 11_025] {
        check(rate_hz, &stereo(rate_hz, |_| 0.0), &["dead-channel"]);
        check(rate_hz, &stereo(rate_hz, |_| 0.2), &["dead-channel"]);
        check(
            rate_hz,
            &stereo(rate_hz, |x| -0.8 * x),
            &["inverted-channel"],
        );
        check(
            rate_hz,
            &stereo(rate_hz, |x| -x + 0.05),
            &["inverted-channel"],
        );
        check(rate_hz, &stereo(rate_hz, |x| x), &["identical-channels"]);
        check(rate_hz, &stereo(rate_hz, |x| 0.5 * x), &[]);
        // Mono is one channel, and silence none.
        check(rate_hz, &stereo(rate_hz, |x| x)[..1].to_vec(), &[]);
        check(rate_hz, &vec![vec![0.0; 48_000]; 2], &[]);
        let mut hiss = noise();
        let two: Block = (0..2)
            .map(|_| (0..96_000).map(|_| 0.1 * hiss()).collect())
            .collect();
        check(rate_hz, &two, &[]);
    }
    check(RATE_HZ, &speech(), &[]);
}

#[test]
fn of_many_channels_only_a_speaker_can_be_dead() {
    use retake_plugin_sdk::testing::correct_placed;
    let mut block = vec![vec![0.0; 4 * RATE_HZ as usize]; 6];
    block[0] = speech().remove(0)[..4 * RATE_HZ as usize].to_vec();
    let settings = Settings::defaults::<Diagnose>();
    let dead = |positions: &[u32]| {
        let (_, report) =
            correct_placed::<Diagnose>(RATE_HZ, &settings, &block, 4_800, positions).unwrap();
        report.get_text("finding-dead-channel").map(str::to_owned)
    };
    assert_eq!(dead(&[]), None);
    assert!(dead(&[0x1, 0x2, 0x4, 0x8, 0x10, 0x20]).is_some());
}

#[test]
fn next_to_nothing_is_said_to_be_that() {
    let report = diagnose(RATE_HZ, &spoilt(|_, x| 1e-4 * x));
    assert!(report.get_text("finding-near-silence").is_some());
    let report = diagnose(RATE_HZ, &spoilt(|_, x| 1e-2 * x));
    assert!(report.get_text("finding-near-silence").is_none());
}

#[test]
fn noise_is_found_beside_a_muted_stretch() {
    let mut hiss = noise();
    let mut block = spoilt(|_, x| x + 0.02 * hiss());
    for channel in &mut block {
        channel[3 * RATE_HZ as usize..5 * RATE_HZ as usize].fill(0.0);
    }
    let report = diagnose(RATE_HZ, &block);
    assert!(report.get_text("finding-noise").is_some());
}

/// A note with overtones that is held for seconds, again and again, over faint noise.
fn bass(hz: f32) -> Block {
    let mut noise = noise();
    let note = (0..RATE_HZ as usize * 20).map(|n| {
        let time = n as f32 / RATE_HZ as f32;
        let partials = (1..=5).map(|k| (TAU * hz * k as f32 * time).sin() / (k * k) as f32);
        0.2 * partials.sum::<f32>() * (0.6 + 0.4 * (-(time % 4.0)).exp()) + 1e-3 * noise()
    });
    vec![note.collect()]
}

#[test]
fn a_bass_is_no_hum_whatever_it_plays() {
    for semitone in -5..=8 {
        // From E1 to F2.
        let hz = 55.0 * 2f32.powf(semitone as f32 / 12.0);
        let report = diagnose(RATE_HZ, &bass(hz));
        assert_eq!(report.get_text("finding-hum"), None, "{hz:.1} Hz");
    }
    let report = diagnose(RATE_HZ, &bass(49.95));
    assert!(report.get_text("finding-hum").is_some(), "and hum is hum");
}

fn told(block: &Block, spans: &[(&str, u64, u64)]) -> Report {
    told_with(&Settings::defaults::<Diagnose>(), block, spans)
}

fn told_with(settings: &Settings, block: &Block, spans: &[(&str, u64, u64)]) -> Report {
    let report = spans
        .iter()
        .fold(Report::default(), |report, (id, start, end)| {
            let second = u64::from(RATE_HZ);
            report
                .count(id, "", "", 1)
                .at(start * second, (end - start) * second)
        });
    let told = vec![StepReport::new("org.retake.segment", "1.0.0", report)];
    correct_after::<Diagnose>(RATE_HZ, settings, block, 4_800, told)
        .unwrap()
        .1
}

#[test]
fn nothing_is_recommended_for_music() {
    let block = spoilt(|_, x| 0.1 * x);
    let report = told(&block, &[("music", 0, 60)]);
    assert_eq!(report.get_text("recommended-chain"), Some("{\"steps\":[]}"));
    assert!(report.get_text("finding-music").is_some());
    assert!(
        report.get_text("finding-level").is_some(),
        "what is found is told"
    );
    let report = told(&block, &[("noise", 0, 60)]);
    assert_eq!(report.get_text("recommended-chain"), Some("{\"steps\":[]}"));
    assert!(report.get_text("finding-nobody").is_some());
    let report = told(&block, &[("music", 0, 5), ("speech", 5, 60)]);
    assert!(recommended(&report).contains(&"loudness".to_owned()));
    assert_eq!(report.get_text("finding-music"), None);
    assert_eq!(report.get("music-share"), Some(50.0));
}

#[test]
fn recommended_steps_spare_what_was_found_and_the_person_wants_kept() {
    let mut noise = noise();
    let block = spoilt(|_, x| x + 0.02 * noise() + 0.1);
    let spans = [
        ("music", 0, 5),
        ("speech", 5, 60),
        ("speech-over-music", 6, 8),
    ];
    let chain = |wish: &'static str, spans: &[(&str, u64, u64)]| {
        let settings = Settings::defaults::<Diagnose>().with(&UNDER_VOICE, wish);
        let report = told_with(&settings, &block, spans);
        report.get_text("recommended-chain").unwrap().to_owned()
    };
    let spared =
        |spare: &str| format!("{{\"plugin\":\"denoise-best\"{spare},\"on_failure\":\"skip\"}}");
    for (wish, spare) in [
        ("remove", r#","spare":{"music":1}"#),
        ("duck", r#","spare":{"music":1,"speech-over-music":0.25}"#),
        ("keep", r#","spare":{"music":1,"speech-over-music":1}"#),
    ] {
        let chain = chain(wish, &spans);
        assert!(chain.contains(&spared(spare)), "{chain}");
        let highpass = format!("\"highpass\",\"params\":{{\"cutoff-hz\":20.0}}{spare}");
        assert!(chain.contains(&highpass), "{chain}");
        // What brings the whole to a loudness has the music in it.
        assert!(!chain.contains("-1.5}\"spare"), "{chain}");
    }
    let chain = chain("keep", &spans[1..2]);
    assert!(chain.contains(&spared("")), "{chain}");
}

#[test]
fn noise_is_found_by_the_voice_and_not_by_the_music_beside_it() {
    let mut noise = noise();
    // Five seconds of something loud, then the talk over noise 30 dB below it.
    let block = spoilt(|frame, x| match frame < 5 * RATE_HZ as usize {
        true => 0.5 * (TAU * 440.0 * frame as f32 / RATE_HZ as f32).sin(),
        false => 0.1 * x + 0.0006 * noise(),
    });
    let report = told(&block, &[("music", 0, 5), ("speech", 5, 60)]);
    let snr_db = report.get("snr").unwrap();
    assert!((25.0..40.0).contains(&snr_db), "{snr_db}");
}

#[test]
fn applause_is_no_sibilance() {
    let mut noise = noise();
    let talk = speech();
    // The second half is as loud as the voice, and all of it sharp.
    let mut before = 0.0;
    let mut clap = move || {
        let now = noise();
        let sharp = now - before;
        before = now;
        0.15 * sharp
    };
    let half = talk[0].len() / 2;
    let applause: Vec<f32> = (half..talk[0].len()).map(|_| clap()).collect();
    let block: Block = talk
        .iter()
        .map(|channel| [&channel[..half], &applause].concat())
        .collect();
    assert!(
        diagnose(RATE_HZ, &block)
            .get_text("finding-sibilance")
            .is_some()
    );
    let seconds = half as u64 / u64::from(RATE_HZ);
    for content in [
        &[("speech", 0, seconds), ("noise", seconds, 60)][..],
        &[("noise", 0, 60)],
    ] {
        let report = told(&block, content);
        assert_eq!(report.get_text("finding-sibilance"), None);
    }
}

/// Four recirculating delays (Schroeder), which die away by 60 dB within so many seconds.
fn in_room(block: &Block, seconds: f32) -> Block {
    let echoing = |channel: &Vec<f32>| {
        let mut sum = channel.clone();
        for delay in [1_309, 1_637, 1_811, 1_927] {
            let feedback = 10f32.powf(-3.0 * delay as f32 / RATE_HZ as f32 / seconds);
            let mut line = channel.clone();
            for n in delay..line.len() {
                line[n] += feedback * line[n - delay];
            }
            sum.iter_mut()
                .zip(line.iter().zip(channel))
                .for_each(|(sum, (line, dry))| *sum += 0.35 * (line - dry));
        }
        sum
    };
    block.iter().map(echoing).collect()
}

#[test]
fn much_room_is_taken_before_the_noise_and_only_where_somebody_speaks() {
    // Words of a quarter of a second, and time for them to die away.
    let words = spoilt(|frame, x| match frame % RATE_HZ as usize {
        within if within < RATE_HZ as usize / 4 => 0.5 * x,
        _ => 0.0,
    });
    let much = in_room(&words, 1.2);
    let report = told(&much, &[("speech", 0, 60)]);
    assert!(report.get_text("finding-room").is_some());
    let steps = recommended(&report);
    assert_eq!(steps[0], "dereverb", "{steps:?}");
    assert!(steps[1].starts_with("denoise"), "{steps:?}");
    let steps = recommended(&diagnose(RATE_HZ, &much));
    assert!(!steps.contains(&"dereverb".to_owned()), "{steps:?}");
    let steps = recommended(&told(&words, &[("speech", 0, 60)]));
    assert!(!steps.contains(&"dereverb".to_owned()), "{steps:?}");
}

#[test]
fn a_tenth_of_what_can_only_be_other_voices_stays() {
    let mut hiss = noise();
    let block = spoilt(|_, x| x + 0.02 * hiss());
    let chain = |heard: Option<f32>| {
        let mut report = Report::default()
            .count("speech", "", "", 1)
            .at(0, 60 * u64::from(RATE_HZ));
        if let Some(heard) = heard {
            report = report.curve("noise", "", "%", 22_050.0, vec![heard; 20]);
        }
        let told = vec![StepReport::new("org.retake.segment", "1.0.0", report)];
        let settings = Settings::defaults::<Diagnose>();
        let (_, report) =
            correct_after::<Diagnose>(RATE_HZ, &settings, &block, 4_800, told).unwrap();
        report.get_text("recommended-chain").unwrap().to_owned()
    };
    let stays = r#""denoise-best","params":{"strength":0.9}"#;
    assert!(chain(Some(0.5)).contains(stays));
    for other in [Some(4.0), None] {
        let chain = chain(other);
        assert!(
            chain.contains("denoise-best") && !chain.contains(stays),
            "{chain}"
        );
    }
}

#[test]
fn a_telephone_with_high_peaks_is_not_made_as_loud() {
    let target = |peak: f32, rate_hz: u32| {
        let mean = |chunk: &[f32]| 0.1 * chunk.iter().sum::<f32>() / 5.0;
        let mut narrow: Vec<f32> = speech()[0].chunks_exact(5).map(mean).collect();
        for knock in narrow.chunks_mut(8_000) {
            // Not a click: it comes and goes within 20 ms.
            for (n, sample) in knock.iter_mut().take(200).enumerate() {
                *sample += peak * (TAU * n as f32 / 40.0).sin() * (0.0157 * n as f32).sin();
            }
        }
        let report = diagnose(rate_hz, &vec![narrow]);
        let chain = report.get_text("recommended-chain").unwrap();
        let target = chain.split("\"target-lufs\":").nth(1).unwrap();
        let target: f64 = target.split(',').next().unwrap().parse().unwrap();
        let crest = report.get("peak").unwrap() - report.get("integrated-lufs").unwrap();
        (target, crest)
    };
    let (usual, crest) = target(0.0, 8_820);
    assert!(usual == -16.0 && crest < 18.5, "{usual} {crest}");
    let (lower, crest) = target(0.5, 8_820);
    assert!(crest > 19.0, "{crest}");
    let expected = -16.0 - (2.0 * (crest - 18.5)).ceil() / 2.0;
    assert_eq!(lower, expected, "{crest}");
}
