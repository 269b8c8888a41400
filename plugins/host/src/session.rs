//! One open stream of one instance, with everything that comes back checked.

use retake_audio::{Block, Place, StageError};
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use crate::{
    bindings::{self as wit, GuestSession, PluginPre, earlier_steps},
    record::StageRecord,
    sandbox::{Crash, Sandbox, State},
};

pub struct Session {
    sandbox: Sandbox,
    handle: ResourceAny,
    channels: usize,
    latency_frames: u32,
}

impl Session {
    /// A new instance with one open stream. Its log is in the record from the start.
    pub fn open(
        pre: &PluginPre<State>,
        spec: wit::StreamSpec,
        positions: Vec<u32>,
        settings: &[wit::Setting],
        record: &StageRecord,
    ) -> Result<Self, StageError> {
        let sandbox = Sandbox::new(pre, record.new_log())
            .map_err(|crash| crashed("did not start", &crash))?;
        Self::open_in(sandbox, spec, positions, settings)
    }

    /// In an instance that may have been used before.
    pub fn open_in(
        mut sandbox: Sandbox,
        spec: wit::StreamSpec,
        positions: Vec<u32>,
        settings: &[wit::Setting],
    ) -> Result<Self, StageError> {
        sandbox.set_positions(positions);
        sandbox.set_earlier(Vec::new());
        let opened = sandbox
            .call(|plugin, store| {
                plugin
                    .retake_correction_corrector()
                    .session()
                    .call_open(store, spec, settings)
            })
            .map_err(|crash| crashed("crashed when it was opened", &crash))?;
        let handle = opened.map_err(said_no)?;
        let channels = spec.channels as usize;
        let mut session = Self {
            sandbox,
            handle,
            channels,
            latency_frames: 0,
        };
        session.latency_frames = session
            .call("stating its latency", |session, store, handle| {
                session.call_latency(store, handle)
            })?;
        Ok(session)
    }

    pub fn latency_frames(&self) -> u32 {
        self.latency_frames
    }

    /// What can be heard of earlier steps from now on.
    pub fn hear(&mut self, earlier: Vec<earlier_steps::StepReport>) {
        self.sandbox.set_earlier(earlier);
    }

    pub fn analyze(&mut self, input: &Block) -> Result<(), StageError> {
        self.call("analyzing", |session, store, handle| {
            session.call_analyze(store, handle, input.as_planes())
        })?
        .map_err(said_no)
    }

    pub fn process(&mut self, input: &Block) -> Result<Block, StageError> {
        finite(self.process_raw(input)?)
    }

    /// Of the right shape, but perhaps with samples that are no numbers.
    pub fn process_raw(&mut self, input: &Block) -> Result<Block, StageError> {
        let output = self.call("processing", |session, store, handle| {
            session.call_process(store, handle, input.as_planes())
        })?;
        self.shaped(output.map_err(said_no)?)
    }

    /// At most `frames_max` frames of what it still holds; none when it holds nothing.
    pub fn drain(&mut self, frames_max: usize) -> Result<Block, StageError> {
        finite(self.drain_raw(frames_max)?)
    }

    pub fn drain_raw(&mut self, frames_max: usize) -> Result<Block, StageError> {
        let output = self.call("draining", |session, store, handle| {
            session.call_drain(store, handle, frames_max as u32)
        })?;
        let block = self.shaped(output.map_err(said_no)?)?;
        if block.frames() > frames_max {
            return Err(broken(format!(
                "it drained {} frames at once; it was asked for at most {frames_max}",
                block.frames()
            )));
        }
        Ok(block)
    }

    pub fn report(&mut self) -> Result<wit::Report, StageError> {
        self.call("reporting", |session, store, handle| {
            session.call_report(store, handle)
        })
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Ends the session and leaves its instance for another.
    pub fn close(mut self) -> Result<Sandbox, StageError> {
        let handle = self.handle;
        self.sandbox
            .call(|_, store| handle.resource_drop(store))
            .map_err(|crash| crashed("crashed when it was closed", &crash))?;
        Ok(self.sandbox)
    }

    fn call<T>(
        &mut self,
        doing: &str,
        call: impl FnOnce(GuestSession<'_>, &mut Store<State>, ResourceAny) -> wasmtime::Result<T>,
    ) -> Result<T, StageError> {
        let handle = self.handle;
        self.sandbox
            .call(|plugin, store| {
                call(
                    plugin.retake_correction_corrector().session(),
                    store,
                    handle,
                )
            })
            .map_err(|crash| crashed(&format!("crashed while {doing}"), &crash))
    }

    fn shaped(&self, planes: Vec<Vec<f32>>) -> Result<Block, StageError> {
        if planes.len() != self.channels {
            return Err(broken(format!(
                "it returned {} channels; the stream has {}",
                planes.len(),
                self.channels
            )));
        }
        let lengths = || planes.iter().map(Vec::len);
        let (shortest, longest) = (lengths().min(), lengths().max());
        Block::from_planes(planes).ok_or_else(|| {
            broken(format!(
                "it returned channels of unequal length ({} to {} frames)",
                shortest.unwrap_or(0),
                longest.unwrap_or(0)
            ))
        })
    }
}

fn finite(block: Block) -> Result<Block, StageError> {
    match block.not_finite() {
        None => Ok(block),
        Some(Place { channel, frame }) => Err(broken(format!(
            "it returned a sample that is no number ({})",
            block.plane(channel)[frame]
        ))),
    }
}

/// A rule of the contract that the plugin broke.
pub fn broken(what: String) -> StageError {
    StageError::Crashed {
        message: format!("the plugin broke its contract: {what}"),
    }
}

pub fn crashed(when: &str, crash: &Crash) -> StageError {
    StageError::Crashed {
        message: format!("the plugin {when}: {crash}"),
    }
}

/// An error the plugin returned in good order.
fn said_no(error: wit::PluginError) -> StageError {
    let message = error
        .message
        .chars()
        .filter(|c| !retake_words::is_hidden(*c))
        .take(1000)
        .collect();
    match error.kind {
        wit::ErrorKind::BadParameter
        | wit::ErrorKind::UnsupportedStream
        | wit::ErrorKind::BadInput => StageError::Refused {
            message,
            param: error.param,
        },
        wit::ErrorKind::OutOfMemory | wit::ErrorKind::Internal => StageError::Crashed { message },
    }
}
