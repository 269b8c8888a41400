//! The command line, and what each command starts.

mod backup;
mod correct;
mod key;
mod log;
mod looks;
mod named;
mod plugin;
mod remote;
mod render;
mod roles;

use std::{io::Write as _, path::PathBuf};

use anyhow::{Result, anyhow};
use clap::{Parser, Subcommand};

use crate::{
    config::{Config, Sources},
    private,
};

/// Plugin-based audio correction.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
pub struct Program {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    sources: Sources,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Server, worker and a simulated external service in one process
    Up,
    /// The front door only; workers are processes of their own
    Server,
    /// Takes jobs and runs them; as many as you like
    Worker,
    /// The simulated external audio service only
    MockExternal,
    /// Corrects one file, without any server
    Correct(correct::Arguments),
    /// Writes a recording or a correction in another format, as it is
    Render(render::Arguments),
    /// A recording's outline for drawing at any zoom
    Peaks(looks::PeaksArguments),
    /// A recording's spectrogram as tiles
    Spectrogram(looks::SpectrogramArguments),
    /// Recording and correction in one stream, to be switched between without a gap
    Compare(looks::CompareArguments),
    /// For a plugin's author: from an empty folder to a published correction
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// A server's API keys: makes, lists and revokes them
    Key(key::Arguments),
    /// Copies everything that is kept into a folder, while Retake runs or not, and verifies it
    Backup(backup::Arguments),
    /// Brings a backup back, where nothing is kept yet
    Restore(backup::Arguments),
    /// Prints the settings in effect, secrets starred
    Config,
    /// The wall around audio work; started by the program itself
    #[command(hide = true)]
    Child,
    /// Compiles a plugin into the cache; started by the program itself
    #[command(hide = true)]
    InstallPlugin { cache: PathBuf, wasm: PathBuf },
    /// Runs the conformance kit over a plugin; started by the program itself
    #[command(hide = true)]
    CheckPlugin { cache: PathBuf, wasm: PathBuf },
}

pub fn run(mut program: Program) -> Result<()> {
    let set = match &program.command {
        Command::Plugin(command) if command.sets_parameters() => program.sources.take_set(),
        _ => Vec::new(),
    };
    let config = Config::load(&program.sources)?;
    if let Command::Config = program.command {
        // Written, not printed: a reader that closes early (`| head`) is no panic.
        std::io::stdout().write_all(config.shown().as_bytes())?;
        return Ok(());
    }
    let quiet = matches!(
        program.command,
        Command::Correct(_)
            | Command::Render(_)
            | Command::Peaks(_)
            | Command::Spectrogram(_)
            | Command::Compare(_)
            | Command::Plugin(_)
            | Command::Key(_)
            | Command::Backup(_)
            | Command::Restore(_)
    );
    // lapin logs every failed connection; we log an outage once.
    let levels = if quiet {
        "warn,lapin=off"
    } else {
        "info,lapin=off"
    };
    let keeps = !quiet || matches!(program.command, Command::Backup(_) | Command::Restore(_));
    if keeps {
        // What an author or a user makes is theirs to share.
        private::from_now_on();
    }
    let secrets = config.secrets();
    log::to_stderr(levels, secrets.clone());
    match &program.command {
        Command::Backup(arguments) => return backup::backup(&config, arguments),
        Command::Restore(arguments) => return backup::restore(&config, arguments),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        match program.command {
            Command::Up => roles::up(config).await,
            Command::Server => roles::server(config).await,
            Command::Worker => roles::worker(config).await,
            Command::MockExternal => roles::mock_external(config).await,
            Command::Correct(arguments) => correct::run(config, arguments).await,
            Command::Render(arguments) => render::run(config, arguments).await,
            Command::Peaks(arguments) => looks::peaks(config, arguments).await,
            Command::Spectrogram(arguments) => looks::spectrogram(config, arguments).await,
            Command::Compare(arguments) => looks::compare(config, arguments).await,
            Command::Plugin(command) => plugin::run(config, command, set).await,
            Command::Key(arguments) => key::run(config, arguments).await,
            Command::Backup(_)
            | Command::Restore(_)
            | Command::Config
            | Command::Child
            | Command::InstallPlugin { .. }
            | Command::CheckPlugin { .. } => unreachable!("handled before"),
        }
    });
    // Libraries may quote the address they were given.
    ended.map_err(|error| anyhow!("{}", secrets.clean(&format!("{error:#}"))))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Program;

    #[test]
    fn no_two_arguments_of_a_command_have_the_same_name() {
        Program::command().debug_assert();
    }
}
