//! The chain that is recommended.

use crate::content::Content;

/// What becomes of music while somebody speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnderVoice {
    #[default]
    Remove,
    Duck,
    Keep,
}

/// Plugins with their parameters, in the order in which they must run.
#[derive(Default)]
pub struct Steps(Vec<(&'static str, Vec<(&'static str, String)>)>);

/// These mend what has been spoilt, in music as well; all others leave music as it is.
const MENDS: [&str; 3] = ["declip", "declick", "loudness"];
/// As much of music under a voice stays where it is to be lower: -12 dB.
const DUCKED: &str = "0.25";

impl Steps {
    pub fn push(&mut self, plugin: &'static str, params: &[(&'static str, String)]) {
        self.0.push((plugin, params.to_vec()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// As JSON. A step that fails is better left out than the recording uncorrected.
    pub fn json(&self, content: Option<&Content>, under_voice: UnderVoice) -> String {
        let steps = self.0.iter().map(|(plugin, params)| {
            let params = params.iter().map(|(id, value)| format!("\"{id}\":{value}"));
            let params: Vec<_> = params.collect();
            let params = match params.is_empty() {
                true => String::new(),
                false => format!(",\"params\":{{{}}}", params.join(",")),
            };
            let spare = match content {
                Some(content) if !MENDS.contains(plugin) => spare(content, under_voice),
                _ => String::new(),
            };
            format!("{{\"plugin\":\"{plugin}\"{params}{spare},\"on_failure\":\"skip\"}}")
        });
        let steps: Vec<_> = steps.collect();
        format!("{{\"steps\":[{}]}}", steps.join(","))
    }
}

fn spare(content: &Content, under_voice: UnderVoice) -> String {
    let under = match under_voice {
        _ if !content.speaks_over_music() => None,
        UnderVoice::Remove => None,
        UnderVoice::Duck => Some(DUCKED),
        UnderVoice::Keep => Some("1"),
    };
    let music = content.has_music().then_some("1");
    let parts = [("music", music), ("speech-over-music", under)].into_iter();
    let parts = parts.filter_map(|(id, part)| Some(format!("\"{id}\":{}", part?)));
    let parts: Vec<_> = parts.collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!(",\"spare\":{{{}}}", parts.join(",")),
    }
}
