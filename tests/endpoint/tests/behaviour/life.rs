//! Start and end: what an endpoint leaves behind, as a library and as a program.

use std::io::Read;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Client, fixture, options, start};
use endpoint::Options;
use serde_json::{Value, json};

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

/// The program, told to write `ready.json` in the directory, with the fixture's key and these flags.
fn program(directory: &Path, flags: &[&str]) -> Command {
    std::fs::write(directory.join("server_private.pem"), fixture("keys/server_private.pem")).expect("written");
    let mut program = Command::new(env!("CARGO_BIN_EXE_endpoint"));
    program.arg("--state-dir").arg(directory).arg("--ready-file").arg(directory.join("ready.json"));
    program.args(flags).stdout(Stdio::null());
    program
}

/// What the ready file says, as soon as it is there.
fn ready(program: &mut Child, directory: &Path) -> Value {
    let file = directory.join("ready.json");
    while !file.exists() {
        assert!(program.try_wait().expect("a child").is_none(), "it ended before it was ready");
        std::thread::yield_now();
    }
    serde_json::from_slice(&std::fs::read(&file).expect("it is there")).expect("JSON, whole")
}

#[cfg(unix)]
fn signal(program: &Child, signal: &str) {
    let killed = Command::new("kill").arg(signal).arg(program.id().to_string()).status().expect("kill runs");
    assert!(killed.success());
}

#[cfg(unix)]
#[test]
fn the_program_announces_itself_and_ends_in_order() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut program = program(directory.path(), &["--http"]).spawn().expect("the program starts");
    let said = ready(&mut program, directory.path());
    assert_eq!(said["pid"], program.id());
    for member in ["base_url", "plain_base_url"] {
        let url = said[member].as_str().expect("a URL");
        assert!(TcpStream::connect(("127.0.0.1", port(url))).is_ok(), "{url}");
    }
    assert!(Path::new(said["ca_file"].as_str().expect("a path")).exists());

    signal(&program, "-TERM");
    assert!(program.wait().expect("it ends").success());
    assert!(!directory.path().join("ready.json").exists(), "the ready file goes with the server");
}

/// The first line of a process's status that begins with `name`; none when there is no such process.
#[cfg(target_os = "linux")]
fn status(pid: &str, name: &str) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}

/// The process ids of the program's swtpm.
#[cfg(target_os = "linux")]
fn software_tpms(program: &Child) -> Vec<String> {
    let parent = program.id().to_string();
    std::fs::read_dir("/proc")
        .expect("Linux has it")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter(|pid| status(pid, "PPid:").as_ref() == Some(&parent))
        .filter(|pid| status(pid, "Name:").as_deref() == Some("swtpm"))
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn the_software_tpm_ends_with_the_program_however_that_ends() {
    for how in ["-TERM", "-INT", "-KILL"] {
        let (directory, temporary) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
        let mut program = program(directory.path(), &["--tpm", "swtpm"])
            .env("TMPDIR", temporary.path())
            .spawn()
            .expect("the program starts");
        ready(&mut program, directory.path());
        let tpms = software_tpms(&program);
        assert_eq!(tpms.len(), 1, "{how}");

        signal(&program, how);
        program.wait().expect("it ends");
        let patience = Instant::now() + Duration::from_secs(60);
        // Gone, or a zombie that nobody has asked after.
        while status(&tpms[0], "State:").is_some_and(|state| !state.starts_with('Z')) {
            assert!(Instant::now() < patience, "{how}: swtpm is still there");
            std::thread::sleep(Duration::from_millis(10));
        }
        let left = std::fs::read_dir(temporary.path()).expect("it is there").count();
        assert_eq!(left > 0, how == "-KILL", "{how}: its state goes, unless nobody is left to remove it");
    }
}

#[cfg(unix)]
#[test]
fn without_swtpm_it_says_what_to_install() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let output = program(directory.path(), &["--tpm", "swtpm"])
        .env("PATH", directory.path())
        .stderr(Stdio::piped())
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("apt-get install swtpm"), "{said}");
}
