//! The page's session cookie: its name, its path, and whether it goes over https only.
//!
//! Browsers keep the cookies of a host together, whatever the port. So that two installations on one
//! host do not take each other's, the name is made of the address that the browser knows us by.

use http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::{app::App, http::proxies::Way, session::token::Token};

/// Browsers keep a cookie for 400 days at most.
const MAX_AGE_S: u32 = 400 * 24 * 3600;

#[derive(Debug, PartialEq, Eq)]
pub struct SessionCookie {
    name: String,
    path: String,
    secure: bool,
}

impl SessionCookie {
    pub fn of(app: &App, way: &Way) -> Self {
        let place = &app.place;
        let public_https = place.origin().is_some_and(|origin| origin.https);
        let secure = app.config.secure_cookies || public_https || way.https == Some(true);
        let known_as = place.identity().or_else(|| way.host.clone());
        let digest = Sha256::digest(known_as.unwrap_or_default());
        let mark: String = digest[..4].iter().map(|b| format!("{b:02x}")).collect();
        // RFC 6265bis 4.1.3: a browser takes such a name only from the host itself, over https.
        let prefix = match (secure, place.base()) {
            (false, _) => "",
            (true, "") => "__Host-",
            (true, _) => "__Secure-",
        };
        Self {
            name: format!("{prefix}retake_session_{mark}"),
            path: match place.base() {
                "" => "/".to_owned(),
                base => base.to_owned(),
            },
            secure,
        }
    }

    #[cfg(test)]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The token, if there is a well-formed one.
    pub fn find(&self, headers: &HeaderMap) -> Option<Token> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(name, value)| (name == self.name).then(|| Token::parse(value))?)
    }

    pub fn set(&self, token: &Token) -> String {
        self.line(token.reveal(), MAX_AGE_S)
    }

    pub fn forget(&self) -> String {
        self.line("", 0)
    }

    fn line(&self, token: &str, max_age_s: u32) -> String {
        let (name, path) = (&self.name, &self.path);
        let secure = if self.secure { "; Secure" } else { "" };
        format!(
            "{name}={token}; Path={path}; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}"
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tests::house::House;

    async fn cookie(public_url: &str, host: &str, https: Option<bool>) -> SessionCookie {
        let house = House::with(|config| config.public_url = public_url.to_owned()).await;
        let way = Way {
            host: Some(host.to_owned()),
            https,
            ..Way::default()
        };
        SessionCookie::of(&house.app, &way)
    }

    #[tokio::test]
    async fn rfc_6265_8_5_installations_on_one_host_have_cookies_of_their_own() {
        let mut names = std::collections::BTreeSet::new();
        for (public_url, host) in [
            ("", "localhost:8080"),
            ("", "localhost:8081"),
            ("http://a.example/one", "127.0.0.1"),
            ("http://a.example/two", "127.0.0.1"),
            ("https://a.example/one", "127.0.0.1"),
            ("http://a.example", "127.0.0.1"),
        ] {
            let cookie = cookie(public_url, host, None).await;
            assert!(names.insert(cookie.name), "{public_url} {host}");
        }
        let name = async |host| cookie("http://a.example", host, None).await.name;
        assert_eq!(name("127.0.0.1").await, name("10.0.0.1:8080").await);
    }

    #[tokio::test]
    async fn over_https_the_name_binds_the_cookie_to_its_host() {
        for (public_url, https, start, path, secure) in [
            ("", None, "retake_", "/", false),
            ("", Some(false), "retake_", "/", false),
            ("", Some(true), "__Host-retake_", "/", true),
            ("https://a.example", None, "__Host-retake_", "/", true),
            ("https://a.example/x", None, "__Secure-retake_", "/x", true),
            ("http://a.example/x", None, "retake_", "/x", false),
        ] {
            let cookie = cookie(public_url, "h", https).await;
            assert!(cookie.name.starts_with(start), "{cookie:?}");
            assert_eq!((cookie.path.as_str(), cookie.secure), (path, secure));
            let set = cookie.set(&Token::new());
            assert_eq!(set.ends_with("; Secure"), secure);
            assert!(set.contains(&format!("; Path={path};")));
        }
    }

    #[tokio::test]
    async fn the_cookie_is_found_among_others_and_only_by_its_whole_name() {
        let cookie = cookie("", "h", None).await;
        let token = Token::new();
        let ours = format!("{}={}", cookie.name, token.reveal());
        let find = |line: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, line.parse().unwrap());
            cookie.find(&headers).is_some()
        };
        assert!(find(&ours));
        assert!(find(&format!("a=b; {ours}; c=d")));
        assert!(!find(&format!("x{ours}")));
        assert!(!find(&format!("{}=rt_junk", cookie.name)));
        assert!(!find(&format!("retake_session={}", token.reveal())));
    }
}
