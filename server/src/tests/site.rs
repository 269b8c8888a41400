//! A server that really listens, and a client of few words.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::house::{FORM_TYPE, Memory, SOON, form, form_with, wav};
use crate::{Config, open};

/// A server that really listens.
pub struct Site {
    pub address: SocketAddr,
    pub memory: Memory,
    pub stop: CancellationToken,
    pub served: JoinHandle<()>,
}

impl Site {
    pub async fn open(change: impl FnOnce(&mut Config)) -> Self {
        let memory = Memory::new();
        let parts = memory.parts(memory.blobs.clone());
        let mut config = Config {
            externals: vec![crate::ExternalService {
                name: "default".to_owned(),
                description: "A voice restored".to_owned(),
                host: "audio.example".to_owned(),
            }],
            ..Config::default()
        };
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let opened = open(parts, config).unwrap();
        let served = tokio::spawn(opened.serve(listener, stop.clone()));
        Self {
            address,
            memory,
            stop,
            served,
        }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends the text and reads until the server closes.
    pub async fn say(&self, text: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_ref()).await.unwrap();
        read_to_end(&mut stream).await
    }

    pub async fn token(&self) -> String {
        let answer = self
            .say("POST /api/v1/sessions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            .await;
        let start = answer.find("rt_").unwrap();
        answer[start..start + 46].to_owned()
    }

    /// The head of an upload with so many bytes to come.
    pub fn upload_head(token: &str, length: usize) -> String {
        format!(
            "POST /api/v1/recordings HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: {FORM_TYPE}\r\ncontent-length: {length}\r\n\r\n"
        )
    }

    /// What is counted, by its name.
    pub async fn metric(&self, name: &str) -> u64 {
        let get = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let text = self.say(get).await;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().parse().unwrap()
    }

    /// Stores a recording of so many bytes; returns its audio's path.
    pub async fn recording(&self, token: &str, length: usize) -> String {
        let gain = super::house::gain();
        self.memory.store.put_plugin(&gain, 5).await.unwrap();
        let body = form(&form_with("recording", Some(&wav(length))));
        let mut text = Self::upload_head(token, body.len())
            .replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")
            .into_bytes();
        text.extend_from_slice(&body);
        let answer = self.say(&text).await;
        let id = &answer.split("\"id\":\"").nth(1).unwrap()[..36];
        format!("/api/v1/recordings/{id}/audio")
    }

    pub fn events(token: &str) -> String {
        format!("GET /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n")
    }
}

pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    tokio::time::timeout(SOON, stream.read_to_end(&mut answer))
        .await
        .expect("closed in time")
        .ok();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until the text has come.
pub async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut answer = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&answer).contains(text) {
            assert!(
                stream.read_buf(&mut answer).await.unwrap() > 0,
                "closed before {text}"
            );
        }
    };
    tokio::time::timeout(SOON, reading)
        .await
        .expect("the text in time");
    String::from_utf8(answer).unwrap()
}
