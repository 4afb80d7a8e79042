//! The committed header is the one that the source generates.

#![cfg(feature = "capi")]

#[test]
fn the_committed_header_is_what_the_source_generates() {
    let generated = include_str!(concat!(env!("OUT_DIR"), "/nomyo.h"));
    let committed = include_str!("../include/nomyo.h");
    assert!(generated == committed, "include/nomyo.h is not what src/ffi says; run `make header` and commit it");
}
