//! The log: to standard error, and no line of it with a secret of the configuration, whichever library
//! wrote it at whatever level.

use std::io::{self, IsTerminal as _, Write};

use retake_secrets::Scrub;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// `RETAKE_LOG` takes what `RUST_LOG` usually does.
pub fn to_stderr(default: &str, secrets: Scrub) {
    let filter = EnvFilter::try_from_env("RETAKE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        // It would say on standard error that standard error cannot be written, and panic.
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_writer(Clean {
            secrets,
            to: io::stderr,
        })
        .init();
}

/// Takes the secrets out of what is written. The subscriber writes an event in one go.
struct Clean<M> {
    secrets: Scrub,
    to: M,
}

struct CleanWriter<'s, W> {
    secrets: &'s Scrub,
    to: W,
}

impl<'s, M: MakeWriter<'s>> MakeWriter<'s> for Clean<M> {
    type Writer = CleanWriter<'s, M::Writer>;

    fn make_writer(&'s self) -> Self::Writer {
        CleanWriter {
            secrets: &self.secrets,
            to: self.to.make_writer(),
        }
    }
}

impl<W: Write> Write for CleanWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.to.write_all(self.secrets.clean(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_some_library_writes_is_kept_without_the_secret_in_it() {
        let url = "amqp://ann:s3cret@mq/%2f?key=k3y-of-ours";
        let kept = Kept::default();
        let to = kept.clone();
        let writer = Clean {
            secrets: Scrub::default().url(&url.into()),
            to: move || to.clone(),
        };
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(writer)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(url, "connecting with {:?} to {url}", "s3cret");
        });
        let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("connecting with \"***\" to ***"), "{log}");
        assert!(!log.contains("s3cret") && !log.contains("k3y"), "{log}");
    }
}
