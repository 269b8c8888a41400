//! The work itself, inside the child: decodes while measuring, runs the steps, encodes.
//!
//! It takes a request and answers what came of it. How the two come and go is `child`'s matter.

mod blend;
mod delta;
mod failed;
mod formats;
mod guard;
mod outcome;
mod stages;
mod watch;

use std::{fs::File, process::ExitCode};

use retake_audio::{Tags, decode, run};

use crate::child::{Done, Expect, Failed, Harmless, Length, Line, Request, Source, Teller, serve};
use failed::{audio_failed, ours, run_failed};
use formats::{correction_format, format};
use outcome::{harmless, step_done};
use stages::{Opened, Opening};
use watch::Watch;

/// Decoding is counted as this part of the whole; the rest is the steps and encoding.
const READING_PART: f32 = 0.2;

/// The hidden role `retake child`.
pub fn child_main() -> ExitCode {
    serve(work)
}

fn work(request: &Request, teller: &Teller) -> Result<Done, Failed> {
    let input = File::open(&request.input).map_err(ours("the input"))?;
    let limits = request.limits.audio();
    let decoded = decode(
        input,
        &limits,
        None,
        &request.scratch_dir,
        &mut |fraction| {
            teller.tell(fraction * READING_PART, None);
        },
    )
    .map_err(|error| audio_failed(error, request.expect.as_ref()))?;
    let spec = decoded.spec;
    let frames = decoded.frames;
    let length = Length {
        sample_rate: spec.sample_rate,
        channels: spec.channels,
        frames,
    };
    check_expected(length, request.expect.as_ref())?;
    teller
        .say(&Line::Read(length))
        .map_err(ours("the parent"))?;

    let source = Source {
        container: decoded.source.container.clone(),
        codec: decoded.source.codec.clone(),
        lossless_bits: decoded.source.lossless_bits,
    };
    let measured = &decoded.measured;
    let (input, input_peaks) = (measured.measurement.clone(), measured.peaks.clone());
    let found = decoded.findings.iter().filter(|found| found.is_warning());
    let mut warnings: Vec<String> = found.map(ToString::to_string).collect();
    for warning in &warnings {
        teller
            .say(&Line::Warning(warning.clone()))
            .map_err(ours("the parent"))?;
    }

    let watch = Watch::new(request.steps.iter().map(|step| step.index));
    let seen = watch.clone();
    teller.watch(move || seen.inside());
    let opening = Opening {
        request,
        spec,
        frames,
        deltas_as: correction_format(request.deltas_as, &source),
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
    let format = format(request.output_as, &source);
    let out = File::create(&request.output).map_err(ours("the output"))?;
    let finished = run(
        decoded,
        stages,
        &format,
        &Tags::default,
        out,
        &request.scratch_dir,
        &mut |progress| {
            let fraction = READING_PART + (1.0 - READING_PART) * progress.fraction;
            teller.tell(fraction, progress.stage.and_then(index_of));
        },
    )
    .map_err(|error| run_failed(error, index_of))?;

    let answer = answer.map_or_else(Harmless::default, |record| {
        let delta = request.expect.as_ref().is_some_and(|e| e.delta.is_some());
        harmless(&record, false, delta, &mut warnings)
    });
    let steps = request.steps.iter().zip(&opened);
    let steps = steps
        .map(|(step, opened)| step_done(step, opened, &mut warnings))
        .collect();
    Ok(Done {
        source,
        input,
        input_peaks,
        output: finished.measured.measurement,
        output_peaks: finished.measured.peaks,
        steps,
        answer,
        warnings,
    })
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
