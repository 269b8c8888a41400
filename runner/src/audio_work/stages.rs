//! The stages of a request: each step a sandboxed plugin, watched and guarded.

use std::path::Path;

use retake_audio::{Spec, Stage};
use retake_plugin_host::{Cache, EarlierStep, Host, HostError, StageRecord, Stream};
use retake_plugin_manifest::Settings;

use super::{
    blend::Blend,
    delta::DeltaWriter,
    failed::{audio_failed, ours, params_refused, stage_failed},
    guard::{Guard, GuardRecord, Guarded, Terms},
    outcome::in_words,
    watch::Watch,
};
use crate::{
    budget::Budgets,
    child::{Expect, Failed, Request, Teller},
};

/// The stages of a request, and where each leaves what there is to tell.
pub(super) struct Opened {
    pub stages: Vec<Box<dyn Stage>>,
    /// Of the external service's answer. Its stage comes first.
    pub answer: Option<GuardRecord>,
    /// In the order of the request.
    pub steps: Vec<OpenedStep>,
}

pub(super) struct OpenedStep {
    pub record: StageRecord,
    pub guard: GuardRecord,
    pub promises: bool,
    /// What goes in comes out.
    pub only_looks: bool,
}

pub(super) struct Opening<'a> {
    pub request: &'a Request,
    pub spec: Spec,
    pub frames: u64,
    /// All channels of the recording are the same.
    pub equal_channels: bool,
    pub deltas_as: retake_audio::Format,
    pub budgets: Budgets,
}

impl Opening<'_> {
    pub fn open(&self, watch: &Watch, teller: &Teller) -> Result<Opened, Failed> {
        let mut opened = Opened {
            stages: Vec::new(),
            answer: None,
            steps: Vec::new(),
        };
        if let Some(expect) = &self.request.expect {
            let (stage, record) = self.answer(expect)?;
            opened.stages.push(stage);
            opened.answer = Some(record);
        }
        if self.request.steps.is_empty() {
            return Ok(opened);
        }
        let broken = |error: HostError| Failed::Ours {
            detail: error.to_string(),
            no_room: false,
        };
        let cache = Cache::open(&self.request.plugin_cache).map_err(broken)?;
        let host = Host::new(cache).map_err(broken)?;
        let mut equal_channels = self.equal_channels;
        let told = self.request.earlier.iter();
        let mut earlier: Vec<_> = told
            .map(|step| EarlierStep::told(&step.plugin, &step.version, step.report.clone()))
            .collect();
        for (place, step) in self.request.steps.iter().enumerate() {
            let plugin = host.load(&step.digest).map_err(broken)?;
            let settings = Settings::resolve(plugin.manifest(), &step.params)
                .map_err(|errors| params_refused(step.index, &errors))?;
            let stream = Stream {
                name: &step.name,
                spec: self.spec,
                frames: self.frames,
                mix: step.mix,
                spare: &step.spare,
                seed: step_seed(self.request.seed, step.index),
                equal_channels,
                earlier: &earlier,
            };
            // What sees them together may tell them apart.
            let manifest = plugin.manifest();
            equal_channels &= !manifest.passes.process || manifest.runs_equal_channels_once();
            let record = StageRecord::default();
            let (teller, index) = (teller.clone(), step.index);
            let audio = (self.spec, self.frames);
            let limits = &self.request.limits;
            self.budgets
                .add(step.index, &record, step.realtime_factor, limits, audio);
            record.on_log(move |line| teller.log(index, in_words(line)));
            let stage = watch
                .enter(place, || plugin.open(&stream, &settings, &record))
                .map_err(|error| stage_failed(step.index, error))?;
            let manifest = plugin.manifest();
            earlier.push(EarlierStep::beside(
                &manifest.id,
                &manifest.version,
                &record,
            ));
            let terms = Terms {
                step: step.index,
                name: step.name.clone(),
                promise: plugin.manifest().level_promise(),
                mix: step.mix,
                shortens: plugin.manifest().may_shorten(),
            };
            let promises = terms.promise.is_some();
            let (guard, found) = self.guard(terms, step.delta.as_deref())?;
            opened.stages.push(Box::new(Guarded {
                guard,
                inner: watch.wrap(place, stage),
            }));
            opened.steps.push(OpenedStep {
                record,
                guard: found,
                promises,
                only_looks: !plugin.manifest().passes.process,
            });
        }
        Ok(opened)
    }

    fn answer(&self, expect: &Expect) -> Result<(Box<dyn Stage>, GuardRecord), Failed> {
        let terms = Terms {
            step: expect.step,
            name: expect.name.clone(),
            promise: None,
            mix: expect.mix,
            shortens: false,
        };
        let (guard, record) = self.guard(terms, expect.delta.as_deref())?;
        let blend = Blend::open(&expect.sent, expect.mix, self.spec, self.frames, guard)
            .map_err(ours("the file that was sent"))?;
        Ok((Box::new(blend), record))
    }

    fn guard(&self, terms: Terms, delta: Option<&Path>) -> Result<(Guard, GuardRecord), Failed> {
        let create = |path| DeltaWriter::create(path, &self.deltas_as, self.spec, self.frames);
        let delta = delta
            .map(create)
            .transpose()
            .map_err(|error| audio_failed(error, None))?;
        Ok(Guard::new(terms, self.spec, delta))
    }
}

/// Every step has randomness of its own, the same for the same recording and place (SplitMix64).
fn step_seed(seed: u64, index: usize) -> u64 {
    let mut z = seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_those_of_every_release_and_differ_between_places() {
        // The reference implementation's: with others, no correction could be made again.
        assert_eq!(step_seed(7, 0), 0x63cb_e1e4_5932_0dd7);
        assert_eq!(step_seed(7, 1), 0x044c_3cd7_f43c_661c);
        assert_eq!(step_seed(8, 0), 0x9e56_51b0_ef95_3636);
    }
}
