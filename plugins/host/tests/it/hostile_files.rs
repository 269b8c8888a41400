//! Files that are no plugins: refused at the door, with words their author can use.

use retake_plugin_host::{HostError, WASM_BYTES_MAX};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use crate::hostile_plugins::{child_of_this_test, is_child};
use crate::rig::{built, cache};

const CONTRACT: &str = include_str!("../../../wit/correction.wit");

fn check_refused(file: &[u8], words: &str) {
    match cache().install(file) {
        Err(error @ (HostError::Refused { .. } | HostError::Manifest(_))) => {
            assert!(
                error.to_string().contains(words),
                "\"{error}\" does not say \"{words}\""
            );
        }
        Err(error) => panic!("{error}"),
        Ok(installed) => panic!(
            "installed as {}; expected \"{words}\"",
            installed.manifest.id
        ),
    }
}

/// A module that speaks the given contract and whose functions all trap.
fn speaking(contract: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("contract.wit", contract).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    module
}

#[test]
fn what_is_not_webassembly_is_called_that() {
    for file in [
        &b""[..],
        b"not wasm",
        b"(component)",
        b"\x7fELF\x02\x01\x01",
        &[0; 1000],
    ] {
        check_refused(file, "not a WebAssembly file");
    }
    check_refused(b"\0asm\x01\0\0\0trailing rubbish", "not valid WebAssembly");
    check_refused(&vec![0; WASM_BYTES_MAX + 1], "at most 67108864");
}

#[test]
fn webassembly_that_is_no_plugin_is_called_that() {
    check_refused(&wat::parse_str("(module)").unwrap(), "corrector");
    check_refused(&wat::parse_str("(component)").unwrap(), "corrector");
}

#[test]
fn a_foreign_import_is_named_with_its_remedy() {
    let module = |module: &str, name: &str| {
        wat::parse_str(format!("(module (import \"{module}\" \"{name}\" (func)))")).unwrap()
    };
    check_refused(
        &module("wasi_snapshot_preview1", "fd_write"),
        "wasi_snapshot_preview1.fd_write",
    );
    check_refused(
        &module("wasi_snapshot_preview1", "fd_write"),
        "wasm32-unknown-unknown",
    );
    check_refused(&module("env", "malloc"), "The linker found no definition");
    check_refused(&module("__wbindgen_placeholder__", "now"), "wasm-bindgen");
    check_refused(&module("elsewhere", "thing"), "imports elsewhere.thing");
    let component = "(component (import \"wasi:cli/environment@0.2.6\" (instance)))";
    check_refused(
        &wat::parse_str(component).unwrap(),
        "wasi:cli/environment@0.2.6",
    );
    check_refused(
        &wat::parse_str(component).unwrap(),
        "componentize-py --stub-wasi",
    );
}

#[test]
fn another_version_of_the_contract_is_named() {
    let later = CONTRACT.replace("retake:correction@0.1.2", "retake:correction@0.2.0");
    check_refused(
        &speaking(&later),
        "built for retake:correction/host-log@0.2.0",
    );
}

#[test]
fn every_released_contract_of_the_line_fits() {
    for released in [
        include_str!("../../../wit/released/0.1.0.wit"),
        include_str!("../../../wit/released/0.1.1.wit"),
        include_str!("../../../wit/released/0.1.2.wit"),
    ] {
        // It fits: what is wrong comes later.
        check_refused(&speaking(released), "cannot describe itself");
    }
}

#[test]
fn a_contract_changed_under_the_same_version_is_noticed() {
    for (from, to) in [
        (
            "enum scale { linear, logarithmic }",
            "enum scale { linear, logarithmic, quadratic }",
        ),
        (
            "record span { start: u64, frames: u64 }",
            "record span { start: u64, frames: u32 }",
        ),
        ("latency: func() -> u32;", "latency: func() -> u64;"),
    ] {
        assert!(CONTRACT.contains(from));
        let changed = CONTRACT.replace(from, to);
        check_refused(&speaking(&changed), "version 0.1.2 of the contract: ");
    }
}

#[test]
fn a_plugin_that_cannot_describe_itself_is_refused() {
    let module = speaking(CONTRACT);
    check_refused(&module, "cannot describe itself");
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .unwrap()
        .encode()
        .unwrap();
    check_refused(&component, "cannot describe itself");
}

#[test]
fn every_broken_rule_of_a_manifest_is_named() {
    let unfit = built("test-plugins/unfit");
    for field in [
        "id: \"nothing like reverse DNS\"",
        "name: 0 bytes",
        "version: \"1\"",
        "params[0].id: \"Twice Over\"",
        "params[1].id: \"Twice Over\" is used twice",
        "not all are finite",
        "params[2].default: \"b\"",
        "passes: neither",
        "4000 Hz",
        "block_quantum: 0",
    ] {
        check_refused(&unfit, field);
    }
}

#[test]
fn a_truncated_plugin_is_refused() {
    let gain = built("plugins/gain");
    for tenth in 1..10 {
        let cut = gain.len() * tenth / 10;
        assert!(
            cache().install(&gain[..cut]).is_err(),
            "{cut} of {} bytes",
            gain.len()
        );
    }
}

/// In a child: a flipped bit can make an endless loop, which is for the deadline of whoever
/// installs.
#[test]
fn a_plugin_with_flipped_bits_never_harms_the_host() {
    if is_child() {
        retake_plugin_host::limit_compile().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cache = retake_plugin_host::Cache::open(folder.path()).unwrap();
        let gain = built("plugins/gain");
        let mut refused = 0;
        for flip in 0..60u64 {
            let spread = flip.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let bit = spread as usize % (gain.len() * 8);
            let mut flipped = gain.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            refused += u32::from(cache.install(&flipped).is_err());
        }
        println!("\nrefused {refused} of 60");
        return;
    }
    let name = "hostile_files::a_plugin_with_flipped_bits_never_harms_the_host";
    let output = child_of_this_test(name).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let refused = said
        .lines()
        .find_map(|line| line.strip_prefix("refused ")?.strip_suffix(" of 60"));
    let refused: u32 = refused.expect("how many were refused").parse().unwrap();
    // Most bits are code, and most code with another bit in it is none. What is still valid may run.
    assert!(refused >= 20, "{said}");
}
