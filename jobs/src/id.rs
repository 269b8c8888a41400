//! Ids as types: a job's id cannot stand where a recording's is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $new:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            #[allow(clippy::new_without_default)] // every call gives another id
            pub fn new() -> Self {
                Self($new)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(s).map(Self)
            }
        }
    };
}

id!(
    /// UUIDv7: lists of recordings sort by time without another index.
    RecordingId, Uuid::now_v7()
);
id!(JobId, Uuid::now_v7());
id!(
    /// A plugin on its way into the catalogue.
    SubmissionId, Uuid::now_v7()
);
id!(
    /// Whose recordings these are. Never leaves the server; a client holds a token.
    OwnerId, Uuid::new_v4()
);

/// Position in the event log; monotonic over all owners, what SSE replays from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct EventId(pub i64);
