//! HTTP/1.1 over TLS: two calls to one server.
//!
//! Promises: one pooled agent per client; TLS 1.3 or 1.2 with certificate checks always on; redirects never followed; no
//! answer larger than its limit is read; no thread is started; attempts that failed in a way that passes are repeated, as
//! often as the client is set to; every call ends by its deadline (name resolution excepted, see `dial`), and can be
//! cancelled from another thread. What goes in is sealed already, and the same bytes go out on every attempt; what comes
//! out is untrusted. Does not promise yet: proxies.

mod base_url;
mod cancel;
mod deadline;
mod dial;
mod exchange;
mod failure;
mod http;
mod refusal;
mod retry;
mod retry_after;
mod trust;

pub(crate) use base_url::BaseUrl;
pub use cancel::Cancel;
pub(crate) use cancel::still_wanted;
pub(crate) use deadline::Deadline;
pub(crate) use http::{Post, Settings, Transport};
pub(crate) use retry::{Attempts, doubts_the_key};
pub(crate) use trust::TrustedRoots;
