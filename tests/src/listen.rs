//! Reads an event stream (WHATWG HTML, "Server-sent events") as far as the tests need it.

use std::{collections::VecDeque, time::Duration};

use anyhow::{Context, Result};
use reqwest::Response;
use serde_json::Value;

#[derive(Debug, Clone)]
pub struct News {
    pub id: String,
    pub event: String,
    pub json: Value,
}

pub struct Listener {
    response: Response,
    unread: String,
    ready: VecDeque<News>,
}

impl Listener {
    pub(crate) fn new(response: Response) -> Self {
        Self {
            response,
            unread: String::new(),
            ready: VecDeque::new(),
        }
    }

    /// The next event with data; comments and `retry` are passed over.
    pub async fn next(&mut self) -> Result<News> {
        loop {
            if let Some(news) = self.ready.pop_front() {
                return Ok(news);
            }
            let piece = tokio::time::timeout(crate::client::PATIENCE, self.response.chunk())
                .await
                .context("no event came")??
                .context("the stream ended")?;
            self.unread.push_str(std::str::from_utf8(&piece)?);
            while let Some(end) = self.unread.find("\n\n") {
                let message: String = self.unread.drain(..end + 2).collect();
                self.ready.extend(parse(&message)?);
            }
        }
    }

    /// Whether the server ends the stream within that time, and the events until then.
    pub async fn until_end(mut self, within: Duration) -> Result<Vec<News>> {
        tokio::time::timeout(within, async {
            let mut heard = Vec::new();
            while let Ok(news) = self.next().await {
                heard.push(news);
            }
            heard
        })
        .await
        .context("the stream stayed open")
    }
}

fn parse(message: &str) -> Result<Option<News>> {
    let mut news = News {
        id: String::new(),
        event: String::new(),
        json: Value::Null,
    };
    for line in message.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => value.clone_into(&mut news.id),
            "event" => value.clone_into(&mut news.event),
            "data" => news.json = serde_json::from_str(value).unwrap_or(Value::Null),
            _ => {}
        }
    }
    Ok((!news.event.is_empty()).then_some(news))
}
