//! Somebody else's server, which hears webhooks and has recordings to fetch. On the address of this machine that
//! stands for the world.

use std::sync::{Arc, Mutex};

use http::HeaderMap;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[derive(Debug, Clone)]
pub struct Heard {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Receiver {
    /// Gives these answers in turn, the last for good: what stands between the HTTP version and the body's end.
    pub async fn answering(answers: &[impl AsRef<[u8]>]) -> Self {
        let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers: Vec<Vec<u8>> = answers.iter().map(|it| it.as_ref().to_vec()).collect();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let noted = heard.clone();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let (answers, noted) = (answers.clone(), noted.clone());
                tokio::spawn(async move {
                    let heard = read(&mut client).await;
                    let answer = {
                        let mut noted = noted.lock().unwrap();
                        noted.push(heard);
                        answers[(noted.len() - 1).min(answers.len() - 1)].clone()
                    };
                    let _ = client.write_all(b"HTTP/1.1 ").await;
                    let _ = client.write_all(&answer).await;
                });
            }
        });
        Self { url, heard }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until so many have come.
    pub async fn hears(&self, count: usize) -> Vec<Heard> {
        for _ in 0..2_000 {
            if self.heard().len() >= count {
                return self.heard();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("{} of {count} came", self.heard().len());
    }
}

/// An answer without a body.
pub fn status(code: u16) -> String {
    format!("{code} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

async fn read(client: &mut TcpStream) -> Heard {
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    loop {
        let count = client.read(&mut piece).await.unwrap_or(0);
        bytes.extend_from_slice(&piece[..count]);
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
        let Some(end) = end else {
            assert!(count > 0, "a whole head");
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            let name: http::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        let length = headers.get("content-length");
        let length = length.map_or(0, |it| it.to_str().unwrap().parse().unwrap());
        let mut body = bytes[end + 4..].to_vec();
        while body.len() < length {
            let count = client.read(&mut piece).await.unwrap();
            assert!(count > 0, "a whole body");
            body.extend_from_slice(&piece[..count]);
        }
        return Heard {
            path,
            headers,
            body,
        };
    }
}
