//! The vocabulary of misbehaviour: what a test may ask for, and how it is read.
//!
//! The same wire faults apply to an answer (asked for inside the encrypted request, in
//! `nomyo_test`) and to the key fetch (asked for through `/control/faults`). A member that is not
//! in the vocabulary is refused: a test with a misspelt fault must not pass.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::response::Response;
use crate::tpm::{Hierarchy, Scheme};

/// Faults below the protocol: what any HTTP response can be made to suffer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WireFaults {
    pub status: Option<u16>,
    pub body: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub content_type: Option<String>,
    /// How many attempts suffer; all when absent.
    pub times: Option<u32>,
    pub delay_before_headers_ms: Option<u64>,
    pub delay_in_body_ms: Option<u64>,
    pub drip_ms: Option<u64>,
    pub drip_head_ms: Option<u64>,
    pub truncate: Option<u64>,
    pub reset: Option<ResetAt>,
    pub close: bool,
    pub oversize: Option<u64>,
    pub redirect: Option<String>,
    pub gzip: bool,
    pub chunked: bool,
    pub before: Option<String>,
    pub raw: Option<String>,
    pub content_length: Option<String>,
}

/// Where the connection is reset.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResetAt {
    BeforeHeaders,
    InBody,
}

/// Faults in the answer's content.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AnswerFaults {
    pub malformed: Option<String>,
    pub js_form: bool,
    #[serde(deserialize_with = "present")]
    pub payload_id: Option<Value>,
    #[serde(deserialize_with = "present")]
    pub tier: Option<Value>,
    #[serde(deserialize_with = "present")]
    pub processed_at: Option<Value>,
}

/// Faults in what the answer says of the TPM, and the kind of quote that is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AttestationFaults {
    /// The block as it is to be; null leaves it out.
    #[serde(deserialize_with = "present")]
    pub tpm: Option<Value>,
    /// A JSON merge patch on the right block.
    pub tpm_patch: Option<Value>,
    pub tpm_scheme: Option<Scheme>,
    pub tpm_hierarchy: Option<Hierarchy>,
    /// TPM2B_ATTEST instead of TPMS_ATTEST.
    pub tpm_sized_quote: bool,
}

/// What the model is told to say. Not a fault, and said on every attempt.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Script {
    pub reply: Option<String>,
    pub reasoning: Option<String>,
    #[serde(deserialize_with = "present")]
    pub answer: Option<Value>,
    pub upstream: Option<UpstreamAnswer>,
}

/// The answer that an upstream is taken to have given. No upstream is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpstreamAnswer {
    pub status: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: String,
}

impl UpstreamAnswer {
    /// The first header of this name; names are compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The member `nomyo_test` of a request.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct NomyoTest {
    #[serde(flatten)]
    pub wire: WireFaults,
    #[serde(flatten)]
    pub answer: AnswerFaults,
    #[serde(flatten)]
    pub attestation: AttestationFaults,
    #[serde(flatten)]
    pub script: Script,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// What `/control/faults` sets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerFaults {
    pub key_fetch: Option<KeyFetchFaults>,
    pub accept: Option<AcceptFault>,
    pub accept_times: Option<u32>,
    pub accept_answer: String,
    pub certificate: Option<CertificateFault>,
    pub read_request: Option<ReadFault>,
    pub read_bytes: usize,
    pub read_times: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct KeyFetchFaults {
    #[serde(flatten)]
    pub wire: WireFaults,
    pub key_pem: Option<String>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// What happens to a connection before there is TLS on it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AcceptFault {
    Close,
    Reset,
    Stall,
    /// Waits for the client's first bytes and answers them with `accept_answer`.
    Answer,
}

/// What is wrong with the certificate that is shown.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CertificateFault {
    Expired,
    NotYetValid,
    SelfSigned,
    WrongHost,
    UnknownCa,
}

/// How the reading of a request ends.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReadFault {
    CloseMidway,
    StallMidway,
}

/// Keeps `null` apart from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The error quotes the value, so this is for faults that come in the clear.
fn read<T: DeserializeOwned>(what: &str, value: Value) -> Result<T, Response> {
    serde_json::from_value(value).map_err(|error| Response::detail(400, &format!("{what}: {error}")))
}

impl NomyoTest {
    /// Reads the member's text. The request that it is from came encrypted, and an error does not
    /// go back so: it quotes nothing.
    pub fn read(text: &str) -> Result<NomyoTest, Response> {
        let test: NomyoTest = serde_json::from_str(text).map_err(|_| {
            Response::detail(400, "nomyo_test is not an object, or a member of it has a value of the wrong type")
        })?;
        if test.unknown.is_empty() {
            Ok(test)
        } else {
            Err(Response::detail(400, "nomyo_test has a member that is no fault: README.md lists the faults"))
        }
    }

    /// Drops the faults when this attempt (from 1) comes after the last that is to suffer.
    pub fn on_attempt(mut self, attempt: u32) -> NomyoTest {
        if self.wire.times.is_some_and(|times| attempt > times) {
            self.wire = WireFaults::default();
            self.answer = AnswerFaults::default();
            self.attestation = AttestationFaults::default();
        }
        self
    }
}

impl AttestationFaults {
    /// Whether what is asked for takes a quote.
    pub fn needs_tpm(&self) -> bool {
        self.tpm_scheme.is_some() || self.tpm_hierarchy.is_some() || self.tpm_sized_quote
    }
}

impl WireFaults {
    /// The response that stands in for the real one, when a status, a body or a redirect was asked
    /// for.
    pub fn replacement(&self) -> Option<Response> {
        if let Some(target) = &self.redirect {
            let mut response = Response::detail(self.status.unwrap_or(307), "Moved");
            response.headers.push(("Location".to_owned(), target.clone()));
            return Some(response);
        }
        match (&self.status, &self.body) {
            (None, None) => None,
            (Some(status), None) => Some(Response::detail(*status, &format!("Asked for status {status}"))),
            (status, Some(body)) => Some(Response::new(status.unwrap_or(200), "application/json", body.as_str())),
        }
    }

    /// Adds the headers and the content type that were asked for.
    pub fn dress(&self, response: &mut Response) {
        if let Some(content_type) = &self.content_type {
            response.content_type.clone_from(content_type);
        }
        response.headers.extend(self.headers.clone());
    }
}

/// The faults that are set for the whole server, with their countdowns.
#[derive(Default)]
pub(crate) struct Faults {
    set: Mutex<ServerFaults>,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, ServerFaults> {
        self.set.lock().expect("nothing panics while it holds this lock")
    }

    /// Replaces all of them; `{}` clears.
    pub fn replace(&self, value: Value) -> Result<(), Response> {
        let faults: ServerFaults = read("faults", value)?;
        let unknown = faults.key_fetch.as_ref().and_then(|key_fetch| key_fetch.unknown.keys().next());
        if let Some(name) = unknown {
            return Err(Response::detail(400, &format!("key_fetch: unknown fault `{name}`")));
        }
        *self.lock() = faults;
        Ok(())
    }

    /// What the next key fetch suffers.
    pub fn key_fetch(&self) -> KeyFetchFaults {
        let mut set = self.lock();
        let applies = set.key_fetch.as_mut().is_some_and(|faults| count_down(&mut faults.wire.times));
        set.key_fetch.clone().filter(|_| applies).unwrap_or_default()
    }

    /// What the next connection suffers.
    pub fn accept(&self) -> Option<AcceptFault> {
        let mut set = self.lock();
        set.accept.filter(|_| count_down(&mut set.accept_times))
    }

    /// What [`AcceptFault::Answer`] says.
    pub fn accept_answer(&self) -> String {
        self.lock().accept_answer.clone()
    }

    /// What is wrong with the certificate of the next connection.
    pub fn certificate(&self) -> Option<CertificateFault> {
        self.lock().certificate
    }

    /// What the next request suffers, after how many bytes of its body.
    pub fn read_request(&self) -> Option<(ReadFault, usize)> {
        let mut set = self.lock();
        let bytes = set.read_bytes;
        set.read_request.filter(|_| count_down(&mut set.read_times)).map(|fault| (fault, bytes))
    }
}

/// Whether it still applies; without a count it always does.
fn count_down(times: &mut Option<u32>) -> bool {
    match times {
        None => true,
        Some(0) => false,
        Some(left) => {
            *left -= 1;
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_misspelt_fault_is_refused() {
        assert!(NomyoTest::read(r#"{"drip_ms": 1, "tier": null}"#).is_ok());
        for text in [r#"{"drop_ms": 1}"#, r#"{"reply": ["a secret"]}"#, r#""a secret""#] {
            let refusal = NomyoTest::read(text).expect_err("unknown, or of the wrong type");
            let said = String::from_utf8_lossy(&refusal.body).into_owned();
            assert!(!said.contains("drop_ms") && !said.contains("secret"), "{said}");
        }
        assert!(Faults::default().replace(json!({"key_fetch": {"statu": 500}})).is_err());
        assert!(Faults::default().replace(json!({"acept": "close"})).is_err());
    }

    #[test]
    fn null_is_not_absent() {
        let test = NomyoTest::read(r#"{"processed_at": null}"#).expect("a known fault");
        assert_eq!(test.answer.processed_at, Some(Value::Null));
        assert_eq!(test.answer.payload_id, None);
    }

    #[test]
    fn times_limits_faults_but_not_the_script() {
        let test = NomyoTest::read(r#"{"status": 429, "times": 2, "reply": "r"}"#).expect("known members");
        assert_eq!(test.clone().on_attempt(2).wire.status, Some(429));
        let third = test.on_attempt(3);
        assert_eq!((third.wire.status, third.script.reply.as_deref()), (None, Some("r")));
    }

    #[test]
    fn server_faults_count_down_and_clear() {
        let faults = Faults::default();
        faults.replace(json!({"accept": "reset", "accept_times": 1, "key_fetch": {"status": 503}})).expect("known");
        assert_eq!(faults.accept(), Some(AcceptFault::Reset));
        assert_eq!(faults.accept(), None);
        assert_eq!(faults.key_fetch().wire.status, Some(503));
        faults.replace(json!({})).expect("empty is fine");
        assert_eq!(faults.key_fetch().wire.status, None);
    }
}
