//! One session and what stands around it: resampling there and back, blocks as it wants them, its
//! latency taken off, its output counted.

use retake_audio::{Block, Resampler, StageError};
use retake_plugin_manifest::Manifest;

use super::{
    Stream,
    cuts::{self, Lengths},
    feed::Feed,
};
use crate::{
    bindings::{PluginPre, Report, Setting, StreamSpec},
    cpu::Call,
    earlier::{EarlierStep, Ears, heard, to_rate},
    instance::positions,
    limits,
    record::StageRecord,
    sandbox::State,
    session::{Session, broken},
};

/// The numbers of a lane.
#[derive(Clone)]
pub struct Plan {
    /// Which channel of the stream it has, or `None` for all of them.
    channel: Option<u32>,
    /// How many channels of the stream, from that one on, its output stands for.
    stands_for: u32,
    channels: usize,
    /// What each of its channels is for.
    positions: Vec<u32>,
    stream_hz: u32,
    stream_frames: u64,
    /// The rate at which the plugin works, and how long the stream is at that rate.
    working_hz: u32,
    working_frames: u64,
    quantum: usize,
    block_frames: usize,
    processes: bool,
    may_shorten: bool,
    seed: u64,
}

impl Plan {
    pub fn new(manifest: &Manifest, stream: &Stream<'_>, channel: Option<u32>) -> Self {
        let stream_hz = stream.spec.sample_rate;
        let working_hz = working_rate_hz(&manifest.sample_rates, stream_hz);
        let working_frames = u128::from(stream.frames) * u128::from(working_hz);
        let quantum = manifest.block_quantum as usize;
        let mut positions = positions(stream.spec.mask, stream.spec.channels);
        if let Some(channel) = channel {
            positions = vec![positions[channel as usize]];
        }
        Self {
            channel,
            stands_for: 1,
            channels: if channel.is_some() {
                1
            } else {
                stream.spec.channels as usize
            },
            positions,
            stream_hz,
            stream_frames: stream.frames,
            working_hz,
            working_frames: working_frames.div_ceil(u128::from(stream_hz)) as u64,
            quantum,
            block_frames: (limits::BLOCK_FRAMES / quantum * quantum).max(quantum),
            processes: manifest.passes.process,
            may_shorten: manifest.may_shorten(),
            // Channels must not share their randomness: dither would sum up in the middle.
            seed: stream.seed.wrapping_add(u64::from(channel.unwrap_or(0))),
        }
    }

    /// Of all channels of the stream, which are equal: what the first one's is.
    pub fn of_equal_channels(manifest: &Manifest, stream: &Stream<'_>) -> Self {
        Self {
            stands_for: stream.spec.channels,
            ..Self::new(manifest, stream, Some(0))
        }
    }

    fn feed(&self) -> Result<Feed, StageError> {
        let resampler = self.resampler(self.stream_hz, self.working_hz)?;
        Ok(Feed::new(
            resampler,
            self.channels,
            self.quantum,
            self.block_frames,
        ))
    }

    fn resampler(&self, from_hz: u32, to_hz: u32) -> Result<Option<Resampler>, StageError> {
        if from_hz == to_hz {
            return Ok(None);
        }
        Resampler::new(from_hz, to_hz, self.channels)
            .map(Some)
            .map_err(|error| StageError::Refused {
                message: error.to_string(),
                param: None,
            })
    }
}

/// The stream's rate if the plugin can work at it, else the next higher it can, else its highest.
fn working_rate_hz(supported: &[u32], stream_hz: u32) -> u32 {
    if supported.is_empty() || supported.contains(&stream_hz) {
        return stream_hz;
    }
    let higher = supported.iter().copied().filter(|&hz| hz > stream_hz).min();
    higher
        .or(supported.iter().copied().max())
        .unwrap_or(stream_hz)
}

pub struct Lane {
    plan: Plan,
    session: Session,
    record: StageRecord,
    /// While the analysis pass runs.
    analysis: Option<Feed>,
    /// From the first block of the second pass on.
    processing: Option<Processing>,
}

impl Lane {
    pub fn open(
        pre: &PluginPre<State>,
        plan: Plan,
        settings: &[Setting],
        record: StageRecord,
    ) -> Result<Self, StageError> {
        let spec = StreamSpec {
            sample_rate: plan.working_hz,
            channels: plan.channels as u32,
            max_block_frames: plan.block_frames as u32,
            total_frames: plan.working_frames,
            seed: plan.seed,
        };
        let opening = Call::opening(&record);
        let session = Session::open(pre, spec, plan.positions.clone(), settings, &record)?;
        let latency = session.latency_frames();
        drop(opening);
        if u64::from(latency) > limits::LATENCY_S_MAX * u64::from(plan.working_hz) {
            return Err(broken(format!(
                "it states a latency of {latency} frames; at most {} s are taken",
                limits::LATENCY_S_MAX
            )));
        }
        record.set_latency(latency);
        Ok(Self {
            plan,
            session,
            record,
            analysis: None,
            processing: None,
        })
    }

    /// Takes what earlier steps have reported by now. What it was shown so far is all there is to
    /// analyze.
    pub fn hear(&mut self, steps: &[EarlierStep]) -> Result<(), StageError> {
        let _call = Call::start(&self.record);
        self.end_analysis()?;
        let ears = Ears {
            stream_hz: self.plan.stream_hz,
            session_hz: self.plan.working_hz,
            session_frames: self.plan.working_frames,
            channel: self.plan.channel,
        };
        self.session.hear(heard(steps, &ears));
        Ok(())
    }

    pub fn analyze(&mut self, block: &Block) -> Result<(), StageError> {
        let _call = Call::start(&self.record);
        let feed = match &mut self.analysis {
            Some(feed) => feed,
            none => none.insert(self.plan.feed()?),
        };
        feed.push(block, &mut |block| self.session.analyze(block))
    }

    /// Appends to `out` what of the output is ready: aligned with the stream from its first frame on.
    pub fn process(&mut self, block: &Block, out: &mut Block) -> Result<(), StageError> {
        let _call = Call::start(&self.record);
        self.begin_processing()?;
        let processing = self.processing.as_mut().expect("it has begun");
        processing.feed.push(block, &mut |block| {
            let output = self.session.process(block)?;
            processing.returned.accept(output, out);
            Ok(())
        })
    }

    /// Appends the rest. All output together is as long as the stream, less what the plugin says it
    /// cut.
    pub fn finish(&mut self, out: &mut Block) -> Result<(), StageError> {
        let _call = Call::start(&self.record);
        self.begin_processing()?;
        let processing = self.processing.take().expect("it has begun");
        if !self.plan.processes {
            return self.report(&mut |_| Ok(()));
        }
        let lengths = processing.finish(&mut self.session, &self.plan, out)?;
        let record = self.record.clone();
        let may_shorten = self.plan.may_shorten;
        self.report(&mut |report| {
            if may_shorten {
                record.set_cuts(cuts::take(report, &lengths)?);
            }
            Ok(())
        })
    }

    /// `take` looks at the report first, while it is still in the plugin's own frames.
    fn report(
        &mut self,
        take: &mut dyn FnMut(&mut Report) -> Result<(), StageError>,
    ) -> Result<(), StageError> {
        let mut report = self.session.report()?;
        take(&mut report)?;
        let plan = &self.plan;
        to_rate(
            &mut report,
            plan.working_hz,
            plan.stream_hz,
            plan.stream_frames,
        );
        self.add_report(report);
        Ok(())
    }

    fn add_report(&self, report: Report) {
        let Some(first) = self.plan.channel else {
            return self.record.add_report(report, None);
        };
        for channel in first..first + self.plan.stands_for {
            self.record.add_report(report.clone(), Some(channel));
        }
    }

    fn end_analysis(&mut self) -> Result<(), StageError> {
        match self.analysis.take() {
            None => Ok(()),
            Some(feed) => feed.finish(self.plan.working_frames, 0, &mut |block| {
                self.session.analyze(block)
            }),
        }
    }

    fn begin_processing(&mut self) -> Result<(), StageError> {
        self.end_analysis()?;
        if self.processing.is_none() {
            let back = self
                .plan
                .resampler(self.plan.working_hz, self.plan.stream_hz)?;
            self.processing = Some(Processing {
                feed: self.plan.feed()?,
                returned: Returned {
                    latency_left: self.session.latency_frames() as usize,
                    frames_left: self.plan.working_frames,
                    back,
                },
            });
        }
        Ok(())
    }
}

/// The second pass: into the session and out of it.
struct Processing {
    feed: Feed,
    returned: Returned,
}

impl Processing {
    fn finish(
        mut self,
        session: &mut Session,
        plan: &Plan,
        out: &mut Block,
    ) -> Result<Lengths, StageError> {
        let silence = session.latency_frames() as usize;
        self.feed
            .finish(plan.working_frames, silence, &mut |block| {
                self.returned.accept(session.process(block)?, out);
                Ok(())
            })?;
        while self.returned.frames_left > 0 {
            let output = session.drain(plan.block_frames)?;
            if output.is_empty() && plan.may_shorten {
                break;
            }
            if output.is_empty() {
                return Err(broken(format!(
                    "it returned {} frames of {}",
                    plan.working_frames - self.returned.frames_left,
                    plan.working_frames
                )));
            }
            self.returned.accept(output, out);
        }
        let lengths = Lengths {
            given: plan.working_frames,
            returned: plan.working_frames - self.returned.frames_left,
            working_hz: plan.working_hz,
            stream_frames: plan.stream_frames,
            stream_hz: plan.stream_hz,
        };
        if let Some(back) = self.returned.back {
            back.finish(lengths.stream_left(), out);
        }
        Ok(lengths)
    }
}

/// What came out of the session, less its latency, cut to length, at the stream's rate.
struct Returned {
    latency_left: usize,
    frames_left: u64,
    back: Option<Resampler>,
}

impl Returned {
    fn accept(&mut self, mut output: Block, out: &mut Block) {
        let skipped = self.latency_left.min(output.frames());
        let kept = ((output.frames() - skipped) as u64).min(self.frames_left) as usize;
        self.latency_left -= skipped;
        self.frames_left -= kept as u64;
        output.resize(skipped + kept);
        output.drop_front(skipped);
        match &mut self.back {
            Some(back) => back.push(&output, out),
            None => out.append(&output),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::working_rate_hz;

    #[test]
    fn a_stream_is_resampled_upwards_where_it_can_be() {
        let check = |supported: &[u32], stream_hz, expected| {
            assert_eq!(
                working_rate_hz(supported, stream_hz),
                expected,
                "{supported:?} {stream_hz}"
            );
        };
        check(&[], 44_100, 44_100);
        check(&[48_000], 48_000, 48_000);
        check(&[48_000], 8_000, 48_000);
        check(&[48_000], 192_000, 48_000);
        check(&[96_000, 16_000, 48_000], 44_100, 48_000);
        check(&[16_000, 48_000], 96_000, 48_000);
    }
}
