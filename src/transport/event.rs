//! The log lines of one attempt. None has anything in it that the server, or who listens, does not see anyway.

use std::fmt::{self, Display, Formatter};
use std::time::Instant;

use super::exchange::Seen;
use super::failure::Place;
use crate::error::Error;
use crate::log::{Log, LogLevel};

/// An attempt under way.
pub(super) struct Event<'a> {
    log: &'a Log,
    method: &'static str,
    place: Place<'a>,
    payload_id: Option<&'a str>,
    began: Instant,
}

impl<'a> Event<'a> {
    /// Says that an attempt begins, with `body` bytes to send.
    pub(super) fn begins(
        log: &'a Log,
        method: &'static str,
        place: Place<'a>,
        payload_id: Option<&'a str>,
        body: usize,
    ) -> Event<'a> {
        let event = Event { log, method, place, payload_id, began: Instant::now() };
        log.write(LogLevel::Debug, format_args!("{event} begins body={body}"));
        event
    }

    /// Says how it ended: with which HTTP status (0 when there was no answer), after how many bytes and milliseconds.
    pub(super) fn ended(&self, failed: Option<&Error>, seen: &Seen) {
        let Seen { sent, received, reused, .. } = *seen;
        let (ms, connection) = (self.began.elapsed().as_millis(), if reused { "reused" } else { "new" });
        let status = failed.map_or(Some(200), Error::http_status).unwrap_or(0);
        let line =
            format_args!("{self} status={status} sent={sent} received={received} ms={ms} connection={connection}");
        match failed {
            None => self.log.write(LogLevel::Info, line),
            Some(error) => self.log.write(LogLevel::Info, format_args!("{line} error={:?}", error.status())),
        }
    }
}

impl Display for Event<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Place { url, attempt, proxy } = self.place;
        write!(f, "{} {url} attempt={attempt}", self.method)?;
        if let Some(id) = self.payload_id {
            write!(f, " payload_id={id}")?;
        }
        proxy.map_or(Ok(()), |proxy| write!(f, " proxy={proxy}"))
    }
}
