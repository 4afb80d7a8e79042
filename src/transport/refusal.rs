//! The error that a response other than 200 stands for.

use std::io::Read;
use std::time::SystemTime;

use http::HeaderMap;

use super::failure::Place;
use super::retry_after::retry_after;
use crate::error::{Error, Status};

/// The most that is kept of an error's body, in bytes.
const DETAILS_LIMIT: u64 = 64 * 1024;

/// The error, with the start of the `body` as untrusted details.
pub(super) fn of(status: u16, place: &Place<'_>, headers: &HeaderMap, body: impl Read) -> Error {
    let mut details = Vec::new();
    // The beginning of an error body that breaks off is still the best account there is of the error.
    let _ = body.take(DETAILS_LIMIT).read_to_end(&mut details);
    let advice = match status {
        300..=399 => "redirects are never followed: set base_url to where the endpoint really is",
        400 => "the server did not accept the request: see the error's details",
        401 => "check the API key",
        403 => "this API key or model is not allowed at the requested security tier",
        404 => "check the base URL: this server has no secure endpoint there",
        413 => "the request is too large for this server or a gateway in front of it: send less",
        429 => "too many requests: wait, and send fewer",
        500..=599 => "the server failed: try again later",
        _ => "see the error's details, if there are any",
    };
    Error::new(Status::of_http(status), format!("the server answered HTTP {status} ({place}); {advice}")).with_http(
        status,
        retry_after(headers, SystemTime::now()),
        told_to_retry(headers),
        details,
    )
}

/// What the server says itself about another attempt.
fn told_to_retry(headers: &HeaderMap) -> Option<bool> {
    match headers.get("x-should-retry")?.as_bytes() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}
