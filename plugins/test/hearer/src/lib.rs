//! A guest for the host's tests: it tells what it hears of the steps before it, and gives those after
//! it something to hear.

use retake_plugin_sdk::{earlier, prelude::*};

pub struct Hearer {
    rate: u64,
    in_open: String,
    in_analyze: Option<String>,
    in_process: Option<String>,
}

impl Corrector for Hearer {
    const FACTS: Facts = Facts {
        id: "org.retake.test.hearer",
        name: "Hearer",
        version: env!("CARGO_PKG_VERSION"),
        analyzes: true,
        channels: ChannelUse::Linked,
        sample_rates: &[16_000],
        ..Facts::DEFAULT
    };

    fn open(stream: &Stream, _settings: &Settings) -> Result<Self, Refusal> {
        Ok(Self {
            rate: stream.sample_rate.into(),
            in_open: heard(),
            in_analyze: None,
            in_process: None,
        })
    }

    fn analyze(&mut self, _block: &Block) -> Result<(), Refusal> {
        // What is heard never changes before the first `process`.
        let now = heard();
        let first = self.in_analyze.get_or_insert_with(|| now.clone());
        assert_eq!(*first, now);
        Ok(())
    }

    fn process(&mut self, block: Block) -> Result<Block, Refusal> {
        let now = heard();
        let first = self.in_process.get_or_insert_with(|| now.clone());
        assert_eq!(*first, now);
        Ok(block)
    }

    /// A span from a quarter of a second to half a second, and a curve of ten points a second that counts
    /// them.
    fn report(&mut self) -> Report {
        let quarter = self.rate / 4;
        let when = |heard: &Option<String>| heard.clone().unwrap_or_default();
        Report::default()
            .text("open", "In open", &self.in_open)
            .text("analyze", "In analyze", &when(&self.in_analyze))
            .text("process", "In process", &when(&self.in_process))
            .count("mark", "Mark", "", 1)
            .at(quarter, quarter)
            .curve(
                "tenths",
                "Tenths",
                "",
                self.rate as f64 / 10.0,
                (0..10u8).map(f32::from).collect(),
            )
    }
}

/// Each step's plugin, the spans of its marks, and its curve.
fn heard() -> String {
    let told = earlier::reports().into_iter().map(|step| {
        let name = step.plugin.rsplit('.').next().unwrap_or_default();
        let spans: Vec<_> = step.report.spans("mark");
        let points = step.report.points("tenths");
        let frames = step.report.get("frames");
        format!("{name} {} {spans:?} {points:?} {frames:?}", step.version)
    });
    told.collect::<Vec<_>>().join("; ")
}

register!(Hearer);
