//! The WebAssembly engine and its settings: one for compiling and running.

use std::hash::{DefaultHasher, Hash, Hasher};

use wasmtime::{Config, Engine, WasmFeatures};

use crate::{error::HostError, limits};

pub fn engine() -> Result<Engine, HostError> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // The contract is synchronous; this saves async state per store.
        .concurrency_support(false)
        .wasm_features(WasmFeatures::MEMORY64 | WasmFeatures::THREADS, false)
        // Results must not depend on the CPU.
        .wasm_relaxed_simd(false)
        .max_wasm_stack(limits::STACK_BYTES_MAX);
    // Left out on purpose: epochs and fuel (1.1 to 2.6 times slower loops; the process is killed
    // instead), NaN canonicalization (1.2 to 4.7 times; output is checked instead), pooling (made
    // for thousands of instances).
    Engine::new(&config).map_err(|error| HostError::Engine(format!("{error:#}")))
}

/// Names the compiled code's format: another wasmtime, CPU or setting gives another key.
pub fn compatibility_key(engine: &Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
