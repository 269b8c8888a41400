//! What was released of the plugin contract never changes, and its reference is what it says.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail, ensure};
use retake_tests::root;
use sha2::{Digest, Sha256};
use wit_bindgen_core::{Files, wit_parser::Resolve as BindgenResolve};
use wit_component::semver_check;
use wit_parser::Resolve;

/// Every released contract and the digest of its file, oldest first. Rows are added, never changed.
const RELEASED: &[(&str, &str)] = &[
    (
        "0.1.0",
        "db51cb0eb924b66db115ca101b544857ff96e73181c35cef1cf39e37ad4e93c1",
    ),
    (
        "0.1.1",
        "bb427b50885c6734c11af7b47bff9e7c529466ea4374e3fe403d258c8183f956",
    ),
    (
        "0.1.2",
        "29409106f1a473ec0be730d024c6d5d0c8b432102893734aab84fce13c4cdf45",
    ),
];

const REFERENCE: &str = "docs/plugin-contract.md";

fn contract() -> Result<String> {
    let path = root().join("plugins/wit/correction.wit");
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

fn released(version: &str) -> PathBuf {
    root().join(format!("plugins/wit/released/{version}.wit"))
}

fn version_of(contract: &str) -> Result<&str> {
    let named = contract.strip_prefix("package retake:correction@");
    named
        .and_then(|rest| rest.split_once(';'))
        .map(|(version, _)| version)
        .context("the contract begins with its package and version")
}

/// Whether plugins built for `old` still fit `new`; both of the same 0.x line.
fn fits(old: &str, new: &str) -> Result<()> {
    let mut resolve = Resolve::default();
    let mut world = |name: &str, text: &str| -> Result<_> {
        let package = resolve
            .push_str(name, text)
            .map_err(|error| anyhow::anyhow!("{error:#}"))?;
        resolve
            .select_world(&[package], Some("plugin"))
            .map_err(|error| anyhow::anyhow!("{error:#}"))
    };
    let (old, new) = (world("old.wit", old)?, world("new.wit", new)?);
    semver_check(resolve, old, new).map_err(|error| anyhow::anyhow!("{error:#}"))
}

#[test]
fn a_released_contract_is_what_it_was() -> Result<()> {
    for (version, digest) in RELEASED {
        let bytes = fs::read(released(version))?;
        let found: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        ensure!(
            found == *digest,
            "plugins/wit/released/{version}.wit was changed"
        );
    }
    let files = fs::read_dir(root().join("plugins/wit/released"))?.count();
    ensure!(
        files == RELEASED.len(),
        "{files} files, {} rows",
        RELEASED.len()
    );
    Ok(())
}

#[test]
fn the_contract_keeps_every_plugin_that_was_built_for_its_line() -> Result<()> {
    let contract = contract()?;
    let version = version_of(&contract)?;
    if RELEASED.iter().any(|(released, _)| *released == version) {
        let was = fs::read_to_string(released(version))?;
        ensure!(
            contract == was,
            "correction.wit differs from the released {version}: give it a new version"
        );
        return Ok(());
    }
    let line = version.rsplit_once('.').context("three numbers")?.0;
    for (older, _) in RELEASED {
        if older.rsplit_once('.').is_some_and(|(its, _)| its == line) {
            fits(&fs::read_to_string(released(older))?, &contract)
                .with_context(|| format!("plugins built for {older} do not fit {version}"))?;
        }
    }
    Ok(())
}

#[test]
fn an_enum_that_grows_or_a_field_that_is_added_locks_plugins_out_and_a_log_function_does_not()
-> Result<()> {
    let old = contract()?;
    let version = version_of(&old)?;
    let (line, patch) = version.rsplit_once('.').context("three numbers")?;
    let next = format!("@{line}.{};", patch.parse::<u32>()? + 1);
    let newer = old.replacen(&format!("@{version};"), &next, 1);
    ensure!(newer != old, "the version is replaced");
    fits(&old, &newer)?;
    let changed = |from: &str, to: &str| -> Result<String> {
        ensure!(newer.contains(from), "the contract says {from}");
        Ok(newer.replacen(from, to, 1))
    };
    let allowed = changed(
        "log: func(level: level, message: string);",
        "log: func(level: level, message: string);\n    flush: func();",
    )?;
    fits(&old, &allowed)?;
    for (from, to) in [
        (
            "enum scale { linear, logarithmic }",
            "enum scale { linear, logarithmic, cubic }",
        ),
        (
            "record choice { id: string, label: string }",
            "record choice { id: string }",
        ),
        ("latency: func() -> u32;", "latency: func() -> u64;"),
        (
            "report: func() -> report;",
            "report: func() -> report;\n        reset: func();",
        ),
    ] {
        if fits(&old, &changed(from, to)?).is_ok() {
            bail!("\"{from}\" became \"{to}\", and nobody noticed");
        }
    }
    Ok(())
}

/// `RETAKE_WRITE_DOCS=1` writes it anew.
#[test]
fn the_reference_says_what_the_contract_says() -> Result<()> {
    let mut resolve = BindgenResolve::default();
    let package = resolve
        .push_str("correction.wit", &contract()?)
        .map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let world = resolve
        .select_world(&[package], Some("plugin"))
        .map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let mut files = Files::default();
    wit_bindgen_markdown::Opts::default()
        .build()
        .generate(&mut resolve, world, &mut files)
        .map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let (_, page) = files
        .iter()
        .find(|(name, _)| *name == "plugin.md")
        .context("a page in Markdown")?;
    let page = format!(
        "<!-- Written by tests/it/contract.rs from plugins/wit/correction.wit: RETAKE_WRITE_DOCS=1. -->\n\n\
         What each function must do, word for word. How to write a plugin: [plugins.md](plugins.md).\n\n{}\n",
        std::str::from_utf8(page)?.trim_end()
    );
    let path = root().join(REFERENCE);
    if std::env::var_os("RETAKE_WRITE_DOCS").is_some() {
        fs::write(&path, &page)?;
    }
    ensure!(
        fs::read_to_string(&path).is_ok_and(|written| written == page),
        "{REFERENCE} is not what the contract says; write it anew with RETAKE_WRITE_DOCS=1"
    );
    Ok(())
}
