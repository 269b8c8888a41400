//! Pictures of a recording, and the stream that compares it with its correction.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use retake_audio::{
    AudioError, Decoded, Looker, Measured, SpectrogramTiles, Together, compare, create_file,
    decode, look as see,
};
use retake_chain::{format::Format, report::Cut};
use retake_findings::{Code, Finding};

use super::{
    failed::{audio_failed, ours},
    source_of,
};
use crate::child::{
    CompareForm, Done, Failed, Harmless, Length, Line, Look, PeakForm, Request, Teller,
};

pub(super) fn look(request: &Request, look: &Look, teller: &Teller) -> Result<Done, Failed> {
    match look {
        Look::Peaks(form) => {
            let seen = shown(request, &mut (), teller)?;
            written(&request.output, |out| {
                let pyramid = &seen.measured.pyramid;
                match form {
                    PeakForm::Pyramid => pyramid.write(out),
                    PeakForm::Dat => pyramid.write_dat(out),
                    PeakForm::Json => pyramid.write_json(out),
                }
            })?;
            done(seen, Vec::new(), teller)
        }
        Look::Spectrogram {
            columns_per_second,
            from_column,
            to_column,
        } => {
            let mut give = |place: u64, png: &[u8]| {
                std::fs::write(request.output.join(format!("{place}.png")), png)
            };
            let columns = *from_column..*to_column;
            let mut tiles = SpectrogramTiles::new(*columns_per_second, columns, &mut give);
            let seen = shown(request, &mut tiles, teller)?;
            tiles.finish().map_err(ours("a tile"))?;
            done(seen, Vec::new(), teller)
        }
        Look::Compare {
            correction,
            cuts,
            form,
        } => compared(request, correction, (cuts, *form), teller),
    }
}

fn shown(
    request: &Request,
    looker: &mut dyn Looker,
    teller: &Teller,
) -> Result<Decoded<()>, Failed> {
    let input = File::open(&request.input).map_err(ours("the input"))?;
    let limits = request.limits.audio();
    let mut tell = |fraction| teller.tell(fraction, None);
    let seen = see(input, &limits, request.track, looker, &mut tell);
    seen.map_err(|error| audio_failed(error, None))
}

/// The original's track was chosen; the correction has one.
fn compared(
    request: &Request,
    correction: &Path,
    (cuts, form): (&[Vec<Cut>], CompareForm),
    teller: &Teller,
) -> Result<Done, Failed> {
    let limits = request.limits.audio();
    let read = |path: &Path, track, from: f32| {
        let file = File::open(path).map_err(ours("the input"))?;
        let mut tell = |fraction| teller.tell(from + 0.3 * fraction, None);
        let decoded = decode(file, &limits, track, &request.scratch_dir, &mut tell);
        decoded.map_err(|error| audio_failed(error, None))
    };
    let original = read(&request.input, request.track, 0.0)?;
    let correction = read(correction, None, 0.3)?;
    let seen = original.about();
    let out = create_file(&request.output).map_err(ours("the output"))?;
    let cuts: Vec<Vec<(u64, u64)>> = cuts
        .iter()
        .map(|cuts| cuts.iter().map(|cut| (cut.start, cut.frames)).collect())
        .collect();
    let mut tell = |fraction: f32| teller.tell(0.6 + 0.4 * fraction, None);
    let together = match form {
        CompareForm::Webm => Together::Channels,
        CompareForm::M4a => Together::Tracks(&request.scratch_dir),
    };
    let made = compare(original, correction, &cuts, together, out, &mut tell);
    let made = made.map_err(|error: AudioError| audio_failed(error, None))?;
    // A correction in another rate may differ by its rounding.
    let differs = made.longer.unsigned_abs() > 2;
    let finding = differs.then(|| {
        let ms = made.longer as f64 / 48.0;
        Finding::new(Code::CompareLengthDiffers, [("longer_ms", ms.into())])
    });
    done(seen, finding.into_iter().collect(), teller)
}

fn done(seen: Decoded<()>, more: Vec<Finding>, teller: &Teller) -> Result<Done, Failed> {
    let length = Length {
        sample_rate: seen.spec.sample_rate,
        channels: seen.spec.channels,
        frames: seen.frames,
    };
    teller
        .say(&Line::Read(length))
        .map_err(ours("the parent"))?;
    Ok(Done {
        source: source_of(&seen.source),
        tracks: seen.tracks,
        input: seen.measured.clone(),
        output: seen.measured,
        // Nothing of that kind was written.
        format: Format::default(),
        steps: Vec::new(),
        kept: None,
        answer: Harmless::default(),
        findings: seen.findings.into_iter().chain(more).collect(),
    })
}

pub(super) fn write_peaks(measured: &Measured, to: Option<&Path>) -> Result<(), Failed> {
    match to {
        Some(to) => written(to, |out| measured.pyramid.write(out)),
        None => Ok(()),
    }
}

fn written(
    to: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Failed> {
    let write = || {
        let mut out = BufWriter::new(create_file(to)?);
        write(&mut out)?;
        out.flush()
    };
    write().map_err(ours("the peaks"))
}
