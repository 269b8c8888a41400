//! Runs a corrector natively, in the order of calls the host keeps: for a plugin's own tests.
//!
//! What is left out is the host's part around it: resampling, one session per channel, mixing.
//!
//! ```
//! use retake_plugin_sdk::{prelude::*, testing::correct};
//!
//! struct Half;
//! impl Corrector for Half {
//!     const FACTS: Facts = Facts { id: "org.example.half", name: "Half", version: "1.0.0", ..Facts::DEFAULT };
//!     fn open(_: &Stream, _: &Settings) -> Result<Self, Refusal> {
//!         Ok(Self)
//!     }
//!     fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
//!         block.iter_mut().flatten().for_each(|sample| *sample *= 0.5);
//!         Ok(block)
//!     }
//! }
//!
//! let input = vec![vec![1.0, -0.5, 0.25]];
//! let (output, _) = correct::<Half>(48_000, &Settings::defaults::<Half>(), &input, 4800)?;
//! assert_eq!(output, [[0.5, -0.25, 0.125]]);
//! # Ok::<(), Refusal>(())
//! ```

use crate::corrector::{Block, Corrector, Refusal, Settings, Stream};
use crate::earlier::{self, StepReport};
use crate::layout;
use crate::report::Report;

/// Corrects `input`, at `sample_rate` Hz (8 000 to 192 000), in blocks of `block_frames` frames (rounded up
/// to the plugin's quantum) and returns the result, aligned with the input and as long (but for the cuts of
/// one that may shorten), with the report.
///
/// No channel is for a speaker: see [`correct_placed`].
///
/// # Panics
///
/// If the corrector breaks the contract: wrong number of channels, channels of different lengths,
/// output too short, cuts that are not what is missing. The host ends the job in that case.
pub fn correct<C: Corrector>(
    sample_rate: u32,
    settings: &Settings,
    input: &Block,
    block_frames: usize,
) -> Result<(Block, Report), Refusal> {
    correct_placed::<C>(sample_rate, settings, input, block_frames, &[])
}

/// The same with what [`Stream::positions`] says; channels beyond `positions` are for no speaker.
///
/// # Panics
///
/// As [`correct`].
pub fn correct_placed<C: Corrector>(
    sample_rate: u32,
    settings: &Settings,
    input: &Block,
    block_frames: usize,
    positions: &[u32],
) -> Result<(Block, Report), Refusal> {
    run::<C>(
        sample_rate,
        settings,
        input,
        block_frames,
        positions,
        Vec::new(),
    )
}

/// [`correct`] for a plugin that hears what steps before it have found: [`crate::earlier::reports`] gives
/// `told` in `analyze` and `process`, and nothing in `open`.
///
/// # Panics
///
/// As [`correct`].
pub fn correct_after<C: Corrector>(
    sample_rate: u32,
    settings: &Settings,
    input: &Block,
    block_frames: usize,
    told: Vec<StepReport>,
) -> Result<(Block, Report), Refusal> {
    run::<C>(sample_rate, settings, input, block_frames, &[], told)
}

fn run<C: Corrector>(
    sample_rate: u32,
    settings: &Settings,
    input: &Block,
    block_frames: usize,
    positions: &[u32],
    told: Vec<StepReport>,
) -> Result<(Block, Report), Refusal> {
    layout::place(positions);
    earlier::tell(Vec::new());
    let frames = input[0].len();
    let quantum = C::FACTS.block_quantum.max(1) as usize;
    let block_frames = block_frames.next_multiple_of(quantum);
    let stream = Stream {
        sample_rate,
        channels: input.len() as u32,
        max_block_frames: block_frames as u32,
        total_frames: frames as u64,
        seed: 1,
    };
    let mut corrector = C::open(&stream, settings)?;
    earlier::tell(told);
    let latency = corrector.latency_frames() as usize;
    if C::FACTS.analyzes {
        for start in (0..frames).step_by(block_frames) {
            corrector.analyze(&cut(
                input,
                start,
                frames.min(start + block_frames),
                quantum,
            ))?;
        }
    }
    if !C::FACTS.processes {
        return Ok((input.clone(), corrector.report()));
    }
    let mut output = vec![Vec::new(); input.len()];
    for start in (0..frames + latency).step_by(block_frames) {
        let block = cut(
            input,
            start,
            (frames + latency).min(start + block_frames),
            quantum,
        );
        append(&mut output, corrector.process(block)?);
    }
    loop {
        let rest = corrector.drain(block_frames)?;
        if rest.first().is_none_or(Vec::is_empty) {
            break;
        }
        append(&mut output, rest);
    }
    let report = corrector.report();
    let cut: u64 = match C::FACTS.may_shorten {
        true => report.cuts().iter().map(|(_, frames)| frames).sum(),
        false => 0,
    };
    for channel in &mut output {
        assert!(
            channel.len() >= latency + frames - cut as usize,
            "{} frames came out; {frames} went in, {cut} were cut and the latency is {latency}",
            channel.len()
        );
        channel.drain(..latency);
        channel.truncate(frames);
        assert_eq!(channel.len() as u64, frames as u64 - cut, "after the cuts");
    }
    Ok((output, report))
}

/// Frames `start..end`, silence past the input's end, padded to a multiple of `quantum`.
fn cut(input: &Block, start: usize, end: usize, quantum: usize) -> Block {
    let frames = (end - start).next_multiple_of(quantum);
    let channel = |channel: &Vec<f32>| {
        let mut cut: Vec<f32> = channel
            .iter()
            .copied()
            .skip(start)
            .take(end - start)
            .collect();
        cut.resize(frames, 0.0);
        cut
    };
    input.iter().map(channel).collect()
}

fn append(output: &mut Block, block: Block) {
    if block.is_empty() {
        return;
    }
    assert_eq!(block.len(), output.len(), "channels that came out");
    assert!(
        block.iter().all(|channel| channel.len() == block[0].len()),
        "unequal channels"
    );
    for (output, channel) in output.iter_mut().zip(block) {
        output.extend(channel);
    }
}
