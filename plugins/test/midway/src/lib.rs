//! A guest for the conformance kit's tests that behaves at its defaults and at every end of its
//! parameters, and only there: each fault needs values in between.

use retake_plugin_sdk::prelude::*;

const FAULT: ChoiceParam = ChoiceParam::new(
    "fault",
    "Fault",
    &[
        ("none", "None"),
        ("trap", "Panic around half the amount"),
        ("nan", "Overflow around half the count"),
        ("edges", "Fade in every block around half the amount"),
        ("lose", "Lose a frame around half the amount"),
        ("loud", "Four times as loud around half the amount"),
        ("pair", "Panic where amount, count and switch come together"),
        ("moody", "Refuse short blocks around half the amount"),
    ],
    "none",
);
const AMOUNT: FloatParam = FloatParam::new("amount", "Amount", 0.0, 1.0, 0.0);
const COUNT: IntParam = IntParam::new("count", "Count", 0, 1_000, 0);
const SWITCH: ToggleParam = ToggleParam::new("switch", "Switch", false);

pub struct Midway {
    fault: &'static str,
    has_lost: bool,
}

impl Corrector for Midway {
    const FACTS: Facts = Facts {
        id: "org.retake.test.midway",
        name: "Midway",
        version: env!("CARGO_PKG_VERSION"),
        channels: ChannelUse::Linked,
        extras: &[("level-change-db", "-1..1")],
        ..Facts::DEFAULT
    };
    const PARAMS: Params = &[&FAULT, &AMOUNT, &COUNT, &SWITCH];

    fn open(_: &Stream, settings: &Settings) -> Result<Self, Refusal> {
        let amount = settings.get(&AMOUNT);
        let count = settings.get(&COUNT);
        let (amount_is, count_is) = ((0.4..0.6).contains(&amount), (400..600).contains(&count));
        let together =
            (0.2..0.8).contains(&amount) && (200..800).contains(&count) && settings.get(&SWITCH);
        let fault = settings.get(&FAULT);
        let is_there = match fault {
            "nan" => count_is,
            "pair" => together,
            _ => amount_is,
        };
        let fault = if is_there { fault } else { "none" };
        assert!(!matches!(fault, "trap" | "pair"), "nobody goes here");
        Ok(Self {
            fault,
            has_lost: false,
        })
    }

    fn process(&mut self, mut block: Block) -> Result<Block, Refusal> {
        if self.fault == "moody" && block[0].len() < 100 {
            return Err(Refusal::stream("that is hardly worth a call"));
        }
        let loses = self.fault == "lose" && !self.has_lost;
        self.has_lost |= loses;
        for samples in &mut block {
            match self.fault {
                "nan" => samples[0] = f32::INFINITY,
                "edges" => samples[0] *= 0.5,
                "loud" => samples.iter_mut().for_each(|s| *s *= 4.0),
                "lose" if loses => drop(samples.pop()),
                _ => {}
            }
        }
        Ok(block)
    }
}

register!(Midway);
