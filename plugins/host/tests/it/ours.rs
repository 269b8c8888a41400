//! The plugins we ship, through the real host, over rates, channels and block sizes.

use retake_audio::Block;
use retake_plugin_host::{Plugin, StageRecord};
use serde_json::json;

use crate::rig::{Run, level_db, load, noise, voice};

const NAMES: [&str; 15] = [
    "gain",
    "highpass",
    "denoise",
    "loudness",
    "hum",
    "declick",
    "declip",
    "leveler",
    "de-ess",
    "gate",
    "eq",
    "denoise-best",
    "dereverb",
    "voice",
    "plosive",
];
const RATES: [u32; 6] = [8_000, 16_000, 44_100, 48_000, 96_000, 192_000];

fn plugins() -> Vec<(&'static str, Plugin)> {
    NAMES
        .iter()
        .map(|name| (*name, load(&format!("plugins/{name}"))))
        .collect()
}

fn voices(rate: u32, frames: usize, channels: usize) -> Block {
    let voice = |c| voice(rate, frames, 110.0 + 23.0 * c as f32);
    Block::from_planes((0..channels).map(voice).collect()).unwrap()
}

#[test]
fn each_says_what_it_is() {
    for (name, plugin) in plugins() {
        let manifest = plugin.manifest();
        assert_eq!(manifest.id, format!("org.retake.{name}"));
        assert!(manifest.answers_to(name));
        assert_eq!(manifest.validate(), Ok(()));
    }
}

#[test]
fn length_and_channels_are_kept_at_every_rate() {
    for (name, plugin) in plugins() {
        for rate in RATES {
            for channels in [1, 2, 8, 16] {
                let frames = rate as usize / 2 + 17;
                let output = Run::new(&plugin, rate)
                    .of(&voices(rate, frames, channels))
                    .unwrap();
                assert_eq!(output.channels(), channels, "{name} {rate}");
                assert_eq!(output.frames(), frames, "{name} at {rate} Hz x{channels}");
            }
        }
    }
}

#[test]
fn equal_channels_come_out_bit_by_bit_as_if_each_had_its_session_for_the_work_of_one() {
    for name in [
        "gain", "highpass", "denoise", "declick", "declip", "eq", "dereverb",
    ] {
        let plugin = load(&format!("plugins/{name}"));
        assert!(plugin.manifest().runs_equal_channels_once(), "{name}");
        for (rate, channels, mix) in [(48_000, 2, 1.0), (44_100, 3, 0.6)] {
            let one = voice(rate, rate as usize * 5, 130.0);
            let input = Block::from_planes(vec![one; channels]).unwrap();
            let run = |equal_channels| {
                let mut run = Run::new(&plugin, rate);
                (run.equal_channels, run.mix) = (equal_channels, mix);
                let (output, record) = run.recorded(&input);
                (output.unwrap(), record.unwrap())
            };
            let ((each, each_record), (once, once_record)) = (run(false), run(true));
            assert!(each == once, "{name} at {rate} Hz");
            let sorted = |record: &StageRecord| {
                let report = record.report();
                let of = |list: &str| report[list].as_array().unwrap().clone();
                let mut lines: Vec<_> =
                    of("measurements").into_iter().chain(of("curves")).collect();
                lines.sort_by_key(ToString::to_string);
                lines
            };
            assert_eq!(sorted(&each_record), sorted(&once_record), "{name}");
            if name == "denoise" {
                let (each, once) = (each_record.cpu(), once_record.cpu());
                assert!(
                    once.mul_f64(1.4) < each,
                    "{once:?} for one, {each:?} for each"
                );
            }
        }
    }
}

#[test]
fn output_is_aligned_with_the_input_to_the_frame() {
    for (name, plugin) in plugins() {
        for rate in RATES {
            let frames = rate as usize * 2;
            let input = voices(rate, frames, 1);
            let output = Run::new(&plugin, rate).of(&input).unwrap();
            // Differences, because filters turn the phase of what is lowest.
            let edges = |a: &[f32]| a.windows(2).map(|w| w[1] - w[0]).collect::<Vec<f32>>();
            let (input, output) = (edges(input.plane(0)), edges(output.plane(0)));
            let from = frames / 4;
            let correlation = |shift: isize| -> f64 {
                let output = &output[from.wrapping_add_signed(shift)..];
                let pairs = input[from..frames * 3 / 4].iter().zip(output);
                pairs.map(|(a, b)| f64::from(a * b)).sum()
            };
            let best = (-50..=50).max_by(|a, b| correlation(*a).total_cmp(&correlation(*b)));
            assert_eq!(best, Some(0), "{name} at {rate} Hz");
        }
    }
}

#[test]
fn output_does_not_depend_on_block_size() {
    for (name, plugin) in plugins() {
        for (rate, channels) in [(48_000, 2), (44_100, 1)] {
            let input = voices(rate, 30_011, channels);
            let run = |blocks: &[usize]| {
                Run {
                    blocks,
                    ..Run::new(&plugin, rate)
                }
                .of(&input)
                .unwrap()
            };
            let expected = run(&[4800]);
            for blocks in [&[480][..], &[1, 2, 3, 4000], &[8192]] {
                assert!(
                    run(blocks) == expected,
                    "{name} at {rate} Hz in blocks of {blocks:?}"
                );
            }
        }
    }
}

#[test]
fn the_same_input_gives_the_same_output() {
    for (name, plugin) in plugins() {
        let input = voices(48_000, 100_000, 2);
        let once = Run::new(&plugin, 48_000).of(&input).unwrap();
        assert!(
            Run::new(&plugin, 48_000).of(&input).unwrap() == once,
            "{name}"
        );
    }
}

#[test]
fn channels_of_independent_plugins_do_not_hear_each_other() {
    for name in ["gain", "highpass", "denoise", "eq"] {
        let plugin = load(&format!("plugins/{name}"));
        let input = voices(48_000, 60_000, 3);
        let together = Run::new(&plugin, 48_000).of(&input).unwrap();
        for (channel, samples) in input.planes().enumerate() {
            let alone = Run::new(&plugin, 48_000)
                .of(&Block::mono(samples.to_vec()))
                .unwrap();
            assert!(
                alone.plane(0) == together.plane(channel),
                "{name}, channel {channel}"
            );
        }
    }
}

#[test]
fn nothing_one_frame_and_silence_are_taken() {
    for (name, plugin) in plugins() {
        for rate in [8_000, 48_000, 192_000] {
            for frames in [0, 1, 479, 481, 96_000] {
                let silence = Block::silence(2, frames);
                let output = Run::new(&plugin, rate).of(&silence).unwrap();
                assert_eq!(output.frames(), frames, "{name} at {rate} Hz");
                assert!(
                    output.samples().all(|s| s.abs() < 1e-9),
                    "{name} at {rate} Hz makes sound of silence"
                );
            }
        }
    }
}

#[test]
fn full_scale_square_and_noise_come_back_finite() {
    for (name, plugin) in plugins() {
        let square = (0..96_000)
            .map(|n| if n / 50 % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let input = Block::from_planes(vec![square, noise(96_000, 4)]).unwrap();
        let output = Run::new(&plugin, 48_000).of(&input).unwrap();
        assert!(output.samples().all(|s| s.is_finite()), "{name}");
    }
}

#[test]
fn the_high_pass_takes_rumble_and_offset_and_leaves_the_rest() {
    let plugin = load("plugins/highpass");
    for rate in RATES {
        let tone = |hz: f32, offset: f32| -> Block {
            let angle = std::f32::consts::TAU * hz / rate as f32;
            Block::from_fn(1, rate as usize * 2, |_, n| {
                offset + 0.5 * (angle * n as f32).sin()
            })
        };
        let settled = |block: Block| level_db(&block.plane(0)[rate as usize..]);
        let change = |hz: f32| {
            let input = tone(hz, 0.0);
            settled(Run::new(&plugin, rate).of(&input).unwrap()) - settled(input)
        };
        assert!(
            change(20.0) < -47.0,
            "{rate} Hz: 20 Hz by {:.1} dB",
            change(20.0)
        );
        assert!(
            (change(80.0) + 3.01).abs() < 0.1,
            "{rate} Hz: 80 Hz by {:.2} dB",
            change(80.0)
        );
        assert!(
            change(1000.0).abs() < 0.01,
            "{rate} Hz: 1 kHz by {:.3} dB",
            change(1000.0)
        );
        let offset = Run::new(&plugin, rate).of(&tone(0.0, 0.3)).unwrap();
        assert!(settled(offset) < -120.0);
    }
}

#[test]
fn denoise_empties_the_pauses_at_every_rate() {
    let plugin = load("plugins/denoise");
    for rate in [16_000, 44_100, 48_000, 96_000] {
        let frames = rate as usize * 6;
        let hiss = noise(frames, 5);
        let noisy = |(voice, hiss): (f32, &f32)| voice + 0.01 * hiss;
        let input = Block::mono(
            voice(rate, frames, 130.0)
                .into_iter()
                .zip(&hiss)
                .map(noisy)
                .collect(),
        );
        let pauses = |block: &Block| {
            let is_pause = |n: usize| (n as f32 / rate as f32 * 9.0).sin() < -0.5;
            let frames = (rate as usize..frames).filter(|&n| is_pause(n));
            level_db(&frames.map(|n| block.plane(0)[n]).collect::<Vec<_>>())
        };
        let run = |strength: f64| {
            let run = Run::new(&plugin, rate).params(json!({ "strength": strength }));
            pauses(&run.of(&input).unwrap()) - pauses(&input)
        };
        assert!(run(1.0) < -12.0, "{rate} Hz: {:.1} dB", run(1.0));
        // Above 24 kHz is lost on the way to the plugin's rate and back.
        let lost = if rate > 48_000 { 3.2 } else { 0.1 };
        assert!(
            run(0.0).abs() < lost,
            "{rate} Hz at strength 0: {:.2} dB",
            run(0.0)
        );
    }
}

#[test]
fn loudness_meets_target_and_ceiling_by_another_meter() {
    use ebur128::{EbuR128, Mode};
    let plugin = load("plugins/loudness");
    for rate in [8_000, 44_100, 48_000, 192_000] {
        for target in [-23.0, -16.0] {
            let input = voices(rate, rate as usize * 8, 2);
            let run = Run::new(&plugin, rate).params(json!({ "target-lufs": target }));
            let (output, record) = run.recorded(&input);
            let output = output.unwrap();
            let mut meter = EbuR128::new(2, rate, Mode::I | Mode::TRUE_PEAK).unwrap();
            meter
                .add_frames_planar_f32(&[output.plane(0), output.plane(1)])
                .unwrap();
            let reached = meter.loudness_global().unwrap();
            assert!(
                (reached - target).abs() < 0.5,
                "{rate} Hz: {reached:.2} for {target}"
            );
            let peak = (0..2)
                .map(|c| meter.true_peak(c).unwrap())
                .fold(0.0, f64::max);
            assert!(20.0 * peak.log10() <= -1.45, "{rate} Hz: peak {peak}");
            let ids = record.unwrap().report()["measurements"].to_string();
            assert!(
                ids.contains("input-lufs") && ids.contains("\"gain\""),
                "{ids}"
            );
        }
    }
}
