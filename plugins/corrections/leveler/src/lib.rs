//! Brings the voices of a recording to one level, slowly, and then tames its loudest syllables.
//!
//! Two passes. The first measures loudness (ITU-R BS.1770-4) every 100 ms. From the whole of it
//! follows the ride: where there is speech, how loud it is around each moment, and a slow gain that
//! brings it to one loudness. See [`ride`]. The second pass applies the ride, and after it a
//! feed-forward compressor with a soft knee and look-ahead, in the log domain (D. Giannoulis,
//! M. Massberg, J. Reiss, "Digital dynamic range compressor design: a tutorial and analysis", JAES
//! 60(6), 2012). The compressor is also a limiter: no sample exceeds [`CEILING_DBFS`], unless the
//! recording's own did.
//!
//! In pauses the gain waits: noise and breath are never lifted above what the speech beside them
//! gets. A breath is no speech. Music that a step before has found stays as it is. All channels have the same gain, so voices stay where they are.

mod activity;
mod compressor;
mod ride;
mod voice;

use compressor::Compressor;
use retake_plugin_sdk::{earlier, prelude::*};
use retake_signal::hops::{Hops, integrated_lufs, range_lu};
use retake_signal::line::{GainLine, thinned};
use retake_signal::weights::loudness_weights;
use retake_spared::{LeftAlone, Spared};
use ride::{Ride, Wish};
use voice::Voice;

/// Ten to the second: the ride's resolution.
const HOPS_PER_SECOND: usize = 10;
/// What is lifted is kept below this.
pub const CEILING_DBFS: f64 = -1.0;
/// A curve in the report has about this many points at most.
const CURVE_POINTS_MAX: usize = 1000;

const TARGET: ChoiceParam = ChoiceParam::new(
    "target",
    "Target",
    &[
        ("own", "The recording's own median"),
        ("fixed", "A loudness"),
    ],
    "own",
)
.help("Level towards the recording's own usual loudness, or towards a given one.");
const TARGET_LUFS: FloatParam = FloatParam::new("target-lufs", "Loudness", -40.0, -10.0, -18.0)
    .unit("LUFS")
    .step(0.5)
    .help("Loudness of the speech in the result. Counts only where the target is a loudness.");
const RANGE_DB: FloatParam = FloatParam::new("range-db", "Range", 0.0, 24.0, 12.0)
    .unit("dB")
    .step(0.5)
    .help("Speech is turned up or down by no more than this against its usual loudness.");
const SLEW_DB_PER_S: FloatParam = FloatParam::new("slew-db-per-s", "Speed", 1.0, 60.0, 36.0)
    .unit("dB/s")
    .logarithmic()
    .help("How fast the gain may change. Slow suits one voice, fast suits several.");
const RATIO: FloatParam = FloatParam::new("ratio", "Compression", 1.0, 8.0, 2.0)
    .logarithmic()
    .help("Peaks far above the speech rise by one dB for so many. 1 does not compress.");

pub struct Leveler {
    wish: Wish,
    before: Hops,
    /// The largest sample of each hop.
    peaks: Peaks,
    voice: Voice,
    /// Made after the first pass.
    ride: Option<(Ride, GainLine)>,
    left_alone: Option<LeftAlone>,
    stream: Stream,
    compressor: Compressor,
    after: Hops,
    total_frames: u64,
    /// Frames that have come out, of them `latency` before the first.
    out: u64,
}

impl Corrector for Leveler {
    const FACTS: Facts = Facts {
        id: "org.retake.leveler",
        name: "Leveler",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Brings quiet and loud voices to one level, and tames the loudest syllables.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        channels: ChannelUse::Linked,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&TARGET, &TARGET_LUFS, &RANGE_DB, &SLEW_DB_PER_S, &RATIO];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let channels = stream.channels as usize;
        let weights = loudness_weights(&stream.positions());
        let hops = || Hops::new(stream.sample_rate, &weights, HOPS_PER_SECOND);
        let ratio = settings.get(&RATIO);
        let wish = Wish {
            target_lufs: (settings.get(&TARGET) == "fixed").then(|| settings.get(&TARGET_LUFS)),
            range_db: settings.get(&RANGE_DB),
            slew_db_per_hop: settings.get(&SLEW_DB_PER_S) / HOPS_PER_SECOND as f64,
            ratio,
        };
        Ok(Self {
            wish,
            peaks: Peaks::new(hops().hop_frames()),
            voice: Voice::new(stream.sample_rate, hops().hop_frames()),
            before: hops(),
            ride: None,
            left_alone: None,
            stream: *stream,
            compressor: Compressor::new(stream.sample_rate, channels, ratio),
            after: hops(),
            total_frames: stream.total_frames,
            out: 0,
        })
    }

    fn latency_frames(&self) -> u32 {
        self.compressor.latency_frames() as u32
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        self.before.add(block);
        self.peaks.add(block);
        self.voice.add(block);
        Ok(())
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let latency = self.compressor.latency_frames();
        let left_alone = self.left_alone.get_or_insert_with(|| {
            let (rate, channels) = (self.stream.sample_rate, self.stream.channels as usize);
            // A voice over music is brought to the others' level: nothing of it is spared.
            let spared = Spared::new(&earlier::reports(), rate, self.total_frames, 0.0);
            LeftAlone::new(spared, rate, channels, latency)
        });
        let (_, line) = self.ride.get_or_insert_with(|| {
            self.before.finish();
            self.peaks.finish();
            self.voice.finish();
            let (powers, voiced) = (&self.before.powers, &self.voice.heard);
            let music = left_alone.music(powers.len(), self.before.hop_frames());
            let ride = Ride::new(&self.wish, powers, &self.peaks.hops, voiced, &music);
            self.compressor.aim(ride.speech_lufs, ride.ceiling_dbfs);
            let line = GainLine::new(ride.factors(), self.before.hop_frames());
            (ride, line)
        });
        left_alone.remember(&block);
        line.apply(&mut block);
        let mut block = self.compressor.run(block);
        left_alone.restore(&mut block);
        self.measure(&block);
        Ok(block)
    }

    fn report(&mut self) -> Report {
        let Some((ride, _)) = &self.ride else {
            return Report::default();
        };
        self.after.finish();
        let (before, after) = (&self.before.powers, &self.after.powers);
        let spread = |powers: &[f32]| activity::spread_db(powers, &ride.speech);
        let share = ride.speech.iter().filter(|&&speech| speech).count() as f64
            / ride.speech.len().max(1) as f64;
        let numbers = [
            (
                "loudness-before",
                "Loudness before",
                "LUFS",
                integrated_lufs(before),
            ),
            (
                "loudness-after",
                "Loudness after",
                "LUFS",
                integrated_lufs(after),
            ),
            (
                "range-before",
                "Loudness range before",
                "LU",
                range_lu(before),
            ),
            ("range-after", "Loudness range after", "LU", range_lu(after)),
            (
                "spread-before",
                "Spread of the speech before",
                "dB",
                spread(before),
            ),
            (
                "spread-after",
                "Spread of the speech after",
                "dB",
                spread(after),
            ),
            ("gain-min", "Least gain", "dB", Some(ride.gain_min_db())),
            ("gain-max", "Most gain", "dB", Some(ride.gain_max_db())),
            ("speech", "Part that is speech", "%", Some(100.0 * share)),
            (
                "compressed",
                "Strongest compression",
                "dB",
                Some(self.compressor.reduction_max_db()),
            ),
        ];
        let report =
            numbers
                .into_iter()
                .fold(
                    Report::default(),
                    |report, (id, label, unit, value)| match value {
                        Some(value) => report.number(id, label, unit, value),
                        None => report,
                    },
                );
        let (points, every) = thinned(&ride.gains_db, CURVE_POINTS_MAX);
        let frames = (self.before.hop_frames() * every) as f64;
        report.curve("gain", "Gain", "dB", frames, points)
    }
}

impl Leveler {
    /// Measures of what came out what belongs to the recording.
    fn measure(&mut self, block: &Block) {
        let latency = self.compressor.latency_frames() as u64;
        let frames = block[0].len() as u64;
        let within = |frame: u64| frame.clamp(self.out, self.out + frames) - self.out;
        let from = within(latency) as usize;
        let to = within(latency + self.total_frames) as usize;
        self.out += frames;
        if (from, to) == (0, frames as usize) {
            self.after.add(block);
        } else if from < to {
            let cut: Block = block
                .iter()
                .map(|channel| channel[from..to].to_vec())
                .collect();
            self.after.add(&cut);
        }
    }
}

/// The largest sample of each hop, over all channels.
struct Peaks {
    steps: retake_signal::steps::Steps,
    peak: f32,
    hops: Vec<f32>,
}

impl Peaks {
    fn new(hop_frames: usize) -> Self {
        Self {
            steps: retake_signal::steps::Steps::new(hop_frames),
            peak: 0.0,
            hops: Vec::new(),
        }
    }

    fn add(&mut self, block: &Block) {
        let mut from = 0;
        while let Some(piece) = self.steps.piece(from, block[0].len()) {
            for channel in block {
                self.peak = self
                    .peak
                    .max(compressor::peak(&channel[piece.range.clone()]));
            }
            if piece.ends {
                self.hops.push(std::mem::take(&mut self.peak));
            }
            from = piece.range.end;
        }
    }

    fn finish(&mut self) {
        if self.steps.filled() > 0 {
            self.hops.push(std::mem::take(&mut self.peak));
        }
    }
}

register!(Leveler);

#[cfg(test)]
mod tests;
