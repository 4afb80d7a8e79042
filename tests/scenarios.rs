//! The scenario table through the Rust API: what every language must see, seen here first.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use endpoint::{Endpoint, Options};
use nomyo::{
    AttestationLevel, AttestationPolicy, CallOptions, Cancel, Client, Config, Error, Headers, Response, Result, Tier,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

const API_KEY: &str = "scenario-key";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    #[serde(default)]
    config: Value,
    keys: Option<Keys>,
    server: Option<Value>,
    request: Option<Value>,
    raw: Option<String>,
    #[serde(default)]
    options: Limits,
    expect: Expected,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    headers: Option<BTreeMap<String, String>>,
    api_key: Option<String>,
    max_retries: Option<u32>,
    timeout_ms: Option<u64>,
    connect_timeout_ms: Option<u64>,
    response_limit: Option<u64>,
    base_url: Option<String>,
    allow_http: Option<bool>,
    proxy: Option<String>,
    server_key_pin: Option<Vec<String>>,
    server_key_ttl_ms: Option<u64>,
    tls_pin: Option<Vec<String>>,
    post_quantum: Option<bool>,
    key_dir: Option<String>,
    key_group_read: Option<bool>,
    attestation: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    private: String,
    public: Option<String>,
    #[serde(default)]
    password: String,
    reload: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    security_tier: Option<String>,
    api_key: Option<String>,
    timeout_ms: Option<u64>,
    cancelled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: String,
    http_status: Option<u16>,
    attempts: Option<u32>,
    sent: Option<String>,
    payload_id: Option<bool>,
    retryable: Option<bool>,
    retry_after_ms: Option<u128>,
    #[serde(default)]
    message_has: Vec<String>,
    details_has: Option<String>,
    choices: Option<usize>,
    #[serde(default, deserialize_with = "present")]
    content: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    reasoning: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    finish_reason: Option<Value>,
    tool_calls_has: Option<String>,
    tool_calls: Option<Value>,
    usage: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    request_id: Option<Value>,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    pointers: BTreeMap<String, Value>,
    attestation: Option<String>,
}

/// Keeps `null` apart from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// One endpoint, and a client for each configuration.
struct Bench {
    endpoint: Endpoint,
    group_keys: tempfile::TempDir,
    clients: HashMap<String, Result<Client>>,
}

impl Bench {
    fn run(&mut self, scenario: &Scenario) -> std::result::Result<(), String> {
        let settings = serde_json::from_value(match &scenario.config {
            Value::Null => json!({}),
            config => config.clone(),
        })
        .map_err(|e| format!("config: {e}"))?;
        let key = scenario.config.to_string();
        if !self.clients.contains_key(&key) {
            let client = self.client(settings);
            self.clients.insert(key.clone(), client);
        }
        if let Some(faults) = &scenario.server {
            self.endpoint.set_faults(faults.clone()).map_err(|e| e.to_string())?;
        }
        let outcome = match &self.clients[&key] {
            Ok(client) => match scenario.keys.as_ref().map_or(Ok(()), |keys| keys.load_into(client)) {
                Ok(()) => create(client, scenario),
                Err(error) => Err(error),
            },
            Err(error) => Err(error.clone()),
        };
        self.endpoint.set_faults(json!({})).map_err(|e| e.to_string())?;
        judge(&outcome, &scenario.expect)
    }

    fn client(&self, settings: Settings) -> Result<Client> {
        let mut config = Config::new();
        match settings.base_url.as_deref() {
            None => config.set_base_url(self.endpoint.base_url())?,
            Some("$PLAIN") => config.set_base_url(self.endpoint.plain_base_url().expect("plain HTTP as well"))?,
            Some(url) => config.set_base_url(url)?,
        }
        config.set_ca_file(self.endpoint.ca_file())?;
        config.set_api_key(settings.api_key.as_deref().unwrap_or(API_KEY).as_bytes())?;
        config.set_allow_http(settings.allow_http.unwrap_or(false));
        if let Some(retries) = settings.max_retries {
            config.set_max_retries(retries)?;
        }
        if let Some(ms) = settings.timeout_ms {
            config.set_timeout(Duration::from_millis(ms))?;
        }
        if let Some(ms) = settings.connect_timeout_ms {
            config.set_connect_timeout(Duration::from_millis(ms))?;
        }
        if let Some(bytes) = settings.response_limit {
            config.set_response_limit(bytes)?;
        }
        if let Some(proxy) = settings.proxy.as_deref() {
            config.set_proxy(proxy)?;
        }
        for pin in settings.server_key_pin.unwrap_or_default() {
            config.add_server_key_pin(&pin.replace("$FINGERPRINT", &self.endpoint.key_fingerprint()))?;
        }
        if let Some(ms) = settings.server_key_ttl_ms {
            config.set_server_key_ttl(Duration::from_millis(ms));
        }
        for (name, value) in settings.headers.unwrap_or_default() {
            config.set_header(&name, value.as_bytes())?;
        }
        for pin in settings.tls_pin.unwrap_or_default() {
            config.add_tls_pin(&pin)?;
        }
        if let Some(yes) = settings.post_quantum {
            config.set_post_quantum(yes);
        }
        if let Some(dir) = settings.key_dir.as_deref() {
            assert_eq!(dir, "$GROUP_KEYS", "the only directory that a scenario has");
            config.set_key_dir(self.group_keys.path());
        }
        config.set_key_group_read(settings.key_group_read.unwrap_or(false));
        if let Some(level) = settings.attestation.as_deref() {
            assert_eq!(level, "consistent", "the only level that a scenario requires");
            let mut policy = AttestationPolicy::new();
            policy.require(AttestationLevel::Consistent)?;
            config.set_attestation(&policy)?;
        }
        Client::new(&config)
    }
}

impl Keys {
    fn load_into(&self, client: &Client) -> Result<()> {
        let public = self.public.as_deref().map(fixture);
        client.load_keys_pem(&fixture(&self.private), public.as_deref(), self.password.as_bytes())?;
        if let Some(password) = self.reload.as_deref().map(str::as_bytes) {
            let before = client.public_key()?;
            client.load_keys_pem(&client.private_key_pem(password)?, None, password)?;
            assert_eq!(before, client.public_key()?, "another pair is loaded than was exported");
        }
        Ok(())
    }
}

/// A key file.
fn fixture(name: &str) -> Vec<u8> {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/protocol/keys");
    std::fs::read(keys.join(name)).expect("a fixture")
}

/// A pair whose private file belongs to root and is readable by its group. An ordinary user cannot have such a file: there
/// it is readable by its owner alone.
fn group_keys() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for half in ["private", "public"] {
        std::fs::write(dir.path().join(format!("{half}_key.pem")), fixture(&format!("client_{half}.pem")))
            .expect("ours");
    }
    let private = dir.path().join("private_key.pem");
    let mode = if std::fs::metadata(&private).expect("a file").uid() == 0 { 0o440 } else { 0o400 };
    std::fs::set_permissions(private, std::fs::Permissions::from_mode(mode)).expect("ours");
    dir
}

fn create(client: &Client, scenario: &Scenario) -> Result<Response> {
    let mut options = CallOptions::new();
    if let Some(tier) = scenario.options.security_tier.as_deref() {
        options.set_security_tier(Tier::parse(tier)?);
    }
    if let Some(key) = scenario.options.api_key.as_deref() {
        options.set_api_key(key.as_bytes())?;
    }
    if let Some(ms) = scenario.options.timeout_ms {
        options.set_timeout(Duration::from_millis(ms))?;
    }
    if scenario.options.cancelled {
        let cancel = Cancel::new();
        cancel.trigger();
        options.set_cancel(&cancel);
    }
    let json = match (&scenario.request, &scenario.raw) {
        (Some(request), None) => request.to_string(),
        (None, Some(raw)) => raw.clone(),
        _ => panic!("{}: either request or raw", scenario.name),
    };
    client.create(json.as_bytes(), &options)
}

fn judge(outcome: &Result<Response>, expect: &Expected) -> std::result::Result<(), String> {
    let name = match outcome {
        Ok(_) => "NOMYO_OK",
        Err(error) => nomyo::boundary::status_name(error.status()),
    };
    if name != expect.status {
        return Err(format!("{name} instead of {}: {outcome:?}", expect.status));
    }
    match outcome {
        Ok(answer) => judge_answer(answer, expect),
        Err(error) => judge_error(error, expect),
    }
}

fn judge_error(error: &Error, expect: &Expected) -> std::result::Result<(), String> {
    same("http_status", expect.http_status, error.http_status().unwrap_or(0))?;
    same("attempts", expect.attempts, error.attempts())?;
    same("sent", expect.sent.as_deref(), error.sent().name())?;
    same("payload_id", expect.payload_id, error.payload_id().is_some())?;
    same("retryable", expect.retryable, error.is_retryable())?;
    same("retry_after_ms", expect.retry_after_ms, error.retry_after().map_or(0, |wait| wait.as_millis()))?;
    judge_headers(error.request_id(), error.headers(), expect)?;
    for part in &expect.message_has {
        has("message", error.message(), part)?;
    }
    match &expect.details_has {
        Some(part) => has("details", &String::from_utf8_lossy(error.details()), part),
        None => Ok(()),
    }
}

fn judge_answer(answer: &Response, expect: &Expected) -> std::result::Result<(), String> {
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    same("attempts", expect.attempts, answer.attempts())?;
    same("payload_id", expect.payload_id, !answer.payload_id().is_empty())?;
    same("choices", expect.choices, answer.choice_count())?;
    same("content", expect.content.clone(), text(answer.content(0)))?;
    same("reasoning", expect.reasoning.clone(), text(answer.reasoning(0)))?;
    same("finish_reason", expect.finish_reason.clone(), text(answer.finish_reason(0)))?;
    if let Some(part) = &expect.tool_calls_has {
        has("tool_calls", answer.tool_calls(0).unwrap_or_default(), part)?;
    }
    judge_headers(answer.request_id(), answer.headers(), expect)?;
    let calls = (0..answer.tool_call_count(0)).filter_map(|at| answer.tool_call(0, at));
    let calls = calls.map(|call| json!({"id": call.id, "name": call.name, "arguments": call.arguments}));
    same("tool_calls", expect.tool_calls.clone(), calls.collect())?;
    let usage = answer.usage();
    let usage = json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    });
    same("usage", expect.usage.clone(), usage)?;
    for (pointer, wanted) in &expect.pointers {
        let value = answer.pointer(pointer).map_or(Value::Null, |raw| serde_json::from_str(raw).expect("JSON"));
        same(pointer, Some(wanted.clone()), value)?;
    }
    same("attestation", expect.attestation.clone(), answer.attestation().level().name().to_lowercase())
}

fn judge_headers(id: Option<&str>, headers: &Headers, expect: &Expected) -> std::result::Result<(), String> {
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    same("request_id", expect.request_id.clone(), text(id))?;
    expect.headers.iter().try_for_each(|(name, wanted)| same(name, Some(wanted.clone()), text(headers.get(name))))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, wanted: Option<T>, got: T) -> std::result::Result<(), String> {
    match wanted {
        Some(wanted) if wanted != got => Err(format!("{what} is {got:?} instead of {wanted:?}")),
        _ => Ok(()),
    }
}

fn has(what: &str, text: &str, part: &str) -> std::result::Result<(), String> {
    if text.contains(part) { Ok(()) } else { Err(format!("{what} {text:?} does not have {part:?}")) }
}

/// The name that C has for an error's status.
#[test]
fn every_scenario_holds() {
    let options = Options {
        server_key_pem: String::from_utf8(fixture("server_private.pem")).ok(),
        control: true,
        http: true,
        api_key: Some(API_KEY.to_owned()),
        ..Options::default()
    };
    let endpoint = Endpoint::start(options).expect("the endpoint starts");
    let mut bench = Bench { endpoint, group_keys: group_keys(), clients: HashMap::new() };
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(table).expect("the table").map(|e| e.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let scenarios: Vec<Scenario> =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        for scenario in scenarios {
            match bench.run(&scenario) {
                Ok(()) => {
                    passed += 1;
                    println!("scenario {} ok", scenario.name);
                }
                Err(why) => {
                    failed += 1;
                    println!("scenario {} FAILED: {why}", scenario.name);
                }
            }
        }
    }
    println!("scenarios-rust: {passed} passed, {failed} failed");
    assert!(failed == 0 && passed >= 60, "{failed} of {} scenarios do not hold", passed + failed);
}
