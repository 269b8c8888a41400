//! `GET {url}/v1/stream`: the same exchange over a WebSocket, as interleaved `f32` frames.
//!
//! The handshake goes through reqwest, so that addresses, TLS, tokens and refusals work as over
//! REST; tungstenite speaks the protocol from there on. Both directions run at once: a service may
//! answer while it is still being told.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use reqwest::{StatusCode, header};
use serde::{Deserialize, Serialize};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use super::{Failed, Inner, Pulse};
use crate::handover::{self, Header, SAMPLE_BYTES};

/// Audio goes out in messages of about this size, cut at whole frames.
const MESSAGE_BYTES: usize = 64 * 1024;
/// A service's messages are at most so long.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// A service that closes while we send usually says why; so long we listen.
const LAST_WORDS: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Text {
    Start {
        sample_rate: u32,
        channels: u32,
        frames: u64,
    },
    End,
    Error {
        status: u16,
        detail: Option<String>,
        title: Option<String>,
    },
}

pub(super) async fn correct(
    (service, headers): (&Inner, &header::HeaderMap),
    input: &Path,
    output: &Path,
    pulse: &Arc<Pulse>,
) -> Result<(), Failed> {
    let (header, audio) = open(input).await?;
    let upgraded = shake_hands(service, headers).await?;
    let config = WebSocketConfig::default()
        .write_buffer_size(MESSAGE_BYTES)
        .max_write_buffer_size(4 * MESSAGE_BYTES)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let socket = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await;
    let (sink, stream) = socket.split();

    let limit_bytes = service.answer_bytes_max(pulse.size_bytes);
    let mut send = std::pin::pin!(send(sink, header, audio, pulse));
    let mut receive = std::pin::pin!(receive(stream, header, output, limit_bytes, pulse));
    tokio::select! {
        biased;
        received = &mut receive => match received {
            // It cannot have heard everything.
            Ok(()) => Err(Failed::Invalid {
                detail: "it ended its answer before the recording was sent".to_owned(),
            }),
            Err(failed) => Err(failed),
        },
        sent = &mut send => match sent {
            Ok(()) => receive.await,
            Err(failed) => match tokio::time::timeout(LAST_WORDS, receive).await {
                Ok(Err(explained)) => Err(explained),
                _ => Err(failed),
            },
        },
    }
}

async fn open(input: &Path) -> Result<(Header, BufReader<File>), Failed> {
    let path = input.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::open(path)?;
        let header = handover::read_header(&mut file)?;
        Ok((header, file))
    });
    let (header, file) = opened
        .await
        .expect("reading a header does not panic")
        .map_err(Failed::File)?;
    Ok((
        header,
        BufReader::with_capacity(MESSAGE_BYTES, File::from_std(file)),
    ))
}

/// RFC 6455, 4.1.
async fn shake_hands(
    service: &Inner,
    headers: &header::HeaderMap,
) -> Result<reqwest::Upgraded, Failed> {
    let key = generate_key();
    let response = service
        .client
        .get(service.address("/v1/stream"))
        .headers(headers.clone())
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key)
        .send()
        .await
        .map_err(Failed::request)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Failed::status(response).await);
    }
    let accept = response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
    if accept.is_none_or(|value| value.as_bytes() != derive_accept_key(key.as_bytes()).as_bytes()) {
        let detail = "its Sec-WebSocket-Accept does not fit the key that was sent".to_owned();
        return Err(Failed::Invalid { detail });
    }
    response.upgrade().await.map_err(Failed::request)
}

async fn send(
    mut sink: impl Sink<Message, Error = tungstenite::Error> + Unpin,
    Header { spec, frames }: Header,
    mut audio: BufReader<File>,
    pulse: &Pulse,
) -> Result<(), Failed> {
    let broken = |error: tungstenite::Error| Failed::stream(&error);
    let start = Text::Start {
        sample_rate: spec.sample_rate,
        channels: spec.channels,
        frames,
    };
    sink.send(text(&start)).await.map_err(broken)?;
    let frame_bytes = spec.channels as usize * SAMPLE_BYTES;
    let per_message = (MESSAGE_BYTES / frame_bytes).max(1) as u64;
    let mut left = frames;
    while left > 0 {
        let frames = left.min(per_message);
        left -= frames;
        let mut bytes = vec![0; frames as usize * frame_bytes];
        audio.read_exact(&mut bytes).await.map_err(Failed::File)?;
        let sent_bytes = bytes.len();
        // `send` flushes, and so waits for a service that reads slowly.
        sink.send(Message::binary(bytes)).await.map_err(broken)?;
        pulse.sent(sent_bytes);
    }
    sink.send(text(&Text::End)).await.map_err(broken)?;
    pulse.all_sent();
    // The reading half answers pings and the close; the sink must not close on its drop.
    Ok(())
}

async fn receive(
    mut stream: impl Stream<Item = Result<Message, tungstenite::Error>> + Unpin,
    sent: Header,
    output: &Path,
    limit_bytes: u64,
    pulse: &Pulse,
) -> Result<(), Failed> {
    let invalid = |detail: String| Failed::Invalid { detail };
    let announced = match next(&mut stream).await? {
        Received::Text(Text::Start {
            sample_rate,
            channels,
            frames,
        }) => Header {
            spec: retake_audio::Spec::new(sample_rate, channels),
            frames,
        },
        Received::Text(Text::End) | Received::Binary(_) => {
            return Err(invalid("its first message is not \"start\"".to_owned()));
        }
        Received::Text(Text::Error {
            status,
            detail,
            title,
        }) => {
            return Err(told(status, detail.or(title)));
        }
    };
    if announced != sent {
        return Err(invalid(format!(
            "it answers with {}, {} frames; it was sent {}, {} frames",
            announced.spec, announced.frames, sent.spec, sent.frames
        )));
    }
    let head = handover::header(sent.spec, sent.frames);
    let frame_bytes = u64::from(sent.spec.channels) * SAMPLE_BYTES as u64;
    let mut left_bytes = sent.frames * frame_bytes;
    if head.len() as u64 + left_bytes > limit_bytes {
        return Err(invalid(format!(
            "its answer has more than {limit_bytes} bytes"
        )));
    }
    let mut file = File::create(output).await.map_err(Failed::File)?;
    file.write_all(&head).await.map_err(Failed::File)?;
    loop {
        match next(&mut stream).await? {
            Received::Binary(bytes) => {
                pulse.received(bytes.len());
                left_bytes = left_bytes.checked_sub(bytes.len() as u64).ok_or_else(|| {
                    invalid(format!(
                        "it sent more than the {} frames it announced",
                        sent.frames
                    ))
                })?;
                file.write_all(&bytes).await.map_err(Failed::File)?;
            }
            Received::Text(Text::End) if left_bytes == 0 => break,
            Received::Text(Text::End) => {
                let got = sent.frames - left_bytes.div_ceil(frame_bytes);
                return Err(invalid(format!(
                    "it announced {} frames and sent {got}",
                    sent.frames
                )));
            }
            Received::Text(Text::Error {
                status,
                detail,
                title,
            }) => {
                return Err(told(status, detail.or(title)));
            }
            Received::Text(Text::Start { .. }) => {
                return Err(invalid("it sent \"start\" twice".to_owned()));
            }
        }
    }
    file.flush().await.map_err(Failed::File)
}

enum Received {
    Text(Text),
    Binary(Bytes),
}

/// The next message that means something. A connection that ends before the answer does is passing
/// trouble.
async fn next(
    stream: &mut (impl Stream<Item = Result<Message, tungstenite::Error>> + Unpin),
) -> Result<Received, Failed> {
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error @ tungstenite::Error::Capacity(_))) => {
                return Err(Failed::Invalid {
                    detail: format!("a message of its: {error}"),
                });
            }
            Some(Err(error)) => return Err(Failed::stream(&error)),
            None => {
                return Err(Failed::passing(
                    "it closed the stream before its answer's end",
                ));
            }
        };
        match message {
            Message::Binary(bytes) => return Ok(Received::Binary(bytes)),
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(text) => return Ok(Received::Text(text)),
                Err(error) => {
                    let detail = format!("a text message of its cannot be read: {error}");
                    return Err(Failed::Invalid { detail });
                }
            },
            Message::Close(_) => {
                return Err(Failed::passing(
                    "it closed the stream before its answer's end",
                ));
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

/// An error that came as a message instead of a status.
fn told(status: u16, words: Option<String>) -> Failed {
    let detail = words.unwrap_or_else(|| "no reason given".to_owned());
    match StatusCode::from_u16(status) {
        Ok(code) if super::retry::is_passing(code) => {
            Failed::passing(format!("it answered {code}: {detail}"))
        }
        _ => Failed::Refused { status, detail },
    }
}

fn text(text: &Text) -> Message {
    Message::text(serde_json::to_string(text).expect("plain values"))
}
