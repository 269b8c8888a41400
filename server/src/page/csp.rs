//! A page's Content-Security-Policy: our own files, and exactly the inline scripts and styles that
//! stand in it. Nothing injected into a page runs.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use sha2::{Digest, Sha256};

pub fn policy(html: &str) -> HeaderValue {
    let scripts = hashes(inline(html, "script"));
    let styles = hashes(inline(html, "style"));
    let policy = format!(
        "default-src 'self'; script-src 'self'{scripts}; style-src 'self'{styles}; \
         img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; \
         connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("keywords and base64")
}

fn hashes(inline: Vec<&str>) -> String {
    let hash = |text: &str| format!(" 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let mut hashes: Vec<String> = inline.into_iter().map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes.concat()
}

/// The contents of elements of that name without a `src`.
fn inline<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    // ASCII lower-casing keeps every byte's place.
    let lower = html.to_ascii_lowercase();
    let (open, close) = (format!("<{name}"), format!("</{name}"));
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = lower[at..].find(&open).map(|i| at + i + open.len()) {
        at = start;
        // `<scripting>` is another element.
        if !lower[start..].starts_with(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/') {
            continue;
        }
        let Some(end_of_tag) = tag_end(&lower[start..]).map(|i| start + i) else {
            break;
        };
        let Some(end) = lower[end_of_tag..].find(&close).map(|i| end_of_tag + i) else {
            break;
        };
        if !has_attribute(&lower[start..end_of_tag], "src") {
            found.push(&html[end_of_tag + 1..end]);
        }
        at = end;
    }
    found
}

/// Where the tag's own `>` is, not one within an attribute's quotes.
fn tag_end(attributes: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in attributes.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn has_attribute(attributes: &str, name: &str) -> bool {
    let mut quote = None;
    let bare: String = attributes
        .chars()
        .map(|c| match (quote, c) {
            (None, '"' | '\'') => {
                quote = Some(c);
                c
            }
            (Some(open), _) if open == c => {
                quote = None;
                c
            }
            (Some(_), _) => '_',
            (None, _) => c,
        })
        .collect();
    bare.split(|c: char| c.is_ascii_whitespace() || c == '/')
        .any(|word| {
            word == name
                || word
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('='))
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn inline_scripts_are_found_and_those_with_a_source_are_not() {
        let html = "<script>a()</script><script src=\"/x.js\" async></script>\
            <SCRIPT type=\"module\" data-x='>'>b()</SCRIPT><scripting>no</scripting>\
            <script id='src=1'>c(\"<b>\")</script><script data-src=x>d()</script>\
            <style>p{}</style>";
        assert_eq!(inline(html, "script"), ["a()", "b()", "c(\"<b>\")", "d()"]);
        assert_eq!(inline(html, "style"), ["p{}"]);
    }

    #[test]
    fn the_policy_names_the_hash_a_browser_computes() {
        // From the CSP Level 3 recommendation, 2.3.1: the hash of alert('Hello, world.');
        let policy = policy("<script>alert('Hello, world.');</script>");
        let hash = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";
        assert!(
            policy
                .to_str()
                .unwrap()
                .contains(&format!("script-src 'self' {hash};")),
            "{policy:?}"
        );
    }

    #[test]
    fn broken_markup_ends_the_search_and_nothing_else() {
        for html in ["<script", "<script>", "<script x=\"", "<script>a", "<style"] {
            assert_eq!(inline(html, "script"), Vec::<&str>::new(), "{html}");
        }
    }
}
