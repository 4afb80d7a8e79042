//! The verdict on an answer, from the sealed request to the response; by a server that forges its quotes without a TPM.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

use super::{Client, Config, Request, Response, Sealed};
use crate::attestation::{AttestationLevel, AttestationPolicy};
use crate::crypto::{Hash, PublicKey, hash, sha256};
use crate::envelope::{Tier, seal};
use crate::error::{Result, Status};

const SERVER_KEY: &[u8] = include_bytes!("../../tests/fixtures/protocol/keys/server_public.pem");
const REQUEST: &[u8] = br#"{"model":"m","messages":[]}"#;
/// TPM_ALG_SHA256 and TPM_ALG_ECDSA.
const SHA256: [u8; 2] = [0x00, 0x0b];
const ECDSA: [u8; 2] = [0x00, 0x18];

fn sized(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).expect("short");
    [&len.to_be_bytes()[..], bytes].concat()
}

/// What a server without a TPM can make for `payload_id`: registers of its choice, and a key that nobody knows.
fn forged_block(payload_id: &str) -> Value {
    let key = SigningKey::from_slice(&[7; 32]).expect("a key");
    let point = key.verifying_key().to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    let null = [0x00, 0x10];
    let area = [
        &[0x00, 0x23][..],
        &SHA256,
        &[0x00, 0x05, 0x00, 0x72],
        &sized(&[]),
        &null,
        &ECDSA,
        &SHA256,
        &[0x00, 0x03],
        &null,
        &sized(x),
        &sized(y),
    ]
    .concat();
    let name = [&SHA256[..], &sha256(&area)].concat();
    let signer = [&SHA256[..], &sha256(&[&[0x40, 0x00, 0x00, 0x01][..], &name].concat())].concat();
    let values = [[0x11; 32], [0x77; 32]];
    let quote = [
        &[0xff, 0x54, 0x43, 0x47, 0x80, 0x18][..],
        &sized(&signer),
        &sized(&sha256(payload_id.as_bytes())[..16]),
        &[0, 0, 0, 0, 0, 0, 0x03, 0xe8],
        &[0; 8],
        &[1],
        &[0; 8],
        &[0, 0, 0, 1],
        &SHA256,
        &[3, 0x81, 0, 0],
        &sized(&hash(Hash::Sha256, values.iter().map(|value| &value[..]))),
    ]
    .concat();
    let signature: Signature = key.sign_prehash(&sha256(&quote)).expect("a signature");
    let (r, s) = signature.split_bytes();
    let signature = [&ECDSA[..], &SHA256, &sized(&r), &sized(&s)].concat();
    json!({
        "is_available": true,
        "pcr_banks": "sha256:0,7",
        "pcr_values": { "sha256": { "0": "11".repeat(32), "7": "77".repeat(32) } },
        "quote_b64": STANDARD.encode(&quote),
        "signature_b64": STANDARD.encode(&signature),
        "aik_pubkey_b64": STANDARD.encode(sized(&area)),
    })
}

fn client(policy: &AttestationPolicy) -> Client {
    let mut config = Config::new().expect("defaults");
    config.set_attestation(policy).expect("a policy");
    Client::new(&config).expect("a client")
}

fn requested(client: &Client, tier: Tier) -> Sealed {
    let mut options = Request::new();
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
    policy.allow_pcr("sha256", 0, &"11".repeat(32)).expect("a value");
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
    policy.allow_pcr("sha256", 7, &"78".repeat(32)).expect("a value");
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
    let mut config = Config::new().expect("defaults");
    assert_eq!(config.set_attestation(&policy).expect_err("no values").status(), Status::Argument);
}
