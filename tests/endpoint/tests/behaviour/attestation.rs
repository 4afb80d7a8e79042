//! Quotes of a real TPM stack: genuine, bound to their request, and bent only as asked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use endpoint::{Endpoint, Options, TpmKind};
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384};
use tss_esapi::attributes::ObjectAttributes;
use tss_esapi::interface_types::algorithm::HashingAlgorithm;
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::structures::{Attest, AttestInfo, EccScheme, Public, RsaScheme, Signature};
use tss_esapi::traits::{Marshall, UnMarshall};

use crate::client::{Client, options, start};

fn attesting() -> Endpoint {
    start(Options { control: true, tpm: TpmKind::Swtpm, ..options() })
}

/// The block in the answer to a request with this id and these faults.
fn block(client: &Client, id: &str, faults: Value) -> Value {
    let answer = client.ask_for(id, faults).expect("an answer");
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer.open()["_metadata"]["tpm_attestation"].clone()
}

fn bytes(block: &Value, member: &str) -> Vec<u8> {
    STANDARD.decode(block[member].as_str().expect("a string")).expect("base64")
}

/// Reads a structure that nothing follows.
fn whole<T: Marshall + UnMarshall>(bytes: &[u8]) -> T {
    let read = T::unmarshall(bytes).expect("a TPM structure");
    assert_eq!(read.marshall().expect("it marshals"), bytes);
    read
}

/// What follows the length that it begins with.
fn unsized_(bytes: &[u8]) -> &[u8] {
    let (len, rest) = bytes.split_at(2);
    assert_eq!(usize::from(u16::from_be_bytes([len[0], len[1]])), rest.len());
    rest
}

/// A PCR that began as zeros and was extended once with the digest of `text`.
fn extended_with(text: &str) -> String {
    let digest = Sha256::digest([&[0; 32][..], &Sha256::digest(text)].concat());
    base16ct::lower::encode_string(&digest)
}

/// Checks a quote as a verifier would. Returns the hierarchy of its key.
fn check(block: &Value, id: &str, quote: &[u8]) -> &'static str {
    let values = ["firmware", "secure boot policy", "measured files"].map(extended_with);
    assert_eq!(block["is_available"], true);
    assert_eq!(block["pcr_banks"], "sha256:0,7,10");
    assert_eq!(block["pcr_values"], json!({"sha256": {"0": values[0], "7": values[1], "10": values[2]}}));
    let pcrs: Vec<u8> = values.iter().flat_map(|hex| base16ct::lower::decode_vec(hex).expect("hex")).collect();

    let aik = bytes(block, "aik_pubkey_b64");
    let aik = unsized_(&aik);
    let public: Public = whole(aik);
    let signature: Signature = whole(&bytes(block, "signature_b64"));
    let hash = check_signature(&public, &signature, quote);
    // fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign.
    assert_eq!(public.object_attributes(), ObjectAttributes::from(0x50072));

    let attest: Attest = whole(quote);
    assert_eq!(attest.extra_data().value(), &Sha256::digest(id)[..16]);
    let AttestInfo::Quote { info } = attest.attested() else { panic!("not a quote") };
    let [selection] = info.pcr_selection().get_selections() else { panic!("not one bank") };
    assert_eq!(selection.hashing_algorithm(), HashingAlgorithm::Sha256);
    let selected: Vec<u32> = selection.selected().into_iter().map(|slot| u32::from(slot).trailing_zeros()).collect();
    assert_eq!(selected, [0, 7, 10]);
    let digest = match hash {
        HashingAlgorithm::Sha384 => Sha384::digest(&pcrs).to_vec(),
        _ => Sha256::digest(&pcrs).to_vec(),
    };
    assert_eq!(info.pcr_digest().value(), digest);

    let signer = attest.qualified_signer().value();
    let name = [&[0, 0x0b][..], &Sha256::digest(aik)].concat();
    [("owner", 0x4000_0001_u32), ("null", 0x4000_0007), ("endorsement", 0x4000_000b), ("platform", 0x4000_000c)]
        .into_iter()
        .find(|(_, handle)| signer[2..] == *Sha256::digest([&handle.to_be_bytes()[..], &name].concat()))
        .expect("a primary key of one of the hierarchies")
        .0
}

/// Verifies the signature as the key's own scheme says, and returns the scheme's hash.
fn check_signature(public: &Public, signature: &Signature, quote: &[u8]) -> HashingAlgorithm {
    match (public, signature) {
        (Public::Rsa { parameters, unique, .. }, Signature::RsaSsa(rsa)) => {
            let RsaScheme::RsaSsa(scheme) = parameters.rsa_scheme() else { panic!("another scheme") };
            check_rsa(&signature::RSA_PKCS1_2048_8192_SHA256, unique.value(), quote, rsa.signature().value());
            scheme.hashing_algorithm()
        }
        (Public::Rsa { parameters, unique, .. }, Signature::RsaPss(rsa)) => {
            let RsaScheme::RsaPss(scheme) = parameters.rsa_scheme() else { panic!("another scheme") };
            check_rsa(&signature::RSA_PSS_2048_8192_SHA256, unique.value(), quote, rsa.signature().value());
            scheme.hashing_algorithm()
        }
        (Public::Ecc { parameters, unique, .. }, Signature::EcDsa(ecdsa)) => {
            let EccScheme::EcDsa(scheme) = parameters.ecc_scheme() else { panic!("another scheme") };
            let (algorithm, len): (&dyn VerificationAlgorithm, _) = match parameters.ecc_curve() {
                EccCurve::NistP256 => (&signature::ECDSA_P256_SHA256_FIXED, 32),
                EccCurve::NistP384 => (&signature::ECDSA_P384_SHA384_FIXED, 48),
                other => panic!("{other:?}"),
            };
            let pad = |number: &[u8]| [&vec![0; len - number.len()], number].concat();
            let point = [&[4][..], &pad(unique.x().value()), &pad(unique.y().value())].concat();
            let both = [pad(ecdsa.signature_r().value()), pad(ecdsa.signature_s().value())].concat();
            UnparsedPublicKey::new(algorithm, point).verify(quote, &both).expect("the signature is right");
            scheme.hashing_algorithm()
        }
        other => panic!("{other:?}"),
    }
}

fn check_rsa(parameters: &RsaParameters, modulus: &[u8], quote: &[u8], signature: &[u8]) {
    let key = RsaPublicKeyComponents { n: modulus, e: &[1, 0, 1] };
    key.verify(parameters, quote, signature).expect("the signature is right");
}

#[test]
fn quotes_with_every_kind_of_key_and_hierarchy() {
    let endpoint = attesting();
    let client = Client::new(&endpoint);
    for (scheme, hierarchy) in [
        ("rsassa", "owner"),
        ("rsapss", "owner"),
        ("ecdsa-p256", "owner"),
        ("ecdsa-p384", "owner"),
        ("ecdsa-p256", "endorsement"),
        ("ecdsa-p256", "platform"),
        ("ecdsa-p256", "null"),
    ] {
        let block = block(&client, "an id", json!({"tpm_scheme": scheme, "tpm_hierarchy": hierarchy}));
        assert_eq!(check(&block, "an id", &bytes(&block, "quote_b64")), hierarchy, "{scheme}");
    }
}

#[test]
fn every_answer_has_an_rsassa_key_of_its_own_under_the_owner() {
    let endpoint = attesting();
    let client = Client::new(&endpoint);
    let [first, second] = ["1", "2"].map(|id| {
        let block = block(&client, id, json!({}));
        assert_eq!(check(&block, id, &bytes(&block, "quote_b64")), "owner");
        assert_eq!(bytes(&block, "signature_b64")[..2], [0, 0x14], "RSASSA");
        block["aik_pubkey_b64"].clone()
    });
    assert_ne!(first, second);
}

#[test]
fn a_quote_comes_with_its_size_when_asked() {
    let endpoint = attesting();
    let block = block(&Client::new(&endpoint), "id", json!({"tpm_sized_quote": true, "tpm_scheme": "ecdsa-p256"}));
    check(&block, "id", unsized_(&bytes(&block, "quote_b64")));
}

#[test]
fn the_block_is_bent_as_asked() {
    let endpoint = attesting();
    let client = Client::new(&endpoint);
    let other = block(&client, "other", json!({"tpm_scheme": "ecdsa-p256"}));
    assert_eq!(block(&client, "id", json!({"tpm": other})), other, "a replay");
    let answer = client.ask_for("id", json!({"tpm": null})).expect("an answer").open();
    assert!(answer["_metadata"].get("tpm_attestation").is_none());

    let bent = json!({"tpm_scheme": "ecdsa-p256", "tpm_patch": {"is_available": "true", "pcr_banks": null}});
    let mut bent = block(&client, "id", bent);
    assert_eq!(bent["is_available"], "true");
    assert!(bent.get("pcr_banks").is_none());
    bent["is_available"] = json!(true);
    bent["pcr_banks"] = json!("sha256:0,7,10");
    check(&bent, "id", &bytes(&bent, "quote_b64"));
}

#[test]
fn the_tier_maximum_is_served_with_a_quote() {
    let endpoint = attesting();
    let chat = json!({"messages": [{"role": "user", "content": "hello"}]});
    let answer = Client::new(&endpoint).ask("id", &[("X-Security-Tier", "maximum")], &chat).expect("an answer").open();
    assert_eq!(answer["_metadata"]["security_tier"], "maximum");
    let block = &answer["_metadata"]["tpm_attestation"];
    check(block, "id", &bytes(block, "quote_b64"));
}

#[test]
fn clients_at_once_wait_for_one_tpm() {
    let endpoint = attesting();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let endpoint = &endpoint;
            scope.spawn(move || {
                let id = number.to_string();
                let block = block(&Client::new(endpoint), &id, json!({"tpm_scheme": "ecdsa-p256"}));
                check(&block, &id, &bytes(&block, "quote_b64"));
            });
        }
    });
}
