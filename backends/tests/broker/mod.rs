//! A RabbitMQ for tests: the one the environment names, or a private node of our own.

#![allow(dead_code)] // each test binary uses its part

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tokio::sync::OnceCell;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/test-broker");

/// A node of our own. It is stopped when this process ends, however it ends.
pub struct Node {
    pub address: String,
    folder: PathBuf,
}

/// The broker all tests of this binary share.
pub async fn shared_address() -> &'static str {
    static ADDRESS: OnceCell<String> = OnceCell::const_new();
    ADDRESS
        .get_or_init(|| async {
            match std::env::var("RETAKE_TEST_AMQP_URL") {
                Ok(address) => address,
                Err(_) => Node::start().await.address.clone(),
            }
        })
        .await
}

impl Node {
    pub async fn start() -> Self {
        tokio::task::spawn_blocking(Self::start_blocking)
            .await
            .expect("starting does not panic")
    }

    fn start_blocking() -> Self {
        // Not removed here: the node writes to it until the very end; the stop below removes it.
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        stop_when_this_process_ends(&folder);
        let output = run(&folder, "start", &[]);
        let address = output.lines().last().unwrap_or_default().to_owned();
        Self { address, folder }
    }

    /// `rabbitmqctl` against the node.
    pub async fn ctl(&self, arguments: &[&str]) -> String {
        self.script("ctl", arguments).await
    }

    /// As by a crash: SIGKILL, and then a start with the same files and ports.
    pub async fn crash_and_restart(&self) {
        self.script("restart", &["--kill"]).await;
    }

    async fn script(&self, command: &'static str, arguments: &[&str]) -> String {
        let folder = self.folder.clone();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let ran = tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run(&folder, command, &arguments)
        });
        ran.await.expect("the script runs")
    }
}

fn run(folder: &Path, command: &str, arguments: &[&str]) -> String {
    let output = Command::new(SCRIPT)
        .arg(command)
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| {
            panic!("RabbitMQ tests need {SCRIPT}, which does not run: {error}")
        });
    assert!(
        output.status.success(),
        "RabbitMQ tests need a broker: set RETAKE_TEST_AMQP_URL to one, or install rabbitmq-server \
         so that scripts/test-broker can start it. It said on {command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("the script prints text")
}

/// Tests have no common end to stop a node at. A shell that waits for the end of our pipe has.
#[allow(clippy::zombie_processes)] // it outlives us
fn stop_when_this_process_ends(folder: &Path) {
    let mut shell = Command::new("sh")
        .arg("-c")
        .arg(r#"trap '' INT TERM; read -r _; read -r _; "$0" stop "$1"; rm -rf "$1""#)
        .arg(SCRIPT)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let mut pipe = shell.stdin.take().expect("it was piped");
    let _ = writeln!(pipe);
    // Open until the process ends.
    std::mem::forget(pipe);
}
