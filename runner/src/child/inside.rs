//! The child's side: reads the request, puts up the wall, has the work done, says how it ended.

use std::{
    io::{self, BufRead, Read},
    process::ExitCode,
};

use retake_child::wall;

use super::{
    protocol::{Done, Failed, Line, REQUEST_BYTES_MAX, Request},
    teller::Teller,
};

/// Serves the one request that comes on standard input. `work` runs behind the wall.
pub(crate) fn serve(work: impl FnOnce(&Request, &Teller) -> Result<Done, Failed>) -> ExitCode {
    match child(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("child: {error}");
            ExitCode::FAILURE
        }
    }
}

fn child(work: impl FnOnce(&Request, &Teller) -> Result<Done, Failed>) -> io::Result<()> {
    wall::die_with_parent()?;
    let mut line = Vec::new();
    io::stdin()
        .lock()
        .take(REQUEST_BYTES_MAX)
        .read_until(b'\n', &mut line)?;
    let request: Request = serde_json::from_slice(&line)?;
    wall::check_parent(request.parent_pid)?;
    wall::die_with_input()?;
    wall::limit(
        request.limits.memory_bytes_max,
        request.limits.scratch_bytes_max,
    )?;
    log_to_stderr();

    let teller = Teller::start()?;
    let last = match work(&request, &teller) {
        Ok(done) => Line::Done(Box::new(done)),
        Err(failed) => Line::Failed(failed),
    };
    teller.end(&last)
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("RETAKE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt()
        // A parent that does not listen is no reason to panic.
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .try_init();
}
