//! What one process has read and another goes on with.
#![allow(clippy::unwrap_used)]

mod signals;

use std::{fs::File, path::Path};

use retake_audio::{
    Block, Decoded, Emit, Format, KeptRecording, Limits, Stage, StageError, WavDepth,
    decode_and_keep, look_on,
};
use signals::{decode_bytes, file_of, noise, run_to_bytes, wav_bytes};

const FLOAT: Format = Format::Wav {
    depth: WavDepth::Float32,
};

/// Sees everything once and says so when it is told that there is no more.
struct Looker {
    frames: u64,
    of: u64,
    told: u32,
}

impl Stage for Looker {
    fn name(&self) -> &str {
        "looker"
    }

    fn begin(&mut self) -> Result<(), StageError> {
        self.told += 1;
        assert!(self.told == 1 || self.frames == self.of, "{}", self.frames);
        Ok(())
    }

    fn analyzes(&self) -> bool {
        true
    }

    fn only_looks(&self) -> bool {
        true
    }

    fn analyze(&mut self, block: &Block) -> Result<(), StageError> {
        self.frames += block.frames() as u64;
        Ok(())
    }

    fn process(&mut self, _: &Block, _: &mut Emit<'_>) -> Result<(), StageError> {
        unreachable!("nobody need give it anything")
    }

    fn finish(&mut self, _: &mut Emit<'_>) -> Result<(), StageError> {
        unreachable!("nobody need give it anything")
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        assert!(std::thread::panicking() || self.told == 2, "{}", self.told);
    }
}

struct Half;

impl Stage for Half {
    fn name(&self) -> &str {
        "half"
    }

    fn analyzes(&self) -> bool {
        false
    }

    fn analyze(&mut self, _: &Block) -> Result<(), StageError> {
        unreachable!("it does not analyze")
    }

    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        let mut block = block.clone();
        block.samples_mut().for_each(|sample| *sample *= 0.5);
        emit(&block)
    }

    fn finish(&mut self, _: &mut Emit<'_>) -> Result<(), StageError> {
        Ok(())
    }
}

fn lookers(decoded: &Decoded) -> Vec<Box<dyn Stage>> {
    let looker = || -> Box<dyn Stage> {
        Box::new(Looker {
            frames: 0,
            of: decoded.frames,
            told: 0,
        })
    };
    vec![looker(), looker()]
}

fn halved(decoded: Decoded, before: Vec<Box<dyn Stage>>) -> Vec<u8> {
    let mut stages = before;
    stages.push(Box::new(Half));
    run_to_bytes(decoded, stages, FLOAT).unwrap().1
}

const FRAMES: usize = 1_100_000;

/// More than a disk is given back at a time.
fn recording(is_float: bool) -> Vec<u8> {
    let floats = wav_bytes(48_000, &noise(2, FRAMES, 0.9, 1));
    if is_float {
        return floats;
    }
    let whole = Format::Wav {
        depth: WavDepth::Int16,
    };
    let decoded = decode_bytes(&floats).unwrap();
    run_to_bytes(decoded, Vec::new(), whole).unwrap().1
}

#[test]
fn what_was_kept_is_read_again_and_again_and_never_decoded_again() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("kept");
    let no_limits = Limits::default();
    for is_float in [false, true] {
        let bytes = recording(is_float);
        let expected = halved(decode_bytes(&bytes).unwrap(), Vec::new());
        let decoded = decode_and_keep(file_of(&bytes), &no_limits, None, &to, &mut |_| {}).unwrap();
        let stages = lookers(&decoded);
        let decoded = look_on(decoded, stages, dir.path(), &mut |_| {}).unwrap();
        let told = serde_json::to_vec(&decoded.kept()).unwrap();
        drop(decoded);
        let kept: KeptRecording = serde_json::from_slice(&told).unwrap();
        // Whole numbers wait where they are.
        assert_eq!(kept.is_recording(), !is_float);
        assert_eq!(Path::exists(&to), is_float);
        // Again, as after a step that failed.
        for _ in 0..2 {
            let file = match is_float {
                true => File::open(&to).unwrap(),
                false => file_of(&bytes),
            };
            let again = kept.clone().open(file);
            assert_eq!(again.frames, FRAMES as u64);
            assert!(halved(again, Vec::new()) == expected);
        }
    }
}

#[test]
fn who_only_looks_sees_all_of_it_and_has_no_part_in_what_comes_of_it() {
    let bytes = recording(true);
    let decoded = || decode_bytes(&bytes).unwrap();
    let seen = decoded();
    let before = lookers(&seen);
    assert!(halved(seen, before) == halved(decoded(), Vec::new()));
    let refused = look_on(
        decoded(),
        vec![Box::new(Half)],
        &std::env::temp_dir(),
        &mut |_| {},
    );
    assert!(refused.unwrap_err().to_string().contains("more than look"));
}
