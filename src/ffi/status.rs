//! The numbers that C sees. They never change once shipped.

use std::ffi::{CStr, c_char};

use crate::error::Sent;

/// Success.
pub const NOMYO_OK: i32 = 0;
/// NULL, bad UTF-8, not a JSON object, empty payload, over 10 MiB, unknown tier, CR/LF in the API key, `stream: true`.
pub const NOMYO_ERR_ARGUMENT: i32 = 1;
/// A parent process made the client, or set the credentials, before a fork.
pub const NOMYO_ERR_FORKED: i32 = 2;
/// The call was cancelled.
pub const NOMYO_ERR_CANCELLED: i32 = 3;
/// DNS, TCP, TLS, a reset, or closed without an answer.
pub const NOMYO_ERR_CONNECTION: i32 = 10;
/// The connect timeout or the call's deadline passed.
pub const NOMYO_ERR_TIMEOUT: i32 = 11;
/// The server's answer is not a valid package or key, or is too large.
pub const NOMYO_ERR_PROTOCOL: i32 = 12;
/// HTTP 400.
pub const NOMYO_ERR_BAD_REQUEST: i32 = 20;
/// HTTP 401: missing or wrong API key.
pub const NOMYO_ERR_AUTHENTICATION: i32 = 21;
/// HTTP 403: not allowed at the requested security tier.
pub const NOMYO_ERR_FORBIDDEN: i32 = 22;
/// HTTP 404: no secure endpoint at the base URL, or no such model. The message tells which.
pub const NOMYO_ERR_NOT_FOUND: i32 = 23;
/// HTTP 429: too many requests.
pub const NOMYO_ERR_RATE_LIMIT: i32 = 24;
/// HTTP 500.
pub const NOMYO_ERR_SERVER: i32 = 25;
/// HTTP 503.
pub const NOMYO_ERR_UNAVAILABLE: i32 = 26;
/// Any other HTTP status that is not 200.
pub const NOMYO_ERR_HTTP: i32 = 27;
/// The attestation policy requires more than the answer proves; the answer is withheld and wiped, and the prompt has been
/// sent.
pub const NOMYO_ERR_ATTESTATION: i32 = 40;
/// `http://` without opt-in, decryption or integrity failure, an answer to another request, a tier below the one asked
/// for, a required lock refused.
pub const NOMYO_ERR_SECURITY: i32 = 60;
/// The server's key or its certificate chain is not a pinned one, or the key is not the one that is remembered, or the file
/// of known servers cannot be read as one. nomyo_error_sent() tells whether the request had been sent before.
pub const NOMYO_ERR_PIN: i32 = 61;
/// A client key is missing, unreadable, unsafe or too weak, or a pair does not match. Nothing was changed.
pub const NOMYO_ERR_KEY: i32 = 62;
/// A file could not be read or written.
pub const NOMYO_ERR_IO: i32 = 63;
/// Out of memory.
pub const NOMYO_ERR_MEMORY: i32 = 80;
/// A bug in this library. After a panic the client that met it refuses to work.
pub const NOMYO_ERR_INTERNAL: i32 = 99;

/// Sent: no byte of the request's package left this process, in any attempt.
pub const NOMYO_SENT_NO: i32 = 0;
/// Sent: bytes of the package left in an attempt that was not answered. The server may have received and processed it.
pub const NOMYO_SENT_MAYBE: i32 = 1;
/// Sent: the package left, and every attempt that sent bytes of it was answered. The error tells the last answer.
pub const NOMYO_SENT_YES: i32 = 2;

/// The name of a status, such as `"NOMYO_ERR_PIN"`, or `"NOMYO_ERR_UNKNOWN"` for a number that is none.
///
/// Any thread; blocks on nothing. The text is static: never free it.
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_status_name(status: i32) -> *const c_char {
    name(status).as_ptr()
}

/// The number of a fact about the request.
pub(super) fn sent_number(sent: Sent) -> i32 {
    match sent {
        Sent::No => NOMYO_SENT_NO,
        Sent::Maybe => NOMYO_SENT_MAYBE,
        Sent::Yes => NOMYO_SENT_YES,
    }
}

pub(crate) fn name(status: i32) -> &'static CStr {
    match status {
        NOMYO_OK => c"NOMYO_OK",
        NOMYO_ERR_ARGUMENT => c"NOMYO_ERR_ARGUMENT",
        NOMYO_ERR_FORKED => c"NOMYO_ERR_FORKED",
        NOMYO_ERR_CANCELLED => c"NOMYO_ERR_CANCELLED",
        NOMYO_ERR_CONNECTION => c"NOMYO_ERR_CONNECTION",
        NOMYO_ERR_TIMEOUT => c"NOMYO_ERR_TIMEOUT",
        NOMYO_ERR_PROTOCOL => c"NOMYO_ERR_PROTOCOL",
        NOMYO_ERR_BAD_REQUEST => c"NOMYO_ERR_BAD_REQUEST",
        NOMYO_ERR_AUTHENTICATION => c"NOMYO_ERR_AUTHENTICATION",
        NOMYO_ERR_FORBIDDEN => c"NOMYO_ERR_FORBIDDEN",
        NOMYO_ERR_NOT_FOUND => c"NOMYO_ERR_NOT_FOUND",
        NOMYO_ERR_RATE_LIMIT => c"NOMYO_ERR_RATE_LIMIT",
        NOMYO_ERR_SERVER => c"NOMYO_ERR_SERVER",
        NOMYO_ERR_UNAVAILABLE => c"NOMYO_ERR_UNAVAILABLE",
        NOMYO_ERR_HTTP => c"NOMYO_ERR_HTTP",
        NOMYO_ERR_ATTESTATION => c"NOMYO_ERR_ATTESTATION",
        NOMYO_ERR_SECURITY => c"NOMYO_ERR_SECURITY",
        NOMYO_ERR_PIN => c"NOMYO_ERR_PIN",
        NOMYO_ERR_KEY => c"NOMYO_ERR_KEY",
        NOMYO_ERR_IO => c"NOMYO_ERR_IO",
        NOMYO_ERR_MEMORY => c"NOMYO_ERR_MEMORY",
        NOMYO_ERR_INTERNAL => c"NOMYO_ERR_INTERNAL",
        _ => c"NOMYO_ERR_UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    #[test]
    fn every_status_has_the_name_that_rust_gives_it() {
        for status in Status::ALL {
            let camel = format!("{status:?}");
            let upper: String = camel
                .chars()
                .enumerate()
                .flat_map(|(i, c)| {
                    (i > 0 && c.is_uppercase()).then_some('_').into_iter().chain([c.to_ascii_uppercase()])
                })
                .collect();
            assert_eq!(name(status.code()).to_str(), Ok(format!("NOMYO_ERR_{upper}").as_str()));
        }
        assert_eq!([Sent::No, Sent::Maybe, Sent::Yes].map(sent_number), [0, 1, 2]);
        assert_eq!(name(0), c"NOMYO_OK");
        assert_eq!(name(-1), c"NOMYO_ERR_UNKNOWN");
    }
}
