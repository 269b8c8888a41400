//! Which program a child is, and what it is given.

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, Stdio},
};

/// How to start a child.
#[derive(Debug, Clone)]
pub struct ChildProgram {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
}

impl ChildProgram {
    /// This very program, in one of its hidden roles.
    pub fn this(role: &str) -> Self {
        Self {
            // Not its path: an upgrade may replace that file while we run, and a child of another
            // release speaks another language.
            program: "/proc/self/exe".into(),
            arguments: vec![role.into()],
        }
    }

    /// Ready to start: it hears nothing, and only its standard error is heard, where the caller does
    /// not say otherwise. Nothing of this process's environment goes in: it holds secrets, and foreign
    /// code runs there.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_child_is_given_nothing_of_this_environment() {
        let program = ChildProgram {
            program: "/usr/bin/env".into(),
            arguments: vec![],
        };
        assert!(std::env::vars().count() > 0, "this test has one itself");
        let child = program.command().stdout(Stdio::piped()).spawn().unwrap();
        let said = child.wait_with_output().unwrap();
        assert!(said.status.success());
        assert_eq!(String::from_utf8(said.stdout).unwrap(), "");
    }
}
