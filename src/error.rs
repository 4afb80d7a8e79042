//! The one error of the library.
//!
//! Promises: a status with a stable number, a sentence that says what happened and what to do, and nothing
//! secret: no prompt, key, password or address ever enters an [`Error`]. What a server said is kept apart, in
//! [`Error::details`], because nobody has authenticated it.

use std::fmt;
use std::time::Duration;

use crate::headers::Headers;

/// What went wrong, as a number that never changes once shipped.
///
/// Ranges: 1 usage, 10 network, 20 the server's HTTP answer, 40 attestation, 60 trust and keys, 80 memory, 99 a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum Status {
    /// The caller passed something that cannot be used.
    Argument = 1,
    /// A parent process made the client, or set the credentials, before a fork.
    Forked = 2,
    /// The caller cancelled the call.
    Cancelled = 3,
    /// Name resolution, TCP, TLS, a reset, or a close without an answer.
    Connection = 10,
    /// The connect timeout or the call's deadline passed.
    Timeout = 11,
    /// The server's answer is not a valid package or key.
    Protocol = 12,
    /// HTTP 400.
    BadRequest = 20,
    /// HTTP 401.
    Authentication = 21,
    /// HTTP 403.
    Forbidden = 22,
    /// HTTP 404.
    NotFound = 23,
    /// HTTP 429.
    RateLimit = 24,
    /// HTTP 500.
    Server = 25,
    /// HTTP 503.
    Unavailable = 26,
    /// Any other HTTP status that is not 200.
    Http = 27,
    /// The attestation policy requires more than the answer proves.
    Attestation = 40,
    /// `http://` without opt-in, a decryption or integrity failure, an answer to another request.
    Security = 60,
    /// The server's key is not the pinned one.
    Pin = 61,
    /// A client key is missing, unreadable, unsafe or too weak.
    Key = 62,
    /// A file could not be read or written.
    Io = 63,
    /// Out of memory.
    Memory = 80,
    /// A bug in this library.
    Internal = 99,
}

impl Status {
    /// Every status, in the order of the numbers.
    pub const ALL: &'static [Status] = &[
        Status::Argument,
        Status::Forked,
        Status::Cancelled,
        Status::Connection,
        Status::Timeout,
        Status::Protocol,
        Status::BadRequest,
        Status::Authentication,
        Status::Forbidden,
        Status::NotFound,
        Status::RateLimit,
        Status::Server,
        Status::Unavailable,
        Status::Http,
        Status::Attestation,
        Status::Security,
        Status::Pin,
        Status::Key,
        Status::Io,
        Status::Memory,
        Status::Internal,
    ];

    /// The number that C sees.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The status of an HTTP answer that is not 200.
    pub(crate) fn of_http(status: u16) -> Status {
        match status {
            400 => Status::BadRequest,
            401 => Status::Authentication,
            403 => Status::Forbidden,
            404 => Status::NotFound,
            429 => Status::RateLimit,
            500 => Status::Server,
            503 => Status::Unavailable,
            _ => Status::Http,
        }
    }
}

/// Whether the request of a failed call left this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Sent {
    /// No byte of the request's package left this process, in any attempt.
    #[default]
    No = 0,
    /// Bytes of the package left in an attempt that was not answered: the server may have received and processed it.
    Maybe = 1,
    /// The package left, and every attempt that sent bytes of it was answered.
    Yes = 2,
}

impl Sent {
    /// `"no"`, `"maybe"` or `"yes"`.
    pub fn name(self) -> &'static str {
        match self {
            Sent::No => "no",
            Sent::Maybe => "maybe",
            Sent::Yes => "yes",
        }
    }
}

/// A failed call: the status, the sentence, and what is known of the HTTP exchange.
///
/// Owned by whoever received it; may be sent to and read from any thread.
#[derive(Clone)]
pub struct Error {
    status: Status,
    message: String,
    http_status: Option<u16>,
    retry_after: Option<Duration>,
    retryable: bool,
    attempts: u32,
    details: Box<[u8]>,
    sent: Sent,
    payload_id: Option<Box<str>>,
    headers: Headers,
    cut_short: bool,
}

/// A server that asks for a longer wait than this is not worth retrying.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Whether a response of this status may be another one next time: a conflict, a limit, and every failure of a server or a
/// gateway, but not a feature or a version that it lacks.
fn passes(status: u16) -> bool {
    match status {
        408 | 409 | 425 | 429 => true,
        501 | 505 => false,
        _ => (500..600).contains(&status),
    }
}

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Error {
        Error {
            status,
            message: message.into(),
            http_status: None,
            retry_after: None,
            retryable: matches!(status, Status::Connection | Status::Timeout),
            attempts: 0,
            details: Box::default(),
            sent: Sent::No,
            payload_id: None,
            headers: Headers::default(),
            cut_short: false,
        }
    }

    pub(crate) fn argument(message: impl Into<String>) -> Error {
        Error::new(Status::Argument, message)
    }

    /// The only error of RSA unwrapping, GCM and plaintext checks: which of them failed is not for anybody to know.
    pub(crate) fn decryption_failed() -> Error {
        Error::new(
            Status::Security,
            "decryption failed: the answer was altered on its way, or was not made for this client's key; \
             do not use anything of it, and check who sits between this client and the server",
        )
    }

    pub(crate) fn internal(what: &'static str) -> Error {
        Error::new(Status::Internal, format!("a bug in libnomyo: {what}; please report it"))
    }

    /// For an answer that refuses. `told` is what the server itself says about another attempt, which overrules what the
    /// status says.
    pub(crate) fn with_http(
        mut self,
        status: u16,
        retry_after: Option<Duration>,
        told: Option<bool>,
        details: Vec<u8>,
    ) -> Error {
        self.http_status = Some(status);
        self.retry_after = retry_after;
        let soon = retry_after.is_none_or(|wait| wait <= LONGEST_WAIT);
        self.retryable = soon && told.unwrap_or_else(|| passes(status));
        self.details = details.into_boxed_slice();
        self
    }

    /// For a server that wants to be left alone, for `wait` at least.
    pub(crate) fn with_cool_down(mut self, wait: Duration) -> Error {
        self.retry_after = Some(self.retry_after.map_or(wait, |asked| asked.max(wait)));
        self.retryable = false;
        self.because("the server shuts this API key out for a while, and asking meanwhile makes that longer")
    }

    /// Adds `why` at the end of the message.
    pub(crate) fn because(mut self, why: &str) -> Error {
        self.message.push_str("; ");
        self.message.push_str(why);
        self
    }

    /// For an answer that came, and could not be used.
    pub(crate) fn with_http_status(mut self, status: u16) -> Error {
        self.http_status = Some(status);
        self
    }

    /// For failures that the next attempt would meet again.
    pub(crate) fn not_retryable(mut self) -> Error {
        self.retryable = false;
        self
    }

    /// For a call that made `attempts` on the network.
    pub(crate) fn with_attempts(mut self, attempts: u32) -> Error {
        self.attempts = attempts;
        self
    }

    /// For a call that would have gone on if it had had more time: another caller might have succeeded.
    pub(crate) fn cut_short(mut self) -> Error {
        self.cut_short = true;
        self
    }

    /// Whether the call's own deadline ended it, and not the network or the server.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.cut_short
    }

    /// For a call whose request was sealed under `payload_id`, if it got that far. The message ends with what is known about
    /// the request, unless the error is the answer to it.
    pub(crate) fn of_request(mut self, sent: Sent, payload_id: Option<String>) -> Error {
        self.sent = sent;
        self.payload_id = payload_id.map(String::into_boxed_str);
        let about_the_call = !matches!(self.status, Status::Argument | Status::Forked | Status::Internal);
        match sent {
            Sent::No if about_the_call => self.because("the request was not sent"),
            Sent::No => self,
            Sent::Maybe => self.because("the server may have received the request, and may have processed it"),
            Sent::Yes if self.http_status.is_some() => self,
            Sent::Yes => self.because("the request had been sent, and the server had answered it"),
        }
    }

    /// For a call whose last response had these headers.
    pub(crate) fn with_headers(mut self, headers: Headers) -> Error {
        self.headers = headers;
        self
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// What happened and what to do; never prompt text, keys, addresses or words of the server.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP status of the answer, if there was one.
    pub fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// How long the server asked to wait before the next attempt, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the same call is worth repeating later.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// How many times the request was sent; if it never was, how many times the server's key was fetched.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether the request left this process. [`Sent::No`] for calls that send none.
    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// The `X-Payload-ID` of the request, if one was sealed: the server's log has the same.
    pub fn payload_id(&self) -> Option<&str> {
        self.payload_id.as_deref()
    }

    /// The `X-Request-ID` of the last response, if it had one of at most 128 visible ASCII characters: a gateway's log has the
    /// same. Untrusted, like [`details`](Error::details).
    pub fn request_id(&self) -> Option<&str> {
        self.headers.request_id().and_then(|id| id.to_str().ok())
    }

    /// The headers of the last response. Untrusted, like [`details`](Error::details).
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body of the server's error answer, at most 64 KiB. Untrusted: nobody has authenticated it.
    pub fn details(&self) -> &[u8] {
        &self.details
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("status", &self.status)
            .field("message", &self.message)
            .field("http_status", &self.http_status)
            .field("attempts", &self.attempts)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {}
