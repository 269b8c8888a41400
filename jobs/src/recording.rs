//! The audio that came in, with the e-mail of who sent it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    email::Email,
    id::{OwnerId, RecordingId},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    pub id: RecordingId,
    #[serde(skip, default = "OwnerId::new")]
    pub owner: OwnerId,
    pub user_email: Email,
    /// The client's file name, cut to 255 characters, for display only.
    pub file_name: Option<String>,
    /// What the first bytes say, never what the client said.
    pub content_type: String,
    pub size_bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    pub created_at: Timestamp,
}
