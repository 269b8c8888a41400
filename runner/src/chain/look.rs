//! Pictures of a recording and the stream that compares: made by a child, as corrections are.

use std::path::Path;

use retake_findings::Finding;
use tokio_util::sync::CancellationToken;

use super::{ChainContext, ChainFailure, Progress, failure::of_child};
use crate::{
    child::{Correction, Look, Origin, Output, Request, run_child},
    deadline::Deadline,
};

/// Of a tile of the spectrogram.
pub const TILE_COLUMNS: u64 = retake_audio::TILE_COLUMNS as u64;

/// What was seen on the way.
#[derive(Debug, Clone)]
pub struct Looked {
    pub sample_rate: u32,
    pub channels: u32,
    pub frames: u64,
    pub findings: Vec<Finding>,
}

/// Makes `wanted` of a recording: `output` is a file, for tiles a folder that is there. After `cancel` it ends
/// soon.
pub async fn look(
    input: &Path,
    output: &Path,
    wanted: Look,
    track: Option<u32>,
    context: &ChainContext<'_>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Looked, ChainFailure> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(ChainFailure::ours);
    let wanted = match wanted {
        Look::Compare {
            correction,
            cuts,
            form,
        } => Look::Compare {
            correction: absolute(&correction)?,
            cuts,
            form,
        },
        other => other,
    };
    let deadline = Deadline::new(context.deadline, context.limits, input);
    let request = Request {
        parent_pid: rustix::process::getpid().as_raw_pid(),
        input: absolute(input)?,
        track,
        output: absolute(output)?,
        scratch_dir: absolute(context.scratch_dir)?,
        plugin_cache: absolute(context.plugin_cache)?,
        steps: Vec::new(),
        earlier: Vec::new(),
        kept: None,
        output_as: Output::Handover,
        deltas_as: Correction {
            rendition: None,
            origin: Origin::Input,
        },
        original: None,
        expect: None,
        input_peaks: None,
        output_peaks: None,
        look: Some(wanted),
        limits: context.limits.clone(),
        seed: context.seed,
    };
    let heard = |fraction, _| {
        progress(Progress {
            fraction,
            step: None,
        });
    };
    let done = run_child(context.child, &request, &deadline, &heard, cancel)
        .await
        .map_err(|unfinished| of_child(unfinished, &[], None, &deadline).failure)?;
    Ok(Looked {
        sample_rate: done.input.measurement.sample_rate,
        channels: done.input.measurement.channels,
        frames: done.input.measurement.frames,
        findings: done.findings,
    })
}
