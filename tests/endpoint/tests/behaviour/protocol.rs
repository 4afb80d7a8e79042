//! The endpoint as PROTOCOL.md says a server is.

use crate::client::{Client, fixture, options, start};
use endpoint::{Options, Tier};
use serde_json::{Value, json};

fn hello() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]})
}

#[test]
fn answers_an_encrypted_request_over_tls() {
    let endpoint = start(options());
    let answer = Client::new(&endpoint).ask("id-1", &[("X-Security-Tier", "high")], &hello()).expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(answer.json()["processed_at"].is_u64());
    let answer = answer.open();
    assert_eq!(answer["choices"][0]["message"]["content"], "hello");
    let metadata = &answer["_metadata"];
    assert_eq!(metadata["payload_id"], "id-1");
    assert_eq!(metadata["security_tier"], "high");
    assert_eq!(metadata["is_encrypted"], true);
    assert_eq!(metadata["response_status"], "success");
    assert_eq!(metadata["tpm_attestation"], json!({"is_available": false}));
}

#[test]
fn serves_plain_http_when_asked_to() {
    let endpoint = start(Options { http: true, ..options() });
    let plain = endpoint.plain_base_url().expect("the option is set");
    assert!(plain.starts_with("http://127.0.0.1:"));
    let answer = Client::with_base_url(&endpoint, plain).ask("id", &[], &hello()).expect("an answer");
    assert_eq!(answer.open()["_metadata"]["security_tier"], "standard");
}

#[test]
fn serves_the_key_whose_fingerprint_it_tells() {
    let endpoint = start(options());
    let served = Client::new(&endpoint).get("/pki/public_key").expect("a key");
    assert_eq!(String::from_utf8(served.body).expect("PEM"), fixture("keys/server_public.pem"));
    assert_eq!(endpoint.key_fingerprint().len(), 64);
}

#[test]
fn requires_the_bearer_key_when_there_is_one() {
    let endpoint = start(Options { api_key: Some("right".to_owned()), ..options() });
    let client = Client::new(&endpoint);
    for (headers, status) in [
        (&[][..], 401),
        (&[("Authorization", "Bearer wrong")], 401),
        (&[("Authorization", "Basic right")], 401),
        (&[("Authorization", "Bearer right")], 200),
        (&[("Authorization", "bearer right")], 200),
    ] {
        let answer = client.ask("id", headers, &hello()).expect("an answer");
        assert_eq!(answer.status, status, "{headers:?}");
        if status == 401 {
            assert!(answer.detail().contains("API key"));
        }
    }
}

#[test]
fn applies_the_tier_policy() {
    let endpoint = start(Options { tier_policy: Tier::Standard, ..options() });
    let client = Client::new(&endpoint);
    for (tier, status) in [("standard", 200), ("high", 403), ("maximum", 403), ("High", 400), ("", 400)] {
        let answer = client.ask("id", &[("X-Security-Tier", tier)], &hello()).expect("an answer");
        assert_eq!(answer.status, status, "{tier}");
    }
    let endpoint = start(options());
    let answer = Client::new(&endpoint).ask("id", &[("X-Security-Tier", "maximum")], &hello()).expect("an answer");
    assert_eq!(answer.status, 503);
}

#[test]
fn refuses_what_the_protocol_refuses() {
    let endpoint = start(options());
    let client = Client::new(&endpoint);
    let path = "/v1/chat/secure_completion";

    let mut streamed = hello();
    streamed["stream"] = json!(true);
    assert_eq!(client.ask("id", &[], &streamed).expect("an answer").status, 400);

    let mut tested = hello();
    tested["nomyo_test"] = json!({"status": 500});
    let answer = client.ask("id", &[], &tested).expect("an answer");
    assert_eq!(answer.status, 400);
    assert!(answer.detail().contains("--control"));

    let other = fixture("keys/other_public.pem");
    let answer = client.ask_with_key(&other, "id", &[], &hello()).expect("an answer");
    assert_eq!((answer.status, answer.detail().as_str()), (400, "Decryption failed"));

    assert_eq!(client.post(path, &[], b"{}").expect("an answer").status, 400);
    assert_eq!(client.post(path, &[("X-Payload-ID", "id"), ("X-Public-Key", "x")], b"{}").expect("one").status, 400);
    let wrong_method = client.get(path).expect("an answer");
    assert_eq!((wrong_method.status, wrong_method.header("allow")), (405, "POST"));
    assert_eq!(client.get("/").expect("an answer").status, 404);
    for closed in ["/control/stats", "/control/keys?payload_id=id"] {
        assert_eq!(client.get(closed).expect("an answer").status, 404, "{closed}");
    }
}

#[test]
fn many_clients_are_served_at_once() {
    let endpoint = start(options());
    std::thread::scope(|scope| {
        for number in 0..8 {
            let endpoint = &endpoint;
            scope.spawn(move || {
                let id = number.to_string();
                let answer = Client::new(endpoint).ask(&id, &[], &hello()).expect("an answer");
                assert_eq!(answer.open()["_metadata"]["payload_id"], id);
            });
        }
    });
    assert_eq!(endpoint.stats().connections, 8);
}
