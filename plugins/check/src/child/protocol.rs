//! What parent and child say to each other: one request, then lines of JSON. Both ends are the same
//! program, so the shapes may change freely.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    bench::BenchReport,
    report::{Check, Cost},
};

/// A line from the child is never longer: details are cut before they are said.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// Nor is the request: a chain's parameters are limited to less by whoever takes them.
pub const REQUEST_BYTES_MAX: u64 = 1 << 20;
/// Bytes of one check's detail.
pub const DETAIL_BYTES_MAX: usize = 4 << 10;

#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    pub parent_pid: i32,
    pub part: Part,
    /// Ids of the checks to run; empty means all.
    pub only: Vec<String>,
    /// Parameters for every session but those of the checks that choose their own.
    pub params: Map<String, Value>,
    pub memory_bytes_max: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Compile the file into the cache.
    Install,
    /// Run what is in the cache under this digest.
    Run { digest: String },
    /// Measure what it costs.
    Bench { digest: String, install_ms: f64 },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A check begins; if nothing follows, it is the one that never came back.
    Began(String),
    Ended(Check),
    Installed {
        ms: f64,
    },
    Benched(Box<BenchReport>),
    Cost(Cost),
    /// The plugin cannot be measured, for this reason of its own.
    NotBenched(String),
    /// The parameters that were asked for are not the plugin's.
    BadParams(String),
    /// Ours: the cache, the engine.
    Trouble(String),
    Done,
}
