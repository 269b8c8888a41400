//! A small disk that can be filled to its last byte, also by root: a file system in memory.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use rustix::fs::{FallocateFlags, fallocate, statvfs};

const BALLAST: &str = "ballast";

pub struct Disk {
    pub path: PathBuf,
    mounted: bool,
}

impl Disk {
    /// A folder, on a disk of its own where that is permitted.
    pub fn new(path: PathBuf, bytes: u64, mount: bool) -> Result<Self> {
        fs::create_dir(&path)?;
        if mount {
            ensure!(
                mounted(&path, bytes),
                "{} cannot be mounted",
                path.display()
            );
        }
        Ok(Self {
            path,
            mounted: mount,
        })
    }

    /// Whether this process may have such disks at all.
    pub fn can_be_mounted(at: &Path) -> bool {
        let tried = at.join("tried");
        let there = fs::create_dir(&tried).is_ok() && mounted(&tried, 1 << 20);
        if there {
            unmount(&tried);
        }
        there
    }

    /// Leaves no room at all. What others then give back they may have again.
    pub fn fill(&self) -> Result<()> {
        let ballast = File::options()
            .create(true)
            .append(true)
            .open(self.path.join(BALLAST))
            .context("ballast")?;
        loop {
            let disk = statvfs(&self.path)?;
            let room = disk.f_bavail.saturating_mul(disk.f_frsize);
            if room == 0 {
                return Ok(());
            }
            let end = ballast.metadata()?.len();
            // Others take room at the same time.
            if fallocate(&ballast, FallocateFlags::empty(), end, room).is_err() {
                let page = disk.f_frsize;
                let _ = fallocate(&ballast, FallocateFlags::empty(), end, page);
            }
        }
    }

    pub fn clear(&self) {
        let _ = fs::remove_file(self.path.join(BALLAST));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            unmount(&self.path);
        }
    }
}

fn mounted(at: &Path, bytes: u64) -> bool {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o"]);
    mount.arg(format!("size={bytes},mode=700"));
    mount.arg("retake-chaos").arg(at);
    mount.output().is_ok_and(|done| done.status.success())
}

fn unmount(at: &Path) {
    // Whoever still has a file open there keeps it from nobody.
    let _ = Command::new("umount").arg("--lazy").arg(at).output();
}
