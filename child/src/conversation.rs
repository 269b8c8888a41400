//! What a child says: lines of JSON on its standard output, words for the log on its standard error.
//! It is believed no more than the recording or the plugin it looks at: neither is read beyond a limit.
//!
//! Each reader is there twice, for parents that wait in a task and for those that have a thread.

use std::io::{self, BufRead, Read};

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt};

/// The next line. `None`: there is none, and what is left of one that a dying child began means
/// nothing. `Err`: no child of ours says that.
pub async fn line<T: DeserializeOwned>(
    said: &mut (impl AsyncBufRead + Unpin),
    bytes_max: usize,
) -> Option<Result<T, String>> {
    let mut line = Vec::new();
    let mut said = said.take(bytes_max as u64 + 1);
    // What was read before an error is a line that was not ended.
    let _ = said.read_until(b'\n', &mut line).await;
    judged(&line, bytes_max)
}

/// As [`line()`].
pub fn line_blocking<T: DeserializeOwned>(
    said: &mut impl BufRead,
    bytes_max: usize,
) -> Option<Result<T, String>> {
    let mut line = Vec::new();
    let _ = said.take(bytes_max as u64 + 1).read_until(b'\n', &mut line);
    judged(&line, bytes_max)
}

fn judged<T: DeserializeOwned>(line: &[u8], bytes_max: usize) -> Option<Result<T, String>> {
    if line.ends_with(b"\n") {
        let parsed = serde_json::from_slice(line);
        let unreadable = |error| format!("it wrote a line that cannot be read: {error}");
        return Some(parsed.map_err(unreadable));
    }
    let too_long = || Err(format!("it wrote a line of more than {bytes_max} bytes"));
    (line.len() > bytes_max).then(too_long)
}

/// The first `bytes_kept` of all that a child says to its end.
pub async fn words(said: impl AsyncRead + Unpin, bytes_kept: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut said = said.take(bytes_kept);
    let _ = said.read_to_end(&mut kept).await;
    // A child that says more must not be held up.
    let _ = tokio::io::copy(&mut said.into_inner(), &mut tokio::io::sink()).await;
    kept
}

/// As [`words`].
pub fn words_blocking(said: impl Read, bytes_kept: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut said = said.take(bytes_kept);
    let _ = said.read_to_end(&mut kept);
    let _ = io::copy(&mut said.into_inner(), &mut io::sink());
    kept
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    type Line = Option<Result<u32, String>>;

    async fn both(said: &str, bytes_max: usize) -> Vec<Line> {
        let (mut task, mut thread) = (said.as_bytes(), said.as_bytes());
        let mut lines = Vec::new();
        loop {
            let next: Line = line(&mut task, bytes_max).await;
            assert_eq!(next, line_blocking(&mut thread, bytes_max));
            let more = matches!(next, Some(Ok(_)));
            lines.push(next);
            if !more {
                return lines;
            }
        }
    }

    #[tokio::test]
    async fn a_line_that_was_not_ended_means_nothing() {
        let heard = [Some(Ok(1)), Some(Ok(23)), None];
        assert_eq!(both("1\n23\n", 4).await, heard);
        assert_eq!(both("1\n23\n45", 4).await, heard);
    }

    #[tokio::test]
    async fn a_line_is_as_long_as_it_may_be_and_no_longer() {
        assert_eq!(both("1234\n", 4).await, [Some(Ok(1234)), None]);
        for too_long in ["12345\n", "123456789"] {
            let [Some(Err(why))] = &both(too_long, 4).await[..] else {
                panic!("{too_long} was heard");
            };
            assert_eq!(why, "it wrote a line of more than 4 bytes");
        }
    }

    #[tokio::test]
    async fn what_does_not_parse_is_said_to_be_so() {
        let heard = &both("1\nnonsense\n2\n", 100).await;
        assert!(
            matches!(&heard[..], [Some(Ok(1)), Some(Err(why))] if why.contains("cannot be read"))
        );
    }

    #[tokio::test]
    async fn words_beyond_the_limit_are_read_and_dropped() {
        let said = [b'x'; 100_000];
        assert_eq!(words(&said[..], 10).await, [b'x'; 10]);
        let mut rest = &said[..];
        assert_eq!(words_blocking(&mut rest, 10), [b'x'; 10]);
        assert!(rest.is_empty());
    }
}
