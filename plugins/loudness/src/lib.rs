//! Brings a recording to a loudness in LUFS (EBU R 128).

use ebur128::{EbuR128, Mode};
use retake_plugin_sdk::prelude::*;

const TARGET_LUFS: FloatParam = FloatParam::new("target-lufs", "Target", -40.0, -5.0, -16.0)
    .unit("LUFS")
    .step(0.5)
    .help("Integrated loudness of the result. -16 suits podcasts, -23 is EBU R 128.");
const TRUE_PEAK_DBTP: FloatParam = FloatParam::new("true-peak-dbtp", "Ceiling", -9.0, 0.0, -1.5)
    .unit("dBTP")
    .step(0.1)
    .help("No peak of the result exceeds this, between the samples either.");
const MAX_GAIN_DB: FloatParam = FloatParam::new("max-gain-db", "Most gain", 0.0, 40.0, 30.0)
    .unit("dB")
    .step(1.0)
    .help("A very quiet recording is made louder by no more than this.");

pub struct Loudness {
    meter: EbuR128,
    target_lufs: f64,
    ceiling_dbtp: f64,
    max_gain_db: f64,
    factor: Option<f32>,
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
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&TARGET_LUFS, &TRUE_PEAK_DBTP, &MAX_GAIN_DB];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let mode = Mode::I | Mode::TRUE_PEAK | Mode::HISTOGRAM;
        let meter = EbuR128::new(stream.channels, stream.sample_rate, mode)
            .map_err(|e| Refusal::stream(format!("{stream:?} cannot be measured: {e}")))?;
        Ok(Self {
            meter,
            target_lufs: settings.get(&TARGET_LUFS),
            ceiling_dbtp: settings.get(&TRUE_PEAK_DBTP),
            max_gain_db: settings.get(&MAX_GAIN_DB),
            factor: None,
        })
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        let planar: Vec<&[f32]> = block.iter().map(Vec::as_slice).collect();
        self.meter
            .add_frames_planar_f32(&planar)
            .map_err(|e| Refusal::internal(e.to_string()))
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let factor = *self.factor.get_or_insert_with(|| {
            let measured = self.meter.loudness_global().unwrap_or(f64::NEG_INFINITY);
            let peak = (0..self.meter.channels())
                .filter_map(|c| self.meter.true_peak(c).ok())
                .fold(0.0, f64::max);
            if measured.is_finite() {
                let wanted = (self.target_lufs - measured).min(self.max_gain_db);
                db_to_factor(wanted.min(self.ceiling_dbtp - factor_to_db(peak)))
            } else {
                1.0
            }
        });
        block
            .iter_mut()
            .flatten()
            .for_each(|sample| *sample *= factor);
        Ok(block)
    }
}

register!(Loudness);
