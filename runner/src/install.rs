//! Compiles a plugin into the cache, in a child process with limits: compiling is the one thing that
//! no limit inside a process contains.

use std::{io, path::Path, process::ExitCode, time::Duration};

use retake_child::{ChildProgram, conversation, ended, wall};
use retake_plugin_host::{Cache, HostError, limit_compile};
use tokio::{process::Command, time::timeout};

use crate::words::plain;

/// So much of what the child says of a plugin is read.
const WORDS_BYTES_MAX: u64 = 4 * 1024;

/// Why a plugin did not get into the cache.
#[derive(Debug, thiserror::Error)]
pub enum NotInstalled {
    /// In the compiler's words, or by the limit it broke.
    #[error("{0}")]
    Refused(String),
    #[error("the child that compiles plugins: {0}")]
    Child(#[from] io::Error),
}

/// Runs `program CACHE WASM`, which is [`child_main`] in the end, and waits for it. Dropping the
/// future kills the child.
pub async fn install_in_child(
    program: &ChildProgram,
    cache: &Path,
    wasm: &Path,
    deadline: Duration,
) -> Result<(), NotInstalled> {
    let mut child = Command::from(program.command())
        .arg(cache)
        .arg(wasm)
        .kill_on_drop(true)
        .spawn()?;
    let stderr = child.stderr.take().expect("it was asked for");
    let ended = timeout(deadline, async {
        let said = conversation::words(stderr, WORDS_BYTES_MAX).await;
        (said, child.wait().await)
    });
    let Ok((said, exit)) = ended.await else {
        let seconds = deadline.as_secs();
        return Err(NotInstalled::Refused(format!(
            "compiling it took longer than the {seconds} s it may"
        )));
    };
    let exit = exit?;
    if exit.success() {
        return Ok(());
    }
    let said = plain(&String::from_utf8_lossy(&said), WORDS_BYTES_MAX as usize);
    Err(NotInstalled::Refused(if said.is_empty() {
        format!(
            "the compiler {}; it broke a limit, perhaps",
            ended::in_words(exit)
        )
    } else {
        said
    }))
}

/// The child's side: `retake install-plugin CACHE WASM`.
pub fn child_main(cache: &Path, wasm: &Path) -> ExitCode {
    let install = || -> Result<(), String> {
        wall::die_with_parent().map_err(|error| error.to_string())?;
        limit_compile().map_err(|error| error.to_string())?;
        let bytes = std::fs::read(wasm).map_err(|error| error.to_string())?;
        let installed = Cache::open(cache).and_then(|cache| cache.install(&bytes));
        installed
            .map(drop)
            .map_err(|error: HostError| error.to_string())
    };
    match install() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
