//! Whom clients may have us speak to, and for how long.

use serde::{Deserialize, Serialize};

use crate::{Network, judge::Host};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Hosts, addresses and networks (CIDR) that clients may have us speak to although they are not the whole
    /// world's: `hooks.internal`, `10.1.0.0/16` say. On any port.
    pub allow: Vec<String>,
    pub connect_ms: u64,
    /// From the request to the head of the answer.
    pub answer_ms: u64,
    /// Silence within an answer.
    pub idle_ms: u64,
    /// Redirects that are followed where something is fetched; each is judged like the first address.
    pub redirects_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            connect_ms: 5_000,
            answer_ms: 20_000,
            idle_ms: 30_000,
            redirects_max: 5,
        }
    }
}

impl Config {
    /// What is wrong with the values, each as a sentence that begins with the key.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (key, value) in [
            ("connect_ms", self.connect_ms),
            ("answer_ms", self.answer_ms),
            ("idle_ms", self.idle_ms),
        ] {
            if value == 0 {
                problems.push(format!("{key} is 0; it must be at least 1"));
            }
        }
        for (index, text) in self.allow.iter().enumerate() {
            if Allowed::parse(text).is_none() {
                problems.push(format!(
                    "allow has \"{text}\" at place {index}; it must be a host, \"hooks.internal\" say, an \
                     address, or a network, \"10.1.0.0/16\" say"
                ));
            }
        }
        problems
    }
}

/// What is named to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    Host(String),
    Network(Network),
}

impl Allowed {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(network) = text.parse() {
            return Some(Self::Network(network));
        }
        match Host::parse(text)? {
            Host::Name(name) => Some(Self::Host(name)),
            // Written otherwise than as an address is.
            Host::Address(_) => None,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Allow(Vec<Allowed>);

impl Allow {
    pub fn new(config: &Config) -> Self {
        Self(
            config
                .allow
                .iter()
                .filter_map(|text| Allowed::parse(text))
                .collect(),
        )
    }

    pub fn host(&self, asked: &str) -> bool {
        let named = |it: &Allowed| matches!(it, Allowed::Host(name) if name == asked);
        self.0.iter().any(named)
    }

    pub fn address(&self, address: std::net::IpAddr) -> bool {
        let holds = |it: &Allowed| matches!(it, Allowed::Network(it) if it.holds(address));
        self.0.iter().any(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_allowed_is_named() {
        let config = Config {
            allow: [
                "hooks.internal",
                "10.1.0.0/16",
                "::1",
                "0x7f.1",
                "a b",
                "http://x",
                "*",
                "",
            ]
            .map(str::to_owned)
            .to_vec(),
            answer_ms: 0,
            ..Config::default()
        };
        let problems = config.problems();
        assert_eq!(problems.len(), 6, "{problems:?}");
        assert!(
            problems
                .iter()
                .any(|it| it.contains("\"0x7f.1\" at place 3"))
        );
        assert_eq!(Config::default().problems(), Vec::<String>::new());
    }
}
