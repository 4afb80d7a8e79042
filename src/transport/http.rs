//! The agent and its two calls: fetch the server's key, post a package.

use std::time::{Duration, SystemTime};

use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body, RequestBuilder};

use super::retry_after::retry_after;
use super::{BaseUrl, Deadline, TrustedRoots, dial, failure};
use crate::error::{Error, Result, Status};
use crate::memory::{SecretBuf, WireBuf};

/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 64 * 1024 * 1024;
/// The most that is kept of an error answer, and that a key may have, in bytes.
const SMALL_LIMIT: u64 = 64 * 1024;
/// Room for an answer that does not say how long it is, to begin with.
const FIRST_READ: usize = 64 * 1024;
/// Each of a connection's four buffers, in bytes. They are locked memory, of which there may be little.
const BUFFER: usize = 32 * 1024;
/// Idle connections kept, in all and for the one host that a client talks to.
const IDLE_CONNECTIONS: usize = 100;
/// How long an idle connection is kept: less than what NAT gateways and proxies allow.
const IDLE_AGE: Duration = Duration::from_secs(90);

/// What a transport is made of.
pub(crate) struct Settings {
    pub(crate) base_url: BaseUrl,
    pub(crate) connect_timeout: Duration,
    pub(crate) roots: TrustedRoots,
    pub(crate) user_agent: String,
}

/// A pooled HTTP agent for one server. May be shared by any number of threads.
pub(crate) struct Transport {
    agent: Agent,
    base_url: BaseUrl,
    trust: &'static str,
}

/// A sealed request and the headers that go with it.
pub(crate) struct Post<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) headers: &'a [(&'static str, &'a str)],
    pub(crate) api_key: Option<&'a SecretBuf>,
}

impl Transport {
    /// Makes the agent; opens no connection.
    pub(crate) fn new(settings: Settings) -> Transport {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(settings.base_url.is_secure())
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(settings.user_agent)
            .accept_encoding("")
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .timeout_connect(Some(settings.connect_timeout))
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .max_idle_age(IDLE_AGE)
            .tls_config(settings.roots.tls_config())
            .build();
        let agent = Agent::with_parts(config, dial::connector(), dial::Later);
        Transport { agent, base_url: settings.base_url, trust: settings.roots.name() }
    }

    /// `GET /pki/public_key`: the PEM, at most 64 KiB.
    pub(crate) fn fetch_server_key(&self, deadline: Deadline) -> Result<WireBuf> {
        let url = self.base_url.join("/pki/public_key");
        let answer = self.bounded(self.agent.get(&url), deadline)?.call();
        self.read(answer, &url, SMALL_LIMIT, deadline).map_err(|e| e.with_attempts(1))
    }

    /// `POST /v1/chat/secure_completion`: the response package, at most 64 MiB.
    pub(crate) fn post(&self, post: &Post<'_>, deadline: Deadline) -> Result<WireBuf> {
        let url = self.base_url.join("/v1/chat/secure_completion");
        let mut request =
            self.bounded(self.agent.post(&url), deadline)?.header(CONTENT_TYPE, "application/octet-stream");
        for (name, value) in post.headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = post.api_key.filter(|key| !key.is_empty()) {
            request = request.header(AUTHORIZATION, bearer(key)?);
        }
        let answer = request.send(post.body);
        self.read(answer, &url, ANSWER_LIMIT, deadline).map_err(|e| e.with_attempts(1))
    }

    fn bounded<B>(&self, request: RequestBuilder<B>, deadline: Deadline) -> Result<RequestBuilder<B>> {
        Ok(request.config().timeout_global(Some(deadline.left()?)).build())
    }

    /// The body of a 200, or the error that the answer is.
    fn read(
        &self,
        answer: std::result::Result<Response<Body>, ureq::Error>,
        url: &str,
        limit: u64,
        deadline: Deadline,
    ) -> Result<WireBuf> {
        let failed = |e: &ureq::Error| failure::of(e, url, self.trust, deadline);
        let (head, body) = answer.map_err(|e| failed(&e))?.into_parts();
        let status = head.status.as_u16();
        if status != 200 {
            return Err(refused(status, url, &head.headers, body));
        }
        let expected = body.content_length().filter(|len| *len <= limit).and_then(|len| usize::try_from(len).ok());
        let reader = body.into_with_config().limit(limit).reader();
        WireBuf::read_to_end(reader, expected.unwrap_or(FIRST_READ))?
            .map_err(|e| failed(&e.into()).with_http_status(200))
    }
}

/// The error of an answer that is not 200, with the start of its body as untrusted details.
fn refused(status: u16, url: &str, headers: &HeaderMap, body: Body) -> Error {
    use std::io::Read;
    let mut details = Vec::new();
    // An error body that breaks off is still the best account there is of the error.
    let _ = body.into_with_config().limit(u64::MAX).reader().take(SMALL_LIMIT).read_to_end(&mut details);
    let advice = match status {
        300..=399 => "redirects are never followed: set base_url to where the endpoint really is",
        400 => "the server did not accept the request: see the error's details",
        401 => "check the API key",
        403 => "this API key or model is not allowed at the requested security tier",
        404 => "check the base URL: this server has no secure endpoint there",
        429 => "too many requests: wait, and send fewer",
        500..=599 => "the server failed: try again later",
        _ => "see the error's details, if there are any",
    };
    Error::new(Status::of_http(status), format!("the server answered HTTP {status} ({url}); {advice}")).with_http(
        status,
        retry_after(headers, SystemTime::now()),
        details,
    )
}

/// The Authorization header, marked so that no log or `Debug` shows it.
fn bearer(key: &SecretBuf) -> Result<HeaderValue> {
    let mut text = SecretBuf::with_capacity(key.len() + 7)?;
    text.push(b"Bearer ");
    text.push(key);
    let mut value = HeaderValue::from_bytes(&text).map_err(|_| Error::internal("an unchecked API key"))?;
    value.set_sensitive(true);
    Ok(value)
}
