//! Stages: what they see, what holds them to their word, and whose fault it is.
#![allow(clippy::unwrap_used)]

mod signals;

use std::io::{Read, Seek};

use retake_audio::{
    BLOCK_FRAMES, Block, Emit, Format, Progress, RunError, Stage, StageError, Tags, WavDepth, run,
};
use signals::{Tap, decode_bytes, decoded_from, noise, run_to_bytes, samples};

const FLOAT: Format = Format::Wav {
    depth: WavDepth::Float32,
};

/// Emits in odd pieces, a little late, what it was given.
struct Dawdler {
    held: Block,
    piece: usize,
}

impl Stage for Dawdler {
    fn name(&self) -> &str {
        "dawdler"
    }

    fn analyzes(&self) -> bool {
        false
    }

    fn analyze(&mut self, _: &Block) -> Result<(), StageError> {
        unreachable!("it does not analyze")
    }

    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        if self.held.channels() == 0 {
            self.held.reset(block.channels());
        }
        self.held.append(block);
        let mut piece = Block::new(block.channels());
        while self.held.frames() > 2 * self.piece {
            piece.clear();
            piece.append_range(&self.held, 0..self.piece);
            self.held.drop_front(self.piece);
            emit(&piece)?;
        }
        Ok(())
    }

    fn finish(&mut self, emit: &mut Emit<'_>) -> Result<(), StageError> {
        emit(&self.held)
    }
}

fn peak_of(block: &Block) -> f32 {
    block.samples().fold(0.0, |peak, x| peak.max(x.abs()))
}

/// Scales by what it finds to be the peak of the whole input.
#[derive(Default)]
struct PeakNormalizer {
    peak: f32,
    frames_analyzed: usize,
    frames_processed: usize,
}

impl Stage for PeakNormalizer {
    fn name(&self) -> &str {
        "normalizer"
    }

    fn analyzes(&self) -> bool {
        true
    }

    fn analyze(&mut self, block: &Block) -> Result<(), StageError> {
        assert_eq!(self.frames_processed, 0, "analysis comes first");
        assert!((1..=BLOCK_FRAMES).contains(&block.frames()));
        self.frames_analyzed += block.frames();
        self.peak = self.peak.max(peak_of(block));
        Ok(())
    }

    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        self.frames_processed += block.frames();
        let mut block = block.clone();
        block.samples_mut().for_each(|x| *x /= self.peak);
        emit(&block)
    }

    fn finish(&mut self, _: &mut Emit<'_>) -> Result<(), StageError> {
        assert_eq!(self.frames_analyzed, self.frames_processed);
        Ok(())
    }
}

/// Emits what a function makes of each block; the function sees the number of frames before it.
struct Rogue<F> {
    frames: usize,
    act: F,
}

fn rogue<F>(act: F) -> Box<dyn Stage>
where
    F: FnMut(usize, Block) -> Result<Block, StageError> + Send + 'static,
{
    Box::new(Rogue { frames: 0, act })
}

impl<F: FnMut(usize, Block) -> Result<Block, StageError> + Send> Stage for Rogue<F> {
    fn name(&self) -> &str {
        "rogue"
    }

    fn analyzes(&self) -> bool {
        false
    }

    fn analyze(&mut self, _: &Block) -> Result<(), StageError> {
        unreachable!("it does not analyze")
    }

    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        let acted = (self.act)(self.frames, block.clone())?;
        self.frames += block.frames();
        emit(&acted)
    }

    fn finish(&mut self, _: &mut Emit<'_>) -> Result<(), StageError> {
        Ok(())
    }
}

#[test]
fn without_stages_the_samples_come_out_as_they_went_in() {
    for frames in [
        1,
        2,
        BLOCK_FRAMES - 1,
        BLOCK_FRAMES,
        BLOCK_FRAMES + 1,
        50_000,
    ] {
        for channels in [1, 2, 8] {
            let signal = noise(channels, frames, 0.8, 4);
            let (finished, bytes) =
                run_to_bytes(decoded_from(48_000, &signal), Vec::new(), FLOAT).unwrap();
            assert_eq!(finished.frames, frames as u64);
            assert!(samples(decode_bytes(&bytes).unwrap()) == signal);
        }
    }
}

#[test]
fn the_output_does_not_depend_on_how_stages_cut_it() {
    let signal = noise(2, 60_000, 0.5, 11);
    for piece in [1usize, 997, 4_800, 20_000] {
        let stages: Vec<Box<dyn Stage>> = vec![
            Box::new(Dawdler {
                held: Block::default(),
                piece,
            }),
            Box::new(PeakNormalizer::default()),
            Box::new(Dawdler {
                held: Block::default(),
                piece: piece + 3,
            }),
        ];
        let signal = if piece == 1 {
            noise(2, 9_000, 0.5, 11)
        } else {
            signal.clone()
        };
        let peak = peak_of(&signal);
        let (_, bytes) = run_to_bytes(decoded_from(48_000, &signal), stages, FLOAT).unwrap();
        let mut expected = signal;
        expected.samples_mut().for_each(|x| *x /= peak);
        assert!(
            samples(decode_bytes(&bytes).unwrap()) == expected,
            "pieces of {piece}"
        );
    }
}

#[test]
fn each_analyzing_stage_sees_the_whole_output_of_those_before_it() {
    let signal = noise(2, 30_000, 0.25, 6);
    let halve = rogue(|_, mut block| {
        block.samples_mut().for_each(|x| *x *= 0.5);
        Ok(block)
    });
    let tap = Tap::default();
    let seen = tap.seen.clone();
    let stages: Vec<Box<dyn Stage>> = vec![
        Box::new(PeakNormalizer::default()),
        halve,
        Box::new(PeakNormalizer::default()),
        Box::new(tap),
    ];
    let decoded = decoded_from(44_100, &signal);
    let mut heard: Vec<Progress> = Vec::new();
    let out = tempfile::tempfile().unwrap();
    let dir = std::env::temp_dir();
    let finished = run(
        decoded,
        stages,
        FLOAT,
        &Tags::default,
        out,
        &dir,
        &mut |p| heard.push(p),
    )
    .unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.frames(), 30_000);
    assert_eq!(peak_of(&seen), 1.0);
    assert_eq!(finished.measured.measurement.sample_peak_dbfs, Some(0.0));

    assert!(heard.is_sorted_by(|a, b| a.fraction <= b.fraction));
    assert_eq!(heard.last().unwrap().fraction, 1.0);
    let mut stages: Vec<_> = heard.iter().map(|p| p.stage).collect();
    stages.dedup();
    assert_eq!(stages, [Some(0), Some(2), Some(3)]);
}

fn check_broken(
    act: impl FnMut(usize, Block) -> Result<Block, StageError> + Send + 'static,
    says: &str,
) {
    let signal = noise(2, 20_000, 0.5, 1);
    let stages = vec![
        Box::new(Tap::default()) as Box<dyn Stage>,
        rogue(act),
        Box::new(Tap::default()),
    ];
    match run_to_bytes(decoded_from(48_000, &signal), stages, FLOAT) {
        Err(RunError::Stage {
            index: 1,
            name,
            source: StageError::Crashed { message },
        }) => {
            assert_eq!(name, "rogue");
            assert_eq!(message, says);
        }
        other => panic!("{says}: {:?}", other.map(|_| ())),
    }
}

#[test]
fn a_stage_that_breaks_its_word_is_named_with_what_it_did_and_where() {
    check_broken(
        |at, mut block| {
            if at >= 9_600 {
                block.plane_mut(1)[7] = f32::NAN;
            }
            Ok(block)
        },
        "rogue returned NaN at frame 9607 of channel 1",
    );
    check_broken(
        |at, block| {
            let kept = block.planes().take(if at > 0 { 1 } else { 2 });
            Ok(Block::from_planes(kept.map(<[f32]>::to_vec).collect()).unwrap())
        },
        "rogue returned 1 channels instead of 2 at frame 4800",
    );
    check_broken(
        |_, mut block| {
            block.resize(block.frames() + 1);
            Ok(block)
        },
        "rogue returned more than the 20000 frames it was given",
    );
    check_broken(
        |_, mut block| {
            block.resize(block.frames().min(100));
            Ok(block)
        },
        "rogue returned 500 frames and was given 20000",
    );
}

/// Keeps only the frames whose first channel is over the threshold.
struct Keeper {
    threshold: f32,
}

impl Stage for Keeper {
    fn name(&self) -> &str {
        "keeper"
    }

    fn analyzes(&self) -> bool {
        false
    }

    fn analyze(&mut self, _: &Block) -> Result<(), StageError> {
        unreachable!("it does not analyze")
    }

    fn shortens(&self) -> bool {
        true
    }

    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        emit(&kept(block, self.threshold))
    }

    fn finish(&mut self, _: &mut Emit<'_>) -> Result<(), StageError> {
        Ok(())
    }
}

fn kept(block: &Block, threshold: f32) -> Block {
    let first = block.plane(0);
    let mut kept = Block::new(block.channels());
    kept.append_with(|channel, plane| {
        let frames = block.plane(channel).iter().zip(first);
        plane.extend(
            frames
                .filter(|(_, first)| **first > threshold)
                .map(|(x, _)| x),
        );
    });
    kept
}

#[test]
fn a_stage_that_shortens_gives_an_output_of_what_it_left() {
    let signal = noise(2, 50_001, 0.5, 5);
    let expected = kept(&signal, 0.0);
    assert!((20_000..30_000).contains(&expected.frames()));
    let stages: Vec<Box<dyn Stage>> = vec![
        Box::new(Tap::default()),
        Box::new(Keeper { threshold: 0.0 }),
    ];
    let mut heard: Vec<Progress> = Vec::new();
    let mut out = tempfile::tempfile().unwrap();
    let into = out.try_clone().unwrap();
    let dir = std::env::temp_dir();
    let decoded = decoded_from(48_000, &signal);
    let finished = run(
        decoded,
        stages,
        FLOAT,
        &Tags::default,
        into,
        &dir,
        &mut |p| heard.push(p),
    )
    .unwrap();
    let mut bytes = Vec::new();
    out.rewind().unwrap();
    out.read_to_end(&mut bytes).unwrap();
    assert_eq!(finished.frames, expected.frames() as u64);
    assert_eq!(finished.measured.measurement.frames, finished.frames);
    assert!(samples(decode_bytes(&bytes).unwrap()) == expected);
    assert!(heard.is_sorted_by(|a, b| a.fraction <= b.fraction));
    assert_eq!(heard.last().unwrap().fraction, 1.0);
}

#[test]
fn a_stage_that_shortens_leaves_something_and_is_the_last() {
    let signal = noise(2, 20_000, 0.5, 1);
    let check = |stages: Vec<Box<dyn Stage>>, says: &str| match run_to_bytes(
        decoded_from(48_000, &signal),
        stages,
        FLOAT,
    ) {
        Err(RunError::Stage {
            index: 0,
            source: StageError::Crashed { message },
            ..
        }) => assert_eq!(message, says),
        other => panic!("{says}: {:?}", other.map(|_| ())),
    };
    check(
        vec![Box::new(Keeper { threshold: 2.0 })],
        "keeper left nothing of the 20000 frames it was given",
    );
    check(
        vec![
            Box::new(Keeper { threshold: 0.0 }),
            Box::new(Tap::default()),
        ],
        "it shortens, and is not the last of its run",
    );
}

#[test]
fn a_refusal_comes_back_as_it_was_said_and_not_as_its_consequences() {
    let refuse = |at: usize, block: Block| {
        if at < 9_600 {
            return Ok(block);
        }
        Err(StageError::Refused {
            message: "too loud".into(),
            param: Some("gain".into()),
        })
    };
    let stages: Vec<Box<dyn Stage>> = vec![
        Box::new(Dawdler {
            held: Block::default(),
            piece: 500,
        }),
        Box::new(Tap::default()),
        rogue(refuse),
        Box::new(PeakNormalizer::default()),
    ];
    let decoded = decoded_from(48_000, &noise(1, 100_000, 0.5, 2));
    match run_to_bytes(decoded, stages, FLOAT) {
        Err(RunError::Stage {
            index: 2,
            source: StageError::Refused { message, param },
            ..
        }) => {
            assert_eq!(
                (message.as_str(), param.as_deref()),
                ("too loud", Some("gain"))
            );
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn a_full_disk_is_ours_and_not_a_stages() {
    // The file is not open for writing, which fails as a full disk does.
    let path = signals::fixture_path("chirp.opus");
    let out = std::fs::File::open(path).unwrap();
    let decoded = decoded_from(48_000, &noise(1, 100_000, 0.5, 2));
    let stages: Vec<Box<dyn Stage>> = vec![Box::new(Tap::default())];
    let ended = run(
        decoded,
        stages,
        FLOAT,
        &Tags::default,
        out,
        &std::env::temp_dir(),
        &mut |_| (),
    );
    assert!(matches!(ended, Err(RunError::Io(_))), "{ended:?}");
}
