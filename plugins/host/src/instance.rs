//! One instance, driven call by call with blocks of the caller's choice: what a kit needs that holds
//! plugins against the contract. Nothing is resampled, aligned or cut here; shapes are checked,
//! numbers are not.

use retake_audio::{Block, ChannelMask, StageError};
use retake_plugin_manifest::{Manifest, Settings};

use crate::{
    bindings::{self as wit, PluginPre},
    earlier::{EarlierStep, Ears, heard},
    manifest,
    record::{LogLine, StageRecord},
    sandbox::{Sandbox, State},
    session::{Session, crashed},
};

/// What a session is opened for, as in the contract's `stream-spec` and `stream-layout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSpec {
    pub sample_rate: u32,
    pub channels: u32,
    pub max_block_frames: u32,
    pub total_frames: u64,
    pub seed: u64,
    pub mask: ChannelMask,
}

/// An instance without an open session.
pub struct Instance {
    sandbox: Sandbox,
    record: StageRecord,
}

impl Instance {
    pub(crate) fn start(pre: &PluginPre<State>) -> Result<Self, StageError> {
        let record = StageRecord::default();
        let sandbox = Sandbox::new(pre, record.new_log())
            .map_err(|crash| crashed("did not start", &crash))?;
        Ok(Self { sandbox, record })
    }

    /// As the plugin says it now, valid or not.
    pub fn describe(&mut self) -> Result<Manifest, StageError> {
        let described = self
            .sandbox
            .call(|plugin, store| plugin.retake_correction_corrector().call_describe(store));
        described
            .map(manifest::from_contract)
            .map_err(|crash| crashed("crashed while describing itself", &crash))
    }

    /// What it logged so far.
    pub fn log(&self) -> Vec<LogLine> {
        self.record.log()
    }

    pub fn open(self, spec: SessionSpec, settings: &Settings) -> Result<OpenSession, StageError> {
        let positions = positions(spec.mask, spec.channels);
        let stream = wit::StreamSpec {
            sample_rate: spec.sample_rate,
            channels: spec.channels,
            max_block_frames: spec.max_block_frames,
            total_frames: spec.total_frames,
            seed: spec.seed,
        };
        let settings = manifest::to_contract(settings);
        let session = Session::open_in(self.sandbox, stream, positions, &settings)?;
        Ok(OpenSession {
            session,
            spec,
            record: self.record,
        })
    }
}

/// As the contract has them.
pub(crate) fn positions(mask: ChannelMask, channels: u32) -> Vec<u32> {
    let positions = mask.positions(channels);
    positions.map(Option::unwrap_or_default).collect()
}

/// An instance with an open session.
pub struct OpenSession {
    session: Session,
    spec: SessionSpec,
    /// Its log is the instance's.
    record: StageRecord,
}

impl OpenSession {
    /// Frames by which the output lags the input.
    pub fn latency_frames(&self) -> u32 {
        self.session.latency_frames()
    }

    /// What can be heard of earlier steps from now on: reports on the time line of this session.
    pub fn hear(&mut self, steps: &[EarlierStep]) {
        let ears = Ears {
            stream_hz: self.spec.sample_rate,
            session_hz: self.spec.sample_rate,
            session_frames: self.spec.total_frames,
            channel: None,
        };
        self.session.hear(heard(steps, &ears));
    }

    pub fn analyze(&mut self, input: &Block) -> Result<(), StageError> {
        self.session.analyze(input)
    }

    /// All channels equally long; samples may be no numbers.
    pub fn process(&mut self, input: &Block) -> Result<Block, StageError> {
        self.session.process_raw(input)
    }

    /// At most `frames_max` frames.
    pub fn drain(&mut self, frames_max: usize) -> Result<Block, StageError> {
        self.session.drain_raw(frames_max)
    }

    /// As in [`StageRecord::report`].
    pub fn report(&mut self) -> Result<serde_json::Value, StageError> {
        let record = StageRecord::default();
        record.add_report(self.session.report()?, None);
        Ok(record.report())
    }

    pub fn log(&self) -> Vec<LogLine> {
        self.record.log()
    }

    /// The most linear memory the instance has had.
    pub fn memory_bytes(&self) -> usize {
        self.session.sandbox().memory_bytes()
    }

    /// Drops the session; the instance can open another.
    pub fn close(self) -> Result<Instance, StageError> {
        Ok(Instance {
            sandbox: self.session.close()?,
            record: self.record,
        })
    }
}
