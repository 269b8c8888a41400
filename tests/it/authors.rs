//! A plugin author's way, from an empty folder to a corrected recording: the commands of docs/plugins.md,
//! in each language, with the toolchains that `make test` sets up.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use retake_tests::{fixture, process::program, root, signal};
use tempfile::TempDir;

/// An empty folder outside the repository, and the commands that are run in it.
struct Author {
    folder: TempDir,
}

impl Author {
    fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("author-").tempdir()?;
        Ok(Self { folder })
    }

    fn path(&self, within: &str) -> PathBuf {
        self.folder.path().join(within)
    }

    /// Runs it in `within`; an error holds everything that it said.
    fn run<A: AsRef<OsStr>>(
        &self,
        within: &str,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String> {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).current_dir(self.path(within));
        set_up(&mut command)?;
        let ran = command.output().with_context(|| format!("{command:?}"))?;
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr)
        );
        ensure!(ran.status.success(), "{command:?} in {within}: {said}");
        Ok(said)
    }

    fn retake<A: AsRef<OsStr>>(
        &self,
        within: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String> {
        self.run(within, program(), arguments)
    }

    /// Project, native test, plugin, and a recording corrected with it.
    fn goes_all_the_way(&self, language: &str, native_test: &[&str]) -> Result<signal::Audio> {
        self.retake(".", ["plugin", "new", "soft-clip", "--lang", language])?;
        self.retake("soft-clip", ["plugin", "build"])?;
        self.run("soft-clip", native_test[0], &native_test[1..])?;
        let input = fixture("speech.flac");
        self.retake(
            "soft-clip",
            [
                "correct".as_ref(),
                input.as_os_str(),
                "-o".as_ref(),
                "out.wav".as_ref(),
                "--plugin".as_ref(),
                "soft-clip.wasm".as_ref(),
                "--param".as_ref(),
                "drive-db=12".as_ref(),
            ],
        )?;
        let corrected = signal::decode(&std::fs::read(self.path("soft-clip/out.wav"))?)?;
        is_the_curve(&signal::decode(&std::fs::read(input)?)?, &corrected)?;
        Ok(corrected)
    }
}

/// tanh after 12 dB, as all templates have it, within what 24 bits can say.
fn is_the_curve(input: &signal::Audio, output: &signal::Audio) -> Result<()> {
    ensure!(input.frames() == output.frames(), "another length");
    let drive = 10f32.powf(12.0 / 20.0);
    for (before, after) in input.channels[0].iter().zip(&output.channels[0]) {
        ensure!(
            ((before * drive).tanh() - after).abs() < 1e-6,
            "{before} became {after}"
        );
    }
    Ok(())
}

/// Puts the toolchains of `make test` into the command's environment.
fn set_up(command: &mut Command) -> Result<()> {
    let cache = root().join(".cache");
    let toolchains = cache.join("plugin-toolchains/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    path.insert(0, toolchains);
    command.env("PATH", std::env::join_paths(path)?);
    // Written where rustup cannot fetch the wasm target: how cargo builds for it all the same. Native
    // tests are for the usual compiler.
    if command.get_program() == program().as_os_str()
        && let Ok(environment) = std::fs::read_to_string(cache.join("wasm-toolchain/environment"))
    {
        let pairs = environment.lines().filter_map(|line| line.split_once('='));
        command.envs(pairs);
    }
    // The plugin is not a part of what is being tested here.
    command
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS");
    Ok(())
}

#[test]
fn an_author_goes_from_nothing_to_a_corrected_recording_in_rust() -> Result<()> {
    Author::new()?
        .goes_all_the_way("rust", &["cargo", "test", "--quiet"])
        .map(drop)
}

#[test]
fn and_in_c() -> Result<()> {
    let test = "cc -std=c11 -Ibuild/bindings tests/native.c -lm -o build/native && build/native";
    Author::new()?
        .goes_all_the_way("c", &["sh", "-c", test])
        .map(drop)
}

#[test]
fn and_in_javascript() -> Result<()> {
    Author::new()?
        .goes_all_the_way("js", &["node", "--test"])
        .map(drop)
}

#[test]
fn and_in_python() -> Result<()> {
    let test = ["python3", "-m", "unittest"];
    Author::new()?.goes_all_the_way("python", &test).map(drop)
}

#[test]
fn a_project_is_not_written_over_another_and_a_bad_name_is_refused() -> Result<()> {
    let author = Author::new()?;
    author.retake(".", ["plugin", "new", "gain"])?;
    std::fs::write(author.path("gain/src/lib.rs"), "mine")?;
    let again = author.retake(".", ["plugin", "new", "gain"]).unwrap_err();
    ensure!(again.to_string().contains("is there already"), "{again:#}");
    ensure!(std::fs::read(author.path("gain/src/lib.rs"))? == b"mine");
    let bad = author
        .retake(".", ["plugin", "new", "../gain"])
        .unwrap_err();
    ensure!(bad.to_string().contains("a-z, 0-9 and -"), "{bad:#}");
    Ok(())
}

#[test]
fn a_missing_toolchain_is_named_with_how_to_get_it() -> Result<()> {
    let author = Author::new()?;
    for (language, step) in [
        ("rust", "rustup"),
        ("c", "ziglang"),
        ("js", "npm install"),
        ("python", "pip install componentize-py"),
    ] {
        author.retake(".", ["plugin", "new", language, "--lang", language])?;
        let ran = Command::new(program())
            .args(["plugin", "build", language])
            .current_dir(author.path("."))
            .env("PATH", author.path("nothing-here"))
            .output()?;
        let said = String::from_utf8_lossy(&ran.stderr);
        ensure!(
            !ran.status.success() && said.contains(step),
            "{language}: {said}"
        );
    }
    Ok(())
}

/// Builds an example in a copy, so that nothing is left in the repository.
fn built_example(author: &Author, name: &str) -> Result<PathBuf> {
    let from = root().join("plugins/examples").join(name);
    let to = author.path(name);
    std::fs::create_dir(&to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().context("a name")?))?;
        }
    }
    author.retake(name, ["plugin", "build"])?;
    Ok(to.join(name).with_extension("wasm"))
}

/// The recording in `input` through one plugin, as WAV.
fn corrected(
    author: &Author,
    plugin: &Path,
    input: &Path,
    param: Option<&str>,
) -> Result<signal::Audio> {
    let output = author.path("out.wav");
    let mut arguments: Vec<OsString> = vec!["correct".into(), input.into(), "-o".into()];
    arguments.extend([output.clone().into(), "--plugin".into(), plugin.into()]);
    if let Some(param) = param {
        arguments.extend(["--param".into(), param.into()]);
    }
    author.retake(".", arguments)?;
    signal::decode(&std::fs::read(output)?)
}

#[test]
fn the_example_in_c_removes_an_offset_and_nothing_else() -> Result<()> {
    let author = Author::new()?;
    let plugin = built_example(&author, "dc-offset")?;
    let tone = |offset: f32| -> Vec<f32> {
        (0..48_000)
            .map(|n| 0.25 * (n as f32 * 0.05).sin() + offset)
            .collect()
    };
    let input = author.path("in.wav");
    signal::write_wav(&input, 48_000, &[tone(0.1), tone(-0.02)])?;
    let output = corrected(&author, &plugin, &input, None)?;
    for (channel, offset) in output.channels.iter().zip([0.1, -0.02]) {
        let mean = channel.iter().map(|x| f64::from(*x)).sum::<f64>() / 48_000.0;
        ensure!(mean.abs() < 1e-6, "{mean} is left");
        let original = tone(offset);
        let shift = channel[0] - original[0];
        let moved = channel
            .iter()
            .zip(&original)
            .map(|(a, b)| (a - b - shift).abs());
        ensure!(
            moved.fold(0.0, f32::max) < 1e-6,
            "more than the offset changed"
        );
    }
    Ok(())
}

#[test]
fn the_example_in_javascript_makes_all_channels_one_and_says_no_where_there_is_none() -> Result<()>
{
    let author = Author::new()?;
    let plugin = built_example(&author, "mono")?;
    let input = author.path("in.wav");
    let ramp =
        |step: f32| -> Vec<f32> { (0..4_800).map(|n| (n as f32 * step).sin() * 0.5).collect() };
    signal::write_wav(&input, 48_000, &[ramp(0.01), ramp(0.02)])?;
    let right = corrected(&author, &plugin, &input, Some("source=right"))?;
    ensure!(right.channels[0] == right.channels[1]);
    let apart = right.channels[0]
        .iter()
        .zip(ramp(0.02))
        .map(|(a, b)| (a - b).abs());
    ensure!(apart.fold(0.0, f32::max) < 1e-6);
    signal::write_wav(&input, 48_000, &[ramp(0.01)])?;
    let refused = corrected(&author, &plugin, &input, Some("source=right"));
    let said = format!(
        "{:#}",
        refused
            .err()
            .context("a mono recording has no right channel")?
    );
    ensure!(
        said.contains("no right one") && said.contains("source"),
        "{said}"
    );
    Ok(())
}

#[test]
fn the_example_in_python_only_listens() -> Result<()> {
    let author = Author::new()?;
    let plugin = built_example(&author, "pauses")?;
    let input = author.path("in.wav");
    let mut voice: Vec<f32> = (0..24_000).map(|n| (n as f32 * 0.05).sin() * 0.5).collect();
    voice.extend(vec![0.0; 24_000]);
    voice.extend_from_within(..24_000);
    signal::write_wav(&input, 16_000, &[voice.clone()])?;
    let output = corrected(&author, &plugin, &input, None)?;
    let apart = output.channels[0]
        .iter()
        .zip(&voice)
        .map(|(a, b)| (a - b).abs());
    ensure!(apart.fold(0.0, f32::max) < 1e-6);
    Ok(())
}
