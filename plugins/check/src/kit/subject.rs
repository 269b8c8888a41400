//! The plugin under test, and what the checks share about it.

use std::cell::Cell;

use retake_audio::Block;
use retake_plugin_host::Plugin;
use retake_plugin_manifest::{ChannelUse, Manifest, Param, ParamKind, Settings};
use serde_json::{Map, Value, json};

use super::drive::{BLOCKS, Take};
use crate::report::Cost;

/// The rate of a check that does not choose its own, in Hz, if the plugin works at it.
const USUAL_HZ: u32 = 48_000;

pub struct Subject<'a> {
    plugin: &'a Plugin,
    settings: Settings,
    params: Map<String, Value>,
    seed: u64,
    cost: Cell<Option<Cost>>,
}

impl<'a> Subject<'a> {
    /// `settings` is what `params` resolve to; of `digest` comes whatever is left to chance.
    pub fn new(
        plugin: &'a Plugin,
        settings: Settings,
        params: Map<String, Value>,
        digest: &str,
    ) -> Self {
        let start = digest.get(..16).unwrap_or_default();
        Self {
            plugin,
            settings,
            params,
            seed: u64::from_str_radix(start, 16).unwrap_or(1),
            cost: Cell::new(None),
        }
    }

    pub fn plugin(&self) -> &Plugin {
        self.plugin
    }

    pub fn manifest(&self) -> &Manifest {
        self.plugin.manifest()
    }

    /// Those that the kit was asked to check at: the defaults, mostly.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the kit was asked to set; everything else is at its default.
    pub fn params(&self) -> &Map<String, Value> {
        &self.params
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A run at the usual rate and settings, in the pipeline's blocks.
    pub fn take(&self) -> Take<'_> {
        Take {
            plugin: self.plugin,
            settings: &self.settings,
            rate: self.usual_hz(),
            blocks: BLOCKS,
            seed: 1,
            earlier: &[],
        }
    }

    /// An input of so many channels, equally long, or of fewer where a session takes fewer.
    pub fn in_channels(&self, wished: u32, channel: impl Fn(u32) -> Vec<f32>) -> Block {
        let manifest = self.manifest();
        let channels = match (manifest.channels, manifest.max_channels) {
            (ChannelUse::Linked, max) if max != 0 => wished.min(max),
            _ => wished,
        };
        Block::from_planes((0..channels).map(channel).collect()).expect("channels are equally long")
    }

    /// Settings at the ends of the parameters' ranges, each with its name: every parameter alone, then
    /// all at their lowest and all at their highest.
    pub fn ends(&self) -> Result<Vec<(String, Settings)>, String> {
        let manifest = self.manifest();
        let mut named: Vec<(String, Map<String, Value>)> = Vec::new();
        for param in &manifest.params {
            for value in ends_of(param) {
                let mut params = self.params.clone();
                params.insert(param.id.clone(), value.clone());
                named.push((format!("{} at {value}", param.id), params));
            }
        }
        if manifest.params.len() > 1 {
            for (name, pick) in [("lowest", 0), ("highest", 1)] {
                let end = |param: &Param| {
                    let ends = ends_of(param);
                    let value = ends[if pick == 0 { 0 } else { ends.len() - 1 }].clone();
                    (param.id.clone(), value)
                };
                let params = manifest.params.iter().map(end).collect();
                named.push((format!("every parameter at its {name}"), params));
            }
        }
        let resolved = named.into_iter().map(|(name, params)| {
            let settings = Settings::resolve(manifest, &params);
            let settings = settings.map_err(|errors| format!("{name}: {errors:?}"))?;
            Ok((name, settings))
        });
        resolved.collect()
    }

    /// 48 kHz, or what the host would resample that to.
    pub fn usual_hz(&self) -> u32 {
        let supported = &self.manifest().sample_rates;
        if supported.is_empty() || supported.contains(&USUAL_HZ) {
            return USUAL_HZ;
        }
        let higher = supported.iter().copied().filter(|hz| *hz > USUAL_HZ).min();
        let highest = supported.iter().copied().max();
        higher.or(highest).unwrap_or(USUAL_HZ)
    }

    /// Measured by one of the checks.
    pub fn cost(&self) -> Option<Cost> {
        self.cost.get()
    }

    pub fn set_cost(&self, cost: Cost) {
        self.cost.set(Some(cost));
    }
}

/// Never empty: a manifest without choices in a choice is not valid.
pub(super) fn ends_of(param: &Param) -> Vec<Value> {
    match &param.kind {
        ParamKind::Float { min, max, .. } => vec![json!(min), json!(max)],
        ParamKind::Int { min, max, .. } => vec![json!(min), json!(max)],
        ParamKind::Toggle { .. } => vec![json!(false), json!(true)],
        ParamKind::Choice { choices, .. } => {
            choices.iter().map(|choice| json!(choice.id)).collect()
        }
    }
}
