//! `retake plugin …`: for whoever writes plugins.

mod publish;

use anyhow::Result;
use clap::Subcommand;

use crate::config::Config;

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Sends a plugin to a server, waits for its verdict and prints what the checks found
    Publish(publish::Arguments),
}

pub async fn run(config: Config, command: PluginCommand) -> Result<()> {
    match command {
        PluginCommand::Publish(arguments) => publish::run(config, arguments).await,
    }
}
