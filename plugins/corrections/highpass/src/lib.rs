//! Takes away rumble, handling noise and any constant offset below the voice.
//!
//! A Butterworth high-pass of fourth order (24 dB per octave): flat above the cut-off, -3 dB at it.
//! The filter is causal and minimum-phase: it adds no latency, and its phase turns near the
//! cut-off, as an analogue low-cut's does.

mod butterworth;

use butterworth::Highpass4;
use retake_plugin_sdk::{earlier, prelude::*};
use retake_spared::{SECOND, Spared};

const CUTOFF_HZ: FloatParam = FloatParam::new("cutoff-hz", "Cut-off", 20.0, 500.0, 80.0)
    .unit("Hz")
    .logarithmic()
    .help("Where the level has fallen by 3 dB. 80 Hz suits speech; 30 Hz keeps music whole.");

const SPARE_MUSIC: ToggleParam = ToggleParam::new("spare-music", "Spare music", true)
    .help("Music stays as it is, where a step before this one (segment) has found it.");

pub struct Highpass {
    filter: Highpass4,
    stream: Stream,
    spares_music: bool,
    /// From the first block on.
    spared: Option<Spared>,
    frame: u64,
    dry: Vec<f32>,
}

impl Corrector for Highpass {
    const FACTS: Facts = Facts {
        id: "org.retake.highpass",
        name: "High-pass",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Removes rumble, handling noise and DC offset below the cut-off.",
        license: "MIT OR Apache-2.0",
        extras: &[("equal-channels", "once")],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&CUTOFF_HZ, &SPARE_MUSIC];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let rate_hz = f64::from(stream.sample_rate);
        Ok(Self {
            filter: Highpass4::new(rate_hz, settings.get(&CUTOFF_HZ)),
            stream: *stream,
            spares_music: settings.get(&SPARE_MUSIC),
            spared: None,
            frame: 0,
            dry: Vec::new(),
        })
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let (spares_music, stream) = (self.spares_music, self.stream);
        let spared = self.spared.get_or_insert_with(|| match spares_music {
            true => Spared::new(
                &earlier::reports(),
                stream.sample_rate,
                stream.total_frames,
                0.0,
            ),
            false => Spared::default(),
        });
        // Channels are independent, so there is one.
        for channel in &mut block {
            if spared.is_empty() {
                self.filter.run(channel);
                continue;
            }
            self.dry.clone_from(channel);
            self.filter.run(channel);
            mix(spared, stream.sample_rate, self.frame, &self.dry, channel);
            self.frame += channel.len() as u64;
        }
        Ok(block)
    }
}

/// Brings back what is spared, from `frame` on.
fn mix(spared: &Spared, rate_hz: u32, frame: u64, dry: &[f32], wet: &mut [f32]) {
    let hop = u64::from(rate_hz) / SECOND;
    let mut shares = (u64::MAX, 0.0, 0.0);
    for (place, (wet, dry)) in (frame..).zip(wet.iter_mut().zip(dry)) {
        if shares.0 != place / hop {
            let here = place / hop;
            shares = (here, spared.share(here), spared.share(here + 1));
        }
        let (_, from, to) = shares;
        let share = from + (to - from) * ((place % hop) as f32 / hop as f32);
        // All of it is all of it, to the bit.
        *wet = if share == 1.0 {
            *dry
        } else {
            *wet + share * (dry - *wet)
        };
    }
}

register!(Highpass);

#[cfg(test)]
mod tests;
