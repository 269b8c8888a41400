//! Answers whose bytes are made while they are read.

use std::{
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use warp::{Reply, reply::Response};

/// Put on an answer that ends only with its client.
#[derive(Debug, Clone, Copy)]
pub struct Endless;

/// An answer whose body is a stream.
pub fn streamed<E>(chunks: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Response
where
    E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
{
    // Fused: whoever polls a body once more after its end must not meet a panic.
    warp::reply::stream(Exclusive(Mutex::new(Box::pin(chunks.fuse())))).into_response()
}

/// Makes a stream `Sync`, which warp asks for: only `&mut` ever reaches inside, so the mutex is
/// never locked.
struct Exclusive<S>(Mutex<Pin<Box<S>>>);

impl<S: Stream> Stream for Exclusive<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.0
            .get_mut()
            .expect("never locked, so never poisoned")
            .as_mut()
            .poll_next(context)
    }
}
