//! The work itself, inside the child: decodes while measuring, runs the steps, encodes.
//!
//! It takes a request and answers what came of it. How the two come and go is `child`'s matter.

mod beside;
mod blend;
mod delta;
mod failed;
mod formats;
mod guard;
mod looks;
mod outcome;
mod stages;
mod straight;
mod watch;

use std::{fs::File, process::ExitCode};

use retake_audio::{
    Decoded, Measured, SourceInfo, create_file, decode, decode_and_keep, look_on, run,
};
use retake_findings::Finding;

use crate::{
    budget::Budgets,
    child::{
        Done, Expect, Failed, Harmless, Length, Line, Origin, Output, Request, Source, Teller,
        serve,
    },
    handover::read_header,
};
use beside::Beside;
use failed::{audio_failed, ours, run_failed};
use formats::correction_format;
pub(crate) use formats::natural;
use outcome::{cuts_of, harmless, step_done};
use stages::{Opened, Opening};
use straight::{is_straight, straight};
use watch::Watch;

/// Decoding is counted as this part of the whole; the rest is the steps and encoding.
const READING_PART: f32 = 0.2;

/// The hidden role `retake child`.
pub fn child_main() -> ExitCode {
    serve(work)
}

fn work(request: &Request, teller: &Teller) -> Result<Done, Failed> {
    if let Some(look) = &request.look {
        return looks::look(request, look, teller);
    }
    if is_straight(request) {
        return straight(request, teller);
    }
    let decoded = read(request, teller)?;
    looks::write_peaks(&decoded.measured, request.input_peaks.as_deref())?;
    let spec = decoded.spec;
    let frames = decoded.frames;
    let source = source_of(&decoded.source);
    let (input, tracks) = (decoded.measured.clone(), decoded.tracks.clone());

    let chosen = correction_format(request.deltas_as, &source, spec.channels);
    let (format, encoded) = (chosen.format, chosen.encoded);
    let (written, replaced) = chosen.written(request.output_as);
    let original = request.original.as_ref();
    let beside = Beside::read(original)?.fit(original, &written, spec);
    let mut findings = of_reading(request, &decoded.findings, &decoded.measured);
    findings.extend(replaced);
    findings.extend(beside.findings.iter().cloned());
    tell(teller, &findings)?;

    let watch = Watch::new(request.steps.iter().map(|step| step.index));
    let seen = watch.clone();
    teller.watch(move || seen.inside());
    let budgets = Budgets::default();
    let watched = budgets.clone();
    teller.end_when(move || watched.exceeded());
    let opening = Opening {
        request,
        spec,
        frames,
        equal_channels: request.expect.is_none() && decoded.measured.has_equal_channels(),
        deltas_as: encoded.format,
        budgets,
    };
    let Opened {
        stages,
        answer,
        steps: opened,
    } = opening.open(&watch, teller)?;
    let index_of = |stage: usize| match (&request.expect, stage) {
        (Some(expect), 0) => Some(expect.step),
        (expect, stage) => {
            let place = stage - usize::from(expect.is_some());
            request.steps.get(place).map(|step| step.index)
        }
    };
    // Only the last step can have cut something out: those after it are for another child.
    let tags = || {
        let cuts = opened.last().map_or_else(Vec::new, cuts_of);
        beside.without(&cuts, spec.sample_rate)
    };
    let mut progress = |progress: retake_audio::Progress| {
        let fraction = READING_PART + (1.0 - READING_PART) * progress.fraction;
        teller.tell(fraction, progress.stage.and_then(index_of));
    };
    let scratch_dir = &request.scratch_dir;
    let finished = match request.output_as {
        Output::Kept => look_on(decoded, stages, scratch_dir, &mut progress)
            .map(|decoded| (decoded.measured.clone(), Some(Box::new(decoded.kept())))),
        Output::Handover | Output::Correction => {
            let out = create_file(&request.output).map_err(ours("the output"))?;
            run(
                decoded,
                stages,
                written,
                &tags,
                out,
                scratch_dir,
                &mut progress,
            )
            .map(|finished| (finished.measured, None))
        }
    };
    let (output, kept) = finished.map_err(|error| {
        // What the steps that came to their end left is worth knowing all the more.
        let records = answer.iter().chain(opened.iter().map(|step| &step.guard));
        let findings: Vec<_> = records
            .flat_map(|record| record.verdict().findings)
            .collect();
        let _ = tell(teller, &findings);
        run_failed(error, index_of)
    })?;

    looks::write_peaks(&output, request.output_peaks.as_deref())?;
    let answer = answer.map_or_else(Harmless::default, |record| {
        let delta = request.expect.as_ref().is_some_and(|e| e.delta.is_some());
        harmless(&record, false, delta, &mut findings)
    });
    let steps = request.steps.iter().zip(&opened);
    let steps = steps
        .map(|(step, opened)| step_done(step, opened, &mut findings))
        .collect();
    Ok(Done {
        source,
        tracks,
        input,
        output,
        format,
        steps,
        kept,
        answer,
        findings,
    })
}

/// Decodes the input, if nobody has yet, and tells the parent once that is done.
fn read(request: &Request, teller: &Teller) -> Result<Decoded, Failed> {
    let input = File::open(&request.input).map_err(ours("the input"))?;
    let limits = request.limits.audio();
    let mut tell = |fraction| teller.tell(fraction * READING_PART, None);
    let track = request.track;
    let decoded = match (&request.kept, request.output_as) {
        (Some(kept), _) => Ok(kept.as_ref().clone().open(input)),
        (None, Output::Kept) => decode_and_keep(input, &limits, track, &request.output, &mut tell),
        (None, _) => decode(input, &limits, track, &request.scratch_dir, &mut tell),
    };
    let mut decoded = decoded.map_err(|error| audio_failed(error, request.expect.as_ref()))?;
    let length = Length {
        sample_rate: decoded.spec.sample_rate,
        channels: decoded.spec.channels,
        frames: decoded.frames,
    };
    check_expected(length, request.expect.as_ref())?;
    if let Some(expect) = &request.expect {
        // A service need not know which speakers the channels are for.
        let mut sent = File::open(&expect.sent).map_err(ours("the file that was sent"))?;
        let sent = read_header(&mut sent).map_err(ours("the file that was sent"))?;
        decoded.spec.mask = sent.spec.mask;
    }
    teller
        .say(&Line::Read(length))
        .map_err(ours("the parent"))?;
    Ok(decoded)
}

pub(super) fn source_of(info: &SourceInfo) -> Source {
    Source {
        container: info.container.clone(),
        codec: info.codec.clone(),
        lossless_bits: info.lossless_bits,
    }
}

/// What is worth telling of what was read: all of it of a recording; of a service's answer what is
/// wrong with the file; nothing of our own files on their way.
fn of_reading(request: &Request, findings: &[Finding], measured: &Measured) -> Vec<Finding> {
    let findings = findings.iter();
    if request.deltas_as.origin == Origin::Input {
        return findings.cloned().collect();
    }
    let of_sound = &measured.findings;
    findings
        .filter(|found| request.expect.is_some() && !of_sound.contains(found))
        .cloned()
        .collect()
}

fn tell(teller: &Teller, findings: &[Finding]) -> Result<(), Failed> {
    for finding in findings {
        let line = Line::Found(finding.clone());
        teller.say(&line).map_err(ours("the parent"))?;
    }
    Ok(())
}

fn check_expected(got: Length, expect: Option<&Expect>) -> Result<(), Failed> {
    match expect {
        Some(Expect { length, .. }) if *length != got => Err(Failed::Unexpected {
            detail: format!("it answered with {got}; it was sent {length}"),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn another_length_than_was_sent_is_named_with_both() {
        let sent = Length {
            sample_rate: 48_000,
            channels: 2,
            frames: 100,
        };
        let expect = Expect {
            step: 0,
            name: "service".to_owned(),
            length: sent,
            sent: PathBuf::new(),
            mix: 1.0,
            delta: None,
        };
        assert_eq!(check_expected(sent, Some(&expect)), Ok(()));
        let got = Length { frames: 90, ..sent };
        assert_eq!(check_expected(got, None), Ok(()));
        let Err(Failed::Unexpected { detail }) = check_expected(got, Some(&expect)) else {
            panic!("taken");
        };
        assert_eq!(
            detail,
            "it answered with 90 frames of 2 channels at 48000 Hz; \
             it was sent 100 frames of 2 channels at 48000 Hz"
        );
    }
}
