//! HTTP/1.1: two calls to one server.
//!
//! Promises: one pool of connections per client; redirects never followed; no response larger than its limit is read, and no
//! more memory is taken than has arrived; a request whose bytes may have reached the server is sent again only as often as
//! the client allows; a response that comes before the request is read to its end is reported; every call ends by its
//! deadline and when it is cancelled. The body is sealed already, and the same bytes go out on every attempt; the response is
//! untrusted.

mod event;
mod exchange;
mod failure;
mod http;
mod link;
mod pool;
mod rate_limit;
mod refusal;
mod retry;
mod retry_after;

use std::time::Duration;

pub(crate) use http::Transport;
pub(crate) use rate_limit::Rate;
pub(crate) use retry::{Attempts, doubts_the_key};

use ::http::{HeaderName, HeaderValue};

use crate::connection::{BaseUrl, ClientCertificate, ProxyChoice, TlsPins, TrustedRoots};
use crate::log::Log;

/// The settings of a transport.
pub(crate) struct Settings {
    pub(crate) base_url: BaseUrl,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_retries: u32,
    pub(crate) rate: Option<Rate>,
    /// The largest response that is read, in bytes.
    pub(crate) response_limit: u64,
    pub(crate) proxy: ProxyChoice,
    pub(crate) roots: TrustedRoots,
    pub(crate) tls_pins: TlsPins,
    pub(crate) client_certificate: Option<ClientCertificate>,
    pub(crate) post_quantum: bool,
    pub(crate) user_agent: String,
    /// More headers of both requests.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) log: Log,
}

/// A sealed request and the headers that go with it.
pub(crate) struct Post<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) headers: &'a [(&'static str, &'a str)],
    pub(crate) api_key: Option<&'a [u8]>,
}
