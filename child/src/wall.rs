//! The limits a child puts itself under, before it looks at anything from outside. Each process that
//! runs foreign code stands behind this wall: the worker's child and the one that checks plugins.

use std::io::{self, Read};

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getpid, getppid, getrlimit, kill_process,
    set_parent_process_death_signal, setrlimit,
};

/// The child must not outlive its parent, however that ends. First thing in a child.
///
/// The kernel sends the signal when the *thread* that started the child ends, so children are
/// started from threads that live as long as the work they wait for.
pub fn die_with_parent() -> io::Result<()> {
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// The parent may have ended before [`die_with_parent`] took effect.
pub fn check_parent(expected_pid: i32) -> io::Result<()> {
    match getppid().map(Pid::as_raw_pid) {
        Some(pid) if pid == expected_pid => Ok(()),
        found => Err(io::Error::other(format!(
            "the parent is {found:?}, and was {expected_pid}: it has ended"
        ))),
    }
}

/// The second line: the parent keeps our standard input open for as long as it wants us.
pub fn die_with_input() -> io::Result<()> {
    std::thread::Builder::new()
        .name("wall".to_owned())
        .stack_size(64 * 1024)
        .spawn(|| {
            let mut rest = [0; 64];
            while !matches!(io::stdin().read(&mut rest), Ok(0) | Err(_)) {}
            let _ = kill_process(getpid(), Signal::KILL);
        })
        .map(drop)
}

/// Memory counts what can be written, not address space: a sandbox reserves 4 GiB of that per
/// memory and touches little of it.
pub fn limit(memory_bytes_max: u64, file_bytes_max: u64) -> io::Result<()> {
    lower(Resource::Core, 0)?;
    lower(Resource::Data, memory_bytes_max)?;
    lower(Resource::Fsize, file_bytes_max)
}

fn lower(resource: Resource, bound: u64) -> io::Result<()> {
    let bound = getrlimit(resource)
        .maximum
        .map_or(bound, |had| had.min(bound));
    let limit = Rlimit {
        current: Some(bound),
        maximum: Some(bound),
    };
    Ok(setrlimit(resource, limit)?)
}
