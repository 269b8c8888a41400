//! What the child says: lines to the parent, on standard output.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use super::protocol::{Failed, LINE_BYTES_MAX, Line, Progress};

/// How often the parent hears from us, if there is anything new.
const TELL_EVERY: Duration = Duration::from_millis(50);

/// Writes lines to the parent. Progress comes from a thread of its own, so that the parent knows
/// which step is running also when that step never comes back.
#[derive(Clone)]
pub(crate) struct Teller(Arc<Told>);

#[derive(Default)]
struct Told {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    fraction: f32,
    step: Option<usize>,
    /// Names the steps whose code is running; nobody can before they are opened.
    inside: Option<Box<dyn Fn() -> Vec<usize> + Send>>,
    /// Says why there is no use in going on.
    lost: Option<Box<dyn Fn() -> Option<Failed> + Send>>,
    ended: bool,
}

impl Teller {
    pub(super) fn start() -> io::Result<Self> {
        let told = Arc::new(Told::default());
        let teller = Teller(Arc::clone(&told));
        std::thread::Builder::new()
            .name("teller".to_owned())
            .spawn(move || {
                let mut last = Progress::default();
                let mut state = told.state.lock().unwrap_or_else(PoisonError::into_inner);
                while !state.ended {
                    if let Some(failed) = state.lost.as_ref().and_then(|lost| lost()) {
                        // Under the lock: nothing may follow the last line.
                        let _ = write_line(&Line::Failed(failed));
                        // Nobody can make a step return that does not; its files the parent removes.
                        std::process::exit(0);
                    }
                    let now = Progress {
                        fraction: state.fraction,
                        step: state.step,
                        inside: state.inside.as_ref().map_or_else(Vec::new, |names| names()),
                    };
                    if now != last {
                        // Under the lock: nothing may follow the last line.
                        let _ = write_line(&Line::Progress(now.clone()));
                        last = now;
                    }
                    let waited = told.ended.wait_timeout(state, TELL_EVERY);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            })?;
        Ok(teller)
    }

    /// How far it has come, and the step that sets the pace.
    pub fn tell(&self, fraction: f32, step: Option<usize>) {
        let mut state = self.state();
        (state.fraction, state.step) = (fraction, step);
    }

    /// From now on the parent hears which steps' code is running.
    pub fn watch(&self, inside: impl Fn() -> Vec<usize> + Send + 'static) {
        self.state().inside = Some(Box::new(inside));
    }

    /// From now on the child ends when there is no use in going on.
    pub fn end_when(&self, lost: impl Fn() -> Option<Failed> + Send + 'static) {
        self.state().lost = Some(Box::new(lost));
    }

    /// What a step's plugin logged. Nothing follows the last word.
    pub fn log(&self, step: usize, line: String) {
        let state = self.state();
        if !state.ended {
            // A parent that is gone ends us soon enough.
            let _ = write_line(&Line::Log { step, line });
        }
    }

    pub fn say(&self, line: &Line) -> io::Result<()> {
        let _alone = self.state();
        write_line(line)
    }

    pub(super) fn end(self, last: &Line) -> io::Result<()> {
        let mut state = self.state();
        state.ended = true;
        self.0.ended.notify_all();
        write_line(last)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        let state = self.0.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_line(line: &Line) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    if bytes.len() >= LINE_BYTES_MAX {
        let detail = format!(
            "the report has {} bytes; at most {LINE_BYTES_MAX} fit",
            bytes.len()
        );
        bytes = serde_json::to_vec(&Line::Failed(Failed::Ours {
            detail,
            no_room: false,
        }))?;
    }
    bytes.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&bytes)?;
    out.flush()
}
