//! Parts of what is there: RFC 9110 14, for bytes that never change under their ETag.

use http::{HeaderMap, Method, header};

/// What to send of `size` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion {
    Whole,
    /// `first..end`, never empty.
    Part {
        first: u64,
        end: u64,
    },
    /// No byte of the range is there.
    Unsatisfiable,
}

/// Several ranges in one request are answered with the whole, as the RFC allows; and so is any that
/// is not of a GET, as it demands (14.2).
pub fn portion(method: &Method, headers: &HeaderMap, etag: &str, size: u64) -> Portion {
    if method != Method::GET {
        return Portion::Whole;
    }
    // Neither header is a list: of two lines nobody knows which is meant.
    let only = |name| {
        let mut lines = headers.get_all(name).iter();
        let first = lines.next()?;
        let text = first.to_str().unwrap_or_default();
        Some(if lines.next().is_some() { "" } else { text })
    };
    // Strong tags only (13.1.5), and we give no dates.
    if only(header::IF_RANGE).is_some_and(|tag| tag.trim() != etag) {
        return Portion::Whole;
    }
    only(header::RANGE).map_or(Portion::Whole, |range| parse(range, size))
}

/// A Range that is not understood is ignored.
fn parse(range: &str, size: u64) -> Portion {
    let Some((unit, spec)) = range.split_once('=') else {
        return Portion::Whole;
    };
    // RFC 9110 5.6.1.2: a list may have empty elements.
    let mut ranges = spec.split(',').map(str::trim).filter(|one| !one.is_empty());
    let (Some(range), None) = (ranges.next(), ranges.next()) else {
        return Portion::Whole;
    };
    let Some((first, last)) = range.split_once('-') else {
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
    fn rfc_9110_14_1_2_ranges_of_ten_bytes() {
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
            ("bytes=2-4,", part(2, 5)),
            ("bytes= , 2-4", part(2, 5)),
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
    fn rfc_9110_14_2_only_get_has_ranges_and_if_range_compares_strongly() {
        let check = |method: Method, pairs: &[(http::HeaderName, &str)], expected| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(name, value.parse().unwrap());
            }
            let found = portion(&method, &headers, "\"abc\"", 10);
            assert_eq!(found, expected, "{method} {pairs:?}");
        };
        let range = (header::RANGE, "bytes=0-3");
        let part = Portion::Part { first: 0, end: 4 };
        let with = |tag: &'static str| [range.clone(), (header::IF_RANGE, tag)];
        check(Method::GET, &[], Portion::Whole);
        check(Method::GET, std::slice::from_ref(&range), part);
        check(Method::HEAD, std::slice::from_ref(&range), Portion::Whole);
        check(Method::GET, &[range.clone(), range.clone()], Portion::Whole);
        check(Method::GET, &with("\"abc\""), part);
        check(Method::GET, &with("\"old\""), Portion::Whole);
        check(Method::GET, &with("W/\"abc\""), Portion::Whole);
        check(
            Method::GET,
            &with("Thu, 01 Jan 1970 00:00:00 GMT"),
            Portion::Whole,
        );
        check(
            Method::GET,
            &[
                range.clone(),
                (header::IF_RANGE, "\"abc\""),
                (header::IF_RANGE, "\"old\""),
            ],
            Portion::Whole,
        );
    }
}
