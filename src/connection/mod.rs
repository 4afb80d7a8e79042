//! An open connection to the server: its name, TCP, a proxy's consent, TLS.
//!
//! Promises: a connection is open within the connect timeout and within the call's [`Wait`](crate::wait::Wait); TLS is 1.3 or
//! 1.2 with certificate checks always on; with TLS pins, a chain without a pinned certificate ends the handshake before
//! anything else is sent; no socket blocks, every wait polls. Nothing here reads an environment variable. The one thread that
//! is ever started waits for the system's resolver, see `resolve`. A proxy, if there is one, sees only the TLS connection.

mod base_url;
mod carrier;
mod chain;
mod channel;
mod client_certificate;
mod connect;
mod dial;
mod failure;
mod no_proxy;
mod os;
mod provider;
mod proxy;
mod resolve;
mod socks;
mod stage;
mod step;
mod tcp;
mod tls;
mod tls_pins;
mod trust;
mod tunnel;
mod verifier;

pub(crate) use base_url::BaseUrl;
pub(crate) use carrier::Carrier;
pub(crate) use channel::Channel;
pub(crate) use client_certificate::{CertificateChain, ClientCertificate};
pub(crate) use dial::{Dialer, Settings};
pub(crate) use failure::{Failure, Peer, is_about_certificate, refuses_certificate};
pub(crate) use proxy::{ProxyChoice, Via};
pub(crate) use stage::Stage;
pub(crate) use step::Step;
pub(crate) use tls_pins::TlsPins;
pub(crate) use trust::TrustedRoots;
#[cfg(feature = "capi")]
pub(crate) use trust::has_system_trust_store;
pub(crate) use verifier::not_pinned;
