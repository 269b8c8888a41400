//! One truth: the loudness that the plugins measure is the one that we measure, and libebur128 agrees.

#![allow(clippy::unwrap_used)]

use ebur128::{EbuR128, Mode};

use super::loudness::LoudnessMeter;
use crate::{Block, ChannelMask, Spec};

#[path = "../../../plugins/lib/signal/src/gate.rs"]
mod gate;
#[path = "../../../plugins/lib/signal/src/k_weighting.rs"]
mod k_weighting;
// Most of it is for other plugins.
#[allow(dead_code, unused_imports)]
#[path = "../../../plugins/lib/signal/src/lanes.rs"]
mod lanes;
#[path = "../../../plugins/lib/signal/src/meter.rs"]
mod meter;

const RATES: [u32; 8] = [
    8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000,
];

struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Noise whose level jumps by up to `swing_db` between stretches of 50 to 500 ms.
fn signal(random: &mut Random, rate: u32, frames: usize, swing_db: f64) -> Vec<f32> {
    let top_db = -50.0 * random.next();
    let mut samples = Vec::with_capacity(frames);
    while samples.len() < frames {
        let level = 10f64.powf((top_db - swing_db * random.next()) / 20.0);
        let stretch = (f64::from(rate) * (0.05 + 0.45 * random.next())) as usize;
        for _ in 0..stretch.min(frames - samples.len()) {
            samples.push((level * (2.0 * random.next() - 1.0)) as f32);
        }
    }
    samples
}

fn theirs(rate: u32, planes: &[Vec<f32>]) -> f64 {
    let mut meter = EbuR128::new(planes.len() as u32, rate, Mode::I).unwrap();
    // It knows nothing shorter than a block: silence before it, and then less of that.
    let block = (rate as usize + 5) / 10 * 4;
    let frames = planes[0].len();
    let silence = vec![0.0f32; block.saturating_sub(frames)];
    let silent = vec![silence.as_slice(); planes.len()];
    meter.add_frames_planar_f32(&silent).unwrap();
    let planar: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    meter.add_frames_planar_f32(&planar).unwrap();
    if frames < block {
        let part = frames as f64 / block as f64;
        return meter.loudness_momentary().unwrap() - 10.0 * part.log10();
    }
    meter.loudness_global().unwrap()
}

#[test]
fn guests_measure_what_the_host_does_and_libebur128() {
    let mut random = Random(7);
    for case in 0..200 {
        let rate = RATES[case % RATES.len()];
        let longest: f64 = if case % 2 == 0 { 0.5 } else { 12.0 };
        let seconds = 0.02 * (longest / 0.02).powf(random.next());
        let frames = (f64::from(rate) * seconds) as usize;
        let channels = 1 + case % 2;
        let swing_db = 30.0 * random.next();
        let planes: Vec<Vec<f32>> = (0..channels)
            .map(|_| signal(&mut random, rate, frames, swing_db))
            .collect();
        let spec = Spec {
            sample_rate: rate,
            channels: channels as u32,
            mask: ChannelMask::usual(channels as u32),
        };
        let mut host = LoudnessMeter::new(spec);
        host.push(&Block::from_planes(planes.clone()).unwrap());
        let host = host.finish().integrated_lufs.unwrap_or(-70.0);
        let mut guest = meter::Meter::new(rate, &vec![1.0; channels]);
        guest.add(&planes, 0..frames / 3);
        guest.add(&planes, frames / 3..frames);
        let guest = guest.integrated_lufs().unwrap_or(-70.0);
        let theirs = theirs(rate, &planes).max(-70.0);
        let what = format!(
            "{case}: {rate} Hz x{channels}, {frames} frames: host {host}, guest {guest}, libebur128 {theirs}"
        );
        assert!((host - guest).abs() < 0.05, "{what}");
        assert!((host - theirs).abs() < 0.05, "{what}");
    }
}
