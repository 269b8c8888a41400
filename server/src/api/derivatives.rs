//! What is made of a completed job.

use jiff::Timestamp;
use retake_chain::problem::Problem;
use retake_findings::Finding;
use retake_jobs::{
    derivative::{Derivative, Kind},
    id::JobId,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{addresses::job_address, words};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Derivative")]
pub struct DerivativeView<'a> {
    #[schemars(with = "words::Id")]
    job_id: JobId,
    #[schemars(extend("enum" = ["rendition", "compare", "peaks", "spectrogram"]))]
    kind: &'static str,
    #[schemars(extend("enum" = ["waiting", "ready", "failed"]))]
    status: &'static str,
    /// Why there is none.
    #[schemars(with = "Option<words::Problem>")]
    error: Option<&'a Problem>,
    /// Once ready, as what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "words::Sha256")]
    sha256: Option<&'a str>,
    /// What was found in making it that a person should hear of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<words::Finding>")]
    warnings: Option<&'a [Finding]>,
    #[schemars(with = "words::Time")]
    created_at: Timestamp,
    #[schemars(with = "Option<words::Time>")]
    ended_at: Option<Timestamp>,
    links: DerivativeLinks,
}

#[derive(Serialize, JsonSchema)]
struct DerivativeLinks {
    #[serde(rename = "self")]
    #[schemars(with = "words::Address")]
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
        let file = derivative.file.as_ref();
        Self {
            job_id: derivative.job_id,
            kind,
            status: derivative.status.name(),
            error: derivative.error.as_ref(),
            content_type: file.map(|file| file.content_type.as_str()),
            size_bytes: file.map(|file| file.size_bytes),
            sha256: file.map(|file| file.sha256.as_str()),
            warnings: file.map(|file| file.warnings.as_slice()),
            created_at: derivative.created_at,
            ended_at: derivative.ended_at,
            links: DerivativeLinks {
                itself: format!("{}/{under}", job_address(base, derivative.job_id)),
            },
        }
    }
}
