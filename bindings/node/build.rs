//! What linking an addon takes on each platform.

fn main() {
    napi_build::setup();
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Never unloaded: a worker that ends would take it from under the calls of others.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
