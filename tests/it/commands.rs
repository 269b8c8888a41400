//! What an author of plugins does from the command line, without any server.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use anyhow::{Result, ensure};
use retake_tests::{fixture, process::program, root, signal};

/// `retake plugin ...`, with a cache of compiled plugins of its own.
fn plugin(folder: &std::path::Path, arguments: &[&str]) -> Result<Output> {
    Ok(Command::new(program())
        .arg("plugin")
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder)
        .output()?)
}

fn built(name: &str) -> String {
    let path: PathBuf = root().join("dist").join(name).with_extension("wasm");
    path.display().to_string()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn check_ends_with_code_0_only_for_a_plugin_that_keeps_the_contract() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let good = plugin(
        folder.path(),
        &[
            "check",
            &built("plugins/gain"),
            "--json",
            "--only",
            "latency",
        ],
    )?;
    ensure!(good.status.success(), "{}", said(&good));
    let report: serde_json::Value = serde_json::from_slice(&good.stdout)?;
    ensure!(report["passed"] == true && report["manifest"]["id"] == "org.retake.gain");

    let quirk = built("test-plugins/quirk");
    let bad = plugin(
        folder.path(),
        &["check", &quirk, "--set", "quirk=late", "--only", "latency"],
    )?;
    let text = said(&bad);
    ensure!(!bad.status.success(), "{text}");
    for words in [
        "failed   latency",
        "fit best 100 frames",
        "1 of 4 checks failed",
    ] {
        ensure!(text.contains(words), "{words} is missing from: {text}");
    }
    Ok(())
}

#[test]
fn run_corrects_the_file_and_shows_what_the_plugin_says() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let input = fixture("speech.flac").display().to_string();
    let ran = plugin(
        folder.path(),
        &[
            "run",
            &built("plugins/loudness"),
            &input,
            "out.wav",
            "--set",
            "target-lufs=-20",
        ],
    )?;
    let text = said(&ran);
    ensure!(ran.status.success(), "{text}");
    ensure!(
        text.contains("integrated loudness") && text.contains("Gain applied: "),
        "{text}"
    );
    let corrected = signal::decode(&std::fs::read(folder.path().join("out.wav"))?)?;
    ensure!(corrected.frames() == signal::decode(&std::fs::read(&input)?)?.frames());

    let quirk = built("test-plugins/quirk");
    let logged = plugin(
        folder.path(),
        &["run", &quirk, &input, "log.wav", "--set", "quirk=chatter"],
    )?;
    let log = String::from_utf8_lossy(&logged.stderr).into_owned();
    ensure!(log.contains("info: another block of frames"), "{log}");
    Ok(())
}

#[test]
fn run_names_the_range_of_a_value_and_the_words_of_a_panic() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let input = fixture("speech.flac").display().to_string();
    let run = |wasm: &str, set: &str| -> Result<String> {
        let ran = plugin(
            folder.path(),
            &["run", &built(wasm), &input, "out.wav", "--set", set],
        )?;
        ensure!(!ran.status.success() && !folder.path().join("out.wav").exists());
        Ok(said(&ran))
    };
    for (wasm, set, words) in [
        (
            "plugins/gain",
            "gain-db=99",
            "it must be a number from -60 to 24 dB",
        ),
        ("plugins/gain", "gain=1", "it has: gain-db"),
        ("test-plugins/puppet", "deed=panic", "index out of bounds"),
    ] {
        let text = run(wasm, set)?;
        ensure!(text.contains(words), "{set}: {text}");
    }
    Ok(())
}

#[test]
fn bench_compares_with_what_a_native_build_prints() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let native = r#"echo '{"plugin":"org.retake.gain","rate":48000,"mono":1000000,"stereo":null}'"#;
    let gain = built("plugins/gain");
    let compared = plugin(folder.path(), &["bench", &gain, "--native", native])?;
    ensure!(compared.status.success(), "{}", said(&compared));
    ensure!(said(&compared).contains("of native"), "{}", said(&compared));

    let other = plugin(
        folder.path(),
        &["bench", &built("plugins/highpass"), "--native", native],
    )?;
    ensure!(
        !other.status.success() && said(&other).contains("nothing to compare"),
        "{}",
        said(&other)
    );
    Ok(())
}

#[test]
fn a_chain_has_only_those_plugins_compiled_that_it_names() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let compiled = |chain: &str| -> Result<usize> {
        let corrected = Command::new(program())
            .arg("correct")
            .arg(fixture("speech-44k-stereo.wav"))
            .args(["-o", "out.wav", "--chain", chain])
            .current_dir(folder.path())
            .env("XDG_CACHE_HOME", folder.path())
            .output()?;
        ensure!(corrected.status.success(), "{}", said(&corrected));
        let mut count = 0;
        for engine in std::fs::read_dir(folder.path().join("retake/plugin-cache"))? {
            for file in std::fs::read_dir(engine?.path())? {
                count += usize::from(file?.path().extension().is_some_and(|e| e == "cwasm"));
            }
        }
        Ok(count)
    };
    let gain = compiled(r#"{"steps": [{"plugin": "gain"}]}"#)?;
    ensure!(gain == 1, "{gain} plugins were compiled");
    let both = compiled(r#"{"steps": [{"plugin": "gain"}, {"plugin": "org.retake.highpass"}]}"#)?;
    ensure!(both == 2, "{both} plugins were compiled");
    Ok(())
}
