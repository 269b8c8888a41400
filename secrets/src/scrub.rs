//! Takes known secrets out of texts that others wrote.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;

use super::{STARS, Secret, SecretUrl, url::Parts};

/// Shorter values stand in every other word. (They are never shown as themselves all the same.)
const NEEDLE_BYTES_MIN: usize = 4;
/// Shorter values are taken out as whole words only: a password may be "retake".
const ANYWHERE_BYTES_MIN: usize = 12;
/// Parts of a path so long are no names.
const PATH_PART_BYTES_MIN: usize = 16;

/// A list of what must not be read. `Debug` shows none of it.
#[derive(Clone, Default)]
pub struct Scrub {
    /// Longest first: one may hold another.
    needles: Vec<String>,
}

impl std::fmt::Debug for Scrub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scrub({} values)", self.needles.len())
    }
}

impl Scrub {
    pub fn secret(mut self, secret: &Secret) -> Self {
        self.add(secret.expose());
        self.sorted()
    }

    /// The address as a whole where it holds a secret, and every part that may be one: as written,
    /// percent-decoded, and as the header that clients make of user and password.
    pub fn url(mut self, url: &SecretUrl) -> Self {
        let text = url.expose();
        let Some(parts) = Parts::of(text) else {
            // Nobody connects to such an address; whatever it holds is not read either.
            self.add(text);
            return self.sorted();
        };
        if parts.user.is_some() || !matches!(parts.tail, "" | "/") {
            self.add(text);
        }
        if let Some(user) = parts.user {
            self.add(user);
            let mut basic = percent_decode_str(user).decode_utf8_lossy().into_owned();
            if !user.contains(':') {
                basic.push(':');
            }
            self.add(&BASE64_STANDARD.encode(basic));
            match user.split_once(':') {
                Some((name, password)) if !password.is_empty() => {
                    self.add(password);
                    // A key as the name, and something as its password, is a common habit too.
                    if name.len() >= PATH_PART_BYTES_MIN {
                        self.add(name);
                    }
                }
                Some((name, _)) => self.add(name),
                None => {}
            }
        }
        let (rest, fragment) = parts.tail.split_once('#').unwrap_or((parts.tail, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        self.add(fragment);
        self.add(query);
        for pair in query.split('&') {
            let value = pair.split_once('=').map_or(pair, |(_, value)| value);
            self.add(value);
        }
        let parts = path.split('/');
        for part in parts.filter(|part| part.len() >= PATH_PART_BYTES_MIN) {
            self.add(part);
        }
        self.sorted()
    }

    /// Whose address it is also, for texts that strangers read.
    pub fn host(mut self, url: &SecretUrl) -> Self {
        if let Some(parts) = Parts::of(url.expose()) {
            self.add(parts.host);
            self.add(parts.name());
        }
        self.sorted()
    }

    fn add(&mut self, needle: &str) {
        let decoded = percent_decode_str(needle).decode_utf8_lossy().into_owned();
        for needle in [needle.to_owned(), decoded.replace('+', " "), decoded] {
            if needle.len() >= NEEDLE_BYTES_MIN && !self.needles.contains(&needle) {
                self.needles.push(needle);
            }
        }
    }

    fn sorted(mut self) -> Self {
        self.needles
            .sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        self
    }

    /// The text with stars for each secret.
    pub fn clean<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut cleaned = Cow::Borrowed(text);
        for needle in &self.needles {
            if let Some(without) = without(&cleaned, needle) {
                cleaned = Cow::Owned(without);
            }
        }
        cleaned
    }
}

/// `None` where there is nothing to take out.
fn without(text: &str, needle: &str) -> Option<String> {
    let stands_alone = |at: usize| {
        let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let (before, behind) = (&text[..at], &text[at + needle.len()..]);
        !is_letter(before.chars().next_back()) && !is_letter(behind.chars().next())
    };
    let mut made = String::new();
    let mut from = 0;
    for (at, _) in text.match_indices(needle) {
        if needle.len() >= ANYWHERE_BYTES_MIN || stands_alone(at) {
            made.push_str(&text[from..at]);
            made.push_str(STARS);
            from = at + needle.len();
        }
    }
    if from == 0 {
        return None;
    }
    made.push_str(&text[from..]);
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_part_of_an_address_is_quoted_is_starred() {
        let url = "https://ann:s3cr%2Ft-pass@audio.example:8443/hooks/T00000000XXXXXXXX?key=k%20y-s3cret&v=2#frag-s3cret";
        let scrub = Scrub::default()
            .url(&url.into())
            .secret(&"tok-s3cret".into());
        let basic = BASE64_STANDARD.encode("ann:s3cr/t-pass");
        for quoted in [
            url,
            "Invalid API key k%20y-s3cret.",
            "Invalid API key 'k y-s3cret'",
            "?key=k%20y-s3cret&v=2",
            "password s3cr%2Ft-pass or s3cr/t-pass",
            "user ann:s3cr/t-pass",
            &format!("Authorization: Basic {basic}"),
            "Authorization: Bearer tok-s3cret",
            "no such hook: T00000000XXXXXXXX",
            "#frag-s3cret",
        ] {
            let cleaned = scrub.clean(quoted);
            assert!(cleaned.contains(STARS), "{quoted}: {cleaned}");
            for part in ["s3cr", "T0000", "k%20y", &basic] {
                assert!(!cleaned.contains(part), "{quoted}: {cleaned}");
            }
        }
        let plain = "audio.example:8443 answered 503 at version v=2";
        assert_eq!(scrub.clean(plain), plain);
        let cleaned = Scrub::default().host(&url.into()).clean(plain).into_owned();
        assert_eq!(cleaned, "*** answered 503 at version v=2");
    }

    #[test]
    fn short_secrets_are_taken_out_as_words_and_leave_other_words_whole() {
        let scrub = Scrub::default()
            .url(&"amqp://retake:retake@mq".into())
            .secret(&"abc".into());
        assert_eq!(
            scrub.clean("retake_worker: password retake is refused, abc"),
            "retake_worker: password *** is refused, abc"
        );
    }

    #[test]
    fn an_empty_scrub_leaves_everything_as_it_is() {
        let scrub = Scrub::default()
            .secret(&Secret::default())
            .url(&SecretUrl::default())
            .url(&"embedded:".into());
        assert!(matches!(
            scrub.clean("embedded storage, 1 + 1"),
            Cow::Borrowed(_)
        ));
    }
}
