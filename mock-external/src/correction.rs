//! The correction itself: removes each channel's DC offset and brings the level to a target, in two
//! passes. The first measures, the second applies one gain to all channels.

/// The RMS level that speech and music are brought to, over all channels.
const TARGET_RMS_DBFS: f64 = -20.0;
/// No sample goes above this, whatever the RMS asks for.
const CEILING_DBFS: f64 = -1.0;
/// Silence with a little hiss must not become a storm.
const GAIN_MAX_DB: f64 = 30.0;
/// Below this there is nothing to bring up.
const SILENCE_DBFS: f64 = -70.0;

/// What the first pass finds, one entry per channel.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    channels: Vec<Channel>,
    frames: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Channel {
    sum: f64,
    squares: f64,
    min: f64,
    max: f64,
}

/// What the second pass does: out = (in - offset) * gain, per channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    offsets: Vec<f64>,
    gain: f64,
}

impl Measured {
    pub fn new(channels: u16) -> Self {
        Self {
            channels: vec![Channel::default(); usize::from(channels)],
            frames: 0,
        }
    }

    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// One whole frame, a sample per channel.
    pub fn frame(&mut self, frame: impl Iterator<Item = f64>) {
        for (channel, sample) in self.channels.iter_mut().zip(frame) {
            channel.sum += sample;
            channel.squares += sample * sample;
            channel.min = channel.min.min(sample);
            channel.max = channel.max.max(sample);
        }
        self.frames += 1;
    }

    pub fn plan(&self) -> Plan {
        let frames = self.frames.max(1) as f64;
        let offsets: Vec<f64> = self.channels.iter().map(|c| c.sum / frames).collect();
        let mut power: f64 = 0.0;
        let mut peak: f64 = 0.0;
        for (channel, offset) in self.channels.iter().zip(&offsets) {
            power += (channel.squares / frames - offset * offset).max(0.0);
            peak = peak.max(channel.max - offset).max(offset - channel.min);
        }
        let rms = (power / self.channels.len().max(1) as f64).sqrt();
        let gain = if rms < from_db(SILENCE_DBFS) {
            1.0
        } else {
            (from_db(TARGET_RMS_DBFS) / rms)
                .min(from_db(CEILING_DBFS) / peak)
                .min(from_db(GAIN_MAX_DB))
        };
        Plan { offsets, gain }
    }
}

impl Plan {
    pub fn apply(&self, channel: usize, sample: f64) -> f64 {
        (sample - self.offsets[channel]) * self.gain
    }
}

fn from_db(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(frames: &[[f64; 2]]) -> Plan {
        let mut measured = Measured::new(2);
        for frame in frames {
            measured.frame(frame.iter().copied());
        }
        measured.plan()
    }

    #[test]
    fn a_quiet_tone_on_an_offset_comes_out_at_the_target_without_the_offset() {
        let tone: Vec<[f64; 2]> = (0..48_000)
            .map(|n| {
                let s = 0.02 * (f64::from(n) * std::f64::consts::TAU / 48.0).sin();
                [s + 0.1, s - 0.05]
            })
            .collect();
        let plan = plan(&tone);
        for channel in 0..2 {
            let out: Vec<f64> = tone
                .iter()
                .map(|f| plan.apply(channel, f[channel]))
                .collect();
            let mean = out.iter().sum::<f64>() / out.len() as f64;
            let rms = (out.iter().map(|s| s * s).sum::<f64>() / out.len() as f64).sqrt();
            assert!(
                mean.abs() < 1e-9,
                "channel {channel} keeps an offset of {mean}"
            );
            let level = 20.0 * rms.log10();
            assert!(
                (level + 20.0).abs() < 0.01,
                "channel {channel} is at {level} dBFS"
            );
        }
    }

    #[test]
    fn a_lone_click_stays_below_the_ceiling() {
        let mut frames = vec![[0.001, -0.001]; 48_000];
        frames[100] = [0.5, 0.5];
        let plan = plan(&frames);
        let top = plan.apply(0, 0.5).max(plan.apply(1, 0.5));
        assert!(
            (20.0 * top.log10() - CEILING_DBFS).abs() < 0.01,
            "the click is at {top}"
        );
    }

    #[test]
    fn silence_stays_silence() {
        assert_eq!(
            plan(&[[0.0, 0.0]; 100]),
            Plan {
                offsets: vec![0.0, 0.0],
                gain: 1.0
            }
        );
    }
}
