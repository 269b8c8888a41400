//! The client of the External Audio Service: sends a recording, takes the corrected one back.
//!
//! Files in, files out, in bounded memory. A try that failed for a passing reason is made again,
//! with growing random pauses; a service that fails for everybody is left alone for a while. What
//! comes back is hostile: its size is limited here, and whether it is the audio that was agreed on
//! is found by the child process that decodes it.
//!
//! Dropping the future of [`External::correct`] ends the request.

mod breaker;
mod config;
mod pulse;
mod rest;
mod retry;
mod websocket;

use std::{
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{StatusCode, Url, header};
use retake_secrets::{Scrub, SecretUrl};
use serde::Deserialize;
use tokio_tungstenite::tungstenite;

pub use config::{Config, Transport};

use crate::words::plain;
use breaker::Breaker;
use pulse::Pulse;

/// So many characters of what the service says are shown.
const WORDS_MAX: usize = 300;

const TRACEPARENT: &str = "traceparent";

/// One configured service. Clones share connections and the breaker.
#[derive(Clone)]
pub struct External {
    inner: Arc<Inner>,
    /// Sent with every request.
    headers: header::HeaderMap,
}

struct Inner {
    /// As chains name it.
    name: String,
    /// Bears secrets: goes to the client and nowhere else.
    url: Url,
    config: Config,
    /// The token and all of the address, for whatever strangers read: a job's error is its owner's,
    /// the service the operator's.
    scrub: Scrub,
    client: reqwest::Client,
    breaker: Breaker,
}

#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    /// It did not answer as it should, as often as it was asked. Worth trying again, not before
    /// `retry_after`.
    #[error("external service {name}: {detail}{}", tries(*.attempts))]
    Unavailable {
        name: String,
        detail: String,
        attempts: u32,
        retry_after: Option<Duration>,
    },
    /// It said no to this recording; asking again will not help.
    #[error("external service {name} answered {status}: {detail}")]
    Refused {
        name: String,
        status: u16,
        detail: String,
    },
    /// What came back is not what was agreed on.
    #[error("external service {name}: {detail}")]
    Invalid { name: String, detail: String },
    /// Ours: the disk.
    #[error("a file for external service {name}: {source}")]
    File { name: String, source: io::Error },
}

fn tries(attempts: u32) -> String {
    match attempts {
        0 => String::new(),
        1 => ", at 1 try".to_owned(),
        n => format!(", at {n} tries"),
    }
}

/// Why the configuration makes no client.
#[derive(Debug, thiserror::Error)]
#[error("external service {name}: {detail}")]
pub struct NoClient {
    name: String,
    detail: String,
}

/// How one try ended.
enum Failed {
    /// Try again, not before so long.
    Passing {
        detail: String,
        retry_after: Option<Duration>,
    },
    Refused {
        status: u16,
        detail: String,
    },
    Invalid {
        detail: String,
    },
    File(io::Error),
}

impl External {
    /// `url` is what `/v1/correct` and `/v1/stream` are put behind, http or https.
    pub fn new(name: &str, url: impl Into<SecretUrl>, config: Config) -> Result<Self, NoClient> {
        let url: SecretUrl = url.into();
        let refused = |detail: String| NoClient {
            name: name.to_owned(),
            detail,
        };
        let parsed = Url::parse(url.expose().trim_end_matches('/'))
            .map_err(|error| refused(format!("\"{url}\" is not an address: {error}")))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(refused(format!(
                "\"{url}\" must begin with http:// or https://"
            )));
        }
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(refused(problem));
        }
        let mut headers = header::HeaderMap::new();
        if !config.token.is_empty() {
            let mut value =
                header::HeaderValue::try_from(format!("Bearer {}", config.token.expose()))
                    .map_err(|_| {
                        refused("token holds a character that no header takes".to_owned())
                    })?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        // The operator's own address, mostly within their network: it is not judged.
        let connect = Duration::from_millis(config.connect_ms);
        let mut builder = retake_outgoing::builder(connect, &config.ca_pem)
            .map_err(refused)?
            .default_headers(headers);
        if config.transport == Transport::Websocket {
            // HTTP/2 has no upgrade.
            builder = builder.http1_only();
        }
        let client = builder
            .build()
            .map_err(|error| refused(retake_outgoing::told(&error.without_url())))?;
        let breaker = Breaker::new(
            config.breaker_failures,
            Duration::from_millis(config.breaker_ms),
        );
        let name = name.to_owned();
        let scrub = Scrub::default().secret(&config.token).url(&url).host(&url);
        let inner = Arc::new(Inner {
            name,
            url: parsed,
            config,
            scrub,
            client,
            breaker,
        });
        let headers = header::HeaderMap::new();
        Ok(Self { inner, headers })
    }

    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The same service, told to which trace its work belongs (W3C Trace Context 3.4).
    #[must_use]
    pub fn within(&self, traceparent: Option<String>) -> Self {
        let mut within = self.clone();
        within.headers.clear();
        let value = traceparent.and_then(|text| header::HeaderValue::try_from(text).ok());
        if let Some(value) = value {
            within.headers.insert(TRACEPARENT, value);
        }
        within
    }

    /// Sends `input`, a WAV of 32-bit floats, and writes what comes back to `output`. `progress`
    /// hears 0.0..=1.0, and may fall back when a try failed.
    pub async fn correct(
        &self,
        input: &Path,
        output: &Path,
        progress: &(dyn Fn(f32) + Send + Sync),
    ) -> Result<(), ExternalError> {
        let service = &*self.inner;
        let mut attempts = 0;
        loop {
            if let Err(open_for) = service.breaker.ask(Instant::now()) {
                return Err(service.unavailable(
                    "it failed too often just now and is left alone".to_owned(),
                    attempts,
                    Some(open_for),
                ));
            }
            attempts += 1;
            let failed = match service
                .attempt(&self.headers, input, output, progress)
                .await
            {
                Ok(()) => {
                    service.breaker.succeeded();
                    return Ok(());
                }
                Err(failed) => failed.cleaned(&service.scrub),
            };
            let (detail, retry_after) = match failed {
                Failed::Passing {
                    detail,
                    retry_after,
                } => (detail, retry_after),
                // An answer, if not the one we wanted: the service is up.
                Failed::Refused { status, detail } => {
                    service.breaker.succeeded();
                    let name = service.name.clone();
                    return Err(ExternalError::Refused {
                        name,
                        status,
                        detail,
                    });
                }
                Failed::Invalid { detail } => {
                    service.breaker.succeeded();
                    return Err(ExternalError::Invalid {
                        name: service.name.clone(),
                        detail,
                    });
                }
                Failed::File(source) => {
                    service.breaker.unknown();
                    return Err(ExternalError::File {
                        name: service.name.clone(),
                        source,
                    });
                }
            };
            service.breaker.failed(Instant::now());
            let patience = Duration::from_millis(service.config.retry_after_ms_max);
            let too_long = retry_after.is_some_and(|asked| asked > patience);
            if attempts == service.config.attempts_max || too_long {
                return Err(service.unavailable(detail, attempts, retry_after));
            }
            let pause = retry::pause(&service.config, attempts, retry_after, &mut rand::rng());
            tracing::info!(
                external.name = service.name,
                attempt = attempts,
                pause_ms = pause.as_millis() as u64,
                detail,
                "the external service is asked again"
            );
            tokio::time::sleep(pause).await;
        }
    }
}

impl Inner {
    fn unavailable(
        &self,
        detail: String,
        attempts: u32,
        retry_after: Option<Duration>,
    ) -> ExternalError {
        ExternalError::Unavailable {
            name: self.name.clone(),
            detail,
            attempts,
            retry_after,
        }
    }

    /// One try, with all its deadlines.
    async fn attempt(
        &self,
        headers: &header::HeaderMap,
        input: &Path,
        output: &Path,
        progress: &(dyn Fn(f32) + Send + Sync),
    ) -> Result<(), Failed> {
        let size_bytes = tokio::fs::metadata(input)
            .await
            .map_err(Failed::File)?
            .len();
        let pulse = Arc::new(Pulse::new(size_bytes));
        let total = Duration::from_millis(self.config.total_ms);
        let conversation = async {
            match self.config.transport {
                Transport::Rest => rest::correct((self, headers), input, output, &pulse).await,
                Transport::Websocket => {
                    websocket::correct((self, headers), input, output, &pulse).await
                }
            }
        };
        tokio::select! {
            ended = conversation => ended,
            detail = pulse.silence(&self.config, progress) => Err(Failed::passing(detail)),
            () = tokio::time::sleep(total) => Err(Failed::passing(format!(
                "it took longer than {} ms", self.config.total_ms
            ))),
        }
    }

    fn address(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }

    /// An answer may be as long as what was sent; its header may be longer.
    fn answer_bytes_max(&self, sent_bytes: u64) -> u64 {
        const HEADER_SLACK_BYTES: u64 = 64 * 1024;
        self.config
            .answer_bytes_max
            .min(sent_bytes.saturating_add(HEADER_SLACK_BYTES))
    }
}

/// What TLS says comes wrapped, in several layers of errors of input and output.
fn is_about_a_certificate(error: &io::Error) -> bool {
    let mut inner = error.get_ref();
    while let Some(error) = inner {
        if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return true;
        }
        inner = error.downcast_ref().and_then(io::Error::get_ref);
    }
    false
}

impl Failed {
    fn passing(detail: impl Into<String>) -> Self {
        Failed::Passing {
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// The request did not get through, or its answer broke off. The job is told what happened, in
    /// words of ours; the log has the whole of it, but for the address.
    fn request(error: reqwest::Error) -> Self {
        let what = if error.is_connect() {
            "no connection to it could be made"
        } else if error.is_timeout() {
            "it did not answer in time"
        } else {
            "the connection to it broke off"
        };
        Failed::network(what, &error.without_url())
    }

    fn stream(error: &tungstenite::Error) -> Self {
        Failed::network("the stream broke off", error)
    }

    fn network(what: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::info!(
            error = retake_outgoing::told(error),
            "an external service was not reached"
        );
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return Failed::passing(match is_about_a_certificate(io) {
                    true => format!("{what}: its certificate is not trusted; see ca_file"),
                    false => format!("{what}: {}", io.kind()),
                });
            }
            cause = error.source();
        }
        Failed::passing(what)
    }

    /// Without the operator's secrets, which a service may quote, and then no longer than a person
    /// may be shown: what is cut first leaves half a secret that nobody knows again.
    fn cleaned(mut self, scrub: &Scrub) -> Self {
        match &mut self {
            Failed::Passing { detail, .. }
            | Failed::Refused { detail, .. }
            | Failed::Invalid { detail } => *detail = plain(&scrub.clean(detail), WORDS_MAX),
            Failed::File(_) => {}
        }
        self
    }

    /// An answer that is an error, with the service's own words if it has any.
    async fn status(response: reqwest::Response) -> Self {
        let status = response.status();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| {
                retry::parse_retry_after(value.to_str().ok()?, jiff::Timestamp::now())
            });
        let detail = match words(response).await {
            Some(words) => words,
            None => status
                .canonical_reason()
                .unwrap_or("no reason given")
                .to_owned(),
        };
        if retry::is_passing(status) {
            Failed::Passing {
                detail: format!("it answered {status}: {detail}"),
                retry_after,
            }
        } else if status.is_redirection() {
            let detail = "redirects are not followed".to_owned();
            Failed::Refused {
                status: status.as_u16(),
                detail,
            }
        } else if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            Failed::Invalid {
                detail: format!("it answered {status} instead of audio"),
            }
        } else {
            Failed::Refused {
                status: status.as_u16(),
                detail,
            }
        }
    }
}

/// What a problem document says.
async fn words(mut response: reqwest::Response) -> Option<String> {
    #[derive(Deserialize)]
    struct Problem {
        detail: Option<String>,
        title: Option<String>,
    }
    const BYTES_MAX: usize = 16 * 1024;
    let mut bytes = Vec::new();
    while bytes.len() < BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(_) => return None,
        }
    }
    let problem: Problem = serde_json::from_slice(&bytes).ok()?;
    problem.detail.or(problem.title)
}
