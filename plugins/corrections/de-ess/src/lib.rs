//! Turns sharp sibilants down, and nothing else.
//!
//! Two passes. The first learns how loud the voice is around each moment. The second looks every
//! millisecond at two bands. A sound is a sibilant where the high band outweighs the voice's; it is
//! turned down where the high band is also too loud against the voice around it. Both are ratios:
//! the level of the recording does not matter, and noise in a pause is no sibilant. It is never turned down so
//! far that its high band would no longer stand out: that would be a lisp.
//!
//! What is turned down is the high band alone, taken out of the signal by a filter of linear phase:
//! `out = in - (1 - gain) * band`. Where nothing is turned down the signal comes through to the last
//! bit; where something is, no phase turns and the rest of the spectrum stays. The gain looks ahead
//! (see [`retake_signal::reducer`]), so that the first edge of an "s" is as soft as its rest.

mod detector;

use detector::Detector;
use retake_plugin_sdk::prelude::*;
use retake_signal::band::Band;
use retake_signal::reducer::Reducer;
use retake_signal::steps::Steps;

/// The gain is decided this often, and looks so many decisions ahead: 8 ms.
const STEPS_PER_SECOND: u32 = 1000;
const AHEAD_STEPS: usize = 8;
/// Time constant of the gain's return.
const RELEASE_STEPS: f64 = 15.0;
/// Of what a sibilant is too loud, this part is taken.
const SLOPE: f32 = 0.9;
/// Length of the band's filter: its edges are about 1.5 kHz wide.
const BAND_S: f64 = 0.0026;
/// Less is not counted as acting.
const ACTS_DB: f64 = 0.5;
/// The band ends at this part of the rate; at low rates it also begins lower than asked for.
const FROM_MAX_PER_RATE: f64 = 0.35;
const TO_MAX_PER_RATE: f64 = 0.48;

const THRESHOLD_DB: FloatParam = FloatParam::new("threshold-db", "Threshold", -24.0, 12.0, -9.0)
    .unit("dB")
    .step(0.5)
    .help("How loud a sibilant may be against the voice around it. Lower acts more often.");
const MAX_REDUCTION_DB: FloatParam =
    FloatParam::new("max-reduction-db", "Most reduction", 0.0, 20.0, 8.0)
        .unit("dB")
        .step(0.5)
        .help("No sibilant is turned down by more than this; much more sounds like a lisp.");
const FROM_HZ: FloatParam = FloatParam::new("from-hz", "From", 2_000.0, 9_000.0, 4_500.0)
    .unit("Hz")
    .logarithmic()
    .help("Where the sibilants begin: lower for deep voices.");
const TO_HZ: FloatParam = FloatParam::new("to-hz", "To", 5_000.0, 20_000.0, 10_000.0)
    .unit("Hz")
    .logarithmic()
    .help("Where they end; what is higher is left alone.");

pub struct DeEss {
    threshold_db: f32,
    max_reduction_db: f32,
    detector: Detector,
    band: Band,
    reducer: Reducer,
    steps: Steps,
    latency: usize,
    /// Per channel what the band's filter and the look-ahead need from before.
    held: Block,
    done: Done,
}

impl Corrector for DeEss {
    const FACTS: Facts = Facts {
        id: "org.retake.de-ess",
        name: "De-esser",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Turns down sharp sibilants, and leaves everything else as it is.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        channels: ChannelUse::Linked,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&THRESHOLD_DB, &MAX_REDUCTION_DB, &FROM_HZ, &TO_HZ];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let (from_hz, to_hz) = (settings.get(&FROM_HZ), settings.get(&TO_HZ));
        if to_hz < 1.2 * from_hz {
            return Err(Refusal::parameter(
                &TO_HZ,
                format!(
                    "to-hz is {to_hz}; with from-hz {from_hz} it must be at least {}",
                    1.2 * from_hz
                ),
            ));
        }
        let rate_hz = f64::from(stream.sample_rate);
        let from_hz = from_hz.min(FROM_MAX_PER_RATE * rate_hz);
        let to_hz = to_hz.min(TO_MAX_PER_RATE * rate_hz);
        let channels = stream.channels as usize;
        let steps = Steps::new((stream.sample_rate / STEPS_PER_SECOND) as usize);
        let reducer = Reducer::new(AHEAD_STEPS, RELEASE_STEPS);
        let band = Band::new(rate_hz, BAND_S, from_hz, to_hz);
        let latency = reducer.latency_steps() * steps.frames();
        Ok(Self {
            threshold_db: settings.get(&THRESHOLD_DB) as f32,
            max_reduction_db: settings.get(&MAX_REDUCTION_DB) as f32,
            detector: Detector::new(rate_hz, channels, from_hz, to_hz),
            held: vec![vec![0.0; latency + band.reach()]; channels],
            band,
            reducer,
            steps,
            latency,
            done: Done::default(),
        })
    }

    fn latency_frames(&self) -> u32 {
        self.latency as u32
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        self.detector.learn(block);
        Ok(())
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let frames = block[0].len();
        for (held, channel) in self.held.iter_mut().zip(&block) {
            held.extend_from_slice(channel);
        }
        let mut from = 0;
        while let Some(piece) = self.steps.piece(from, frames) {
            self.detector.listen(&block, piece.range.clone());
            let ramp = self.reducer.ramp();
            let around = piece.range.start..piece.range.end + 2 * self.band.reach();
            for (held, channel) in self.held.iter().zip(&mut block) {
                let (around, out) = (&held[around.clone()], &mut channel[piece.range.clone()]);
                out.copy_from_slice(&around[self.band.reach()..][..out.len()]);
                if !ramp.is_one() {
                    let factor = |n| ramp.at(piece.offset + n, self.steps.frames()) - 1.0;
                    self.band.add(around, out, factor);
                }
            }
            if piece.ends {
                self.done.count(-factor_to_db(f64::from(ramp.to)));
                let over_db = self.detector.decide(self.steps.frames(), self.threshold_db);
                self.reducer
                    .demand((SLOPE * over_db).min(self.max_reduction_db));
            }
            from = piece.range.end;
        }
        for held in &mut self.held {
            held.drain(..frames);
        }
        Ok(block)
    }

    fn report(&mut self) -> Report {
        let done = &self.done;
        let part = |steps: u64, of: u64| steps as f64 / of.max(1) as f64;
        Report::default()
            .count("times", "Sibilants turned down", "", done.times)
            .number(
                "share",
                "Part of the time",
                "%",
                100.0 * part(done.acting, done.steps),
            )
            .number(
                "mean",
                "Mean reduction while acting",
                "dB",
                done.sum_db / (done.acting.max(1) as f64),
            )
            .number("max", "Strongest reduction", "dB", done.max_db)
    }
}

/// What was done, by steps.
#[derive(Default)]
struct Done {
    steps: u64,
    acting: u64,
    was_acting: bool,
    times: i64,
    sum_db: f64,
    max_db: f64,
}

impl Done {
    fn count(&mut self, reduction_db: f64) {
        self.steps += 1;
        let acts = reduction_db > ACTS_DB;
        if acts {
            self.acting += 1;
            self.sum_db += reduction_db;
            self.max_db = self.max_db.max(reduction_db);
            self.times += i64::from(!self.was_acting);
        }
        self.was_acting = acts;
    }
}

register!(DeEss);

#[cfg(test)]
mod tests;
