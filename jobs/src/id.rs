//! Ids as types: a job's id cannot stand where a recording's is meant.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($($at:ident)?) = $new:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            #[allow(clippy::new_without_default)] // every call gives another id
            pub fn new($($at: Timestamp)?) -> Self {
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
    /// Sorts by time: lists of recordings need no other index.
    RecordingId(now) = sorted_by(now)
);
id!(JobId(now) = sorted_by(now));
id!(
    /// A plugin on its way into the catalogue.
    SubmissionId(now) = sorted_by(now)
);
id!(
    /// Something made of a completed job.
    DerivativeId(now) = sorted_by(now)
);
id!(
    /// A key of the API; its secret is another thing.
    ApiKeyId(now) = sorted_by(now)
);
id!(
    /// A link to a correction; its token is another thing.
    ShareId(now) = sorted_by(now)
);
id!(SessionId(now) = sorted_by(now));
id!(
    /// An address that hears of its owner's events.
    WebhookId(now) = sorted_by(now)
);
id!(
    /// One message on its way to one webhook.
    DeliveryId(now) = sorted_by(now)
);
id!(
    /// Whose recordings these are. Never leaves the server; a client holds a token.
    OwnerId() = Uuid::new_v4()
);

/// A UUIDv7 of the time that it is told, to a quarter of a microsecond (RFC 9562, section 6.2, method
/// 3). `Uuid::now_v7` takes the wall clock: whatever comes after that was set back would sort before
/// what is there. Callers therefore have the store's clock, which never goes back.
fn sorted_by(now: Timestamp) -> Uuid {
    const NANOS_PER_MS: i128 = 1_000_000;
    let nanos = now.as_nanosecond().max(0);
    let within = nanos % NANOS_PER_MS * (1 << 12) / NANOS_PER_MS;
    let millis = u64::try_from(nanos / NANOS_PER_MS).expect("jiff's times fit");
    let within = u16::try_from(within).expect("twelve bits").to_be_bytes();
    let mut rest: [u8; 10] = rand::random();
    rest[..2].copy_from_slice(&within);
    Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

/// Position in the event log; monotonic over all owners, what SSE replays from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct EventId(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_the_times_that_they_are_told() {
        let at = |nanos| Timestamp::from_nanosecond(nanos).unwrap_or(Timestamp::MAX);
        let times = [
            -5,
            999_999,
            1_000_000,
            1_000_300,
            1_999_999,
            1_800_000_000_000_000_000,
            1_800_000_000_000_000_300,
            1_800_000_000_001_000_000,
        ];
        for pair in times.windows(2) {
            // Whichever was made first.
            let (later, earlier) = (RecordingId::new(at(pair[1])), RecordingId::new(at(pair[0])));
            assert!(earlier < later, "{pair:?}");
            assert!(earlier.to_string() < later.to_string(), "{pair:?}");
        }
        let id = JobId::new(at(1_800_000_000_000_000_300));
        assert_eq!(id.0.get_version_num(), 7);
        assert_eq!(id.0.get_variant(), uuid::Variant::RFC4122);
        assert_ne!(id, JobId::new(at(1_800_000_000_000_000_300)));
    }
}
