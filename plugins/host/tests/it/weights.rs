//! One truth: what the guests' meters give a channel is what the host's does.

use retake_audio::ChannelMask;

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
