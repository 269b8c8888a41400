//! Whether a request comes from our own page: another site's must not act with our cookie.
//!
//! A browser says where a request comes from. What says nothing is not a browser's page.

use http::HeaderMap;
use retake_chain::problem::ProblemKind;

use crate::http::{
    place::{Origin, Place},
    proxies::Way,
    respond::{Refusal, shorten},
};

/// Our own origin is the public address, or the host that the request names: RFC 9110 7.2.
pub fn check(place: &Place, way: &Way, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let foreign = |what: String| Err(Refusal::new(ProblemKind::ForeignOrigin, what));
    if let Some(site) = text("sec-fetch-site") {
        return match site {
            "same-origin" | "none" => Ok(()),
            other => foreign(format!(
                "the request comes from a {} page, not from ours",
                shorten(other)
            )),
        };
    }
    let Some(text) = text("origin") else {
        return Ok(());
    };
    if let Some(origin) = Origin::parse(text) {
        let named = way.host.as_deref().is_some_and(|host| {
            let https = way.https.unwrap_or(origin.https);
            Origin::new(https, host) == origin
        });
        if named || place.origin() == Some(&origin) {
            return Ok(());
        }
    }
    foreign(format!(
        "the request comes from {}, not from our own page",
        shorten(text)
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn rfc_6454_7_only_our_own_page_may_act_with_the_cookie() {
        for (host, pairs, right) in [
            (None, &[][..], true),
            (
                None,
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "http://else.example"),
                ],
                true,
            ),
            (None, &[("sec-fetch-site", "cross-site")], false),
            (None, &[("sec-fetch-site", "same-site")], false),
            (
                Some("a.example:8080"),
                &[("origin", "http://a.example:8080")],
                true,
            ),
            (
                Some("a.example"),
                &[("origin", "http://a.example:80")],
                true,
            ),
            (Some("a.example"), &[("origin", "https://a.example")], true),
            (
                Some("a.example:8080"),
                &[("origin", "http://a.example")],
                false,
            ),
            (
                Some("a.example"),
                &[("origin", "http://evil.example")],
                false,
            ),
            (Some("a.example"), &[("origin", "null")], false),
            (None, &[("origin", "http://a.example")], false),
        ] {
            let way = Way {
                host: host.map(str::to_owned),
                ..Way::default()
            };
            let checked = check(&Place::default(), &way, &headers(pairs));
            assert_eq!(checked.is_ok(), right, "{host:?} {pairs:?}");
        }
    }

    #[test]
    fn the_public_address_is_ours_whatever_host_a_proxy_asks_for() {
        let place = Place::parse("https://retake.example/x").unwrap();
        let way = Way {
            host: Some("127.0.0.1:8080".to_owned()),
            ..Way::default()
        };
        for (origin, right) in [
            ("https://retake.example", true),
            ("https://retake.example:443", true),
            ("http://retake.example", false),
            ("https://evil.example", false),
            // Whoever asks us directly.
            ("http://127.0.0.1:8080", true),
        ] {
            let checked = check(&place, &way, &headers(&[("origin", origin)]));
            assert_eq!(checked.is_ok(), right, "{origin}");
        }
    }

    #[test]
    fn a_scheme_that_a_proxy_vouches_for_must_fit() {
        let way = Way {
            host: Some("a.example".to_owned()),
            https: Some(true),
            ..Way::default()
        };
        let right =
            |origin: &str| check(&Place::default(), &way, &headers(&[("origin", origin)])).is_ok();
        assert!(right("https://a.example"));
        assert!(!right("http://a.example"));
    }
}
