//! External services beside the one called `default`, each with a name that chains use for it.

use std::collections::HashSet;

use reqwest::Url;
use retake_secrets::SecretUrl;
use retake_server::ExternalService;
use serde::{Deserialize, Serialize};

use super::Config;

const NAME_CHARS_MAX: usize = 40;
const DESCRIPTION_CHARS_MAX: usize = 300;

/// The one of `external_url`.
pub const DEFAULT: &str = "default";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// As chains call it.
    pub name: String,
    pub url: SecretUrl,
    /// What it does, and where, for whoever is to send a recording there.
    pub description: String,
    /// How it is spoken to.
    pub settings: retake_runner::external::Config,
}

impl Service {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = (1..=NAME_CHARS_MAX).contains(&self.name.len());
        if !fits || !self.name.chars().all(is_name) {
            problems.push(format!(
                "name is \"{}\"; it must be 1 to {NAME_CHARS_MAX} of a-z, 0-9 and \"-\"",
                self.name
            ));
        }
        if !self.url.starts_with("http://") && !self.url.starts_with("https://") {
            problems.push(format!(
                "url is \"{}\"; it must be http://… or https://…",
                self.url
            ));
        }
        let described = self.description.chars();
        if described.clone().count() > DESCRIPTION_CHARS_MAX
            || described.clone().any(char::is_control)
        {
            problems.push(format!(
                "description has {} characters; it must be one line of at most {DESCRIPTION_CHARS_MAX}",
                described.count()
            ));
        }
        for (key, is_starred) in [
            ("url", self.url.is_starred()),
            ("settings.token", self.settings.token.is_starred()),
        ] {
            if is_starred {
                problems.push(super::starred(key));
            }
        }
        let settings = self.settings.problems().into_iter();
        problems.extend(settings.map(|problem| format!("settings.{problem}")));
        problems
    }

    fn host(&self) -> String {
        let url = Url::parse(self.url.expose()).ok();
        let host = url.as_ref().and_then(Url::host_str);
        host.unwrap_or_default().to_owned()
    }
}

impl Config {
    pub(super) fn problems_of_services(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut names = HashSet::from([DEFAULT]);
        for (index, service) in self.externals.iter().enumerate() {
            let own = service.problems().into_iter();
            problems.extend(own.map(|problem| format!("externals[{index}].{problem}")));
            if !names.insert(&service.name) {
                problems.push(format!(
                    "externals[{index}].name is \"{}\", which another service has",
                    service.name
                ));
            }
        }
        problems
    }

    /// Every service, the default one first.
    pub fn services(&self) -> Vec<Service> {
        let default = (!self.external_url.is_empty()).then(|| Service {
            name: DEFAULT.to_owned(),
            url: self.external_url.clone(),
            description: self.external_description.clone(),
            settings: self.external.clone(),
        });
        default.into_iter().chain(self.externals.clone()).collect()
    }

    /// What clients are told of them.
    pub fn told_services(&self) -> Vec<ExternalService> {
        let services = self.services().into_iter();
        let told = services.map(|it| ExternalService {
            host: it.host(),
            name: it.name,
            description: it.description,
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        toml::from_str(text).expect("plain TOML")
    }

    #[test]
    fn each_service_has_a_name_of_its_own_and_what_is_wrong_is_told_by_its_place() {
        let good = config(
            "external_url = 'http://127.0.0.1:9/'
             [[externals]]
             name = 'studio-1'
             url = 'https://u:s3cret@audio.example:8443/s3cret'
             description = 'A voice restored, in the EU'
             [externals.settings]
             token = 's3cret'
             transport = 'websocket'",
        );
        assert_eq!(good.problems_of_services(), Vec::<String>::new());
        let told = good.told_services();
        let hosts: Vec<_> = told.iter().map(|it| (&*it.name, &*it.host)).collect();
        assert_eq!(
            hosts,
            [("default", "127.0.0.1"), ("studio-1", "audio.example")]
        );
        assert!(!good.shown().contains("s3cret"), "{}", good.shown());
        let again = config(&good.shown());
        assert_eq!(
            again.problems_of_services().len(),
            2,
            "stars are no secrets"
        );

        let bad = config(
            "[[externals]]
             name = 'Studio'
             url = 'ftp://x'
             [[externals]]
             name = 'default'
             url = 'http://x'
             [externals.settings]
             attempts_max = 0",
        );
        let problems = bad.problems_of_services();
        assert_eq!(problems.len(), 4, "{problems:?}");
        for (problem, begins) in problems.iter().zip([
            "externals[0].name is \"Studio\"",
            "externals[0].url is ",
            "externals[1].settings.attempts_max is 0",
            "externals[1].name is \"default\", which another service has",
        ]) {
            assert!(problem.starts_with(begins), "{problem}");
        }
    }
}
