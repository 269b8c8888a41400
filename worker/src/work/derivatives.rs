//! Makes what is asked for of completed jobs: each an errand, in a child behind the same wall as a job.

use std::path::{Path, PathBuf};

use retake_chain::{
    Rendition, Vocabulary,
    format::Format,
    problem::{Problem, ProblemKind},
};
use retake_findings::{Code, Finding};
use retake_jobs::{
    derivative::{Byproduct, Derivative, Derived, DerivedFile, Kind, PeaksForm, Side},
    id::DerivativeId,
    lease::Attempt,
    seams::{BlobKey, SharedBlobs, Source},
};
use retake_runner::{
    chain::{ChainFailure, Retry, TILE_COLUMNS, Wish, look, run_chain},
    child::{CompareForm, Look, PeakForm},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{
    Worker,
    errands::{Doable, NotDone, Why},
    fetch,
};
use crate::config::Config;

impl Doable for Derivative {
    const NAME: &'static str = "a derivative";

    fn poll_ms(config: &Config) -> u64 {
        config.derivative_poll_ms
    }

    async fn work(
        &self,
        worker: &Worker,
        attempt: Attempt<Derivative>,
    ) -> Result<Derived, NotDone> {
        let source = worker.parts.store.source(self.job_id).await;
        let source = source.map_err(|error| NotDone::new(Why::OutOfReach, error))?;
        // Deleted with its job: settling says that it is nobody's.
        let gone = || NotDone::new(Why::OutOfReach, "the job is gone");
        let source = source.ok_or_else(gone)?;
        match worker.derive(self.kind, attempt, &source).await {
            Ok(derived) => Ok(derived),
            Err(ChainFailure::Failed {
                problem,
                retry: Retry::Never,
                ..
            }) => Ok(Derived::Failed(*problem)),
            Err(failure) => Err(not_done(failure)),
        }
    }

    async fn settled(&self, _: &Worker) {
        tracing::info!(
            derivative.id = %self.id,
            job.id = %self.job_id,
            kind = %self.kind,
            status = self.status.name(),
            size_bytes = self.file.as_ref().map(|file| file.size_bytes),
            "a derivative ended"
        );
    }

    async fn discarded(worker: &Worker, derived: &Derived) {
        if let Derived::Ready { byproducts, .. } = derived {
            worker.delete_byproducts(byproducts).await;
        }
    }

    async fn dropped(worker: &Worker, attempt: Attempt<Derivative>) {
        worker.delete(attempt.key()).await;
    }
}

fn not_done(failure: ChainFailure) -> NotDone {
    match failure {
        ChainFailure::Failed { problem, retry, .. } => {
            let why = match retry {
                Retry::Ours(trouble) => Why::Trouble(trouble),
                Retry::Never | Retry::After(_) => Why::Itself,
            };
            NotDone::new(why, problem.detail)
        }
        ChainFailure::Cancelled => NotDone::new(Why::OutOfReach, "it was stopped"),
    }
}

fn no_such_tile(tile: u32) -> ChainFailure {
    let detail = format!("tile is {tile}; the audio ends before it");
    ChainFailure::lasting(Problem::new(ProblemKind::InvalidField, detail))
}

/// Nobody hears it at once, and who makes a third of that hears it all the more.
fn lost_twice(source: &Source, to: Format) -> Option<Finding> {
    let from = Format::of_content_type(&source.correction.content_type)?;
    let lost = !from.is_lossless() && !to.is_lossless();
    lost.then(|| {
        let params = [("from", from.name().into()), ("to", to.name().into())];
        Finding::new(Code::LostTwice, params)
    })
}

/// In the scratch folder.
struct Made {
    path: PathBuf,
    content_type: String,
    warnings: Vec<Finding>,
    /// What was made in the same pass.
    besides: Vec<(Kind, PathBuf)>,
}

/// Tiles of a spectrogram that are made in one pass: whoever looks at one looks at others, and to reach
/// the last all before it is decoded.
const TILES_AT_ONCE: u32 = 512;

/// Byproducts whose bytes nobody points to yet.
struct Put {
    blobs: SharedBlobs,
    byproducts: Vec<Byproduct>,
}

impl Drop for Put {
    fn drop(&mut self) {
        if self.byproducts.is_empty() {
            return;
        }
        let blobs = self.blobs.clone();
        let byproducts = std::mem::take(&mut self.byproducts);
        tokio::spawn(async move {
            for byproduct in byproducts {
                // What fails here is a draft, which is swept.
                let _ = blobs.delete(byproduct.key()).await;
            }
        });
    }
}

impl Worker {
    /// Makes it and puts its bytes under the attempt's key.
    async fn derive(
        &self,
        kind: Kind,
        attempt: Attempt<Derivative>,
        source: &Source,
    ) -> Result<Derived, ChainFailure> {
        let scratch = self.scratch.attempt().map_err(ChainFailure::disk)?;
        let made = match kind {
            Kind::Rendition(rendition) => self.render(rendition, &scratch, source).await?,
            Kind::Compare | Kind::CompareTracks => {
                let correction = self.fetch_correction(&scratch, source).await?;
                let cuts = &source.correction.report.steps;
                let cuts = cuts.iter().map(|step| step.cuts.clone()).collect();
                let (form, content_type) = match kind {
                    Kind::CompareTracks => (CompareForm::M4a, "audio/mp4"),
                    _ => (CompareForm::Webm, "audio/webm"),
                };
                let wanted = Look::Compare {
                    correction,
                    cuts,
                    form,
                };
                let seen = (Side::Original, content_type, wanted);
                self.seen(seen, &scratch, source).await?
            }
            Kind::Peaks(side, form) => {
                let wanted = match form {
                    PeaksForm::Pyramid => PeakForm::Pyramid,
                    PeaksForm::Dat => PeakForm::Dat,
                    PeaksForm::Json => PeakForm::Json,
                };
                let seen = (side, form.content_type(), Look::Peaks(wanted));
                self.seen(seen, &scratch, source).await?
            }
            Kind::Spectrogram {
                side,
                columns_per_second,
                tile,
            } => {
                let first = tile / TILES_AT_ONCE * TILES_AT_ONCE;
                let from_column = u64::from(first) * TILE_COLUMNS;
                let wanted = Look::Spectrogram {
                    columns_per_second: columns_per_second.into(),
                    from_column,
                    to_column: from_column + u64::from(TILES_AT_ONCE) * TILE_COLUMNS,
                };
                let folder = scratch.path().join("derivative");
                tokio::fs::create_dir(&folder)
                    .await
                    .map_err(ChainFailure::disk)?;
                let mut made = self
                    .seen((side, "image/png", wanted), &scratch, source)
                    .await?;
                let there = |tile: u32| {
                    let path = folder.join(format!("{tile}.png"));
                    path.exists().then_some(path)
                };
                made.path = there(tile).ok_or_else(|| no_such_tile(tile))?;
                let others = (first..=first + (TILES_AT_ONCE - 1)).filter(|other| *other != tile);
                let others = others.map_while(|tile| Some((tile, there(tile)?)));
                let kind = |tile| Kind::Spectrogram {
                    side,
                    columns_per_second,
                    tile,
                };
                made.besides = others.map(|(tile, path)| (kind(tile), path)).collect();
                made
            }
        };
        let limit = self.config.limits.correction_bytes_max;
        let stored = fetch::store(&*self.parts.blobs, attempt.key(), &made.path, limit).await?;
        let byproducts = self
            .store_besides(&made.content_type, &made.besides)
            .await?;
        Ok(Derived::Ready {
            file: DerivedFile {
                content_type: made.content_type,
                size_bytes: stored.size_bytes,
                sha256: stored.sha256,
                warnings: made.warnings,
            },
            byproducts,
        })
    }

    /// Puts the bytes of what a pass has made besides. What was put goes where that fails or is not waited for.
    pub(super) async fn store_besides(
        &self,
        content_type: &str,
        made: &[(Kind, PathBuf)],
    ) -> Result<Vec<Byproduct>, ChainFailure> {
        let mut put = Put {
            blobs: self.parts.blobs.clone(),
            byproducts: Vec::new(),
        };
        let limit = self.config.limits.correction_bytes_max;
        for (kind, path) in made {
            let id = DerivativeId::new(self.parts.clock.now());
            let key = Byproduct::key_of(id);
            let stored = fetch::store(&*self.parts.blobs, key, path, limit).await?;
            put.byproducts.push(Byproduct {
                id,
                kind: *kind,
                file: DerivedFile {
                    content_type: content_type.to_owned(),
                    size_bytes: stored.size_bytes,
                    sha256: stored.sha256,
                    warnings: Vec::new(),
                },
            });
        }
        Ok(std::mem::take(&mut put.byproducts))
    }

    pub(super) async fn delete_byproducts(&self, byproducts: &[Byproduct]) {
        for byproduct in byproducts {
            self.delete(byproduct.key()).await;
        }
    }

    /// Of one of the two: what, and what it is called.
    async fn seen(
        &self,
        (side, content_type, wanted): (Side, &str, Look),
        scratch: &TempDir,
        source: &Source,
    ) -> Result<Made, ChainFailure> {
        let (input, track) = match side {
            Side::Original => {
                let recording = &source.recording;
                let key = BlobKey::Recording(recording.id);
                let size_bytes = recording.size_bytes;
                let path = self.fetch_as("recording", scratch.path(), key, size_bytes);
                (path.await?, source.job.track)
            }
            Side::Corrected => (self.fetch_correction(scratch, source).await?, None),
        };
        let output = scratch.path().join("derivative");
        let vocabulary = Vocabulary::default();
        let context = self.context(scratch.path(), &source.recording, &vocabulary);
        let cancel = CancellationToken::new();
        let looked = look(&input, &output, wanted, track, &context, &|_| (), &cancel).await?;
        let warnings = looked.findings.into_iter().filter(Finding::is_warning);
        Ok(Made {
            path: output,
            besides: Vec::new(),
            content_type: content_type.to_owned(),
            warnings: warnings.collect(),
        })
    }

    /// The correction in another format: a chain without steps.
    async fn render(
        &self,
        rendition: Rendition,
        scratch: &TempDir,
        source: &Source,
    ) -> Result<Made, ChainFailure> {
        let input = self.fetch_correction(scratch, source).await?;
        let output = scratch.path().join("derivative");
        let vocabulary = Vocabulary::default();
        let context = self.context(scratch.path(), &source.recording, &vocabulary);
        let wish = Wish {
            rendition: Some(rendition),
            track: None,
        };
        let cancel = CancellationToken::new();
        let ran = run_chain(&input, &output, &[], wish, &context, &|_| (), &cancel).await?;
        Ok(Made {
            content_type: ran.format.content_type().to_owned(),
            warnings: lost_twice(source, ran.format)
                .into_iter()
                .chain(ran.warnings())
                .collect(),
            path: output,
            besides: Vec::new(),
        })
    }

    async fn fetch_correction(
        &self,
        scratch: &TempDir,
        source: &Source,
    ) -> Result<PathBuf, ChainFailure> {
        let key = BlobKey::Correction {
            job: source.job.id,
            attempt: source.correction.attempt,
        };
        let size_bytes = source.correction.size_bytes;
        self.fetch_as("correction", scratch.path(), key, size_bytes)
            .await
    }

    async fn fetch_as(
        &self,
        name: &str,
        scratch: &Path,
        key: BlobKey,
        size_bytes: u64,
    ) -> Result<PathBuf, ChainFailure> {
        let path = scratch.join(name);
        fetch::fetch(&*self.parts.blobs, key, size_bytes, &path).await?;
        Ok(path)
    }
}
