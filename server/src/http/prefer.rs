//! `Prefer: wait=N` (RFC 7240 4.3): how many seconds a client would rather wait than ask again.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use warp::reply::Response;

static PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// `None` where the request says nothing of it, or nothing that can be read.
pub fn wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all("prefer").iter();
    let preferences = preferences.filter_map(|value| value.to_str().ok());
    preferences
        .flat_map(|line| line.split([',', ';']))
        .filter_map(|preference| preference.trim().split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
        .and_then(|(_, value)| value.trim().trim_matches('"').parse().ok())
        .map(Duration::from_secs)
}

/// RFC 7240 3: what was waited for at most.
pub fn applied(response: &mut Response, wait: Duration) {
    let text = format!("wait={}", wait.as_secs());
    let text = HeaderValue::from_str(&text).expect("letters and digits");
    response.headers_mut().insert(&PREFERENCE_APPLIED, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7240_4_3_a_wait_is_found_among_other_preferences() {
        for (lines, seconds) in [
            (&["wait=10"][..], Some(10)),
            (&["respond-async, WAIT=\"5\""], Some(5)),
            (&["respond-async", "wait = 3"], Some(3)),
            (&["wait=0"], Some(0)),
            (&["wait"], None),
            (&["wait=soon"], None),
            (&["wait=-1"], None),
            (&["awaited=3"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("prefer", HeaderValue::from_static(line));
            }
            assert_eq!(
                wait(&headers).map(|wait| wait.as_secs()),
                seconds,
                "{lines:?}"
            );
        }
    }
}
