//! The plugin author's window: lines that the host keeps (64 KiB per session) and shows.
//! They stand in the job's report, and `retake plugin run` prints them as they come.
//!
//! Never log audio.
//!
//! ```
//! use retake_plugin_sdk::log;
//!
//! log::info(&format!("found mains hum at {:.2} Hz", 50.02));
//! log::warn("the recording is shorter than one window; the noise is guessed");
//! ```

use crate::bindings::retake::correction::host_log::{self, Level};

/// For the author while developing.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// What a reader of the job's report may want to know.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// The plugin went on, but the result may not be what was asked for.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Why the plugin is about to give up.
pub fn error(message: &str) {
    write(Level::Error, message);
}

fn write(level: Level, message: &str) {
    // The import exists in a sandbox only; native tests print instead.
    if cfg!(target_arch = "wasm32") {
        host_log::log(level, message);
    } else {
        eprintln!("{message}");
    }
}

/// Sends panic messages to the host's log. Without it a panic is a bare `unreachable` to the host.
pub(crate) fn log_panics() {
    if cfg!(target_arch = "wasm32") {
        std::panic::set_hook(Box::new(|panic| error(&panic.to_string())));
    }
}
