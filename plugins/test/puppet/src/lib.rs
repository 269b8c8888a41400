//! A guest for the host's tests: it does what its parameter says, and most of that breaks the
//! contract or tries the sandbox.

use std::collections::VecDeque;

use retake_plugin_sdk::prelude::*;

const DEED: ChoiceParam = ChoiceParam::new(
    "deed",
    "Deed",
    &[
        // Within the contract.
        ("nothing", "Give back what comes"),
        ("lag", "Lag by 777 frames and say so"),
        ("hoard", "Give nothing back before drain"),
        ("ragged", "Give back more or less than comes"),
        ("seed", "Give back the seed and the total length"),
        ("refuse", "Refuse the parameter in open"),
        ("fail", "Fail in process"),
        ("flood-log", "Log a megabyte"),
        ("odd-report", "Report what is no number"),
        // Within the contract too, and no correction.
        ("empty", "Return silence"),
        ("deafen", "Return everything a thousand times louder"),
        ("fade", "Return everything 20 dB quieter"),
        ("lose-half", "Return silence for every other half second"),
        ("offset", "Move everything off its middle"),
        // Against it.
        ("loop", "Loop for ever"),
        ("loop-open", "Loop for ever in open"),
        ("loop-latency", "Loop for ever when asked for the latency"),
        ("loop-analyze", "Loop for ever in analyze"),
        ("loop-drain", "Loop for ever in drain"),
        ("loop-report", "Loop for ever in report"),
        ("bomb", "Allocate without end"),
        ("recurse", "Call itself without end"),
        ("panic", "Panic"),
        ("panic-open", "Panic in open"),
        ("panic-analyze", "Panic in analyze"),
        ("panic-report", "Panic in report"),
        ("wild", "Write where nothing is"),
        ("nan", "Return a NaN"),
        ("infinity", "Return an infinity"),
        ("more-channels", "Return a channel too many"),
        ("fewer-channels", "Return a channel too few"),
        ("unequal", "Return channels of unequal length"),
        ("short", "Lose frames"),
        ("huge", "Return 64 MiB at once"),
        ("endless-latency", "State a latency of days"),
        ("flood-drain", "Drain more than it is asked for"),
    ],
    "nothing",
);

pub struct Puppet {
    deed: &'static str,
    stream: Stream,
    held: VecDeque<Vec<f32>>,
    blocks: usize,
    seen: u64,
}

const LAG: u32 = 777;

impl Corrector for Puppet {
    const FACTS: Facts = Facts {
        id: "org.retake.test.puppet",
        name: "Puppet",
        version: env!("CARGO_PKG_VERSION"),
        analyzes: true,
        channels: ChannelUse::Linked,
        max_channels: 2,
        // Fits no block the pipeline makes.
        block_quantum: 7,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&DEED];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let deed = settings.get(&DEED);
        match deed {
            "panic-open" => panic!("no stream is good enough"),
            "loop-open" => last_words("open"),
            "refuse" => return Err(Refusal::parameter(&DEED, "this deed is never done")),
            _ => {}
        }
        let lag = if deed == "lag" { LAG as usize } else { 0 };
        let held = (0..lag)
            .map(|_| vec![0.0; stream.channels as usize])
            .collect();
        Ok(Self {
            deed,
            stream: *stream,
            held,
            blocks: 0,
            seen: 0,
        })
    }

    fn latency_frames(&self) -> u32 {
        match self.deed {
            "lag" => LAG,
            "loop-latency" => last_words("latency"),
            "endless-latency" => u32::MAX,
            _ => 0,
        }
    }

    fn analyze(&mut self, _block: &Block) -> Result<(), Refusal> {
        match self.deed {
            "loop-analyze" => last_words("analyze"),
            "panic-analyze" => panic!("nothing to see"),
            _ => Ok(()),
        }
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        assert!(
            block[0].len().is_multiple_of(7),
            "the host gave {} frames",
            block[0].len()
        );
        assert!(block[0].len() <= self.stream.max_block_frames as usize);
        self.blocks += 1;
        match self.deed {
            "lag" => {
                self.hold(&block);
                return Ok(self.take(block[0].len()));
            }
            "hoard" => {
                self.hold(&block);
                return Ok(Block::new());
            }
            "ragged" => {
                self.hold(&block);
                let frames = [0, 5, 1_000, 100_000][self.blocks % 4];
                return Ok(self.take(frames));
            }
            "seed" => {
                block[0][0] = self.stream.seed as f32;
                block[0][1] = self.stream.total_frames as f32;
            }
            "flood-drain" | "loop-drain" => return Ok(Block::new()),
            "empty" => scale(&mut block, 0.0),
            "deafen" => scale(&mut block, 1_000.0),
            "fade" => scale(&mut block, 0.1),
            "lose-half" => {
                self.seen += block[0].len() as u64;
                if self.seen * 2 / u64::from(self.stream.sample_rate) % 2 == 1 {
                    scale(&mut block, 0.0);
                }
            }
            "offset" => block.iter_mut().flatten().for_each(|sample| *sample += 0.1),
            "fail" => return Err(Refusal::input("this sounds wrong\n\u{7}to me")),
            "flood-log" => (0..1024).for_each(|_| log::info(&"flood ".repeat(170))),
            "loop" => last_words("process"),
            "bomb" => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(vec![1u8; 1 << 20]);
                    std::hint::black_box(&hoard);
                }
            }
            "recurse" => {
                std::hint::black_box(recurse(1));
            }
            "panic" => {
                let frames = block[0].len();
                block[0][frames] = 1.0;
            }
            "wild" => wild(),
            "nan" => block[0][3] = f32::NAN,
            "infinity" => block[0][3] = f32::NEG_INFINITY,
            "more-channels" => block.push(block[0].clone()),
            "fewer-channels" => {
                block.pop();
            }
            "unequal" => {
                block[0].pop();
            }
            "short" => block.iter_mut().for_each(|channel| channel.truncate(3)),
            "huge" => block
                .iter_mut()
                .for_each(|channel| channel.resize(8 << 20, 0.0)),
            _ => {}
        }
        Ok(block)
    }

    fn drain(&mut self, max_frames: usize) -> Result<Block, Refusal> {
        if self.deed == "loop-drain" {
            last_words("drain");
        }
        if self.deed == "flood-drain" {
            return Ok(vec![
                vec![0.0; max_frames + 1];
                self.stream.channels as usize
            ]);
        }
        Ok(self.take(max_frames))
    }

    fn report(&mut self) -> Report {
        match self.deed {
            "panic-report" => panic!("nothing to report"),
            "loop-report" => last_words("report"),
            "odd-report" => Report::default()
                .number("nan", "No number", "dB", f64::NAN)
                .curve("curve", "No curve", "", 1.0, vec![1.0, f32::INFINITY])
                .text("words", "Words", "fine")
                .number("blocks", "Blocks", "", self.blocks as f64),
            _ => Report::default().count("blocks", "Blocks", "", self.blocks as i64),
        }
    }
}

impl Puppet {
    fn hold(&mut self, block: &Block) {
        for frame in 0..block[0].len() {
            self.held
                .push_back(block.iter().map(|channel| channel[frame]).collect());
        }
    }

    fn take(&mut self, frames: usize) -> Block {
        let mut block = vec![Vec::new(); self.stream.channels as usize];
        for frame in self.held.drain(..frames.min(self.held.len())) {
            for (channel, sample) in block.iter_mut().zip(frame) {
                channel.push(sample);
            }
        }
        block
    }
}

/// Says where it is and never comes back.
fn last_words(place: &str) -> ! {
    log::info(&format!("looping in {place}"));
    loop {
        std::hint::black_box(place);
    }
}

fn scale(block: &mut Block, factor: f32) {
    block
        .iter_mut()
        .flatten()
        .for_each(|sample| *sample *= factor);
}

#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    recurse(depth + 1) + frame[3]
}

/// Writes just below the end of what 32 bits can address: no memory of ours is that large.
#[allow(unsafe_code)]
fn wild() {
    let nowhere = std::hint::black_box(0xffff_fff0_usize) as *mut u32;
    // SAFETY: none. That it is not is the point: the sandbox must catch it.
    unsafe { nowhere.write_volatile(1) }
}

register!(Puppet);
