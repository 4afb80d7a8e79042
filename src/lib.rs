//! `libnomyo`: the native client for NOMYO's end-to-end-encrypted chat endpoint.
//!
//! Give a [`Client`] an OpenAI-style JSON request, get a [`Response`] that holds the decrypted answer and wipes it
//! when dropped. C sees the same through `include/nomyo.h`.
//!
//! Where things live; imports point one way, from the top of this list down:
//!
//! - `boundary`: what another boundary than C's is built from: the addon for Node.
//! - `ffi`: the C boundary. One guard against panics, then one file per C type; no logic of its own.
//! - `client`: configuration, request, response, and `create`, the pipeline through the rooms below.
//! - `envelope`: the wire package: seal a request, open a response.
//! - `keys`: the client's pair, the server's key.
//! - `transport`: HTTP/1.1: attempts, retries, what was sent.
//! - `connection`: an open connection: names, TCP, proxies, TLS, TLS pins.
//! - `attestation`: the TPM quote of an answer: decode, verify, judge against a policy.
//! - `json`: JSON texts as spans: walks, names, strings.
//! - `crypto`: the five operations of the envelope, one provider per file.
//! - `files`: key files and known servers on the disk: owners, modes, links, locks, renames.
//! - `memory`: the vault: every byte the library allocates, and the report of what protects it.
//! - `wait`: how long a call may go on: its deadline and its cancel.
//! - `pem`: the blocks of PEM texts, for `keys` and `connection`.
//! - `thread`: threads of the library's own.
//! - `log`: lines for whoever asked for them; nowhere by default.
//! - `headers`: the headers of a response, as callers read them.
//! - `error`: one error, stable numbers, nothing secret inside.
//!
//! The feature `capi`, on by default, is for the shared and the static library: it makes the vault the global allocator
//! and AWS-LC's, before anything else allocates there. A Rust program that uses this crate turns it off: its prompts,
//! answers and content keys are in the vault all the same, but the numbers of the RSA key are where AWS-LC puts them.

#![cfg_attr(nomyo_system_allocator, allow(dead_code, unused_imports, reason = "the vault's allocators are left aside"))]

#[cfg(not(any(feature = "aws-lc", feature = "rustcrypto")))]
compile_error!("nomyo needs a crypto provider: turn on the feature aws-lc (the default) or rustcrypto");

mod attestation;
#[cfg(feature = "capi")]
#[doc(hidden)]
pub mod boundary;
mod client;
mod connection;
mod crypto;
mod envelope;
mod error;
#[cfg(feature = "capi")]
mod ffi;
mod files;
mod headers;
mod json;
mod keys;
mod log;
mod memory;
mod pem;
mod thread;
mod transport;
mod wait;

pub use attestation::{
    Attestation, AttestationFacts, AttestationLevel, AttestationPolicy, FailedCheck, verify_attestation,
};
pub use client::{
    CallOptions, Cancel, Client, Config, LogLevel, PrivateKeyPem, PublishedKey, Response, Sealed, ToolCall, Usage,
};
pub use envelope::Tier;
pub use error::{Error, Result, Sent, Status};
pub use headers::Headers;
pub use memory::{MemoryInfo, MemoryLevel, MemoryPolicy};

// The other cfg is for `make bench`, which compares, and for AddressSanitizer, which sees what the system's allocator frees;
// it is no feature, so that nobody turns it on by accident.
#[cfg(all(feature = "capi", not(nomyo_system_allocator)))]
#[global_allocator]
static VAULT: memory::Vault = memory::Vault;
