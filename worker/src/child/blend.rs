//! Mixes what was sent to an external service back into what came from it: an external step's `mix`.

use std::{fs::File, io::BufReader, io::Read, path::Path};

use retake_audio::{Block, Emit, Spec, Stage, StageError};

use crate::handover::{self, SAMPLE_BYTES};

pub(super) struct Blend {
    dry: BufReader<File>,
    wet_part: f32,
    bytes: Vec<u8>,
}

impl Blend {
    /// `dry` is the handover file that was sent; it has the same spec and length as what comes by.
    pub fn open(dry: &Path, mix: f64, spec: Spec, frames: u64) -> std::io::Result<Self> {
        let mut dry = BufReader::with_capacity(1 << 16, File::open(dry)?);
        let header = handover::read_header(&mut dry)?;
        if header != (handover::Header { spec, frames }) {
            return Err(std::io::Error::other("the file that was sent has changed"));
        }
        Ok(Self {
            dry,
            wet_part: mix as f32,
            bytes: Vec::new(),
        })
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

    fn process(&mut self, mut block: Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        let channels = block.len();
        let frames = block.first().map_or(0, Vec::len);
        self.bytes.resize(frames * channels * SAMPLE_BYTES, 0);
        self.dry
            .read_exact(&mut self.bytes)
            .map_err(|error| StageError::Crashed {
                message: format!("the file that was sent cannot be read again: {error}"),
            })?;
        let mut dry = self.bytes.chunks_exact(SAMPLE_BYTES).map(|bytes| {
            f32::from_le_bytes(bytes.try_into().expect("chunks are as long as a sample"))
        });
        for frame in 0..frames {
            for channel in &mut block {
                let dry = dry
                    .next()
                    .expect("as many samples were read as the block has");
                channel[frame] = dry + self.wet_part * (channel[frame] - dry);
            }
        }
        emit(block)
    }

    fn finish(&mut self, _: &mut Emit<'_>) -> Result<(), StageError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_quarter_of_the_answer_and_three_of_what_was_sent() {
        let spec = Spec {
            sample_rate: 8_000,
            channels: 2,
        };
        let mut bytes = handover::header(spec, 3);
        for sample in [0.0f32, 1.0, 0.2, -1.0, 0.4, 0.0] {
            bytes.extend(sample.to_le_bytes());
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut blend = Blend::open(file.path(), 0.25, spec, 3).unwrap();
        let mut out: Block = vec![vec![], vec![]];
        for block in [
            vec![vec![1.0], vec![1.0]],
            vec![vec![1.0, 0.0], vec![1.0, 1.0]],
        ] {
            let mut emit = |block: Block| {
                for (out, channel) in out.iter_mut().zip(block) {
                    out.extend(channel);
                }
                Ok(())
            };
            blend.process(block, &mut emit).unwrap();
        }
        let expected = [[0.25, 0.4, 0.3], [1.0, -0.5, 0.25]];
        for (got, expected) in out.iter().flatten().zip(expected.iter().flatten()) {
            assert!((got - expected).abs() < 1e-6, "{out:?}");
        }
        assert!(
            Blend::open(file.path(), 0.25, spec, 4).is_err(),
            "another length"
        );
    }
}
