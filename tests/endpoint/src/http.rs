//! Reading HTTP/1.1 requests: heads, and bodies by length or in chunks.
//!
//! Heads are parsed by `httparse`; what is here is the buffering, the framing of bodies and
//! `Expect: 100-continue`. Pipelined requests work, because bytes read too far stay in the buffer.

use std::io::{self, Read, Write};

use crate::response::Response;

/// A 20 000 character API key beside a client key must fit.
const HEAD_LIMIT: usize = 128 * 1024;
const HEADERS_LIMIT: usize = 100;
/// The largest request of the protocol is 14 MB; this leaves room without inviting a flood.
const BODY_LIMIT: u64 = 64 * 1024 * 1024;

/// Why no request came out.
pub(crate) enum ReadError {
    /// The connection is broken or was closed in the middle.
    Io(io::Error),
    /// The client said something that is not HTTP as we speak it; this is the answer, and the
    /// connection ends.
    Refused(Response),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

/// The head of a request.
#[derive(Debug)]
pub(crate) struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub keep_alive: bool,
    headers: Vec<(String, String)>,
    framing: Framing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Framing {
    Length(u64),
    Chunked,
}

impl Request {
    /// The first header of this name; names are compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A stream with what was read from it but not yet used.
pub(crate) struct Reader<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: Read + Write> Reader<S> {
    pub fn new(stream: S) -> Reader<S> {
        Reader { stream, buffer: Vec::new() }
    }

    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    pub fn into_stream(self) -> S {
        self.stream
    }

    /// The next head, or `None` when the client closed between two requests.
    pub fn read_head(&mut self) -> Result<Option<Request>, ReadError> {
        loop {
            if !self.buffer.is_empty()
                && let Some((request, used)) = parse_head(&self.buffer)?
            {
                self.buffer.drain(..used);
                return Ok(Some(request));
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(ReadError::Refused(Response::detail(431, "The request's head is too large")));
            }
            if self.fill()? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(unexpected_end().into()) };
            }
        }
    }

    /// The body that belongs to `request`.
    pub fn read_body(&mut self, request: &Request) -> Result<Vec<u8>, ReadError> {
        self.invite(request)?;
        match request.framing {
            Framing::Length(length) => {
                check_size(length)?;
                self.take(length)
            }
            Framing::Chunked => self.read_chunks(),
        }
    }

    /// Reads at most `count` raw bytes of the body of `request` and forgets them.
    pub fn read_part(&mut self, request: &Request, count: usize) -> io::Result<()> {
        self.invite(request)?;
        while self.buffer.len() < count && self.fill()? > 0 {}
        Ok(())
    }

    fn invite(&mut self, request: &Request) -> io::Result<()> {
        let expected = request.header("Expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        if expected && self.buffer.is_empty() {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            self.stream.flush()?;
        }
        Ok(())
    }

    fn read_chunks(&mut self) -> Result<Vec<u8>, ReadError> {
        let mut body = Vec::new();
        loop {
            let size = self.read_chunk_size()?;
            check_size(size.saturating_add(body.len() as u64))?;
            if size == 0 {
                self.skip_trailers()?;
                return Ok(body);
            }
            body.extend(self.take(size)?);
            if self.take(2)? != b"\r\n" {
                return Err(bad("A chunk does not end where it says"));
            }
        }
    }

    fn read_chunk_size(&mut self) -> Result<u64, ReadError> {
        loop {
            match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((used, size))) => {
                    self.buffer.drain(..used);
                    return Ok(size);
                }
                Ok(httparse::Status::Partial) if self.buffer.len() <= HEAD_LIMIT => self.fill_more()?,
                _ => return Err(bad("A chunk size cannot be read")),
            }
        }
    }

    fn skip_trailers(&mut self) -> Result<(), ReadError> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                self.buffer.drain(..end + 2);
                if end == 0 {
                    return Ok(());
                }
            } else if self.buffer.len() > HEAD_LIMIT {
                return Err(bad("The trailers are too large"));
            } else {
                self.fill_more()?;
            }
        }
    }

    fn take(&mut self, count: u64) -> Result<Vec<u8>, ReadError> {
        let count = usize::try_from(count).map_err(|_| too_large())?;
        while self.buffer.len() < count {
            self.fill_more()?;
        }
        let rest = self.buffer.split_off(count);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    fn fill_more(&mut self) -> io::Result<()> {
        if self.fill()? == 0 { Err(unexpected_end()) } else { Ok(()) }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut piece = [0; 16 * 1024];
        let count = self.stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count)
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Request, usize)>, ReadError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_LIMIT];
    let mut head = httparse::Request::new(&mut headers);
    let used = match head.parse(bytes) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(bad(&format!("The request's head cannot be read: {error}"))),
    };
    let target = head.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        keep_alive: head.version == Some(1),
        headers: head.headers.iter().map(owned).collect(),
        framing: Framing::Length(0),
    };
    match request.header("Connection").map(str::to_ascii_lowercase).as_deref() {
        Some("close") => request.keep_alive = false,
        Some("keep-alive") => request.keep_alive = true,
        _ => {}
    }
    request.framing = framing(&request)?;
    Ok(Some((request, used)))
}

fn owned(header: &httparse::Header<'_>) -> (String, String) {
    (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned())
}

fn framing(request: &Request) -> Result<Framing, ReadError> {
    match (request.header("Transfer-Encoding"), request.header("Content-Length")) {
        (None, None) => Ok(Framing::Length(0)),
        (None, Some(length)) => length.parse().map(Framing::Length).map_err(|_| bad("Content-Length is not a number")),
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        // Both at once is how requests are smuggled past proxies; other codings nobody sends.
        _ => Err(bad("The request's framing is ambiguous or unknown")),
    }
}

fn check_size(length: u64) -> Result<(), ReadError> {
    if length > BODY_LIMIT { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> ReadError {
    ReadError::Refused(Response::detail(413, "The request's body is too large"))
}

fn bad(detail: &str) -> ReadError {
    ReadError::Refused(Response::detail(400, detail))
}

fn unexpected_end() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the client closed in the middle of a request")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A client that has already said everything; what we say to it is kept.
    struct Script {
        said: Cursor<Vec<u8>>,
        heard: Vec<u8>,
    }

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            // Seven at a time, so that every boundary falls inside something.
            let count = buffer.len().min(7);
            self.said.read(&mut buffer[..count])
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.heard.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn reader(said: &str) -> Reader<Script> {
        Reader::new(Script { said: Cursor::new(said.as_bytes().to_vec()), heard: Vec::new() })
    }

    fn next(reader: &mut Reader<Script>) -> (Request, Vec<u8>) {
        let request = reader.read_head().ok().flatten().expect("a head");
        let body = reader.read_body(&request).ok().expect("a body");
        (request, body)
    }

    #[test]
    fn reads_two_requests_in_one_stream() {
        let mut reader = reader(
            "POST /a?x=1 HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello\
             GET /b HTTP/1.1\r\nConnection: close\r\n\r\n",
        );
        let (first, body) = next(&mut reader);
        assert_eq!((first.path.as_str(), first.query.as_str(), body.as_slice()), ("/a", "x=1", b"hello".as_slice()));
        assert!(first.keep_alive);
        let (second, body) = next(&mut reader);
        assert_eq!((second.path.as_str(), body.len(), second.keep_alive), ("/b", 0, false));
        assert!(matches!(reader.read_head(), Ok(None)));
    }

    #[test]
    fn joins_chunks_and_skips_extensions_and_trailers() {
        let mut reader = reader(
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
             5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n\
             GET /n HTTP/1.1\r\n\r\n",
        );
        assert_eq!(next(&mut reader).1, b"hello!");
        assert_eq!(next(&mut reader).0.path, "/n");
    }

    #[test]
    fn invites_a_body_that_waits_for_it() {
        let mut reader = reader("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n");
        let request = reader.read_head().ok().flatten().expect("a head");
        reader.buffer.clear();
        assert!(reader.read_body(&request).is_err(), "nothing follows");
        assert_eq!(reader.into_stream().heard, b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    #[test]
    fn refuses_ambiguous_framing_and_giant_bodies() {
        for head in [
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            "nonsense\r\n\r\n",
        ] {
            assert!(matches!(reader(head).read_head(), Err(ReadError::Refused(_))), "{head}");
        }
        let mut reader = reader("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n");
        let request = reader.read_head().ok().flatten().expect("a head");
        let Err(ReadError::Refused(response)) = reader.read_body(&request) else {
            panic!("it must be refused");
        };
        assert_eq!(response.status, 413);
    }
}
