//! What ARCHITECTURE.md says is what the code is.

use std::{collections::BTreeSet, fs, process::Command};

use anyhow::{Context, Result, ensure};
use retake_tests::root;

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| path.to_owned())
}

/// The folders of the workspace's crates.
fn crates() -> Result<BTreeSet<String>> {
    let manifest: toml::Table = read("Cargo.toml")?.parse()?;
    let members = manifest["workspace"]["members"]
        .as_array()
        .context("members")?;
    let folder = |member: &toml::Value| member.as_str().map(str::to_owned);
    members
        .iter()
        .map(|member| folder(member).context("a folder's name"))
        .collect()
}

/// The crate's dependencies on ours and on the libraries that stand behind one door.
fn dependencies(manifest: &str) -> Result<BTreeSet<String>> {
    let manifest: toml::Table = read(manifest)?.parse()?;
    // A crate that needs nothing has no such table.
    let table = manifest
        .get("dependencies")
        .and_then(|table| table.as_table());
    Ok(table
        .into_iter()
        .flat_map(|table| table.keys().cloned())
        .collect())
}

/// Rows of the dependency table: (crate's folder, what of ours it uses).
fn table() -> Result<Vec<(String, BTreeSet<String>)>> {
    let text = read("ARCHITECTURE.md")?;
    let section = text
        .split("## Who may know whom")
        .nth(1)
        .context("the section")?;
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let uses = cells[1]
                .split(',')
                .map(|name| name.trim().trim_matches('`').to_owned());
            let uses = uses.filter(|name| name.as_str() != "-").collect();
            Ok((cells[0].trim_matches('`').to_owned(), uses))
        })
        .collect()
}

#[test]
fn each_crate_uses_just_the_crates_that_the_table_gives_it() -> Result<()> {
    let rows = table()?;
    let listed: BTreeSet<_> = rows.iter().map(|(folder, _)| folder.clone()).collect();
    let crates = crates()?;
    ensure!(
        listed == crates,
        "the workspace has {crates:?}; ARCHITECTURE.md's table lists {listed:?}"
    );
    for (folder, allowed) in rows {
        let ours: BTreeSet<String> = dependencies(&format!("{folder}/Cargo.toml"))?
            .iter()
            .filter(|name| name.starts_with("retake-"))
            .map(|name| name.trim_start_matches("retake-").to_owned())
            .collect();
        ensure!(
            ours == allowed,
            "{folder} uses {ours:?}; ARCHITECTURE.md says {allowed:?}"
        );
    }
    Ok(())
}

/// Crates that are compiled in workspaces of their own, by their folders; the page names each.
const GUESTS: [&str; 5] = [
    "plugins/sdk",
    "plugins/lib/",
    "plugins/corrections/",
    "plugins/test/",
    "audio/fuzz",
];

#[test]
fn no_crate_stands_outside_the_table() -> Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .arg("*Cargo.toml")
        .current_dir(root())
        .output()?;
    let rows = table()?;
    let page = read("ARCHITECTURE.md")?;
    for guests in GUESTS {
        ensure!(
            page.contains(&format!("`{guests}")),
            "the page does not name {guests}"
        );
    }
    for manifest in String::from_utf8(listed.stdout)?.lines() {
        let Some(folder) = manifest.strip_suffix("/Cargo.toml") else {
            continue;
        };
        // A template names its crate only when somebody makes a plugin of it.
        let is_crate = read(manifest)?
            .parse::<toml::Table>()
            .is_ok_and(|manifest| manifest.contains_key("package"));
        let is_guest = GUESTS.iter().any(|guests| folder.starts_with(guests));
        let is_listed = rows.iter().any(|(listed, _)| listed == folder);
        ensure!(
            !is_crate || is_guest || is_listed || folder.contains("/templates/"),
            "{folder} is a crate, and ARCHITECTURE.md's table does not list it"
        );
    }
    Ok(())
}

#[test]
fn each_library_stands_behind_its_one_door() -> Result<()> {
    let doors: &[(&str, &[&str])] = &[
        ("symphonia", &["audio"]),
        ("rubato", &["audio"]),
        ("opus-pure", &["audio"]),
        ("rusty_aac", &["audio"]),
        ("lewton", &["audio"]),
        ("wasmtime", &["plugins/host"]),
        ("lapin", &["backends"]),
        ("rusqlite", &["backends"]),
        ("reqwest", &["outgoing", "runner", "cli", "tests"]),
        ("warp", &["server"]),
    ];
    let crates = crates()?;
    for (library, allowed) in doors {
        for folder in &crates {
            let uses = dependencies(&format!("{folder}/Cargo.toml"))?.contains(*library);
            ensure!(
                uses == allowed.contains(&folder.as_str()),
                "{folder} and {library}: uses it: {uses}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_page_names_only_what_exists_and_its_map_every_top_level_folder() -> Result<()> {
    let text = read("ARCHITECTURE.md")?;
    let map = text.split("## Code map").nth(1).context("the section")?;
    let map = map.split("\n## ").next().unwrap_or_default();
    for name in text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.contains('/'))
    {
        ensure!(
            root().join(name).exists(),
            "the page names {name}, which is not there"
        );
    }
    let listed = Command::new("git")
        .args(["ls-tree", "--name-only", "-d", "HEAD"])
        .current_dir(root())
        .output()?;
    for folder in String::from_utf8(listed.stdout)?
        .lines()
        .filter(|name| !name.starts_with('.'))
    {
        ensure!(
            map.contains(&format!("`{folder}/")),
            "the code map does not name {folder}/"
        );
    }
    Ok(())
}

#[test]
fn no_source_file_grows_past_what_a_reader_takes_in() -> Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "*.rs"])
        .current_dir(root())
        .output()?;
    for file in String::from_utf8(listed.stdout)?.lines() {
        let lines = read(file)?.lines().count();
        ensure!(
            lines <= 620,
            "{file} has {lines} lines; past 600 a file wants a reason"
        );
    }
    Ok(())
}
