//! An HTTP response before it is put on the wire, and the FastAPI shape of a refusal.

use serde_json::{Value, json};

/// Status, extra headers and the whole body. `Content-Length` and `Connection` are the business of
/// `delivery`.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub content_type: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        Response { status, content_type: content_type.to_owned(), headers: Vec::new(), body: body.into() }
    }

    pub fn json(status: u16, value: &Value) -> Response {
        Response::new(status, "application/json", value.to_string())
    }

    /// A refusal as FastAPI words it: `{"detail": "..."}`.
    pub fn detail(status: u16, detail: &str) -> Response {
        Response::json(status, &json!({ "detail": detail }))
    }

    pub fn method_not_allowed(allow: &str) -> Response {
        let mut response = Response::detail(405, "Method Not Allowed");
        response.headers.push(("Allow".to_owned(), allow.to_owned()));
        response
    }
}

/// The standard reason phrase, or a neutral one: a client must not care.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
