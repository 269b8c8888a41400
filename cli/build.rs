//! Links the program to a fixed place in memory. One that can lie anywhere has 73,000 addresses in it that are
//! put right whenever it starts, which costs a millisecond and 1.5 MB of pages, and a child of it is
//! started for every job.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
