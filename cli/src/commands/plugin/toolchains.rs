//! What compiles a project, one toolchain per language. Where a step is missing, the error names it and
//! how to get it.

use std::{
    ffi::OsStr,
    fmt, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use wit_bindgen_core::{Files, wit_parser::Resolve};

use super::CONTRACT;

const WASM_TARGET: &str = "wasm32-unknown-unknown";
const ZIG: &str = "python3 -m pip install ziglang==0.17.1 (or put zig into PATH)";
const COMPONENTIZE_QJS: &str = "npm install, in the project's folder";
const COMPONENTIZE_PY: &str = "python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1, in the project's folder";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    Rust,
    C,
    Js,
    Python,
}

impl Language {
    /// Where its template lies.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Js => "javascript",
            Self::Python => "python",
        }
    }

    /// By the file that every project of the language has.
    pub fn of_project(folder: &Path) -> Result<Self> {
        let marks = [
            ("Cargo.toml", Self::Rust),
            ("plugin.c", Self::C),
            ("package.json", Self::Js),
            ("plugin.py", Self::Python),
        ];
        let found = marks.iter().find(|(file, _)| folder.join(file).exists());
        found.map(|(_, language)| *language).with_context(|| {
            format!(
                "{} is no plugin project: it has none of {}. retake plugin new NAME makes one",
                folder.display(),
                marks.map(|(file, _)| file).join(", ")
            )
        })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::C => "C",
            Self::Js => "JavaScript",
            Self::Python => "Python",
        })
    }
}

/// Compiles the project in `folder`; gives the file that came out, a core module or a component.
pub fn compile(language: Language, folder: &Path) -> Result<PathBuf> {
    match language {
        Language::Rust => rust(folder),
        Language::C => c(folder),
        Language::Js => javascript(folder),
        Language::Python => python(folder),
    }
}

fn rust(folder: &Path) -> Result<PathBuf> {
    ensure!(
        starts(Command::new("cargo").arg("--version")),
        "cargo is missing: install Rust from https://rustup.rs"
    );
    ensure!(
        has_wasm_target(folder),
        "the target {WASM_TARGET} is missing: rustup target add {WASM_TARGET}"
    );
    let built = Command::new("cargo")
        .args(["build", "--release", "--target", WASM_TARGET])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo")?;
    ensure!(
        built.status.success(),
        "cargo build failed; it says why above"
    );
    let wasm = built
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Artifact>(line).ok())
        .filter(|artifact| Path::new(&artifact.manifest_path) == folder.join("Cargo.toml"))
        .flat_map(|artifact| artifact.filenames)
        .map(PathBuf::from)
        .find(|file| file.extension() == Some(OsStr::new("wasm")));
    wasm.context(
        "cargo built no .wasm file: Cargo.toml needs crate-type = [\"cdylib\"] under [lib]",
    )
}

/// What cargo says of a crate that it compiled.
#[derive(Deserialize)]
struct Artifact {
    manifest_path: String,
    filenames: Vec<String>,
}

/// Whether the target's standard library is there, or cargo was told to build it.
fn has_wasm_target(folder: &Path) -> bool {
    if std::env::var_os("CARGO_UNSTABLE_BUILD_STD").is_some() {
        return true;
    }
    let printed = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM_TARGET])
        .current_dir(folder)
        .output();
    let Ok(printed) = printed else { return false };
    let libraries = String::from_utf8_lossy(&printed.stdout);
    let Ok(files) = fs::read_dir(libraries.trim()) else {
        return false;
    };
    files
        .flatten()
        .any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
}

fn c(folder: &Path) -> Result<PathBuf> {
    let mut zig = zig(folder)?;
    let output = output(folder)?;
    let bindings = folder.join("build/bindings");
    write_c_bindings(&contract(folder)?, &bindings)?;
    let mut sources = files(folder, "c")?;
    sources.extend(files(&bindings, "c")?);
    sources.extend(files(&bindings, "o")?);
    zig.args(["cc", "-target", "wasm32-wasi"])
        // A library, whose start needs nothing of the system.
        .arg("-mexec-model=reactor")
        .args(["-O3", "-msimd128", "-Wall"])
        // The default stack of 16 MiB would be part of every session.
        .arg("-Wl,-z,stack-size=65536")
        .args(["-s", "-I", "build/bindings"])
        .args(sources)
        .arg("-o")
        .arg(&output);
    finish(zig.current_dir(folder), "zig cc", output)
}

/// The contract in C, as wit-bindgen writes it.
fn write_c_bindings(contract: &Path, folder: &Path) -> Result<()> {
    let unreadable = |error| anyhow::anyhow!("{}: {error:#}", contract.display());
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(contract).map_err(unreadable)?;
    let world = resolve
        .select_world(&[package], Some("plugin"))
        .map_err(unreadable)?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default()
        .build()
        .generate(&mut resolve, world, &mut files)
        .map_err(unreadable)?;
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for (name, bytes) in files.iter() {
        let file = folder.join(name);
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

fn zig(folder: &Path) -> Result<Command> {
    if starts(Command::new("zig").arg("version")) {
        return Ok(Command::new("zig"));
    }
    for python in [folder.join(".venv/bin/python"), "python3".into()] {
        let as_module = || {
            let mut command = Command::new(&python);
            command.args(["-m", "ziglang"]);
            command
        };
        if starts(as_module().arg("version")) {
            return Ok(as_module());
        }
    }
    bail!("no C compiler for WebAssembly was found: {ZIG}")
}

fn javascript(folder: &Path) -> Result<PathBuf> {
    let program = folder.join("node_modules/.bin/componentize-qjs");
    let program = first_that_starts([program, "componentize-qjs".into()])
        .with_context(|| format!("componentize-qjs is missing: {COMPONENTIZE_QJS}"))?;
    let output = output(folder)?;
    let mut command = Command::new(program);
    command
        .args(["--sync", "--stub-wasi"])
        .arg("--wit")
        .arg(contract(folder)?)
        .args(["--world", "plugin", "--js", "plugin.js", "-o"])
        .arg(&output);
    finish(command.current_dir(folder), "componentize-qjs", output)
}

fn python(folder: &Path) -> Result<PathBuf> {
    let program = first_that_starts([
        folder.join(".venv/bin/componentize-py"),
        "componentize-py".into(),
    ])
    .with_context(|| format!("componentize-py is missing: {COMPONENTIZE_PY}"))?;
    let output = output(folder)?;
    // For the project's own tests and for editors; what is built brings its own.
    let bindings = folder.join("build/bindings");
    let _ = fs::remove_dir_all(&bindings);
    let contract = contract(folder)?;
    let with_contract = || {
        let mut command = Command::new(&program);
        command.arg("-d").arg(&contract).args(["-w", "plugin"]);
        command
    };
    let mut generate = with_contract();
    generate.arg("bindings").arg(&bindings);
    finish(generate.current_dir(folder), "componentize-py", bindings)?;
    let mut build = with_contract();
    build
        .args(["componentize", "--stub-wasi", "plugin", "-o"])
        .arg(&output);
    finish(build.current_dir(folder), "componentize-py", output)
}

/// The folder with the project's own copy of the contract, else with this program's.
fn contract(folder: &Path) -> Result<PathBuf> {
    let own = folder.join("wit");
    if own.is_dir() {
        return Ok(own);
    }
    let written = folder.join("build/wit");
    let file = written.join("correction.wit");
    fs::create_dir_all(&written).with_context(|| written.display().to_string())?;
    fs::write(&file, CONTRACT).with_context(|| file.display().to_string())?;
    Ok(written)
}

/// Where what is neither source nor plugin goes.
fn output(folder: &Path) -> Result<PathBuf> {
    let build = folder.join("build");
    fs::create_dir_all(&build).with_context(|| build.display().to_string())?;
    Ok(build.join("plugin.wasm"))
}

/// Runs it with its words shown.
fn finish(command: &mut Command, name: &str, output: PathBuf) -> Result<PathBuf> {
    let ended = command
        // Standard output is for what we say.
        .stdout(io::stderr())
        .status()
        .with_context(|| name.to_owned())?;
    ensure!(ended.success(), "{name} failed; it says why above");
    Ok(output)
}

fn starts(command: &mut Command) -> bool {
    let ran = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    ran.is_ok_and(|status| status.success())
}

fn first_that_starts(programs: [PathBuf; 2]) -> Option<PathBuf> {
    programs
        .into_iter()
        .find(|program| starts(Command::new(program).arg("--help")))
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let listed = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = listed
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    files.retain(|file| file.extension() == Some(OsStr::new(ending)));
    files.sort();
    Ok(files)
}
