//! Takes decoded frames, whatever they come from: brings them to one rate and one set of channels,
//! holds them against the limits, replaces what is no number and what is impossible, hands them on
//! and measures.
//!
//! What comes first decides what the recording has. Something richer later (stereo after mono, a
//! higher rate) ends the reading with [`Interrupted::Richer`]: it has to begin again with that as its
//! aim. Measuring runs on a thread of its own, behind a small bounded channel.

use std::{
    io,
    thread::{self, JoinHandle},
};

use retake_findings::{Code, Finding};

use super::{
    Limits, SourceInfo,
    convert::Converter,
    sink::Sink,
    spikes::{self, Spikes},
};
use crate::{
    AudioError, Block, Measured, Spec,
    handover::{Giver, handover},
    measure::Meter,
    pool::Pool,
    reblock::Reblocker,
};

/// Silence is written in pieces of this many frames.
const SILENCE_FRAMES: usize = 4096;

/// Why reading ends before the file does.
#[derive(Debug)]
pub(super) enum Interrupted {
    /// Begin again, aiming at this.
    Richer(Spec),
    Failed(AudioError),
}

impl From<AudioError> for Interrupted {
    fn from(error: AudioError) -> Self {
        Self::Failed(error)
    }
}

impl From<io::Error> for Interrupted {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

pub(super) struct Recorder<'a> {
    limits: Limits,
    sink: &'a mut dyn Sink,
    source: SourceInfo,
    aim: Option<Spec>,
    /// Whether something richer than the aim may still begin the reading anew.
    may_aim_higher: bool,
    started: Option<Started>,
    changes: Changes,
    mended: Mended,
}

/// Samples that were replaced.
#[derive(Default)]
struct Mended {
    not_numbers: u64,
    spikes: Spikes,
}

impl Mended {
    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.not_numbers > 0 {
            findings.push(Finding::new(
                Code::SamplesReplaced,
                [("count", self.not_numbers.into())],
            ));
        }
        let Spikes { count, highest } = self.spikes;
        if count > 0 {
            let peak_dbfs = 20.0 * f64::from(highest).log10();
            findings.push(Finding::new(
                Code::SpikesIsolated,
                [("count", count.into()), ("peak_dbfs", peak_dbfs.into())],
            ));
        }
        findings
    }
}

#[derive(Default)]
struct Changes {
    times: u64,
    first: Option<(Spec, Spec, f64)>,
}

struct Started {
    spec: Spec,
    duration_ms_max: u64,
    frames_max: u64,
    frames: u64,
    /// Where the file has something else than the recording.
    converter: Option<Converter>,
    /// What the stretch that is being read has.
    stretch: Spec,
    converted: Block,
    mended: Block,
    reblocker: Reblocker,
    to_meter: Giver,
    meter: JoinHandle<Measured>,
}

pub(super) struct Recorded {
    pub spec: Spec,
    pub measured: Measured,
    pub findings: Vec<Finding>,
    /// Nothing was replaced or converted.
    pub is_as_it_came: bool,
}

impl<'a> Recorder<'a> {
    /// `aim` is what the recording is to have; without one, what comes first.
    pub(super) fn new(
        limits: &Limits,
        sink: &'a mut dyn Sink,
        aim: Option<Spec>,
        may_aim_higher: bool,
    ) -> Self {
        Self {
            limits: limits.clone(),
            sink,
            source: SourceInfo::default(),
            aim,
            may_aim_higher,
            started: None,
            changes: Changes::default(),
            mended: Mended::default(),
        }
    }

    /// Where what is recorded comes from, once that is known.
    pub(super) fn set_source(&mut self, source: SourceInfo) {
        self.source = source;
    }

    /// What will come can be read from the file again as it is.
    pub(super) fn can_be_read_again(&mut self) {
        self.sink.can_be_read_again();
    }

    /// Whether so much more silence would still be within the limits.
    pub(super) fn has_room(&self, seconds: f64) -> bool {
        let so_far = self.started.as_ref().map_or(0.0, |started| {
            started.frames as f64 / f64::from(started.spec.sample_rate)
        });
        (so_far + seconds) * 1000.0 < self.limits.duration_ms_max as f64
    }

    pub(super) fn silence(&mut self, spec: Spec, frames: u64) -> Result<(), Interrupted> {
        let mut silence = Block::silence(spec.channels as usize, SILENCE_FRAMES);
        let mut left = frames;
        while left > 0 {
            let frames = left.min(SILENCE_FRAMES as u64);
            silence.resize(frames as usize);
            self.push(spec, &silence)?;
            left -= frames;
        }
        Ok(())
    }

    /// `spec` is that of the block.
    pub(super) fn push(&mut self, spec: Spec, block: &Block) -> Result<(), Interrupted> {
        if block.is_empty() {
            return Ok(());
        }
        self.check(spec)?;
        let started = match &mut self.started {
            Some(started) => started,
            none => {
                let aim = self.aim.unwrap_or(spec);
                let started = none.insert(Started::new(
                    aim,
                    spec,
                    &self.limits,
                    self.sink.is_measured(),
                )?);
                self.sink.begin(&self.source, aim, started.frames_max)?;
                started
            }
        };
        let sink = &mut *self.sink;
        if started.stretch != spec {
            self.changes.note(started.stretch, spec, started.seconds());
            let richer = richer(started.spec, spec);
            if self.may_aim_higher && richer != started.spec {
                return Err(Interrupted::Richer(richer));
            }
            started.end_stretch(sink)?;
            started.stretch = spec;
        }
        started.push(block, &mut self.mended, sink)
    }

    pub(super) fn finish(mut self) -> Result<Recorded, Interrupted> {
        let Some(mut started) = self.started.take() else {
            return Err(AudioError::Empty.into());
        };
        let sink = self.sink;
        started.end_stretch(sink)?;
        if started.frames == 0 {
            return Err(AudioError::Empty.into());
        }
        let Started {
            spec,
            reblocker,
            to_meter,
            meter,
            ..
        } = started;
        reblocker.finish(&mut |block| hand_on(block, sink, &to_meter))?;
        drop(to_meter);
        let measured = match meter.join() {
            Ok(measured) => measured,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let is_as_it_came = self.changes.times == 0
            && self.mended.not_numbers == 0
            && self.mended.spikes.count == 0;
        let mut findings = Vec::new();
        findings.extend(self.mended.findings());
        findings.extend(self.changes.finding(spec));
        Ok(Recorded {
            spec,
            measured,
            findings,
            is_as_it_came,
        })
    }

    fn check(&self, spec: Spec) -> Result<(), AudioError> {
        let (low, high) = (
            *self.limits.sample_rate.start(),
            *self.limits.sample_rate.end(),
        );
        if !self.limits.sample_rate.contains(&spec.sample_rate) {
            return Err(AudioError::UnsupportedStream {
                field: "sample rate",
                value: format!("{} Hz", spec.sample_rate),
                allowed: format!("{low} to {high} Hz"),
            });
        }
        if !(1..=self.limits.channels_max).contains(&spec.channels) {
            return Err(AudioError::UnsupportedStream {
                field: "channel count",
                value: spec.channels.to_string(),
                allowed: format!("1 to {}", self.limits.channels_max),
            });
        }
        Ok(())
    }
}

/// At least as many channels and at least the rate of both.
fn richer(a: Spec, b: Spec) -> Spec {
    let channels = if b.channels > a.channels { b } else { a };
    Spec {
        sample_rate: a.sample_rate.max(b.sample_rate),
        ..channels
    }
}

impl Changes {
    fn note(&mut self, from: Spec, to: Spec, at_s: f64) {
        self.times += 1;
        self.first.get_or_insert((from, to, at_s));
    }

    fn finding(&self, result: Spec) -> Option<Finding> {
        let (from, to, at_s) = self.first?;
        Some(Finding::new(
            Code::StreamChanged,
            [
                ("times", self.times.into()),
                ("from", from.to_string().into()),
                ("to", to.to_string().into()),
                ("at_s", at_s.into()),
                ("result", result.to_string().into()),
            ],
        ))
    }
}

impl Started {
    fn new(
        spec: Spec,
        stretch: Spec,
        limits: &Limits,
        is_measured: bool,
    ) -> Result<Self, AudioError> {
        let frames_max = u128::from(limits.duration_ms_max) * u128::from(spec.sample_rate) / 1000;
        let (to_meter, blocks) = handover();
        let pool = Pool::new(spec.channels as usize);
        let measured = pool.clone();
        let meter = thread::Builder::new().name("meter".into()).spawn(move || {
            let mut meter = Meter::new(spec);
            for block in blocks {
                if is_measured {
                    meter.push(&block);
                } else {
                    meter.count(&block);
                }
                measured.put(block);
            }
            meter.finish()
        })?;
        let channels = spec.channels as usize;
        Ok(Self {
            spec,
            duration_ms_max: limits.duration_ms_max,
            frames_max: u64::try_from(frames_max).unwrap_or(u64::MAX),
            frames: 0,
            converter: None,
            stretch,
            converted: Block::new(channels),
            mended: Block::new(channels),
            reblocker: Reblocker::new(&pool),
            to_meter,
            meter,
        })
    }

    fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.spec.sample_rate)
    }

    fn push(
        &mut self,
        block: &Block,
        counts: &mut Mended,
        sink: &mut dyn Sink,
    ) -> Result<(), Interrupted> {
        if !spikes::may_be_in(block) {
            return self.push_sound(block, sink);
        }
        let mut mended = std::mem::take(&mut self.mended);
        mended.reset(block.channels());
        mended.append(block);
        for sample in mended.samples_mut().filter(|x| !x.is_finite()) {
            *sample = 0.0;
            counts.not_numbers += 1;
        }
        spikes::replace(&mut mended, self.stretch.sample_rate, &mut counts.spikes);
        let pushed = self.push_sound(&mended, sink);
        self.mended = mended;
        pushed
    }

    fn push_sound(&mut self, block: &Block, sink: &mut dyn Sink) -> Result<(), Interrupted> {
        if self.stretch == self.spec {
            return self.record(block, sink);
        }
        let converter = match &mut self.converter {
            Some(converter) => converter,
            none => none.insert(Converter::new(self.stretch, self.spec)?),
        };
        let mut converted = std::mem::take(&mut self.converted);
        converted.reset(self.spec.channels as usize);
        converter.push(block, &mut converted);
        let recorded = self.record(&converted, sink);
        self.converted = converted;
        recorded
    }

    /// What the converter still owes.
    fn end_stretch(&mut self, sink: &mut dyn Sink) -> Result<(), Interrupted> {
        let Some(converter) = self.converter.take() else {
            return Ok(());
        };
        let mut rest = Block::new(self.spec.channels as usize);
        converter.finish(&mut rest);
        self.record(&rest, sink)
    }

    fn record(&mut self, block: &Block, sink: &mut dyn Sink) -> Result<(), Interrupted> {
        self.frames += block.frames() as u64;
        if self.frames > self.frames_max {
            let limit_ms = self.duration_ms_max;
            return Err(AudioError::TooLong { limit_ms }.into());
        }
        let Self {
            reblocker,
            to_meter,
            ..
        } = self;
        reblocker.push(block, &mut |block| hand_on(block, sink, to_meter))?;
        Ok(())
    }
}

fn hand_on(block: Block, sink: &mut dyn Sink, to_meter: &Giver) -> Result<(), AudioError> {
    sink.push(&block)?;
    // The meter ends early only by a panic, which joining it brings to light.
    let _ = to_meter.give(block);
    Ok(())
}
