//! From the bytes somebody gave to a plugin in the cache.

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wit_component::ComponentEncoder;

use crate::{
    bindings::PluginPre,
    cache::{Cache, Installed},
    error::HostError,
    imports,
    limits::{self, WASM_BYTES_MAX},
    manifest,
    sandbox::{self, Sandbox},
};

/// For messages.
const CONTRACT: &str = "version 0.1.2 of the contract";

pub fn install(cache: &Cache, wasm: &[u8]) -> Result<Installed, HostError> {
    let digest = hex(&Sha256::digest(wasm));
    let component = componentize(wasm)?;
    let engine = cache.engine();
    let code = engine
        .precompile_component(&component)
        .map_err(|error| HostError::refused(format!("cannot be compiled: {error:#}")))?;
    limits::allow_sandbox_memory();

    let code = cache.stage_code(&code)?;
    let component = deserialize(engine, code.path())?;
    let described = describe(&pre(&component)?)?;
    described.validate().map_err(HostError::Manifest)?;

    let installed = Installed {
        manifest: described,
        digest,
    };
    cache.store(&installed, code)?;
    Ok(installed)
}

/// The component of a plugin's file: the file itself where it is one, else what the core module that
/// a guest toolchain links becomes. Only what [`check_imports`] takes gets that far.
pub fn componentize(wasm: &[u8]) -> Result<Cow<'_, [u8]>, HostError> {
    if check_imports(wasm)? {
        Ok(Cow::Borrowed(wasm))
    } else {
        wrap(wasm).map(Cow::Owned)
    }
}

/// Reads all bytes without running or compiling any, and says whether they are a component (`true`)
/// or a core module (`false`). An import other than the contract's is refused by its name, with the
/// way to get rid of it.
pub fn check_imports(wasm: &[u8]) -> Result<bool, HostError> {
    if wasm.len() > WASM_BYTES_MAX {
        return Err(HostError::refused(format!(
            "the file has {} bytes; it may have at most {WASM_BYTES_MAX}",
            wasm.len()
        )));
    }
    imports::check(wasm)
}

/// Makes a component out of the core module that a guest toolchain links.
fn wrap(module: &[u8]) -> Result<Vec<u8>, HostError> {
    let encode = || {
        ComponentEncoder::default()
            .validate(true)
            .module(module)?
            .encode()
    };
    encode().map_err(|error| {
        HostError::refused(format!(
            "not a plugin, and no module that is one inside: {error:#}"
        ))
    })
}

/// Loads machine code.
#[allow(unsafe_code)]
pub fn deserialize(
    engine: &wasmtime::Engine,
    code: &std::path::Path,
) -> Result<Component, HostError> {
    // SAFETY: the file must be what `precompile_component` of this engine wrote, unchanged. It is
    // either the temporary file `install` has just made, or lies in the cache: a folder of mode 700
    // that only `Cache::store` writes to, keyed by the engine's compatibility hash, each file
    // renamed into place whole and never modified.
    unsafe { Component::deserialize_file(engine, code) }
        .map_err(|error| HostError::Engine(format!("loading {}: {error:#}", code.display())))
}

/// Ties a component to the contract: every import is ours, every export there and of its type.
pub fn pre(component: &Component) -> Result<PluginPre<sandbox::State>, HostError> {
    let linked = sandbox::linker(component.engine())
        .instantiate_pre(component)
        .and_then(PluginPre::new);
    linked.map_err(|error| {
        HostError::refused(format!("the plugin does not fit {CONTRACT}: {error:#}"))
    })
}

fn describe(
    pre: &PluginPre<sandbox::State>,
) -> Result<retake_plugin_manifest::Manifest, HostError> {
    let mut sandbox = Sandbox::new(pre, Arc::default()).map_err(|crash| {
        HostError::refused(format!(
            "the plugin cannot be started under {CONTRACT}: {crash}"
        ))
    })?;
    let described = sandbox
        .call(|plugin, store| plugin.retake_correction_corrector().call_describe(store))
        .map_err(|crash| {
            HostError::refused(format!("the plugin cannot describe itself: {crash}"))
        })?;
    Ok(manifest::from_contract(described))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}
