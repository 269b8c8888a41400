//! The child's side: reads the request, puts up the wall, does the work, tells.

use std::{
    fs::File,
    io::{self, BufRead, Read, Write},
    path::Path,
    process::ExitCode,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use retake_audio::{
    AudioError, ChannelMask, FlacBits, RunError, Spec, Stage, StageError, WavDepth, decode, run,
};
use retake_jobs::{format::Format, report::Cut};
use retake_plugin_host::{Cache, Host, LogLine, StageRecord, Stream};
use retake_plugin_manifest::Settings;

use super::{
    blend::Blend,
    delta::DeltaWriter,
    guard::{Guard, GuardRecord, Guarded, Terms},
    protocol::{
        AudioFault, Correction, Done, Expect, Failed, Harmless, LINE_BYTES_MAX, Length, Line,
        Origin, Output, Progress, REQUEST_BYTES_MAX, Request, Source, StepDone, StepRequest,
    },
    wall,
    watch::Watch,
};

/// Decoding is counted as this part of the whole; the rest is the steps and encoding.
const READING_PART: f32 = 0.2;
/// How often the parent hears from us, if there is anything new.
const TELL_EVERY: Duration = Duration::from_millis(50);

/// The hidden role `retake child`.
pub fn child_main() -> ExitCode {
    match child() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("child: {error}");
            ExitCode::FAILURE
        }
    }
}

fn child() -> io::Result<()> {
    wall::die_with_parent()?;
    let mut line = Vec::new();
    io::stdin()
        .lock()
        .take(REQUEST_BYTES_MAX)
        .read_until(b'\n', &mut line)?;
    let request: Request = serde_json::from_slice(&line)?;
    wall::check_parent(request.parent_pid)?;
    wall::die_with_input()?;
    wall::limit(
        request.limits.memory_bytes_max,
        request.limits.scratch_bytes_max,
    )?;
    log_to_stderr();

    let teller = Teller::start()?;
    let last = match work(&request, &teller) {
        Ok(done) => Line::Done(Box::new(done)),
        Err(failed) => Line::Failed(failed),
    };
    teller.end(&last)
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("RETAKE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .try_init();
}

fn work(request: &Request, teller: &Teller) -> Result<Done, Failed> {
    let input = File::open(&request.input).map_err(ours("the input"))?;
    let limits = request.limits.audio();
    let decoded = decode(input, &limits, &request.scratch_dir, &mut |fraction| {
        teller.tell(fraction * READING_PART, None);
    })
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
    let (input, input_peaks) = (decoded.measurement.clone(), decoded.peaks.clone());
    let mut warnings = decoded.warnings.clone();
    for warning in &warnings {
        teller
            .say(&Line::Warning(warning.clone()))
            .map_err(ours("the parent"))?;
    }

    let watch = Watch::new(request.steps.iter().map(|step| step.index));
    teller.watch(watch.clone());
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
        output: finished.measurement,
        output_peaks: finished.peaks,
        steps,
        answer,
        warnings,
    })
}

/// The stages of a request, and where each leaves what there is to tell.
struct Opened {
    stages: Vec<Box<dyn Stage>>,
    /// Of the external service's answer. Its stage comes first.
    answer: Option<GuardRecord>,
    /// In the order of the request.
    steps: Vec<OpenedStep>,
}

struct OpenedStep {
    record: StageRecord,
    guard: GuardRecord,
    promises: bool,
}

struct Opening<'a> {
    request: &'a Request,
    spec: Spec,
    frames: u64,
    deltas_as: retake_audio::Format,
}

impl Opening<'_> {
    fn open(&self, watch: &Watch, teller: &Teller) -> Result<Opened, Failed> {
        let mut opened = Opened {
            stages: Vec::new(),
            answer: None,
            steps: Vec::new(),
        };
        if let Some(expect) = &self.request.expect {
            let (stage, record) = self.answer(expect)?;
            opened.stages.push(stage);
            opened.answer = Some(record);
        }
        if self.request.steps.is_empty() {
            return Ok(opened);
        }
        let broken = |error: retake_plugin_host::HostError| Failed::Ours {
            detail: error.to_string(),
        };
        let cache = Cache::open(&self.request.plugin_cache).map_err(broken)?;
        let host = Host::new(cache).map_err(broken)?;
        for (place, step) in self.request.steps.iter().enumerate() {
            let plugin = host.load(&step.digest).map_err(broken)?;
            let settings = Settings::resolve(plugin.manifest(), &step.params)
                .map_err(|errors| params_refused(step.index, &errors))?;
            let stream = Stream {
                name: &step.name,
                spec: self.spec,
                mask: ChannelMask::usual(self.spec.channels),
                frames: self.frames,
                mix: step.mix,
                seed: step_seed(self.request.seed, step.index),
            };
            let record = StageRecord::default();
            teller.follow(&record, step.index);
            let stage = watch
                .enter(place, || plugin.open(&stream, &settings, &record))
                .map_err(|error| stage_failed(step.index, error))?;
            let terms = Terms {
                name: step.name.clone(),
                promise: plugin.manifest().level_promise(),
                mix: step.mix,
                shortens: plugin.manifest().may_shorten(),
            };
            let promises = terms.promise.is_some();
            let (guard, found) = self.guard(terms, step.delta.as_deref())?;
            opened.stages.push(Box::new(Guarded {
                guard,
                inner: watch.wrap(place, stage),
            }));
            opened.steps.push(OpenedStep {
                record,
                guard: found,
                promises,
            });
        }
        Ok(opened)
    }

    fn answer(&self, expect: &Expect) -> Result<(Box<dyn Stage>, GuardRecord), Failed> {
        let terms = Terms {
            name: expect.name.clone(),
            promise: None,
            mix: expect.mix,
            shortens: false,
        };
        let (guard, record) = self.guard(terms, expect.delta.as_deref())?;
        let blend = Blend::open(&expect.sent, expect.mix, self.spec, self.frames, guard)
            .map_err(ours("the file that was sent"))?;
        Ok((Box::new(blend), record))
    }

    fn guard(&self, terms: Terms, delta: Option<&Path>) -> Result<(Guard, GuardRecord), Failed> {
        let create = |path| DeltaWriter::create(path, &self.deltas_as, self.spec, self.frames);
        let delta = delta
            .map(create)
            .transpose()
            .map_err(|error| Failed::Ours {
                detail: format!("a delta: {error}"),
            })?;
        Ok(Guard::new(terms, self.spec, delta))
    }
}

/// Every step has randomness of its own, the same for the same recording and place (SplitMix64).
fn step_seed(seed: u64, index: usize) -> u64 {
    let mut z = seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn format(output: Output, source: &Source) -> retake_audio::Format {
    match output {
        Output::Handover => retake_audio::Format::Wav {
            depth: WavDepth::Float32,
        },
        Output::Correction(correction) => correction_format(correction, source),
    }
}

fn correction_format(correction: Correction, source: &Source) -> retake_audio::Format {
    match correction.format {
        Format::Wav => retake_audio::Format::Wav {
            depth: WavDepth::Int24,
        },
        Format::Opus => retake_audio::Format::OggOpus { bitrate_bps: None },
        Format::Flac => {
            let origin = if correction.origin == Origin::Input {
                Origin::of(source)
            } else {
                correction.origin
            };
            // More bits than the recording had would only store noise.
            let bits = match origin {
                Origin::Lossless { bits } if bits > 16 => FlacBits::Bits24,
                _ => FlacBits::Bits16,
            };
            retake_audio::Format::Flac { bits }
        }
    }
}

fn harmless(
    record: &GuardRecord,
    promised: bool,
    delta: bool,
    warnings: &mut Vec<String>,
) -> Harmless {
    let found = record.finding();
    warnings.extend(found.warnings);
    Harmless {
        level_change_db: found.level_change_db,
        promised,
        delta,
    }
}

fn step_done(step: &StepRequest, opened: &OpenedStep, warnings: &mut Vec<String>) -> StepDone {
    /// With a handful of steps a line stays below its limit.
    const REPORT_BYTES_MAX: usize = 256 * 1024;
    const LOG_BYTES_MAX: usize = 64 * 1024;
    let size = |json: &serde_json::Value| json.to_string().len();
    let record = &opened.record;
    let mut report = record.report();
    if size(&report) > REPORT_BYTES_MAX {
        warnings.push(format!("{}: its curves are too long to be kept", step.name));
        report["curves"] = serde_json::json!([]);
    }
    if size(&report) > REPORT_BYTES_MAX {
        warnings.push(format!("{}: its report is too long to be kept", step.name));
        report = serde_json::Value::Null;
    }
    let cuts = record.cuts().into_iter().map(|cut| Cut {
        start: cut.start,
        frames: cut.frames,
    });
    let mut left = LOG_BYTES_MAX;
    let log = record.log().into_iter().map(|line| told(&line));
    let log = log.take_while(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    StepDone {
        index: step.index,
        latency_frames: record.latency_frames(),
        cpu_ms: record.cpu().as_millis() as u64,
        report,
        cuts: cuts.collect(),
        log: log.collect(),
        harmless: harmless(
            &opened.guard,
            opened.promises,
            step.delta.is_some(),
            warnings,
        ),
    }
}

fn told(line: &LogLine) -> String {
    format!("{}: {}", line.level, line.message)
}

fn check_expected(got: Length, expect: Option<&Expect>) -> Result<(), Failed> {
    match expect {
        Some(Expect { length, .. }) if *length != got => Err(Failed::Unexpected {
            detail: format!("it answered with {got}; it was sent {length}"),
        }),
        _ => Ok(()),
    }
}

impl std::fmt::Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} frames of {} channels at {} Hz",
            self.frames, self.channels, self.sample_rate
        )
    }
}

fn audio_failed(error: AudioError, expect: Option<&Expect>) -> Failed {
    let detail = error.to_string();
    let fault = match error {
        AudioError::Io(_) => return Failed::Ours { detail },
        _ if expect.is_some() => return Failed::Unexpected { detail },
        AudioError::NotAudio { .. } => AudioFault::NotAudio,
        AudioError::UnknownCodec { .. } => AudioFault::UnknownCodec,
        AudioError::Empty => AudioFault::Empty,
        AudioError::TooLong { .. } => AudioFault::TooLong,
        AudioError::UnsupportedStream { .. } => AudioFault::UnsupportedStream,
        AudioError::Damaged { .. } => AudioFault::Damaged,
    };
    Failed::Audio { fault, detail }
}

fn run_failed(error: RunError, index_of: impl Fn(usize) -> Option<usize>) -> Failed {
    match error {
        RunError::Stage { index, source, .. } => match index_of(index) {
            Some(index) => stage_failed(index, source),
            None => Failed::Ours {
                detail: source.to_string(),
            },
        },
        RunError::Audio(error) => audio_failed(error, None),
        RunError::Io(error) => Failed::Ours {
            detail: format!("running the steps: {error}"),
        },
    }
}

fn stage_failed(index: usize, error: StageError) -> Failed {
    match error {
        StageError::Refused { message, param } => Failed::Refused {
            index,
            detail: message,
            param,
        },
        StageError::Crashed { message } => Failed::Crashed {
            index,
            detail: message,
        },
        StageError::Harmful { message } => Failed::Harmful {
            index,
            detail: message,
        },
        StageError::Io { message } => Failed::Ours { detail: message },
        StageError::Stopped => Failed::Ours {
            detail: "the pipeline stopped without saying why".to_owned(),
        },
    }
}

fn params_refused(index: usize, errors: &[retake_plugin_manifest::SettingError]) -> Failed {
    let first = errors.first();
    Failed::Refused {
        index,
        detail: first.map_or_else(String::new, ToString::to_string),
        param: first.map(|error| error.param.clone()),
    }
}

fn ours(what: &'static str) -> impl Fn(io::Error) -> Failed {
    move |error| Failed::Ours {
        detail: format!("{what}: {error}"),
    }
}

/// Writes lines to the parent. Progress comes from a thread of its own, so that the parent knows
/// which step is running also when that step never comes back.
struct Teller(Arc<Told>);

#[derive(Default)]
struct Told {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    fraction: f32,
    step: Option<usize>,
    watch: Watch,
    ended: bool,
}

impl Teller {
    fn start() -> io::Result<Self> {
        let told = Arc::new(Told::default());
        let teller = Teller(Arc::clone(&told));
        std::thread::Builder::new()
            .name("teller".to_owned())
            .spawn(move || {
                let mut last = Progress::default();
                let mut state = told.state.lock().unwrap_or_else(PoisonError::into_inner);
                while !state.ended {
                    let now = Progress {
                        fraction: state.fraction,
                        step: state.step,
                        inside: state.watch.inside(),
                    };
                    if now != last {
                        // Under the lock: nothing may follow the last line.
                        let _ = write_line(&Line::Progress(now.clone()));
                        last = now;
                    }
                    let waited = told.ended.wait_timeout(state, TELL_EVERY);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            })?;
        Ok(teller)
    }

    fn tell(&self, fraction: f32, step: Option<usize>) {
        let mut state = self.state();
        (state.fraction, state.step) = (fraction, step);
    }

    fn watch(&self, watch: Watch) {
        self.state().watch = watch;
    }

    /// From now on the parent hears what the step's plugin logs.
    fn follow(&self, record: &StageRecord, step: usize) {
        let told_to = Arc::clone(&self.0);
        record.on_log(move |line| {
            let line = told(line);
            let state = told_to.state();
            if !state.ended {
                // A parent that is gone ends us soon enough.
                let _ = write_line(&Line::Log { step, line });
            }
        });
    }

    fn say(&self, line: &Line) -> io::Result<()> {
        let _alone = self.state();
        write_line(line)
    }

    fn end(self, last: &Line) -> io::Result<()> {
        let mut state = self.state();
        state.ended = true;
        self.0.ended.notify_all();
        write_line(last)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state()
    }
}

impl Told {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_line(line: &Line) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    if bytes.len() >= LINE_BYTES_MAX {
        let detail = format!(
            "the report has {} bytes; at most {LINE_BYTES_MAX} fit",
            bytes.len()
        );
        bytes = serde_json::to_vec(&Line::Failed(Failed::Ours { detail }))?;
    }
    bytes.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&bytes)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn seeds_are_the_same_for_the_same_place_and_differ_between_places() {
        assert_eq!(step_seed(7, 0), step_seed(7, 0));
        assert_ne!(step_seed(7, 0), step_seed(7, 1));
        assert_ne!(step_seed(7, 0), step_seed(8, 0));
    }

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
