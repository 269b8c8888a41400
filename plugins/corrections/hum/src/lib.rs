//! Takes mains hum out: the tone of the power line at 50 or 60 Hz and its harmonics.
//!
//! Two passes. The first looks at long spectra for a comb of lines that stand out of their
//! neighbourhood, finds its fundamental to a few millihertz and follows its drift. The second
//! measures each line's amplitude and phase over three seconds around every moment, trusting the
//! pauses and not the syllables (a robust mean: P. J. Huber, "Robust Statistics", 1981), and
//! subtracts exactly that sine. This is the interference canceller of B. Widrow et al., "Adaptive
//! noise cancelling: principles and applications" (Proc. IEEE 63, 1975), made to look ahead.
//!
//! Unlike a notch it does not ring, and a low voice that crosses 100 or 120 Hz keeps its
//! fundamental: what does not stand still for seconds is not hum. A recording in which no hum is
//! found passes unchanged, to the bit.
//!
//! Its limit: a musical tone held for seconds within half a hertz of a harmonic is taken for hum.

mod canceller;
mod line;

use canceller::Canceller;
use retake_mains::{Analysis, Finding, HARMONICS_MAX, Mains};
use retake_plugin_sdk::prelude::*;

const MAINS: ChoiceParam = ChoiceParam::new(
    "mains",
    "Mains",
    &[("auto", "Find out"), ("50", "50 Hz"), ("60", "60 Hz")],
    "auto",
)
.help("The power line's frequency where it was recorded: 60 Hz in the Americas and parts of Asia, else 50 Hz. The exact value is measured.");
const HARMONICS: IntParam = IntParam::new("harmonics", "Harmonics", 1, HARMONICS_MAX, 30)
    .help("How many multiples of the mains frequency are looked for. Only those that are there are removed; a buzz has many.");
const PROMINENCE_DB: FloatParam =
    FloatParam::new("prominence-db", "Prominence", 9.0, 30.0, 12.0)
        .unit("dB")
        .step(1.0)
        .help("How far a line must stand out of its neighbourhood, over 8 s, to count as hum. Lower finds fainter hum.");

pub struct Hum {
    sample_rate: u32,
    analysis: Analysis,
    /// Made after the first pass.
    work: Option<Work>,
}

enum Work {
    /// No hum: every block goes out as it came.
    Nothing,
    Cancel(Box<Canceller>),
}

impl Corrector for Hum {
    const FACTS: Facts = Facts {
        id: "org.retake.hum",
        name: "Hum",
        version: env!("CARGO_PKG_VERSION"),
        vendor: "Retake",
        summary: "Finds the hum of the power line and its harmonics and subtracts them.",
        license: "MIT OR Apache-2.0",
        analyzes: true,
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&MAINS, &HARMONICS, &PROMINENCE_DB];

    fn open(stream: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let candidates: &[Mains] = match settings.get(&MAINS) {
            "50" => &[Mains::Hz50],
            "60" => &[Mains::Hz60],
            _ => &[Mains::Hz50, Mains::Hz60],
        };
        let prominence = 10f64.powf(settings.get(&PROMINENCE_DB) / 10.0);
        let harmonics = settings.get(&HARMONICS) as usize;
        Ok(Self {
            sample_rate: stream.sample_rate,
            analysis: Analysis::new(stream.sample_rate, candidates, harmonics, prominence),
            work: None,
        })
    }

    fn analyze(&mut self, block: &Block) -> Result<(), Refusal> {
        self.analysis.add(&block[0]);
        Ok(())
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        let work = self
            .work
            .get_or_insert_with(|| match self.analysis.finish() {
                Some(finding) => Work::Cancel(Box::new(Canceller::new(self.sample_rate, finding))),
                None => Work::Nothing,
            });
        if let Work::Cancel(canceller) = work {
            canceller.push(&block[0]);
            block[0] = canceller.take(usize::MAX);
        }
        Ok(block)
    }

    fn drain(&mut self, max_frames: usize) -> Result<Block, Refusal> {
        let Some(Work::Cancel(canceller)) = &mut self.work else {
            return Ok(Block::new());
        };
        canceller.end();
        Ok(vec![canceller.take(max_frames)])
    }

    fn report(&mut self) -> Report {
        match &self.work {
            None => Report::default(),
            Some(Work::Nothing) => Report::default().text("mains", "Hum", "none found"),
            Some(Work::Cancel(canceller)) => told(canceller),
        }
    }
}

/// What was found, and the level of each line before it was taken out.
fn told(canceller: &Canceller) -> Report {
    let finding: &Finding = canceller.finding();
    let (lowest_hz, highest_hz) = finding.range_hz();
    let mut report = Report::default()
        .text("mains", "Hum", finding.mains.words())
        .number("frequency", "Mains frequency", "Hz", finding.median_hz())
        .number("frequency-lowest", "Lowest it went", "Hz", lowest_hz)
        .number("frequency-highest", "Highest it went", "Hz", highest_hz)
        .number("hum", "Hum before", "dBFS", canceller.removed_db());
    for (harmonic, level_db) in canceller.levels_db() {
        let id = format!("harmonic-{harmonic}");
        let hz = finding.median_hz() * harmonic as f64;
        let label = format!("Harmonic {harmonic} before, at {hz:.1} Hz");
        report = report.number(&id, &label, "dBFS", level_db);
    }
    let (frames_per_point, points) = canceller.curve_db();
    report.curve("hum", "Hum removed", "dBFS", frames_per_point, points)
}

register!(Hum);

#[cfg(test)]
mod tests;
