//! Attempts, waits and limits: what a call does when the network or the server is not at its best.

use std::time::{Duration, Instant};

use endpoint::{Endpoint, Options};
use nomyo::{CallOptions, Cancel, Client, LogLevel, Response, Result, Sent, Status};
use serde_json::{Value, json};

use super::{cancelled_while, chat, client_of, config_for, shared, started};

#[test]
fn every_attempt_is_logged_with_what_it_took_and_without_a_secret() {
    let endpoint = started(Options { api_key: Some("hush-hush".to_owned()), ..Options::default() });
    let mut config = config_for(&endpoint);
    config.set_api_key(b"hush-hush").expect("a good key");
    let (lines, seen) = std::sync::mpsc::channel();
    config.set_log(LogLevel::Debug, move |level, line| lines.send((level, line.to_owned())).expect("a listener"));
    let client = Client::new(&config).expect("a client");
    let test = json!({"status": 502, "times": 1, "headers": {"Retry-After-Ms": "7"}, "body": "the server's words"});
    let answer = client.create(chat("my prompt", &test).as_bytes(), &CallOptions::new()).expect("the second attempt");
    client.create(chat("my prompt", &json!({"status": 404})).as_bytes(), &CallOptions::new()).expect_err("refused");
    let lines: Vec<_> = seen.try_iter().collect();
    let of = |level: LogLevel| lines.iter().filter(move |line| line.0 == level).map(|line| line.1.as_str()).collect();
    let (info, warn, error): (Vec<_>, Vec<_>, Vec<_>) = (of(LogLevel::Info), of(LogLevel::Warn), of(LogLevel::Error));
    assert_eq!((info.len(), warn.len(), error.len()), (4, 1, 1), "{lines:?}");
    let fetched = format!("GET {}/pki/public_key attempt=1 status=200 sent=", endpoint.base_url());
    assert!(info[0].starts_with(&fetched) && info[0].ends_with(" connection=new"), "{lines:?}");
    let posted = format!("POST {}/v1/chat/secure_completion attempt=", endpoint.base_url());
    for (line, number, status) in [(info[1], 1, 502), (info[2], 2, 200)] {
        let expected = format!("{posted}{number} payload_id={} status={status} sent=", answer.payload_id());
        assert!(line.starts_with(&expected) && line.contains(" received=") && line.contains(" ms="), "{line}");
    }
    assert!(info[3].contains(" status=404 ") && info[3].ends_with(" connection=reused error=NotFound"), "{}", info[3]);
    assert!(warn[0].contains("502") && warn[0].ends_with("another attempt is due in 7 ms"), "{}", warn[0]);
    assert!(error[0].contains("HTTP 404"), "{}", error[0]);
    for secret in ["hush-hush", "my prompt", "words", "BEGIN"] {
        assert!(lines.iter().all(|line| !line.1.contains(secret)), "{secret}: {lines:?}");
    }
}

/// What `create()` makes of `test`, and how many requests the endpoint saw meanwhile.
fn insist(endpoint: &Endpoint, client: &Client, test: &Value) -> (Result<Response>, u64) {
    endpoint.reset_stats();
    let outcome = client.create(chat("hello", test).as_bytes(), &CallOptions::new());
    (outcome, endpoint.stats().requests)
}

#[test]
fn what_passes_is_tried_again_with_the_same_package_as_often_as_allowed() {
    let endpoint = started(Options::default());
    let client = client_of(&endpoint);
    let soon = json!({"Retry-After-Ms": "1", "Retry-After": "600"});
    // The endpoint counts attempts by payload id: a `times` that ends proves that the id stayed.
    for status in [408, 409, 429, 500, 502, 504] {
        let (answer, requests) = insist(&endpoint, &client, &json!({"status": status, "times": 2, "headers": soon}));
        assert_eq!((answer.expect("the third attempt").content(0), requests), (Some("hello"), 3), "{status}");
    }
    let (answer, requests) = insist(&endpoint, &client, &json!({"status": 503, "times": 1, "headers": soon}));
    assert_eq!((answer.is_ok(), requests), (true, 2));
    let (error, requests) = insist(&endpoint, &client, &json!({"status": 500, "headers": soon}));
    let error = error.expect_err("all used up");
    assert_eq!((error.status(), error.attempts(), requests), (Status::Server, 3, 3));
    assert!(error.message().contains("3 attempts"), "{error}");
    for test in [json!({"status": 400}), json!({"status": 500, "headers": {"X-Should-Retry": "false"}})] {
        let (error, requests) = insist(&endpoint, &client, &test);
        assert_eq!((error.expect_err("no").attempts(), requests), (1, 1), "{test}");
    }
    let told = json!({"status": 418, "times": 1, "headers": {"X-Should-Retry": "true", "Retry-After-Ms": "1"}});
    assert_eq!(insist(&endpoint, &client, &told).1, 2);
}

#[test]
fn what_the_server_wants_to_be_left_alone_with_is_not_tried_again() {
    let endpoint = started(Options::default());
    let client = client_of(&endpoint);
    let half_an_hour = Some(Duration::from_secs(1800));
    let detail = json!({"status": 503, "body": "{\"detail\":\"Burst abuse: cool-down\"}"});
    let (error, requests) = insist(&endpoint, &client, &detail);
    assert_eq!((error.expect_err("a cool-down").retry_after(), requests), (half_an_hour, 1));
    let (error, requests) = insist(&endpoint, &client, &json!({"status": 503, "headers": {"Retry-After": "0.01"}}));
    let error = error.expect_err("two in a row");
    assert_eq!((error.retry_after(), error.is_retryable(), requests), (half_an_hour, false, 2));
    let (error, requests) = insist(&endpoint, &client, &json!({"status": 429, "headers": {"Retry-After": "121"}}));
    let error = error.expect_err("too long");
    assert_eq!((error.retry_after(), error.is_retryable(), requests), (Some(Duration::from_secs(121)), false, 1));
    let mut hasty = CallOptions::new();
    hasty.set_timeout(Duration::from_secs(30)).expect("a timeout");
    let started = Instant::now();
    let test = json!({"status": 429, "headers": {"Retry-After": "60"}});
    let error = client.create(chat("x", &test).as_bytes(), &hasty).expect_err("no time to wait");
    assert_eq!((error.status(), error.retry_after()), (Status::RateLimit, Some(Duration::from_secs(60))));
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_timeout_counts_from_the_beginning_that_the_caller_names_and_is_told_whole() {
    let mut late = CallOptions::new();
    late.set_timeout(Duration::from_secs(30)).expect("a timeout");
    late.set_begun(Instant::now().checked_sub(Duration::from_secs(30)).expect("the machine runs longer"));
    let client = &shared().1;
    let calls = [
        client.create(chat("x", &json!({})).as_bytes(), &late),
        client.with_options(&late).expect("a handle").create(chat("x", &json!({})).as_bytes(), &CallOptions::new()),
    ];
    for call in calls {
        let error = call.expect_err("its time was over before it began");
        assert_eq!((error.status(), error.sent()), (Status::Timeout, Sent::No));
        assert!(error.message().contains("within its 30000 ms"), "{error}");
    }
}

#[test]
fn a_head_that_does_not_fit_is_no_broken_connection() {
    let (error, _) = insist(&shared().0, &shared().1, &json!({"headers": {"X-Long": "x".repeat(300_000)}}));
    let error = error.expect_err("too large");
    assert_eq!((error.status(), error.attempts()), (Status::Protocol, 1));
    assert!(error.message().contains("headers"), "{error}");
}

#[test]
fn a_connection_that_breaks_before_the_answer_is_made_again_and_one_that_breaks_in_it_is_not() {
    let endpoint = started(Options::default());
    let client = client_of(&endpoint);
    client.warm_up().expect("ready");
    for test in [json!({"reset": "before_headers", "times": 1}), json!({"close": true, "times": 1})] {
        let (answer, requests) = insist(&endpoint, &client, &test);
        assert_eq!((answer.is_ok(), requests), (true, 2), "{test}");
    }
    for test in [json!({"reset": "in_body"}), json!({"truncate": 100})] {
        let (error, requests) = insist(&endpoint, &client, &test);
        let error = error.expect_err("a broken answer");
        assert_eq!((error.status(), error.attempts(), requests), (Status::Connection, 1, 1), "{test}");
    }
    // An attempt on a connection that was idle for a while counts like any other.
    client.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect("a response");
    std::thread::sleep(Duration::from_millis(1100));
    let (error, requests) = insist(&endpoint, &client, &json!({"close": true}));
    let error = error.expect_err("closed");
    assert_eq!((error.attempts(), error.sent(), requests), (3, Sent::Maybe, 3));
}

#[test]
fn the_key_fetch_is_tried_again_too() {
    let endpoint = started(Options::default());
    let client = client_of(&endpoint);
    let soon = json!({"Retry-After-Ms": "1"});
    endpoint.set_faults(json!({"key_fetch": {"status": 500, "times": 2, "headers": soon}})).expect("known faults");
    assert!(insist(&endpoint, &client, &json!({})).0.is_ok());
    assert_eq!(endpoint.stats().key_fetches, 3);
    let other = client_of(&endpoint);
    endpoint.set_faults(json!({"key_fetch": {"status": 500, "headers": soon}})).expect("known faults");
    let (error, requests) = insist(&endpoint, &other, &json!({}));
    assert_eq!((error.expect_err("no key").attempts(), requests, endpoint.stats().key_fetches), (3, 0, 3));
}

#[test]
fn a_cancelled_call_is_cancelled_in_the_middle_of_a_refusal_too() {
    let endpoint = started(Options::default());
    let client = client_of(&endpoint);
    client.warm_up().expect("ready");
    let asked: fn(&Endpoint) -> bool = |endpoint| endpoint.stats().requests > 0;
    for status in [400, 500] {
        endpoint.reset_stats();
        let test = json!({"status": status, "drip_ms": 1000});
        assert_eq!(cancelled_while(&endpoint, &client, &test, Some(asked)), Status::Cancelled, "{status}");
    }
}

#[test]
fn a_cancelled_call_does_not_sleep_on() {
    let endpoint = started(Options::default());
    let client = client_of(&endpoint);
    client.warm_up().expect("ready");
    let asked: fn(&Endpoint) -> bool = |endpoint| endpoint.stats().requests > 0;
    let asleep = json!({"status": 429, "headers": {"Retry-After": "100"}});
    endpoint.reset_stats();
    assert_eq!(cancelled_while(&endpoint, &client, &asleep, Some(asked)), Status::Cancelled);
}

#[test]
fn the_response_limit_is_settable_and_holds_with_and_without_a_length() {
    let (endpoint, _) = shared();
    let mut config = config_for(endpoint);
    config.set_response_limit(100_000).expect("a limit");
    assert_eq!(config.set_response_limit(0).expect_err("nothing at all").status(), Status::Argument);
    let client = Client::new(&config).expect("a client");
    let ask = |test: Value| client.create(chat("x", &test).as_bytes(), &CallOptions::new()).map(|_| ());
    for chunked in [false, true] {
        ask(json!({"oversize": 100_000, "chunked": chunked})).expect("exactly the limit");
        let error = ask(json!({"oversize": 100_001, "chunked": chunked})).expect_err("too large");
        assert_eq!((error.status(), error.http_status(), error.attempts()), (Status::Protocol, Some(200), 1));
        assert!(error.message().contains("100000 bytes"), "{error}");
    }
}

#[test]
fn the_rate_limit_is_shared_by_threads_and_within_the_deadline() {
    let endpoint = started(Options::default());
    let mut config = config_for(&endpoint);
    config.set_rate_limit(10.0, 2).expect("a rate");
    let client = Client::new(&config).expect("a client");
    client.warm_up().expect("the first turn");
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| client.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect("an answer"));
        }
    });
    // Five turns, of which two were at once.
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
    let mut slow = config_for(&endpoint);
    slow.set_rate_limit(0.001, 2).expect("a rate");
    let slow = Client::new(&slow).expect("a client");
    slow.warm_up().expect("the first turn");
    slow.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect("the second turn");
    endpoint.reset_stats();
    let error =
        slow.create(chat("x", &json!({})).as_bytes(), &CallOptions::new()).expect_err("no turn for a quarter hour");
    assert_eq!((error.status(), error.attempts(), endpoint.stats().requests), (Status::Timeout, 0, 0));
    let asleep: fn(&Endpoint) -> bool = |_| {
        std::thread::sleep(Duration::from_millis(200));
        true
    };
    let mut patient = config_for(&endpoint);
    patient.set_rate_limit(0.01, 1).expect("a rate");
    let patient = Client::new(&patient).expect("a client");
    patient.warm_up().expect("the first turn");
    assert_eq!(cancelled_while(&endpoint, &patient, &json!({}), Some(asleep)), Status::Cancelled);
}

#[test]
fn a_cancelled_call_ends_in_the_middle_of_a_handshake() {
    let endpoint = started(Options::default());
    let mut config = config_for(&endpoint);
    config.set_connect_timeout(Duration::from_secs(600)).expect("a timeout");
    let client = Client::new(&config).expect("a client");
    // Generates the client's key, so that the call has only the network to wait for.
    client.seal(endpoint.public_key_pem().as_bytes(), b"{\"a\":1}", &CallOptions::new()).expect("sealed");
    endpoint.set_faults(json!({"accept": "stall"})).expect("known faults");
    let cancel = Cancel::new();
    let mut options = CallOptions::new();
    options.set_cancel(&cancel);
    std::thread::scope(|scope| {
        let call = scope.spawn(|| client.create(chat("x", &json!({})).as_bytes(), &options));
        std::thread::sleep(Duration::from_millis(300));
        cancel.trigger();
        assert_eq!(call.join().expect("no panic").expect_err("cancelled").status(), Status::Cancelled);
    });
}
