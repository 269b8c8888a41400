//! The JSON clients see, and the document that describes it. Rows become views here and nowhere else, each
//! field by name, so that a column added to a row does not become part of the interface by accident.
//!
//! A view is what is answered and, by its schema, what the document says is answered (`openapi`).

pub mod addresses;
mod credentials;
mod derivatives;
mod jobs;
pub mod openapi;
pub mod operation;
mod plugins;
mod presets;
mod recordings;
mod report;
pub mod requests;
mod service;
mod shares;
mod uploads;
mod webhooks;
pub mod words;

pub use credentials::{ApiKeyView, MeView, SessionCodeView, SessionView};
pub use derivatives::DerivativeView;
pub use jobs::{Accepted, JobView, News, download_stem};
pub use plugins::{History, Names, PluginView, SubmissionView, VersionView, accepted};
pub use presets::PresetView;
pub use recordings::{DeletedView, RecordingView};
pub use report::ReportView;
pub use service::{Admin, Alive, ExternalView, LimitsView, Page, Readiness, TokenMade, Version};
pub use shares::{ShareView, SharedView};
pub use uploads::UploadView;
pub use webhooks::{
    CallbackSecretView, DeliveryView, WebhookEvent, WebhookMessage, WebhookView, told,
};
