//! An address in parts, as far as it can be told where its secrets stand. What cannot be told apart
//! is starred as a whole.

use super::STARS;

/// Scheme, host and port.
pub(super) fn shown(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return STARS.to_owned();
    };
    if rest.is_empty() {
        // `embedded:`
        return text.to_owned();
    }
    let Some(parts) = Parts::of(text) else {
        // `host:port` and `user:password@host` look like a scheme with something behind.
        return match rest.strip_prefix("//") {
            Some(_) => format!("{scheme}://{STARS}"),
            None => STARS.to_owned(),
        };
    };
    let user = if parts.user.is_some() {
        format!("{STARS}@")
    } else {
        String::new()
    };
    let tail = match parts.tail {
        "" | "/" => parts.tail.to_owned(),
        _ => format!("/{STARS}"),
    };
    format!("{scheme}://{user}{}{tail}", parts.host)
}

pub(super) struct Parts<'t> {
    /// With the password.
    pub user: Option<&'t str>,
    /// With the port.
    pub host: &'t str,
    /// Path, query and fragment.
    pub tail: &'t str,
}

impl<'t> Parts<'t> {
    /// `None` where it cannot be told for sure.
    pub fn of(text: &'t str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let ends = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(ends);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        // A password with a `/` in it ends what is taken for the authority; the real host is behind.
        let is_told = is_scheme(scheme) && is_host(host) && !tail.contains('@');
        is_told.then_some(Self { user, host, tail })
    }

    /// Without the port.
    pub fn name(&self) -> &'t str {
        match self.host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => name,
            _ => self.host,
        }
    }
}

fn is_scheme(text: &str) -> bool {
    const LONGEST: usize = 12;
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= LONGEST
        && text.bytes().all(|b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.')
        })
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (text, ""),
    };
    let port_is_one = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    let inner = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    let name_is_one = match inner {
        Some(v6) => v6
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')),
        None => name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')),
    };
    port_is_one && name_is_one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_every_shape_of_address_only_scheme_host_and_port_are_shown() {
        for (address, expected) in [
            ("", ""),
            ("embedded:", "embedded:"),
            ("http://127.0.0.1:4242", "http://127.0.0.1:4242"),
            ("https://audio.example/", "https://audio.example/"),
            ("http://[::1]:80/", "http://[::1]:80/"),
            ("amqp://u:S3CRET@h:5672/%2f", "amqp://***@h:5672/***"),
            ("amqp://S3CRET@h", "amqp://***@h"),
            ("amqp://u:S3CRET@h/?x=S3CRET", "amqp://***@h/***"),
            ("https://h?key=S3CRET", "https://h/***"),
            ("https://h/?token=S3CRET&a=b", "https://h/***"),
            ("https://h/hooks/S3CRET", "https://h/***"),
            ("https://h/#S3CRET", "https://h/***"),
            ("https://u:p@S3CRET@h", "https://***@h"),
            ("https://u:S3C/RET@h", "https://***"),
            ("https://u:12/S3CRET@h", "https://***"),
            ("https://u:S3CRET?@h", "https://***"),
            ("https://u:S3CRET#@h", "https://***"),
            ("https://h\\@S3CRET", "https://***"),
            ("https:/u:S3CRET@h", "***"),
            ("https:u:S3CRET@h", "***"),
            ("u:S3CRET@h", "***"),
            ("S3CRET:@h", "***"),
            ("S3CRET", "***"),
            ("//u:S3CRET@h", "***"),
            (" https://u:S3CRET@h", "***"),
            ("https://S3CRET%40h", "https://***"),
            ("https://h:S3CRET/", "https://***"),
            ("https://[S3CRET/", "https://***"),
            ("https://S3\tCRET@h", "https://***@h"),
        ] {
            let shown = shown(address);
            assert_eq!(shown, expected, "{address:?}");
            for part in ["S3C", "CRET", "RET"] {
                assert!(!shown.contains(part), "{address:?}");
            }
        }
    }
}
