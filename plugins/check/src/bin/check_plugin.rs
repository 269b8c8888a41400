//! The child's side by itself, for this crate's tests.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match &arguments[..] {
        [cache, wasm] => retake_plugin_check::child_main(Path::new(cache), Path::new(wasm)),
        _ => {
            eprintln!("usage: retake-check-plugin CACHE FILE.wasm");
            ExitCode::FAILURE
        }
    }
}
