//! What a request wants done with a recording, from JSON or form text to a checked chain and format.

use retake_chain::{
    Chain, Pins, StepKind, Vocabulary,
    format::{Format, asked},
    preset,
    problem::{FieldError, ProblemKind, below},
};
use retake_jobs::{
    id::{OwnerId, RecordingId},
    job::Job,
    saved_preset::SavedPreset,
    trace::TraceContext,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    app::App,
    http::respond::{Refusal, shorten},
    routes::once::Fingerprint,
};

/// No file has more.
const TRACKS: std::ops::RangeInclusive<u32> = 1..=10_000;

/// One thing wrong with a request, and what kind of problem it alone would be.
#[derive(Debug, Clone)]
pub struct Fault {
    pub kind: ProblemKind,
    pub error: FieldError,
}

impl Fault {
    pub fn new(kind: ProblemKind, pointer: &str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            error: FieldError {
                detail: detail.into(),
                pointer: pointer.to_owned(),
            },
        }
    }
}

/// One problem of many faults. Faults of different kinds are called by the first's.
pub fn refuse_all(faults: Vec<Fault>) -> Refusal {
    let kind = faults
        .first()
        .map_or(ProblemKind::InvalidField, |fault| fault.kind);
    let detail = match faults.as_slice() {
        [one] => one.error.detail.clone(),
        many => format!(
            "{} things are wrong with the request; see errors",
            many.len()
        ),
    };
    let mut refusal = Refusal::new(kind, detail);
    refusal.problem.errors = faults.into_iter().map(|fault| fault.error).collect();
    refusal
}

/// What a request says a job should do, not yet checked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub preset: Option<String>,
    pub chain: Option<Value>,
    pub format: Option<String>,
    /// Any JSON: what is no whole number is told with the other faults.
    pub track: Option<Value>,
    /// Whether the recording may leave this installation: `allow`, as without it, or `forbid`.
    pub egress: Option<String>,
    /// Checked by itself: whether it may be there depends on whoever asks.
    pub callback_url: Option<String>,
}

/// What a job is to do, checked.
pub struct Order {
    pub chain: Chain,
    pub pins: Pins,
    pub preset: Option<String>,
    /// `None`: what is natural for the recording.
    pub format: Option<Format>,
    pub track: Option<u32>,
}

impl Wanted {
    /// Of all that it says of the recording.
    pub fn fingerprint(&self, recording: RecordingId) -> [u8; 32] {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let json =
            |value: &Option<Value>| value.as_ref().map_or_else(String::new, Value::to_string);
        Fingerprint::default()
            .with("recording", recording.to_string().as_bytes())
            .with("preset", text(&self.preset).as_bytes())
            .with("chain", json(&self.chain).as_bytes())
            .with("format", text(&self.format).as_bytes())
            .with("track", json(&self.track).as_bytes())
            .with("egress", text(&self.egress).as_bytes())
            .with("callback_url", text(&self.callback_url).as_bytes())
            .finish()
    }

    /// Every fault at once. Where nothing is said of what to do, the default preset is meant.
    /// `saved` is what the named preset means that is not built in.
    pub fn check(
        self,
        vocabulary: &Vocabulary,
        saved: Option<&SavedPreset>,
    ) -> Result<Order, Vec<Fault>> {
        let mut faults = Vec::new();
        let format = self.format.as_deref().unwrap_or(asked::AUTO);
        let format = asked::parse(format).unwrap_or_else(|| {
            let names = Format::ALL.map(Format::name).join(", ");
            let detail = format!(
                "format is \"{}\"; it must be one of: {}, {names}",
                shorten(format),
                asked::AUTO
            );
            faults.push(Fault::new(ProblemKind::InvalidField, "/format", detail));
            None
        });
        let track = self.track.as_ref().and_then(|track| {
            let parsed = parse_track(track);
            parsed.map_err(|fault| faults.push(fault)).ok()
        });
        let egress = self.egress.as_deref().unwrap_or("allow");
        if !["allow", "forbid"].contains(&egress) {
            let given = shorten(egress);
            let detail = format!("egress is \"{given}\"; it must be one of: allow, forbid");
            faults.push(Fault::new(ProblemKind::InvalidField, "/egress", detail));
        }
        let invalid = |errors: Vec<FieldError>| {
            let fault = |error| Fault {
                kind: ProblemKind::InvalidChain,
                error,
            };
            errors.into_iter().map(fault).collect::<Vec<_>>()
        };
        let named = match (self.preset, &self.chain) {
            (None, None) => Some(preset::DEFAULT.to_owned()),
            (named, _) => named,
        };
        let chain = match (&named, &self.chain) {
            (Some(name), None) => match (preset::find(name), saved) {
                (Some(preset), _) => preset.resolve(vocabulary).map_err(invalid),
                (None, Some(saved)) => {
                    Chain::parse(&saved.chain, "/preset", vocabulary).map_err(invalid)
                }
                (None, None) => {
                    let names: Vec<_> = preset::built_in().iter().map(|p| p.name).collect();
                    let (name, names) = (shorten(name), names.join(", "));
                    let detail = format!(
                        "there is no preset \"{name}\"; there is: {names}, and what was saved"
                    );
                    Err(vec![Fault::new(
                        ProblemKind::UnknownPreset,
                        "/preset",
                        detail,
                    )])
                }
            },
            (None, Some(chain)) => Chain::parse(chain, "/chain", vocabulary).map_err(invalid),
            _ => {
                let detail = "both a preset and a chain are given; give one of them";
                Err(vec![Fault::new(
                    ProblemKind::InvalidField,
                    "/chain",
                    detail,
                )])
            }
        };
        if let (Ok(chain), "forbid") = (&chain, egress) {
            let below = match &named {
                Some(_) => "/preset".to_owned(),
                None => "/chain".to_owned(),
            };
            faults.extend(leaving(chain, &below));
        }
        match chain {
            Ok(chain) if faults.is_empty() => Ok(Order {
                // It was checked against the same vocabulary.
                pins: chain.pin(vocabulary).unwrap_or_default(),
                chain,
                preset: named,
                format,
                track,
            }),
            Ok(_) => Err(faults),
            Err(wrong) => {
                faults.extend(wrong);
                Err(faults)
            }
        }
    }
}

/// Of the chain's steps, those with which the recording leaves. What an analyser recommends never does.
fn leaving(chain: &Chain, pointer: &str) -> Vec<Fault> {
    let steps = chain.steps.iter().enumerate();
    let leaving = steps.filter_map(|(index, step)| match &step.kind {
        StepKind::External { external } => Some((index, external)),
        _ => None,
    });
    let fault = |(index, external): (usize, &String)| {
        let detail = format!(
            "egress is \"forbid\"; step {index} is the external service \"{external}\", to which the recording \
             would be sent"
        );
        let pointer = format!("{pointer}/steps/{index}/external");
        Fault::new(ProblemKind::EgressForbidden, &pointer, detail)
    };
    leaving.map(fault).collect()
}

/// An audio track of the recording, from 1. Whether it has so many is found when it is read.
fn parse_track(track: &Value) -> Result<u32, Fault> {
    let parsed = track.as_u64().and_then(|n| u32::try_from(n).ok());
    parsed.filter(|n| TRACKS.contains(n)).ok_or_else(|| {
        let (given, (low, high)) = (shorten(&track.to_string()), (TRACKS.start(), TRACKS.end()));
        let detail = format!("track is {given}; it must be a whole number from {low} to {high}");
        Fault::new(ProblemKind::InvalidField, "/track", detail)
    })
}

/// A pointer to a field of a form.
pub fn field_pointer(name: &str) -> String {
    below("", &shorten(name))
}

impl Order {
    /// `call` is the request's id.
    pub fn into_job(
        self,
        app: &App,
        recording: RecordingId,
        owner: OwnerId,
        (call, trace): (&str, TraceContext),
    ) -> Job {
        let now = app.parts.clock.now();
        let mut job = Job::queued(recording, owner, self.chain, self.format, now);
        job.pins = self.pins;
        job.preset = self.preset;
        job.track = self.track;
        job.request_id = Some(call.to_owned());
        job.traceparent = Some(trace);
        job
    }
}
