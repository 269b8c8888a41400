//! File descriptors: as many as the system allows us, because each connection needs one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than anybody needs; some systems allow a thousand times as many, and programs that close
/// all they might have take as long.
const ENOUGH: u64 = 1 << 20;

/// Raises this process's soft limit to the hard one. Children have it too.
pub fn raise() {
    let had = getrlimit(Resource::Nofile);
    let most = had.maximum.unwrap_or(ENOUGH).min(ENOUGH);
    let Some(current) = had.current.filter(|current| *current < most) else {
        return;
    };
    let wanted = Rlimit {
        current: Some(most),
        maximum: had.maximum,
    };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => tracing::debug!(from = current, to = most, "file descriptors"),
        Err(error) => tracing::warn!(
            descriptors = current,
            "the limit of file descriptors cannot be raised: {error}"
        ),
    }
}
