//! macOS. Built, not run: nobody has run these files on a Mac yet. tests/cross/macos/README.md lists each assumption with its source.

mod socket;
mod trust_store;

pub(in crate::connection) use socket::{LOOK, acknowledgements, is_under_way};
#[cfg(feature = "capi")]
pub(in crate::connection) use trust_store::has_trust_store;
pub(in crate::connection) use trust_store::trust_store;
