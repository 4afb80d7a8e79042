//! The addon for Node: the client and the vault, as `lib/native.js` loads them.
//!
//! Promises: nothing here blocks the event loop, no panic reaches Node, and what JavaScript passes in wrongly is an
//! exception. The classes that users see are JavaScript's, in `lib/`.

use napi_derive::napi;

/// The version of the library, such as `"0.1.0"`.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
