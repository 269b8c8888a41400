//! What a manifest's extras say of the output's length.

use crate::{ChannelUse, Manifest};

/// The key of an extra: how long the output is. Without it, as long as the input.
pub const EXTRA_LENGTH: &str = "length";
/// Its only value: the output may be shorter, and the report says where (a measurement with the id
/// [`CUT`] for each cut).
pub const MAY_SHORTEN: &str = "may-shorten";
/// The id of a measurement that stands for one cut: its span is what was taken out of the input.
pub const CUT: &str = "cut";

impl Manifest {
    /// Whether its output may be shorter than its input.
    pub fn may_shorten(&self) -> bool {
        self.length_extras().any(|value| value == MAY_SHORTEN)
    }

    fn length_extras(&self) -> impl Iterator<Item = &str> {
        let extras = self.extras.iter().filter(|(key, _)| key == EXTRA_LENGTH);
        extras.map(|(_, value)| value.as_str())
    }
}

/// What is wrong with the promise, if there is one.
pub(crate) fn broken(manifest: &Manifest) -> Option<String> {
    if let Some(value) = manifest.length_extras().find(|&value| value != MAY_SHORTEN) {
        return Some(format!(
            "\"{EXTRA_LENGTH}\" is \"{value}\"; it must be \"{MAY_SHORTEN}\", or be left out"
        ));
    }
    if !manifest.may_shorten() {
        return None;
    }
    if !manifest.passes.process {
        return Some(format!("\"{MAY_SHORTEN}\" without the pass process"));
    }
    // Each channel would be cut in places of its own.
    (manifest.channels != ChannelUse::Linked)
        .then(|| format!("\"{MAY_SHORTEN}\" with independent channels; they must be linked"))
}
