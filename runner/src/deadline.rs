//! When a chain has taken too long. It is known exactly only once the recording's length is.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::limits::Limits;

/// Before the length is known, a recording is taken to have at most a second per so many bytes
/// (16 kbit/s), so that nobody waits four hours for the decoder of a small file.
const BYTES_PER_SECOND_MIN: u64 = 2_000;

pub(crate) struct Deadline {
    started: Instant,
    base: Duration,
    per_audio_s: Duration,
    audio_max: Duration,
    /// The longest that was told; before anything was, by the file's size.
    audio: Mutex<Audio>,
}

#[derive(Clone, Copy)]
enum Audio {
    Guessed(Duration),
    Told(Duration),
}

/// How long a chain may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadlineTerms {
    pub base_ms: u64,
    /// More for each second of audio.
    pub per_audio_s_ms: u64,
}

impl Deadline {
    /// From now on, for the recording in `input`.
    pub fn new(terms: DeadlineTerms, limits: &Limits, input: &Path) -> Self {
        let bytes = std::fs::metadata(input).map_or(0, |file| file.len());
        let guessed = Duration::from_secs(bytes / BYTES_PER_SECOND_MIN);
        Self {
            started: Instant::now(),
            base: Duration::from_millis(terms.base_ms),
            per_audio_s: Duration::from_millis(terms.per_audio_s_ms),
            audio_max: Duration::from_millis(limits.duration_ms_max),
            audio: Mutex::new(Audio::Guessed(guessed)),
        }
    }

    /// The recording's length became known. What a child says is believed up to the limit. A step
    /// that shortens takes nothing from the time that the others have.
    pub fn set_audio(&self, audio: Duration) {
        let mut known = self.audio.lock().unwrap_or_else(PoisonError::into_inner);
        *known = match *known {
            Audio::Guessed(_) => Audio::Told(audio),
            Audio::Told(before) => Audio::Told(before.max(audio)),
        };
    }

    pub fn allowed(&self) -> Duration {
        let known = *self.audio.lock().unwrap_or_else(PoisonError::into_inner);
        let (Audio::Guessed(audio) | Audio::Told(audio)) = known;
        let audio_s = audio.min(self.audio_max).as_secs_f64();
        self.base + self.per_audio_s.mul_f64(audio_s)
    }

    /// Returns once it has passed.
    pub async fn passed(&self) {
        /// It may come nearer while we wait.
        const LOOK_AGAIN: Duration = Duration::from_millis(200);
        loop {
            let elapsed = self.started.elapsed();
            let allowed = self.allowed();
            if elapsed >= allowed {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN.min(allowed - elapsed)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_grows_with_the_audio_up_to_the_limit() {
        let terms = DeadlineTerms {
            base_ms: 1_000,
            per_audio_s_ms: 100,
        };
        let limits = Limits {
            duration_ms_max: 60_000,
            ..Limits::default()
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), vec![0; 20_000]).unwrap();
        let deadline = Deadline::new(terms, &limits, file.path());
        assert_eq!(
            deadline.allowed(),
            Duration::from_secs(2),
            "ten seconds by its size"
        );
        deadline.set_audio(Duration::from_secs(30));
        assert_eq!(deadline.allowed(), Duration::from_secs(4));
        deadline.set_audio(Duration::from_secs(20));
        assert_eq!(
            deadline.allowed(),
            Duration::from_secs(4),
            "it was shortened on the way"
        );
        deadline.set_audio(Duration::from_secs(1_000_000));
        assert_eq!(deadline.allowed(), Duration::from_secs(7));
    }
}
