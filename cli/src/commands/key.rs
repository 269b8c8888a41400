//! `retake key`: a server's API keys, over HTTP like anybody's.

use anyhow::Result;
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use retake_jobs::credential::Scope;
use serde::Deserialize;
use serde_json::json;

use super::remote::{Server, Where};
use crate::config::Config;

const DAY_S: u64 = 24 * 3600;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Makes a key and shows it, once
    Create {
        /// What it is for, as people will read it
        name: String,
        /// What it opens: recordings, plugins:publish or admin; repeatable
        #[arg(long = "scope", required = true, value_parser = parse_scope)]
        scopes: Vec<Scope>,
        /// It opens nothing after so many days
        #[arg(long, value_name = "DAYS")]
        expires_in_days: Option<u64>,
        /// It opens the recordings that this other key opens or opened
        #[arg(long, value_name = "ID")]
        same_owner_as: Option<String>,
    },
    /// All keys, the newest first
    List,
    /// The key opens nothing any more; its recordings stay
    Revoke {
        /// The key's id, as `list` shows it
        id: String,
    },
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    let known = || Scope::ALL.map(Scope::name).join(", ");
    Scope::parse(text).ok_or_else(|| format!("it must be one of: {}", known()))
}

#[derive(Debug, Deserialize)]
struct Key {
    id: String,
    name: String,
    scopes: Vec<Scope>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    key: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Keys {
    items: Vec<Key>,
    next_page_token: Option<String>,
}

#[allow(clippy::print_stdout)]
pub async fn run(config: Config, arguments: Arguments) -> Result<()> {
    let server = Server::new(&config, &arguments.at)?;
    match arguments.command {
        Command::Create {
            name,
            scopes,
            expires_in_days,
            same_owner_as,
        } => {
            let mut wanted = json!({"name": name, "scopes": scopes});
            if let Some(days) = expires_in_days {
                wanted["expires_in_s"] = days.saturating_mul(DAY_S).into();
            }
            if let Some(id) = same_owner_as {
                wanted["same_owner_as"] = id.into();
            }
            let request = server.request(Method::POST, "/api/v1/keys").json(&wanted);
            let key: Key = server.json(request, StatusCode::CREATED).await?;
            eprintln!("{}\nkeep what follows, it is not shown again:", line(&key));
            println!("{}", key.key.unwrap_or_default());
        }
        Command::List => {
            let mut path = "/api/v1/keys".to_owned();
            loop {
                let request = server.request(Method::GET, &path);
                let page: Keys = server.json(request, StatusCode::OK).await?;
                for key in &page.items {
                    println!("{}", line(key));
                }
                let Some(token) = page.next_page_token else {
                    break;
                };
                path = format!("/api/v1/keys?page_token={token}");
            }
        }
        Command::Revoke { id } => {
            let request = server.request(Method::DELETE, &format!("/api/v1/keys/{id}"));
            let key: Key = server.json(request, StatusCode::OK).await?;
            println!("{}", line(&key));
        }
    }
    Ok(())
}

fn line(key: &Key) -> String {
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.name()).collect();
    let ends = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at:.0}"),
        (None, Some(at)) => format!("expires {at:.0}"),
        (None, None) => "does not expire".to_owned(),
    };
    let used = key
        .last_used_at
        .map_or("never used".to_owned(), |at| format!("used {at:.0}"));
    format!(
        "{}  {}  {}  created {:.0}  {used}  {ends}",
        key.id,
        retake_words::written_out(&key.name),
        scopes.join(","),
        key.created_at,
    )
}
