//! The header lines of the two requests, as they are on the wire.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use endpoint::Options;
use nomyo::{CallOptions, Client, Config, Status, Tier};
use serde_json::json;

use super::{chat, config_for, fixture, started};

/// The head of the next request on a connection.
fn head(socket: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("a head is ASCII")
}

/// The names of the header lines, in small letters, sorted.
fn names(head: &str) -> Vec<String> {
    let mut names: Vec<String> =
        head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0.to_ascii_lowercase())).collect();
    names.sort();
    names
}

#[test]
fn each_header_line_goes_out_once_and_no_other_line_does() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a connection");
        let fetch = head(&mut socket);
        let pem = fixture("keys/server_public.pem");
        write!(socket, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{pem}", pem.len()).expect("the key goes out");
        let post = head(&mut socket);
        socket
            .write_all(b"HTTP/1.1 401 Unauthorized\r\nX-Request-ID: r-401\r\nContent-Length: 0\r\n\r\n")
            .expect("the refusal goes out");
        (fetch, post)
    });
    let mut config = Config::new();
    config.set_base_url(&url).expect("a good URL");
    config.set_allow_http(true);
    config.set_api_key(b"key").expect("a good key");
    config.set_max_retries(0).expect("a number of retries");
    config.set_header("X-Gateway-Key", b"first").expect("a good header");
    config.set_header("x-gateway-key", b"open sesame").expect("a good header");
    let mut options = CallOptions::new();
    options.set_security_tier(Tier::High);
    let client = Client::new(&config).expect("a client");
    let error = client.create(chat("x", &json!({})).as_bytes(), &options).expect_err("a refusal");
    assert_eq!(error.status(), Status::Authentication);
    assert_eq!(error.request_id(), Some("r-401"));
    let (fetch, post) = server.join().expect("the server ends");
    assert_eq!(names(&fetch), ["accept", "host", "user-agent", "x-gateway-key"]);
    assert!(fetch.contains("x-gateway-key: open sesame\r\n") && post.contains("x-gateway-key: open sesame\r\n"));
    let of_the_post = [
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-gateway-key",
        "x-payload-id",
        "x-public-key",
        "x-security-tier",
    ];
    assert_eq!(names(&post), of_the_post);
}

#[test]
fn the_id_that_a_gateway_gives_a_request_is_told_of_a_success_and_of_a_failure() {
    let endpoint = started(Options::default());
    let with_id = |id: &str| {
        let mut config = config_for(&endpoint);
        config.set_header("X-Request-ID", id.as_bytes()).expect("a good header");
        Client::new(&config).expect("a client")
    };
    let client = with_id("r-7");
    let response = client.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect("an answer");
    assert_eq!(response.request_id(), Some("r-7"));
    let refused = chat("x", &json!({"status": 400}));
    let error = client.create(refused.as_bytes(), &CallOptions::new()).expect_err("a refusal");
    assert_eq!(error.request_id(), Some("r-7"));
    for id in [String::new(), "with space".to_owned(), "x".repeat(129)] {
        let error = with_id(&id).create(refused.as_bytes(), &CallOptions::new()).expect_err("a refusal");
        assert_eq!(error.request_id(), None);
    }
}

#[test]
fn a_client_adds_at_most_32_headers() {
    let mut config = Config::new();
    for n in 0..32 {
        config.set_header(&format!("X-{n}"), b"v").expect("a good header");
    }
    assert_eq!(config.set_header("X-More", b"v").expect_err("the 33rd").status(), Status::Argument);
    config.set_header("x-31", b"w").expect("a name that is there");
}

#[test]
fn the_id_is_that_of_the_last_response_also_if_a_later_attempt_had_none() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a connection");
        head(&mut socket);
        let pem = fixture("keys/server_public.pem");
        write!(socket, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{pem}", pem.len()).expect("the key goes out");
        head(&mut socket);
        let refusal = "HTTP/1.1 503 Busy\r\nX-Request-ID: r-503\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        socket.write_all(refusal.as_bytes()).expect("the refusal goes out");
        drop(socket);
        // The second attempt gets no response.
        let (mut socket, _) = listener.accept().expect("another connection");
        head(&mut socket);
    });
    let mut config = Config::new();
    config.set_base_url(&url).expect("a good URL");
    config.set_allow_http(true);
    config.set_max_retries(1).expect("a number of retries");
    let client = Client::new(&config).expect("a client");
    let error = client.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect_err("no answer");
    assert_eq!((error.status(), error.request_id()), (Status::Connection, Some("r-503")));
    server.join().expect("the server ends");
}
