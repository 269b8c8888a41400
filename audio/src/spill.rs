//! Audio that waits on disk: what memory must not hold.
//!
//! A spill is an unlinked file, or one that is kept for the next process, block after block, each planar, in the byte order of this machine. All
//! blocks but the last hold [`BLOCK_FRAMES`] frames. A byte before each says how it is written: as
//! 16-bit numbers where that is what all of its samples are, which most recordings have, else as `f32`.
//! Both give back every bit. The file has no name: it is gone when the process is, and what was read for the
//! last time gives its room back at once. A recording that is nothing but whole numbers waits where it is.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, fallocate};
use serde::{Deserialize, Serialize};

use crate::{
    BLOCK_FRAMES, Block,
    decode::{RecordingAsIs, pcm},
};

/// Read and written at once: several blocks, which costs the system half of what one by one does.
const BUFFER_BYTES: usize = 1 << 18;
/// Room is given back in pieces of this size.
const FREED_BYTES: u64 = 1 << 23;

/// The byte before a block.
const INT16: u8 = 2;
const FLOAT32: u8 = 4;

/// Written once, then read once or more, always from the start.
#[derive(Debug)]
pub struct Spill {
    file: File,
    bytes: u64,
    channels: usize,
    frames: u64,
    /// The file is the recording itself.
    as_is: Option<RecordingAsIs>,
    /// Others read it too, so that all of it stays.
    is_shared: bool,
}

/// Where a spill is made.
#[derive(Debug, Clone)]
pub(crate) enum SpillPlace {
    /// Without a name, in a folder.
    In(PathBuf),
    /// For whoever comes next.
    At(PathBuf),
}

/// A spill without its file: what another process must know to read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptSpill {
    bytes: u64,
    channels: usize,
    frames: u64,
    as_is: Option<RecordingAsIs>,
}

impl KeptSpill {
    pub(crate) fn is_recording(&self) -> bool {
        self.as_is.is_some()
    }

    pub(crate) fn open(self, file: File) -> Spill {
        Spill {
            file,
            bytes: self.bytes,
            channels: self.channels,
            frames: self.frames,
            as_is: self.as_is,
            is_shared: true,
        }
    }
}

impl Spill {
    pub(crate) fn of_recording(file: File, as_is: RecordingAsIs) -> Self {
        Self {
            file,
            bytes: as_is.to,
            channels: as_is.channels as usize,
            frames: (as_is.to - as_is.from) / as_is.frame_bytes(),
            as_is: Some(as_is),
            is_shared: false,
        }
    }

    pub(crate) fn kept(&self) -> KeptSpill {
        KeptSpill {
            bytes: self.bytes,
            channels: self.channels,
            frames: self.frames,
            as_is: self.as_is,
        }
    }

    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    /// Blocks from the start, in order.
    pub(crate) fn read(&mut self) -> SpillReader<'_> {
        SpillReader {
            left: self.frames,
            at: self.as_is.map_or(0, |as_is| as_is.from),
            freed: None,
            buffer: Vec::new(),
            taken: 0,
            spill: self,
        }
    }

    /// The same for the last time: nothing of it can be read again.
    pub(crate) fn read_last(&mut self) -> SpillReader<'_> {
        let is_ours = self.as_is.is_none() && !self.is_shared;
        SpillReader {
            freed: is_ours.then_some(0),
            ..self.read()
        }
    }
}

pub(crate) struct SpillWriter {
    spill: Spill,
    /// What is not in the file yet.
    buffer: Vec<u8>,
    /// A block shorter than the others was written: it must have been the last.
    ended: bool,
}

impl SpillWriter {
    pub(crate) fn create(dir: &Path, channels: usize) -> io::Result<Self> {
        Self::create_at(&SpillPlace::In(dir.to_owned()), channels)
    }

    pub(crate) fn create_at(place: &SpillPlace, channels: usize) -> io::Result<Self> {
        let file = match place {
            SpillPlace::In(dir) => tempfile::tempfile_in(dir)?,
            SpillPlace::At(path) => crate::create_file(path)?,
        };
        let spill = Spill {
            file,
            bytes: 0,
            channels,
            frames: 0,
            as_is: None,
            is_shared: matches!(place, SpillPlace::At(_)),
        };
        Ok(Self {
            spill,
            buffer: Vec::new(),
            ended: false,
        })
    }

    /// Blocks come from a [`crate::reblock::Reblocker`]: all full but the last.
    pub(crate) fn write(&mut self, block: &Block) -> io::Result<()> {
        let frames = block.frames();
        assert!(
            !self.ended && frames <= BLOCK_FRAMES,
            "only the last block may be short"
        );
        self.ended = frames < BLOCK_FRAMES;
        let start = self.buffer.len();
        self.buffer.push(INT16);
        if !block
            .planes()
            .all(|plane| append_as_int16(plane, &mut self.buffer))
        {
            self.buffer.truncate(start);
            self.buffer.push(FLOAT32);
            for plane in block.planes() {
                self.buffer.extend_from_slice(bytemuck::cast_slice(plane));
            }
        }
        self.spill.frames += frames as u64;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<Spill> {
        self.flush()?;
        Ok(self.spill)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.spill
            .file
            .write_all_at(&self.buffer, self.spill.bytes)?;
        self.spill.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

pub(crate) struct SpillReader<'a> {
    spill: &'a mut Spill,
    /// Frames that are still to come.
    left: u64,
    /// How much of the file was read.
    at: u64,
    /// How much of it gave its room back, where nobody reads it again.
    freed: Option<u64>,
    buffer: Vec<u8>,
    /// How much of the buffer was given out.
    taken: usize,
}

impl SpillReader<'_> {
    /// The next block in place of what was in this one; false at the end.
    pub(crate) fn read_into(&mut self, block: &mut Block) -> io::Result<bool> {
        let frames = self.left.min(BLOCK_FRAMES as u64) as usize;
        block.reset(self.spill.channels);
        if frames == 0 {
            return Ok(false);
        }
        if let Some(as_is) = self.spill.as_is {
            let channels = self.spill.channels;
            let bytes = self.take(frames * as_is.frame_bytes() as usize)?;
            pcm::convert(as_is.layout, bytes, channels, block);
            self.left -= frames as u64;
            return Ok(true);
        }
        let width = usize::from(self.take(1)?[0]);
        let samples = frames * self.spill.channels;
        let bytes = self.take(samples * width)?;
        if width == usize::from(INT16) {
            let (values, _) = bytes.as_chunks();
            block.append_with(|channel, plane| {
                let values = &values[channel * frames..][..frames];
                plane.extend(values.iter().map(|x| of_int16(i16::from_ne_bytes(*x))));
            });
        } else {
            let (values, _) = bytes.as_chunks();
            block.append_with(|channel, plane| {
                let values = &values[channel * frames..][..frames];
                plane.extend(values.iter().map(|x| f32::from_ne_bytes(*x)));
            });
        }
        self.left -= frames as u64;
        Ok(true)
    }

    /// The next bytes of the file.
    fn take(&mut self, bytes: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.taken < bytes {
            self.buffer.drain(..self.taken);
            self.taken = 0;
            let held = self.buffer.len();
            let wanted = (BUFFER_BYTES.max(bytes) - held) as u64;
            let read = wanted.min(self.spill.bytes - self.at);
            self.buffer.resize(held + read as usize, 0);
            self.spill
                .file
                .read_exact_at(&mut self.buffer[held..], self.at)?;
            self.at += read;
            self.free();
        }
        let start = self.taken;
        self.taken += bytes;
        Ok(&self.buffer[start..self.taken])
    }
}

impl SpillReader<'_> {
    /// Gives back the room of what was read. A disk that cannot do so keeps it until the end.
    fn free(&mut self) {
        let Some(freed) = self.freed else {
            return;
        };
        if self.at - freed >= FREED_BYTES {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let done = fallocate(&self.spill.file, flags, freed, self.at - freed);
            self.freed = done.is_ok().then_some(self.at);
        }
    }
}

fn of_int16(value: i16) -> f32 {
    f32::from(value) / 32_768.0
}

/// Whether [`of_int16`] gives every bit of them back; what was appended is worth nothing if not.
fn append_as_int16(samples: &[f32], bytes: &mut Vec<u8>) -> bool {
    /// Adding it moves an `f32`'s whole part into the lowest bits, without a branch: 1.5 * 2^23.
    const ROUNDER: f32 = 12_582_912.0;
    const RUN: usize = 64;
    samples.chunks(RUN).all(|run| {
        let mut values = [0i16; RUN];
        let mut differ = 0;
        for (value, sample) in values.iter_mut().zip(run) {
            *value = (sample * 32_768.0 + ROUNDER).to_bits() as i16;
            differ |= of_int16(*value).to_bits() ^ sample.to_bits();
        }
        bytes.extend_from_slice(bytemuck::cast_slice(&values[..run.len()]));
        differ == 0
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Bytes that the blocks took, once all of them came back.
    fn spilled(blocks: &[Block]) -> u64 {
        let channels = blocks[0].channels();
        let mut writer = SpillWriter::create(&std::env::temp_dir(), channels).unwrap();
        for block in blocks {
            writer.write(block).unwrap();
        }
        let mut spill = writer.finish().unwrap();
        // Twice: it may be read again.
        for _ in 0..2 {
            let mut reader = spill.read();
            let mut block = Block::default();
            for expected in blocks {
                assert!(reader.read_into(&mut block).unwrap());
                let bits = |block: &Block| block.samples().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert!(bits(&block) == bits(expected));
            }
            assert!(!reader.read_into(&mut block).unwrap());
        }
        let frames: u64 = blocks.iter().map(|block| block.frames() as u64).sum();
        assert_eq!(spill.frames(), frames);
        spill.file.metadata().unwrap().len()
    }

    fn sixteen_bits(channels: usize, frames: usize) -> Block {
        Block::from_fn(channels, frames, |channel, frame| {
            of_int16((frame as i32 * 7919 + channel as i32) as i16)
        })
    }

    #[test]
    fn sixteen_bits_take_two_bytes_and_come_back_bit_by_bit() {
        for channels in [1, 2, 3, 16] {
            let block = sixteen_bits(channels, BLOCK_FRAMES);
            let blocks = [block.clone(), block, sixteen_bits(channels, 77)];
            assert_eq!(
                spilled(&blocks) as usize,
                3 + (2 * BLOCK_FRAMES + 77) * channels * 2
            );
        }
        let all = Block::mono((i16::MIN..=i16::MAX).map(of_int16).collect());
        let mut piece = Block::new(1);
        let pieces = (0..=65_535 / BLOCK_FRAMES).map(|n| {
            piece.clear();
            let from = n * BLOCK_FRAMES;
            piece.append_range(&all, from..all.frames().min(from + BLOCK_FRAMES));
            piece.clone()
        });
        assert_eq!(spilled(&pieces.collect::<Vec<_>>()), 2 * 65_536 + 14);
    }

    #[test]
    fn what_was_read_for_the_last_time_has_given_its_room_back_and_was_read_all_the_same() {
        use std::os::unix::fs::MetadataExt;
        let blocks = || {
            (0..500u32).map(|n| {
                Block::from_fn(2, BLOCK_FRAMES, |_, frame| (n as f32 + frame as f32) / 3e6)
            })
        };
        let mut writer = SpillWriter::create(&std::env::temp_dir(), 2).unwrap();
        blocks().for_each(|block| writer.write(&block).unwrap());
        let mut spill = writer.finish().unwrap();
        let room = |spill: &Spill| spill.file.metadata().unwrap().blocks() * 512;
        let all = room(&spill);
        let mut block = Block::default();
        for is_last in [false, true] {
            let mut reader = if is_last {
                spill.read_last()
            } else {
                spill.read()
            };
            let mut most = 0;
            for expected in blocks() {
                assert!(reader.read_into(&mut block).unwrap());
                assert!(block == expected);
                most = most.max(reader.at - reader.freed.unwrap_or(0));
            }
            assert!(!is_last || most < 2 * FREED_BYTES, "{most} bytes were held");
            assert!(!reader.read_into(&mut block).unwrap());
            let left = room(&spill);
            assert_eq!(is_last, left < all / 4, "{left} of {all} bytes are left");
        }
    }

    #[test]
    fn one_sample_that_is_no_sixteen_bit_number_keeps_all_its_bits() {
        let others = [
            1.0,
            1.5,
            -1.0 - 1.0 / 32_768.0,
            0.5 / 32_768.0,
            1.0 / 8_388_608.0,
            -0.0,
            1e-40,
            8_388_608.0,
            -3e38,
        ];
        for other in others {
            for (channel, frame) in [(0, 0), (1, 63), (0, 64), (1, BLOCK_FRAMES - 1)] {
                let mut block = sixteen_bits(2, BLOCK_FRAMES);
                block.plane_mut(channel)[frame] = other;
                let plain = sixteen_bits(2, BLOCK_FRAMES);
                let bytes = spilled(&[plain.clone(), block, plain]);
                assert_eq!(
                    bytes as usize,
                    3 + BLOCK_FRAMES * 2 * (2 + 4 + 2),
                    "{other}"
                );
            }
        }
    }
}
