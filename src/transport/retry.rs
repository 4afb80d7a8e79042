//! Which failed attempts are worth another, and how long to wait before it.

use std::time::Duration;

use crate::crypto;
use crate::error::{Error, Result, Sent};
use crate::headers::Headers;
use crate::wait::Wait;

/// The wait before the first repetition; it doubles from one to the next.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait that the server did not ask for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);
/// How long the server shuts out a key that it takes for abusive; asking meanwhile makes it longer.
const COOL_DOWN: Duration = Duration::from_secs(1800);

/// What one call may still try: made once for it, and passed to everything that it does on the network.
#[derive(Debug)]
pub(crate) struct Attempts {
    wait: Wait,
    /// How many failed attempts may still be repeated, whichever of the two requests they are of.
    retries: u32,
    repeated: u32,
    /// How many were made of each request.
    made: [u32; 2],
    /// Whether the last answer was a 503.
    unavailable: bool,
    /// Whether bytes of the package left in an attempt that was answered.
    answered: bool,
    /// Whether bytes of the package left in an attempt that was not.
    unanswered: bool,
    /// The headers of the last response.
    headers: Headers,
}

/// One of the two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fetch,
    Post,
}

impl Attempts {
    pub(super) fn new(wait: Wait, retries: u32) -> Attempts {
        Attempts {
            wait,
            retries,
            repeated: 0,
            made: [0; 2],
            unavailable: false,
            answered: false,
            unanswered: false,
            headers: Headers::default(),
        }
    }

    /// How long the call may go on.
    pub(crate) fn wait(&self) -> &Wait {
        &self.wait
    }

    /// An attempt of which bytes of the package left has ended, with an answer or without.
    pub(super) fn sent(&mut self, answered: bool) {
        self.answered |= answered;
        self.unanswered |= !answered;
    }

    /// An attempt was answered with these headers.
    pub(super) fn responded(&mut self, headers: Headers) {
        self.headers = headers;
    }

    /// The headers of the last response. None if there was no response.
    pub(crate) fn headers(&self) -> Headers {
        self.headers.clone()
    }

    /// What is known about the package.
    pub(crate) fn what_was_sent(&self) -> Sent {
        match (self.unanswered, self.answered) {
            (true, _) => Sent::Maybe,
            (false, true) => Sent::Yes,
            (false, false) => Sent::No,
        }
    }

    /// How many times the request was sent; if it never was, how many times the server's key was fetched.
    pub(crate) fn count_of_either(&self) -> u32 {
        if self.posts() > 0 { self.posts() } else { self.fetches() }
    }

    /// How many times the server's key was asked for.
    pub(crate) fn fetches(&self) -> u32 {
        self.made(Kind::Fetch)
    }

    /// How many times the package was sent.
    pub(crate) fn posts(&self) -> u32 {
        self.made(Kind::Post)
    }

    pub(super) fn made(&self, kind: Kind) -> u32 {
        self.made[kind as usize]
    }

    /// Counts one more attempt, and says which it is, from 1.
    pub(super) fn count(&mut self, kind: Kind) -> u32 {
        self.made[kind as usize] += 1;
        self.made(kind)
    }

    /// An attempt was answered as it should be.
    pub(super) fn succeeded(&mut self) {
        self.unavailable = false;
    }

    /// Uses up one retry; false if there is none.
    pub(crate) fn use_a_retry(&mut self) -> bool {
        let any = self.retries > 0;
        self.retries = self.retries.saturating_sub(1);
        any
    }

    /// How long to wait after `error` before one more attempt, which is used up by asking. The error itself when there is
    /// to be none: it would be met again, all attempts are used up, or the wait would outlive the deadline.
    pub(super) fn wait_after(&mut self, error: Error) -> Result<Duration> {
        let unavailable = error.http_status() == Some(503);
        let again = std::mem::replace(&mut self.unavailable, unavailable) && unavailable;
        if unavailable && (again || speaks_of_a_cool_down(error.details())) {
            return Err(error.with_cool_down(COOL_DOWN));
        }
        if !error.is_retryable() || self.retries == 0 || self.wait.left().is_zero() {
            return Err(error);
        }
        let wait = error.retry_after().unwrap_or_else(|| backoff(self.repeated, random()));
        if wait >= self.wait.left() {
            return Err(error
                .because("the wait before the next attempt would outlive the call's deadline")
                .cut_short());
        }
        self.retries -= 1;
        self.repeated += 1;
        Ok(wait)
    }
}

/// Whether the server could not decrypt the request: its key may have changed since it was fetched. No attempt with the
/// same package is worth making before that is known.
pub(crate) fn doubts_the_key(error: &Error) -> bool {
    matches!(error.http_status(), Some(400 | 500)) && words(error.details()).contains("decrypt")
}

/// Whether a 503 means that this key is shut out for a while.
fn speaks_of_a_cool_down(details: &[u8]) -> bool {
    let said = words(details);
    [" rate limit", " ratelimit", " abus", " cool down", " cooldown"].iter().any(|word| said.contains(word))
}

/// The letters of a body, in lower case, with one space in place of everything between them.
fn words(body: &[u8]) -> String {
    let mut words = String::with_capacity(body.len() + 1);
    words.push(' ');
    for byte in body {
        if byte.is_ascii_alphabetic() {
            words.push(char::from(byte.to_ascii_lowercase()));
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words
}

/// The wait before the next attempt when `repeated` were repeated already; up to a quarter shorter, as `random` (from 0,
/// below 1) says, so that clients that failed together do not come back together.
fn backoff(repeated: u32, random: f64) -> Duration {
    let doubled = 1_u32.checked_shl(repeated).map_or(LONGEST_BACKOFF, |factor| FIRST_WAIT.saturating_mul(factor));
    doubled.min(LONGEST_BACKOFF).mul_f64(1.0 - 0.25 * random)
}

/// From 0, below 1. For spreading, not for secrets.
fn random() -> f64 {
    let number = crypto::random().map_or(0, u32::from_le_bytes);
    f64::from(number) / 2_f64.powi(32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn attempts(retries: u32) -> Attempts {
        Attempts::new(Wait::patient(), retries)
    }

    fn answered(status: u16, details: &str, wait: Option<u64>) -> Error {
        Error::new(Status::of_http(status), "no").with_http(
            status,
            wait.map(Duration::from_millis),
            None,
            details.into(),
        )
    }

    #[test]
    fn waits_double_up_to_eight_seconds_and_lose_up_to_a_quarter() {
        let waits: Vec<_> = (0..7).map(|n| backoff(n, 0.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(backoff(0, 1.0), Duration::from_millis(375));
        assert_eq!(backoff(u32::MAX, 1.0), Duration::from_secs(6));
        let random: Vec<_> = (0..100).map(|_| random()).collect();
        assert!(random.iter().all(|r| (0.0..1.0).contains(r)) && random.iter().any(|r| *r != random[0]));
    }

    #[test]
    fn the_table_decides_and_the_server_overrules_it() {
        for (status, worth) in
            [(408, true), (409, true), (429, true), (500, true), (502, true), (503, true)].into_iter().chain([
                (504, true),
                (425, true),
                (520, true),
                (524, true),
                (529, true),
                (530, true),
                (505, false),
                (400, false),
                (401, false),
                (403, false),
                (404, false),
                (422, false),
                (501, false),
            ])
        {
            assert_eq!(attempts(1).wait_after(answered(status, "", None)).is_ok(), worth, "{status}");
            for told in [true, false] {
                let error = Error::new(Status::Http, "no").with_http(status, None, Some(told), Vec::new());
                assert_eq!(attempts(1).wait_after(error).is_ok(), told, "{status}");
            }
        }
    }

    #[test]
    fn a_wait_that_the_server_asks_for_is_kept_up_to_two_minutes() {
        assert_eq!(attempts(1).wait_after(answered(429, "", Some(120_000))).ok(), Some(Duration::from_secs(120)));
        let error = attempts(1).wait_after(answered(429, "", Some(120_001))).expect_err("too long");
        assert_eq!((error.retry_after(), error.is_retryable()), (Some(Duration::from_millis(120_001)), false));
        let told =
            Error::new(Status::RateLimit, "no").with_http(429, Some(Duration::from_secs(121)), Some(true), Vec::new());
        assert!(attempts(1).wait_after(told).is_err());
    }

    #[test]
    fn as_many_are_repeated_as_are_allowed() {
        let mut attempts = attempts(2);
        assert!(attempts.wait_after(answered(500, "", None)).is_ok());
        assert!(attempts.wait_after(answered(500, "", None)).is_ok());
        let error = attempts.wait_after(answered(500, "", None)).expect_err("used up");
        assert!(error.is_retryable());
    }

    #[test]
    fn a_wait_that_would_outlive_the_deadline_fails_at_once() {
        let mut attempts = Attempts::new(Wait::new(Duration::from_secs(5), None), 2);
        let error = attempts.wait_after(answered(429, "", Some(5000))).expect_err("no time");
        assert!(error.message().contains("outlive"), "{error}");
        assert_eq!((error.status(), error.retry_after()), (Status::RateLimit, Some(Duration::from_secs(5))));
    }

    #[test]
    fn a_cool_down_ends_the_call_and_says_half_an_hour() {
        let asleep = |error: Error| {
            assert_eq!((error.retry_after(), error.is_retryable()), (Some(COOL_DOWN), false));
        };
        for detail in ["Rate limit", "burst_abuse", "{\"detail\":\"cool-down\"}", "COOLDOWN", "rate-limited"] {
            asleep(attempts(9).wait_after(answered(503, detail, Some(1))).expect_err(detail));
        }
        let mut second = attempts(9);
        assert!(second.wait_after(answered(503, "separate limit", None)).is_ok());
        asleep(second.wait_after(answered(503, "", None)).expect_err("two in a row"));
        let mut apart = attempts(9);
        for status in [503, 500, 503, 502, 503] {
            assert!(apart.wait_after(answered(status, "", None)).is_ok());
        }
        apart.succeeded();
        assert!(apart.wait_after(answered(503, "", None)).is_ok());
        let longer = attempts(9).wait_after(answered(503, "abuse", Some(3_600_000))).expect_err("an hour");
        assert_eq!(longer.retry_after(), Some(Duration::from_secs(3600)));
    }

    #[test]
    fn an_answer_that_could_not_decrypt_doubts_the_key() {
        assert!(doubts_the_key(&answered(400, "{\"detail\":\"Decryption failed\"}", None)));
        assert!(doubts_the_key(&answered(500, "cannot decrypt", None)));
        assert!(!doubts_the_key(&answered(500, "out of memory", None)));
        assert!(!doubts_the_key(&answered(503, "decrypt", None)));
    }
}
