//! A RabbitMQ node of the test's own, which it may break.

use std::process::Command;

use anyhow::{Result, ensure};

pub struct Broker {
    folder: tempfile::TempDir,
    pub url: String,
}

impl Broker {
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = script(&folder, &["start"])?;
        Ok(Self { folder, url })
    }

    /// SIGKILL, then up again on the same port.
    pub fn kill_and_restart(&self) -> Result<()> {
        script(&self.folder, &["restart", "--kill"]).map(drop)
    }

    /// What `rabbitmqctl` prints.
    pub fn ctl(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["ctl"];
        all.extend(arguments);
        script_all(&self.folder, &all)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = script(&self.folder, &["stop"]);
    }
}

/// The last line, which is the address where there is one.
fn script(folder: &tempfile::TempDir, arguments: &[&str]) -> Result<String> {
    let printed = script_all(folder, arguments)?;
    Ok(printed.lines().last().unwrap_or_default().to_owned())
}

fn script_all(folder: &tempfile::TempDir, arguments: &[&str]) -> Result<String> {
    let output = Command::new(crate::root().join("scripts/test-broker"))
        .arg(arguments[0])
        .arg(folder.path())
        .args(&arguments[1..])
        .output()?;
    ensure!(
        output.status.success(),
        "test-broker {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
