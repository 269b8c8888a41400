//! What a request asks for and at which host, before anybody looks at its path: RFC 9112 3.2, and
//! RFC 9113 8.3.1 for HTTP/2.
//!
//! A request line has four forms, and routes know one of them, `/path?query`. Here the others become
//! that or an answer, so that what comes after meets nothing it was not made for.

use std::net::Ipv6Addr;

use http::{HeaderValue, Method, Request, Uri, Version, header, uri::PathAndQuery};
use retake_chain::problem::ProblemKind;

use crate::http::respond::Refusal;

/// All that any address takes.
const METHODS: &str = "DELETE, GET, HEAD, POST";

/// Brings the target into the form `/path?query` and returns the host that the client named: RFC
/// 9110 7.2. What another host's name means is not ours to judge; only [`crate::session::auth`] compares it.
pub fn settle<B>(request: &mut Request<B>) -> Result<Option<String>, Refusal> {
    let host = host(request)?;
    let uri = request.uri();
    if request.method() == Method::CONNECT {
        return Err(not_taken("CONNECT asks for a tunnel, and this is no proxy"));
    }
    if uri.path() == "*" {
        return Err(if request.method() == Method::OPTIONS {
            not_taken("OPTIONS is not taken")
        } else {
            unreadable("the request's target is \"*\", which only OPTIONS may ask for")
        });
    }
    let Some(authority) = uri.authority() else {
        return if uri.path().starts_with('/') {
            Ok(host)
        } else {
            Err(unreadable("the request's target does not begin with \"/\""))
        };
    };
    // A proxy's form, and that of HTTP/2: what it names counts, and Host is not looked at.
    let named = authority.as_str();
    if !is_host(named) {
        return Err(unreadable("the request's target names no host"));
    }
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(unreadable(
            "the request's target must begin with \"/\", http:// or https://",
        ));
    }
    let named = named.to_ascii_lowercase();
    let path = match uri.path_and_query() {
        Some(path) if path.as_str().starts_with('/') => path.clone(),
        // `http://host?query`
        Some(path) => PathAndQuery::try_from(format!("/{}", path.as_str()))
            .map_err(|_| unreadable("the request's target cannot be read"))?,
        None => PathAndQuery::from_static("/"),
    };
    *request.uri_mut() = Uri::from(path);
    Ok(Some(named))
}

/// What `Host` says. HTTP/1.1 must have one; nobody may have two.
fn host<B>(request: &Request<B>) -> Result<Option<String>, Refusal> {
    let mut lines = request.headers().get_all(header::HOST).iter();
    let (first, second) = (lines.next(), lines.next());
    if second.is_some() {
        return Err(unreadable("the request has two Host headers"));
    }
    let Some(value) = first else {
        return if request.version() == Version::HTTP_11 {
            Err(unreadable("the request has no Host header"))
        } else {
            Ok(None)
        };
    };
    let text = readable(value).ok_or_else(|| unreadable("the Host header names no host"))?;
    let differs = request.version() >= Version::HTTP_2
        && request
            .uri()
            .authority()
            .is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(text));
    if differs {
        return Err(unreadable("Host and :authority name different hosts"));
    }
    Ok((!text.is_empty()).then(|| text.to_ascii_lowercase()))
}

fn readable(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?;
    (text.is_empty() || is_host(text)).then_some(text)
}

/// `uri-host [ ":" port ]` of RFC 3986 3.2, with something before the colon.
pub fn is_host(text: &str) -> bool {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, port)| {
            let port = port
                .strip_prefix(':')
                .or_else(|| port.is_empty().then_some(""));
            address.parse::<Ipv6Addr>().is_ok() && port.is_some_and(is_port)
        });
    }
    let (name, port) = text.split_once(':').unwrap_or((text, ""));
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte);
    !name.is_empty() && name.bytes().all(in_name) && is_port(port)
}

fn unreadable(detail: &str) -> Refusal {
    Refusal::new(ProblemKind::InvalidRequest, detail)
}

fn not_taken(detail: &str) -> Refusal {
    let detail = format!("{detail}; {METHODS} are taken here");
    Refusal::new(ProblemKind::MethodNotAllowed, detail).with_header(header::ALLOW, METHODS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(version: Version, method: &str, target: &str, hosts: &[&str]) -> Request<()> {
        let mut request = Request::builder()
            .version(version)
            .method(method)
            .uri(target);
        for host in hosts {
            request = request.header("host", *host);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn rfc_9112_3_2_http_1_1_has_one_host_and_it_is_one() {
        for (version, hosts, right) in [
            (Version::HTTP_11, &["a.example"][..], true),
            (Version::HTTP_11, &["a.example:8080"], true),
            (Version::HTTP_11, &["[2001:db8::1]:8080"], true),
            (Version::HTTP_11, &[""], true),
            (Version::HTTP_11, &[], false),
            (Version::HTTP_11, &["a.example", "a.example"], false),
            (Version::HTTP_11, &["a.example, b.example"], false),
            (Version::HTTP_11, &["ann@a.example"], false),
            (Version::HTTP_11, &["a.example/x"], false),
            (Version::HTTP_11, &["a.example:http"], false),
            (Version::HTTP_11, &["[2001:db8::1"], false),
            (Version::HTTP_11, &[":80"], false),
            (Version::HTTP_10, &[], true),
            (Version::HTTP_10, &["a.example"], true),
            (Version::HTTP_10, &["a.example", "b.example"], false),
        ] {
            let settled = settle(&mut request(version, "GET", "/x", hosts));
            assert_eq!(settled.is_ok(), right, "{version:?} {hosts:?}");
            if let Err(refusal) = settled {
                assert_eq!(refusal.problem.status, 400);
            }
        }
    }

    #[test]
    fn rfc_9113_8_3_1_authority_is_the_host_and_no_other_may_stand_beside_it() {
        for (target, hosts, expected) in [
            ("https://A.example/x", &[][..], Some("a.example")),
            ("https://a.example/x", &["A.EXAMPLE"], Some("a.example")),
            ("https://a.example/x", &["b.example"], None),
            ("https://a.example:444/x", &["a.example"], None),
        ] {
            let mut request = request(Version::HTTP_2, "GET", target, hosts);
            let settled = settle(&mut request).ok().flatten();
            assert_eq!(settled.as_deref(), expected, "{target} {hosts:?}");
            if expected.is_some() {
                assert_eq!(request.uri(), "/x");
            }
        }
    }

    #[test]
    fn rfc_9112_3_2_every_form_of_target_becomes_a_path_or_a_4xx() {
        for (method, target, expected) in [
            ("GET", "/x?y", Ok("/x?y")),
            ("GET", "//api", Ok("//api")),
            ("GET", "http://b.example/x?y", Ok("/x?y")),
            ("GET", "http://b.example", Ok("/")),
            ("GET", "https://b.example?y", Ok("/?y")),
            ("GET", "ftp://b.example/x", Err(400)),
            ("GET", "http://ann:secret@b.example/x", Err(400)),
            ("GET", "x:1", Err(400)),
            ("GET", "*", Err(400)),
            ("OPTIONS", "*", Err(405)),
            ("CONNECT", "x:1", Err(405)),
            ("CONNECT", "/x", Err(405)),
            ("BREW", "/x", Ok("/x")),
        ] {
            let mut request = request(Version::HTTP_11, method, target, &["a.example"]);
            let settled = settle(&mut request);
            match expected {
                Ok(path) => {
                    let host = settled.unwrap().unwrap();
                    assert_eq!(request.uri(), path, "{method} {target}");
                    let absolute = target.starts_with("http");
                    assert_eq!(host, if absolute { "b.example" } else { "a.example" });
                }
                Err(status) => {
                    let refusal = settled.unwrap_err();
                    assert_eq!(refusal.problem.status, status, "{method} {target}");
                }
            }
        }
    }
}
