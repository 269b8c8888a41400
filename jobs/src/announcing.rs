//! A store that tells whoever should know: what a write put into the outbox is sent, and who watches
//! what it put into the event log looks, now rather than at the next poll. Told after the commit, and
//! lossy: the relay and the watchers look by themselves in the end.
//!
//! Everybody who writes jobs does it through one of these, so that no caller has to remember. The relay
//! has the bare store: it is what is told.

mod webhooks;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use retake_chain::{InstalledPlugin, problem::Problem};
use serde_json::Value;

use crate::{
    credential::{ApiKey, Session},
    derivative::Derivative,
    entry::{Edit, Entry, EntryPlace, EntryQuery, Found, JobQuery},
    event::Event,
    id::{
        ApiKeyId, DerivativeId, EventId, JobId, OwnerId, RecordingId, SessionId, ShareId,
        SubmissionId,
    },
    idempotency::{Added, Answered, IdempotencyKey, Once},
    job::{AlreadyEnded, Job},
    lease::{Attempt, Blame, Errand, LeaseLost, LeaseTerms, Leased},
    plugin::PluginVersion,
    recording::Recording,
    saved_preset::{PresetName, Saved, SavedPreset},
    seams::{
        BlobKey, Catalogue, Changed, Claim, Credentials, Derivatives, Derive, Errands, EventLog,
        Heartbeat, JobLeases, JobRecord, Leases, Library, Presets, Progress, Records, Removal,
        SharedEvents, Shares, Source, Sources, Space, SpaceUsed, StoreError, Submissions, Usages,
    },
    share::{Share, Shared},
    submission::Submission,
    usage::Usage,
};

pub struct Announcing<S: ?Sized> {
    store: Arc<S>,
    events: SharedEvents,
    relay: Arc<dyn Fn() + Send + Sync>,
}

impl<S: ?Sized> Announcing<S> {
    /// `relay` tells the relay that the outbox has grown. It must not block.
    pub fn new(
        store: Arc<S>,
        events: SharedEvents,
        relay: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            store,
            events,
            relay: Arc::new(relay),
        }
    }

    /// The outbox holds a message and the log an event.
    async fn spread(&self, owner: OwnerId) {
        (self.relay)();
        self.events.announce(owner).await;
    }
}

#[async_trait]
impl<S: Records + ?Sized> Records for Announcing<S> {
    async fn accept(
        &self,
        recording: &Recording,
        job: &Job,
        once: Option<&Once>,
    ) -> Result<Added, StoreError> {
        let added = self.store.accept(recording, job, once).await?;
        if let Added::Now(_) = added {
            self.spread(job.owner).await;
        }
        Ok(added)
    }

    async fn add_job(&self, job: &Job, once: Option<&Once>) -> Result<Option<Added>, StoreError> {
        let added = self.store.add_job(job, once).await?;
        if let Some(Added::Now(_)) = added {
            self.spread(job.owner).await;
        }
        Ok(added)
    }

    async fn answered(
        &self,
        owner: OwnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Answered>, StoreError> {
        self.store.answered(owner, key).await
    }

    async fn cancel(
        &self,
        owner: OwnerId,
        id: JobId,
    ) -> Result<Option<Result<Job, AlreadyEnded>>, StoreError> {
        let cancelled = self.store.cancel(owner, id).await?;
        if let Some(Ok(_)) = cancelled {
            self.spread(owner).await;
        }
        Ok(cancelled)
    }

    async fn recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Entry>, StoreError> {
        self.store.recording(owner, id).await
    }

    async fn job(&self, owner: OwnerId, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        self.store.job(owner, id).await
    }

    async fn delete_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Vec<BlobKey>>, StoreError> {
        let deleted = self.store.delete_recording(owner, id).await?;
        if deleted.is_some() {
            self.events.announce(owner).await;
        }
        Ok(deleted)
    }
}

#[async_trait]
impl<S: Library + ?Sized> Library for Announcing<S> {
    async fn recordings(
        &self,
        owner: OwnerId,
        query: &EntryQuery,
    ) -> Result<Found<Entry, EntryPlace>, StoreError> {
        self.store.recordings(owner, query).await
    }

    async fn jobs(
        &self,
        owner: OwnerId,
        query: &JobQuery,
    ) -> Result<Found<Job, JobId>, StoreError> {
        self.store.jobs(owner, query).await
    }

    async fn edit_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
        edit: &Edit,
        expected: Option<u64>,
    ) -> Result<Option<Result<Entry, Changed>>, StoreError> {
        let edited = self.store.edit_recording(owner, id, edit, expected).await?;
        if let Some(Ok(_)) = edited {
            self.events.announce(owner).await;
        }
        Ok(edited)
    }

    async fn trash_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
        grace: SignedDuration,
    ) -> Result<Option<Timestamp>, StoreError> {
        let until = self.store.trash_recording(owner, id, grace).await?;
        if until.is_some() {
            self.events.announce(owner).await;
        }
        Ok(until)
    }

    async fn restore_recording(
        &self,
        owner: OwnerId,
        id: RecordingId,
    ) -> Result<Option<Entry>, StoreError> {
        let restored = self.store.restore_recording(owner, id).await?;
        if restored.is_some() {
            self.spread(owner).await;
        }
        Ok(restored)
    }
}

#[async_trait]
impl<S: JobLeases + ?Sized> JobLeases for Announcing<S> {
    async fn claim(&self, id: JobId, worker: &str, terms: LeaseTerms) -> Result<Claim, StoreError> {
        let claim = self.store.claim(id, worker, terms).await?;
        self.announce_won(&claim).await;
        Ok(claim)
    }

    async fn claim_next(
        &self,
        hint: Option<JobId>,
        worker: &str,
        terms: LeaseTerms,
        running_max: u32,
    ) -> Result<Claim, StoreError> {
        let claim = self.store.claim_next(hint, worker, terms, running_max);
        let claim = claim.await?;
        self.announce_won(&claim).await;
        Ok(claim)
    }

    async fn release(
        &self,
        attempt: Attempt<Job>,
        terms: LeaseTerms,
        pause: Duration,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<Job, LeaseLost>, StoreError> {
        let released = self.store.release(attempt, terms, pause, blame, reason);
        let released = released.await?;
        if let Ok(job) = &released {
            self.spread(job.owner).await;
        }
        Ok(released)
    }
}

impl<S: ?Sized> Announcing<S> {
    /// A job that was won wrote an event, and nothing to be sent.
    async fn announce_won(&self, claim: &Claim) {
        if let Claim::Won { job, .. } = claim {
            self.events.announce(job.owner).await;
        }
    }
}

#[async_trait]
impl<S: Leases<Job> + ?Sized> Leases<Job> for Announcing<S> {
    async fn extend(
        &self,
        attempt: Attempt<Job>,
        terms: LeaseTerms,
        progress: &Progress,
        event: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError> {
        let extended = self.store.extend(attempt, terms, progress, event).await?;
        if let Ok(Heartbeat {
            news_of: Some(owner),
            ..
        }) = extended
        {
            self.events.announce(owner).await;
        }
        Ok(extended)
    }

    async fn settle(
        &self,
        attempt: Attempt<Job>,
        outcome: <Job as Leased>::Outcome,
    ) -> Result<Result<Job, LeaseLost>, StoreError> {
        let settled = self.store.settle(attempt, outcome).await?;
        if let Ok(job) = &settled {
            self.spread(job.owner).await;
        }
        Ok(settled)
    }
}

// Reading tells nothing.

#[async_trait]
impl<T: Errand, S: Leases<T> + ?Sized> Leases<T> for Announcing<S> {
    async fn extend(
        &self,
        attempt: Attempt<T>,
        terms: LeaseTerms,
        progress: &Progress,
        event: bool,
    ) -> Result<Result<Heartbeat, LeaseLost>, StoreError> {
        self.store.extend(attempt, terms, progress, event).await
    }

    async fn settle(
        &self,
        attempt: Attempt<T>,
        outcome: T::Outcome,
    ) -> Result<Result<T, LeaseLost>, StoreError> {
        let settled = self.store.settle(attempt, outcome).await?;
        self.announce_end(hears_of(&settled)).await;
        Ok(settled)
    }
}

impl<S: ?Sized> Announcing<S> {
    async fn announce_end(&self, owner: Option<OwnerId>) {
        if let Some(owner) = owner {
            self.events.announce(owner).await;
        }
    }
}

/// Who is to hear that it has ended, if it has.
fn hears_of<T: Errand>(errand: &Result<T, LeaseLost>) -> Option<OwnerId> {
    let ended = errand.as_ref().ok().filter(|errand| !errand.waits());
    ended.and_then(T::watched_by)
}

#[async_trait]
impl<T: Errand, S: Errands<T> + ?Sized> Errands<T> for Announcing<S> {
    async fn errand_waits(&self) {
        Errands::<T>::errand_waits(&*self.store).await;
    }

    async fn claim_errand(
        &self,
        worker: &str,
        terms: LeaseTerms,
    ) -> Result<Option<(Attempt<T>, T)>, StoreError> {
        self.store.claim_errand(worker, terms).await
    }

    async fn release_errand(
        &self,
        attempt: Attempt<T>,
        terms: LeaseTerms,
        blame: Blame,
        reason: Problem,
    ) -> Result<Result<T, LeaseLost>, StoreError> {
        let released = self.store.release_errand(attempt, terms, blame, reason);
        let released = released.await?;
        self.announce_end(hears_of(&released)).await;
        Ok(released)
    }
}

#[async_trait]
impl<S: Submissions + ?Sized> Submissions for Announcing<S> {
    async fn add_submission(
        &self,
        submission: &Submission,
        waiting_max: usize,
    ) -> Result<bool, StoreError> {
        self.store.add_submission(submission, waiting_max).await
    }

    async fn submission(&self, id: SubmissionId) -> Result<Option<Submission>, StoreError> {
        self.store.submission(id).await
    }
}

#[async_trait]
impl<S: Derivatives + ?Sized> Derivatives for Announcing<S> {
    async fn derive(&self, new: &Derivative, waiting_max: usize) -> Result<Derive, StoreError> {
        self.store.derive(new, waiting_max).await
    }

    async fn reading(&self, id: DerivativeId) -> Result<bool, StoreError> {
        self.store.reading(id).await
    }

    async fn derivatives(&self, owner: OwnerId, job: JobId) -> Result<Vec<Derivative>, StoreError> {
        self.store.derivatives(owner, job).await
    }
}

#[async_trait]
impl<S: Sources + ?Sized> Sources for Announcing<S> {
    async fn source(&self, job: JobId) -> Result<Option<Source>, StoreError> {
        self.store.source(job).await
    }
}

#[async_trait]
impl<S: Catalogue + ?Sized> Catalogue for Announcing<S> {
    async fn put_plugin(
        &self,
        plugin: &InstalledPlugin,
        size_bytes: u64,
    ) -> Result<(), StoreError> {
        self.store.put_plugin(plugin, size_bytes).await
    }

    async fn plugins(&self) -> Result<Vec<PluginVersion>, StoreError> {
        self.store.plugins().await
    }

    async fn check_report(&self, id: &str, version: &str) -> Result<Option<Value>, StoreError> {
        self.store.check_report(id, version).await
    }

    async fn remove_plugin(&self, id: &str, version: &str) -> Result<Removal, StoreError> {
        self.store.remove_plugin(id, version).await
    }
}

#[async_trait]
impl<S: EventLog + ?Sized> EventLog for Announcing<S> {
    async fn events(
        &self,
        owner: OwnerId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.store.events(owner, after, limit).await
    }

    async fn newest_event(&self) -> Result<EventId, StoreError> {
        self.store.newest_event().await
    }

    async fn forgotten_up_to(&self) -> Result<EventId, StoreError> {
        self.store.forgotten_up_to().await
    }

    async fn job_now(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.store.job_now(id).await
    }
}

#[async_trait]
impl<S: Shares + ?Sized> Shares for Announcing<S> {
    async fn add_share(
        &self,
        share: &Share,
        token_sha256: [u8; 32],
        shares_max: u64,
    ) -> Result<Shared, StoreError> {
        self.store.add_share(share, token_sha256, shares_max).await
    }

    async fn share(&self, token_sha256: [u8; 32]) -> Result<Option<Share>, StoreError> {
        self.store.share(token_sha256).await
    }

    async fn shares(
        &self,
        owner: OwnerId,
        before: Option<ShareId>,
        limit: usize,
    ) -> Result<Vec<Share>, StoreError> {
        self.store.shares(owner, before, limit).await
    }

    async fn remove_share(&self, owner: OwnerId, id: ShareId) -> Result<bool, StoreError> {
        self.store.remove_share(owner, id).await
    }
}

#[async_trait]
impl<S: Presets + ?Sized> Presets for Announcing<S> {
    async fn save_preset(
        &self,
        owner: OwnerId,
        preset: &SavedPreset,
        presets_max: u64,
    ) -> Result<Saved, StoreError> {
        self.store.save_preset(owner, preset, presets_max).await
    }

    async fn presets(&self, owner: OwnerId) -> Result<Vec<SavedPreset>, StoreError> {
        self.store.presets(owner).await
    }

    async fn preset(
        &self,
        owner: OwnerId,
        name: &PresetName,
        version: Option<u64>,
    ) -> Result<Option<SavedPreset>, StoreError> {
        self.store.preset(owner, name, version).await
    }

    async fn remove_preset(
        &self,
        owner: OwnerId,
        name: &PresetName,
        newest: u64,
    ) -> Result<bool, StoreError> {
        self.store.remove_preset(owner, name, newest).await
    }
}

#[async_trait]
impl<S: Usages + ?Sized> Usages for Announcing<S> {
    async fn usage(&self, owner: OwnerId, day: i64) -> Result<Usage, StoreError> {
        self.store.usage(owner, day).await
    }
}

#[async_trait]
impl<S: Credentials + ?Sized> Credentials for Announcing<S> {
    async fn add_session(&self, token_sha256: [u8; 32]) -> Result<Session, StoreError> {
        self.store.add_session(token_sha256).await
    }

    async fn add_session_by_code(
        &self,
        token_sha256: [u8; 32],
        code_sha256: [u8; 32],
    ) -> Result<Option<Session>, StoreError> {
        self.store
            .add_session_by_code(token_sha256, code_sha256)
            .await
    }

    async fn add_code(
        &self,
        owner: OwnerId,
        code_sha256: [u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.add_code(owner, code_sha256, expires_at).await
    }

    async fn session(&self, token_sha256: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.store.session(token_sha256).await
    }

    async fn sessions(&self, owner: OwnerId) -> Result<Vec<Session>, StoreError> {
        self.store.sessions(owner).await
    }

    async fn remove_session(&self, owner: OwnerId, id: SessionId) -> Result<bool, StoreError> {
        self.store.remove_session(owner, id).await
    }

    async fn note_session_used(&self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        self.store.note_session_used(id, at).await
    }

    async fn add_api_key(
        &self,
        key: &ApiKey,
        secret_sha256: [u8; 32],
        keys_max: u64,
    ) -> Result<bool, StoreError> {
        self.store.add_api_key(key, secret_sha256, keys_max).await
    }

    async fn api_key(&self, secret_sha256: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        self.store.api_key(secret_sha256).await
    }

    async fn api_key_by_id(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.store.api_key_by_id(id).await
    }

    async fn api_keys(
        &self,
        before: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError> {
        self.store.api_keys(before, limit).await
    }

    async fn revoke_api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.store.revoke_api_key(id).await
    }

    async fn note_api_key_used(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.store.note_api_key_used(id, at).await
    }
}

#[async_trait]
impl<S: Space + ?Sized> Space for Announcing<S> {
    async fn jobs_waiting(&self) -> Result<u64, StoreError> {
        self.store.jobs_waiting().await
    }

    async fn space(&self) -> Result<SpaceUsed, StoreError> {
        self.store.space().await
    }
}
