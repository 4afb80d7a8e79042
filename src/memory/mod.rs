//! Where secrets live.
//!
//! Promises: every prompt, answer, key and password that the library holds is in a [`SecretBuf`], which moves by
//! borrow, never grows (so no stale copy is left behind), prints nothing of itself and is wiped when dropped.
//! Does not promise yet: locked, undumpable pages; [`MemoryInfo`] says so.

mod info;
mod secret;

pub use info::{MemoryInfo, MemoryLevel};
pub(crate) use secret::SecretBuf;
