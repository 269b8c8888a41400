//! Restores peaks that were cut off because the recording was too loud.
//!
//! Two passes. The first looks for the recording's own ceiling: a level, not necessarily full
//! scale, at which the waveform's swings end flat. The second takes every frame at the ceiling for unknown,
//! but at least as large as the ceiling, and tells it from the frames around it (autoregressive
//! interpolation by Janssen, Veldhuis and Vries, 1986, with the ceiling as a lower bound, as every consistent
//! method has: P. Zaviska, P. Rajmic, A. Ozerov, L. Rencker, "A survey and an extensive
//! evaluation of popular audio declipping methods", IEEE J-STSP 15, 2021). All other frames pass unchanged.
//!
//! Restored peaks are higher than the ceiling and so, mostly, than full scale. Retake's samples are floats and carry
//! that; the loudness step at the end of a chain brings it under its own ceiling. Where there is no
//! such step, `headroom-db` lowers the whole result. A recording in which nothing is clipped passes
//! unchanged, to the bit.

mod ceiling;
mod restore;

use ceiling::{Analysis, Ceilings};
use restore::Restorer;
use retake_plugin_sdk::prelude::*;

const HEADROOM_DB: FloatParam = FloatParam::new("headroom-db", "Headroom", 0.0, 24.0, 0.0)
    .unit("dB")
    .step(1.0)
    .help("Lowers the whole result, if anything was clipped, to make room for the restored peaks. Not needed before a loudness step.");
const MOST_DB: FloatParam = FloatParam::new("most-db", "Most restored", 0.0, 24.0, 12.0)
    .unit("dB")
    .step(1.0)
    .help("No restored peak is further above the ceiling than this.");

pub struct Declip {
    sample_rate: u32,
    headroom_factor: f32,
    most_factor: f64,
    analysis: Analysis,
    /// Made after the first pass.
    work: Option<Work>,
}

enum Work {
    /// Nothing is clipped: every block goes out as it came.
    Nothing,
    Restore(Box<Restorer>),
}

impl Corrector for Declip {
    const FACTS: Facts = Facts {
        id: "org.retake.declip",
        name: "De-clip",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Restores peaks that were cut off because the recording was too loud.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        extras: &[("equal-channels", "once")],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&HEADROOM_DB, &MOST_DB];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            sample_rate: stream.sample_rate,
            headroom_factor: db_to_factor(-settings.get(&HEADROOM_DB)),
            most_factor: f64::from(db_to_factor(settings.get(&MOST_DB))),
            analysis: Analysis::new(stream.sample_rate),
            work: None,
        })
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        self.analysis.add(&block[0]);
        Ok(())
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let work = self
            .work
            .get_or_insert_with(|| match self.analysis.finish() {
                Some(ceilings) => Work::Restore(Box::new(Restorer::new(
                    self.sample_rate,
                    ceilings,
                    self.most_factor,
                ))),
                None => Work::Nothing,
            });
        if let Work::Restore(restorer) = work {
            restorer.push(&block[0]);
            block[0] = lowered(restorer.take(usize::MAX), self.headroom_factor);
        }
        Ok(block)
    }

    fn drain(&mut self, max_frames: usize) -> Result<Block, Refusal> {
        let Some(Work::Restore(restorer)) = &mut self.work else {
            return Ok(Block::new());
        };
        restorer.end();
        Ok(vec![lowered(
            restorer.take(max_frames),
            self.headroom_factor,
        )])
    }

    fn report(&mut self) -> Report {
        match &self.work {
            None => Report::default(),
            Some(Work::Nothing) => Report::default().text("clipping", "Clipping", "none found"),
            Some(Work::Restore(restorer)) => told(restorer),
        }
    }
}

fn lowered(mut audio: Vec<f32>, factor: f32) -> Vec<f32> {
    audio.iter_mut().for_each(|sample| *sample *= factor);
    audio
}

/// Where the ceiling was, how much stood at it, and how far the peaks went beyond.
fn told(restorer: &Restorer) -> Report {
    let Ceilings { above, below, .. } = restorer.ceilings;
    let tally = &restorer.tally;
    let mut report = Report::default();
    for (id, label, level) in [
        ("ceiling-above", "Ceiling above", above),
        ("ceiling-below", "Ceiling below", below),
    ] {
        if let Some(level) = level {
            report = report.number(id, label, "dBFS", factor_to_db(level.into()));
        }
    }
    let part = 100.0 * tally.restored as f64 / tally.frames.max(1) as f64;
    report
        .count("peaks", "Clipped peaks", "", tally.peaks as i64)
        .number("clipped", "Audio clipped", "%", part)
        .number(
            "highest",
            "Highest restored peak",
            "dBFS",
            factor_to_db(tally.highest.into()),
        )
        .curve(
            "clipped",
            "Audio clipped",
            "%",
            tally.frames_per_point as f64,
            tally.points(),
        )
}

register!(Declip);

#[cfg(test)]
mod tests;
