//! Event streams on HTTP/1.1 without hyper, whose buffers would cost each silent client many times
//! what its stream does. A request is known by its first line, taken whole, and asked of the same
//! [`Front`] as every other; only its answer is written here. What is not plainly such a request is
//! hyper's.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::header;
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use warp::reply::Response;

use crate::{
    config::ms,
    connections::event_requests::Request,
    front::Front,
    live::telling::{Direct, Gone, Listener, Telling},
};

/// A client that says more than this after its request is not one that listens.
const CHATTER_BYTES_MAX: usize = 4096;

/// For a client to take a refusal and close.
const FAREWELL: Duration = Duration::from_secs(2);

/// Answers the request. What it returns is the stream, if it was not refused.
pub async fn answer(
    mut stream: TcpStream,
    mut request: Request,
    peer: SocketAddr,
    front: &Front,
) -> Option<Watching> {
    let direct = Direct::default();
    request.extensions_mut().insert(direct.clone());
    let response = front.answer(request, Some(peer)).await;
    let stall = ms(front.app.config.write_stall_ms);
    if let Some(telling) = direct.take() {
        let head = head(&response, "transfer-encoding: chunked");
        let said = tokio::time::timeout(stall, stream.write_all(&head)).await;
        return matches!(said, Ok(Ok(()))).then_some(Watching { stream, telling });
    }
    say(stream, response, stall).await;
    None
}

/// Writes a whole answer and ends the connection.
pub async fn say(mut stream: TcpStream, response: Response, stall: Duration) {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let body = body.unwrap_or_default();
    let response = Response::from_parts(parts, Bytes::new().into());
    let mut text = head(&response, &format!("content-length: {}", body.len()));
    text.extend_from_slice(&body);
    if let Ok(Ok(())) = tokio::time::timeout(stall, stream.write_all(&text)).await {
        let _ = stream.shutdown().await;
        let mut scrap = [0; 64];
        let rest = async { while stream.read(&mut scrap).await.is_ok_and(|read| read > 0) {} };
        let _ = tokio::time::timeout(FAREWELL, rest).await;
    }
}

/// An answer's status line and headers. The connection ends with the answer.
fn head(response: &Response, length: &str) -> Vec<u8> {
    let mut text = format!(
        "HTTP/1.1 {} {}\r\nconnection: close\r\n{length}\r\ndate: {}\r\n",
        response.status().as_str(),
        response.status().canonical_reason().unwrap_or_default(),
        httpdate::fmt_http_date(std::time::SystemTime::now()),
    )
    .into_bytes();
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONNECTION && name != header::DATE {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// A client who is told events, and all that is kept for it.
pub struct Watching {
    stream: TcpStream,
    telling: Telling,
}

impl Watching {
    /// Tells until the client is gone or we stop.
    pub async fn tell(self) {
        let mut stream = self.stream;
        let mut broken = false;
        let chunks = Chunks {
            stream: &mut stream,
            broken: &mut broken,
        };
        self.telling.run(chunks).await;
        if !broken {
            // The end of the chunks, for a client that is still there.
            let _ = stream.try_write(b"0\r\n\r\n");
            let _ = stream.shutdown().await;
        }
    }
}

/// Writes RFC 9112 7.1's chunks.
struct Chunks<'s> {
    stream: &'s mut TcpStream,
    /// A chunk was not written to its end, so nothing can follow it.
    broken: &'s mut bool,
}

impl Listener for Chunks<'_> {
    async fn hear(&mut self, chunk: Bytes) -> Result<(), Gone> {
        if std::mem::replace(self.broken, true) {
            return Err(Gone);
        }
        let mut text = format!("{:x}\r\n", chunk.len()).into_bytes();
        text.extend_from_slice(&chunk);
        text.extend_from_slice(b"\r\n");
        self.stream.write_all(&text).await.map_err(|_| Gone)?;
        *self.broken = false;
        Ok(())
    }

    async fn gone(&mut self) {
        let mut chatter = 0;
        while self.stream.readable().await.is_ok() && chatter < CHATTER_BYTES_MAX {
            let mut scrap = [0; 64];
            match self.stream.try_read(&mut scrap) {
                Ok(0) => return,
                Ok(read) => chatter += read,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}
