//! HTTP/1.1 over TLS: two calls to one server.
//!
//! Promises: one pooled agent per client; TLS 1.3 or 1.2 with certificate checks always on; redirects never followed; no
//! answer larger than its limit is read; attempts that failed in a way that passes are repeated, as often as the client is
//! set to; every call ends by its deadline and, when it is cancelled from another thread, at once. The one thread that is
//! ever started waits for the system's resolver, see `resolve`. What goes in is sealed already, and the same bytes go out
//! on every attempt; what comes out is untrusted. A proxy, if there is one, sees TLS.

mod base_url;
mod cancel;
mod connect;
mod deadline;
mod dial;
mod event;
mod exchange;
mod failure;
mod http;
mod limit;
mod proxy;
mod rate_limit;
mod refusal;
mod resolve;
mod retry;
mod retry_after;
mod socks;
mod trust;
mod wire;

pub(crate) use base_url::BaseUrl;
pub use cancel::Cancel;
pub(crate) use cancel::still_wanted;
pub(crate) use deadline::Deadline;
pub(crate) use http::{Post, Settings, Transport};
pub(crate) use proxy::{ProxyChoice, Via};
pub(crate) use rate_limit::Rate;
pub(crate) use retry::{Attempts, doubts_the_key};
pub(crate) use trust::TrustedRoots;
