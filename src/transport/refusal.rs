//! The error that a response other than 200 stands for.

use std::io::Read;
use std::time::SystemTime;

use http::HeaderMap;

use super::failure::Place;
use super::retry::Kind;
use super::retry_after::retry_after;
use crate::error::{Error, Status};
use crate::json;

/// The most that is kept of an error's body, in bytes.
const DETAILS_LIMIT: u64 = 64 * 1024;

/// The error, with the start of the `body` as untrusted details. The details choose between sentences of ours. No word of them
/// is in the message.
pub(super) fn of(status: u16, kind: Kind, place: &Place<'_>, headers: &HeaderMap, body: impl Read) -> Error {
    let mut details = Vec::new();
    // The beginning of an error body that breaks off is still the best account there is of the error.
    let _ = body.take(DETAILS_LIMIT).read_to_end(&mut details);
    let told = told_to_retry(headers);
    // The key is fetched without naming a model, so that no error object can be about the request.
    let said = if kind == Kind::Post { said(&details) } else { Said::Nothing };
    let advice = advice(status, &said, told);
    Error::new(Status::of_http(status), format!("the server answered HTTP {status} ({place}); {advice}")).with_http(
        status,
        retry_after(headers, SystemTime::now()),
        told,
        details,
    )
}

/// The error object of OpenAI's API in a response: a server that sends one has understood the request.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// There is none.
    Nothing,
    /// The model is unknown.
    UnknownModel,
    /// A quota is used up, which waiting does not change.
    UsedUp,
    /// There is one about anything else.
    Other,
}

fn advice(status: u16, said: &Said, told: Option<bool>) -> &'static str {
    match (status, said) {
        (300..=399, _) => "redirects are never followed: set base_url to where the endpoint really is",
        (400, _) => "the server did not accept the request: see the error's details",
        (401, Said::Nothing) => "check the API key",
        (401, _) => "check the API key: the error's details tell which key is meant",
        (403, Said::Nothing) => "this API key or model is not allowed at the requested security tier",
        (403, _) => "the server does not allow this request: see the error's details",
        (404, Said::Nothing) => "check the base URL: this server has no secure endpoint there",
        (404, Said::UnknownModel) => {
            "the server does not have the model that the request names: see the error's details"
        }
        (404, _) => {
            "the server does not have something that the request names, such as the model: see the error's details"
        }
        (413, _) => "the request is too large for this server or a gateway in front of it: send less",
        (429, Said::UsedUp) => "a quota is used up: see the error's details",
        (429, _) => "too many requests: wait, and send fewer",
        (500..=599, _) if told == Some(false) => {
            "the server failed, and says that a retry does not help: see the error's details"
        }
        (500..=599, _) => "the server failed: try again later",
        _ => "see the error's details, if there are any",
    }
}

fn said(details: &[u8]) -> Said {
    let Ok(body) = json::read(details) else { return Said::Nothing };
    let Ok([Some(error)]) = json::places(body.walk(), ["error"]) else { return Said::Nothing };
    let Ok([message, kind, code]) = json::places(body.walk_at(&error), ["message", "type", "code"]) else {
        return Said::Nothing;
    };
    let [kind, code] = [kind, code].map(|place| place.and_then(|place| body.plain(&place)));
    match (kind.as_deref(), code.as_deref()) {
        (_, Some("model_not_found")) => Said::UnknownModel,
        (Some("insufficient_quota"), _) | (_, Some("insufficient_quota")) => Said::UsedUp,
        (None, None) if message.is_none() => Said::Nothing,
        _ => Said::Other,
    }
}

/// What the server says itself about another attempt.
fn told_to_retry(headers: &HeaderMap) -> Option<bool> {
    match headers.get("x-should-retry")?.as_bytes() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(status: u16, kind: Kind, told: Option<&'static str>, body: &str) -> String {
        let place = Place { url: "https://x", proxy: None, attempt: 1 };
        let mut headers = HeaderMap::new();
        if let Some(told) = told {
            headers.insert("x-should-retry", http::HeaderValue::from_static(told));
        }
        let error = of(status, kind, &place, &headers, body.as_bytes());
        assert_eq!(error.details(), body.as_bytes());
        error.message().to_owned()
    }

    const UNKNOWN: &str = r#"{"error":{"message":"no model x","type":"t","param":null,"code":"model_not_found"}}"#;

    #[test]
    fn an_unknown_model_is_not_a_wrong_base_url() {
        let said = message(404, Kind::Post, None, UNKNOWN);
        assert!(said.contains("does not have the model") && !said.contains("base URL"), "{said}");
        let ollama = r#"{"error":{"message":"model \"x\" not found","type":"api_error","param":null,"code":null}}"#;
        let said = message(404, Kind::Post, None, ollama);
        assert!(said.contains("such as the model") && !said.contains("base URL"), "{said}");
    }

    #[test]
    fn a_404_without_an_error_object_or_of_the_key_fetch_is_a_wrong_base_url() {
        for body in ["", "<html>", "[1]", "{}", r#"{"detail":"Not Found"}"#, r#"{"error":{}}"#, r#"{"error":"no"}"#] {
            assert!(message(404, Kind::Post, None, body).contains("check the base URL"), "{body}");
        }
        assert!(message(404, Kind::Fetch, None, UNKNOWN).contains("check the base URL"));
    }

    #[test]
    fn an_error_object_turns_the_advice_to_the_details() {
        let other = r#"{"error":{"message":"no","code":7}}"#;
        assert!(message(401, Kind::Post, None, other).contains("which key is meant"));
        assert!(message(403, Kind::Post, None, other).contains("does not allow this request"));
        assert!(message(429, Kind::Post, None, other).contains("too many requests"));
        let quota = r#"{"error":{"message":"no","type":"insufficient_quota"}}"#;
        assert!(message(429, Kind::Post, None, quota).contains("a quota is used up"));
        assert!(message(403, Kind::Post, None, r#"{"detail":"no"}"#).contains("security tier"));
    }

    #[test]
    fn a_server_that_rules_a_retry_out_is_not_tried_later() {
        assert!(message(502, Kind::Post, Some("false"), "").contains("a retry does not help"));
        assert!(message(502, Kind::Post, Some("true"), "").contains("try again later"));
        assert!(message(502, Kind::Post, None, "").contains("try again later"));
    }

    #[test]
    fn no_word_of_the_server_is_in_the_message() {
        let body = r#"{"error":{"message":"zebra","type":"zebra","code":"zebra"},"detail":"zebra"}"#;
        for status in 300..600 {
            assert!(!message(status, Kind::Post, None, body).contains("zebra"), "{status}");
        }
    }
}
