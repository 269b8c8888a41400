//! Other sites' pages that may ask from a browser (the Fetch standard, section 3.2), by their origin. They send a
//! session's token or an API key; the page's cookie never comes from another site.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use warp::reply::Response;

use crate::http::{place::Origin, respond};

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str = "authorization, content-type, idempotency-key, if-match, if-none-match, if-range, \
     last-event-id, prefer, range, traceparent, tus-resumable, upload-checksum, upload-defer-length, \
     upload-length, upload-metadata, upload-offset, x-request-id";
const RESPONSE_HEADERS: &str = "accept-ranges, content-disposition, content-range, etag, \
     idempotency-replayed, location, preference-applied, ratelimit, ratelimit-policy, retry-after, tus-checksum-algorithm, \
     tus-extension, tus-max-size, tus-resumable, tus-version, upload-defer-length, upload-expires, \
     upload-length, upload-metadata, upload-offset, x-request-id";
/// As long as Chromium remembers it.
const REMEMBERED_S: &str = "7200";

/// Another site's page that asks, and may.
pub struct Page {
    origin: HeaderValue,
    preflight: bool,
}

impl Page {
    pub fn of(allowed: &[Origin], method: &Method, headers: &HeaderMap) -> Option<Self> {
        let origin = headers.get(header::ORIGIN)?;
        let parsed = Origin::parse(origin.to_str().ok()?)?;
        let preflight = method == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        allowed.contains(&parsed).then(|| Self {
            origin: origin.clone(),
            preflight,
        })
    }

    /// What a browser asks before it sends the request itself.
    pub fn preflight(&self) -> Option<Response> {
        self.preflight.then(|| {
            let mut response = respond::empty(http::StatusCode::NO_CONTENT);
            for (name, value) in [
                (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
                (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_S),
            ] {
                let value = HeaderValue::from_static(value);
                response.headers_mut().insert(name, value);
            }
            response
        })
    }

    pub fn let_read(self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin);
        for (name, value) in [
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                "cross-origin",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
