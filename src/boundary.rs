//! What a boundary other than C's needs, when it is built on this crate: the addon for Node is.
//!
//! Promises: what goes through here keeps the promises of `include/nomyo.h` about panics and about the caller's memory.

use crate::client::Client;
use crate::error::{Result, Status};
use crate::ffi::{guard, status};

pub use crate::memory::{alloc_guarded, free_guarded, lock_pages, retire_guarded, unlock_pages, wipe};
pub use crate::thread::on_a_thread;

/// Runs `body`, out of which no panic comes, and none is printed: it becomes [`Status::Internal`].
/// Afterwards the processor's registers hold nothing of what `body` read.
///
/// # Errors
/// Those of `body`, and [`Status::Internal`].
pub fn contained<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    guard::contained(body, || {})
}

/// As [`contained`], for what `body` does with a client, which refuses to work after a panic.
///
/// # Errors
/// Those of `body`, and [`Status::Internal`].
pub fn contained_on<T>(client: &Client, body: impl FnOnce(&Client) -> Result<T>) -> Result<T> {
    guard::contained(|| body(client), || client.poison())
}

/// The name that a status has in every language, such as `"NOMYO_ERR_PIN"`.
pub fn status_name(status: Status) -> &'static str {
    status::name(status.code()).to_str().unwrap_or_default()
}
