//! The plugin under test, and what the checks share about it.

use std::cell::Cell;

use retake_plugin_host::Plugin;
use retake_plugin_manifest::{Manifest, Settings};
use serde_json::{Map, Value};

use crate::report::Cost;

/// The rate of a check that does not choose its own, in Hz, if the plugin works at it.
const USUAL_HZ: u32 = 48_000;

pub struct Subject<'a> {
    plugin: &'a Plugin,
    settings: Settings,
    params: Map<String, Value>,
    cost: Cell<Option<Cost>>,
}

impl<'a> Subject<'a> {
    /// `settings` is what `params` resolve to.
    pub fn new(plugin: &'a Plugin, settings: Settings, params: Map<String, Value>) -> Self {
        Self {
            plugin,
            settings,
            params,
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

    /// As given, where the rest has its defaults.
    pub fn params(&self) -> &Map<String, Value> {
        &self.params
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
