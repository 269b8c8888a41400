//! Puts the path under which we are reached before the addresses in the page's own files.
//!
//! The export is made for the root of a host. What it names there begins, in every language that it
//! is written in, with a quote (or a bracket, or the end of an inserted prefix) and a slash; and it
//! names nothing but the export's own files and the start page. Done once, at start, so that
//! lengths, digests and the hashes of inline scripts are of what is sent.

/// Characters that an address stands behind.
const BEFORE: [u8; 5] = [b'"', b'\'', b'`', b'(', b'}'];

/// `roots` are the names that addresses begin with: "_next/", "icon.svg".
pub fn rebase(text: &str, base: &str, roots: &[String]) -> String {
    let mut rebased = String::with_capacity(text.len() + 1024);
    let mut copied = 0;
    for (at, _) in text.match_indices('/') {
        let behind = text[..at].bytes().next_back();
        if !behind.is_some_and(|byte| BEFORE.contains(&byte)) {
            continue;
        }
        let after = &text[at + 1..];
        let file = roots.iter().any(|root| after.starts_with(root.as_str()));
        if file || is_home(&text[..at], after) {
            rebased.push_str(&text[copied..at]);
            rebased.push_str(base);
            copied = at;
        }
    }
    rebased.push_str(&text[copied..]);
    rebased
}

/// A link to the start page, as HTML (`href="/"`) or in the data beside it (`\"href\":\"/\"`).
fn is_home(before: &str, after: &str) -> bool {
    [
        ("href=\"", "\""),
        ("\"href\":\"", "\""),
        ("\\\"href\\\":\\\"", "\\\""),
    ]
    .iter()
    .any(|(open, close)| before.ends_with(open) && after.starts_with(close))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exports_own_addresses_get_the_base_and_nothing_else_does() {
        let roots = ["_next/".to_owned(), "icon.svg".to_owned()];
        for (text, expected) in [
            (
                "<script src=\"/_next/a.js\">",
                "<script src=\"/x/_next/a.js\">",
            ),
            ("<a href=\"/\">", "<a href=\"/x/\">"),
            (
                "[1,\"{\\\"href\\\":\\\"/\\\"}\"]",
                "[1,\"{\\\"href\\\":\\\"/x/\\\"}\"]",
            ),
            (
                "2:\"/_next/b.js\",\"/icon.svg?i\"",
                "2:\"/x/_next/b.js\",\"/x/icon.svg?i\"",
            ),
            (
                "`${e.assetPrefix}/_next/${c}`",
                "`${e.assetPrefix}/x/_next/${c}`",
            ),
            ("url(/_next/f.woff2)", "url(/x/_next/f.woff2)"),
            ("'/_next' is not a folder", "'/_next' is not a folder"),
            (
                "\"https://e.example/_next/a.js\"",
                "\"https://e.example/_next/a.js\"",
            ),
            ("a/_next/b \"/\" \"/api/v1\"", "a/_next/b \"/\" \"/api/v1\""),
            ("ä\"/_next/", "ä\"/x/_next/"),
        ] {
            assert_eq!(rebase(text, "/x", &roots), expected);
        }
    }
}
