//! Original and correction in one stream, to be switched between without a gap: WebM with Opus, each of
//! their channels coded for itself (mapping family 255): two channels for mono, four for stereo. The
//! original's come first. Or M4A with two tracks, for players that cannot do that.
//!
//! Both lie on the correction's time line: what steps cut out is cut out of the original, too.

mod webm;

use std::{fs::File, path::Path};

use crate::{
    AudioError, Block, Decoded, Resampler, Spec,
    encode::{AacCoder, DiscreteOpus, OPUS_RATE, mix, write_m4a_of_both},
    spill::SpillReader,
};
use webm::WebmWriter;

/// For both together.
const BITRATE_MONO_BPS: u32 = 96_000;
const BITRATE_STEREO_BPS: u32 = 160_000;
/// 20 ms.
const PACKET_FRAMES: usize = 960;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// Of the original, and of the correction behind them as many.
    pub channels: u32,
    /// At 48 kHz: the correction's.
    pub frames: u64,
    /// By how much the original, without what was cut out, is longer than the correction; both at 48 kHz.
    pub longer: i64,
}

/// What the two are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Together<'a> {
    /// WebM with Opus.
    Channels,
    /// M4A with two tracks, for players that know nothing of such channels and can change tracks. What is coded
    /// waits in files of this folder, which have no name.
    Tracks(&'a Path),
}

/// `cuts` are frames of the original, step by step: each time first frames and numbers of what was left.
/// `out` is at its start and writable; what it holds after an error is worth nothing.
pub fn compare(
    original: Decoded,
    correction: Decoded,
    cuts: &[Vec<(u64, u64)>],
    together: Together<'_>,
    out: File,
    progress: &mut dyn FnMut(f32),
) -> Result<Compared, AudioError> {
    let channels = original.spec.channels.max(correction.spec.channels).min(2);
    let frames = at_opus(correction.frames, correction.spec);
    let removed: u64 = cuts.iter().flatten().map(|(_, frames)| frames).sum();
    let left = original.frames.saturating_sub(removed);
    let longer = at_opus(left, original.spec) as i64 - frames as i64;
    let (of_original, of_correction) = (original.spec, correction.spec);
    let (mut original, mut correction) = (original.kept, correction.kept);
    let original = Side::new(original.read(), of_original, channels, cuts.to_vec())?;
    let correction = Side::new(correction.read(), of_correction, channels, Vec::new())?;
    match together {
        Together::Channels => in_channels(original, correction, frames, out, progress)?,
        Together::Tracks(dir) => {
            in_tracks((original, correction), frames, out, dir, progress)?;
        }
    }
    progress(1.0);
    Ok(Compared {
        channels,
        frames,
        longer,
    })
}

fn in_channels(
    mut original: Side,
    mut correction: Side,
    frames: u64,
    out: File,
    progress: &mut dyn FnMut(f32),
) -> Result<(), AudioError> {
    let channels = original.channels;
    let bitrate = match channels {
        1 => BITRATE_MONO_BPS,
        _ => BITRATE_STEREO_BPS,
    };
    let encoder = DiscreteOpus::new(2 * channels, bitrate)?;
    let delay = encoder.delay_frames();
    let mut writer = WebmWriter::create(out, &encoder.head(), 2 * channels as u32, delay)?;
    let mut packets = Packets {
        encoder,
        interleaved: Vec::new(),
        bytes: Vec::new(),
    };
    // So much silence behind it brings out the last of it.
    let coded = (frames + delay).div_ceil(PACKET_FRAMES as u64);
    for number in 0..coded {
        original.fill()?;
        correction.fill()?;
        let packet = packets.next(&mut original, &mut correction)?;
        let end = (number + 1) * PACKET_FRAMES as u64;
        let padding = end.saturating_sub(frames + delay);
        writer.packet(packet, number * PACKET_FRAMES as u64, padding)?;
        progress(number as f32 / coded.max(1) as f32);
    }
    Ok(writer.finish(frames)?)
}

fn in_tracks(
    (original, correction): (Side, Side),
    frames: u64,
    out: File,
    dir: &Path,
    progress: &mut dyn FnMut(f32),
) -> Result<(), AudioError> {
    let spec = Spec::new(OPUS_RATE, original.channels as u32);
    let mut coded = Vec::new();
    for (place, mut side) in [original, correction].into_iter().enumerate() {
        let mut coder = AacCoder::new(tempfile::tempfile_in(dir)?, spec, None, frames)?;
        let mut at = 0;
        while at < frames {
            side.fill()?;
            let count = (frames - at).min(PACKET_FRAMES as u64);
            side.packet.clear();
            side.packet.append_range(&side.ready, 0..count as usize);
            side.ready.drop_front(PACKET_FRAMES);
            coder.push(&side.packet)?;
            at += count;
            progress((place as f32 + at as f32 / frames as f32) / 2.0);
        }
        coded.push(coder.finish()?);
    }
    let [original, correction] = <[_; 2]>::try_from(coded).ok().expect("two were coded");
    write_m4a_of_both(out, [("Original", original), ("Corrected", correction)])
}

fn at_opus(frames: u64, spec: Spec) -> u64 {
    crate::encode::rescale(frames, spec.sample_rate, OPUS_RATE)
}

/// One of the two, brought to what the stream has.
struct Side<'a> {
    reader: SpillReader<'a>,
    cuts: Cuts,
    gains: Vec<Vec<f32>>,
    resampler: Option<Resampler>,
    rate: u32,
    channels: usize,
    /// Frames that went into the resampler.
    taken: u64,
    block: Block,
    mixed: Block,
    /// Frames that are ready.
    ready: Block,
    packet: Block,
}

impl<'a> Side<'a> {
    fn new(
        reader: SpillReader<'a>,
        spec: Spec,
        channels: u32,
        cuts: Vec<Vec<(u64, u64)>>,
    ) -> Result<Self, AudioError> {
        let gains = match spec.channels > channels {
            true => mix::gains(spec, channels),
            false => Vec::new(),
        };
        let channels = channels as usize;
        Ok(Self {
            reader,
            cuts: Cuts::new(cuts),
            gains,
            resampler: Some(Resampler::new(spec.sample_rate, OPUS_RATE, channels)?),
            rate: spec.sample_rate,
            channels,
            taken: 0,
            block: Block::default(),
            mixed: Block::new(channels),
            ready: Block::new(channels),
            packet: Block::new(channels),
        })
    }

    /// A packet at least; silence behind the end.
    fn fill(&mut self) -> Result<(), AudioError> {
        while self.ready.frames() < PACKET_FRAMES {
            let Some(resampler) = &mut self.resampler else {
                self.ready.resize(PACKET_FRAMES);
                break;
            };
            if self.reader.read_into(&mut self.block)? {
                self.cuts.apply(&mut self.block);
                if self.gains.is_empty() {
                    self.mixed.reset(self.channels);
                    // One channel is heard on both sides.
                    let last = self.block.channels() - 1;
                    let block = &self.block;
                    self.mixed.append_with(|channel, plane| {
                        plane.extend_from_slice(block.plane(channel.min(last)));
                    });
                } else {
                    mix::mix(&self.gains, &self.block, &mut self.mixed);
                }
                self.taken += self.mixed.frames() as u64;
                resampler.push(&self.mixed, &mut self.ready);
            } else if let Some(resampler) = self.resampler.take() {
                let frames = crate::encode::rescale(self.taken, self.rate, OPUS_RATE);
                resampler.finish(frames, &mut self.ready);
            }
        }
        Ok(())
    }
}

struct Packets {
    encoder: DiscreteOpus,
    interleaved: Vec<f32>,
    bytes: Vec<u8>,
}

impl Packets {
    /// Of the first frames of both, which go.
    fn next(&mut self, original: &mut Side, correction: &mut Side) -> Result<&[u8], AudioError> {
        let sides = [&original.ready, &correction.ready];
        self.interleaved.clear();
        for frame in 0..PACKET_FRAMES {
            for plane in sides.iter().flat_map(|side| side.planes()) {
                self.interleaved.push(plane[frame].clamp(-1.0, 1.0));
            }
        }
        original.ready.drop_front(PACKET_FRAMES);
        correction.ready.drop_front(PACKET_FRAMES);
        self.encoder
            .encode(&self.interleaved, PACKET_FRAMES, &mut self.bytes)?;
        Ok(&self.bytes)
    }
}

/// Takes out of blocks what was cut, one step's after the other's.
struct Cuts {
    /// Each step's, in ascending order, and how many of its frames have passed.
    steps: Vec<(Vec<(u64, u64)>, u64)>,
}

impl Cuts {
    fn new(mut steps: Vec<Vec<(u64, u64)>>) -> Self {
        steps.iter_mut().for_each(|cuts| cuts.sort_unstable());
        Self {
            steps: steps.into_iter().map(|cuts| (cuts, 0)).collect(),
        }
    }

    fn apply(&mut self, block: &mut Block) {
        let mut kept = Block::new(block.channels());
        for (cuts, passed) in &mut self.steps {
            let (from, to) = (*passed, *passed + block.frames() as u64);
            *passed = to;
            let here = |&&(start, frames): &&(u64, u64)| start < to && start + frames > from;
            if !cuts.iter().any(|cut| here(&cut)) {
                continue;
            }
            kept.clear();
            let mut at = from;
            for &(start, frames) in cuts.iter().filter(here) {
                let until = start.max(at);
                kept.append_range(block, (at - from) as usize..(until - from) as usize);
                at = at.max((start + frames).min(to));
            }
            kept.append_range(block, (at - from) as usize..(to - from) as usize);
            std::mem::swap(block, &mut kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_is_gone_whatever_the_blocks() {
        let steps = vec![vec![(50, 10), (5, 3)], vec![(0, 2), (40, 100)]];
        let mut all: Vec<f32> = (0..200).map(|n| n as f32).collect();
        all.drain(50..60);
        all.drain(5..8);
        all.drain(40..140);
        all.drain(0..2);
        for piece in [1, 3, 7, 64, 200] {
            let mut cuts = Cuts::new(steps.clone());
            let mut left = Vec::new();
            for from in (0..200).step_by(piece) {
                let numbers = (from..200.min(from + piece)).map(|n| n as f32);
                let mut block = Block::mono(numbers.collect());
                cuts.apply(&mut block);
                left.extend_from_slice(block.plane(0));
            }
            assert_eq!(left, all, "pieces of {piece}");
        }
    }
}
