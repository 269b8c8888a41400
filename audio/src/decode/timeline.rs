//! Places decoded packets on the time line of the recording, so that it stays in step with whatever
//! was recorded beside it.
//!
//! A packet is heard from its stamp on, less what is trimmed off its start. Where that is later than
//! the frames so far, nothing was sent in between (a muted microphone, lost packets, a pause in an
//! edit list): silence takes the place, once the next stamp confirms that the clock really went on.
//! Stamps jitter and drift; both are left alone, and drift is said. A clock that goes back loses
//! nothing. A packet that cannot be decoded is as much silence as it stands for.

mod clock;

use retake_findings::{Code, Finding};

use super::{
    codec::{self, PacketDecoder},
    demux::{Packet, Stream, Time},
    recorder::{Interrupted, Recorder},
};
use crate::{AudioError, Block, Spec, channels::ChannelMask};
use clock::Clock;

/// A step of the clock below this is jitter: half a packet, within these bounds.
const JITTER_MS: std::ops::RangeInclusive<u32> = 5..=20;
/// Drift above this is said, as ffmpeg's `aresample=async=1` begins to correct it.
const DRIFT_SAID_MS: i64 = 100;
/// How quickly the accepted offset follows the clock: a sixteenth of the difference per packet.
const FOLLOW: i64 = 16;
/// Packets of another rate or number of channels that are still damage; one more is a change.
const STRAY_PACKETS_MAX: usize = 3;
/// A stamp of a packet that nothing confirms is believed for no more than this.
const UNCONFIRMED_S_MAX: i64 = 10;
/// Packets without a stamp wait for one that confirms the last for no longer than this.
const HELD_S_MAX: usize = 2;
/// So many packets that cannot be decoded wait for the first that can, which says what they are.
const EARLY_PACKETS_MAX: usize = 64;
/// No stamp is further from 0, in frames: what a damaged file says stays far from overflowing.
const CLOCK_MAX: i64 = 1 << 50;

pub(super) struct Timeline<'a> {
    recorder: Recorder<'a>,
    stream: Option<Playing>,
    counts: Counts,
    decoded: Block,
}

/// The stream that is being read.
struct Playing {
    decoder: Box<dyn PacketDecoder>,
    stream: Stream,
    /// Of the last packet that was decoded.
    heard: Option<Spec>,
    /// Frames of the last packet that was decoded.
    usual_frames: u64,
    clock: Clock,
    /// Packets of another rate or number of channels.
    strays: Vec<Stray>,
    /// Could not be decoded, and nothing before them could: without their bytes.
    early: Vec<Packet>,
    /// A packet was decoded: what comes first is what the stream is.
    is_settled: bool,
}

struct Stray {
    heard: Spec,
    block: Block,
    /// Without its bytes.
    packet: Packet,
}

struct Held {
    block: Block,
    /// How far the clock stepped ahead, or back.
    step: i64,
    at: i64,
}

#[derive(Default)]
struct Counts {
    packets: u64,
    lost: u64,
    /// Where packets were lost or gaps filled, in ms, so that streams of several rates can be added.
    lost_ms: f64,
    gaps: u64,
    gaps_ms: f64,
    too_long: Option<(f64, f64)>,
    late_start_ms: Option<f64>,
    /// Frames left out because the file says so.
    padding_start: u64,
    padding_end: u64,
    back: u64,
    back_ms: f64,
    drift_ms: f64,
    drift_over_ms: f64,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(recorder: Recorder<'a>) -> Self {
        Self {
            recorder,
            stream: None,
            counts: Counts::default(),
            decoded: Block::default(),
        }
    }

    pub(super) fn recorder(&mut self) -> &mut Recorder<'a> {
        &mut self.recorder
    }

    /// A stream begins: right behind the one before, if there was one.
    pub(super) fn start(&mut self, stream: Stream) -> Result<(), Interrupted> {
        self.end_stream()?;
        let decoder = codec::open(&stream.params)?;
        self.stream = Some(Playing::new(decoder, stream));
        Ok(())
    }

    pub(super) fn packet(&mut self, packet: &Packet) -> Result<(), Interrupted> {
        let Self {
            recorder,
            stream: Some(playing),
            counts,
            decoded,
        } = self
        else {
            let detail = "its audio stands before any description of it".to_owned();
            return Err(AudioError::Damaged { detail }.into());
        };
        counts.packets += 1;
        if packet.is_jump {
            playing.decoder.reset();
        }
        match playing.decoder.decode(&packet.data, decoded) {
            Ok(heard) if decoded.channels() > 0 => {
                let heard = Spec {
                    sample_rate: heard.sample_rate,
                    channels: decoded.channels() as u32,
                    mask: heard.mask,
                };
                if playing.is_stray(heard) {
                    let stray = Stray {
                        heard,
                        block: std::mem::take(decoded),
                        packet: packet.without_bytes(),
                    };
                    return playing.stray(stray, recorder, counts);
                }
                playing.drop_strays(recorder, counts)?;
                if !playing.is_settled {
                    playing.usual_frames = decoded.frames() as u64;
                    playing.lose_early(Some(heard), recorder, counts)?;
                }
                playing.is_settled = true;
                playing.place(heard, decoded, packet, recorder, counts)
            }
            Ok(_) => Ok(()),
            Err(_) => {
                playing.drop_strays(recorder, counts)?;
                // Sent ahead for the decoder to settle, and not to be heard: nothing is lost with it.
                let is_heard = packet
                    .duration
                    .zip(packet.trim_start)
                    .is_none_or(|(duration, trimmed)| trimmed.seconds() < duration.seconds());
                if !is_heard {
                    return Ok(());
                }
                counts.lost += 1;
                let lost = playing.as_lost(packet);
                if playing.is_settled {
                    return playing.lose(playing.heard, &lost, recorder, counts);
                }
                playing.early.push(lost);
                if playing.early.len() >= EARLY_PACKETS_MAX {
                    playing.lose_early(playing.heard, recorder, counts)?;
                }
                Ok(())
            }
        }
    }

    pub(super) fn packets(&self) -> u64 {
        self.counts.packets
    }

    pub(super) fn lost(&self) -> u64 {
        self.counts.lost
    }

    /// The recorder, with all that was heard, and what there is to say.
    pub(super) fn finish(mut self) -> Result<(Recorder<'a>, Vec<Finding>), Interrupted> {
        self.end_stream()?;
        Ok((self.recorder, self.counts.findings()))
    }

    fn end_stream(&mut self) -> Result<(), Interrupted> {
        let Some(mut playing) = self.stream.take() else {
            return Ok(());
        };
        playing.drop_strays(&mut self.recorder, &mut self.counts)?;
        playing.lose_early(playing.heard, &mut self.recorder, &mut self.counts)?;
        playing.settle_held(None, &mut self.recorder, &mut self.counts)?;
        self.counts.padding_end += playing.clock.end_trimmed;
        if let Some(heard) = playing.heard {
            self.counts.note_drift(&playing.clock, heard.sample_rate);
        }
        Ok(())
    }
}

impl Playing {
    fn new(decoder: Box<dyn PacketDecoder>, stream: Stream) -> Self {
        Self {
            decoder,
            stream,
            heard: None,
            usual_frames: 0,
            clock: Clock::default(),
            strays: Vec::new(),
            early: Vec::new(),
            is_settled: false,
        }
    }

    fn is_stray(&self, heard: Spec) -> bool {
        self.is_settled && self.heard.is_some_and(|usual| usual != heard)
    }

    /// Some packets of another kind are damage; more are a change, and then all of them count.
    fn stray(
        &mut self,
        stray: Stray,
        recorder: &mut Recorder<'_>,
        counts: &mut Counts,
    ) -> Result<(), Interrupted> {
        let heard = stray.heard;
        if self.strays.last().is_some_and(|last| last.heard != heard) {
            self.drop_strays(recorder, counts)?;
        }
        self.strays.push(stray);
        if self.strays.len() <= STRAY_PACKETS_MAX {
            return Ok(());
        }
        for mut stray in std::mem::take(&mut self.strays) {
            self.place(heard, &mut stray.block, &stray.packet, recorder, counts)?;
        }
        Ok(())
    }

    /// They stay few: silence, as long as the packets of the stream's own kind.
    fn drop_strays(
        &mut self,
        recorder: &mut Recorder<'_>,
        counts: &mut Counts,
    ) -> Result<(), Interrupted> {
        for stray in std::mem::take(&mut self.strays) {
            counts.lost += 1;
            self.lose(self.heard, &stray.packet, recorder, counts)?;
        }
        Ok(())
    }

    /// What is known of a packet that cannot be decoded.
    fn as_lost(&self, packet: &Packet) -> Packet {
        let rate = self.heard.or_else(|| self.stream.expected());
        let frames = self.decoder.frames(&packet.data).zip(rate);
        let counted = frames.map(|(frames, spec)| {
            let frames = i64::try_from(frames).unwrap_or(i64::MAX);
            Time::new(frames, u64::from(spec.sample_rate))
        });
        Packet {
            duration: packet.duration.or(counted),
            ..packet.without_bytes()
        }
    }

    fn lose_early(
        &mut self,
        heard: Option<Spec>,
        recorder: &mut Recorder<'_>,
        counts: &mut Counts,
    ) -> Result<(), Interrupted> {
        let mut packets = std::mem::take(&mut self.early).into_iter().peekable();
        while let Some(mut packet) = packets.next() {
            if let (None, Some(at), Some(next)) = (
                packet.duration,
                packet.at,
                packets.peek().and_then(|next| next.at),
            ) {
                packet.duration = next.since(at);
            }
            self.lose(heard, &packet, recorder, counts)?;
        }
        Ok(())
    }

    /// As much silence as the packet stands for.
    fn lose(
        &mut self,
        heard: Option<Spec>,
        packet: &Packet,
        recorder: &mut Recorder<'_>,
        counts: &mut Counts,
    ) -> Result<(), Interrupted> {
        let Some(heard) = heard.or_else(|| self.stream.expected()) else {
            return Ok(());
        };
        let frames = packet
            .duration
            .map(|duration| duration.frames(heard.sample_rate).max(0) as u64)
            .unwrap_or(self.usual_frames)
            // Whatever a damaged packet says: at most a second.
            .min(u64::from(heard.sample_rate));
        counts.lost_ms += 1000.0 * frames as f64 / f64::from(heard.sample_rate);
        let mut silence = Block::silence(heard.channels as usize, frames as usize);
        self.place(heard, &mut silence, packet, recorder, counts)
    }

    /// Trims a packet and puts it where its stamp says.
    fn place(
        &mut self,
        heard: Spec,
        block: &mut Block,
        packet: &Packet,
        recorder: &mut Recorder<'_>,
        counts: &mut Counts,
    ) -> Result<(), Interrupted> {
        let rate = heard.sample_rate;
        match self.heard {
            None => self.clock.open(&self.stream, rate),
            Some(before) if before != heard => {
                self.settle_held(None, recorder, counts)?;
                self.clock.change_rate(before.sample_rate, rate);
            }
            Some(_) => {}
        }
        self.heard = Some(heard);
        let frames = block.frames();
        if frames > 0 {
            self.usual_frames = frames as u64;
        }
        let skipped = self.clock.trim(block, packet, rate);
        if self.clock.position == 0 {
            counts.padding_start += skipped as u64;
        }
        // What was trimmed off the end of a packet was padding only if nothing follows.
        let trimmed = (frames - skipped - block.frames()) as u64;
        self.clock.end_trimmed = match block.is_empty() {
            true => self.clock.end_trimmed + trimmed,
            false => trimmed,
        };
        if block.is_empty() {
            return Ok(());
        }
        let Some(at) = packet.at else {
            if let Some(held) = &mut self.clock.held
                && held.block.frames() + block.frames() <= HELD_S_MAX * rate as usize
            {
                held.block.append(block);
                return Ok(());
            }
            self.settle_held(None, recorder, counts)?;
            return self.emit(heard, block, recorder);
        };
        let start = at.frames(rate).clamp(-CLOCK_MAX, CLOCK_MAX) + skipped as i64;
        let origin = *self.clock.origin.get_or_insert(start);
        let late = start - origin - self.clock.position;
        self.settle_held(Some(late), recorder, counts)?;
        let late = start - origin - self.clock.position;
        let step = late - self.clock.offset;
        if step.abs() > jitter_frames(rate, block.frames()) {
            self.clock.held = Some(Held {
                block: std::mem::take(block),
                step,
                at: self.clock.position,
            });
            return Ok(());
        }
        self.clock.offset += step / FOLLOW;
        self.clock.drift += step / FOLLOW;
        self.emit(heard, block, recorder)
    }

    /// A packet's stamp was off. `late` is how late the next one would be if the held packet were not
    /// there; without a next one the stamp stands alone.
    fn settle_held(
        &mut self,
        late: Option<i64>,
        recorder: &mut Recorder<'_>,
        counts: &mut Counts,
    ) -> Result<(), Interrupted> {
        let (Some(held), Some(heard)) = (self.clock.held.take(), self.heard) else {
            return Ok(());
        };
        let rate = heard.sample_rate;
        let jitter = jitter_frames(rate, held.block.frames());
        // How far off the next one is, where the held packet is played and its stamp ignored.
        let next = late.map(|late| late - held.block.frames() as i64 - self.clock.offset);
        let is_confirmed = match next {
            Some(next) if held.step > 0 => next >= held.step - jitter,
            Some(next) => next < -jitter,
            None => (0..=UNCONFIRMED_S_MAX * i64::from(rate)).contains(&held.step),
        };
        if is_confirmed && held.step > 0 {
            self.jump_ahead(heard, held.step, held.at, jitter, recorder, counts)?;
        } else if is_confirmed {
            counts.back += 1;
            let back_ms = -1000.0 * held.step as f64 / f64::from(rate);
            counts.back_ms = counts.back_ms.max(back_ms);
            self.clock.back_from.get_or_insert(self.clock.offset);
            self.clock.offset += held.step;
        }
        self.emit(heard, &held.block, recorder)
    }

    /// The clock went on without packets: silence, so that what follows is where it should be.
    fn jump_ahead(
        &mut self,
        heard: Spec,
        gap: i64,
        at: i64,
        jitter: i64,
        recorder: &mut Recorder<'_>,
        counts: &mut Counts,
    ) -> Result<(), Interrupted> {
        let returned = self.clock.back_from.filter(|before| {
            let off = self.clock.offset + gap - before;
            off.abs() <= jitter
        });
        if let Some(before) = returned {
            self.clock.offset = before;
            self.clock.back_from = None;
            return Ok(());
        }
        let seconds = |frames: i64| frames as f64 / f64::from(heard.sample_rate);
        // Whatever has drifted is made good here, where nobody hears it.
        counts.note_drift(&self.clock, heard.sample_rate);
        let drift = std::mem::take(&mut self.clock.drift).max(-gap);
        self.clock.offset -= drift;
        let gap = gap + drift;
        if !recorder.has_room(seconds(gap)) {
            counts.too_long = Some((seconds(gap), seconds(at)));
            self.clock.offset += gap;
            return Ok(());
        }
        if at == 0 && self.stream.origin.is_some() {
            counts.late_start_ms = Some(1000.0 * seconds(gap));
        } else {
            counts.gaps += 1;
            counts.gaps_ms += 1000.0 * seconds(gap);
        }
        self.clock.position += gap;
        recorder.silence(heard, gap as u64)
    }

    fn emit(
        &mut self,
        heard: Spec,
        block: &Block,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), Interrupted> {
        self.clock.position += block.frames() as i64;
        recorder.push(heard, block)
    }
}

impl Stream {
    /// What the container says, for packets that cannot be decoded before any that can.
    fn expected(&self) -> Option<Spec> {
        let params = &self.params;
        let channels = params.channels.filter(|channels| *channels > 0)?;
        Some(Spec {
            sample_rate: params.sample_rate.filter(|rate| *rate > 0)?,
            channels,
            mask: params.mask.unwrap_or(ChannelMask::unstated(channels)),
        })
    }
}

fn jitter_frames(rate: u32, packet_frames: usize) -> i64 {
    let frames = |ms: &u32| i64::from(rate) * i64::from(*ms) / 1000;
    (packet_frames as i64 / 2).clamp(frames(JITTER_MS.start()), frames(JITTER_MS.end()))
}

impl Counts {
    fn note_drift(&mut self, clock: &Clock, rate: u32) {
        let ms = |frames: i64| 1000.0 * frames as f64 / f64::from(rate);
        let drift_ms = ms(clock.drift);
        if drift_ms.abs() > self.drift_ms.abs() {
            self.drift_ms = drift_ms;
            self.drift_over_ms = ms(clock.position);
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.lost > 0 {
            findings.push(Finding::new(
                Code::PacketsLost,
                [
                    ("lost", self.lost.into()),
                    ("packets", self.packets.into()),
                    ("silence_ms", (self.lost_ms.round() as u64).into()),
                ],
            ));
        }
        if self.padding_start + self.padding_end > 0 {
            findings.push(Finding::new(
                Code::PaddingLeftOut,
                [
                    ("start", self.padding_start.into()),
                    ("end", self.padding_end.into()),
                ],
            ));
        }
        if let Some(ms) = self.late_start_ms {
            findings.push(Finding::new(
                Code::LateStart,
                [("late_ms", (ms.round() as u64).into())],
            ));
        }
        if self.gaps > 0 {
            findings.push(Finding::new(
                Code::GapsFilled,
                [
                    ("gaps", self.gaps.into()),
                    ("silence_ms", (self.gaps_ms.round() as u64).into()),
                ],
            ));
        }
        if let Some((gap_s, at_s)) = self.too_long {
            findings.push(Finding::new(
                Code::GapTooLong,
                [("gap_s", gap_s.into()), ("at_s", at_s.into())],
            ));
        }
        if self.back > 0 {
            findings.push(Finding::new(
                Code::ClockWentBack,
                [
                    ("times", self.back.into()),
                    ("back_ms", (self.back_ms.round() as u64).into()),
                ],
            ));
        }
        if self.drift_ms.abs() > DRIFT_SAID_MS as f64 {
            findings.push(Finding::new(
                Code::ClockDrift,
                [
                    ("drift_ms", (self.drift_ms.round() as i64).into()),
                    (
                        "ppm",
                        (1e6 * self.drift_ms / self.drift_over_ms.max(1.0)).into(),
                    ),
                ],
            ));
        }
        findings
    }
}

#[cfg(test)]
mod tests;
