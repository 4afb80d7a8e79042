//! `create()` through the whole house, against the local endpoint over HTTPS.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use endpoint::{Endpoint, Options};
use nomyo::{CallOptions, Cancel, Client, Config, Response, Result, Status, Tier};
use serde_json::{Value, json};

#[path = "create/headers.rs"]
mod headers;
#[path = "create/network.rs"]
mod network;
#[path = "create/proxies.rs"]
mod proxies;

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/protocol/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn started(options: Options) -> Endpoint {
    let server_key_pem = Some(fixture("keys/server_private.pem"));
    Endpoint::start(Options { server_key_pem, control: true, ..options }).expect("the endpoint starts")
}

fn config_for(endpoint: &Endpoint) -> Config {
    let mut config = Config::new();
    config.set_base_url(endpoint.base_url()).expect("a good URL");
    config.set_ca_file(endpoint.ca_file()).expect("a good CA file");
    config
}

fn client_of(endpoint: &Endpoint) -> Client {
    Client::new(&config_for(endpoint)).expect("a client")
}

/// One endpoint and one client (key generation takes its time) that repeats nothing, for the tests that count nothing.
fn shared() -> &'static (Endpoint, Client) {
    static SHARED: OnceLock<(Endpoint, Client)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let endpoint = started(Options::default());
        let mut config = config_for(&endpoint);
        config.set_max_retries(0).expect("a number of retries");
        let client = Client::new(&config).expect("a client");
        (endpoint, client)
    })
}

fn chat(text: &str, test: &Value) -> String {
    json!({"model": "m", "messages": [{"role": "user", "content": text}], "nomyo_test": test}).to_string()
}

fn create(test: &Value) -> Result<Response> {
    shared().1.create(chat("hello", test).as_bytes(), &CallOptions::new())
}

fn status(test: &Value) -> Status {
    create(test).expect_err("the endpoint misbehaves").status()
}

#[test]
fn a_chat_comes_back_decrypted_with_its_metadata() {
    let (_, client) = shared();
    let text = "Grüße \u{0} 😀 \"quoted\" \\ / \u{2028}";
    let response = client.create(chat(text, &json!({})).as_bytes(), &CallOptions::new()).expect("an answer");
    assert_eq!(response.content(0), Some(text));
    assert_eq!(response.finish_reason(0), Some("stop"));
    assert_eq!(response.pointer("/_metadata/payload_id"), Some(format!("\"{}\"", response.payload_id()).as_str()));
    assert_eq!(response.pointer("/_metadata/encryption_algorithm"), Some("\"hybrid-aes256-rsa4096\""));
    assert!(serde_json::from_str::<Value>(response.json()).expect("JSON")["_metadata"]["processed_at"].is_number());
}

#[test]
fn a_thousand_requests_by_sixteen_threads_use_one_key_fetch_and_at_most_sixteen_connections() {
    let endpoint = started(Options::default());
    let client = client_of(&endpoint);
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let client = &client;
            scope.spawn(move || {
                for i in (thread..1000).step_by(16) {
                    let text = format!("request {i}");
                    let answer = client.create(chat(&text, &json!({})).as_bytes(), &CallOptions::new());
                    assert_eq!(answer.expect("an answer").content(0), Some(text.as_str()));
                }
            });
        }
    });
    let stats = endpoint.stats();
    assert_eq!((stats.requests, stats.key_fetches), (1000, 1));
    assert!(stats.connections <= 16, "{} connections", stats.connections);
}

#[test]
fn requests_one_after_another_use_one_connection() {
    let endpoint = started(Options::default());
    let client = client_of(&endpoint);
    client.warm_up().expect("ready");
    for _ in 0..20 {
        client.create(chat("again", &json!({})).as_bytes(), &CallOptions::new()).expect("an answer");
    }
    let stats = endpoint.stats();
    assert_eq!((stats.connections, stats.key_fetches, stats.requests), (1, 1, 20));
}

#[test]
fn every_malformed_package_of_the_manifest_ends_in_a_status_and_never_a_crash() {
    let manifest: Value = serde_json::from_str(&fixture("manifest.json")).expect("JSON");
    for set in ["malformed", "lenient"] {
        for case in manifest[set].as_array().expect("a list") {
            let name = case["name"].as_str().expect("a name");
            match create(&json!({"malformed": name})) {
                Ok(_) => assert!(
                    ["metadata_array", "metadata_string", "plaintext_huge_int", "rsa2048_client", "choices_missing"]
                        .contains(&name),
                    "{name} was accepted"
                ),
                Err(error) => {
                    assert!(matches!(error.status(), Status::Protocol | Status::Security), "{name}: {error:?}");
                    assert!(!error.is_retryable(), "{name}");
                    assert_eq!(error.attempts(), 1, "{name}");
                }
            }
        }
    }
}

#[test]
fn the_javascript_form_is_read() {
    assert_eq!(create(&json!({"js_form": true})).expect("an answer").content(0), Some("hello"));
}

#[test]
fn an_answer_to_another_request_or_at_a_lower_tier_is_refused() {
    assert_eq!(status(&json!({"payload_id": "11111111-2222-4333-8444-555555555555"})), Status::Security);
    let mut high = CallOptions::new();
    high.set_security_tier(Tier::High);
    let (_, client) = shared();
    let lowered = client.create(chat("x", &json!({"tier": "standard"})).as_bytes(), &high);
    assert_eq!(lowered.expect_err("a lower tier").status(), Status::Security);
    let kept = client.create(chat("x", &json!({})).as_bytes(), &high).expect("an answer");
    assert_eq!(kept.pointer("/_metadata/security_tier"), Some("\"high\""));
}

#[test]
fn http_statuses_become_the_statuses_of_the_contract_with_untrusted_details() {
    let expected = [
        (400, Status::BadRequest),
        (401, Status::Authentication),
        (403, Status::Forbidden),
        (404, Status::NotFound),
        (429, Status::RateLimit),
        (500, Status::Server),
        (503, Status::Unavailable),
        (418, Status::Http),
        (201, Status::Http),
        (204, Status::Http),
        (502, Status::Http),
    ];
    for (http, expected) in expected {
        let body = if http == 204 { "" } else { "{\"detail\":\"the server's words\"}" };
        let error = create(&json!({"status": http, "body": body, "headers": {"Retry-After": "1.5"}}));
        let error = error.expect_err("the endpoint refuses");
        assert_eq!((error.status(), error.http_status()), (expected, Some(http)));
        assert_eq!(error.details(), body.as_bytes(), "{http}");
        assert_eq!(error.retry_after(), Some(Duration::from_millis(1500)));
        assert_eq!(error.is_retryable(), [429, 500, 502, 503].contains(&http), "{http}");
        assert!(!error.message().contains("words"), "{error}");
    }
}

#[test]
fn an_error_body_is_kept_to_64_kib() {
    let error = create(&json!({"status": 500, "body": "x".repeat(100_000)})).expect_err("an error");
    assert_eq!(error.details().len(), 65_536);
}

#[test]
fn a_redirect_is_an_error_and_is_not_followed() {
    let (elsewhere, _) = shared();
    let error = create(&json!({"redirect": format!("{}/v1/chat/secure_completion", elsewhere.base_url())}));
    let error = error.expect_err("a redirect");
    assert_eq!((error.status(), error.http_status()), (Status::Http, Some(307)));
}

#[test]
fn connections_that_break_are_connection_errors() {
    for test in [
        json!({"reset": "before_headers"}),
        json!({"reset": "in_body"}),
        json!({"close": true}),
        json!({"truncate": 100}),
    ] {
        assert_eq!(status(&test), Status::Connection, "{test}");
    }
}

#[test]
fn an_answer_beyond_64_mib_is_refused() {
    assert_eq!(status(&json!({"oversize": 64 * 1024 * 1024 + 1})), Status::Protocol);
}

#[test]
fn the_deadline_covers_a_silent_server_and_a_dripping_body() {
    let (_, client) = shared();
    let mut hasty = CallOptions::new();
    hasty.set_timeout(Duration::from_millis(300)).expect("a timeout");
    for test in [json!({"delay_before_headers_ms": 60_000}), json!({"drip_ms": 200})] {
        let error = client.create(chat("x", &test).as_bytes(), &hasty).expect_err("too slow");
        assert_eq!(error.status(), Status::Timeout, "{test}");
        assert!(error.message().contains("300 ms"), "{error}");
    }
}

/// The status of a call that is cancelled once the endpoint has `busy` (or, for `None`, before it begins).
fn cancelled_while(endpoint: &Endpoint, client: &Client, test: &Value, busy: Option<fn(&Endpoint) -> bool>) -> Status {
    let cancel = Cancel::new();
    let mut options = CallOptions::new();
    options.set_cancel(&cancel);
    std::thread::scope(|scope| {
        if busy.is_none() {
            cancel.trigger();
        }
        let call = scope.spawn(|| client.create(chat("x", test).as_bytes(), &options));
        while busy.is_some_and(|busy| !busy(endpoint)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        cancel.trigger();
        call.join().expect("no panic").expect_err("cancelled").status()
    })
}

#[test]
fn a_cancelled_call_ends_while_it_fetches_the_key_waits_or_reads_and_the_next_one_works() {
    let endpoint = started(Options::default());
    let client = client_of(&endpoint);
    let asked: fn(&Endpoint) -> bool = |endpoint| endpoint.stats().requests > 0;
    let fetching: fn(&Endpoint) -> bool = |endpoint| endpoint.stats().key_fetches > 0;
    // Each of these would take a minute or more.
    endpoint.set_faults(json!({"key_fetch": {"delay_before_headers_ms": 60_000}})).expect("known faults");
    assert_eq!(cancelled_while(&endpoint, &client, &json!({}), Some(fetching)), Status::Cancelled);
    endpoint.set_faults(json!({})).expect("no faults");
    for test in [json!({"delay_before_headers_ms": 60_000}), json!({"drip_ms": 1000})] {
        endpoint.reset_stats();
        assert_eq!(cancelled_while(&endpoint, &client, &test, Some(asked)), Status::Cancelled, "{test}");
        client.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect("the client still works");
    }
    endpoint.reset_stats();
    assert_eq!(cancelled_while(&endpoint, &client, &json!({}), None), Status::Cancelled);
    assert_eq!(endpoint.stats().requests, 0);
}

#[test]
fn a_server_key_that_cannot_be_used_stops_the_call_before_anything_is_sent() {
    let endpoint = started(Options::default());
    let public = |name: &str| fixture(&format!("keys/{name}"));
    let bad = [
        json!({"key_pem": public("client1024_public.pem")}),
        json!({"key_pem": public("client2048_public.pem")}),
        json!({"key_pem": public("server_private.pem")}),
        json!({"status": 200, "body": serde_json::to_string(&public("server_public.pem")).expect("JSON")}),
        json!({"status": 200, "body": "<html>"}),
        json!({"oversize": 70_000}),
    ];
    let client = client_of(&endpoint);
    for fault in bad {
        endpoint.set_faults(json!({"key_fetch": fault})).expect("known faults");
        let error = client.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect_err("a bad key");
        assert_eq!(error.status(), Status::Protocol, "{fault}: {error}");
    }
    for (fault, expected) in [
        (json!({"status": 404}), Status::NotFound),
        (json!({"status": 503}), Status::Unavailable),
        (json!({"redirect": "https://127.0.0.1:1/"}), Status::Http),
        (json!({"close": true}), Status::Connection),
    ] {
        endpoint.set_faults(json!({"key_fetch": fault})).expect("known faults");
        let error = client.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect_err("no key");
        assert_eq!(error.status(), expected, "{fault}: {error}");
    }
    assert_eq!(endpoint.stats().requests, 0);
    endpoint.set_faults(json!({})).expect("no faults");
    client.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect("the client still works");
}

#[test]
fn a_ca_that_the_client_does_not_trust_stops_it() {
    let endpoint = started(Options::default());
    let mut config = Config::new();
    config.set_base_url(endpoint.base_url()).expect("a good URL");
    let error = Client::new(&config).expect("a client").warm_up().expect_err("an unknown CA");
    assert_eq!(error.status(), Status::Connection);
    assert!(error.message().contains("ca_file"), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(endpoint.stats().key_fetches, 0);
}

#[test]
fn a_name_that_does_not_resolve_and_a_port_where_nobody_listens_are_told_apart() {
    let failure = |url: &str| {
        let mut config = Config::new();
        config.set_base_url(url).expect("a good URL");
        let error = Client::new(&config).expect("a client").warm_up().expect_err("nobody there");
        assert_eq!(error.status(), Status::Connection);
        error.message().to_owned()
    };
    assert!(failure("https://nobody.invalid").contains("could not be resolved"));
    assert!(failure("https://127.0.0.1:1").contains("connection"));
}

#[test]
fn http_needs_the_opt_in_and_says_so_in_the_log() {
    let endpoint = started(Options { http: true, ..Options::default() });
    let plain = endpoint.plain_base_url().expect("plain HTTP is on");
    let mut config = Config::new();
    config.set_base_url(plain).expect("a good URL");
    assert_eq!(Client::new(&config).expect_err("HTTP").status(), Status::Security);
    config.set_allow_http(true);
    let (lines, seen) = std::sync::mpsc::channel();
    config.set_log(nomyo::LogLevel::Warn, move |_, line| lines.send(line.to_owned()).expect("a listener"));
    let client = Client::new(&config).expect("a client");
    assert!(seen.try_recv().expect("a line").contains("HTTP without TLS"));
    client.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect("an answer");
}

#[test]
fn the_api_key_is_sent_overridden_and_suppressed_as_asked() -> io::Result<()> {
    let endpoint = started(Options { api_key: Some("right".to_owned()), ..Options::default() });
    let mut config = config_for(&endpoint);
    config.set_api_key(b"right").expect("a good key");
    let client = Client::new(&config).expect("a client");
    let outcome =
        |json: &str, options: &CallOptions| client.create(json.as_bytes(), options).map(|_| ()).map_err(|e| e.status());
    let keyed = |key: &[u8]| {
        let mut options = CallOptions::new();
        options.set_api_key(key).expect("a good key");
        options
    };
    let plain = chat("x", &json!({}));
    assert_eq!(outcome(&plain, &CallOptions::new()), Ok(()));
    assert_eq!(outcome(&plain, &keyed(b"wrong")), Err(Status::Authentication));
    assert_eq!(outcome(&plain, &keyed(b"")), Err(Status::Authentication));
    let inside = r#"{"model":"m","messages":[],"api_key":"wrong"}"#;
    assert_eq!(outcome(inside, &CallOptions::new()), Err(Status::Authentication));
    assert_eq!(outcome(inside, &keyed(b"right")), Err(Status::Argument));
    let bad = r#"{"model":"m","messages":[],"api_key":"a\r\nb"}"#;
    assert_eq!(outcome(bad, &CallOptions::new()), Err(Status::Argument));
    Ok(())
}

#[test]
fn tiers_reach_the_server_and_its_refusal_comes_back() {
    let endpoint = started(Options { tier_policy: endpoint::Tier::High, ..Options::default() });
    let client = client_of(&endpoint);
    let tier = |name: &str| {
        let json =
            json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "security_tier": name}).to_string();
        client.create(json.as_bytes(), &CallOptions::new()).map(|_| ()).map_err(|e| e.status())
    };
    assert_eq!(tier("standard"), Ok(()));
    assert_eq!(tier("high"), Ok(()));
    assert_eq!(tier("maximum"), Err(Status::Forbidden));
}

#[test]
fn tools_and_reasoning_come_through() {
    let (_, client) = shared();
    let json = json!({
        "model": "m", "messages": [{"role": "user", "content": "weather?"}],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
    });
    let answer = client.create(json.to_string().as_bytes(), &CallOptions::new()).expect("an answer");
    assert_eq!((answer.content(0), answer.finish_reason(0)), (None, Some("tool_calls")));
    assert!(answer.tool_calls(0).expect("a call").contains("\"weather\""));
    let thought = create(&json!({"reasoning": "hm\n"})).expect("an answer");
    assert_eq!((thought.reasoning(0), thought.content(0)), (Some("hm\n"), Some("hello")));
}

#[test]
fn ten_mebibytes_go_there_and_come_back() {
    let text = "x".repeat(10 * 1024 * 1024 - 200);
    let answer = shared().1.create(chat(&text, &json!({})).as_bytes(), &CallOptions::new()).expect("an answer");
    assert_eq!(answer.content(0).map(str::len), Some(text.len()));
}

#[test]
fn seal_and_open_work_without_the_network() {
    let (endpoint, client) = shared();
    let sealed =
        client.seal(endpoint.public_key_pem().as_bytes(), chat("x", &json!({})).as_bytes(), &CallOptions::new());
    let sealed = sealed.expect("sealed");
    let names: Vec<_> = sealed.headers().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["X-Payload-ID", "X-Public-Key", "Content-Type"]);
    let mut agent = ureq::Agent::config_builder()
        .tls_config(trusting(endpoint))
        .build()
        .new_agent()
        .post(format!("{}/v1/chat/secure_completion", endpoint.base_url()));
    for (name, value) in sealed.headers() {
        agent = agent.header(name, value);
    }
    let body = agent.send(sealed.body()).expect("HTTP 200").body_mut().read_to_vec().expect("a body");
    assert_eq!(client.open(&sealed, &body).expect("an answer").content(0), Some("x"));
    let other = client.seal(endpoint.public_key_pem().as_bytes(), b"{\"a\":1}", &CallOptions::new()).expect("sealed");
    assert_eq!(client.open(&other, &body).expect_err("another request's").status(), Status::Security);
}

fn trusting(endpoint: &Endpoint) -> ureq::tls::TlsConfig {
    let ca = ureq::tls::Certificate::from_pem(endpoint.ca_pem().as_bytes()).expect("a certificate");
    #[cfg(feature = "aws-lc")]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc"))]
    let provider = rustls::crypto::ring::default_provider();
    ureq::tls::TlsConfig::builder()
        .root_certs(ureq::tls::RootCerts::new_with_certs(&[ca]))
        .unversioned_rustls_crypto_provider(std::sync::Arc::new(provider))
        .build()
}
