//! The committed header is the one that the source generates. With NOMYO_WRITE_HEADER=1 (`make header`) it is written anew.

#![cfg(feature = "capi")]

use std::path::Path;

#[test]
fn the_committed_header_is_what_the_source_generates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let mut generated = Vec::new();
    cbindgen::Builder::new()
        .with_crate(root)
        .with_config(config)
        .generate()
        .expect("cbindgen understands src/ffi")
        .write(&mut generated);
    let committed = root.join("include/nomyo.h");
    if std::env::var_os("NOMYO_WRITE_HEADER").is_some() {
        std::fs::write(&committed, &generated).expect("the header can be written");
    }
    let committed = std::fs::read(committed).expect("the header is committed");
    assert!(generated == committed, "include/nomyo.h is not what src/ffi says; run `make header` and commit it");
}
