//! `retake render`: a recording or a correction in another format, without any step. In the child, as all
//! audio work is.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use retake_chain::{Bits, Rendition, Vocabulary, format::Format};
use retake_child::ChildProgram;
use retake_runner::chain::{ChainContext, ChainReport, Wish, run_chain, seed};
use retake_words::written_out;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::correct::{self, caches, sha256_of, show_progress, told};
use crate::{config::Config, install};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Any recording, or a correction
    input: PathBuf,
    /// Where it goes; its ending chooses the format: .wav, .flac, .opus, .mp3 or .m4a
    #[arg(short, long)]
    output: PathBuf,
    /// Whatever the output's name ends in, and how, as in mp3:bitrate=64,mono; or auto
    #[arg(long)]
    format: Option<String>,
    /// In kbit/s, of all channels together
    #[arg(long, value_name = "KBPS")]
    bitrate: Option<u32>,
    /// A bitrate that is kept on average (mp3)
    #[arg(long)]
    vbr: bool,
    /// Per sample: 16, 24 or 32f (wav, flac)
    #[arg(long)]
    bits: Option<String>,
    /// All channels mixed into one
    #[arg(long)]
    mono: bool,
    /// In Hz
    #[arg(long, value_name = "HZ")]
    rate: Option<u32>,
    /// Which of the recording's audio tracks, from 1; else the one that the file itself chooses
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    track: Option<u32>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// With what stands in options of its own. `None`: what is natural for the recording.
    fn rendition(&self) -> Result<Option<Rendition>> {
        let wanted = wanted(self.format.as_deref(), &self.output)?;
        let bits = self.bits.as_deref().map(|text| {
            let known = Bits::ALL.into_iter().find(|bits| bits.name() == text);
            known.with_context(|| format!("--bits {text}: there are 16, 24 and 32f"))
        });
        let bits = bits.transpose()?;
        let Some(wanted) = wanted else {
            let says_how = self.bitrate.is_some() || self.vbr || bits.is_some();
            ensure!(
                !says_how && !self.mono && self.rate.is_none(),
                "--format auto chooses by the recording: --bitrate, --vbr, --bits, --mono and --rate want a format"
            );
            return Ok(None);
        };
        let rendition = Rendition {
            format: wanted.format,
            bitrate_kbps: self.bitrate.or(wanted.bitrate_kbps),
            vbr: self.vbr || wanted.vbr,
            bits: bits.or(wanted.bits),
            mono: self.mono || wanted.mono,
            sample_rate: self.rate.or(wanted.sample_rate),
        };
        Ok(Some(rendition.check()?))
    }
}

pub async fn run(config: Config, arguments: Arguments) -> Result<()> {
    let (input, output) = (&arguments.input, &arguments.output);
    std::fs::File::open(input).with_context(|| input.display().to_string())?;
    let rendition = arguments.rendition()?;
    let scratch = scratch_beside(output)?;
    let vocabulary = Vocabulary::new(Vec::new(), Vec::new(), config.worker.chain_steps_max);
    let context = ChainContext {
        child: &ChildProgram::this("child"),
        plugin_cache: &install::cache_folder(&caches()?),
        scratch_dir: scratch.path(),
        limits: &config.worker.limits,
        deadline: (&config.worker).into(),
        seed: seed(&sha256_of(input)?),
        vocabulary: &vocabulary,
    };
    let cancel = until_interrupted();
    let rendered = render(input, rendition, arguments.track, &context, &cancel).await?;
    let report = &rendered.report;
    let to = named(output, rendition, report.format);
    std::fs::rename(&rendered.file, &to).with_context(|| to.display().to_string())?;
    match arguments.json {
        true => correct::print_json(report, &to),
        false => {
            tell(report, &to);
            Ok(())
        }
    }
}

pub(super) struct Rendered {
    /// In the scratch folder.
    pub file: PathBuf,
    pub report: ChainReport,
}

pub(super) async fn render(
    input: &Path,
    rendition: Option<Rendition>,
    track: Option<u32>,
    context: &ChainContext<'_>,
    cancel: &CancellationToken,
) -> Result<Rendered> {
    let name = rendition.map_or("auto".to_owned(), |rendition| rendition.to_string());
    let file = context.scratch_dir.join(format!("rendered-{name}"));
    let wish = Wish { rendition, track };
    let report = run_chain(input, &file, &[], wish, context, &show_progress, cancel)
        .await
        .map_err(|failure| anyhow::anyhow!(told(&failure)))?;
    Ok(Rendered { file, report })
}

/// By name, or by the output's ending. `None`: what is natural for the recording.
pub(super) fn wanted(format: Option<&str>, output: &Path) -> Result<Option<Rendition>> {
    let ending = output.extension().and_then(|ending| ending.to_str());
    match format.or(ending) {
        Some("auto") => Ok(None),
        Some("ogg") => Ok(Some(Format::Opus.into())),
        Some(name) => {
            let parsed = name.parse::<Rendition>();
            let help =
                "--format, or the output's ending, must be wav, flac, opus, mp3, m4a or auto";
            parsed
                .map(Some)
                .with_context(|| format!("\"{name}\": {help}"))
        }
        None => {
            bail!("what format? The output's ending, or --format, must say so (auto: choose one)")
        }
    }
}

/// With another ending where the format is not the one that was asked for.
pub(super) fn named(output: &Path, wanted: Option<Rendition>, is: Format) -> PathBuf {
    match wanted.is_some_and(|wanted| wanted.format == is) {
        true => output.to_owned(),
        false => output.with_extension(is.extension()),
    }
}

/// Renditions beside the output, each with its file; no two of them the same.
pub(super) fn beside(lists: &[String], output: &Path) -> Result<Vec<(Rendition, PathBuf)>> {
    let mut names = BTreeSet::from([output.to_owned()]);
    let mut all = Vec::new();
    for list in lists {
        for rendition in Rendition::parse_list(list).with_context(|| format!("--also {list}"))? {
            let to = output.with_extension(rendition.format.extension());
            ensure!(
                names.insert(to.clone()),
                "--also {list}: two files would be called {}",
                written_out(&to.display().to_string())
            );
            all.push((rendition, to));
        }
    }
    Ok(all)
}

/// In the output's folder, so that the last step is a rename: there is never half a file.
pub(super) fn scratch_beside(output: &Path) -> Result<TempDir> {
    let folder = output.parent().filter(|path| !path.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    tempfile::Builder::new()
        .prefix(".retake-")
        .tempdir_in(folder)
        .with_context(|| folder.display().to_string())
}

pub(super) fn until_interrupted() -> CancellationToken {
    let cancel = CancellationToken::new();
    let interrupted = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.cancel();
        }
    });
    cancel
}

#[allow(clippy::print_stdout)]
fn tell(report: &ChainReport, to: &Path) {
    let measured = &report.report.output;
    println!(
        "{}: from {}, {}",
        written_out(&to.display().to_string()),
        written_out(&report.report.source),
        correct::clock(measured.duration_ms)
    );
    for finding in &report.report.findings {
        let (severity, code) = (finding.severity.name(), &finding.code);
        println!("{severity}[{code}]: {}", written_out(&finding.message));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_ending_says_what_is_wanted_where_nothing_else_does() {
        let text = |format: Option<&str>, output: &str| {
            let wanted = wanted(format, Path::new(output)).map_err(|error| format!("{error:#}"));
            wanted.map(|wanted| wanted.map_or("auto".to_owned(), |wanted| wanted.to_string()))
        };
        assert_eq!(text(None, "a.mp3").unwrap(), "mp3");
        assert_eq!(text(None, "a.ogg").unwrap(), "opus");
        assert_eq!(text(Some("mp3:mono"), "a.flac").unwrap(), "mp3:mono");
        assert_eq!(text(Some("auto"), "a").unwrap(), "auto");
        assert!(text(None, "a").unwrap_err().contains("what format?"));
        assert!(text(None, "a.mp4").unwrap_err().contains("\"mp4\""));
    }

    #[test]
    fn no_two_files_have_the_same_name() {
        let beside = |lists: &[&str]| {
            let lists: Vec<String> = lists.iter().map(|&list| list.to_owned()).collect();
            beside(&lists, Path::new("x/a.flac"))
        };
        let files = beside(&["mp3:mono,m4a", "opus"]).unwrap();
        let names: Vec<_> = files
            .iter()
            .map(|(_, to)| to.display().to_string())
            .collect();
        assert_eq!(names, ["x/a.mp3", "x/a.m4a", "x/a.opus"]);
        assert!(beside(&["flac"]).is_err());
        assert!(beside(&["mp3", "mp3:mono"]).is_err());
    }
}
