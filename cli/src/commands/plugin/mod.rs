//! `retake plugin`: what an author of plugins does from the command line.

mod check;
mod publish;

use anyhow::Result;
use clap::Subcommand;

use crate::config::Config;

#[derive(Debug, Subcommand)]
pub enum Command {
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
        Command::Check(arguments) => check::run(arguments).await,
        Command::Publish(arguments) => publish::run(config, arguments).await,
    }
}
