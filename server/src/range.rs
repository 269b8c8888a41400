//! Range and conditional requests, RFC 9110 13 and 14, for bytes that never change under their ETag.

use http::{HeaderMap, header};

/// What to send of `size` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    Whole,
    /// `first..end`, never empty.
    Part {
        first: u64,
        end: u64,
    },
    /// The client has it.
    NotModified,
    /// No byte of the range is there.
    Unsatisfiable,
}

/// Several ranges in one request are answered with the whole, as the RFC allows.
pub fn portion(headers: &HeaderMap, etag: &str, size: u64) -> Portion {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(tags) = text(header::IF_NONE_MATCH)
        && tags
            .split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || weak(tag) == weak(etag))
    {
        return Portion::NotModified;
    }
    // If-Range takes strong tags only, and we give no dates.
    if text(header::IF_RANGE).is_some_and(|tag| tag != etag) {
        return Portion::Whole;
    }
    text(header::RANGE).map_or(Portion::Whole, |range| parse(range, size))
}

/// If-None-Match compares weakly: a proxy may have weakened our tag.
fn weak(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// A Range that is not understood is ignored.
fn parse(range: &str, size: u64) -> Portion {
    let Some((unit, spec)) = range.split_once('=') else {
        return Portion::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Portion::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Portion::Whole;
    }
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // More digits than a u64 has are beyond any end.
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let (first, end) = match (first, last, number(first), number(last)) {
        ("", _, _, Some(suffix)) => (size - suffix.min(size), size),
        (_, "", Some(first), _) => (first, size),
        (_, _, Some(first), Some(last)) if first <= last => {
            (first, last.saturating_add(1).min(size))
        }
        _ => return Portion::Whole,
    };
    if first < end {
        Portion::Part { first, end }
    } else {
        Portion::Unsatisfiable
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ranges_of_ten_bytes() {
        let part = |first, end| Portion::Part { first, end };
        for (range, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=0-9", part(0, 10)),
            ("bytes=2-4", part(2, 5)),
            ("bytes=9-", part(9, 10)),
            ("bytes=0-", part(0, 10)),
            ("bytes=5-99", part(5, 10)),
            ("bytes=5-99999999999999999999999", part(5, 10)),
            ("bytes=-3", part(7, 10)),
            ("bytes=-99", part(0, 10)),
            ("Bytes = 2-4", part(2, 5)),
            ("bytes=10-", Portion::Unsatisfiable),
            ("bytes=10-12", Portion::Unsatisfiable),
            ("bytes=-0", Portion::Unsatisfiable),
            ("bytes=4-2", Portion::Whole),
            ("bytes=0-1,3-4", Portion::Whole),
            ("bytes=a-b", Portion::Whole),
            ("bytes=+1-2", Portion::Whole),
            ("bytes=-", Portion::Whole),
            ("bytes=", Portion::Whole),
            ("frames=0-1", Portion::Whole),
            ("junk", Portion::Whole),
        ] {
            assert_eq!(parse(range, 10), expected, "{range}");
        }
        assert_eq!(parse("bytes=0-", 0), Portion::Unsatisfiable);
    }

    #[test]
    fn conditions_decide_before_the_range_does() {
        let check = |pairs: &[(http::HeaderName, &str)], expected| {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(n, v)| (n.clone(), v.parse().unwrap()))
                .collect();
            assert_eq!(portion(&headers, "\"abc\"", 10), expected, "{pairs:?}");
        };
        let range = (header::RANGE, "bytes=0-3");
        let part = Portion::Part { first: 0, end: 4 };
        check(&[], Portion::Whole);
        check(std::slice::from_ref(&range), part);
        check(&[range.clone(), (header::IF_RANGE, "\"abc\"")], part);
        check(
            &[range.clone(), (header::IF_RANGE, "\"old\"")],
            Portion::Whole,
        );
        check(
            &[range.clone(), (header::IF_RANGE, "W/\"abc\"")],
            Portion::Whole,
        );
        check(
            &[range.clone(), (header::IF_NONE_MATCH, "\"abc\"")],
            Portion::NotModified,
        );
        check(
            &[(header::IF_NONE_MATCH, "\"x\", W/\"abc\"")],
            Portion::NotModified,
        );
        check(&[(header::IF_NONE_MATCH, "*")], Portion::NotModified);
        check(&[(header::IF_NONE_MATCH, "\"x\"")], Portion::Whole);
    }
}
