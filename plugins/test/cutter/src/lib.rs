//! A guest for the host's tests: it cuts, and not always as it says.

use retake_plugin_sdk::prelude::*;

const DEED: ChoiceParam = ChoiceParam::new(
    "deed",
    "Deed",
    &[
        ("honest", "Cut every second stretch and say so"),
        ("late", "The same, all in drain, behind a latency"),
        ("nothing", "Cut nothing"),
        ("everything", "Cut everything and say so"),
        ("silent", "Cut and say nothing"),
        ("boast", "Cut nothing and report a cut"),
        ("lengthen", "Give back more than comes"),
    ],
    "honest",
);

/// Stretches of so many frames are kept and cut by turns.
const STRETCH: u64 = 1_000;
const LAG: u32 = 100;

pub struct Cutter {
    deed: &'static str,
    total: u64,
    seen: u64,
    held: Block,
}

impl Corrector for Cutter {
    const FACTS: Facts = Facts {
        id: "org.retake.test.cutter",
        name: "Cutter",
        version: env!("CARGO_PKG_VERSION"),
        channels: ChannelUse::Linked,
        sample_rates: &[16_000, 48_000],
        block_quantum: 64,
        may_shorten: true,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&DEED];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let deed = settings.get(&DEED);
        let lag = if deed == "late" { LAG } else { 0 };
        Ok(Self {
            deed,
            total: stream.total_frames,
            seen: 0,
            held: vec![vec![0.0; lag as usize]; stream.channels as usize],
        })
    }

    fn latency_frames(&self) -> u32 {
        if self.deed == "late" { LAG } else { 0 }
    }

    fn process(&mut self, block: Block) -> Result<Block, Refusal> {
        let kept: Vec<bool> = (self.seen..)
            .take(block[0].len())
            .map(|frame| frame < self.total && self.keeps(frame))
            .collect();
        self.seen += block[0].len() as u64;
        let mut output: Block = block
            .iter()
            .map(|channel| {
                let frames = channel.iter().zip(&kept);
                frames.filter_map(|(x, kept)| kept.then_some(*x)).collect()
            })
            .collect();
        match self.deed {
            "late" => {
                for (held, channel) in self.held.iter_mut().zip(output) {
                    held.extend(channel);
                }
                return Ok(Block::new());
            }
            "lengthen" => output.iter_mut().for_each(|channel| channel.push(0.0)),
            _ => {}
        }
        Ok(output)
    }

    fn drain(&mut self, max_frames: usize) -> Result<Block, Refusal> {
        let frames = max_frames.min(self.held[0].len());
        let drained = self.held.iter_mut().map(|held| held.drain(..frames));
        Ok(drained.map(Iterator::collect).collect())
    }

    fn report(&mut self) -> Report {
        let report = Report::default().count("frames", "Frames", "", self.total as i64);
        match self.deed {
            "silent" | "nothing" | "lengthen" => report,
            "boast" => report.cut(10, 10),
            "everything" => report.cut(0, self.total),
            _ => (STRETCH..self.total)
                .step_by(2 * STRETCH as usize)
                .fold(report, |report, start| {
                    report.cut(start, STRETCH.min(self.total - start))
                }),
        }
    }
}

impl Cutter {
    fn keeps(&self, frame: u64) -> bool {
        match self.deed {
            "everything" => false,
            "nothing" | "boast" | "lengthen" => true,
            _ => (frame / STRETCH).is_multiple_of(2),
        }
    }
}

register!(Cutter);
