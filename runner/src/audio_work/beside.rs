//! What the recording's file holds beside the samples: it comes along into the correction.

use std::fs::File;

use retake_audio::{Encoding, Spec, Tags};
use retake_chain::report::Cut;
use retake_findings::Finding;

use super::failed::{audio_failed, ours};
use crate::child::{Failed, Original};

#[derive(Clone)]
pub(super) struct Beside {
    pub tags: Tags,
    /// What cannot be kept.
    pub findings: Vec<Finding>,
}

impl Beside {
    /// Of the recording. Nothing where what is written is not the correction.
    pub fn read(original: Option<&Original>) -> Result<Self, Failed> {
        let Some(original) = original else {
            return Ok(Self {
                tags: Tags::default(),
                findings: Vec::new(),
            });
        };
        let file = File::open(&original.file).map_err(ours("the recording"))?;
        let (tags, findings) = Tags::read(&file).map_err(|error| audio_failed(error, None))?;
        Ok(Self { tags, findings })
    }

    /// Brought in step with what earlier children cut out of the recording, and held against what is
    /// written.
    pub fn fit(mut self, original: Option<&Original>, encoding: &Encoding, spec: Spec) -> Self {
        for cuts in original.iter().flat_map(|original| &original.cuts) {
            cut(&mut self.tags, cuts, spec.sample_rate);
        }
        if original.is_some() {
            self.findings.extend(encoding.cannot_keep(&self.tags, spec));
        }
        self
    }

    /// Without what the last step cut out.
    pub fn without(&self, cuts: &[Cut], sample_rate: u32) -> Tags {
        let mut tags = self.tags.clone();
        cut(&mut tags, cuts, sample_rate);
        tags
    }
}

fn cut(tags: &mut Tags, cuts: &[Cut], sample_rate: u32) {
    let cuts: Vec<_> = cuts.iter().map(|cut| (cut.start, cut.frames)).collect();
    tags.cut(&cuts, sample_rate);
}
