//! Files that are plugins by their form and do nothing but harm when they are installed: loops where
//! no parameter can start one, and code made to exhaust the compiler. All in a child, as every
//! installation is.

use std::{
    os::unix::process::ExitStatusExt,
    process::Child,
    time::{Duration, Instant},
};

use retake_plugin_host::{Cache, limit_compile};
use rustix::process::{Resource, Rlimit, setrlimit};
use wasmparser::{CompositeInnerType, ExternalKind, Parser, Payload, TypeRef, ValType};
use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use crate::hostile_plugins::{child_of_this_test, cpu_ticks, is_child};

const CONTRACT: &str = include_str!("../../../wit/correction.wit");
const LOOP: &str = "(loop (br 0)) unreachable";

/// A module with all exports of the contract and nothing else. Functions do what `body` says for
/// their name; `rest` stands beside them.
fn plugin(body: impl Fn(&str) -> String, rest: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("contract.wit", CONTRACT).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    let dummy = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    let functions: String = exports(&dummy)
        .into_iter()
        .map(|(name, params, results)| {
            // Called before anything else; what happens at the start is for `rest` to say.
            let body = match name.as_str() {
                "_initialize" => String::new(),
                name => body(name),
            };
            format!("(func (export \"{name}\") (param {params}) (result {results}) {body})\n")
        })
        .collect();
    let text = format!("(module (memory (export \"memory\") 1)\n{functions}{rest})");
    let mut module = wat::parse_str(text.replace("(result )", "").replace("(param )", "")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    module
}

/// Name, parameters and results of each exported function, as they are written in text.
fn exports(module: &[u8]) -> Vec<(String, String, String)> {
    let (mut types, mut functions, mut named) = (Vec::new(), Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group.unwrap().into_types() {
                        let CompositeInnerType::Func(ty) = ty.composite_type.inner else {
                            panic!("{ty:?}");
                        };
                        types.push((text(ty.params()), text(ty.results())));
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Func(ty) = import.unwrap().ty {
                        functions.push(ty);
                    }
                }
            }
            Payload::FunctionSection(section) => {
                functions.extend(section.into_iter().map(Result::unwrap));
            }
            Payload::ExportSection(section) => {
                for export in section.into_iter().map(Result::unwrap) {
                    if export.kind == ExternalKind::Func {
                        named.push((export.name.to_owned(), export.index));
                    }
                }
            }
            _ => {}
        }
    }
    named
        .into_iter()
        .map(|(name, index)| {
            let (params, results) = types[functions[index as usize] as usize].clone();
            (name, params, results)
        })
        .collect()
}

fn text(types: &[ValType]) -> String {
    types.iter().map(|ty| format!("{ty} ")).collect()
}

fn install_in_child(plugin: &[u8]) {
    limit_compile().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    match cache.install(plugin) {
        Ok(installed) => println!("\ninstalled {}", installed.manifest.id),
        Err(error) => println!("\nrefused: {error}"),
    }
}

/// It works, for a second of CPU time, and ends when it is killed: nothing else would end it soon.
fn check_endless(mut child: Child) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while cpu_ticks(&child) < 100 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(Instant::now() < deadline, "it does not run");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
fn a_module_made_so_is_a_plugin_by_its_form() {
    if is_child() {
        return install_in_child(&plugin(|_| "unreachable".into(), ""));
    }
    let name = "hostile_installs::a_module_made_so_is_a_plugin_by_its_form";
    let said = child_of_this_test(name).wait_with_output().unwrap().stdout;
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("cannot describe itself"), "{said}");
}

#[test]
fn an_endless_loop_in_describe_ends_with_the_installing_process() {
    if is_child() {
        return install_in_child(&plugin(|_| LOOP.into(), ""));
    }
    let name = "hostile_installs::an_endless_loop_in_describe_ends_with_the_installing_process";
    check_endless(child_of_this_test(name));
}

#[test]
fn an_endless_loop_at_the_start_ends_with_the_installing_process() {
    if is_child() {
        let start = format!("(func $start {LOOP}) (start $start)");
        return install_in_child(&plugin(|_| "unreachable".into(), &start));
    }
    let name = "hostile_installs::an_endless_loop_at_the_start_ends_with_the_installing_process";
    check_endless(child_of_this_test(name));
}

/// Short loops over two thousand locals that are all alive: the register allocator's nightmare.
fn compile_bomb() -> Vec<u8> {
    const LOCALS: usize = 2_000;
    const LOOPS: usize = 20_000;
    let locals = "i64 ".repeat(LOCALS);
    let loops: String = (0..LOOPS)
        .map(|n| {
            let (a, b, c) = (n % LOCALS, (n * 7 + 1) % LOCALS, (n * 13 + 5) % LOCALS);
            format!(
                "(loop (local.set {a} (i64.add (local.get {b}) (local.get {c}))) \
                 (br_if 0 (i64.eqz (local.get {a}))))\n"
            )
        })
        .collect();
    let sum: String = (0..LOCALS)
        .map(|n| format!("(local.get {n}) i64.add "))
        .collect();
    let bomb =
        format!("(func (export \"bomb\") (result i64) (local {locals}) {loops} i64.const 0 {sum})");
    plugin(|_| "unreachable".into(), &bomb)
}

#[test]
fn a_compile_bomb_dies_of_the_limits_of_its_child() {
    if is_child() {
        // A third of what an installation may have, for the sake of whoever waits for this test.
        for (resource, bound) in [(Resource::As, 512 << 20), (Resource::Cpu, 20)] {
            let limit = Rlimit {
                current: Some(bound),
                maximum: Some(bound),
            };
            setrlimit(resource, limit).unwrap();
        }
        return install_in_child(&compile_bomb());
    }
    let bomb = compile_bomb();
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    let name = "hostile_installs::a_compile_bomb_dies_of_the_limits_of_its_child";
    let output = child_of_this_test(name).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.signal().is_some(),
        "{:?}: {said}",
        output.status
    );
    assert!(
        !said.contains("refused") && !said.contains("installed"),
        "{said}"
    );
}
