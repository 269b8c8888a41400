//! What the documents say is so: the clients in docs/http-api.md work as they stand there, and
//! whatever docs/openapi.json allows is answered as it says.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use retake_tests::{
    client::{Client, Upload},
    fixture,
    process::Start,
    root,
};

/// The first block of that language in docs/http-api.md.
fn example(language: &str) -> Result<String> {
    let page = fs::read_to_string(root().join("docs/http-api.md"))?;
    let start = format!("```{language}\n");
    let (_, rest) = page.split_once(&start).context("there is an example")?;
    let (code, _) = rest.split_once("```").context("it ends")?;
    Ok(code.to_owned())
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

fn client(program: &str, language: &str, file: &str) -> Result<()> {
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join(file), example(language)?)?;
    let run = |recording: &Path| {
        let mut command = Command::new(program);
        command.arg(file).arg(recording).env("BASE", &retake.url);
        command.current_dir(folder.path()).output()
    };
    let output = run(&fixture("speech.flac"))?;
    ensure!(output.status.success(), "{}", told(&output));
    let corrected = fs::read(folder.path().join("corrected.flac"))?;
    ensure!(corrected.starts_with(b"fLaC"), "{} bytes", corrected.len());
    // What is no recording is no success.
    let output = run(&root().join("README.md"))?;
    ensure!(!output.status.success(), "{}", told(&output));
    Ok(())
}

#[test]
fn the_python_client_of_the_docs_gets_a_correction() -> Result<()> {
    client("python3", "python", "client.py")
}

#[test]
fn the_bash_client_of_the_docs_gets_a_correction() -> Result<()> {
    client("bash", "bash", "client.sh")
}

/// Operations that are left out: one ends the session that asks, one never ends, and two take a body of a
/// type that schemathesis cannot make.
const NOT_ASKED: [&str; 4] = [
    "appendUpload",
    "deleteSession",
    "streamEvents",
    "submitPlugin",
];

/// `scripts/schemathesis` installs it.
#[tokio::test]
async fn schemathesis_finds_no_error_of_the_server_and_no_answer_that_is_not_described()
-> Result<()> {
    let schemathesis = root().join(".cache/schemathesis/bin/schemathesis");
    ensure!(
        schemathesis.exists(),
        "{} is missing: run scripts/schemathesis",
        schemathesis.display()
    );
    let data = tempfile::tempdir()?;
    let retake = Start::new("up", data.path()).start()?;
    let client = Client::new(&retake.url).await?;
    // There is something to be found.
    let chain = r#"{"steps": [{"plugin": "gain"}]}"#;
    let upload = Upload::file(&fixture("speech.flac"))?.with("chain", chain);
    client.corrected(&upload).await?;

    let mut command = Command::new(schemathesis);
    command
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", retake.url))
        .args([
            "--header",
            &format!("Authorization: Bearer {}", client.token()),
        ])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,\
             response_headers_conformance,response_schema_conformance",
        ])
        .args(["--max-examples", "20", "--max-time", "60", "--seed", "1"])
        .args(["--generation-database", "none", "--workers", "2"])
        .args([
            "--continue-on-failure",
            "--no-color",
            "--suppress-health-check",
            "all",
        ]);
    for operation in NOT_ASKED {
        command.args(["--exclude-operation-id", operation]);
    }
    let output = command.current_dir(data.path()).output()?;
    ensure!(output.status.success(), "{}", told(&output));
    Ok(())
}
