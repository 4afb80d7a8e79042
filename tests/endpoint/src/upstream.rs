//! The model behind the endpoint, when there is one: any server with OpenAI's
//! `/v1/chat/completions`.
//!
//! The request goes there decrypted. What the caller did wrong (400, 404, 422, 429) comes back with
//! its status; any other failure is the gateway's, 502, or 504 when the upstream was too slow.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use serde_json::Value;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use crate::response::Response;

const CONNECT: Duration = Duration::from_secs(10);
/// As long as the Python SDK waits.
const WHOLE: Duration = Duration::from_secs(900);
const ANSWER_LIMIT: u64 = 64 * 1024 * 1024;

/// Where the upstream is and how to talk to it.
pub(crate) struct Upstream {
    agent: Agent,
    url: String,
    authorization: Option<String>,
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
        Upstream {
            agent: config.new_agent(),
            url: completions_url(url),
            authorization: key.map(|key| format!("Bearer {key}")),
        }
    }

    /// Forwards a chat request and returns the completion object.
    pub fn complete(&self, chat: &[u8]) -> Result<Value, Response> {
        let mut request = self.agent.post(&self.url).content_type("application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let mut response = request.send(chat).map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        let body =
            response.body_mut().with_config().limit(ANSWER_LIMIT).read_to_vec().map_err(|error| failed(&error))?;
        if status != 200 {
            return Err(refused(status, &body));
        }
        match serde_json::from_slice(&body) {
            Ok(answer @ Value::Object(_)) => Ok(answer),
            _ => Err(Response::detail(502, "The upstream's answer is not a JSON object")),
        }
    }
}

/// The base URL may or may not name the version already.
fn completions_url(base: &str) -> String {
    let base = base.trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    format!("{base}/v1/chat/completions")
}

fn failed(error: &ureq::Error) -> Response {
    match error {
        ureq::Error::Timeout(_) => Response::detail(504, "The upstream did not answer in time"),
        other => Response::detail(502, &format!("The upstream could not be asked: {other}")),
    }
}

fn refused(status: u16, body: &[u8]) -> Response {
    let said = said(body);
    let status_here = if matches!(status, 400 | 404 | 422 | 429) { status } else { 502 };
    Response::detail(status_here, &format!("The upstream answered {status}: {said}"))
}

/// The upstream's own words: OpenAI's `error.message`, FastAPI's `detail`, or the start of the
/// text.
fn said(body: &[u8]) -> String {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = [&parsed["error"]["message"], &parsed["detail"], &parsed["error"]];
    match words.iter().find_map(|words| words.as_str()) {
        Some(words) => words.to_owned(),
        None => String::from_utf8_lossy(body).chars().take(200).collect(),
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

    #[test]
    fn the_callers_mistakes_keep_their_status() {
        assert_eq!(refused(404, b"{\"error\": {\"message\": \"no such model\"}}").status, 404);
        assert_eq!(refused(401, b"").status, 502);
        assert_eq!(said(b"{\"detail\": \"d\"}"), "d");
        assert_eq!(said(b"<html>"), "<html>");
    }
}
