//! `GET /v1/stream`: the same correction over WebSocket.
//!
//! ```text
//! client  text    {"type": "start", "sample_rate": 48000, "channels": 2, "frames": 96000}
//! client  binary  interleaved f32, little-endian, whole frames; any number of messages
//! client  text    {"type": "end"}
//! service text    {"type": "start", the same numbers, "frames" being what comes}
//! service binary  ...
//! service text    {"type": "end"}, then a close frame
//! ```
//!
//! Instead of any of its messages the service may send `{"type": "error", "status", "title",
//! "detail"}` and close.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::{body::Incoming, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};

use crate::{
    Service,
    faults::{self, Fault, Transport},
    http::{Body, Problem},
    rest::{check, scripted, spool_problem},
    spool::Spool,
    wav::{Encoding, WavFormat},
};

/// A message holds at most so much; senders cut their audio into messages.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Text {
    Start {
        sample_rate: u32,
        channels: u16,
        frames: u64,
    },
    End,
}

/// Why a stream ended before its end.
enum Broken {
    /// The client is told.
    Problem(Problem),
    /// The client is gone, or the script says so.
    Dropped,
}

impl From<Problem> for Broken {
    fn from(problem: Problem) -> Self {
        Broken::Problem(problem)
    }
}

impl From<tokio_tungstenite::tungstenite::Error> for Broken {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        tracing::debug!(%error, "a stream broke");
        Broken::Dropped
    }
}

/// The handshake of RFC 6455, 4.2.
pub(crate) fn upgrade(
    service: Arc<Service>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let headers = request.headers();
    let is = |name, value: &str| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| {
                v.split(',')
                    .any(|part| part.trim().eq_ignore_ascii_case(value))
            })
    };
    let upgrade = is(header::CONNECTION, "upgrade")
        && is(header::UPGRADE, "websocket")
        && is(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|_| upgrade)
        .ok_or_else(|| {
            Problem::new(
                StatusCode::UPGRADE_REQUIRED,
                "this is a WebSocket, version 13",
            )
        })?;
    let accept = derive_accept_key(key.as_bytes());
    let traceparent = faults::traceparent(request.headers());
    let fault = service.faults.next();
    if let Some(Fault::Status {
        status,
        retry_after_s,
    }) = fault
    {
        service.faults.note(faults::Request {
            transport: Transport::Websocket,
            bytes: 0,
            answer: "status".to_owned(),
            traceparent,
        });
        return Err(scripted(status, retry_after_s));
    }

    let upgraded = hyper::upgrade::on(&mut request);
    let streams = service.streams.clone();
    streams.spawn(async move {
        match upgraded.await {
            Ok(io) => run(&service, io, fault, traceparent).await,
            Err(error) => tracing::debug!(%error, "an upgrade failed"),
        }
    });

    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(
        header::SEC_WEBSOCKET_ACCEPT,
        HeaderValue::try_from(accept).expect("base64 is a header value"),
    );
    Ok(response)
}

async fn run(service: &Service, io: Upgraded, fault: Option<Fault>, traceparent: Option<String>) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let mut socket =
        WebSocketStream::from_raw_socket(TokioIo::new(io), Role::Server, Some(config)).await;
    let mut received = 0;
    let ended = tokio::select! {
        ended = converse(service, &mut socket, fault.as_ref(), &mut received) => ended,
        () = service.shutdown.cancelled() => Err(Broken::Dropped),
    };
    let answer = match (&fault, &ended) {
        (Some(fault), _) => fault.name().to_owned(),
        (None, Ok(())) => "corrected".to_owned(),
        (None, Err(Broken::Problem(problem))) => problem.status.to_string(),
        (None, Err(Broken::Dropped)) => "dropped".to_owned(),
    };
    service.faults.note(faults::Request {
        transport: Transport::Websocket,
        bytes: received,
        answer,
        traceparent,
    });
    match ended {
        Ok(()) => {
            let _ = socket.close(None).await;
        }
        Err(Broken::Problem(problem)) => {
            let mut told = serde_json::to_value(&problem).expect("plain values");
            told["type"] = "error".into();
            let _ = socket.send(Message::text(told.to_string())).await;
            let _ = socket.close(None).await;
        }
        Err(Broken::Dropped) => {}
    }
}

async fn converse(
    service: &Service,
    socket: &mut Socket,
    fault: Option<&Fault>,
    received: &mut u64,
) -> Result<(), Broken> {
    let (spool, format) = receive(service, socket, received).await?;
    let mut frames_out = spool.frames();
    match fault {
        Some(Fault::Hang) => std::future::pending::<()>().await,
        Some(Fault::Slow { ms }) => tokio::time::sleep(Duration::from_millis(*ms)).await,
        Some(Fault::WrongLength { frames }) => {
            frames_out = frames_out.saturating_add_signed(*frames)
        }
        _ => {}
    }
    let start = Text::Start {
        sample_rate: format.sample_rate,
        channels: format.channels,
        frames: frames_out,
    };
    if matches!(fault, Some(Fault::Garbage)) {
        socket
            .send(Message::text("\u{1}not what was agreed"))
            .await?;
        return Ok(());
    }
    socket.send(text(&start)).await?;
    let mut corrected = spool.corrected(frames_out).await.map_err(spool_problem)?;
    let mut left = match fault {
        Some(Fault::Cut { after_bytes } | Fault::Stall { after_bytes }) => *after_bytes,
        _ => u64::MAX,
    };
    loop {
        let mut bytes = corrected.read().await.map_err(spool_problem)?;
        if bytes.is_empty() && left == u64::MAX {
            break;
        }
        bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        if left != u64::MAX {
            left -= bytes.len() as u64;
        }
        let empty = bytes.is_empty();
        if !empty {
            socket.send(Message::binary(bytes)).await?;
        }
        if left == 0 || empty {
            socket.flush().await?;
            if matches!(fault, Some(Fault::Stall { .. })) {
                std::future::pending::<()>().await;
            }
            return Err(Broken::Dropped);
        }
    }
    socket.send(text(&Text::End)).await?;
    Ok(())
}

async fn receive(
    service: &Service,
    socket: &mut Socket,
    received: &mut u64,
) -> Result<(Spool, WavFormat), Broken> {
    let limits = &service.limits;
    let refused = |status, detail: String| Broken::Problem(Problem::new(status, detail));
    let Some(Received::Text(Text::Start {
        sample_rate,
        channels,
        frames,
    })) = next(service, socket).await?
    else {
        return Err(refused(
            StatusCode::BAD_REQUEST,
            "the first message must be \"start\"".into(),
        ));
    };
    let format = WavFormat {
        encoding: Encoding::Float32,
        channels,
        sample_rate,
    };
    check(limits, &format)?;
    let mut spool = Spool::open(format, &limits.spool_dir).map_err(spool_problem)?;
    loop {
        match next(service, socket).await? {
            Some(Received::Binary(bytes)) => {
                *received += bytes.len() as u64;
                if *received > limits.body_bytes_max {
                    let limit = limits.body_bytes_max;
                    let detail = format!("the audio has more than {limit} bytes");
                    return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, detail));
                }
                spool.write(&bytes).await.map_err(spool_problem)?;
            }
            Some(Received::Text(Text::End)) => break,
            Some(Received::Text(Text::Start { .. })) => {
                let detail = "\"start\" may come only once".into();
                return Err(refused(StatusCode::BAD_REQUEST, detail));
            }
            None => return Err(Broken::Dropped),
        }
    }
    if spool.ragged() || spool.frames() != frames {
        let detail = format!("{frames} frames were announced, {} arrived", spool.frames());
        return Err(refused(StatusCode::BAD_REQUEST, detail));
    }
    Ok((spool, format))
}

enum Received {
    Text(Text),
    Binary(Bytes),
}

/// The next message that means something; `None` when the client is gone.
async fn next(service: &Service, socket: &mut Socket) -> Result<Option<Received>, Broken> {
    let idle = Duration::from_millis(service.limits.idle_ms);
    loop {
        let message = tokio::time::timeout(idle, socket.next())
            .await
            .map_err(|_| {
                let detail = format!("nothing arrived for {} ms", service.limits.idle_ms);
                Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
            })?;
        match message.transpose()? {
            None | Some(Message::Close(_)) => return Ok(None),
            Some(Message::Binary(bytes)) => return Ok(Some(Received::Binary(bytes))),
            Some(Message::Text(text)) => {
                let text = serde_json::from_str(&text).map_err(|error| {
                    let detail = format!("a text message cannot be read: {error}");
                    Problem::new(StatusCode::BAD_REQUEST, detail)
                })?;
                return Ok(Some(Received::Text(text)));
            }
            Some(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
        }
    }
}

fn text(text: &Text) -> Message {
    Message::text(serde_json::to_string(text).expect("plain values"))
}
