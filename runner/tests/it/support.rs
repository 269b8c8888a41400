//! The real child, its false words, and steps that are prepared.

use std::path::Path;

use retake_chain::{InstalledPlugin, OnFailure, report::PluginRef};
use retake_child::ChildProgram;
use retake_findings::Code;
use retake_plugin_host::Cache;
use retake_plugin_manifest::Targets;
use retake_runner::{
    chain::{ChainReport, PreparedKind, PreparedStep},
    external::External,
};

pub use crate::stand_ins::*;

/// The child that users have as `retake child`.
pub fn real_child() -> ChildProgram {
    ChildProgram {
        program: env!("CARGO_BIN_EXE_retake-runner-child").into(),
        arguments: vec![],
    }
}

/// What a child says that has read its input.
pub const READ: &str = r#"echo '{"read":{"sample_rate":48000,"channels":2,"frames":48000}}'; "#;

/// What a person is told, as sentences; without what is told of the recordings themselves, which are
/// odd on purpose.
pub fn warned(report: &ChainReport) -> Vec<String> {
    let of_recording = [
        Code::DcOffset,
        Code::Clipped,
        Code::Silent,
        Code::NearSilence,
        Code::ChannelDead,
    ];
    let warnings = report.warnings().into_iter();
    let warnings = warnings.filter(|found| !of_recording.iter().any(|code| found.is(*code)));
    warnings.map(|found| found.message).collect()
}

/// The plugins that `make plugins` built, installed into `dir`.
pub fn installed(dir: &Path, names: &[&str]) -> Vec<InstalledPlugin> {
    let cache = Cache::open(dir).unwrap();
    let install = |name: &&str| {
        let installed = cache.install(&built(name)).unwrap();
        InstalledPlugin {
            manifest: installed.manifest.into(),
            digest: installed.digest,
            realtime_factor: None,
        }
    };
    names.iter().map(install).collect()
}

pub fn plugin_step(index: usize, name: &str) -> PreparedStep {
    let plugin = PluginRef {
        id: name.into(),
        version: "1.0.0".into(),
        digest: "0".repeat(64),
    };
    PreparedStep {
        index,
        written: index,
        name: name.to_owned(),
        kind: PreparedKind::Plugin {
            plugin,
            params: serde_json::Map::new(),
            realtime_factor: None,
            shortens: false,
            only_looks: false,
            targets: Targets::default(),
        },
        mix: 1.0,
        on_failure: OnFailure::Fail,
        delta: false,
        follow: false,
        recommended: false,
        spare: Default::default(),
    }
}

pub fn external_step(index: usize, external: External) -> PreparedStep {
    PreparedStep {
        index,
        written: index,
        name: external.name().to_owned(),
        kind: PreparedKind::External(external),
        mix: 1.0,
        on_failure: OnFailure::Fail,
        delta: false,
        follow: false,
        recommended: false,
        spare: Default::default(),
    }
}
