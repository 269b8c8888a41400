//! Audio that waits on disk: what memory must not hold.
//!
//! A spill is an unlinked file of raw `f32` in the byte order of this machine, block after block,
//! each block planar. All blocks but the last hold [`BLOCK_FRAMES`] frames, so that no index is
//! needed. The file has no name: it is gone when the process is.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use crate::{BLOCK_FRAMES, Block};

/// Written once, then read once or more, always from the start.
#[derive(Debug)]
pub(crate) struct Spill {
    file: File,
    channels: usize,
    frames: u64,
}

impl Spill {
    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    /// Blocks from the start, in order.
    pub(crate) fn read(&mut self) -> io::Result<SpillReader<'_>> {
        self.file.seek(SeekFrom::Start(0))?;
        let left = self.frames;
        Ok(SpillReader {
            spill: self,
            left,
            scratch: Vec::new(),
        })
    }
}

pub(crate) struct SpillWriter {
    spill: Spill,
    /// One block as it will stand in the file.
    scratch: Vec<f32>,
    /// A block shorter than the others was written: it must have been the last.
    ended: bool,
}

impl SpillWriter {
    pub(crate) fn create(dir: &Path, channels: usize) -> io::Result<Self> {
        let file = tempfile::tempfile_in(dir)?;
        let spill = Spill {
            file,
            channels,
            frames: 0,
        };
        Ok(Self {
            spill,
            scratch: Vec::with_capacity(channels * BLOCK_FRAMES),
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
        self.scratch.clear();
        for channel in block.planes() {
            self.scratch.extend_from_slice(channel);
        }
        self.spill
            .file
            .write_all(bytemuck::cast_slice(&self.scratch))?;
        self.spill.frames += frames as u64;
        Ok(())
    }

    pub(crate) fn finish(self) -> Spill {
        self.spill
    }
}

pub(crate) struct SpillReader<'a> {
    spill: &'a mut Spill,
    left: u64,
    /// One block as it stands in the file.
    scratch: Vec<f32>,
}

impl SpillReader<'_> {
    /// The next block in place of what was in this one; false at the end.
    pub(crate) fn read_into(&mut self, block: &mut Block) -> io::Result<bool> {
        let frames = self.left.min(BLOCK_FRAMES as u64) as usize;
        block.reset(self.spill.channels);
        if frames == 0 {
            return Ok(false);
        }
        self.scratch.resize(frames * self.spill.channels, 0.0);
        self.spill
            .file
            .read_exact(bytemuck::cast_slice_mut(&mut self.scratch))?;
        self.left -= frames as u64;
        block.append_with(|channel, plane| {
            plane.extend_from_slice(&self.scratch[channel * frames..][..frames]);
        });
        Ok(true)
    }
}
