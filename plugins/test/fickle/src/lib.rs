//! A guest for the conformance kit's tests that no SDK would let through: it says something else of
//! itself each time it is asked, and promises what it does not keep.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};

use retake_plugin_sdk::bindings::{
    exports::retake::correction::corrector::{Guest, GuestSession, Session},
    retake::correction::{host_log, types as wit},
};

thread_local! {
    static DESCRIBED: Cell<u32> = const { Cell::new(0) };
}

const WHIMS: [&str; 6] = [
    "none",
    "described",
    "cut-unsaid",
    "lengthen",
    "loud",
    "panic",
];

pub struct Fickle;

pub struct Open {
    whim: String,
    channels: usize,
    measured: RefCell<Vec<wit::Measurement>>,
}

impl Guest for Fickle {
    type Session = Open;

    /// Honest the first time, which is when it is installed.
    fn describe() -> wit::Manifest {
        let times = DESCRIBED.get() + 1;
        DESCRIBED.set(times);
        if times > 1 {
            host_log::log(host_log::Level::Info, "not again");
        }
        let choice = |id: &&str| wit::Choice {
            id: (*id).into(),
            label: (*id).into(),
        };
        wit::Manifest {
            id: "org.retake.test.fickle".into(),
            name: "Fickle".into(),
            version: format!("1.0.{times}"),
            vendor: String::new(),
            summary: String::new(),
            license: String::new(),
            params: vec![wit::Param {
                id: "whim".into(),
                label: "Whim".into(),
                help: String::new(),
                unit: "mood".into(),
                group: String::new(),
                kind: wit::ParamKind::Choice(wit::ChoiceRange {
                    choices: WHIMS.iter().map(choice).collect(),
                    default: "none".into(),
                }),
            }],
            passes: wit::Passes::PROCESS,
            channels: wit::ChannelUse::Linked,
            max_channels: 0,
            sample_rates: vec![],
            block_quantum: 1,
            extras: vec![
                ("length".into(), "may-shorten".into()),
                ("level-change-db".into(), "-1..1".into()),
            ],
        }
    }
}

impl GuestSession for Open {
    fn open(spec: wit::StreamSpec, params: Vec<wit::Setting>) -> Result<Session, wit::PluginError> {
        let whim = match params.into_iter().next().map(|setting| setting.value) {
            Some(wit::Value::Text(whim)) => whim,
            _ => "none".into(),
        };
        assert!(whim != "panic", "in no mood for this");
        Ok(Session::new(Self {
            whim,
            channels: spec.channels as usize,
            measured: RefCell::default(),
        }))
    }

    fn latency(&self) -> u32 {
        0
    }

    fn analyze(&self, _: wit::Block) -> Result<(), wit::PluginError> {
        Ok(())
    }

    fn process(&self, mut block: wit::Block) -> Result<wit::Block, wit::PluginError> {
        let frames = block[0].len() as u64;
        let is_first = self.measured.borrow().is_empty();
        match self.whim.as_str() {
            "described" if DESCRIBED.get() > 0 => scale(&mut block, 0.5),
            "loud" => scale(&mut block, 4.0),
            "lengthen" => block.iter_mut().for_each(|channel| channel.push(0.0)),
            // Honest: the first 100 frames are cut, and said to be.
            "none" if frames >= 100 && is_first => {
                block
                    .iter_mut()
                    .for_each(|channel| drop(channel.drain(..100)));
                self.measured.borrow_mut().push(cut(100));
            }
            "cut-unsaid" => block
                .iter_mut()
                .for_each(|channel| channel.truncate(frames as usize - 1)),
            _ => {}
        }
        Ok(block)
    }

    fn drain(&self, _: u32) -> Result<wit::Block, wit::PluginError> {
        Ok(vec![Vec::new(); self.channels])
    }

    fn report(&self) -> wit::Report {
        wit::Report {
            measurements: self.measured.take(),
            curves: vec![],
        }
    }
}

fn scale(block: &mut wit::Block, factor: f32) {
    block
        .iter_mut()
        .flatten()
        .for_each(|sample| *sample *= factor);
}

fn cut(frames: u64) -> wit::Measurement {
    wit::Measurement {
        id: "cut".into(),
        label: "Cut".into(),
        unit: String::new(),
        value: wit::Value::Toggle(true),
        channel: None,
        span: Some(wit::Span { start: 0, frames }),
    }
}

#[cfg(target_arch = "wasm32")]
const _: () = {
    use retake_plugin_sdk::bindings;
    bindings::export_raw!(Fickle with_types_in bindings);
};
