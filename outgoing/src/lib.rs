//! Requests that we send because a client said so: webhooks, recordings that are fetched.
//!
//! Whoever names an address would have us speak with our voice, from within our network. So an address is
//! judged ([`judge`]), and where a name leads is judged again in the one place through which every connection
//! is made: the resolver. What it gives is what is dialled, so that a name that answers differently the
//! second time gains nothing. Redirects are not followed, or each is judged like the first address; no proxy
//! of the environment's stands between; every wait has an end.
//!
//! The operator's own addresses (the external service) are not judged: they are ours to name. Their clients
//! are begun here all the same ([`builder`]).

mod config;
mod judge;
mod network;
mod resolver;

#[cfg(test)]
mod tests;

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
pub use reqwest::Url;
use reqwest::{
    StatusCode,
    dns::Resolve,
    header::{self, HeaderMap},
    redirect::Policy,
};

pub use config::Config;
pub use judge::{Refused, shown};
pub use network::{Network, NoNetwork};

use config::Allow;
use resolver::{Filtered, System};

/// The one client. Clones share its connections.
#[derive(Clone)]
pub struct Outgoing {
    client: reqwest::Client,
    allow: Arc<Allow>,
    config: Config,
}

/// Why the configuration makes no client.
#[derive(Debug, thiserror::Error)]
#[error("outgoing: {0}")]
pub struct NoClient(String);

/// Why there is no answer. Names no more of an address than its host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    #[error("the address must not be spoken to: {0}")]
    Refused(#[from] Refused),
    #[error("{0}")]
    Unreachable(String),
    #[error("no answer came within {0} ms")]
    Silent(u64),
    #[error("it was redirected {0} times, which is the limit")]
    Redirects(u32),
}

/// The head of an answer, and its body to be pulled.
#[derive(Debug)]
pub struct Answer {
    response: reqwest::Response,
    idle: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum BodyFailed {
    #[error("no byte of it came for {} ms", .0.as_millis())]
    Stalled(Duration),
    #[error("it broke off: {0}")]
    BrokeOff(String),
}

impl Outgoing {
    /// `ca_pem` are certificates that are trusted beside the system's; empty for none.
    pub fn new(config: &Config, ca_pem: &str) -> Result<Self, NoClient> {
        Self::with_resolver(config, ca_pem, Arc::new(System))
    }

    fn with_resolver(
        config: &Config,
        ca_pem: &str,
        names: Arc<dyn Resolve>,
    ) -> Result<Self, NoClient> {
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(NoClient(problem));
        }
        let allow = Arc::new(Allow::new(config));
        let resolver = Filtered {
            names,
            allow: Arc::clone(&allow),
        };
        let client = builder(Duration::from_millis(config.connect_ms), ca_pem)
            .map_err(NoClient)?
            .dns_resolver(Arc::new(resolver))
            // One would be asked to connect for us, past the resolver.
            .no_proxy()
            .build()
            .map_err(|error| NoClient(told(&error.without_url())))?;
        Ok(Self {
            client,
            allow,
            config: config.clone(),
        })
    }

    /// No request waits longer for the head of its answer.
    pub fn answer_max(&self) -> Duration {
        Duration::from_millis(self.config.answer_ms)
    }

    /// The address, if it may be spoken to as far as it tells itself.
    pub fn judge(&self, text: &str) -> Result<Url, Refused> {
        judge::judge(text, &self.allow)
    }

    /// One POST; a redirect is an answer like any other.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Answer, Failed> {
        judge::judge_parsed(url, &self.allow)?;
        let request = self.client.post(url.clone()).headers(headers).body(body);
        self.send(request).await
    }

    /// What lies there, or where that leads to.
    pub async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Answer, Failed> {
        let mut url = url.clone();
        for _ in 0..=self.config.redirects_max {
            judge::judge_parsed(&url, &self.allow)?;
            let request = self.client.get(url.clone()).headers(headers.clone());
            let answer = self.send(request).await?;
            let Some(next) = answer.leads_to(&url)? else {
                return Ok(answer);
            };
            url = next;
        }
        Err(Failed::Redirects(self.config.redirects_max))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, Failed> {
        let limit = Duration::from_millis(self.config.answer_ms);
        let sent = tokio::time::timeout(limit, request.send()).await;
        let response = sent
            .map_err(|_| Failed::Silent(self.config.answer_ms))?
            .map_err(failed)?;
        Ok(Answer {
            response,
            idle: Duration::from_millis(self.config.idle_ms),
        })
    }
}

impl Answer {
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    pub fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next piece of the body; `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BodyFailed> {
        let next = tokio::time::timeout(self.idle, self.response.chunk()).await;
        next.map_err(|_| BodyFailed::Stalled(self.idle))?
            .map_err(|error| BodyFailed::BrokeOff(told(&error.without_url())))
    }

    fn leads_to(&self, from: &Url) -> Result<Option<Url>, Failed> {
        let follows = [301, 302, 303, 307, 308].contains(&self.status().as_u16());
        let place = self.headers().get(header::LOCATION).filter(|_| follows);
        let Some(place) = place else { return Ok(None) };
        let no_address = |why: &str| Failed::from(Refused::NoAddress(why.to_owned()));
        let place = place.to_str().map_err(|_| no_address("it is no text"))?;
        let next = from
            .join(place)
            .map_err(|error| no_address(&error.to_string()))?;
        if from.scheme() == "https" && next.scheme() == "http" {
            return Err(Refused::Downgrade.into());
        }
        Ok(Some(next))
    }
}

/// What every client of ours begins with: no redirects, our name, the certificates that are trusted.
pub fn builder(connect: Duration, ca_pem: &str) -> Result<reqwest::ClientBuilder, String> {
    // Whoever installed a provider before us chose well enough; ring needs no cmake.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .connect_timeout(connect)
        .redirect(Policy::none())
        .tcp_nodelay(true)
        .user_agent(concat!("retake/", env!("CARGO_PKG_VERSION")));
    if !ca_pem.is_empty() {
        let more = reqwest::Certificate::from_pem_bundle(ca_pem.as_bytes())
            .map_err(|error| format!("the trusted certificates: {}", told(&error)))?;
        builder = builder.tls_certs_merge(more);
    }
    Ok(builder)
}

fn failed(error: reqwest::Error) -> Failed {
    let error = error.without_url();
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(it) = cause {
        if let Some(refused) = it.downcast_ref::<Refused>() {
            return refused.clone().into();
        }
        cause = it.source();
    }
    let what = match () {
        () if error.is_connect() => "no connection could be made",
        () if error.is_timeout() => "no answer came in time",
        () => "the connection broke off",
    };
    Failed::Unreachable(format!("{what}: {}", told(&error)))
}

/// An error with its causes: reqwest's own text is only the outermost.
pub fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
