//! The model behind the endpoint, when there is one: any server with OpenAI's
//! `/v1/chat/completions`.
//!
//! The request goes there decrypted, byte for byte, and the answer comes back as it was written. An
//! upstream that gives none is the matter of `upstream_error`.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use ureq::Agent;
use ureq::Timeout;
use ureq::tls::{RootCerts, TlsConfig};

use crate::object::Object;
use crate::quoted::Private;
use crate::response::Response;
use crate::upstream_error::{lasting, own, redirected, refused};

const CONNECT: Duration = Duration::from_secs(10);
/// As long as the Python SDK waits.
const WHOLE: Duration = Duration::from_secs(900);
const ANSWER_LIMIT: u64 = 64 * 1024 * 1024;
/// An explanation has a few hundred bytes.
const REFUSAL_LIMIT: u64 = 64 * 1024;

/// Where the upstream is and how to talk to it.
pub(crate) struct Upstream {
    agent: Agent,
    url: String,
    key: Option<String>,
}

impl Upstream {
    pub fn new(url: &str, key: Option<&str>, provider: Arc<CryptoProvider>) -> Upstream {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            // The upstream is usually on this machine; a proxy from the environment would not reach
            // it.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(WHOLE))
            .build();
        Upstream { agent: config.new_agent(), url: completions_url(url), key: key.map(str::to_owned) }
    }

    /// Forwards a chat request and returns the completion, a JSON object, as the upstream wrote it.
    pub fn complete(&self, chat: &[u8]) -> Result<String, Response> {
        let mut request = self.agent.post(&self.url).content_type("application/json");
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let mut response = request.send(chat).map_err(|error| unanswered(&error))?;
        let status = response.status().as_u16();
        let limit = if response.status().is_success() { ANSWER_LIMIT } else { REFUSAL_LIMIT };
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        match body {
            Err(error) if response.status().is_success() => Err(broken_off(&error)),
            // An explanation that breaks off or has no end explains nothing.
            body => judge(status, header, body.unwrap_or_default(), || Private::of(chat, self.key.as_deref())),
        }
    }
}

/// The completion in the upstream's response, or the error that stands for it.
pub(crate) fn judge<'a>(
    status: u16,
    header: impl Fn(&str) -> Option<&'a str>,
    body: Vec<u8>,
    private: impl FnOnce() -> Private,
) -> Result<String, Response> {
    if !(200..300).contains(&status) {
        return Err(refused(status, header, &body, &private()));
    }
    String::from_utf8(body)
        .ok()
        .filter(|answer| Object::read(answer.as_bytes()).is_some())
        .ok_or_else(|| lasting(502, "upstream_answer_invalid", "The upstream's answer is not a JSON object"))
}

/// The base URL may or may not name the version already.
fn completions_url(base: &str) -> String {
    let base = base.trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    format!("{base}/v1/chat/completions")
}

/// The upstream gave no answer. Another attempt is worth making if it may get one, and if the prompt
/// has not been worked on for as long as anybody waits.
fn unanswered(error: &ureq::Error) -> Response {
    match error {
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            own(504, "upstream_timeout", "No connection to the upstream in time")
        }
        ureq::Error::Timeout(_) => lasting(504, "upstream_timeout", "The upstream did not answer in time"),
        ureq::Error::RedirectFailed | ureq::Error::TooManyRedirects => redirected(),
        ureq::Error::Io(_) | ureq::Error::ConnectionFailed => own(
            502,
            "upstream_unreachable",
            "The upstream could not be reached, or closed the connection before it answered",
        ),
        ureq::Error::HostNotFound | ureq::Error::BadUri(_) | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            lasting(502, "upstream_unreachable", "No connection to the upstream: check --upstream, and its certificate")
        }
        _ => lasting(502, "upstream_answer_invalid", "The upstream does not answer as HTTP/1.1 has it"),
    }
}

/// The upstream had begun to answer: it has worked on the prompt.
fn broken_off(error: &ureq::Error) -> Response {
    match error {
        ureq::Error::Timeout(_) => lasting(504, "upstream_timeout", "The upstream did not end its answer in time"),
        ureq::Error::BodyExceedsLimit(_) => {
            lasting(502, "upstream_answer_too_large", "The upstream's answer is larger than 64 MiB")
        }
        _ => lasting(502, "upstream_answer_cut_short", "The upstream broke its answer off"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_named_once() {
        for base in ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"] {
            assert_eq!(completions_url(base), "http://h:1/v1/chat/completions");
        }
    }
}
