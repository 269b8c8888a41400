//! `POST {url}/v1/correct`: the recording as the request's body, the corrected one as the answer's.

use std::{path::Path, sync::Arc};

use futures_util::TryStreamExt;
use reqwest::{StatusCode, header};
use tokio::{fs::File, io::AsyncWriteExt};
use tokio_util::io::ReaderStream;

use super::{Failed, Inner, Pulse};

const CHUNK_BYTES: usize = 64 * 1024;

pub(super) async fn correct(
    (service, headers): (&Inner, &header::HeaderMap),
    input: &Path,
    output: &Path,
    pulse: &Arc<Pulse>,
) -> Result<(), Failed> {
    let file = File::open(input).await.map_err(Failed::File)?;
    let watched = Arc::clone(pulse);
    let pieces = ReaderStream::with_capacity(file, CHUNK_BYTES).inspect_ok(move |piece| {
        watched.sent(piece.len());
    });
    let body = reqwest::Body::wrap_stream(pieces);
    let mut response = service
        .client
        .post(service.address("/v1/correct"))
        .headers(headers.clone())
        .header(header::CONTENT_TYPE, "audio/wav")
        .header(header::ACCEPT, "audio/wav, application/problem+json")
        // Known, so not chunked; some services insist.
        .header(header::CONTENT_LENGTH, pulse.size_bytes)
        .body(body)
        .send()
        .await
        .map_err(Failed::request)?;
    if response.status() != StatusCode::OK {
        return Err(Failed::status(response).await);
    }

    let limit_bytes = service.answer_bytes_max(pulse.size_bytes);
    let too_long = || Failed::Invalid {
        detail: format!("its answer has more than {limit_bytes} bytes"),
    };
    if response
        .content_length()
        .is_some_and(|bytes| bytes > limit_bytes)
    {
        return Err(too_long());
    }
    let mut file = File::create(output).await.map_err(Failed::File)?;
    let mut received_bytes = 0;
    while let Some(chunk) = response.chunk().await.map_err(Failed::request)? {
        pulse.received(chunk.len());
        received_bytes += chunk.len() as u64;
        if received_bytes > limit_bytes {
            return Err(too_long());
        }
        file.write_all(&chunk).await.map_err(Failed::File)?;
    }
    file.flush().await.map_err(Failed::File)
}
