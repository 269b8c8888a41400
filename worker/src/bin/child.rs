//! The wall as a program of its own, for the tests of this crate; users have it as `retake child`.

fn main() -> std::process::ExitCode {
    retake_worker::child::child_main()
}
