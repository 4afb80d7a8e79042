//! The verdict on an answer, from the sealed request to the response; by a server that forges its quotes without a TPM.

use serde_json::{Value, json};

use super::{CallOptions, Client, Config, Response, Sealed};
use crate::attestation::forger::Forger;
use crate::attestation::{AttestationLevel, AttestationPolicy};
use crate::crypto::PublicKey;
use crate::envelope::{Tier, seal};
use crate::error::{Result, Status};

const SERVER_KEY: &[u8] = include_bytes!("../../tests/fixtures/protocol/keys/server_public.pem");
const REQUEST: &[u8] = br#"{"model":"m","messages":[]}"#;

/// A block for `payload_id` by a server without a TPM.
fn forged_block(payload_id: &str) -> Value {
    Forger::new(payload_id).block()
}

fn client(policy: &AttestationPolicy) -> Client {
    let mut config = Config::new();
    config.set_attestation(policy).expect("a policy");
    Client::new(&config).expect("a client")
}

fn requested(client: &Client, tier: Tier) -> Sealed {
    let mut options = CallOptions::new();
    options.set_security_tier(tier);
    client.seal(SERVER_KEY, REQUEST, &options).expect("sealed")
}

/// Opens an answer whose `_metadata` is `metadata`.
fn opened(client: &Client, request: &Sealed, metadata: &Value) -> Result<Response> {
    let plaintext = json!({ "choices": [], "_metadata": metadata }).to_string();
    let public = PublicKey::from_spki(request.pair.keys.spki()).expect("the client's key");
    client.open(request, &seal(plaintext.as_bytes(), &public).expect("sealed"))
}

fn requiring(level: AttestationLevel) -> AttestationPolicy {
    let mut policy = AttestationPolicy::new();
    policy.allow_pcr("sha256", 0, &"01".repeat(32)).expect("a value");
    policy.require(level).expect("a level");
    policy
}

#[test]
fn the_verdict_is_in_the_answer_and_without_a_policy_nothing_is_withheld() {
    let client = client(&AttestationPolicy::new());
    let request = requested(&client, Tier::Maximum);
    let level = |metadata: &Value| opened(&client, &request, metadata).expect("not withheld").attestation().level();
    let block = forged_block(&request.payload_id);
    assert_eq!(level(&json!({ "tpm_attestation": block, "x": "y" })), AttestationLevel::Consistent);
    assert_eq!(level(&json!({ "tpm_attestation": forged_block("another") })), AttestationLevel::Invalid);
    assert_eq!(level(&json!({ "tpm_attestation": { "is_available": false } })), AttestationLevel::Unavailable);
    assert_eq!(level(&json!({})), AttestationLevel::Absent);
    assert_eq!(level(&json!(null)), AttestationLevel::Absent);
}

#[test]
fn a_block_outside_the_metadata_is_no_block() {
    let client = client(&AttestationPolicy::new());
    let request = requested(&client, Tier::High);
    let plaintext = json!({ "tpm_attestation": forged_block(&request.payload_id) }).to_string();
    let public = PublicKey::from_spki(request.pair.keys.spki()).expect("the client's key");
    let answer = client.open(&request, &seal(plaintext.as_bytes(), &public).expect("sealed")).expect("an answer");
    assert_eq!(answer.attestation().level(), AttestationLevel::Absent);
}

#[test]
fn a_policy_withholds_the_answer_that_proves_less() {
    let client = client(&requiring(AttestationLevel::Baseline));
    let request = requested(&client, Tier::Maximum);
    let good = json!({ "tpm_attestation": forged_block(&request.payload_id) });
    let answer = opened(&client, &request, &good).expect("not withheld");
    assert_eq!(answer.attestation().level(), AttestationLevel::Baseline);
    for (metadata, why) in [
        (json!({ "tpm_attestation": forged_block("another") }), "TPM_NONCE_MISMATCH"),
        (json!({ "tpm_attestation": { "is_available": false } }), "INVALID (TPM_UNAVAILABLE"),
        (json!({}), "INVALID (TPM_ABSENT"),
    ] {
        let error = opened(&client, &request, &metadata).expect_err("withheld");
        assert_eq!(error.status(), Status::Attestation, "{error}");
        assert!(error.message().contains(why), "{error}");
        assert!(error.message().contains("the prompt has already been sent"), "{error}");
    }
}

#[test]
fn a_register_outside_the_baseline_withholds_the_answer() {
    let mut policy = requiring(AttestationLevel::Consistent);
    policy.allow_pcr("sha256", 7, &"09".repeat(32)).expect("a value");
    let client = client(&policy);
    let request = requested(&client, Tier::High);
    let metadata = json!({ "tpm_attestation": forged_block(&request.payload_id) });
    let error = opened(&client, &request, &metadata).expect_err("withheld");
    assert!(error.message().contains("TPM_PCR_BASELINE: sha256:7 has a value"), "{error}");
}

#[test]
fn a_policy_that_no_answer_can_fulfil_is_refused_by_the_configuration() {
    let mut policy = AttestationPolicy::new();
    policy.require(AttestationLevel::Baseline).expect("a level");
    let mut config = Config::new();
    assert_eq!(config.set_attestation(&policy).expect_err("no values").status(), Status::Argument);
}
