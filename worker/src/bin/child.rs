//! The children as a program of its own, for the tests of this crate; users have its roles as
//! `retake child`, `retake install-plugin` and `retake check-plugin`.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match &arguments[..] {
        [] => retake_runner::audio_work::child_main(),
        [role, cache, wasm] if role == "install-plugin" => {
            retake_runner::install::child_main(Path::new(cache), Path::new(wasm))
        }
        [role, cache, wasm] if role == "check-plugin" => {
            retake_plugin_check::child_main(Path::new(cache), Path::new(wasm))
        }
        other => {
            eprintln!("{other:?} is none of my roles");
            ExitCode::FAILURE
        }
    }
}
