//! The script of faults, and the list of what arrived. Each correction asked for, by either
//! transport, takes the next fault off the script; with the script empty it is answered properly.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use serde::{Deserialize, Serialize};

/// Oldest entries of the list of requests go first; the count goes on.
const REQUESTS_KEPT: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// This status and a problem, after the whole request was read.
    Status {
        status: u16,
        retry_after_s: Option<u64>,
    },
    /// A proper answer, that much later.
    Slow { ms: u64 },
    /// The answer's first bytes, then the connection is dropped.
    Cut { after_bytes: u64 },
    /// The answer's first bytes, then silence on an open connection.
    Stall { after_bytes: u64 },
    /// 200, and bytes that are not audio.
    Garbage,
    /// A proper answer that is so many frames longer, or shorter.
    WrongLength { frames: i64 },
    /// The request is read, and nothing is ever answered.
    Hang,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    pub faults: Vec<Fault>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Request {
    pub transport: Transport,
    /// Bytes of audio that arrived.
    pub bytes: u64,
    /// `corrected`, or the fault's kind, or the problem that was found.
    pub answer: String,
    /// As it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// The request's, if it has one.
pub(crate) fn traceparent(headers: &http::HeaderMap) -> Option<String> {
    let value = headers.get("traceparent")?;
    value.to_str().ok().map(str::to_owned)
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Transport {
    Rest,
    Websocket,
}

#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Fault>,
    count: u64,
    requests: VecDeque<Request>,
}

/// What `GET /v1/requests` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Requests {
    /// Corrections asked for since the start, those under way included.
    count: u64,
    /// Those that were answered or given up, oldest first.
    requests: Vec<Request>,
}

impl Faults {
    /// Replaces what is left of the script.
    pub fn write(&self, script: Script) {
        self.state().script = script.faults.into();
    }

    /// Counts a request, and takes its fault off the script.
    pub fn next(&self) -> Option<Fault> {
        let mut state = self.state();
        state.count += 1;
        state.script.pop_front()
    }

    pub fn note(&self, request: Request) {
        let mut state = self.state();
        if state.requests.len() == REQUESTS_KEPT {
            state.requests.pop_front();
        }
        state.requests.push_back(request);
    }

    pub fn requests(&self) -> Requests {
        let state = self.state();
        Requests {
            count: state.count,
            requests: state.requests.iter().cloned().collect(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while it is held")
    }
}

impl Fault {
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Status { .. } => "status",
            Fault::Slow { .. } => "slow",
            Fault::Cut { .. } => "cut",
            Fault::Stall { .. } => "stall",
            Fault::Garbage => "garbage",
            Fault::WrongLength { .. } => "wrong_length",
            Fault::Hang => "hang",
        }
    }
}
