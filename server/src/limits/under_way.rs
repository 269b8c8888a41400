//! Requests with an idempotency key that are being answered: the same one beside it waits, for it would be
//! done twice.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use retake_jobs::{id::OwnerId, idempotency::IdempotencyKey};

type Named = (OwnerId, IdempotencyKey);

#[derive(Debug, Default)]
pub struct UnderWay(Mutex<HashSet<Named>>);

/// Until it is dropped, the request is being answered.
#[derive(Debug)]
pub struct Answering {
    all: Arc<UnderWay>,
    one: Named,
}

impl UnderWay {
    /// `None`: it is being answered already.
    pub fn begin(self: &Arc<Self>, owner: OwnerId, key: &IdempotencyKey) -> Option<Answering> {
        let one = (owner, key.clone());
        let begun = self.named().insert(one.clone());
        begun.then(|| Answering {
            all: self.clone(),
            one,
        })
    }

    fn named(&self) -> std::sync::MutexGuard<'_, HashSet<Named>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.all.named().remove(&self.one);
    }
}
