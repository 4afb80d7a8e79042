//! Asking an HTTP proxy for a tunnel: CONNECT (RFC 9110, section 9.3.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::channel::Waiting;
use super::failure::{Failure, Refusal};
use super::proxy::Credentials;
use super::stage::Stage;

/// The largest head that a proxy may answer with, interim responses included, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// How an HTTP head begins.
const BEGINNING: &[u8] = b"HTTP/1.";

/// Has the proxy at the other end of `connection` connect to `host`.
pub(super) fn connect(
    connection: &mut Waiting<'_, '_>,
    credentials: Option<&Credentials>,
    user_agent: &str,
    host: &str,
    port: u16,
) -> Result<(), Failure> {
    connection.step.enters(Stage::AskingProxy);
    connection.write_all(&request(credentials, user_agent, host, port))?;
    let mut read = 0;
    loop {
        match status(&head(connection, &mut read)?) {
            // The tunnel would begin with what nobody has asked for.
            Some(101) | None => return Err(no_proxy()),
            Some(100..=199) => {}
            Some(200..=299) => return Ok(()),
            Some(407) => {
                return Err(refused(
                    "the proxy wants a user name and a password, or does not accept these: give them in its URL",
                ));
            }
            Some(status @ 500..=599) => {
                let what = format!("the proxy could not connect to the server, HTTP {status}: try again later");
                return Err(Failure::Proxy(Refusal { what, passing: true }));
            }
            Some(status) => {
                let what = format!("the proxy does not connect to the server, HTTP {status}: ask its operator");
                return Err(refused(&what));
            }
        }
    }
}

fn request(credentials: Option<&Credentials>, user_agent: &str, host: &str, port: u16) -> Zeroizing<Vec<u8>> {
    let mut request = Zeroizing::new(Vec::with_capacity(4096));
    request.extend(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").as_bytes());
    request.extend(format!("User-Agent: {user_agent}\r\nProxy-Connection: Keep-Alive\r\n").as_bytes());
    if let Some(Credentials { user, password }) = credentials {
        let plain = Zeroizing::new([&user[..], b":", &password[..]].concat());
        let encoded = Zeroizing::new(STANDARD.encode(&plain[..]));
        request.extend(b"Proxy-Authorization: Basic ");
        request.extend(encoded.as_bytes());
        request.extend(b"\r\n");
    }
    request.extend(b"\r\n");
    request
}

/// Reads one head, byte by byte: what is behind it belongs to the tunnel.
fn head(connection: &mut Waiting<'_, '_>, read: &mut usize) -> Result<Vec<u8>, Failure> {
    let mut head = Vec::with_capacity(1024);
    while !(head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n")) {
        let mut byte = [0];
        connection.read_exact(&mut byte).map_err(|failure| match failure {
            Failure::Closed => Failure::Proxy(Refusal {
                what: "the proxy closed the connection without an answer: check the proxy's URL".to_owned(),
                passing: true,
            }),
            failure => failure,
        })?;
        head.push(byte[0]);
        *read += 1;
        if !BEGINNING.starts_with(&head[..head.len().min(BEGINNING.len())]) {
            return Err(no_proxy());
        }
        if *read > MAX_HEAD {
            return Err(refused("the headers of the proxy's answer are too large: ask its operator"));
        }
    }
    Ok(head)
}

/// The status in the first line of a head.
fn status(head: &[u8]) -> Option<u16> {
    let mut words = head.split(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
    let version = words.next()?;
    let digits = std::str::from_utf8(words.next()?).ok()?;
    (version.starts_with(b"HTTP/1.") && digits.len() == 3).then(|| digits.parse().ok())?
}

fn no_proxy() -> Failure {
    refused("what answers there is no HTTP proxy: check the proxy's URL")
}

fn refused(what: &str) -> Failure {
    Failure::Proxy(Refusal { what: what.to_owned(), passing: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::proxy::Via;

    #[test]
    fn the_request_names_the_server_and_carries_the_credentials() {
        let via = Via::parse("http://me:p%40ss@proxy").expect("a proxy");
        let text = String::from_utf8(request(via.credentials.as_ref(), "ua/1", "[::1]", 443).to_vec()).expect("ASCII");
        assert!(
            text.starts_with("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n") && text.ends_with("\r\n\r\n"),
            "{text}"
        );
        assert!(text.contains("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"), "{text}");
        assert!(!String::from_utf8(request(None, "ua/1", "x", 1).to_vec()).expect("ASCII").contains("Authorization"));
    }

    #[test]
    fn the_status_is_the_second_word_of_an_http_head() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        for head in [&b"SSH-2.0-x\r\n\r\n"[..], b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"\r\n\r\n"] {
            assert_eq!(status(head), None);
        }
    }
}
