//! Listens to a recording of voices and says what is wrong with it, in numbers and in words, and
//! which corrections would help. It changes nothing.
//!
//! One pass, in memory that grows by 100 bytes for a second. Every finding stands on a measurement
//! that is in the report too; what is measured how is said where it is measured, and from when on it
//! is a defect in [`findings`].

mod chain;
mod channels;
mod content;
mod defects;
mod findings;
mod hops;
mod loudness;
mod spectrum;
mod voice;

use chain::UnderVoice;
use channels::Channels;
use content::Content;
use defects::Defects;
use findings::Measured;
use hops::Hops;
use loudness::Loudness;
use retake_mains::{Analysis, Mains};
use retake_plugin_sdk::{earlier, prelude::*};
use retake_signal::weights::loudness_weights;
use spectrum::Spectrum;

/// As the plugin that takes hum out looks for it by itself.
const MAINS_HARMONICS: usize = 30;
const MAINS_PROMINENCE: f64 = 15.85;

const UNDER_VOICE: ChoiceParam = ChoiceParam::new(
    "under-voice",
    "Music under a voice",
    &[
        ("remove", "Goes like noise"),
        ("duck", "Falls by 12 dB"),
        ("keep", "Stays, and what else is there with it"),
    ],
    "remove",
)
.help(
    "What the recommended steps do with music while somebody speaks, where a step before this one (segment) has found \
     it. Music on its own stays as it is.",
);

pub struct Diagnose {
    under_voice: UnderVoice,
    rate_hz: u32,
    total_frames: u64,
    channels: Channels,
    defects: Vec<Defects>,
    hops: Hops,
    loudness: Loudness,
    spectrum: Spectrum,
    /// Of the mean of all channels.
    mains: Analysis,
    mean: Vec<f32>,
}

impl Corrector for Diagnose {
    const FACTS: Facts = Facts {
        id: "org.retake.diagnose",
        name: "Diagnose",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Listens for hum, clipping, clicks, noise, dead or turned channels and wrong levels, and recommends what helps.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        processes: false,
        channels: ChannelUse::Linked,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&UNDER_VOICE];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let (rate_hz, channels) = (stream.sample_rate, stream.channels as usize);
        Ok(Self {
            under_voice: match settings.get(&UNDER_VOICE) {
                "keep" => UnderVoice::Keep,
                "duck" => UnderVoice::Duck,
                _ => UnderVoice::Remove,
            },
            rate_hz,
            total_frames: stream.total_frames,
            channels: Channels::new(&stream.positions()),
            defects: vec![Defects::new(rate_hz); channels],
            hops: Hops::new(rate_hz, channels),
            loudness: Loudness::new(rate_hz, loudness_weights(&stream.positions())),
            spectrum: Spectrum::new(rate_hz),
            mains: Analysis::new(
                rate_hz,
                &[Mains::Hz50, Mains::Hz60],
                MAINS_HARMONICS,
                MAINS_PROMINENCE,
            ),
            mean: Vec::new(),
        })
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        for (defects, channel) in self.defects.iter_mut().zip(block) {
            defects.add(channel);
        }
        self.channels.add(block);
        self.hops.add(block);
        self.loudness.add(block);
        self.spectrum.add(block);
        let share = 1.0 / block.len() as f32;
        self.mean.clear();
        self.mean.extend((0..block[0].len()).map(|frame| {
            let sum: f32 = block.iter().map(|channel| channel[frame]).sum();
            share * sum
        }));
        self.mains.add(&self.mean);
        Ok(())
    }

    fn report(&mut self) -> Report {
        let defects: Vec<_> = self.defects.iter().map(Defects::found).collect();
        let content = Content::told(&earlier::reports(), self.total_frames);
        let levels = self.hops.levels(content.as_ref(), self.rate_hz);
        let mains = self
            .mains
            .finish()
            .map(|finding| finding.mains.nominal_hz());
        findings::report(&Measured {
            seconds: self.total_frames as f64 / f64::from(self.rate_hz),
            rate_hz: self.rate_hz,
            clipped_runs: defects.iter().map(|found| found.clipped_runs).sum(),
            clicks: defects.iter().map(|found| found.clicks).sum(),
            offset: defects.iter().map(|found| found.offset).fold(0.0, f64::max),
            peak_dbfs: defects
                .iter()
                .map(|found| factor_to_db(f64::from(found.peak)))
                .fold(f64::NEG_INFINITY, f64::max),
            integrated_lufs: self.loudness.integrated_lufs(),
            range_lu: self.loudness.range_lu(),
            hum: mains.and_then(|mains_hz| self.spectrum.hum_at(mains_hz)),
            rumble_db: self.spectrum.rumble_db(),
            bandwidth_hz: self.spectrum.bandwidth_hz(),
            ends_hz: self.spectrum.ends_hz(),
            channels: self.channels.relations(),
            levels,
            content,
            under_voice: self.under_voice,
        })
    }
}

register!(Diagnose);

#[cfg(test)]
mod tests;
