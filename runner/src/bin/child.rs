//! The wall as a program of its own, for the tests of this crate; users have it as `retake child`.

use std::process::ExitCode;

fn main() -> ExitCode {
    retake_runner::audio_work::child_main()
}
