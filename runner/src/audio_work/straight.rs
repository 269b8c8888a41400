//! A run without steps, such as the one in front of an external service: the recording goes from the
//! decoder straight into the encoder, and is never spilled.

use std::fs::File;

use retake_audio::{Spec, convert, create_file};
use retake_chain::format::Format;

use super::{
    beside::Beside,
    failed::{audio_failed, ours},
    formats::correction_format,
    looks::write_peaks,
    of_reading, source_of, tell,
};
use crate::child::{Done, Failed, Harmless, Length, Line, Output, Request, Teller};

/// Whether nothing stands between reading and writing, and the length does not have to be known before. An
/// M4A wants to: else some players play a little more than the recording.
pub(super) fn is_straight(request: &Request) -> bool {
    let rendition = request.deltas_as.rendition;
    let is_m4a = rendition.is_none_or(|wanted| wanted.format == Format::M4a);
    let is_for_us = matches!(request.output_as, Output::Handover);
    let is_to_be_read = request.expect.is_none() && request.kept.is_none();
    request.steps.is_empty() && is_to_be_read && (is_for_us || !is_m4a)
}

pub(super) fn straight(request: &Request, teller: &Teller) -> Result<Done, Failed> {
    let input = File::open(&request.input).map_err(ours("the input"))?;
    let out = create_file(&request.output).map_err(ours("the output"))?;
    let original = request.original.as_ref();
    let beside = Beside::read(original)?;
    let mut format = None;
    let mut of_writing = Vec::new();
    let mut wanted = |source: &_, spec: Spec| {
        let chosen = correction_format(request.deltas_as, &source_of(source), spec.channels);
        format = Some(chosen.format);
        let (written, replaced) = chosen.written(request.output_as);
        let beside = beside.clone().fit(original, &written, spec);
        of_writing = replaced.into_iter().chain(beside.findings).collect();
        (written, beside.tags)
    };
    let read = convert(
        input,
        &request.limits.audio(),
        request.track,
        &mut wanted,
        out,
        &mut |fraction| teller.tell(fraction, None),
    );
    let read = read.map_err(|error| audio_failed(error, None))?;
    teller
        .say(&Line::Read(Length {
            sample_rate: read.spec.sample_rate,
            channels: read.spec.channels,
            frames: read.frames,
        }))
        .map_err(ours("the parent"))?;
    for to in [&request.input_peaks, &request.output_peaks] {
        write_peaks(&read.measured, to.as_deref())?;
    }
    let mut findings = of_reading(request, &read.findings, &read.measured);
    findings.append(&mut of_writing);
    tell(teller, &findings)?;
    Ok(Done {
        source: source_of(&read.source),
        tracks: read.tracks,
        input: read.measured.clone(),
        output: read.measured,
        // Where nothing was written, the reading has failed.
        format: format.unwrap_or_default(),
        steps: Vec::new(),
        kept: None,
        answer: Harmless::default(),
        findings,
    })
}
