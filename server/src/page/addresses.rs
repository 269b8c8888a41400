//! The addresses that the page makes sense of: `web/src/ui/useView.ts`. The start page answers all. Any
//! other is nothing, so that a misspelt one is told instead of answered with a page.

const PAGES: [&str; 9] = [
    "/",
    "/recordings",
    "/recordings/{}",
    "/presets",
    "/presets/{}",
    "/plugins",
    "/plugins/{}",
    "/settings",
    "/s/{}",
];

/// Longer than any id or token of ours.
const NAME_BYTES_MAX: usize = 128;

pub fn is_page(path: &str) -> bool {
    let path = match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() && !shorter.ends_with('/') => shorter,
        _ => path,
    };
    PAGES.iter().any(|page| fits(page, path))
}

fn fits(page: &str, path: &str) -> bool {
    match page.strip_suffix("{}") {
        None => page == path,
        Some(before) => path.strip_prefix(before).is_some_and(is_name),
    }
}

/// What an id, a plugin's or a preset's name, or a token may look like; nothing that leads elsewhere.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(plain)
        && text.bytes().any(|byte| byte != b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_s_addresses_are_a_list() {
        for page in [
            "/",
            "/recordings",
            "/recordings/",
            "/recordings/01a22297-b80d-7d7f-a8f0-ee281e185b55",
            "/plugins/org.retake.gain",
            "/plugins/org.retake.gain/",
            "/presets/my-talks",
            "/settings",
            "/s/rts_Ab-_9",
        ] {
            assert!(is_page(page), "{page}");
        }
        for other in [
            "",
            "//",
            "//plugins",
            "/plugins//",
            "/plugins/..",
            "/plugins/../settings",
            "/plugins/a%2fb",
            "/plugins/a/b",
            "/s",
            "/settings/all",
            "/jobs/0192-abc",
            &format!("/s/{}", "a".repeat(NAME_BYTES_MAX + 1)),
        ] {
            assert!(!is_page(other), "{other}");
        }
    }
}
