//! `retake peaks`, `retake spectrogram` and `retake compare`: for the eye and for the ear. In the child, as all
//! audio work is.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use retake_chain::{Vocabulary, rendition_limits, report::Cut};
use retake_child::ChildProgram;
use retake_runner::{
    chain::{ChainContext, Looked, look},
    child::{CompareForm, Look, PeakForm},
};
use retake_words::written_out;
use serde_json::Value;

use super::{
    correct::{caches, clock, show_progress, told},
    render::{scratch_beside, until_interrupted},
};
use crate::{config::Config, install};

#[derive(Debug, clap::Args)]
pub struct PeaksArguments {
    /// Any recording, or a correction
    input: PathBuf,
    /// Where it goes; its ending chooses the form: .peaks (all levels), or .dat and .json as BBC's
    /// audiowaveform writes them
    #[arg(short, long)]
    output: PathBuf,
    /// Which of the recording's audio tracks, from 1; else the one that the file itself chooses
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    track: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub struct SpectrogramArguments {
    /// Any recording, or a correction
    input: PathBuf,
    /// The folder for the tiles, each of 1,024 columns and called by its place: 0.png
    #[arg(short, long)]
    output: PathBuf,
    /// From where on, in seconds; widened to whole tiles
    #[arg(long, default_value_t = 0.0)]
    from: f64,
    /// To where, in seconds; else to the end
    #[arg(long)]
    to: Option<f64>,
    /// Columns that make a second, 1 to 1000
    #[arg(long, default_value_t = 100, value_parser = columns_per_second())]
    columns_per_second: u32,
    /// Which of the recording's audio tracks, from 1; else the one that the file itself chooses
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    track: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub struct CompareArguments {
    /// The recording
    original: PathBuf,
    /// Its correction
    correction: PathBuf,
    /// Where the stream goes; its ending chooses the form: WebM with Opus (the recording's channels first), or .m4a
    /// with two tracks
    #[arg(short, long)]
    output: PathBuf,
    /// The report of `retake correct --json`, where a step cut something out
    #[arg(long, value_name = "FILE.json")]
    report: Option<PathBuf>,
    /// Which of the recording's audio tracks was corrected, from 1
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    track: Option<u32>,
}

fn columns_per_second() -> clap::builder::RangedI64ValueParser<u32> {
    let (low, high) = rendition_limits::COLUMNS_PER_SECOND.into_inner();
    clap::value_parser!(u32).range(i64::from(low)..=i64::from(high))
}

pub async fn peaks(config: Config, arguments: PeaksArguments) -> Result<()> {
    let PeaksArguments {
        input,
        output,
        track,
    } = arguments;
    let ending = output.extension().and_then(|ending| ending.to_str());
    let form = match ending {
        Some("peaks") => PeakForm::Pyramid,
        Some("dat") => PeakForm::Dat,
        Some("json") => PeakForm::Json,
        _ => bail!(
            "{}: the ending must be .peaks, .dat or .json",
            output.display()
        ),
    };
    into_file(&config, &input, &output, Look::Peaks(form), track).await
}

pub async fn spectrogram(config: Config, arguments: SpectrogramArguments) -> Result<()> {
    let SpectrogramArguments {
        input,
        output,
        from,
        to,
        columns_per_second,
        track,
    } = arguments;
    let to = to.unwrap_or(f64::MAX);
    ensure!(
        from >= 0.0 && to > from,
        "--from {from} --to {to}: seconds, and the second behind the first"
    );
    std::fs::create_dir_all(&output).with_context(|| output.display().to_string())?;
    let column = |seconds: f64| (seconds * f64::from(columns_per_second)) as u64;
    let wanted = Look::Spectrogram {
        columns_per_second,
        from_column: column(from),
        to_column: column(to).max(column(from) + 1),
    };
    let scratch = scratch_beside(&output)?;
    let looked = made(&config, &input, &output, wanted, track, scratch.path()).await?;
    tell(&looked, &output);
    Ok(())
}

pub async fn compare(config: Config, arguments: CompareArguments) -> Result<()> {
    let CompareArguments {
        original,
        correction,
        output,
        report,
        track,
    } = arguments;
    std::fs::File::open(&correction).with_context(|| correction.display().to_string())?;
    let cuts = match report {
        Some(report) => cuts_of(&report)?,
        None => Vec::new(),
    };
    let is_m4a = output.extension().is_some_and(|ending| ending == "m4a");
    let wanted = Look::Compare {
        correction,
        cuts,
        form: if is_m4a {
            CompareForm::M4a
        } else {
            CompareForm::Webm
        },
    };
    into_file(&config, &original, &output, wanted, track).await
}

/// What each step cut out, as the report says it.
fn cuts_of(report: &Path) -> Result<Vec<Vec<Cut>>> {
    let name = || report.display().to_string();
    let text = std::fs::read_to_string(report).with_context(name)?;
    let report: Value = serde_json::from_str(&text).with_context(name)?;
    let steps = report["steps"]
        .as_array()
        .context("the report has no steps")?;
    let cuts = steps.iter().map(|step| match &step["cuts"] {
        Value::Null => Ok(Vec::new()),
        cuts => Ok(serde_json::from_value(cuts.clone())?),
    });
    cuts.collect()
}

async fn into_file(
    config: &Config,
    input: &Path,
    output: &Path,
    wanted: Look,
    track: Option<u32>,
) -> Result<()> {
    let scratch = scratch_beside(output)?;
    let file = scratch.path().join("made");
    let looked = made(config, input, &file, wanted, track, scratch.path()).await?;
    std::fs::rename(&file, output).with_context(|| output.display().to_string())?;
    tell(&looked, output);
    Ok(())
}

async fn made(
    config: &Config,
    input: &Path,
    output: &Path,
    wanted: Look,
    track: Option<u32>,
    scratch: &Path,
) -> Result<Looked> {
    std::fs::File::open(input).with_context(|| input.display().to_string())?;
    let vocabulary = Vocabulary::new(Vec::new(), Vec::new(), config.worker.chain_steps_max);
    let context = ChainContext {
        child: &ChildProgram::this("child"),
        plugin_cache: &install::cache_folder(&caches()?),
        scratch_dir: scratch,
        limits: &config.worker.limits,
        deadline: (&config.worker).into(),
        // Nothing here is left to chance.
        seed: 0,
        vocabulary: &vocabulary,
    };
    let cancel = until_interrupted();
    look(
        input,
        output,
        wanted,
        track,
        &context,
        &show_progress,
        &cancel,
    )
    .await
    .map_err(|failure| anyhow::anyhow!(told(&failure)))
}

#[allow(clippy::print_stdout)]
fn tell(looked: &Looked, to: &Path) {
    let ms = looked.frames * 1_000 / u64::from(looked.sample_rate.max(1));
    println!(
        "{}: of {} channel(s) at {} Hz, {}",
        written_out(&to.display().to_string()),
        looked.channels,
        looked.sample_rate,
        clock(ms)
    );
    for finding in &looked.findings {
        let (severity, code) = (finding.severity.name(), &finding.code);
        println!("{severity}[{code}]: {}", written_out(&finding.message));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cuts_are_read_from_a_report_step_by_step() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let report = r#"{"steps": [{"step": "gain"}, {"step": "cut", "cuts": [{"start": 5, "frames": 7}]}]}"#;
        std::fs::write(file.path(), report).unwrap();
        let cuts = cuts_of(file.path()).unwrap();
        assert_eq!(cuts.len(), 2);
        assert_eq!((cuts[1][0].start, cuts[1][0].frames), (5, 7));
        std::fs::write(file.path(), "{}").unwrap();
        assert!(cuts_of(file.path()).is_err());
    }
}
