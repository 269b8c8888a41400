//! Which steps' code is running right now, so that a step that never comes back can be named.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use retake_audio::{Block, Emit, Stage, StageError};

/// Steps run in threads of their own, so several can be inside at once. One that loops for ever is
/// soon the only one: those before it wait to hand on, those after it wait to be handed to.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Vec<Watched>>);

struct Watched {
    index: usize,
    inside: AtomicBool,
}

impl Watch {
    /// `indices` are places in the chain, in the order of the stages.
    pub fn new(indices: impl IntoIterator<Item = usize>) -> Self {
        let watched = |index| Watched {
            index,
            inside: AtomicBool::new(false),
        };
        Self(Arc::new(indices.into_iter().map(watched).collect()))
    }

    pub fn inside(&self) -> Vec<usize> {
        let inside = self.0.iter().filter(|step| step.inside.load(Relaxed));
        inside.map(|step| step.index).collect()
    }

    /// Runs something of the step's before it is a stage: opening it, say.
    pub fn enter<T>(&self, stage: usize, run: impl FnOnce() -> T) -> T {
        self.0[stage].inside.store(true, Relaxed);
        let ran = run();
        self.0[stage].inside.store(false, Relaxed);
        ran
    }

    pub fn wrap(&self, stage: usize, inner: Box<dyn Stage>) -> Box<dyn Stage> {
        Box::new(WatchedStage {
            watch: self.clone(),
            stage,
            inner,
        })
    }
}

struct WatchedStage {
    watch: Watch,
    stage: usize,
    inner: Box<dyn Stage>,
}

impl WatchedStage {
    /// While it hands on, and perhaps waits, the step is not inside.
    fn watch(
        &mut self,
        emit: &mut Emit<'_>,
        run: impl FnOnce(&mut dyn Stage, &mut Emit<'_>) -> Result<(), StageError>,
    ) -> Result<(), StageError> {
        let watch = self.watch.clone();
        let inside = &watch.0[self.stage].inside;
        inside.store(true, Relaxed);
        let ran = run(&mut *self.inner, &mut |block| {
            inside.store(false, Relaxed);
            let emitted = emit(block);
            inside.store(true, Relaxed);
            emitted
        });
        inside.store(false, Relaxed);
        ran
    }
}

impl Stage for WatchedStage {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn begin(&mut self) -> Result<(), StageError> {
        let watch = self.watch.clone();
        watch.enter(self.stage, || self.inner.begin())
    }

    fn analyzes(&self) -> bool {
        self.inner.analyzes()
    }

    fn shortens(&self) -> bool {
        self.inner.shortens()
    }

    fn only_looks(&self) -> bool {
        self.inner.only_looks()
    }

    fn analyze(&mut self, block: &Block) -> Result<(), StageError> {
        let watch = self.watch.clone();
        watch.enter(self.stage, || self.inner.analyze(block))
    }

    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        self.watch(emit, |inner, emit| inner.process(block, emit))
    }

    fn finish(&mut self, emit: &mut Emit<'_>) -> Result<(), StageError> {
        self.watch(emit, |inner, emit| inner.finish(emit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes who is inside while it runs, and hands on a block each time.
    struct Curious {
        watch: Watch,
        seen: Arc<std::sync::Mutex<Vec<Vec<usize>>>>,
    }

    impl Curious {
        fn look(&self) {
            self.seen
                .lock()
                .expect("no panic while held")
                .push(self.watch.inside());
        }
    }

    impl Stage for Curious {
        fn name(&self) -> &str {
            "curious"
        }

        fn analyzes(&self) -> bool {
            true
        }

        fn analyze(&mut self, _: &Block) -> Result<(), StageError> {
            self.look();
            Ok(())
        }

        fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
            self.look();
            emit(block)?;
            self.look();
            Ok(())
        }

        fn finish(&mut self, _: &mut Emit<'_>) -> Result<(), StageError> {
            self.look();
            Err(StageError::Stopped)
        }
    }

    #[test]
    fn a_step_is_inside_while_its_code_runs_and_not_while_it_hands_on() {
        let watch = Watch::new([3, 7]);
        let seen = Arc::default();
        let curious = Curious {
            watch: watch.clone(),
            seen: Arc::clone(&seen),
        };
        let mut stage = watch.wrap(1, Box::new(curious));
        let handed_on = std::cell::RefCell::new(Vec::new());
        let mut emit = |_: &Block| {
            handed_on.borrow_mut().push(watch.inside());
            Ok(())
        };
        stage.analyze(&Block::default()).expect("it only looks");
        stage
            .process(&Block::default(), &mut emit)
            .expect("it only looks");
        assert!(stage.finish(&mut emit).is_err());
        assert_eq!(*seen.lock().expect("no panic while held"), vec![vec![7]; 4]);
        assert_eq!(*handed_on.borrow(), [Vec::<usize>::new()]);
        assert!(watch.inside().is_empty(), "after an error too");
        assert!(stage.analyzes());
    }
}
