//! `retake plugin`: what a plugin's author does, from an empty folder to a published correction.

mod build;
mod check;
mod new;
mod publish;
mod toolchains;

use anyhow::Result;
use clap::Subcommand;

use crate::config::Config;

/// What this program speaks, for projects that bring no copy of their own.
const CONTRACT: &str = include_str!("../../../../plugins/wit/correction.wit");

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a folder with a correction that builds at once
    New(new::Arguments),
    /// Compiles the project in this folder into a plugin, NAME.wasm
    Build(build::Arguments),
    /// Holds a plugin against the contract, check by check
    ///
    /// The plugin is compiled and run in processes of its own, under limits; a check that never comes
    /// back is the one that failed. docs/plugin-check.md lists the checks and what to do about each.
    /// Ends with code 0 where none failed.
    Check(check::Arguments),
    /// Sends a plugin to a server, waits for its verdict and prints what the checks found
    ///
    /// Ends with code 0 only if the plugin was published.
    Publish(publish::Arguments),
}

pub async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::New(arguments) => new::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Check(arguments) => check::run(arguments).await,
        Command::Publish(arguments) => publish::run(config, arguments).await,
    }
}
