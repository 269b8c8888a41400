//! A server, spoken to over HTTP like anybody does, by whoever holds its admin key.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode};
use retake_chain::problem::Problem;
use retake_secrets::{Secret, SecretUrl};
use serde::de::DeserializeOwned;

use crate::{admin_key, config::Config};

/// Longer than a server looks for an answer.
const ANSWER: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub struct Where {
    /// The server's address
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    server: SecretUrl,
    /// The admin key, or an API key with the scope that is needed [default: what is in admin.key of the
    /// data folder]
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "RETAKE_ADMIN_KEY",
        hide_env_values = true
    )]
    token: Option<Secret>,
}

pub struct Server {
    client: Client,
    base: SecretUrl,
    key: Secret,
}

impl Server {
    pub fn new(config: &Config, at: &Where) -> Result<Self> {
        let key = match &at.token {
            Some(key) => key.clone(),
            None => {
                let path = admin_key::path(&config.data);
                admin_key::read(&path)?.with_context(|| {
                    format!(
                        "no admin key: give --token or RETAKE_ADMIN_KEY; {} is not there either",
                        path.display()
                    )
                })?
            }
        };
        let ca_pem = config.ca_pem().map_err(anyhow::Error::msg)?;
        let trusted = Certificate::from_pem_bundle(ca_pem.as_bytes()).context("ca_file")?;
        // The library is built without a default.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            client: Client::builder()
                .connect_timeout(Duration::from_secs(10))
                .redirect(reqwest::redirect::Policy::none())
                .tls_certs_merge(trusted)
                .build()?,
            base: at.server.clone(),
            key,
        })
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let address = format!("{}{path}", self.base.expose().trim_end_matches('/'));
        self.client
            .request(method, address)
            .bearer_auth(self.key.expose())
            .timeout(ANSWER)
    }

    /// The answer, if it is that one.
    pub async fn json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        expected: StatusCode,
    ) -> Result<T> {
        let answer = request.send().await;
        let answer = answer
            .map_err(reqwest::Error::without_url)
            .with_context(|| self.base.to_string())?;
        ensure!(answer.status() == expected, told(answer).await);
        let json = answer.json().await;
        json.map_err(|error| error.without_url().into())
    }
}

/// The server's own words, if it is one of ours.
async fn told(answer: Response) -> String {
    let status = answer.status();
    match answer.json::<Problem>().await {
        Ok(problem) => format!("the server says {status}: {}", problem.detail),
        Err(_) => format!("the server says {status}; is it a Retake server?"),
    }
}
