//! `retake plugin`: what a plugin's author does, from an empty folder to a published correction.

mod build;
mod new;
mod toolchains;

use anyhow::Result;
use clap::Subcommand;

/// What this program speaks, for projects that bring no copy of their own.
const CONTRACT: &str = include_str!("../../../../plugins/wit/correction.wit");

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a folder with a correction that builds at once
    New(new::Arguments),
    /// Compiles the project in this folder into a plugin, NAME.wasm
    Build(build::Arguments),
}

pub fn run(command: Command) -> Result<()> {
    match command {
        Command::New(arguments) => new::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
    }
}
