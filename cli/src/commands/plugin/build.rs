//! `retake plugin build`: from the sources in a folder to one file that can be handed over.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::toolchains::{self, Language};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The project's folder
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Where the plugin goes [default: NAME.wasm in the project's folder]
    #[arg(short, long)]
    output: Option<PathBuf>,
}

#[allow(clippy::print_stdout)]
pub fn run(arguments: &Arguments) -> Result<()> {
    let folder = fs::canonicalize(&arguments.folder)
        .with_context(|| arguments.folder.display().to_string())?;
    let language = Language::of_project(&folder)?;
    let built = toolchains::compile(language, &folder)?;
    let wasm = fs::read(&built).with_context(|| built.display().to_string())?;
    let component = retake_plugin_host::componentize(&wasm)?;
    let output = arguments
        .output
        .clone()
        .unwrap_or_else(|| place(&arguments.folder, &folder));
    // Whole or not at all: a check that runs meanwhile reads the old one.
    let beside = output.with_extension("wasm.new");
    fs::write(&beside, &component).with_context(|| beside.display().to_string())?;
    fs::rename(&beside, &output).with_context(|| output.display().to_string())?;
    println!(
        "{}: {} KiB",
        output.display(),
        component.len().div_ceil(1024)
    );
    println!("next: retake plugin check {}", output.display());
    Ok(())
}

fn place(given: &Path, folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or("plugin".as_ref());
    let file = Path::new(name).with_extension("wasm");
    if given == Path::new(".") {
        file
    } else {
        given.join(file)
    }
}
