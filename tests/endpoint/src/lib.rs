//! A local NOMYO endpoint: a real HTTPS server on loopback that speaks the NOMYO protocol.
//!
//! It promises to behave as PROTOCOL.md says a server does, and, when a test asks for it, to
//! misbehave in exactly the way that was asked for. It shares no code with the client library: its
//! own parsing, its own crypto (RustCrypto), its own HTTP/1.1. It does not promise to withstand
//! hostile clients and listens on 127.0.0.1 only.
//!
//! A request walks: `server` (accept) → `connection` (one client) → `http` (read) → `completion`
//! (the protocol) → `package` (decrypt, encrypt) → `echo` or `upstream` (the model) → `attestation`
//! (what the `tpm` says of it) → `delivery` (write, with the faults asked for).
//!
//! ```no_run
//! let endpoint = endpoint::Endpoint::start(endpoint::Options::default())?;
//! println!("{} trusts {}", endpoint.base_url(), endpoint.ca_file().display());
//! # Ok::<(), std::io::Error>(())
//! ```

#![warn(missing_docs)]

mod attestation;
mod completion;
mod connection;
mod control;
mod delivery;
mod echo;
mod faults;
#[cfg(test)]
mod fixtures;
mod http;
mod keys;
mod ledger;
mod malformed;
mod object;
mod options;
mod package;
mod quoted;
mod ready;
mod response;
mod server;
mod shutdown;
mod state_dir;
mod stats;
mod stream;
mod tier;
mod tls;
mod tpm;
mod upstream;
mod upstream_error;

pub use options::Options;
pub use server::Endpoint;
pub use stats::StatsSnapshot;
pub use tier::Tier;
pub use tpm::TpmKind;
