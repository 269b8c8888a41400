//! Brings the balance of a voice a little nearer to that of speech: too dark, too thin, boomy or sharp.
//!
//! Two passes. The first measures the long-term spectrum of the speech in third octaves, and of the pauses. Held
//! against the long-term average speech spectrum (D. Byrne et al., JASA 96(4), 1994) it says what a
//! microphone, a room's corner or a mask has done: see [`curve`]. Voices differ and are meant to, so what is within
//! 3 dB stays, the rest is corrected in part, over octaves and by a few dB at most; and nothing is lifted that
//! is noise, or not there. The second pass applies the curve by a filter of linear phase, to all channels alike.
//! Music that a step before has found is not listened to, and stays as it is.

mod curve;
mod filter;
mod spectrum;

use curve::Curve;
use filter::Filter;
use retake_plugin_sdk::{earlier, prelude::*};
use retake_spared::{LeftAlone, SECOND, Spared};
use spectrum::Listener;

const STRENGTH: FloatParam = FloatParam::new("strength", "Strength", 0.0, 1.0, 0.7)
    .step(0.05)
    .help("How far it goes towards the average voice.");
const LIMIT_DB: FloatParam = FloatParam::new("limit-db", "Limit", 0.0, 9.0, 4.0)
    .unit("dB")
    .step(0.5)
    .help("No part of the spectrum is lifted or lowered by more than this.");

pub struct Voice {
    stream: Stream,
    strength: f64,
    limit_db: f64,
    listener: Listener,
    filter: Filter,
    /// Made when what others have found is there.
    spared: Option<Spared>,
    curve: Option<Curve>,
    left_alone: Option<LeftAlone>,
}

impl Corrector for Voice {
    const FACTS: Facts = Facts {
        id: "org.retake.voice",
        name: "Voice EQ",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Brings the balance of a voice gently nearer to that of natural speech: less boom, less dullness, less sharpness.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        channels: ChannelUse::Linked,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&STRENGTH, &LIMIT_DB];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let (rate_hz, channels) = (f64::from(stream.sample_rate), stream.channels as usize);
        Ok(Self {
            stream: *stream,
            strength: settings.get(&STRENGTH),
            limit_db: settings.get(&LIMIT_DB),
            listener: Listener::new(rate_hz, channels),
            filter: Filter::new(rate_hz, channels),
            spared: None,
            curve: None,
            left_alone: None,
        })
    }

    fn latency_frames(&self) -> u32 {
        self.filter.latency_frames() as u32
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        let stream = self.stream;
        let spared = self.spared.get_or_insert_with(|| found(&stream));
        let hop_frames = u64::from(stream.sample_rate) / SECOND;
        self.listener
            .add(block, |frame| spared.teaches(frame / hop_frames));
        Ok(())
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let Stream {
            sample_rate,
            channels,
            ..
        } = self.stream;
        if self.curve.is_none() {
            let curve = match self.listener.spectrum() {
                Some(spectrum) => Curve::new(&spectrum, self.strength, self.limit_db),
                None => Curve([0.0; spectrum::BANDS]),
            };
            if !curve.is_flat() {
                let gain_db_at = |hz| curve.gain_db_at(hz);
                self.filter.shape(f64::from(sample_rate), gain_db_at);
            }
            self.curve = Some(curve);
        }
        let latency = self.filter.latency_frames();
        let left_alone = self.left_alone.get_or_insert_with(|| {
            LeftAlone::new(found(&self.stream), sample_rate, channels as usize, latency)
        });
        left_alone.remember(&block);
        self.filter.run(&mut block);
        left_alone.restore(&mut block);
        Ok(block)
    }

    fn report(&mut self) -> Report {
        let Some(curve) = &self.curve else {
            return Report::default();
        };
        Report::default()
            .number("boost", "Most boost", "dB", curve.most_db())
            .number("cut", "Most cut", "dB", curve.least_db())
            .number("warmth", "160 to 400 Hz", "dB", curve.mean_db(160.0..400.0))
            .number(
                "body",
                "400 Hz to 2 kHz",
                "dB",
                curve.mean_db(400.0..2_000.0),
            )
            .number(
                "presence",
                "2 to 6 kHz",
                "dB",
                curve.mean_db(2_000.0..6_000.0),
            )
            .number("air", "Above 6 kHz", "dB", curve.mean_db(6_000.0..20_000.0))
    }
}

/// What steps before this one have found of music.
fn found(stream: &Stream) -> Spared {
    Spared::new(
        &earlier::reports(),
        stream.sample_rate,
        stream.total_frames,
        0.0,
    )
}

register!(Voice);

#[cfg(test)]
mod tests;
