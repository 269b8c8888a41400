//! `retake plugin new`: a project that builds at once, with everything it needs inside.
//!
//! The SDK and the contract are written into the project: they belong to this program's version, and a
//! plugin's author needs neither our repository nor a registry that has the SDK.

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use rust_embed::RustEmbed;
use toml::{Table, Value};

use super::{CONTRACT, toolchains::Language};

const GUESTS: &str = include_str!("../../../../plugins/Cargo.toml");

#[derive(RustEmbed)]
#[folder = "templates"]
struct Templates;

#[derive(RustEmbed)]
#[folder = "../plugins/sdk"]
#[include = "Cargo.toml"]
#[include = "src/*.rs"]
struct Sdk;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The correction's name, and the folder that is made: a-z, 0-9 and -
    name: String,
    /// What it is written in
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
    /// Its id, reverse DNS, for ever [default: org.example.NAME]
    #[arg(long)]
    id: Option<String>,
}

#[allow(clippy::print_stdout)]
pub fn run(arguments: &Arguments) -> Result<()> {
    let name = Name::parse(&arguments.name)?;
    let id = match &arguments.id {
        Some(id) => checked_id(id)?,
        None => format!("org.example.{}", name.0),
    };
    let folder = PathBuf::from(&name.0);
    ensure!(
        !folder.exists(),
        "{} is there already; choose another name or remove it",
        folder.display()
    );
    write_project(&folder, &name, &id, arguments.lang)
        .with_context(|| format!("making {}", folder.display()))?;
    println!("{}: a correction in {}", folder.display(), arguments.lang);
    println!("next: cd {} && retake plugin build", folder.display());
    Ok(())
}

/// A correction's name: also a crate's, a file's and the last part of an id.
struct Name(String);

impl Name {
    const BYTES_MAX: usize = 64;

    fn parse(text: &str) -> Result<Self> {
        let fits = text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && text.len() <= Self::BYTES_MAX
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        ensure!(
            fits,
            "the name is \"{text}\"; it must be 1 to {} of a-z, 0-9 and -, begin with a letter and not end \
             with -",
            Self::BYTES_MAX
        );
        // What cargo would refuse, said before a folder is made.
        let taken = ["alloc", "core", "proc-macro", "std", "test"];
        let keyword = syn_keyword(text);
        if taken.contains(&text) || keyword {
            bail!("the name \"{text}\" means something to Rust; choose another");
        }
        Ok(Self(text.to_owned()))
    }

    /// `my-correction` as `My correction`.
    fn title(&self) -> String {
        let mut title = self.0.replace('-', " ");
        title[..1].make_ascii_uppercase();
        title
    }

    /// `my-correction` as `MyCorrection`.
    fn type_name(&self) -> String {
        let part = |part: &str| {
            let mut part = part.to_owned();
            if let Some(first) = part.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            part
        };
        self.0.split('-').map(part).collect()
    }
}

fn syn_keyword(text: &str) -> bool {
    const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else \
        enum extern false final fn for gen if impl in let loop macro match mod move mut override priv \
        pub ref return self static struct super trait true try type typeof unsafe unsized use virtual \
        where while yield";
    KEYWORDS.split_whitespace().any(|keyword| keyword == text)
}

fn checked_id(id: &str) -> Result<String> {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    ensure!(
        id.len() <= 128 && id.split('.').count() >= 2 && id.split('.').all(part),
        "--id is \"{id}\"; it must be reverse DNS of at least two parts of a-z, 0-9 and -, such as \
         org.example.gain"
    );
    Ok(id.to_owned())
}

fn write_project(folder: &Path, name: &Name, id: &str, language: Language) -> Result<()> {
    let filled = |text: &str| {
        text.replace("@NAME@", &name.0)
            .replace("@TITLE@", &name.title())
            .replace("@TYPE@", &name.type_name())
            .replace("@CRATE@", &name.0.replace('-', "_"))
            .replace("@ID@", id)
    };
    let templates = format!("{}/", language.folder());
    for path in Templates::iter() {
        let within = match path.strip_prefix(templates.as_str()) {
            Some(within) => within,
            None if !path.contains('/') => &path,
            None => continue,
        };
        let file = Templates::get(&path).expect("listed");
        let text = std::str::from_utf8(&file.data).expect("templates are text");
        // Under its own name git would take it for one of ours.
        let within = if within == "gitignore" {
            ".gitignore"
        } else {
            within
        };
        write(&folder.join(filled(within)), filled(text).as_bytes())?;
    }
    write(&folder.join("wit/correction.wit"), CONTRACT.as_bytes())?;
    if language == Language::Rust {
        write_sdk(&folder.join("sdk"))?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

fn write_sdk(folder: &Path) -> Result<()> {
    for path in Sdk::iter() {
        let file = Sdk::get(&path).expect("listed");
        let bytes = if path == "Cargo.toml" {
            let text = std::str::from_utf8(&file.data).expect("a manifest is text");
            Cow::Owned(standalone(text, GUESTS)?.into_bytes())
        } else {
            file.data
        };
        write(&folder.join(path.as_ref()), &bytes)?;
    }
    Ok(())
}

/// A crate's manifest with everything it inherits from its workspace written out.
fn standalone(manifest: &str, workspace: &str) -> Result<String> {
    let mut manifest: Table = manifest.parse()?;
    let workspace: Table = workspace.parse()?;
    let inherited = |table: &str, key: &str| {
        let value = workspace.get("workspace").and_then(|w| w.get(table));
        value
            .and_then(|values| values.get(key))
            .cloned()
            .with_context(|| format!("the workspace has no {table}.{key}"))
    };
    for (section, table) in [("package", "package"), ("dependencies", "dependencies")] {
        let Some(Value::Table(section)) = manifest.get_mut(section) else {
            continue;
        };
        for (key, value) in section.iter_mut() {
            if value.get("workspace").and_then(Value::as_bool) == Some(true) {
                *value = inherited(table, key)?;
            }
        }
    }
    // Our lints are not the author's.
    manifest.remove("lints");
    Ok(toml::to_string(&manifest)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_must_do_as_a_folder_a_crate_and_the_end_of_an_id() {
        for good in ["a", "soft-clip", "eq3"] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in [
            "", "A", "3eq", "-a", "a-", "a_b", "a/b", "fn", "test", &long,
        ] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_becomes_a_title_and_a_type() {
        let name = Name::parse("my-3rd-correction").unwrap();
        assert_eq!(name.title(), "My 3rd correction");
        assert_eq!(name.type_name(), "My3rdCorrection");
    }

    #[test]
    fn an_id_must_be_reverse_dns() {
        assert!(checked_id("org.example.soft-clip").is_ok());
        for bad in ["gain", "org..gain", "Org.example", "org.example.-a", ""] {
            assert!(checked_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_project_names_nothing_of_ours_and_leaves_no_gap_unfilled() {
        let place = tempfile::tempdir().unwrap();
        for language in [Language::Rust, Language::C, Language::Js, Language::Python] {
            let folder = place.path().join(language.folder());
            let name = Name::parse("my-correction").unwrap();
            write_project(&folder, &name, "org.example.my-correction", language).unwrap();
            let mut folders = vec![folder.clone()];
            let mut seen = Vec::new();
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() {
                        folders.push(path);
                        continue;
                    }
                    let bytes = fs::read(&path).unwrap();
                    let text = String::from_utf8_lossy(&bytes);
                    for gap in [
                        "@NAME@",
                        "@ID@",
                        "@TITLE@",
                        "@TYPE@",
                        "@CRATE@",
                        "workspace = true",
                    ] {
                        assert!(!text.contains(gap), "{}: {gap}", path.display());
                    }
                    seen.push(path.file_name().unwrap().to_owned());
                }
            }
            for file in ["README.md", ".gitignore", "chain.json", "correction.wit"] {
                assert!(seen.iter().any(|seen| seen == file), "{language}: {file}");
            }
        }
    }

    #[test]
    fn what_the_sdk_inherits_is_written_out() {
        let manifest = "[package]\nname = \"x\"\nversion.workspace = true\n[lints]\nworkspace = true\n\
                        [dependencies]\ny.workspace = true\nz = \"1\"\n";
        let workspace = "[workspace.package]\nversion = \"0.3.0\"\n[workspace.dependencies]\n\
                         y = { version = \"2\", features = [\"a\"] }\n";
        let written: Table = standalone(manifest, workspace).unwrap().parse().unwrap();
        assert_eq!(written["package"]["version"].as_str(), Some("0.3.0"));
        assert_eq!(written["dependencies"]["y"]["version"].as_str(), Some("2"));
        assert_eq!(written["dependencies"]["z"].as_str(), Some("1"));
        assert!(!written.contains_key("lints"));
        assert!(standalone(manifest, "[workspace.package]").is_err());
    }
}
