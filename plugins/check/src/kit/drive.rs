//! One run of a plugin over an input, as the host would drive it but for what a check varies: sessions
//! per channel or for all, analysis first, blocks in multiples of the quantum, silence for the latency,
//! drain until everything is there.

use std::time::Duration;

use retake_audio::{Block, ChannelMask, StageError};
use retake_plugin_host::{EarlierStep, Instance, LogLine, OpenSession, Plugin, SessionSpec};
use retake_plugin_manifest::{ChannelUse, Manifest, Settings};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

/// Frames of a block where a check does not choose: as the host's pipeline has them.
pub const BLOCKS: &[usize] = &[retake_audio::BLOCK_FRAMES];

/// How a run is made.
#[derive(Clone)]
pub struct Take<'a> {
    pub plugin: &'a Plugin,
    pub settings: &'a Settings,
    pub rate: u32,
    /// Wished lengths of blocks, over and over; each is rounded up to the quantum.
    pub blocks: &'a [usize],
    pub seed: u64,
    /// What it can hear of: on the time line of the input.
    pub earlier: &'a [EarlierStep],
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Less the latency, cut to the input's length; shorter where the plugin returned less, and no
    /// block, because each channel's session may have returned another number of frames.
    pub planes: Vec<Vec<f32>>,
    pub latency_frames: u32,
    /// Frames it returned, less the latency, before the host would cut.
    pub returned_frames: u64,
    /// Session by session.
    pub reports: Vec<Value>,
    pub log: Vec<LogLine>,
    /// Linear memory of the largest session.
    pub memory_bytes: usize,
    /// CPU time within the plugin.
    pub cpu: Duration,
    /// The most that one call of `process` took of it.
    pub slowest_block: Duration,
}

/// Why nothing came out that could be used, in words that follow what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bad {
    /// The plugin said no, in good order.
    Refused(String),
    /// It broke the contract.
    Broke(String),
}

impl Take<'_> {
    /// A run whose output is finite and of the input's length, or as much shorter as the plugin says.
    pub fn sound(&self, input: &Block) -> Result<Taken, Bad> {
        let taken = self.any(input)?;
        if let Some(what) = not_finite(&taken.planes) {
            return Err(Bad::Broke(format!(
                "it returned {what}. Output must be finite: the host ends the step"
            )));
        }
        length(self.plugin.manifest(), &taken, input.frames() as u64)?;
        Ok(taken)
    }

    /// A run whatever comes out, as long as calls come back in good order.
    pub fn any(&self, input: &Block) -> Result<Taken, Bad> {
        self.run(input).map_err(|error| match error {
            StageError::Refused { message, param } => Bad::Refused(match param {
                Some(param) => format!("it refused, naming {param}: {message}"),
                None => format!("it refused: {message}"),
            }),
            error => Bad::Broke(error.to_string()),
        })
    }

    fn run(&self, input: &Block) -> Result<Taken, StageError> {
        let mut taken: Option<Taken> = None;
        match self.plugin.manifest().channels {
            ChannelUse::Linked => self.lane(self.plugin.instance()?, input, self.seed),
            ChannelUse::Independent => {
                for (channel, samples) in input.planes().enumerate() {
                    let seed = self.seed.wrapping_add(channel as u64);
                    let input = Block::mono(samples.to_vec());
                    let (lane, _) = self.lane_within(self.plugin.instance()?, &input, seed)?;
                    match &mut taken {
                        None => taken = Some(lane),
                        Some(taken) => taken.join(lane),
                    }
                }
                Ok(taken.expect("an input has a channel"))
            }
        }
    }

    fn lane(&self, instance: Instance, input: &Block, seed: u64) -> Result<Taken, StageError> {
        self.lane_within(instance, input, seed)
            .map(|(taken, _)| taken)
    }

    /// One session; its instance can be used again.
    pub fn lane_within(
        &self,
        instance: Instance,
        input: &Block,
        seed: u64,
    ) -> Result<(Taken, Instance), StageError> {
        let manifest = self.plugin.manifest();
        let quantum = manifest.block_quantum as usize;
        let lengths: Vec<_> = self
            .blocks
            .iter()
            .map(|frames| frames.next_multiple_of(quantum))
            .collect();
        let block_frames_max = lengths.iter().copied().max().unwrap_or(quantum);
        let frames = input.frames();
        let spec = SessionSpec {
            sample_rate: self.rate,
            channels: input.channels() as u32,
            max_block_frames: block_frames_max as u32,
            total_frames: frames as u64,
            seed,
            mask: ChannelMask::usual(input.channels() as u32),
        };
        let start = thread_cpu();
        let mut session = instance.open(spec, self.settings)?;
        session.hear(self.earlier);
        if manifest.passes.analyze {
            for block in cut(input, frames.next_multiple_of(quantum), &lengths) {
                session.analyze(&block)?;
            }
        }
        let latency = session.latency_frames();
        let mut output = Block::new(input.channels());
        let mut slowest_block = Duration::ZERO;
        if manifest.passes.process {
            let fed = (frames + latency as usize).next_multiple_of(quantum);
            for block in cut(input, fed, &lengths) {
                let before = thread_cpu();
                let processed = session.process(&block)?;
                slowest_block = slowest_block.max(thread_cpu().saturating_sub(before));
                output.append(&processed);
            }
            let wanted = wanted_frames(manifest, frames, latency);
            drain(&mut session, &mut output, block_frames_max, wanted)?;
        } else {
            output.clone_from(input);
        }
        let report = session.report()?;
        let cpu = thread_cpu().saturating_sub(start);
        let returned_frames = output.frames().saturating_sub(latency as usize) as u64;
        output.drop_front(latency as usize);
        output.resize(output.frames().min(frames));
        let taken = Taken {
            planes: output.into_planes(),
            latency_frames: latency,
            returned_frames,
            reports: vec![report],
            log: session.log(),
            memory_bytes: session.memory_bytes(),
            cpu,
            slowest_block,
        };
        Ok((taken, session.close()?))
    }
}

impl Taken {
    /// Another channel's session beside this one.
    fn join(&mut self, other: Self) {
        self.planes.extend(other.planes);
        self.latency_frames = self.latency_frames.max(other.latency_frames);
        self.returned_frames = self.returned_frames.min(other.returned_frames);
        self.reports.extend(other.reports);
        self.log.extend(other.log);
        self.memory_bytes = self.memory_bytes.max(other.memory_bytes);
        self.cpu += other.cpu;
        self.slowest_block = self.slowest_block.max(other.slowest_block);
    }

    /// Frames of the input that its sessions say they cut out.
    pub fn cut_frames(&self) -> u64 {
        let measurements = self
            .reports
            .iter()
            .filter_map(|report| report["measurements"].as_array());
        let cuts = measurements.flatten().filter(|m| m["id"] == "cut");
        cuts.filter_map(|cut| cut["span"]["frames"].as_u64()).sum()
    }
}

impl Bad {
    pub fn words(&self) -> &str {
        match self {
            Self::Refused(words) | Self::Broke(words) => words,
        }
    }
}

/// Where the host stops draining. Of a plugin that shortens, it takes everything.
fn wanted_frames(manifest: &Manifest, frames: usize, latency: u32) -> usize {
    let all = frames + latency as usize;
    if manifest.may_shorten() { all + 1 } else { all }
}

fn drain(
    session: &mut OpenSession,
    output: &mut Block,
    block_frames_max: usize,
    wanted: usize,
) -> Result<(), StageError> {
    while output.frames() < wanted {
        let rest = session.drain(block_frames_max)?;
        if rest.is_empty() {
            break;
        }
        output.append(&rest);
    }
    Ok(())
}

/// The rule of length: exactly as long, or shorter by the cuts that it reports.
pub fn length(manifest: &Manifest, taken: &Taken, frames: u64) -> Result<(), Bad> {
    let got = taken.returned_frames;
    let latency = taken.latency_frames;
    if !manifest.may_shorten() {
        return if taken.planes.iter().all(|c| c.len() as u64 == frames) {
            Ok(())
        } else {
            Err(Bad::Broke(format!(
                "{frames} frames went in and {got} came out, less its latency of {latency}. All output, \
                 less the latency, must reach total-frames"
            )))
        };
    }
    let cuts = taken.cut_frames();
    if got > frames {
        Err(Bad::Broke(format!(
            "{frames} frames went in and {got} came out. A plugin that may shorten never lengthens; \
             padding of the last block is not part of the recording"
        )))
    } else if got + cuts != frames {
        Err(Bad::Broke(format!(
            "{frames} frames went in, {got} came out, and the cuts it reports add up to {cuts}. Input \
             less cuts must be the output: every cut is a measurement with id \"cut\" and a span"
        )))
    } else {
        Ok(())
    }
}

/// The first sample that is no number, and where it stands.
pub fn not_finite(planes: &[Vec<f32>]) -> Option<String> {
    planes.iter().enumerate().find_map(|(channel, samples)| {
        let frame = samples.iter().position(|sample| !sample.is_finite())?;
        Some(format!(
            "{} at frame {frame} of channel {channel}",
            samples[frame]
        ))
    })
}

/// `frames` frames of the input, silence past its end, in blocks of these lengths over and over.
fn cut(input: &Block, frames: usize, lengths: &[usize]) -> impl Iterator<Item = Block> {
    let mut from = 0;
    let mut lengths = lengths.iter().cycle();
    std::iter::from_fn(move || {
        let to = frames.min(from + lengths.next()?);
        let mut block = Block::new(input.channels());
        block.append_range(input, from.min(input.frames())..to.min(input.frames()));
        block.resize(to.saturating_sub(from));
        let is_more = from < frames;
        from = to;
        is_more.then_some(block)
    })
}

fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_cut_over_and_over_and_padded_with_silence() {
        let input = Block::mono(vec![1.0, 2.0, 3.0, 4.0, 5.0]);
        let cut: Vec<_> = cut(&input, 8, &[2, 4]).collect();
        assert_eq!(
            cut,
            [vec![1.0, 2.0], vec![3.0, 4.0, 5.0, 0.0], vec![0.0, 0.0]].map(Block::mono)
        );
    }
}
