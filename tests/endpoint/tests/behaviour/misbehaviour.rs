//! Faults and control: the endpoint misbehaves exactly as it is told to, and counts what it saw.

use crate::client::{Client, fixture, options, start};
use endpoint::{Endpoint, Options};
use serde_json::json;

fn controlled() -> Endpoint {
    start(Options { control: true, ..options() })
}

#[test]
fn counts_connections_fetches_and_requests_but_not_control() {
    let endpoint = controlled();
    let client = Client::new(&endpoint);
    for id in ["1", "2", "3"] {
        assert_eq!(client.ask_for(id, json!({})).expect("an answer").status, 200);
    }
    let stats = client.get("/control/stats").expect("stats").json();
    assert_eq!((&stats["connections"], &stats["key_fetches"], &stats["requests"]), (&json!(1), &json!(3), &json!(3)));
    assert!(stats["bytes_in"].as_u64() > Some(3000));

    assert_eq!(client.control("/control/reset", "").status, 200);
    Client::new(&endpoint).get("/control/stats").expect("another connection, for control only");
    assert_eq!(endpoint.stats(), endpoint::StatsSnapshot::default());
}

#[test]
fn a_status_lasts_as_many_attempts_as_asked() {
    let endpoint = controlled();
    let client = Client::new(&endpoint);
    let fault = json!({"status": 429, "headers": {"Retry-After": "1"}, "times": 2});
    for (id, status) in [("a", 429), ("a", 429), ("b", 429), ("a", 200), ("a", 200)] {
        let answer = client.ask_for(id, fault.clone()).expect("an answer");
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("retry-after") == "1", status == 429);
    }
    let raw = json!({"status": 500, "body": "<html>", "content_type": "text/html"});
    let answer = client.ask_for("c", raw).expect("an answer");
    assert_eq!(
        (answer.status, answer.body.as_slice(), answer.header("content-type")),
        (500, &b"<html>"[..], "text/html")
    );
}

#[test]
fn the_content_of_the_answer_is_bent_as_asked() {
    let endpoint = controlled();
    let client = Client::new(&endpoint);
    let ask = |fault| client.ask_for("id", fault).expect("an answer");

    let js = ask(json!({"js_form": true}));
    assert!(js.json()["encrypted_payload"].get("tag").is_none());
    assert_eq!(js.open()["_metadata"]["payload_id"], "id");

    let bent = ask(json!({"payload_id": "other", "tier": null, "processed_at": null}));
    assert!(bent.json().get("processed_at").is_none());
    assert_eq!(bent.open()["_metadata"]["payload_id"], "other");
    assert!(bent.open()["_metadata"].get("security_tier").is_none());

    assert_eq!(ask(json!({"answer": {"a": 1}})).open(), json!({"a": 1}));
    assert_eq!(ask(json!({"reply": "r"})).open()["choices"][0]["message"]["content"], "r");
    assert_eq!(ask(json!({"malformed": "not_json"})).body, b"<html>502</html>");
    assert_eq!(ask(json!({"malformed": "no_such_defect"})).status, 400);
    assert_eq!(ask(json!({"no_such_fault": 1})).status, 400);

    let redirect = ask(json!({"redirect": "http://example.invalid/"}));
    assert_eq!((redirect.status, redirect.header("location")), (307, "http://example.invalid/"));
    assert_eq!(ask(json!({"gzip": true})).header("content-encoding"), "gzip");
    let slow = json!({"chunked": true, "delay_before_headers_ms": 1, "delay_in_body_ms": 1});
    assert_eq!(ask(slow).open()["_metadata"]["payload_id"], "id");
    assert_eq!(ask(json!({"status": 500, "oversize": 100_000})).body.len(), 100_000);
}

#[test]
fn a_broken_connection_gives_no_answer() {
    let endpoint = controlled();
    for fault in [
        json!({"close": true}),
        json!({"truncate": 10}),
        json!({"reset": "before_headers"}),
        json!({"reset": "in_body"}),
    ] {
        assert!(Client::new(&endpoint).ask_for("id", fault.clone()).is_err(), "{fault}");
    }
}

#[test]
fn the_key_fetch_fails_as_asked_until_cleared() {
    let endpoint = controlled();
    let client = Client::new(&endpoint);
    let set =
        |faults: serde_json::Value| assert_eq!(client.control("/control/faults", &faults.to_string()).status, 200);

    set(json!({"key_fetch": {"status": 503, "times": 1}}));
    assert_eq!(client.get("/pki/public_key").expect("an answer").status, 503);
    assert_eq!(client.get("/pki/public_key").expect("an answer").status, 200);

    let other = fixture("keys/other_public.pem");
    set(json!({"key_fetch": {"key_pem": other}}));
    assert_eq!(client.get("/pki/public_key").expect("an answer").body, other.as_bytes());

    set(json!({"key_fetch": {"body": "\"quoted\""}}));
    assert_eq!(client.get("/pki/public_key").expect("an answer").body, b"\"quoted\"");

    set(json!({}));
    assert_eq!(client.get("/pki/public_key").expect("an answer").body, fixture("keys/server_public.pem").as_bytes());
    assert_eq!(client.control("/control/faults", "{\"key_fetch\": {\"x\": 1}}").status, 400);
}

#[test]
fn connections_fail_on_accept_and_while_the_request_is_read() {
    let endpoint = controlled();
    for accept in ["close", "reset"] {
        endpoint.set_faults(json!({"accept": accept, "accept_times": 1})).expect("a known fault");
        let client = Client::new(&endpoint);
        assert!(client.get("/pki/public_key").is_err(), "{accept}");
        assert_eq!(client.get("/pki/public_key").expect("only once").status, 200);
    }
    endpoint.set_faults(json!({"accept": "answer", "accept_answer": "HTTP/1.1 400 No TLS\r\n\r\n"})).expect("known");
    assert!(Client::new(&endpoint).get("/pki/public_key").is_err());
    endpoint.set_faults(json!({})).expect("none");
    let client = Client::new(&endpoint);
    endpoint
        .set_faults(json!({"read_request": "close_midway", "read_bytes": 1000, "read_times": 1}))
        .expect("a known fault");
    // More than the buffers of both sockets hold, so that the client is still writing.
    let body = vec![b'x'; 32 * 1024 * 1024];
    assert!(client.post("/v1/chat/secure_completion", &[], &body).is_err());
    assert_eq!(client.post("/v1/chat/secure_completion", &[], b"{}").expect("only once").status, 400);
}

#[test]
fn a_certificate_is_as_bad_as_asked() {
    let endpoint = controlled();
    for fault in ["expired", "not_yet_valid", "self_signed", "wrong_host", "unknown_ca"] {
        endpoint.set_faults(json!({"certificate": fault})).expect("a known fault");
        let error = Client::new(&endpoint).get("/pki/public_key").err().expect(fault).to_string();
        assert!(error.contains("certificate"), "{fault}: {error}");
    }
    endpoint.set_faults(json!({})).expect("none");
    assert_eq!(Client::new(&endpoint).get("/pki/public_key").expect("a good one").status, 200);
}

#[test]
fn a_rotated_key_replaces_the_old_one() {
    let endpoint = controlled();
    let client = Client::new(&endpoint);
    let old = endpoint.public_key_pem();
    let rotated = client.control("/control/rotate-key", &fixture("keys/other_private.pem")).json();
    assert_eq!(rotated["key_fingerprint"], endpoint.key_fingerprint());
    assert_eq!(endpoint.public_key_pem(), fixture("keys/other_public.pem"));
    let chat = json!({"messages": [{"role": "user", "content": "hello"}]});
    assert_eq!(client.ask_with_key(&old, "id", &[], &chat).expect("an answer").detail(), "Decryption failed");
    assert_eq!(client.ask("id", &[], &chat).expect("an answer").status, 200);
    assert_eq!(client.control("/control/rotate-key", "no key").status, 400);
}

#[test]
fn reveals_the_keys_of_a_request_when_told_to() {
    let endpoint = start(Options { reveal_keys: true, ..options() });
    let client = Client::new(&endpoint);
    let chat = json!({"messages": [{"role": "user", "content": "hello"}]});
    assert_eq!(client.ask("an id", &[], &chat).expect("an answer").status, 200);
    let keys = client.get("/control/keys?payload_id=an%20id").expect("keys").json();
    for name in ["request_key_hex", "response_key_hex"] {
        assert_eq!(keys[name].as_str().map(str::len), Some(64), "{name}");
    }
    assert_eq!(client.get("/control/keys?payload_id=other").expect("an answer").status, 404);
    assert_eq!(client.get("/control/stats").expect("an answer").status, 404, "reveal_keys does not open the rest");
}
