//! What came back from an external service beside what was sent to it: mixes the two, an external
//! step's `mix`, and holds the result against what was sent, as any step's.

use std::{fs::File, io::BufReader, io::Read, path::Path};

use retake_audio::{Block, Emit, Spec, Stage, StageError};

use super::guard::Guard;
use crate::handover::{self, SAMPLE_BYTES};

pub(super) struct Blend {
    dry: BufReader<File>,
    wet_part: f32,
    /// Used again for each block, as those that follow.
    bytes: Vec<u8>,
    sent: Block,
    mixed: Block,
    guard: Guard,
}

impl Blend {
    /// `dry` is the handover file that was sent; it has the same spec and length as what comes by.
    pub fn open(
        dry: &Path,
        mix: f64,
        spec: Spec,
        frames: u64,
        guard: Guard,
    ) -> std::io::Result<Self> {
        let mut dry = BufReader::with_capacity(1 << 16, File::open(dry)?);
        let header = handover::read_header(&mut dry)?;
        if header != (handover::Header { spec, frames }) {
            return Err(std::io::Error::other("the file that was sent has changed"));
        }
        Ok(Self {
            dry,
            wet_part: mix as f32,
            bytes: Vec::new(),
            sent: Block::new(spec.channels as usize),
            mixed: Block::new(spec.channels as usize),
            guard,
        })
    }

    /// The next frames of what was sent.
    fn read(&mut self, frames: usize) -> Result<(), StageError> {
        let channels = self.sent.channels();
        self.bytes.resize(frames * channels * SAMPLE_BYTES, 0);
        self.dry
            .read_exact(&mut self.bytes)
            .map_err(|error| StageError::Io {
                message: format!("the file that was sent cannot be read again: {error}"),
            })?;
        let samples = self.bytes.as_chunks::<SAMPLE_BYTES>().0;
        self.sent.clear();
        self.sent.append_with(|channel, plane| {
            let samples = samples.iter().skip(channel).step_by(channels);
            plane.extend(samples.map(|&bytes| f32::from_le_bytes(bytes)));
        });
        Ok(())
    }
}

impl Stage for Blend {
    fn name(&self) -> &str {
        "mix"
    }

    fn analyzes(&self) -> bool {
        false
    }

    fn analyze(&mut self, _: &Block) -> Result<(), StageError> {
        Ok(())
    }

    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        self.read(block.frames())?;
        self.guard.before(&self.sent)?;
        // Not with 1: what came back must come through to the bit.
        let mixed = if self.wet_part < 1.0 {
            self.mixed.clear();
            self.mixed.append(block);
            for (sample, dry) in self.mixed.samples_mut().zip(self.sent.samples()) {
                *sample = dry + self.wet_part * (*sample - dry);
            }
            &self.mixed
        } else {
            block
        };
        self.guard.after(mixed)?;
        emit(mixed)
    }

    fn finish(&mut self, _: &mut Emit<'_>) -> Result<(), StageError> {
        self.guard.finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::audio_work::guard::Terms;

    fn guard(spec: Spec) -> Guard {
        let terms = Terms {
            step: 0,
            name: "service".to_owned(),
            promise: None,
            mix: 1.0,
            shortens: false,
        };
        Guard::new(terms, spec, None).0
    }

    #[test]
    fn a_quarter_of_the_answer_and_three_of_what_was_sent() {
        let spec = Spec::new(8_000, 2);
        let mut bytes = handover::header(spec, 3);
        for sample in [0.0f32, 1.0, 0.2, -1.0, 0.4, 0.0] {
            bytes.extend(sample.to_le_bytes());
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut blend = Blend::open(file.path(), 0.25, spec, 3, guard(spec)).unwrap();
        let mut out = Block::new(2);
        for planes in [
            vec![vec![1.0], vec![1.0]],
            vec![vec![1.0, 0.0], vec![1.0, 1.0]],
        ] {
            let block = Block::from_planes(planes).unwrap();
            let mut emit = |block: &Block| {
                out.append(block);
                Ok(())
            };
            blend.process(&block, &mut emit).unwrap();
        }
        let expected = [[0.25, 0.4, 0.3], [1.0, -0.5, 0.25]];
        for (got, expected) in out.samples().zip(expected.iter().flatten()) {
            assert!((got - expected).abs() < 1e-6, "{out:?}");
        }
        assert!(
            Blend::open(file.path(), 0.25, spec, 4, guard(spec)).is_err(),
            "another length"
        );
    }
}
