//! Between the generated bindings and [`Corrector`]: used through [`crate::register!`].

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::exports::retake::correction::corrector::{Guest, GuestSession, Session};
use crate::bindings::retake::correction::types as wit;
use crate::corrector::{ChannelUse, Corrector, Facts, Refusal, Settings, Stream};
use crate::log::log_panics;

/// A [`Corrector`] as the contract wants it.
pub struct Plugin<C>(PhantomData<C>);

/// An open stream. The contract's methods take `&self`; calls never overlap, so the cell never
/// refuses.
pub struct Open<C> {
    corrector: RefCell<C>,
    channels: usize,
}

impl<C: Corrector> Guest for Plugin<C> {
    type Session = Open<C>;

    fn describe() -> wit::Manifest {
        log_panics();
        let facts = C::FACTS;
        let mut passes = wit::Passes::empty();
        if facts.analyzes {
            passes |= wit::Passes::ANALYZE;
        }
        if facts.processes {
            passes |= wit::Passes::PROCESS;
        }
        wit::Manifest {
            id: facts.id.into(),
            name: facts.name.into(),
            version: facts.version.into(),
            vendor: facts.vendor.into(),
            summary: facts.summary.into(),
            license: facts.license.into(),
            params: C::PARAMS.iter().map(|param| param.declare()).collect(),
            passes,
            channels: match facts.channels {
                ChannelUse::Independent => wit::ChannelUse::Independent,
                ChannelUse::Linked => wit::ChannelUse::Linked,
            },
            max_channels: facts.max_channels,
            sample_rates: facts.sample_rates.to_vec(),
            block_quantum: facts.block_quantum,
            extras: extras(&facts),
        }
    }
}

impl<C: Corrector> GuestSession for Open<C> {
    fn open(spec: wit::StreamSpec, params: Vec<wit::Setting>) -> Result<Session, wit::PluginError> {
        log_panics();
        let stream = Stream {
            sample_rate: spec.sample_rate,
            channels: spec.channels,
            max_block_frames: spec.max_block_frames,
            total_frames: spec.total_frames,
            seed: spec.seed,
        };
        let corrector = C::open(&stream, &Settings::new(params)).map_err(plugin_error)?;
        let open = Self {
            corrector: RefCell::new(corrector),
            channels: spec.channels as usize,
        };
        Ok(Session::new(open))
    }

    fn latency(&self) -> u32 {
        self.corrector.borrow().latency_frames()
    }

    fn analyze(&self, input: wit::Block) -> Result<(), wit::PluginError> {
        self.corrector
            .borrow_mut()
            .analyze(&input)
            .map_err(plugin_error)
    }

    fn process(&self, input: wit::Block) -> Result<wit::Block, wit::PluginError> {
        let output = self
            .corrector
            .borrow_mut()
            .process(input)
            .map_err(plugin_error)?;
        Ok(self.shaped(output))
    }

    fn drain(&self, max_frames: u32) -> Result<wit::Block, wit::PluginError> {
        let output = self
            .corrector
            .borrow_mut()
            .drain(max_frames as usize)
            .map_err(plugin_error)?;
        Ok(self.shaped(output))
    }

    fn report(&self) -> wit::Report {
        let report = self.corrector.borrow_mut().report();
        wit::Report {
            measurements: report.measurements,
            curves: report.curves,
        }
    }
}

impl<C> Open<C> {
    /// Lets a corrector write "nothing" as an empty block, whatever the channel count.
    fn shaped(&self, block: wit::Block) -> wit::Block {
        if block.is_empty() {
            vec![Vec::new(); self.channels]
        } else {
            block
        }
    }
}

/// Typed facts and untyped ones, as the contract has them.
fn extras(facts: &Facts) -> Vec<(String, String)> {
    let length = facts
        .may_shorten
        .then(|| ("length".to_owned(), "may-shorten".to_owned()));
    let promise = facts
        .level_change_db
        .map(|(min, max)| ("level-change-db".to_owned(), format!("{min}..{max}")));
    let others = facts
        .extras
        .iter()
        .map(|&(key, value)| (key.into(), value.into()));
    length.into_iter().chain(promise).chain(others).collect()
}

fn plugin_error(refusal: Refusal) -> wit::PluginError {
    wit::PluginError {
        kind: refusal.kind,
        message: refusal.message,
        param: refusal.param.map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_become_extras_in_the_form_the_host_reads() {
        assert_eq!(extras(&Facts::DEFAULT), []);
        let facts = Facts {
            level_change_db: Some((-60.0, 24.5)),
            extras: &[("homepage", "https://example.org")],
            ..Facts::DEFAULT
        };
        let expected = [
            ("level-change-db", "-60..24.5"),
            ("homepage", "https://example.org"),
        ];
        assert_eq!(extras(&facts), expected.map(|(k, v)| (k.into(), v.into())));
    }
}
