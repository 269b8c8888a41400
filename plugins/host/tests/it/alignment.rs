//! What the host does around a plugin: latency, quanta, lengths, mixing, seeds.

use retake_audio::{Block, StageError};
use retake_plugin_host::EarlierStep;
use serde_json::json;

use crate::rig::{Run, load, noise, noise_pair};

#[test]
fn output_is_aligned_whatever_the_plugin_does_with_its_frames() {
    let puppet = load("test-plugins/puppet");
    for deed in ["nothing", "lag", "hoard", "ragged"] {
        for frames in [0, 1, 6, 7, 777, 4_800, 100_003] {
            let input = noise_pair(frames, 1);
            for blocks in [&[4800][..], &[1, 4799, 7], &[480]] {
                let run = Run {
                    blocks,
                    ..Run::new(&puppet, 44_100).params(json!({ "deed": deed }))
                };
                let output = run.of(&input).unwrap();
                assert!(
                    output == input,
                    "{deed}, {frames} frames in blocks of {blocks:?}"
                );
            }
        }
    }
}

#[test]
fn the_dry_part_is_aligned_with_the_wet() {
    // Both are the input, so any mix of them is the input too, if nothing is shifted.
    let puppet = load("test-plugins/puppet");
    let input = Block::mono(noise(50_000, 3));
    for deed in ["nothing", "lag", "hoard", "ragged"] {
        for mix in [0.0, 0.3, 1.0] {
            let run = Run {
                mix,
                ..Run::new(&puppet, 48_000).params(json!({ "deed": deed }))
            };
            let output = run.of(&input).unwrap();
            assert_eq!(output.frames(), input.frames());
            for (frame, (out, sample)) in output.samples().zip(input.samples()).enumerate() {
                assert!(
                    (out - sample).abs() < 1e-6,
                    "{deed}, mix {mix}, frame {frame}"
                );
            }
        }
    }
}

#[test]
fn mix_is_the_corrected_part() {
    let gain = load("plugins/gain");
    let input = noise_pair(10_000, 3);
    let run = Run {
        mix: 0.25,
        ..Run::new(&gain, 48_000).params(json!({ "gain-db": -60.0 }))
    };
    for (out, sample) in run.of(&input).unwrap().samples().zip(input.samples()) {
        assert!((out - (0.75 + 0.25 * 0.001) * sample).abs() < 1e-6);
    }
    for mix in [-0.1, 1.1, f64::NAN] {
        let error = Run {
            mix,
            ..Run::new(&gain, 48_000)
        }
        .of(&input)
        .unwrap_err();
        assert!(
            error.to_string().contains("it must be from 0 to 1"),
            "{error}"
        );
    }
}

#[test]
fn what_an_earlier_step_found_stays_as_it_is_to_the_bit() {
    let found = json!({"measurements": [
        {"id": "music", "value": 1.0, "span": {"start": 48_000, "frames": 48_000}},
    ]});
    let earlier = [EarlierStep::told("org.retake.segment", "1.0.0", found)];
    let input = noise_pair(4 * 48_000, 3);
    let quieter = |deed: &str, spare: &[(&str, f64)], blocks| {
        let puppet = load("test-plugins/puppet");
        let gain = load("plugins/gain");
        let (plugin, params) = match deed {
            "gain" => (&gain, json!({ "gain-db": -60.0 })),
            deed => (&puppet, json!({ "deed": deed })),
        };
        let spare = spare.iter().map(|&(id, part)| (id.to_owned(), part));
        let run = Run {
            spare: spare.collect(),
            earlier: &earlier,
            blocks,
            ..Run::new(plugin, 48_000).params(params)
        };
        run.of(&input).unwrap()
    };
    let [all, none] = [&[("music", 1.0)][..], &[]];
    let spared = quieter("gain", all, &[4_800]);
    let plain = quieter("gain", none, &[4_800]);
    for channel in 0..2 {
        let [spared, plain, input] = [&spared, &plain, &input].map(|block| block.plane(channel));
        // Half a second around it stays as well, and then the step fades in within another.
        assert_eq!(spared[24_000..120_000], input[24_000..120_000]);
        assert_eq!(spared[144_000..], plain[144_000..]);
        assert!(spared[12_000] != input[12_000] && spared[12_000] != plain[12_000]);
    }
    assert_eq!(quieter("gain", all, &[1, 4_799, 7]), spared);
    for deed in ["lag", "hoard", "ragged"] {
        assert!(quieter(deed, all, &[4_800]) == input, "{deed}");
    }
}

#[test]
fn a_plugin_is_told_the_seed_and_the_length() {
    let puppet = load("test-plugins/puppet");
    let run = Run {
        seed: 4242,
        ..Run::new(&puppet, 48_000).params(json!({ "deed": "seed" }))
    };
    let output = run.of(&Block::silence(1, 1000)).unwrap();
    assert_eq!(output.plane(0)[..3], [4242.0, 1000.0, 0.0]);
}

#[test]
fn the_record_tells_latency_cpu_and_report() {
    let puppet = load("test-plugins/puppet");
    let run = Run::new(&puppet, 48_000).params(json!({ "deed": "lag" }));
    let record = run.recorded(&Block::mono(noise(96_000, 1))).1.unwrap();
    assert_eq!(record.latency_frames(), 777);
    assert!(record.cpu().as_nanos() > 0);
    assert_eq!(record.report()["measurements"][0]["id"], "blocks");
}

#[test]
fn a_plugin_that_only_listens_hears_all_and_changes_nothing() {
    let listener = load("test-plugins/listener");
    // Three channels on threads of their own, resampled from 48 to 16 kHz, in blocks of 1000.
    let input = Block::from_fn(3, 48_000 * 3 + 1, |channel, _| [0.25, 0.5, -0.5][channel]);
    for blocks in [&[4800][..], &[999, 1]] {
        let (output, record) = Run {
            blocks,
            ..Run::new(&listener, 48_000)
        }
        .recorded(&input);
        assert!(output.unwrap() == input);
        let report = record.unwrap().report();
        let measured = |channel: u64, id: &str| -> f64 {
            let all = report["measurements"].as_array().unwrap();
            let mine = all
                .iter()
                .find(|m| m["channel"] == channel && m["id"] == id);
            mine.unwrap()["value"].as_f64().unwrap()
        };
        for (channel, samples) in input.planes().enumerate() {
            // 48 001 frames at 16 kHz, padded to thousands.
            assert_eq!(measured(channel as u64, "frames"), 49_000.0);
            let mean = measured(channel as u64, "sum") / 48_000.0;
            assert!(
                (mean - f64::from(samples[0])).abs() < 1e-3,
                "channel {channel}: {mean}"
            );
        }
    }
}

#[test]
fn a_plugin_that_shortens_accounts_for_every_frame_at_every_rate() {
    let plugin = load("test-plugins/cutter");
    assert!(plugin.manifest().may_shorten());
    for rate in [16_000, 22_050, 44_100, 48_000, 96_000] {
        for deed in ["honest", "late"] {
            let input = Block::from_planes(vec![noise(rate as usize, 3); 2]).unwrap();
            let run = Run {
                blocks: &[4_800, 1_001],
                ..Run::new(&plugin, rate).params(json!({ "deed": deed }))
            };
            let (output, record) = run.recorded(&input);
            let (output, record) = (output.unwrap(), record.unwrap());
            let cut: u64 = record.cuts().iter().map(|cut| cut.frames).sum();
            assert_eq!(
                output.frames() as u64,
                u64::from(rate) - cut,
                "{rate} {deed}"
            );
            assert!(cut > u64::from(rate) * 4 / 10, "{rate} {deed}: {cut}");
            assert_eq!(output.plane(0), output.plane(1));
            if rate == 48_000 {
                let kept = input.plane(0).iter().enumerate();
                let kept = kept.filter(|(frame, _)| frame / 1_000 % 2 == 0);
                let kept: Vec<f32> = kept.map(|(_, sample)| *sample).collect();
                assert!(output.plane(0) == kept, "{deed}");
            }
        }
    }
}

#[test]
fn nothing_can_be_mixed_into_what_was_shortened() {
    let plugin = load("test-plugins/cutter");
    let run = Run {
        mix: 0.5,
        ..Run::new(&plugin, 48_000)
    };
    match run.of(&Block::mono(noise(48_000, 3))) {
        Err(StageError::Refused { message, .. }) => {
            assert!(message.contains("cutter shortens"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}
