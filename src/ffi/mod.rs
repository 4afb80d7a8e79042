//! The C boundary (feature `capi`).
//!
//! Promises: `include/nomyo.h`, word for word. Every function that does more than hand out an address goes through
//! `guard`: no panic crosses, outputs are written on success only, errors on failure only. No logic of its own: each
//! function reads its arguments, calls one method of `client` or `memory`, and hands the outcome out.

mod arguments;
pub(crate) mod guard;
mod handle;
mod headers;

// In the order of the header, which is generated from them.
mod version;

pub(crate) mod status;

mod error;
mod error_handle;

mod config;

mod client;

mod client_keys;

mod text;

mod call_options;

mod cancel;

mod response;

mod tool_calls;

mod usage;

mod json;

mod attestation;

mod sealed;

mod memory;
