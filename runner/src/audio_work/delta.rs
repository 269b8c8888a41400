//! What a step took away: its input less its output, as a file of its own.

use std::path::Path;

use retake_audio::{AudioError, Block, Encoder, Format, Spec, StageError, Tags, create_file};
use retake_findings::{Code, Finding};

/// Seconds of input that wait for their output at most, as for a mix: see the plugin host.
const HELD_S_MAX: usize = 60;

pub(super) struct DeltaWriter {
    encoder: Encoder,
    /// Input whose output has not come yet; the step's latency is off the output already.
    waiting: Block,
    /// What is written; used again each time.
    removed: Block,
    held_frames_max: usize,
    peak: f32,
}

impl DeltaWriter {
    pub fn create(
        path: &Path,
        format: &Format,
        spec: Spec,
        frames: u64,
    ) -> Result<Self, AudioError> {
        let file = create_file(path)?;
        Ok(Self {
            encoder: Encoder::create(format, spec, frames, &Tags::default(), file)?,
            waiting: Block::new(spec.channels as usize),
            removed: Block::new(spec.channels as usize),
            held_frames_max: HELD_S_MAX * spec.sample_rate as usize,
            peak: 0.0,
        })
    }

    pub fn before(&mut self, block: &Block) -> Result<(), StageError> {
        self.waiting.append(block);
        let held = self.waiting.frames();
        if held <= self.held_frames_max {
            return Ok(());
        }
        Err(StageError::Refused {
            message: format!(
                "its output comes {held} frames after its input; a delta waits for at most \
                 {HELD_S_MAX} s"
            ),
            param: None,
        })
    }

    pub fn after(&mut self, block: &Block) -> Result<(), StageError> {
        let frames = block.frames().min(self.waiting.frames());
        if frames == 0 {
            return Ok(());
        }
        self.removed.clear();
        self.removed.append_range(&self.waiting, 0..frames);
        self.waiting.drop_front(frames);
        for (removed, output) in self.removed.planes_mut().zip(block.planes()) {
            for (removed, output) in removed.iter_mut().zip(output) {
                *removed -= output;
                self.peak = self.peak.max(removed.abs());
            }
        }
        self.encoder.push(&self.removed).map_err(unwritten)
    }

    /// Says where the delta does not fit its file. The step is named by its place and its name.
    pub fn finish(self, step: usize, name: &str) -> Result<Option<Finding>, StageError> {
        self.encoder.finish().map_err(unwritten)?;
        let over_db = 20.0 * f64::from(self.peak).log10();
        let clipped = || {
            Finding::of_step(
                Code::DeltaClipped,
                step,
                name,
                [("over_db", over_db.into())],
            )
        };
        Ok((self.peak > 1.0).then(clipped))
    }
}

fn unwritten(error: AudioError) -> StageError {
    StageError::Io {
        message: format!("a delta cannot be written: {error}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use retake_audio::WavDepth;

    use super::*;

    const SPEC: Spec = Spec::new(8_000, 1);
    const FLOAT: Format = Format::Wav {
        depth: WavDepth::Float32,
    };

    #[test]
    fn output_that_comes_late_and_in_other_pieces_is_taken_from_its_own_input() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut delta = DeltaWriter::create(file.path(), &FLOAT, SPEC, 5).unwrap();
        delta.before(&Block::mono(vec![1.0, 2.0, 3.0])).unwrap();
        delta.after(&Block::mono(vec![0.5])).unwrap();
        delta.after(&Block::new(1)).unwrap();
        delta.before(&Block::mono(vec![4.0, 5.0])).unwrap();
        delta.after(&Block::mono(vec![0.5, 0.5, 0.5, 0.5])).unwrap();
        let warning = delta.finish(3, "gate").unwrap().unwrap();
        assert!(warning.is(Code::DeltaClipped), "{warning}");
        assert_eq!(warning.params["step"], 3);
        assert!(
            warning
                .message
                .starts_with("the delta of gate peaks 13.1 dB over"),
            "{warning}"
        );
        let written = std::fs::read(file.path()).unwrap();
        let samples: Vec<f32> = written[written.len() - 20..]
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect();
        assert_eq!(samples, [0.5, 1.5, 2.5, 3.5, 4.5]);
    }

    #[test]
    fn input_is_not_held_without_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut delta = DeltaWriter::create(file.path(), &FLOAT, SPEC, 1_000_000).unwrap();
        let minute = Block::silence(1, 60 * 8_000);
        delta.before(&minute).unwrap();
        let refused = delta.before(&Block::mono(vec![0.0])).unwrap_err();
        assert!(refused.to_string().contains("at most 60 s"), "{refused}");
    }
}
