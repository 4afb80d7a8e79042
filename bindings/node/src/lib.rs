//! The addon for Node: the client and the vault, as `lib/native.js` loads them.
//!
//! Promises: nothing here blocks the event loop, no panic reaches Node, and what JavaScript passes in wrongly is an
//! exception. The classes that users see are JavaScript's, in `lib/`; it checks what users pass in, too.
//!
//! - `client`: a client, and its calls.
//! - `config`: its configuration, from a plain object.
//! - `limits`: the timeout and the cancel of a call.
//! - `call`: a promise for each call that blocks; what becomes of the calls when their environment ends.
//! - `threads`: the threads that calls run on. `mailbox`: the way from there to the event loop. `promise`: its settling.
//! - `outcome`: how a call ended, as a plain object. Nothing is thrown but what is a mistake of `lib/`.
//! - `response`: an answer. `view`: bytes of it that JavaScript sees in the vault itself.
//! - `sealed`: a request for an HTTP stack of the caller's own.
//! - `attestation`: what a TPM quote proves.
//! - `fault`: a mistake on purpose, in sanitized builds alone.
//! - `memory`: the caller's buffers, locked and wiped, and buffers over the vault.
//! - `input`: text and bytes that are copied into the vault.
//!
//! The whole heap of the addon is the vault, so that a copy made here is in locked memory, and wiped when it is freed.

#![cfg_attr(test, allow(dead_code, reason = "in a test build napi exports nothing"))]

mod attestation;
mod call;
mod client;
mod config;
#[cfg(sanitized)]
mod fault;
mod header;
mod input;
mod limits;
mod mailbox;
mod memory;
mod outcome;
mod private_key;
mod promise;
mod response;
mod sealed;
mod threads;
mod view;

use napi_derive::napi;

// The addon exports only the function that Node looks for. See build.rs.
include!(concat!(env!("OUT_DIR"), "/hidden.rs"));

/// Whether the system has a trust store at one of its usual places.
#[napi]
pub fn has_system_trust_store() -> bool {
    nomyo::boundary::has_system_trust_store()
}

/// The version of the library, such as `"0.1.0"`.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
