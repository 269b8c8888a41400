//! `retake correct`: one file through a chain, without any server, exactly as a worker would do it.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use retake_chain::{
    Chain, InstalledPlugin, ShortNames, Vocabulary,
    format::Format,
    preset,
    problem::{FieldError, Problem},
    report::{Measurement, StepReport},
};
use retake_child::ChildProgram;
use retake_findings::Finding;
use retake_jobs::digest::hex;
use retake_plugin_host::{Cache, Installed};
use retake_runner::chain::{
    ChainContext, ChainFailure, ChainReport, Progress, Wish, prepare_now, run_chain, seed,
};
use retake_words::written_out;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{named, render};
use crate::{config::Config, install, wiring};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The recording: WebM, Ogg, MP4, WAV, FLAC, MP3, AIFF, CAF
    pub(super) input: PathBuf,
    /// Where the correction goes; its ending chooses the format: .wav, .flac, .opus, .mp3 or .m4a
    #[arg(short, long)]
    pub(super) output: PathBuf,
    /// A preset's name, a chain as JSON, or a file with one
    #[arg(
        long,
        default_value_if("plugin", clap::builder::ArgPredicate::IsPresent, "{\"steps\":[]}"),
        default_value = retake_chain::preset::DEFAULT
    )]
    pub(super) chain: String,
    /// Whatever the output's name ends in: wav, flac, opus, mp3 or m4a, and how, as in
    /// mp3:bitrate=64,mono; or auto, which is FLAC for what came without loss, and else the codec that it
    /// came in, or MP3
    #[arg(long)]
    pub(super) format: Option<String>,
    /// Other formats besides, from the same correction: mp3,m4a; each beside the output, with its own ending
    #[arg(long, value_name = "FORMATS")]
    pub(super) also: Vec<String>,
    /// Which of the recording's audio tracks, from 1; else the one that the file itself chooses
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) track: Option<u32>,
    /// Print the report as JSON: what was measured, the steps, the targets and all findings
    #[arg(long)]
    pub(super) json: bool,
    /// Write what a step takes away, its input less its output, to a file; the step by its place in
    /// the chain, from 0; repeatable
    #[arg(long = "delta", value_name = "STEP=FILE")]
    pub(super) deltas: Vec<String>,
    /// A plugin of your own: run where the chain names it, else after the chain (alone, where no
    /// chain is given)
    #[arg(long, value_name = "FILE.wasm")]
    pub(super) plugin: Option<PathBuf>,
    /// A parameter of that plugin; repeatable
    #[arg(long = "param", value_name = "ID=VALUE", requires = "plugin")]
    pub(super) params: Vec<String>,
    /// The part of that plugin's sound in the result, 0 to 1; the rest is what went into it
    #[arg(long, requires = "plugin")]
    pub(super) mix: Option<f64>,
}

pub async fn run(config: Config, arguments: Arguments) -> Result<()> {
    let report = correct(config, &arguments).await?;
    let written = written_to(&arguments, &report)?;
    if arguments.json {
        print_json(&report, &written)
    } else {
        print_report(&report, &written);
        Ok(())
    }
}

/// Writes the corrected file; whole, or not at all.
pub(super) async fn correct(config: Config, arguments: &Arguments) -> Result<ChainReport> {
    let input = &arguments.input;
    // Whatever is wrong with it is said before any work.
    std::fs::File::open(input).with_context(|| input.display().to_string())?;
    let rendition = render::wanted(arguments.format.as_deref(), &arguments.output)?;
    let also = render::beside(&arguments.also, &arguments.output)?;
    let deltas = deltas(&arguments.deltas)?;
    let caches = caches()?;
    let (folder, plugin) = (config.plugins.clone(), arguments.plugin.clone());
    let (here, deadline) = (caches.clone(), config.install_deadline());
    let needed = named::plugins(&arguments.chain);
    let (plugins, own) = tokio::task::spawn_blocking(move || -> Result<_> {
        let mut all = install::all(&here, &folder, needed.as_ref(), deadline)?;
        let own = plugin
            .map(|path| install::from_file(&here, &path, deadline))
            .transpose()?;
        if let Some(own) = &own {
            // The author's build wins over an installed one of the same id, and its short name means it.
            all.retain(|installed| installed.manifest.id != own.manifest.id);
            all.insert(0, own.clone());
        }
        Ok((all, own))
    })
    .await??;

    let plugins = plugins
        .into_iter()
        .map(|Installed { manifest, digest }| InstalledPlugin {
            manifest: manifest.into(),
            digest,
            realtime_factor: None,
        });
    let steps_max = config.worker.chain_steps_max;
    let vocabulary = Vocabulary::new(plugins.collect(), config.external_names(), steps_max);
    let mut chain = chain_of(arguments, &vocabulary, own.as_ref())?;
    let count = chain.steps.len();
    for (step, _) in &deltas {
        let step = chain
            .steps
            .get_mut(*step)
            .with_context(|| format!("--delta {step}: the chain's steps are 0 to {}", count - 1))?;
        step.delta = true;
    }
    let cache = Cache::open(&install::cache_folder(&caches))?;
    let steps = prepare_now(&chain, &vocabulary, &cache, &wiring::externals(&config)?)
        .map_err(|failure| anyhow::anyhow!(told(&failure)))?;

    let scratch = render::scratch_beside(&arguments.output)?;
    let corrected = scratch.path().join("corrected");
    let context = ChainContext {
        child: &ChildProgram::this("child"),
        plugin_cache: &install::cache_folder(&caches),
        scratch_dir: scratch.path(),
        limits: &config.worker.limits,
        deadline: (&config.worker).into(),
        seed: seed(&sha256_of(input)?),
        vocabulary: &vocabulary,
    };
    // Of what has lost something, nothing else is made.
    let is_made_anew = !also.is_empty() && !rendition.is_some_and(|r| r.format.is_lossless());
    let wish = Wish {
        rendition: match is_made_anew {
            true => Some(Format::Flac.into()),
            false => rendition,
        },
        track: arguments.track,
    };
    let cancel = render::until_interrupted();
    let mut report = run_chain(
        input,
        &corrected,
        &steps,
        wish,
        &context,
        &show_progress,
        &cancel,
    )
    .await
    .map_err(|failure| anyhow::anyhow!(told(&failure)))?;
    let mut others = Vec::new();
    for (rendition, to) in also {
        let rendered = render::render(&corrected, Some(rendition), None, &context, &cancel).await?;
        others.push((
            rendered.file,
            to.with_extension(rendered.report.format.extension()),
        ));
        report.hear(&rendered.report);
    }
    let mut made = corrected.clone();
    if is_made_anew {
        let wanted = rendition.unwrap_or(report.natural);
        let rendered = render::render(&corrected, Some(wanted), None, &context, &cancel).await?;
        report.hear(&rendered.report);
        report.format = rendered.report.format;
        made = rendered.file;
    }
    others.push((made, written_to(arguments, &report)?));
    for (file, to) in others {
        std::fs::rename(&file, &to).with_context(|| to.display().to_string())?;
    }
    for (step, to) in &deltas {
        let written = report
            .deltas
            .iter()
            .find(|delta| delta.step as usize == *step);
        match written {
            // Not a rename: it may go to another file system.
            Some(delta) => std::fs::copy(&delta.path, to)
                .map(drop)
                .with_context(|| to.display().to_string())?,
            None => eprintln!("step {step} was left out: {} is not written", to.display()),
        }
    }
    Ok(report)
}

/// The name that was asked for, with another ending where the format could not be kept, or was not asked for.
pub(super) fn written_to(arguments: &Arguments, report: &ChainReport) -> Result<PathBuf> {
    let wanted = render::wanted(arguments.format.as_deref(), &arguments.output)?;
    Ok(render::named(&arguments.output, wanted, report.format))
}

/// The chain as it was asked for: checked as the server would check it.
fn chain_of(
    arguments: &Arguments,
    vocabulary: &Vocabulary,
    own: Option<&Installed>,
) -> Result<Chain> {
    let mut json = chain_json(&arguments.chain, &vocabulary.short_names)?;
    if let Some(own) = own {
        let steps = json.get_mut("steps").and_then(Value::as_array_mut);
        let step = own_step(steps.context("the chain has no steps")?, own);
        let given = params(&arguments.params)?;
        if !given.is_empty() {
            let params = step.entry("params").or_insert_with(|| json!({}));
            let params = params.as_object_mut().context("params is no object")?;
            params.extend(given);
        }
        if let Some(mix) = arguments.mix {
            step.insert("mix".to_owned(), json!(mix));
        }
    }
    Chain::parse(&json, "", vocabulary).map_err(|errors| {
        let lines: Vec<_> = errors
            .iter()
            .map(|FieldError { detail, pointer }| format!("{pointer}: {detail}"))
            .collect();
        anyhow::anyhow!("the chain cannot be run:\n  - {}", lines.join("\n  - "))
    })
}

/// Where the chain names the author's plugin, else a step for it at the chain's end.
fn own_step<'a>(
    steps: &'a mut Vec<Value>,
    own: &Installed,
) -> &'a mut serde_json::Map<String, Value> {
    let names_it = |step: &Value| {
        let name = step.get("plugin").and_then(Value::as_str);
        name.is_some_and(|name| own.manifest.answers_to(name))
    };
    let place = steps.iter().position(names_it).unwrap_or_else(|| {
        steps.push(json!({"plugin": own.manifest.id}));
        steps.len() - 1
    });
    steps[place]
        .as_object_mut()
        .expect("a step with a plugin is an object")
}

fn chain_json(text: &str, names: &ShortNames) -> Result<Value> {
    if let Some(preset) = preset::find(text) {
        return Ok(preset.named(names).chain);
    }
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).context("--chain");
    }
    match std::fs::read_to_string(text) {
        Ok(file) => serde_json::from_str(&file).with_context(|| text.to_owned()),
        Err(_) => {
            let known: Vec<_> = preset::built_in()
                .iter()
                .map(|preset| preset.name)
                .collect();
            bail!(
                "--chain {text}: there is no such preset or file; presets are: {}",
                known.join(", ")
            )
        }
    }
}

/// `id=value`, the value as JSON where it is JSON and as text otherwise.
pub(super) fn params(given: &[String]) -> Result<serde_json::Map<String, Value>> {
    given
        .iter()
        .map(|param| {
            let (id, value) = param
                .split_once('=')
                .with_context(|| format!("\"{param}\" must look like id=value"))?;
            let value =
                serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            Ok((id.to_owned(), value))
        })
        .collect()
}

/// `step=file`, the step by its place in the chain.
fn deltas(given: &[String]) -> Result<Vec<(usize, PathBuf)>> {
    given
        .iter()
        .map(|delta| {
            let parsed = delta
                .split_once('=')
                .and_then(|(step, file)| Some((step.parse().ok()?, PathBuf::from(file))))
                .filter(|(_, file)| !file.as_os_str().is_empty());
            parsed.with_context(|| {
                format!("--delta {delta}: it must look like 0=removed.wav, the step by its place")
            })
        })
        .collect()
}

/// Compiled plugins are kept for the user, not beside the recording.
pub(super) fn caches() -> Result<PathBuf> {
    let folder = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(folder), _) if Path::new(&folder).is_absolute() => PathBuf::from(folder),
        (_, Some(home)) => PathBuf::from(home).join(".cache"),
        _ => bail!(
            "neither XDG_CACHE_HOME nor HOME is set, so there is no place to keep compiled plugins"
        ),
    };
    let folder = folder.join("retake");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

pub(super) fn sha256_of(path: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut hash)?;
    Ok(hex(&hash.finalize()))
}

/// On a terminal one line that changes; elsewhere nothing, for logs are not for progress bars.
pub(super) fn show_progress(progress: Progress) {
    let mut out = std::io::stderr().lock();
    if out.is_terminal() {
        let step = written_out(progress.step.as_deref().unwrap_or("reading"));
        let _ = write!(out, "\r\x1b[K{:3.0} %  {step}", progress.fraction * 100.0);
        let _ = out.flush();
    }
}

#[allow(clippy::print_stdout)]
pub(super) fn print_report(report: &ChainReport, output: &Path) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    let ChainReport { report, .. } = report;
    let (before, after) = (&report.input, &report.output);
    println!(
        "{}: {}, {} Hz, {} channel(s), {}",
        written_out(&output.display().to_string()),
        written_out(&report.source.to_string()),
        before.sample_rate,
        before.channels,
        clock(before.duration_ms)
    );
    println!("{:22}{:>14}{:>14}", "", "before", "after");
    let row = |name: &str, unit: &str, of: fn(&Measurement) -> Option<f64>| {
        let cell =
            |value: Option<f64>| value.map_or("silent".to_owned(), |v| format!("{v:.1} {unit}"));
        println!("{name:22}{:>14}{:>14}", cell(of(before)), cell(of(after)));
    };
    row("integrated loudness", "LUFS", |m| m.integrated_lufs);
    row("loudness range", "LU", |m| m.loudness_range_lu);
    row("true peak", "dBTP", |m| m.true_peak_dbtp);
    for StepReport {
        step,
        plugin,
        skipped,
        recommended,
        cpu_ms,
        ..
    } in &report.steps
    {
        let which = plugin.as_ref().map_or("external service".to_owned(), |p| {
            format!("{} {}", p.id, p.version)
        });
        let outcome = if *skipped {
            "skipped".to_owned()
        } else {
            format!("{cpu_ms} ms")
        };
        let why = if *recommended { ", recommended" } else { "" };
        let step = written_out(step);
        println!("step {step:16} {which}, {outcome}{why}");
    }
    for Finding {
        code,
        severity,
        message,
        ..
    } in &report.findings
    {
        println!("{}[{code}]: {}", severity.name(), written_out(message));
    }
    println!("took {} ms", report.elapsed_ms);
}

/// The report as the server gives it, and where the correction went.
#[allow(clippy::print_stdout)]
pub(super) fn print_json(report: &ChainReport, output: &Path) -> Result<()> {
    let mut json = serde_json::to_value(&report.report)?;
    json["output_file"] = json!(output.display().to_string());
    json["warnings"] = json!(report.warnings());
    println!("{}", serde_json::to_string_pretty(&json)?);
    Ok(())
}

pub(super) fn clock(ms: u64) -> String {
    format!("{}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000)
}

pub(super) fn told(failure: &ChainFailure) -> String {
    match failure {
        ChainFailure::Cancelled => "stopped; nothing was written".to_owned(),
        ChainFailure::Failed {
            problem, warnings, ..
        } => {
            let mut text = in_words(problem);
            for Finding { code, message, .. } in warnings {
                text.push_str(&format!("\nwarning[{code}]: {message}"));
            }
            text
        }
    }
}

fn in_words(problem: &Problem) -> String {
    let mut text = format!("{}: {}", problem.title, problem.detail);
    for FieldError { detail, pointer } in &problem.errors {
        text.push_str(&format!("\n  - {pointer}: {detail}"));
    }
    text
}
