//! By way of a proxy that CONNECTs, and one that speaks SOCKS5.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use endpoint::{Endpoint, Options};
use nomyo::{CallOptions, Client, Config, Result, Status};
use serde_json::json;

use super::{chat, config_for, started};

/// A proxy of either kind, for this process. It ends with it.
struct Proxy {
    address: String,
    /// What each client said, up to where it was connected.
    said: Arc<Mutex<Vec<Vec<u8>>>>,
    clients: Arc<AtomicUsize>,
}

impl Proxy {
    /// `hello` reads what a client says, answers it, and returns that and where to connect to.
    fn start(hello: fn(&mut TcpStream) -> (Vec<u8>, Option<String>)) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let said = Arc::new(Mutex::new(Vec::new()));
        let clients = Arc::new(AtomicUsize::new(0));
        let (heard, counted) = (said.clone(), clients.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let (mut client, heard) = (client.expect("a client"), heard.clone());
                thread::spawn(move || {
                    let (words, target) = hello(&mut client);
                    heard.lock().expect("no panic").push(words);
                    if let Some(target) = target {
                        tunnel(client, TcpStream::connect(target).expect("the target"));
                    }
                });
            }
        });
        Proxy { address, said, clients }
    }

    fn clients(&self) -> usize {
        self.clients.load(Ordering::SeqCst)
    }

    fn heard(&self, part: &str) -> bool {
        let said = self.said.lock().expect("no panic");
        said.iter().any(|words| words.windows(part.len()).any(|window| window == part.as_bytes()))
    }
}

fn tunnel(client: TcpStream, server: TcpStream) {
    let copies = [(&client, &server), (&server, &client)].map(|(from, to)| {
        let (mut from, mut to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        })
    });
    for copy in copies {
        let _ = copy.join();
    }
}

/// Wants `Basic dXNlcjpwQHNz`, which is `user:p@ss`; a target with port 9 is beyond its reach.
fn connect(client: &mut TcpStream) -> (Vec<u8>, Option<String>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let target = text.split(' ').nth(1).expect("a target").to_owned();
    let (answer, target) = if !text.contains("Proxy-Authorization: Basic dXNlcjpwQHNz\r\n") {
        ("407 Who are you", None)
    } else if target.ends_with(":9") {
        ("502 Not there", None)
    } else {
        ("200 Connected", Some(target.replace("localhost", "127.0.0.1")))
    };
    write!(client, "HTTP/1.1 {answer}\r\n\r\n").expect("a listener");
    (head, target)
}

fn socks(client: &mut TcpStream) -> (Vec<u8>, Option<String>) {
    let mut said = Vec::new();
    let mut read = |client: &mut TcpStream, n: usize| {
        let mut bytes = vec![0; n];
        client.read_exact(&mut bytes).expect("more");
        said.extend(&bytes);
        bytes
    };
    let methods = read(client, 2)[1];
    let offered = read(client, methods.into());
    let method = if offered.contains(&2) { 2 } else { 0 };
    client.write_all(&[5, method]).expect("a listener");
    if method == 2 {
        let user = read(client, 2)[1];
        read(client, user.into());
        let password = read(client, 1)[0];
        let given = read(client, password.into()) == b"p@ss";
        client.write_all(&[1, u8::from(!given)]).expect("a listener");
        if !given {
            return (said, None);
        }
    }
    let host = match read(client, 4)[3] {
        1 => read(client, 4).iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        _ => {
            let len = read(client, 1)[0];
            read(client, len.into());
            "127.0.0.1".to_owned()
        }
    };
    let port = read(client, 2);
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).expect("a listener");
    (said, Some(format!("{host}:{}", u16::from_be_bytes([port[0], port[1]]))))
}

fn by(endpoint: &Endpoint, proxy: &str) -> Config {
    let mut config = config_for(endpoint);
    config.set_proxy(proxy).expect("a good proxy");
    config
}

fn ask(client: &Client) -> Result<()> {
    client.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).map(|_| ())
}

#[test]
fn a_call_goes_through_either_kind_of_proxy_on_one_connection_and_by_name() {
    let endpoint = started(Options::default());
    let (http, socks) = (Proxy::start(connect), Proxy::start(socks));
    let named = endpoint.base_url().replace("127.0.0.1", "localhost");
    for (proxy, scheme) in [(&http, "http"), (&socks, "socks5"), (&socks, "socks5h")] {
        let before = proxy.clients();
        let mut config = by(&endpoint, &format!("{scheme}://user:p%40ss@{}", proxy.address));
        config.set_base_url(&named).expect("a good URL");
        let client = Client::new(&config).expect("a client");
        for _ in 0..3 {
            ask(&client).expect("an answer");
        }
        assert_eq!(proxy.clients(), before + 1, "{scheme}");
        assert!(proxy.heard("localhost") && !proxy.heard("pki"), "{scheme}");
    }
    // Without a password where none is asked for, and by address.
    let client = Client::new(&by(&endpoint, &format!("socks5://{}", socks.address))).expect("a client");
    ask(&client).expect("an answer");
}

#[test]
fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    let endpoint = started(Options::default());
    let (http, socks) = (Proxy::start(connect), Proxy::start(socks));
    let refused = |config: &Config| {
        let error = ask(&Client::new(config).expect("a client")).expect_err("refused");
        assert_eq!(error.status(), Status::Connection);
        assert!(!error.message().contains("hunter2") && !format!("{error:?}{config:?}").contains("hunter2"), "{error}");
        error
    };
    for (proxy, scheme) in [(&http, "http"), (&socks, "socks5")] {
        let url = format!("{scheme}://user:hunter2@{}", proxy.address);
        let error = refused(&by(&endpoint, &url));
        assert!(error.message().contains("user name and"), "{error}");
        assert!(error.message().contains(&format!("{scheme}://{}", proxy.address)), "{error}");
        assert_eq!((error.attempts(), error.is_retryable(), proxy.clients()), (1, false, 1));
    }
    let mut beyond = by(&endpoint, &format!("http://user:p%40ss@{}", http.address));
    beyond.set_base_url("https://127.0.0.1:9").expect("a good URL");
    beyond.set_max_retries(1).expect("a number of retries");
    let error = refused(&beyond);
    assert!(error.message().contains("HTTP 502"), "{error}");
    assert_eq!((error.attempts(), error.is_retryable(), http.clients()), (2, true, 3));
    let mut nobody = by(&endpoint, "http://user:hunter2@127.0.0.1:1");
    nobody.set_max_retries(0).expect("a number of retries");
    assert!(refused(&nobody).message().contains("through http://127.0.0.1:1"));
}

#[test]
fn a_proxy_that_drips_ends_at_the_connect_timeout() {
    let endpoint = started(Options::default());
    let proxy = Proxy::start(|client| {
        for byte in b"HTTP/1.1 200 ".iter().chain(&[b'x'; 10_000]) {
            thread::sleep(std::time::Duration::from_millis(50));
            if client.write_all(&[*byte]).is_err() {
                break;
            }
        }
        (Vec::new(), None)
    });
    let mut config = by(&endpoint, &format!("http://{}", proxy.address));
    config.set_connect_timeout(std::time::Duration::from_millis(400)).expect("a timeout");
    config.set_max_retries(0).expect("a number of retries");
    let start = std::time::Instant::now();
    let error = Client::new(&config).expect("a client").warm_up().expect_err("too slow");
    assert_eq!(error.status(), Status::Timeout, "{error}");
    assert!(error.message().contains("connect timeout") && start.elapsed() < std::time::Duration::from_secs(120));
}
