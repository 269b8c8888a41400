//! What the tests share: loading built guests, and driving a stage as the pipeline does.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::OnceLock};

use retake_audio::{Block, Spec, StageError};
use retake_plugin_host::{Cache, EarlierStep, Host, Plugin, StageRecord, Stream};
use retake_plugin_manifest::Settings;
use serde_json::json;

/// One cache for all tests of a build, and kept from run to run.
pub fn cache() -> Cache {
    static CACHE: OnceLock<Cache> = OnceLock::new();
    CACHE
        .get_or_init(|| {
            let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache");
            Cache::open(&folder).unwrap()
        })
        .clone()
}

/// The bytes `make plugins` built: `plugins/gain`, `test-plugins/puppet`.
pub fn built(name: &str) -> Vec<u8> {
    let dist = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../dist");
    let path = dist.join(name).with_extension("wasm");
    fs::read(&path).unwrap_or_else(|error| panic!("{name}.wasm: {error}; run make plugins"))
}

pub fn load(name: &str) -> Plugin {
    let installed = cache().install(&built(name)).unwrap();
    Host::new(cache()).unwrap().load(&installed.digest).unwrap()
}

/// One run of a stage over a whole input.
pub struct Run<'a> {
    pub plugin: &'a Plugin,
    pub rate: u32,
    pub params: serde_json::Value,
    pub mix: f64,
    pub spare: BTreeMap<String, f64>,
    pub earlier: &'a [EarlierStep],
    pub seed: u64,
    pub equal_channels: bool,
    /// Lengths of the blocks it is given, over and over.
    pub blocks: &'a [usize],
}

impl<'a> Run<'a> {
    pub fn new(plugin: &'a Plugin, rate: u32) -> Self {
        Self {
            plugin,
            rate,
            params: json!({}),
            mix: 1.0,
            spare: BTreeMap::new(),
            earlier: &[],
            seed: 1,
            equal_channels: false,
            blocks: &[4800],
        }
    }

    pub fn params(mut self, params: serde_json::Value) -> Self {
        self.params = params;
        self
    }

    pub fn of(&self, input: &Block) -> Result<Block, StageError> {
        self.recorded(input).0
    }

    /// The record is there after a failure too, if the stage was opened.
    pub fn recorded(&self, input: &Block) -> (Result<Block, StageError>, Option<StageRecord>) {
        let params = self.params.as_object().unwrap();
        let settings = Settings::resolve(self.plugin.manifest(), params).unwrap();
        let spec = Spec::new(self.rate, input.channels() as u32);
        let stream = Stream {
            name: "under test",
            spec,
            frames: input.frames() as u64,
            mix: self.mix,
            spare: &self.spare,
            seed: self.seed,
            equal_channels: self.equal_channels,
            earlier: self.earlier,
        };
        let record = StageRecord::default();
        let mut stage = match self.plugin.open(&stream, &settings, &record) {
            Ok(stage) => stage,
            Err(error) => return (Err(error), None),
        };
        let mut output = Block::new(input.channels());
        let mut emit = |block: &Block| {
            output.append(block);
            Ok(())
        };
        let mut drive = || {
            if stage.analyzes() {
                self.cut(input)
                    .try_for_each(|block| stage.analyze(&block))?;
            }
            stage.begin()?;
            self.cut(input)
                .try_for_each(|block| stage.process(&block, &mut emit))?;
            stage.finish(&mut emit)
        };
        let driven = drive();
        (driven.map(|()| output), Some(record))
    }

    fn cut(&self, input: &'a Block) -> impl Iterator<Item = Block> {
        let mut from = 0;
        let mut lengths = self.blocks.iter().cycle();
        std::iter::from_fn(move || {
            let frames = input.frames();
            let to = frames.min(from + lengths.next()?);
            let mut block = Block::new(input.channels());
            block.append_range(input, from..to);
            let is_more = from < frames;
            from = to;
            is_more.then_some(block)
        })
    }
}

/// Deterministic noise, -1 to 1.
pub fn noise(frames: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..frames).map(|_| next()).collect()
}

/// A buzz in syllables over faint noise, something that a denoiser leaves standing.
pub fn voice(rate: u32, frames: usize, pitch_hz: f32) -> Vec<f32> {
    let mut phase = 0.0f32;
    let mut low = 0.0;
    noise(frames, 77)
        .into_iter()
        .enumerate()
        .map(|(n, hiss)| {
            let time = n as f32 / rate as f32;
            phase = (phase + pitch_hz / rate as f32).fract();
            let syllable = (time * 9.0).sin().max(0.0);
            low += 0.2 * ((0.5 - phase) * syllable - low);
            0.6 * low + 1e-3 * hiss
        })
        .collect()
}

/// Two channels of noise.
pub fn noise_pair(frames: usize, seed: u32) -> Block {
    Block::from_planes(vec![noise(frames, seed), noise(frames, seed + 1)]).unwrap()
}

pub fn level_db(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    10.0 * (power / samples.len() as f64).log10()
}
