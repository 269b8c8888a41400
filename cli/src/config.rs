//! Every setting of the program in one place: one URL per choice, one section per concern.

mod services;

use std::{io::Read, net::SocketAddr, path::PathBuf};

use retake_secrets::{STARS, Scrub, SecretUrl};
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::layers;

pub use services::Service;

const DERIVATIVES_BYTES_MIN: u64 = 16 << 20;
/// A client that lost its line comes back within a minute.
const KEPT_MS_MIN: u64 = 60_000;
/// What the database's log may hold, and then some.
const RESERVE_BYTES_MIN: u64 = 20 << 20;
const INSTALL_MS_MIN: u64 = 1_000;
/// A hundred years.
const KEPT_MS_MAX: u64 = 3_155_760_000_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Folder of everything that is kept.
    pub data: PathBuf,
    pub listen: SocketAddr,
    /// Where `retake worker` says how it is: `/readyz` and `/metrics`. Empty: nowhere.
    pub worker_listen: String,
    /// `sqlite:PATH`; empty for `retake.db` in the data folder.
    pub store_url: String,
    /// Empty for the store's own database, the only choice so far.
    pub blobs_url: String,
    /// `embedded:` for a table in the store's database, or `amqp://…`, `amqps://…`.
    pub queue_url: SecretUrl,
    /// The external audio service. Empty: none; `retake up` then starts the simulated one.
    pub external_url: SecretUrl,
    /// What that does, and where, for whoever is to send a recording there.
    pub external_description: String,
    /// A file of certificates (PEM) that are trusted beside the system's: for brokers, external
    /// services and servers behind a certificate authority of your own. Empty for none.
    pub ca_file: String,
    /// A folder of further plugins (*.wasm) to install at start; empty for none.
    pub plugins: String,
    /// Events are kept for so long: whoever comes back to an event stream later reloads everything.
    pub events_kept_ms: u64,
    /// A request that is sent again under its `Idempotency-Key` within this time is not done twice.
    pub idempotency_keys_kept_ms: u64,
    /// What is made of jobs on demand may take so much room; whatever was not asked for longest goes first.
    pub derivatives_bytes_max: u64,
    /// Room kept beside the database, so that a full disk can be cleared; 0 keeps none.
    pub reserve_bytes: u64,
    /// Compiling one of the plugins that come with the program, or are named at the command line, may
    /// take so long.
    pub install_ms_max: u64,
    pub server: retake_server::Config,
    pub worker: retake_worker::Config,
    /// How the external service is spoken to.
    pub external: retake_runner::external::Config,
    /// Whom clients may have the server speak to.
    pub outgoing: retake_outgoing::Config,
    /// External services beside that one, each by a name of its own.
    pub externals: Vec<Service>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "data".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            worker_listen: String::new(),
            store_url: String::new(),
            blobs_url: String::new(),
            queue_url: "embedded:".into(),
            external_url: SecretUrl::default(),
            external_description: String::new(),
            ca_file: String::new(),
            plugins: String::new(),
            events_kept_ms: 7 * 24 * 3_600_000,
            idempotency_keys_kept_ms: 24 * 3_600_000,
            derivatives_bytes_max: 4 << 30,
            reserve_bytes: 32 << 20,
            install_ms_max: 600_000,
            server: retake_server::Config::default(),
            worker: retake_worker::Config::default(),
            external: retake_runner::external::Config::default(),
            outgoing: retake_outgoing::Config::default(),
            externals: Vec::new(),
        }
    }
}

/// Where settings come from, in the order they are laid over the defaults.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Sources {
    /// TOML file [default: retake.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "RETAKE_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of everything that is kept [default: data]
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Any setting, as `retake config` names them; for `plugin check`, `run` and `bench`, a parameter of the plugin; repeatable
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

impl Sources {
    /// What `--set` gave, for a command that has a use of its own for it: authors set parameters.
    pub fn take_set(&mut self) -> Vec<String> {
        std::mem::take(&mut self.settings)
    }
}

/// Everything that is wrong with the configuration, at once.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} problem(s):\n  - {}", .0.len(), .0.join("\n  - "))]
pub struct Problems(Vec<String>);

impl Config {
    pub fn load(sources: &Sources) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let mut table = Table::try_from(Config::default()).expect("defaults are plain TOML");
        let file = sources
            .config
            .clone()
            .unwrap_or_else(|| "retake.toml".into());
        match std::fs::read_to_string(&file) {
            Ok(text) => match text.parse::<Table>() {
                Ok(file) => layers::merge_file(&mut table, file, &mut problems),
                Err(e) => problems.push(format!("{}{}", file.display(), layers::place(&text, &e))),
            },
            Err(e) if sources.config.is_some() => problems.push(format!("{}: {e}", file.display())),
            Err(_) => {}
        }
        layers::merge_environment(&mut table, std::env::vars(), &mut problems);
        for setting in &sources.settings {
            layers::merge_flag(&mut table, setting, &mut problems);
        }

        // What has the wrong type was not merged, so this fails only on values no TOML type rules
        // out (a negative limit, an address that is none); one such hides the others.
        let config: Option<Config> = table
            .try_into()
            .map_err(|e: toml::de::Error| problems.push(e.to_string().trim().replace('\n', " ")))
            .ok();
        if let Some(mut config) = config {
            if let Some(data) = &sources.data {
                config.data.clone_from(data);
            }
            if let Some(listen) = sources.listen {
                config.listen = listen;
            }
            problems.extend(config.problems());
            if problems.is_empty() {
                return Ok(config);
            }
        }
        Err(Problems(problems))
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let in_section =
            |section: &'static str| move |problem: String| format!("{section}.{problem}");
        problems.extend(self.server.problems().into_iter().map(in_section("server")));
        problems.extend(self.worker.problems().into_iter().map(in_section("worker")));
        problems.extend(
            self.external
                .problems()
                .into_iter()
                .map(in_section("external")),
        );
        problems.extend(
            self.outgoing
                .problems()
                .into_iter()
                .map(in_section("outgoing")),
        );
        if !self.worker_listen.is_empty() && self.worker_listen.parse::<SocketAddr>().is_err() {
            let given = &self.worker_listen;
            problems.push(format!(
                "worker_listen is \"{given}\"; it must be an address and a port, \"127.0.0.1:8081\" say, or empty"
            ));
        }
        for (name, value) in [
            ("events_kept_ms", self.events_kept_ms),
            ("idempotency_keys_kept_ms", self.idempotency_keys_kept_ms),
        ] {
            if !(KEPT_MS_MIN..=KEPT_MS_MAX).contains(&value) {
                problems.push(format!(
                    "{name} is {value}; it must be {KEPT_MS_MIN} to {KEPT_MS_MAX}"
                ));
            }
        }
        if self.derivatives_bytes_max < DERIVATIVES_BYTES_MIN {
            problems.push(format!(
                "derivatives_bytes_max is {}; it must be at least {DERIVATIVES_BYTES_MIN}",
                self.derivatives_bytes_max
            ));
        }
        if self.reserve_bytes != 0 && self.reserve_bytes < RESERVE_BYTES_MIN {
            problems.push(format!(
                "reserve_bytes is {}; it must be 0 or at least {RESERVE_BYTES_MIN}",
                self.reserve_bytes
            ));
        }
        if self.install_ms_max < INSTALL_MS_MIN {
            problems.push(format!(
                "install_ms_max is {}; it must be at least {INSTALL_MS_MIN}",
                self.install_ms_max
            ));
        }
        if !self.store_url.is_empty() && !self.store_url.starts_with("sqlite:") {
            problems.push(format!(
                "store_url is \"{}\"; it must be sqlite:PATH",
                SecretUrl::from(&self.store_url)
            ));
        }
        if !self.blobs_url.is_empty() {
            problems.push(format!(
                "blobs_url is \"{}\"; it must be empty: audio lies in the store's database",
                SecretUrl::from(&self.blobs_url)
            ));
        }
        if let Err(problem) = self.ca_pem() {
            problems.push(problem);
        }
        if self.queue() == QueueChoice::Unknown {
            problems.push(format!(
                "queue_url is \"{}\"; it must be embedded: or amqp://… or amqps://…",
                self.queue_url
            ));
        }
        let http = |url: &SecretUrl| url.starts_with("http://") || url.starts_with("https://");
        if !self.external_url.is_empty() && !http(&self.external_url) {
            problems.push(format!(
                "external_url is \"{}\"; it must be http://… or https://…",
                self.external_url
            ));
        }
        problems.extend(self.problems_of_services());
        // Somebody kept what `retake config` shows: the service would be asked with stars for a key.
        for (key, is_starred) in [
            ("queue_url", self.queue_url.is_starred()),
            ("external_url", self.external_url.is_starred()),
            ("external.token", self.external.token.is_starred()),
        ] {
            if is_starred {
                problems.push(starred(key));
            }
        }
        problems
    }

    pub fn install_deadline(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.install_ms_max)
    }

    /// What is in `ca_file`; empty without one.
    pub fn ca_pem(&self) -> Result<String, String> {
        const BYTES_MAX: u64 = 1024 * 1024;
        if self.ca_file.is_empty() {
            return Ok(String::new());
        }
        let problem = |what: &str| format!("ca_file is \"{}\", {what}", self.ca_file);
        let mut pem = String::new();
        std::fs::File::open(&self.ca_file)
            .and_then(|file| file.take(BYTES_MAX + 1).read_to_string(&mut pem))
            .map_err(|error| problem(&format!("which cannot be read: {error}")))?;
        if pem.len() as u64 > BYTES_MAX {
            return Err(problem(&format!("which has more than {BYTES_MAX} bytes")));
        }
        match reqwest::Certificate::from_pem_bundle(pem.as_bytes()) {
            Ok(certificates) if !certificates.is_empty() => Ok(pem),
            Ok(_) => Err(problem("in which there is no certificate (PEM)")),
            Err(error) => Err(problem(&format!(
                "whose certificates cannot be read: {error}"
            ))),
        }
    }

    /// Names that a chain may use for external services.
    pub fn external_names(&self) -> Vec<String> {
        self.services().into_iter().map(|it| it.name).collect()
    }

    pub fn database(&self) -> PathBuf {
        match self.store_url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => path.into(),
            _ => self.data.join("retake.db"),
        }
    }

    /// Where audio on its way lies: beside what is kept, the one folder that can certainly be written
    /// to, unless another is named.
    pub fn scratch(&self) -> PathBuf {
        match self.worker.scratch_dir.as_str() {
            "" => self.data.join("scratch"),
            named => named.into(),
        }
    }

    pub fn queue(&self) -> QueueChoice {
        match self
            .queue_url
            .expose()
            .split_once(':')
            .map(|(scheme, _)| scheme)
        {
            Some("embedded") => QueueChoice::Embedded,
            Some("amqp" | "amqps") => QueueChoice::RabbitMq,
            _ => QueueChoice::Unknown,
        }
    }

    /// As TOML, with secrets starred: their types show nothing else.
    pub fn shown(&self) -> String {
        toml::to_string_pretty(self).expect("plain TOML")
    }

    /// What no line of a log may hold, whoever writes it.
    pub fn secrets(&self) -> Scrub {
        let scrub = Scrub::default().url(&self.queue_url);
        self.services().iter().fold(scrub, |scrub, it| {
            scrub.url(&it.url).secret(&it.settings.token)
        })
    }
}

fn starred(key: &str) -> String {
    format!(
        "{key} holds {STARS}, which stands for a secret where settings are shown; it must be the secret \
         itself"
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueChoice {
    Embedded,
    RabbitMq,
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        queue_url = "amqp://ann:s3cret@mq:5672/s3cret?heartbeat=3"
        external_url = "https://s3cret:s3cret@audio.example/s3cret/?key=s3cret#s3cret"
        [external]
        token = "s3cret"
    "#;

    #[test]
    fn the_settings_are_shown_without_a_secret_and_what_is_shown_is_not_taken_for_one() {
        let config: Config = toml::from_str(FILE).expect("plain TOML");
        assert_eq!(config.problems(), Vec::<String>::new());
        assert!(config.external.token.expose().contains("s3cret"));
        let shown = config.shown();
        for shown in [&shown, &format!("{config:?}"), &format!("{config:#?}")] {
            assert!(!shown.contains("s3cret"), "{shown}");
            assert!(shown.contains("amqp://***@mq:5672/***"), "{shown}");
            assert!(shown.contains("https://***@audio.example/***"), "{shown}");
        }
        let again: Config = toml::from_str(&shown).expect("what is shown can be read");
        let problems = again.problems();
        assert_eq!(problems.len(), 3, "{problems:?}");
        for key in ["queue_url", "external_url", "external.token"] {
            assert!(problems.iter().any(|p| p.starts_with(key)), "{problems:?}");
        }
    }

    #[test]
    fn limits_of_the_installation_that_cannot_work_are_named() {
        let check = |text: &str, told: &[&str]| {
            let config: Config = toml::from_str(text).expect("plain TOML");
            assert_eq!(config.problems(), told, "{text}");
        };
        check("reserve_bytes = 0", &[]);
        check("reserve_bytes = 20971520", &[]);
        check(
            "reserve_bytes = 1000000",
            &["reserve_bytes is 1000000; it must be 0 or at least 20971520"],
        );
        check(
            "install_ms_max = 10",
            &["install_ms_max is 10; it must be at least 1000"],
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_by_its_line_and_not_by_what_stands_there() {
        let folder = tempfile::tempdir().expect("a folder");
        for (text, told) in [
            (
                "listen = '127.0.0.1:0'\nexternal_url = \"https://u:s3cret@h",
                ", line 2",
            ),
            ("external_url = https://u:s3cret@h", ", line 1"),
            (
                "queue_url = ['amqp://u:s3cret@h']",
                "queue_url is a list; it must be text",
            ),
            (
                "[external]\ntoken = { s3cret = 1 }",
                "external.token is a section; it must be text",
            ),
            (
                "[external]\ntoken = 's3cret'\nattempts_max = 0",
                "attempts_max is 0",
            ),
        ] {
            let file = folder.path().join("retake.toml");
            std::fs::write(&file, text).expect("written");
            let sources = Sources {
                config: Some(file),
                ..Sources::default()
            };
            let problems = Config::load(&sources).expect_err(text).to_string();
            assert!(problems.contains(told), "{problems}");
            assert!(!problems.contains("s3cret"), "{problems}");
        }
    }

    #[test]
    fn the_defaults_are_without_problems_and_survive_being_written_out() {
        let config = Config::default();
        assert_eq!(config.problems(), Vec::<String>::new());
        let again: Config = toml::from_str(&config.shown()).expect("what is shown can be read");
        assert_eq!(again.shown(), config.shown());
    }

    #[test]
    fn the_operations_page_names_every_setting() {
        fn keys(table: &Table, path: &str, all: &mut Vec<String>) {
            for (key, value) in table {
                match value.as_table() {
                    Some(inner) => keys(inner, &format!("{path}{key}."), all),
                    None => all.push(format!("`{path}{key}`")),
                }
            }
        }
        let page = include_str!("../../docs/operations.md");
        let mut all = Vec::new();
        keys(
            &Table::try_from(Config::default()).expect("plain TOML"),
            "",
            &mut all,
        );
        let missing: Vec<_> = all
            .iter()
            .filter(|key| !page.contains(key.as_str()))
            .collect();
        assert!(
            missing.is_empty(),
            "docs/operations.md does not name {missing:?}"
        );
    }

    #[test]
    fn a_file_without_certificates_is_a_problem_and_one_with_some_is_taken() {
        let problem = |text: &str| {
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(file.path(), text).expect("written");
            let config = Config {
                ca_file: file.path().display().to_string(),
                ..Config::default()
            };
            config.problems().pop()
        };
        let ca = include_str!("../../tests/fixtures/tls/ca.pem");
        assert_eq!(problem(ca), None);
        for bad in [
            "",
            "no certificate",
            "-----BEGIN CERTIFICATE-----\n??\n-----END CERTIFICATE-----\n",
        ] {
            let told = problem(bad).expect("a problem");
            assert!(told.starts_with("ca_file is "), "{told}");
        }
    }

    #[test]
    fn addresses_of_unknown_kinds_are_named() {
        let config = Config {
            queue_url: "redis://u:secret@h".into(),
            store_url: "oracle://u:secret@h".to_owned(),
            external_url: "ftp://x/?key=secret".into(),
            ca_file: "no/such.pem".to_owned(),
            events_kept_ms: 5,
            idempotency_keys_kept_ms: 5,
            ..Config::default()
        };
        let problems = config.problems();
        assert_eq!(problems.len(), 6, "{problems:?}");
        assert!(!problems.join(" ").contains("secret"));
    }
}
