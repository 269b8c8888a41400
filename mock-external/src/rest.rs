//! `POST /v1/correct`: a WAV in, the corrected WAV out, both streamed.

use std::{io, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio_util::sync::CancellationToken;

use crate::{
    Limits, Service,
    faults::{self, Fault, Transport},
    http::{Body, Problem},
    spool::{Corrected, Spool, SpoolError},
    wav::{self, HeaderParser, WavFormat},
};

pub(crate) async fn correct(
    service: &Service,
    request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let fault = service.faults.next();
    let mut received = 0;
    let traceparent = faults::traceparent(request.headers());
    let result = answer(service, request, fault.as_ref(), &mut received).await;
    service.faults.note(faults::Request {
        transport: Transport::Rest,
        bytes: received,
        answer: match (&result, &fault) {
            (_, Some(fault)) => fault.name().to_owned(),
            (Ok(_), None) => "corrected".to_owned(),
            (Err(problem), None) => format!("{}", problem.status),
        },
        traceparent,
    });
    result
}

async fn answer(
    service: &Service,
    request: Request<Incoming>,
    fault: Option<&Fault>,
    received: &mut u64,
) -> Result<Response<Body>, Problem> {
    let (spool, format) = receive(&service.limits, request, received).await?;
    let mut frames_out = spool.frames();
    match fault {
        Some(Fault::Status {
            status,
            retry_after_s,
        }) => return Err(scripted(*status, *retry_after_s)),
        Some(Fault::Hang) => {
            // The connection's end drops this future; the service's end must do so too.
            service.shutdown.cancelled().await;
            return Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the service is going down",
            ));
        }
        Some(Fault::Slow { ms }) => tokio::time::sleep(Duration::from_millis(*ms)).await,
        Some(Fault::WrongLength { frames }) => {
            frames_out = frames_out.saturating_add_signed(*frames)
        }
        _ => {}
    }
    let head = wav::header(&format, frames_out);
    let length = head.len() as u64 + frames_out * format.frame_bytes() as u64;
    let corrected = spool.corrected(frames_out).await.map_err(spool_problem)?;
    let mut answer = Answer {
        head: Some(head.into()),
        corrected,
        left: u64::MAX,
        then: End::Complete,
        shutdown: service.shutdown.clone(),
        garbage: false,
    };
    match fault {
        Some(Fault::Cut { after_bytes }) => (answer.left, answer.then) = (*after_bytes, End::Cut),
        Some(Fault::Stall { after_bytes }) => {
            (answer.left, answer.then) = (*after_bytes, End::Stall)
        }
        Some(Fault::Garbage) => answer.garbage = true,
        _ => {}
    }
    let pieces = stream::try_unfold(answer, Answer::next);
    let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(pieces)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    Ok(response)
}

pub(crate) fn scripted(status: u16, retry_after_s: Option<u64>) -> Problem {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut problem = Problem::new(status, "the script of faults says so");
    problem.retry_after_s = retry_after_s;
    problem
}

pub(crate) fn spool_problem(error: SpoolError) -> Problem {
    let status = match error {
        SpoolError::File(_) => StatusCode::INSUFFICIENT_STORAGE,
        SpoolError::NotFinite { .. } => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Problem::new(status, error.to_string())
}

/// Reads the whole body into a spool.
async fn receive(
    limits: &Limits,
    request: Request<Incoming>,
    received: &mut u64,
) -> Result<(Spool, WavFormat), Problem> {
    let too_large = || {
        let limit = limits.body_bytes_max;
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body has more than {limit} bytes"),
        )
    };
    let not_wav =
        |error: wav::WavError| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string());
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > limits.body_bytes_max) {
        return Err(too_large());
    }
    let mut body = request.into_body();
    let mut parser = Some(HeaderParser::default());
    let mut open: Option<(Spool, WavFormat, u64)> = None;
    while let Some(bytes) = next_bytes(&mut body, limits).await? {
        *received += bytes.len() as u64;
        if *received > limits.body_bytes_max {
            return Err(too_large());
        }
        if let Some((spool, _, left)) = &mut open {
            take(spool, left, &bytes).await?;
            continue;
        }
        let header = parser
            .get_or_insert_default()
            .push(&bytes)
            .map_err(not_wav)?;
        if let Some(header) = header {
            check(limits, &header.format)?;
            let mut spool = Spool::open(header.format, &limits.spool_dir).map_err(spool_problem)?;
            let mut left = header.data_bytes.unwrap_or(u64::MAX);
            take(&mut spool, &mut left, &header.rest).await?;
            open = Some((spool, header.format, left));
        }
    }
    let Some((spool, format, left)) = open else {
        return Err(not_wav(parser.unwrap_or_default().end()));
    };
    let unknown = left > u64::MAX / 2;
    if spool.ragged() || (left > 0 && !unknown) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("the audio ends early, after {} frames", spool.frames()),
        ));
    }
    Ok((spool, format))
}

/// What is beyond the data chunk is another chunk, and not audio.
async fn take(spool: &mut Spool, left: &mut u64, bytes: &[u8]) -> Result<(), Problem> {
    let audio = bytes
        .len()
        .min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= audio as u64;
    spool.write(&bytes[..audio]).await.map_err(spool_problem)
}

async fn next_bytes(body: &mut Incoming, limits: &Limits) -> Result<Option<Bytes>, Problem> {
    loop {
        let frame = tokio::time::timeout(Duration::from_millis(limits.idle_ms), body.frame())
            .await
            .map_err(|_| {
                let detail = format!("nothing arrived for {} ms", limits.idle_ms);
                Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
            })?;
        match frame.transpose().map_err(|error| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                format!("the body broke off: {error}"),
            )
        })? {
            None => return Ok(None),
            Some(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

pub(crate) fn check(limits: &Limits, format: &WavFormat) -> Result<(), Problem> {
    let refused = |detail| Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    let rates = limits.sample_rate_min_hz..=limits.sample_rate_max_hz;
    if !rates.contains(&format.sample_rate) {
        return refused(format!(
            "sample_rate is {}; it must be from {} to {} Hz",
            format.sample_rate, limits.sample_rate_min_hz, limits.sample_rate_max_hz
        ));
    }
    if !(1..=limits.channels_max).contains(&format.channels) {
        return refused(format!(
            "channels is {}; it must be from 1 to {}",
            format.channels, limits.channels_max
        ));
    }
    Ok(())
}

/// The answer's body, piece by piece, and how it goes wrong.
struct Answer {
    head: Option<Bytes>,
    corrected: Corrected,
    /// Bytes until `then`.
    left: u64,
    then: End,
    shutdown: CancellationToken,
    garbage: bool,
}

#[derive(Clone, Copy)]
enum End {
    Complete,
    Cut,
    Stall,
}

impl Answer {
    async fn next(mut self) -> io::Result<Option<(Frame<Bytes>, Self)>> {
        if self.left == 0 {
            match self.then {
                End::Complete => {}
                // hyper drops the connection when a body fails, with all that it has not yet written;
                // it writes when it has to wait.
                End::Cut => {
                    tokio::task::yield_now().await;
                    return Err(io::Error::other("cut, as the script says"));
                }
                End::Stall => {
                    self.shutdown.cancelled().await;
                    return Err(io::Error::other("the service is going down"));
                }
            }
        }
        let mut bytes = match self.head.take() {
            Some(head) => head,
            None => self
                .corrected
                .read()
                .await
                .map_err(io::Error::other)?
                .into(),
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        if self.garbage {
            bytes = bytes.iter().map(|byte| byte ^ 0x5a).collect();
        }
        bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= bytes.len() as u64;
        Ok(Some((Frame::data(bytes), self)))
    }
}
