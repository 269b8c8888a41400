//! Which larger undertaking a request and its job belong to: W3C Trace Context,
//! <https://www.w3.org/TR/trace-context/>. A request's `traceparent` is taken if it is a whole one, else
//! a trace begins here; it goes with the job through queue, worker, external service and completion.
//! Nothing is recorded here but the log's lines, and `tracestate`, which says how others record, ends
//! at the server.

use std::{fmt, str::FromStr};

use rand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// Of the whole trace; never 0.
    trace_id: u128,
    /// Of whoever handed it on; never 0.
    parent_id: u64,
    sampled: bool,
}

/// Section 3.2.2: version 00 has this length, and no other.
const LENGTH: usize = 55;
/// Of the flags, the only one that version 00 knows.
const SAMPLED: u8 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no traceparent")]
pub struct NoTraceContext;

impl TraceContext {
    /// The beginning of a trace.
    pub fn begin() -> Self {
        Self {
            trace_id: rand::rng().random_range(1..=u128::MAX),
            parent_id: span(),
            sampled: true,
        }
    }

    /// The same trace, further on: what comes after has this as its parent.
    #[must_use]
    pub fn onward(self) -> Self {
        Self {
            parent_id: span(),
            ..self
        }
    }

    /// The trace's, as it stands in logs.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace_id)
    }

    pub fn span_id(self) -> String {
        format!("{:016x}", self.parent_id)
    }
}

fn span() -> u64 {
    rand::rng().random_range(1..=u64::MAX)
}

impl FromStr for TraceContext {
    type Err = NoTraceContext;

    fn from_str(text: &str) -> Result<Self, NoTraceContext> {
        let known = text.get(..LENGTH).ok_or(NoTraceContext)?;
        let mut fields = known.split('-');
        let mut field = |length| hex(fields.next(), length).ok_or(NoTraceContext);
        let (version, trace_id, parent_id, flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
        // Section 4.3: what a later version adds stands behind a dash; ff is never one.
        let whole = match version {
            0xff => false,
            0 => text.len() == LENGTH,
            _ => text.len() == LENGTH || text[LENGTH..].starts_with('-'),
        };
        if !whole || trace_id == 0 || parent_id == 0 {
            return Err(NoTraceContext);
        }
        Ok(Self {
            trace_id,
            parent_id: u64::try_from(parent_id).map_err(|_| NoTraceContext)?,
            sampled: flags & u128::from(SAMPLED) != 0,
        })
    }
}

/// Lower-case digits, exactly so many.
fn hex(field: Option<&str>, length: usize) -> Option<u128> {
    let field = field.filter(|field| field.len() == length)?;
    let digits = field
        .bytes()
        .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    digits
        .then(|| u128::from_str_radix(field, 16).ok())
        .flatten()
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, parent) = (self.trace_id, self.parent_id);
        write!(
            f,
            "00-{trace:032x}-{parent:016x}-{:02x}",
            u8::from(self.sampled)
        )
    }
}

impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The specification's own example, section 3.2.3.
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn trace_context_3_2_2_a_whole_traceparent_is_taken_and_written_as_it_was() {
        for text in [EXAMPLE, &EXAMPLE.replace("-01", "-00")] {
            let context: TraceContext = text.parse().unwrap();
            assert_eq!(context.to_string(), text);
            let json = serde_json::to_string(&context).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(
                serde_json::from_str::<TraceContext>(&json).unwrap(),
                context
            );
        }
        let context: TraceContext = EXAMPLE.parse().unwrap();
        assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id(), "00f067aa0ba902b7");
        // 3.2.2.5: flags that are not known go no further.
        let flags: TraceContext = EXAMPLE.replace("-01", "-ff").parse().unwrap();
        assert_eq!(flags.to_string(), EXAMPLE);
    }

    #[test]
    fn trace_context_3_2_2_what_is_no_traceparent_is_not_taken() {
        let wrong = [
            String::new(),
            "00".to_owned(),
            EXAMPLE.to_uppercase(),
            EXAMPLE.replace("4bf9", "4Bf9"),
            EXAMPLE.replace("4bf9", "4bg9"),
            EXAMPLE.replace("4bf9", "+bf9"),
            EXAMPLE.replace("-01", "-1"),
            EXAMPLE.replace("-01", "-0é"),
            EXAMPLE.replace("-01", "-01-"),
            EXAMPLE.replace("-01", "-01-more"),
            EXAMPLE.replace("-01", "-011"),
            EXAMPLE.replace('-', "_"),
            format!(" {EXAMPLE}"),
            format!("{EXAMPLE} "),
            format!("é{EXAMPLE}"),
            EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            EXAMPLE.replace("00f067aa0ba902b7", &"0".repeat(16)),
            EXAMPLE.replace("00-4bf92f", "ff-4bf92f"),
        ];
        for text in wrong {
            assert_eq!(text.parse::<TraceContext>(), Err(NoTraceContext), "{text}");
        }
    }

    #[test]
    fn trace_context_4_3_a_later_version_is_read_as_far_as_it_is_known() {
        let later = EXAMPLE.replace("00-4bf92f", "cc-4bf92f");
        for text in [later.clone(), format!("{later}-what-comes")] {
            assert_eq!(text.parse::<TraceContext>().unwrap().to_string(), EXAMPLE);
        }
        assert!(format!("{later}what").parse::<TraceContext>().is_err());
        assert!(format!("{later}é").parse::<TraceContext>().is_err());
    }

    #[test]
    fn trace_context_3_4_whoever_hands_on_keeps_the_trace_and_names_itself() {
        let given: TraceContext = EXAMPLE.parse().unwrap();
        let next = given.onward();
        assert_eq!(next.trace_id(), given.trace_id());
        assert_ne!(next.span_id(), given.span_id());
        assert_eq!(next.sampled, given.sampled);
        let (one, other) = (TraceContext::begin(), TraceContext::begin());
        assert_ne!(one.trace_id(), other.trace_id());
        assert_eq!(one.to_string().parse::<TraceContext>(), Ok(one));
    }
}
