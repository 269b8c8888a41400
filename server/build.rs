//! Release builds carry `web/out` inside: rebuild when it changed, or when it was not there yet.
//! Debug builds read it when they start.

use std::{env, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = Path::new("../web/out");
    if out.is_dir() || env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed={}", out.display());
    }
}
