//! The children that users have as roles of `retake`.

use retake_child::ChildProgram;

pub use crate::stand_ins::*;

/// The child that users have as `retake child`.
pub fn real_child() -> ChildProgram {
    ChildProgram {
        program: env!("CARGO_BIN_EXE_retake-worker-child").into(),
        arguments: vec![],
    }
}

/// The child that users have as `retake install-plugin`.
pub fn real_installer() -> ChildProgram {
    ChildProgram {
        arguments: vec!["install-plugin".into()],
        ..real_child()
    }
}

/// The child that users have as `retake check-plugin`.
pub fn real_checker() -> ChildProgram {
    ChildProgram {
        program: real_child().program,
        arguments: vec!["check-plugin".into()],
    }
}
