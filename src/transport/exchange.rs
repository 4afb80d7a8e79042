//! One HTTP/1.1 request over one connection, and its response.

use std::io::{self, Read};

use http::{HeaderMap, Request};
use ureq_proto::client::state::{Cleanup, RecvBody, RecvResponse, SendRequest};
use ureq_proto::client::{Call, RecvBodyResult, RecvResponseResult, SendRequestResult};

use super::link::{Link, MAX_HEAD};
use super::pool::Pool;
use crate::connection::{Failure, Stage, Step};
use crate::headers::Headers;

/// Room for the head of a request, to begin with.
const HEAD_ROOM: usize = 16 * 1024;

/// The events that an attempt saw on its connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Bytes given to the system, TLS included. 0 if no byte of the request left the process.
    pub(super) sent: u64,
    /// Bytes of the response, heads included, within TLS.
    pub(super) received: u64,
    /// Whether the connection had served a request before.
    pub(super) reused: bool,
    /// Whether the head of a response was read.
    pub(super) answered: bool,
    /// The headers of the response.
    pub(super) headers: Headers,
}

/// A response whose head has been read.
pub(super) struct Response<'a> {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Body<'a>,
}

/// The rest of a response.
struct Body<'a> {
    link: Option<Link>,
    call: Option<Call<RecvBody>>,
    step: Step<'a>,
    pool: &'a Pool,
    /// The request was not sent to its end, so that the connection cannot serve another.
    early: bool,
}

/// Sends `request` with `body` and reads the head of the response. `seen` is told what happened, on failure too.
pub(super) fn exchange<'a>(
    mut link: Link,
    request: Request<()>,
    body: &[u8],
    step: &Step<'a>,
    pool: &'a Pool,
    seen: &mut Seen,
) -> Result<Response<'a>, Failure> {
    seen.reused = link.is_reused();
    let before = link.written();
    let socket = link.channel().socket().clone();
    let outcome = step.wait().interrupting(&socket, || {
        let sent = send(&mut link, request, body, step);
        seen.sent = link.written() - before;
        let (call, early) = sent?;
        let (call, response) = head(&mut link, call, step, seen)?;
        Ok::<_, Failure>((call, response, early))
    });
    let (call, response, early) = outcome.inspect_err(|_| seen.received += link.input().len() as u64)?;
    seen.answered = true;
    let (head, ()) = response.into_parts();
    seen.headers = Headers::of(&head.headers);
    let mut body = Body { link: Some(link), call: None, step: step.clone(), pool, early };
    match call.proceed() {
        Some(RecvResponseResult::RecvBody(call)) => body.call = Some(call),
        Some(RecvResponseResult::Redirect(call)) => body.ended(&call.proceed()),
        Some(RecvResponseResult::Cleanup(call)) => body.ended(&call),
        None => return Err(Failure::NotHttp),
    }
    Ok(Response { status: head.status.as_u16(), headers: head.headers, body })
}

/// Sends the request; true if a response began before its end.
fn send(
    link: &mut Link,
    request: Request<()>,
    body: &[u8],
    step: &Step<'_>,
) -> Result<(Call<RecvResponse>, bool), Failure> {
    step.enters(Stage::Sending);
    let mut call = Call::new(request).map_err(not_http)?.proceed();
    let head = written(&mut call)?;
    let early = link.send(&[&head, body], response_has_begun, step)?;
    let call = match call.proceed().map_err(not_http)? {
        Some(SendRequestResult::RecvResponse(call)) => call,
        Some(SendRequestResult::SendBody(mut call)) => {
            // The connection has taken the body; or it has been told not to care for the rest.
            call.consume_direct_write(body.len()).map_err(not_http)?;
            call.proceed().ok_or(Failure::NotHttp)?
        }
        _ => return Err(Failure::NotHttp),
    };
    Ok((call, early))
}

/// The head of the request.
fn written(call: &mut Call<SendRequest>) -> Result<Vec<u8>, Failure> {
    let (mut head, mut len) = (vec![0; HEAD_ROOM], 0);
    while !call.can_proceed() {
        match call.write(&mut head[len..]) {
            Ok(amount) => len += amount,
            Err(ureq_proto::Error::OutputOverflow) => head.resize(head.len() * 2, 0),
            Err(e) => return Err(not_http(e)),
        }
    }
    head.truncate(len);
    Ok(head)
}

/// Reads the head of the response.
fn head(
    link: &mut Link,
    mut call: Call<RecvResponse>,
    step: &Step<'_>,
    seen: &mut Seen,
) -> Result<(Call<RecvResponse>, http::Response<()>), Failure> {
    step.enters(Stage::Awaiting);
    loop {
        if response_has_begun(link) {
            let (used, response) = call.try_response(link.input(), false).map_err(|e| match e {
                ureq_proto::Error::HttpParseTooManyHeaders => Failure::LargeHead,
                e => not_http(e),
            })?;
            link.consume(used);
            seen.received += used as u64;
            if let Some(response) = response {
                return Ok((call, response));
            }
        }
        if link.input().len() > MAX_HEAD {
            return Err(Failure::LargeHead);
        }
        if !link.receive(step)? {
            return Err(Failure::Closed);
        }
    }
}

/// Whether the final response has begun; interim responses (RFC 9110, section 15.2) are dropped.
fn response_has_begun(link: &mut Link) -> bool {
    while is_interim(link.input()) {
        match end_of_head(link.input()) {
            Some(end) => link.consume(end),
            None => return false,
        }
    }
    // As long as it may still become an interim response, it is none.
    let beginning = &b"HTTP/1.1 1"[..];
    !link.input().is_empty() && !beginning.starts_with(link.input())
}

fn is_interim(input: &[u8]) -> bool {
    let is_informational = input.starts_with(b"HTTP/1.1 1") || input.starts_with(b"HTTP/1.0 1");
    is_informational && !input[8..].starts_with(b" 101")
}

/// The length of the head at the start of `input`, if all of it is there.
fn end_of_head(input: &[u8]) -> Option<usize> {
    memchr::memmem::find(input, b"\r\n\r\n").map(|at| at + 4)
}

fn not_http(_: ureq_proto::Error) -> Failure {
    Failure::NotHttp
}

impl<'a> Response<'a> {
    /// The same, for at most `time` from now.
    pub(super) fn hastily(mut self, time: std::time::Duration) -> Response<'a> {
        self.body.step = self.body.step.within(time);
        self
    }

    /// How many bytes the body has, if the server says so.
    pub(super) fn announced(&self) -> Option<u64> {
        self.headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
    }
}

impl Read for Response<'_> {
    /// Reads the body. An error is a [`Failure`] within.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.body.read(buf).map_err(|failure| match failure {
            Failure::Io(e) => e,
            failure => io::Error::other(Carried(failure)),
        })
    }
}

/// A failure on its way through [`io::Error`].
#[derive(Debug)]
struct Carried(Failure);

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a step on the network failed")
    }
}

impl std::error::Error for Carried {}

/// The failure that reading a body ended with.
pub(super) fn failure_of(error: io::Error) -> Failure {
    match error.downcast::<Carried>() {
        Ok(Carried(failure)) => failure,
        Err(error) => error.into(),
    }
}

impl Body<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Failure> {
        self.step.enters(Stage::Reading);
        loop {
            let (Some(link), Some(call)) = (&mut self.link, &mut self.call) else { return Ok(0) };
            let (used, filled) = call.read(link.input(), buf).map_err(not_http)?;
            link.consume(used);
            let endless = used == 0 && filled == 0 && link.input().len() > MAX_HEAD;
            let delimited_by_close = matches!(call.body_mode(), ureq_proto::BodyMode::CloseDelimited);
            if call.can_proceed() && !delimited_by_close {
                self.finish();
            }
            if filled > 0 || buf.is_empty() {
                return Ok(filled);
            }
            if self.call.is_none() {
                return Ok(0);
            }
            if used > 0 {
                continue;
            }
            if endless {
                // The header of a chunk.
                return Err(Failure::NotHttp);
            }
            if !self.receive()? {
                if !delimited_by_close {
                    return Err(Failure::Closed);
                }
                self.call = None;
            }
        }
    }

    fn receive(&mut self) -> Result<bool, Failure> {
        let Some(link) = &mut self.link else { return Ok(false) };
        let socket = link.channel().socket().clone();
        self.step.wait().interrupting(&socket, || link.receive(&self.step))
    }

    fn finish(&mut self) {
        match self.call.take().and_then(Call::<RecvBody>::proceed) {
            Some(RecvBodyResult::Cleanup(call)) => self.ended(&call),
            Some(RecvBodyResult::Redirect(call)) => self.ended(&call.proceed()),
            None => {}
        }
    }

    /// The response is read to its end: its connection may serve another request.
    fn ended(&mut self, call: &Call<Cleanup>) {
        let link = self.link.take().filter(|_| !self.early && !call.must_close_connection());
        if let Some(link) = link {
            self.pool.keep(link);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Channel;
    use crate::wait::Wait;
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};

    /// Status and body, or the failure.
    type Outcome = std::result::Result<(u16, Vec<u8>), Failure>;

    /// The outcome of one request with a body of `size` bytes to a server that does `serve`, what was seen, and whether the
    /// connection is kept.
    fn served(size: usize, serve: impl FnOnce(&mut TcpStream) + Send) -> (Outcome, Seen, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        client.set_nonblocking(true).expect("a socket option");
        let (wait, pool, mut seen) = (Wait::patient(), Pool::default(), Seen::default());
        let mut kept = false;
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| serve(&mut listener.accept().expect("a connection").0));
            let request = Request::post("http://x/").header("content-length", size).body(()).expect("a request");
            let (step, link) = (Step::new(&wait, "a test"), Link::new(Channel::over_tcp(client)));
            let mut response = exchange(link, request, &vec![b'x'; size], &step, &pool, &mut seen)?;
            let mut body = Vec::new();
            response.read_to_end(&mut body).map_err(failure_of)?;
            kept = pool.take().is_some();
            Ok((response.status, body))
        });
        (outcome, seen, kept)
    }

    /// Reads a whole request of a small body.
    fn read_small(socket: &mut TcpStream) {
        let mut all = Vec::new();
        while !all.ends_with(b"xxx") {
            let mut some = [0; 1024];
            let amount = socket.read(&mut some).expect("a request");
            all.extend(&some[..amount]);
        }
    }

    #[test]
    fn a_response_that_comes_before_the_request_is_read_is_reported_after_one_upload() {
        let (outcome, seen, kept) = served(8 * 1024 * 1024, |socket| {
            socket.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").expect("a response");
            // It reads nothing until the client has gone.
            std::thread::sleep(std::time::Duration::from_millis(100));
        });
        assert_eq!(outcome.expect("a response"), (413, b"no".to_vec()));
        assert!(seen.answered && seen.sent < 8 * 1024 * 1024 && !kept);
    }

    #[test]
    fn interim_responses_are_dropped_and_the_connection_serves_on() {
        let (outcome, seen, kept) = served(3, |socket| {
            read_small(socket);
            for part in ["HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 1", "03 Early\r\n\r\nHTTP/1.1 200 OK\r\n"] {
                socket.write_all(part.as_bytes()).expect("a part");
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            socket.write_all(b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n").expect("the rest");
            std::thread::sleep(std::time::Duration::from_millis(200));
        });
        assert_eq!(outcome.expect("a response"), (200, b"ok".to_vec()));
        assert!(seen.answered && kept);
    }

    #[test]
    fn bytes_behind_a_response_close_the_connection() {
        let (outcome, _, kept) = served(3, |socket| {
            read_small(socket);
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 401 X\r\n\r\n").expect("both");
            std::thread::sleep(std::time::Duration::from_millis(200));
        });
        assert_eq!(outcome.expect("a response"), (200, b"ok".to_vec()));
        assert!(!kept);
    }

    #[test]
    fn a_server_that_closes_has_not_answered_and_one_that_speaks_without_an_end_is_refused() {
        let (outcome, seen, _) = served(3, read_small);
        assert!(matches!(outcome, Err(Failure::Closed | Failure::Io(_))) && !seen.answered && seen.sent > 0);
        let endless = |start: &'static str| {
            served(3, move |socket| {
                read_small(socket);
                let _ = socket.write_all(start.as_bytes()).and_then(|()| socket.write_all(&[b'a'; 128 * 1024]));
            })
        };
        assert!(matches!(endless("HTTP/1.1 200 OK\r\nX: ").0, Err(Failure::LargeHead)));
        let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;";
        assert!(matches!(endless(chunk).0, Err(Failure::NotHttp | Failure::Closed)));
    }
}
