//! Writes the C header and names the shared library.
//!
//! The header goes to `OUT_DIR`, where a test compares it with the committed `include/nomyo.h`; with
//! `NOMYO_WRITE_HEADER=1` (`make header`) it goes there itself.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "capi")]
    c_boundary();
}

#[cfg(feature = "capi")]
fn c_boundary() {
    use std::env::var;
    use std::path::Path;

    println!("cargo:rerun-if-changed=src/ffi");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-env-changed=NOMYO_WRITE_HEADER");
    if var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The number is NOMYO_ABI_VERSION; cargo-c says the same name again, and the linker takes it once. Never
        // unloaded: thread-local destructors would be left dangling.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libnomyo.so.0,-z,nodelete");
    }
    let root = var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let out = var("OUT_DIR").expect("cargo sets it");
    let config = cbindgen::Config::from_file(Path::new(&root).join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let bindings = cbindgen::Builder::new()
        .with_crate(&root)
        .with_config(config)
        .generate()
        .expect("cbindgen understands src/ffi");
    bindings.write_to_file(Path::new(&out).join("nomyo.h"));
    if var("NOMYO_WRITE_HEADER").is_ok() {
        bindings.write_to_file(Path::new(&root).join("include/nomyo.h"));
    }
}
