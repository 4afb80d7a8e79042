//! What a boundary other than C's needs, when it is built on this crate: the addon for Node is.
//!
//! Promises: what goes through here keeps the promises of `include/nomyo.h` about panics and about the caller's memory.

use crate::client::Client;
use crate::connection;
use crate::error::{Result, Status};
use crate::ffi::{guard, status};

pub use crate::memory::{alloc_guarded, free_guarded, lock_pages, retire_guarded, unlock_pages, wipe};
pub use crate::thread::on_a_thread;

/// Runs `body`, which may work on secrets, on a stack of the vault with signals blocked. A panic of `body` is not printed and
/// becomes [`Status::Internal`]. Afterwards the vector registers are cleared.
///
/// # Errors
/// The errors of `body`, and [`Status::Internal`].
pub fn contained<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    guard::contained(body, || {})
}

/// As [`contained`], on the caller's stack: for a `body` that touches no secret.
///
/// # Errors
/// The errors of `body`, and [`Status::Internal`].
pub fn contained_plain<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    guard::contained_plain(body)
}

/// As [`contained`], for what `body` does with a client, which refuses to work after a panic.
///
/// # Errors
/// The errors of `body`, and [`Status::Internal`].
pub fn contained_on<T>(client: &Client, body: impl FnOnce(&Client) -> Result<T>) -> Result<T> {
    guard::contained(|| body(client), || client.poison())
}

/// Whether the system has a trust store at one of its usual places. Looks for the files, and does not read them.
pub fn has_system_trust_store() -> bool {
    connection::has_system_trust_store()
}

/// The name that a status has in every language, such as `"NOMYO_ERR_PIN"`.
pub fn status_name(status: Status) -> &'static str {
    status::name(status.code()).to_str().unwrap_or_default()
}
