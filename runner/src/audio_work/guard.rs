//! Do no harm: what a step gave back is held against what it was given.
//!
//! Two kinds of findings. *Broken* is what no correction does, or what the plugin's manifest promises
//! not to do; the step fails. *Suspicious* is what a correction may do and a person should hear of;
//! it becomes a warning of the job. Shape, length and finite numbers are the pipeline's to check.

use std::sync::{Arc, Mutex, PoisonError};

use retake_audio::{Block, Change, ChangeMeter, Emit, Spec, Stage, StageError};
use retake_findings::{Code, Finding};
use retake_plugin_manifest::LevelPromise;

use super::delta::DeltaWriter;

/// Broken: a peak so far above full scale, or above the input's where that is higher. An equalizer
/// or a gain stage may have 24 dB and leave them to a limiter; nobody has 40.
const PEAK_RISE_DB_MAX: f64 = 40.0;
/// Broken: no sample above this (-120 dBFS, below the last bit of 20) ...
const SILENT_PEAK: f32 = 1e-6;
/// ... where the input was as loud as this in its heard parts. A gate may shut out room noise
/// whole; a voice, even one recorded far too low, is louder.
const CLEARLY_HEARD_DBFS: f64 = -50.0;
/// A promise is measured with windows and gates, which see a limiter's or a filter's work a little
/// differently than its author.
const PROMISE_TOLERANCE_DB: f64 = 0.5;
/// Suspicious: such a change of what can be heard, without a promise. Taking noise as loud as the
/// voice out changes the level by 3 dB, a strong equalizer by some more.
const CHANGE_DB_WARNED: f64 = 12.0;
/// Suspicious: so much of the heard windows fell by 40 dB. A denoiser takes pauses, not speech.
const LOST_WARNED: f64 = 0.1;
/// Suspicious: an offset that was not there before, -40 dBFS: it costs headroom, and clicks at cuts.
const OFFSET_WARNED: f64 = 0.01;

/// What a step is held to.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    /// Its place in the report.
    pub step: usize,
    /// As the chain names it.
    pub name: String,
    pub promise: Option<LevelPromise>,
    /// The corrected part of the step's output, 0.0 to 1.0.
    pub mix: f64,
    /// Its output is not aligned with its input, so that they cannot be compared.
    pub shortens: bool,
}

/// What came of it, readable once the step has finished.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict {
    pub level_change_db: Option<f64>,
    pub findings: Vec<Finding>,
}

/// Where a guard leaves its verdict.
#[derive(Clone, Default)]
pub(super) struct GuardRecord(Arc<Mutex<Verdict>>);

impl GuardRecord {
    pub fn verdict(&self) -> Verdict {
        let verdict = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        verdict.clone()
    }
}

/// Stands around one step: everything that goes in and comes out passes by.
pub(super) struct Guard {
    terms: Terms,
    meter: Option<ChangeMeter>,
    delta: Option<DeltaWriter>,
    record: GuardRecord,
}

impl Guard {
    pub fn new(terms: Terms, spec: Spec, delta: Option<DeltaWriter>) -> (Self, GuardRecord) {
        let record = GuardRecord::default();
        let guard = Self {
            meter: (!terms.shortens).then(|| ChangeMeter::new(spec)),
            terms,
            delta,
            record: record.clone(),
        };
        (guard, record)
    }

    pub fn before(&mut self, block: &Block) -> Result<(), StageError> {
        if let Some(meter) = &mut self.meter {
            meter.before(block);
        }
        self.delta
            .as_mut()
            .map_or(Ok(()), |delta| delta.before(block))
    }

    pub fn after(&mut self, block: &Block) -> Result<(), StageError> {
        if let Some(meter) = &mut self.meter {
            meter.after(block);
        }
        self.delta
            .as_mut()
            .map_or(Ok(()), |delta| delta.after(block))
    }

    /// After the last block: the verdict. Called once.
    pub fn finish(&mut self) -> Result<(), StageError> {
        let Some(meter) = self.meter.take() else {
            return Ok(());
        };
        let change = meter.finish();
        if let Some(what) = broken(&self.terms, &change) {
            return Err(StageError::Harmful { message: what });
        }
        let mut findings = suspicious(&self.terms, &change);
        if let Some(delta) = self.delta.take() {
            findings.extend(delta.finish(self.terms.step, &self.terms.name)?);
        }
        *self.record.0.lock().unwrap_or_else(PoisonError::into_inner) = Verdict {
            level_change_db: change.level_db.map(|db| (db * 100.0).round() / 100.0),
            findings,
        };
        Ok(())
    }
}

fn broken(terms: &Terms, change: &Change) -> Option<String> {
    let (before_db, after_db) = (peak_db(change.before.peak), peak_db(change.after.peak));
    let promised_db = terms.promise.map_or(0.0, |promise| promise.max_db);
    let highest_db = before_db.max(0.0) + PEAK_RISE_DB_MAX.max(promised_db);
    if after_db > highest_db {
        return Some(format!(
            "its output peaks at {after_db:+.1} dBFS; at most {highest_db:+.1} are taken where its \
             input peaks at {before_db:+.1}"
        ));
    }
    match (terms.promise, change.level_db) {
        (Some(promise), Some(level_db)) => {
            // Mixed with the original, the change is somewhere between none and all of it.
            let (mut min_db, mut max_db) = (promise.min_db, promise.max_db);
            if terms.mix < 1.0 {
                (min_db, max_db) = (min_db.min(0.0), max_db.max(0.0));
            }
            let kept = min_db - PROMISE_TOLERANCE_DB..=max_db + PROMISE_TOLERANCE_DB;
            (!kept.contains(&level_db)).then(|| {
                format!(
                    "it changed the level by {level_db:+.1} dB; its manifest promises {promise} dB"
                )
            })
        }
        (None, Some(_)) => {
            let heard_dbfs = change.heard_dbfs.unwrap_or(f64::NEG_INFINITY);
            let emptied = change.after.peak < SILENT_PEAK && heard_dbfs >= CLEARLY_HEARD_DBFS;
            emptied.then(|| {
                format!("it returned silence; its input has a level of {heard_dbfs:.1} dBFS")
            })
        }
        (_, None) => None,
    }
}

fn suspicious(terms: &Terms, change: &Change) -> Vec<Finding> {
    let of_step = |code, params| Finding::of_step(code, terms.step, &terms.name, params);
    let mut findings = Vec::new();
    let level_db = change.level_db.unwrap_or(0.0);
    if terms.promise.is_none() {
        if level_db.abs() > CHANGE_DB_WARNED {
            let code = if level_db < 0.0 {
                Code::StepQuieter
            } else {
                Code::StepLouder
            };
            let params = [
                ("change_db", level_db.abs().into()),
                ("usual_db", CHANGE_DB_WARNED.into()),
            ];
            findings.push(Finding::of_step(code, terms.step, &terms.name, params));
        } else if change.lost > LOST_WARNED {
            let percent = 100.0 * change.lost;
            findings.push(of_step(Code::StepEmptied, [("percent", percent.into())]));
        }
    }
    // An offset that was there grows with everything else.
    let had = change.before.offset.abs() * 10f64.powf(level_db.max(0.0) / 20.0);
    let has = change.after.offset.abs();
    if has - had > OFFSET_WARNED {
        let percent = 100.0 * (has - had);
        findings.push(of_step(Code::StepOffset, [("percent", percent.into())]));
    }
    findings
}

fn peak_db(peak: f32) -> f64 {
    20.0 * f64::from(peak).log10()
}

/// A stage and its guard.
pub(super) struct Guarded {
    pub guard: Guard,
    pub inner: Box<dyn Stage>,
}

impl Guarded {
    fn watched(
        &mut self,
        emit: &mut Emit<'_>,
        run: impl FnOnce(&mut dyn Stage, &mut Emit<'_>) -> Result<(), StageError>,
    ) -> Result<(), StageError> {
        let guard = &mut self.guard;
        run(&mut *self.inner, &mut |block| {
            guard.after(block)?;
            emit(block)
        })
    }
}

impl Stage for Guarded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn begin(&mut self) -> Result<(), StageError> {
        self.inner.begin()
    }

    fn analyzes(&self) -> bool {
        self.inner.analyzes()
    }

    fn shortens(&self) -> bool {
        self.inner.shortens()
    }

    /// A delta of nothing is as long as any.
    fn only_looks(&self) -> bool {
        self.inner.only_looks() && self.guard.delta.is_none()
    }

    fn analyze(&mut self, block: &Block) -> Result<(), StageError> {
        self.inner.analyze(block)
    }

    fn process(&mut self, block: &Block, emit: &mut Emit<'_>) -> Result<(), StageError> {
        self.guard.before(block)?;
        self.watched(emit, |inner, emit| inner.process(block, emit))
    }

    fn finish(&mut self, emit: &mut Emit<'_>) -> Result<(), StageError> {
        self.watched(emit, |inner, emit| inner.finish(emit))?;
        self.guard.finish()
    }
}
