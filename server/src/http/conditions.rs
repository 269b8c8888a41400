//! If-Match and If-None-Match, RFC 9110 13, for answers that have an ETag. There are no dates, so
//! conditions on dates hold nothing up, as the RFC wants.

use http::{HeaderMap, HeaderName, Method, header};
use retake_chain::problem::ProblemKind;

use crate::http::respond::Refusal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Go,
    /// The client has it: 304.
    NotModified,
    /// The client wanted another: 412.
    Failed,
}

/// RFC 9110 13.2.2, in its order. `etag` is a strong one, with its quotes.
pub fn judge(method: &Method, headers: &HeaderMap, etag: &str) -> Verdict {
    if let Some(tags) = Tags::of(headers, header::IF_MATCH)
        && !tags.hold(|tag| tag == etag)
    {
        return Verdict::Failed;
    }
    if let Some(tags) = Tags::of(headers, header::IF_NONE_MATCH)
        && tags.hold(|tag| weak(tag) == weak(etag))
    {
        return if method.is_safe() {
            Verdict::NotModified
        } else {
            Verdict::Failed
        };
    }
    Verdict::Go
}

/// Before something is changed whose ETags begin with a version: whatever else one says does not matter. Whether
/// it was asked for by If-Match.
pub fn of_version(headers: &HeaderMap, version: &str) -> Result<bool, Refusal> {
    let is_it = |tag: &str| {
        let tag = weak(tag).trim_matches('"');
        tag.split('.').next() == Some(version)
    };
    let matches = Tags::of(headers, header::IF_MATCH);
    let none = Tags::of(headers, header::IF_NONE_MATCH);
    if matches.as_ref().is_some_and(|tags| !tags.hold(is_it))
        || none.is_some_and(|tags| tags.hold(is_it))
    {
        let detail = format!(
            "what is here has an ETag that begins with \"{version}\", and If-Match names none such, or \
             If-None-Match does"
        );
        return Err(Refusal::new(ProblemKind::PreconditionFailed, detail));
    }
    Ok(matches.is_some())
}

/// Before something that has no ETag is changed or deleted: nothing names it but `*`.
pub fn of_untagged(headers: &HeaderMap) -> Result<(), Refusal> {
    match judge(&Method::DELETE, headers, "") {
        Verdict::Go => Ok(()),
        Verdict::NotModified | Verdict::Failed => {
            let detail =
                "what is here has no ETag: send If-Match with *, or none, and no If-None-Match";
            Err(Refusal::new(ProblemKind::PreconditionFailed, detail))
        }
    }
}

/// Before something is made that is not there yet: no If-Match holds, and every If-None-Match does.
pub fn of_absent(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(header::IF_MATCH) {
        let detail = "nothing is here yet, so that no If-Match holds";
        return Err(Refusal::new(ProblemKind::PreconditionFailed, detail));
    }
    Ok(())
}

pub fn failed(etag: &str) -> Refusal {
    let detail = format!("what is here has the ETag {etag}, which If-Match does not name");
    Refusal::new(ProblemKind::PreconditionFailed, detail).with_header(header::ETAG, etag)
}

enum Tags {
    Any,
    List(Vec<String>),
}

impl Tags {
    /// Of all lines of that header; `None` without one. What is no tag is passed over.
    fn of(headers: &HeaderMap, name: HeaderName) -> Option<Self> {
        if !headers.contains_key(&name) {
            return None;
        }
        let lines: Vec<&[u8]> = headers
            .get_all(name)
            .iter()
            .map(|value| value.as_bytes().trim_ascii())
            .collect();
        if lines == [b"*"] {
            return Some(Self::Any);
        }
        Some(Self::List(lines.into_iter().flat_map(list).collect()))
    }

    fn hold(&self, matches: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags.iter().any(|tag| matches(tag)),
        }
    }
}

/// `[ W/ ] DQUOTE *etagc DQUOTE`, RFC 9110 8.8.3: a tag may hold a comma, and nothing is escaped.
fn list(line: &[u8]) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = line;
    loop {
        let skipped = rest
            .iter()
            .position(|byte| !matches!(byte, b',' | b' ' | b'\t'))
            .unwrap_or(rest.len());
        rest = &rest[skipped..];
        let marks = if rest.starts_with(b"W/\"") { 3 } else { 1 };
        if !rest.starts_with(b"\"") && marks == 1 {
            // Not a tag: on with what comes behind the next comma.
            match rest.iter().position(|byte| *byte == b',') {
                Some(comma) => rest = &rest[comma..],
                None => return tags,
            }
            continue;
        }
        let Some(length) = rest[marks..].iter().position(|byte| *byte == b'"') else {
            return tags;
        };
        let (tag, after) = rest.split_at(marks + length + 1);
        if let Ok(tag) = str::from_utf8(tag) {
            tags.push(tag.to_owned());
        }
        rest = after;
    }
}

/// If-None-Match compares weakly: a proxy may have weakened our tag.
fn weak(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn verdict(method: &Method, lines: &[(HeaderName, &str)]) -> Verdict {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value.parse().unwrap());
        }
        judge(method, &headers, "\"a,b\"")
    }

    #[test]
    fn rfc_9110_8_8_3_tags_are_read_from_lists_with_anything_in_them() {
        for (line, expected) in [
            ("\"a\"", &["\"a\""][..]),
            ("\"a\", W/\"b\",\"c\"", &["\"a\"", "W/\"b\"", "\"c\""]),
            ("\"a,b\" , ,\"\\\"", &["\"a,b\"", "\"\\\""]),
            ("\"\"", &["\"\""]),
            ("junk, \"a\"", &["\"a\""]),
            ("w/\"a\", \"b\"", &["\"b\""]),
            ("\"never closed", &[]),
            ("*, \"a\"", &["\"a\""]),
            ("", &[]),
        ] {
            assert_eq!(list(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn rfc_9110_13_1_1_if_match_compares_strongly_over_all_its_lines() {
        let on = |values: &[&'static str]| {
            let lines: Vec<_> = values.iter().map(|v| (header::IF_MATCH, *v)).collect();
            verdict(&Method::GET, &lines)
        };
        assert_eq!(on(&["\"a,b\""]), Verdict::Go);
        assert_eq!(on(&["*"]), Verdict::Go);
        assert_eq!(on(&["\"x\", \"a,b\""]), Verdict::Go);
        assert_eq!(on(&["\"x\"", "\"y\", \"a,b\""]), Verdict::Go);
        assert_eq!(on(&["W/\"a,b\""]), Verdict::Failed);
        assert_eq!(on(&["\"a\", \"b\""]), Verdict::Failed);
        assert_eq!(on(&["a,b"]), Verdict::Failed);
        assert_eq!(on(&[""]), Verdict::Failed);
    }

    #[test]
    fn rfc_9110_13_1_2_if_none_match_compares_weakly_over_all_its_lines() {
        for (values, held) in [
            (&["\"a,b\""][..], true),
            (&["W/\"a,b\""], true),
            (&["\"x\"", "\"y\", W/\"a,b\""], true),
            (&["*"], true),
            (&["\"x\"", "*"], false),
            (&["\"a\", \"b\""], false),
            (&[""], false),
        ] {
            let lines: Vec<_> = values.iter().map(|v| (header::IF_NONE_MATCH, *v)).collect();
            for (method, refused) in [
                (Method::GET, Verdict::NotModified),
                (Method::HEAD, Verdict::NotModified),
                (Method::PUT, Verdict::Failed),
            ] {
                let expected = if held { refused } else { Verdict::Go };
                assert_eq!(verdict(&method, &lines), expected, "{method} {values:?}");
            }
        }
    }

    #[test]
    fn rfc_9110_13_2_2_if_match_is_judged_first_and_dates_not_at_all() {
        let same = (header::IF_NONE_MATCH, "\"a,b\"");
        let old = "Thu, 01 Jan 1970 00:00:00 GMT";
        let other = (header::IF_MATCH, "\"x\"");
        assert_eq!(
            verdict(&Method::GET, &[same.clone(), other]),
            Verdict::Failed
        );
        let both = [(header::IF_MATCH, "\"a,b\""), same];
        assert_eq!(verdict(&Method::GET, &both), Verdict::NotModified);
        let dates = [
            (header::IF_UNMODIFIED_SINCE, old),
            (header::IF_MODIFIED_SINCE, "Fri, 01 Jan 2100 00:00:00 GMT"),
        ];
        assert_eq!(verdict(&Method::GET, &dates), Verdict::Go);
    }
}
