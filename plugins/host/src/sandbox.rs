//! One instance of a plugin: its memory, its log, and what its traps mean.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, ResourceLimiter, Store, Trap};

use crate::{
    bindings::{self, PluginPre, earlier_steps, host_log, stream_layout},
    limits,
    record::{Log, LogLine},
};

/// An instance. After a crash it answers no more calls.
pub struct Sandbox {
    store: Store<State>,
    plugin: bindings::Plugin,
}

/// What the host keeps for an instance.
pub struct State {
    log: Arc<Mutex<Log>>,
    /// Of the session that is being opened or is open.
    positions: Vec<u32>,
    earlier: Vec<earlier_steps::StepReport>,
    memory_bytes: usize,
    /// It asked for more memory than there is for it.
    memory_denied: bool,
}

/// Why an instance stopped, in words for the plugin's author and the person who ran the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash(String);

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub fn linker(engine: &Engine) -> Linker<State> {
    let mut linker = Linker::new(engine);
    bindings::Plugin::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
        .expect("the linker is empty");
    linker
}

impl Sandbox {
    /// What it says goes into `log`, from its start function on, and is there after a crash.
    pub fn new(pre: &PluginPre<State>, log: Arc<Mutex<Log>>) -> Result<Self, Crash> {
        let state = State {
            log,
            positions: Vec::new(),
            earlier: Vec::new(),
            memory_bytes: 0,
            memory_denied: false,
        };
        let mut store = Store::new(pre.engine(), state);
        store.limiter(|state| state);
        store.set_hostcall_fuel(limits::CALL_BYTES_MAX);
        store.set_max_component_handles(limits::HANDLES_MAX);
        match pre.instantiate(&mut store) {
            Ok(plugin) => Ok(Self { store, plugin }),
            Err(error) => Err(store.data().crash(&error)),
        }
    }

    /// What the next session's channels are for.
    pub fn set_positions(&mut self, positions: Vec<u32>) {
        self.store.data_mut().positions = positions;
    }

    /// What can be heard of earlier steps from now on.
    pub fn set_earlier(&mut self, earlier: Vec<earlier_steps::StepReport>) {
        self.store.data_mut().earlier = earlier;
    }

    /// Calls the plugin; an error of the outer kind means that it is gone.
    pub fn call<T>(
        &mut self,
        call: impl FnOnce(&bindings::Plugin, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T, Crash> {
        call(&self.plugin, &mut self.store).map_err(|error| self.store.data().crash(&error))
    }

    /// Bytes of all its linear memories together: they never shrink, so this is the peak.
    pub fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes
    }
}

impl State {
    /// The most telling of what is known: the panic's own words, then a refused request for memory,
    /// then the name of the trap.
    fn crash(&self, error: &wasmtime::Error) -> Crash {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(panic) = log.panic() {
            return Crash(panic.to_owned());
        }
        if self.memory_denied {
            return Crash(format!(
                "it needs more than {} MiB of memory",
                limits::MEMORY_MIB_MAX
            ));
        }
        Crash(match error.downcast_ref::<Trap>() {
            Some(Trap::MemoryOutOfBounds) => {
                "it used memory that is not its own (a wild pointer or endless recursion)".into()
            }
            Some(Trap::StackOverflow) => "it ran out of stack (endless recursion?)".into(),
            Some(Trap::UnreachableCodeReached) => {
                "it aborted without a message (unreachable)".into()
            }
            Some(trap) => trap.to_string(),
            None => format!("{error:#}"),
        })
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory_bytes + (desired - current);
        let allowed = total <= limits::MEMORY_MIB_MAX << 20;
        if allowed {
            self.memory_bytes = total;
        } else {
            self.memory_denied = true;
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= limits::TABLE_ENTRIES_MAX)
    }

    fn instances(&self) -> usize {
        limits::INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        limits::TABLES_MAX
    }

    fn memories(&self) -> usize {
        limits::MEMORIES_MAX
    }
}

impl bindings::Host for State {}

impl stream_layout::Host for State {
    fn positions(&mut self) -> Vec<u32> {
        self.positions.clone()
    }
}

impl earlier_steps::Host for State {
    fn reports(&mut self) -> Vec<earlier_steps::StepReport> {
        self.earlier.clone()
    }
}

impl host_log::Host for State {
    fn log(&mut self, level: host_log::Level, message: String) {
        let level = match level {
            host_log::Level::Debug => "debug",
            host_log::Level::Info => "info",
            host_log::Level::Warn => "warn",
            host_log::Level::Error => "error",
        };
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(LogLine { level, message });
    }
}
