//! Loading an installed plugin and opening stages with it.

use std::collections::BTreeMap;

use retake_audio::{Spec, Stage, StageError};
use retake_plugin_manifest::{ChannelUse, Manifest, Settings};

use crate::{
    bindings::PluginPre,
    cache::Cache,
    error::HostError,
    install,
    instance::Instance,
    record::StageRecord,
    sandbox,
    stage::{PluginStage, Stream},
};

/// Loads plugins out of a cache.
pub struct Host {
    cache: Cache,
}

impl Host {
    pub fn new(cache: Cache) -> Result<Self, HostError> {
        Ok(Self { cache })
    }

    pub fn load(&self, digest: &str) -> Result<Plugin, HostError> {
        let not_installed = || HostError::NotInstalled {
            digest: digest.to_owned(),
        };
        let installed = self.cache.lookup(digest).ok_or_else(not_installed)?;
        let code = self.cache.code_path(digest).ok_or_else(not_installed)?;
        let component = install::deserialize(self.cache.engine(), &code)?;
        Ok(Plugin {
            manifest: installed.manifest,
            pre: install::pre(&component)?,
        })
    }
}

/// A plugin whose code is in memory.
pub struct Plugin {
    manifest: Manifest,
    pre: PluginPre<sandbox::State>,
}

impl Plugin {
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A new instance, to be driven call by call. The pipeline's way is [`Plugin::stage`].
    pub fn instance(&self) -> Result<Instance, StageError> {
        Instance::start(&self.pre)
    }

    /// A pipeline stage for one stream, with a record of its own:
    /// see [`Plugin::open`].
    pub fn stage(
        &self,
        name: &str,
        spec: Spec,
        frames: u64,
        settings: &Settings,
        mix: f64,
        seed: u64,
    ) -> Result<(Box<dyn Stage>, StageRecord), StageError> {
        let stream = Stream {
            name,
            spec,
            frames,
            mix,
            spare: &BTreeMap::new(),
            seed,
            equal_channels: false,
            earlier: &[],
        };
        let record = StageRecord::default();
        let stage = self.open(&stream, settings, &record)?;
        Ok((stage, record))
    }

    /// A pipeline stage that writes into a new `record`, which can be read at any time: while the
    /// plugin starts, and after a failure.
    pub fn open(
        &self,
        stream: &Stream<'_>,
        settings: &Settings,
        record: &StageRecord,
    ) -> Result<Box<dyn Stage>, StageError> {
        let refused = |message| StageError::Refused {
            message,
            param: None,
        };
        let Stream { spec, mix, .. } = *stream;
        if !(0.0..=1.0).contains(&mix) {
            return Err(refused(format!("mix is {mix}; it must be from 0 to 1")));
        }
        if spec.channels == 0 || spec.sample_rate == 0 {
            return Err(refused(format!(
                "a stream of {spec} has nothing to correct"
            )));
        }
        if self.manifest.may_shorten() && mix < 1.0 {
            return Err(refused(format!(
                "mix is {mix}; plugin {} shortens, so nothing of the original can be mixed in",
                self.manifest.short_name()
            )));
        }
        let channels_max = self.manifest.max_channels;
        let linked = self.manifest.channels == ChannelUse::Linked;
        if linked && channels_max != 0 && spec.channels > channels_max {
            return Err(refused(format!(
                "the stream has {} channels; plugin {} takes at most {channels_max}",
                spec.channels,
                self.manifest.short_name()
            )));
        }
        let stage = PluginStage::open(&self.manifest, &self.pre, stream, settings, record)?;
        Ok(Box::new(stage))
    }
}
