//! `retake plugin`: what an author of plugins does from the command line.

mod publish;

use anyhow::Result;
use clap::Subcommand;

use crate::config::Config;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sends a plugin to a server, waits for its verdict and prints what the checks found
    ///
    /// Ends with code 0 only if the plugin was published.
    Publish(publish::Arguments),
}

pub async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::Publish(arguments) => publish::run(config, arguments).await,
    }
}
