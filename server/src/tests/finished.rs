//! Jobs that a worker has completed, as far as a server can see.

use bytes::Bytes;
use futures_util::stream;
use retake_chain::report::Report;
use retake_jobs::{
    correction::Correction,
    derivative::{Byproduct, DerivedFile, Kind, PeaksForm, Side},
    id::DerivativeId,
    job::Outcome,
    seams::{BlobKey, Blobs},
};

use super::{
    fixtures::{measured, step},
    house::House,
};

impl House {
    /// Does what a worker does: claims, writes a correction and a delta, settles. The delta of its one
    /// step has the correction's bytes backwards.
    pub async fn complete(&self, job: &str, audio: &[u8]) {
        let attempt = self.claim(job).await;
        let key = BlobKey::Correction {
            job: attempt.id,
            attempt: attempt.attempt,
        };
        let body = Box::pin(stream::iter([Ok(Bytes::copy_from_slice(audio))]));
        let info = self.blobs.put(key, body, u64::MAX).await.unwrap();
        let delta = BlobKey::Delta {
            job: attempt.id,
            attempt: attempt.attempt,
            step: 0,
        };
        let backwards: Bytes = audio.iter().rev().copied().collect();
        let body = Box::pin(stream::iter([Ok(backwards)]));
        self.blobs.put(delta, body, u64::MAX).await.unwrap();
        let correction = Correction {
            attempt: attempt.attempt,
            content_type: "audio/flac".to_owned(),
            size_bytes: info.size_bytes,
            sha256: info.sha256,
            report: Report {
                source: "WAV, PCM".to_owned(),
                input: measured(),
                output: measured(),
                tracks: Vec::new(),
                steps: vec![step()],
                targets: Vec::new(),
                findings: Vec::new(),
                elapsed_ms: 1,
            },
        };
        let outcome = Outcome::Completed {
            correction: Box::new(correction),
            byproducts: vec![
                self.peaks(Side::Original, b"its peaks").await,
                self.peaks(Side::Corrected, b"their peaks").await,
            ],
            warnings: Vec::new(),
        };
        self.store.settle(attempt, outcome).await.unwrap().unwrap();
    }

    async fn peaks(&self, side: Side, bytes: &'static [u8]) -> Byproduct {
        let id = DerivativeId::new(self.app.parts.clock.now());
        let body = Box::pin(stream::iter([Ok(Bytes::from_static(bytes))]));
        let key = Byproduct::key_of(id);
        let info = self.blobs.put(key, body, u64::MAX).await.unwrap();
        Byproduct {
            id,
            kind: Kind::Peaks(side, PeaksForm::Pyramid),
            file: DerivedFile {
                content_type: PeaksForm::Pyramid.content_type().to_owned(),
                size_bytes: info.size_bytes,
                sha256: info.sha256,
                warnings: Vec::new(),
            },
        }
    }
}
