//! Names the shared library.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    refuse_glibc_under_the_name_of_musl();
    // The number is NOMYO_ABI_VERSION; cargo-c says the same name again, and the linker takes it once. The argument is for every
    // target of this package. An argument for cdylibs alone would also reach the cdylibs that depend on this package
    // (rust-lang/cargo#9562), and the loader would then confuse Node's addon with libnomyo.so.0.
    #[cfg(feature = "capi")]
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        // Never unloaded: thread-local destructors would be left dangling.
        Ok("linux") => println!("cargo:rustc-link-arg=-Wl,-soname,libnomyo.so.0,-z,nodelete"),
        // Programs find the library by their own rpath. The linker ignores the name where it links a program.
        Ok("macos") => println!("cargo:rustc-link-arg=-Wl,-install_name,@rpath/libnomyo.0.dylib"),
        _ => {}
    }
}

/// On a system with glibc, rustc's own linker links glibc into a shared library for musl, and succeeds. Only a linker that somebody
/// chose can know musl.
fn refuse_glibc_under_the_name_of_musl() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let is_shared = !variable("CARGO_CFG_TARGET_FEATURE").split(',').any(|feature| feature == "crt-static");
    let is_cross = variable("CARGO_CFG_TARGET_ENV") == "musl" && !variable("HOST").contains("musl");
    let is_chosen =
        std::env::var_os("RUSTC_LINKER").is_some() || variable("CARGO_ENCODED_RUSTFLAGS").contains("linker=");
    assert!(
        !is_cross || !is_shared || is_chosen,
        "rustc's own linker would link glibc: set CARGO_TARGET_{}_LINKER to bindings/c/install/musl_cc.sh, which says more",
        variable("TARGET").to_uppercase().replace('-', "_")
    );
}
