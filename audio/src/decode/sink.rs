//! Where the samples of a recording go: into a spill file, or straight into an encoder.

use std::{
    fs::File,
    io::{Seek, SeekFrom},
};

use super::SourceInfo;
use crate::{
    AudioError, Block, Encoding, Spec, Tags,
    encode::Encoder,
    spill::{Spill, SpillPlace, SpillWriter},
};

/// Takes blocks that are all full but the last.
pub(super) trait Sink {
    /// The recording begins, or begins again with another spec: what came before is worth nothing.
    /// No more than `frames_max` will come.
    fn begin(&mut self, source: &SourceInfo, spec: Spec, frames_max: u64)
    -> Result<(), AudioError>;

    fn push(&mut self, block: &Block) -> Result<(), AudioError>;

    /// Whether what comes is to be measured as well. Where it is not, only its length is known.
    fn is_measured(&self) -> bool {
        true
    }

    /// Before it begins: most likely what comes can be read from the file again as it is.
    fn can_be_read_again(&mut self) {}
}

pub(super) struct ToSpill {
    place: SpillPlace,
    writer: Option<SpillWriter>,
    keeps: Keeps,
}

#[derive(PartialEq)]
enum Keeps {
    Usually,
    /// This time it is not needed.
    Nothing,
    Always,
}

impl ToSpill {
    #[cfg(test)]
    pub(super) fn in_dir(dir: impl Into<std::path::PathBuf>) -> Self {
        Self::new(SpillPlace::In(dir.into()))
    }

    pub(super) fn new(place: SpillPlace) -> Self {
        Self {
            place,
            writer: None,
            keeps: Keeps::Usually,
        }
    }

    /// Whatever is said.
    pub(super) fn keep(&mut self) {
        self.keeps = Keeps::Always;
    }

    pub(super) fn has_kept(&self) -> bool {
        self.writer.is_some()
    }

    pub(super) fn finish(self) -> Result<Spill, AudioError> {
        let writer = self.writer.ok_or(AudioError::Empty)?;
        Ok(writer.finish()?)
    }
}

impl Sink for ToSpill {
    fn begin(&mut self, _: &SourceInfo, spec: Spec, _: u64) -> Result<(), AudioError> {
        // The room of what came before is free first.
        self.writer = None;
        if self.keeps != Keeps::Nothing {
            self.writer = Some(SpillWriter::create_at(&self.place, spec.channels as usize)?);
        }
        Ok(())
    }

    fn can_be_read_again(&mut self) {
        if self.keeps == Keeps::Usually {
            self.keeps = Keeps::Nothing;
        }
    }

    fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        match &mut self.writer {
            Some(writer) => Ok(writer.write(block)?),
            None => Ok(()),
        }
    }
}

/// Sees all of a recording, and nothing is kept.
pub trait Looker {
    /// The recording begins, or begins again with another spec: what came before is worth nothing.
    fn begin(&mut self, spec: Spec) -> Result<(), AudioError>;

    fn see(&mut self, block: &Block) -> Result<(), AudioError>;

    /// Whether the recording is measured as well, which costs more than most looks.
    fn wants_measurement(&self) -> bool {
        true
    }
}

/// Sees nothing: for what is measured anyway.
impl Looker for () {
    fn begin(&mut self, _: Spec) -> Result<(), AudioError> {
        Ok(())
    }

    fn see(&mut self, _: &Block) -> Result<(), AudioError> {
        Ok(())
    }
}

pub(super) struct ToLooker<'a>(pub &'a mut dyn Looker);

impl Sink for ToLooker<'_> {
    fn begin(&mut self, _: &SourceInfo, spec: Spec, _: u64) -> Result<(), AudioError> {
        self.0.begin(spec)
    }

    fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        self.0.see(block)
    }

    fn is_measured(&self) -> bool {
        self.0.wants_measurement()
    }
}

/// What a recording of this kind is written as, and what is written beside its samples.
pub(super) type Wanted<'a> = dyn FnMut(&SourceInfo, Spec) -> (Encoding, Tags) + 'a;

pub(super) struct ToEncoder<'a> {
    pub out: File,
    pub wanted: &'a mut Wanted<'a>,
    pub encoder: Option<Encoder>,
}

impl ToEncoder<'_> {
    pub(super) fn finish(self) -> Result<(), AudioError> {
        self.encoder.ok_or(AudioError::Empty)?.finish()
    }
}

impl Sink for ToEncoder<'_> {
    fn begin(
        &mut self,
        source: &SourceInfo,
        spec: Spec,
        frames_max: u64,
    ) -> Result<(), AudioError> {
        // What it has not written yet goes before the file is emptied.
        self.encoder = None;
        let mut out = self.out.try_clone()?;
        out.set_len(0)?;
        out.seek(SeekFrom::Start(0))?;
        let (encoding, tags) = (self.wanted)(source, spec);
        self.encoder = Some(Encoder::create(encoding, spec, frames_max, &tags, out)?);
        Ok(())
    }

    fn push(&mut self, block: &Block) -> Result<(), AudioError> {
        match &mut self.encoder {
            Some(encoder) => encoder.push(block),
            None => Ok(()),
        }
    }
}
