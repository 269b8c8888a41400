//! Disks that cannot be synced: a library in front of the system's own, and a file that tells it when.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use rustix::io::Errno;

/// For the processes that were started with its environment.
pub struct Syncs {
    library: PathBuf,
    told: PathBuf,
}

impl Syncs {
    /// Compiles the library into that folder, with the compiler that the program's SQLite needs too.
    pub fn new(folder: &Path) -> Result<Self> {
        let (source, library) = (folder.join("syncs.c"), folder.join("libsyncs.so"));
        fs::write(&source, include_str!("syncs.c"))?;
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]);
        let compiled = compiler.arg(&library).arg(&source).arg("-ldl").status();
        ensure!(
            compiled.context("cc")?.success(),
            "syncs.c does not compile"
        );
        let syncs = Self {
            library,
            told: folder.join("syncs"),
        };
        syncs.work()?;
        Ok(syncs)
    }

    /// What to start processes with. `also` is another library that stands in front.
    pub fn environment(&self, also: Option<&str>) -> [(&'static str, String); 2] {
        let ours = self.library.display().to_string();
        let libraries = also.map_or(ours.clone(), |also| format!("{also}:{ours}"));
        let told = self.told.display().to_string();
        [("LD_PRELOAD", libraries), ("RETAKE_TEST_SYNCS", told)]
    }

    pub fn fail(&self, error: Errno) -> Result<()> {
        self.tell(&error.raw_os_error().to_string())
    }

    pub fn work(&self) -> Result<()> {
        self.tell("")
    }

    /// Nobody reads half of it.
    fn tell(&self, what: &str) -> Result<()> {
        let new = self.told.with_extension("new");
        fs::write(&new, what)?;
        Ok(fs::rename(new, &self.told)?)
    }
}
