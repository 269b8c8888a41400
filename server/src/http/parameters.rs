//! The grammar that headers share, `word; name=value; name="quoted"`: RFC 2045 5.1, RFC 9110 5.6.6,
//! RFC 8187 for `filename*`. What it reads are a form's boundary, the name and file name of a part,
//! and what proxies say.
//!
//! Bounded by the header's own length, which the connection limits, and linear in it.

use std::borrow::Cow;

/// RFC 2046 5.1.1.
const BOUNDARY_MAX: usize = 70;

/// The pieces between separators that do not stand within quotes, trimmed, empty ones left out.
/// `None` if a quote is never closed.
pub fn split(text: &[u8], separator: u8) -> Option<Vec<&[u8]>> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if *byte == separator && !quoted => {
                pieces.push(text[start..at].trim_ascii());
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(text[start..].trim_ascii());
    pieces.retain(|piece| !piece.is_empty());
    (!quoted).then_some(pieces)
}

/// `name=value` pairs with a semicolon between them. What has no name or is no pair is passed over.
#[derive(Debug, Clone)]
pub struct Parameters<'a>(&'a [u8]);

impl<'a> Parameters<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The first of that name, in whichever case it is written.
    pub fn find(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.clone()
            .find_map(|(given, value)| given.eq_ignore_ascii_case(name).then_some(value))
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a str, Cow<'a, [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let text = self.0.trim_ascii_start();
            if text.is_empty() {
                return None;
            }
            let end = text
                .iter()
                .position(|byte| matches!(byte, b';' | b'='))
                .unwrap_or(text.len());
            let name = text[..end].trim_ascii();
            if text.get(end) != Some(&b'=') {
                self.0 = text.get(end + 1..).unwrap_or_default();
                continue;
            }
            let (value, rest) = value(text[end + 1..].trim_ascii_start());
            self.0 = rest;
            match str::from_utf8(name) {
                Ok(name) if !name.is_empty() => return Some((name, value)),
                _ => {}
            }
        }
    }
}

/// A value and what comes after its semicolon. An unquoted one goes up to there, with whatever
/// stands in it: RFC 2045 wants quotes around a `/` or a `:`, and many a client forgets them.
fn value(text: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = text
            .iter()
            .position(|byte| *byte == b';')
            .unwrap_or(text.len());
        let rest = text.get(end + 1..).unwrap_or_default();
        return (text[..end].trim_ascii().into(), rest);
    };
    let mut plain = Vec::new();
    let mut at = 0;
    while at < quoted.len() && quoted[at] != b'"' {
        // Only these two are escaped: a file name that an old browser sends is `C:\take.wav`.
        if quoted[at] == b'\\' && matches!(quoted.get(at + 1), Some(b'"' | b'\\')) {
            at += 1;
        }
        plain.push(quoted[at]);
        at += 1;
    }
    let rest = quoted.get(at + 1..).unwrap_or_default();
    let next = rest
        .iter()
        .position(|byte| *byte == b';')
        .unwrap_or(rest.len());
    (plain.into(), rest.get(next + 1..).unwrap_or_default())
}

/// The boundary of a `multipart/form-data` body, if its content type has one that may be one.
pub fn boundary(content_type: &[u8]) -> Option<String> {
    let end = content_type.iter().position(|byte| *byte == b';')?;
    let media_type = content_type[..end].trim_ascii();
    if !media_type.eq_ignore_ascii_case(b"multipart/form-data") {
        return None;
    }
    let value = Parameters::new(&content_type[end + 1..]).find("boundary")?;
    let text = str::from_utf8(&value).ok()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let right = (1..=BOUNDARY_MAX).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.ends_with(' ');
    right.then(|| text.to_owned())
}

/// What a part of a form says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Disposition {
    pub name: Option<String>,
    pub file_name: Option<String>,
}

impl Disposition {
    /// `filename*` says it better than `filename`, where it can be read: RFC 6266 4.3.
    pub fn parse(value: &[u8]) -> Self {
        let Some(end) = value.iter().position(|byte| *byte == b';') else {
            return Self::default();
        };
        let parameters = Parameters::new(&value[end + 1..]);
        let text = |name| {
            let value = parameters.find(name)?;
            Some(unescaped(&String::from_utf8_lossy(&value)))
        };
        let extended = parameters
            .find("filename*")
            .and_then(|value| extended(&value));
        Self {
            name: text("name"),
            file_name: extended.or_else(|| text("filename")),
        }
    }
}

/// What browsers escape in names, and nothing else: "100%.wav" is a name.
fn unescaped(text: &str) -> String {
    text.replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

/// RFC 8187 3.2.1: `charset'language'percent-escaped`.
fn extended(value: &[u8]) -> Option<String> {
    let text = str::from_utf8(value).ok()?;
    let mut parts = text.splitn(3, '\'');
    let (charset, _language, escaped) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = |after: &str| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !escaped.split('%').skip(1).all(is_whole) {
        return None;
    }
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(escaped).collect();
    match charset.to_ascii_uppercase().as_str() {
        "UTF-8" => String::from_utf8(bytes).ok(),
        "ISO-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_2045_5_1_a_boundary_is_found_however_it_is_written() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("Multipart/Form-Data;BOUNDARY=\"a b\"", Some("a b")),
            (
                "multipart/form-data; charset=utf-8; Boundary=abc; x=y",
                Some("abc"),
            ),
            ("multipart/form-data ; boundary = abc", Some("abc")),
            // RFC 2045 wants these in quotes.
            (
                "multipart/form-data; boundary=----=_Part_1/2:3?(4)",
                Some("----=_Part_1/2:3?(4)"),
            ),
            ("multipart/form-data; boundary=\"=_a;b\"", None),
            ("multipart/form-data; boundary=\"a\\\"b\"", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"\"", None),
            ("multipart/form-data; boundary=\"abc \"", None),
            ("multipart/form-data; boundary=ab\u{e4}c", None),
            ("multipart/form-data; xboundary=abc", None),
            ("multipart/form-data", None),
            ("multipart/mixed; boundary=abc", None),
            ("multipart/form-data, text/plain; boundary=abc", None),
            ("boundary=abc", None),
            ("", None),
        ] {
            let found = boundary(content_type.as_bytes());
            assert_eq!(found.as_deref(), expected, "{content_type}");
        }
        let long =
            |n| boundary(format!("multipart/form-data; boundary={}", "b".repeat(n)).as_bytes());
        assert!(long(70).is_some() && long(71).is_none());
    }

    #[test]
    fn rfc_7578_4_2_a_parts_names_are_read_in_any_case_quoted_or_not() {
        for (value, name, file_name) in [
            ("form-data; name=\"a\"", Some("a"), None),
            (
                "Form-Data; NAME=\"a\"; FileName=\"t.wav\"",
                Some("a"),
                Some("t.wav"),
            ),
            ("form-data;name=a;filename=t.wav", Some("a"), Some("t.wav")),
            (
                "form-data; filename=\"x; name=evil\"; name=a",
                Some("a"),
                Some("x; name=evil"),
            ),
            ("form-data; name=\"a\\\"b\"", Some("a\"b"), None),
            ("form-data; name=\"a%22b\"", Some("a\"b"), None),
            (
                "form-data; filename=\"C:\\dir\\t.wav\"",
                None,
                Some("C:\\dir\\t.wav"),
            ),
            ("form-data; filename=\"100%.wav\"", None, Some("100%.wav")),
            ("form-data; name=\"\"", Some(""), None),
            ("form-data; name=a; name=b", Some("a"), None),
            ("form-data; junk; =x; name=a", Some("a"), None),
            ("form-data; name=\"never closed", Some("never closed"), None),
            ("form-data", None, None),
            ("", None, None),
        ] {
            let expected = Disposition {
                name: name.map(str::to_owned),
                file_name: file_name.map(str::to_owned),
            };
            assert_eq!(Disposition::parse(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn rfc_8187_3_2_an_extended_file_name_wins_where_it_can_be_read() {
        for (value, expected) in [
            ("UTF-8''gr%C3%BC%C3%9Fe.wav", "grüße.wav"),
            ("utf-8'de'gr%C3%BC%C3%9Fe.wav", "grüße.wav"),
            ("iso-8859-1'en'gr%FC%DFe.wav", "grüße.wav"),
            ("UTF-8''it's.wav", "it's.wav"),
            ("UTF-8''%FF.wav", "plain.wav"),
            ("UTF-8''%zz.wav", "plain.wav"),
            ("UTF-8''100%", "plain.wav"),
            ("UTF-8''100%2", "plain.wav"),
            ("KOI8-R''t.wav", "plain.wav"),
            ("t.wav", "plain.wav"),
        ] {
            for (first, second) in [
                (
                    format!("filename*={value}"),
                    "filename=plain.wav".to_owned(),
                ),
                (
                    "filename=plain.wav".to_owned(),
                    format!("FILENAME*={value}"),
                ),
            ] {
                let line = format!("form-data; {first}; {second}");
                let found = Disposition::parse(line.as_bytes()).file_name;
                assert_eq!(found.as_deref(), Some(expected), "{line}");
            }
        }
    }

    #[test]
    fn rfc_9110_5_6_4_a_quoted_separator_separates_nothing() {
        let pieces = |text: &'static str| {
            split(text.as_bytes(), b',').map(|pieces| {
                pieces
                    .into_iter()
                    .map(String::from_utf8_lossy)
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(
            pieces("a, b,,c"),
            Some(vec!["a".into(), "b".into(), "c".into()])
        );
        assert_eq!(
            pieces("\"a,b\",\"c\\\",d\""),
            Some(vec!["\"a,b\"".into(), "\"c\\\",d\"".into()])
        );
        assert_eq!(pieces("\"a,b"), None);
        assert_eq!(pieces(""), Some(Vec::new()));
    }
}
