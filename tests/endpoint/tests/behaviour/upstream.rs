//! The endpoint in front of another server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use crate::client::{Client, options, start};
use endpoint::{Endpoint, Options};
use serde_json::{Value, json};

/// What the upstream was asked.
struct Asked {
    head: String,
    body: String,
}

/// An upstream that answers one request.
fn upstream(status: &'static str, answer: Value) -> (String, JoinHandle<Asked>) {
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
        let answer = answer.to_string();
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}", answer.len())
            .expect("it listens");
        Asked { head, body: String::from_utf8(body).expect("UTF-8") }
    });
    (url, thread)
}

fn in_front_of(url: &str) -> Endpoint {
    start(Options {
        upstream: Some(url.to_owned()),
        upstream_key: Some("secret".to_owned()),
        control: true,
        ..options()
    })
}

#[test]
fn forwards_the_request_and_encrypts_the_answer() {
    let (url, thread) = upstream("200 OK", json!({"id": "up", "choices": [], "score": 0.1}));
    let endpoint = in_front_of(&format!("{url}/v1/"));
    let chat = json!({"model": "m", "messages": [], "nomyo_test": {"tier": "high"}});
    let answer = Client::new(&endpoint).ask("id-7", &[], &chat).expect("an answer").open();
    assert_eq!((&answer["id"], &answer["score"]), (&json!("up"), &json!(0.1)));
    assert_eq!(answer["_metadata"]["payload_id"], "id-7");
    let asked = thread.join().expect("the upstream was asked");
    assert!(asked.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", asked.head);
    assert!(asked.head.to_ascii_lowercase().contains("\r\nauthorization: bearer secret\r\n"), "{}", asked.head);
    assert_eq!(asked.body, json!({"model": "m", "messages": []}).to_string());
}

#[test]
fn an_upstream_failure_is_the_gateways() {
    let chat = json!({"messages": [{"role": "user", "content": "hello"}]});
    for (status, ours) in [("500 No", 502), ("401 No", 502), ("404 No", 404)] {
        let (url, thread) = upstream(status, json!({"error": {"message": "because"}}));
        let answer = Client::new(&in_front_of(&url)).ask("id", &[], &chat).expect("an answer");
        assert_eq!(answer.status, ours);
        assert!(answer.detail().ends_with("because"));
        thread.join().expect("the upstream was asked");
    }
    // Bound and dropped: nobody listens there now.
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let answer = Client::new(&in_front_of(&format!("http://{nobody}"))).ask("id", &[], &chat).expect("an answer");
    assert_eq!(answer.status, 502);
}
