//! A plugin as a stage of the audio pipeline.
//!
//! A stage has *lanes*: one for a linked plugin, one per channel for an independent one, or one for all
//! channels where they are equal and the plugin says that this is the same. Each lane is
//! a session with its resamplers. Several lanes run on threads of their own, so that two channels use
//! two cores; they are handed batches of many blocks, because a handover costs as much as a cheap
//! plugin takes for a block.

mod cuts;
mod feed;
mod lane;
mod outlet;
mod spared;
mod threads;

use std::collections::BTreeMap;

use retake_audio::{BLOCK_FRAMES, Block, Emit, Spec, Stage, StageError};
use retake_plugin_manifest::{ChannelUse, Manifest, Settings};

use crate::{
    bindings::PluginPre, earlier::EarlierStep, manifest, record::StageRecord, sandbox::State,
};
use lane::{Lane, Plan};
use outlet::Outlet;
use spared::Spared;
use threads::LaneThread;

/// Frames handed to a lane's thread at a time: 0.8 s at 48 kHz.
const BATCH_FRAMES: usize = 8 * BLOCK_FRAMES;

pub struct PluginStage {
    name: String,
    analyzes: bool,
    processes: bool,
    may_shorten: bool,
    lanes: Lanes,
    outlet: Outlet,
    earlier: Vec<EarlierStep>,
    spare: BTreeMap<String, f64>,
    stream_hz: u32,
    /// It has been shown something.
    has_looked: bool,
    /// It only listens, and has said what it heard.
    has_reported: bool,
}

enum Lanes {
    /// On the thread of whoever drives the stage.
    Here {
        /// Where one channel stands for all: that one.
        first: Option<Block>,
        lane: Box<Lane>,
        /// What came out of it; used again for each block.
        ready: Block,
    },
    Threads {
        lanes: Vec<LaneThread>,
        /// Frames waiting to be enough for a handover.
        batch: Block,
        analyzing: bool,
    },
}

/// What a stage is made for.
#[derive(Clone, Copy)]
pub struct Stream<'a> {
    /// As the chain names the step.
    pub name: &'a str,
    pub spec: Spec,
    /// Exactly so many come.
    pub frames: u64,
    /// The part of corrected sound in the result, 0.0 to 1.0; the rest is the original, aligned with
    /// it.
    pub mix: f64,
    /// What of the original stays, 0.0 to 1.0, where a step before it has found something: by the id of the
    /// measurements that tell where.
    pub spare: &'a BTreeMap<String, f64>,
    /// The plugin's only source of randomness.
    pub seed: u64,
    /// All channels are the same from beginning to end, sample by sample.
    pub equal_channels: bool,
    /// The steps before it, in the order of the chain.
    pub earlier: &'a [EarlierStep],
}

impl PluginStage {
    pub fn open(
        manifest: &Manifest,
        pre: &PluginPre<State>,
        stream: &Stream<'_>,
        settings: &Settings,
        record: &StageRecord,
    ) -> Result<Self, StageError> {
        let channels = stream.spec.channels as usize;
        let settings = manifest::to_contract(settings);
        let lane = |plan: Plan| Lane::open(pre, plan, &settings, record.clone());
        let of = |channel: Option<u32>| lane(Plan::new(manifest, stream, channel));
        let here = |lane: Lane, channels: usize, first: Option<Block>| Lanes::Here {
            first,
            lane: Box::new(lane),
            ready: Block::new(channels),
        };
        let stands_for_all = stream.equal_channels && manifest.runs_equal_channels_once();
        let lanes = match manifest.channels {
            ChannelUse::Linked => here(of(None)?, channels, None),
            ChannelUse::Independent if channels == 1 => here(of(Some(0))?, channels, None),
            ChannelUse::Independent if stands_for_all => {
                let plan = Plan::of_equal_channels(manifest, stream);
                here(lane(plan)?, 1, Some(Block::new(1)))
            }
            ChannelUse::Independent => Lanes::Threads {
                lanes: (0..stream.spec.channels)
                    .map(|channel| LaneThread::start(of(Some(channel))?))
                    .collect::<Result<_, _>>()?,
                batch: empty_batch(channels),
                analyzing: manifest.passes.analyze,
            },
        };
        Ok(Self {
            name: stream.name.to_owned(),
            analyzes: manifest.passes.analyze,
            processes: manifest.passes.process,
            may_shorten: manifest.may_shorten(),
            lanes,
            outlet: Outlet::new(stream.spec, stream.mix as f32, !stream.spare.is_empty()),
            spare: stream.spare.clone(),
            stream_hz: stream.spec.sample_rate,
            earlier: stream.earlier.to_vec(),
            has_looked: false,
            has_reported: false,
        })
    }
}

impl PluginStage {
    /// Of one that only listens: there is nothing more to come.
    fn report(&mut self) -> Result<(), StageError> {
        match &mut self.lanes {
            Lanes::Here { lane, ready, .. } => lane.finish(ready)?,
            Lanes::Threads {
                lanes,
                batch,
                analyzing,
            } => {
                end_analysis(lanes, batch, analyzing)?;
                lanes.iter_mut().try_for_each(LaneThread::finish)?;
                for lane in lanes {
                    lane.wait_for_all()?;
                }
            }
        }
        self.has_reported = true;
        Ok(())
    }
}

impl Stage for PluginStage {
    fn name(&self) -> &str {
        &self.name
    }

    fn analyzes(&self) -> bool {
        self.analyzes
    }

    fn shortens(&self) -> bool {
        self.may_shorten
    }

    fn only_looks(&self) -> bool {
        !self.processes
    }

    fn begin(&mut self) -> Result<(), StageError> {
        match &mut self.lanes {
            Lanes::Here { lane, .. } => lane.hear(&self.earlier)?,
            Lanes::Threads {
                lanes,
                batch,
                analyzing,
            } => {
                if self.has_looked {
                    end_analysis(lanes, batch, analyzing)?;
                }
                for lane in lanes.iter_mut() {
                    lane.hear(&self.earlier)?;
                    lane.wait_for_all()?;
                }
            }
        }
        self.outlet
            .spare(Spared::new(&self.earlier, &self.spare, self.stream_hz));
        if self.has_looked && !self.processes && !self.has_reported {
            self.report()?;
        }
        Ok(())
    }

    fn analyze(&mut self, block: &Block) -> Result<(), StageError> {
        self.has_looked = true;
        match &mut self.lanes {
            Lanes::Here { lane, first, .. } => lane.analyze(seen_by(first, block)),
            Lanes::Threads { lanes, batch, .. } => {
                batch.append(block);
                if batch.frames() >= BATCH_FRAMES {
                    hand_over(lanes, batch, LaneThread::analyze)?;
                }
                // Failures come back late, but they come.
                lanes
                    .iter_mut()
                    .try_for_each(|lane| lane.wait_while_busy().map(drop))
            }
        }
    }

    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        if !self.processes {
            return emit(block);
        }
        self.outlet.remember_dry(block);
        match &mut self.lanes {
            Lanes::Here { lane, first, ready } => {
                ready.clear();
                lane.process(seen_by(first, block), ready)?;
                self.outlet.accept_for(first.is_some(), ready);
            }
            Lanes::Threads {
                lanes,
                batch,
                analyzing,
            } => {
                end_analysis(lanes, batch, analyzing)?;
                batch.append(block);
                if batch.frames() >= BATCH_FRAMES {
                    hand_over(lanes, batch, LaneThread::process)?;
                }
                for (channel, lane) in lanes.iter_mut().enumerate() {
                    for wet in lane.wait_while_busy()? {
                        self.outlet.accept(channel, &wet);
                    }
                }
            }
        }
        self.outlet.emit(emit)
    }

    fn finish(&mut self, emit: &mut Emit<'_>) -> Result<(), StageError> {
        if self.has_reported {
            return Ok(());
        }
        if !self.processes {
            return self.report();
        }
        match &mut self.lanes {
            Lanes::Here { lane, first, ready } => {
                ready.clear();
                lane.finish(ready)?;
                self.outlet.accept_for(first.is_some(), ready);
            }
            Lanes::Threads {
                lanes,
                batch,
                analyzing,
            } => {
                end_analysis(lanes, batch, analyzing)?;
                hand_over(lanes, batch, LaneThread::process)?;
                lanes.iter_mut().try_for_each(LaneThread::finish)?;
                for (channel, lane) in lanes.iter_mut().enumerate() {
                    for wet in lane.wait_for_all()? {
                        self.outlet.accept(channel, &wet);
                    }
                }
            }
        }
        self.outlet.emit(emit)
    }
}

/// What of a block a lane sees that stands for all channels, or has them all.
fn seen_by<'a>(first: &'a mut Option<Block>, block: &'a Block) -> &'a Block {
    let Some(first) = first else {
        return block;
    };
    first.clear();
    first.append_with(|_, plane| plane.extend_from_slice(block.plane(0)));
    first
}

/// What is left of the analysis pass goes out before anything of the next one.
fn end_analysis(
    lanes: &mut [LaneThread],
    batch: &mut Block,
    analyzing: &mut bool,
) -> Result<(), StageError> {
    if std::mem::take(analyzing) {
        hand_over(lanes, batch, LaneThread::analyze)
    } else {
        Ok(())
    }
}

/// Gives every lane its channel of the batch, which is empty afterwards.
fn hand_over(
    lanes: &mut [LaneThread],
    batch: &mut Block,
    give: fn(&mut LaneThread, Block) -> Result<(), StageError>,
) -> Result<(), StageError> {
    if batch.is_empty() {
        return Ok(());
    }
    let full = std::mem::replace(batch, empty_batch(lanes.len()));
    for (lane, plane) in lanes.iter_mut().zip(full.into_planes()) {
        give(lane, Block::mono(plane))?;
    }
    Ok(())
}

fn empty_batch(channels: usize) -> Block {
    Block::with_capacity(channels, BATCH_FRAMES + BLOCK_FRAMES)
}
