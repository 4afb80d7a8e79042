//! Windows.

mod socket;
mod trust_store;

pub(in crate::connection) use socket::{LOOK, acknowledgements, is_under_way};
#[cfg(feature = "capi")]
pub(in crate::connection) use trust_store::has_trust_store;
pub(in crate::connection) use trust_store::trust_store;
