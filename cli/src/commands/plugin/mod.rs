//! `retake plugin`: what a plugin's author does, from an empty folder to a published correction.

mod bench;
mod build;
mod check;
mod new;
mod publish;
mod run;
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
    /// Ends with code 0 where none failed. --set ID=VALUE checks at a value other than the parameter's default.
    Check(check::Arguments),
    /// Corrects a file with one plugin, and shows all that it says
    ///
    /// The same way as `retake correct`: in a process of its own, under the worker's limits. The plugin's
    /// log goes to standard error, its report and what was measured before and after to standard output.
    /// --set ID=VALUE sets a parameter.
    Run(run::Arguments),
    /// Measures what a plugin costs: time, memory, compiling
    ///
    /// With --native, also builds and runs the plugin's crate natively, in the current folder, and says
    /// how the two compare. For that the crate needs crate-type = ["cdylib", "rlib"] and an example
    /// "native" that calls retake_plugin_sdk::bench::run, as `retake plugin new` makes them.
    Bench(bench::Arguments),
    /// Sends a plugin to a server, waits for its verdict and prints what the checks found
    ///
    /// Ends with code 0 only if the plugin was published.
    Publish(publish::Arguments),
}

impl Command {
    /// Whether `--set` names the plugin's parameters here, rather than settings of the program.
    pub fn sets_parameters(&self) -> bool {
        matches!(self, Self::Check(_) | Self::Run(_) | Self::Bench(_))
    }
}

/// `set` holds parameters of the plugin, `ID=VALUE` each.
pub async fn run(config: Config, command: Command, set: Vec<String>) -> Result<()> {
    match command {
        Command::New(arguments) => new::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Check(arguments) => check::run(arguments, &set).await,
        Command::Run(arguments) => run::run(config, arguments, set).await,
        Command::Bench(arguments) => bench::run(arguments, &set).await,
        Command::Publish(arguments) => publish::run(config, arguments).await,
    }
}
