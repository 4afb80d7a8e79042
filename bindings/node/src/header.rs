//! Headers of HTTP, as JavaScript gives and gets them.

use napi_derive::napi;

/// A header of each request, or one of a response.
#[napi(object)]
pub struct Header {
    pub name: String,
    pub value: String,
}

impl Header {
    /// The headers of a response.
    pub fn all(headers: &nomyo::Headers) -> Vec<Header> {
        headers.iter().map(|(name, value)| Header { name: name.to_owned(), value: value.to_owned() }).collect()
    }
}
