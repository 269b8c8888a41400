//! What a plugin may import: the host's log, the layout of its stream, what earlier steps found, and
//! nothing else. Anything more is refused with the name of the import and how the author gets rid of it.

use wasmparser::{Parser, Payload};

use crate::error::HostError;

const OURS: &str = "retake:correction/";
/// Every contract whose plugins run here, and the line they are all of.
const VERSIONS: [&str; 4] = ["@0.1.2", "@0.1.1", "@0.1.0", "@0.1"];

/// Reads all bytes, and says whether they are a component (`true`) or a core module (`false`).
pub fn check(wasm: &[u8]) -> Result<bool, HostError> {
    if !wasm.starts_with(b"\0asm") {
        return Err(HostError::refused(
            "not a WebAssembly file: it does not start with \\0asm (text formats are not taken)",
        ));
    }
    // Full validation, and before the compiler sees anything of it.
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
        .validate_all(wasm)
        .map_err(|error| HostError::refused(format!("not valid WebAssembly: {error}")))?;

    let is_component = Parser::is_component(wasm);
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload
            .map_err(|error| HostError::refused(format!("not valid WebAssembly: {error}")))?;
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ImportSection(imports) if !is_component => {
                for import in imports.into_imports() {
                    let import = import.map_err(|error| HostError::refused(error.to_string()))?;
                    allow(import.module, &format!("{}.{}", import.module, import.name))?;
                }
            }
            // What components within the component import is between themselves.
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    let import = import.map_err(|error| HostError::refused(error.to_string()))?;
                    allow(import.name.name, import.name.name)?;
                }
            }
            _ => {}
        }
    }
    Ok(is_component)
}

fn allow(module: &str, import: &str) -> Result<(), HostError> {
    // Within a core module, the intrinsics of what it exports come from "[export]<interface>"; the
    // newer way of naming has its own prefixes and leaves out the patch version.
    let interface = ["[export]", "cm32p2|_ex_", "cm32p2|"]
        .iter()
        .find_map(|prefix| module.strip_prefix(prefix))
        .unwrap_or(module);
    if let Some(rest) = interface.strip_prefix(OURS) {
        return if VERSIONS.iter().any(|version| rest.ends_with(version)) {
            Ok(())
        } else {
            Err(HostError::refused(format!(
                "the plugin was built for {interface}; this host speaks version 0.1.2 of the \
                 contract"
            )))
        };
    }
    Err(HostError::refused(format!(
        "the plugin imports {import}, and a plugin may import nothing but the host's log, its \
         stream's layout and what earlier steps found. {}",
        remedy(module)
    )))
}

fn remedy(module: &str) -> &'static str {
    if module.starts_with("wasi:") {
        "Rust: build with --target wasm32-unknown-unknown, not wasm32-wasip2. JavaScript: \
         componentize-qjs --stub-wasi, or componentize-js with disableFeatures: ['stdio', \
         'random', 'clocks', 'http', 'fetch-event']. Python: componentize-py --stub-wasi"
    } else if module.starts_with("wasi_") {
        "Rust: build with --target wasm32-unknown-unknown, not wasm32-wasip1. C: compile with \
         -mexec-model=reactor and leave out stdio, files and the environment"
    } else if module.starts_with("__wbindgen") || module == "wbg" {
        "A dependency was built for browsers: turn off its \"js\" or \"wasm-bindgen\" feature; for \
         getrandom, set --cfg getrandom_backend=\"custom\""
    } else if module == "env" {
        "The linker found no definition for it: a C function or an extern block is missing its \
         library"
    } else {
        "Leave out whatever needs it"
    }
}
