//! Takes decoded frames, whatever reader they come from: trims encoder delay and padding, holds
//! them against the limits, replaces what is no number, spills and measures.
//!
//! Measuring runs on a thread of its own, behind a small bounded channel.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use super::Limits;
use crate::{
    AudioError, Block, Measurement, Peaks, Spec,
    block::all_finite,
    measure::Meter,
    pool::Pool,
    reblock::Reblocker,
    spill::{Spill, SpillWriter},
};

/// Blocks that wait for the meter.
const BLOCKS_WAITING_MAX: usize = 4;
/// More padding than any encoder makes is a lie, and holding it back would cost memory.
const HOLD_BACK_MAX: usize = 48_000;

/// What does not belong to the recording, in frames at its rate.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Trim {
    /// Dropped at the start.
    pub skip: u64,
    /// Kept after that; the rest is dropped.
    pub keep: Option<u64>,
    /// Held back at the end until it is known whether it is padding.
    pub hold_back: usize,
}

pub(super) struct Recorder {
    limits: Limits,
    spill_dir: PathBuf,
    trim: Trim,
    started: Option<Started>,
    /// Frames that came in, trimmed or not.
    frames_seen: u64,
    frames: u64,
    frames_dropped: u64,
    replaced: u64,
}

struct Started {
    spec: Spec,
    frames_max: u64,
    held: Block,
    reblocker: Reblocker,
    spill: SpillWriter,
    pool: Pool,
    to_meter: SyncSender<Block>,
    meter: JoinHandle<(Measurement, Peaks)>,
}

pub(super) struct Recorded {
    pub spec: Spec,
    pub measurement: Measurement,
    pub peaks: Peaks,
    pub spill: Spill,
    pub warnings: Vec<String>,
}

impl Recorder {
    pub(super) fn new(limits: &Limits, spill_dir: &Path) -> Self {
        Self {
            limits: limits.clone(),
            spill_dir: spill_dir.to_owned(),
            trim: Trim::default(),
            started: None,
            frames_seen: 0,
            frames: 0,
            frames_dropped: 0,
            replaced: 0,
        }
    }

    /// Before the first frame, or where a new stream starts within the file.
    pub(super) fn trim(&mut self, trim: Trim) {
        self.trim = Trim {
            hold_back: trim.hold_back.min(HOLD_BACK_MAX),
            ..trim
        };
    }

    pub(super) fn spec(&self) -> Option<Spec> {
        self.started.as_ref().map(|started| started.spec)
    }

    pub(super) fn frames_seen(&self) -> u64 {
        self.frames_seen
    }

    /// All channels are equally long; `spec` is the same every time.
    pub(super) fn push(&mut self, spec: Spec, channels: &[&[f32]]) -> Result<(), AudioError> {
        let frames = channels[0].len();
        if frames == 0 {
            return Ok(());
        }
        if self.started.is_none() {
            self.started = Some(Started::new(spec, &self.limits, &self.spill_dir)?);
        }
        self.frames_seen += frames as u64;

        let from = self.trim.skip.min(frames as u64) as usize;
        self.trim.skip -= from as u64;
        let mut to = frames;
        if let Some(keep) = &mut self.trim.keep {
            to = to.min(from + (*keep).min(frames as u64) as usize);
            *keep -= (to - from) as u64;
            self.frames_dropped += (frames - to) as u64;
        }
        if from >= to {
            return Ok(());
        }
        let channels: Vec<&[f32]> = channels.iter().map(|channel| &channel[from..to]).collect();
        if self.trim.hold_back == 0 && self.held() == 0 {
            return self.record(&channels);
        }
        let started = self.started.as_mut().expect("started above");
        started
            .held
            .append_with(|channel, held| held.extend_from_slice(channels[channel]));
        self.release(self.trim.hold_back)
    }

    /// Ends the recording. What is held back is dropped if it is padding.
    pub(super) fn finish(mut self, held_is_padding: bool) -> Result<Recorded, AudioError> {
        if !held_is_padding {
            self.release(0)?;
        }
        let Some(started) = self.started.filter(|_| self.frames > 0) else {
            return Err(AudioError::Empty);
        };
        let Started {
            spec,
            reblocker,
            mut spill,
            to_meter,
            meter,
            pool,
            ..
        } = started;
        reblocker.finish(&mut |block| store(block, &mut spill, &pool, &to_meter))?;
        drop(to_meter);
        let (measurement, peaks) = match meter.join() {
            Ok(measured) => measured,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let mut warnings = Vec::new();
        if self.replaced > 0 {
            warnings.push(format!(
                "{} samples were not numbers (NaN or infinite) and were replaced by silence",
                self.replaced
            ));
        }
        if self.frames_dropped > u64::from(spec.sample_rate) / 2 {
            warnings.push(format!(
                "the file's edit list leaves out {:.1} s at the end",
                self.frames_dropped as f64 / f64::from(spec.sample_rate)
            ));
        }
        Ok(Recorded {
            spec,
            measurement,
            peaks,
            spill: spill.finish(),
            warnings,
        })
    }

    fn held(&self) -> usize {
        self.started
            .as_ref()
            .map_or(0, |started| started.held.frames())
    }

    /// Records what is held but for the last `keep` frames.
    fn release(&mut self, keep: usize) -> Result<(), AudioError> {
        let count = self.held().saturating_sub(keep);
        let Some(started) = self.started.as_mut().filter(|_| count > 0) else {
            return Ok(());
        };
        let mut ready = Block::new(started.held.channels());
        ready.append_range(&started.held, 0..count);
        started.held.drop_front(count);
        let channels: Vec<&[f32]> = ready.planes().collect();
        self.record(&channels)
    }

    fn record(&mut self, channels: &[&[f32]]) -> Result<(), AudioError> {
        self.frames += channels[0].len() as u64;
        let started = self
            .started
            .as_mut()
            .expect("only called once frames have come");
        if self.frames > started.frames_max {
            return Err(AudioError::TooLong {
                limit_ms: self.limits.duration_ms_max,
            });
        }
        let Started {
            reblocker,
            spill,
            pool,
            to_meter,
            ..
        } = started;
        let mut pass_on = |block: &Block| store(block, spill, pool, to_meter);
        if channels.iter().all(|channel| all_finite(channel)) {
            return reblocker.push_slices(channels, &mut pass_on);
        }
        let mut mended = Block::new(channels.len());
        mended.append_with(|channel, plane| plane.extend_from_slice(channels[channel]));
        for sample in mended.samples_mut().filter(|sample| !sample.is_finite()) {
            *sample = 0.0;
            self.replaced += 1;
        }
        reblocker.push(&mended, &mut pass_on)
    }
}

impl Started {
    fn new(spec: Spec, limits: &Limits, spill_dir: &Path) -> Result<Self, AudioError> {
        let (low, high) = (*limits.sample_rate.start(), *limits.sample_rate.end());
        if !limits.sample_rate.contains(&spec.sample_rate) {
            return Err(AudioError::UnsupportedStream {
                field: "sample rate",
                value: format!("{} Hz", spec.sample_rate),
                allowed: format!("{low} to {high} Hz"),
            });
        }
        if !(1..=limits.channels_max).contains(&spec.channels) {
            return Err(AudioError::UnsupportedStream {
                field: "channel count",
                value: spec.channels.to_string(),
                allowed: format!("1 to {}", limits.channels_max),
            });
        }
        let frames_max = u128::from(limits.duration_ms_max) * u128::from(spec.sample_rate) / 1000;
        let (to_meter, blocks) = sync_channel::<Block>(BLOCKS_WAITING_MAX);
        let pool = Pool::new(spec.channels as usize);
        let measured = pool.clone();
        let meter = thread::Builder::new().name("meter".into()).spawn(move || {
            let mut meter = Meter::new(spec);
            for block in blocks {
                meter.push(&block);
                measured.put(block);
            }
            meter.finish()
        })?;
        Ok(Self {
            spec,
            frames_max: u64::try_from(frames_max).unwrap_or(u64::MAX),
            held: Block::new(spec.channels as usize),
            reblocker: Reblocker::new(spec.channels as usize),
            spill: SpillWriter::create(spill_dir, spec.channels as usize)?,
            pool,
            to_meter,
            meter,
        })
    }
}

fn store(
    block: &Block,
    spill: &mut SpillWriter,
    pool: &Pool,
    to_meter: &SyncSender<Block>,
) -> Result<(), AudioError> {
    spill.write(block)?;
    // The meter ends early only by a panic, which joining it brings to light.
    let _ = to_meter.send(pool.copy_of(block));
    Ok(())
}
