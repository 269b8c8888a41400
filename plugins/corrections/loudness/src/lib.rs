//! Brings a recording to a loudness (EBU R 128, ITU-R BS.1770-5) and keeps its true peaks under a
//! ceiling.
//!
//! Two passes. The first takes out what would mislead the second (impossible samples, [`spikes`]; a
//! constant offset, [`offset`]), and keeps loudness and peak of every 10 ms ([`envelope`]). From these
//! the [`plan`] finds the gain that will have reached the target once the peaks that it lifts over the
//! ceiling are turned down again: limiting costs loudness, and how much can be told beforehand, because
//! the whole gain over time is known ([`curve`]). The second pass applies it, with a [`limiter`] on the
//! true peak behind it. Where nothing reaches the ceiling it is one gain.
//!
//! Music that a step before has told of is not limited ([`music`]).
//!
//! The result is within 0.1 LU of the target, or the report says why not: the gain is capped, the
//! recording would have to be squashed, or it is silent. A recording shorter than the 400 ms that the
//! standard measures in is judged by all that is there.

mod analysis;
mod curve;
mod envelope;
mod limiter;
mod music;
mod offset;
mod outcome;
mod plan;
mod segments;
mod spikes;
mod true_peak;

use analysis::{Analysis, Analyzed, Mending};
use curve::{Curve, Ride};
use limiter::Limiter;
use offset::Means;
use outcome::Outcome;
use plan::{Plan, Wish};
use retake_plugin_sdk::{earlier, prelude::*};
use retake_signal::weights::loudness_weights;
use segments::Segments;
use spikes::Mender;

const TARGET_LUFS: FloatParam = FloatParam::new("target-lufs", "Target", -40.0, -5.0, -16.0)
    .unit("LUFS")
    .step(0.5)
    .help("Integrated loudness of the result. -16 suits podcasts, -23 is EBU R 128.");
const TRUE_PEAK_DBTP: FloatParam = FloatParam::new("true-peak-dbtp", "Ceiling", -9.0, 0.0, -1.5)
    .unit("dBTP")
    .step(0.1)
    .help("No peak of the result exceeds this, between the samples either.");
const MAX_GAIN_DB: FloatParam =
    FloatParam::new("max-gain-db", "Most gain", 0.0, 60.0, plan::USUAL_GAIN_DB)
        .unit("dB")
        .step(1.0)
        .help("A very quiet recording is made louder by no more than this, and its noise with it.");
const DUAL_MONO: ToggleParam = ToggleParam::new("dual-mono", "Mono as on two speakers", false).help(
    "Measures a recording of one channel as two speakers play it: 3 LU louder, so that it ends 3 LU \
     lower. Recordings of several channels are measured as they are.",
);

const KEEP_MUSIC: ToggleParam = ToggleParam::new("keep-music", "Music is not limited", true).help(
    "Music that a step before this one (segment) has found keeps its dynamics: it has one gain from beginning to end, lower \
     than the rest where its peaks leave no room.",
);

pub struct Loudness {
    keeps_music: bool,
    wish: Wish,
    rate_hz: u32,
    total_frames: u64,
    weights: Vec<f64>,
    pass: Pass,
    limiter: Limiter,
}

enum Pass {
    First(Box<Analysis>),
    Second(Box<Second>),
}

/// What the second pass does, in this order; the limiter comes last.
struct Second {
    plan: Plan,
    menders: Vec<Mender>,
    /// `None` where no offset is worth removing.
    offsets: Option<Vec<Means>>,
    stretch_frames: usize,
    total_frames: u64,
    done: u64,
    ride: Ride,
    outcome: Option<Outcome>,
    found: Found,
}

/// For the report.
struct Found {
    spikes: usize,
    highest_spike: f32,
    offset: f32,
    input_dbtp: f64,
}

impl Corrector for Loudness {
    const FACTS: Facts = Facts {
        id: "org.retake.loudness",
        name: "Loudness",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Brings the recording to a loudness and keeps its true peaks under a ceiling.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        channels: ChannelUse::Linked,
        // Up by the most gain there is, and what limiting is made up for by; down from any recording
        // that is not far beyond full scale.
        level_change_db: Some((-110.0, 70.0)),
        extras: &[
            ("target-lufs", "target-lufs"),
            ("ceiling-dbtp", "true-peak-dbtp"),
            ("dual-mono", "dual-mono"),
        ],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[
        &TARGET_LUFS,
        &TRUE_PEAK_DBTP,
        &MAX_GAIN_DB,
        &DUAL_MONO,
        &KEEP_MUSIC,
    ];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let wish = Wish {
            target_lufs: settings.get(&TARGET_LUFS),
            ceiling_dbtp: settings.get(&TRUE_PEAK_DBTP),
            max_gain_db: settings.get(&MAX_GAIN_DB),
        };
        let mut weights = loudness_weights(&stream.positions());
        if settings.get(&DUAL_MONO) && weights.len() == 1 {
            weights[0] *= 2.0;
        }
        let ceiling = db_to_factor(wish.ceiling_dbtp);
        Ok(Self {
            keeps_music: settings.get(&KEEP_MUSIC),
            wish,
            rate_hz: stream.sample_rate,
            total_frames: stream.total_frames,
            pass: Pass::First(Box::new(Analysis::new(stream.sample_rate, &weights))),
            limiter: Limiter::new(stream.sample_rate, weights.len(), ceiling),
            weights,
        })
    }

    fn latency_frames(&self) -> u32 {
        self.limiter.latency() as u32
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        match &mut self.pass {
            Pass::First(analysis) => analysis.add(block),
            Pass::Second(_) => {}
        }
        Ok(())
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let second = self.second();
        second.prepare(&mut block);
        let output = self.limiter.run(block);
        if let Some(outcome) = &mut self.second().outcome {
            outcome.add(&output);
        }
        Ok(output)
    }

    fn report(&mut self) -> Report {
        let limiter_db = self.limiter.reduction_max_db();
        match &self.pass {
            Pass::First(_) => Report::default(),
            Pass::Second(second) => second.report(self.wish.target_lufs, limiter_db),
        }
    }
}

impl Loudness {
    fn second(&mut self) -> &mut Second {
        if let Pass::First(analysis) = &mut self.pass {
            let nothing = Analysis::new(self.rate_hz, &[]);
            let analysis = std::mem::replace(analysis.as_mut(), nothing);
            let latency = self.limiter.latency();
            let music = match self.keeps_music {
                true => told_of_music(),
                false => Vec::new(),
            };
            let stretch = (self.rate_hz, self.total_frames);
            let second = Second::new(analysis, &self.wish, stretch, &music);
            let outcome = second
                .ride
                .is_near_ceiling()
                .then(|| Outcome::new(self.rate_hz, &self.weights, latency, self.total_frames));
            self.pass = Pass::Second(Box::new(Second { outcome, ..second }));
        }
        match &mut self.pass {
            Pass::Second(second) => second,
            Pass::First(_) => unreachable!("it was made above"),
        }
    }
}

/// Starts and lengths, by the last step that has found any.
fn told_of_music() -> Vec<(u64, u64)> {
    let reports = earlier::reports();
    let told = reports.iter().rev().map(|step| step.report.spans("music"));
    told.into_iter()
        .find(|spans| !spans.is_empty())
        .unwrap_or_default()
}

impl Second {
    fn new(
        analysis: Analysis,
        wish: &Wish,
        (rate_hz, total_frames): (u32, u64),
        music: &[(u64, u64)],
    ) -> Self {
        let stretch_frames = analysis.stretch_frames;
        let Analyzed {
            envelope,
            mendings,
            highest_spike,
        } = analysis.finish();
        let segments = Segments::new(rate_hz);
        let curve = Curve::new(envelope, segments, total_frames, wish.ceiling_dbtp, music);
        let plan = Plan::new(wish, &curve);
        let (repairs, means): (Vec<_>, Vec<_>) = mendings
            .into_iter()
            .map(|Mending { repairs, means }| (repairs, means))
            .unzip();
        let largest = means.iter().map(Means::largest).fold(0.0, f32::max);
        let removed = offset::costs_headroom(largest, plan.input_lufs);
        let found = Found {
            spikes: repairs.iter().map(Vec::len).sum(),
            highest_spike,
            offset: if removed { largest } else { 0.0 },
            input_dbtp: curve.peak_db(),
        };
        Self {
            ride: Ride::new(curve, plan.gain_db),
            plan,
            menders: repairs.into_iter().map(Mender::new).collect(),
            offsets: removed.then_some(means),
            stretch_frames,
            total_frames,
            done: 0,
            outcome: None,
            found,
        }
    }

    /// All but the limiter. What follows the recording stays silence.
    fn prepare(&mut self, block: &mut Block) {
        let left = self.total_frames.saturating_sub(self.done) as usize;
        for (channel, samples) in block.iter_mut().enumerate() {
            for sample in samples.iter_mut().filter(|sample| !sample.is_finite()) {
                *sample = 0.0;
            }
            self.menders[channel].run(samples);
            if let Some(offsets) = &self.offsets {
                let recorded = left.min(samples.len());
                offsets[channel].remove(&mut samples[..recorded], self.done, self.stretch_frames);
            }
        }
        self.done += block[0].len() as u64;
        self.ride.apply(block);
    }

    fn report(&self, target_lufs: f64, limiter_db: f64) -> Report {
        let Self { plan, found, .. } = self;
        let measured = self
            .outcome
            .as_ref()
            .map_or(plan.reached_lufs, Outcome::lufs);
        let limited_db = f64::from(self.ride.reduction_max_db) + limiter_db;
        let mut report = Report::default()
            .number("target", "Target", "LUFS", target_lufs)
            .number("gain", "Gain applied", "dB", plan.gain_db)
            .number("limited", "Strongest limiting", "dB", limited_db)
            .number(
                "input-true-peak",
                "True peak before",
                "dBTP",
                found.input_dbtp,
            );
        report = match plan.input_lufs {
            Some(lufs) => report.number("input-lufs", "Loudness before", "LUFS", lufs),
            None => report.text("input-lufs", "Loudness before", "too quiet to measure"),
        };
        if let Some(reached) = measured {
            report = report.number("reached", "Loudness reached", "LUFS", reached);
        }
        let off = measured.is_none_or(|lufs| (lufs - target_lufs).abs() > plan::OFF_LU);
        if off {
            report = report.text("why-not", "Why it is not the target", plan.why_not.code());
        }
        for (told, db) in self.ride.lowered() {
            report = report
                .number(
                    "music-lower",
                    "Music lower than the rest, not limited",
                    "dB",
                    db,
                )
                .at(told.start, told.end - told.start);
        }
        if found.spikes > 0 {
            let peak_dbfs = factor_to_db(f64::from(found.highest_spike));
            report = report
                .count(
                    "spikes",
                    "Impossible samples replaced",
                    "",
                    found.spikes as i64,
                )
                .number("spike-peak", "Highest of them", "dBFS", peak_dbfs);
        }
        if found.offset > 0.0 {
            let offset_dbfs = factor_to_db(f64::from(found.offset));
            report = report.number(
                "offset-removed",
                "Constant offset removed",
                "dBFS",
                offset_dbfs,
            );
        }
        report
    }
}

register!(Loudness);

#[cfg(test)]
mod tests;
