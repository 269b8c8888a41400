//! Audio that has arrived and waits until all of it was measured: samples as they came, in an
//! unlinked temporary file. Nothing is left behind, however the process ends.

use std::{io, path::Path};

use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};

use crate::{
    correction::{Measured, Plan},
    wav::WavFormat,
};

/// About as much as one network read brings; a whole number of frames is cut from it.
const CHUNK_BYTES: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    #[error("the temporary file failed: {0}")]
    File(#[from] io::Error),
    #[error("frame {frame} holds a sample that is not a number")]
    NotFinite { frame: u64 },
}

/// Takes bytes in pieces of any size.
pub(crate) struct Spool {
    format: WavFormat,
    file: File,
    measured: Measured,
    /// The beginning of a frame whose end has not arrived.
    partial: Vec<u8>,
}

/// Gives the corrected audio back, in pieces.
pub(crate) struct Corrected {
    format: WavFormat,
    file: File,
    plan: Plan,
    frames_left: u64,
    /// Silence after the audio; only the fault `wrong_length` asks for it.
    padding_left: u64,
}

impl Spool {
    pub fn open(format: WavFormat, folder: &Path) -> Result<Self, SpoolError> {
        Ok(Self {
            format,
            file: File::from_std(tempfile::tempfile_in(folder)?),
            measured: Measured::new(format.channels),
            partial: Vec::new(),
        })
    }

    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        self.file.write_all(bytes).await?;
        let frame_bytes = self.format.frame_bytes();
        let mut rest = bytes;
        if !self.partial.is_empty() {
            let (head, tail) = rest.split_at(rest.len().min(frame_bytes - self.partial.len()));
            self.partial.extend_from_slice(head);
            rest = tail;
            if self.partial.len() < frame_bytes {
                return Ok(());
            }
            let frame = std::mem::take(&mut self.partial);
            self.measure(&frame)?;
        }
        let whole = rest.len() - rest.len() % frame_bytes;
        for frame in rest[..whole].chunks_exact(frame_bytes) {
            self.measure(frame)?;
        }
        self.partial.extend_from_slice(&rest[whole..]);
        Ok(())
    }

    fn measure(&mut self, frame: &[u8]) -> Result<(), SpoolError> {
        let encoding = self.format.encoding;
        let samples = frame
            .chunks_exact(encoding.bytes())
            .map(|bytes| encoding.decode(bytes));
        if samples.clone().any(|sample| !sample.is_finite()) {
            return Err(SpoolError::NotFinite {
                frame: self.measured.frames(),
            });
        }
        self.measured.frame(samples);
        Ok(())
    }

    pub fn frames(&self) -> u64 {
        self.measured.frames()
    }

    /// Bytes of a last frame that did not arrive whole; they are dropped by [`Spool::corrected`].
    pub fn ragged(&self) -> bool {
        !self.partial.is_empty()
    }

    /// The corrected audio, `frames_out` long: [`Spool::frames`], unless a fault says otherwise.
    pub async fn corrected(mut self, frames_out: u64) -> Result<Corrected, SpoolError> {
        self.file.flush().await?;
        self.file.rewind().await?;
        Ok(Corrected {
            format: self.format,
            file: self.file,
            plan: self.measured.plan(),
            frames_left: self.measured.frames().min(frames_out),
            padding_left: frames_out.saturating_sub(self.measured.frames()),
        })
    }
}

impl Corrected {
    /// The next piece, a whole number of frames; empty at the end.
    pub async fn read(&mut self) -> Result<Vec<u8>, SpoolError> {
        let frame_bytes = self.format.frame_bytes();
        let most = (CHUNK_BYTES / frame_bytes) as u64;
        if self.frames_left == 0 {
            let frames = most.min(self.padding_left);
            self.padding_left -= frames;
            return Ok(vec![0; frames as usize * frame_bytes]);
        }
        let frames = most.min(self.frames_left);
        self.frames_left -= frames;
        let mut bytes = vec![0; frames as usize * frame_bytes];
        self.file.read_exact(&mut bytes).await?;
        let encoding = self.format.encoding;
        let channels = usize::from(self.format.channels);
        let mut out = Vec::with_capacity(bytes.len());
        for (n, sample) in bytes.chunks_exact(encoding.bytes()).enumerate() {
            encoding.encode(
                self.plan.apply(n % channels, encoding.decode(sample)),
                &mut out,
            );
        }
        Ok(out)
    }
}
