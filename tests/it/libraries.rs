//! What we take from others: under licences that go with ours, and only what is used.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use retake_tests::root;
use serde_json::Value;

/// All of these let a program under MIT or Apache-2.0 be given away, as it is or with changes of
/// ours; MPL-2.0 asks for changes of its own files, of which we make none.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

const WORKSPACES: [&str; 2] = ["Cargo.toml", "plugins/Cargo.toml"];

/// What cargo knows of a workspace and of all that it is built from on this kind of machine.
fn metadata(manifest: &str) -> Result<Value> {
    let version = Command::new("rustc").arg("-vV").output()?;
    let version = String::from_utf8(version.stdout)?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc names its host")?;
    let output = Command::new("cargo")
        .args(["metadata", "--locked", "--format-version", "1"])
        .args(["--filter-platform", host, "--manifest-path"])
        .arg(root().join(manifest))
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn packages(metadata: &Value) -> Result<&Vec<Value>> {
    metadata["packages"].as_array().context("packages")
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("a text")
}

/// Whether one may choose only licences of the list: SPDX, and the `/` of before.
fn is_allowed(expression: &str) -> Result<bool> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().collect::<Vec<_>>();
    words.reverse();
    let allowed = any_of(&mut words)?;
    ensure!(words.is_empty(), "{expression} goes on behind its end");
    Ok(allowed)
}

/// `AND` binds closer than `OR`. The words are in reverse, the next at the end.
fn any_of(words: &mut Vec<&str>) -> Result<bool> {
    let mut allowed = all_of(words)?;
    while words.pop_if(|word| *word == "OR").is_some() {
        allowed |= all_of(words)?;
    }
    Ok(allowed)
}

fn all_of(words: &mut Vec<&str>) -> Result<bool> {
    let mut allowed = one(words)?;
    while words.pop_if(|word| *word == "AND").is_some() {
        allowed &= one(words)?;
    }
    Ok(allowed)
}

fn one(words: &mut Vec<&str>) -> Result<bool> {
    match words.pop() {
        Some("(") => {
            let allowed = any_of(words)?;
            ensure!(words.pop() == Some(")"), "a bracket is not closed");
            Ok(allowed)
        }
        Some(licence) if !matches!(licence, ")" | "AND" | "OR" | "WITH") => {
            let mut licence = licence.to_owned();
            if words.pop_if(|word| *word == "WITH").is_some() {
                let exception = words.pop().context("an exception")?;
                licence = format!("{licence} WITH {exception}");
            }
            Ok(LICENCES.contains(&licence.as_str()))
        }
        other => bail!("{other:?} where a licence belongs"),
    }
}

#[test]
fn a_licence_is_allowed_where_a_choice_leads_to_the_list_alone() -> Result<()> {
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only/MIT", true),
        ("GPL-3.0-only AND MIT", false),
        ("(MIT OR GPL-3.0-only) AND Unicode-3.0", true),
        ("MIT OR (GPL-3.0-only AND ISC)", true),
        ("GPL-3.0-only AND MIT OR AGPL-3.0-only", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("GPL-3.0-only WITH Classpath-exception-2.0", false),
    ] {
        ensure!(is_allowed(expression)? == expected, "{expression}");
    }
    for broken in ["", "MIT OR", "(MIT", "MIT MIT", "MIT WITH"] {
        ensure!(is_allowed(broken).is_err(), "{broken:?}");
    }
    Ok(())
}

#[test]
fn every_library_is_under_a_licence_that_goes_with_ours_and_ours_lie_in_full() -> Result<()> {
    let mut refused = Vec::new();
    for workspace in WORKSPACES {
        let metadata = metadata(workspace)?;
        for package in packages(&metadata)? {
            let name = text(&package["name"])?;
            let Some(licence) = package["license"].as_str() else {
                refused.push(format!("{name} names no licence"));
                continue;
            };
            if !is_allowed(licence).with_context(|| name.to_owned())? {
                refused.push(format!("{name} is under {licence}"));
            }
            if package["source"].is_null() {
                // Beside weights of others there may be theirs too.
                let is_ours = licence.contains("MIT OR Apache-2.0");
                ensure!(is_ours, "{name} is ours: {licence}");
            }
        }
    }
    ensure!(refused.is_empty(), "{refused:#?}");
    for (file, words) in [
        (
            "LICENSE-MIT",
            "Permission is hereby granted, free of charge",
        ),
        ("LICENSE-APACHE", "Version 2.0, January 2004"),
    ] {
        let licence = fs::read_to_string(root().join(file)).context(file)?;
        ensure!(licence.contains(words), "{file} is another text");
    }
    Ok(())
}

/// Every source of a crate: what lies in its folder, and what that takes in from elsewhere.
fn sources(folder: &Path) -> Result<String> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "*.rs",
        ])
        .current_dir(folder)
        .output()?;
    let mut files: Vec<PathBuf> = String::from_utf8(listed.stdout)?
        .lines()
        .map(|file| folder.join(file))
        .filter(|file| file.exists())
        .collect();
    let mut all = String::new();
    let mut seen = BTreeSet::new();
    while let Some(file) = files.pop() {
        let file = file.canonicalize()?;
        if !seen.insert(file.clone()) {
            continue;
        }
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let beside = file.parent().context("a folder")?;
        let paths = text
            .split("#[path = \"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        for taken in paths.map(|path| beside.join(path)) {
            // A module's folder comes with it.
            let module = taken.parent().context("a folder")?;
            for entry in fs::read_dir(module)? {
                let path = entry?.path();
                if path.extension().is_some_and(|ending| ending == "rs") {
                    files.push(path);
                }
            }
        }
        all.push_str(&text);
    }
    Ok(all)
}

fn names(source: &str, library: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    source.match_indices(library).any(|(at, _)| {
        !is_letter(source[..at].chars().next_back())
            && !is_letter(source[at + library.len()..].chars().next())
    })
}

#[test]
fn every_dependency_is_named_in_the_source_of_the_crate_that_has_it() -> Result<()> {
    let mut unused = Vec::new();
    for workspace in WORKSPACES {
        let metadata = metadata(workspace)?;
        let all = packages(&metadata)?;
        // A library may be called otherwise than its package: `md5` of `md-5`.
        let mut called = BTreeMap::new();
        for package in all {
            let targets = package["targets"].as_array().context("targets")?;
            let is_library =
                |kind: &Value| matches!(kind.as_str(), Some("lib" | "rlib" | "proc-macro"));
            let library = targets.iter().find(|target| {
                let kinds = target["kind"].as_array();
                kinds.is_some_and(|kinds| kinds.iter().any(is_library))
            });
            if let Some(library) = library {
                let name = text(&library["name"])?.replace('-', "_");
                called.insert(text(&package["name"])?, name);
            }
        }
        for package in all.iter().filter(|package| package["source"].is_null()) {
            let manifest = Path::new(text(&package["manifest_path"])?);
            let source = sources(manifest.parent().context("a folder")?)?;
            for dependency in package["dependencies"].as_array().context("a list")? {
                let name = text(&dependency["name"])?;
                let own = dependency["rename"]
                    .as_str()
                    .map(|name| name.replace('-', "_"));
                // One of another kind of machine is not known here.
                let Some(library) = own.or_else(|| called.get(name).cloned()) else {
                    continue;
                };
                if !names(&source, &library) {
                    unused.push(format!("{} has {name}", text(&package["name"])?));
                }
            }
        }
    }
    ensure!(unused.is_empty(), "nothing names: {unused:#?}");
    Ok(())
}
