//! What is made of a completed job.

use jiff::Timestamp;
use retake_chain::problem::Problem;
use retake_jobs::{
    derivative::{Derivative, DerivedFile, Kind},
    id::JobId,
};
use serde::Serialize;

use super::job_address;

#[derive(Serialize)]
pub struct DerivativeView<'a> {
    job_id: JobId,
    /// `rendition`, `compare`, `peaks` or `spectrogram`.
    kind: &'static str,
    status: &'static str,
    error: Option<&'a Problem>,
    /// Once ready.
    #[serde(flatten)]
    file: Option<&'a DerivedFile>,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    links: Links,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    itself: String,
}

impl<'a> DerivativeView<'a> {
    pub fn new(base: &str, derivative: &'a Derivative) -> Self {
        let (kind, under) = match derivative.kind {
            Kind::Rendition(rendition) => ("rendition", format!("renditions/{rendition}")),
            Kind::Compare => ("compare", "compare".to_owned()),
            Kind::CompareTracks => ("compare", "compare.m4a".to_owned()),
            Kind::Peaks(side, form) => ("peaks", format!("peaks/{}{}", side.name(), form.ending())),
            Kind::Spectrogram {
                side,
                columns_per_second,
                tile,
            } => (
                "spectrogram",
                format!("spectrograms/{}/{columns_per_second}/{tile}", side.name()),
            ),
        };
        Self {
            job_id: derivative.job_id,
            kind,
            status: derivative.status.name(),
            error: derivative.error.as_ref(),
            file: derivative.file.as_ref(),
            created_at: derivative.created_at,
            ended_at: derivative.ended_at,
            links: Links {
                itself: format!("{}/{under}", job_address(base, derivative.job_id)),
            },
        }
    }
}
