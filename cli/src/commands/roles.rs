//! The roles a process can have: parts lists, in which nothing happens but wiring, waiting and ending.

use std::{convert::Infallible, future::Future, io::Write as _, net::SocketAddr};

use anyhow::{Context, Result};
use retake_jobs::health::Health;
use retake_mock_external::Limits;
use retake_server::serve_worker_health;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    admin_key,
    config::Config,
    descriptors, install,
    wiring::{self, Wiring},
};

/// Everything in one process, on one listener; the external service on a loopback port of its own.
pub async fn up(mut config: Config) -> Result<()> {
    descriptors::raise();
    let shutdown = stop_signal()?;
    let mut roles = Roles::new(&shutdown);
    if config.external_url.is_empty() {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        config.external_url = format!("http://{}", listener.local_addr()?).into();
        roles.add(
            "mock external service",
            retake_mock_external::serve_with(listener, mock_limits(&config)?, shutdown.clone()),
        );
    }
    let wiring = wiring::open(&config)?;
    bring_in_plugins(&config, &wiring).await?;
    let health = Health::default();
    let worker = Some(health.clone());
    let url = add_server(&mut roles, &config, &wiring, worker, &shutdown).await?;
    add_worker(&mut roles, &config, &wiring, health, &shutdown)?;
    say(&format!(
        "ready: {url}\nOpen it in a browser. Everything is kept in {}; Ctrl-C stops.",
        config.data.display()
    ));
    roles.end(wiring).await
}

pub async fn server(config: Config) -> Result<()> {
    descriptors::raise();
    let shutdown = stop_signal()?;
    let mut roles = Roles::new(&shutdown);
    let wiring = wiring::open(&config)?;
    bring_in_plugins(&config, &wiring).await?;
    let url = add_server(&mut roles, &config, &wiring, None, &shutdown).await?;
    say(&format!("ready: {url}"));
    roles.end(wiring).await
}

pub async fn worker(config: Config) -> Result<()> {
    descriptors::raise();
    let shutdown = stop_signal()?;
    let mut roles = Roles::new(&shutdown);
    let wiring = wiring::open(&config)?;
    bring_in_plugins(&config, &wiring).await?;
    let health = Health::default();
    if let Ok(address) = config.worker_listen.parse::<SocketAddr>() {
        let listener = bind(address, "worker_listen").await?;
        let serving = serve_worker_health(listener, health.clone(), shutdown.clone());
        roles.add("worker's health", serving);
    }
    add_worker(&mut roles, &config, &wiring, health, &shutdown)?;
    say("ready: worker");
    roles.end(wiring).await
}

pub async fn mock_external(config: Config) -> Result<()> {
    let shutdown = stop_signal()?;
    let listener = bind(config.listen, "listen").await?;
    say(&format!("ready: http://{}", listener.local_addr()?));
    retake_mock_external::serve_with(listener, mock_limits(&config)?, shutdown)
        .await
        .context("the external service")
}

/// What arrives at the simulated service lies where audio on its way lies.
fn mock_limits(config: &Config) -> Result<Limits> {
    let spool_dir = config.scratch();
    std::fs::create_dir_all(&spool_dir).with_context(|| spool_dir.display().to_string())?;
    Ok(Limits {
        spool_dir,
        ..Limits::default()
    })
}

async fn add_server(
    roles: &mut Roles,
    config: &Config,
    wiring: &Wiring,
    worker: Option<Health>,
    shutdown: &CancellationToken,
) -> Result<String> {
    let listener = bind(config.listen, "listen").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut settings = config.server.clone();
    settings.externals = config.told_services();
    settings.admin_key_sha256 = admin_key::accepted(config)?;
    let server = retake_server::open(wiring.server_parts(config, worker)?, settings)?;
    let stop = shutdown.clone();
    roles.add("server", async move {
        server.serve(listener, stop).await;
        Ok::<_, Infallible>(())
    });
    Ok(url)
}

fn add_worker(
    roles: &mut Roles,
    config: &Config,
    wiring: &Wiring,
    health: Health,
    shutdown: &CancellationToken,
) -> Result<()> {
    let parts = wiring.worker_parts(config, health)?;
    let mut settings = config.worker.clone();
    settings.scratch_dir = config.scratch().display().to_string();
    let worker = retake_worker::open(parts, settings)?;
    let stop = shutdown.clone();
    roles.add("worker", async move {
        worker.run(stop).await;
        Ok::<_, Infallible>(())
    });
    Ok(())
}

async fn bring_in_plugins(config: &Config, wiring: &Wiring) -> Result<()> {
    let (data, folder) = (config.data.clone(), config.plugins.clone());
    let files = tokio::task::spawn_blocking(move || install::files(&folder)).await??;
    let deadline = config.install_deadline();
    install::catalogue(&wiring.store, &wiring.blobs, data, files, deadline).await
}

async fn bind(address: SocketAddr, setting: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{setting} = \"{address}\" cannot be had"))
}

/// The roles of this process. When one ends, by error or not, all are told to.
struct Roles {
    running: JoinSet<Result<()>>,
    shutdown: CancellationToken,
}

impl Roles {
    fn new(shutdown: &CancellationToken) -> Self {
        Self {
            running: JoinSet::new(),
            shutdown: shutdown.clone(),
        }
    }

    fn add<E>(
        &mut self,
        name: &'static str,
        role: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: std::error::Error + Send + Sync + 'static,
    {
        let shutdown = self.shutdown.clone();
        self.running.spawn(async move {
            let ended = role.await.with_context(|| format!("the {name} failed"));
            shutdown.cancel();
            ended
        });
    }

    /// Waits for all of them, and then for what they left to be sent.
    async fn end(mut self, wiring: Wiring) -> Result<()> {
        let mut first_failure = Ok(());
        while let Some(ended) = self.running.join_next().await {
            let ended = ended.context("a role panicked").and_then(|ended| ended);
            if first_failure.is_ok() {
                first_failure = ended;
            }
            self.shutdown.cancel();
        }
        wiring.close().await;
        first_failure
    }
}

/// The first SIGINT or SIGTERM asks everything to end; a second one ends at once.
fn stop_signal() -> Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let shutdown = CancellationToken::new();
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let told = shutdown.clone();
    tokio::spawn(async move {
        for signals in 1.. {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if signals > 1 {
                std::process::exit(130);
            }
            tracing::info!("stopping; a second signal stops at once");
            told.cancel();
        }
    });
    Ok(shutdown)
}

/// The one line that scripts and people wait for goes to standard output; logs do not. Where nobody can
/// hear it, on a full disk say, we work all the same.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
