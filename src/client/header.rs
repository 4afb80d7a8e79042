//! The check of a header that the caller adds to requests, for a gateway in front of the server.

use http::header::{HeaderName, HeaderValue};

use super::credential::Credential;
use crate::error::{Error, Result};
use crate::memory::SecretBuf;

const MAX_LEN: usize = 8192;
/// The most headers that a client may add.
pub(super) const MOST: usize = 32;
/// Headers of the protocol, of the connection, and of the format of a body. The client sets them, or could not read the response.
const OF_THE_CLIENT: [&str; 21] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-payload-id",
    "x-public-key",
    "x-security-tier",
];

/// A header. Its value may be a credential of the gateway.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) name: HeaderName,
    value: Credential,
}

impl Header {
    pub(super) fn checked(name: &str, value: &[u8]) -> Result<Header> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            Error::argument(
                "the name of a header has characters that HTTP does not allow there; use letters, digits and -",
            )
        })?;
        if name == "authorization" {
            return Err(Error::argument("the Authorization header carries the API key; set the API key"));
        }
        if OF_THE_CLIENT.contains(&name.as_str()) {
            return Err(Error::argument(format!("the client sets the header {name} itself; leave it out")));
        }
        if value.len() > MAX_LEN {
            return Err(Error::argument(format!("the value of the header is longer than {MAX_LEN} bytes; shorten it")));
        }
        if !value.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            return Err(Error::argument(
                "the value of the header may contain visible ASCII characters and spaces only; strip line breaks",
            ));
        }
        Ok(Header { name, value: Credential::new("value of a header", SecretBuf::copy_of(value)?) })
    }

    pub(super) fn value(&self) -> &Credential {
        &self.value
    }

    /// As it goes out. `Status::Forked` in a child of the process that set it.
    pub(super) fn line(&self) -> Result<(HeaderName, HeaderValue)> {
        let mut value =
            HeaderValue::from_bytes(self.value.bytes()?).map_err(|_| Error::internal("an unchecked header"))?;
        value.set_sensitive(true);
        Ok((self.name.clone(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_the_protocol_is_refused_and_no_value_is_repeated() {
        for name in ["", "a b", "a:", "ä", "X-Payload-ID", "content-type", "HOST", "Authorization"] {
            let error = Header::checked(name, b"secret").expect_err("a bad name");
            assert!(!error.message().contains("secret"));
        }
        for value in ["a\r\nb: c", "a\n", "a\0", "ä", &"x".repeat(8193)] {
            let error = Header::checked("X-Gateway", value.as_bytes()).expect_err("a bad value");
            assert!(!error.message().contains(value));
        }
        let (name, value) =
            Header::checked("X-Gateway-Key", b"a secret").expect("good").line().expect("its own process");
        assert_eq!((name.as_str(), value.as_bytes(), value.is_sensitive()), ("x-gateway-key", &b"a secret"[..], true));
    }
}
