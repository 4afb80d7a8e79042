//! The server's key changes under a client's feet, with and without something that says which keys are accepted.

use endpoint::{Endpoint, Options};
use nomyo::{CallOptions, Client, Config, Response, Result, Status};

const CHAT: &[u8] = br#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/protocol/keys/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn started() -> Endpoint {
    let server_key_pem = Some(fixture("server_private.pem"));
    Endpoint::start(Options { server_key_pem, control: true, ..Options::default() }).expect("the endpoint starts")
}

fn client(endpoint: &Endpoint, set: impl FnOnce(&mut Config)) -> Client {
    let mut config = Config::new();
    config.set_base_url(endpoint.base_url()).expect("a good URL");
    config.set_ca_file(endpoint.ca_file()).expect("a good CA file");
    set(&mut config);
    Client::new(&config).expect("a client")
}

fn create(client: &Client) -> Result<Response> {
    client.create(CHAT, &CallOptions::new())
}

#[test]
fn a_request_that_meets_a_new_key_is_sealed_again_for_it_under_the_same_id() {
    let endpoint = started();
    let client = client(&endpoint, |_| {});
    create(&client).expect("an answer");
    endpoint.rotate_key(&fixture("other_private.pem")).expect("another key");
    let answer = create(&client).expect("an answer by the new key");
    assert_eq!(answer.content(0), Some("hello"));
    let stats = endpoint.stats();
    assert_eq!((stats.key_fetches, stats.requests), (2, 3));
}

#[test]
fn a_request_that_cannot_be_decrypted_by_the_same_key_is_not_sent_again() {
    let endpoint = started();
    let client = client(&endpoint, |_| {});
    let json =
        br#"{"model":"m","messages":[],"nomyo_test":{"status":400,"body":"{\"detail\":\"Decryption failed\"}"}}"#;
    let error = client.create(json, &CallOptions::new()).expect_err("refused");
    assert_eq!((error.status(), error.http_status()), (Status::BadRequest, Some(400)));
    let stats = endpoint.stats();
    assert_eq!((stats.key_fetches, stats.requests), (2, 1));
}

#[test]
fn a_failure_to_decrypt_that_the_key_does_not_explain_is_tried_again_like_any_other() {
    let endpoint = started();
    let client = client(&endpoint, |_| {});
    let ask = |times: &str| {
        let json = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],"nomyo_test":{{"status":500,"body":"cannot decrypt"{times},
                "headers":{{"Retry-After-Ms":"1"}}}}}}"#
        );
        endpoint.reset_stats();
        client.create(json.as_bytes(), &CallOptions::new()).map(|_| ())
    };
    ask(r#","times":2"#).expect("the third attempt");
    assert_eq!(endpoint.stats().requests, 3);
    let error = ask("").expect_err("all used up");
    assert_eq!((error.attempts(), endpoint.stats().requests, endpoint.stats().key_fetches), (3, 3, 1));
}

#[test]
fn a_pin_lets_the_pinned_key_through_and_no_other() {
    let endpoint = started();
    let pin = endpoint.key_fingerprint();
    let client = client(&endpoint, |config| {
        config.add_server_key_pin(&"0".repeat(64)).expect("a fingerprint");
        config.add_server_key_pin(&pin).expect("a fingerprint");
    });
    let key = client.server_key().expect("the pinned key");
    assert_eq!((key.pem, key.sha256), (endpoint.public_key_pem(), pin));
    create(&client).expect("an answer");
    endpoint.rotate_key(&fixture("other_private.pem")).expect("another key");
    endpoint.reset_stats();
    // Sealed for the pinned key, which the server no longer has; nothing is sealed for the other.
    assert_eq!(create(&client).expect_err("another key").status(), Status::Pin);
    assert_eq!(create(&client).expect_err("another key").status(), Status::Pin);
    assert_eq!(endpoint.stats().requests, 1);
    let sealed = client.seal(endpoint.public_key_pem().as_bytes(), CHAT, &CallOptions::new());
    assert_eq!(sealed.expect_err("another key").status(), Status::Pin);
}

#[test]
fn a_key_is_remembered_when_it_is_used_and_not_when_it_is_looked_at() {
    let (endpoint, dir) = (started(), tempfile::tempdir().expect("a directory"));
    let file = dir.path().join("known_servers");
    let remembering = || client(&endpoint, |config| config.set_known_servers(&file));
    remembering().server_key().expect("the key");
    assert!(!file.exists());
    create(&remembering()).expect("an answer");
    assert!(std::fs::read_to_string(&file).expect("a file").contains(&endpoint.key_fingerprint()));
    endpoint.rotate_key(&fixture("other_private.pem")).expect("another key");
    endpoint.reset_stats();
    assert_eq!(create(&remembering()).expect_err("another key").status(), Status::Pin);
    assert_eq!(endpoint.stats().requests, 0);
}
