//! The child's side: reads the request, puts up the wall, runs checks, tells each one's beginning and
//! end.

use std::{
    fs,
    io::{self, BufRead as _, Read as _, Write as _},
    path::Path,
    process::ExitCode,
    time::Instant,
};

use retake_child::wall;
use retake_plugin_host::{Cache, Host, HostError, Plugin, limit_compile};
use retake_plugin_manifest::Settings;

use super::protocol::{DETAIL_BYTES_MAX, Line, Part, REQUEST_BYTES_MAX, Request};
use crate::{
    bench,
    kit::{self, Found, Known, Subject},
    report::{Check, Outcome},
};

/// Nothing but its answers goes out of the child.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The hidden role `retake check-plugin CACHE FILE.wasm`.
pub fn child_main(cache_dir: &Path, wasm: &Path) -> ExitCode {
    match child(cache_dir, wasm) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("check-plugin: {error}");
            ExitCode::FAILURE
        }
    }
}

fn child(cache_dir: &Path, wasm: &Path) -> io::Result<()> {
    wall::die_with_parent()?;
    let mut line = Vec::new();
    io::stdin()
        .lock()
        .take(REQUEST_BYTES_MAX)
        .read_until(b'\n', &mut line)?;
    let request: Request = serde_json::from_slice(&line)?;
    wall::check_parent(request.parent_pid)?;
    wall::die_with_input()?;
    wall::limit(request.memory_bytes_max, FILE_BYTES_MAX)?;
    let last = match &request.part {
        Part::Install => {
            limit_compile()?;
            install(cache_dir, wasm)
        }
        Part::Run { digest } => run(cache_dir, digest, &request),
        Part::Bench { digest, install_ms } => bench(cache_dir, digest, *install_ms, &request),
    };
    say(&last?)
}

/// The three checks of the file itself. What a later one is about is not known before the earlier one
/// has passed.
fn install(cache_dir: &Path, wasm: &Path) -> io::Result<Line> {
    let wasm = fs::read(wasm)?;
    let cache = match Cache::open(cache_dir) {
        Ok(cache) => cache,
        Err(error) => return Ok(Line::Trouble(error.to_string())),
    };
    say(&Line::Began(kit::IMPORTS.id.to_owned()))?;
    match retake_plugin_host::check_imports(&wasm) {
        Ok(is_component) => tell(&kit::IMPORTS, kit::file::imported(is_component, wasm.len()))?,
        Err(error) => {
            tell(&kit::IMPORTS, Found::failed(error.to_string()))?;
            return Ok(Line::Done);
        }
    }
    say(&Line::Began(kit::INSTALLATION.id.to_owned()))?;
    let start = Instant::now();
    match cache.install(&wasm) {
        Ok(installed) => {
            let ms = start.elapsed().as_secs_f64() * 1000.0;
            say(&Line::Installed { ms })?;
            tell(&kit::INSTALLATION, kit::file::installed())?;
            say(&Line::Began(kit::MANIFEST.id.to_owned()))?;
            tell(&kit::MANIFEST, kit::file::manifest(&installed.manifest))?;
        }
        Err(HostError::Manifest(errors)) => {
            tell(&kit::INSTALLATION, kit::file::installed())?;
            tell(&kit::MANIFEST, kit::file::broken_manifest(&errors))?;
        }
        Err(error @ HostError::Refused { .. }) => {
            tell(&kit::INSTALLATION, Found::failed(error.to_string()))?;
        }
        Err(error) => return Ok(Line::Trouble(error.to_string())),
    }
    Ok(Line::Done)
}

fn run(cache_dir: &Path, digest: &str, request: &Request) -> io::Result<Line> {
    let (plugin, settings) = match load(cache_dir, digest, request) {
        Ok(loaded) => loaded,
        Err(line) => return Ok(line),
    };
    let subject = Subject::new(&plugin, settings, request.params.clone(), digest);
    for (known, check) in kit::SESSION_CHECKS {
        if !request.only.is_empty() && !request.only.iter().any(|id| id == known.id) {
            continue;
        }
        say(&Line::Began(known.id.to_owned()))?;
        tell(known, check(&subject))?;
    }
    if let Some(cost) = subject.cost() {
        say(&Line::Cost(cost))?;
    }
    Ok(Line::Done)
}

fn bench(cache_dir: &Path, digest: &str, install_ms: f64, request: &Request) -> io::Result<Line> {
    let start = Instant::now();
    let (plugin, settings) = match load(cache_dir, digest, request) {
        Ok(loaded) => loaded,
        Err(line) => return Ok(line),
    };
    let load_ms = start.elapsed().as_secs_f64() * 1000.0;
    match bench::bench(&plugin, settings, install_ms, load_ms) {
        Ok(report) => say(&Line::Benched(Box::new(report)))?,
        Err(detail) => return Ok(Line::NotBenched(detail)),
    }
    Ok(Line::Done)
}

/// The plugin and what it is to be set to, or the line that says why not.
fn load(cache_dir: &Path, digest: &str, request: &Request) -> Result<(Plugin, Settings), Line> {
    let plugin = Cache::open(cache_dir)
        .and_then(Host::new)
        .and_then(|host| host.load(digest))
        .map_err(|error| Line::Trouble(error.to_string()))?;
    let settings = Settings::resolve(plugin.manifest(), &request.params).map_err(|errors| {
        let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Line::BadParams(said.join("; "))
    })?;
    Ok((plugin, settings))
}

fn tell(known: &Known, found: Found) -> io::Result<()> {
    let Found {
        outcome,
        mut detail,
    } = found;
    detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
    if matches!(outcome, Outcome::Failed | Outcome::Warned) {
        detail.push_str(&format!("; {}", kit::see(known.id)));
    }
    say(&Line::Ended(Check {
        id: known.id.to_owned(),
        title: known.title.to_owned(),
        outcome,
        detail,
    }))
}

fn say(line: &Line) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&bytes)?;
    out.flush()
}
