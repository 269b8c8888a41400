//! What a manifest's extras say of channels that are equal.

use crate::{ChannelUse, Manifest};

/// The key of an extra: what becomes of channels that are the same, sample by sample.
pub const EXTRA_EQUAL_CHANNELS: &str = "equal-channels";
/// Its only value: what comes out of a session hangs on the samples and the settings alone, not on the seed or
/// the speaker, so that one session may stand for all channels that are equal from beginning to end.
pub const ONCE: &str = "once";

impl Manifest {
    /// Whether one session may stand for channels that are equal.
    pub fn runs_equal_channels_once(&self) -> bool {
        self.equal_channels_extras().any(|value| value == ONCE)
    }

    fn equal_channels_extras(&self) -> impl Iterator<Item = &str> {
        let extras = self.extras.iter();
        let extras = extras.filter(|(key, _)| key == EXTRA_EQUAL_CHANNELS);
        extras.map(|(_, value)| value.as_str())
    }
}

/// What is wrong with the promise, if there is one.
pub(crate) fn broken(manifest: &Manifest) -> Option<String> {
    if let Some(value) = manifest
        .equal_channels_extras()
        .find(|value| *value != ONCE)
    {
        return Some(format!(
            "\"{EXTRA_EQUAL_CHANNELS}\" is \"{value}\"; it must be \"{ONCE}\", or be left out"
        ));
    }
    (manifest.runs_equal_channels_once() && manifest.channels == ChannelUse::Linked).then(|| {
        format!("\"{EXTRA_EQUAL_CHANNELS}\" with linked channels; they must be independent")
    })
}
