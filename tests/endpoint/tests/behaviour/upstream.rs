//! The endpoint in front of another server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use crate::client::{Answer, Client, options, start};
use endpoint::{Endpoint, Options};
use serde_json::{Value, json};

/// What the upstream was asked.
struct Asked {
    head: String,
    body: String,
}

/// An upstream that reads one request and answers with these bytes, then closes.
fn upstream(response: Vec<u8>) -> (String, JoinHandle<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).expect("a line"), 0);
        }
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
            .expect("a length");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the body");
        // The endpoint hangs up in the middle of an answer that is too large.
        let _ = stream.write_all(&response);
        Asked { head, body: String::from_utf8(body).expect("UTF-8") }
    });
    (url, thread)
}

/// The bytes of a response with this status line, these headers and this body.
fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

fn in_front_of(url: &str) -> Endpoint {
    start(Options {
        upstream: Some(url.to_owned()),
        upstream_key: Some("sk-upstream".to_owned()),
        control: true,
        ..options()
    })
}

/// The answer that a client gets when the upstream answers with these bytes.
fn heard(response: Vec<u8>) -> Answer {
    let (url, thread) = upstream(response);
    let chat = json!({"model": "m-7", "messages": [{"role": "user", "content": "Mrs Smith has HIV"}]});
    let answer = Client::new(&in_front_of(&url)).ask("id", &[], &chat).expect("an answer");
    thread.join().expect("the upstream was asked");
    answer
}

fn code(answer: &Answer) -> Value {
    answer.json()["error"]["code"].clone()
}

#[test]
fn forwards_the_request_and_encrypts_the_answer() {
    let (url, thread) = upstream(response("200 OK", "", r#"{"id":"up","choices":[],"score":0.1}"#));
    let endpoint = in_front_of(&format!("{url}/v1/"));
    let chat = json!({"model": "m", "messages": [], "nomyo_test": {"tier": "high"}});
    let answer = Client::new(&endpoint).ask("id-7", &[], &chat).expect("an answer").open();
    assert_eq!((&answer["id"], &answer["score"]), (&json!("up"), &json!(0.1)));
    assert_eq!(answer["_metadata"]["payload_id"], "id-7");
    let asked = thread.join().expect("the upstream was asked");
    assert!(asked.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", asked.head);
    assert!(asked.head.to_ascii_lowercase().contains("\r\nauthorization: bearer sk-upstream\r\n"), "{}", asked.head);
    assert_eq!(asked.body, json!({"model": "m", "messages": []}).to_string());
}

#[test]
fn order_and_spelling_are_kept_in_both_directions() {
    let said = r#"{"z":1E+2,"choices":[{"b":1.0,"a":-0}],"\u0061":12345678901234567890123456789,"n":1e-400}"#;
    let plain = r#" {"temperature": 1E+0,"messages":[], "a":100.00,"seed":12345678901234567890123} "#;
    let tested = r#"{"z":1E+0,"nomyo_test":{"reply":"x"},"messages":[],"a":100.00}"#;
    for (chat, forwarded) in [(plain, plain), (tested, r#"{"z":1E+0,"messages":[],"a":100.00}"#)] {
        // The upstream's own metadata makes way for the endpoint's.
        let (url, thread) = upstream(response("201 Created", "", &said.replacen('{', r#"{"_metadata":{"x":1},"#, 1)));
        let answer = Client::new(&in_front_of(&url)).ask_text("id", &[], chat).expect("an answer").open_text();
        let kept = said.trim_end_matches('}');
        assert!(answer.starts_with(&format!("{kept},\"_metadata\":{{")), "{answer}");
        assert_eq!(thread.join().expect("the upstream was asked").body, forwarded);
    }
}

#[test]
fn a_refusal_keeps_status_error_object_and_wait() {
    let said =
        r#"{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#;
    let answer = heard(response("429 No", "Retry-After: 3\r\nX-Other: Smith\r\n", said));
    assert_eq!((answer.status, answer.header("Retry-After"), answer.header("X-Other")), (429, "3", ""));
    assert_eq!(answer.json()["error"], serde_json::from_str::<Value>(said).expect("JSON")["error"]);
    assert_eq!(answer.detail(), "Rate limit reached");
    for status in [400, 401, 403, 404, 413, 422, 500, 503] {
        let answer = heard(response(&format!("{status} No"), "", r#"{"error":{"message":"no","code":"c"}}"#));
        assert_eq!((answer.status, code(&answer)), (status, json!("c")));
        assert_eq!(answer.header("x-should-retry"), "");
    }
}

#[test]
fn an_answer_that_cannot_be_used_is_lasting() {
    let object = r#"{"choices":[]}"#;
    let mut large = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"a\":\"".to_vec();
    large.resize(64 * 1024 * 1024 + 100, b'x');
    for (bytes, expected) in [
        (response("200 OK", "", "<html>"), "upstream_answer_invalid"),
        (response("200 OK", "", "[1,2]"), "upstream_answer_invalid"),
        (response("200 OK", "", r#"{"a":NaN}"#), "upstream_answer_invalid"),
        (response("204 No Content", "", ""), "upstream_answer_invalid"),
        (response("200 OK", "Content-Type: text/event-stream\r\n", "data: {}\n\n"), "upstream_answer_invalid"),
        (b"SSH-2.0-OpenSSH\r\n\r\n".to_vec(), "upstream_answer_invalid"),
        (format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{object}").into_bytes(), "upstream_answer_cut_short"),
        (
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{object}").into(),
            "upstream_answer_cut_short",
        ),
        (large, "upstream_answer_too_large"),
        (response("307 No", "Location: http://127.0.0.1:1/\r\n", ""), "upstream_redirect"),
        (response("302 No", "Location: /v1/elsewhere\r\n", ""), "upstream_redirect"),
        (response("404 No", "", r#"{"detail":"Not Found"}"#), "upstream_not_found"),
    ] {
        let answer = heard(bytes);
        assert_eq!((answer.status, code(&answer)), (502, json!(expected)));
        assert_eq!((answer.header("x-should-retry"), answer.header("Location")), ("false", ""), "{expected}");
    }
}

#[test]
fn an_error_quotes_neither_prompt_nor_key() {
    for body in [
        r#"{"error":{"message":"bad: Mrs Smith has HIV","type":"smith","param":"HIV","code":"Smith"}}"#.to_owned(),
        r#"{"detail":[{"type":"missing","loc":["body"],"msg":"required","input":"Mrs Smith has HIV"}]}"#.to_owned(),
        r#"{"error":{"message":"Incorrect API key: sk-upstream"}}"#.to_owned(),
        "<html>Mrs Smith has HIV".to_owned(),
        format!(r#"{{"error":{{"message":"{} Smith"}}}}"#, "x".repeat(200_000)),
    ] {
        for status in [400, 500] {
            let answer = heard(response(&format!("{status} No"), "", &body));
            let text = String::from_utf8_lossy(&answer.body).to_lowercase();
            assert_eq!(answer.status, status);
            assert!(!["smith", "hiv", "sk-up"].iter().any(|word| text.contains(word)), "{text}");
        }
    }
}

#[test]
fn an_upstream_that_said_nothing_is_worth_a_retry() {
    // Bound and dropped: nobody listens there now.
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let chat = json!({"messages": [{"role": "user", "content": "hello"}]});
    let ask = |url: &str| Client::new(&in_front_of(url)).ask("id", &[], &chat).expect("an answer");
    for url in [format!("http://{nobody}"), "http://nobody.invalid".to_owned()] {
        let answer = ask(&url);
        assert_eq!((answer.status, code(&answer)), (502, json!("upstream_unreachable")), "{url}");
        assert_eq!(answer.header("x-should-retry"), "", "{url}");
    }
    let answer = heard(Vec::new());
    assert_eq!((answer.status, answer.header("x-should-retry")), (502, ""));
}
