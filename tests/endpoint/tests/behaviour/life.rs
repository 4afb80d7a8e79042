//! Start and end: what an endpoint leaves behind, as a library and as a program.

use std::io::Read;
use std::net::TcpStream;

use crate::client::{Client, fixture, options, start};
use endpoint::Options;
use serde_json::json;

fn port(base_url: &str) -> u16 {
    base_url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

#[test]
fn dropping_it_ends_listeners_connections_and_the_temporary_state() {
    let endpoint = start(Options { control: true, ..options() });
    let ca_file = endpoint.ca_file().to_owned();
    assert!(ca_file.exists());
    let address = ("127.0.0.1", port(endpoint.base_url()));
    let mut idle = TcpStream::connect(address).expect("it listens");
    endpoint.set_faults(json!({"accept": "stall", "accept_times": 1})).expect("a known fault");
    let mut stalled = TcpStream::connect(address).expect("it listens");
    let client = Client::new(&endpoint);
    std::thread::scope(|scope| {
        // An hour's pause ends with the server.
        let waiting = scope.spawn(|| client.ask_for("id", json!({"delay_before_headers_ms": 3_600_000})));
        while endpoint.stats().requests == 0 {
            std::thread::yield_now();
        }
        drop(endpoint);
        assert!(waiting.join().expect("it ends").is_err());
    });
    for stream in [&mut idle, &mut stalled] {
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)), "it is closed");
    }
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    assert!(!ca_file.exists());
}

#[test]
fn a_state_directory_keeps_the_ca_and_the_key() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("server_private.pem"), fixture("keys/server_private.pem")).expect("written");
    let options = || Options { state_dir: Some(directory.path().join(".")), ..Options::default() };
    let first = start(options());
    let (ca, key) = (first.ca_pem().to_owned(), first.key_fingerprint());
    drop(first);
    let second = start(options());
    assert_eq!((second.ca_pem(), second.key_fingerprint()), (ca.as_str(), key));
    assert_eq!(Client::new(&second).get("/pki/public_key").expect("the kept CA vouches").status, 200);
}

#[cfg(unix)]
#[test]
fn the_program_announces_itself_and_ends_in_order() {
    use std::process::{Command, Stdio};

    let directory = tempfile::tempdir().expect("a temporary directory");
    let ready = directory.path().join("ready.json");
    std::fs::write(directory.path().join("server_private.pem"), fixture("keys/server_private.pem")).expect("written");
    let mut program = Command::new(env!("CARGO_BIN_EXE_endpoint"))
        .arg("--state-dir")
        .arg(directory.path())
        .arg("--ready-file")
        .arg(&ready)
        .arg("--http")
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    while !ready.exists() {
        assert!(program.try_wait().expect("a child").is_none(), "it ended before it was ready");
        std::thread::yield_now();
    }
    let said: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&ready).expect("it is there")).expect("JSON, whole");
    assert_eq!(said["pid"], program.id());
    for member in ["base_url", "plain_base_url"] {
        let url = said[member].as_str().expect("a URL");
        assert!(TcpStream::connect(("127.0.0.1", port(url))).is_ok(), "{url}");
    }
    assert!(std::path::Path::new(said["ca_file"].as_str().expect("a path")).exists());

    let killed = Command::new("kill").arg(program.id().to_string()).status().expect("kill runs");
    assert!(killed.success());
    assert!(program.wait().expect("it ends").success());
    assert!(!ready.exists(), "the ready file goes with the server");
}
