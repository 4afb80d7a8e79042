//! Link options of the addon on each platform.

use std::path::Path;

fn main() {
    let is = |name: &str, value: &str| std::env::var(name).as_deref() == Ok(value);
    // With MinGW, napi_build links libnode.dll, which Node does not have. The functions are looked up when the addon is loaded.
    if !(is("CARGO_CFG_TARGET_OS", "windows") && is("CARGO_CFG_TARGET_ENV", "gnu")) {
        napi_build::setup();
    }
    hide_the_functions_of_c();
    println!("cargo:rustc-check-cfg=cfg(sanitized)");
    if std::env::var("CARGO_CFG_SANITIZE").is_ok_and(|sanitizers| sanitizers.contains("address")) {
        println!("cargo:rustc-cfg=sanitized");
    }
    if is("CARGO_CFG_TARGET_OS", "linux") {
        // Never unloaded: a worker that ends would take it from under the calls of others.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}

/// Writes `hidden.rs`, which hides each function of the header from an ELF linker. rustc exports every C function of every
/// crate in a cdylib, so another module of the process could bind to the addon's functions.
fn hide_the_functions_of_c() {
    let variable = |name: &str| std::env::var(name).expect("cargo sets it");
    let header = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../../include/nomyo.h");
    println!("cargo:rerun-if-changed={}", header.display());
    println!("cargo:rerun-if-changed=build.rs");
    let mut asm = String::new();
    if variable("CARGO_CFG_TARGET_OS") == "linux" {
        let header = std::fs::read_to_string(&header).expect("the header is in the checkout");
        for function in header.lines().filter_map(declared) {
            // A weak reference adds no object to the link. A symbol gets the strictest visibility that any object names.
            asm += &format!("std::arch::global_asm!(\".weak {function}\", \".hidden {function}\");\n");
        }
        assert!(asm.lines().count() > 40, "the header declares functions");
    }
    std::fs::write(Path::new(&variable("OUT_DIR")).join("hidden.rs"), asm).expect("OUT_DIR is writable");
}

/// The function that a line of the header declares.
fn declared(line: &str) -> Option<&str> {
    let line = line.strip_prefix("NOMYO_MUST_USE ").unwrap_or(line);
    if !line.starts_with(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    let name = line.split_once('(')?.0.rsplit([' ', '*']).next()?;
    name.starts_with("nomyo_").then_some(name)
}
