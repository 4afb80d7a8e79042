//! What linking an addon takes on each platform.

fn main() {
    napi_build::setup();
    println!("cargo:rustc-check-cfg=cfg(sanitized)");
    if std::env::var("CARGO_CFG_SANITIZE").is_ok_and(|sanitizers| sanitizers.contains("address")) {
        println!("cargo:rustc-cfg=sanitized");
    }
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Never unloaded: a worker that ends would take it from under the calls of others.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
