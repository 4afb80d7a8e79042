//! Names the shared library.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "capi")]
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The number is NOMYO_ABI_VERSION; cargo-c says the same name again, and the linker takes it once. Never
        // unloaded: thread-local destructors would be left dangling. The argument is for every target of this package. An
        // argument for cdylibs alone would also reach the cdylibs that depend on this package (rust-lang/cargo#9562), and
        // the loader would then confuse Node's addon with libnomyo.so.0.
        println!("cargo:rustc-link-arg=-Wl,-soname,libnomyo.so.0,-z,nodelete");
    }
}
