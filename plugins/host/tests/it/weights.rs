//! One truth: what the guests' meters give a channel is what the host's does, and what a channel is for
//! reaches them.

use retake_audio::{Block, ChannelMask, Spec};
use retake_plugin_host::{StageRecord, Stream};
use retake_plugin_manifest::Settings;
use serde_json::json;

use crate::rig::{load, voice};

#[path = "../../../lib/signal/src/weights.rs"]
mod guests;

#[test]
fn guests_weigh_channels_as_the_host_does() {
    for bits in 0..0x1_0000u32 {
        let channels = bits.count_ones().max(1) + bits % 3;
        if channels > 16 {
            continue;
        }
        let mask = ChannelMask::stated(bits, channels);
        let positions: Vec<u32> = mask
            .positions(channels)
            .map(Option::unwrap_or_default)
            .collect();
        assert_eq!(
            guests::loudness_weights(&positions),
            mask.loudness_weights(channels),
            "{bits:#x} in {channels} channels"
        );
    }
}

#[test]
fn a_plugin_knows_what_each_channel_is_for() {
    let plugin = load("plugins/loudness");
    let frames = 48_000 * 3;
    let mut planes = vec![vec![0.0; frames]; 6];
    planes[3] = voice(48_000, frames, 130.0);
    let input = Block::from_planes(planes).unwrap();
    let loudest = |mask: ChannelMask| {
        let stream = Stream {
            name: "loudness",
            spec: Spec {
                sample_rate: 48_000,
                channels: 6,
                mask,
            },
            frames: frames as u64,
            mix: 1.0,
            spare: &Default::default(),
            equal_channels: false,
            seed: 1,
            earlier: &[],
        };
        let params = json!({ "target-lufs": -30.0 });
        let settings = Settings::resolve(plugin.manifest(), params.as_object().unwrap()).unwrap();
        let record = StageRecord::default();
        let mut stage = plugin.open(&stream, &settings, &record).unwrap();
        stage.analyze(&input).unwrap();
        stage.process(&input, &mut |_| Ok(())).unwrap();
        stage.finish(&mut |_| Ok(())).unwrap();
        record.report()["measurements"].to_string()
    };
    // The fourth of 5.1 is for low frequencies alone, which do not count; a recorder's fourth does.
    assert!(loudest(ChannelMask::usual(6)).contains("silent"));
    assert!(!loudest(ChannelMask::NONE).contains("silent"));
}
