//! Softens plosives that pop: the breath of a "p" or "b" that blows into the microphone.
//!
//! Two passes. The first learns how loud the voice is around each moment, and what is usual of the lowest
//! sounds. The second looks every millisecond. A pop is low, sudden and alone: it is nearly as loud as the voice
//! around it, far louder than anything as low, and the voice is hardly there in the same moment (breath noise
//! as in G. Elko et al., "Electronic pop protection for microphones", IEEE WASPAA 2007, which compares low
//! with high bands; with two microphones it would be told by how they differ). All of these are ratios: a
//! deep voice, hum and rumble are no pops.
//!
//! What is turned down is what lies below, alone, taken out by a filter of linear phase as in de-ess:
//! `out = in - (1 - gain) * low`. The consonant itself lies above and stays. Where nothing pops the signal
//! comes through to the last bit.

mod detector;

use detector::Detector;
use retake_plugin_sdk::prelude::*;
use retake_signal::band::Band;
use retake_signal::reducer::Reducer;
use retake_signal::steps::Steps;

/// The gain is decided this often, and looks so many decisions ahead: 15 ms, as low filters are slow.
const STEPS_PER_SECOND: u32 = 1000;
const AHEAD_STEPS: usize = 15;
/// Time constant of the gain's return.
const RELEASE_STEPS: f64 = 25.0;
/// Length of the filter that takes the low part out.
const BAND_S: f64 = 0.024;
/// Less is not counted as a pop.
const ACTS_DB: f64 = 1.0;

const MAX_REDUCTION_DB: FloatParam =
    FloatParam::new("max-reduction-db", "Most reduction", 0.0, 30.0, 18.0)
        .unit("dB")
        .step(0.5)
        .help("No pop is turned down by more than this. 0 leaves them.");
const BELOW_HZ: FloatParam = FloatParam::new("below-hz", "Below", 80.0, 300.0, 160.0)
    .unit("Hz")
    .logarithmic()
    .help("What is higher stays as it is.");

pub struct Plosive {
    max_reduction_db: f32,
    detector: Detector,
    band: Band,
    reducer: Reducer,
    steps: Steps,
    latency: usize,
    /// Per channel what the filter and the look-ahead need from before.
    held: Block,
    pops: i64,
    acts: bool,
    most_db: f64,
}

impl Corrector for Plosive {
    const FACTS: Facts = Facts {
        id: "org.retake.plosive",
        name: "Plosive softener",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Softens the pops of \"p\" and \"b\" that blow into the microphone, and leaves everything else as it is.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        channels: ChannelUse::Linked,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&MAX_REDUCTION_DB, &BELOW_HZ];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let (rate_hz, channels) = (f64::from(stream.sample_rate), stream.channels as usize);
        let below_hz = settings.get(&BELOW_HZ);
        let steps = Steps::new((stream.sample_rate / STEPS_PER_SECOND) as usize);
        let reducer = Reducer::new(AHEAD_STEPS, RELEASE_STEPS);
        let band = Band::new(rate_hz, BAND_S, 0.0, below_hz);
        let latency = reducer.latency_steps() * steps.frames();
        Ok(Self {
            max_reduction_db: settings.get(&MAX_REDUCTION_DB) as f32,
            detector: Detector::new(rate_hz, channels, below_hz, steps.frames()),
            held: vec![vec![0.0; latency + band.reach()]; channels],
            latency,
            band,
            reducer,
            steps,
            pops: 0,
            acts: false,
            most_db: 0.0,
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
                self.count(-factor_to_db(f64::from(ramp.to)));
                let over_db = self.detector.decide(self.steps.frames());
                self.reducer.demand(over_db.min(self.max_reduction_db));
            }
            from = piece.range.end;
        }
        for held in &mut self.held {
            held.drain(..frames);
        }
        Ok(block)
    }

    fn report(&mut self) -> Report {
        Report::default()
            .count("pops", "Pops", "", self.pops)
            .number("max", "Strongest reduction", "dB", self.most_db)
    }
}

impl Plosive {
    fn count(&mut self, reduction_db: f64) {
        let acts = reduction_db > ACTS_DB;
        self.pops += i64::from(acts && !self.acts);
        self.acts = acts;
        self.most_db = self.most_db.max(reduction_db);
    }
}

register!(Plosive);

#[cfg(test)]
mod tests;
