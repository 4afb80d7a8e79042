//! The protocol's fixtures, for the unit tests.

use serde_json::Value;

/// The bytes of a fixture, by its path in the manifest.
pub(crate) fn bytes(path: &str) -> Vec<u8> {
    let path = format!("{}/../fixtures/protocol/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn text(path: &str) -> String {
    String::from_utf8(bytes(path)).expect("the fixture is UTF-8")
}

pub(crate) fn json(path: &str) -> Value {
    serde_json::from_slice(&bytes(path)).expect("the fixture is JSON")
}
