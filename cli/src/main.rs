//! `retake`: the one program. Parses the command line and hands over.

mod admin_key;
mod commands;
mod config;
mod descriptors;
mod install;
mod layers;
mod private;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use commands::{Command, Program};

fn main() -> ExitCode {
    let program = Program::parse();
    // The walled-in roles come first: they read no configuration and start no runtime.
    match program.command {
        Command::Child => return retake_runner::audio_work::child_main(),
        Command::InstallPlugin { cache, wasm } => {
            return retake_runner::install::child_main(&cache, &wasm);
        }
        Command::CheckPlugin { cache, wasm } => {
            return retake_plugin_check::child_main(&cache, &wasm);
        }
        _ => {}
    }
    match commands::run(program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // It may quote a plugin, a file or a service.
            eprintln!(
                "retake: {}",
                retake_words::written_out(&format!("{error:#}"))
            );
            ExitCode::FAILURE
        }
    }
}
