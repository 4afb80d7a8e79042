//! Writing a response, in order or with the faults that were asked for.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::faults::{ResetAt, WireFaults};
use crate::response::{Response, reason};
use crate::shutdown::Shutdown;

/// Pieces of this size keep a body of any length out of memory.
const PIECE: usize = 16 * 1024;

/// What is to become of the connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Then {
    KeepAlive,
    Close,
    Reset,
}

/// Sends `response`, suffering `faults`.
pub(crate) fn deliver(
    out: &mut impl Write,
    mut response: Response,
    faults: &WireFaults,
    keep_alive: bool,
    shutdown: &Shutdown,
) -> io::Result<Then> {
    let pause = |ms: Option<u64>| ms.map_or(Ok(()), |ms| shutdown.pause(Duration::from_millis(ms)));
    faults.dress(&mut response);
    pause(faults.delay_before_headers_ms)?;
    if faults.close {
        return Ok(Then::Close);
    }
    if faults.reset == Some(ResetAt::BeforeHeaders) {
        return Ok(Then::Reset);
    }

    let mut say = |text: &str, drip_ms: Option<u64>| -> io::Result<()> {
        for piece in text.as_bytes().chunks(if drip_ms.is_some() { 1 } else { PIECE }) {
            out.write_all(piece)?;
            out.flush()?;
            pause(drip_ms)?;
        }
        Ok(())
    };
    say(faults.before.as_deref().unwrap_or_default(), None)?;
    if let Some(raw) = &faults.raw {
        say(raw, faults.drip_head_ms)?;
        return Ok(Then::Close);
    }
    let body = Body::new(&response, faults)?;
    let keep_alive = keep_alive && !asks_to_close(&response);
    say(&head(&response, &body, faults, keep_alive), faults.drip_head_ms)?;

    let end = faults.truncate.map_or(body.length, |limit| limit.min(body.length));
    let piece = if faults.drip_ms.is_some() { 1 } else { PIECE };
    let mut send = |from: u64, to: u64| -> io::Result<()> {
        let mut at = from;
        while at < to {
            let next = to.min(at + piece as u64);
            write_piece(out, &body.range(at, next), faults.chunked)?;
            out.flush()?;
            pause(faults.drip_ms)?;
            at = next;
        }
        Ok(())
    };
    send(0, end / 2)?;
    pause(faults.delay_in_body_ms)?;
    if faults.reset == Some(ResetAt::InBody) {
        return Ok(Then::Reset);
    }
    send(end / 2, end)?;
    if faults.truncate.is_some() {
        return Ok(Then::Close);
    }
    if faults.chunked {
        out.write_all(b"0\r\n\r\n")?;
        out.flush()?;
    }
    Ok(if keep_alive { Then::KeepAlive } else { Then::Close })
}

/// The bytes of the body, padded with spaces up to its length without holding the padding.
struct Body<'a> {
    bytes: Cow<'a, [u8]>,
    length: u64,
}

impl<'a> Body<'a> {
    fn new(response: &'a Response, faults: &WireFaults) -> io::Result<Body<'a>> {
        // RFC 9110: these two have no content, whatever was asked for.
        let bytes = if matches!(response.status, 204 | 304) { &[] } else { response.body.as_slice() };
        let bytes = if faults.gzip { Cow::Owned(gzip(bytes)?) } else { Cow::Borrowed(bytes) };
        let length = faults.oversize.unwrap_or_default().max(bytes.len() as u64);
        Ok(Body { bytes, length })
    }

    /// At most a piece, so the conversion of lengths cannot fail in practice.
    fn range(&self, from: u64, to: u64) -> Vec<u8> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let to = usize::try_from(to).unwrap_or(usize::MAX);
        let held = self.bytes.len();
        let mut piece = self.bytes[from.min(held)..to.min(held)].to_vec();
        piece.resize(to - from, b' ');
        piece
    }
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn head(response: &Response, body: &Body<'_>, faults: &WireFaults, keep_alive: bool) -> String {
    let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    let mut add = |name: &str, value: &str| {
        // A fault may not split the head in two: that would be another test's response.
        let value: String = value.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        head.push_str(&format!("{name}: {value}\r\n"));
    };
    add("Content-Type", &response.content_type);
    for (name, value) in &response.headers {
        add(name, value);
    }
    if faults.gzip {
        add("Content-Encoding", "gzip");
    }
    if faults.chunked {
        add("Transfer-Encoding", "chunked");
    } else if !matches!(response.status, 204 | 304) {
        let longer = faults.truncate.map_or(body.length, |limit| body.length.max(limit.saturating_add(1)));
        add("Content-Length", faults.content_length.as_ref().unwrap_or(&longer.to_string()));
    }
    if !keep_alive && !asks_to_close(response) {
        add("Connection", "close");
    }
    head.push_str("\r\n");
    head
}

fn asks_to_close(response: &Response) -> bool {
    response
        .headers
        .iter()
        .any(|(name, value)| name.eq_ignore_ascii_case("Connection") && value.eq_ignore_ascii_case("close"))
}

fn write_piece(out: &mut impl Write, piece: &[u8], chunked: bool) -> io::Result<()> {
    if !chunked {
        return out.write_all(piece);
    }
    write!(out, "{:x}\r\n", piece.len())?;
    out.write_all(piece)?;
    out.write_all(b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(faults: serde_json::Value) -> (Then, String) {
        let faults: WireFaults = serde_json::from_value(faults).expect("known faults");
        let mut out = Vec::new();
        let response = Response::new(200, "text/plain", "0123456789");
        let then = deliver(&mut out, response, &faults, true, &Shutdown::default()).expect("memory does not fail");
        (then, String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn sends_length_and_keeps_the_connection() {
        let (then, text) = sent(json!({}));
        assert_eq!(then, Then::KeepAlive);
        assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n0123456789");
    }

    #[test]
    fn a_truncated_body_is_announced_longer_than_it_is() {
        for (limit, announced, body) in [(4, 10, "0123"), (10, 11, "0123456789"), (20, 21, "0123456789")] {
            let (then, text) = sent(json!({"truncate": limit}));
            assert_eq!(then, Then::Close);
            assert!(text.contains(&format!("Content-Length: {announced}\r\n")), "{text}");
            assert!(text.ends_with(&format!("\r\n\r\n{body}")), "{text}");
        }
    }

    #[test]
    fn an_oversize_body_is_padded() {
        let (_, text) = sent(json!({"oversize": 40_000}));
        assert_eq!(text.split_once("\r\n\r\n").expect("a head").1, format!("{:<40000}", "0123456789"));
    }

    #[test]
    fn chunks_and_drips() {
        let (_, text) = sent(json!({"chunked": true, "drip_ms": 0}));
        assert!(text.ends_with("1\r\n8\r\n1\r\n9\r\n0\r\n\r\n"), "{text}");
        assert!(!text.contains("Content-Length"));
    }

    #[test]
    fn says_what_it_is_told_to_before_and_instead() {
        let (then, text) = sent(json!({"before": "HTTP/1.1 100 Continue\r\n\r\n"}));
        assert_eq!(then, Then::KeepAlive);
        assert!(text.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "{text}");
        assert_eq!(sent(json!({"raw": "SSH-2.0", "drip_head_ms": 0})), (Then::Close, "SSH-2.0".to_owned()));
    }

    #[test]
    fn lies_about_the_length_and_goes_on() {
        let (then, text) = sent(json!({"content_length": "-1"}));
        assert_eq!(then, Then::KeepAlive);
        assert!(text.ends_with("Content-Length: -1\r\n\r\n0123456789"), "{text}");
    }

    #[test]
    fn resets_and_closes_where_it_was_asked_to() {
        assert_eq!(sent(json!({"reset": "before_headers"})), (Then::Reset, String::new()));
        assert_eq!(sent(json!({"close": true})), (Then::Close, String::new()));
        let (then, text) = sent(json!({"reset": "in_body"}));
        assert_eq!(then, Then::Reset);
        assert!(text.ends_with("\r\n\r\n01234"));
    }
}
