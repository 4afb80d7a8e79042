//! One client's connection: request after request until one side has had enough.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use crate::completion::{self, Outcome};
use crate::control;
use crate::delivery::{Then, deliver};
use crate::faults::{AcceptFault, ReadFault, ResetAt, WireFaults};
use crate::http::{ReadError, Reader, Request};
use crate::response::Response;
use crate::server::Server;
use crate::stats::add;
use crate::stream::{self, Stream};

const KEY_PATH: &str = "/pki/public_key";
const CHAT_PATH: &str = "/v1/chat/secure_completion";
/// How long a request that stalls is held: longer than any test waits.
const STALL: Duration = Duration::from_secs(120);

/// Serves a connection to its end, or lets it suffer `fault`. An error ends only this connection,
/// and there is nobody to tell but the client.
pub(crate) fn serve(server: &Server, tcp: TcpStream, tls: Option<Arc<ServerConfig>>, fault: Option<AcceptFault>) {
    let Ok(_registration) = server.shutdown.register(&tcp) else {
        return;
    };
    match fault {
        None => {
            let _ = converse(server, tcp, tls);
        }
        Some(AcceptFault::Close) => {}
        Some(AcceptFault::Reset) => stream::reset(&tcp),
        Some(AcceptFault::Stall) => {
            // Swallows what comes and says nothing, until the client or the server gives up.
            let _ = io::copy(&mut &tcp, &mut io::sink());
        }
        Some(AcceptFault::Answer) => {
            // A client that says nothing, or is gone, wants no answer.
            let _ = (&tcp)
                .read(&mut [0; 16 * 1024])
                .and_then(|_| (&tcp).write_all(server.faults.accept_answer().as_bytes()));
        }
    }
}

fn converse(server: &Server, tcp: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
    let mut reader = Reader::new(Stream::new(tcp, tls)?);
    let mut counted = false;
    loop {
        let (keep_alive, outcome) = match next_outcome(server, &mut reader, &mut counted) {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(ReadError::Refused(response)) => (false, Outcome::from(response)),
            Err(ReadError::Io(error)) => return Err(error),
        };
        let Outcome { response, faults } = outcome;
        match deliver(reader.stream(), response, &faults, keep_alive, &server.shutdown)? {
            Then::KeepAlive => {}
            Then::Close => break,
            Then::Reset => {
                reader.into_stream().reset();
                return Ok(());
            }
        }
    }
    reader.into_stream().close();
    Ok(())
}

/// Reads a request and finds whether the client wants to go on after it, and its outcome. `None`
/// when there is no more.
fn next_outcome(
    server: &Server,
    reader: &mut Reader<Stream>,
    counted: &mut bool,
) -> Result<Option<(bool, Outcome)>, ReadError> {
    let Some(request) = reader.read_head()? else {
        return Ok(None);
    };
    if !control::is_control(&request.path) {
        count(server, &request, counted);
        if request.path == CHAT_PATH
            && let Some((fault, bytes)) = server.faults.read_request()
        {
            reader.read_part(&request, bytes)?;
            if fault == ReadFault::StallMidway {
                server.shutdown.pause(STALL)?;
            }
            return Ok(Some((false, cut_off())));
        }
    }
    let body = reader.read_body(&request)?;
    let mut outcome = route(server, &request, &body);
    if let Some(id) = request.header("X-Request-ID") {
        outcome.response.headers.push(("X-Request-ID".to_owned(), id.to_owned()));
    }
    Ok(Some((request.keep_alive, outcome)))
}

fn count(server: &Server, request: &Request, counted: &mut bool) {
    if !*counted {
        *counted = true;
        add(&server.stats.connections, 1);
    }
    match request.path.as_str() {
        KEY_PATH => add(&server.stats.key_fetches, 1),
        CHAT_PATH => add(&server.stats.requests, 1),
        _ => {}
    }
}

/// A reset before any answer.
fn cut_off() -> Outcome {
    let faults = WireFaults { reset: Some(ResetAt::BeforeHeaders), ..WireFaults::default() };
    Outcome { response: Response::detail(400, "Cut off"), faults }
}

fn route(server: &Server, request: &Request, body: &[u8]) -> Outcome {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", KEY_PATH) => public_key(server),
        ("POST", CHAT_PATH) => {
            add(&server.stats.bytes_in, body.len() as u64);
            completion::answer(server, request, body)
        }
        (_, KEY_PATH) => Response::method_not_allowed("GET").into(),
        (_, CHAT_PATH) => Response::method_not_allowed("POST").into(),
        (_, path) if control::is_control(path) => control::answer(server, request, body).into(),
        _ => Response::detail(404, "Not Found").into(),
    }
}

fn public_key(server: &Server) -> Outcome {
    let faults = server.faults.key_fetch();
    let pem = faults.key_pem.unwrap_or_else(|| server.key().public_pem.clone());
    let response = faults.wire.replacement().unwrap_or_else(|| Response::new(200, "text/plain; charset=utf-8", pem));
    Outcome { response, faults: faults.wire }
}
