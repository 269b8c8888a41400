//! Every number a plugin is held to.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Largest file that is looked at at all. A Python plugin with its interpreter is 18 MiB.
pub const WASM_BYTES_MAX: usize = 64 << 20;

/// All linear memories of one session together.
pub const MEMORY_MIB_MAX: usize = 256;

/// Entries of one table. An interpreter compiled to WebAssembly has some ten thousand functions.
pub const TABLE_ENTRIES_MAX: usize = 1 << 20;
/// Core instances, tables and memories of one session. A Python plugin has more than 32 instances,
/// QuickJS three memories.
pub const INSTANCES_MAX: usize = 256;
pub const TABLES_MAX: usize = 64;
pub const MEMORIES_MAX: usize = 8;

/// Bytes that one call may hand over to the host: blocks, messages, reports. The largest block a
/// manifest can ask for, 65 536 frames of 16 channels, is 4 MiB.
pub const CALL_BYTES_MAX: usize = 32 << 20;

/// Native stack for a call; a plugin written in Rust has its own 1 MiB stack within its memory.
pub const STACK_BYTES_MAX: usize = 512 << 10;

/// Resource handles alive in one session.
pub const HANDLES_MAX: usize = 64;

/// Log bytes kept per session; the rest is dropped.
pub const LOG_BYTES_MAX: usize = 64 << 10;

/// Longest block a session is given, where its quantum is not longer still.
pub const BLOCK_FRAMES: usize = retake_audio::BLOCK_FRAMES;

/// A stated latency beyond this is taken for nonsense. Longer lookahead belongs into `analyze`.
pub const LATENCY_S_MAX: u64 = 60;

/// Cuts that one step may make: one a second for close to three hours.
pub const CUTS_MAX: usize = 10_000;

/// Seconds by which the channels of a stage may drift apart, or wet run away from dry, before the
/// host stops buffering. It is what keeps memory flat against a plugin that hoards frames.
pub const HELD_S_MAX: u64 = 60;

/// Memory and CPU of the process that compiles a plugin. The compiler is the one thing no limit
/// inside a process contains: 195 KiB of hostile WebAssembly took it 57 s and 4.3 GB.
const COMPILE_BYTES_MAX: u64 = 1536 << 20;
const COMPILE_CPU_S_MAX: u64 = 60;

/// Puts this process under the limits for [`crate::Cache::install`]: to be called first thing in a
/// child made for that alone. Exceeding one kills the child.
pub fn limit_compile() -> io::Result<()> {
    let lower = |resource, bound: u64, hard: bool| {
        let had = getrlimit(resource);
        let current = Some(had.current.map_or(bound, |had| had.min(bound)));
        let maximum = if hard { current } else { had.maximum };
        setrlimit(resource, Rlimit { current, maximum }).map_err(io::Error::from)
    };
    lower(Resource::Core, 0, true)?;
    lower(Resource::Cpu, COMPILE_CPU_S_MAX, true)?;
    // Soft, so that `allow_sandbox_memory` can lift it: no foreign code has run until then.
    lower(Resource::As, COMPILE_BYTES_MAX, false)
}

/// Lifts the limit on address space once the compiler is done: a sandbox reserves 4 GiB of it per
/// memory, which costs nothing, so that wild pointers hit guard pages instead of checks.
pub(crate) fn allow_sandbox_memory() {
    let had = getrlimit(Resource::As);
    if had.current != had.maximum {
        // Lifting a soft limit to the hard one is always allowed.
        let lifted = setrlimit(
            Resource::As,
            Rlimit {
                current: had.maximum,
                ..had
            },
        );
        debug_assert!(lifted.is_ok());
    }
}
